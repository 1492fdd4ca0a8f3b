//! What an irreversible step's guards and its runbook's loss would come to, by one reading of each probe now: a standby
//! that can never catch up is found on a quiet day, not in the night.

use super::Looks;
use super::another_day::AFTER_A_FAILOVER;
use super::step::peer;
use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::base::unanswered::{ENDLESS, Unanswered};
use crate::core::apply::apply;
use crate::core::ask::names::View;
use crate::core::ask::{outlook, promoting};
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::words::actor::Actor;
use crate::core::words::command::{Command, Report, Request};
use crate::core::words::fact::Event;
use crate::core::words::preflight::{Check, DEADLINE};
use crate::core::words::reading::{Field, Reading, Verdict};
use crate::plan::condition::Truth;
use crate::plan::{Plan, Runbook, Step};
use futures::future::join_all;
use jiff::SignedDuration;
use std::sync::Arc;
use tokio::time::timeout;

impl Looks<'_> {
    /// The checks of a step's guards and of what it would lose. Nothing for what can be taken back, nor in a simulated
    /// world, whose probes say what the scenario says.
    pub(super) async fn guards(&self, plan: &Plan, runbook: &Runbook, step: &Step) -> Vec<Check> {
        if !step.irreversible || self.world.simulation().is_some() {
            return Vec::new();
        }
        let named = step.guard.iter().flat_map(|guard| guard.references());
        let named = named.filter(|name| name.root == "signals").filter_map(|name| name.name.as_deref());
        let mut probes: Vec<ProbeId> = runbook.loss.clone();
        for probe in named.map(ProbeId::from) {
            if !probes.contains(&probe) {
                probes.push(probe);
            }
        }
        let readings = join_all(probes.iter().map(async |probe| self.reading(plan, probe).await)).await;
        let readings: Vec<(ProbeId, Reading)> = readings.into_iter().flatten().collect();
        let told = |(probe, _): &&(ProbeId, Reading)| runbook.loss.contains(probe);
        let mut checks: Vec<Check> = readings.iter().filter(told).map(loss).collect();
        checks.extend(self.hold(plan, step, readings));
        checks
    }

    async fn reading(&self, plan: &Plan, probe: &ProbeId) -> Option<(ProbeId, Reading)> {
        let spec = plan.probes.get(probe)?;
        let failed = |why: String| Problem::new(why, "Look at the probe on the overview.".to_owned());
        let outcome = match self.world.probe(spec) {
            Ok(made) => {
                let of = peer(&spec.params).map_or_else(String::new, |peer| format!(" from {peer}"));
                let late = || failed(format!("no answer{of} within {} s", DEADLINE.as_secs()));
                let run = self.pool.within(DEADLINE, async move { timeout(DEADLINE, made.run()).await });
                match run.await {
                    Ok(outcome) => outcome.unwrap_or_else(|_| Err(late())),
                    Err(Unanswered::Endless) => Err(failed(format!("{}: {ENDLESS}", late().why))),
                    Err(Unanswered::Broken) => Err(failed("lifeboat itself failed in it".to_owned())),
                }
            }
            Err(error) => Err(failed(error.to_string())),
        };
        let (at, took) = (self.world.clock().now(), SignedDuration::ZERO);
        Some((probe.clone(), Reading { at, took, outcome }))
    }

    /// The guards, evaluated as the engine would after these readings. One that does not hold now may be one that holds
    /// only in the night that it is for: that is a warning.
    fn hold(&self, plan: &Plan, step: &Step, readings: Vec<(ProbeId, Reading)>) -> Vec<Check> {
        let now = self.world.clock().now();
        let mut model = Model::new(Arc::new(plan.clone()));
        let unread: Vec<(ProbeId, String)> = readings
            .iter()
            .filter_map(|(probe, reading)| Some((probe.clone(), reading.outcome.as_ref().err()?.why.clone())))
            .collect();
        let command = Command::Report(Report::Observed(readings));
        for fact in decide(&model, &Request { at: now, by: Actor::Engine, command }).unwrap_or_default() {
            apply(&mut model, &Event { at: now, by: Actor::Engine, fact, record: None });
        }
        let view = View { model: &model, now };
        // Regions, services and incidents follow from more than these readings.
        let told =
            step.guard.iter().filter(|guard| guard.references().iter().all(|name| name.root == "signals"));
        told.map(|guard| {
            let what = format!("guard {}", guard.source());
            let next = "See whether it is to hold on a quiet day; if so, the step would be blocked now.";
            match promoting::guard(&model, step, None, guard, now) {
                Truth::True => Check::pass(what, "it holds now"),
                Truth::False => {
                    let values = outlook::values(&view, guard).join(", ");
                    Check::warn(what, format!("it does not hold now: {values}"), next)
                }
                Truth::Unknown(why) => {
                    let named = |probe: &ProbeId| {
                        guard.references().iter().any(|name| name.name.as_deref() == Some(probe.as_str()))
                    };
                    let unread = unread.iter().filter(|(probe, _)| named(probe));
                    let unread: String = unread.map(|(_, why)| format!("; {why}")).collect();
                    Check::warn(what, format!("it cannot be told now: {why}{unread}"), next)
                }
            }
        })
        .collect()
    }
}

/// What the probe of a loss says: critical, and nobody could tell what a promotion would lose.
fn loss((probe, reading): &(ProbeId, Reading)) -> Check {
    let what = format!("loss {probe}");
    let next = "Mend the replication: a promotion now would lose data, or nobody could say how much.";
    match &reading.outcome {
        Err(failure) => Check::fail(what, failure.why.clone(), failure.next.clone()),
        Ok(measured) => match &measured.verdict {
            Verdict::Good => Check::pass(what, measured.summary.clone()),
            Verdict::Warn(why) => Check::warn(what, why.clone(), next),
            // Of the way back, whose standby is the primary until there was a failover.
            Verdict::Critical(why) if measured.fields.get("in_recovery") == Some(&Field::Flag(false)) => {
                Check::warn(what, why.clone(), AFTER_A_FAILOVER)
            }
            Verdict::Critical(why) => Check::fail(what, why.clone(), next),
        },
    }
}
