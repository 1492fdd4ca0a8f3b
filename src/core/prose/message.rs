//! Messages to people: drafted from the plan's templates and the state of things.

use crate::base::ids::MessageId;
use crate::base::text::ended;
use crate::base::units;
use crate::core::ask::{contradiction, drill, evidence, lifecycle, objectives};
use crate::core::model::{Model, Status};
use crate::core::prose::{describe, situation};
use crate::core::words::escalation::Proposal;
use crate::core::words::fact::Event;
use crate::core::words::incident::Position;
use crate::core::words::notification::Message;
use crate::journal::spoken;
use crate::plan::template::render_text;
use crate::plan::{BODY_LIMIT_CHARS, SUBJECT_LIMIT_CHARS};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many events of the timeline a draft tells.
const TIMELINE_LINES: usize = 8;
/// The longest line of it, in characters.
const LINE_LIMIT_CHARS: usize = 160;

/// What a person may change before it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Drafts a message of the plan from how things are now.
///
/// # Errors
/// In words, when the plan has no such message, or its template names what is not there.
pub fn draft(model: &Model, id: &MessageId, now: Timestamp) -> Result<Draft, String> {
    let template = model.plan.messages.get(id).ok_or_else(|| format!("the plan has no message {id}"))?;
    let scope = scope(model, now);
    let render = |text: &str| render_text(text, &scope).map_err(|error| format!("message {id}: {error}"));
    Ok(Draft { subject: render(&template.subject)?, body: render(&template.body)? })
}

/// What wakes somebody up: how bad, what, since when, and what is expected of them.
pub fn page(model: &Model, now: Timestamp, extra: &str) -> Draft {
    let scope = scope(model, now);
    let text = |name: &str| scope["incident"][name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} {}: {}", text("severity"), model.plan.name, text("title"))];
    lines.extend(situation::lines(model, &text("title"), now));
    let doing = text("doing");
    let stop = if doing.ends_with(['.', '?', '!']) { "" } else { "." };
    lines.push(format!("Detected {}, {} ago. {doing}{stop}", text("detected_at"), text("age")));
    lines.extend(
        contradiction::of(model)
            .iter()
            .map(|open| format!("{} {}", ended(&open.contradiction.what), open.contradiction.next)),
    );
    for (label, name) in [("Regions down", "regions_down"), ("Services down", "services_down")] {
        if text(name) != NONE {
            lines.push(format!("{label}: {}", ended(&text(name))));
        }
    }
    if !extra.is_empty() {
        lines.push(extra.to_owned());
    }
    if let Some(drill) = drill::open(model).filter(|_| model.durable.proposal.is_some()) {
        let (id, leader) = (&drill.id, drill.leader());
        lines.push(format!(
            "A drill is open ({id}, led by {leader}): this may be its doing. It is NOT part of it."
        ));
    }
    let mode = match lifecycle::open_and_told(model) {
        Some(_) => format!("Incident {}, led by {}.", text("id"), text("leader")),
        None => format!("{}: proposed by signals, nobody has declared it.", text("id")),
    };
    lines.push(format!("{mode} Acknowledge it, or whoever the policy names next is told."));
    let about = situation::subject(model, &text("title"), now);
    Draft { subject: format!("[{}] {}: {about}", text("severity"), model.plan.name), body: lines.join("\n") }
}

const NONE: &str = "none";
const NOT_KNOWN: &str = "not known";

/// Makes a draft ready to be sent: a drill says so, and the journal's head goes along.
pub fn finish(model: &Model, draft: Draft, instead_of: &[String]) -> Message {
    let drill = lifecycle::told_about(model).is_some_and(|incident| incident.mode.is_drill());
    let (mut subject, mut body) = (draft.subject, draft.body);
    if drill {
        subject = format!("[DRILL] {subject}");
        let meant = match instead_of {
            [] => String::new(),
            names => format!(" In earnest it would have gone to {}.", names.join(", ")),
        };
        let acts = if drill::acts(model) { " Its steps act for real." } else { "" };
        body = format!("DRILL, an exercise: nothing is broken.{meant}{acts}\n{body}");
    }
    Message {
        subject: crate::base::text::clean(&subject, SUBJECT_LIMIT_CHARS),
        body: clean_lines(&body),
        witness: format!("Journal {}", spoken::words(model.durable.head.as_ref())),
        severity: model.severity().or(model.durable.proposal.as_ref().map(|proposal| proposal.severity)),
        drill,
        page_status: None,
        component_status: None,
    }
}

/// As [`clean`](crate::base::text::clean), but lines stay lines.
pub fn clean_lines(text: &str) -> String {
    let lines = text.lines().map(|line| crate::base::text::clean(line.trim_end(), BODY_LIMIT_CHARS));
    let joined = lines.collect::<Vec<_>>().join("\n");
    match joined.char_indices().nth(BODY_LIMIT_CHARS) {
        Some((at, _)) => format!("{}…", &joined[..at]),
        None => joined,
    }
}

/// The names that templates of messages can use; see [`MESSAGE_NAMES`](crate::plan::template::MESSAGE_NAMES).
pub fn scope(model: &Model, now: Timestamp) -> Value {
    let incident = lifecycle::open_and_told(model);
    let proposal = model.durable.proposal.as_ref();
    let utc = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    // It was proposed only once it had lasted.
    let began = |proposal: &Proposal| {
        let severity = model.durable.severity.as_ref().filter(|(now, ..)| *now <= proposal.severity);
        severity.map_or(proposal.at, |(_, since, _)| (*since).min(proposal.at))
    };
    let detected = incident.map(|incident| incident.detected_at).or(proposal.map(began)).unwrap_or(now);
    let leader = incident.map_or_else(|| "nobody yet".to_owned(), |incident| incident.leader());
    let down = |(id, _): &(&crate::base::ids::RegionId, _)| {
        model.plan.regions.get(*id).map_or(id.as_str(), |region| &region.name).to_owned()
    };
    let broken = |status: Status| matches!(status, Status::Down | Status::Degraded);
    let regions = model.durable.regions.iter().filter(|(_, standing)| standing.status == Status::Down);
    let services = model.durable.services.iter().filter(|(_, standing)| broken(standing.status));
    let title = |(id, _): (&crate::base::ids::ServiceId, _)| {
        model.plan.services.get(id).map_or(id.as_str(), |service| &service.title).to_owned()
    };
    let severity = model.severity().or(proposal.map(|proposal| proposal.severity));
    let phase = incident.map_or("proposed", |incident| lifecycle::phase(&model.plan, incident, now).as_str());
    let eta = objectives::overall_clock(model, now)
        .and_then(|clock| clock.since.checked_add(clock.target).ok())
        .map_or_else(|| NOT_KNOWN.to_owned(), utc);
    json!({
        "incident": {
            "id": incident.map(|i| &i.id).or(proposal.map(|p| &p.id)).map_or("", |id| id.as_str()),
            "title": incident.map(|i| &i.title).or(proposal.map(|p| &p.title)).map_or("", String::as_str),
            "mode": incident.map_or("live", |incident| incident.mode.as_str()),
            "severity": severity.map_or(NOT_KNOWN, |severity| severity.as_str()),
            "phase": phase,
            "detected_at": utc(detected),
            "declared_at": incident.map_or_else(|| "not declared".to_owned(), |i| utc(i.declared_at)),
            "age": units::age(now.duration_since(detected)),
            "leader": leader,
            "regions_down": listed(regions.map(|region| down(&region)).collect()),
            "services_down": listed(services.map(title).collect()),
            "loss": evidence::exposure(model, now).map_or_else(|| NOT_KNOWN.to_owned(), |loss| loss.sentence()),
            "doing": doing(model, now),
            "eta": eta,
            "resolution": incident.and_then(|i| i.resolved.as_ref()).map_or("not resolved", |(_, how)| how),
            "timeline": timeline(model),
        },
        "operator": { "name": leader },
    })
}

fn listed(names: Vec<String>) -> String {
    if names.is_empty() { NONE.to_owned() } else { names.join(", ") }
}

/// What is being done at the moment, one sentence without its full stop.
pub fn doing(model: &Model, now: Timestamp) -> String {
    let Some(incident) = lifecycle::open_and_told(model) else { return "Nobody works on it yet".into() };
    if let Some((at, how)) = &incident.resolved {
        return format!("Resolved {} ago ({how}), being watched", units::age(now.duration_since(*at)));
    }
    if let Some(run) = incident.open_run() {
        let title = model.plan.runbooks.get(&run.runbook).map_or(run.runbook.as_str(), |book| &book.title);
        let settled = run.steps.values().filter(|step| step.status.is_settled()).count();
        return format!("Runbook \"{title}\" runs, {settled} of {} steps settled", run.steps.len());
    }
    match &incident.position {
        Position::Question(id) => {
            let ask = model.plan.tree.questions.get(id).map_or(id.as_str(), |question| &question.ask);
            format!("Being assessed: {ask}")
        }
        Position::Leaf(id) => {
            let title = model.plan.tree.leaves.get(id).map_or(id.as_str(), |leaf| &leaf.title);
            format!("Decided: {title}")
        }
        Position::Runbook(id) => {
            let title = model.plan.runbooks.get(id).map_or(id.as_str(), |book| &book.title);
            format!("Runbook \"{title}\" has ended")
        }
    }
}

/// How it stands, for those whose alert is closed.
pub fn doing_or_over(model: &Model) -> String {
    let incident = model.durable.incident.as_ref();
    let closed = model.durable.closed.last().and_then(|incident| incident.closed.as_ref());
    match (incident.and_then(|incident| incident.resolved.as_ref()), incident, closed) {
        (Some((_, how)), ..) => format!("Resolved: {}", ended(how)),
        (None, Some(_), _) => "It goes on under a new alert.".into(),
        (None, None, Some((_, how))) => format!("Closed: {}", ended(how)),
        (None, None, None) => "It is over.".into(),
    }
}

/// What happened lately in the incident, a line each, oldest first; without what is only about telling people.
fn timeline(model: &Model) -> String {
    let since = model.durable.incident.as_ref().map(|incident| incident.detected_at);
    let told = |event: &&Event| since.is_none_or(|since| event.at >= since) && event.fact.nature().is_told;
    let mut lines: Vec<String> = model
        .durable
        .timeline
        .iter()
        .rev()
        .filter(told)
        .take(TIMELINE_LINES)
        .map(|event| {
            let line =
                format!("{} {}", event.at.strftime("%H:%MZ"), describe::describe(&event.fact, &model.plan));
            crate::base::text::clean(&line, LINE_LIMIT_CHARS)
        })
        .collect();
    lines.reverse();
    lines.join("\n")
}
