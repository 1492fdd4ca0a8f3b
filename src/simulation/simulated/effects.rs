//! What a step does to the simulated world.

use super::roles;
use crate::base::ids::RegionId;
use crate::core::ask::divergence;
use crate::plan::kinds::{Does, Sees};
use crate::plan::params::Params;
use crate::plan::{Plan, ProbeSpec, Runbook, Step};
use crate::simulation::scenario::{Attempts, Change, Fault, ProbeState, Reaction, Scenario, Trigger};
use indexmap::IndexSet;
use jiff::SignedDuration;

/// Where neither scenario nor plan says how long a step takes.
const USUAL: SignedDuration = SignedDuration::from_secs(5);

/// What the kind of action does by itself, whatever the scenario adds.
pub(super) fn of_kind(plan: &Plan, step: &Step, params: &Params) -> Option<Change> {
    let region = roles::database_of(plan, step, params)?;
    match step.does {
        Does::Promotes => Some(Change::Promoted(region)),
        Does::Fences => Some(Change::Fenced(region)),
        Does::Unfences => Some(Change::Unfenced(region)),
        _ => None,
    }
}

/// The regions whose servers a step brings back: it takes a fence around them back, and is no step that only lets them
/// write again, or makes one of them the primary.
pub(super) fn rebuilt(plan: &Plan, step: &Step) -> Vec<Change> {
    if step.promotes() || step.is_fence() || step.does == Does::Unfences {
        return Vec::new();
    }
    let servers = divergence::taken_back(plan, step).into_iter().filter_map(|probe| plan.probes.get(probe));
    // A replication probe watches the primary from the standby's region.
    let watching = servers.filter(|spec| spec.sees != Sees::Standby);
    let regions: IndexSet<&RegionId> = watching.filter_map(|spec| spec.region.as_ref()).collect();
    regions.into_iter().map(|region| Change::Rebuilt(region.clone())).collect()
}

/// What watches the workloads that a step scales, with as many pods as it asks for.
pub(super) fn scaled(plan: &Plan, step: &Step, params: &Params) -> Vec<Change> {
    let Some(each) = params.number("replicas").filter(|_| step.does == Does::Scales) else {
        return Vec::new();
    };
    let region = |params: &Params| params.text("context").map(str::to_owned);
    let names = |params: &Params| -> Vec<String> {
        let bare = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        params.texts("names").into_iter().map(bare).collect()
    };
    let scaled = names(params);
    let watches = |spec: &&ProbeSpec| {
        let context = region(&spec.params).or(spec.region.as_ref().map(ToString::to_string));
        let watched = names(&spec.params);
        spec.sees == Sees::Workloads
            && context == region(params)
            && spec.params.get("namespace") == params.get("namespace")
            && !watched.is_empty()
            && watched.iter().all(|name| scaled.contains(name))
    };
    let value = |spec: &ProbeSpec| each * names(&spec.params).len() as f64;
    let of = |spec: &ProbeSpec| {
        Change::Probe(spec.id.clone(), ProbeState::Value { value: value(spec), per_second: 0.0 })
    };
    plan.probes.values().filter(watches).map(of).collect()
}

/// The endpoints outside of every region that prove a step which moves services answer from where it moves them.
pub(super) fn routes(plan: &Plan, step: &Step) -> Vec<Change> {
    let Some(region) = step.serves.values().next() else { return Vec::new() };
    let references = step.verify.iter().flat_map(|proof| proof.references());
    let named = references.filter(|reference| reference.root == "signals");
    let probes = named.filter_map(|reference| plan.probes.get(reference.name.as_deref()?));
    let public = probes.filter(|spec| roles::follows_traffic(plan, spec));
    public.map(|spec| Change::Routed(spec.id.clone(), region.clone())).collect()
}

/// Where a step sends everybody that the plan says switches; none where several runbooks with that step lead to
/// different regions.
pub(super) fn switched(plan: &Plan, step: &Step) -> Option<Change> {
    let of_step =
        |runbook: &&Runbook| runbook.steps.get(&step.id).is_some_and(|own| own.switches && own == step);
    let mut regions = plan.runbooks.values().filter(of_step).filter_map(|runbook| runbook.activates.as_ref());
    let region = regions.next()?;
    regions.all(|other| other == region).then(|| Change::Traffic(region.clone()))
}

/// The reactions of a scenario to a step.
pub(super) fn reactions<'s>(scenario: &'s Scenario, step: &Step) -> impl Iterator<Item = &'s Reaction> {
    let is_meant = |trigger: &Trigger| match trigger {
        Trigger::Step(id) => *id == step.id,
        Trigger::Action(kind) => *kind == step.action,
    };
    scenario.reactions.iter().filter(move |reaction| is_meant(&reaction.trigger))
}

/// How an attempt at a step goes wrong, if it does.
pub(super) fn fault<'s>(scenario: &'s Scenario, step: &Step, attempt: u32) -> Option<&'s Fault> {
    let strikes = |fault: &&Fault| fault.attempts == Attempts::Always || attempt == 1;
    reactions(scenario, step).filter_map(|reaction| reaction.fault.as_ref()).find(strikes)
}

/// How long a step takes: as the scenario says, or as the plan estimates; always within its deadline.
pub(super) fn takes(scenario: &Scenario, step: &Step) -> SignedDuration {
    let said = reactions(scenario, step).find_map(|reaction| reaction.takes);
    let takes = said.or(scenario.steps_take).or(step.estimate).unwrap_or(USUAL);
    takes.min(step.timeout * 4 / 5)
}

/// The call of a kind that this build does not know, in words.
pub(super) fn unknown_call(step: &Step, params: &Params) -> String {
    let keys: Vec<&str> = params.0.keys().map(String::as_str).collect();
    format!("{} with {}", step.action, if keys.is_empty() { "nothing".into() } else { keys.join(", ") })
}
