//! The head of the report: what it was, how bad, when, and how long.

use super::markdown::{items, table, text, time};
use super::story::Story;
use crate::base::units;
use crate::core::prose::describe::describe;
use crate::core::words::actor::Actor;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, Position};
use crate::core::words::notification::Intent;
use crate::plan::Severity;
use jiff::{SignedDuration, Timestamp};

pub(super) fn head(story: &Story) -> String {
    let incident = &story.incident;
    let mut lines = vec![
        format!("# Post-mortem {}: {}", text(incident.id.as_str()), text(&incident.title)),
        String::new(),
    ];
    match incident.mode {
        Mode::Live => {}
        Mode::Drill => lines.push("**DRILL: an exercise; its steps acted for real.**\n".into()),
        Mode::SafeDrill => lines.push("**DRILL: an exercise; only safe steps acted.**\n".into()),
    }
    if incident.closed.is_none() {
        let at = time(story.until);
        lines.push(format!("**This incident is still OPEN: what follows goes up to {at} UTC.**\n"));
    }
    lines.push(
        "Made from the journal alone; times are UTC. What only people know is left empty below.\n".into(),
    );
    lines.join("\n")
}

pub(super) fn summary(story: &Story) -> Vec<String> {
    let incident = &story.incident;
    let detected = incident.detected_at;
    let end = incident.resolved.as_ref().or(incident.closed.as_ref()).map(|(at, _)| *at);
    let so_far = if end.is_some() { "" } else { " so far" };
    let whole = units::duration(end.unwrap_or(story.until).duration_since(detected));
    let mut lines = vec![
        format!("Plan: {}", text(&story.plan.name)),
        format!("Date: {}", detected.strftime("%Y-%m-%d")),
        format!(
            "Duration: {whole}{so_far}, from detection to {}",
            if incident.resolved.is_some() { "resolution" } else { "its end" }
        ),
        format!("Severity: {}", worst(story).map_or("none", Severity::as_str)),
        format!("Led by: {}", text(&incident.leader())),
    ];
    let roles = incident.roles.iter().map(|(role, who)| format!("{}: {}", role.as_str(), text(who)));
    lines.extend(roles);
    let after = |name: &str, at: Option<Timestamp>| {
        let span = at.map_or_else(|| "never".to_owned(), |at| units::duration(at.duration_since(detected)));
        format!("{name}: {span}")
    };
    lines.push(after("Time to acknowledge", acknowledged(story).map(|(event, _)| event.at)));
    lines.push(after("Time to decide", decided(story).map(|(event, ())| event.at)));
    lines.push(after("Time to resolve", incident.resolved.as_ref().map(|(at, _)| *at)));
    if let Some((_, how)) = &incident.resolved {
        lines.push(format!("Resolved: {}", text(how)));
    }
    if let Some((_, why)) = &incident.closed {
        lines.push(format!("Closed: {}", text(why)));
    }
    items(lines)
}

/// The worst severity that rules or people gave it.
fn worst(story: &Story) -> Option<Severity> {
    let of = |event: &Event| match &event.fact {
        Fact::SeverityChanged { to, .. } => *to,
        Fact::SeveritySet { severity, .. } | Fact::EscalationStarted { severity, .. } => Some(*severity),
        Fact::IncidentDeclared { severity, .. } => *severity,
        _ => None,
    };
    story.events.iter().filter_map(of).min()
}

fn acknowledged(story: &Story) -> Option<(&Event, (&str, &str))> {
    let found =
        story.events.iter().find(|event| matches!(event.fact, Fact::EscalationAcknowledged { .. }))?;
    match &found.fact {
        Fact::EscalationAcknowledged { who, via, .. } => Some((found, (who, via))),
        _ => None,
    }
}

/// The first answer that ended the tree.
fn decided(story: &Story) -> Option<(&Event, ())> {
    story.first(|event| match &event.fact {
        Fact::QuestionAnswered { position: Position::Runbook(_) | Position::Leaf(_), .. } => Some(()),
        _ => None,
    })
}

pub(super) fn times(story: &Story) -> Vec<String> {
    let incident = &story.incident;
    let at = |of: fn(&Fact) -> bool| {
        story.first(move |event| of(&event.fact).then_some(())).map(|(event, ())| event.at)
    };
    let paged = at(|fact| matches!(fact, Fact::NotificationsQueued { intent: Intent::Page, .. }));
    let run = at(|fact| matches!(fact, Fact::RunStarted { .. }));
    let switches = story.model.durable.switches.iter().filter(|switch| switch.at >= incident.detected_at);
    let by = |actor: &Actor| text(&actor.to_string());
    let mut rows = vec![
        ("detected", Some(incident.detected_at), String::new()),
        ("proposed by signals", story.proposed_at, String::new()),
        ("first page", paged, String::new()),
        (
            "acknowledged",
            acknowledged(story).map(|(event, _)| event.at),
            acknowledged(story)
                .map_or_else(String::new, |(_, (who, via))| format!("{} ({})", text(who), text(via))),
        ),
        ("declared", Some(incident.declared_at), by(&incident.commander)),
        (
            "decided",
            decided(story).map(|(event, ())| event.at),
            decided(story).map_or_else(String::new, |(event, ())| by(&event.by)),
        ),
        ("first runbook begun", run, String::new()),
    ];
    let before = rows.len();
    rows.extend(
        switches.map(|switch| ("another region serves", Some(switch.at), text(switch.region.as_str()))),
    );
    let moved = story.events.iter().filter_map(|event| match &event.fact {
        Fact::ServicesMoved { .. } => Some((event.at, describe(&event.fact, &story.plan))),
        _ => None,
    });
    rows.extend(moved.map(|(at, what)| ("services move", Some(at), text(&what))));
    if rows.len() == before {
        rows.push(("another region serves", None, String::new()));
    }
    rows.extend([
        ("resolved", incident.resolved.as_ref().map(|(at, _)| *at), String::new()),
        ("closed", incident.closed.as_ref().map(|(at, _)| *at), String::new()),
    ]);
    let row = |(what, at, who): (&str, Option<Timestamp>, String)| {
        let after = at.map_or_else(String::new, |at| after(at.duration_since(incident.detected_at)));
        vec![what.to_owned(), at.map_or_else(|| "never".to_owned(), time), after, who]
    };
    table(&["what", "when", "after detection", "who"], &rows.into_iter().map(row).collect::<Vec<_>>())
}

fn after(span: SignedDuration) -> String {
    units::duration(span)
}

pub(super) fn severity(story: &Story) -> Vec<String> {
    let row = |event: &Event| match &event.fact {
        Fact::SeverityChanged { to, why, .. } => Some(vec![
            time(event.at),
            to.map_or("none", Severity::as_str).to_owned(),
            "rules".into(),
            text(why),
        ]),
        Fact::SeveritySet { severity, reason } => Some(vec![
            time(event.at),
            severity.as_str().to_owned(),
            text(&event.by.to_string()),
            text(reason),
        ]),
        _ => None,
    };
    let rows: Vec<Vec<String>> = story.events.iter().filter_map(row).collect();
    table(&["when", "severity", "by", "why"], &rows)
}
