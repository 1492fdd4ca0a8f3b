//! What is appended is what is read, whatever it says.

use jiff::Timestamp;
use lifeboat::journal::{Entry, Head, Journal, MAX_LINE_BYTES, Record, read, verify};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{entry, lines, options};

/// Any characters at all: control characters, quotes, every plane.
fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(
        "\"\\\u{0}\n\r\t\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{e0041}é=,{}'".chars().collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![any::<char>(), nasty], 0..12)
        .prop_map(|chars| chars.into_iter().collect())
}

fn detail() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

prop_compose! {
    fn any_entry()(
        second in 0_i64..253_402_300_799, nanosecond in 0_i32..1_000_000_000, incident in prop::option::of(text()),
        operator in text(), action in text(), source in text(), destination in text(), status in text(),
        detail in detail(),
    ) -> Entry {
        let timestamp = Timestamp::new(second, nanosecond).unwrap();
        Entry { timestamp, incident, operator, action, source, destination, status, detail }
    }
}

fn entry_of(record: Record) -> Entry {
    let Record { timestamp, incident, operator, action, source, destination, status, detail, .. } = record;
    Entry { timestamp, incident, operator, action, source, destination, status, detail }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn entries_come_back_as_they_were(batches in prop::collection::vec(prop::collection::vec(any_entry(), 0..4), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), &options(2000)).unwrap();
        let mut heads: Vec<Head> = Vec::new();
        for batch in &batches {
            heads.extend(journal.append(batch).unwrap());
        }
        let records: Vec<Record> = if heads.is_empty() {
            Vec::new()
        } else {
            read(folder.path()).unwrap().map(Result::unwrap).collect()
        };
        prop_assert_eq!(&heads, &records.iter().map(Record::head).collect::<Vec<_>>());
        prop_assert_eq!(batches.concat(), records.into_iter().map(entry_of).collect::<Vec<_>>());
        let verification = verify(folder.path()).unwrap();
        prop_assert!(verification.is_good());
        prop_assert_eq!(&verification.head, journal.head());
        drop(journal);
        let (journal, recovery) = Journal::open(folder.path(), &options(2000)).unwrap();
        prop_assert_eq!(&verification.head, journal.head());
        prop_assert_eq!(recovery.torn, None);
    }

    #[test]
    fn a_head_is_read_as_it_is_written(seq in any::<u64>(), checksum in "[0-9a-f]{64}") {
        let head = Head { seq, checksum };
        prop_assert_eq!(head.to_string().parse(), Ok(head));
    }

    #[test]
    fn no_line_can_act_on_a_terminal(entry in any_entry()) {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), &options(1 << 20)).unwrap();
        journal.append(&[entry]).unwrap();
        let line = String::from_utf8(lines(folder.path(), 1).concat()).unwrap();
        let line = line.trim_end_matches('\n');
        prop_assert!(!line.contains(lifeboat::base::text::is_hostile), "{}", line.escape_debug());
    }
}

#[test]
fn the_line_is_the_documented_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &options(1 << 20)).unwrap();
    let heads = journal.append(&[entry("StepStarted")]).unwrap();
    let zeros = "0".repeat(64);
    let expected = format!(
        "{{\"seq\":1,\"timestamp\":\"2027-01-15T08:00:00Z\",\"incident\":\"INC-1\",\"operator\":\"ana\",\
         \"action\":\"StepStarted\",\"source\":\"console\",\"destination\":\"db-öst\",\"status\":\"ok\",\
         \"detail\":{{\"lag_s\":0.25,\"why\":\"said \\\"go\\\"\"}},\"prev\":\"{zeros}\",\"checksum\":\"{}\"}}\n",
        heads[0].checksum
    );
    assert_eq!(String::from_utf8(lines(folder.path(), 1).concat()).unwrap(), expected);
}

#[test]
fn what_could_not_be_read_back_is_refused_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &options(1 << 30)).unwrap();
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let deep = Entry { detail: deep, ..entry("deep") };
    let long = Entry { operator: "x".repeat(MAX_LINE_BYTES), ..entry("long") };
    for refused in [deep, long] {
        let error = journal.append(&[entry("before"), refused.clone()]).unwrap_err().to_string();
        assert!(error.contains(&format!("`{}` cannot be written", refused.action)), "{error}");
    }
    journal.append(&[entry("after")]).unwrap();
    let actions: Vec<String> = read(folder.path()).unwrap().map(|record| record.unwrap().action).collect();
    assert_eq!(actions, ["after"], "nothing of a refused batch is written, and the journal goes on");
}
