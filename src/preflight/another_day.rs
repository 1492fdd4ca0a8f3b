//! Runbooks that are for another day: what fails in them is right while the other region serves.

use super::step::TARGET;
use crate::base::ids::RunbookId;
use crate::core::words::preflight::{Check, Checked, StepChecks};
use crate::kinds::action::{ALREADY_PRIMARY, STANDBY_NOW};
use crate::kinds::survey::Conflict;
use crate::plan::{Plan, Runbook, Step};

/// What to do about what is right as soon as another region serves.
pub(super) const AFTER_A_FAILOVER: &str = "Nothing, while it serves. Run preflight again after a failover.";

/// A runbook that leads to the region that serves already is for another day: that its server is the primary is right
/// then, and no failing. Which server lives there is told by the probe that watches it.
pub(super) fn way_back(plan: &Plan, book: &Runbook, step: &Step, mut checks: Vec<Check>) -> Vec<Check> {
    let dsn = step.params.get("dsn").filter(|_| step.promotes());
    let mut watching = plan.probes.values().filter(|probe| dsn.is_some() && probe.params.get("dsn") == dsn);
    let leads_there = book.activates.is_some() && watching.any(|probe| probe.region == book.activates);
    for check in checks.iter_mut().filter(|check| leads_there && check.what == ALREADY_PRIMARY.0) {
        if let Checked::Fail(seen) = &check.result
            && seen == ALREADY_PRIMARY.1
        {
            check.result =
                Checked::Warn(format!("{seen}: its region serves, this runbook is the way back to it"));
            check.next = AFTER_A_FAILOVER.into();
        }
    }
    checks
}

/// Fences in a runbook that leads to where the primary is already: what they stop is the other side, which is a standby
/// now, or was stopped and is not back.
pub(super) fn fences_of_another_day(plan: &Plan, steps: &mut [StepChecks]) {
    let leads_there = |of: &StepChecks| {
        let says = |check: &Check| {
            let seen = check.result.seen();
            check.what == ALREADY_PRIMARY.0
                && matches!(check.result, Checked::Warn(_))
                && seen.starts_with(ALREADY_PRIMARY.1)
        };
        of.checks.iter().any(says)
    };
    let books: Vec<RunbookId> =
        steps.iter().filter(|of| leads_there(of)).map(|of| of.runbook.clone()).collect();
    let fences = |of: &&mut StepChecks| {
        let step = plan.runbooks.get(&of.runbook).and_then(|book| book.steps.get(&of.step));
        books.contains(&of.runbook) && step.is_some_and(Step::is_fence)
    };
    for check in steps.iter_mut().filter(fences).flat_map(|of| &mut of.checks) {
        let of_the_other_side = match &check.result {
            Checked::Warn(seen) => (check.what.as_str(), seen.as_str()) == STANDBY_NOW,
            Checked::Fail(_) => check.what == TARGET,
            Checked::Pass(_) | Checked::NotCheckable(_) => false,
        };
        if of_the_other_side {
            let seen = check.result.seen();
            check.result = Checked::Warn(format!("{seen}; this runbook fences it only once it serves"));
            check.next = "Nothing, while the other side serves. Run preflight again after a failover.".into();
        }
    }
}

/// What would be right of a runbook for another day is not, where its step is in a conflict.
pub(super) fn never_right(conflict: &Conflict, mut checks: Vec<Check>) -> Vec<Check> {
    for check in &mut checks {
        let seen = check.result.seen();
        let is_primary = (check.what.as_str(), seen) == ALREADY_PRIMARY;
        if is_primary || check.next == AFTER_A_FAILOVER {
            check.result = Checked::Fail(format!("{seen}; {}", conflict.what));
            check.next.clone_from(&conflict.next);
        }
    }
    checks
}
