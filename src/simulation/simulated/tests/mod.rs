//! A world that the test moves.

mod actions;
mod readings;

use super::*;
use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::core::words::action::{Acted, Done, Failure};
use crate::core::words::reading::{Field, Verdict};
use crate::kinds::action::{Action, Conditions, Context};
use crate::plan::condition::{Condition, Truth};
use crate::plan::params::Param;
pub(crate) use crate::testing::every_kind as plan;
use crate::testing::of_kind;
use crate::world::ManualClock;
use jiff::SignedDuration;
use std::sync::Mutex as StdMutex;

const START: i64 = 1_790_000_000;

/// A world that the test moves.
struct Scene {
    plan: Arc<Plan>,
    world: SimulatedWorld,
    clock: Arc<ManualClock>,
    lines: Arc<StdMutex<Vec<String>>>,
    context: Context,
}

struct NoSignals;

impl Conditions for NoSignals {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("no signals here".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        futures::future::pending().boxed()
    }
    fn sleep(&self, _: SignedDuration) -> BoxFuture<'_, ()> {
        futures::future::pending().boxed()
    }
}

fn scene(scenario: &str) -> Scene {
    scene_of(plan(), scenario)
}

fn scene_of(plan: Plan, scenario: &str) -> Scene {
    let plan = Arc::new(plan);
    let scenario = Scenario::parse(&format!("name = \"x\"\ntitle = \"x\"\n{scenario}"), "x.toml", &plan);
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(START).unwrap()));
    let (context, lines) = crate::testing::context(60_000);
    Scene {
        world: SimulatedWorld::with_clock(plan.clone(), scenario.unwrap(), clock.clone()),
        plan,
        clock,
        lines,
        context: Context { conditions: Arc::new(NoSignals), ..context },
    }
}

impl Scene {
    fn run(&self, probe: &str) -> Result<Measurement, Problem> {
        let probe = self.world.probe(&self.plan.probes[probe]).unwrap();
        probe.run().now_or_never().unwrap()
    }

    fn read(&self, probe: &str) -> Measurement {
        self.run(probe).unwrap()
    }

    fn is_down(&self, probe: &str) -> bool {
        matches!(self.read(probe).verdict, Verdict::Critical(_))
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn action(&self, step: &str) -> Box<dyn Action> {
        let step = &self.plan.runbooks["failover"].steps[step];
        self.world.action(step, &step.params).unwrap()
    }

    /// Describes and executes a step, letting time pass until it ends; a new attempt each time.
    fn execute(&self, step: &str) -> Result<Done, Failure> {
        let action = self.action(step);
        let target = action.describe().now_or_never().unwrap()?.target;
        let mut running = action.execute(&target, &self.context);
        for _ in 0..100 {
            if let Some(ended) = (&mut running).now_or_never() {
                return ended;
            }
            self.pass(1);
        }
        panic!("{step} does not end");
    }

    fn verify(&self, step: &str) -> bool {
        let action = self.action(step);
        let target = action.describe().now_or_never().unwrap().unwrap().target;
        action.verify(&target, &self.context).now_or_never().unwrap().is_ok()
    }
}

fn number(measurement: &Measurement, field: &str) -> f64 {
    match measurement.fields.get(field) {
        Some(Field::Number(number)) => *number,
        other => panic!("{field} is {other:?}"),
    }
}

fn text<'m>(measurement: &'m Measurement, field: &str) -> &'m str {
    match measurement.fields.get(field) {
        Some(Field::Text(text)) => text,
        other => panic!("{field} is {other:?}"),
    }
}

const REGION_DOWN: &str = "[[at]]\nafter = \"20s\"\nregion = \"@primary\"\nis = \"down\"\n";
