//! What happened and what was done: timeline, decisions, steps, overrides.

use super::markdown::{items, table, text, time};
use super::story::Story;
use crate::base::ids::{RunId, StepId};
use crate::base::text::ended;
use crate::base::units;
use crate::core::prose::describe::describe;
use crate::core::words::confirmation::{Evidence, LossEstimate};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{GivenAnswer, Outcome, Run, RunEnd, StepRun};

/// Each event; beginnings of attempts to send are left out, their ends are there.
pub(super) fn timeline(story: &Story) -> Vec<String> {
    let shown = story.events.iter().filter(|event| !matches!(event.fact, Fact::NotificationStarted { .. }));
    let row = |event: &Event| {
        let record = event.record.as_ref().map_or_else(String::new, |record| record.seq.to_string());
        vec![time(event.at), text(&event.by.to_string()), text(&describe(&event.fact, &story.plan)), record]
    };
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    table(&["UTC", "who", "what", "record"], &rows)
}

pub(super) fn decisions(story: &Story) -> Vec<String> {
    story.incident.answers.iter().flat_map(|given| decision(story, given)).collect()
}

fn decision(story: &Story, given: &GivenAnswer) -> Vec<String> {
    let ask = story.plan.tree.questions.get(&given.question).map_or(given.question.as_str(), |q| &q.ask);
    let suggested = match &given.suggested {
        Some(answer) if *answer == given.answer => "as suggested".into(),
        Some(answer) => format!("**against the suggestion** \"{}\"", text(answer)),
        None => "nothing was suggested".into(),
    };
    let mut lines = vec![format!(
        "### {} \"{}\" to \"{}\"\n\n{}, {suggested}.",
        time(given.at),
        text(&given.answer),
        text(ask),
        text(&given.by.to_string())
    )];
    if let Some(reason) = &given.reason {
        lines.push(format!("Reason: {}", text(reason)));
    }
    lines.push(String::new());
    let row = |seen: &Evidence| {
        vec![
            text(&seen.title),
            seen.state.as_str().to_owned(),
            text(&seen.summary),
            seen.measured_at.map_or_else(|| "never".into(), time),
        ]
    };
    let rows: Vec<Vec<String>> = given.evidence.iter().map(row).collect();
    lines.extend(table(&["evidence on the screen", "state", "what it said", "measured"], &rows));
    lines.push(String::new());
    lines
}

pub(super) fn steps(story: &Story) -> Vec<String> {
    story.incident.runs.iter().flat_map(|run| of_run(story, run)).collect()
}

fn of_run(story: &Story, run: &Run) -> Vec<String> {
    let book = story.plan.runbooks.get(&run.runbook);
    let title = book.map_or(run.runbook.as_str(), |book| &book.title);
    let ended = match &run.ended {
        Some((at, RunEnd::Completed)) => format!("completed {}", time(*at)),
        Some((at, RunEnd::Aborted(why))) => format!("**aborted** {}: {}", time(*at), text(why)),
        None => "not ended".into(),
    };
    let mut lines = vec![format!("### {}\n\nBegun {}, {ended}.\n", text(title), time(run.started_at))];
    let row = |(id, state): (&StepId, &StepRun)| {
        let title = book.and_then(|book| book.steps.get(id)).map_or(id.as_str(), |step| &step.title);
        let took = state.started_at.zip(state.ended_at).map(|(from, until)| until.duration_since(from));
        vec![
            text(title),
            state.status.as_str().to_owned(),
            state.attempt.to_string(),
            confirmed_by(story, &run.id, id),
            state.started_at.map_or_else(String::new, time),
            took.map_or_else(String::new, units::duration),
            text(&came_of(state)),
        ]
    };
    let rows: Vec<Vec<String>> = run.steps.iter().map(row).collect();
    lines.extend(table(
        &["step", "status", "attempts", "confirmed by", "started", "took", "what came of it"],
        &rows,
    ));
    lines.push(String::new());
    let again = attempts(story, run);
    if !again.is_empty() {
        lines.extend(items(again));
        lines.push(String::new());
    }
    lines
}

/// Each attempt of steps that were tried more than once.
fn attempts(story: &Story, of_run: &Run) -> Vec<String> {
    let again = |id: &StepId| of_run.steps.get(id).is_some_and(|state| state.attempt > 1);
    let line = |event: &Event| match &event.fact {
        Fact::StepStarted { run, step, .. } | Fact::StepFinished { run, step, .. }
            if *run == of_run.id && again(step) =>
        {
            let what = text(&describe(&event.fact, &story.plan));
            Some(format!("{} {}: {what}", time(event.at), text(&event.by.to_string())))
        }
        _ => None,
    };
    story.events.iter().filter_map(line).collect()
}

/// Who let the last attempt run; empty for what runs by itself.
fn confirmed_by(story: &Story, of_run: &RunId, of_step: &StepId) -> String {
    let confirms = |event: &&Event| match &event.fact {
        Fact::StepConfirmed { run, step, .. } | Fact::StepAttested { run, step, .. } => {
            run == of_run && step == of_step
        }
        _ => false,
    };
    story.events.iter().rev().find(confirms).map_or_else(String::new, |event| text(&event.by.to_string()))
}

fn came_of(state: &StepRun) -> String {
    if let Some(reason) = &state.reason {
        return reason.clone();
    }
    if let Some(proof) = &state.proof {
        return proof.evidence.join("; ");
    }
    match (&state.outcome, &state.doubt, &state.obstacle) {
        (_, Some(doubt), _) => doubt.to_string(),
        (Some(Outcome::Failed(failure)), ..) => failure.to_string(),
        (Some(Outcome::Done(done)), ..) => done.summary.clone(),
        (None, None, Some((failure, _))) => failure.to_string(),
        (None, None, None) => String::new(),
    }
}

pub(super) fn overrides(story: &Story) -> Vec<String> {
    let line = |event: &Event| match &event.fact {
        Fact::GuardOverridden { step, condition, reason, losses, .. } => {
            let losses: Vec<String> = losses.iter().map(LossEstimate::sentence).collect();
            let losses = if losses.is_empty() { "nothing estimated".into() } else { losses.join("; ") };
            Some(format!(
                "{} {} let {} run although `{}` did not hold. Reason: {} Loss: {}",
                time(event.at),
                text(&event.by.to_string()),
                text(step.as_str()),
                crate::base::text::clean(condition, 400).replace('`', "'"),
                text(&ended(reason)),
                text(&ended(&losses))
            ))
        }
        _ => None,
    };
    items(story.events.iter().filter_map(line).collect())
}
