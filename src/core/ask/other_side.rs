//! The servers on the other side of a step: those that a failover leaves behind, or that a fence stops. Whether they
//! take writes decides between a failover and two primaries.

use crate::base::ids::ProbeId;
use crate::core::ask::fencing;
use crate::core::ask::servers::{self, Server};
use crate::core::model::Model;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A server on the other side, as it was when somebody looked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OtherServer {
    /// The probe that watches it.
    pub probe: ProbeId,
    /// What people call the probe.
    pub title: String,
    pub does: Does,
    /// When it was last seen to do so, or since when it is down; none where it never was.
    pub at: Option<Timestamp>,
    /// When it was fenced, and whether that was proven; none where it was not.
    pub fenced: Option<(Timestamp, bool)>,
}

/// What a server does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// It is up and accepts writes.
    Writes,
    /// It is up, and its probe cannot tell whether it accepts writes.
    Untold,
    /// It is up and accepts none.
    Idle,
    /// It does not answer.
    Down,
    /// Nobody can see it from here.
    Unseen,
}

impl OtherServer {
    /// `Old primary is UP and takes writes`.
    pub fn words(&self) -> String {
        let does = match self.does {
            Does::Writes => "is UP and takes writes",
            Does::Untold => "is UP, and whether it takes writes CANNOT BE TOLD",
            Does::Idle => "is up and takes no writes",
            Does::Down => "does not answer",
            Does::Unseen => "CANNOT BE SEEN from here",
        };
        format!("{} {does}", self.title)
    }
}

/// The servers on the other side of a step: of a fence, those that it stops; of what moves the region that serves, or
/// cannot be undone, those in other regions than the one that serves then. Empty for any other step.
pub fn of(model: &Model, runbook: &Runbook, step: &Step, now: Timestamp) -> Vec<OtherServer> {
    let databases = servers::databases(model, now);
    let servers = databases.iter().flatten();
    let is_other = |server: &&Server<'_>| match (&runbook.activates, step.is_fence()) {
        (_, true) if !step.fences.is_empty() => step.fences.contains(&server.probe.id),
        (Some(region), _) => server.region().is_some_and(|of| of != region),
        (None, _) => false,
    };
    let concerns = step.is_fence() || step.irreversible || step.switches;
    servers.filter(|_| concerns).filter(is_other).map(|server| other(model, server)).collect()
}

fn other(model: &Model, server: &Server<'_>) -> OtherServer {
    let (does, at) = match (server.seen, server.down_since) {
        // Who answers there is the server that serves.
        (Some(_), _) if server.strays => (Does::Unseen, None),
        (Some(seen), _) if server.is_untold() => (Does::Untold, Some(seen.last)),
        (Some(seen), _) if server.writes() => (Does::Writes, Some(seen.last)),
        (Some(seen), _) => (Does::Idle, Some(seen.last)),
        (None, _) if server.full_at.is_some() => (Does::Untold, server.full_at),
        (None, Some(since)) => (Does::Down, Some(since)),
        (None, None) => (Does::Unseen, None),
    };
    // A fence of an incident that is over vouches for nothing: its server may have been let write since.
    let vouches = |fence: &fencing::Fenced| !fence.denied && model.run(&fence.run).is_some();
    let fences = fencing::all(model, &server.probe.id).filter(vouches);
    let fenced = fences.min_by_key(|fence| (!fence.proven, fence.at)).map(|fence| (fence.at, fence.proven));
    OtherServer { probe: server.probe.id.clone(), title: server.probe.title.clone(), does, at, fenced }
}

/// What turned so that a confirmation must not fire: a server that took no writes takes some now.
pub fn turned(then: &[OtherServer], now: &[OtherServer]) -> Option<String> {
    let may_write = |server: &OtherServer| matches!(server.does, Does::Writes | Does::Untold);
    let did = |probe: &ProbeId| then.iter().any(|server| server.probe == *probe && may_write(server));
    let woke = now.iter().find(|server| may_write(server) && !did(&server.probe));
    woke.map(|server| format!("{} now", server.words()))
}
