//! A model that real commands led to: `decide` makes the facts, `apply` folds them.

use super::plan::{plan, seconds};
use crate::base::problem::Problem;
use crate::console::glyphs::Glyphs;
use crate::console::keymap::{self, Keymap};
use crate::console::pages::Shown;
use crate::console::screens::View;
use crate::console::theme::{self, Theme};
use crate::console::ui::{Connection, Ui};
use crate::console::widgets::Styles;
use crate::core::apply::apply;
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::words::action::{Description, ManualCard, Proof, Target};
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::reading::{Field, Measurement, Reading, Verdict};
use crate::journal::Head;
use crate::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Stage {
    pub model: Model,
    pub now: Timestamp,
    pub ui: Ui,
    pub keymap: Keymap,
    pub theme: Theme,
    pub glyphs: Glyphs,
    pub shown: Shown,
}

pub const RUN: &str = "INC-20260131-120433/1";

impl Stage {
    pub fn new(plan: Plan) -> Self {
        let mut stage = Self {
            model: Model::new(Arc::new(plan)),
            now: "2026-01-31T12:00:00Z".parse().unwrap(),
            ui: Ui { connection: Connection::Attached, ..Ui::default() },
            keymap: keymap::load(&keymap::layers(None), keymap::DEFAULT).unwrap(),
            theme: theme::load(&theme::layers(None), theme::DEFAULT).unwrap(),
            glyphs: Glyphs::Unicode,
            shown: Shown::default(),
        };
        stage.report(Report::EngineStarted {
            version: "0.1.0".into(),
            recovery: String::new(),
            since_boot: None,
        });
        stage.model.live.journal_protection = "append-only".into();
        stage
    }

    pub fn view(&self) -> View<'_> {
        View {
            model: &self.model,
            ui: &self.ui,
            styles: Styles::new(&self.theme, self.glyphs),
            now: self.now,
            operator: "alice",
            keymap: &self.keymap,
            shown: &self.shown,
        }
    }

    pub fn fact(&mut self, by: Actor, fact: Fact) {
        let seq = self.model.durable.head.as_ref().map_or(1, |head| head.seq + 1);
        let checksum = format!("{:064x}", u128::from(seq) * 0x9e37_79b9_7f4a_7c15_f39c_c060);
        let checksum = checksum.chars().rev().collect();
        let record = fact.is_durable().then_some(Head { seq, checksum });
        apply(&mut self.model, &Event { at: self.now, by, fact, record });
    }

    fn command(&mut self, by: Actor, command: Command) {
        let request = Request { at: self.now, by: by.clone(), command };
        for fact in decide(&self.model, &request).unwrap() {
            self.fact(by.clone(), fact);
        }
    }

    pub fn ask(&mut self, ask: Ask) {
        self.command(Actor::Operator(Operator { name: "alice".into(), uid: 1000 }), Command::Ask(ask));
    }

    pub fn report(&mut self, report: Report) {
        self.command(Actor::Engine, Command::Report(report));
    }

    /// Lets time pass, with a tick at its end.
    pub fn pass(&mut self, time: i64) {
        self.now += seconds(time);
        self.report(Report::Tick);
    }

    pub fn read(&mut self, probe: &str, outcome: Result<Measurement, Problem>) {
        let reading = Reading { at: self.now, took: SignedDuration::from_millis(38), outcome };
        self.report(Report::Observed(vec![(probe.into(), reading)]));
    }

    pub fn good(&mut self, probe: &str, value: Option<f64>, summary: &str) {
        self.read(probe, Ok(measured(Verdict::Good, value, summary, &[])));
    }

    pub fn critical(&mut self, probe: &str, why: &str) {
        self.read(probe, Ok(measured(Verdict::Critical(why.into()), None, why, &[])));
    }

    pub fn lag(&mut self, lag_s: f64, bytes: f64) {
        let fields = [
            ("exposure_s", Field::Number(lag_s)),
            ("exposure_bytes", Field::Number(bytes)),
            ("exposure_basis", Field::Text("age of the last transaction received".into())),
            ("receiver", Field::Text("streaming".into())),
        ];
        let summary = format!("streaming, {lag_s} s behind");
        self.read("dr-lag", Ok(measured(Verdict::Good, Some(lag_s), &summary, &fields)));
    }

    /// Everything is well.
    pub fn all_well(&mut self) {
        self.good("primary-health", Some(42.0), "200 in 42 ms");
        self.good("primary-db", None, "accepts connections, primary, PostgreSQL 17.2");
        self.good("primary-queue", None, "connected");
        self.good("dr-health", Some(51.0), "200 in 51 ms");
        self.good("dr-db", None, "accepts connections, standby, PostgreSQL 17.2");
        self.lag(2.0, 120_000.0);
        let size = [("size_bytes", Field::Number(48_300_000_000.0))];
        self.read("full-backup", Ok(measured(Verdict::Good, Some(36_000.0), "newest is 10 h old", &size)));
        self.good("wal-archive", Some(40.0), "last archived 40 s ago");
        self.good("outside", Some(12.0), "200 in 12 ms");
        self.good("office", None, "connected");
        self.report(Report::Tick);
    }

    /// A minute of growing lag, then the primary is gone.
    pub fn primary_dies(&mut self) {
        for place in 0..12 {
            self.now += seconds(5);
            if place == 6 {
                self.all_well();
            }
            self.lag(2.0 + f64::from(place), 120_000.0 + 280_000.0 * f64::from(place));
        }
        self.critical("primary-health", "connection refused on health.example:443");
        self.critical("primary-db", "connection refused on primary-db.example:5432");
        self.critical("primary-queue", "no route to host queue.example:9092");
        self.lag(14.0, 3_200_000.0);
        self.report(Report::Tick);
    }

    /// Declared 150 seconds after the primary died; everything else was measured just now.
    pub fn declared(&mut self) {
        for _ in 0..15 {
            self.pass(10);
            self.rest_is_well();
        }
        self.ask(Ask::Declare { title: "us-east-1 does not answer".into(), mode: Mode::Live });
        self.pass(6);
    }

    pub fn rest_is_well(&mut self) {
        self.critical("primary-health", "connection refused on health.example:443");
        self.critical("primary-db", "connection refused on primary-db.example:5432");
        self.critical("primary-queue", "no route to host queue.example:9092");
        self.good("dr-health", Some(51.0), "200 in 51 ms");
        self.good("dr-db", None, "accepts connections, standby, PostgreSQL 17.2");
        self.lag(14.0, 3_200_000.0);
        self.good("outside", Some(12.0), "200 in 12 ms");
        self.good("office", None, "connected");
        let size = [("size_bytes", Field::Number(48_300_000_000.0))];
        self.read("full-backup", Ok(measured(Verdict::Good, Some(36_000.0), "newest is 10 h old", &size)));
        let why = "cannot connect to primary-db.example:5432".into();
        self.read("wal-archive", Err(Problem { why, next: "Look at the archive itself.".into() }));
    }

    pub fn answer(&mut self, question: &str, answer: &str, suggested: Option<&str>, reason: Option<&str>) {
        self.ask(Ask::Answer {
            question: question.into(),
            answer: answer.into(),
            suggested: suggested.map(str::to_owned),
            reason: reason.map(str::to_owned),
        });
    }

    /// Both questions answered as suggested: the failover has begun.
    pub fn failing_over(&mut self) {
        self.answer("down", "yes", Some("yes"), None);
        self.pass(4);
        self.answer("dr-fit", "yes", Some("yes"), None);
        self.pass(1);
        self.describe("check-dr", "signals['dr-health'].state == 'ok'", "DR health endpoint", "signal");
        self.pass(3);
        self.done("check-dr", "it holds", "DR health endpoint is ok, 200 in 51 ms");
    }

    pub fn prepare(&mut self, step: &str) {
        self.ask(Ask::Prepare { run: RUN.into(), step: step.into() });
    }

    pub fn describe(&mut self, step: &str, call: &str, target: &str, kind: &str) {
        let description = Description {
            call: call.into(),
            command: format!("psql -h {target} -c \"{call}\""),
            target: Target {
                name: target.into(),
                kind: kind.into(),
                identity: vec![
                    ("system identifier".into(), "7432118765520034".into()),
                    ("role".into(), "standby".into()),
                    ("timeline".into(), "1".into()),
                ],
                reachable: true,
            },
            notes: vec!["Connections to the standby are kept; writes work from then on.".into()],
            undo: Vec::new(),
            sets: Vec::new(),
        };
        self.report(Report::Described {
            run: RUN.into(),
            step: step.into(),
            result: Ok(description),
            manual: card(target),
        });
    }

    pub fn confirm(&mut self, step: &str, typed: Option<&str>) {
        let (_, state) = self.model.step(&RUN.into(), &step.into()).unwrap();
        let confirmation = state.confirmation.as_ref().unwrap().id.clone();
        self.ask(Ask::Confirm { confirmation, typed: typed.map(str::to_owned) });
    }

    pub fn output(&mut self, step: &str, line: &str) {
        self.report(Report::Output { run: RUN.into(), step: step.into(), line: line.into() });
    }

    pub fn ended(&mut self, step: &str, outcome: Outcome) {
        let attempt = self.model.step(&RUN.into(), &step.into()).unwrap().1.attempt;
        self.report(Report::Executed { run: RUN.into(), step: step.into(), attempt, outcome });
    }

    pub fn done(&mut self, step: &str, summary: &str, proof: &str) {
        self.ended(step, Outcome::Done(crate::core::words::action::Done { summary: summary.into() }));
        let attempt = self.model.step(&RUN.into(), &step.into()).unwrap().1.attempt;
        let result = Ok(Proof { evidence: vec![proof.into()] });
        self.report(Report::Checked { run: RUN.into(), step: step.into(), attempt, result });
    }

    /// Up to the confirmation of the promotion.
    pub fn promoting(&mut self) {
        self.failing_over();
        self.prepare("fence");
        self.describe(
            "fence",
            "alter system set default_transaction_read_only = on",
            "primary-db:5432",
            "PostgreSQL server",
        );
        self.pass(8);
        self.confirm("fence", None);
        self.pass(12);
        self.done("fence", "sessions ended", "the old primary refuses connections");
        self.rest_is_well();
        self.prepare("promote");
        self.describe("promote", "select pg_promote(true, 60)", "dr-db.example:5432", "PostgreSQL server");
        self.pass(2);
    }
}

pub fn measured(
    verdict: Verdict,
    value: Option<f64>,
    summary: &str,
    fields: &[(&str, Field)],
) -> Measurement {
    let fields: BTreeMap<String, Field> =
        fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect();
    Measurement { verdict, value, fields, summary: summary.into() }
}

pub fn card(target: &str) -> ManualCard {
    ManualCard {
        instructions: vec![format!("psql -h {target} -c \"select pg_promote(true, 60)\"")],
        check: "select pg_is_in_recovery() says false".into(),
    }
}

/// Everything was measured, nothing happened.
pub fn healthy() -> Stage {
    let mut stage = Stage::new(plan());
    stage.now += seconds(60);
    stage.all_well();
    stage.pass(3);
    stage
}

/// The primary is gone, an incident is declared, the first question is open.
pub fn region_down() -> Stage {
    let mut stage = healthy();
    stage.primary_dies();
    stage.declared();
    stage
}
