//! Examples of probes, steps and channels, in a plan that the loader reads.

use super::plans::{load, plan_of};
use crate::base::ids::{ProbeId, RegionId};
use crate::base::units::Unit;
use crate::plan::params::Params;
use crate::plan::{Channel, Diagnostic, Diagnostics, Level, Plan, ProbeSpec, Step, Thresholds};
use jiff::SignedDuration;

const BASE: &str = include_str!("plans/example.toml");

/// A plan with this in it, read by the loader.
fn plan(text: &str) -> Plan {
    plan_of(&[BASE, text])
}

/// The same, or what the loader finds wrong with it.
fn loaded(text: &str) -> Result<Plan, Diagnostics> {
    Ok(load(&[BASE, text])?.plan)
}

/// The probe of `[probes.example]`, or what the loader finds wrong with it.
pub fn try_probe(text: &str) -> Result<ProbeSpec, Diagnostics> {
    Ok(loaded(text)?.probes["example"].clone())
}

/// What the loader finds wrong with a probe with these keys: for each error its code, line and words. The first of the
/// keys is in line 3.
pub fn refused(kind: &str, keys: &str) -> Vec<(&'static str, usize, String)> {
    let problems = match try_probe(&format!("[probes.example]\nkind = \"{kind}\"\n{keys}")) {
        Ok(_) => return Vec::new(),
        Err(problems) => problems,
    };
    let line = |problem: &Diagnostic| {
        problem.place.as_ref().map_or(0, |(place, _)| problems.sources().position(*place).line)
    };
    let errors = problems.iter().filter(|problem| problem.level == Level::Error);
    errors.map(|problem| (problem.code, line(problem), problem.message.clone())).collect()
}

/// The probe of `[probes.example]`.
pub fn probe(text: &str) -> ProbeSpec {
    plan(text).probes["example"].clone()
}

/// The parameters of a probe with these keys.
pub fn probe_params(kind: &str, keys: &str) -> Params {
    probe(&format!("[probes.example]\nkind = \"{kind}\"\n{keys}")).params
}

/// The first step of `runbooks.example`.
pub fn step(text: &str) -> Step {
    try_step(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The same, or what the loader finds wrong with it.
pub fn try_step(text: &str) -> Result<Step, Diagnostics> {
    Ok(loaded(&in_runbook(text))?.runbooks["example"].steps[0].clone())
}

fn in_runbook(steps: &str) -> String {
    format!("{steps}\n[runbooks.example]\ntitle = \"Example\"\n")
}

/// The same step of another kind.
pub fn of_kind(step: Step, action: &str) -> Step {
    Step { action: action.into(), does: crate::providers::action(action).unwrap().does, ..step }
}

/// The channel of `[channels.example]`.
pub fn channel(text: &str) -> Channel {
    plan(text).channels["example"].clone()
}

/// A probe of the plan's standby region with a time-out of `timeout_ms`.
pub fn spec(kind: &str, params: Params, timeout_ms: i64) -> ProbeSpec {
    ProbeSpec {
        id: ProbeId::new("example"),
        kind: kind.into(),
        sees: crate::providers::probe(kind).unwrap().sees,
        title: "Example".into(),
        region: Some(RegionId::new("dr")),
        database: None,
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_millis(timeout_ms),
        thresholds: Thresholds::default(),
        unit: Unit::Number,
        fail_after: 1,
        recover_after: 1,
        stale_after: SignedDuration::from_secs(60),
        params,
    }
}
