//! What was decided, where the run stands, and what is next.

use super::{clock_time, listed, short};
use crate::base::ids::{RunbookId, StepId};
use crate::base::units;
use crate::core::ask::tree::suggest;
use crate::core::ask::{contradiction, lifecycle};
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Outcome, Position, Run, RunEnd, StepRun};
use crate::core::words::status::StepStatus;
use jiff::Timestamp;

/// How many decisions are told, the latest.
const DECISIONS: usize = 2;

/// What people decided, with their reasons: answers, severities, guards that they let pass.
pub(super) fn decided(model: &Model) -> String {
    let Some(incident) = &model.durable.incident else { return String::new() };
    let answers = incident.answers.iter().rev().take(DECISIONS).rev().map(|given| {
        let ask = model.plan.tree.questions.get(&given.question).map_or(given.question.as_str(), |q| &q.ask);
        let why = match &given.reason {
            Some(reason) => format!("because {}", short(reason)),
            None => "as suggested".into(),
        };
        format!("\"{}\" to \"{}\" by {}, {why}", given.answer, short(ask), given.by)
    });
    let severity = incident.severity_override.as_ref();
    let severity = severity
        .map(|(severity, why)| format!("severity set to {} because {}", severity.as_str(), short(why)));
    let steps = incident.runs.last().into_iter().flat_map(|run| &run.steps);
    let overrides = steps.flat_map(|(id, state)| {
        state
            .overrides
            .iter()
            .map(move |(_, why)| format!("a guard of {id} OVERRIDDEN because {}", short(why)))
    });
    answers.chain(severity).chain(overrides.take(DECISIONS)).collect::<Vec<_>>().join("; ")
}

/// How far the last run is.
pub(super) fn run(model: &Model, now: Timestamp) -> String {
    let Some(run) = model.durable.incident.as_ref().and_then(|incident| incident.runs.last()) else {
        return String::new();
    };
    let settled = run.steps.values().filter(|step| step.status.is_settled()).count();
    let mut parts =
        vec![format!("{settled} of {} steps of \"{}\" settled", run.steps.len(), book(model, &run.runbook))];
    let of = |status: StepStatus, word: &str| {
        let steps = run.steps.iter().filter(|(_, step)| step.status == status);
        listed(steps.map(|(id, step)| told(model, run, id, step)).collect())
            .map(|steps| format!("{word} {steps}"))
    };
    parts.extend(of(StepStatus::Failed, "FAILED"));
    parts.extend(of(StepStatus::Unknown, "UNKNOWN"));
    parts.extend(of(StepStatus::Started, "running"));
    parts.extend(match &run.ended {
        Some((at, RunEnd::Completed)) => Some(format!("completed {}", clock_time(*at, now))),
        Some((at, RunEnd::Aborted(why))) => Some(format!("ABORTED {}: {}", clock_time(*at, now), short(why))),
        None => None,
    });
    parts.join("; ")
}

/// A step with why it is where it is.
fn told(model: &Model, run: &Run, id: &StepId, step: &StepRun) -> String {
    let failure = match &step.outcome {
        Some(Outcome::Failed(failure)) => Some(failure),
        _ => step.doubt.as_ref(),
    };
    let why = failure.map_or_else(String::new, |failure| format!(" ({})", short(&failure.why)));
    format!("{}{why}", title(model, &run.runbook, id))
}

/// What a person has to do now.
pub(super) fn next(model: &Model, now: Timestamp) -> String {
    if model.durable.proposal.is_some() {
        return "declare it, or dismiss it with a reason".into();
    }
    let Some(incident) = &model.durable.incident else {
        let bad = model.durable.severity.is_some();
        return if bad { "declare an incident".into() } else { String::new() };
    };
    let open = contradiction::of(model).iter().filter(|open| open.answered.is_none());
    if let Some(open) = open.map(|open| &open.contradiction).find(|open| open.is_grave()) {
        return format!("{}: {}", short(&open.what), open.next);
    }
    if incident.resolved.is_some() {
        return watch(model, incident, now);
    }
    if let Some(run) = incident.open_run() {
        return step(model, run);
    }
    match &incident.position {
        Position::Question(id) => question(model, id, now),
        Position::Leaf(id) => match model.plan.tree.leaves.get(id) {
            Some(leaf) => {
                format!("{}: {} Resolve it when all is well", short(&leaf.title), short(&leaf.advice))
            }
            None => "resolve it when all is well".into(),
        },
        Position::Runbook(_) => match incident.runs.last().and_then(|run| run.ended.as_ref()) {
            Some((_, RunEnd::Aborted(_))) => "go back to a question of the tree, or resolve it".into(),
            _ => "see that all is well, then resolve it".into(),
        },
    }
}

fn watch(model: &Model, incident: &Incident, now: Timestamp) -> String {
    match lifecycle::watch_left(&model.plan, incident, now) {
        Some(left) => format!(
            "watch it for {} more, then close it; reopen it when it comes back",
            units::duration(left)
        ),
        None => "it was watched long enough: close it".into(),
    }
}

fn question(model: &Model, id: &crate::base::ids::QuestionId, now: Timestamp) -> String {
    let Some(question) = model.plan.tree.questions.get(id) else {
        return format!("the plan has no question {id} any more: look at the tree");
    };
    let suggested = match suggest(model, question, now) {
        crate::core::ask::tree::Suggestion::Answer { answer, .. } => format!("suggested is \"{answer}\""),
        crate::core::ask::tree::Suggestion::Withheld(why) => format!("nothing is suggested: {}", short(&why)),
    };
    format!("answer \"{}\"; {suggested}", short(&question.ask))
}

/// The step of the open run that needs a person first.
fn step(model: &Model, run: &Run) -> String {
    let of = |wanted: &[StepStatus]| run.steps.iter().find(|(_, step)| wanted.contains(&step.status));
    let name = |id: &StepId| title(model, &run.runbook, id);
    if let Some((id, step)) = of(&[StepStatus::Failed, StepStatus::Unknown]) {
        let word = match (step.status, &step.outcome) {
            (StepStatus::Failed, _) => "failed",
            (_, Some(Outcome::Done(_))) => "ran to its end and is NOT PROVEN",
            _ => "may or may not have acted",
        };
        return format!("{} {word}: try it again, do it by hand, or leave it out", name(id));
    }
    if let Some((id, step)) = run.steps.iter().find(|(_, step)| blocked(step)) {
        let what = match &step.obstacle {
            Some((failure, _)) => format!("cannot be prepared: {}", short(&failure.why)),
            None => "waits for a guard".into(),
        };
        return format!("{} {what}", name(id));
    }
    if let Some((id, _)) = of(&[StepStatus::Confirming]) {
        return format!("read and confirm {}", name(id));
    }
    let by_hand = |id: &StepId| {
        let book = model.plan.runbooks.get(&run.runbook);
        book.and_then(|book| book.steps.get(id)).is_some_and(|step| step.is_by_hand())
    };
    if let Some((id, _)) = of(&[StepStatus::Ready]) {
        let how = if by_hand(id) { "do by hand and attest" } else { "prepare and confirm" };
        return format!("{how} {}", name(id));
    }
    match of(&[StepStatus::Started, StepStatus::Finished]) {
        Some((id, _)) => format!("wait for {}", name(id)),
        None => "wait: no step needs a person now".into(),
    }
}

/// It needs a person before it can even be confirmed.
fn blocked(step: &StepRun) -> bool {
    let guarded = step.status == StepStatus::Confirming
        && step.confirmation.as_ref().is_some_and(|bundle| bundle.blocking_guard().is_some());
    guarded || (step.status == StepStatus::Ready && step.obstacle.is_some())
}

fn title(model: &Model, runbook: &RunbookId, id: &StepId) -> String {
    let step = model.plan.runbooks.get(runbook).and_then(|book| book.steps.get(id));
    step.map_or_else(|| format!("\"{id}\""), |step| format!("\"{}\"", short(&step.title)))
}

fn book<'a>(model: &'a Model, id: &'a RunbookId) -> &'a str {
    model.plan.runbooks.get(id).map_or(id.as_str(), |book| &book.title)
}
