//! Whom a declaration would tell, said before anybody declares.

use crate::base::units;
use crate::core::ask::recipients;
use crate::core::decide::{current_escalation, is_quiet};
use crate::core::model::Model;
use crate::core::words::incident::Mode;
use crate::plan::{EscalationLevel, Severity};
use jiff::Timestamp;

/// What declaring an incident of this kind now does to people, one sentence.
pub fn declaring(model: &Model, mode: Mode, now: Timestamp) -> String {
    if model.plan.policies.is_empty() {
        return "It pages NOBODY: the plan has no escalation policies.".into();
    }
    let paged = model.durable.proposal.is_some() && current_escalation(model).is_some();
    if paged && mode == Mode::Live {
        return "People were paged for the proposal already; that goes on.".into();
    }
    // The rules say what is real: an exercise follows what a person sets.
    let rules_count = !mode.is_drill() || model.live.simulation.is_some();
    let derived = model.durable.severity.as_ref().map(|(severity, ..)| *severity).filter(|_| rules_count);
    match derived {
        Some(severity) => of_severity(model, mode, severity, now),
        None if mode.is_drill() => "It pages nobody until a person sets its severity.".into(),
        None => "It pages nobody until there is a severity, by the rules or set by a person.".into(),
    }
}

fn of_severity(model: &Model, mode: Mode, severity: Severity, now: Timestamp) -> String {
    let word = severity.as_str();
    let mut policies = model.plan.policies.values();
    let Some(policy) = policies.find(|policy| policy.severities.contains(&severity)) else {
        return format!("It pages NOBODY: the plan has no policy for {word}.");
    };
    let Some(first) = policy.levels.first() else { return format!("It pages NOBODY: {word} has no levels.") };
    // Nobody waits for a level that reaches nobody.
    let mut reached = policy.levels.iter().enumerate();
    let reached = reached.find_map(|(place, level)| Some((place, whom(model, mode, level, now)?)));
    let (place, whom) = reached.unwrap_or((0, "NOBODY, no way leads to anybody".into()));
    let passed = if place > 0 { ", as those before reach NOBODY" } else { "" };
    let when = match (policy.quiet && is_quiet(model, now), first.after.is_zero()) {
        (true, _) => "after the quiet hours".to_owned(),
        (false, true) => "at once".to_owned(),
        (false, false) => format!("in {}", units::duration(first.after)),
    };
    match policy.levels.len() {
        1 => format!("It pages {when} ({word}): {whom}."),
        levels => format!("It pages {when} ({word}, level {} of {levels}{passed}): {whom}.", place + 1),
    }
}

/// Whom a level reaches, and by which ways; none where it reaches nobody.
fn whom(model: &Model, mode: Mode, level: &EscalationLevel, now: Timestamp) -> Option<String> {
    let found = recipients::resolve_as(model, mode.is_drill(), &level.who, &level.methods, false, now);
    let name = |recipient: &recipients::Recipient| {
        let ways = recipient.ways.iter().map(|way| {
            model.plan.channels.get(&way.channel).map_or(way.channel.as_str(), |channel| &channel.title)
        });
        let ways: Vec<&str> = ways.filter(|way| *way != recipient.name).collect();
        match ways.as_slice() {
            [] => recipient.name.clone(),
            ways => format!("{} by {}", recipient.name, ways.join(", ")),
        }
    };
    let told: Vec<String> = found.people.iter().filter(|who| !who.ways.is_empty()).map(name).collect();
    (!told.is_empty()).then(|| told.join("; "))
}
