//! Readings become facts: each is taken, and some turn a signal.

use crate::base::ids::ProbeId;
use crate::core::ask::roles::{self, Role};
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::core::words::reading::Reading;
use crate::core::words::signal::{Recent, SignalState, judge, next_state};
use crate::plan::ProbeSpec;

/// Whether the reading before was bad only because its server should have been something else then: by what is expected
/// of it now it was as good as this one.
fn has_turned(spec: &ProbeSpec, expected: Option<Role>, recent: &Recent, judged: SignalState) -> bool {
    let last = recent.latest.as_ref().filter(|_| recent.streak.was_worse(judged));
    last.is_some_and(|last| judge(spec, expected, last).0.concern() <= judged.concern())
}

/// The facts of a batch of readings. A probe appears once in a batch; readings of probes that the plan does
/// not have are dropped. A reference probe loses its ok with the first reading that is not: it vouches for the
/// console's own sight, and must not do so for longer than others take to be called down.
pub fn observed(model: &Model, readings: &[(ProbeId, Reading)]) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(readings.len());
    let never = Recent::default();
    for (probe, reading) in readings {
        let Some(spec) = model.plan.probes.get(probe) else { continue };
        let state = model.state(probe);
        let expected = roles::expected_of(model, spec, reading.at);
        let (judged, why) = judge(spec, expected, reading);
        let recent = model.live.recent.get(probe).unwrap_or(&never);
        let is_reference = model.plan.policy.reference.contains(probe);
        let fail_after = if is_reference && state == SignalState::Ok { 1 } else { spec.fail_after };
        let recover_after = if has_turned(spec, expected, recent, judged) { 1 } else { spec.recover_after };
        let to = next_state((fail_after, recover_after), state, recent, judged);
        facts.push(Fact::ReadingTaken { probe: probe.clone(), reading: reading.clone(), judged });
        if to != state {
            let why = if to == judged { why } else { format!("its last readings differ; the latest: {why}") };
            facts.push(Fact::SignalChanged { probe: probe.clone(), from: state, to, why });
        }
    }
    facts
}
