//! What a condition reads now, and whether it can still come true: for whoever waits for it.

use crate::core::model::Model;
use crate::core::names::View;
use crate::core::reading::Field;
use crate::core::watch;
use crate::ids::ProbeId;
use crate::plan::condition::{Condition, Names, Reference, Scalar};
use crate::units;
use jiff::{SignedDuration, Timestamp};

/// What each name of a condition is now, in its order: `signals['dr-lag'].fields.replay_lag_bytes is 20.8 MB`.
pub fn values(view: &View<'_>, condition: &Condition) -> Vec<String> {
    let value = |reference: &Reference| match view.lookup(reference) {
        Ok(scalar) => format!("{reference} is {}", words(&reference.field, &scalar)),
        Err(why) => why,
    };
    let mut values: Vec<String> = condition.references().iter().map(value).collect();
    values.dedup();
    values
}

/// A value with the unit that its name ends with.
fn words(field: &str, scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => text.clone(),
        Scalar::Flag(flag) => flag.to_string(),
        Scalar::Number(number) if field.ends_with("_bytes") && *number >= 0.0 => {
            // The cast keeps within what a measured size can be.
            units::bytes(*number as u64)
        }
        Scalar::Number(number) if field.ends_with("_s") => {
            SignedDuration::try_from_secs_f64(*number).map_or_else(|_| number.to_string(), units::duration)
        }
        Scalar::Number(number) => number.to_string(),
    }
}

/// Why a condition cannot come true any more: it asks how far a standby is behind, and that server is none. Only what
/// was measured after `since` counts, so that a server that was just rebuilt is not taken for what it was before.
pub fn never(model: &Model, condition: &Condition, since: Timestamp) -> Option<String> {
    // One of several alternatives says nothing of the others.
    if condition.source().contains("||") || condition.source().contains('?') {
        return None;
    }
    condition.references().iter().find_map(|reference| {
        let name = reference.name.as_deref().filter(|_| reference.root == "signals")?;
        let tells = reference.field.strip_prefix("fields.").is_some_and(|field| field != "in_recovery");
        (tells || reference.field.starts_with("value"))
            .then(|| no_standby(model, &ProbeId::from(name), since))?
    })
}

/// That the server of a replication probe is a primary, since when, and by whom.
fn no_standby(model: &Model, probe: &ProbeId, since: Timestamp) -> Option<String> {
    let spec = model.plan.probes.get(probe).filter(|spec| spec.kind == "postgres-replication")?;
    let reading = model.live.recent.get(probe)?.latest.as_ref()?;
    let measured = reading.outcome.as_ref().ok().filter(|_| reading.at - reading.took >= since)?;
    let Some(Field::Flag(false)) = measured.fields.get("in_recovery") else { return None };
    let turned = model.durable.signals.get(probe).map(|signal| signal.since)?;
    let by = if is_ours(model, probe) { "by lifeboat" } else { "not by lifeboat" };
    Some(format!(
        "{} is no standby any more: its server is the primary since {}Z at the latest, {by}",
        spec.title,
        turned.strftime("%H:%M:%S")
    ))
}

/// Whether a step of the open incident promoted the server that a probe watches.
fn is_ours(model: &Model, probe: &ProbeId) -> bool {
    let dsn = model.plan.probes.get(probe).and_then(|spec| spec.params.get("dsn"));
    watch::watched(model).into_iter().any(|(run, step)| {
        model.step(run, step).is_some_and(|(step, _)| dsn.is_some() && step.params.get("dsn") == dsn)
    })
}
