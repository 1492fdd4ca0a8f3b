//! Policies of escalation: one for each severity, levels in the order of their time.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::Severity;
use crate::plan::load::Draft;
use crate::plan::people::{EscalationPolicy, Fallbacks};
use jiff::SignedDuration;
use std::collections::HashMap;

/// The shortest time between two rounds, and of silence after an acknowledgement.
const SHORTEST_REPEAT: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn check(draft: &Draft, report: &Report) {
    for (id, policy) in &draft.plan.policies {
        levels(id.as_str(), policy, draft, report);
        times(id.as_str(), policy, draft, report);
        if draft.complete && policy.quiet && draft.plan.notify.quiet.is_none() {
            let place = draft.places.of(&format!("policies.{id}.quiet"));
            let message = format!("policy `{id}` waits in the quiet hours, and the plan has none");
            let problem = Diagnostic::warning("quiet", place, message);
            report.add(problem.help("write `[notify]` with `quiet = \"22:00-07:00\"` and its `zone`"));
        }
    }
    severities(draft, report);
    if draft.complete && !draft.plan.policies.is_empty() {
        forgotten(draft, report);
        unproposed(draft, report);
    }
}

/// The worst severity has a policy, and nobody is told before a person looks at the console and declares.
fn unproposed(draft: &Draft, report: &Report) {
    let policies = draft.plan.policies.iter();
    let worst =
        policies.filter(|(_, policy)| policy.severities.contains(&Severity::P0)).map(|(id, _)| id).next();
    let Some(id) = worst.filter(|_| draft.plan.notify.propose.is_none()) else { return };
    let place = draft.places.of(&format!("policies.{id}.severities.P0"));
    let message = format!("policy `{id}` pages nobody of a P0 until a person declares an incident");
    let problem = Diagnostic::warning("propose", place, message);
    report.add(
        problem.help("write `propose = \"P0\"` in `[notify]`: what the rules say is then paged by itself"),
    );
}

fn levels(id: &str, policy: &EscalationPolicy, draft: &Draft, report: &Report) {
    if policy.levels.is_empty() && draft.complete {
        let place = draft.places.of(&format!("policies.{id}.levels"));
        let problem = Diagnostic::error("policy", place, format!("policy `{id}` has no levels"));
        report.add(
            problem.help("write each as `[[policies.<name>.levels]]`, with `who`, `methods` and `after`"),
        );
    }
    let mut before = SignedDuration::ZERO;
    for (index, level) in policy.levels.iter().enumerate() {
        let place = |key: &str| draft.places.of(&format!("policies.{id}.levels.{index}.{key}"));
        if level.after < before {
            let message = format!("level {} of policy `{id}` comes before the one above it", index + 1);
            let problem = Diagnostic::error("policy", place("after"), message);
            report.add(
                problem.help("`after` counts from the begin of the escalation: put the levels in its order"),
            );
        }
        before = level.after;
        if level.next_after.is_some() && level.tries == Fallbacks::All {
            let message =
                format!("level {} of policy `{id}` takes all methods at once, there is no next", index + 1);
            let problem = Diagnostic::error("policy", place("next_after"), message);
            report.add(problem.help("remove `next_after`, or write `tries = \"in-turn\"`"));
        }
        if level.next_after.is_some_and(|after| !after.is_positive()) {
            let message = format!("level {} of policy `{id}` leaves no time to answer", index + 1);
            let problem = Diagnostic::error("out-of-range", place("next_after"), message);
            report.add(problem.help("write how long to wait for an acknowledgement, or `tries = \"all\"`"));
        }
    }
}

fn times(id: &str, policy: &EscalationPolicy, draft: &Draft, report: &Report) {
    for (key, value) in [("repeat", policy.repeat), ("repage", policy.repage)] {
        if value.is_some_and(|value| value < SHORTEST_REPEAT) {
            let place = draft.places.of(&format!("policies.{id}.{key}"));
            let message = format!("`{key}` of policy `{id}` is shorter than a minute");
            report.add(Diagnostic::error("out-of-range", place, message));
        }
    }
}

/// A severity that two policies are for.
fn severities(draft: &Draft, report: &Report) {
    let mut seen: HashMap<Severity, &str> = HashMap::new();
    for (id, policy) in &draft.plan.policies {
        for severity in &policy.severities {
            let place =
                |id: &str| draft.places.of(&format!("policies.{id}.severities.{}", severity.as_str()));
            let Some(first) = seen.insert(*severity, id.as_str()) else { continue };
            let message = format!("{} has two policies, `{first}` and `{id}`", severity.as_str());
            let problem = Diagnostic::error("policy", place(id.as_str()), message);
            report.add(problem.also(place(first), "the other").help("each severity belongs to one policy"));
        }
    }
}

/// A severity that the rules give and of which nobody would be told.
fn forgotten(draft: &Draft, report: &Report) {
    let mut told: Vec<Severity> =
        draft.plan.policies.values().flat_map(|policy| policy.severities.iter().copied()).collect();
    for (index, rule) in draft.plan.severity.iter().enumerate() {
        if told.contains(&rule.level) {
            continue;
        }
        told.push(rule.level);
        let place = draft.places.of(&format!("severity.{index}"));
        let message = format!("no policy is for {}: nobody would be told", rule.level.as_str());
        let problem = Diagnostic::warning("policy", place, message);
        report.add(problem.help("add it to `severities` of a policy"));
    }
}
