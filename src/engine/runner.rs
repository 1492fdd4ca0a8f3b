//! Runs effects: one task each, a deadline on every call, the outcome back as a report.

use crate::base::ids::{ProbeId, RunId, StepId};
use crate::base::pool::{Outside, Pool};
use crate::core::words::action::{Acted, Description, Failure, ManualCard, Proof, Target};
use crate::core::words::command::Report;
use crate::core::words::effect::Effect;
use crate::core::words::incident::{Outcome, StepRun};
use crate::engine::diagnosis::{Diagnoser, Listener};
use crate::engine::hold;
use crate::engine::messenger::Messenger;
use crate::engine::originals::Originals;
use crate::engine::output::RateLimit;
use crate::engine::shared::{SharedModel, WorldView};
use crate::kinds::action::{Action, Conditions, Context};
use crate::plan::Step;
use crate::plan::condition::Truth;
use crate::plan::params::Params;
use crate::providers::program;
use crate::world::{Clock, Door, World};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// How long reading a target may take.
const DESCRIBE_TIMEOUT: SignedDuration = SignedDuration::from_secs(15);
/// What an action gets beyond its timeout, so that its own words on being late come before the cut.
const GRACE: SignedDuration = SignedDuration::from_secs(2);
/// How long one look at a step's effect waits for what its condition names to be measured.
const FIRST_READINGS: SignedDuration = SignedDuration::from_secs(15);
/// Pause between two looks at a step's effect.
const VERIFY_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Where reports go: into the engine's inbox.
pub type ReportSink = Arc<dyn Fn(Report) + Send + Sync>;

/// Runs effects: what is decided about them on a runtime, what reaches outside in pools of its own.
pub struct Runner {
    handle: Handle,
    steps: Pool,
    world: Arc<dyn World>,
    model: SharedModel,
    sink: ReportSink,
    executing: HashMap<(RunId, StepId), (u32, AbortHandle)>,
    watching: HashMap<(RunId, StepId), AbortHandle>,
    messenger: Messenger,
    diagnoser: Diagnoser,
    originals: Originals,
    door: Door,
}

/// The same sink, through the door.
pub fn guarded(door: Door, sink: ReportSink) -> ReportSink {
    Arc::new(move |report| sink(door.admit(report)))
}

/// Everything that a task about one step needs.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) run: RunId,
    pub(super) id: StepId,
    step: Step,
    params: Result<Params, String>,
    world: Arc<dyn World>,
    pool: Pool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) model: SharedModel,
    pub(super) sink: ReportSink,
    originals: Originals,
    door: Door,
}

impl Runner {
    /// A runner over a world. All that comes back from it goes through the world's door.
    pub fn new(
        handle: Handle,
        outside: &Outside,
        world: Arc<dyn World>,
        model: SharedModel,
        sink: ReportSink,
    ) -> Self {
        let door = world.door();
        let sink = guarded(door.clone(), sink);
        let pool = outside.messages.clone();
        let messenger = Messenger::new(handle.clone(), pool, world.clone(), model.clone(), sink.clone());
        let diagnoser = Diagnoser::new(handle.clone(), outside, world.clone(), model.clone());
        Self {
            handle,
            steps: outside.steps.clone(),
            world,
            model,
            sink,
            executing: HashMap::new(),
            watching: HashMap::new(),
            messenger,
            diagnoser,
            originals: Originals::default(),
            door,
        }
    }

    /// Looks what is behind a signal, for one who asks.
    pub(super) fn diagnose(&mut self, probe: ProbeId, listener: Listener) {
        self.diagnoser.diagnose(probe, listener);
    }

    /// Through which texts from outside come in.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Starts an effect. `Tick` is the loop's own business and ignored here.
    pub fn start(&mut self, effect: Effect) {
        match effect {
            Effect::Describe { run, step } => {
                if let Some(job) = self.job(&run, &step) {
                    self.handle.spawn(describe(job));
                }
            }
            Effect::Execute { run, step, attempt, expected } => {
                let Some(job) = self.job(&run, &step) else { return };
                let task = self.handle.spawn(execute(job, attempt, expected));
                self.executing.insert((run, step), (attempt, task.abort_handle()));
            }
            Effect::Verify { run, step, attempt, patient } => {
                self.executing.remove(&(run.clone(), step.clone()));
                if let Some(job) = self.job(&run, &step) {
                    self.handle.spawn(verify(job, attempt, patient));
                }
            }
            Effect::Watch { run, step } => self.watch(run, step),
            Effect::Cancel { run, step } => self.cancel(run, step),
            Effect::DoneByHand { run, step } => {
                let plan = self.model.read(|model| model.step(&run, &step).map(|(plan, _)| plan.clone()));
                if let Some(plan) = plan {
                    self.world.done_by_hand(&plan);
                }
            }
            Effect::Preflight => {
                let (world, sink) = (self.world.clone(), self.sink.clone());
                let plan = self.model.read(|model| model.plan.clone());
                let pool = self.steps.clone();
                self.steps.spawn(async move {
                    sink(Report::Preflighted(Box::new(crate::preflight::run(&plan, &*world, &pool).await)));
                });
            }
            Effect::Notify { id, attempt } => self.messenger.notify(&id, attempt),
            Effect::Track { id } => self.messenger.track(&id),
            Effect::Tick => {}
        }
    }

    /// One watcher for a step, however often its effect was proven and doubted.
    fn watch(&mut self, run: RunId, step: StepId) {
        let of = (run, step);
        if self.watching.get(&of).is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Some(job) = self.job(&of.0, &of.1) {
            let task = self.handle.spawn(hold::watch(job));
            self.watching.insert(of, task.abort_handle());
        }
    }

    fn cancel(&mut self, run: RunId, step: StepId) {
        let Some((attempt, task)) = self.executing.remove(&(run.clone(), step.clone())) else { return };
        task.abort();
        let outcome = Outcome::Failed(Failure {
            what: format!("step {step} was cut off"),
            why: "the run was aborted while it was executing".into(),
            next: "Read the world back before anything else touches its target.".into(),
            acted: Acted::Maybe,
        });
        (self.sink)(Report::Executed { run, step, attempt, outcome });
    }

    fn job(&self, run: &RunId, id: &StepId) -> Option<Job> {
        let (step, params) = self.model.read(|model| {
            let (step, _) = model.step(run, id)?;
            Some((step.clone(), crate::core::ask::scope::render(model, run, step)))
        })?;
        Some(Job {
            run: run.clone(),
            id: id.clone(),
            step,
            params,
            world: self.world.clone(),
            pool: self.steps.clone(),
            clock: self.world.clock(),
            model: self.model.clone(),
            sink: self.sink.clone(),
            originals: self.originals.clone(),
            door: self.door.clone(),
        })
    }
}

impl Job {
    pub(super) fn action(&self) -> Result<Arc<dyn Action>, Failure> {
        let unusable = |why: String| Failure {
            what: format!("step {} ({})", self.id, self.step.action),
            why,
            next: "Correct the plan and start the engine again, or do the step by hand and attest it.".into(),
            acted: Acted::No,
        };
        let params = self.params.as_ref().map_err(|why| unusable(why.clone()))?;
        self.world.action(&self.step, params).map(Arc::from).map_err(|error| unusable(error.to_string()))
    }

    /// The target that the last attempt was confirmed for.
    pub(super) fn confirmed_target(&self) -> Option<Target> {
        self.model.read(|model| {
            let (_, state) = model.step(&self.run, &self.id)?;
            Some(self.originals.of(state.confirmation.as_ref()?.description.target.clone()))
        })
    }

    /// Whether the plan has the step as it was when the last attempt began.
    fn is_as_begun(&self) -> bool {
        self.model
            .read(|model| model.step(&self.run, &self.id).is_none_or(|(_, state)| state.is_of(&self.step)))
    }

    /// How often it was tried.
    fn attempts(&self) -> u32 {
        self.model.read(|model| model.step(&self.run, &self.id).map_or(0, |(_, state)| state.attempt))
    }

    /// Whether an attempt is known to have reported success.
    fn ran(&self, attempt: u32) -> bool {
        self.model.read(|model| {
            let state = model.step(&self.run, &self.id).map(|(_, state)| state);
            state.is_some_and(|state| {
                state.attempt == attempt && matches!(state.outcome, Some(Outcome::Done(_)))
            })
        })
    }

    /// What tells this incident from one of another plan, journal or day with the same name: tokens are compared by
    /// providers that many engines share, and by processes on one host. The same after a crash.
    fn incident_mark(&self) -> String {
        let mut hasher = Sha256::new();
        self.model.read(|model| {
            hasher.update(model.plan.name.as_bytes());
            if let Some(incident) = &model.durable.incident {
                hasher.update(incident.declared_at.as_nanosecond().to_be_bytes());
            }
        });
        hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn context(&self, timeout: SignedDuration, attempt: u32) -> Context {
        let (sink, run, step) = (self.sink.clone(), self.run.clone(), self.id.clone());
        let limited = RateLimit::new();
        Context {
            output: Arc::new(move |line: &str| {
                limited.take(line, |line| {
                    sink(Report::Output { run: run.clone(), step: step.clone(), line: line.to_owned() });
                });
            }),
            conditions: Arc::new(self.seen_since(|state| state.started_at)),
            timeout,
            token: format!("{}/{}/{}/{attempt}", self.incident_mark(), self.run, self.id),
            ran: self.ran(attempt),
        }
    }

    /// The signals, by readings since a moment of the step: what was measured before proves nothing of it.
    fn seen_since(&self, moment: impl FnOnce(&StepRun) -> Option<Timestamp>) -> WorldView {
        let since = self.model.read(|model| moment(model.step(&self.run, &self.id)?.1));
        let since = since.unwrap_or_else(|| self.clock.now());
        let of = (self.run.clone(), self.id.clone());
        WorldView::new(self.model.clone(), self.clock.clone(), since, of)
    }

    /// Runs a call outside, within a deadline; a panic in it is a failure like any other.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        what: &str,
        limit: SignedDuration,
        acted: Acted,
        call: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let failure = |why: String| Failure {
            what: format!("{what} of step {}", self.id),
            why,
            next: "Read the world back; do the step by hand if it has to be done now.".into(),
            acted,
        };
        tokio::select! {
            result = self.pool.call(call) => {
                result.unwrap_or_else(|| Err(failure("lifeboat itself failed in it; please report this".into())))
            }
            () = self.clock.sleep(limit + GRACE) => {
                Err(failure(format!("no end after {}", crate::base::units::duration(limit))))
            }
        }
    }
}

async fn describe(job: Job) {
    let manual = manual_card(&job);
    let context = job.context(DESCRIBE_TIMEOUT, job.attempts() + 1);
    let (as_begun, what) = (job.is_as_begun(), format!("step {}", job.id));
    let result = match job.action() {
        Ok(action) => {
            let described = async move {
                let obstacle = match earlier(&*action, as_begun, &what, &context).await {
                    None => action.obstacle(&context).await,
                    // Reading the target has changed nothing.
                    earlier => earlier.map(|earlier| Failure { acted: Acted::No, ..earlier }),
                };
                match obstacle {
                    Some(obstacle) => Err(obstacle),
                    None => action.describe().await,
                }
            };
            job.within("reading the target", DESCRIBE_TIMEOUT, Acted::No, described).await
        }
        Err(failure) => Err(failure),
    };
    let result = result.map(|description| with_undo_of_plan(&job.step, description));
    if let Ok(description) = &result {
        let read = description.target.clone();
        job.originals.keep(read.clone(), job.door.admit(read));
    }
    (job.sink)(Report::Described { run: job.run.clone(), step: job.id.clone(), result, manual });
}

/// The plan's words on how to take it back come first, as with the manual card.
fn with_undo_of_plan(step: &Step, mut description: Description) -> Description {
    if let Some(text) = &step.undo {
        description.undo.splice(0..0, text.lines().map(str::to_owned));
    }
    description
}

/// The action's own card, with the plan's words first.
fn manual_card(job: &Job) -> ManualCard {
    let mut card = job.action().map(|action| action.manual()).unwrap_or_else(|failure| ManualCard {
        instructions: vec![failure.to_string()],
        check: String::new(),
    });
    if let Some(text) = &job.step.manual {
        card.instructions.splice(0..0, text.lines().map(str::to_owned));
    }
    card
}

async fn execute(job: Job, attempt: u32, expected: Target) {
    let timeout = job.step.timeout;
    let context = job.context(timeout, attempt);
    let expected = job.originals.of(expected);
    let result = match job.action() {
        Ok(action) => {
            let execution = async move { action.execute(&expected, &context).await };
            job.within("the execution", timeout, Acted::Maybe, execution).await
        }
        Err(failure) => Err(failure),
    };
    let outcome = result.map_or_else(Outcome::Failed, Outcome::Done);
    (job.sink)(Report::Executed { run: job.run.clone(), step: job.id.clone(), attempt, outcome });
}

/// An engine that has just started has measured nothing: its one look at a condition would never find a proof.
async fn wait_for_readings(job: &Job, limit: SignedDuration) {
    let Some(condition) = &job.step.verify else { return };
    let seen = job.seen_since(|state| state.ended_at.or(state.started_at));
    let until = job.clock.now() + limit;
    while matches!(seen.evaluate(condition), Truth::Unknown(_)) && job.clock.now() < until {
        tokio::select! {
            () = seen.changed() => {}
            () = job.clock.sleep(VERIFY_PAUSE) => {}
        }
    }
}

/// Reads the world back: once, or until it shows the effect or the plan's time is over.
async fn verify(job: Job, attempt: u32, patient: bool) {
    let started = job.clock.now();
    let limit = job.step.verify_within;
    let mut said = String::new();
    if !patient {
        wait_for_readings(&job, limit.min(FIRST_READINGS)).await;
    }
    let result = loop {
        let left = (limit - job.clock.now().duration_since(started)).max(VERIFY_PAUSE);
        let result = look(&job, attempt, patient, left).await;
        let over = job.clock.now().duration_since(started) >= limit;
        if result.is_ok() || !patient || over {
            break result;
        }
        if let Err(failure) = &result
            && failure.why != said
        {
            (job.context(limit, attempt).output)(&format!("not proven yet: {}", failure.why));
            said.clone_from(&failure.why);
        }
        job.clock.sleep(VERIFY_PAUSE).await;
    };
    let result = match result {
        Ok(proof) => hold::hold(&job, attempt, proof).await,
        unproven => unproven,
    };
    (job.sink)(Report::Checked { run: job.run.clone(), step: job.id.clone(), attempt, result });
}

/// A program of an earlier attempt that goes on. Where an edit of the plan made the step another one, the kind of now does
/// not know what the one of then left running.
async fn earlier(action: &dyn Action, as_begun: bool, what: &str, context: &Context) -> Option<Failure> {
    match as_begun {
        true => action.goes_on(context).await,
        false => program::step::goes_on(what.to_owned(), context).await,
    }
}

/// Reads the world back, once.
pub(super) async fn look(
    job: &Job,
    attempt: u32,
    patient: bool,
    limit: SignedDuration,
) -> Result<Proof, Failure> {
    let not = |why: String| Failure {
        what: format!("the proof of step {}", job.id),
        why,
        next: "Look at the signals it names; recheck, retry, or do the step by hand and attest it.".into(),
        acted: Acted::Maybe,
    };
    let kind = crate::providers::action(&job.step.action);
    let mut proof = Proof { evidence: Vec::new() };
    let (action, context) = (job.action()?, job.context(limit, attempt));
    let (as_begun, what) = (job.is_as_begun(), format!("step {}", job.id));
    let earlier = async move { earlier(&*action, as_begun, &what, &context).await.map_or(Ok(()), Err) };
    job.within("the look for an earlier attempt", limit, Acted::Maybe, earlier).await?;
    if !as_begun {
        return Err(not("the plan of now does it or proves it in another way than when it began".into()));
    }
    if kind.is_none_or(|row| row.kind.proves(&job.step.params)) {
        let context = job.context(limit, attempt);
        let expected =
            job.confirmed_target().ok_or_else(|| not("no target was ever confirmed for it".into()))?;
        let action = job.action()?;
        let verified = async move { action.verify(&expected, &context).await };
        proof = job.within("the verification", limit, Acted::Maybe, verified).await?;
    }
    if let Some(condition) = &job.step.verify {
        let since = job.seen_since(|state| state.ended_at.or(state.started_at));
        let truth = since.evaluate(condition);
        match truth {
            Truth::True => proof.evidence.push(format!("{} holds", condition.source())),
            Truth::False => {
                let values = since.values(condition).join(", ");
                return Err(not(format!("{} does not hold: {values}", condition.source())));
            }
            Truth::Unknown(why) => return Err(not(format!("{} cannot be told: {why}", condition.source()))),
        }
    }
    if proof.evidence.is_empty() {
        if !patient {
            return Err(Failure {
                what: format!("the proof of step {}", job.id),
                why: "nothing in the world shows whether it ran".into(),
                next: "Find out by hand, then retry it with a reason, skip it or attest it.".into(),
                acted: Acted::Maybe,
            });
        }
        proof.evidence.push("it changes nothing that could be read back".into());
    }
    Ok(proof)
}
