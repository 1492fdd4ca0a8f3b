//! 1,000 messages queued at once, to a provider that takes a second for each: how long until the last one is accepted,
//! and whether anything else has to wait meanwhile. Prints figures, asserts nothing.
//!
//! `cargo bench --bench notify`.

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use lifeboat::base::ids::ProbeId;
use lifeboat::base::pool::Outside;
use lifeboat::core::model::Model;
use lifeboat::core::words::actor::Operator;
use lifeboat::core::words::command::{Ask, Report};
use lifeboat::core::words::incident::Mode;
use lifeboat::core::words::notification::{DeliveryStatus, Receipt, Undelivered};
use lifeboat::core::words::reading::{Measurement, Reading};
use lifeboat::core::words::simulation::Simulation;
use lifeboat::engine::dispatcher::{Dispatcher, Input};
use lifeboat::engine::ledger::Ledger;
use lifeboat::engine::protocol::ToClient;
use lifeboat::engine::runner::Runner;
use lifeboat::engine::shared::SharedModel;
use lifeboat::journal::Options;
use lifeboat::kinds;
use lifeboat::kinds::channel::{Notifier, Outgoing};

use lifeboat::plan::kinds::BuildError;
use lifeboat::plan::params::Params;
use lifeboat::plan::{Audience, Capabilities, Channel, Contact, Plan, ProbeSpec, Step, Who, load_texts};
use lifeboat::world::{Clock, RealClock, World};
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

const MESSAGES: usize = 1_000;
/// How long the provider takes for each.
const TAKES: SignedDuration = SignedDuration::from_secs(1);
/// Between two notes, and between two readings.
const PAUSE: Duration = Duration::from_millis(50);
/// The engine's own time between two ticks.
const TICK: Duration = Duration::from_secs(1);
/// What no answer is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(60);

const BASE: &str = "[plan]\nname = \"Large\"\n[regions.primary]\nrole = \"primary\"\n\
    [probes.p]\nkind = \"tcp\"\nregion = \"primary\"\naddress = \"localhost:1\"\ncritical = \"1s\"\n\
    [tree]\nroot = \"q\"\n[tree.q]\nask = \"Down?\"\nanswers.yes = \"wait\"\nanswers.no = \"wait\"\n\
    [leaves.wait]\ntitle = \"Wait\"\nadvice = \"Wait.\"\n";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    for parallel in [8, 50] {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let _entered = runtime.enter();
        measure(parallel, &runtime)?;
    }
    Ok(())
}

/// The provider: it takes everything, slowly.
struct Slow(Arc<dyn Clock>);

impl Notifier for Slow {
    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(async move {
            self.0.sleep(TAKES).await;
            Ok(Receipt { answer: "taken".into(), ..Receipt::default() })
        })
    }
}

/// A world with nothing but the provider.
struct Providers(Arc<RealClock>);

impl World for Providers {
    fn simulation(&self) -> Option<Simulation> {
        None
    }
    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clone()
    }
    fn probe(&self, spec: &ProbeSpec) -> kinds::probe::Built {
        Err(BuildError::UnknownKind { what: "probe", kind: spec.kind.clone() })
    }
    fn notifier(&self, _: &Channel) -> kinds::channel::Built {
        Ok(Box::new(Slow(self.0.clone())))
    }
    fn action(&self, step: &Step, _: &Params) -> kinds::action::Built {
        Err(BuildError::UnknownKind { what: "action", kind: step.action.clone() })
    }
}

fn plan(parallel: u32) -> Outcome<Plan> {
    let files = vec![("plan.toml".to_owned(), BASE.to_owned())];
    let mut plan =
        load_texts(files, &lifeboat::providers::registry()).map_err(|problems| problems.to_string())?.plan;
    let mail = Channel {
        id: "mail".into(),
        title: "Email".into(),
        kind: "smtp".into(),
        address: Some("email".into()),
        capabilities: Capabilities::default(),
        give_up_after: SignedDuration::from_hours(1),
        timeout: SignedDuration::from_secs(30),
        parallel,
        params: Params::default(),
    };
    plan.channels.insert(mail.id.clone(), mail);
    let mut who = Vec::new();
    for number in 0..MESSAGES {
        let id = lifeboat::base::ids::ContactId::new(format!("c{number}"));
        let email = format!("c{number}@example.org");
        let contact = Contact {
            name: format!("Contact {number}"),
            role: "SRE".into(),
            addresses: [("email".to_owned(), email)].into_iter().collect(),
            methods: Vec::new(),
        };
        plan.contacts.insert(id.clone(), contact);
        who.push(Who::Contact(id));
    }
    let everybody = Audience { title: "Everybody".into(), who, methods: vec!["mail".into()], public: false };
    plan.audiences.insert("everybody".into(), everybody);
    Ok(plan)
}

/// An engine without its socket, and a client of it.
struct Engine {
    inbox: UnboundedSender<Input>,
    model: SharedModel,
    replies: Receiver<u64>,
}

impl Engine {
    fn start(plan: Plan, folder: &std::path::Path, handle: tokio::runtime::Handle) -> Outcome<Self> {
        let world: Arc<dyn World> = Arc::new(Providers(Arc::new(RealClock::new())));
        let options = Options { append_only: false, ..Options::default() };
        let (ledger, _) = Ledger::open(Model::new(Arc::new(plan)), folder, options)?;
        let model = ledger.model().clone();
        let (inbox, inputs) = unbounded_channel();
        let reports = inbox.clone();
        let sink = Arc::new(move |report| {
            // An error means that the bench is over.
            let _ = reports.send(Input::Report(report));
        });
        let runner = Runner::new(handle.clone(), &Outside::on(&handle), world.clone(), model.clone(), sink);
        let dispatcher = Dispatcher::new(ledger, runner, world.clock(), false);
        let begin =
            Report::EngineStarted { version: "bench".into(), recovery: String::new(), since_boot: None };
        std::thread::spawn(move || dispatcher.run(inputs, begin));
        let ticks = inbox.clone();
        handle.spawn(async move {
            while ticks.send(Input::Report(Report::Tick)).is_ok() {
                tokio::time::sleep(TICK).await;
            }
        });
        let (frames, mut received) = tokio::sync::mpsc::channel::<Bytes>(100_000);
        let operator = Operator { name: "ana".into(), uid: 1000 };
        inbox.send(Input::Attach { client: 1, operator, frames }).map_err(|_| "the engine ended")?;
        let (told, replies) = channel();
        handle.spawn(async move {
            while let Some(frame) = received.recv().await {
                if let Some(id) = reply(&frame)
                    && told.send(id).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { inbox, model, replies })
    }

    /// How long the reply to a question takes.
    fn ask(&self, id: u64, ask: Ask) -> Outcome<Duration> {
        let began = Instant::now();
        self.inbox.send(Input::Ask { client: 1, id, ask }).map_err(|_| "the engine ended")?;
        while self.replies.recv_timeout(PATIENCE)? != id {}
        Ok(began.elapsed())
    }

    /// How long a reading takes until the model has it.
    fn fold(&self, number: u64) -> Outcome<Duration> {
        let probe = ProbeId::from("p");
        let summary = format!("reading {number}");
        let reading = Reading {
            at: Timestamp::now(),
            took: SignedDuration::ZERO,
            outcome: Ok(Measurement::good(summary.clone())),
        };
        let began = Instant::now();
        let report = Report::Observed(vec![(probe.clone(), reading)]);
        self.inbox.send(Input::Report(report)).map_err(|_| "the engine ended")?;
        let is_there = |model: &Model| {
            let latest = model.live.recent.get(&probe).and_then(|recent| recent.latest.as_ref());
            latest.is_some_and(|l| l.outcome.as_ref().is_ok_and(|measured| measured.summary == summary))
        };
        while !self.model.read(is_there) {
            if began.elapsed() > PATIENCE {
                return Err("a reading was not taken".into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(began.elapsed())
    }

    fn accepted(&self) -> usize {
        let is_accepted = |status: DeliveryStatus| status == DeliveryStatus::Accepted;
        self.model.read(|model| {
            model.durable.notifications.values().filter(|known| is_accepted(known.status)).count()
        })
    }
}

/// The number of the question that a frame answers.
fn reply(frame: &[u8]) -> Option<u64> {
    // Events come by the thousand; only replies are worth reading.
    if !frame.starts_with(b"{\"reply\"") {
        return None;
    }
    match serde_json::from_slice(frame) {
        Ok(ToClient::Reply { id, result }) => {
            if let Err(refusal) = result {
                println!("refused: {refusal:?}");
            }
            Some(id)
        }
        _ => None,
    }
}

fn measure(parallel: u32, runtime: &tokio::runtime::Runtime) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::start(plan(parallel)?, folder.path(), runtime.handle().clone())?;
    engine.ask(1, Ask::Declare { title: "Region down".into(), mode: Mode::Live })?;
    let (cpu_before, records_before) = (cpu()?, records(folder.path())?);
    let began = Instant::now();
    let send = Ask::Send {
        message: None,
        audience: "everybody".into(),
        subject: "Region down".into(),
        body: "We are failing over.".into(),
    };
    let queued = engine.ask(2, send)?;
    let (mut asks, mut folds) = (Vec::new(), Vec::new());
    let mut number = 3;
    while engine.accepted() < MESSAGES {
        asks.push(engine.ask(number, Ask::Note { text: format!("note {number}") })?);
        folds.push(engine.fold(number)?);
        number += 1;
        std::thread::sleep(PAUSE);
    }
    let took = began.elapsed();
    let used = cpu()? - cpu_before;
    let ideal = MESSAGES.div_ceil(parallel as usize);
    println!("{MESSAGES} messages, {parallel} at once, {} each:", lifeboat::base::units::duration(TAKES));
    println!("  until the last is accepted {took:.1?}; no engine could do it in less than {ideal} s");
    println!("  queueing all of them {queued:.1?}");
    println!("  a note's reply {}", words(&mut asks));
    println!("  a reading in the model {}", words(&mut folds));
    println!("  records {}, CPU {used:.1?}", records(folder.path())? - records_before);
    Ok(())
}

fn words(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    let longest = times.last().copied().unwrap_or_default();
    format!("{:.1?} median, {:.1?} 95 %, {longest:.1?} longest, of {}", at(50), at(95), times.len())
}

fn records(folder: &std::path::Path) -> Outcome<usize> {
    Ok(lifeboat::journal::read(folder)?.count())
}

/// CPU time of this process so far; of ended threads nothing is known, but none of the engine's ends before.
fn cpu() -> Outcome<Duration> {
    let mut total = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = text.split_whitespace().next().ok_or("schedstat is empty")?;
        total += Duration::from_nanos(on_cpu.parse()?);
    }
    Ok(total)
}
