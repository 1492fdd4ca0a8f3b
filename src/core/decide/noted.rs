//! What becomes of runs that began before it was recorded where they lead and what they take back.

use crate::core::ask::attested::{self, Why};
use crate::core::model::Model;
use crate::core::words::incident::{Aim, Doubt, Incident, Mode, Noted, NotedRun, Run, StepRun};
use jiff::Timestamp;

/// What is made of them. Under the plan of then it is what it was; under another one nobody knows where they lead, and what
/// they took back is asked for.
pub fn noted(model: &Model, now: Timestamp) -> Option<Noted> {
    let is_same = model.durable.plan_digest.as_ref() == Some(&model.plan.digest);
    let untold = incidents(model).flat_map(|incident| &incident.runs).filter(|run| !run.aim.is_noted);
    let runs: Vec<NotedRun> = untold.map(|run| note(model, run, is_same)).collect();
    let doubts = || match is_same {
        true => model.durable.doubts.clone(),
        false => under_another_plan(model, now),
    };
    (!runs.is_empty()).then(|| Noted { runs, doubts: doubts() })
}

fn note(model: &Model, run: &Run, is_same: bool) -> NotedRun {
    NotedRun {
        run: run.id.clone(),
        aim: Aim {
            is_noted: true,
            is_recorded: run.aim.is_recorded || is_same,
            undoes: model.plan.runbooks.get(&run.runbook).and_then(|runbook| Aim::of(runbook).undoes),
            ..run.aim.clone()
        },
        switched: run.switched,
        has_moved: run.has_moved,
    }
}

fn incidents(model: &Model) -> impl Iterator<Item = &Incident> {
    model.durable.closed.iter().chain(&model.durable.incident)
}

/// The switches that something may have taken back: what the plan of now says of it is not what was done.
fn under_another_plan(model: &Model, now: Timestamp) -> Vec<Doubt> {
    let is_told = |doubt: &Doubt| {
        let by = doubt.by.as_ref().and_then(|(run, _)| model.run_of_any(run));
        by.is_none_or(|run| run.aim.is_noted)
    };
    let mut doubts: Vec<Doubt> =
        model.durable.doubts.iter().filter(|doubt| is_told(doubt)).cloned().collect();
    let real = incidents(model).filter(|incident| incident.mode != Mode::SafeDrill);
    let runs: Vec<&Run> = real.flat_map(|incident| &incident.runs).collect();
    let Some(serving) =
        runs.iter().rev().find(|run| run.has_moved && run.aim.region.as_ref() == model.serving())
    else {
        return doubts;
    };
    let since = serving.switch().and_then(StepRun::acted_at).or(serving.switched);
    let untold = runs.iter().filter(|run| !run.aim.is_noted);
    let mut later = untold.flat_map(|run| attested::begun(model, run)).filter(|at| Some(*at) > since);
    let is_known = doubts.iter().any(|doubt| doubt.run == serving.id);
    if let (false, Some(_), Some(region), Some(step)) =
        (is_known, later.next(), &serving.aim.region, &serving.aim.switch)
    {
        let (run, region, step) = (serving.id.clone(), region.clone(), step.clone());
        doubts.push(Doubt { region, run, step, why: Why::OtherPlan, by: None, at: now });
    }
    doubts
}
