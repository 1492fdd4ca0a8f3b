//! Preflights: can each step of the plan be done now.

use crate::base::problem::Problem;
use crate::core::ask::{divergence, servers};
use crate::core::model::Model;
use crate::core::words::actor::Actor;
use crate::core::words::fact::{Fact, PREFLIGHT_NAMES};
use crate::core::words::preflight::{Check, Preflight};
use crate::core::words::signal::age;
use crate::plan::{ProbeSpec, Step};
use jiff::{SignedDuration, Timestamp};

/// One that takes longer than this has lost its answer; every call in it has a shorter deadline.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(3);

/// What a preflight begins with.
///
/// # Errors
/// While another one goes on.
pub fn begin(model: &Model, now: Timestamp) -> Result<Vec<Fact>, Problem> {
    match &model.live.preflighting {
        Some((since, by)) if age(*since, now) < LOST_AFTER => Err(Problem::new(
            format!("a preflight is under way already, {by} asked for it"),
            "Its results come by themselves.",
        )),
        _ => Ok(vec![Fact::PreflightStarted]),
    }
}

/// What its end comes to.
pub fn ended(model: &Model, found: &Preflight) -> Vec<Fact> {
    let mut found = found.clone();
    for step in &mut found.steps {
        let own = model.plan.runbooks.get(&step.runbook).and_then(|runbook| runbook.steps.get(&step.step));
        if let Some(own) = own {
            step.checks.extend(apart(model, own));
            step.checks.extend(led_away(model, own));
        }
    }
    let asked_by = model.live.preflighting.as_ref().map_or(Actor::Engine, |(_, by)| by.clone());
    let mut failing = found.failing();
    failing.truncate(PREFLIGHT_NAMES);
    let simulated = found.simulated.is_some();
    vec![
        Fact::PreflightRan { asked_by, tally: found.tally(), failing, simulated },
        Fact::PreflightFound { preflight: Box::new(found) },
    ]
}

/// The data that went apart and that a step may throw away: nothing that a preflight can read says so.
fn apart(model: &Model, step: &Step) -> Vec<Check> {
    let splits = divergence::open(model).into_iter().filter(|split| divergence::rebuilds(model, split, step));
    let next = "Compare both first, and record what became of the data (E in the console, or `lifeboat serves --answer`).";
    splits.map(|split| Check::warn("data that went apart is dealt with", split.sentence(), next)).collect()
}

/// A step whose server's address leads to the one that serves: it would act on that.
fn led_away(model: &Model, step: &Step) -> Vec<Check> {
    let dsn = step.params.get("dsn");
    let acts_there = |spec: &&ProbeSpec| dsn.is_some() && spec.params.get("dsn") == dsn;
    let is_meant =
        |spec: &&ProbeSpec| acts_there(spec) || (step.is_fence() && step.fences.contains(&spec.id));
    let meant = model.plan.probes.values().filter(is_meant);
    let mut away = meant.filter_map(|spec| Some((spec, servers::leads_to(model, spec)?)));
    let check = |(spec, other): (&ProbeSpec, &ProbeSpec)| {
        let seen = format!(
            "the address of {} leads to {} now, which serves: it would act on that one",
            spec.title, other.title
        );
        Check::warn("address", seen, "Give the step and its probe an address of that server's own.")
    };
    away.next().map(check).into_iter().collect()
}
