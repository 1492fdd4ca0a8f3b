//! From a ready step to its start: prepare, freeze, confirm.

use super::{required, step};
use crate::base::ids::{ConfirmationId, RunId, StepId};
use crate::base::problem::Problem;
use crate::base::units;
use crate::core::ask::contradiction::{self, Blocked};
use crate::core::ask::loss_reading::unmatched_sender;
use crate::core::ask::promoting::{self, losses};
use crate::core::ask::{drill, elsewhere, evidence, other_side};
use crate::core::model::Model;
use crate::core::words::action::{Description, Failure, ManualCard, Target};
use crate::core::words::confirmation::{Confirmation, GuardResult, LossEstimate, Unproven};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Incident, Run, StepRun};
use crate::core::words::loss::DoubtedWord;
use crate::core::words::status::StepStatus;
use crate::plan::condition::Truth;
use crate::plan::{ConfirmLevel, Runbook, Step};
use jiff::Timestamp;

/// Why a confirmation is withdrawn when its step was prepared once more.
pub const REPLACED: &str = "a new one was made";

/// Asks the engine to read the target and to describe the call.
pub fn prepare(model: &Model, run: &RunId, id: &StepId) -> Result<Vec<Fact>, Problem> {
    let (open, plan, state) = step::find_open(model, run, id)?;
    if let Some(refusal) = drill::refusal(model, plan) {
        return Err(refusal);
    }
    step::allow_after(model, open, plan)?;
    match state.status {
        // A second bundle would withdraw the first from under the fingers of whoever types into it.
        StepStatus::Ready | StepStatus::Confirming
            if model.live.preparing.contains(&(run.clone(), id.clone())) =>
        {
            Ok(Vec::new())
        }
        StepStatus::Ready | StepStatus::Confirming => preparing(model, run, id),
        StepStatus::Pending => Err(Problem::new(
            format!("{} waits for {}", model.step_title(run, id), waits_for(model, run, id)),
            "Settle those steps first.",
        )),
        other => Err(Problem::new(
            format!("{} is {}", model.step_title(run, id), other.as_str()),
            step::next_step(other),
        )),
    }
}

/// Begins to read a step's target. What comes of it has to be recorded, so it waits for a journal that can be
/// written.
pub fn preparing(model: &Model, run: &RunId, id: &StepId) -> Result<Vec<Fact>, Problem> {
    if let Some(why) = &model.live.journal_failure {
        let next = "Nothing was done. Make the journal writable; the engine tries again by itself.";
        return Err(Problem::new(why.clone(), next));
    }
    Ok(vec![Fact::StepPreparing { run: run.clone(), step: id.clone() }])
}

fn waits_for(model: &Model, run: &RunId, id: &StepId) -> String {
    let Some((step, _)) = model.step(run, id) else { return String::new() };
    let open = step
        .needs
        .iter()
        .filter(|need| model.step(run, need).is_some_and(|(_, state)| !state.status.is_settled()));
    open.map(|need| model.step_title(run, need)).collect::<Vec<_>>().join(", ")
}

/// The description came back: freezes the bundle. A step that runs by itself starts at once when its guards
/// hold; otherwise the bundle waits for a person.
pub fn described(
    model: &Model,
    now: Timestamp,
    run: &RunId,
    id: &StepId,
    result: &Result<Description, Failure>,
    manual: &ManualCard,
) -> Result<Vec<Fact>, Problem> {
    let (run_state, plan, state) = step::find_open(model, run, id)?;
    if !matches!(state.status, StepStatus::Ready | StepStatus::Confirming) {
        return Err(Problem::new(
            format!("{} is {}", model.step_title(run, id), state.status.as_str()),
            "Its description came too late.",
        ));
    }
    let astray = |description: &Description| elsewhere::refusal(model, plan, &description.target, now);
    let read = result.clone().and_then(|description| astray(&description).map_or(Ok(description), Err));
    let description = match read {
        Ok(description) => description,
        Err(failure) => {
            let (run, step, manual) = (run.clone(), id.clone(), manual.clone());
            return Ok(vec![Fact::StepPreparationFailed { run, step, failure, manual }]);
        }
    };
    let confirmation = freeze(model, now, run_state, plan, state, description, manual.clone());
    let may = confirmation.blocking_guard().is_none()
        && drill::refusal(model, plan).is_none()
        && step::allow_after(model, run_state, plan).is_ok();
    let starts = plan.runs_by_itself() && may;
    let name = confirmation.id.clone();
    let mut facts = Vec::new();
    if let (StepStatus::Confirming, Some(open)) = (state.status, &state.confirmation) {
        facts.push(voided(open, REPLACED));
    }
    facts.push(Fact::StepPrepared { confirmation: Box::new(confirmation) });
    if starts {
        facts.push(started(run, plan, state, name));
    }
    Ok(facts)
}

fn freeze(
    model: &Model,
    now: Timestamp,
    run: &Run,
    plan: &Step,
    state: &StepRun,
    description: Description,
    manual: ManualCard,
) -> Confirmation {
    let runbook = model.plan.runbooks.get(&run.runbook);
    let losses = runbook
        .filter(|_| plan.irreversible)
        .map_or_else(Vec::new, |runbook| losses(model, runbook, plan, Some(&description.target), now));
    let guards = guards_of(model, plan, state, Some(&description.target), now);
    let id = ConfirmationId::new(format!("{}/{}/{}", run.id, plan.id, state.prepared + 1));
    Confirmation {
        id,
        run: run.id.clone(),
        step: plan.id.clone(),
        level: plan.confirm,
        description,
        manual,
        guards,
        evidence: evidence::of_conditions(model, &plan.guard),
        losses,
        before: runbook.map_or_else(Vec::new, |runbook| unproven(runbook, run, plan)),
        other_side: runbook.map_or_else(Vec::new, |runbook| other_side::of(model, runbook, plan, now)),
        prepared_at: now,
        expires_at: now.checked_add(model.plan.policy.confirmation_expiry).unwrap_or(now),
    }
}

/// The steps that a step needs, directly or through others, and that were skipped or attested.
fn unproven(runbook: &Runbook, run: &Run, plan: &Step) -> Vec<Unproven> {
    let needed = runbook.before(plan);
    let told = |(place, (id, step)): (usize, (&StepId, &Step))| {
        let state = run.steps.get(id).filter(|_| needed.contains(&id))?;
        let found = Unproven {
            place: place + 1,
            title: step.title.clone(),
            status: state.status,
            reason: state.reason.clone().unwrap_or_default(),
        };
        matches!(state.status, StepStatus::Skipped | StepStatus::Attested).then_some(found)
    };
    runbook.steps.iter().enumerate().filter_map(told).collect()
}

/// The guards of a step as they are now.
pub fn guards(model: &Model, plan: &Step, state: &StepRun, now: Timestamp) -> Vec<GuardResult> {
    guards_of(model, plan, state, target_of(state), now)
}

/// The target that an open confirmation has read.
pub fn target_of(state: &StepRun) -> Option<&Target> {
    let open = state.confirmation.as_ref().filter(|_| state.status == StepStatus::Confirming);
    open.map(|open| &open.description.target)
}

fn guards_of(
    model: &Model,
    plan: &Step,
    state: &StepRun,
    target: Option<&Target>,
    now: Timestamp,
) -> Vec<GuardResult> {
    let result = |(place, guard): (usize, &crate::plan::condition::Condition)| GuardResult {
        condition: guard.source().to_owned(),
        truth: promoting::guard(model, plan, target, guard, now),
        overridden: state.overrides.iter().find(|(at, _)| *at == place).map(|(_, why)| why.clone()),
    };
    plan.guard.iter().enumerate().map(result).collect()
}

fn started(run: &RunId, step: &Step, state: &StepRun, confirmation: ConfirmationId) -> Fact {
    let (run, attempt) = (run.clone(), state.attempt + 1);
    let fingerprint = Some(step.fingerprint());
    Fact::StepStarted { run, step: step.id.clone(), attempt, confirmation, fingerprint }
}

fn voided(confirmation: &Confirmation, why: impl Into<String>) -> Fact {
    Fact::ConfirmationWithdrawn {
        run: confirmation.run.clone(),
        step: confirmation.step.clone(),
        confirmation: confirmation.id.clone(),
        why: why.into(),
    }
}

/// Confirms an open bundle. What expired or was overtaken by the world does not fire: it is withdrawn, and a
/// new one has to be made.
pub fn confirm(
    model: &Model,
    now: Timestamp,
    id: &ConfirmationId,
    typed: Option<&str>,
) -> Result<Vec<Fact>, Problem> {
    let (plan, state, confirmation) = find_confirmation(model, id)?;
    if plan.is_by_hand() {
        return Err(Problem::new(
            "a person does this step",
            "Do it, then attest it and say how you checked.",
        ));
    }
    if let Some(refusal) = drill::refusal(model, plan) {
        return Err(refusal);
    }
    if now >= confirmation.expires_at {
        return Ok(vec![voided(confirmation, "it expired")]);
    }
    if contradiction::moves_the_primary(model, &confirmation.run, plan) {
        contradiction::allow(model, Blocked::Promote)?;
    }
    if let Some(run) = model.run(&confirmation.run) {
        step::allow_after(model, run, plan)?;
    }
    if let Some(why) = overtaken(model, now, plan, state, confirmation) {
        return Ok(vec![voided(confirmation, why)]);
    }
    if let Some((_, guard)) = confirmation.blocking_guard() {
        return Err(blocked(model, guard, confirmation));
    }
    if let Some(phrase) = confirmation.phrase()
        && typed != Some(phrase)
    {
        return Err(Problem::new(
            "what you typed is not the target's name",
            format!("Type exactly: {phrase}"),
        ));
    }
    Ok(vec![
        Fact::StepConfirmed {
            run: confirmation.run.clone(),
            step: confirmation.step.clone(),
            confirmation: id.clone(),
            typed: typed.filter(|_| confirmation.level == ConfirmLevel::Type).map(str::to_owned),
        },
        started(&confirmation.run, plan, state, id.clone()),
    ])
}

fn blocked(model: &Model, guard: &GuardResult, confirmation: &Confirmation) -> Problem {
    let how = match &guard.truth {
        Truth::Unknown(why) => format!("cannot be told ({why})"),
        _ => "does not hold".into(),
    };
    let loss = confirmation.losses.first().filter(|_| guard.condition.contains("exposure_"));
    let next = match loss {
        Some(loss) => way_through(model, &confirmation.run, loss),
        None => "Wait until it holds, skip the step, or override the guard with a reason.".into(),
    };
    Problem::new(format!("the guard {} {how}", guard.condition), next)
}

/// What can be done about a loss that is more than a guard allows.
fn way_through(model: &Model, run: &RunId, loss: &LossEstimate) -> String {
    let runbook = model.run(run).and_then(|run| model.plan.runbooks.get(&run.runbook));
    let fences =
        runbook.is_some_and(|book| book.steps.values().any(|step| step.fences.contains(&loss.probe)));
    let closed = format!("{}, so that it does not grow any more. Skip the step", loss.fence_words());
    let first = match (loss.grows_from, loss.fenced_at) {
        (Some(_), _) if loss.doubted.as_ref().is_some_and(DoubtedWord::is_unchecked) => {
            "Stop the stream at the standby, or have the fence proven by its step: that ends the growth"
        }
        (Some(_), _) if loss.doubted.is_some() => {
            "Have the fence proven by its step: a word does not end the growth"
        }
        (Some(_), _) if fences && unmatched_sender(model, &loss.probe).is_some() => {
            "Fence the old primary, and have that proven, or attest it and stop the stream at the standby: that ends the \
             growth"
        }
        (Some(_), _) if fences => "Fence the old primary, or attest that it is off: that ends the growth",
        (Some(_), _) => {
            "No step of this runbook says that it `fences` the primary, so that nothing ends the growth"
        }
        (None, Some(_)) => &closed,
        (None, None) => "Wait until it holds, skip the step",
    };
    format!("{first}, or override the guard, and with it accept to lose {}.", loss.sentence())
}

/// What changed since the bundle was frozen, if that matters.
fn overtaken(
    model: &Model,
    now: Timestamp,
    plan: &Step,
    state: &StepRun,
    confirmation: &Confirmation,
) -> Option<String> {
    let guards = guards(model, plan, state, now);
    let turned = confirmation
        .guards
        .iter()
        .zip(&guards)
        .find(|(then, now)| (then.truth == Truth::True) != (now.truth == Truth::True));
    if let Some((then, found)) = turned {
        let why = match &found.truth {
            Truth::Unknown(why) => format!(", it cannot be told now: {why}"),
            _ => String::new(),
        };
        return Some(format!("the guard {} came out differently{why}", then.condition));
    }
    let evidence = evidence::of_conditions(model, &plan.guard);
    if let Some(change) = evidence::changed(&confirmation.evidence, &evidence) {
        return Some(change);
    }
    let runbook = model.run(&confirmation.run).and_then(|run| model.plan.runbooks.get(&run.runbook))?;
    let others = other_side::of(model, runbook, plan, now);
    if let Some(change) = other_side::turned(&confirmation.other_side, &others) {
        return Some(change);
    }
    let losses = losses(model, runbook, plan, Some(&confirmation.description.target), now);
    let mut pairs = confirmation.losses.iter().zip(&losses);
    let crossed = |then: &LossEstimate, found: &LossEstimate| {
        let objectives = model.plan.services.values().filter_map(|service| service.rpo);
        let (then, found) = then.span.zip(found.span)?;
        objectives.filter(|rpo| then <= *rpo && found > *rpo).min()
    };
    pairs.find_map(|(then, found)| {
        if let Some(rpo) = crossed(then, found) {
            return Some(format!(
                "more than the RPO of {} may be lost now: {}",
                units::duration(rpo),
                found.sentence()
            ));
        }
        let worse = then.is_materially_worse(found, now);
        worse.then(|| format!("the loss grew from {} to {}", then.sentence(), found.sentence()))
    })
}

/// Withdraws an open bundle.
pub fn decline(model: &Model, id: &ConfirmationId) -> Result<Vec<Fact>, Problem> {
    let (_, _, confirmation) = find_confirmation(model, id)?;
    Ok(vec![voided(confirmation, "it was declined")])
}

fn find_confirmation<'a>(
    model: &'a Model,
    id: &ConfirmationId,
) -> Result<(&'a Step, &'a StepRun, &'a Confirmation), Problem> {
    let gone = || {
        Problem::new(
            "this confirmation is not open any more",
            "Open the step's confirmation again and look at it.",
        )
    };
    let run = model.durable.incident.as_ref().and_then(Incident::open_run).ok_or_else(gone)?;
    let open = run.steps.iter().find(|(_, state)| {
        state.status == StepStatus::Confirming
            && state.confirmation.as_ref().is_some_and(|open| open.id == *id)
    });
    let (step, state) = open.ok_or_else(gone)?;
    let plan =
        model.plan.runbooks.get(&run.runbook).and_then(|runbook| runbook.steps.get(step)).ok_or_else(gone)?;
    let confirmation = state.confirmation.as_ref().ok_or_else(gone)?;
    Ok((plan, state, confirmation))
}

/// Lets a step run although a guard does not hold, and records what is lost by it. The open bundle is
/// withdrawn: the new one shows the override.
pub fn override_guard(
    model: &Model,
    now: Timestamp,
    run: &RunId,
    id: &StepId,
    guard: usize,
    reason: &str,
) -> Result<Vec<Fact>, Problem> {
    let (run_state, plan, state) = step::find_open(model, run, id)?;
    if !matches!(state.status, StepStatus::Ready | StepStatus::Confirming) {
        let why = format!("{} is {}", model.step_title(run, id), state.status.as_str());
        return Err(Problem::new(why, step::next_step(state.status)));
    }
    step::allow_after(model, run_state, plan)?;
    let condition = plan.guard.get(guard).ok_or_else(|| {
        let why = format!("{} has no guard number {}", model.step_title(run, id), guard + 1);
        Problem::new(why, "Choose one of the step's guards.")
    })?;
    let reason = required(reason, "the reason")?;
    let runbook = model.plan.runbooks.get(&run_state.runbook);
    let losses = runbook.map(|runbook| losses(model, runbook, plan, target_of(state), now));
    let mut facts = Vec::new();
    if let (StepStatus::Confirming, Some(open)) = (state.status, &state.confirmation) {
        facts.push(voided(open, "a guard was overridden"));
    }
    facts.push(Fact::GuardOverridden {
        run: run.clone(),
        step: id.clone(),
        guard,
        condition: condition.source().to_owned(),
        reason,
        losses: losses.unwrap_or_default(),
    });
    facts.push(Fact::StepPreparing { run: run.clone(), step: id.clone() });
    Ok(facts)
}
