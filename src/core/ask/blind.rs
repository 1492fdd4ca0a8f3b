//! Telling "they are down" from "I am blind".

use crate::core::model::Model;
use crate::core::words::signal::SignalState;
use jiff::Timestamp;

/// Since when the console is blind: none of the plan's reference probes is ok. A plan without reference
/// probes is never blind, and `lifeboat check` warns of it.
pub fn since(model: &Model) -> Option<Timestamp> {
    let signals = model.plan.policy.reference.iter().filter_map(|id| model.durable.signals.get(id));
    let mut latest = None;
    for signal in signals {
        if signal.state == SignalState::Ok {
            return None;
        }
        latest = latest.max(signal.unknown_since().or(Some(signal.since)));
    }
    latest
}
