//! Readings become facts: each is taken, and some turn a signal.

use crate::core::fact::Fact;
use crate::core::model::Model;
use crate::core::reading::Reading;
use crate::core::signal::{Recent, judge, moves};
use crate::ids::ProbeId;

/// The facts of a batch of readings. A probe appears once in a batch; readings of probes that the plan does
/// not have are dropped.
pub fn observed(model: &Model, readings: &[(ProbeId, Reading)]) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(readings.len());
    let never = Recent::default();
    for (probe, reading) in readings {
        let Some(spec) = model.plan.probes.get(probe) else { continue };
        let state = model.state(probe);
        let (judged, why) = judge(spec, reading);
        let recent = model.live.recent.get(probe).unwrap_or(&never);
        let turns = judged != state && moves(spec, state, recent, judged);
        facts.push(Fact::ReadingTaken { probe: probe.clone(), reading: reading.clone(), judged });
        if turns {
            facts.push(Fact::SignalChanged { probe: probe.clone(), from: state, to: judged, why });
        }
    }
    facts
}
