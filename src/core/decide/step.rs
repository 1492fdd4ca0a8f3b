//! A step after its start, and what people can do about it.

use super::{incident, required};
use crate::base::ids::{RunId, StepId};
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{self, remedy};
use crate::core::ask::{divergence, in_force};
use crate::core::model::Model;
use crate::core::words::action::{Failure, Proof};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome, Run, RunEnd, StepRun};
use crate::core::words::status::{Move, StepStatus};
use crate::plan::Step;
use jiff::Timestamp;

/// A step of the open run.
pub fn find_open<'a>(
    model: &'a Model,
    run: &RunId,
    id: &StepId,
) -> Result<(&'a Run, &'a Step, &'a StepRun), Problem> {
    let open = incident::open(model)?.open_run().filter(|open| open.id == *run);
    let open = open.ok_or_else(|| Problem::new(format!("the run {run} is over"), "Look at the timeline."))?;
    find(model, open, id)
}

fn find<'a>(
    model: &'a Model,
    run: &'a Run,
    id: &StepId,
) -> Result<(&'a Run, &'a Step, &'a StepRun), Problem> {
    let plan = model.plan.runbooks.get(&run.runbook).and_then(|runbook| runbook.steps.get(id));
    let (plan, state) = plan.zip(run.steps.get(id)).ok_or_else(|| {
        Problem::new(
            format!("the runbook {} has no step {id}", run.runbook),
            "Was the plan changed meanwhile?",
        )
    })?;
    Ok((run, plan, state))
}

/// A step of any run of the open incident: answers of the world may come after a run was aborted.
pub fn find_any<'a>(
    model: &'a Model,
    run: &RunId,
    id: &StepId,
) -> Result<(&'a Run, &'a Step, &'a StepRun), Problem> {
    let found = incident::open(model)?.run(run);
    let found =
        found.ok_or_else(|| Problem::new(format!("there is no run {run}"), "Look at the timeline."))?;
    find(model, found, id)
}

/// What a person can do about a step in this status.
pub fn next_step(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Pending => "Settle the steps that it needs first.",
        StepStatus::Ready | StepStatus::Confirming => "Prepare and confirm it, skip it, or attest it.",
        StepStatus::Started | StepStatus::Finished => "Wait for its outcome, or abort the run.",
        StepStatus::Failed => "Retry it, skip it, or do it by hand and attest it.",
        StepStatus::Unknown => "Recheck the world, then retry it with a reason, skip it or attest it.",
        StepStatus::Verified => "It is proven, and done.",
        StepStatus::Skipped | StepStatus::Attested => {
            "It is settled. To take it up again, retry it with a reason."
        }
    }
}

fn allowed(model: &Model, run: &RunId, id: &StepId, state: &StepRun, by: Move) -> Result<(), Problem> {
    let refuse = |illegal: crate::core::words::status::IllegalMove| {
        Problem::new(format!("{}: {illegal}", model.step_title(run, id)), next_step(state.status))
    };
    state.status.after(by).map(|_| ()).map_err(refuse)
}

/// An execution ended. Answers of an older attempt are refused: they were recorded as unknown.
pub fn executed(
    model: &Model,
    run: &RunId,
    id: &StepId,
    attempt: u32,
    outcome: &Outcome,
) -> Result<Vec<Fact>, Problem> {
    let (_, _, state) = find_any(model, run, id)?;
    if state.attempt != attempt || state.status != StepStatus::Started {
        return Err(Problem::new(
            format!("attempt {attempt} of {} is not running", model.step_title(run, id)),
            "Nothing to do.",
        ));
    }
    Ok(vec![Fact::StepFinished { run: run.clone(), step: id.clone(), attempt, outcome: outcome.clone() }])
}

/// A verification ended.
pub fn checked(
    model: &Model,
    run: &RunId,
    id: &StepId,
    attempt: u32,
    result: &Result<Proof, Failure>,
) -> Result<Vec<Fact>, Problem> {
    let (_, _, state) = find_any(model, run, id)?;
    if state.attempt != attempt || !matches!(state.status, StepStatus::Finished | StepStatus::Unknown) {
        return Err(Problem::new(
            format!("attempt {attempt} of {} waits for no proof", model.step_title(run, id)),
            "Nothing to do.",
        ));
    }
    let (run, step) = (run.clone(), id.clone());
    Ok(vec![match result {
        Ok(proof) => Fact::StepVerified { run, step, proof: proof.clone() },
        Err(failure) => Fact::StepVerificationFailed { run, step, failure: failure.clone() },
    }])
}

/// Tries a step again. Where nobody knows whether it acted, a person says why that is safe; and so for what a person
/// left out or attested while the run is open, and for a fence that is settled while its server accepts writes, also of
/// a run that was completed: the run goes on with it.
pub fn retry(model: &Model, run: &RunId, id: &StepId, reason: Option<&str>) -> Result<Vec<Fact>, Problem> {
    let denied = is_denied(model, run, id);
    let (_, _, state) = if denied { find_any(model, run, id)? } else { find_open(model, run, id)? };
    if state.status == StepStatus::Verified && !denied {
        return Err(Problem::new(format!("{id} is {}", state.status.as_str()), next_step(state.status)));
    }
    if state.obstacle.is_some() && state.status == StepStatus::Ready {
        return super::confirm::preparing(model, run, id);
    }
    allowed(model, run, id, state, Move::Retry)?;
    let reason = match reason {
        Some(reason) => Some(required(reason, "the reason")?),
        None if state.status == StepStatus::Unknown => {
            return Err(Problem::new(
                format!("nobody knows whether {} acted", model.step_title(run, id)),
                "Recheck the world first; to run it again, say why that is safe.",
            ));
        }
        None if denied => {
            return Err(Problem::new(
                format!("{id} is {} already", state.status.as_str()),
                "To do it again, say why: its server accepts writes.",
            ));
        }
        None if state.status.is_settled() => {
            return Err(Problem::new(
                format!("{id} is {} already", state.status.as_str()),
                "To take it up again, say why.",
            ));
        }
        None => None,
    };
    Ok(vec![Fact::StepRetried { run: run.clone(), step: id.clone(), reason }])
}

/// Whether a step is settled as a fence, or was left out, and a contradiction says that its server accepts writes.
pub fn is_denied(model: &Model, run: &RunId, id: &StepId) -> bool {
    let remedies = contradiction::of(model).iter().filter_map(|open| remedy(model, &open.contradiction));
    let mut meant = remedies.filter(|found| found.run.id == *run && found.step.id == *id);
    meant.any(|found| found.state.status.is_settled())
}

/// The step that another one needs, directly or through others, and that is done again: because the world denied it, or
/// because somebody took it up again.
pub fn done_again_before<'m>(model: &'m Model, run: &Run, step: &Step) -> Option<&'m Step> {
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let again = |id: &&StepId| {
        run.steps.get(*id).is_some_and(|state| state.denied.is_some() && !state.status.is_settled())
    };
    runbook.steps.get(runbook.before(step).into_iter().find(again)?)
}

/// Refuses a step before which another one is done again.
pub fn allow_after(model: &Model, run: &Run, step: &Step) -> Result<(), Problem> {
    match done_again_before(model, run, step) {
        None => Ok(()),
        Some(before) => Err(Problem::new(
            format!("{} waits for {}, which is done again", step.id, before.id),
            "Settle that step first.",
        )),
    }
}

/// The same for a person's word about a step that did nothing yet: one that acted may be told of at any time.
fn allow_word_after(model: &Model, run: &Run, step: &Step, state: &StepRun) -> Result<(), Problem> {
    match state.status {
        StepStatus::Ready | StepStatus::Confirming => allow_after(model, run, step),
        _ => Ok(()),
    }
}

/// Reads the world again, also for a run that was aborted: what it left behind can still be proven.
pub fn recheck(model: &Model, run: &RunId, id: &StepId) -> Result<Vec<Fact>, Problem> {
    let (_, _, state) = find_any(model, run, id)?;
    match state.status {
        StepStatus::Unknown => Ok(vec![Fact::StepRechecked { run: run.clone(), step: id.clone() }]),
        other => Err(Problem::new(
            format!("{} is {}", model.step_title(run, id), other.as_str()),
            next_step(other),
        )),
    }
}

/// Leaves a step out.
pub fn skip(model: &Model, run: &RunId, id: &StepId, reason: &str) -> Result<Vec<Fact>, Problem> {
    let (open, step, state) = find_open(model, run, id)?;
    allowed(model, run, id, state, Move::Skip)?;
    allow_word_after(model, open, step, state)?;
    let reason = required(reason, "the reason")?;
    Ok(vec![Fact::StepSkipped { run: run.clone(), step: id.clone(), reason }])
}

/// States that a step was done by hand.
pub fn attest(
    model: &Model,
    now: Timestamp,
    run: &RunId,
    id: &StepId,
    how: &str,
) -> Result<Vec<Fact>, Problem> {
    let (open, step, state) = find_open(model, run, id)?;
    allowed(model, run, id, state, Move::Attest)?;
    allow_word_after(model, open, step, state)?;
    let how = required(how, "what was done and how it was checked")?;
    let drill = model.durable.incident.as_ref().is_some_and(|incident| incident.mode == Mode::SafeDrill);
    // In an exercise that changes nothing nobody rebuilt anything.
    let rebuilt = if drill { Vec::new() } else { divergence::by_word(model, now, step, &how) };
    // A simulation does not move every proof, which is no fault of the plan. What a person did lifeboat did not see, so
    // only what is measured from now on proves that, also where lifeboat tried it before.
    let unproven = model.live.simulation.is_none() && step.verify.is_some();
    let fingerprint = Some(step.fingerprint());
    let attested = Fact::StepAttested { run: run.clone(), step: id.clone(), how, unproven, fingerprint };
    Ok([attested].into_iter().chain(rebuilt).collect())
}

/// States that what a step did is not in force any more, or stays on purpose.
pub fn undone(model: &Model, run: &RunId, id: &StepId, how: &str, stays: bool) -> Result<Vec<Fact>, Problem> {
    let listed = in_force::of(model).into_iter().any(|left| left.run == *run && left.step == *id);
    if !listed {
        return Err(Problem::new(
            format!("nothing of {} is in force", model.step_title(run, id)),
            "Somebody may have recorded it meanwhile: look at the timeline.",
        ));
    }
    let how = required(how, "what was done and how it was checked")?;
    Ok(vec![Fact::StepUndone { run: run.clone(), step: id.clone(), how, stays }])
}

/// Stops the open run.
pub fn abort(model: &Model, reason: &str) -> Result<Vec<Fact>, Problem> {
    let run = incident::open(model)?.open_run();
    let run = run.ok_or_else(|| Problem::new("no runbook is running", "There is nothing to abort."))?;
    let reason = required(reason, "the reason")?;
    Ok(vec![Fact::RunEnded { run: run.id.clone(), end: RunEnd::Aborted(reason) }])
}
