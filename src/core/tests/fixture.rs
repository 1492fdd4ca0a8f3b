//! A small plan, and a machine that runs the core without an engine.

use crate::base::ids::*;
use crate::base::units::Unit;
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
use crate::core::words::reading::{Field, Measurement, ProbeFailure, Reading, Verdict};
use crate::core::words::refusal::Refusal;
use crate::core::words::since_boot::SinceBoot;
use crate::journal::Head;
use crate::plan::condition::Condition;
use crate::plan::kinds::{Does, Sees};
use crate::plan::params::Params;
use crate::plan::*;
use indexmap::{IndexMap, indexmap};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub fn start() -> Timestamp {
    "2026-03-01T03:00:00Z".parse().unwrap()
}

fn probe(
    id: &str,
    kind: &str,
    region: Option<&str>,
    unit: Unit,
    thresholds: Thresholds,
) -> (ProbeId, ProbeSpec) {
    let spec = ProbeSpec {
        id: id.into(),
        kind: kind.into(),
        sees: sees(kind),
        title: format!("probe {id}"),
        region: region.map(RegionId::from),
        database: None,
        every: seconds(5),
        timeout: seconds(2),
        thresholds,
        unit,
        fail_after: 3,
        recover_after: 2,
        stale_after: seconds(17),
        params: Params::default(),
    };
    (id.into(), spec)
}

/// What a kind looks at, as its provider, which stands above the core, has it.
pub fn sees(kind: &str) -> Sees {
    match kind {
        "http" => Sees::Http,
        "tcp" => Sees::Tcp,
        "postgres" => Sees::Server,
        "postgres-replication" => Sees::Standby,
        "exec" => Sees::Program,
        _ => panic!("{kind}"),
    }
}

/// What a kind does, as its provider has it.
pub fn does(action: &str) -> Does {
    match action {
        "manual" => Does::ByHand,
        "note" => Does::Notes,
        "exec" => Does::Runs,
        "postgres-promote" => Does::Promotes,
        "postgres-fence" => Does::Fences,
        "postgres-unfence" => Does::Unfences,
        _ => panic!("{action}"),
    }
}

/// The same step of another kind.
pub fn of_kind(step: Step, action: &str) -> Step {
    Step { action: action.into(), does: does(action), ..step }
}

fn step(id: &str, action: &str, needs: &[&str], confirm: ConfirmLevel) -> (StepId, Step) {
    let step = Step {
        id: id.into(),
        title: format!("step {id}"),
        action: action.into(),
        does: does(action),
        params: Params::default(),
        needs: needs.iter().map(|need| StepId::from(*need)).collect(),
        guard: Vec::new(),
        confirm,
        changes: !matches!(action, "manual" | "note" | "wait-for"),
        irreversible: false,
        switches: false,
        serves: Default::default(),
        safe_to_drill: false,
        fences: Vec::new(),
        unfences: Vec::new(),
        estimate: Some(seconds(30)),
        timeout: seconds(60),
        verify: None,
        verify_within: seconds(30),
        manual: None,
        undo: None,
        undoes: Vec::new(),
    };
    (id.into(), step)
}

fn answer(goto: Goto, suggest: Option<&str>) -> Answer {
    Answer { goto, suggest: suggest.map(|source| Condition::parse(source).unwrap()) }
}

/// Two regions, a lag, a reference; a tree of two questions; a runbook with a fork and a point of no return.
pub fn plan() -> Arc<Plan> {
    let lag = Thresholds { warn: Some(30.0), critical: Some(60.0), below: false };
    let probes: IndexMap<_, _> = [
        probe("primary-api", "http", Some("primary"), Unit::Milliseconds, Thresholds::default()),
        probe("primary-db", "postgres", Some("primary"), Unit::Milliseconds, Thresholds::default()),
        probe("dr-db", "postgres", Some("dr"), Unit::Milliseconds, Thresholds::default()),
        probe("dr-lag", "postgres-replication", Some("dr"), Unit::Seconds, lag),
        probe("reference", "tcp", None, Unit::Milliseconds, Thresholds::default()),
    ]
    .into_iter()
    .collect();
    let mut promote = step("promote", "postgres-promote", &["check"], ConfirmLevel::Type).1;
    promote.guard = vec![Condition::parse("signals['dr-lag'].value_s < 60.0").unwrap()];
    promote.irreversible = true;
    let mut dns = step("dns", "exec", &["promote"], ConfirmLevel::Yes);
    dns.1.switches = true;
    let steps: IndexMap<_, _> = [
        step("check", "note", &[], ConfirmLevel::None),
        ("promote".into(), promote),
        step("scale", "exec", &["promote"], ConfirmLevel::Yes),
        dns,
        step("tell", "manual", &["scale", "dns"], ConfirmLevel::None),
    ]
    .into_iter()
    .collect();
    let region = |role, health: &[&str]| Region {
        name: "somewhere".into(),
        role,
        health: health.iter().map(|id| ProbeId::from(*id)).collect(),
    };
    let database = Service {
        title: "PostgreSQL".into(),
        tier: 1,
        rto: seconds(900),
        rpo: Some(seconds(60)),
        health: indexmap! {
            "primary".into() => vec!["primary-db".into()],
            "dr".into() => vec!["dr-db".into()],
        },
    };
    let down = "regions.primary.status == 'down'";
    let rule = |level, when: &str| SeverityRule {
        level,
        when: Condition::parse(when).unwrap(),
        why: format!("{when} holds"),
    };
    let questions = indexmap! {
        "primary-down".into() => Question {
            ask: "Is the primary region completely down?".into(),
            help: String::new(),
            evidence: vec!["primary-api".into(), "primary-db".into()],
            answers: indexmap! {
                "yes".into() => answer(Goto::Runbook("failover".into()), Some(down)),
                "no".into() => answer(Goto::Question("partial".into()), Some("regions.primary.status != 'down'")),
            },
        },
        "partial".into() => Question {
            ask: "Is it a partial outage?".into(),
            help: String::new(),
            evidence: vec!["primary-api".into()],
            answers: indexmap! {
                "yes".into() => answer(Goto::Runbook("failover".into()), None),
                "no".into() => answer(Goto::Leaf("monitor".into()), Some("regions.primary.status == 'up'")),
            },
        },
    };
    Arc::new(Plan {
        name: "Fixture".into(),
        strategy: Strategy::WarmStandby,
        digest: "0".repeat(64),
        policy: Policy {
            reference: vec!["reference".into()],
            cooldown: seconds(300),
            confirmation_expiry: seconds(120),
            monitor: seconds(3600),
            unknown_after: SignedDuration::from_mins(15),
        },
        regions: indexmap! {
            "primary".into() => region(RegionRole::Primary, &["primary-api", "primary-db"]),
            "dr".into() => region(RegionRole::Standby, &["dr-db"]),
        },
        services: indexmap! { "postgresql".into() => database },
        probes,
        backups: IndexMap::new(),
        severity: vec![rule(Severity::P0, down), rule(Severity::P1, "regions.primary.status == 'degraded'")],
        tree: Tree {
            root: "primary-down".into(),
            questions,
            leaves: indexmap! {
                "monitor".into() => Leaf { title: "Do not fail over".into(), advice: "Keep watching.".into() },
            },
        },
        runbooks: indexmap! {
            "failover".into() => Runbook {
                title: "Failover".into(),
                loss: vec!["dr-lag".into()],
                restores: vec!["postgresql".into()],
                activates: Some("dr".into()),
                steps,
            },
        },
        contacts: IndexMap::new(),
        channels: IndexMap::new(),
        rotations: IndexMap::new(),
        policies: IndexMap::new(),
        audiences: IndexMap::new(),
        messages: IndexMap::new(),
        notify: Default::default(),
        drills: IndexMap::new(),
        secrets: Default::default(),
        aws: Default::default(),
    })
}

pub fn good(value: Option<f64>) -> Result<Measurement, ProbeFailure> {
    Ok(Measurement { verdict: Verdict::Good, value, fields: Default::default(), summary: "fine".into() })
}

pub fn bad() -> Result<Measurement, ProbeFailure> {
    let verdict = Verdict::Critical("connection refused".into());
    Ok(Measurement { verdict, value: None, fields: Default::default(), summary: "refused".into() })
}

pub fn blind() -> Result<Measurement, ProbeFailure> {
    Err(ProbeFailure { why: "no route".into(), next: "Look at the network.".into() })
}

/// A lag with its exposure.
pub fn lag(value_s: f64, exposure_s: f64, exposure_bytes: f64) -> Result<Measurement, ProbeFailure> {
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
        let mut machine = Self { model, now, log, effects: Vec::new(), executed: Vec::new() };
        let started = Report::EngineStarted { version: "test".into(), recovery: String::new(), since_boot };
        machine.report(started).unwrap();
        machine
    }

    pub fn ask(&mut self, ask: Ask) -> Result<Vec<Fact>, Refusal> {
        self.command(operator(), Command::Ask(ask))
    }

    pub fn report(&mut self, report: Report) -> Result<Vec<Fact>, Refusal> {
        self.command(Actor::Engine, Command::Report(report))
    }

    fn command(&mut self, by: Actor, command: Command) -> Result<Vec<Fact>, Refusal> {
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
    pub fn observe(&mut self, readings: &[(&str, Result<Measurement, ProbeFailure>)]) {
        let reading = |(probe, outcome): &(&str, Result<Measurement, ProbeFailure>)| {
            (ProbeId::from(*probe), Reading { at: self.now, took: seconds(0), outcome: outcome.clone() })
        };
        let readings = readings.iter().map(reading).collect();
        self.report(Report::Observed(readings)).unwrap();
    }

    /// Lets time pass in ticks of a second, with the same readings every five.
    pub fn pass(&mut self, span: i64, readings: &[(&str, Result<Measurement, ProbeFailure>)]) {
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

pub fn healthy() -> Vec<(&'static str, Result<Measurement, ProbeFailure>)> {
    ["primary-api", "primary-db", "dr-db", "reference"]
        .into_iter()
        .map(|probe| (probe, good(Some(20.0))))
        .chain([("dr-lag", lag(0.4, 0.0, 0.0))])
        .collect()
}

pub fn down() -> Vec<(&'static str, Result<Measurement, ProbeFailure>)> {
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
