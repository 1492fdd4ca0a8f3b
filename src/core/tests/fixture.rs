//! A small plan, and a machine that runs the core without an engine.

use crate::base::ids::*;
use crate::base::problem::Problem;
use crate::core::apply::apply;
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::react::react;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::effect::Effect;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::notification::Receipt;
use crate::core::words::reading::{Field, Measurement, Reading, Verdict};
use crate::core::words::since_boot::SinceBoot;
use crate::journal::Head;
use crate::plan::Plan;
pub use crate::testing::{of_kind, small as plan};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub fn start() -> Timestamp {
    "2026-03-01T03:00:00Z".parse().unwrap()
}

pub fn good(value: Option<f64>) -> Result<Measurement, Problem> {
    Ok(Measurement { verdict: Verdict::Good, value, fields: Default::default(), summary: "fine".into() })
}

pub fn bad() -> Result<Measurement, Problem> {
    let verdict = Verdict::Critical("connection refused".into());
    Ok(Measurement { verdict, value: None, fields: Default::default(), summary: "refused".into() })
}

pub fn blind() -> Result<Measurement, Problem> {
    Err(Problem { why: "no route".into(), next: "Look at the network.".into() })
}

/// A lag with its exposure.
pub fn lag(value_s: f64, exposure_s: f64, exposure_bytes: f64) -> Result<Measurement, Problem> {
    let mut measured = good(Some(value_s))?;
    measured.fields.insert("exposure_s".into(), Field::Number(exposure_s));
    measured.fields.insert("exposure_bytes".into(), Field::Number(exposure_bytes));
    Ok(measured)
}

pub fn operator() -> Actor {
    Actor::Operator(Operator { name: "alice".into(), uid: 1000 })
}

/// The core without an engine: effects queue up, and are answered by hand or by [`Machine::settle`].
#[derive(Clone)]
pub struct Machine {
    pub model: Model,
    pub now: Timestamp,
    pub log: Vec<Event>,
    pub effects: Vec<Effect>,
    pub executed: Vec<Effect>,
    /// Nobody answers by itself what steps did.
    pub is_silent: bool,
}

impl Machine {
    pub fn new() -> Self {
        Self::resumed(Vec::new(), start())
    }

    /// As an engine resumes: the fold of the journal, then its start.
    pub fn resumed(log: Vec<Event>, now: Timestamp) -> Self {
        Self::resumed_under(plan(), log, now)
    }

    /// The same under another plan.
    pub fn resumed_under(plan: Arc<Plan>, log: Vec<Event>, now: Timestamp) -> Self {
        Self::resumed_on(plan, log, now, None)
    }

    /// The same on a host that tells how long it is up.
    pub fn resumed_on(
        plan: Arc<Plan>,
        log: Vec<Event>,
        now: Timestamp,
        since_boot: Option<SinceBoot>,
    ) -> Self {
        let mut model = Model::new(plan);
        for event in &log {
            apply(&mut model, event);
        }
        let mut machine =
            Self { model, now, log, effects: Vec::new(), executed: Vec::new(), is_silent: false };
        let started = Report::EngineStarted { version: "test".into(), recovery: String::new(), since_boot };
        machine.report(started).unwrap();
        machine
    }

    pub fn ask(&mut self, ask: Ask) -> Result<Vec<Fact>, Problem> {
        self.command(operator(), Command::Ask(ask))
    }

    pub fn report(&mut self, report: Report) -> Result<Vec<Fact>, Problem> {
        self.command(Actor::Engine, Command::Report(report))
    }

    fn command(&mut self, by: Actor, command: Command) -> Result<Vec<Fact>, Problem> {
        let request = Request { at: self.now, by: by.clone(), command };
        let facts = decide(&self.model, &request)?;
        self.commit(&by, &facts);
        Ok(facts)
    }

    /// Takes facts as the engine decided them.
    pub fn take(&mut self, facts: Vec<Fact>) {
        self.commit(&Actor::Engine, &facts);
    }

    fn commit(&mut self, by: &Actor, facts: &[Fact]) {
        for fact in facts {
            let durable = fact.is_durable();
            let seq = self.log.len() as u64 + 1;
            let record = durable.then(|| Head { seq, checksum: format!("{seq:064}") });
            let event = Event { at: self.now, by: by.clone(), fact: fact.clone(), record };
            if durable {
                self.log.push(event.clone());
            }
            apply(&mut self.model, &event);
            for effect in react(&self.model, &event) {
                if matches!(effect, Effect::Execute { .. }) {
                    self.executed.push(effect.clone());
                }
                self.effects.push(effect);
            }
        }
    }

    /// One reading of each of these probes.
    pub fn observe(&mut self, readings: &[(&str, Result<Measurement, Problem>)]) {
        let reading = |(probe, outcome): &(&str, Result<Measurement, Problem>)| {
            (ProbeId::from(*probe), Reading { at: self.now, took: seconds(0), outcome: outcome.clone() })
        };
        let readings = readings.iter().map(reading).collect();
        self.report(Report::Observed(readings)).unwrap();
    }

    /// Lets time pass in ticks of a second, with the same readings every five.
    pub fn pass(&mut self, span: i64, readings: &[(&str, Result<Measurement, Problem>)]) {
        for second in 0..span {
            self.now = self.now.checked_add(seconds(1)).unwrap();
            if second % 5 == 0 {
                self.observe(readings);
            }
            self.report(Report::Tick).unwrap();
        }
    }

    /// Answers everything but executions as a well-behaved world would.
    pub fn settle(&mut self) {
        while let Some(effect) = self.effects.pop() {
            match effect {
                Effect::Execute { .. } | Effect::Verify { .. } if self.is_silent => {}
                Effect::Describe { run, step } => {
                    let result = Ok(description(&step));
                    let _ = self.report(Report::Described { run, step, result, manual: card() });
                }
                Effect::Execute { run, step, attempt, .. } => {
                    let outcome = Outcome::Done(Done { summary: "done".into() });
                    let _ = self.report(Report::Executed { run, step, attempt, outcome });
                }
                Effect::Verify { run, step, attempt, .. } => {
                    let result = Ok(Proof { evidence: vec!["seen".into()] });
                    let _ = self.report(Report::Checked { run, step, attempt, result });
                }
                Effect::Tick => {
                    let _ = self.report(Report::Tick);
                }
                Effect::Notify { id, attempt } => {
                    let result = Ok(Receipt { id: "taken".into(), ..Receipt::default() });
                    let _ = self.report(Report::Notified { id, attempt, result });
                }
                Effect::Watch { .. }
                | Effect::Cancel { .. }
                | Effect::DoneByHand { .. }
                | Effect::Preflight
                | Effect::Track { .. } => {}
            }
        }
    }

    /// A world in which the primary region is down and the standby's lag is small; severity is P0.
    pub fn primary_down() -> Self {
        Self::primary_down_under(plan())
    }

    fn primary_down_under(plan: Arc<Plan>) -> Self {
        let mut machine = Self::resumed_under(plan, Vec::new(), start());
        machine.pass(20, &healthy());
        machine.pass(30, &down());
        machine
    }

    /// Declared, answered with the suggestion, the first step verified by itself.
    pub fn failing_over() -> Self {
        Self::failing_over_under(plan())
    }

    /// The same under another plan.
    pub fn failing_over_under(plan: Arc<Plan>) -> Self {
        let mut machine = Self::primary_down_under(plan);
        machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
        let yes = || Some("yes".to_owned());
        let answer = Ask::Answer {
            question: "primary-down".into(),
            answer: "yes".into(),
            suggested: yes(),
            reason: None,
        };
        machine.ask(answer).unwrap();
        machine.settle();
        machine
    }

    pub fn run(&self) -> RunId {
        self.model.durable.incident.as_ref().unwrap().runs.last().unwrap().id.clone()
    }

    pub fn prepare(&mut self, step: &str) -> ConfirmationId {
        let run = self.run();
        self.ask(Ask::Prepare { run: run.clone(), step: step.into() }).unwrap();
        self.settle();
        let (_, state) = self.model.step(&run, &step.into()).unwrap();
        state.confirmation.as_ref().unwrap().id.clone()
    }

    pub fn failure() -> Failure {
        Failure {
            what: "it".into(),
            why: "broke".into(),
            next: "look".into(),
            acted: crate::core::words::action::Acted::No,
        }
    }
}

pub fn healthy() -> Vec<(&'static str, Result<Measurement, Problem>)> {
    ["primary-api", "primary-db", "dr-db", "reference"]
        .into_iter()
        .map(|probe| (probe, good(Some(20.0))))
        .chain([("dr-lag", lag(0.4, 0.0, 0.0))])
        .collect()
}

pub fn down() -> Vec<(&'static str, Result<Measurement, Problem>)> {
    vec![
        ("primary-api", bad()),
        ("primary-db", bad()),
        ("dr-db", good(Some(3.0))),
        ("reference", good(Some(1.0))),
        ("dr-lag", lag(14.0, 14.0, 3_200_000.0)),
    ]
}

pub fn description(step: &StepId) -> Description {
    Description {
        call: "call".into(),
        command: "command".into(),
        target: Target {
            name: format!("target-of-{step}"),
            kind: "thing".into(),
            identity: vec![("role".into(), "standby".into())],
            reachable: true,
        },
        notes: Vec::new(),
        undo: Vec::new(),
        sets: Vec::new(),
    }
}

pub fn card() -> ManualCard {
    ManualCard { instructions: vec!["by hand".into()], check: "look".into() }
}
