//! The course of an incident.

use super::{acts, signals};
use crate::base::ids::{RegionId, RunId, RunbookId, StepId};
use crate::core::model::{Model, Switch};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Aim, Incident, Mode, Noted, Position, Run, RunEnd, StepRun};
use crate::core::words::status::{Move, StepStatus};
use crate::plan::Plan;
use jiff::Timestamp;

/// Takes in a fact of an incident's course.
pub fn apply(model: &mut Model, event: &Event) {
    match &event.fact {
        Fact::IncidentDeclared { id, title, mode, detected_at, .. } => {
            super::escalate::begin(model, id);
            model.durable.proposal = None;
            model.durable.incident = Some(Incident {
                id: id.clone(),
                title: title.clone(),
                mode: *mode,
                commander: event.by.clone(),
                declared_at: event.at,
                detected_at: *detected_at,
                severity_override: None,
                answers: Vec::new(),
                position: Position::Question(model.plan.tree.root.clone()),
                runs: Vec::new(),
                roles: Default::default(),
                resolved: None,
                closed: None,
            });
        }
        Fact::IncidentClosed { reason } => {
            let drill = model.durable.incident.as_ref().is_some_and(|incident| incident.mode.is_drill());
            acts::closing(model);
            if let Some(mut incident) = model.durable.incident.take() {
                incident.closed = Some((event.at, reason.clone()));
                model.durable.closed.push(incident);
            }
            // What a person closed while it was bad is not proposed anew until it is well or worse. The end of an
            // exercise says nothing of what is real.
            if !drill {
                super::escalate::dismissed(model, event, None, &format!("the incident was closed: {reason}"));
            }
            model.durable.due.clear();
            model.durable.plan_changed_at = None;
            model.live.output.clear();
        }
        Fact::DrillTurnedLive { title, detected_at, .. } => turned_live(model, event.at, title, *detected_at),
        Fact::RunEnded { run, end } => run_ended(model, event.at, run, end),
        Fact::RunStarted { run, runbook, steps, aim } => {
            acts::serves_first(model, event.at, aim.as_ref());
            run_started(model, event.at, (run, runbook, steps), aim.as_ref());
        }
        fact => {
            let Some(incident) = model.durable.incident.as_mut() else { return };
            match fact {
                Fact::SeveritySet { severity, reason } => {
                    incident.severity_override = Some((*severity, reason.clone()));
                }
                Fact::RoleAssigned { role, to, .. } => {
                    incident.roles.insert(*role, to.clone());
                }
                Fact::IncidentResolved { how } => incident.resolved = Some((event.at, how.clone())),
                Fact::IncidentReopened { .. } => {
                    incident.resolved = None;
                    super::escalate::reopened(model);
                    super::escalate::anew(model, event.at);
                }
                Fact::QuestionAnswered { answer, position } => {
                    incident.answers.push(answer.clone());
                    incident.position = position.clone();
                }
                Fact::QuestionRevisited { question } => {
                    incident.position = Position::Question(question.clone())
                }
                _ => {}
            }
        }
    }
}

fn run_started(
    model: &mut Model,
    at: Timestamp,
    (run, runbook, steps): (&RunId, &RunbookId, &[StepId]),
    aim: Option<&Aim>,
) {
    let plan = model.plan.clone();
    let Some(incident) = model.durable.incident.as_mut() else { return };
    let planned = || plan.runbooks.get(runbook).map(Aim::of);
    let planned = || planned().map(|aim| Aim { is_recorded: false, is_noted: false, ..aim });
    let noted = aim.cloned().map(|aim| Aim { is_noted: aim.undoes.is_some(), ..aim });
    let mut run = Run {
        aim: noted.or_else(planned).unwrap_or_default(),
        has_moved: false,
        id: run.clone(),
        runbook: runbook.clone(),
        started_at: at,
        ended: None,
        switched: None,
        steps: steps.iter().map(|id| (id.clone(), StepRun::new())).collect(),
    };
    unblock(&plan, &mut run);
    incident.runs.push(run);
}

/// What was set for the exercise counts no more. Whoever was told about the proposal stays told.
fn turned_live(model: &mut Model, at: Timestamp, title: &str, detected_at: Timestamp) {
    let Some(incident) = model.durable.incident.as_mut() else { return };
    let was_safe = incident.mode == Mode::SafeDrill;
    if was_safe {
        // What was said for an exercise that moves nothing says nothing of what serves.
        for run in &mut incident.runs {
            let settled = run.steps.values_mut().filter(|state| state.status.is_settled());
            settled.for_each(|state| match state.status {
                // Nobody did it: it is open until it is taken up again, or somebody records what serves.
                StepStatus::Attested => (state.exercise, state.unproven) = (true, true),
                _ => state.moved = state.moved.or(Some(at)),
            });
        }
    }
    incident.mode = Mode::Live;
    incident.title = title.to_owned();
    incident.detected_at = detected_at;
    incident.severity_override = None;
    incident.resolved = None;
    let id = incident.id.clone();
    match model.durable.proposal.take() {
        Some(proposal) => super::escalate::carried_over(model, &proposal.id, &id),
        None => super::escalate::anew(model, at),
    }
    model.durable.told = Some(id);
    if was_safe {
        acts::of_exercise(model);
    }
}

fn run_ended(model: &mut Model, at: Timestamp, id: &RunId, end: &RunEnd) {
    let Some(incident) = model.durable.incident.as_mut() else { return };
    let Some(run) = incident.runs.iter_mut().find(|run| run.id == *id) else { return };
    run.ended = Some((at, end.clone()));
    for step in run.steps.values_mut() {
        step.status = step.status.after(Move::Void).unwrap_or(step.status);
    }
    if matches!(end, RunEnd::Aborted(_)) {
        acts::stopped(model, id);
    }
}

/// Takes in that a run moved the region. By the rules of now it may not have: what was recorded then stands.
pub fn region_moved(model: &mut Model, at: Timestamp, id: &RunId, region: &RegionId) {
    let is_told = |switch: &&mut Switch| switch.untold.as_ref() == Some(id) && switch.region == *region;
    // A run of before may have moved it more than once, and only these facts say so.
    if model.run(id).is_some_and(|run| !run.has_moved || !run.aim.is_recorded) {
        of_open_incident(model, id, |run| (run.switched, run.has_moved) = (Some(at), true));
        acts::moved(model, id);
        signals::activated(model, at, region, Some(id));
    }
    model.durable.switches.iter_mut().filter(is_told).for_each(|switch| switch.untold = None);
}

/// Takes in what was made of runs of which it was not recorded where they lead. So far it followed from the plan of now.
pub fn noted(model: &mut Model, noted: Option<&Noted>) {
    let Some(noted) = noted else { return };
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    for run in incidents.flat_map(|incident| &mut incident.runs) {
        if let Some(known) = noted.runs.iter().find(|known| known.run == run.id) {
            (run.switched, run.has_moved) = (known.switched, known.has_moved);
            run.aim = known.aim.clone();
        }
    }
    if let Some(acts) = &noted.acts {
        model.durable.acts.replace(acts);
    }
}

/// Changes a run of the open incident.
pub fn of_open_incident(model: &mut Model, id: &RunId, with: impl FnOnce(&mut Run)) {
    let mut runs = model.durable.incident.iter_mut().flat_map(|incident| &mut incident.runs);
    if let Some(run) = runs.find(|run| run.id == *id) {
        with(run);
    }
}

/// Steps whose needs are settled become ready.
pub fn unblock(plan: &Plan, run: &mut Run) {
    let Some(runbook) = plan.runbooks.get(&run.runbook) else { return };
    let settled = |id| run.steps.get(id).is_some_and(|step: &StepRun| step.status.is_settled());
    let free: Vec<_> = runbook
        .steps
        .values()
        .filter(|step| step.needs.iter().all(settled))
        .map(|step| step.id.clone())
        .collect();
    for id in free {
        if let Some(step) = run.steps.get_mut(&id)
            && let Ok(status) = step.status.after(Move::Unblock)
        {
            step.status = status;
        }
    }
}
