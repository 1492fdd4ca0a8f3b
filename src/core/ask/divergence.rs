//! Data that went apart while two servers of one database accepted writes. It outlives the split brain, its incident and
//! a restart; it ends with a person's word, or once the server that lost was rebuilt.

use crate::base::ids::{ProbeId, RunbookId};
use crate::core::ask::contradiction::{self, Answer};
use crate::core::ask::roles;
use crate::core::ask::servers::{Database, Server, databases};
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::plan::kinds::Does;
use crate::plan::{Plan, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What everything begins with that tells of it.
pub const DIVERGED: &str = "DIVERGED";

/// Two servers of one database accepted writes: what was written to either is missing on the other, also once it is over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Split {
    /// The contradiction that was found.
    pub id: String,
    /// What it was, one line.
    pub what: String,
    /// The servers, by their probes.
    #[serde(default)]
    pub servers: Vec<ProbeId>,
    /// When it was found.
    pub since: Timestamp,
    /// When it was seen to be over.
    pub until: Option<Timestamp>,
    /// Up to when both surely held the same, if that is known: what one wrote reached the other no more long before
    /// both were seen to accept writes.
    #[serde(default)]
    pub apart_since: Option<Timestamp>,
    /// What became of the data, when that was said or measured; none while nobody knows.
    #[serde(default)]
    pub settled: Option<Answer>,
}

impl Split {
    /// `SPLIT BRAIN: a and b accept writes, seen from 2026-11-29 02:02:05Z to 02:07:00Z. They hold different data since …`.
    pub fn sentence(&self) -> String {
        let apart = match self.apart_since.filter(|apart| *apart < self.since) {
            Some(apart) => format!("They hold different data since about {}", clock(apart, self.since)),
            None => "They hold different data since then, or since long before".to_owned(),
        };
        format!(
            "{}, seen from {}. {apart}: what was written to either is missing on the other. Compare both before one is \
             rebuilt or thrown away.",
            self.what,
            self.window()
        )
    }

    /// Since when both may hold different data: `about 2026-11-29 01:44:00Z`, or at the latest since both were seen.
    pub fn begin(&self) -> String {
        match self.apart_since.filter(|apart| *apart < self.since) {
            Some(apart) => format!("about {}", apart.strftime("%Y-%m-%d %H:%M:%SZ")),
            None => format!("{} or long before", self.since.strftime("%Y-%m-%d %H:%M:%SZ")),
        }
    }

    /// `2026-11-29 02:02:05Z to 02:07:00Z`.
    pub fn window(&self) -> String {
        let until = self.until.map_or_else(String::new, |until| format!(" to {}", clock(until, self.since)));
        format!("{}{until}", self.since.strftime("%Y-%m-%d %H:%M:%SZ"))
    }

    /// The timeline that one of its servers wrote, where that was known.
    fn timeline(&self, server: &ProbeId) -> Option<u32> {
        let names = self.id.split_once(':')?.1.split(',');
        let of_server =
            names.filter_map(|name| name.rsplit_once('@')).find(|(name, _)| *name == server.as_str());
        of_server?.1.parse().ok()
    }
}

/// The time of day, with the date where that is not the day of `beside`.
fn clock(at: Timestamp, beside: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let form = if day(at) == day(beside) { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" };
    at.strftime(form).to_string()
}

/// What nobody has answered for and nothing has ended, also while both go on accepting writes; oldest first.
pub fn open(model: &Model) -> Vec<&Split> {
    model.durable.splits.iter().filter(|split| split.settled.is_none()).collect()
}

/// The same of those that are over: one server is left that accepts writes, and the other holds what it took.
pub fn over(model: &Model) -> Vec<&Split> {
    let goes_on =
        |split: &&Split| contradiction::of(model).iter().any(|open| open.contradiction.id == split.id);
    open(model).into_iter().filter(|split| !goes_on(split)).collect()
}

/// Whether a step may throw away what one of the servers holds, as far as a plan can tell. A fence keeps it.
pub fn may_throw_away(step: &Step) -> bool {
    !step.is_fence() && (step.irreversible || step.may_lose_data())
}

/// Whether a step is meant to bring back one of the servers, or cannot be undone, as the plan has it.
pub fn rebuilds(model: &Model, split: &Split, step: &Step) -> bool {
    may_throw_away(step)
        && (step.irreversible
            || taken_back(&model.plan, step).iter().any(|server| split.servers.contains(server)))
}

/// That the data which went apart is dealt with.
pub fn settled(split: &Split, how: String) -> Fact {
    Fact::DivergenceSettled { id: split.id.clone(), what: split.what.clone(), how }
}

/// The splits whose losers were rebuilt, as measured: all but the one that accepts writes follow it on its timeline,
/// which is another than the one that they wrote.
pub fn rebuilt(model: &Model, now: Timestamp) -> Vec<Fact> {
    let over = over(model);
    if over.is_empty() {
        return Vec::new();
    }
    let databases = databases(model, now);
    let found = |split: &&Split| {
        let how = databases.iter().find_map(|database| all_follow(split, database, now))?;
        Some(settled(split, how))
    };
    once_each(over.iter().filter_map(found))
}

fn all_follow(split: &Split, database: &Database<'_>, now: Timestamp) -> Option<String> {
    let writer = roles::writer(database)?;
    let losers = split.servers.iter().filter(|probe| **probe != writer.probe.id);
    let followed: Vec<&str> = losers
        .map(|probe| {
            let server = database.iter().find(|server| server.probe.id == *probe)?;
            follows(split, server, writer, now).then_some(server.probe.title.as_str())
        })
        .collect::<Option<_>>()?;
    (!followed.is_empty()).then(|| {
        format!(
            "{} was rebuilt and follows {}: what only it held is there no more",
            followed.join(" and "),
            writer.probe.title
        )
    })
}

fn follows(split: &Split, server: &Server<'_>, writer: &Server<'_>, now: Timestamp) -> bool {
    let (Some(seen), Some(wrote)) = (server.seen, split.timeline(&server.probe.id)) else { return false };
    let lasts = now.duration_since(seen.since) >= server.patience();
    let on = seen.timeline.filter(|timeline| *timeline != wrote);
    !seen.is_primary && lasts && on.is_some() && on == writer.seen.and_then(|seen| seen.timeline)
}

/// The splits that a person's word ends with a step: it takes the fence of one of their servers back, and is no step
/// that only lets it write again. A server that is seen as a primary was not rebuilt.
pub fn by_word(model: &Model, now: Timestamp, step: &Step, how: &str) -> Vec<Fact> {
    let fences: Vec<&ProbeId> = taken_back(&model.plan, step);
    if fences.is_empty() || step.does == Does::Unfences {
        return Vec::new();
    }
    let databases = databases(model, now);
    let is_primary = |probe: &ProbeId| {
        let mut servers = databases.iter().flatten();
        servers.any(|server| server.probe.id == *probe && server.seen.is_some_and(|seen| seen.is_primary))
    };
    let ended =
        |split: &&Split| split.servers.iter().any(|server| fences.contains(&server) && !is_primary(server));
    let found = over(model).into_iter().filter(ended);
    once_each(found.map(|split| settled(split, format!("\"{}\" was done by hand: {how}", step.title))))
}

/// The servers whose fence a step takes back.
pub fn taken_back<'p>(plan: &'p Plan, step: &'p Step) -> Vec<&'p ProbeId> {
    let own: Vec<&RunbookId> = plan
        .runbooks
        .iter()
        .filter(|(_, runbook)| runbook.steps.get(&step.id) == Some(step))
        .map(|(id, _)| id)
        .collect();
    let is_meant =
        |of: &RunbookId, other: &Step| own.iter().any(|own| plan.takes_back((own, step), (of, &other.id)));
    let steps =
        plan.runbooks.iter().flat_map(|(id, runbook)| runbook.steps.values().map(move |step| (id, step)));
    let undone = steps.filter(|(of, other)| is_meant(of, other)).flat_map(|(_, other)| &other.fences);
    undone.chain(&step.unfences).collect()
}

/// One fact ends all splits of its instance.
fn once_each(facts: impl Iterator<Item = Fact>) -> Vec<Fact> {
    let mut found: Vec<Fact> = Vec::new();
    facts.for_each(|fact| {
        if !found.contains(&fact) {
            found.push(fact);
        }
    });
    found
}
