//! The engine: the loop, the journal handshake, timers, the socket.
//!
//! [`run`] is the engine process. [`dispatcher`] is the loop that everything passes through, on a thread of its own;
//! [`scheduler`], [`runner`], `diagnosis`, `calendar` and `server` are tasks around it, and [`pool`](crate::base::pool) has
//! the threads for what they reach outside with. [`client`] is the other end of the socket and [`spawn`] starts an engine
//! for it.

pub mod access;
mod calendar;
pub mod client;
mod diagnosis;
pub mod dispatcher;
mod glass;
mod hold;
pub mod ledger;
pub mod log;
mod messenger;
mod originals;
mod output;
pub mod paths;
mod phone_tree;
pub mod plan_file;
pub mod protocol;
pub mod record;
pub mod replay;
pub mod runner;
pub mod scheduler;
mod seats;
mod secrets;
mod server;
pub mod shared;
mod socket;
pub mod spawn;

pub use crate::base::folder::name_of;

use crate::base::folder::Folder;
use crate::base::pool::Outside;
use crate::core::model::Model;
use crate::core::words::command::Report;
use crate::engine::access::Group;
use crate::engine::dispatcher::{Dispatcher, Input};
use crate::engine::glass::Glass;
use crate::engine::ledger::{Ledger, LedgerError};
use crate::engine::paths::StateFolder;
use crate::engine::runner::Runner;
use crate::engine::socket::Socket;
use crate::journal::{JournalError, Options, Recovery};
use crate::plan::Plan;
use crate::world::{Jump, World};
use jiff::SignedDuration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Time between two looks at what became due.
const TICK: SignedDuration = SignedDuration::from_secs(1);

/// The longest path that is shown, in characters.
const PATH_CHARS: usize = 300;

/// Why an engine cannot run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal cannot be taken over.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The state folder cannot be made, or is not this user's own.
    #[error(
        "the state folder {path} cannot be used: {source}. Name another one with --state, or run the engine as the user \
         whose folder it is"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The socket cannot be made.
    #[error("the engine's socket {path} cannot be made: {source}. Check the folder's owner and free space")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An engine lives here whose journal is not there any more.
    #[error(
        "an engine{} answers on the socket in {path}, and its journal is not there any more: it was moved or removed \
         under it. Put it back, or end that engine with `lifeboat stop --force`, then start again",
        client::of_process(*.pid)
    )]
    Orphan {
        /// The state folder.
        path: PathBuf,
        /// The process, as far as the system tells.
        pid: Option<u32>,
    },
    /// The system refused something that every program needs.
    #[error("the engine cannot start: {0}")]
    System(#[from] io::Error),
}

impl EngineError {
    /// Whether another engine has the journal.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Orphan { .. } | Self::Ledger(LedgerError::Journal(JournalError::Locked { .. })))
    }
}

/// How an engine is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// It ends when its last client has gone.
    pub ends_alone: bool,
    /// The append-only attribute is asked for on the journal's files.
    pub append_only: bool,
    /// Its members may attach and read the journal too.
    pub group: Option<Group>,
    /// What the journal's plan was called before.
    pub former_name: Option<String>,
    /// Where the plan was read; none for one that is no file.
    pub plan_file: Option<PathBuf>,
}

/// Runs an engine until it is stopped.
///
/// # Errors
/// When it cannot begin; once it runs, it ends well.
pub async fn run(
    plan: Arc<Plan>,
    world: Arc<dyn World>,
    folder: StateFolder,
    settings: Settings,
) -> Result<(), EngineError> {
    let clock = world.clock();
    let group_readable = settings.group.is_some();
    let options = Options { append_only: settings.append_only, group_readable, ..Options::default() };
    let mut model = Model::new(plan.clone());
    model.live.simulation = world.simulation();
    // Before anything is made, cut or added to in it.
    let state = access::make_folder(folder.path(), settings.group)
        .map_err(|source| EngineError::Folder { path: folder.path().to_owned(), source })?;
    if !crate::journal::is_held(&folder.journal())
        && let Some(pid) = socket::answering(&folder).await
    {
        return Err(EngineError::Orphan { path: folder.path().to_owned(), pid });
    }
    let renamed = settings.former_name.filter(|former| *former != plan.name);
    let renamed =
        renamed.map(|former| format!("the plan is called \"{}\" now and was \"{former}\"", plan.name));
    let (ledger, recovery) = Ledger::open(model, &folder.journal(), options)?;
    let moved = settings.plan_file.and_then(|file| elsewhere(&state, &file));
    let socket = Socket::open(folder.clone(), settings.group)
        .map_err(|source| EngineError::Socket { path: folder.socket(), source })?;

    let (inbox, inputs) = unbounded_channel();
    let reports = inbox.clone();
    let sink: runner::ReportSink = Arc::new(move |report| {
        let _ = reports.send(Input::Report(report));
    });
    let outside = Outside::start()?;
    let resolver = world.secrets().cloned();
    secrets::learn(&plan, resolver, &outside.probes).await;
    let calendars = calendar::start(&plan, clock.clone(), runner::guarded(world.door(), sink.clone()));
    let shared = ledger.model().clone();
    let here = tokio::runtime::Handle::current();
    let runner = Runner::new(here, &outside, world.clone(), shared.clone(), sink.clone());
    let dispatcher = Dispatcher::new(ledger, runner, clock.clone(), settings.ends_alone);
    let glass = Glass {
        model: shared.clone(),
        world: world.clone(),
        pool: outside.messages.clone(),
        pulse: dispatcher.pulse(),
        sink: runner::guarded(world.door(), sink),
    };
    let begin = Report::EngineStarted {
        version: env!("CARGO_PKG_VERSION").into(),
        recovery: words(&recovery, renamed.into_iter().chain(moved)),
        since_boot: clock.since_boot(),
    };
    let (done, ended) = tokio::sync::oneshot::channel();
    let dispatcher = std::thread::Builder::new().name("lead".into()).spawn(move || {
        let ledger = dispatcher.run(inputs, begin);
        let _ = done.send(());
        ledger
    })?;

    let readings = inbox.clone();
    let observed: scheduler::ReadingSink = Arc::new(move |probe, reading| {
        let _ = readings.send(Input::Report(Report::Observed(vec![(probe, reading)])));
    });
    scheduler::start(&plan, &world, &outside, &observed);
    let watch = tokio::spawn(outside.watch());
    let server = tokio::spawn(socket.keep(inbox.clone()));
    let glass = tokio::spawn(glass.watch());
    let ticks = tokio::spawn(tick(inbox.clone(), world.clone()));
    let beats = tokio::spawn(beat(inbox.clone()));
    let phone_tree =
        tokio::spawn(phone_tree::keep(state.path_through(paths::PHONE_TREE), shared.clone(), clock));
    let signals = tokio::spawn(stop_on_signal(inbox)?);
    // An error means that the loop's thread is gone, which is its end too.
    let _ = ended.await;
    server.abort();
    // The socket goes with it, before the journal is let go.
    let _ = server.await;
    for task in [glass, ticks, beats, signals, calendars, phone_tree, watch] {
        task.abort();
    }
    if !outside.end().await {
        let unread = shared.read(unread);
        let what = if unread.is_empty() { "a call to the outside" } else { &unread.join("; ") };
        tracing::warn!(what, "the engine ends without waiting for what does not answer");
    }
    // The journal stays locked until here: another engine could otherwise act beside what this one still runs.
    let Ok(_ledger) = dispatcher.join() else {
        return Err(EngineError::System(io::Error::other(
            "its loop failed; please report this with the engine's log",
        )));
    };
    // What clients were sent last is still on its way.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    Ok(())
}

/// Probes of this host whose last look gave no answer, and what it said.
fn unread(model: &Model) -> Vec<String> {
    let of_host = model.plan.probes.values().filter(|probe| probe.sees.is_of_this_host());
    let latest = of_host.filter_map(|probe| {
        let reading = model.live.recent.get(&probe.id)?.latest.as_ref()?;
        Some(format!("{}: {}", probe.id, reading.outcome.as_ref().err()?.why))
    });
    latest.collect()
}

/// Notes where the plan is read; that it was another file before, in words.
fn elsewhere(state: &Folder, file: &Path) -> Option<String> {
    let before = plan_file::note(state, file).unwrap_or_else(|error| {
        tracing::warn!(%error, "where the plan is read could not be noted in the state folder");
        None
    })?;
    let (now, before) = (plan_file::place_of(file).display().to_string(), before.display().to_string());
    let [now, before] = [now, before].map(|path| crate::base::text::clean(&path, PATH_CHARS));
    Some(format!("the plan is read from {now} now and was from {before}"))
}

/// What the journal needed at its opening and whose it was, in words; empty when nothing.
fn words(recovery: &Recovery, whose: impl Iterator<Item = String>) -> String {
    let ended = recovery.ended.as_ref().map(|ended| {
        let kept = ended.kept.as_ref().map_or_else(String::new, |kept| {
            format!("; another byte stood in its place, and the line as it was is kept in {}", kept.display())
        });
        format!(
            "record {} at the end of {} is complete but had lost its newline, which was put back{kept}",
            ended.seq, ended.segment
        )
    });
    let torn = recovery.torn.as_ref().map(|torn| {
        let begun = torn.begun.as_ref().map_or_else(String::new, |begun| format!(", begun as {begun}"));
        format!(
            "{} bytes of an unfinished record {}{begun} at the end of {} are kept in {}. A crash leaves such an end \
             before the record is acknowledged, damage after it: whether this one was cannot be told from the journal. \
             A head noted elsewhere tells (`lifeboat journal verify --head`); look at the world before a step runs",
            torn.bytes,
            torn.seq,
            torn.segment,
            torn.kept.display()
        )
    });
    ended.into_iter().chain(torn).chain(whose).collect::<Vec<_>>().join("; ")
}

async fn tick(inbox: UnboundedSender<Input>, world: Arc<dyn World>) {
    let clock = world.clock();
    loop {
        clock.sleep(TICK).await;
        let jumped = clock.jump().map(|Jump { by, not_passed }| Report::ClockJumped { by, not_passed });
        let compared = Report::ClockCompared(world.own_clock());
        for report in jumped.into_iter().chain([compared, Report::Tick]) {
            if inbox.send(Input::Report(report)).is_err() {
                return;
            }
        }
    }
}

/// Asks the loop for signs of life, in real time: what hangs is this process or its disk, not its world.
async fn beat(inbox: UnboundedSender<Input>) {
    let mut pace = tokio::time::interval(protocol::BEAT);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        if inbox.send(Input::Beat).is_err() {
            return;
        }
    }
}

fn stop_on_signal(inbox: UnboundedSender<Input>) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // The terminal that it was started from is none of its business.
    let mut hangup = signal(SignalKind::hangup())?;
    // The quit key of a terminal would end it without a record, and so would a signal that means nothing to it.
    let mut quit = signal(SignalKind::quit())?;
    let mut user1 = signal(SignalKind::user_defined1())?;
    let mut user2 = signal(SignalKind::user_defined2())?;
    let mut alarm = signal(SignalKind::alarm())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = quit.recv() => break,
                _ = hangup.recv() => {}
                _ = user1.recv() => {}
                _ = user2.recv() => {}
                _ = alarm.recv() => {}
            }
        }
        let _ = inbox.send(Input::Stop { client: None, force: true });
    })
}

#[cfg(test)]
mod tests;
