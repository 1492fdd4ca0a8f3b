//! What is known of a loss goes into the journal at the moments after which it may not be measured again: when an
//! incident is declared, when a run begins, when the primary goes out of sight, when it is fenced, and when the engine ends.

use crate::base::ids::ProbeId;
use crate::core::ask::evidence::{estimate, loss};
use crate::core::ask::loss_reading::{self, LossReading};
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::core::words::loss::LossEstimate;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// By how much more than twice the measured loss may be taken for lost before a better reading is noted: a look that
/// fails now and then is not worth a record each time.
const SLACK: SignedDuration = SignedDuration::from_secs(60);
/// The same once a fence has closed it, from when on it stays what it is.
const SLACK_FENCED: SignedDuration = SignedDuration::from_secs(1);

/// What has to be noted now, by each probe that tells a loss.
pub fn noted(model: &Model, now: Timestamp) -> Vec<Fact> {
    probes(model).into_iter().filter_map(|probe| noted_of(model, probe, now)).collect()
}

/// What the next engine has to know when this one ends in good order.
pub fn noted_at_the_end(model: &Model) -> Vec<Fact> {
    let last = |probe: &ProbeId| {
        let reading = loss_reading::measured(model, probe).filter(LossReading::is_known)?;
        let is_new = model.durable.losses.get(probe).is_none_or(|kept| kept.at < reading.at);
        is_new.then(|| Fact::LossNoted { probe: probe.clone(), reading: Some(reading) })
    };
    probes(model).into_iter().filter_map(last).collect()
}

/// Whether something of a probe has to be noted now.
pub fn is_due(model: &Model, probe: &ProbeId, now: Timestamp) -> bool {
    probes(model).contains(probe) && noted_of(model, probe, now).is_some()
}

fn probes(model: &Model) -> BTreeSet<&ProbeId> {
    model.plan.runbooks.values().flat_map(|runbook| &runbook.loss).collect()
}

fn noted_of(model: &Model, probe: &ProbeId, now: Timestamp) -> Option<Fact> {
    let spec = model.plan.probes.get(probe)?;
    let reading = loss_reading::measured(model, probe)?;
    let kept = model.durable.losses.get(probe);
    if !reading.is_known() && reading.of_more.is_none() {
        return kept.map(|_| Fact::LossNoted { probe: probe.clone(), reading: None });
    }
    let due = match kept {
        Some(kept) if kept.at >= reading.at => false,
        Some(kept) if begun(model).is_some_and(|begun| kept.at < begun) => true,
        // What was kept does not hold of the standby that is there now.
        Some(kept) if reading.of_more.is_some() && says_too_little(kept, &reading) => true,
        // What was known of the sender is not so any more.
        Some(kept) if kept.matched_sender.is_some() && reading.matched_sender.is_none() => true,
        Some(kept) => {
            let measured = loss(model, probe, now)?;
            is_last_look(&measured) && differs(&estimate(model, spec, kept, true, now), &measured, now)
        }
        None => begun(model).is_some() || loss(model, probe, now).is_some_and(|loss| is_last_look(&loss)),
    };
    due.then(|| Fact::LossNoted { probe: probe.clone(), reading: Some(reading) })
}

/// Whether the next engine would take what was kept for the loss of a standby that lacks more, until it has seen that. Each
/// such standby that follows is noted once it loses more than that.
fn says_too_little(kept: &LossReading, reading: &LossReading) -> bool {
    kept.of_more.is_none() || (kept.is_known() && !reading.is_known())
}

/// Since when somebody works on the open incident, or on its run.
fn begun(model: &Model) -> Option<Timestamp> {
    let incident = model.durable.incident.as_ref()?;
    let run = incident.open_run().map(|run| run.started_at);
    Some(run.map_or(incident.declared_at, |run| run.max(incident.declared_at)))
}

/// The primary is out of sight, or fenced.
fn is_last_look(loss: &LossEstimate) -> bool {
    loss.grows_from.is_some() || loss.fenced_at.is_some()
}

/// Whether what was kept tells so much else that a restart would change the decision.
fn differs(kept: &LossEstimate, measured: &LossEstimate, now: Timestamp) -> bool {
    let closed = |loss: &LossEstimate| loss.fenced_at.map(|at| (at, loss.span_min.is_some()));
    let slack = if measured.fenced_at.is_some() { SLACK_FENCED } else { SLACK };
    let nothing = |loss: &LossEstimate| loss.bytes == Some(0);
    closed(kept) != closed(measured)
        || (measured.fenced_at.is_some() && nothing(measured) && !nothing(kept))
        || kept.is_materially_worse(measured, now)
        || kept.span > measured.span.map(|span| span * 2 + slack)
}
