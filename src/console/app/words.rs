//! What the forms say.

use super::form::{Form, Purpose};
use crate::core::model::Model;
use crate::engine::scope;
use crate::ids::{RunId, StepId};
use crate::text::clean;

/// Longest line of a form that comes from elsewhere.
const LINE_CHARS: usize = 600;

/// The heading.
pub(super) fn title(form: &Form) -> String {
    match &form.purpose {
        Purpose::Declare => "Declare an incident".into(),
        Purpose::SetSeverity => "Set the severity".into(),
        Purpose::Answer { .. } => "Answer".into(),
        Purpose::Revisit => "Go back to a question".into(),
        Purpose::Retry(_, step) => format!("Try {step} again"),
        Purpose::Skip(_, step) => format!("Skip {step}"),
        Purpose::Override { step, .. } => format!("Go on against a guard of {step}"),
        Purpose::Attest(_, step) => format!("{step} was done by hand"),
        Purpose::Abort(_) => "Abort the run".into(),
        Purpose::Note => "Note".into(),
        Purpose::Close(id) => format!("Close {id}"),
        Purpose::Quit(_) => "Close this console".into(),
        Purpose::Gone { .. } => "The engine".into(),
    }
}

/// What the form acts upon, a paragraph each.
pub(super) fn about(form: &Form, model: Option<&Model>) -> Vec<String> {
    let step = |run: &RunId, step: &StepId| {
        let found = model.and_then(|model| model.step(run, step));
        let (title, status) = found.map_or_else(Default::default, |(plan, state)| {
            (plan.title.clone(), format!("Its status: {}.", state.status.as_str()))
        });
        format!("{title} ({step}, run {run}). {status}")
    };
    let lines = match &form.purpose {
        Purpose::Declare => vec!["Everything that follows is recorded under it.".into()],
        Purpose::SetSeverity => {
            vec!["It counts instead of the derived one until the incident is closed.".into()]
        }
        Purpose::Answer { ask, suggested, .. } => {
            let suggestion = match suggested {
                Some(answer) => format!("The evidence suggests {answer}. Another answer needs a reason."),
                None => "The evidence suggests no answer. Say why you answer so.".into(),
            };
            vec![ask.clone(), suggestion]
        }
        Purpose::Revisit => vec!["The answers so far stay in the journal.".into()],
        Purpose::Retry(run, id) => {
            vec![step(run, id), "Nobody knows whether it acted: look before it runs twice.".into()]
        }
        Purpose::Skip(run, id) => {
            vec![step(run, id), "The steps that need it go on as if it were done.".into()]
        }
        Purpose::Override { run, step: id, losses, .. } => {
            let mut lines = vec![step(run, id)];
            lines.extend(losses.iter().map(|loss| format!("Lost by it: {loss}.")));
            lines
        }
        Purpose::Attest(run, id) => {
            let mut lines = vec![step(run, id)];
            lines
                .extend(model.and_then(|model| check(model, run, id)).map(|check| format!("Check: {check}")));
            lines.push("Your word stands for its verification, under your name.".into());
            lines
        }
        Purpose::Abort(run) => {
            vec![format!(
                "Run {run}: nothing further starts. What is running is told to end and may stay unknown."
            )]
        }
        Purpose::Note => vec!["It goes into the journal and the timeline.".into()],
        Purpose::Close(_) => vec!["The tree and its runs end with it; the journal keeps them.".into()],
        Purpose::Quit(run) => vec![
            format!(
                "Run {run} is open. The engine goes on with what is running, and waits for people where the plan says so."
            ),
            "`lifeboat open` attaches again.".into(),
        ],
        Purpose::Gone { why, next } => vec![format!("{why}."), next.clone()],
    };
    lines.iter().map(|line| clean(line, LINE_CHARS)).collect()
}

/// How to see that a step that a person does worked.
fn check(model: &Model, run: &RunId, id: &StepId) -> Option<String> {
    let (step, _) = model.step(run, id).filter(|(step, _)| step.is_by_hand())?;
    let params = scope::render(model, run, step).ok()?;
    params.text("check").map(str::to_owned)
}

/// What the text is; none where there is none.
pub(super) fn label(form: &Form) -> Option<&'static str> {
    match form.purpose {
        Purpose::Declare => Some("Title"),
        Purpose::Note => Some("Note"),
        Purpose::Attest(..) => Some("What was done, and how it was checked"),
        Purpose::Close(_) => Some("How it ended"),
        Purpose::Quit(_) | Purpose::Gone { .. } | Purpose::Revisit => None,
        _ => Some("Reason"),
    }
}

/// The last question before it happens.
pub(super) fn sure(form: &Form) -> &'static str {
    match form.purpose {
        Purpose::Skip(..) => "Skip this step?",
        Purpose::Override { .. } => "Let it run against this guard?",
        Purpose::Attest(..) => "Is it done?",
        Purpose::Abort(_) => "Abort this run?",
        Purpose::Close(_) => "Close this incident?",
        _ => "Close this console?",
    }
}
