//! Freezing what was on the screen.

use crate::base::ids::ProbeId;
use crate::base::units;
use crate::core::ask::fencing::{self, Fenced};
use crate::core::ask::loss_reading::{self, Commits, LossReading, MAY_WRITE};
use crate::core::ask::servers::{self, Database, Server};
use crate::core::ask::{names, roles};
use crate::core::model::Model;
use crate::core::words::confirmation::{Evidence, LossEstimate};
use crate::core::words::incident::Incident;
use crate::core::words::loss::{DoubtedWord, OnWord, UNCHECKED};
use crate::core::words::signal::{SignalState, age, failing, is_stale};
use crate::plan::condition::Condition;
use crate::plan::kinds::Sees;
use crate::plan::{ProbeSpec, Runbook};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

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
    let failing = recent.and_then(|recent| failing(spec, signal.state, recent));
    let summary = match failing.filter(|_| signal.state != SignalState::Unknown) {
        Some((count, of)) => format!("failing {count} of {of}: {summary}"),
        None => summary,
    };
    let source = match &spec.region {
        Some(region) => format!("{}, {region}", spec.kind),
        None => spec.kind.clone(),
    };
    Some(Evidence {
        probe: probe.clone(),
        title: names::title(model, spec),
        state: signal.state,
        value,
        summary,
        measured_at: latest.map(|reading| reading.at),
        source,
        threshold: bounds(spec),
        failing: failing.filter(|_| signal.state != SignalState::Unknown),
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
    runbook.activates.is_none() || runbook.activates.as_ref() != model.serving()
}

/// What a failover would lose now, the one figure of every screen: that of the runbook that runs, where it moves
/// something; else the worst over those that could be used now; where there is none, over the others.
pub fn exposure(model: &Model, now: Timestamp) -> Option<LossEstimate> {
    let open = model.durable.incident.as_ref().and_then(Incident::open_run);
    let open = open.and_then(|run| model.plan.runbooks.get(&run.runbook));
    if let Some(runbook) = open.filter(|runbook| leads_away(model, runbook) && !runbook.loss.is_empty()) {
        return LossEstimate::worst(losses(model, runbook, now));
    }
    let databases = servers::databases(model, now);
    let worst = |away: bool, astray: bool| {
        let runbooks = model.plan.runbooks.values().filter(|runbook| leads_away(model, runbook) == away);
        let probes: BTreeSet<&ProbeId> = runbooks.flat_map(|runbook| &runbook.loss).collect();
        let probes = probes.into_iter().filter(|probe| is_astray(model, &databases, probe) == astray);
        LossEstimate::worst(probes.filter_map(|probe| loss(model, probe, now)))
    };
    if let Some(loss) = worst(true, false).or_else(|| worst(false, false)) {
        return Some(loss);
    }
    let astray = worst(true, true).or_else(|| worst(false, true))?;
    let basis = "what it is measured against is not the server that accepts writes";
    Some(LossEstimate::unknown(astray.probe, basis))
}

/// Whether a probe measures a standby against another server than the one that accepts writes now. Where no probe tells
/// who that is, or what the server is that it measures against, nobody knows.
fn is_astray(model: &Model, databases: &[Database<'_>], probe: &ProbeId) -> bool {
    let Some(spec) = model.plan.probes.get(probe).filter(|spec| spec.sees == Sees::Standby) else {
        return false;
    };
    let reversed = loss_reading::measured(model, probe).is_some_and(|told| told.reversed);
    let against = spec.params.get(if reversed { "dsn" } else { "primary" });
    let is_it = |server: &&Server<'_>| against.is_some() && server.probe.params.get("dsn") == against;
    databases.iter().any(|database| {
        let measured = database.iter().find(is_it);
        measured.zip(roles::writer(database)).is_some_and(|(measured, writer)| !writer.is(measured))
    })
}

/// Whether an estimate is one of today's direction: measured since another region last began to serve.
pub fn is_since_failover(model: &Model, loss: &LossEstimate) -> bool {
    let failover = model.durable.last_failover();
    loss.is_known() && failover.zip(loss.measured_at).is_some_and(|(failover, measured)| measured > failover)
}

/// What one probe tells of the loss: by what this engine measured, or else by what was known before it. While the primary
/// or the standby is not seen, what was written since may be lost too, so the upper end grows with the clock, up to the
/// moment from which the primary is fenced.
pub fn loss(model: &Model, probe: &ProbeId, now: Timestamp) -> Option<LossEstimate> {
    let spec = model.plan.probes.get(probe)?;
    let recent = model.live.recent.get(probe);
    if let Some(told) = loss_reading::measured(model, probe) {
        let failed =
            recent.and_then(|recent| recent.latest.as_ref()).is_some_and(|last| last.outcome.is_err());
        let stale = failed || recent.is_none_or(|recent| is_stale(spec, recent, now));
        return Some(estimate(model, spec, &told, stale, now));
    }
    if let Some(kept) = loss_reading::kept(model, probe) {
        // A fence that commits were seen after since does not close it.
        let commits = kept.commits().and(loss_reading::commits(model, probe));
        return Some(estimate_by(model, spec, &kept, commits, true, now));
    }
    let why = recent.map_or_else(|| "not measured yet".into(), |_| model.why(probe));
    Some(LossEstimate::unknown(probe.clone(), why))
}

/// What a reading tells of the loss at a later moment. `stale`: nothing was measured since.
pub fn estimate(
    model: &Model,
    spec: &ProbeSpec,
    told: &LossReading,
    stale: bool,
    now: Timestamp,
) -> LossEstimate {
    estimate_by(model, spec, told, told.commits(), stale, now)
}

fn estimate_by(
    model: &Model,
    spec: &ProbeSpec,
    told: &LossReading,
    commits: Commits,
    stale: bool,
    now: Timestamp,
) -> LossEstimate {
    let unseen = age(told.at, now);
    let mut loss = told.estimate(spec.id.clone());
    loss.restarted_at = model.durable.engine_started_at.filter(|started| told.at < *started);
    if stale {
        loss.basis = format!("{}; not seen for {}", loss.basis, units::duration(unseen));
    }
    let fence = fencing::fenced_primary(model, spec, told.reversed);
    let open = fence.as_ref().and_then(|fence| {
        doubt(told, commits, fence, spec).or_else(|| unchecked(model, fence, spec, told, now))
    });
    match fence {
        Some(fence) if open.is_none() => {
            let seen_since = told.at >= fence.by_clock_now && !told.is_range() && !stale;
            loss.on_word = told.most.filter(|_| !fence.proven && !seen_since).map(|most| OnWord {
                by: fence.by.clone(),
                most: most + unseen,
                from: now,
            });
            close(&mut loss, told, &fence);
        }
        fence if stale || told.is_range() => {
            loss.span = loss.span.map(|span| span + unseen);
            loss.grows_from = Some(now);
            let word = fence.filter(|fence| !fence.proven).zip(open);
            loss.doubted = word.map(|(fence, why)| DoubtedWord { by: fence.by, why });
        }
        _ => {}
    }
    loss
}

/// Why a fence is not believed: the primary was seen to accept writes since, or, where nobody looks at that, what the
/// standby holds reaches beyond the fence. None where it may be.
fn doubt(told: &LossReading, commits: Commits, fence: &Fenced, spec: &ProbeSpec) -> Option<String> {
    // A read-only server still commits what its own upkeep writes; one that is said to be off does not.
    let last = if fence.proven { commits.surely } else { commits.told };
    let beyond = || {
        let until = last.map(|last| last.strftime(" up to %H:%M:%S UTC").to_string());
        let until = until.unwrap_or_else(|| ", nobody knows up to when".into());
        // What it wrote by itself breaks a word as well; said once it is quiet, the word counts.
        let anew = if fence.proven {
            ""
        } else {
            " (its own upkeep too: once no more comes, r and a new word close it)"
        };
        format!("does not close this: {} holds what it wrote{until}{anew}", spec.title)
    };
    let at = fence.by_clock_now;
    // A look within the reading may be older than the reading by as long as it took.
    let soon = at.checked_add(spec.timeout).unwrap_or(at);
    if let Some(writable) = told.writable_at {
        let is_off = last.is_none_or(|last| last <= soon);
        let seen = writable.strftime("does not close this: it was seen to accept writes at %H:%M:%S UTC");
        let seen = (writable > soon).then(|| seen.to_string());
        return seen.or_else(|| (!is_off).then(beyond));
    }
    let is_within = match fence.proven {
        true => last.is_none_or(|last| last <= soon),
        false => last.is_some_and(|last| last <= at),
    };
    (told.is_range() && !is_within).then(beyond)
}

/// Why a person's word of a fence cannot be checked: the standby streams on from a server that may be the fenced one under
/// another address, or one in between. None where it can, or nothing arrives that would have to be.
fn unchecked(
    model: &Model,
    fence: &Fenced,
    spec: &ProbeSpec,
    told: &LossReading,
    now: Timestamp,
) -> Option<String> {
    if fence.proven {
        return None;
    }
    let sender = loss_reading::unmatched_sender(model, &spec.id)?;
    let address = spec.params.get(if told.reversed { "dsn" } else { "primary" });
    let databases = servers::databases(model, now);
    let is_it = |server: &&Server<'_>| address.is_some() && server.probe.params.get("dsn") == address;
    // Where a probe of its own sees it, that says what it does.
    let is_seen = databases.iter().flatten().find(is_it).is_some_and(|server| server.seen.is_some());
    let why = || {
        format!(
            "{UNCHECKED}: {} streams from {sender}, which may be that server (stop that stream at the standby, or \
             give `primary` in the plan this address, and it counts)",
            spec.title
        )
    };
    (!is_seen).then(why)
}

/// Nothing was written after the fence: the upper end is what it was then.
fn close(loss: &mut LossEstimate, told: &LossReading, fence: &Fenced) {
    let seen_since = told.at >= fence.by_clock_now && !told.is_range();
    if let Some(most) = told.most {
        let least = if told.is_range() { told.least.unwrap_or_default() } else { SignedDuration::ZERO };
        // What was missing when it was last heard of it wrote before the fence: it stood idle from then on.
        let idle =
            told.heard_at.filter(|_| fence.proven).map(|heard| heard.duration_since(fence.by_clock_now));
        let least = (least - idle.unwrap_or_default().max(SignedDuration::ZERO)).max(SignedDuration::ZERO);
        let closed = (most + fence.by_clock_now.duration_since(told.at)).max(least);
        loss.span = Some(closed);
        // What is missing is known where both were seen; how much was written between the last look and the fence nobody saw.
        if !seen_since {
            let is_range = least < closed;
            loss.bytes = if is_range { None } else { loss.bytes_min.or(loss.bytes) };
            loss.bytes_min = loss.bytes_min.filter(|_| is_range);
            loss.span_min = is_range.then_some(least);
        }
    }
    loss.fenced_at = Some(fence.at);
    let before = loss.basis.replace(MAY_WRITE, "nothing kept it from writing");
    // Where it is a word, whose it is stands beside the figure.
    loss.basis = match fence.proven {
        true => format!("fenced by \"{}\", proven; before that: {before}", fence.title),
        false => format!("by a word alone; before: {}", before.trim_start_matches("estimate: ")),
    };
}

/// Whether evidence changed enough that somebody should look again: a state turned.
pub fn changed(then: &[Evidence], now: &[Evidence]) -> Option<String> {
    then.iter().zip(now).find(|(then, now)| then.state != now.state).map(|(then, now)| {
        let word = |state: SignalState| state.as_str();
        format!("{} was {} and is {} now", then.title, word(then.state), word(now.state))
    })
}
