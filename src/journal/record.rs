//! What a record says, before and after the journal sealed it, and the head that names the last one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::line::{CHECKSUM_LENGTH, is_checksum};

/// What a record says before the journal numbers, chains and seals it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it happened.
    pub timestamp: Timestamp,
    /// The incident it belongs to, if any.
    pub incident: Option<String>,
    /// Who caused it.
    pub operator: String,
    /// What happened: the name of the fact.
    pub action: String,
    /// Where it came from.
    pub source: String,
    /// What it was done to.
    pub destination: String,
    /// How it ended.
    pub status: String,
    /// Everything else, as JSON, nested up to 127 levels deep.
    pub detail: serde_json::Value,
}

/// One line of the journal as read back; the fields are in the order in which they are on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the journal, from 1, without gaps.
    pub seq: u64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The incident it belongs to, if any.
    pub incident: Option<String>,
    /// Who caused it.
    pub operator: String,
    /// What happened: the name of the fact.
    pub action: String,
    /// Where it came from.
    pub source: String,
    /// What it was done to.
    pub destination: String,
    /// How it ended.
    pub status: String,
    /// Everything else, as JSON.
    pub detail: serde_json::Value,
    /// Checksum of the record before this one; 64 zeros for the first.
    pub prev: String,
    /// SHA-256, lower-case hexadecimal, of the bytes of the line before its checksum field.
    pub checksum: String,
}

impl Record {
    /// The head of a journal that ends with this record.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, checksum: self.checksum.clone() }
    }
}

/// The last record of a journal: what a witness keeps, to show later that no record before it was cut or rewritten.
/// Written as `SEQ:CHECKSUM`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Sequence number of the last record; 0 for an empty journal.
    pub seq: u64,
    /// Checksum of the last record; 64 zeros for an empty journal.
    pub checksum: String,
}

impl Head {
    /// The head of an empty journal, to which the first record chains.
    pub fn genesis() -> Self {
        Self { seq: 0, checksum: "0".repeat(CHECKSUM_LENGTH) }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.checksum)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("`{text}` is not a head: write SEQ:CHECKSUM, as `lifeboat journal verify` prints it");
        let (seq, checksum) = text.split_once(':').ok_or_else(expected)?;
        let seq = seq.parse().map_err(|_| expected())?;
        if !is_checksum(checksum.as_bytes()) {
            return Err(expected());
        }
        Ok(Self { seq, checksum: checksum.to_owned() })
    }
}
