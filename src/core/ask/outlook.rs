//! What a condition reads now, and whether it can still come true: for whoever waits for it.

use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::base::units;
use crate::core::ask::watch;
use crate::core::model::Model;
use crate::core::words::reading::{Field, Measurement};
use crate::plan::ProbeSpec;
use crate::plan::condition::{Condition, Names, Reference, Scalar};
use crate::plan::kinds::Sees;
use jiff::{SignedDuration, Timestamp};

/// What each name of a condition is now, in its order: `signals['dr-lag'].fields.replay_lag_bytes is 20.8 MB`.
pub fn values(names: &dyn Names, condition: &Condition) -> Vec<String> {
    let value = |reference: &Reference| match names.lookup(reference) {
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

/// Why a condition cannot come true by waiting: it asks how far a standby is behind, and that server is none any more, or
/// somebody paused its replay. Only what was measured after `since` counts, so that a server that was just rebuilt or
/// resumed is not taken for what it was before.
pub fn never(model: &Model, condition: &Condition, since: Timestamp) -> Option<Problem> {
    // One of several alternatives says nothing of the others.
    if condition.source().contains("||") || condition.source().contains('?') {
        return None;
    }
    condition.references().iter().find_map(|reference| {
        let name = reference.name.as_deref().filter(|_| reference.root == "signals")?;
        let probe = ProbeId::from(name);
        let tells = reference.field.strip_prefix("fields.").is_some_and(|field| field != "in_recovery");
        let of_value = reference.field.starts_with("value");
        let gone = (tells || of_value).then(|| no_standby(model, &probe, since)).flatten();
        let of_replay = of_value || reference.field == "state" || reference.field.contains("replay");
        gone.or_else(|| of_replay.then(|| paused(model, &probe, since)).flatten())
    })
}

/// What a replication probe measured, by a reading that began after `since`.
fn measured<'m>(
    model: &'m Model,
    probe: &ProbeId,
    since: Timestamp,
) -> Option<(&'m ProbeSpec, &'m Measurement)> {
    let spec = model.plan.probes.get(probe).filter(|spec| spec.sees == Sees::Standby)?;
    let reading = model.live.recent.get(probe)?.latest.as_ref()?;
    let measured = reading.outcome.as_ref().ok().filter(|_| reading.at - reading.took >= since)?;
    Some((spec, measured))
}

/// That what a standby received is not replayed, because somebody paused that.
fn paused(model: &Model, probe: &ProbeId, since: Timestamp) -> Option<Problem> {
    let (spec, measured) = measured(model, probe, since)?;
    let is_paused = measured.fields.get("replay_paused") == Some(&Field::Flag(true));
    let is_behind = measured.number("replay_lag_bytes").is_none_or(|bytes| bytes > 0.0);
    (is_paused && is_behind).then(|| Problem {
        why: format!("replay is PAUSED on the standby of {}, so that nothing it received is replayed", spec.title),
        next: "Resume it there, as a superuser of that server: `select pg_wal_replay_resume();`, then retry the wait. \
               Or skip the wait with a reason: a promotion replays what was received first, which takes its time."
            .into(),
    })
}

/// That the server of a replication probe is a primary, since when, and by whom.
fn no_standby(model: &Model, probe: &ProbeId, since: Timestamp) -> Option<Problem> {
    let (spec, measured) = measured(model, probe, since)?;
    let Some(Field::Flag(false)) = measured.fields.get("in_recovery") else { return None };
    let turned = model.durable.signals.get(probe).map(|signal| signal.since)?;
    let by = if is_ours(model, probe) { "by lifeboat" } else { "not by lifeboat" };
    Some(Problem {
        why: format!(
            "{} is no standby any more: its server is the primary since {}Z at the latest, {by}",
            spec.title,
            turned.strftime("%H:%M:%S")
        ),
        next: "Somebody else acted, or an earlier step did: see who is the primary before anything is promoted. Skip the \
               wait with a reason where it is not needed any more."
            .into(),
    })
}

/// Whether a step of the open incident promoted the server that a probe watches.
fn is_ours(model: &Model, probe: &ProbeId) -> bool {
    let dsn = model.plan.probes.get(probe).and_then(|spec| spec.params.get("dsn"));
    watch::watched(model).into_iter().any(|(run, step)| {
        model.step(run, step).is_some_and(|(step, _)| dsn.is_some() && step.params.get("dsn") == dsn)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::fixture::{Machine, start};
    use crate::core::words::reading::{Measurement, Verdict};

    /// What a wait finds on a standby that is behind by some bytes, and whose replay may be paused.
    fn found(condition: &str, is_paused: bool, bytes: f64, since: i64) -> Option<Problem> {
        let mut machine = Machine::new();
        let measured = Measurement::good("replay is paused")
            .judged(Verdict::Warn("replay is paused".into()))
            .with_value(9.0)
            .with_flag("in_recovery", true)
            .with_flag("replay_paused", is_paused)
            .with_number("replay_lag_bytes", bytes);
        machine.pass(20, &[("dr-lag", Ok(measured))]);
        let since = start() + SignedDuration::from_secs(since);
        never(&machine.model, &Condition::parse(condition).unwrap(), since)
    }

    #[test]
    fn a_wait_for_replay_that_somebody_paused_ends_at_once_and_says_how_it_is_resumed() {
        for condition in [
            "signals['dr-lag'].fields.replay_lag_bytes < 1.0",
            "signals['dr-lag'].fields.replay_lag_s < 1.0 && signals['dr-db'].state == 'ok'",
            "signals['dr-lag'].value_s < 5.0",
            "signals['dr-lag'].state == 'ok'",
        ] {
            let never = found(condition, true, 5e6, 0).unwrap_or_else(|| panic!("{condition}"));
            assert!(never.why.contains("replay is PAUSED on the standby of probe dr-lag"), "{never:?}");
            assert!(never.next.contains("select pg_wal_replay_resume()"), "{never:?}");
            assert_eq!(found(condition, false, 5e6, 0), None, "{condition}");
        }
    }

    #[test]
    fn a_pause_ends_no_wait_that_it_does_not_hold_up() {
        let replay = "signals['dr-lag'].fields.replay_lag_bytes < 1.0";
        assert_eq!(found(replay, true, 0.0, 0), None, "all that it received is replayed");
        assert_eq!(found(replay, true, 5e6, 60), None, "nothing was measured since the step began");
        assert_eq!(found("signals['dr-lag'].fields.exposure_s < 5.0", true, 5e6, 0), None);
        assert_eq!(found(&format!("{replay} || incident.open"), true, 5e6, 0), None, "another way is open");
    }
}
