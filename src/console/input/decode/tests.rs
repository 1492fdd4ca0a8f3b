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
        b"\xc2\x9by\xc2\x9b1;5A\xc2\x9d11;yes\xc2\x9c\xc2\x8ey\xc2\x8fy\xc2\x90y\x1b\\",
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
        (b"\xc2\x9b", b"y", "unfinished q"),
        (b"\xc2\x8f", b"y", "unfinished q"),
        (b"\xc2\x90", b"y\xc2\x9c", "unfinished q"),
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

/// As the reader does: what has begun is called overdue each time that its patience ends.
fn wait(decoder: &mut Decoder, mut left: Duration, events: &mut Vec<Decoded>) {
    while let Some(patience) = decoder.patience().filter(|patience| *patience <= left) {
        left -= patience;
        decoder.idle(events);
    }
}

/// What terminals send that is no character, and the key that it is.
const SEQUENCES: [(&[u8], &str); 14] = [
    (b"\x1b[A", "up"),
    (b"\x1b[1;5C", "ctrl-right"),
    (b"\x1b[[A", "f1"),
    (b"\x1b[<0;10;5M", ""),
    (b"\x1bOA", "up"),
    (b"\x1bOy", ""),
    (b"\x1bO5A", "ctrl-up"),
    (b"\x1bO1;2P", "shift-f1"),
    (b"\x1bNy", ""),
    (b"\x1bP1$r0y\x1b\\", ""),
    (b"\x1b]11;rgb:yA\x07", ""),
    (b"\x1b_GyA\x1b\\", ""),
    (b"\x1b^yA\x1b\\", ""),
    (b"\x1bXyA\x1b\\", ""),
];

#[test]
fn no_sequence_that_a_slow_line_cuts_anywhere_leaves_a_letter_behind() {
    for (bytes, key) in SEQUENCES {
        for cut in 1..bytes.len() {
            for delay_ms in [0, 100, 350, 550, 700, 950, 1_000, 1_600, 3_000, 5_000] {
                // Later than this after Esc, what follows is a person's.
                let after_esc = AFTER_ESC + LATE_AFTER_ESC;
                let delay = Duration::from_millis(delay_ms);
                if cut == 1 && delay >= after_esc {
                    continue;
                }
                let (mut decoder, mut events) = (Decoder::default(), Vec::new());
                decoder.feed(&bytes[..cut], &mut events);
                wait(&mut decoder, delay, &mut events);
                decoder.feed(&bytes[cut..], &mut events);
                decoder.feed(b"q", &mut events);
                let told: Vec<String> =
                    events.iter().map(|event| spelled(std::slice::from_ref(event))).collect();
                let expected = |word: &String| [key, "esc", "unfinished", "q"].contains(&&**word);
                assert!(told.iter().all(expected), "{bytes:?} cut at {cut}, {delay_ms} ms: {told:?}");
                let last = told.last().map(String::as_str);
                assert_eq!(last, Some("q"), "{bytes:?} cut at {cut}, {delay_ms} ms: {told:?}");
            }
        }
    }
}

#[test]
fn ss3_and_dcs_whose_rest_comes_late_confirm_and_abort_nothing() {
    for (first, late) in [(&b"\x1bO"[..], &b"y"[..]), (b"\x1bO", b"A"), (b"\x1bP", b"y")] {
        for delay_ms in [550, 600, 700, 1_000, 1_600] {
            let (mut decoder, mut events) = (Decoder::default(), Vec::new());
            decoder.feed(first, &mut events);
            wait(&mut decoder, Duration::from_millis(delay_ms), &mut events);
            decoder.feed(late, &mut events);
            let letters = events.iter().filter(|event| match event {
                Decoded::Key { chord, .. } => matches!(chord.code, KeyCode::Char(_)),
                _ => false,
            });
            assert_eq!(letters.count(), 0, "{first:?}, {delay_ms} ms, {late:?}: {events:?}");
        }
    }
}

#[test]
fn esc_and_then_a_letter_that_may_introduce_a_sequence_are_two_keys() {
    for letter in [b'O', b'N', b'P', b'X', b']', b'^', b'_'] {
        for apart_ms in [100, 200, 400, 600, 900] {
            let (mut decoder, mut events) = (Decoder::default(), Vec::new());
            decoder.feed(b"\x1b", &mut events);
            wait(&mut decoder, Duration::from_millis(apart_ms), &mut events);
            decoder.feed(&[letter], &mut events);
            assert_eq!(decoder.patience(), Some(HELD_LETTER), "{apart_ms} ms");
            wait(&mut decoder, HELD_LETTER, &mut events);
            decoder.feed(b"q", &mut events);
            assert_eq!(spelled(&events), format!("esc {} q", char::from(letter)), "{apart_ms} ms");
        }
    }
}

#[test]
fn a_sequence_that_a_slow_line_cuts_behind_each_byte_is_no_letter() {
    for (bytes, key) in SEQUENCES {
        for gap_ms in [100, 200, 250, 400] {
            let (mut decoder, mut events) = (Decoder::default(), Vec::new());
            for byte in bytes {
                decoder.feed(&[*byte], &mut events);
                wait(&mut decoder, Duration::from_millis(gap_ms), &mut events);
            }
            let told: Vec<String> = events.iter().map(|event| spelled(std::slice::from_ref(event))).collect();
            assert!(
                told.iter().all(|word| [key, "esc"].contains(&&**word)),
                "{bytes:?} {gap_ms} ms: {told:?}"
            );
        }
    }
}

#[test]
fn of_a_letter_after_esc_and_what_comes_at_once_behind_it_nothing_is_a_key() {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    decoder.feed(b"\x1b", &mut events);
    wait(&mut decoder, Duration::from_millis(600), &mut events);
    decoder.feed(b"X", &mut events);
    wait(&mut decoder, Duration::from_millis(200), &mut events);
    decoder.feed(b"y", &mut events);
    wait(&mut decoder, Duration::from_secs(1), &mut events);
    decoder.feed(b"q", &mut events);
    assert_eq!(spelled(&events), "esc given-up q");
}

#[test]
fn alt_with_a_letter_counts_when_it_comes_at_once() {
    for letter in (b'a'..=b'z').chain(b'A'..=b'Z').filter(|letter| !introduces(*letter)) {
        let events = decode(&[&[ESC, letter]]);
        assert_eq!(spelled(&events), format!("alt-{}", char::from(letter)));
    }
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
    fn a_sequence_cut_into_bytes_that_come_late_leaves_no_letter(
        which in 0..SEQUENCES.len(),
        delays_ms in proptest::collection::vec(0_u64..900, 20),
    ) {
        let (bytes, key) = SEQUENCES[which];
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for (place, (byte, delay_ms)) in bytes.iter().zip(delays_ms).enumerate() {
            decoder.feed(&[*byte], &mut events);
            // A letter that came alone after Esc, and nothing behind it for longer, is a person's.
            let is_held = place == 1 && *byte != b'[';
            let delay_ms = if is_held { delay_ms.min(HELD_LETTER.as_millis() as u64 - 1) } else { delay_ms };
            wait(&mut decoder, Duration::from_millis(delay_ms), &mut events);
        }
        let told: Vec<String> = events.iter().map(|event| spelled(std::slice::from_ref(event))).collect();
        prop_assert!(told.iter().all(|word| [key, "esc"].contains(&&**word)), "{:?}: {:?}", bytes, told);
    }

    #[test]
    fn what_is_kept_stays_small(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::default();
        decoder.feed(&bytes, &mut Vec::new());
        prop_assert!(decoder.pending.len() <= MAX_SEQUENCE_BYTES + 1);
    }
}
