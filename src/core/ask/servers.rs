//! The database servers that probes watch: which of them are one database, and which accept writes.

use crate::base::ids::{ProbeId, RegionId};
use crate::core::ask::fencing::set_read_only;
use crate::core::model::Model;
use crate::core::words::reading::{Field, Measurement, Reading};
use crate::core::words::signal::SignalState;
use crate::plan::kinds::Sees;
use crate::plan::{Plan, ProbeSpec};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// The `database` of a probe whose server is compared with no other.
pub const NO_DATABASE: &str = "none";

/// The field of a reading that says why it cannot tell whether a primary is read-only.
pub const READ_ONLY_HIDDEN: &str = "read_only_hidden";

/// The field of a reading that says whether any server of what an operator runs is a primary that serves, whatever is asked
/// of it.
pub const ACCEPTS_WRITES: &str = "accepts_writes";

/// The field of a reading that says that a server answers and lets nobody in: those that are in go on.
pub const FULL: &str = "full";

/// A server in one role, for as long as no reading said otherwise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Which server process it is, told apart from others that the same address may lead to.
    pub server: String,
    /// Which database it is a copy of (PostgreSQL's system identifier); none where the reading does not say.
    pub database: Option<String>,
    /// It is a primary, read-only or not.
    pub is_primary: bool,
    /// It accepts writes, or may; else it is a standby, or a primary that is read-only.
    pub writes: bool,
    /// It is a primary, and the reading cannot tell whether it is read-only.
    #[serde(default)]
    pub untold: bool,
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
        let is_named = matches!(role, "primary" | "master" | "leader") && !flag("in_recovery");
        let is_primary = match measured.fields.get(ACCEPTS_WRITES) {
            Some(Field::Flag(accepts)) => *accepts,
            _ => is_named,
        };
        let started = measured.text("started_at").unwrap_or_default();
        Some(Self {
            server: started.to_owned(),
            database: measured.text("system_identifier").map(str::to_owned),
            is_primary,
            writes: is_primary && !flag("read_only"),
            untold: is_primary && measured.text(READ_ONLY_HIDDEN).is_some(),
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
    pub probe: &'a ProbeSpec,
    /// How it was seen last; none where that is too old, or was never.
    pub seen: Option<&'a Seen>,
    /// Since when its probe finds it down; none where it is not, or the console cannot see.
    pub down_since: Option<Timestamp>,
    /// When it last answered that no connection is left: it is up, and whether it accepts writes of those that are in
    /// cannot be told. None where it did not say so last.
    pub full_at: Option<Timestamp>,
    /// Its probe cannot tell whether it is read-only, and lifeboat's own fence made it so: it neither counts as one that
    /// accepts writes nor as one that is known not to.
    pub fenced_unseen: bool,
    /// Its probe's address leads to a server of the region that serves, which a probe of that region watches: a name that
    /// moved with the primary. The server that used to be there is seen by nobody.
    pub strays: bool,
}

impl<'a> Server<'a> {
    fn of(model: &'a Model, probe: &'a ProbeSpec, now: Timestamp) -> Self {
        let recent = model.live.recent.get(&probe.id);
        let fresh = |seen: &&Seen| now.duration_since(seen.last) <= probe.stale_after;
        let signal = model.durable.signals.get(&probe.id);
        let seen = recent.and_then(|recent| recent.seen.as_ref()).filter(fresh);
        let latest = recent.and_then(|recent| recent.measured());
        let is_full = |reading: &&Reading| {
            let fields = reading.outcome.as_ref().ok().map(|measured| &measured.fields);
            fields.is_some_and(|fields| fields.get(FULL) == Some(&Field::Flag(true)))
        };
        let full_at = latest.filter(is_full).map(|reading| reading.at);
        let full_at = full_at.filter(|at| now.duration_since(*at) <= probe.stale_after && seen.is_none());
        let down = signal.filter(|signal| signal.state == SignalState::Critical && seen.is_none());
        let down = down.filter(|_| full_at.is_none());
        let down = down.filter(|_| crate::core::ask::blind::since(model).is_none());
        let is_fenced = |seen: &Seen| seen.untold && set_read_only(model, &probe.id, &seen.server);
        Self {
            probe,
            seen,
            down_since: down.map(|signal| signal.critical_since.unwrap_or(signal.since)),
            full_at,
            fenced_unseen: seen.is_some_and(is_fenced),
            strays: false,
        }
    }

    /// It is seen to accept writes, or is a primary that may.
    pub fn writes(&self) -> bool {
        self.seen.is_some_and(|seen| seen.writes) && !self.fenced_unseen
    }

    /// It is a primary of which its probe cannot tell whether it accepts writes.
    pub fn is_untold(&self) -> bool {
        self.seen.is_some_and(|seen| seen.untold)
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
        self.probe.id == other.probe.id
            || self.has_its_address(other)
            || self.is_its_process(other)
            || self.is_of_its_operator(other)
    }

    /// One of them is all that an operator runs, and the other one server: which of those it is nobody tells.
    fn is_of_its_operator(&self, other: &Self) -> bool {
        let is_operated = |server: &Self| server.probe.sees == Sees::OperatedCluster;
        is_operated(self) != is_operated(other)
    }

    /// Both probes have the same connection string.
    pub fn has_its_address(&self, other: &Self) -> bool {
        let dsn = self.probe.params.get("dsn");
        dsn.is_some() && dsn == other.probe.params.get("dsn")
    }

    fn is_its_process(&self, other: &Self) -> bool {
        self.seen.zip(other.seen).is_some_and(|(one, other)| {
            !one.server.is_empty() && one.server == other.server && one.database == other.database
        })
    }

    /// How long its plan waits before it believes that something turned.
    pub fn patience(&self) -> SignedDuration {
        let after = i32::try_from(self.probe.fail_after).unwrap_or(i32::MAX);
        self.probe.every.saturating_mul(after)
    }
}

/// The servers of one database.
pub type Database<'a> = Vec<Server<'a>>;

/// Whether a probe watches a database server whose role is compared with others: a PostgreSQL server, or what the plan
/// says belongs to a database.
pub fn is_server(spec: &ProbeSpec) -> bool {
    match spec.database.as_deref() {
        Some(NO_DATABASE) => false,
        Some(_) => true,
        None => spec.sees == Sees::Server,
    }
}

/// The databases of which probes watch servers: those that the plan names, those that say the same system identifier,
/// and those that the plan ties together as long as that identifier is not known of both.
pub fn databases(model: &Model, now: Timestamp) -> Vec<Database<'_>> {
    let specs: Vec<&ProbeSpec> = model.plan.probes.values().filter(|spec| is_server(spec)).collect();
    let ties = Ties::of(&model.plan, &specs);
    let mut databases: Vec<Database<'_>> = Vec::new();
    let mut by_name: HashMap<(bool, &str), usize> = HashMap::new();
    let mut place_of: HashMap<&ProbeId, usize> = HashMap::new();
    let (named, nameless): (Vec<&ProbeSpec>, Vec<&ProbeSpec>) =
        specs.into_iter().partition(|spec| name(model, spec).is_some());
    for spec in named.into_iter().chain(nameless) {
        let known = match name(model, spec) {
            Some(name) => by_name.get(&name).copied(),
            None => ties.of_probe(spec).find_map(|other| place_of.get(other).copied()),
        };
        let place = known.unwrap_or(databases.len());
        if place == databases.len() {
            databases.push(Vec::new());
        }
        if let Some(name) = name(model, spec) {
            by_name.insert(name, place);
        }
        place_of.insert(&spec.id, place);
        databases[place].push(Server::of(model, spec, now));
    }
    if let Some(serving) = model.serving() {
        databases.iter_mut().for_each(|database| mark_strays(database, serving));
    }
    databases
}

/// The probe of the server that the address of another probe leads to now: one process answers both, and it is in the
/// region that serves. None where the address leads to its own server, as far as anybody sees.
pub fn leads_to<'m>(model: &'m Model, spec: &ProbeSpec) -> Option<&'m ProbeSpec> {
    let serving =
        model.serving().filter(|serving| is_server(spec) && spec.region.as_ref() != Some(*serving))?;
    let process = |probe: &ProbeId| {
        let seen = model.live.recent.get(probe)?.seen.as_ref()?;
        (!seen.server.is_empty()).then_some((&seen.server, &seen.database))
    };
    let own = process(&spec.id)?;
    let dsn = spec.params.get("dsn");
    let mut here = model.plan.probes.values().filter(|other| other.region.as_ref() == Some(serving));
    here.find(|other| {
        is_server(other)
            && (dsn.is_none() || other.params.get("dsn") != dsn)
            && process(&other.id) == Some(own)
    })
}

fn mark_strays(database: &mut Database<'_>, serving: &RegionId) {
    let (here, away): (Vec<Server<'_>>, Vec<Server<'_>>) =
        database.iter().copied().partition(|server| server.region() == Some(serving));
    let strays = |server: &Server<'_>| {
        let is_away = away.iter().any(|other| other.probe.id == server.probe.id);
        is_away && here.iter().any(|home| !home.has_its_address(server) && home.is_its_process(server))
    };
    for server in database.iter_mut() {
        server.strays = strays(server);
    }
}

/// What tells databases apart: the plan's name, or the system identifier that the server said last, however long ago.
fn name<'a>(model: &'a Model, spec: &'a ProbeSpec) -> Option<(bool, &'a str)> {
    let identifier = || model.live.recent.get(&spec.id)?.database.as_deref();
    let by_plan = spec.database.as_deref().map(|name| (true, name));
    by_plan.or_else(|| identifier().map(|identifier| (false, identifier)))
}

/// Which servers are of one database by the plan's words: one address, a replication probe that names both, or a service
/// that has one of them in each of its regions.
struct Ties<'a>(HashMap<&'a ProbeId, Vec<&'a ProbeId>>);

impl<'a> Ties<'a> {
    fn of(plan: &'a Plan, specs: &[&'a ProbeSpec]) -> Self {
        let address = |spec: &ProbeSpec, key: &str| spec.params.get(key).map(|dsn| format!("{dsn:?}"));
        let mut at: HashMap<String, Vec<&'a ProbeId>> = HashMap::new();
        for spec in specs {
            if let Some(address) = address(spec, "dsn") {
                at.entry(address).or_default().push(&spec.id);
            }
        }
        let links = plan.probes.values().filter(|spec| spec.sees == Sees::Standby).map(|spec| {
            let ends = ["dsn", "primary"].into_iter().filter_map(|key| address(spec, key));
            ends.filter_map(|address| at.get(&address)).flatten().copied().collect::<Vec<_>>()
        });
        let servers: HashSet<&ProbeId> = specs.iter().map(|spec| &spec.id).collect();
        let is_server = |id: &&ProbeId| servers.contains(*id);
        let services = plan.services.values().map(|service| {
            let alone = |probes: &'a Vec<ProbeId>| {
                let mut here = probes.iter().filter(is_server);
                here.next().filter(|_| here.next().is_none())
            };
            service.health.values().filter_map(alone).collect::<Vec<_>>()
        });
        let mut ties: HashMap<&'a ProbeId, Vec<&'a ProbeId>> = HashMap::new();
        for group in links.chain(services).chain(at.values().cloned()) {
            for id in &group {
                ties.entry(id).or_default().extend(group.iter().filter(|other| *other != id));
            }
        }
        Self(ties)
    }

    fn of_probe(&self, spec: &ProbeSpec) -> impl Iterator<Item = &'a ProbeId> {
        self.0.get(&spec.id).into_iter().flatten().copied()
    }
}
