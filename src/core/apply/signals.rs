//! Signals, and the regions and services that follow from them.

use crate::base::ids::{ProbeId, RegionId, RunId, ServiceId};
use crate::core::ask::loss_reading::LossReading;
use crate::core::ask::standing::{self, Course};
use crate::core::ask::{evidence, placement};
use crate::core::model::{Model, Switch};
use crate::core::words::reading::Reading;
use crate::core::words::signal::{SignalState, is_stale};
use crate::core::words::since_boot::{Clocks, SinceBoot};
use crate::plan::{Region, Service};
use jiff::{SignedDuration, Timestamp};

/// How many switches of the region that serves are kept; the journal has all of them.
const REMEMBERED_SWITCHES: usize = 100;

/// What two clocks of one host go apart by themselves.
const DRIFT: SignedDuration = SignedDuration::from_secs(2);

/// Why nobody knows how long ago a loss was measured.
const SET_BACK: &str = "before this host's clock was set back";
const STARTED_ANEW: &str = "before this host was restarted, or on another one";

/// Takes in a reading, as it was judged.
pub fn reading_taken(model: &mut Model, probe: &ProbeId, reading: &Reading, judged: SignalState) {
    model.live.recent.entry(probe.clone()).or_default().push(reading.clone(), judged);
    model.live.read_before_clock_set.remove(probe);
}

/// Takes in that this host's clock was set.
pub fn clock_set(model: &mut Model, at: Timestamp, by: SignedDuration, not_passed: SignedDuration) {
    // Times go on in this engine; the next one begins by what the clock shows.
    let before = model.durable.clock_ahead;
    model.durable.clock_ahead = (before - by).max(SignedDuration::ZERO);
    move_clock(model, (by - before).max(SignedDuration::ZERO));
    // What the clock leapt over did not pass.
    move_outages(model, -not_passed);
    if let Some(clocks) = &mut model.durable.clocks {
        clocks.at = clocks.at.checked_add(not_passed).unwrap_or(Timestamp::MAX);
    }
    model.live.clock_set_at = Some(at);
    model.live.read_before_clock_set = model.live.recent.keys().cloned().collect();
}

/// What steps were done at is compared with what is measured by the clock of now.
fn move_clock(model: &mut Model, by: SignedDuration) {
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    for state in incidents.flat_map(|incident| &mut incident.runs).flat_map(|run| run.steps.values_mut()) {
        state.clock_moved = state.clock_moved.saturating_add(by);
    }
}

/// What was kept of losses, and what does not work, lasts for longer by the time that passed since, which the clock does not
/// show where it was set back, and for no longer where it was set forward. The host's uptime tells it. Where that does not, as the host was started anew or this is
/// another one, nobody knows how long ago a loss was measured: a clock that nothing kept while the host was off is behind by
/// as long, and ahead of the journal.
pub fn redate(model: &mut Model, now: Timestamp, since_boot: Option<&SinceBoot>) {
    let seen = std::mem::take(&mut model.durable.clock_ahead);
    let clocks = since_boot.map(|since_boot| Clocks { at: now, since_boot: since_boot.clone() });
    let before = std::mem::replace(&mut model.durable.clocks, clocks);
    // Journals of before uptimes were recorded are read as they were then.
    let told = before.zip(model.durable.clocks.as_ref());
    let is_started_anew = told.as_ref().is_some_and(|(old, new)| !old.since_boot.goes_on(&new.since_boot));
    let fell_back = told.and_then(|(old, new)| old.fell_back(new));
    let moved = fell_back.map(|all| all.saturating_sub(seen)).filter(|moved| moved.abs() > DRIFT);
    let by = seen.saturating_add(moved.unwrap_or_default());
    let unseen = moved.filter(|moved| moved.is_positive());
    let last = model.durable.timeline.back().and_then(|event| event.at.checked_sub(by).ok());
    let is_before = since_boot.is_some() && last.is_some_and(|last| last.duration_since(now) > DRIFT);
    move_clock(model, -by);
    move_outages(model, by);
    let mut losses = std::mem::take(&mut model.durable.losses);
    for (probe, kept) in &mut losses {
        kept.set_back(by);
        let why = match (is_started_anew, is_before || kept.at > now) {
            (true, _) => Some(STARTED_ANEW),
            (false, true) => Some(SET_BACK),
            (false, false) => None,
        };
        match why.filter(|_| !is_closed(model, probe, kept, now)) {
            Some(why) => *kept = kept.undated(now, why),
            None => unseen.into_iter().for_each(|unseen| kept.say_older(unseen)),
        }
    }
    model.durable.losses = losses;
}

/// Since when something does not work, and how bad it is since when. When an incident was declared stays as it is: what acts
/// on servers tells by that whether it has done so.
fn move_outages(model: &mut Model, by: SignedDuration) {
    let durable = &mut model.durable;
    let moved = |time: &mut Timestamp| *time = time.checked_sub(by).unwrap_or(*time);
    let standings = durable.regions.values_mut().chain(durable.services.values_mut());
    standings.filter_map(|standing| standing.broken_since.as_mut()).for_each(moved);
    durable.severity.iter_mut().map(|(_, since, _)| since).chain(&mut durable.reason_since).for_each(moved);
    match &mut durable.incident {
        Some(incident) => moved(&mut incident.detected_at),
        None => durable.at_least_since.values_mut().for_each(moved),
    }
}

/// Whether a proven fence has closed a loss: what passed since is not in it.
fn is_closed(model: &Model, probe: &ProbeId, kept: &LossReading, now: Timestamp) -> bool {
    let loss = model.plan.probes.get(probe).map(|spec| evidence::estimate(model, spec, kept, true, now));
    loss.is_some_and(|loss| loss.fenced_at.is_some() && loss.on_word.is_none())
}

/// Takes in that a signal turned.
pub fn changed(model: &mut Model, at: Timestamp, probe: &ProbeId, to: SignalState, why: &str) {
    let Some(signal) = model.durable.signals.get_mut(probe) else { return };
    signal.state = to;
    signal.since = at;
    signal.critical_since = match to {
        SignalState::Critical => signal.critical_since.or(Some(at)),
        SignalState::Unknown => signal.critical_since,
        SignalState::Ok | SignalState::Warn => None,
    };
    signal.unknown_since = (to == SignalState::Unknown).then(|| signal.unknown_since.unwrap_or(at));
    signal.why = why.to_owned();
    // What was seen before a silence says nothing of what comes after it.
    if let (Some(spec), Some(recent)) = (model.plan.probes.get(probe), model.live.recent.get_mut(probe))
        && is_stale(spec, recent, at)
    {
        recent.streak = Default::default();
    }
    let everything = model.plan.policy.reference.contains(probe);
    recompute_status(model, at, |probes| everything || probes.contains(probe));
}

/// All signals become unknown: a new engine has not seen anything yet. What was unknown before goes on being so; under
/// another plan a probe may be another one, and one that a clock set wrong put into the future says nothing.
pub fn forget(model: &mut Model, at: Timestamp, same_plan: bool) {
    for signal in model.durable.signals.values_mut() {
        let unknown = signal.unknown_since.filter(|since| same_plan && *since <= at);
        signal.unknown_since = Some(unknown.unwrap_or(at));
        signal.state = SignalState::Unknown;
        signal.since = at;
        signal.why = "not measured since the engine started".into();
    }
    // Turns that a clock set wrong put into the future would count as recent for as long, and what broke then broke before.
    for standing in model.durable.regions.values_mut().chain(model.durable.services.values_mut()) {
        standing.turns.retain(|turn| *turn <= at);
        standing.broken_since = standing.broken_since.map(|since| since.min(at));
    }
    recompute_status(model, at, |_| true);
}

/// The region that is recorded to serve changed, by a run or a person's word: services stand where it is now.
pub fn activated(model: &mut Model, at: Timestamp, region: &RegionId, by: Option<&RunId>) {
    let is_new = model.serving() != Some(region);
    model.durable.active = Some(region.clone());
    model.durable.measured = None;
    let moves = placement::region_serves(model, by, at);
    if is_new {
        switched(model, at, region, by.cloned());
    } else if moves {
        recompute_all(model, at);
    }
}

fn switched(model: &mut Model, at: Timestamp, region: &RegionId, untold: Option<RunId>) {
    if model.durable.switches.len() == REMEMBERED_SWITCHES {
        model.durable.switches.remove(0);
    }
    // A move that was not told before it was over is not told after what ended it.
    model.durable.switches.iter_mut().for_each(|switch| switch.untold = None);
    model.durable.switches.push(Switch { at, region: region.clone(), untold });
    recompute_status(model, at, |_| true);
}

/// Another server is the primary, and perhaps another region serves.
pub fn primary_moved(
    model: &mut Model,
    at: Timestamp,
    probe: &ProbeId,
    before: Option<&ProbeId>,
    serves: Option<&RegionId>,
) {
    let primaries = &mut model.durable.primaries;
    primaries.retain(|known| known != probe && Some(known) != before);
    primaries.push(probe.clone());
    if let Some(region) = serves {
        super::acts::recorded(model, region);
        placement::region_measured(model, region, at);
        model.durable.measured = Some(region.clone()).filter(|_| model.durable.active.as_ref() != serves);
        switched(model, at, region, None);
    }
}

/// What regions and services stand on changed by something else than a signal.
pub fn recompute_all(model: &mut Model, at: Timestamp) {
    recompute_status(model, at, |_| true);
}

fn recompute_status(model: &mut Model, at: Timestamp, concerned: impl Fn(&[ProbeId]) -> bool) {
    let plan = model.plan.clone();
    let is_hit = |(_, region): &(&RegionId, &Region)| concerned(&region.health);
    for (id, region) in plan.regions.iter().filter(is_hit) {
        let status = standing::status(model, &region.health);
        if let Some(standing) = model.durable.regions.get_mut(id) {
            standing.update(status, at, Course::default());
        }
    }
    let is_hit =
        |(_, service): &(&ServiceId, &Service)| service.health.values().any(|probes| concerned(probes));
    let incident = model.durable.incident.as_ref();
    // What was called resolved and breaks again is lost anew.
    let is_resolved = incident.is_some_and(|incident| incident.resolved.is_some());
    let course = Course {
        detected: incident.map(|incident| incident.detected_at),
        settles_after: if is_resolved { SignedDuration::ZERO } else { plan.policy.cooldown },
    };
    for (id, service) in plan.services.iter().filter(is_hit) {
        let status = standing::service(model, id, service);
        if let Some(standing) = model.durable.services.get_mut(id) {
            standing.update(status, at, course);
        }
    }
}
