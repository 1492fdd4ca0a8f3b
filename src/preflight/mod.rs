//! Can each step of a plan be done now? Everything is asked that can be asked without changing anything; what
//! cannot be asked is said, never taken for a yes.

mod another_day;
mod guards;
mod step;
#[cfg(test)]
mod tests;

use crate::base::pool::Pool;
use crate::core::words::preflight::{Check, DEADLINE, Preflight, RegionChecks, StepChecks};
use crate::kinds::survey::{Conflict, Survey, Together};
use crate::plan::{Plan, Step};
use crate::providers::Provider;
use crate::world::World;
use another_day::{fences_of_another_day, never_right, way_back};
use futures::FutureExt;
use futures::future::join_all;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Steps of one region that are looked at together. A region that does not answer holds up its own steps only.
const TOGETHER: usize = 8;

/// What no preflight can see; whoever reads its results should know.
pub const NOT_SEEN: &[&str] = &[
    "Whether a change would succeed is known only by making it: what passes here can still fail.",
    "Of AWS permissions, the caller's own policies are simulated; service control policies are not seen, and \
     neither are resource policies and session policies.",
];

/// Looks at every step of a plan. What reaches outside runs in `pool`: a peer that sends without end keeps one of its
/// threads busy, and the look at it ends by its deadline all the same.
pub async fn run(plan: &Plan, world: &dyn World, pool: &Pool) -> Preflight {
    let (at, begun) = (world.clock().now(), Instant::now());
    let looks = Looks::new(plan, world, pool);
    // First of all: from here on they are masked, whoever says them.
    let secrets = looks.secrets_of(plan).await;
    let together = looks.together(plan).await;
    let conflicts: Vec<&Conflict> = together.iter().flat_map(|of| &of.conflicts).collect();
    let steps =
        plan.runbooks.iter().flat_map(|(id, book)| book.steps.values().map(move |step| (id, book, step)));
    let steps = join_all(steps.map(async |(runbook, book, step)| StepChecks {
        runbook: runbook.clone(),
        step: step.id.clone(),
        title: step.title.clone(),
        action: step.action.clone(),
        checks: {
            let mut checks = looks.at(step).await;
            let guards = looks.guards(plan, book, step).await;
            let of_this = |conflict: &&&Conflict| {
                conflict.steps.iter().any(|(book, id)| (book, id) == (runbook, &step.id))
            };
            match conflicts.iter().find(of_this) {
                Some(conflict) => {
                    checks.extend(guards);
                    never_right(conflict, checks)
                }
                None => {
                    checks = way_back(plan, book, step, checks);
                    checks.extend(guards);
                    checks
                }
            }
        },
    }));
    let (mut regions, mut steps) = futures::future::join(looks.regions(plan), steps).await;
    regions.extend(together.into_iter().filter_map(|of| of.checks));
    regions.extend(secrets);
    fences_of_another_day(plan, &mut steps);
    world.door().admit(Preflight {
        at,
        took: SignedDuration::try_from(begun.elapsed()).unwrap_or_default(),
        simulated: world.simulation().map(|simulation| simulation.scenario),
        regions,
        steps,
    })
}

/// What all looks share.
struct Looks<'w> {
    world: &'w dyn World,
    pool: &'w Pool,
    /// How many looks each region still takes.
    permits: HashMap<String, Semaphore>,
    /// What the technologies look at.
    surveys: Vec<(&'static Provider, Box<dyn Survey>)>,
}

impl<'w> Looks<'w> {
    fn new(plan: &Plan, world: &'w dyn World, pool: &'w Pool) -> Self {
        let steps = plan.runbooks.values().flat_map(|book| book.steps.values());
        let permits = steps.map(|step| (group(step), Semaphore::new(TOGETHER))).collect();
        let surveys = crate::providers::all().filter_map(|of| Some((of, world.survey(of)?))).collect();
        Self { world, pool, permits, surveys }
    }

    async fn together(&self, plan: &Plan) -> Vec<Together> {
        join_all(self.surveys.iter().map(|(_, survey)| survey.together(plan, self.pool))).await
    }

    async fn regions(&self, plan: &Plan) -> Vec<RegionChecks> {
        join_all(self.surveys.iter().map(|(_, survey)| survey.regions(plan))).await.concat()
    }

    /// What probes and channels need; a step says for itself what it lacks.
    async fn secrets_of(&self, plan: &Plan) -> Option<RegionChecks> {
        let (mut of_steps, mut others) = (Vec::new(), Vec::new());
        for (secret, users) in plan.secrets() {
            let by_step = users.iter().any(|user| user.starts_with("step "));
            if by_step { of_steps.push(secret) } else { others.push(secret) }
        }
        if let Some(resolver) = self.world.secrets() {
            // What does not come is said at its step.
            let _ = tokio::time::timeout(DEADLINE, resolver.learn_all(of_steps)).await;
        }
        let checks = self.secrets(&others).await;
        (!checks.is_empty()).then(|| RegionChecks { region: "secrets of probes and channels".into(), checks })
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
        looked.unwrap_or_else(|_| vec![broken()])
    }
}

/// What a panic in a look is told as.
fn broken() -> Check {
    let next = "Please report this with the step's plan.";
    Check::fail("the look itself", "lifeboat itself failed in it", next)
}

/// What can be slow together: the region that a step names, or the server, by the words of the plan.
fn group(step: &Step) -> String {
    step.params.text("region").map_or_else(|| step.action.clone(), str::to_owned)
}
