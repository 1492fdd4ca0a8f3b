//! Random people and a random world: where lifeboat asks nothing, the region that it says serves is the one that does.

use super::carried_out::*;
use super::doubted::*;
use super::fixture::*;
use super::ordered::{seen_in_vain, still_runs};
use super::placement::*;
use super::proving::*;
use crate::base::ids::{RunId, StepId};
use crate::core::ask::attested;
use crate::core::model::Model;
use crate::core::words::action::{Acted, Done, Failure, Proof};
use crate::core::words::command::{Ask, Report};
use crate::core::words::incident::{Mode, Outcome, Run};
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Step};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What an attempt at a step does to the world.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    acts: bool,
    acted: bool,
}

/// The world, and the machine that knows of it what people and steps tell.
struct Night {
    machine: Machine,
    carries: &'static str,
    attempts: BTreeMap<(RunId, StepId), Attempt>,
    /// Attempts whose program outlived its engine, and may act yet.
    left_running: BTreeSet<(RunId, StepId)>,
}

const RUNBOOKS: [&str; 3] = ["switch-to-dr", "undo", "home"];

fn plan_of(is_word_proven: bool) -> Machine {
    with_undo(|plan: &mut Plan| {
        let steps = &mut plan.runbooks["switch-to-dr"].steps;
        let undo = unswitch(&steps["after"]);
        steps.insert("unswitch".into(), undo);
        steps["after"].needs.clear();
        if !is_word_proven {
            steps["switch"].verify = None;
        }
        let home = &mut plan.runbooks["home"].steps;
        let back =
            Step { undoes: vec!["switch".into()], verify: None, ..switching(home["all-home"].clone()) };
        home.insert("all-home".into(), back);
    })
}

impl Night {
    fn new(is_word_proven: bool) -> Self {
        Self {
            machine: plan_of(is_word_proven),
            carries: "primary",
            attempts: BTreeMap::new(),
            left_running: BTreeSet::new(),
        }
    }

    fn run(&self) -> Option<&Run> {
        self.machine.model.durable.incident.as_ref()?.open_run()
    }

    /// One of the steps of the open run that stand so.
    fn step(&self, pick: u8, is: impl Fn(StepStatus) -> bool) -> Option<(RunId, StepId)> {
        let run = self.run()?;
        let steps: Vec<&StepId> =
            run.steps.iter().filter(|(_, state)| is(state.status)).map(|(id, _)| id).collect();
        let step = steps.get(pick as usize % steps.len().max(1))?;
        Some((run.id.clone(), (*step).clone()))
    }

    fn effect(&mut self, (run, step): &(RunId, StepId)) {
        let plan = self.machine.model.plan.clone();
        let takes_back = |run: &Run| run.takes_back(&plan, step, (&"switch-to-dr".into(), &"switch".into()));
        match step.as_str() {
            "switch" => self.carries = "dr",
            _ if self.machine.model.run(run).is_some_and(takes_back) => self.carries = "primary",
            _ => {}
        }
    }

    fn act(&mut self, of: &(RunId, StepId)) {
        if self.attempts.get(of).is_some_and(|attempt| attempt.acts && !attempt.acted) {
            self.effect(of);
            self.attempts.entry(of.clone()).and_modify(|attempt| attempt.acted = true);
        }
    }

    fn begin(&mut self, pick: u8) {
        if self.run().is_none() {
            begin(&mut self.machine, RUNBOOKS[pick as usize % RUNBOOKS.len()]);
        }
    }

    fn start(&mut self, pick: u8) {
        let Some(of) = self.step(pick, |status| status == StepStatus::Ready) else { return };
        start_step(&mut self.machine, of.1.as_str());
        self.left_running.remove(&of);
        self.attempts.insert(of, Attempt { acts: !pick.is_multiple_of(4), acted: false });
    }

    fn act_now(&mut self, pick: u8) {
        let left = self.left_running.iter().nth(pick as usize % self.left_running.len().max(1)).cloned();
        if let Some(of) = left.or_else(|| self.step(pick, |status| status == StepStatus::Started)) {
            self.act(&of);
        }
    }

    fn end(&mut self, pick: u8) {
        let Some(of) = self.step(pick, |status| status == StepStatus::Started) else { return };
        let acts = self.attempts[&of].acts;
        self.act(&of);
        let failed = |acted| Outcome::Failed(Failure { acted, ..Machine::failure() });
        let outcome = match pick / 4 % 3 {
            0 => failed(Acted::Maybe),
            1 if !acts => failed(Acted::No),
            _ => Outcome::Done(Done { summary: "done".into() }),
        };
        let attempt = state(&self.machine, of.1.as_str()).attempt;
        let (run, step) = of;
        self.machine.report(Report::Executed { run, step, attempt, outcome }).unwrap();
        self.machine.effects.clear();
    }

    fn check(&mut self, pick: u8) {
        let is = |status| matches!(status, StepStatus::Finished | StepStatus::Unknown);
        let Some(of) = self.step(pick, is) else { return };
        let state = state(&self.machine, of.1.as_str());
        // A look finds that it runs, or that it has ended.
        if self.left_running.contains(&of) && pick.is_multiple_of(2) {
            return still_runs(&mut self.machine, of.1.as_str());
        }
        self.left_running.remove(&of);
        let (run, step) = of.clone();
        if state.status == StepStatus::Unknown {
            let _ = self.machine.ask(Ask::Recheck { run: run.clone(), step: step.clone() });
        }
        let acted = self.attempts.get(&of).is_some_and(|attempt| attempt.acted);
        let is_seen = match step.as_str() {
            "switch" => acted && self.carries == "dr",
            "after" => acted,
            _ => acted && self.carries == "primary",
        };
        let result = match is_seen {
            true => Ok(Proof { evidence: vec!["seen".into()] }),
            false => Err(Machine::failure()),
        };
        let _ = self.machine.report(Report::Checked { run, step, attempt: state.attempt, result });
        self.machine.effects.clear();
    }

    /// Somebody does it by hand, and says so.
    fn attest(&mut self, pick: u8) {
        let is = |status| matches!(status, StepStatus::Ready | StepStatus::Failed | StepStatus::Unknown);
        let Some((run, step)) = self.step(pick, is) else { return };
        let (before, of) = (self.carries, (run.clone(), step.clone()));
        self.left_running.remove(&of);
        self.effect(&(run.clone(), step.clone()));
        if self.machine.ask(Ask::Attest { run, step, how: "by hand".into() }).is_err() {
            self.carries = before;
        }
    }

    fn leave_out(&mut self, pick: u8) {
        let is = |status| matches!(status, StepStatus::Ready | StepStatus::Failed | StepStatus::Unknown);
        if let Some((run, step)) = self.step(pick, is) {
            self.left_running.remove(&(run.clone(), step.clone()));
            let _ = self.machine.ask(Ask::Skip { run, step, reason: "no need".into() });
        }
    }

    fn again(&mut self, pick: u8) {
        let is = |status: StepStatus| {
            status.is_done() || matches!(status, StepStatus::Failed | StepStatus::Unknown)
        };
        if let Some((run, step)) = self.step(pick, is) {
            let _ = self.machine.ask(Ask::Retry { run, step, reason: Some("once more".into()) });
        }
    }

    /// Somebody takes the switch of a run back by hand, and says so.
    fn take_back(&mut self, pick: u8) {
        let runs = self.machine.model.durable.incident.iter().flat_map(|incident| &incident.runs);
        let runs: Vec<RunId> =
            runs.filter(|run| run.runbook.as_str() == "switch-to-dr").map(|run| run.id.clone()).collect();
        let Some(run) = runs.get(pick as usize % runs.len().max(1)).cloned() else { return };
        let ask = Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false };
        if self.machine.ask(ask).is_ok() {
            self.carries = "primary";
        }
    }

    fn record(&mut self) {
        let is_asked = attested::is_any(&self.machine.model);
        let ask = Ask::RecordServing { region: self.carries.into(), reason: "seen".into() };
        let answer = self.machine.ask(ask);
        assert!(answer.is_ok() || !is_asked, "{answer:?}");
    }

    fn is_quiet(&self) -> bool {
        let steps = self.run().into_iter().flat_map(|run| run.steps.values());
        steps.into_iter().all(|state| !matches!(state.status, StepStatus::Started | StepStatus::Finished))
    }

    fn abort(&mut self) {
        if self.run().is_some() && self.is_quiet() {
            abort(&mut self.machine);
        }
    }

    fn started(&self) -> BTreeSet<(RunId, StepId)> {
        (0..8).filter_map(|pick| self.step(pick, |status| status == StepStatus::Started)).collect()
    }

    fn crash(&mut self, pick: u8) {
        let started = self.started();
        if pick.is_multiple_of(3) {
            started.iter().for_each(|of| self.act(of));
        }
        let machine = &self.machine;
        self.machine = Machine::resumed_under(machine.model.plan.clone(), machine.log.clone(), machine.now);
        self.look_at(started, pick % 3 == 1);
    }

    /// The next engine looks at once at what ran when the one before ended.
    fn look_at(&mut self, started: BTreeSet<(RunId, StepId)>, still_run: bool) {
        for of in started {
            match still_run {
                true => still_runs(&mut self.machine, of.1.as_str()),
                false => seen_in_vain(&mut self.machine, of.1.as_str()),
            }
            if still_run {
                self.left_running.insert(of);
            }
        }
    }

    /// The plan of the next engine says otherwise what the runbook `undo` takes back.
    fn edit(&mut self) {
        let (machine, started) = (self.machine.clone(), self.started());
        self.machine = under(machine, |plan| {
            let undoes = &mut plan.runbooks["undo"].steps["back"].undoes;
            *undoes = if undoes.is_empty() { vec!["switch".into()] } else { Vec::new() };
        });
        self.machine.effects.clear();
        self.look_at(started, false);
    }

    fn close(&mut self) {
        if self.run().is_none() && self.machine.ask(Ask::Close { reason: "over".into() }).is_ok() {
            self.left_running.clear();
            self.machine.ask(Ask::Declare { title: "again".into(), mode: Mode::Live }).unwrap();
        }
    }

    /// Time passes, and what the world shows is read: what proves a person's word of the switch.
    fn look(&mut self) {
        let readings = if self.carries == "dr" { rerouted() } else { broken() };
        self.machine.pass(6, &readings);
        self.machine.effects.clear();
    }

    fn play(&mut self, (what, pick): (u8, u8)) {
        // What steps did is told by `check` alone, as the world is.
        self.machine.is_silent = true;
        self.machine.now += SignedDuration::from_secs(1);
        match what {
            0 => self.begin(pick),
            1 | 2 => self.start(pick),
            3 => self.act_now(pick),
            4 | 5 => self.end(pick),
            6 | 7 => self.check(pick),
            8 => self.attest(pick),
            9 => self.leave_out(pick),
            10 => self.again(pick),
            11 => self.take_back(pick),
            12 => self.record(),
            13 => self.abort(),
            14 => self.crash(pick),
            15 => self.close(),
            16 if pick.is_multiple_of(8) => self.edit(),
            _ => self.look(),
        }
    }

    /// What is said without a question is so, a truthful answer ends every question, and the journal tells the same.
    fn holds(&self) -> Result<(), TestCaseError> {
        let serves = |machine: &Machine| machine.model.serving().unwrap().to_string();
        let mut again = Model::new(self.machine.model.plan.clone());
        self.machine.log.iter().for_each(|event| crate::core::apply::apply(&mut again, event));
        prop_assert_eq!(&again.durable.acts, &self.machine.model.durable.acts);
        prop_assert_eq!(again.serving(), self.machine.model.serving());
        if !self.is_quiet() {
            return Ok(());
        }
        if !attested::is_any(&self.machine.model) {
            prop_assert_eq!(serves(&self.machine), self.carries, "{:?}", self.machine.model.durable.acts);
            return Ok(());
        }
        if !self.left_running.is_empty() {
            return Ok(());
        }
        let mut machine = self.machine.clone();
        let ask = Ask::RecordServing { region: self.carries.into(), reason: "seen".into() };
        prop_assert!(machine.ask(ask.clone()).is_ok(), "{:?}", machine.ask(ask));
        prop_assert!(!attested::is_any(&machine.model), "{}", said(&machine));
        prop_assert_eq!(serves(&machine), self.carries);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_nothing_is_asked_the_region_that_is_said_to_serve_does(
        is_word_proven: bool,
        course in prop::collection::vec((0u8..19, any::<u8>()), 1..60),
    ) {
        let mut night = Night::new(is_word_proven);
        for what in course {
            night.play(what);
            night.holds()?;
        }
    }
}
