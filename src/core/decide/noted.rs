//! What becomes of runs that began before it was recorded where they lead and what they take back.

use crate::base::ids::{RunId, StepId};
use crate::core::ask::attested;
use crate::core::model::Model;
use crate::core::words::act::{Act, Acts, Kind, Known};
use crate::core::words::incident::{Aim, Noted, NotedRun, Run, StepRun};

/// What is made of them. Under the plan of then it is what it was; under another one nobody knows where they lead, and what
/// they took back is asked for.
pub fn noted(model: &Model) -> Option<Noted> {
    let is_same = model.durable.plan_digest.as_ref() == Some(&model.plan.digest);
    let untold = model.incidents().flat_map(|incident| &incident.runs).filter(|run| !run.aim.is_noted);
    let runs: Vec<NotedRun> = untold.map(|run| note(model, run, is_same)).collect();
    let acts = || match is_same {
        true => model.durable.acts.clone(),
        false => under_another_plan(model),
    };
    (!runs.is_empty()).then(|| Noted { runs, acts: Some(acts()) })
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

/// What the plan of now says that they took back is not what they did: where anything was done in them since a region
/// serves because of a run, it may have taken that back.
fn under_another_plan(model: &Model) -> Acts {
    let mut acts = model.durable.acts.clone();
    let is_known = |act: &Act| {
        let run = model.run_of_any(&act.run);
        run.is_none_or(|run| run.aim.is_noted || act.kind != Kind::Done || run.is_switch(&act.step))
    };
    acts.list.retain(is_known);
    if let Some((run, step)) = may_be_taken_back(model) {
        acts.say((run, step), Kind::OtherPlan, Known::Shown);
    }
    acts
}

/// The switch because of which a region serves, where something was done since in runs of before.
fn may_be_taken_back(model: &Model) -> Option<(&RunId, &StepId)> {
    let runs: Vec<&Run> = model.real_incidents().flat_map(|incident| &incident.runs).collect();
    let serves = |run: &&&Run| run.has_moved && run.aim.region.as_ref() == model.serving();
    let serving = runs.iter().rev().find(serves)?;
    let since = serving.switch().and_then(StepRun::acted_at).or(serving.switched);
    let untold = runs.iter().filter(|run| !run.aim.is_noted);
    let mut later = untold.flat_map(|run| attested::begun(model, run)).filter(|at| Some(*at) > since);
    later.next()?;
    Some((&serving.id, serving.aim.switch.as_ref()?))
}
