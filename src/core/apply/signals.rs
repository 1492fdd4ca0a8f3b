//! Signals, and the regions and services that follow from them.

use crate::core::model::Model;
use crate::core::reading::Reading;
use crate::core::signal::{SignalState, is_stale};
use crate::core::standing;
use crate::ids::{ProbeId, RegionId, ServiceId};
use crate::plan::{Region, Service};
use jiff::Timestamp;

pub fn reading_taken(model: &mut Model, probe: &ProbeId, reading: &Reading, judged: SignalState) {
    model.live.recent.entry(probe.clone()).or_default().push(reading.clone(), judged);
}

pub fn changed(model: &mut Model, at: Timestamp, probe: &ProbeId, to: SignalState, why: &str) {
    let Some(signal) = model.durable.signals.get_mut(probe) else { return };
    signal.state = to;
    signal.since = at;
    signal.why = why.to_owned();
    // What was seen before a silence says nothing of what comes after it.
    if let (Some(spec), Some(recent)) = (model.plan.probes.get(probe), model.live.recent.get_mut(probe))
        && is_stale(spec, recent, at)
    {
        recent.streak = Default::default();
    }
    let everything = model.plan.policy.reference.contains(probe);
    restand(model, at, |probes| everything || probes.contains(probe));
}

/// All signals become unknown: a new engine has not seen anything yet.
pub fn forget(model: &mut Model, at: Timestamp) {
    for signal in model.durable.signals.values_mut() {
        signal.state = SignalState::Unknown;
        signal.since = at;
        signal.why = "not measured since the engine started".into();
    }
    // Turns that a clock set wrong put into the future would count as recent for as long.
    for standing in model.durable.regions.values_mut().chain(model.durable.services.values_mut()) {
        standing.turns.retain(|turn| *turn <= at);
    }
    restand(model, at, |_| true);
}

/// The region that serves changed: services stand where it is now.
pub fn activated(model: &mut Model, at: Timestamp, region: &RegionId) {
    model.durable.active = Some(region.clone());
    restand(model, at, |_| true);
}

fn restand(model: &mut Model, at: Timestamp, concerned: impl Fn(&[ProbeId]) -> bool) {
    let plan = model.plan.clone();
    let is_hit = |(_, region): &(&RegionId, &Region)| concerned(&region.health);
    for (id, region) in plan.regions.iter().filter(is_hit) {
        let status = standing::status(model, &region.health);
        if let Some(standing) = model.durable.regions.get_mut(id) {
            standing.update(status, at);
        }
    }
    let is_hit =
        |(_, service): &(&ServiceId, &Service)| service.health.values().any(|probes| concerned(probes));
    for (id, service) in plan.services.iter().filter(is_hit) {
        let status = standing::service(model, service);
        if let Some(standing) = model.durable.services.get_mut(id) {
            standing.update(status, at);
        }
    }
}
