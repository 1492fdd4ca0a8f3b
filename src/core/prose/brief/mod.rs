//! The sixty-second brief: what somebody who takes over has to know, made from the model alone.
//!
//! At most [`LINES`] lines that can be read aloud within a minute: long lists are cut and say so.

mod people;
mod timeline;

use crate::base::units;
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::ask::{
    attested, blind, contradiction, evidence, in_force, lifecycle, objectives, placement,
};
use crate::core::model::{Model, Status};
use crate::core::words::incident::{Incident, Mode};
use crate::journal::spoken;
use jiff::Timestamp;

/// The most lines.
pub const LINES: usize = 18;
/// The longest line, in characters.
const LINE_LIMIT_CHARS: usize = 320;
/// The longest text of a person or a probe within a line, in characters.
const TEXT_LIMIT_CHARS: usize = 70;
/// How many things that are in force are told in full, and after which lines.
const IN_FORCE: usize = 2;
const BEFORE_IN_FORCE: usize = 4;
/// The most lines of data that went apart.
const DIVERGENCES: usize = 2;
/// How many names a list says.
const NAMES: usize = 3;

/// The brief, a line each: what happened, how it stands, what is next, who knows.
pub fn lines(model: &Model, now: Timestamp) -> Vec<String> {
    let parts = [
        ("What", what(model, now)),
        ("Since", since(model, now)),
        ("State", state(model)),
        ("Clock", clock(model, now)),
        ("Decided", timeline::decided(model)),
        ("Run", timeline::run(model, now)),
        ("Next", timeline::next(model, now)),
        ("Told", people::told(model)),
        ("Taken on", people::acknowledged(model, now)),
        ("On call", people::on_call(model, now)),
        ("Roles", people::roles(model)),
        ("Messages", people::due(model, now)),
        ("Journal", journal(model)),
    ];
    let left = unproven(model, now).into_iter().chain(in_force(model));
    let line = |(label, text): (&str, String)| {
        crate::base::text::clean(&format!("{label}: {text}"), LINE_LIMIT_CHARS)
    };
    let (head, rest) = parts.split_at(BEFORE_IN_FORCE);
    let lines = head.iter().cloned().chain(left).chain(rest.iter().cloned());
    lines.filter(|(_, text)| !text.is_empty()).map(line).take(LINES).collect()
}

/// What a person says was done and nothing has shown, of the open incident and of what is over; one of each.
fn unproven(model: &Model, now: Timestamp) -> Vec<(&'static str, String)> {
    let waiting = attested::unshown_of_any(model, now).map(|unshown| unshown.words());
    let left = attested::left(model).last().map(|left| left.sentence(model, attested::RECORD));
    waiting.into_iter().chain(left).map(|text| ("NOT PROVEN", text)).collect()
}

/// What is in force and has to be taken back some day, fences first; how many more there are.
fn in_force(model: &Model) -> Vec<(&'static str, String)> {
    let left = in_force::to_tell(model);
    let more = left.len().saturating_sub(IN_FORCE);
    let mut lines = diverged(model);
    lines.extend(left.iter().take(IN_FORCE).map(|left| (left.heading(), left.sentence())));
    if more > 0 {
        lines.push((in_force::STILL, format!("{more} more")));
    }
    lines
}

/// Data that went apart, and how often it did besides, there is, as long as nobody said what became of it.
fn diverged(model: &Model) -> Vec<(&'static str, String)> {
    let open = divergence::open(model);
    let (told, more) = open.split_at(if open.len() > DIVERGENCES { 1 } else { open.len() });
    let mut lines: Vec<_> = told.iter().map(|split| (DIVERGED, split.sentence())).collect();
    if !more.is_empty() {
        let windows: Vec<String> = more.iter().map(|split| split.window()).collect();
        lines.push((DIVERGED, format!("{} more times: {}", more.len(), windows.join(", "))));
    }
    lines
}

fn what(model: &Model, now: Timestamp) -> String {
    if let Some(proposal) = &model.durable.proposal {
        let severity = proposal.severity.as_str();
        return format!(
            "{severity} proposed, NOBODY declared it: {} ({})",
            short(&proposal.title),
            proposal.id
        );
    }
    let severity = model.severity().map_or("severity not known", |severity| severity.as_str());
    let Some(incident) = &model.durable.incident else { return quiet(model, now) };
    let phase = lifecycle::phase(&model.plan, incident, now).as_str();
    let mode = match incident.mode {
        Mode::Live => "LIVE",
        Mode::Drill if model.live.simulation.is_some() => "DRILL, SIMULATED",
        Mode::Drill => "DRILL that ACTS FOR REAL, nothing is broken",
        Mode::SafeDrill => "DRILL of safe steps only, nothing is broken",
    };
    format!("{severity} {mode}: {} ({}), phase {phase}", short(&incident.title), incident.id)
}

/// What is said while no incident is open.
fn quiet(model: &Model, now: Timestamp) -> String {
    let severity = model.durable.severity.as_ref().map_or_else(String::new, |(severity, _, why)| {
        format!(", although the severity is {}: {}", severity.as_str(), short(why))
    });
    let last = model.durable.closed.last().and_then(|last| Some((last, last.closed.as_ref()?)));
    let last = last.map_or_else(String::new, |(last, (at, reason))| {
        format!("; the last one, {}, was closed {}: {}", last.id, when(*at, now), short(reason))
    });
    format!("no incident is open{severity}{last}")
}

fn since(model: &Model, now: Timestamp) -> String {
    if let Some(proposal) = &model.durable.proposal {
        return format!("proposed {}", when(proposal.at, now));
    }
    let Some(incident) = &model.durable.incident else { return String::new() };
    let resolved = incident
        .resolved
        .as_ref()
        .map_or_else(String::new, |(at, how)| format!("; RESOLVED {}: {}", when(*at, now), short(how)));
    format!(
        "detected {}; declared {} by {}{resolved}",
        when(incident.detected_at, now),
        clock_time(incident.declared_at, now),
        incident.commander
    )
}

/// What does not work, or cannot be told.
fn state(model: &Model) -> String {
    let regions = model.durable.regions.iter().map(|(id, standing)| {
        let name = model.plan.regions.get(id).map_or(id.as_str(), |region| &region.name);
        (format!("region {id} ({name})"), standing.status)
    });
    let services = model.durable.services.iter().map(|(id, standing)| {
        let title = model.plan.services.get(id).map_or(id.as_str(), |service| &service.title);
        (title.to_owned(), standing.status)
    });
    let all: Vec<(String, Status)> = regions.chain(services).collect();
    let group = |status: Status, word: &str| {
        let names = all.iter().filter(|(_, is)| *is == status).map(|(name, _)| name.clone()).collect();
        listed(names).map(|names| format!("{word} {names}"))
    };
    let wrong = contradiction::of(model).iter().map(|open| short(&open.contradiction.what));
    let mut groups: Vec<String> = wrong
        .chain(
            [(Status::Down, "DOWN"), (Status::Degraded, "degraded"), (Status::Unknown, "UNKNOWN")]
                .into_iter()
                .filter_map(|(status, word)| group(status, word)),
        )
        .collect();
    if groups.is_empty() {
        groups.push("every region and service is up".into());
    }
    if let Some(active) = model.serving().filter(|_| model.durable.last_failover().is_some()) {
        groups.push(format!("region {active} serves"));
    }
    groups.extend(placement::sentences(model));
    if blind::since(model).is_some() {
        groups.push("no reference probe answers, this host may be blind".into());
    }
    groups.join("; ")
}

fn clock(model: &Model, now: Timestamp) -> String {
    let resolved = |incident: &Incident| incident.resolved.is_some();
    if model.durable.incident.as_ref().is_some_and(resolved) {
        return String::new();
    }
    let rto = objectives::overall_clock(model, now).map(|clock| {
        let (target, left) = (units::duration(clock.target), clock.left());
        match left.is_negative() {
            true => format!("RTO of {target} PASSED {} ago", units::duration(left.abs())),
            false => format!("{} left of the RTO of {target}", units::duration(left)),
        }
    });
    let loss =
        evidence::exposure(model, now).map(|loss| format!("a failover now loses: {}", loss.sentence()));
    rto.into_iter().chain(loss).collect::<Vec<_>>().join("; ")
}

fn journal(model: &Model) -> String {
    let head = spoken::words(model.durable.head.as_ref());
    match &model.live.journal_failure {
        Some(why) => format!("{head}, CANNOT BE WRITTEN: {}", short(why)),
        None => head,
    }
}

/// A text of a person or a probe, cut so that the brief stays one.
fn short(text: &str) -> String {
    crate::base::text::clean(text, TEXT_LIMIT_CHARS)
}

/// The first names of a list, and how many are left; none for an empty one.
fn listed(names: Vec<String>) -> Option<String> {
    let more = names.len().saturating_sub(NAMES);
    let said = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(said),
        (false, more) => Some(format!("{said} and {more} more")),
    }
}

/// `03:00:20Z, 4 min ago`.
fn when(at: Timestamp, now: Timestamp) -> String {
    format!("{}, {} ago", clock_time(at, now), units::age(now.duration_since(at)))
}

/// The time of day in UTC, with the date where that is another day's.
fn clock_time(at: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let form = if day(at) == day(now) { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests;
