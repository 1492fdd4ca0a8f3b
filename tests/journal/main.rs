//! The journal as its users meet it: what is written is read back, what is changed is found, what breaks is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod cli;
mod crash;
mod ends;
mod faults;
mod files;
mod forged;
mod live;
mod recipe;
mod roundtrip;
mod tamper;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lifeboat::journal::{Entry, Journal, Options};
use serde_json::json;

/// An entry that says `action`.
fn entry(action: &str) -> Entry {
    Entry {
        timestamp: Timestamp::from_second(1_800_000_000).unwrap(),
        incident: Some("INC-1".to_owned()),
        operator: "ana".to_owned(),
        action: action.to_owned(),
        source: "console".to_owned(),
        destination: "db-öst".to_owned(),
        status: "ok".to_owned(),
        detail: json!({ "lag_s": 0.25, "why": "said \"go\"" }),
    }
}

/// Options for tests: segments that can be deleted, begun anew after `segment_bytes`.
fn options(segment_bytes: u64) -> Options {
    Options { append_only: false, segment_bytes, ..Options::default() }
}

/// A new journal in `dir` with one record for each action, and about two records a segment.
fn journal_of(dir: &Path, actions: &[&str]) -> Journal {
    let (mut journal, _) = Journal::open(dir, &options(800)).unwrap();
    for action in actions {
        journal.append(&[entry(action)]).unwrap();
    }
    journal
}

/// Path of segment `number` of the journal in `dir`.
fn segment(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.jsonl"))
}

/// The lines of segment `number`, with their newlines.
fn lines(dir: &Path, number: u32) -> Vec<Vec<u8>> {
    let bytes = fs::read(segment(dir, number)).unwrap();
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}
