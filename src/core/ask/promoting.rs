//! What is known of the standby that a step promotes: what another standby of its database would lose says nothing of it.

use crate::base::ids::ProbeId;
use crate::core::ask::evidence;
use crate::core::ask::names::View;
use crate::core::model::Model;
use crate::core::words::action::Target;
use crate::core::words::loss::{LossEstimate, MeasuredStandby};
use crate::plan::condition::{Condition, Reference, Truth};
use crate::plan::kinds::Sees;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;

/// What is lost if a step of a runbook runs now; of a promotion only what was measured of the server that is promoted.
pub fn losses(
    model: &Model,
    runbook: &Runbook,
    step: &Step,
    target: Option<&Target>,
    now: Timestamp,
) -> Vec<LossEstimate> {
    let losses = evidence::losses(model, runbook, now);
    match promoted(model, step, target, now) {
        Some(promoted) => losses.into_iter().map(|loss| loss.of_promoting(&promoted)).collect(),
        None => losses,
    }
}

/// Whether a guard holds. One that asks how far behind a standby is cannot be told of a promotion while what was measured
/// is another standby of the same database.
pub fn guard(
    model: &Model,
    step: &Step,
    target: Option<&Target>,
    guard: &Condition,
    now: Timestamp,
) -> Truth {
    let truth = guard.evaluate(&View { model, now });
    if truth != Truth::True {
        return truth;
    }
    let Some(promoted) = promoted(model, step, target, now) else { return truth };
    let asked = guard.references().iter().filter(|reference| asks_how_far(model, step, reference));
    let mut why = None;
    for reference in asked {
        let probe = reference.name.as_deref().map(ProbeId::from);
        let Some(loss) = probe.and_then(|probe| evidence::loss(model, &probe, now)) else { continue };
        // What another standby is compared with, and what tells of no standby, may be asked for on purpose.
        if !loss.measured_another(&promoted) {
            return truth;
        }
        why = Some(loss.of_promoting(&promoted).basis);
    }
    why.map_or(truth, Truth::Unknown)
}

/// Whether a condition reads how far a standby is behind: by numbers, or by the state of the probe that is there for the
/// very server that the step promotes.
fn asks_how_far(model: &Model, step: &Step, reference: &Reference) -> bool {
    let probe = reference.name.as_deref().filter(|_| reference.root == "signals");
    let Some(spec) = probe.and_then(|probe| model.plan.probes.get(probe)) else { return false };
    let tells = spec.sees == Sees::Standby
        || model.plan.runbooks.values().any(|runbook| runbook.loss.contains(&spec.id));
    let dsn = step.params.get("dsn");
    let is_for_it = dsn.is_some() && spec.params.get("dsn") == dsn;
    let field = &*reference.field;
    let is_number =
        field.starts_with("value") || field.starts_with("fields.exposure_") || field.contains("_lag_");
    tells && (is_number || (field == "state" && is_for_it))
}

/// The server that a step promotes: as its target was read, else as a probe on the same address sees it; none where
/// neither tells.
fn promoted(model: &Model, step: &Step, target: Option<&Target>, now: Timestamp) -> Option<MeasuredStandby> {
    if !step.promotes() {
        return None;
    }
    target.and_then(MeasuredStandby::of_target).or_else(|| seen(model, step, now))
}

fn seen(model: &Model, step: &Step, now: Timestamp) -> Option<MeasuredStandby> {
    let dsn = step.params.get("dsn")?;
    let probes = model
        .plan
        .probes
        .values()
        .filter(|spec| spec.sees == Sees::Server && spec.params.get("dsn") == Some(dsn));
    let mut found = probes.filter_map(|spec| {
        let seen = model.live.recent.get(&spec.id)?.seen.as_ref()?;
        let is_fresh = now.duration_since(seen.last) <= spec.stale_after;
        let system = seen.database.clone().filter(|_| is_fresh && !seen.server.is_empty())?;
        Some(MeasuredStandby { system, started_at: seen.server.clone() })
    });
    found.next()
}
