//! Runs the plan's probes: one task each, never two runs of one probe at a time.

use crate::core::reading::{ProbeFailure, Reading};
use crate::ids::ProbeId;
use crate::plan::{Plan, ProbeSpec};
use crate::probes::{Built, Probe};
use crate::world::{Clock, World};
use futures::FutureExt;
use jiff::SignedDuration;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Probes that begin at once after a start; the others spread over their interval, so that a large plan
/// does not come as one blow.
const AT_ONCE: usize = 64;

/// Where readings go.
pub type ReadingSink = Arc<dyn Fn(ProbeId, Reading) + Send + Sync>;

/// Starts a task for each probe of the plan on the current runtime.
pub fn start(plan: &Plan, world: &Arc<dyn World>, sink: &ReadingSink) {
    let count = plan.probes.len().max(1);
    // All are made before the first one runs: those that are measured by one call know of each other from the start.
    let probes: Vec<_> = plan.probes.values().map(|spec| (spec.clone(), world.probe(spec))).collect();
    for (place, (spec, probe)) in probes.into_iter().enumerate() {
        let share = if place < AT_ONCE { 0.0 } else { place as f64 / count as f64 };
        let offset = spec.every.mul_f64(share);
        tokio::spawn(repeat(spec, probe, world.clock(), sink.clone(), offset));
    }
}

async fn repeat(
    spec: ProbeSpec,
    probe: Built,
    clock: Arc<dyn Clock>,
    sink: ReadingSink,
    offset: SignedDuration,
) {
    clock.sleep(offset).await;
    loop {
        let started = clock.now();
        let outcome = match &probe {
            Ok(probe) => once(&spec, probe.as_ref(), &clock).await,
            Err(error) => Err(ProbeFailure {
                why: error.to_string(),
                next: "Correct the plan and start the engine again.".into(),
            }),
        };
        let ended = clock.now();
        let took = ended.duration_since(started);
        sink(spec.id.clone(), Reading { at: ended, took, outcome });
        clock.sleep((spec.every - took).max(SignedDuration::from_millis(50))).await;
    }
}

async fn once(
    spec: &ProbeSpec,
    probe: &dyn Probe,
    clock: &Arc<dyn Clock>,
) -> Result<crate::core::reading::Measurement, ProbeFailure> {
    tokio::select! {
        result = AssertUnwindSafe(probe.run()).catch_unwind() => result.unwrap_or_else(|_| Err(ProbeFailure {
            why: format!("lifeboat itself failed in probe {}", spec.id),
            next: "Please report this.".into(),
        })),
        () = clock.sleep(spec.timeout) => Err(ProbeFailure {
            why: format!("no answer within {}", crate::units::duration(spec.timeout)),
            next: "See whether the network path from here works; raise `timeout` if the answer is only slow.".into(),
        }),
    }
}
