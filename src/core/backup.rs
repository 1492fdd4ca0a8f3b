//! How a backup is, from the signal of its probe and its allowed age.

use crate::core::model::Model;

use crate::core::signal::{Recent, SignalState, age};
use crate::plan::{Backup, Unit};
use jiff::{SignedDuration, Timestamp};

/// How a backup is.
#[derive(Clone, PartialEq, Debug)]
pub struct BackupStanding {
    /// The worse of its probe's signal and its age against the allowed one.
    pub state: SignalState,
    /// Age of the last good copy; none where it is not known.
    pub age: Option<SignedDuration>,
    /// Its size; none where the probe does not tell.
    pub size_bytes: Option<u64>,
    /// Why, in words.
    pub why: String,
}

/// How a backup is now.
pub fn standing(model: &Model, backup: &Backup, now: Timestamp) -> BackupStanding {
    let signal = model.durable.signals.get(&backup.probe);
    let (state, why) =
        signal.map_or((SignalState::Unknown, "no such probe".into()), |s| (s.state, s.why.clone()));
    let reading = model.live.recent.get(&backup.probe).and_then(Recent::measured);
    let Some((reading, measured)) = reading.and_then(|r| r.outcome.as_ref().ok().map(|m| (r, m))) else {
        return BackupStanding { state, age: None, size_bytes: None, why };
    };
    let is_age = model.plan.probes.get(&backup.probe).is_some_and(|spec| spec.unit == Unit::Seconds);
    let at_reading =
        measured.value.filter(|_| is_age).and_then(|s| SignedDuration::try_from_secs_f64(s).ok());
    let copy_age = at_reading.map(|then| then + age(reading.at, now));
    let size_bytes = measured.number("size_bytes").map(|bytes| bytes.max(0.0) as u64);
    match (copy_age, backup.max_age) {
        (Some(copy_age), Some(limit)) if copy_age > limit && state != SignalState::Critical => {
            let why = format!(
                "last good copy is {} old, allowed {}",
                crate::units::duration(copy_age),
                crate::units::duration(limit)
            );
            BackupStanding { state: SignalState::Critical, age: Some(copy_age), size_bytes, why }
        }
        (None, Some(_)) if matches!(state, SignalState::Ok | SignalState::Warn) => BackupStanding {
            state: SignalState::Unknown,
            age: None,
            size_bytes,
            why: format!("the age of the last good copy is not known: {why}"),
        },
        _ => BackupStanding { state, age: copy_age, size_bytes, why },
    }
}
