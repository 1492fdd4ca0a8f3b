//! What time brings: stale signals, a new severity, expired confirmations, steps that run by themselves,
//! the end of a run, and whom to tell.

use super::confirm::{guards, preparing};
use super::contradiction;
use super::due::due;
use super::loss;
use super::placement;
use super::rejoined;
use super::serving;
use super::step::allow_after;
use crate::base::ids::StepId;
use crate::core::ask::severity::{assess, own_rule};
use crate::core::ask::{divergence, drill};
use crate::core::model::Model;
use crate::core::words::confirmation::GuardResult;
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Run, RunEnd, StepRun};
use crate::core::words::signal::{Recent, SignalState, age, is_stale};
use crate::core::words::status::StepStatus;
use crate::plan::Step;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// Everything that became due. Idempotent: what a tick's facts lead to is not due again.
pub fn tick(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut facts = stale_signals(model, now);
    facts.extend(serving::moved(model, now));
    facts.extend(rejoined::lifted(model, now));
    facts.extend(divergence::rebuilt(model, now));
    facts.extend(contradiction::turned(model, now));
    facts.extend(severity(model, now));
    facts.extend(loss::noted(model, now));
    if let Some(run) = model.durable.incident.as_ref().and_then(|incident| incident.open_run()) {
        facts.extend(steps(model, run, now));
        // Without its runbook, or with none of its steps, nobody can say that a run is complete.
        let known = model.plan.runbooks.contains_key(&run.runbook) && !run.steps.is_empty();
        if known && run.steps.values().all(|step| step.status.is_settled()) {
            facts.push(Fact::RunEnded { run: run.id.clone(), end: RunEnd::Completed });
        }
    }
    facts.extend(placement::moved(model, now));
    facts.extend(placement::region_moved(model));
    facts.extend(due(model, now));
    facts
}

fn stale_signals(model: &Model, now: Timestamp) -> Vec<Fact> {
    let never = Recent::default();
    let stale = model.durable.signals.iter().filter(|(id, signal)| {
        signal.state != SignalState::Unknown
            && model
                .plan
                .probes
                .get(*id)
                .is_some_and(|spec| is_stale(spec, model.live.recent.get(*id).unwrap_or(&never), now))
    });
    stale
        .map(|(probe, signal)| Fact::SignalChanged {
            probe: probe.clone(),
            from: signal.state,
            to: SignalState::Unknown,
            why: "its last reading is too old".into(),
        })
        .collect()
}

/// The derived severity, where it or its reason changed. It is not lowered, and its reason does not change, while the
/// rule that gave it cannot be told: it may still be so. Once that rule is known not to hold, what it was is no reason
/// any more; a worse rule that cannot be told is said beside the severity, and is none.
fn severity(model: &Model, now: Timestamp) -> Option<Fact> {
    let assessed = assess(model, now);
    let before = model.durable.severity.as_ref().map(|(severity, ..)| *severity);
    let after = assessed.holds.as_ref().map(|(severity, _)| *severity);
    let reason = model.durable.severity.as_ref().map(|(.., why)| why);
    let same = before == after && reason == assessed.holds.as_ref().map(|(_, why)| why);
    let worsens = after.is_some_and(|after| before.is_none_or(|before| after < before));
    let cannot_tell = matches!(own_rule(model, now), Some(Truth::Unknown(_)));
    if same || (!worsens && (cannot_tell || is_beginning(model, now))) {
        return None;
    }
    let why = assessed.holds.map_or_else(|| "no severity rule holds any more".into(), |(_, why)| why);
    Some(Fact::SeverityChanged { from: before, to: after, why })
}

/// Whether the engine has just started and has not looked at everything yet: what was found before it ended holds on.
fn is_beginning(model: &Model, now: Timestamp) -> bool {
    let Some(started) = model.durable.engine_started_at else { return false };
    model.plan.probes.iter().any(|(id, spec)| {
        let looked = model.live.recent.get(id).is_some_and(|recent| recent.latest.is_some());
        !looked && age(started, now) <= spec.stale_after
    })
}

fn steps(model: &Model, run: &Run, now: Timestamp) -> Vec<Fact> {
    let Some(runbook) = model.plan.runbooks.get(&run.runbook) else { return Vec::new() };
    let mut facts = Vec::new();
    for (id, state) in &run.steps {
        let Some(step) = runbook.steps.get(id) else { continue };
        if state.status == StepStatus::Confirming {
            facts.extend(overtaken(model, run, id, step, state, now));
        }
        let reading = model.live.preparing.contains(&(run.id.clone(), id.clone()));
        let may = step.runs_by_itself()
            && state.obstacle.is_none()
            && drill::refusal(model, step).is_none()
            && allow_after(model, run, step).is_ok();
        if state.status == StepStatus::Ready && may && !reading {
            facts.extend(preparing(model, &run.id, id).unwrap_or_default());
        }
    }
    facts
}

/// A confirmation that expired; or the guards of a step that runs by itself began to hold.
fn overtaken(
    model: &Model,
    run: &Run,
    id: &StepId,
    step: &Step,
    state: &StepRun,
    now: Timestamp,
) -> Option<Fact> {
    let confirmation = state.confirmation.as_ref()?;
    let voided = |why: &str| Fact::ConfirmationWithdrawn {
        run: run.id.clone(),
        step: id.clone(),
        confirmation: confirmation.id.clone(),
        why: why.into(),
    };
    if step.runs_by_itself() {
        let hold = guards(model, step, state, now).iter().all(GuardResult::allows);
        return hold.then(|| voided("its guards hold now"));
    }
    (now >= confirmation.expires_at).then(|| voided("it expired"))
}
