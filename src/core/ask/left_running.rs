//! A program of a step that outlived the engine which started it, and that is not known to have ended.

use crate::base::text::ended;
use crate::core::words::action::{Failure, STILL_RUNS};
use crate::core::words::incident::{Outcome, StepRun};
use crate::core::words::status::StepStatus;
use jiff::Timestamp;

/// A program of a step that was seen to run although its engine had ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LeftRunning<'m> {
    found: &'m Failure,
    at: Option<Timestamp>,
}

/// The program of a step that was still running at the last look; none where none was, or the step is proven since.
pub fn of(state: &StepRun) -> Option<LeftRunning<'_>> {
    if state.status == StepStatus::Verified {
        return None;
    }
    let tried = match &state.outcome {
        Some(Outcome::Failed(failure)) => Some((failure, state.ended_at)),
        _ => None,
    };
    let looked = state.doubt.as_ref().map(|doubt| (doubt, state.doubted_at));
    let mut found = looked.into_iter().chain(tried);
    let (found, at) = found.find(|(found, _)| found.why.contains(STILL_RUNS))?;
    Some(LeftRunning { found, at })
}

impl LeftRunning<'_> {
    /// `ITS PROGRAM WAS STILL RUNNING at 19:42:01Z: …`, and what to do about it.
    pub fn sentence(&self) -> String {
        format!(
            "ITS PROGRAM WAS STILL RUNNING {}: {} {}",
            self.when(),
            ended(&self.found.why),
            self.found.next
        )
    }

    /// `ITS PROGRAM, process 20233, MAY RUN STILL, seen at 19:42:01Z`.
    pub fn words(&self) -> String {
        let ids = self.found.why.split(STILL_RUNS).nth(1).unwrap_or_default().trim();
        format!("ITS PROGRAM, process {ids}, MAY RUN STILL, seen {}", self.when())
    }

    /// When that was looked at last.
    pub fn when(&self) -> String {
        self.at.map_or_else(
            || "when that was looked at".to_owned(),
            |at| at.strftime("at %H:%M:%SZ").to_string(),
        )
    }
}
