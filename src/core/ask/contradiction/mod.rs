//! What cannot be right whatever the plan says: two servers accept writes, nobody does, another
//! region has the primary than the one that is recorded to serve. It counts before the plan's rules, and some of it has to be answered by a person.

mod belied;
mod look;
mod moving;
mod remedy;
#[cfg(test)]
mod tests;
mod undone;

use crate::base::problem::Problem;
pub use look::{is_without_writer, look};
pub use remedy::{Remedy, remedy};

use crate::base::ids::{ProbeId, RegionId, RunId};
use crate::core::model::Model;
use crate::plan::{Plan, ProbeSpec, Severity, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that cannot be right.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contradiction {
    /// Which instance it is: its kind and the servers with their timelines. An answer is good for this one only.
    pub id: String,
    /// What kind of thing.
    pub kind: Kind,
    /// The servers that it is about, by their probes.
    pub servers: Vec<ProbeId>,
    /// How bad it is by itself, without any rule of the plan.
    pub severity: Severity,
    /// What is wrong, one line.
    pub what: String,
    /// What shows it.
    pub why: String,
    pub next: String,
    /// What is refused until a person has answered it.
    pub blocks: Vec<Blocked>,
    /// The server that accepts writes and must not, where that can be told.
    #[serde(default)]
    pub to_fence: Option<ProbeId>,
    /// The server that it is about is the only one that is seen to accept writes: to fence it is an outage.
    #[serde(default)]
    pub is_last: bool,
    /// The region that serves although another one is recorded to, where it is about that.
    #[serde(default)]
    pub serves: Option<RegionId>,
}

impl Contradiction {
    /// Whether it says that a server accepts writes which a settled step keeps from that.
    pub fn denies_fence(&self, run: &RunId, step: &Step) -> bool {
        match self.kind {
            Kind::TwoPrimaries | Kind::FencedWrites => self.is_about(step),
            Kind::Undone => step.is_fence() && self.id.starts_with(&undone::prefix(run, &step.id)),
            Kind::PrimaryAlive | Kind::NobodyWrites | Kind::ServesElsewhere => false,
        }
    }

    /// Whether a step fences one of its servers.
    fn is_about(&self, step: &Step) -> bool {
        step.fences.iter().any(|probe| self.servers.contains(probe))
    }

    /// What it makes of what it is about, in the few characters of a cell.
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::TwoPrimaries => "split brain",
            Kind::FencedWrites => "fence broken",
            Kind::PrimaryAlive => "still writes",
            Kind::NobodyWrites => "no writes",
            Kind::Undone => "taken back",
            Kind::ServesElsewhere => "elsewhere",
        }
    }

    /// Whether a probe watches one of its servers.
    fn is_seen_by(&self, plan: &Plan, probe: &ProbeId) -> bool {
        let dsn = |id: &ProbeId| plan.probes.get(id).and_then(|spec| spec.params.get("dsn"));
        let same = |server: &ProbeId| dsn(server).is_some() && dsn(server) == dsn(probe);
        self.servers.iter().any(|server| server == probe || same(server))
    }

    /// Whether it is more than a hint: nothing that rests on it is well.
    pub fn is_grave(&self) -> bool {
        self.severity <= Severity::P1
    }
}

/// The kinds of contradictions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Two servers of one database accept writes.
    TwoPrimaries,
    /// A server accepts writes that a step fenced and none let go.
    FencedWrites,
    /// A promotion is ready while the primary that it is to replace still accepts writes.
    PrimaryAlive,
    /// No server of a database accepts writes.
    NobodyWrites,
    /// Somebody else took back what a step did to a server: a promotion, a stop.
    Undone,
    /// The primary is in another region than the one that is recorded to serve.
    ServesElsewhere,
}

/// What an unanswered contradiction keeps people from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocked {
    /// A promotion, a step that moves traffic, or another irreversible step of a runbook that moves the region that
    /// serves.
    Promote,
    /// To call the incident resolved.
    Resolve,
    /// To close the incident.
    Close,
}

/// A contradiction from when it was found until the world shows that it is over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Open {
    pub contradiction: Contradiction,
    /// When it was found.
    pub since: Timestamp,
    /// When, by whom and with which reason a person answered it.
    pub answered: Option<Answer>,
}

/// A person's answer to a contradiction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub at: Timestamp,
    pub by: String,
    /// Why it may be so, or what was done about it.
    pub reason: String,
}

/// What a contradiction looks like now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sight {
    /// It is there.
    Is,
    /// It cannot be told.
    Unseen,
    /// It is over, and what shows that.
    Over(String),
}

/// The open contradictions, in the order in which they were found.
pub fn of(model: &Model) -> &[Open] {
    &model.durable.contradictions
}

/// The worst of them; of equally bad ones the split brain.
pub fn worst(model: &Model) -> Option<&Open> {
    of(model).iter().min_by_key(order)
}

fn order(open: &&Open) -> (Severity, bool) {
    (open.contradiction.severity, open.contradiction.kind != Kind::TwoPrimaries)
}

/// The worst of those that are more than a hint and are about a server which one of the probes watches.
pub fn on<'m, 'p>(model: &'m Model, probes: impl IntoIterator<Item = &'p ProbeId>) -> Option<&'m Open> {
    let mut grave = of(model).iter().filter(|open| open.contradiction.is_grave()).peekable();
    grave.peek()?;
    let probes: Vec<&ProbeId> = probes.into_iter().collect();
    let is_about =
        |open: &&Open| probes.iter().any(|probe| open.contradiction.is_seen_by(&model.plan, probe));
    grave.filter(is_about).min_by_key(order)
}

/// Whether no service works on one of the servers that the probes watch: two of them take writes, or none does. Of the
/// other kinds the server that takes writes serves all the same.
pub fn denies_service<'p>(model: &Model, probes: impl IntoIterator<Item = &'p ProbeId>) -> bool {
    let kinds = [Kind::TwoPrimaries, Kind::NobodyWrites];
    let grave = |open: &&Open| open.contradiction.is_grave() && kinds.contains(&open.contradiction.kind);
    let denying: Vec<&Open> = of(model).iter().filter(grave).collect();
    !denying.is_empty()
        && probes
            .into_iter()
            .any(|probe| denying.iter().any(|open| open.contradiction.is_seen_by(&model.plan, probe)))
}

/// The worst of those that are more than a hint and are about a server in a region.
pub fn in_region<'m>(model: &'m Model, region: &RegionId) -> Option<&'m Open> {
    let here = |spec: &&ProbeSpec| spec.region.as_ref() == Some(region);
    on(model, model.plan.probes.values().filter(here).map(|spec| &spec.id))
}

/// The first that keeps people from something and that nobody has answered.
pub fn blocking(model: &Model, what: Blocked) -> Option<&Open> {
    of(model).iter().find(|open| open.answered.is_none() && open.contradiction.blocks.contains(&what))
}

/// Whether a step makes another server the primary, sends traffic elsewhere, or cannot be undone on the way there.
pub fn moves_the_primary(model: &Model, run: &RunId, step: &Step) -> bool {
    let run = model.run(run);
    let runbook = run.and_then(|run| model.plan.runbooks.get(&run.runbook));
    step.promotes()
        || step.moves_traffic()
        || (step.irreversible && runbook.is_some_and(|book| book.activates.is_some()))
}

/// Refuses what a contradiction blocks until it is answered.
///
/// # Errors
/// With what is wrong, and how to go on.
pub fn allow(model: &Model, what: Blocked) -> Result<(), Problem> {
    match blocking(model, what) {
        None => Ok(()),
        Some(open) => Err(Problem::new(
            open.contradiction.what.clone(),
            format!("{} Or answer it with a reason: then you may go on.", open.contradiction.next),
        )),
    }
}
