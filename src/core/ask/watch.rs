//! What a step made of a server, looked at again: while it has to hold before the step counts as verified, and until
//! its incident is closed. Who else changes the server is seen by this and by nothing else of a plan.

use crate::base::ids::{RunId, StepId};
use crate::core::model::Model;
use crate::core::words::action::Proof;
use crate::core::words::incident::{Incident, Run, StepRun};
use crate::core::words::status::StepStatus;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A server as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It is a primary.
    Primary {
        /// The timeline that it writes.
        timeline: u32,
        /// New transactions may write by default.
        writable: bool,
        /// The cluster's system identifier.
        system: String,
    },
    /// It is a standby.
    Standby {
        /// The timeline that it follows.
        timeline: u32,
        /// The cluster's system identifier.
        system: String,
    },
    /// Nothing listens there.
    Stopped,
    /// It cannot be told what it is.
    Unread { why: String },
}

/// An effect that was proven and has to hold.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Holding {
    /// When it was proven first.
    pub since: Timestamp,
    /// How long it has to hold from then on; zero while it was never read without a break.
    pub hold: SignedDuration,
    /// What the server was found to be.
    pub found: Found,
    /// What showed it.
    pub proof: Proof,
}

/// What a verified step made is not what its server is now.
#[derive(Clone, PartialEq, Debug)]
pub struct Changed<'m> {
    pub run: &'m RunId,
    pub step: &'m StepId,
    /// What people call the step.
    pub title: &'m str,
    /// The server.
    pub target: &'m str,
    /// Who manages the server, where that was known and ignored.
    pub manager: Option<&'m str>,
    /// When the step's effect was proven.
    pub made_at: Timestamp,
    /// What the step made of it.
    pub made: &'m Found,
    /// What it is now.
    pub is: &'m Found,
    /// Since when that is known.
    pub since: Timestamp,
}

impl Found {
    /// `a primary on timeline 2 that takes writes`.
    pub fn words(&self) -> String {
        match self {
            Self::Primary { timeline, writable: true, .. } => {
                format!("a primary on timeline {timeline} that takes writes")
            }
            Self::Primary { timeline, writable: false, .. } => {
                format!("a primary on timeline {timeline} that takes no writes")
            }
            Self::Standby { timeline, .. } => format!("a standby on timeline {timeline}"),
            Self::Stopped => "stopped".to_owned(),
            Self::Unread { why } => format!("out of sight: {why}"),
        }
    }

    /// Whether it could be told what it is.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unread { .. })
    }

    /// Whether both say the same; why a server is out of sight makes no difference.
    pub fn is_same(&self, other: &Self) -> bool {
        self == other || !(self.is_known() || other.is_known())
    }

    fn system(&self) -> Option<&str> {
        match self {
            Self::Primary { system, .. } | Self::Standby { system, .. } => Some(system),
            Self::Stopped | Self::Unread { .. } => None,
        }
    }
}

impl Changed<'_> {
    /// `TAKEN BACK by Patroni: 127.0.0.1:5433 is a standby on timeline 2 since …`.
    pub fn what(&self) -> String {
        let (target, is) = (self.target, self.is.words());
        let since = self.since.strftime("%H:%M:%S");
        match (self.made, self.is) {
            (Found::Stopped, Found::Unread { .. }) | (_, Found::Unread { .. }) => {
                format!("{target}, changed by lifeboat, is {is}")
            }
            (Found::Stopped, _) => {
                format!("FENCED ONE IS BACK: {target} is {is} since {since}Z, not by lifeboat")
            }
            _ => format!("TAKEN BACK{}: {target} is {is} since {since}Z", self.by()),
        }
    }

    /// What shows it.
    pub fn why(&self) -> String {
        let made_at = self.made_at.strftime("%H:%M:%S");
        format!("step \"{}\" made it {} at {made_at}Z", self.title, self.made.words())
    }

    /// What to do.
    pub fn next(&self) -> &'static str {
        match (self.made, self.is) {
            (Found::Stopped, _) => "Fence it again by other means, and keep it from starting.",
            (_, Found::Primary { writable: true, .. }) => {
                "Somebody promoted it anew: see that it is the only primary, and whether rows of before are missing."
            }
            _ => {
                "Find out which server takes writes now. What was written since the promotion may be on this server \
                 alone: save it before a rewind or a rebuild throws it away."
            }
        }
    }

    fn by(&self) -> String {
        self.manager.map_or_else(|| ", not by lifeboat".to_owned(), |manager| format!(" by {manager}"))
    }
}

/// Steps of the open incident whose effect has to be watched: those that were verified after they had to hold, and those
/// that did not hold.
pub fn watched(model: &Model) -> Vec<(&RunId, &StepId)> {
    let runs = model.durable.incident.iter().flat_map(|incident| &incident.runs);
    let steps = runs.flat_map(|run| run.steps.iter().map(move |(id, state)| (&run.id, id, state)));
    steps.filter(|(.., state)| is_watched(state)).map(|(run, id, _)| (run, id)).collect()
}

/// Whether a step's effect is to be looked at again.
pub fn is_watched(state: &StepRun) -> bool {
    matches!(state.status, StepStatus::Verified | StepStatus::Unknown) && state.holding.is_some()
}

/// Whether what is found of a step's server is worth a record: it is watched, or it is yet to hold.
pub fn is_looked_at(state: &StepRun) -> bool {
    is_watched(state) || (state.status == StepStatus::Finished && state.holding.is_some())
}

/// What is not any more as steps of the open incident made it, and no later step changed.
pub fn changed(model: &Model) -> Vec<Changed<'_>> {
    let Some(incident) = model.durable.incident.as_ref() else { return Vec::new() };
    let steps =
        incident.runs.iter().flat_map(|run| run.steps.iter().map(move |(id, state)| (run, id, state)));
    steps.filter_map(|(run, id, state)| change(model, incident, run, id, state)).collect()
}

fn change<'m>(
    model: &'m Model,
    incident: &'m Incident,
    run: &'m Run,
    id: &'m StepId,
    state: &'m StepRun,
) -> Option<Changed<'m>> {
    let holding = state.holding.as_ref().filter(|_| is_looked_at(state))?;
    let (since, is) = state.seen.as_ref().filter(|(_, is)| *is != holding.found)?;
    // A stopped server that came back as a standby, or takes no writes, does no harm.
    let is_harmless = !matches!(is, Found::Primary { writable: true, .. } | Found::Unread { .. });
    if (holding.found == Found::Stopped && is_harmless) || is_overtaken(incident, state, &holding.found) {
        return None;
    }
    let target = &state.confirmation.as_ref()?.description.target;
    let step = model.plan.runbooks.get(&run.runbook).and_then(|runbook| runbook.steps.get(id));
    let manager = target.identity.iter().find(|(name, _)| name == "managed by").map(|(_, name)| &**name);
    Some(Changed {
        run: &run.id,
        step: id,
        title: step.map_or(id.as_str(), |step| &step.title),
        target: &target.name,
        manager,
        made_at: holding.since,
        made: &holding.found,
        is,
        since: *since,
    })
}

/// Whether lifeboat itself changed the server since: another step on the same target began, or another server of the
/// same database was promoted.
fn is_overtaken(incident: &Incident, state: &StepRun, made: &Found) -> bool {
    let target =
        |state: &StepRun| state.confirmation.as_ref().map(|open| open.description.target.name.clone());
    let (own, ended) = (target(state), state.ended_at);
    let others = incident.runs.iter().flat_map(|run| run.steps.values());
    others.filter(|other| !std::ptr::eq(*other, state)).any(|other| {
        let later = other.started_at.zip(ended).is_some_and(|(started, ended)| started >= ended);
        let promoted = other.holding.as_ref().is_some_and(|other| {
            matches!(other.found, Found::Primary { .. }) && other.found.system() == made.system()
        });
        later && (target(other) == own || promoted)
    })
}
