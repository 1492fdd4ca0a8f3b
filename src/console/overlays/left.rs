//! What dialogs say of what stays behind in the world.

use super::form::{Form, Purpose, choices};
use crate::base::ids::{ProbeId, RunId, StepId};
use crate::base::text::ended;
use crate::core::ask::attested::{self, Why, WouldServe};
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::ask::in_force::{self, InForce, Known};
use crate::core::ask::left_running;
use crate::core::ask::other_side::{self, Does};
use crate::core::model::Model;
use crate::core::words::incident::{Mode, Run};
use crate::core::words::status::StepStatus;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;

/// What is said of one thing that is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undo {
    /// The run of the step.
    pub run: RunId,
    pub step: StepId,
    /// It stays on purpose; where that makes no difference the words of whoever says it tell.
    pub stays: bool,
}

/// How many things are told in full.
const TOLD: usize = 3;

/// Takes one thing off the list; none where nothing is on it.
pub(in crate::console) fn form(model: &Model) -> Option<Form> {
    let left = in_force::pending(model);
    if left.is_empty() {
        return None;
    }
    let mut labels = Vec::new();
    let mut what = Vec::new();
    for left in &left {
        let undo = |stays| Undo { run: left.run.clone(), step: left.step.clone(), stays };
        if matters_if_it_stays(model, left) {
            labels.push(format!("taken back: {}", left.words()));
            labels.push(format!("stays: {}", left.words()));
            what.extend([undo(false), undo(true)]);
        } else {
            labels.push(left.words());
            what.push(undo(false));
        }
    }
    let choices = choices(labels.iter().map(|label| (label.as_str(), label.as_str())));
    Some(Form::choosing(Purpose::Undone(what), choices))
}

/// Where services serve from, or what else is in force, depends on whether it is taken back.
fn matters_if_it_stays(model: &Model, left: &InForce) -> bool {
    let step = model.plan.runbooks.get(&left.runbook).and_then(|runbook| runbook.steps.get(&left.step));
    step.is_some_and(|step| {
        !step.serves.is_empty() || !step.undoes.is_empty() || !step.unfences.is_empty() || step.switches
    })
}

/// What the form that takes something off the list says of it.
pub(in crate::console) fn undone(form: &Form, model: Option<&Model>) -> Vec<String> {
    let Purpose::Undone(what) = &form.purpose else { return Vec::new() };
    let chosen = what.get(form.chosen);
    let list = model.map_or_else(Vec::new, in_force::pending);
    let found = list
        .iter()
        .find(|left| chosen.is_some_and(|chosen| chosen.run == left.run && chosen.step == left.step));
    let mut lines: Vec<String> = found.map(InForce::sentence).into_iter().collect();
    let holds = |probe: &ProbeId| {
        let model = model.filter(|model| in_force::is_read_only_primary(model, probe))?;
        Some(model.plan.probes.get(probe)?.title.clone())
    };
    let read_only: Vec<String> = found.iter().flat_map(|left| &left.fences).filter_map(holds).collect();
    if !read_only.is_empty() {
        lines.push(format!(
            "THE LAST READING SAYS THAT IT HOLDS: {} is a primary and read-only. Recorded now, it stays on the list as \
             long as that is read.",
            read_only.join(" and ")
        ));
    }
    let strikes = if read_only.is_empty() { " Your word takes it off the list." } else { "" };
    lines.push(format!(
        "lifeboat does nothing now: you say that it was taken back by hand, or that it stays on purpose.{strikes}"
    ));
    lines
}

/// What an abort leaves behind.
pub(in crate::console) fn by_aborting(model: &Model, run: &RunId) -> Vec<String> {
    let mut lines = listed(in_force::of_run(model, run), " after it");
    lines.extend(model.run(run).into_iter().flat_map(|run| words_left(model, run)));
    let left = |(id, state): (&StepId, &crate::core::words::incident::StepRun)| {
        let left = left_running::of(state)?;
        Some(format!("{}: {} THE ABORT DOES NOT END IT.", model.step_title(run, id), left.sentence()))
    };
    let programs: Vec<String> =
        model.run(run).into_iter().flat_map(|run| run.steps.iter().filter_map(left)).collect();
    let by_hand = model.run(run).and_then(|run| told_by_people(model, run, &lines));
    lines.extend(by_hand);
    if lines.is_empty() && programs.is_empty() {
        lines.push("No step of it has changed anything.".into());
    }
    let irreversible = |(id, state): (&StepId, &crate::core::words::incident::StepRun)| {
        let step = model.step(run, id).map(|(step, _)| step).filter(|step| step.irreversible)?;
        (state.status == StepStatus::Started).then(|| step.title.clone())
    };
    let running = model.run(run).into_iter().flat_map(|run| run.steps.iter().filter_map(irreversible));
    lines.extend(running.map(|title| format!("{title} RUNS NOW AND CANNOT BE UNDONE: it may be done half.")));
    programs.into_iter().chain(lines).collect()
}

/// That a program of the step was still running when that was looked at.
pub(in crate::console) fn running(model: &Model, run: &RunId, id: &StepId) -> Vec<String> {
    let found = model.step(run, id).and_then(|(_, state)| left_running::of(state));
    found.map(|left| left.sentence()).into_iter().collect()
}

/// Whether what is said of the open incident was done for real.
fn is_real(model: &Model) -> bool {
    model.durable.incident.as_ref().is_some_and(|incident| incident.mode != Mode::SafeDrill)
}

/// What a run did that makes something serve, and that moves nothing after an abort.
fn words_left(model: &Model, run: &Run) -> Vec<String> {
    let line = |WouldServe { title, region, why, .. }: WouldServe<'_>| {
        let said = match why {
            Why::Word => {
                return Some(format!(
                    "MAY BE IN FORCE after it: \"{title}\" is on a person's word and NOT PROVEN. No proof of it \
                     counts after the abort: record then which region serves."
                ));
            }
            Why::Said => "was attested",
            Why::Shown | Why::Overlaps => "is verified",
            Why::Doubt | Why::StillRuns => "may have acted",
            Why::Unsaid => {
                let begun = "What its run did may let another region serve, and the plan does not say by which step \
                             (`switches`): record then which one serves.";
                return Some(begun.to_owned());
            }
            Why::LeftOut
            | Why::Exercise
            | Why::Drilled
            | Why::UndoStillRuns
            | Why::Gone
            | Why::NoRegion
            | Why::TakenBack
            | Why::BeingTakenBack
            | Why::MayBeTakenBack
            | Why::Reopened
            | Why::OtherPlan => return None,
        };
        region?;
        Some(format!(
            "\"{title}\" {said}. After the abort its run moves no region: record then which one serves."
        ))
    };
    let left = attested::of_run(model, run).into_iter().filter(|_| is_real(model));
    left.filter_map(line).collect()
}

/// What else people say that they did by hand: nobody knows what of it has to be taken back.
fn told_by_people(model: &Model, run: &Run, told: &[String]) -> Option<String> {
    let runbook = model.plan.runbooks.get(&run.runbook).filter(|_| is_real(model))?;
    let is_said = |step: &&Step| {
        let state = run.steps.get(&step.id);
        step.is_by_hand()
            && state.is_some_and(|state| state.status == StepStatus::Attested && !state.exercise)
    };
    let titles = runbook.steps.values().filter(is_said).map(|step| format!("\"{}\"", step.title));
    let titles: Vec<String> =
        titles.filter(|title| !told.iter().any(|line| line.contains(title.as_str()))).collect();
    (!titles.is_empty())
        .then(|| format!("Done by hand, and not taken back by the abort: {}.", titles.join(", ")))
}

/// What the end of the incident leaves behind.
pub(in crate::console) fn by_closing(model: &Model) -> Vec<String> {
    let mut lines = listed(in_force::pending(model), "");
    if !lines.is_empty() {
        lines.push("It stays on the overview until it is undone, or recorded as such.".into());
    }
    lines.extend(attested::left(model).iter().map(|left| left.sentence(model, attested::RECORD)));
    diverged(model).into_iter().chain(lines).collect()
}

/// The data that went apart and that nobody has answered for.
pub(in crate::console) fn diverged(model: &Model) -> Vec<String> {
    divergence::open(model).into_iter().map(|split| format!("{DIVERGED}: {}", split.sentence())).collect()
}

/// The same, where a step may throw away what one of the servers holds.
pub(in crate::console) fn thrown_away(model: &Model, run: &RunId, id: &StepId) -> Vec<String> {
    let step = model.step(run, id).map(|(step, _)| step);
    if step.is_some_and(divergence::may_throw_away) { diverged(model) } else { Vec::new() }
}

fn listed(mut left: Vec<InForce>, when: &str) -> Vec<String> {
    left.sort_by_key(InForce::order);
    let line = |left: &InForce| match left.how {
        Known::Denied => format!("{}: {}", left.heading(), left.sentence()),
        _ => format!("{}{when}: {}", left.heading(), left.sentence()),
    };
    let mut lines: Vec<String> = left.iter().take(TOLD).map(line).collect();
    if left.len() > TOLD {
        lines.push(format!("And {} more, see the brief.", left.len() - TOLD));
    }
    lines
}

/// What follows from leaving a step out.
pub(in crate::console) fn by_skipping(
    model: &Model,
    run: &RunId,
    id: &StepId,
    now: Timestamp,
) -> Vec<String> {
    let runbook = model.run(run).and_then(|run| model.plan.runbooks.get(&run.runbook));
    let Some((runbook, (step, state))) = runbook.zip(model.step(run, id)) else { return Vec::new() };
    let waiting = after(runbook, step);
    // What is left out may be the look at both sides that comes before one of them is thrown away.
    let throws = std::iter::once(step).chain(waiting.iter().copied()).any(divergence::may_throw_away);
    let mut lines = running(model, run, id);
    lines.extend(left_running::of(state).map(|_| "Left out, it goes on beside what comes next.".to_owned()));
    lines.extend(if throws { diverged(model) } else { Vec::new() });
    if step.is_fence() {
        lines.extend(without_fence(model, runbook, step, &waiting, now));
    }
    let titles: Vec<&str> = waiting.iter().map(|step| step.title.as_str()).collect();
    lines.push(match titles.as_slice() {
        [] => "No step waits for it.".to_owned(),
        titles => format!("These go on as if it were done: {}.", titles.join(", ")),
    });
    if state.may_have_acted {
        lines.push("It MAY HAVE ACTED: it stays listed as in force.".into());
    }
    lines
}

/// The steps that need it, directly or through others.
fn after<'p>(runbook: &'p Runbook, step: &Step) -> Vec<&'p Step> {
    let mut found: Vec<&Step> = Vec::new();
    for other in runbook.steps.values() {
        let waits =
            other.needs.iter().any(|need| *need == step.id || found.iter().any(|known| known.id == *need));
        if waits {
            found.push(other);
        }
    }
    found
}

/// A fence that is left out before a promotion.
fn without_fence(
    model: &Model,
    runbook: &Runbook,
    step: &Step,
    waiting: &[&Step],
    now: Timestamp,
) -> Vec<String> {
    let others = other_side::of(model, runbook, step, now);
    let mut lines: Vec<String> = others.iter().map(|server| ended(&server.words())).collect();
    let writes = others.iter().any(|server| matches!(server.does, Does::Writes | Does::Untold));
    if let Some(promotion) = waiting.iter().find(|step| step.irreversible) {
        let made =
            if writes { "THEN MAKES TWO PRIMARIES" } else { "then makes two primaries if it takes writes" };
        lines.push(format!(
            "Nothing fences it then: \"{}\" {made}, and what one of them wrote is lost.",
            promotion.title
        ));
    }
    lines
}
