//! Preflights: can each step of the plan be done now.

use crate::core::actor::Actor;
use crate::core::fact::{Fact, PREFLIGHT_NAMES};
use crate::core::model::Model;
use crate::core::preflight::Preflight;
use crate::core::refusal::Refusal;
use crate::core::signal::age;
use jiff::{SignedDuration, Timestamp};

/// One that takes longer than this has lost its answer; every call in it has a shorter deadline.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(3);

pub fn begin(model: &Model, now: Timestamp) -> Result<Vec<Fact>, Refusal> {
    match &model.live.preflighting {
        Some((since, by)) if age(*since, now) < LOST_AFTER => Err(Refusal::new(
            format!("a preflight is under way already, {by} asked for it"),
            "Its results come by themselves.",
        )),
        _ => Ok(vec![Fact::PreflightStarted]),
    }
}

pub fn ended(model: &Model, found: &Preflight) -> Vec<Fact> {
    let asked_by = model.live.preflighting.as_ref().map_or(Actor::Engine, |(_, by)| by.clone());
    let mut failing = found.failing();
    failing.truncate(PREFLIGHT_NAMES);
    let simulated = found.simulated.is_some();
    vec![
        Fact::PreflightRan { asked_by, tally: found.tally(), failing, simulated },
        Fact::PreflightFound { preflight: Box::new(found.clone()) },
    ]
}
