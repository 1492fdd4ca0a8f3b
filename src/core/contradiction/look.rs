//! Finding contradictions in what was measured.

use super::undone;
use super::{Blocked, Contradiction, Kind, Open, Sight};
use crate::core::model::Model;
use crate::core::servers::{Database, Server, databases};
use crate::ids::ProbeId;
use crate::plan::Severity;

use jiff::Timestamp;

/// What cannot be right now, and how each open contradiction looks.
pub fn look(model: &Model, now: Timestamp) -> (Vec<Contradiction>, Vec<Sight>) {
    let databases = databases(model, now);
    let found: Vec<Contradiction> = databases
        .iter()
        .flat_map(|database| [two_primaries(database), nobody_writes(model, database, now)])
        .flatten()
        .chain(undone::undone(model))
        .collect();
    let open = &model.durable.contradictions;
    let sights = open.iter().map(|open| sight(model, open, &found, &databases)).collect();
    (found, sights)
}

/// Two servers that accepted writes at the same time, by readings of each before and after one of the other.
fn two_primaries(database: &Database<'_>) -> Option<Contradiction> {
    let writing: Vec<&Server<'_>> = database.iter().filter(|server| server.writes()).collect();
    let both = |one: &Server<'_>, other: &Server<'_>| {
        let seen = one.seen.zip(other.seen);
        !one.is(other) && seen.is_some_and(|(one, other)| one.database.is_some() && one.at_once(other))
    };
    let mut servers: Vec<&Server<'_>> = Vec::new();
    for server in &writing {
        let is_new = servers.iter().all(|known| !known.is(server));
        if is_new && writing.iter().any(|other| both(server, other)) {
            servers.push(server);
        }
    }
    if servers.len() < 2 {
        return None;
    }
    let names: Vec<&str> = servers.iter().map(|server| &*server.probe.title).collect();
    Some(Contradiction {
        id: instance("two-primaries", &servers),
        kind: Kind::TwoPrimaries,
        servers: ids(&servers),
        severity: Severity::P0,
        what: format!("SPLIT BRAIN: {} accept writes", names.join(" and ")),
        why: format!(
            "{}; one database, and what is written to either is missing on the other",
            servers.iter().map(|server| standing(server)).collect::<Vec<_>>().join("; ")
        ),
        next: "Fence the one that must not serve, and see that it is fenced.".into(),
        blocks: vec![Blocked::Promote, Blocked::Resolve, Blocked::Close],
    })
}

/// No server of a database accepts writes, and all of them are known: some are standbys or read-only, the others down.
/// One alone that is down is what the plan's rules are for.
fn nobody_writes(model: &Model, database: &Database<'_>, now: Timestamp) -> Option<Contradiction> {
    let since = database.iter().map(Server::idle_since).collect::<Option<Vec<Timestamp>>>()?;
    let since = since.into_iter().max()?;
    let patience = database.iter().map(Server::patience).max()?;
    let several = database.iter().any(|server| !server.is(&database[0]));
    let is_seen = database.iter().any(|server| server.seen.is_some());
    if !several || !is_seen || now.duration_since(since) < patience || is_being_moved(model) {
        return None;
    }
    let servers: Vec<&Server<'_>> = database.iter().collect();
    let names: Vec<&str> = servers.iter().map(|server| &*server.probe.title).collect();
    Some(Contradiction {
        id: instance("nobody-writes", &servers),
        kind: Kind::NobodyWrites,
        servers: ids(&servers),
        severity: Severity::P0,
        what: format!("NOBODY ACCEPTS WRITES: none of {} does", names.join(", ")),
        why: servers.iter().map(|server| standing(server)).collect::<Vec<_>>().join("; "),
        next: "Find out which server holds the newest data, and make it the primary.".into(),
        blocks: vec![Blocked::Resolve, Blocked::Close],
    })
}

/// A run is under way that moves the region that serves: between fence and promotion nobody accepts writes.
fn is_being_moved(model: &Model) -> bool {
    let known = |kind| model.durable.contradictions.iter().any(|open| open.contradiction.kind == kind);
    let run = model.durable.incident.as_ref().and_then(|incident| incident.open_run());
    let runbook = run.and_then(|run| model.plan.runbooks.get(&run.runbook));
    runbook.is_some_and(|runbook| runbook.activates.is_some()) && !known(Kind::NobodyWrites)
}

/// `two-primaries:a-db@14,b-db@15`: another server or another timeline is another instance.
fn instance(kind: &str, servers: &[&Server<'_>]) -> String {
    let mut names: Vec<String> = servers.iter().map(|server| name(server)).collect();
    names.sort();
    format!("{kind}:{}", names.join(","))
}

fn name(server: &Server<'_>) -> String {
    match server.seen.and_then(|seen| seen.timeline) {
        Some(timeline) if server.writes() => format!("{}@{timeline}", server.probe.id),
        _ => server.probe.id.to_string(),
    }
}

/// `A database is a primary on timeline 14`.
fn standing(server: &Server<'_>) -> String {
    let title = &server.probe.title;
    let Some(seen) = server.seen else { return format!("{title} is down") };
    let timeline = seen.timeline.map_or_else(String::new, |timeline| format!(" on timeline {timeline}"));
    match seen.writes {
        true => format!("{title} accepts writes{timeline}"),
        false => format!("{title} accepts none{timeline}"),
    }
}

fn ids(servers: &[&Server<'_>]) -> Vec<ProbeId> {
    servers.iter().map(|server| server.probe.id.clone()).collect()
}

/// How an open contradiction looks now. What is not seen any more is not over: a server that does not answer may go
/// on accepting writes.
fn sight(model: &Model, open: &Open, found: &[Contradiction], databases: &[Database<'_>]) -> Sight {
    let known = &open.contradiction;
    if found.iter().any(|found| found.id == known.id) {
        return Sight::Is;
    }
    let is_next = |next: &&Contradiction| {
        next.kind == known.kind && next.servers.iter().any(|server| known.servers.contains(server))
    };
    if let Some(next) = found.iter().find(is_next) {
        return Sight::Over(format!("it changed: {}", next.what));
    }
    let is_meant = |server: &&Server<'_>| known.servers.contains(&server.probe.id);
    let servers: Vec<&Server<'_>> = databases.iter().flatten().filter(is_meant).collect();
    let shown = |writes: bool| servers.iter().find(|s| s.seen.is_some_and(|seen| seen.writes == writes));
    match known.kind {
        Kind::TwoPrimaries => {
            let may_write =
                servers.iter().filter(|server| server.seen.is_none_or(|seen| seen.writes)).count();
            match shown(false) {
                _ if may_write > 1 => Sight::Unseen,
                Some(idle) => Sight::Over(standing(idle)),
                None => Sight::Over("the plan does not watch both any more".into()),
            }
        }
        Kind::Undone => undone::sight(model, open),
        Kind::NobodyWrites => shown(true).map_or(Sight::Unseen, |server| Sight::Over(standing(server))),
    }
}
