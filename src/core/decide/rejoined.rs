//! Fences that are gone although no step lifted them: their server was rebuilt, and follows the one that serves.

use crate::base::ids::ProbeId;
use crate::core::ask::fencing::raised;
use crate::core::ask::in_force::{self, InForce, Known};
use crate::core::ask::roles;
use crate::core::ask::servers::{Database, Server, databases};
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::core::words::reading::Field;
use crate::plan::ProbeSpec;
use crate::plan::kinds::Sees;
use jiff::Timestamp;

/// The fences that no server has around it any more. A fence that is believed for longer than it stands makes the next
/// failover wrong: its server would be called fenced, and told to be fenced anew once it is the primary.
pub fn lifted(model: &Model, now: Timestamp) -> Vec<Fact> {
    let fences = in_force::of(model).into_iter().filter(|left| left.is_fence && !left.fences.is_empty());
    let mut certain = fences.filter(|left| matches!(left.how, Known::Verified | Known::Attested)).peekable();
    if certain.peek().is_none() {
        return Vec::new();
    }
    let databases = databases(model, now);
    certain.filter_map(|left| rebuilt(model, &databases, left, now)).collect()
}

fn rebuilt(model: &Model, databases: &[Database<'_>], left: InForce, now: Timestamp) -> Option<Fact> {
    let mut followed = Vec::new();
    let (mut fenced, mut others): (Vec<&ProbeSpec>, Vec<&ProbeSpec>) = (Vec::new(), Vec::new());
    for probe in &left.fences {
        let spec = model.plan.probes.get(probe)?;
        let place = |server: &&Server<'_>| server.probe.id == *probe;
        match databases.iter().find_map(|database| Some((database, database.iter().find(place)?))) {
            Some((database, server)) => {
                fenced.push(spec);
                followed.push(follows(model, database, server, now)?);
            }
            None => others.push(spec),
        }
    }
    if fenced.is_empty() || !others.iter().all(|other| fenced.iter().any(|server| watches_too(other, server)))
    {
        return None;
    }
    let how = format!("rebuilt without the fence: {}", followed.join("; "));
    Some(Fact::StepUndone { run: left.run, step: left.step, how, stays: false })
}

/// Whether a probe that tells no role of a server watches a server that another one tells the role of: a lag that is
/// measured against it, or what else answers in its region.
fn watches_too(other: &ProbeSpec, server: &ProbeSpec) -> bool {
    let (measured_against, dsn) = (other.params.get("primary"), server.params.get("dsn"));
    match other.sees {
        Sees::Standby => measured_against.is_some() && measured_against == dsn,
        _ => other.region.is_some() && other.region == server.region,
    }
}

/// That a server follows another one without its fence, in words; none where it does not, or nobody can tell.
fn follows(model: &Model, database: &Database<'_>, server: &Server<'_>, now: Timestamp) -> Option<String> {
    let fence = raised(model, &server.probe.id)?;
    let writer = roles::writer(database).filter(|writer| !writer.is(server))?;
    let seen = server.seen.filter(|seen| !seen.is_primary && seen.since > fence.at)?;
    let lasts = now.duration_since(seen.since) >= server.patience();
    // A standby that was not rewound stays on the timeline that it wrote itself.
    let apart =
        seen.timeline.zip(writer.seen.and_then(|seen| seen.timeline)).is_some_and(|(own, of)| own != of);
    let is_free = lasts && !apart && takes_writes_once_promoted(model, &server.probe.id);
    is_free.then(|| format!("{} is a standby, and {} serves", server.probe.title, writer.probe.title))
}

/// Whether the last reading says that new transactions are not read-only by default.
fn takes_writes_once_promoted(model: &Model, probe: &ProbeId) -> bool {
    let measured = model.live.recent.get(probe).and_then(|recent| recent.measured()?.outcome.as_ref().ok());
    measured.is_some_and(|measured| measured.fields.get("read_only") == Some(&Field::Flag(false)))
}
