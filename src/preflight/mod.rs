//! Can each step of a plan be done now? Everything is asked that can be asked without changing anything; what
//! cannot be asked is said, never taken for a yes.

#[cfg(feature = "aws")]
pub mod aws;
mod guards;
mod step;
#[cfg(test)]
mod tests;

use crate::actions::ALREADY_PRIMARY;
use crate::core::preflight::{Check, Checked, Preflight, StepChecks};
use crate::plan::{Plan, Runbook, Step};
use crate::world::World;
use futures::FutureExt;
use futures::future::join_all;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long each question may take: reading a target, an action's own checks, a secret, a permission.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// Steps of one region that are looked at together. A region that does not answer holds up its own steps only.
const TOGETHER: usize = 8;

/// What no preflight can see; whoever reads its results should know.
pub const NOT_SEEN: &[&str] = &[
    "Whether a change would succeed is known only by making it: what passes here can still fail.",
    "Of AWS permissions, the caller's own policies are simulated; service control policies are not seen, and \
     neither are resource policies and session policies.",
];

/// Looks at every step of a plan.
pub async fn run(plan: &Plan, world: &dyn World) -> Preflight {
    let (at, begun) = (world.clock().now(), Instant::now());
    let looks = Looks::new(plan, world);
    let steps =
        plan.runbooks.iter().flat_map(|(id, book)| book.steps.values().map(move |step| (id, book, step)));
    let steps = join_all(steps.map(async |(runbook, book, step)| StepChecks {
        runbook: runbook.clone(),
        step: step.id.clone(),
        title: step.title.clone(),
        action: step.action.clone(),
        checks: {
            let mut checks = way_back(plan, book, step, looks.at(step).await);
            checks.extend(looks.guards(plan, book, step).await);
            checks
        },
    }));
    let (regions, steps) = futures::future::join(looks.regions(plan), steps).await;
    world.door().admit(Preflight {
        at,
        took: SignedDuration::try_from(begun.elapsed()).unwrap_or_default(),
        simulated: world.simulation().map(|simulation| simulation.scenario),
        regions,
        steps,
    })
}

/// A runbook that leads to the region that serves already is for another day: that its server is the primary is right
/// then, and no failing. Which server lives there is told by the probe that watches it.
fn way_back(plan: &Plan, book: &Runbook, step: &Step, mut checks: Vec<Check>) -> Vec<Check> {
    let dsn = step.params.get("dsn").filter(|_| step.promotes());
    let mut watching = plan.probes.values().filter(|probe| dsn.is_some() && probe.params.get("dsn") == dsn);
    let leads_there = book.activates.is_some() && watching.any(|probe| probe.region == book.activates);
    for check in checks.iter_mut().filter(|check| leads_there && check.what == ALREADY_PRIMARY.0) {
        if let Checked::Fail(seen) = &check.result
            && seen == ALREADY_PRIMARY.1
        {
            check.result =
                Checked::Warn(format!("{seen}: its region serves, this runbook is the way back to it"));
            check.next = "Nothing, while it serves. Run preflight again after a failover.".into();
        }
    }
    checks
}

/// What all looks share.
struct Looks<'w> {
    world: &'w dyn World,
    /// How many looks each region still takes.
    permits: HashMap<String, Semaphore>,
    #[cfg(feature = "aws")]
    iam: aws::Iam,
}

impl<'w> Looks<'w> {
    fn new(plan: &Plan, world: &'w dyn World) -> Self {
        let steps = plan.runbooks.values().flat_map(|book| book.steps.values());
        let permits = steps.map(|step| (group(step), Semaphore::new(TOGETHER))).collect();
        Self {
            world,
            permits,
            #[cfg(feature = "aws")]
            iam: aws::Iam::default(),
        }
    }

    /// All checks of a step; a panic in them is a check that fails.
    async fn at(&self, step: &Step) -> Vec<Check> {
        let permits = self.permits.get(&group(step));
        // It is never closed; without a permit the look would only be less polite.
        let _permit = match permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let looked = AssertUnwindSafe(self.look(step)).catch_unwind().await;
        let broken = || {
            let why = "lifeboat itself failed in it";
            vec![Check::fail("the look itself", why, "Please report this with the step's plan.")]
        };
        looked.unwrap_or_else(|_| broken())
    }

    #[cfg(feature = "aws")]
    async fn regions(&self, plan: &Plan) -> Vec<crate::core::preflight::RegionChecks> {
        match self.world.clients() {
            Some(clients) => aws::callers(aws::places(plan, clients)).await,
            None => Vec::new(),
        }
    }

    #[cfg(not(feature = "aws"))]
    async fn regions(&self, _: &Plan) -> Vec<crate::core::preflight::RegionChecks> {
        Vec::new()
    }
}

/// What can be slow together: the region that a step names, or the server, by the words of the plan.
fn group(step: &Step) -> String {
    step.params.text("region").map_or_else(|| step.action.clone(), str::to_owned)
}
