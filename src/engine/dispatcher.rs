//! The engine's loop: everything that happens passes through here, one at a time.

use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::core::decide::decide;
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::effect::Effect;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::reading::Reading;
use crate::core::words::status::StepStatus;
use crate::engine::diagnosis::Listener;
use crate::engine::ledger::{Committed, Ledger};
use crate::engine::protocol::ToClient;
use crate::engine::runner::Runner;
use crate::engine::shared::SharedModel;
use crate::world::Clock;
use bytes::Bytes;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// The most inputs that are decided together.
const BATCH_LIMIT: usize = 4_096;

/// What comes in.
pub enum Input {
    /// The world answers.
    Report(Report),
    /// The clients want to hear that the loop goes round.
    Beat,
    /// A client came.
    Attach {
        /// The connection.
        client: u64,
        /// Whom it belongs to.
        operator: Operator,
        /// What is sent to it, in frames.
        frames: mpsc::Sender<Bytes>,
    },
    /// A client went.
    Detach {
        /// The connection.
        client: u64,
    },
    /// A client asks.
    Ask {
        /// The connection.
        client: u64,
        /// Comes back with the reply.
        id: u64,
        ask: Ask,
    },
    /// A client asks what is behind a signal.
    Diagnose {
        /// The connection.
        client: u64,
        probe: ProbeId,
    },
    /// A client waits until what it sent before was taken: its next frame is read only then.
    Turn {
        /// The connection.
        client: u64,
        /// Told when it may go on; dropped for one that was let go.
        taken: oneshot::Sender<()>,
    },
    /// Ends the engine.
    Stop {
        /// The connection that asks; none for a signal of the system.
        client: Option<u64>,
        /// Also while a step runs.
        force: bool,
    },
}

struct Client {
    operator: Operator,
    frames: mpsc::Sender<Bytes>,
}

/// The loop's state.
pub struct Dispatcher {
    ledger: Ledger,
    runner: Runner,
    clock: Arc<dyn Clock>,
    clients: BTreeMap<u64, Client>,
    /// Ends without an answer when nobody is attached any more.
    ends_alone: bool,
    had_client: bool,
    ended: bool,
    /// When the loop last went round.
    pulse: watch::Sender<Instant>,
}

impl Dispatcher {
    /// A loop over a ledger. With `ends_alone` the engine ends when its last client has gone.
    pub fn new(ledger: Ledger, runner: Runner, clock: Arc<dyn Clock>, ends_alone: bool) -> Self {
        Self {
            ledger,
            runner,
            clock,
            clients: BTreeMap::new(),
            ends_alone,
            had_client: false,
            ended: false,
            pulse: watch::Sender::new(Instant::now()),
        }
    }

    /// When the loop last went round, for those who watch whether it does.
    pub fn pulse(&self) -> watch::Receiver<Instant> {
        self.pulse.subscribe()
    }

    /// Takes inputs until the engine is stopped, and gives the ledger back with its lock. Blocks: it runs on a
    /// thread of its own.
    pub fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Input>, begin: Report) -> Ledger {
        self.begin(begin);
        while !self.ended {
            let Some(input) = inbox.blocking_recv() else { break };
            let mut batch = vec![input];
            while batch.len() < BATCH_LIMIT
                && let Ok(more) = inbox.try_recv()
            {
                batch.push(more);
            }
            self.handle(batch);
        }
        self.ledger
    }

    /// Records the start, and does what it calls for.
    pub fn begin(&mut self, begin: Report) {
        self.report(begin);
        self.report(Report::Tick);
    }

    /// Takes inputs in their order; readings that came together are decided together.
    pub fn handle(&mut self, batch: Vec<Input>) {
        for input in merge_readings(batch) {
            self.take(input);
        }
    }

    /// The model.
    pub fn model(&self) -> &SharedModel {
        self.ledger.model()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Report(Report::Tick) => {
                self.ledger.look(self.clock.now());
                self.ledger.repair(self.clock.now());
                let news = self.ledger.take_news();
                self.broadcast(&news);
                self.report(Report::Tick);
            }
            Input::Report(report) => self.report(report),
            Input::Beat => {
                self.pulse.send_replace(Instant::now());
                self.tell_all(&ToClient::Beat { now: self.clock.now() });
            }
            Input::Attach { client, operator, frames } => self.attach(client, operator, frames),
            Input::Detach { client } => {
                self.clients.remove(&client);
                if self.ends_alone && self.had_client && self.clients.is_empty() {
                    self.end("its last client has gone");
                }
            }
            Input::Ask { client, id, ask } => {
                let Some(operator) = self.clients.get(&client).map(|client| client.operator.clone()) else {
                    return;
                };
                let ask = self.runner.door().mask(ask);
                let result = self.decide(Actor::Operator(operator), Command::Ask(ask));
                self.send(client, &ToClient::Reply { id, result });
            }
            Input::Diagnose { client, probe } => {
                if let Some(Client { frames, .. }) = self.clients.get(&client) {
                    self.runner.diagnose(probe, Listener { client, frames: frames.downgrade() });
                }
            }
            Input::Turn { client, taken } => {
                if self.clients.contains_key(&client) {
                    // An error means that the connection is gone, and its end is on its way here.
                    let _ = taken.send(());
                }
            }
            Input::Stop { client, force } => self.stop(client, force),
        }
    }

    /// Reports are the world's: a refusal says that they came too late or twice, and there is nobody to tell.
    fn report(&mut self, report: Report) {
        if let Err(refusal) = self.decide(Actor::Engine, Command::Report(report)) {
            tracing::debug!(why = refusal.why, "a report was not taken");
        }
    }

    fn decide(&mut self, by: Actor, command: Command) -> Result<(), Problem> {
        let at = self.clock.now();
        // What time brings does not hang together: one fact that cannot be recorded does not hold up the rest.
        let apart = matches!(command, Command::Report(Report::Tick));
        let request = Request { at, by, command };
        let (facts, failing) =
            self.ledger.model().read(|model| (decide(model, &request), model.live.journal_failure.is_some()));
        if !(apart && failing) {
            return self.commit(at, &request.by, facts?);
        }
        for fact in facts? {
            // What is refused here comes again with the next tick.
            let _ = self.commit(at, &request.by, vec![fact]);
        }
        Ok(())
    }

    fn commit(&mut self, at: jiff::Timestamp, by: &Actor, facts: Vec<Fact>) -> Result<(), Problem> {
        let committed = self.ledger.commit(at, by, facts);
        let news = self.ledger.take_news();
        self.broadcast(&news);
        self.publish(committed?);
        Ok(())
    }

    /// Tells the clients, then starts what follows.
    fn publish(&mut self, committed: Committed) {
        self.broadcast(&committed.events);
        let mut tick = false;
        for effect in committed.effects {
            match effect {
                Effect::Tick => tick = true,
                effect => self.runner.start(effect),
            }
        }
        if tick {
            self.report(Report::Tick);
        }
    }

    fn broadcast(&mut self, events: &[Event]) {
        if !events.is_empty() && !self.clients.is_empty() {
            self.tell_all(&ToClient::Events(events.to_vec()));
        }
    }

    fn tell_all(&mut self, message: &ToClient) {
        let Some(frame) = frame(message) else { return };
        self.clients.retain(|_, client| client.frames.try_send(frame.clone()).is_ok());
    }

    /// A client that cannot keep up is let go; it attaches again and starts from a whole model.
    fn send(&mut self, client: u64, message: &ToClient) {
        let Some(frame) = frame(message) else { return };
        if self.clients.get(&client).is_some_and(|client| client.frames.try_send(frame).is_err()) {
            self.clients.remove(&client);
        }
    }

    fn attach(&mut self, id: u64, operator: Operator, frames: mpsc::Sender<Bytes>) {
        self.had_client = true;
        let model = Arc::new(self.ledger.model().read(Clone::clone));
        self.clients.insert(id, Client { operator: operator.clone(), frames });
        let pid = std::process::id();
        self.send(id, &ToClient::Welcome { operator, pid, now: self.clock.now(), model });
    }

    fn stop(&mut self, client: Option<u64>, force: bool) {
        let busy = self.ledger.model().read(|model| {
            let run = model.durable.incident.as_ref().and_then(|incident| incident.open_run());
            let step = run.and_then(|run| run.steps.iter().find(|(_, s)| s.status == StepStatus::Started));
            step.map(|(id, _)| id.clone())
        });
        if let (Some(step), Some(client), false) = (busy, client, force) {
            let why = format!("the step {step} is running");
            let next = "Wait for it or abort the run; `lifeboat stop --force` stops all the same, and leaves it unknown.";
            self.send(client, &ToClient::Goodbye { why, next: next.into() });
            return;
        }
        let by =
            client.and_then(|client| self.clients.get(&client)).map(|client| client.operator.name.clone());
        self.end(&by.map_or_else(|| "a signal of the system".into(), |name| format!("{name} stopped it")));
    }

    fn end(&mut self, why: &str) {
        self.report(Report::EngineStopping { why: why.into() });
        let next = "`lifeboat open` starts it again.";
        let goodbye = ToClient::Goodbye { why: format!("the engine ended: {why}"), next: next.into() };
        for client in self.clients.keys().copied().collect::<Vec<_>>() {
            self.send(client, &goodbye);
        }
        self.ended = true;
    }
}

pub(super) fn frame(message: &ToClient) -> Option<Bytes> {
    match serde_json::to_vec(message) {
        Ok(bytes) => Some(bytes.into()),
        Err(error) => {
            tracing::error!(%error, "a message to a client cannot be written");
            None
        }
    }
}

/// Joins readings that came together into one decision, and so into one write of the journal. A second
/// reading of the same probe begins a new one. Of the beats that waited while the loop did not go round one is enough.
fn merge_readings(batch: Vec<Input>) -> Vec<Input> {
    let mut merged = Vec::with_capacity(batch.len());
    let mut readings: Vec<(ProbeId, Reading)> = Vec::new();
    let mut seen: HashSet<ProbeId> = HashSet::new();
    let mut beats = false;
    for input in batch {
        match input {
            Input::Beat if std::mem::replace(&mut beats, true) => {}
            Input::Report(Report::Observed(more)) => {
                for (probe, reading) in more {
                    if !seen.insert(probe.clone()) {
                        flush(&mut readings, &mut seen, &mut merged);
                        seen.insert(probe.clone());
                    }
                    readings.push((probe, reading));
                }
            }
            other => {
                flush(&mut readings, &mut seen, &mut merged);
                merged.push(other);
            }
        }
    }
    flush(&mut readings, &mut seen, &mut merged);
    merged
}

fn flush(readings: &mut Vec<(ProbeId, Reading)>, seen: &mut HashSet<ProbeId>, merged: &mut Vec<Input>) {
    if !readings.is_empty() {
        merged.push(Input::Report(Report::Observed(std::mem::take(readings))));
        seen.clear();
    }
}
