//! Lines with a right checksum that are wrong otherwise: the format and the chain are checked, not only the hash.

use std::fs;
use std::path::Path;

use lifeboat::journal::{Journal, read, verify};
use sha2::{Digest, Sha256};

use crate::{journal_of, lines, options, segment};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const GOOD: &str = r#"{"seq":1,"timestamp":"2026-11-20T03:00:00Z","incident":null,"operator":"ana","action":"a","source":"s","destination":"d","status":"ok","detail":{"x":[1]},"prev":"0000000000000000000000000000000000000000000000000000000000000000""#;

/// Writes one line into a new journal, sealed with the right checksum, and returns why it is bad, if it is.
fn reason(dir: &Path, sealed: &[u8]) -> Option<String> {
    let checksum: String = Sha256::digest(sealed).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(segment(dir, 1), [sealed, b",\"checksum\":\"", checksum.as_bytes(), b"\"}\n"].concat())
        .unwrap();
    let bad = verify(dir).unwrap().bad;
    assert_eq!(read(dir).unwrap().next().unwrap().is_err(), bad.is_some(), "reading and verifying agree");
    if bad.is_some() {
        assert!(Journal::open(dir, &options(800)).is_err(), "and so does opening");
    }
    bad.map(|bad| bad.reason)
}

#[test]
fn a_sealed_line_of_another_form_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    assert_eq!(reason(dir, GOOD.as_bytes()), None);
    let operator = "\"operator\":\"ana\"";
    let changes = [
        ("\"seq\":1", "\"seq\":2", "its seq is 2 but 1 comes next"),
        ("\"seq\":1", "\"seq\":01", "not a whole number"),
        ("\"seq\":1", "\"seq\":1.0", "`timestamp` is not where"),
        ("\"seq\":1", "\"seq\":-1", "not a whole number"),
        ("\"seq\":1", "\"seq\": 1", "not a whole number"),
        ("{\"seq\"", " {\"seq\"", "`seq` is not where"),
        ("03:00:00Z", "03:00:00+00:00", "RFC 3339"),
        ("03:00:00Z", "Z", "RFC 3339"),
        ("null", "nil", "a string is not closed"),
        ("null", "1", "a string is not closed"),
        (operator, "\"operator\":7", "a string is not closed"),
        (operator, "\"operator\":\"a\\q\"", "not JSON"),
        (operator, "\"operator\":\"a\tb\"", "not JSON"),
        (operator, "\"Operator\":\"ana\"", "`operator` is not where"),
        (operator, "\"operator\":\"ana\",\"operator\":\"bob\"", "`action` is not where"),
        (operator, "\"operator\":\"ana\",\"extra\":1", "`action` is not where"),
        ("\"action\":\"a\",\"source\":\"s\"", "\"source\":\"s\",\"action\":\"a\"", "`action` is not where"),
        ("{\"x\":[1]}", "{\"x\":[1]", "not JSON"),
        ("{\"x\":[1]}", "{\"x\":[1]},\"more\":2", "not JSON"),
        ("{\"x\":[1]}", "{\"x\":[1]} ", "white space"),
        ("{\"x\":[1]}", "{\"x\": [1]}", "white space"),
        ("{\"x\":[1]}", "{\"x\":[1,\r2]}", "white space"),
        ("{\"x\":[1]}", "{\"x\":\"\\ud800\"}", "not JSON"),
        ("{\"x\":[1]}", "{\"\\udc00\":1}", "not JSON"),
        ("{\"x\":[1]}", "1e999", "not JSON"),
        ("{\"x\":[1]}", &"9".repeat(400), "not JSON"),
        ("{\"x\":[1]}", &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), "not JSON"),
        (operator, "\"operator\":\"a\\ud800b\"", "not JSON"),
        ("{\"x\":[1]}", "", "not JSON"),
        (",\"prev\"", ",\"Prev\"", "`prev` is missing"),
        (ZEROS, &ZEROS.replace('0', "A"), "`prev` is missing"),
        (ZEROS, &ZEROS.replace('0', "a"), "that record was replaced"),
        (ZEROS, &ZEROS[1..], "`prev` is missing"),
        ("\"action\":\"a\"", "\"action\":\"journal.torn-tail\"", "bytes that are not there"),
    ];
    for (from, to, expected) in changes {
        let forged = GOOD.replacen(from, to, 1);
        assert_ne!(forged, GOOD, "{from}");
        let found = reason(dir, forged.as_bytes()).unwrap_or_else(|| panic!("accepted: {forged}"));
        assert!(found.contains(expected), "{forged}: {found}");
    }
    let mut not_text = GOOD.as_bytes().to_vec();
    not_text[65] = 0xff;
    assert!(reason(dir, &not_text).unwrap().contains("UTF-8"));
}

#[test]
fn what_verifies_can_be_read_and_white_space_in_strings_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    for detail in [
        "\"a \\\" b\"",
        "{\"a b\":\" \\\\\"}",
        "[1.5e3,-0,18446744073709551615]",
        "\"\\ud83d\\ude00\"",
        &format!("{}{}", "[".repeat(127), "]".repeat(127)),
    ] {
        assert_eq!(
            reason(folder.path(), GOOD.replacen("{\"x\":[1]}", detail, 1).as_bytes()),
            None,
            "{detail}"
        );
    }
}

#[test]
fn a_line_without_end_is_bad_and_not_read_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(segment(folder.path(), 1)).unwrap();
    file.set_len(1 << 33).unwrap();
    let bad = verify(folder.path()).unwrap().bad.unwrap();
    assert!(bad.reason.contains("longer than 1048576 bytes"), "{}", bad.reason);
    assert!(Journal::open(folder.path(), &options(800)).is_err());
}

#[test]
fn records_of_two_good_journals_do_not_make_one() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    journal_of(one.path(), &["one", "two", "three"]);
    journal_of(other.path(), &["one", "other", "three"]);
    let spliced = [lines(one.path(), 1)[0].clone(), lines(other.path(), 1)[1].clone()].concat();
    fs::write(segment(one.path(), 1), spliced).unwrap();
    let bad = verify(one.path()).unwrap().bad.unwrap();
    assert_eq!((bad.segment.as_str(), bad.line, bad.seq), ("000002.jsonl", 1, 3));
    assert!(bad.reason.contains("that record was replaced"), "{}", bad.reason);
}
