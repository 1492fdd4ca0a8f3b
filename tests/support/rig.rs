//! One engine after another over one world in simulated time, moved by hand. Include it with
//! `#[path = "../support/rig.rs"] mod rig;`.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lifeboat::base::pool::Outside;
use lifeboat::base::problem::Problem;
use lifeboat::core::model::Model;
use lifeboat::core::words::actor::Operator;
use lifeboat::core::words::command::{Ask, Report};
use lifeboat::engine::dispatcher::{Dispatcher, Input};
use lifeboat::engine::ledger::Ledger;
use lifeboat::engine::protocol::ToClient;
use lifeboat::engine::runner::Runner;
use lifeboat::engine::scheduler;
use lifeboat::journal::Options;
use lifeboat::plan::{self, Plan};
use lifeboat::simulation::{SimulatedWorld, demo};
use lifeboat::world::{Clock, ManualClock, World};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const CLIENT: u64 = 1;

pub fn demo_plan() -> Arc<Plan> {
    let files =
        demo::plan_files().iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    match plan::load_texts(files, &lifeboat::providers::registry()) {
        Ok(loaded) => Arc::new(loaded.plan),
        Err(problems) => panic!("the demo plan does not load:\n{problems}"),
    }
}

pub struct Rig {
    pub clock: Arc<ManualClock>,
    pub folder: tempfile::TempDir,
    plan: Arc<Plan>,
    world: Arc<dyn World>,
    life: Option<Life>,
}

/// From an engine's start to its crash.
struct Life {
    runtime: Runtime,
    dispatcher: Dispatcher,
    inputs: mpsc::UnboundedReceiver<Input>,
    frames: mpsc::Receiver<bytes::Bytes>,
    asked: u64,
}

impl Rig {
    pub fn new(scenario: &str) -> Self {
        let plan = demo_plan();
        let shipped = demo::scenario(scenario).unwrap_or_else(|| panic!("there is no scenario {scenario}"));
        let scenario = match shipped.resolve(&plan) {
            Ok(scenario) => scenario,
            Err(problems) => panic!("the scenario does not load:\n{problems}"),
        };
        let clock = Arc::new(ManualClock::new("2026-03-01T03:00:00Z".parse().unwrap()));
        let world: Arc<dyn World> =
            Arc::new(SimulatedWorld::with_clock(plan.clone(), scenario, clock.clone()));
        Self::over(plan, world, clock)
    }

    /// An engine over a world that goes by a clock.
    pub fn over(plan: Arc<Plan>, world: Arc<dyn World>, clock: Arc<ManualClock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Self { clock, folder, plan, world, life: None };
        rig.start();
        rig
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (inbox, inputs) = mpsc::unbounded_channel();
        let mut model = Model::new(self.plan.clone());
        model.live.simulation = self.world.simulation();
        let options = Options { append_only: false, ..Options::default() };
        let (ledger, _) = Ledger::open(model, &self.journal(), options).unwrap();
        let reports = inbox.clone();
        let sink = Arc::new(move |report| drop(reports.send(Input::Report(report))));
        // Time is moved by hand: what reaches outside runs here as well.
        let (here, outside) = (runtime.handle().clone(), Outside::on(runtime.handle()));
        let runner = Runner::new(here, &outside, self.world.clone(), ledger.model().clone(), sink);
        let mut dispatcher = Dispatcher::new(ledger, runner, self.clock.clone(), false);
        dispatcher.begin(Report::EngineStarted {
            version: "test".into(),
            recovery: String::new(),
            since_boot: None,
        });
        let observed: scheduler::ReadingSink = Arc::new(move |probe, reading| {
            drop(inbox.send(Input::Report(Report::Observed(vec![(probe, reading)]))));
        });
        {
            let _entered = runtime.enter();
            scheduler::start(&self.plan, &self.world, &outside, &observed);
        }
        let (sender, frames) = mpsc::channel(100_000);
        let operator = Operator { name: "alice".into(), uid: 1000 };
        dispatcher.handle(vec![Input::Attach { client: CLIENT, operator, frames: sender }]);
        self.life = Some(Life { runtime, dispatcher, inputs, frames, asked: 0 });
        self.life().settle();
    }

    fn life(&mut self) -> &mut Life {
        self.life.as_mut().unwrap()
    }

    /// As after SIGKILL, with the time that passes until the next engine starts.
    pub fn crash_for(&mut self, span: jiff::SignedDuration) {
        self.life = None;
        self.clock.advance(span);
        self.start();
    }

    /// As after SIGKILL: everything but the journal and the world is gone.
    pub fn crash(&mut self) {
        self.life = None;
        self.start();
    }

    pub fn read<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        self.life.as_ref().unwrap().dispatcher.model().read(look)
    }

    pub fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.clock.advance(jiff::SignedDuration::from_secs(1));
            self.life().settle();
            self.life().dispatcher.handle(vec![Input::Report(Report::Tick)]);
            self.life().settle();
        }
    }

    pub fn ask(&mut self, ask: Ask) -> Result<(), Problem> {
        let life = self.life();
        life.asked += 1;
        let id = life.asked;
        life.dispatcher.handle(vec![Input::Ask { client: CLIENT, id, ask }]);
        let result = life.reply(id);
        life.settle();
        result
    }

    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
}

impl Life {
    /// Lets tasks run and their reports be decided until nothing moves.
    fn settle(&mut self) {
        loop {
            self.runtime.block_on(async {
                for _ in 0..30 {
                    tokio::task::yield_now().await;
                }
            });
            let mut batch = Vec::new();
            while let Ok(input) = self.inputs.try_recv() {
                batch.push(input);
            }
            if batch.is_empty() {
                return;
            }
            self.dispatcher.handle(batch);
        }
    }

    fn reply(&mut self, wanted: u64) -> Result<(), Problem> {
        while let Ok(frame) = self.frames.try_recv() {
            if let Ok(ToClient::Reply { id, result }) = serde_json::from_slice(&frame)
                && id == wanted
            {
                return result;
            }
        }
        panic!("no reply to ask {wanted}");
    }
}
