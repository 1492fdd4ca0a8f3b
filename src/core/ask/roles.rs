//! What each database server should be now. The plan names the roles of a normal day; they follow the primary, so that
//! a day after a failover is as green as one before.

use crate::base::ids::RegionId;
use crate::core::ask::servers::{Database, Seen, Server, databases, is_server};
use crate::core::model::Model;
use crate::core::words::reading::{Measurement, Verdict};
use crate::plan::ProbeSpec;
use jiff::Timestamp;

/// What a server should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It accepts writes.
    Primary,
    /// It follows the primary.
    Standby,
}

/// What the plan says that a server is on a normal day; none where it may be either.
fn of_plan(server: &Server<'_>) -> Option<Role> {
    match server.probe.params.text("role") {
        Some("primary") => Some(Role::Primary),
        Some("standby") => Some(Role::Standby),
        _ => None,
    }
}

/// Whether a database has servers enough, and one that may be a primary, to say anything of their roles.
pub fn can_move(database: &Database<'_>) -> bool {
    // Two addresses that the plan gives different roles are two servers, also while both lead to one of them.
    let is_other = |server: &Server<'_>| {
        let other_place = !server.has_its_address(&database[0]) && of_plan(server) != of_plan(&database[0]);
        !server.is(&database[0]) || server.strays != database[0].strays || other_place
    };
    let several = database.iter().any(is_other);
    several && database.iter().any(|server| of_plan(server) != Some(Role::Standby))
}

/// Whether a database's primary lives in the region that serves, so that both move together: the plan names its primary
/// in the primary region, or names none and has a server of it there.
pub fn follows_region(model: &Model, database: &Database<'_>) -> bool {
    let home = model.plan.primary().map(|(id, _)| id);
    let named = database.iter().find(|server| of_plan(server) == Some(Role::Primary));
    match named {
        Some(named) => named.region() == home,
        None => database.iter().any(|server| server.region() == home),
    }
}

/// The one server that accepts writes, by the probe whose place it is; none where none or several do.
pub fn writer<'d, 'a>(database: &'d Database<'a>) -> Option<&'d Server<'a>> {
    let writing = || database.iter().filter(|server| server.writes());
    let first = writing().min_by_key(|server| server.strays)?;
    writing().all(|other| other.is(first)).then_some(first)
}

/// What a server of a database should be now; none where it may be either.
pub fn expected(model: &Model, database: &Database<'_>, server: &Server<'_>) -> Option<Role> {
    let by_plan = of_plan(server);
    if !can_move(database) {
        return by_plan;
    }
    let serving = model.serving();
    let follows = follows_region(model, database);
    // On the way to another region its primary is right before anybody said that it serves.
    let is_right = |region: Option<&RegionId>| {
        !follows || region == serving || region.is_some_and(|region| model.leads_to(region))
    };
    if let Some(writer) = writer(database).filter(|writer| is_right(writer.region())) {
        return match writer.is(server) {
            true => Some(Role::Primary),
            false => by_plan.map(|_| Role::Standby),
        };
    }
    if !follows {
        return by_plan;
    }
    match server.region() == serving {
        true => Some(where_it_serves(model, database, server, serving)),
        false => {
            by_plan.map(|_| if is_moved(model) { Role::Standby } else { by_plan.unwrap_or(Role::Standby) })
        }
    }
}

/// What a probe's server should be now; none for what is no database server.
pub fn expected_of(model: &Model, spec: &ProbeSpec, now: Timestamp) -> Option<Role> {
    if !is_server(spec) {
        return None;
    }
    let databases = databases(model, now);
    databases.iter().find_map(|database| {
        let server = database.iter().find(|server| server.probe.id == spec.id)?;
        expected(model, database, server)
    })
}

fn is_moved(model: &Model) -> bool {
    model.plan.primary().map(|(id, _)| id) != model.serving()
}

/// In the region that serves somebody has to accept writes: everybody who may, as long as nobody is seen to.
fn where_it_serves(
    model: &Model,
    database: &Database<'_>,
    server: &Server<'_>,
    serving: Option<&RegionId>,
) -> Role {
    let mut beside = database.iter().filter(|other| other.region() == serving && !other.is(server));
    let other_may = beside.any(|other| of_plan(other) != Some(Role::Standby));
    match of_plan(server) {
        Some(Role::Standby) if other_may && !is_moved(model) => Role::Standby,
        _ => Role::Primary,
    }
}

/// Judges a measurement by the role that it shows.
pub fn judge(expected: Option<Role>, measured: &Measurement) -> Verdict {
    let Some(seen) = Seen::of(measured, Timestamp::UNIX_EPOCH) else { return Verdict::Good };
    let timeline = seen.timeline.map_or_else(String::new, |timeline| format!(" (timeline {timeline})"));
    match expected {
        Some(Role::Primary) if !seen.is_primary => {
            Verdict::Critical(format!("it is a standby, expected a primary{timeline}"))
        }
        Some(Role::Primary) if !seen.writes => {
            Verdict::Critical("a primary that takes no writes: it is read-only (fenced?)".into())
        }
        Some(Role::Standby) if seen.is_primary => {
            Verdict::Critical(format!("it is a primary, expected a standby{timeline}"))
        }
        _ => Verdict::Good,
    }
}
