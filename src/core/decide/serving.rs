//! Which server is the primary and which region serves: measured, and recorded by a person.

use super::required;
use crate::base::ids::RegionId;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{Contradiction, Kind, of};
use crate::core::ask::servers::{Database, Server, databases};
use crate::core::ask::{attested, placement, roles};
use crate::core::model::{Model, Status};
use crate::core::words::fact::Fact;
use crate::plan::Region;
use jiff::{SignedDuration, Timestamp};

/// Primaries that moved, by readings that lasted as long as the plan waits before it believes that something turned.
pub fn moved(model: &Model, now: Timestamp) -> Vec<Fact> {
    let databases = databases(model, now);
    let settled: Vec<(&Database<'_>, &Server<'_>)> = databases
        .iter()
        .filter(|database| roles::can_move(database))
        .filter_map(|database| Some((database, settled(model, database, now)?)))
        .collect();
    let region = agreed(model, &settled).filter(|region| Some(*region) != model.serving());
    settled.iter().filter_map(|(database, writer)| fact(model, database, writer, region)).collect()
}

/// The primary of a database, once it was seen to be the only one for long enough.
fn settled<'d, 'a>(model: &Model, database: &'d Database<'a>, now: Timestamp) -> Option<&'d Server<'a>> {
    let writer = roles::writer(database)?;
    let since = writer.seen?.since;
    let is_split = of(model).iter().any(|open| {
        open.contradiction.kind == Kind::TwoPrimaries && open.contradiction.servers.contains(&writer.probe.id)
    });
    // Whoever moves to that region waits for exactly this.
    let patience = match writer.region().is_some_and(|region| model.leads_to(region)) {
        true => SignedDuration::ZERO,
        false => writer.patience(),
    };
    (!is_split && now.duration_since(since) >= patience).then_some(writer)
}

/// The region in which all databases that move with it have their primary. While a run moves it there, the run says
/// when it serves.
fn agreed<'a>(model: &Model, settled: &[(&Database<'a>, &Server<'a>)]) -> Option<&'a RegionId> {
    let mut regions = settled
        .iter()
        .filter(|(database, _)| roles::follows_region(model, database))
        .map(|(_, writer)| writer.region());
    let region = regions.next()??;
    let all = regions.all(|other| other == Some(region));
    // What was measured elsewhere before is not so any more.
    let is_recorded = model.durable.active.as_ref() == Some(region);
    (all && (is_recorded || !model.is_moving_to(region))).then_some(region)
}

fn fact(
    model: &Model,
    database: &Database<'_>,
    writer: &Server<'_>,
    region: Option<&RegionId>,
) -> Option<Fact> {
    let is_known = |server: &&Server<'_>| model.durable.primaries.contains(&server.probe.id);
    let normal = |server: &&Server<'_>| server.probe.params.text("role") == Some("primary");
    let before = database.iter().find(is_known).or_else(|| database.iter().find(normal));
    let serves =
        region.filter(|region| writer.region() == Some(*region) && roles::follows_region(model, database));
    let is_other = before.is_some_and(|before| !before.is(writer));
    (is_other || serves.is_some()).then(|| Fact::PrimaryMeasured {
        probe: writer.probe.id.clone(),
        before: before.filter(|_| is_other).map(|before| before.probe.id.clone()),
        timeline: writer.seen.and_then(|seen| seen.timeline),
        serves: serves.cloned(),
    })
}

/// Records that a region serves: what was done outside of lifeboat. It must not be what the world denies.
pub fn record(model: &Model, now: Timestamp, region: &RegionId, reason: &str) -> Result<Vec<Fact>, Problem> {
    if let Some(refusal) = refusal(model, &databases(model, now), region) {
        return Err(refusal);
    }
    let reason = required(reason, "the reason")?;
    Ok(vec![Fact::ServingRecorded { region: region.clone(), reason }])
}

/// A region that a person may record to serve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub region: RegionId,
    /// Its name, and what the readings say against it.
    pub sentence: String,
    /// Some reading stands against it, or it is recorded already.
    pub is_doubtful: bool,
}

/// The regions that may be recorded to serve: all that no reading denies, also where only a person can know.
pub fn choices(model: &Model, now: Timestamp) -> Vec<Choice> {
    let databases = databases(model, now);
    let allowed = model.plan.regions.iter().filter(|(id, _)| refusal(model, &databases, id).is_none());
    let choice = |(id, region): (&RegionId, &Region)| {
        let mut against = against(model, &databases, id);
        if model.durable.regions.get(id).is_some_and(|standing| standing.status == Status::Down) {
            against.insert(0, "its probes read DOWN".into());
        }
        if model.durable.active.as_ref() == Some(id) {
            against.insert(0, "recorded to serve now".into());
            against.splice(1..1, placement::sentences(model));
        }
        let said = if against.is_empty() { String::new() } else { format!(": {}", against.join(", ")) };
        let sentence = format!("{}{said}", region.name);
        Choice { region: id.clone(), sentence, is_doubtful: !against.is_empty() }
    };
    allowed.map(choice).collect()
}

/// What stands against a region: its servers that should accept writes and are not seen to.
fn against(model: &Model, databases: &[Database<'_>], region: &RegionId) -> Vec<String> {
    let moves =
        |database: &&Database<'_>| roles::can_move(database) && roles::follows_region(model, database);
    let servers = databases.iter().filter(moves).flatten();
    let here = servers.filter(|server| server.region() == Some(region) && !server.writes());
    let said = |server: &Server<'_>| {
        let does = if server.seen.is_some() { "accepts no writes" } else { "is not seen" };
        format!("{} {does}", server.probe.title)
    };
    here.map(said).collect()
}

/// Two primaries of a database that moves with the region that serves.
fn unanswered_split<'m>(model: &'m Model, databases: &[Database<'_>]) -> Option<&'m Contradiction> {
    let moves = databases.iter().filter(|database| roles::follows_region(model, database)).flatten();
    let servers: Vec<_> = moves.map(|server| &server.probe.id).collect();
    let open = of(model).iter().filter(|open| open.answered.is_none()).map(|open| &open.contradiction);
    open.filter(|open| open.kind == Kind::TwoPrimaries)
        .find(|open| open.servers.iter().any(|server| servers.contains(&server)))
}

/// Why a region cannot be recorded to serve; none where a person may.
fn refusal(model: &Model, databases: &[Database<'_>], region: &RegionId) -> Option<Problem> {
    if !model.plan.regions.contains_key(region) {
        let why = format!("the plan has no region {region}");
        return Some(Problem::new(why, "Name one of the plan's regions."));
    }
    let writers: Vec<&Server<'_>> = databases
        .iter()
        .filter(|database| roles::can_move(database) && roles::follows_region(model, database))
        .filter_map(roles::writer)
        .collect();
    if let Some(split) = unanswered_split(model, databases) {
        let next = format!("{} What serves is measured once one is left.", split.next);
        return Some(Problem::new(split.what.clone(), next));
    }
    // A person's word brings home what steps moved, and ends what a word that nothing proved left open.
    let is_recorded = model.durable.active.as_ref() == Some(region)
        && model.durable.measured.is_none()
        && !attested::is_any(model)
        && placement::other_regions(model).is_empty();
    let nobody_writes = of(model).iter().any(|open| open.contradiction.kind == Kind::NobodyWrites);
    if is_recorded && !nobody_writes {
        let why = format!("{region} is recorded to serve already");
        return Some(Problem::new(why, "There is nothing to record."));
    }
    let is_asked = attested::is_any(model) || model.durable.measured.as_ref() == Some(region);
    if model.told_by_run() == Some(region) && !is_asked {
        let next = "It says itself when the region serves: end its steps, or abort it first.";
        return Some(Problem::new(format!("a run that moves to {region} is under way"), next));
    }
    let writer = writers.into_iter().find(|writer| writer.region() != Some(region))?;
    let place = writer.region().map_or("no region", |region| region.as_str());
    Some(Problem::new(
        format!("{} in {place} accepts writes: {region} does not serve", writer.probe.title),
        "Move the database first; what is measured decides.",
    ))
}
