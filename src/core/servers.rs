//! The database servers that probes watch: which of them are one database, and which accept writes.

use crate::core::model::Model;
use crate::core::reading::{Field, Measurement};
use crate::core::signal::SignalState;
use crate::ids::{ProbeId, RegionId};
use crate::plan::ProbeSpec;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A server in one role, for as long as no reading said otherwise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Which server process it is, told apart from others that the same address may lead to.
    pub server: String,
    /// Which database it is a copy of (PostgreSQL's system identifier); none where the reading does not say.
    pub database: Option<String>,
    /// It accepts writes; else it is a standby, or a primary that is read-only.
    pub writes: bool,
    /// The timeline that it writes or follows.
    pub timeline: Option<u32>,
    /// The first reading that shows it so.
    pub since: Timestamp,
    /// The latest.
    pub last: Timestamp,
}

impl Seen {
    /// What one measurement says; none where it says no role.
    pub fn of(measured: &Measurement, at: Timestamp) -> Option<Self> {
        let flag = |name| matches!(measured.fields.get(name), Some(Field::Flag(true)));
        let role = measured.text("role")?;
        let is_primary = matches!(role, "primary" | "master");
        let started = measured.text("started_at").unwrap_or_default();
        Some(Self {
            server: started.to_owned(),
            database: measured.text("system_identifier").map(str::to_owned),
            writes: is_primary && !flag("read_only") && !flag("in_recovery"),
            timeline: measured.number("timeline").map(|timeline| timeline as u32),
            since: at,
            last: at,
        })
    }

    /// This sight after an earlier one: the same server in the same role is seen on.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        let same = before.filter(|before| {
            before.server == self.server && before.database == self.database && before.writes == self.writes
        });
        Self { since: same.map_or(self.since, |before| before.since), ..self }
    }

    /// Whether both were as they are at one moment: the times over which they were seen so overlap.
    pub fn at_once(&self, other: &Self) -> bool {
        self.since.max(other.since) <= self.last.min(other.last)
    }
}

/// A server of a database, by the probe that watches it.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// The probe.
    pub probe: &'a ProbeSpec,
    /// How it was seen last; none where that is too old, or was never.
    pub seen: Option<&'a Seen>,
    /// Since when its probe finds it down; none where it is not, or the console cannot see.
    pub down_since: Option<Timestamp>,
}

impl<'a> Server<'a> {
    fn of(model: &'a Model, probe: &'a ProbeSpec, now: Timestamp) -> Self {
        let recent = model.live.recent.get(&probe.id);
        let fresh = |seen: &&Seen| now.duration_since(seen.last) <= probe.stale_after;
        let signal = model.durable.signals.get(&probe.id);
        let seen = recent.and_then(|recent| recent.seen.as_ref()).filter(fresh);
        let down = signal.filter(|signal| signal.state == SignalState::Critical && seen.is_none());
        let down = down.filter(|_| crate::core::blind::since(model).is_none());
        Self { probe, seen, down_since: down.map(|signal| signal.since) }
    }

    /// It is seen to accept writes.
    pub fn writes(&self) -> bool {
        self.seen.is_some_and(|seen| seen.writes)
    }

    /// Since when it is known to accept no writes: seen as a standby or read-only, or down.
    pub fn idle_since(&self) -> Option<Timestamp> {
        self.seen.filter(|seen| !seen.writes).map(|seen| seen.since).or(self.down_since)
    }

    /// Its region.
    pub fn region(&self) -> Option<&'a RegionId> {
        self.probe.region.as_ref()
    }

    /// Both probes watch one server: the same connection string, or the same process behind two.
    pub fn is(&self, other: &Self) -> bool {
        let dsn = self.probe.params.get("dsn");
        let same_process = self.seen.zip(other.seen).is_some_and(|(one, other)| {
            !one.server.is_empty() && one.server == other.server && one.database == other.database
        });
        self.probe.id == other.probe.id
            || (dsn.is_some() && dsn == other.probe.params.get("dsn"))
            || same_process
    }

    /// How long its plan waits before it believes that something turned.
    pub fn patience(&self) -> SignedDuration {
        let after = i32::try_from(self.probe.fail_after).unwrap_or(i32::MAX);
        self.probe.every.saturating_mul(after)
    }
}

/// The servers of one database.
pub type Database<'a> = Vec<Server<'a>>;

/// The databases of which probes watch servers: those that say the same system identifier, and those that the plan
/// ties together (a replication probe names both, or a service has one in each region) as long as not both are known.
pub fn databases(model: &Model, now: Timestamp) -> Vec<Database<'_>> {
    let mut databases: Vec<Database<'_>> = Vec::new();
    for spec in model.plan.probes.values().filter(|spec| spec.kind == "postgres") {
        let server = Server::of(model, spec, now);
        let (mut one, others): (Vec<_>, Vec<_>) = databases
            .into_iter()
            .partition(|database| database.iter().any(|other| belong_together(model, &server, other)));
        databases = others;
        let mut members: Database<'_> = one.drain(..).flatten().collect();
        members.push(server);
        databases.push(members);
    }
    databases
}

/// The system identifier that a probe's server said last, however long ago.
fn identifier<'a>(model: &'a Model, probe: &ProbeId) -> Option<&'a str> {
    model.live.recent.get(probe)?.database.as_deref()
}

fn belong_together(model: &Model, one: &Server<'_>, other: &Server<'_>) -> bool {
    match (identifier(model, &one.probe.id), identifier(model, &other.probe.id)) {
        (Some(one), Some(other)) => one == other,
        _ => is_tied(model, one.probe, other.probe),
    }
}

/// Whether the plan says that two probes watch servers of one database.
fn is_tied(model: &Model, one: &ProbeSpec, other: &ProbeSpec) -> bool {
    let (one_dsn, other_dsn) = (one.params.get("dsn"), other.params.get("dsn"));
    if one_dsn.is_none() || other_dsn.is_none() {
        return false;
    }
    let links = model.plan.probes.values().filter(|spec| spec.kind == "postgres-replication");
    let linked = links
        .map(|spec| (spec.params.get("dsn"), spec.params.get("primary")))
        .any(|link| one_dsn == other_dsn || link == (one_dsn, other_dsn) || link == (other_dsn, one_dsn));
    let is_server = |id: &&ProbeId| model.plan.probes.get(*id).is_some_and(|spec| spec.kind == "postgres");
    let serves = |probes: &Vec<ProbeId>, probe: &ProbeSpec| {
        probes.contains(&probe.id) && probes.iter().filter(is_server).count() == 1
    };
    let of_one_service = model.plan.services.values().any(|service| {
        let mut health = service.health.values();
        health.any(|probes| serves(probes, one))
            && service.health.values().any(|probes| serves(probes, other))
    });
    linked || of_one_service
}
