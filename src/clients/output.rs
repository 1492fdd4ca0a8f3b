//! A process's output: split into lines, redacted, cleaned, and kept within bounds.

use std::collections::VecDeque;

use crate::secrets::Redactor;
use crate::text::{clean, tail};

/// Longest line kept, in characters.
pub const MAX_LINE_CHARS: usize = 8 * 1024;

/// How much of each stream's beginning is kept, and how much of its end, in bytes.
pub const MAX_KEPT_BYTES: usize = 512 * 1024;

/// Bytes of one line that are looked at. More than a line's cap, so that a secret that lies across the cap
/// is seen whole and redacted before the cut.
const MAX_LINE_BYTES: usize = 4 * MAX_LINE_CHARS + 16 * 1024;

/// So much waits for the rest of a secret that begins at its end, in bytes.
const MAX_WAITING_BYTES: usize = 32 * 1024;
/// So much of what went out is looked at again with what follows, in bytes: a secret can begin in it.
const MAX_BEFORE_BYTES: usize = 8 * 1024;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What is kept of one stream: its beginning and its end, redacted and cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    head: Vec<String>,
    head_bytes: usize,
    tail: VecDeque<String>,
    tail_bytes: usize,
    omitted_lines: u64,
}

impl Kept {
    /// Lines between beginning and end that were not kept.
    pub fn omitted_lines(&self) -> u64 {
        self.omitted_lines
    }

    /// The kept lines, joined by newlines, with a line that says how many are missing.
    pub fn text(&self) -> String {
        let mut lines = self.head.clone();
        if self.omitted_lines > 0 {
            lines.push(format!("[{} lines not kept]", self.omitted_lines));
        }
        lines.extend(self.tail.iter().cloned());
        lines.join("\n")
    }

    /// The last line that is not blank: usually why a command failed.
    pub fn last_line(&self) -> Option<&str> {
        let mut lines = self.tail.iter().rev().chain(self.head.iter().rev());
        lines.find(|line| !line.trim().is_empty()).map(String::as_str)
    }

    /// Keeps a line; true while the beginning is still being filled.
    fn push(&mut self, line: &str) -> bool {
        if self.tail.is_empty() && self.head_bytes + line.len() <= MAX_KEPT_BYTES {
            self.head_bytes += line.len() + 1;
            self.head.push(line.to_owned());
            return true;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line.to_owned());
        while self.tail_bytes > MAX_KEPT_BYTES
            && let Some(dropped) = self.tail.pop_front()
        {
            self.tail_bytes -= dropped.len() + 1;
            self.omitted_lines += 1;
        }
        false
    }
}

/// Turns the chunks of one stream into lines. Where a secret begins at the end of a chunk's lines, they wait for the next
/// chunk: a part that went out could not be taken back.
pub(super) struct Lines<'a> {
    redactor: &'a Redactor,
    line: Vec<u8>,
    /// What went out last, as it came.
    before: String,
    /// Lines that wait, as they came.
    waiting: String,
    overlong: bool,
    streaming: bool,
    pub(super) kept: Kept,
}

impl<'a> Lines<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            line: Vec::new(),
            before: String::new(),
            waiting: String::new(),
            overlong: false,
            streaming: true,
            kept: Kept::default(),
        }
    }

    /// Takes a chunk and hands complete lines to `on_line`, until the cap; later lines are only kept.
    pub(super) fn take(&mut self, chunk: &[u8], on_line: &mut dyn FnMut(&str)) {
        // A carriage return ends a line too: progress displays write nothing else for minutes.
        for piece in chunk.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let ends = matches!(piece.last(), Some(b'\n' | b'\r'));
            let text = &piece[..piece.len() - usize::from(ends)];
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.overlong |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line();
            }
        }
        if self.waiting.len() > MAX_WAITING_BYTES || !self.redactor.is_begun(&self.waiting) {
            self.let_out(on_line);
        }
    }

    /// Hands over what is left when the stream ends.
    pub(super) fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        let unfinished = !self.line.is_empty();
        self.end_line();
        // A program that was ended in the middle of a line may have been about to say the rest.
        if unfinished && self.redactor.is_begun(&self.waiting) {
            self.waiting.push('…');
        }
        self.let_out(on_line);
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        if !self.waiting.is_empty() {
            self.waiting.push('\n');
        }
        self.waiting.push_str(&String::from_utf8_lossy(&self.line));
        if self.overlong {
            self.waiting.push('…');
        }
        self.line.clear();
        self.overlong = false;
    }

    fn let_out(&mut self, on_line: &mut dyn FnMut(&str)) {
        if self.waiting.is_empty() {
            return;
        }
        let waited = std::mem::take(&mut self.waiting);
        for line in self.redactor.redact_after(&self.before, &waited).split('\n') {
            self.keep(&clean(line, MAX_LINE_CHARS), on_line);
        }
        self.before = format!("{}\n", tail(&waited, MAX_BEFORE_BYTES));
    }

    fn keep(&mut self, line: &str, on_line: &mut dyn FnMut(&str)) {
        let in_head = self.kept.push(line);
        if self.streaming && in_head {
            on_line(line);
        } else if self.streaming {
            self.streaming = false;
            on_line("[more output follows and is not shown; its end is kept]");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let redactor = Redactor::new();
        redactor.learn(&crate::secrets::Secret::from_plan("hunter22"));
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

    #[test]
    fn beginning_and_end_are_kept_and_the_middle_is_counted() {
        let redactor = Redactor::new();
        let mut lines = Lines::new(&redactor);
        let mut streamed = 0;
        for number in 0..400_000 {
            lines.take(format!("line {number}\n").as_bytes(), &mut |_| streamed += 1);
        }
        let text = lines.kept.text();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 399999"));
        assert!(text.len() < 2 * MAX_KEPT_BYTES + 100);
        let kept = text.lines().count() as u64 - 1;
        assert_eq!(kept + lines.kept.omitted_lines(), 400_000);
        assert!(streamed < 60_000, "{streamed}");
    }
}
