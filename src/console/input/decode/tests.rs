use proptest::prelude::*;

use super::*;

fn decode(chunks: &[&[u8]]) -> Vec<Decoded> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk, &mut events);
    }
    decoder.idle(&mut events);
    events
}

fn spelled(events: &[Decoded]) -> String {
    let words = events.iter().map(|event| match event {
        Decoded::Key { chord, repeat: false } => chord.to_string(),
        Decoded::Key { chord, repeat: true } => format!("{chord}*"),
        Decoded::Paste(text) => format!("<{text}>"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_of_the_terminals_in_the_field() {
    for (bytes, keys) in [
        (&b"aG?"[..], "a G ?"),
        ("é数".as_bytes(), "é 数"),
        (b"\r\n\t\x7f\x08", "enter enter tab backspace backspace"),
        (b"\x00\x01\x18\x03\x1c\x1f", "ctrl-space ctrl-a ctrl-x ctrl-c ctrl-\\ ctrl-_"),
        (b"\x1b[A\x1bOB\x1b[1;5C\x1b[H\x1b[4~\x1b[5~", "up down ctrl-right home end page-up"),
        (b"\x1bOP\x1b[[B\x1b[15~\x1b[24~\x1b[1;2R", "f1 f2 f5 f12 shift-f3"),
        (b"\x1bv\x1b<\x1b\x18", "alt-v alt-< ctrl-alt-x"),
        (b"\x1b[Z\x1b[1;2A", "shift-tab shift-up"),
        (b"\x1b", "esc"),
        (b"\x1b\x1b", "esc esc"),
        (b"\x1b[", "alt-["),
    ] {
        assert_eq!(spelled(&decode(&[bytes])), keys, "{bytes:?}");
    }
}

#[test]
fn extended_keys_and_their_repetitions() {
    for (bytes, keys) in [
        (&b"\x1b[121u\x1b[121;1:2u\x1b[121;1:3u"[..], "y y*"),
        (b"\x1b[120;5u\x1b[27;5;120~\x1b[13u\x1b[57441u", "ctrl-x ctrl-x enter"),
        (b"\x1b[1;1:2A", "up*"),
    ] {
        assert_eq!(spelled(&decode(&[bytes])), keys, "{bytes:?}");
    }
}

#[test]
fn reports_that_nobody_asked_for_are_no_keys() {
    for bytes in [
        &b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"[..],
        b"\x1b]11;y\x07",
        b"\x1bP1$r0y\x1b\\",
        b"\x1b[?62;4c\x1b[12;40R\x1b[<0;10;5M\x1b[M yy\x1b[I\x1b[O",
        b"\x1b[yyy"[..3].as_ref(),
    ] {
        assert_eq!(spelled(&decode(&[bytes])), "", "{bytes:?}");
    }
    let long = [b"\x1b]52;c;", "y".repeat(5_000).as_bytes(), b"\x1b\\q"].concat();
    assert_eq!(spelled(&decode(&[&long])), "q");
    let long = [b"\x1b[", "1;".repeat(5_000).as_bytes(), b"mq"].concat();
    assert_eq!(spelled(&decode(&[&long])), "q");
}

#[test]
fn a_paste_is_one_event_however_it_arrives() {
    let paste = b"\x1b[200~y\r\x1b[Ay\x1b[201~q";
    assert_eq!(spelled(&decode(&[paste])), "<y\r\x1b[Ay> q");
    for cut in 0..paste.len() {
        let (one, other) = paste.split_at(cut);
        assert_eq!(decode(&[one, other]), decode(&[paste]), "cut at {cut}");
    }
}

#[test]
fn a_paste_that_pauses_is_waited_for_and_one_that_never_ends_is_not_kept_whole() {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    decoder.feed(b"\x1b[200~y", &mut events);
    assert_eq!(decoder.patience(), Some(INSIDE_SEQUENCE));
    decoder.feed(&vec![b'y'; 10 * MAX_PASTE_BYTES], &mut events);
    assert_eq!(events, []);
    decoder.feed(b"\x1b[201~", &mut events);
    assert!(matches!(&events[..], [Decoded::Paste(text)] if text.len() == MAX_PASTE_BYTES));
}

#[test]
fn esc_waits_only_shortly() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.patience(), None);
    decoder.feed(b"\x1b", &mut Vec::new());
    assert_eq!(decoder.patience(), Some(AFTER_ESC));
}

proptest! {
    #[test]
    fn any_bytes_decode_the_same_wherever_they_are_cut(
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(ESC), Just(b'['), Just(b'~'), Just(b';'), b'0'..=b'9'], 0..200),
        cut in 0_usize..200,
    ) {
        let (one, other) = bytes.split_at(cut.min(bytes.len()));
        prop_assert_eq!(decode(&[one, other]), decode(&[&bytes]));
    }

    #[test]
    fn what_is_kept_stays_small(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes, &mut Vec::new());
        prop_assert!(decoder.pending.len() <= MAX_SEQUENCE_BYTES + 1);
    }
}
