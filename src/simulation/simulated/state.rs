//! What happened in the simulated world so far, and how things are at a moment: a fold over the changes.

use crate::base::ids::{ProbeId, RegionId, StepId};
use crate::plan::kinds::Sees;
use crate::plan::{Plan, ProbeSpec, RegionRole};
use crate::simulation::scenario::{Change, ProbeState, RegionState, Scenario};
use crate::simulation::simulated::roles;
use crate::world::later;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// What happened, and what is to come by itself.
pub(super) struct History {
    changes: Vec<(Timestamp, Change)>,
    attempts: HashMap<StepId, u32>,
    done: HashSet<StepId>,
}

impl History {
    /// The events of a scenario that starts at `start`.
    pub(super) fn new(scenario: &Scenario, start: Timestamp) -> Self {
        let mut history = Self { changes: Vec::new(), attempts: HashMap::new(), done: HashSet::new() };
        for event in &scenario.events {
            history.change(later(start, event.after), event.changes.iter().cloned());
        }
        history
    }

    /// Adds changes that come at a time; of two at the same time the one added later wins.
    pub(super) fn change(&mut self, at: Timestamp, changes: impl IntoIterator<Item = Change>) {
        self.changes.extend(changes.into_iter().map(|change| (at, change)));
        self.changes.sort_by_key(|(at, _)| *at);
    }

    /// Counts an attempt at a step, from 1.
    pub(super) fn attempt(&mut self, step: &StepId) -> u32 {
        let attempts = self.attempts.entry(step.clone()).or_default();
        *attempts = attempts.saturating_add(1);
        *attempts
    }

    /// The step did what it does.
    pub(super) fn finish(&mut self, step: &StepId) {
        self.done.insert(step.clone());
    }

    pub(super) fn is_done(&self, step: &StepId) -> bool {
        self.done.contains(step)
    }

    /// How things are at a moment.
    pub(super) fn state(&self, plan: &Plan, now: Timestamp) -> State {
        let mut state = State::default();
        for (at, change) in self.changes.iter().take_while(|(at, _)| *at <= now) {
            state.apply(plan, change, *at);
        }
        state
    }
}

/// How things are at a moment. What is not mentioned is as on a good day.
#[derive(Default)]
pub(super) struct State {
    probes: HashMap<ProbeId, (ProbeState, Timestamp)>,
    regions: HashMap<RegionId, (RegionState, Timestamp)>,
    promoted: HashMap<RegionId, Timestamp>,
    rebuilt: HashMap<RegionId, Timestamp>,
    /// The timeline that was begun last, from 1, and those of the regions that left the first one.
    timelines: (u32, HashMap<RegionId, u32>),
    fenced: HashMap<RegionId, Timestamp>,
    traffic: Option<RegionId>,
    routes: HashMap<ProbeId, RegionId>,
}

/// How one thing is now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Health {
    Normal,
    Down,
    Unreachable,
    Value(f64),
}

impl State {
    fn apply(&mut self, plan: &Plan, change: &Change, at: Timestamp) {
        match change {
            Change::Region(region, state) => {
                self.regions.insert(region.clone(), (*state, at));
                for (probe, state) in spread(plan, region, *state) {
                    self.probes.insert(probe, (state, at));
                }
            }
            Change::Probe(probe, state) => {
                self.probes.insert(probe.clone(), (*state, at));
            }
            Change::Traffic(region) => self.traffic = Some(region.clone()),
            Change::Routed(probe, region) => {
                self.routes.insert(probe.clone(), region.clone());
            }
            Change::Promoted(region) => {
                if self.role(plan, Some(region)) == "standby" {
                    self.timelines.0 = self.timeline_begun() + 1;
                    self.timelines.1.insert(region.clone(), self.timelines.0);
                }
                self.rebuilt.remove(region);
                // An operator that makes a cluster the primary lets it take writes.
                if has_operator(plan, region) {
                    self.fenced.remove(region);
                }
                self.promoted.entry(region.clone()).or_insert(at);
            }
            Change::Fenced(region) => {
                self.fenced.entry(region.clone()).or_insert(at);
            }
            Change::Unfenced(region) => {
                self.fenced.remove(region);
            }
            Change::Rebuilt(region) => {
                self.fenced.remove(region);
                // While nobody took its place there is nobody whom it could follow.
                if self.promoted.keys().any(|other| other != region) {
                    self.promoted.remove(region);
                    self.rebuilt.insert(region.clone(), at);
                    self.timelines.1.insert(region.clone(), self.timeline_begun());
                }
            }
        }
    }

    /// How the thing is that a probe looks at.
    pub(super) fn health(&self, plan: &Plan, spec: &ProbeSpec, now: Timestamp) -> Health {
        match self.probes.get(&spec.id) {
            Some((state, since)) => health(*state, *since, now),
            None if roles::follows_traffic(plan, spec) => self.serving_health(plan, spec, now),
            None => Health::Normal,
        }
    }

    /// Since when a probe's subject is as it is; none when nothing has happened to it.
    pub(super) fn changed_at(&self, probe: &ProbeId) -> Option<Timestamp> {
        self.probes.get(probe).map(|(_, at)| *at)
    }

    /// How public endpoints are: as the region that has the traffic, or theirs.
    fn serving_health(&self, plan: &Plan, spec: &ProbeSpec, now: Timestamp) -> Health {
        let region = self
            .routes
            .get(&spec.id)
            .or(self.traffic.as_ref())
            .or_else(|| roles::first(plan, RegionRole::Primary));
        match region.and_then(|region| self.regions.get(region)) {
            Some((RegionState::Down, _)) => Health::Down,
            Some((RegionState::Unreachable, _)) => Health::Unreachable,
            Some((RegionState::Flapping(period), since)) => {
                health(ProbeState::Flapping(*period), *since, now)
            }
            Some((RegionState::Up | RegionState::Partial, _)) | None => Health::Normal,
        }
    }

    /// Whether nothing in a region can be measured from here.
    pub(super) fn is_unreachable(&self, region: Option<&RegionId>) -> bool {
        let state = region.and_then(|region| self.regions.get(region));
        matches!(state, Some((RegionState::Unreachable, _)))
    }

    /// Since when the databases of a region do not answer: with the region, or by themselves.
    pub(super) fn database_down_since(
        &self,
        plan: &Plan,
        region: &RegionId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let of_region = self.regions.get(region).and_then(|(state, since)| match state {
            RegionState::Up | RegionState::Partial | RegionState::Unreachable => None,
            RegionState::Down => Some(*since),
            RegionState::Flapping(period) => down_phase(*period, *since, now),
        });
        let servers = plan.probes.values().filter(|spec| spec.sees == Sees::Server);
        let of_region_or_server = servers
            .filter(|spec| spec.region.as_ref() == Some(region))
            .filter_map(|spec| self.probes.get(&spec.id))
            .filter_map(|(state, since)| match state {
                ProbeState::Down => Some(*since),
                ProbeState::Flapping(period) => down_phase(*period, *since, now),
                _ => None,
            });
        of_region_or_server.chain(of_region).min()
    }

    /// When the databases of a region were promoted.
    pub(super) fn promoted_at(&self, region: Option<&RegionId>) -> Option<Timestamp> {
        self.promoted.get(region?).copied()
    }

    /// What the databases of a region are, `primary` or `standby`.
    pub(super) fn role(&self, plan: &Plan, region: Option<&RegionId>) -> &'static str {
        let role = region.and_then(|region| plan.regions.get(region)).map(|region| region.role);
        let is_rebuilt = self.rebuilt_at(region).is_some();
        let follows = (role == Some(RegionRole::Standby) || is_rebuilt) && self.promoted_at(region).is_none();
        if follows { "standby" } else { "primary" }
    }

    /// When the databases of a region were made standbys of the region that was promoted.
    pub(super) fn rebuilt_at(&self, region: Option<&RegionId>) -> Option<Timestamp> {
        self.rebuilt.get(region?).copied()
    }

    /// The timeline that the databases of a region write or follow; a promotion begins the next one.
    pub(super) fn timeline(&self, region: Option<&RegionId>) -> u32 {
        region.and_then(|region| self.timelines.1.get(region)).copied().unwrap_or(1)
    }

    fn timeline_begun(&self) -> u32 {
        self.timelines.0.max(1)
    }

    /// Whether the databases of a region were told to take no writes.
    pub(super) fn is_fenced(&self, region: Option<&RegionId>) -> bool {
        region.is_some_and(|region| self.fenced.contains_key(region))
    }
}

fn has_operator(plan: &Plan, region: &RegionId) -> bool {
    plan.probes
        .values()
        .any(|spec| spec.sees == Sees::OperatedCluster && spec.region.as_ref() == Some(region))
}

/// What a region's state means for what is measured in it.
fn spread(plan: &Plan, region: &RegionId, state: RegionState) -> Vec<(ProbeId, ProbeState)> {
    let inside = plan.probes.values().filter(|spec| spec.region.as_ref() == Some(region));
    let remote = inside.filter(|spec| !spec.sees.is_of_this_host());
    let mut endpoints = 0;
    let of_each = remote.map(|spec| {
        // Copies that a provider keeps in a region and lists there.
        let is_kept = spec.sees == Sees::Copies;
        let state = match state {
            RegionState::Up => ProbeState::Normal,
            // What is kept in it may well be there, but nobody tells.
            RegionState::Down if is_kept => ProbeState::Unreachable,
            RegionState::Down => ProbeState::Down,
            RegionState::Unreachable => ProbeState::Unreachable,
            RegionState::Flapping(period) => ProbeState::Flapping(period),
            RegionState::Partial if is_kept || spec.sees.is_database() => ProbeState::Normal,
            RegionState::Partial => {
                endpoints += 1;
                if endpoints % 2 == 1 { ProbeState::Down } else { ProbeState::Normal }
            }
        };
        (spec.id.clone(), state)
    });
    of_each.collect()
}

fn health(state: ProbeState, since: Timestamp, now: Timestamp) -> Health {
    match state {
        ProbeState::Normal => Health::Normal,
        ProbeState::Down => Health::Down,
        ProbeState::Unreachable => Health::Unreachable,
        ProbeState::Value { value, per_second } => {
            Health::Value(value + per_second * now.duration_since(since).as_secs_f64())
        }
        ProbeState::Flapping(period) if down_phase(period, since, now).is_some() => Health::Down,
        ProbeState::Flapping(_) => Health::Normal,
    }
}

/// When the current phase began, if it is one in which a flapping thing is down: the first half of each period.
fn down_phase(period: SignedDuration, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let period_ms = period.as_millis().max(2);
    let into_ms = now.duration_since(since).as_millis().rem_euclid(period_ms);
    let begun = SignedDuration::from_millis(-i64::try_from(into_ms).ok()?);
    (into_ms < period_ms / 2).then(|| later(now, begun))
}
