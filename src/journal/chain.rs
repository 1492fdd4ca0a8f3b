//! The chain: what a line must be to follow the lines before it.

use serde::Serialize;
use serde_json::json;

use super::line::{Line, seal, sha256};
use super::record::{Entry, Head};

/// The action of the record that accounts for unfinished bytes which could not be cut off, because the file is
/// append-only and this user may not clear that flag. Only the journal itself writes it.
pub const TORN_TAIL: &str = "journal.torn-tail";

/// Unfinished bytes that stay at the end of a closed segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftBehind {
    pub(super) segment: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// How far the journal is known to be good.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) head: Head,
    /// Unfinished bytes for which the next record has to account.
    pub(super) unaccounted: Vec<LeftBehind>,
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { head: Head::genesis(), unaccounted: Vec::new() }
    }

    /// Checks that a complete line follows, and moves the head to it.
    pub(super) fn accept<'a>(&mut self, bytes: &'a [u8]) -> Result<Line<'a>, String> {
        check_seal(bytes)?;
        let line = Line::parse(bytes)?;
        let expected = self.head.seq + 1;
        if line.seq != expected {
            return Err(format!(
                "its seq is {} but {expected} comes next: records were removed, repeated or reordered",
                line.seq
            ));
        }
        if line.prev != self.head.checksum {
            return Err(format!(
                "its prev is {} but the record before it has {}: that record was replaced",
                line.prev, self.head.checksum
            ));
        }
        self.check_account(&line)?;
        self.unaccounted.clear();
        self.head.seq = line.seq;
        line.checksum.clone_into(&mut self.head.checksum);
        Ok(line)
    }

    /// A [`TORN_TAIL`] record stands exactly where unfinished bytes were left behind, and describes exactly those.
    fn check_account(&self, line: &Line<'_>) -> Result<(), String> {
        let is_account = line.action.trim_matches('"') == TORN_TAIL;
        match (self.unaccounted.is_empty(), is_account) {
            (true, false) => Ok(()),
            (true, true) => Err("it accounts for unfinished bytes that are not there".to_owned()),
            (false, false) => Err(self.unaccounted_reason()),
            (false, true) => {
                let detail: serde_json::Value =
                    serde_json::from_str(line.detail).map_err(|error| format!("it is not JSON: {error}"))?;
                if detail == self.account() { Ok(()) } else { Err(self.unaccounted_reason()) }
            }
        }
    }

    /// Says which unfinished bytes have no record that accounts for them.
    pub(super) fn unaccounted_reason(&self) -> String {
        let places: Vec<String> = self
            .unaccounted
            .iter()
            .map(|left| format!("{} bytes at the end of {}", left.bytes, left.segment))
            .collect();
        format!("no {TORN_TAIL} record accounts for the unfinished line before it ({})", places.join(", "))
    }

    fn account(&self) -> serde_json::Value {
        json!({ "torn": self.unaccounted })
    }

    /// The entry that accounts for all unfinished bytes left behind.
    pub(super) fn account_entry(&self, now: jiff::Timestamp) -> Entry {
        Entry {
            timestamp: now,
            incident: None,
            operator: "lifeboat".to_owned(),
            action: TORN_TAIL.to_owned(),
            source: "journal".to_owned(),
            destination: "journal".to_owned(),
            status: "left in place".to_owned(),
            detail: self.account(),
        }
    }
}

fn check_seal(bytes: &[u8]) -> Result<(), String> {
    let (sealed, claimed) = seal(bytes).ok_or("it does not end in a checksum field and a newline")?;
    let actual = sha256(sealed);
    if actual == claimed {
        return Ok(());
    }
    Err(format!(
        "its bytes were changed: it claims checksum {}, its bytes give {}",
        String::from_utf8_lossy(claimed),
        String::from_utf8_lossy(&actual)
    ))
}
