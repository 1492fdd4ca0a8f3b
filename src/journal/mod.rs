//! The journal: an append-only, hash-chained file of durable facts.
//!
//! A journal is a folder of segments (`000001.jsonl`, ...), JSON Lines, one record a line. Each record seals its
//! own bytes with a SHA-256 checksum and names the checksum of the record before it. [`Journal`] is the one
//! writer; [`read`], [`verify`] and [`export`] need no lock and work on a live journal or on a copy of one.
//! `docs/journal.md` has the format, what it protects against, and what it cannot show.

mod chain;
mod error;
pub mod export;

mod line;
mod lock;
mod noted;
mod open;
mod protection;
mod reader;
mod record;
mod segment;
pub mod spoken;
mod verify;
mod writer;

pub use chain::TORN_TAIL;
pub use error::{Bad, JournalError};
pub use line::{CHECKSUM_LENGTH, MAX_LINE_BYTES};
pub use lock::{Lock, holder, is_held};
pub use noted::Noted;
pub use open::{EndedAgain, Recovery, TornTail};
pub use protection::{AppendOnly, Protection};
pub use reader::{Reader, read};
pub use record::{Entry, Head, Record};
pub use verify::{Verification, verify, verify_against};
pub use writer::{Journal, Options};
