//! The derived severity: the first of the plan's rules that holds.

use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::names::View;
use crate::core::ask::untold::untold;
use crate::core::model::Model;
use crate::plan::condition::Truth;
use crate::plan::{Severity, SeverityRule};
use jiff::Timestamp;

/// What the rules come to.
#[derive(Clone, PartialEq, Debug)]
pub struct Assessment {
    /// The first rule that holds; none holds when the system is healthy, as far as can be seen.
    pub holds: Option<(Severity, String)>,
    /// A worse rule that cannot be told, and why.
    pub possible: Option<(Severity, String)>,
}

/// Evaluates the rules, worst first. What cannot be right needs no rule; of two equally bad reasons the plan's own
/// words are told, except where two servers accept writes. What nobody could tell for too long counts where nothing as
/// bad is known.
pub fn assess(model: &Model, now: Timestamp) -> Assessment {
    let told = by_knowledge(model, now);
    match untold(model, now) {
        Some((level, why)) if told.holds.as_ref().is_none_or(|(known, _)| level < *known) => {
            Assessment { holds: Some((level, why)), ..told }
        }
        _ => told,
    }
}

fn by_knowledge(model: &Model, now: Timestamp) -> Assessment {
    let rules = by_rules(model, now);
    let Some(open) = contradiction::worst(model) else { return rules };
    let contradiction = &open.contradiction;
    let told_by_rules = |level: Severity| {
        level < contradiction.severity
            || (level == contradiction.severity && contradiction.kind != Kind::TwoPrimaries)
    };
    if rules.holds.as_ref().is_some_and(|(level, _)| told_by_rules(*level)) {
        return rules;
    }
    Assessment { holds: Some((contradiction.severity, contradiction.what.clone())), ..rules }
}

/// Whether the rule that gave the present severity still holds; none where no rule of the plan gave it.
pub fn own_rule(model: &Model, now: Timestamp) -> Option<Truth> {
    let (level, _, why) = model.durable.severity.as_ref()?;
    let rule = model.plan.severity.iter().find(|rule| rule.level == *level && rule.why == *why)?;
    Some(rule.when.evaluate(&View { model, now }))
}

fn by_rules(model: &Model, now: Timestamp) -> Assessment {
    let view = View { model, now };
    let mut possible = None;
    for SeverityRule { level, when, why } in &model.plan.severity {
        match when.evaluate(&view) {
            Truth::True => return Assessment { holds: Some((*level, why.clone())), possible },
            Truth::Unknown(because) if possible.is_none() => possible = Some((*level, because)),
            Truth::Unknown(_) | Truth::False => {}
        }
    }
    Assessment { holds: None, possible }
}
