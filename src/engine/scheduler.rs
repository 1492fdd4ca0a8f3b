//! Runs the plan's probes: one task each, never two runs of one probe at a time.

use crate::base::ids::ProbeId;
use crate::base::pool::{Cut, Outside, Pool};
use crate::base::problem::Problem;
use crate::base::units;
use crate::core::words::reading::{Measurement, Reading, Verdict};
use crate::kinds::probe::Probe;
use crate::plan::kinds::BuildError;
use crate::plan::{Plan, ProbeSpec};
use crate::world::{Clock, Door, World};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Probes that begin at once after a start; the others spread over their interval, so that a large plan
/// does not come as one blow.
const AT_ONCE: usize = 64;

/// Where readings go.
pub type ReadingSink = Arc<dyn Fn(ProbeId, Reading) + Send + Sync>;

/// Starts a task for each probe of the plan on the current runtime; what it reaches outside with runs in a pool.
pub fn start(plan: &Plan, world: &Arc<dyn World>, outside: &Outside, sink: &ReadingSink) {
    let count = plan.probes.len().max(1);
    // All are made before the first one runs: those that are measured by one call know of each other from the start.
    let probes: Vec<_> = plan.probes.values().map(|spec| (spec.clone(), world.probe(spec))).collect();
    for (place, (spec, probe)) in probes.into_iter().enumerate() {
        let together = probe.as_ref().is_ok_and(|probe| probe.shares_its_call());
        let share = if place < AT_ONCE || together { 0.0 } else { place as f64 / count as f64 };
        let offset = spec.every.mul_f64(share);
        let sink = guarded(world.door(), sink.clone());
        let probe = probe.map(Arc::from);
        let (pool, clock) = (outside.probes.clone(), world.clock());
        let runs = Runs { spec, probe, pool, apart: None, is_late: false, clock, cut: None };
        tokio::spawn(runs.repeat(sink, offset));
    }
}

/// The same sink, through the door.
fn guarded(door: Door, sink: ReadingSink) -> ReadingSink {
    Arc::new(move |probe, reading| sink(probe, door.admit(reading)))
}

/// The runs of one probe.
struct Runs {
    spec: ProbeSpec,
    probe: Result<Arc<dyn Probe>, BuildError>,
    pool: Pool,
    /// Where it runs after a run that was late: a library's task may go on after the run was cut off. Kept once it was
    /// made, with the connections that live there.
    apart: Option<Pool>,
    is_late: bool,
    clock: Arc<dyn Clock>,
    /// The run that was cut off last, and when.
    cut: Option<(Cut, Timestamp)>,
}

impl Runs {
    async fn repeat(mut self, sink: ReadingSink, offset: SignedDuration) {
        self.clock.sleep(offset).await;
        let began = self.clock.now();
        loop {
            let started = self.clock.now();
            let outcome = self.once().await;
            let ended = self.clock.now();
            let took = ended.duration_since(started);
            sink(self.spec.id.clone(), Reading { at: ended, took, outcome });
            self.clock.sleep(until_next(ended.duration_since(began), self.spec.every)).await;
        }
    }

    async fn once(&mut self) -> Result<Measurement, Problem> {
        let probe = match &self.probe {
            Ok(probe) => probe.clone(),
            Err(error) => {
                return Err(Problem {
                    why: error.to_string(),
                    next: "Correct the plan and start the engine again.".into(),
                });
            }
        };
        let started = self.clock.now();
        if let Some((cut, at)) = &self.cut
            && !cut.has_ended()
        {
            return Err(not_ended(started.duration_since(*at)));
        }
        let pool = match self.is_late {
            true => self.apart.get_or_insert_with(|| self.pool.apart("late")),
            false => &self.pool,
        };
        let pool = pool.clone();
        let stood = pool.stood_still();
        let mut call = pool.call(async move { probe.run().await });
        let outcome = tokio::select! {
            outcome = &mut call => outcome.unwrap_or_else(|| Err(Problem {
                why: format!("lifeboat itself failed in probe {}", self.spec.id),
                next: "Please report this.".into(),
            })),
            () = self.clock.sleep(self.spec.timeout) => {
                self.cut = call.cut().map(|cut| (cut, self.clock.now()));
                Err(Problem {
                    why: format!("no answer within {}", units::duration(self.spec.timeout)),
                    next: "See whether the network path from here works; raise `timeout` if the answer is only slow."
                        .into(),
                })
            }
        };
        let stood = pool.stood_still().saturating_sub(stood).try_into().unwrap_or(SignedDuration::MAX);
        if stood < self.spec.timeout / 2 {
            // A probe's own deadline comes somewhat before the engine's.
            let took = self.clock.now().duration_since(started);
            self.is_late = took >= self.spec.timeout.mul_f64(0.8);
        }
        by_whose_fault(outcome, stood, self.spec.timeout)
    }
}

/// A run that goes on after it was cut off: there are never two of one probe.
fn not_ended(cut_for: SignedDuration) -> Problem {
    Problem {
        why: format!(
            "its last run was cut off {} ago and has not ended: what answers sends without end, or this host is too busy",
            units::age(cut_for)
        ),
        next: "Look at what answers there, and at this host's load. It is measured again once that run has ended.".into(),
    }
}

/// What is bad by a measurement that stood still on this side for half of its time says nothing of the other side.
fn by_whose_fault(
    outcome: Result<Measurement, Problem>,
    stood: SignedDuration,
    timeout: SignedDuration,
) -> Result<Measurement, Problem> {
    match outcome {
        Ok(measured) if stood >= timeout / 2 && measured.verdict != Verdict::Good => Err(Problem {
            why: format!(
                "measured too late: on this host nothing that reaches outside went on for {}",
                units::duration(stood)
            ),
            next: "Look at this host's load, and at probes whose last run has not ended.".into(),
        }),
        outcome => outcome,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_by_this_host_is_unknown_and_what_is_good_all_the_same_counts() {
        let (ms, timeout) = (SignedDuration::from_millis, SignedDuration::from_secs(2));
        let silent = || Ok(Measurement::critical("no answer within 1.8 s"));
        assert!(by_whose_fault(silent(), ms(900), timeout).is_ok());
        let failure = by_whose_fault(silent(), ms(1_200), timeout).unwrap_err();
        assert!(failure.why.contains("on this host"), "{failure}");
        assert!(by_whose_fault(Ok(Measurement::good("200")), ms(1_200), timeout).is_ok());
    }

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
