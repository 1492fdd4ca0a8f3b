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
        Decoded::Unfinished => "unfinished".to_owned(),
        Decoded::GivenUp => "given-up".to_owned(),
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
        // Of 8 bits: CSI, OSC and its end, a shift; what follows them is no typing.
        b"\x9by\x9b1;5A\x9d11;yes\x9c\x8ey\x8fy",
        b"\xe0\x9by\x1b\x9by\x1b[1\x9by",
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
fn what_was_held_up_is_never_taken_for_keys() {
    for (first, rest, after) in [
        (&b"\x1b[200~my laz"[..], &b"y\x1b[201~"[..], "unfinished <my lazy> q"),
        (b"\x1b[M y", b"y", "unfinished q"),
        (b"\x1b[<0;10;5", b"M", "unfinished q"),
        (b"\x1b[12", b"1u", "unfinished q"),
        (b"\x1b]11;rgb", b"yyy\x07", "unfinished q"),
        (b"\xc3", b"\xa9", "unfinished q"),
        (b"\x9b", b"y", "unfinished q"),
    ] {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        decoder.feed(first, &mut events);
        assert_eq!(decoder.patience(), Some(INSIDE_SEQUENCE), "{first:?}");
        decoder.idle(&mut events);
        assert_eq!(decoder.patience(), Some(GIVE_UP), "{first:?}");
        decoder.feed(rest, &mut events);
        decoder.feed(b"q", &mut events);
        assert_eq!(spelled(&events), after, "{first:?}");
    }
}

#[test]
fn after_a_long_silence_one_key_shows_that_the_line_is_there_and_the_next_one_counts() {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.feed(b"\x1b[200~half", &mut events);
    decoder.idle(&mut events);
    decoder.feed(b"y", &mut events);
    decoder.idle(&mut events);
    assert_eq!(decoder.patience(), None);
    decoder.feed(b"y", &mut events);
    decoder.feed(b"q", &mut events);
    assert_eq!(spelled(&events), "unfinished given-up q");
}

#[test]
fn an_escape_sequence_cut_in_two_is_one_key_and_esc_with_a_letter_after_it_is_two() {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for bytes in [&b"\x1b"[..], b"[A", b"\x1b", b"OB", b"\x1b[", b"C", b"\x1b", b"j"] {
        decoder.feed(bytes, &mut events);
    }
    assert_eq!(spelled(&events), "up down right esc j");
    // Even where it comes after Esc was taken for the key, its rest is none.
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.feed(b"\x1b", &mut events);
    decoder.idle(&mut events);
    decoder.feed(b"[A", &mut events);
    decoder.feed(b"A", &mut events);
    assert_eq!(spelled(&events), "esc up A");
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
        // What comes apart from Esc is a key of its own, and both are right.
        prop_assume!(one.last() != Some(&ESC));
        prop_assert_eq!(decode(&[one, other]), decode(&[&bytes]));
    }

    #[test]
    fn what_is_kept_stays_small(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes, &mut Vec::new());
        prop_assert!(decoder.pending.len() <= MAX_SEQUENCE_BYTES + 1);
    }
}
