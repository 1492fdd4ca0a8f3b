//! What a program writes, without the secrets in it.

use super::{Redactor, Secret};
use crate::base::output::{Lines, MAX_LINE_BYTES, MAX_LINE_CHARS, MAX_WAITING_BYTES};

fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
    let redactor = Redactor::new();
    redactor.learn(&Secret::from_plan("hunter22"));
    let mut lines = Lines::new(&redactor);
    let mut seen = Vec::new();
    for chunk in chunks {
        lines.take(chunk, &mut |line| seen.push(line.to_owned()));
    }
    lines.finish(&mut |line| seen.push(line.to_owned()));
    seen
}

#[test]
fn lines_are_whole_redacted_and_clean() {
    let seen = lines_of(&[b"one\ntw", b"o hunt", b"er22\r\nthree\x1b[31m\r50%\r", b"end"]);
    assert_eq!(seen, ["one", "two [secret plan]", "three\u{fffd}[31m", "50%", "end"]);
}

#[test]
fn a_secret_over_two_lines_or_chunks_leaves_no_part_of_it() {
    for chunks in [
        &[&b"it is hunt\ner22.\nend"[..]][..],
        &[b"it is hunt\n", b"er22.\nend"],
        &[b"it is hunt\x1b[0m\r\n\n", b"\x1b[31m  er22.\nend"],
        &[b"it is hun\xe2\x80", b"\x8bt\ne\nr22.\n", b"end"],
    ] {
        assert_eq!(lines_of(chunks), ["it is [secret plan].", "end"], "{chunks:?}");
    }
    assert_eq!(lines_of(&[b"it is hun\x1b[1mt"]), ["it is [secret plan]…"], "ended in the middle of it");
    assert_eq!(lines_of(&[b"on the hunt\nof it\n"]), ["on the hunt", "of it"]);
    assert_eq!(lines_of(&[b"on the hunt\n"]), ["on the hunt"]);
}

#[test]
fn a_line_waits_only_where_a_secret_may_go_on_and_not_without_end() {
    let redactor = Redactor::new();
    let secret: String = (0..2_000).map(|number| format!("{number:07x}z")).collect();
    redactor.learn_value("long", &secret);
    let mut lines = Lines::new(&redactor);
    let mut seen = Vec::new();
    lines.take(b"a line\n", &mut |line| seen.push(line.to_owned()));
    assert_eq!(seen, ["a line"], "nothing begins at its end");
    let begun = std::time::Instant::now();
    for part in secret.as_bytes().chunks(13) {
        lines.take(&[part, b"\n"].concat(), &mut |line| seen.push(line.to_owned()));
        assert!(lines.waiting.len() <= MAX_WAITING_BYTES + 20, "{}", lines.waiting.len());
    }
    lines.take(b"end\n", &mut |line| seen.push(line.to_owned()));
    assert!(lines.waiting.is_empty() && seen.last().unwrap() == "end", "{seen:?}");
    assert!(!seen.iter().any(|line| line.contains("00z0")), "{seen:?}");
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[test]
fn a_secret_across_the_cap_of_a_line_is_not_cut_in_half() {
    let long = format!("{}hunter22 and more", "x".repeat(MAX_LINE_CHARS - 4));
    let seen = lines_of(&[long.as_bytes()]);
    assert!(!seen[0].contains("hunt"), "{}", &seen[0][MAX_LINE_CHARS - 10..]);
    assert!(seen[0].ends_with('…'));
    // What shows nothing fills the line's bytes, so that what is cut off is not cut from what is shown.
    let hidden = format!("{}hunter22", "\u{301}".repeat((MAX_LINE_BYTES - 5) / 2));
    let seen = lines_of(&[hidden.as_bytes()]);
    assert!(!seen[0].contains("hunt"), "{}", seen[0]);
}
