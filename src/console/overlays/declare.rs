//! Declaring: what is offered, what it does to the world, and whom it tells.

use super::form::{Form, Stage, choices};
use crate::core::ask::{drill, escalation_status};
use crate::core::model::Model;
use crate::core::words::incident::Mode;
use crate::plan::Step;
use jiff::Timestamp;

/// An exercise that acts: it asks once more, and says on what it acts.
pub(in crate::console) const ACTING_DRILL: &str = "drill";

/// What can be declared now; in an open drill only that it is live from here on.
pub(in crate::console) fn form(model: &Model, title: &str) -> Form {
    let safe = format!("drill, safe steps only: {}", safe_steps(model));
    let offered = match (drill::open(model).is_some(), model.live.simulation.is_some()) {
        (true, _) => vec![("live", "live: no exercise any more, the open drill becomes this incident")],
        (false, true) => vec![
            ("live", "live: as in earnest, in this simulated world"),
            ("simulated-drill", "drill: SIMULATED as well, nothing real is touched"),
        ],
        (false, false) => vec![
            ("live", "live: real, everything acts"),
            (ACTING_DRILL, "drill that ACTS FOR REAL: only messages and reports differ"),
            ("safe-drill", &*safe),
        ],
    };
    Form::declare(choices(offered), title)
}

/// The kind of incident that is chosen.
pub(in crate::console) fn mode(form: &Form) -> Mode {
    match form.choice() {
        Some(ACTING_DRILL | "simulated-drill") => Mode::Drill,
        Some("safe-drill") => Mode::SafeDrill,
        _ => Mode::Live,
    }
}

/// What follows from what is chosen.
pub(in crate::console) fn about(form: &Form, model: Option<&Model>, now: Timestamp) -> Vec<String> {
    let mut lines = vec!["Everything that follows is recorded under it.".to_owned()];
    let Some(model) = model else { return lines };
    let mode = mode(form);
    lines.push(escalation_status::declaring(model, mode, now));
    if form.proposed && form.stage == Stage::Write {
        lines.push("The title is a proposal: Enter takes it, what is typed takes its place.".into());
    }
    match form.choice() {
        Some(ACTING_DRILL) => lines.push(format!(
            "ITS STEPS ACT FOR REAL on {} ({}). `lifeboat rehearse` tries the plan without touching anything.",
            model.plan.name,
            model.plan.regions.values().map(|region| region.name.as_str()).collect::<Vec<_>>().join(", ")
        )),
        Some("safe-drill") => {
            lines.push("Steps that change something and are not marked safe in the plan are refused.".into());
        }
        _ => {}
    }
    lines
}

/// `2 of 7 steps that change something are marked safe`.
fn safe_steps(model: &Model) -> String {
    let steps = || model.plan.runbooks.values().flat_map(|runbook| runbook.steps.values());
    let changing = || steps().filter(|step| step.changes);
    let safe = changing().filter(|step: &&Step| step.safe_to_drill).count();
    format!("{safe} of {} steps are marked so", changing().count())
}
