//! What did not work, for how long, against which objective.

use super::left;
use super::markdown::{items, table, text, time};
use super::story::{Outage, Story};
use crate::base::ids::ProbeId;
use crate::base::units;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::signal::SignalState;
use indexmap::IndexMap;
use jiff::Timestamp;

pub(super) fn impact(story: &Story) -> Vec<String> {
    let mut lines = services(story);
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let apart = left::diverged(story);
    if !apart.is_empty() {
        lines.extend(items(apart));
        lines.push(String::new());
    }
    let signals = signals(story);
    if signals.is_empty() {
        lines.push("No signal turned.".into());
    }
    lines.extend(signals);
    let losses = losses(story);
    if !losses.is_empty() {
        lines.push(String::new());
        lines.extend(losses);
    }
    lines
}

fn services(story: &Story) -> Vec<String> {
    let row = |outage: &Outage| {
        let spec = story.plan.services.get(&outage.service);
        let title = spec.map_or(outage.service.as_str(), |service| &service.title);
        let passed = outage.until.unwrap_or(story.until).duration_since(outage.from);
        let verdict = match (spec, outage.until) {
            (Some(service), _) if passed > service.rto => "**exceeded**",
            (Some(_), Some(_)) => "met",
            (Some(_), None) => "not over",
            (None, _) => "",
        };
        vec![
            text(title),
            time(outage.from),
            outage.until.map_or_else(|| "still broken".into(), time),
            units::duration(passed),
            spec.map_or_else(String::new, |service| units::duration(service.rto)),
            verdict.into(),
        ]
    };
    let rows: Vec<Vec<String>> = story.outages.iter().map(row).collect();
    table(&["service", "broken from", "until", "for", "RTO", "target"], &rows)
}

/// How a signal turned in the course of an incident.
struct Turned {
    first: Timestamp,
    worst: SignalState,
    why: String,
    turns: usize,
    last: (Timestamp, SignalState),
}

fn signals(story: &Story) -> Vec<String> {
    let mut turned: IndexMap<&ProbeId, Turned> = IndexMap::new();
    for Event { at, fact, .. } in &story.events {
        let Fact::SignalChanged { probe, to, why, .. } = fact else { continue };
        if *to == SignalState::Ok && !turned.contains_key(probe) {
            continue;
        }
        let known = turned.entry(probe).or_insert_with(|| Turned {
            first: *at,
            worst: *to,
            why: why.clone(),
            turns: 0,
            last: (*at, *to),
        });
        known.turns += 1;
        known.last = (*at, *to);
        if to.concern() > known.worst.concern() {
            (known.worst, known.why) = (*to, why.clone());
        }
    }
    let row = |(probe, turned): (&ProbeId, &Turned)| {
        let spec = story.plan.probes.get(probe);
        let region = spec.and_then(|spec| spec.region.as_ref());
        let (at, state) = turned.last;
        vec![
            text(spec.map_or(probe.as_str(), |spec| &spec.title)),
            region.map_or_else(String::new, |region| text(region.as_str())),
            time(turned.first),
            turned.worst.as_str().to_owned(),
            text(&turned.why),
            turned.turns.to_string(),
            format!("{} since {}", state.as_str(), time(at)),
        ]
    };
    let rows: Vec<Vec<String>> = turned.iter().map(|(probe, turned)| row((probe, turned))).collect();
    table(&["signal", "region", "first turned", "worst", "why", "turns", "at the end"], &rows)
}

/// What was shown to be lost when steps were confirmed.
fn losses(story: &Story) -> Vec<String> {
    let steps = story.incident.runs.iter().flat_map(|run| &run.steps);
    let confirmed = steps.filter(|(_, state)| state.attempt > 0);
    let losses = confirmed.flat_map(|(id, state)| {
        let bundle = state.confirmation.iter();
        bundle.flat_map(move |bundle| bundle.losses.iter().map(move |loss| (id, loss)))
    });
    let row = |(id, loss): (&crate::base::ids::StepId, &crate::core::words::confirmation::LossEstimate)| {
        vec![
            text(id.as_str()),
            text(&loss.sentence()),
            text(&loss.basis),
            loss.measured_at.map_or_else(|| "never measured".into(), time),
        ]
    };
    let rows: Vec<Vec<String>> = losses.map(row).collect();
    table(&["confirmed step", "data lost, as estimated then", "by", "measured"], &rows)
}
