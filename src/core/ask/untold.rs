//! What nobody can tell for too long: a severity rule whose signals stay unknown, a console that stays blind. Unknown is
//! no failure of the system, and after a time it is a person's business all the same.

use crate::base::ids::ProbeId;
use crate::core::ask::blind;
use crate::core::ask::names::View;
use crate::core::model::Model;
use crate::plan::condition::{Reference, Truth};
use crate::plan::{Plan, Service, Severity, SeverityRule};
use jiff::Timestamp;

/// The severity of what has not been told for `unknown_after` of `[policy]`, and what that is. It is the mildest for which
/// an incident is proposed, so that somebody is paged; what would page nobody if it were so pages nobody now.
pub fn untold(model: &Model, now: Timestamp) -> Option<(Severity, String)> {
    let proposed = mildest_told(&model.plan)?;
    let lasts = |since: Timestamp| now.duration_since(since) >= model.plan.policy.unknown_after;
    let seen = model.plan.policy.reference.iter().all(|probe| is_looked_at(model, probe, now));
    if let Some(since) = blind::since(model).filter(|since| seen && lasts(*since)) {
        let why = "this console is blind, none of its reference probes is ok";
        return Some((proposed, format!("{why}: nobody has known since {} what is down", moment(since))));
    }
    let view = View { model, now };
    let untold = |rule: &&SeverityRule| {
        rule.level <= proposed && matches!(rule.when.evaluate(&view), Truth::Unknown(_))
    };
    let mut rules = model.plan.severity.iter().filter(untold);
    rules.find_map(|rule| {
        let (probe, since) = longest(model, rule).filter(|(_, since)| lasts(*since))?;
        if !is_looked_at(model, probe, now) {
            return None;
        }
        let title = model.plan.probes.get(probe).map_or(probe.as_str(), |spec| &spec.title);
        let level = rule.level.as_str();
        let why = format!(
            "{title} has been unknown since {}: nobody can tell whether it is {level}",
            moment(since)
        );
        Some((proposed, format!("{why} ({})", rule.why)))
    })
}

/// The mildest severity that somebody is told of. Where the plan leaves it to a person to declare what is known to be bad,
/// nobody can do so with what nobody knows: then it is the mildest that has a policy.
fn mildest_told(plan: &Plan) -> Option<Severity> {
    let by_policy = || plan.policies.values().flat_map(|policy| &policy.severities).max().copied();
    plan.notify.propose.or_else(by_policy)
}

/// Whether this engine has looked for long enough to know, if it could: what was unknown before a restart may be known
/// with the next readings.
fn is_looked_at(model: &Model, probe: &ProbeId, now: Timestamp) -> bool {
    let looked = model.plan.probes.get(probe).zip(model.durable.signals.get(probe));
    looked.is_some_and(|(spec, signal)| {
        let after = i32::try_from(spec.fail_after.saturating_add(1)).unwrap_or(i32::MAX);
        now.duration_since(signal.since) >= spec.every.saturating_mul(after).saturating_add(spec.timeout)
    })
}

/// Which of a rule's signals has been unknown for longest, and since when.
fn longest<'m>(model: &'m Model, rule: &'m SeverityRule) -> Option<(&'m ProbeId, Timestamp)> {
    let read = rule.when.references().iter().flat_map(|reference| probes(&model.plan, reference));
    let unknown = read.filter_map(|probe| {
        let (probe, signal) = model.durable.signals.get_key_value(probe)?;
        signal.unknown_since().map(|since| (probe, since))
    });
    unknown.min_by_key(|(_, since)| *since)
}

/// The probes that a name of a condition rests on.
fn probes<'p>(plan: &'p Plan, reference: &'p Reference) -> Vec<&'p str> {
    let Some(name) = reference.name.as_deref() else { return Vec::new() };
    let every = |service: &'p Service| service.health.values().flatten().map(ProbeId::as_str).collect();
    match reference.root.as_str() {
        "signals" => vec![name],
        "regions" => plan
            .regions
            .get(name)
            .map_or_else(Vec::new, |region| region.health.iter().map(ProbeId::as_str).collect()),
        "services" => plan.services.get(name).map_or_else(Vec::new, every),
        "backups" => plan.backups.get(name).map_or_else(Vec::new, |backup| vec![backup.probe.as_str()]),
        _ => Vec::new(),
    }
}

fn moment(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%Y-%m-%d %H:%MZ")
}
