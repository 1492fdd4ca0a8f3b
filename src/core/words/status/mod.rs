//! The one transition table of a step.

pub mod table;

use serde::{Deserialize, Serialize};

/// Where a step is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// Waits for the steps that it needs.
    Pending,
    /// Can be prepared.
    Ready,
    /// Its confirmation is open.
    Confirming,
    /// Runs; its start is durable.
    Started,
    /// Ran to its end, not yet proven.
    Finished,
    /// Certainly did nothing.
    Failed,
    /// May or may not have acted, or acted and could not be proven.
    Unknown,
    /// Proven by reading the world back.
    Verified,
    /// Left out by a person, with a reason.
    Skipped,
    /// Done by hand, on a person's word.
    Attested,
}

/// What moves a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Move {
    /// The steps that it needs are settled.
    Unblock,
    /// Its confirmation was made.
    Prepare,
    /// Its confirmation expired, was declined or was overtaken by the world.
    Void,
    /// Its execution begins.
    Start,
    /// Its execution ended well.
    Finish,
    /// Its execution failed and certainly changed nothing.
    Fail,
    /// Nobody knows whether it acted: the engine ended, the answer never came, or it ran and could not be proven.
    Lose,
    /// The world shows its effect.
    Verify,
    /// A person wants it tried again; a proven one only where the world denies it.
    Retry,
    /// A person leaves it out.
    Skip,
    /// A person did it by hand.
    Attest,
}

/// A move that the table does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a step that is {} cannot {}", from.as_str(), by.as_str())]
pub struct IllegalMove {
    pub from: StepStatus,
    /// What was tried.
    pub by: Move,
}

impl StepStatus {
    /// All of them, in the order in which a step meets them.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Ready,
        Self::Confirming,
        Self::Started,
        Self::Finished,
        Self::Failed,
        Self::Unknown,
        Self::Verified,
        Self::Skipped,
        Self::Attested,
    ];

    /// Where a move leads, or that there is no such move.
    pub fn after(self, by: Move) -> Result<Self, IllegalMove> {
        use Move as M;
        use StepStatus::*;
        match (self, by) {
            (Pending, M::Unblock) => Ok(Ready),
            (Ready, M::Prepare) => Ok(Confirming),
            (Confirming, M::Void) => Ok(Ready),
            (Confirming, M::Start) => Ok(Started),
            (Started, M::Finish) => Ok(Finished),
            (Started, M::Fail) => Ok(Failed),
            (Started | Finished, M::Lose) => Ok(Unknown),
            (Finished | Unknown, M::Verify) => Ok(Verified),
            (Failed | Unknown | Verified | Skipped | Attested, M::Retry) => Ok(Ready),
            (Pending | Ready | Confirming | Failed | Unknown, M::Skip) => Ok(Skipped),
            (Ready | Confirming | Failed | Unknown, M::Attest) => Ok(Attested),
            (from, by) => Err(IllegalMove { from, by }),
        }
    }

    /// It was begun, or a person says that it is done: the world may show its effect.
    pub fn may_have_acted(self) -> bool {
        match self {
            Self::Started | Self::Finished | Self::Unknown | Self::Verified | Self::Attested => true,
            Self::Pending | Self::Ready | Self::Confirming | Self::Failed | Self::Skipped => false,
        }
    }

    /// Nothing more happens to it, unless a person wants it done again.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Verified | Self::Skipped | Self::Attested)
    }

    /// The world showed its effect, or a person says that they did it.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Verified | Self::Attested)
    }

    /// As it is written on screens and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Confirming => "confirming",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Verified => "verified",
            Self::Skipped => "skipped",
            Self::Attested => "attested",
        }
    }
}

impl Move {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unblock,
        Self::Prepare,
        Self::Void,
        Self::Start,
        Self::Finish,
        Self::Fail,
        Self::Lose,
        Self::Verify,
        Self::Retry,
        Self::Skip,
        Self::Attest,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Unblock => "become ready",
            Self::Prepare => "be prepared",
            Self::Void => "be withdrawn",
            Self::Start => "be started",
            Self::Finish => "finish",
            Self::Fail => "fail",
            Self::Lose => "be lost",
            Self::Verify => "be verified",
            Self::Retry => "be tried again",
            Self::Skip => "be skipped",
            Self::Attest => "be attested",
        }
    }
}
