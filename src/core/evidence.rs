//! Freezing what was on the screen.

use crate::core::confirmation::{Evidence, LossEstimate};
use crate::core::model::Model;
use crate::core::reading::{Measurement, Reading};
use crate::core::signal::{Recent, SignalState, age, is_stale};
use crate::ids::ProbeId;
use crate::plan::condition::Condition;
use crate::plan::{ProbeSpec, Runbook};
use crate::units;
use jiff::{SignedDuration, Timestamp};

/// A signal as it is now.
pub fn freeze(model: &Model, probe: &ProbeId) -> Option<Evidence> {
    let spec = model.plan.probes.get(probe)?;
    let signal = model.durable.signals.get(probe)?;
    let recent = model.live.recent.get(probe);
    let latest = recent.and_then(|recent| recent.latest.as_ref());
    let measured = latest.and_then(|reading| reading.outcome.as_ref().ok());
    let value = measured.and_then(|m| m.value).map_or_else(String::new, |v| units::value(v, spec.unit));
    let summary = match latest.map(|reading| &reading.outcome) {
        Some(Ok(measured)) => measured.summary.clone(),
        Some(Err(failure)) => failure.why.clone(),
        None => signal.why.clone(),
    };
    let source = match &spec.region {
        Some(region) => format!("{}, {region}", spec.kind),
        None => spec.kind.clone(),
    };
    Some(Evidence {
        probe: probe.clone(),
        title: spec.title.clone(),
        state: signal.state,
        value,
        summary,
        measured_at: latest.map(|reading| reading.at),
        source,
        threshold: bounds(spec),
    })
}

/// The bounds of a probe in words; empty where it has none.
pub fn bounds(spec: &ProbeSpec) -> String {
    let side = if spec.thresholds.below { "below " } else { "" };
    let bound =
        |name, value: Option<f64>| value.map(|v| format!("{name} {side}{}", units::value(v, spec.unit)));
    let parts = [bound("warn", spec.thresholds.warn), bound("critical", spec.thresholds.critical)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The signals that conditions read, each once, in their order.
pub fn of_conditions(model: &Model, conditions: &[Condition]) -> Vec<Evidence> {
    let mut probes: Vec<ProbeId> = Vec::new();
    for reference in conditions.iter().flat_map(Condition::references) {
        let read: Vec<ProbeId> = match (reference.root.as_str(), reference.name.as_deref()) {
            ("signals", Some(name)) => vec![ProbeId::from(name)],
            ("regions", Some(name)) => model.plan.regions.get(name).map_or(Vec::new(), |r| r.health.clone()),
            ("backups", Some(name)) => {
                model.plan.backups.get(name).map_or(Vec::new(), |b| vec![b.probe.clone()])
            }
            _ => Vec::new(),
        };
        for probe in read {
            if !probes.contains(&probe) {
                probes.push(probe);
            }
        }
    }
    probes.iter().filter_map(|probe| freeze(model, probe)).collect()
}

/// What is lost if the runbook's failover happens now, by each probe that can tell.
pub fn losses(model: &Model, runbook: &Runbook, now: Timestamp) -> Vec<LossEstimate> {
    runbook.loss.iter().filter_map(|probe| loss(model, probe, now)).collect()
}

/// Whether a runbook could be used now: what leads to the region that serves already measures nothing yet.
pub fn leads_away(model: &Model, runbook: &Runbook) -> bool {
    runbook.activates.is_none() || runbook.activates != model.durable.active
}

/// The worst exposure over all probes that the loss of some runbook that could be used now is told by; where there is
/// no such probe, over those of the others; none where the plan has none.
pub fn exposure(model: &Model, now: Timestamp) -> Option<LossEstimate> {
    let worst = |away: bool| {
        let runbooks = model.plan.runbooks.values().filter(|runbook| leads_away(model, runbook) == away);
        let losses = runbooks.flat_map(|runbook| losses(model, runbook, now));
        losses.max_by_key(|loss| (loss.span.is_none() && loss.bytes.is_none(), loss.span, loss.bytes))
    };
    worst(true).or_else(|| worst(false))
}

/// What one probe tells of the loss. While it cannot measure, what was written since its last measurement
/// may be lost too, so the span grows with that measurement's age.
fn loss(model: &Model, probe: &ProbeId, now: Timestamp) -> Option<LossEstimate> {
    let spec = model.plan.probes.get(probe)?;
    let nothing = |basis: &str| LossEstimate {
        probe: probe.clone(),
        span: None,
        bytes: None,
        basis: basis.into(),
        measured_at: None,
    };
    let Some(recent) = model.live.recent.get(probe) else { return Some(nothing("not measured yet")) };
    let Some((reading, measured)) = last_measurement(recent) else {
        return Some(nothing(&model.why(probe)));
    };
    let fresh =
        !is_stale(spec, recent, now) && recent.latest.as_ref().is_some_and(|latest| latest.outcome.is_ok());
    let unseen = if fresh { SignedDuration::ZERO } else { age(reading.at, now) };
    let span = measured.number("exposure_s").and_then(|s| SignedDuration::try_from_secs_f64(s.max(0.0)).ok());
    let basis = measured.text("exposure_basis").unwrap_or(&measured.summary);
    Some(LossEstimate {
        probe: probe.clone(),
        span: span.map(|span| span + unseen),
        bytes: measured.number("exposure_bytes").map(|bytes| bytes.max(0.0) as u64),
        basis: if fresh {
            basis.into()
        } else {
            format!("{basis}; not seen for {}", units::duration(unseen))
        },
        measured_at: Some(reading.at),
    })
}

fn last_measurement(recent: &Recent) -> Option<(&Reading, &Measurement)> {
    let reading = recent.measured()?;
    Some((reading, reading.outcome.as_ref().ok()?))
}

/// Whether evidence changed enough that somebody should look again: a state turned.
pub fn changed(then: &[Evidence], now: &[Evidence]) -> Option<String> {
    then.iter().zip(now).find(|(then, now)| then.state != now.state).map(|(then, now)| {
        let word = |state: SignalState| state.as_str();
        format!("{} was {} and is {} now", then.title, word(then.state), word(now.state))
    })
}
