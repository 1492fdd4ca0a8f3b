//! The derived severity: the first of the plan's rules that holds.

use crate::core::model::Model;
use crate::core::names::View;
use crate::plan::condition::Truth;
use crate::plan::{Severity, SeverityRule};
use jiff::Timestamp;

/// What the rules come to.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// The first rule that holds; none holds when the system is healthy, as far as can be seen.
    pub holds: Option<(Severity, String)>,
    /// A worse rule that cannot be told, and why.
    pub possible: Option<(Severity, String)>,
}

/// Evaluates the rules, worst first.
pub fn assess(model: &Model, now: Timestamp) -> Assessment {
    let view = View { model, now };
    let mut possible = None;
    for SeverityRule { level, when, why } in &model.plan.severity {
        match when.evaluate(&view) {
            Truth::True => return Assessment { holds: Some((*level, why.clone())), possible },
            Truth::Unknown(because) if possible.is_none() => possible = Some((*level, because)),
            Truth::Unknown(_) | Truth::False => {}
        }
    }
    Assessment { holds: None, possible }
}
