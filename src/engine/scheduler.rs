//! Runs the plan's probes: one task each, never two runs of one probe at a time.

use crate::core::reading::{ProbeFailure, Reading};
use crate::ids::ProbeId;
use crate::plan::{Plan, ProbeSpec};
use crate::probes::{Built, Probe};
use crate::world::{Clock, Door, World};
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
        let together = probe.as_ref().is_ok_and(|probe| probe.shares_its_call());
        let share = if place < AT_ONCE || together { 0.0 } else { place as f64 / count as f64 };
        let offset = spec.every.mul_f64(share);
        let sink = guarded(world.door(), sink.clone());
        tokio::spawn(repeat(spec, probe, world.clock(), sink, offset));
    }
}

/// The same sink, through the door.
fn guarded(door: Door, sink: ReadingSink) -> ReadingSink {
    Arc::new(move |probe, reading| sink(probe, door.admit(reading)))
}

async fn repeat(
    spec: ProbeSpec,
    probe: Built,
    clock: Arc<dyn Clock>,
    sink: ReadingSink,
    offset: SignedDuration,
) {
    clock.sleep(offset).await;
    let began = clock.now();
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
        clock.sleep(until_next(ended.duration_since(began), spec.every)).await;
    }
}

/// How long until the next run: all are due at whole intervals after the first, so that probes which began together
/// stay together.
fn until_next(elapsed: SignedDuration, every: SignedDuration) -> SignedDuration {
    let every_ms = every.as_millis().max(1);
    let mut left_ms = every_ms - elapsed.as_millis().rem_euclid(every_ms);
    // A timer that fires a moment early, or a run that took all of its interval: not two runs in one moment.
    if left_ms < every_ms / 10 {
        left_ms += every_ms;
    }
    SignedDuration::from_millis(i64::try_from(left_ms).unwrap_or(i64::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_due_at_whole_intervals_however_long_they_take() {
        let ms = SignedDuration::from_millis;
        let every = ms(10_000);
        assert_eq!(until_next(ms(120), every), ms(9_880));
        assert_eq!(until_next(ms(30_250), every), ms(9_750));
        assert_eq!(until_next(ms(19_990), every), ms(10_010), "not two runs in one moment");
        assert_eq!(until_next(ms(-3_000), every), ms(3_000), "a clock that was set back");
    }
}
