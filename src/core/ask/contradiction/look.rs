//! Finding contradictions in what was measured.

use super::belied::belied;
use super::remedy::must_not_serve;
use super::{Blocked, Contradiction, Kind, Open, Sight};
use super::{moving, undone};
use crate::base::ids::{ProbeId, RegionId};
use crate::core::ask::fencing::{Fenced, fenced, is_done_again, is_process, raised};
use crate::core::ask::servers::{Database, Server, databases};
use crate::core::ask::{in_force, roles};
use crate::core::model::Model;
use crate::core::words::status::StepStatus;
use crate::plan::{Severity, Step};
use jiff::{SignedDuration, Timestamp};

/// What cannot be right now, and how each open contradiction looks.
pub fn look(model: &Model, now: Timestamp) -> (Vec<Contradiction>, Vec<Sight>) {
    let databases = databases(model, now);
    let found: Vec<Contradiction> = databases
        .iter()
        .flat_map(|database| {
            let split = two_primaries(model, database);
            let fenced =
                database.iter().find_map(|server| fenced_writes(model, database, server, split.as_ref()));
            [split, nobody_writes(model, database, now), elsewhere(model, database, now), fenced]
        })
        .flatten()
        .chain(belied(model, &databases, now))
        .chain(undone::undone(model, &databases))
        .chain(primary_alive(model, &databases))
        .collect();
    let open = &model.durable.contradictions;
    let sights = open.iter().map(|open| sight(model, open, &found, &databases)).collect();
    (found, sights)
}

/// Two servers that accepted writes at the same time, by readings of each before and after one of the other.
fn two_primaries(model: &Model, database: &Database<'_>) -> Option<Contradiction> {
    let mut writing: Vec<&Server<'_>> = database.iter().filter(|server| server.writes()).collect();
    // A server is told by the probe whose place it is.
    writing.sort_by_key(|server| server.strays);
    let both = |one: &Server<'_>, other: &Server<'_>| {
        let seen = one.seen.zip(other.seen);
        let is_known = one.probe.database.is_some() || one.seen.is_some_and(|seen| seen.database.is_some());
        !one.is(other) && is_known && seen.is_some_and(|(one, other)| one.at_once(other))
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
    let to_fence = must_not_serve(model, &servers, |server| is_recorded_to_serve(model, server));
    Some(Contradiction {
        id: instance("two-primaries", &servers),
        kind: Kind::TwoPrimaries,
        servers: ids(&servers),
        severity: Severity::P0,
        what: match servers.iter().any(|server| server.is_untold()) {
            true => format!("SPLIT BRAIN: {} are primaries, and may both accept writes", names.join(" and ")),
            false => format!("SPLIT BRAIN: {} accept writes", names.join(" and ")),
        },
        why: format!(
            "{}; one database, and what is written to either is missing on the other",
            servers.iter().map(|server| standing(server)).collect::<Vec<_>>().join("; ")
        ),
        to_fence: to_fence.map(|server| server.probe.id.clone()),
        is_last: false,
        serves: None,
        next: match to_fence {
            Some(server) => format!("Fence {}, and see that it is fenced.", server.probe.title),
            None => format!(
                "Fence the one of {} that must not serve, and see that it is fenced.",
                names.join(" and ")
            ),
        },
        blocks: vec![Blocked::Promote, Blocked::Resolve, Blocked::Close],
    })
}

/// A server that a step fenced accepts writes, by a reading that began after the fence; a move that was recorded since
/// says that it may. A split brain that was found after the fence says it already.
fn fenced_writes(
    model: &Model,
    database: &Database<'_>,
    server: &Server<'_>,
    split: Option<&Contradiction>,
) -> Option<Contradiction> {
    let seen = server.seen.filter(|_| server.writes())?;
    let fence = raised(model, &server.probe.id)?;
    let is_after = seen.last.duration_since(fence.at) > server.probe.timeout;
    let is_new = |split: &Contradiction| {
        split.servers.contains(&server.probe.id)
            && model.durable.contradictions.iter().all(|open| open.contradiction.id != split.id)
    };
    let is_told = split.is_some_and(is_new) || is_split_since(model, server, fence.at);
    let is_another = leads_elsewhere(model, database, server, &fence);
    if !is_after || is_recorded_to_serve(model, server) || is_told || is_another {
        return None;
    }
    let title = &server.probe.title;
    let how = if fence.proven { "was proven" } else { "was attested" };
    let is_last = is_last(database, server);
    let next = if is_last {
        format!(
            "{title} is the only one that is seen to accept writes: DO NOT FENCE IT before another one serves. If it is \
             meant to serve, record that it does; or answer with why it may accept writes."
        )
    } else {
        format!("Fence {title} again, and see that it stays so; or answer with why it may accept writes.")
    };
    Some(Contradiction {
        id: format!("fenced-writes:{}/{},{}", fence.run, fence.step, name_of(server)),
        kind: Kind::FencedWrites,
        servers: ids(&[server]),
        severity: Severity::P0,
        what: match server.is_untold() {
            true => format!("{title} is a primary and may accept writes although it was fenced"),
            false => format!("{title} accepts writes although it was fenced"),
        },
        why: format!("the step \"{}\" {how}; {}", fence.title, standing(server)),
        next,
        to_fence: Some(server.probe.id.clone()).filter(|_| !is_last),
        is_last,
        serves: None,
        blocks: vec![Blocked::Promote, Blocked::Resolve, Blocked::Close],
    })
}

/// Whether no other server of its database is seen to accept writes: to fence this one, whatever it is, is an outage.
pub(super) fn is_last(database: &Database<'_>, server: &Server<'_>) -> bool {
    database.iter().all(|other| other.is(server) || !other.writes())
}

/// Whether who answers a probe is not the server that was fenced there, but one that took its place: its name moved to
/// the region that serves, or to the server that was promoted since.
fn leads_elsewhere(model: &Model, database: &Database<'_>, server: &Server<'_>, fence: &Fenced) -> bool {
    let runs =
        || model.durable.closed.iter().chain(&model.durable.incident).flat_map(|incident| &incident.runs);
    let promoted_since = |other: &Server<'_>| {
        runs().filter_map(|run| Some((run, model.plan.runbooks.get(&run.runbook)?))).any(|(run, runbook)| {
            let promoted = |step: &&Step| step.promotes() && step.unfences.contains(&other.probe.id);
            runbook.steps.values().filter(promoted).filter_map(|step| run.steps.get(&step.id)).any(|state| {
                let settled = matches!(state.status, StepStatus::Verified | StepStatus::Attested);
                settled && state.ended_at.is_some_and(|at| at >= fence.at)
            })
        })
    };
    let is_promoted = |other: &Server<'_>| {
        !other.has_its_address(server) && other.is(server) && raised(model, &other.probe.id).is_none()
    };
    if server.seen.is_some_and(|seen| is_process(model, fence, &seen.server)) {
        return false;
    }
    let strays = server.strays && database.iter().filter(|other| !other.strays).any(is_promoted);
    strays || database.iter().any(|other| is_promoted(other) && promoted_since(other))
}

fn is_replaced(model: &Model, databases: &[Database<'_>], server: &Server<'_>) -> bool {
    let its = databases.iter().find(|database| database.iter().any(|of| of.probe.id == server.probe.id));
    let fence = raised(model, &server.probe.id);
    its.zip(fence).is_some_and(|(database, fence)| leads_elsewhere(model, database, server, &fence))
}

/// A move to the server's region was recorded after the server was fenced.
fn is_recorded_to_serve(model: &Model, server: &Server<'_>) -> bool {
    let fence = raised(model, &server.probe.id);
    let moved = model.durable.last_failover();
    fence.is_none_or(|fence| moved.is_some_and(|at| at > fence.at))
        && server.region() == model.durable.active.as_ref()
}

/// A promotion is ready, and another server of its database accepts writes: it would make a second primary.
fn primary_alive(model: &Model, databases: &[Database<'_>]) -> Option<Contradiction> {
    let run = model.durable.incident.as_ref()?.open_run()?;
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let is_next = |step: &&Step| {
        let status = run.steps.get(&step.id).map(|state| state.status);
        step.promotes() && matches!(status, Some(StepStatus::Ready | StepStatus::Confirming))
    };
    let step = runbook.steps.values().find(is_next)?;
    let is_target = |server: &Server<'_>| {
        let dsn = step.params.get("dsn");
        dsn.is_some() && server.probe.params.get("dsn") == dsn
    };
    let is_there = |server: &Server<'_>| server.region() == runbook.activates.as_ref();
    let of_target = databases.iter().find(|database| database.iter().any(is_target));
    let database = of_target.or_else(|| databases.iter().find(|database| database.iter().any(is_there)))?;
    let targets: Vec<&Server<'_>> = match of_target {
        Some(database) => database.iter().filter(|server| is_target(server)).collect(),
        None => database.iter().filter(|server| is_there(server)).collect(),
    };
    let replaced = |server: &&Server<'_>| server.writes() && targets.iter().all(|target| !target.is(server));
    let alive = database.iter().find(replaced).filter(|alive| !is_split(model, alive))?;
    Some(Contradiction {
        id: format!("primary-alive:{}/{},{}", run.id, step.id, name_of(alive)),
        kind: Kind::PrimaryAlive,
        servers: ids(&[alive]),
        severity: Severity::P3,
        what: match alive.is_untold() {
            true => format!(
                "{} is a primary and may still accept writes: to promote now may make two primaries",
                alive.probe.title
            ),
            false => {
                format!("{} still accepts writes: to promote now makes two primaries", alive.probe.title)
            }
        },
        why: standing(alive),
        next: format!("Fence {} first, and see that it is fenced.", alive.probe.title),
        to_fence: Some(alive.probe.id.clone()),
        is_last: false,
        serves: None,
        blocks: vec![Blocked::Promote],
    })
}

/// How long at least nobody may accept writes before somebody is woken: a switchover takes some seconds.
const SWITCHOVER: SignedDuration = SignedDuration::from_secs(15);

/// Whether no server of a database accepts writes at this moment, also for as long as that is no trouble yet.
pub fn is_without_writer(model: &Model, now: Timestamp) -> bool {
    databases(model, now).iter().any(|database| without_writer_since(database).is_some())
}

/// Since when no server of a database accepts writes; none where one does, or may.
fn without_writer_since(database: &Database<'_>) -> Option<Timestamp> {
    let since = database.iter().map(Server::idle_since).collect::<Option<Vec<Timestamp>>>()?;
    let is_seen = database.iter().any(|server| server.seen.is_some());
    since.into_iter().max().filter(|_| is_seen && roles::can_move(database))
}

/// No server of a database accepts writes, and all of them are known: some are standbys or read-only, the others down.
/// It is a warning at once, and trouble when it lasts for longer than a switchover and two looks at each server. One
/// alone that is down is what the plan's rules are for.
fn nobody_writes(model: &Model, database: &Database<'_>, now: Timestamp) -> Option<Contradiction> {
    let since = without_writer_since(database)?.max(moving::moved_at(model, database, now));
    if moving::is_being_moved(model, database, now) {
        return None;
    }
    let servers: Vec<&Server<'_>> = database.iter().collect();
    let patience = |server: &Server<'_>| server.patience().max(server.probe.every * 2).max(SWITCHOVER);
    let lasts = now.duration_since(since) >= database.iter().map(patience).max()?;
    let lasted = model.durable.contradictions.iter().map(|open| &open.contradiction).any(|known| {
        known.kind == Kind::NobodyWrites && known.is_grave() && known.servers.contains(&servers[0].probe.id)
    });
    let names: Vec<&str> = servers.iter().map(|server| &*server.probe.title).collect();
    let silent = servers.iter().any(|server| server.seen.is_none());
    let read_only = servers.iter().find(|server| server.seen.is_some_and(|seen| seen.is_primary));
    let (kind, severity, yet) = match lasts || lasted {
        true => ("nobody-writes", Severity::P0, ""),
        false => ("nobody-writes-yet", Severity::P3, " (just now: a switchover, or an outage)"),
    };
    Some(Contradiction {
        id: instance(kind, &servers),
        kind: Kind::NobodyWrites,
        servers: ids(&servers),
        severity,
        what: match silent {
            false => format!("NOBODY ACCEPTS WRITES: none of {} does{yet}", names.join(", ")),
            true => format!("NOBODY IS SEEN TO ACCEPT WRITES: none of {} does{yet}", names.join(", ")),
        },
        why: servers.iter().map(|server| standing(server)).collect::<Vec<_>>().join("; "),
        next: match (read_only, silent) {
            (Some(primary), _) if let Some(fence) = replaced(model, primary) => format!(
                "{} was fenced by \"{}\", and another server was promoted since: leave it fenced. See whether the \
                 promoted one takes writes; a `postgres` probe on it would tell.",
                primary.probe.title, fence.title
            ),
            (Some(primary), _) if let Some(undo) = undo_of(model, primary) => format!(
                "{} is the primary, and the fence around it makes this outage: nothing was promoted. To let it write again: \
                 {undo}.",
                primary.probe.title
            ),
            (Some(primary), _) => format!(
                "{} is a primary and read-only: let it write again, unless it was fenced on purpose.",
                primary.probe.title
            ),
            (None, false) => "Find out which server holds the newest data, and make it the primary.".into(),
            (None, true) => {
                "One that does not answer may accept writes all the same: fence it, then make the one \
                             with the newest data the primary."
                    .into()
            }
        },
        blocks: vec![Blocked::Resolve],
        to_fence: None,
        is_last: false,
        serves: None,
    })
}

/// How the fence around a server is taken back, that a run which ended left behind; none where there is none.
fn undo_of(model: &Model, server: &Server<'_>) -> Option<String> {
    let fences =
        in_force::left_behind(model).into_iter().filter(|left| left.is_fence && !left.guards_failover);
    let mut around = fences.filter(|left| left.fences.contains(&server.probe.id));
    around.next().map(|left| left.undo_words())
}

/// The fence of a server that another one was promoted in the place of, or may have been: to lift it makes two primaries.
fn replaced(model: &Model, server: &Server<'_>) -> Option<Fenced> {
    let fence = raised(model, &server.probe.id)?;
    let runs = model.durable.incident.iter().flat_map(|incident| &incident.runs);
    let mut begun = runs.flat_map(|run| run.promotions(&model.plan)).filter_map(|state| match state.status {
        StepStatus::Verified | StepStatus::Finished | StepStatus::Unknown | StepStatus::Started => {
            state.started_at
        }
        StepStatus::Attested => state.ended_at,
        _ => None,
    });
    let moved = model.durable.last_failover().is_some_and(|at| at > fence.at);
    (moved || begun.any(|at| at >= fence.at)).then_some(fence)
}

/// The primary is in another region than the one that is recorded to serve.
fn elsewhere(model: &Model, database: &Database<'_>, now: Timestamp) -> Option<Contradiction> {
    let writer = roles::writer(database)?;
    let (region, active) = (writer.region()?, model.durable.active.as_ref()?);
    let lasts = now.duration_since(writer.seen?.since);
    let is_there = database.iter().any(|server| server.region() == Some(active));
    let moves = roles::can_move(database) && roles::follows_region(model, database);
    if is_split(model, writer)
        || region == active
        || !is_there
        || !moves
        || (lasts < writer.patience() && !model.leads_to(region))
        || model.is_moving_to(region)
    {
        return None;
    }
    let servers: Vec<&Server<'_>> = database.iter().collect();
    let by = match promoted_by_run(model, region) {
        Some(true) if model.leads_to(region) => "promoted by the run that is under way",
        Some(true) => "promoted by a run that did not go on to the end",
        Some(false) => "and a run that did not go on to the end may have promoted it",
        None => "not by lifeboat",
    };
    let name =
        |id: &RegionId| model.plan.regions.get(id).map_or(id.to_string(), |region| region.name.clone());
    Some(Contradiction {
        id: format!("serves-elsewhere:{region},{}", name_of(writer)),
        kind: Kind::ServesElsewhere,
        servers: ids(&servers),
        severity: Severity::P2,
        what: format!(
            "{} is recorded to serve, and {} in {} is the primary, {by}",
            name(active),
            writer.probe.title,
            name(region)
        ),
        why: servers.iter().map(|server| standing(server)).collect::<Vec<_>>().join("; "),
        next: format!("Record that {} serves, with the reason; or move the database back.", name(region)),
        blocks: Vec::new(),
        to_fence: None,
        is_last: false,
        serves: Some(region.clone()),
    })
}

/// Whether a run of the open incident that leads to a region promoted there, or may have (false); none where none did.
fn promoted_by_run(model: &Model, region: &RegionId) -> Option<bool> {
    let runs = model.durable.incident.iter().flat_map(|incident| &incident.runs);
    let there = runs.filter(|run| {
        let runbook = model.plan.runbooks.get(&run.runbook);
        runbook.is_some_and(|runbook| runbook.activates.as_ref() == Some(region))
    });
    let promotions = there.flat_map(|run| run.promotions(&model.plan));
    let acted = promotions.filter(|state| state.may_have_acted || state.status.may_have_acted());
    acted.map(|state| state.status == StepStatus::Verified).max()
}

/// An open split brain says more of this server already.
fn is_split(model: &Model, server: &Server<'_>) -> bool {
    is_split_since(model, server, Timestamp::MIN)
}

/// A split brain with this server was found after a moment.
fn is_split_since(model: &Model, server: &Server<'_>, at: Timestamp) -> bool {
    model.durable.contradictions.iter().any(|open| {
        let known = &open.contradiction;
        known.kind == Kind::TwoPrimaries && known.servers.contains(&server.probe.id) && open.since > at
    })
}

/// `two-primaries:a-db@14,b-db@15`: another server or another timeline is another instance.
fn instance(kind: &str, servers: &[&Server<'_>]) -> String {
    let mut names: Vec<String> = servers.iter().map(|server| name_of(server)).collect();
    names.sort();
    format!("{kind}:{}", names.join(","))
}

fn name_of(server: &Server<'_>) -> String {
    match server.seen.and_then(|seen| seen.timeline) {
        Some(timeline) if server.writes() => format!("{}@{timeline}", server.probe.id),
        _ => server.probe.id.to_string(),
    }
}

/// `A database is a primary on timeline 14`.
fn standing(server: &Server<'_>) -> String {
    let title = &server.probe.title;
    let Some(seen) = server.seen else {
        return match server.full_at {
            Some(_) => format!("{title} lets nobody in and may accept the writes of those that are in"),
            None => format!("{title} does not answer"),
        };
    };
    let timeline = seen.timeline.map_or_else(String::new, |timeline| format!(" on timeline {timeline}"));
    match (seen.writes, seen.untold) {
        _ if server.fenced_unseen => {
            format!("{title} is a primary{timeline}, made read-only by its fence; its probe cannot tell")
        }
        (_, true) => {
            format!("{title} is a primary{timeline}, and its probe cannot tell whether it accepts writes")
        }
        (true, false) => format!("{title} accepts writes{timeline}"),
        (false, false) => format!("{title} accepts none{timeline}"),
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
    let shown =
        |writes: bool| servers.iter().find(|server| server.seen.is_some() && server.writes() == writes);
    match known.kind {
        Kind::TwoPrimaries => {
            // What a step fenced since is not seen to accept writes, and does not.
            let is_fenced = |server: &Server<'_>| {
                server.seen.is_none() && fenced(model, &server.probe.id).is_some_and(|at| at.at > open.since)
            };
            let may_write = servers
                .iter()
                .filter(|server| (server.seen.is_none() || server.writes()) && !is_fenced(server))
                .count();
            match shown(false) {
                _ if may_write > 1 => Sight::Unseen,
                Some(idle) => Sight::Over(standing(idle)),
                None => Sight::Over("one was fenced, or the plan does not watch both any more".into()),
            }
        }
        Kind::Undone => undone::sight(model, open),
        Kind::ServesElsewhere => match servers.iter().find(|server| server.writes()) {
            Some(writer) if writer.region() == model.durable.active.as_ref() => Sight::Over(standing(writer)),
            Some(writer) if writer.region().is_some_and(|region| model.is_moving_to(region)) => {
                Sight::Over("the run says when it serves".into())
            }
            Some(_) => Sight::Unseen,
            None if known.serves.is_some() && known.serves == model.durable.active => {
                Sight::Over("it is recorded to serve".into())
            }
            None => {
                let its = servers.iter().find(|server| server.region() == known.serves.as_ref());
                its.filter(|server| server.seen.is_some())
                    .map_or(Sight::Unseen, |server| Sight::Over(standing(server)))
            }
        },
        Kind::FencedWrites if servers.iter().any(|server| is_done_again(model, &server.probe.id)) => {
            shown(false).map_or(Sight::Unseen, |server| Sight::Over(standing(server)))
        }
        // Who was fenced anew since, and is not seen, is not seen to write.
        Kind::FencedWrites
            if !servers.is_empty()
                && servers.iter().all(|server| {
                    let anew = raised(model, &server.probe.id).is_some_and(|fence| fence.at >= open.since);
                    server.seen.is_none() && anew
                }) =>
        {
            Sight::Over("it was fenced again".into())
        }
        Kind::FencedWrites if servers.iter().all(|server| raised(model, &server.probe.id).is_none()) => {
            Sight::Over("a step lets it accept writes again".into())
        }
        Kind::FencedWrites if servers.iter().any(|server| is_recorded_to_serve(model, server)) => {
            Sight::Over("it is recorded to serve".into())
        }
        Kind::FencedWrites if servers.iter().any(|server| is_split_since(model, server, open.since)) => {
            Sight::Over("two servers accept writes".into())
        }
        // The server that was fenced is seen by nobody; who answers in its place may write.
        Kind::FencedWrites if servers.iter().any(|server| is_replaced(model, databases, server)) => {
            Sight::Over("its address leads to the server that serves".into())
        }
        Kind::FencedWrites => shown(false).map_or(Sight::Unseen, |server| Sight::Over(standing(server))),
        Kind::PrimaryAlive => match shown(false) {
            Some(idle) => Sight::Over(standing(idle)),
            None if servers.iter().any(|server| server.writes()) => {
                Sight::Over("no promotion is ready any more, or two accept writes".into())
            }
            None => Sight::Over("it is not seen to accept writes any more".into()),
        },
        Kind::NobodyWrites => shown(true).map_or(Sight::Unseen, |server| Sight::Over(standing(server))),
    }
}
