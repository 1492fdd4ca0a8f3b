//! What holds now, in a few words: a title says what it was when it began, which may be long over.

use crate::base::text::ended;
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::ask::severity::own_rule;
use crate::core::ask::{contradiction, lifecycle};
use crate::core::model::{Model, Status};
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// One line for a subject, what matters most first; `title` where that still says it.
pub fn subject(model: &Model, title: &str, now: Timestamp) -> String {
    let mut words = match news(model, title, now) {
        Some(news) => format!("{}{}", news.what, news.since()),
        None => title.to_owned(),
    };
    if let Some(region) = serves(model) {
        words = format!("{words}; {region} serves");
    }
    match diverged(model) {
        true => format!("DATA DIVERGED; {words}"),
        false => words,
    }
}

/// The same in full, a line each; nothing where the title still says it all.
pub fn lines(model: &Model, title: &str, now: Timestamp) -> Vec<String> {
    let holds = news(model, title, now)
        .map(|news| format!("Now: {}", ended(&format!("{}{}", news.what, news.since()))));
    let serves = serves(model).map(|region| format!("Region {region} serves."));
    let told = lifecycle::open_and_told(model).is_some();
    let diverged = divergence::over(model).into_iter().filter(|_| told);
    let diverged = diverged.map(|split| format!("{DIVERGED}: {}", split.sentence()));
    holds.into_iter().chain(serves).chain(diverged).collect()
}

/// Something else than the title.
struct News {
    what: String,
    since: Option<Timestamp>,
}

impl News {
    fn since(&self) -> String {
        self.since.map_or_else(String::new, |at| at.strftime(", since %H:%MZ").to_string())
    }
}

fn news(model: &Model, title: &str, now: Timestamp) -> Option<News> {
    let incident = lifecycle::open_and_told(model);
    // The rules see what is real: an exercise is about what it was called.
    if incident.is_some_and(|incident| incident.mode.is_drill()) && model.live.simulation.is_none() {
        return None;
    }
    let told_at = incident.map(|incident| incident.declared_at).or(model
        .durable
        .proposal
        .as_ref()
        .map(|proposal| proposal.at))?;
    let derived = model.durable.severity.as_ref();
    let is_worst =
        |open: &&contradiction::Open| derived.is_none_or(|(level, ..)| open.contradiction.severity <= *level);
    if let Some(open) = contradiction::worst(model).filter(is_worst) {
        return Some(News { what: open.contradiction.what.clone(), since: Some(open.since) });
    }
    let Some((_, since, why)) = derived else {
        let set = incident.is_some_and(|incident| incident.severity_override.is_some());
        let what = format!("no severity rule holds any more; it was: {title}");
        return (!set).then_some(News { what, since: None });
    };
    let since = model.durable.reason_since.unwrap_or(*since);
    if why == title || since <= told_at {
        return None;
    }
    let told = match own_rule(model, now) {
        Some(Truth::Unknown(_)) => " (whether it still holds cannot be told)",
        _ => "",
    };
    Some(News { what: format!("{}{told}", why.trim_end_matches('.')), since: Some(since) })
}

/// The region that took over since it was detected, as long as nothing there is down.
fn serves(model: &Model) -> Option<&str> {
    let detected = lifecycle::open_and_told(model)?.detected_at;
    let moved = model.durable.last_failover().is_some_and(|at| at >= detected);
    let down = model.durable.services.values().any(|standing| standing.status == Status::Down);
    let region = model.serving().filter(|_| moved && !down)?;
    Some(model.plan.regions.get(region).map_or(region.as_str(), |region| &region.name))
}

/// Whether two servers took writes in the open incident, and do not any more.
fn diverged(model: &Model) -> bool {
    let began = lifecycle::open_and_told(model).map(|incident| incident.detected_at);
    let is_of_it = |at: Timestamp| began.is_some_and(|began| at >= began);
    divergence::over(model).iter().any(|split| is_of_it(split.until.unwrap_or(split.since)))
}
