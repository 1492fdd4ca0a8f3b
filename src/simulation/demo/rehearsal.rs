//! The whole core over a simulated world, second by second on a clock that the test moves: an engine without
//! processes, sockets and journal, and an operator who does what the console suggests.

use crate::base::ids::{ProbeId, RunId, StepId};
use crate::core::apply::apply;
use crate::core::ask::names::View;
use crate::core::ask::tree::{Suggestion, suggest};
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::react::react;
use crate::core::words::action::{Done, Failure};
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::effect::Effect;
use crate::core::words::fact::Event;
use crate::core::words::incident::{Mode, Outcome, Position, RunEnd};
use crate::core::words::reading::Reading;
use crate::core::words::signal::SignalState;
use crate::core::words::status::StepStatus;
use crate::journal::Head;
use crate::kinds::action::{Conditions, Context};
use crate::kinds::probe::Probe;
use crate::plan::condition::{Condition, Truth};
use crate::plan::{Plan, Severity, Step};
use crate::simulation::SimulatedWorld;
use crate::simulation::scenario::Scenario;
use crate::world::{Clock, ManualClock, World};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

type Ended = (RunId, StepId, u32, Result<Done, Failure>);

pub(super) struct Rehearsal {
    plan: Arc<Plan>,
    world: SimulatedWorld,
    clock: Arc<ManualClock>,
    model: Arc<Mutex<Model>>,
    probes: Vec<(ProbeId, SignedDuration, Box<dyn Probe>)>,
    effects: Vec<Effect>,
    running: Vec<BoxFuture<'static, Ended>>,
    verifying: Vec<(RunId, StepId, u32, bool, Timestamp)>,
    elapsed_s: i64,
    /// The states that each signal went through.
    courses: HashMap<ProbeId, Vec<SignalState>>,
}

/// The engine's view, for steps that wait.
struct Signals {
    model: Arc<Mutex<Model>>,
    clock: Arc<ManualClock>,
}

impl Conditions for Signals {
    fn evaluate(&self, condition: &Condition) -> Truth {
        condition.evaluate(&View { model: &self.model.lock().unwrap(), now: self.clock.now() })
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        self.clock.sleep(SECOND)
    }
    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()> {
        self.clock.sleep(span)
    }
}

impl Rehearsal {
    pub(super) fn new(plan: &Arc<Plan>, scenario: Scenario) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-20T03:00:00Z".parse().unwrap()));
        let world = SimulatedWorld::with_clock(plan.clone(), scenario, clock.clone());
        let probe =
            |id: &ProbeId| (id.clone(), plan.probes[id].every, world.probe(&plan.probes[id]).unwrap());
        let mut rehearsal = Self {
            probes: plan.probes.keys().map(probe).collect(),
            plan: plan.clone(),
            world,
            clock,
            model: Arc::new(Mutex::new(Model::new(plan.clone()))),
            effects: Vec::new(),
            running: Vec::new(),
            verifying: Vec::new(),
            elapsed_s: 0,
            courses: HashMap::new(),
        };
        rehearsal.report(Report::EngineStarted {
            version: "test".into(),
            recovery: String::new(),
            since_boot: None,
        });
        rehearsal
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.second();
        }
    }

    fn second(&mut self) {
        self.clock.advance(SECOND);
        self.elapsed_s += 1;
        let now = self.clock.now();
        let due = self.probes.iter().filter(|(_, every, _)| (self.elapsed_s - 1) % every.as_secs() == 0);
        let readings = due.map(|(id, _, probe)| {
            let outcome = probe.run().now_or_never().unwrap();
            (id.clone(), Reading { at: now, took: SignedDuration::ZERO, outcome })
        });
        let readings = readings.collect();
        self.report(Report::Observed(readings));
        self.report(Report::Tick);
        self.note_courses();
        self.poll_running();
        self.poll_verifying();
        while let Some(effect) = self.effects.pop() {
            self.perform(effect);
        }
    }

    /// Looks at the model as it is now.
    pub(super) fn model(&self, at: impl FnOnce(&Model, Timestamp)) {
        at(&self.model.lock().unwrap(), self.clock.now());
    }

    /// Lets a step act on the world, whatever the engine knows of it.
    pub(super) fn act(&mut self, runbook: &str, step: &str) {
        let spec = self.plan.runbooks[runbook].steps[step].clone();
        let action = self.world.action(&spec, &spec.params).unwrap();
        let expected = action.describe().now_or_never().unwrap().unwrap().target;
        let context = self.context(&spec);
        let mut work = async move { action.execute(&expected, &context).await }.boxed();
        for _ in 0..60 {
            if let Some(ended) = (&mut work).now_or_never() {
                ended.unwrap();
                return;
            }
            self.second();
        }
        panic!("{step} does not end");
    }

    fn note_courses(&mut self) {
        let model = self.model.lock().unwrap();
        for (id, signal) in &model.durable.signals {
            let course = self.courses.entry(id.clone()).or_default();
            if course.last() != Some(&signal.state) {
                course.push(signal.state);
            }
        }
    }

    /// The states that a signal went through since its first reading.
    pub(super) fn course(&self, probe: &str) -> String {
        let known = self.courses[probe].iter().skip_while(|state| **state == SignalState::Unknown);
        known.map(|state| state.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn command(&mut self, by: Actor, command: Command) {
        let request = Request { at: self.clock.now(), by: by.clone(), command };
        let mut model = self.model.lock().unwrap();
        let facts =
            decide(&model, &request).unwrap_or_else(|refusal| panic!("{:?}: {refusal:?}", request.command));
        for fact in facts {
            let seq = model.durable.head.as_ref().map_or(1, |head| head.seq + 1);
            let record = fact.is_durable().then(|| Head { seq, checksum: String::new() });
            let event = Event { at: request.at, by: by.clone(), fact, record };
            apply(&mut model, &event);
            self.effects.extend(react(&model, &event));
        }
    }

    fn report(&mut self, report: Report) {
        self.command(Actor::Engine, Command::Report(report));
    }

    fn ask(&mut self, ask: Ask) {
        self.command(Actor::Operator(Operator { name: "alice".into(), uid: 1000 }), Command::Ask(ask));
    }

    fn step(&self, run: &RunId, id: &StepId) -> Step {
        self.model.lock().unwrap().step(run, id).unwrap().0.clone()
    }

    fn context(&self, step: &Step) -> Context {
        Context {
            output: Arc::new(|line| assert!(!line.is_empty())),
            conditions: Arc::new(Signals { model: self.model.clone(), clock: self.clock.clone() }),
            timeout: step.timeout,
            token: "token".into(),
            ran: false,
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Describe { run, step } => {
                let spec = self.step(&run, &step);
                let action = self.world.action(&spec, &spec.params).unwrap();
                let result = action.describe().now_or_never().unwrap();
                self.report(Report::Described { run, step, result, manual: action.manual() });
            }
            Effect::Execute { run, step, attempt, expected } => {
                let spec = self.step(&run, &step);
                let action = self.world.action(&spec, &spec.params).unwrap();
                let context = self.context(&spec);
                let work = async move {
                    let result = action.execute(&expected, &context).await;
                    (run, step, attempt, result)
                };
                self.running.push(work.boxed());
            }
            Effect::Verify { run, step, attempt, patient } => {
                self.verifying.push((run, step, attempt, patient, self.clock.now()));
            }
            Effect::Tick => self.report(Report::Tick),
            Effect::DoneByHand { run, step } => self.world.done_by_hand(&self.step(&run, &step)),
            Effect::Watch { .. }
            | Effect::Cancel { .. }
            | Effect::Preflight
            | Effect::Notify { .. }
            | Effect::Track { .. } => {}
        }
    }

    fn poll_running(&mut self) {
        let mut still = Vec::new();
        for mut work in std::mem::take(&mut self.running) {
            match (&mut work).now_or_never() {
                None => still.push(work),
                Some((run, step, attempt, result)) => {
                    let outcome = result.map_or_else(Outcome::Failed, Outcome::Done);
                    self.report(Report::Executed { run, step, attempt, outcome });
                }
            }
        }
        self.running = still;
    }

    fn poll_verifying(&mut self) {
        for (run, step, attempt, patient, since) in std::mem::take(&mut self.verifying) {
            let spec = self.step(&run, &step);
            let result = self.look(&spec);
            let over = self.clock.now().duration_since(since) >= spec.verify_within;
            if result.is_err() && patient && !over {
                self.verifying.push((run, step, attempt, patient, since));
                continue;
            }
            self.report(Report::Checked { run, step, attempt, result });
        }
    }

    fn look(&self, step: &Step) -> Result<crate::core::words::action::Proof, Failure> {
        let context = self.context(step);
        let action = self.world.action(step, &step.params).unwrap();
        let target = action.describe().now_or_never().unwrap().unwrap().target;
        let proof = action.verify(&target, &context).now_or_never().unwrap()?;
        match &step.verify {
            Some(condition) if context.conditions.evaluate(condition) != Truth::True => {
                Err(Failure::not_done("the proof", condition.source(), "wait"))
            }
            _ => Ok(proof),
        }
    }

    pub(super) fn state(&self, probe: &str) -> SignalState {
        self.model.lock().unwrap().state(&probe.into())
    }

    pub(super) fn severity(&self) -> Option<Severity> {
        self.model.lock().unwrap().severity()
    }

    pub(super) fn declare(&mut self) {
        self.ask(Ask::Declare { title: "rehearsal".into(), mode: Mode::Live });
    }

    fn position(&self) -> Position {
        self.model.lock().unwrap().durable.incident.as_ref().unwrap().position.clone()
    }

    /// Answers as suggested until the tree ends, or says why nothing is suggested.
    pub(super) fn follow_suggestions(&mut self) -> Result<Position, String> {
        loop {
            let Position::Question(id) = self.position() else { return Ok(self.position()) };
            let question = self.plan.tree.questions[&id].clone();
            let suggestion = suggest(&self.model.lock().unwrap(), &question, self.clock.now());
            match suggestion {
                Suggestion::Withheld(why) => return Err(format!("{id}: {why}")),
                Suggestion::Answer { answer, .. } => {
                    let suggested = Some(answer.clone());
                    self.ask(Ask::Answer { question: id, answer, suggested, reason: None });
                }
            }
        }
    }

    pub(super) fn answer(&mut self, question: &str, answer: &str) -> Position {
        let (question, answer) = (question.into(), answer.to_owned());
        self.ask(Ask::Answer {
            question,
            answer,
            suggested: None,
            reason: Some("the operator saw it".into()),
        });
        self.position()
    }

    /// Does what the console asks for until the run ends: confirms, attests what a person does, retries what
    /// failed once, accepts what a late fence may have cost. Gives the steps with how they ended.
    pub(super) fn complete(&mut self, within_s: i64) -> Vec<(String, &'static str)> {
        for _ in 0..within_s {
            self.second();
            let model = self.model.lock().unwrap().clone();
            let run = model.durable.incident.as_ref().unwrap().runs.last().unwrap();
            if let Some((_, end)) = &run.ended {
                assert_eq!(*end, RunEnd::Completed);
                return run.steps.iter().map(|(id, step)| (id.to_string(), step.status.as_str())).collect();
            }
            for (id, state) in &run.steps {
                let (run, step) = (run.id.clone(), id.clone());
                let spec = self.step(&run, id);
                match state.status {
                    StepStatus::Ready if spec.is_by_hand() => self.attest(run, step),
                    StepStatus::Ready
                        if spec.confirm != crate::plan::ConfirmLevel::None
                            && !model.live.preparing.contains(&(run.clone(), step.clone())) =>
                    {
                        self.ask(Ask::Prepare { run, step });
                    }
                    StepStatus::Confirming => {
                        let open = state.confirmation.as_ref().unwrap();
                        // Nobody could fence the old primary in time: what may be lost by that is accepted.
                        if let Some((guard, result)) = open.blocking_guard() {
                            assert!(result.condition.contains("exposure_s"), "{result:?}");
                            self.ask(Ask::Override {
                                run,
                                step,
                                guard,
                                reason: "no customer got through".into(),
                            });
                            continue;
                        }
                        let typed = open.phrase().map(str::to_owned);
                        self.ask(Ask::Confirm { confirmation: open.id.clone(), typed });
                    }
                    StepStatus::Failed if state.attempt < 2 => {
                        self.ask(Ask::Retry { run, step, reason: None })
                    }
                    StepStatus::Failed | StepStatus::Unknown if self.verifying.is_empty() => {
                        self.attest(run, step)
                    }
                    _ => {}
                }
            }
        }
        let model = self.model.lock().unwrap();
        let run = model.durable.incident.as_ref().unwrap().runs.last().unwrap();
        let steps: Vec<_> =
            run.steps.iter().map(|(id, step)| (id, step.status, &step.doubt, &step.outcome)).collect();
        panic!("not complete after {within_s} s: {steps:#?}");
    }

    fn attest(&mut self, run: RunId, step: StepId) {
        self.ask(Ask::Attest { run, step, how: "done by hand and checked".into() });
    }
}
