//! The course of an incident.

use super::signals;
use crate::base::ids::{RegionId, RunId};
use crate::core::fact::{Event, Fact};
use crate::core::incident::{Incident, Mode, Position, Run, RunEnd, StepRun};
use crate::core::model::Model;
use crate::core::placement;
use crate::core::status::Move;
use crate::plan::{Plan, Runbook, Step};
use jiff::Timestamp;

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
        fact => {
            let plan = model.plan.clone();
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
                Fact::RunStarted { run, runbook, steps } => {
                    let mut run = Run {
                        id: run.clone(),
                        runbook: runbook.clone(),
                        started_at: event.at,
                        ended: None,
                        steps: steps.iter().map(|id| (id.clone(), StepRun::new())).collect(),
                    };
                    unblock(&plan, &mut run);
                    incident.runs.push(run);
                }
                _ => {}
            }
        }
    }
}

/// What was set for the exercise counts no more. Whoever was told about the proposal stays told.
fn turned_live(model: &mut Model, at: Timestamp, title: &str, detected_at: Timestamp) {
    let Some(incident) = model.durable.incident.as_mut() else { return };
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
}

fn run_ended(model: &mut Model, at: Timestamp, id: &RunId, end: &RunEnd) {
    let Some(incident) = model.durable.incident.as_mut() else { return };
    let Some(run) = incident.runs.iter_mut().find(|run| run.id == *id) else { return };
    run.ended = Some((at, end.clone()));
    for step in run.steps.values_mut() {
        step.status = step.status.after(Move::Void).unwrap_or(step.status);
    }
}

/// Moves the region that serves: with the step that switches it, where the plan names one; else as soon as a run has
/// done all that changes or waits for the world. What is left for people to tell or note keeps no clock running.
/// A drill that runs safe steps only moves nothing.
pub fn switch_over(model: &mut Model, at: Timestamp, id: &RunId) {
    let incident = model.durable.incident.as_ref().filter(|incident| incident.mode != Mode::SafeDrill);
    let runs = incident.map_or(&[][..], |incident| &incident.runs);
    let mut later = runs.iter().skip_while(|run| run.id != *id);
    let region = later.next().and_then(|run| moves_to(&model.plan, run));
    // What is read back late of an older run says nothing of where a newer one moved it.
    let is_overtaken = later.any(|run| moves_to(&model.plan, run).is_some());
    let Some(region) = region.filter(|_| !is_overtaken).cloned() else { return };
    if model.durable.active.as_ref() != Some(&region) {
        signals::activated(model, at, &region, Some(id));
    } else if placement::region_serves(model, Some(id), at) {
        signals::restand_all(model, at);
    }
}

/// The region that serves because of what a run has done so far.
fn moves_to<'p>(plan: &'p Plan, run: &Run) -> Option<&'p RegionId> {
    let runbook = plan.runbooks.get(&run.runbook)?;
    let open = |step: &&Step| run.steps.get(&step.id).is_none_or(|state| !state.status.is_settled());
    let done = match runbook.steps.values().find(|step| step.switches) {
        Some(step) => is_done(run, step),
        None => {
            was_carried_out(runbook, run)
                && runbook.steps.values().filter(open).all(|step| step.is_for_people())
        }
    };
    runbook.activates.as_ref().filter(|_| done)
}

/// Whether a run did what its runbook is for: no irreversible step was left out, nor all that need a person.
fn was_carried_out(runbook: &Runbook, run: &Run) -> bool {
    let done = |step: &Step| is_done(run, step);
    let mut by_a_person = runbook.steps.values().filter(|step| !step.runs_by_itself()).peekable();
    runbook.steps.values().filter(|step| step.irreversible).all(done)
        && (by_a_person.peek().is_none() || by_a_person.any(done))
}

/// A person's word counts once the step's own proof was seen.
fn is_done(run: &Run, step: &Step) -> bool {
    let done = |state: &StepRun| state.status.is_done() && (!state.unproven || state.moved.is_some());
    run.steps.get(&step.id).is_some_and(done)
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
