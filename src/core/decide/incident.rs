//! The course of an incident: declare, answer, close.

use super::required;
use crate::base::ids::{IncidentId, QuestionId, RunId};
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{self, Blocked};
use crate::core::ask::drill;
use crate::core::ask::evidence::freeze;
use crate::core::ask::tree::suggest;
use crate::core::model::Model;
use crate::core::prose::brief;
use crate::core::words::actor::Actor;
use crate::core::words::escalation::IncidentRole;
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Aim, GivenAnswer, Incident, Mode, Position, Run};
use crate::core::words::status::StepStatus;
use crate::plan::{Goto, Severity};
use jiff::Timestamp;

/// The open incident, or that there is none.
pub fn open(model: &Model) -> Result<&Incident, Problem> {
    model.durable.incident.as_ref().ok_or_else(|| {
        Problem::new(
            "no incident is open",
            "Declare one first; everything that follows is recorded under it.",
        )
    })
}

/// Opens an incident.
pub fn declare(model: &Model, now: Timestamp, title: &str, mode: Mode) -> Result<Vec<Fact>, Problem> {
    if let (Some(drill), Mode::Live) = (drill::open(model), mode) {
        return turn_live(model, now, drill, title);
    }
    if let Some(incident) = &model.durable.incident {
        return Err(Problem::new(
            format!("incident {} is open already", incident.id),
            "Go on in it, or close it first.",
        ));
    }
    let proposal = model.durable.proposal.as_ref();
    // In a simulated world nothing is real that an exercise could hide.
    let hides = mode.is_drill() && model.live.simulation.is_none();
    if let Some(proposal) = proposal.filter(|_| hides) {
        return Err(Problem::new(
            format!("a real incident is proposed: {}", proposal.title),
            "Declare it as live, or dismiss it first with a reason.",
        ));
    }
    let title = required(title, "the title")?;
    let detected_at = detected_at(model).unwrap_or(now).min(now);
    Ok(vec![Fact::IncidentDeclared {
        id: proposal.map_or_else(|| incident_id(model, now), |proposal| proposal.id.clone()),
        title,
        mode,
        detected_at,
        severity: model.severity(),
    }])
}

/// It is no exercise any more: the open drill becomes the live incident, with all that was done in it.
fn turn_live(model: &Model, now: Timestamp, drill: &Incident, title: &str) -> Result<Vec<Fact>, Problem> {
    let title = required(title, "the title")?;
    let derived = model.durable.severity.as_ref().map(|(severity, since, _)| (*severity, *since));
    Ok(vec![Fact::DrillTurnedLive {
        id: drill.id.clone(),
        title,
        detected_at: derived.map_or(now, |(_, since)| since.min(now)),
        severity: derived.map(|(severity, _)| severity),
        proposal: model.durable.proposal.as_ref().map(|proposal| proposal.id.clone()),
    }])
}

/// Made from the time of declaration, with a number where one second saw two.
pub fn incident_id(model: &Model, now: Timestamp) -> IncidentId {
    let base = now.strftime("INC-%Y%m%d-%H%M%S").to_string();
    let told = model.durable.told.as_ref();
    let closed = model.durable.closed.iter().map(|incident| &incident.id);
    let open = model.durable.incident.as_ref().map(|incident| &incident.id);
    let known: Vec<&IncidentId> = closed.chain(told).chain(open).collect();
    let taken = |id: &str| known.iter().any(|known| known.as_str() == id);
    let mut id = base.clone();
    let mut number = 2;
    while taken(&id) {
        id = format!("{base}-{number}");
        number += 1;
    }
    IncidentId::new(id)
}

/// When it began: the derived severity's begin, or the first service that does not work.
fn detected_at(model: &Model) -> Option<Timestamp> {
    let down = model.durable.services.values().filter_map(|standing| standing.broken_since);
    let severity = model.durable.severity.as_ref().map(|(_, since, _)| *since);
    down.chain(severity).min()
}

/// Overrides the derived severity.
pub fn set_severity(model: &Model, severity: Severity, reason: &str) -> Result<Vec<Fact>, Problem> {
    open(model)?;
    Ok(vec![Fact::SeveritySet { severity, reason: required(reason, "the reason")? }])
}

/// An answer as it was given.
pub struct Given<'a> {
    pub question: &'a QuestionId,
    pub answer: &'a str,
    pub suggested: &'a Option<String>,
    pub reason: Option<&'a str>,
}

/// Answers the open question and freezes what was on the screen.
pub fn answer(model: &Model, now: Timestamp, by: &Actor, given: Given<'_>) -> Result<Vec<Fact>, Problem> {
    let incident = open(model)?;
    if incident.position != Position::Question(given.question.clone()) {
        return Err(Problem::new(
            format!("{} is not the open question", given.question),
            "Somebody answered it meanwhile: look at the tree again.",
        ));
    }
    let question = model.plan.tree.questions.get(given.question).ok_or_else(|| {
        Problem::new(
            format!("the plan has no question {}", given.question),
            "Run `lifeboat check` on the plan.",
        )
    })?;
    let chosen = question.answers.get(given.answer).ok_or_else(|| {
        let known: Vec<&str> = question.answers.keys().map(String::as_str).collect();
        Problem::new(format!("\"{}\" is no answer", given.answer), format!("Answer {}.", known.join(" or ")))
    })?;
    let suggested = suggest(model, question, now).answer().map(str::to_owned);
    if suggested != *given.suggested {
        return Err(Problem::new(
            format!(
                "the suggestion changed to {} while you answered",
                suggested.as_deref().unwrap_or("none")
            ),
            "Look at the evidence again, then answer.",
        ));
    }
    let reason = match given.reason {
        Some(reason) => Some(required(reason, "the reason")?),
        None if suggested.as_deref() == Some(given.answer) => None,
        None => {
            return Err(Problem::new(
                format!("\"{}\" is not what the evidence suggests", given.answer),
                "Say why you answer so; it goes into the journal.",
            ));
        }
    };
    let position = match &chosen.goto {
        Goto::Question(id) => Position::Question(id.clone()),
        Goto::Leaf(id) => Position::Leaf(id.clone()),
        Goto::Runbook(id) => Position::Runbook(id.clone()),
    };
    let answer = GivenAnswer {
        question: given.question.clone(),
        answer: given.answer.to_owned(),
        suggested,
        reason,
        evidence: question.evidence.iter().filter_map(|probe| freeze(model, probe)).collect(),
        by: by.clone(),
        at: now,
    };
    let mut facts = vec![Fact::QuestionAnswered { answer, position: position.clone() }];
    if let Position::Runbook(runbook) = position {
        let run = RunId::new(format!("{}/{}", incident.id, incident.runs.len() + 1));
        let planned = model.plan.runbooks.get(&runbook);
        let steps = planned.map_or_else(Vec::new, |planned| planned.steps.keys().cloned().collect());
        let from = model.durable.active.clone();
        let aim = planned.map(|planned| Aim { from, ..Aim::of(planned) });
        facts.push(Fact::RunStarted { run, runbook, steps, aim });
    }
    Ok(facts)
}

/// Goes back to a question.
pub fn revisit(model: &Model, question: &QuestionId) -> Result<Vec<Fact>, Problem> {
    let incident = open(model)?;
    no_open_run(model, incident)?;
    if !model.plan.tree.questions.contains_key(question) {
        return Err(Problem::new(format!("the plan has no question {question}"), "Choose one of the tree."));
    }
    Ok(vec![Fact::QuestionRevisited { question: question.clone() }])
}

/// Closes the incident.
pub fn close(model: &Model, reason: &str) -> Result<Vec<Fact>, Problem> {
    let incident = open(model)?;
    no_open_run(model, incident)?;
    contradiction::allow(model, Blocked::Close)?;
    let running = |run: &Run| {
        let step = run.steps.iter().find(|(_, state)| state.status == StepStatus::Started);
        step.map(|(step, _)| (run.id.clone(), step.clone()))
    };
    if let Some((run, step)) = incident.runs.iter().find_map(running) {
        return Err(Problem::new(
            format!("the step {} is still being ended", model.step_title(&run, &step)),
            "Wait for its outcome: it belongs into this incident.",
        ));
    }
    Ok(vec![Fact::IncidentClosed { reason: required(reason, "the reason")? }])
}

/// Lets somebody else answer for something; they get the brief.
pub fn hand_over(model: &Model, now: Timestamp, role: IncidentRole, to: &str) -> Result<Vec<Fact>, Problem> {
    let incident = open(model)?;
    let to = required(to, "the name")?;
    if incident.holder(role).as_deref() == Some(&*to) {
        let why = format!("{to} is {} already", role.as_str());
        return Err(Problem::new(why, "Name somebody else."));
    }
    Ok(vec![Fact::RoleAssigned { role, to, brief: brief::lines(model, now) }])
}

/// Says that what had to be mended is mended.
pub fn resolve(model: &Model, how: &str) -> Result<Vec<Fact>, Problem> {
    let incident = open(model)?;
    no_open_run(model, incident)?;
    if incident.resolved.is_some() {
        return Err(Problem::new("it is resolved already", "Watch the system, then close the incident."));
    }
    contradiction::allow(model, Blocked::Resolve)?;
    Ok(vec![Fact::IncidentResolved { how: required(how, "how it was resolved")? }])
}

/// Says that it was not over.
pub fn reopen(model: &Model, reason: &str) -> Result<Vec<Fact>, Problem> {
    if open(model)?.resolved.is_none() {
        return Err(Problem::new("the incident was not resolved", "There is nothing to reopen: go on."));
    }
    Ok(vec![Fact::IncidentReopened { why: required(reason, "the reason")? }])
}

/// Says that what is proposed is no incident.
pub fn dismiss(model: &Model, reason: &str) -> Result<Vec<Fact>, Problem> {
    let proposal = model.durable.proposal.as_ref().ok_or_else(|| {
        Problem::new("nothing is proposed", "There is nothing to dismiss; an incident is closed instead.")
    })?;
    Ok(vec![Fact::ProposalWithdrawn { id: proposal.id.clone(), why: required(reason, "the reason")? }])
}

fn no_open_run(model: &Model, incident: &Incident) -> Result<(), Problem> {
    match incident.open_run() {
        Some(run) => Err(Problem::new(
            format!("the runbook {} is still running", model.runbook_title(&run.runbook)),
            "Settle its steps, or abort it with a reason.",
        )),
        None => Ok(()),
    }
}
