//! What is behind a signal: read when somebody asks, told to who asked, and kept nowhere.

use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a look may take in all.
pub const WITHIN: Duration = Duration::from_secs(10);

/// What one look found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Whose signal it is.
    pub probe: ProbeId,
    /// When the look began.
    pub at: Timestamp,
    pub sections: Vec<Section>,
}

/// A part of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Section {
    pub title: String,
    pub lines: Vec<String>,
    /// Why it could not be read.
    pub unread: Option<Problem>,
}

impl Section {
    /// One that was read.
    pub fn read(title: impl Into<String>, lines: Vec<String>) -> Self {
        Self { title: title.into(), lines, unread: None }
    }

    /// One that could not be.
    pub fn unread(title: impl Into<String>, problem: Problem) -> Self {
        Self { title: title.into(), lines: Vec::new(), unread: Some(problem) }
    }
}
