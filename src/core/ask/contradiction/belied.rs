//! A server that nobody can look into, and whose own commits show that it is not fenced: they reach its standby.

use super::{Blocked, Contradiction, Kind};
use crate::base::ids::ProbeId;
use crate::core::ask::fencing::raised_primary;
use crate::core::ask::loss_reading;
use crate::core::ask::servers::Database;
use crate::core::model::Model;
use crate::plan::kinds::Sees;
use crate::plan::{ProbeSpec, Severity};
use jiff::{SignedDuration, Timestamp};

/// How much later than the word of a fence a commit has to be: so long may its way to the standby be.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(5);

/// The fences that the commits of their servers deny, where nobody sees those.
pub(super) fn belied(model: &Model, databases: &[Database<'_>], now: Timestamp) -> Vec<Contradiction> {
    let lags = model.plan.probes.values().filter(|spec| spec.sees == Sees::Standby);
    // A clock that was set since the reading says nothing of when that commit came.
    let dated = lags.filter(|spec| !model.live.read_before_clock_set.contains(&spec.id));
    dated.filter_map(|spec| by_commits(model, databases, spec, now)).collect()
}

fn by_commits(
    model: &Model,
    databases: &[Database<'_>],
    spec: &ProbeSpec,
    now: Timestamp,
) -> Option<Contradiction> {
    let reversed = loss_reading::is_reversed(model, &spec.id);
    let fence = raised_primary(model, spec, reversed)?;
    let committed = match fence.proven {
        true => loss_reading::transactions_after(model, &spec.id)?,
        false => loss_reading::committed_after(model, &spec.id)?,
    };
    // A word that is ahead of the clock was given before the clock was set back.
    let said = Some(fence.at).filter(|at| *at <= now);
    let from = said.max(model.live.clock_set_at)?;
    if committed.duration_since(from) <= spec.timeout.max(ON_ITS_WAY) {
        return None;
    }
    let address = spec.params.get(if reversed { "dsn" } else { "primary" });
    let mut servers = databases.iter().flatten();
    let server = servers.find(|server| address.is_some() && server.probe.params.get("dsn") == address);
    // Where it is seen, its own reading says what it does.
    if server.is_some_and(|server| server.seen.is_some()) {
        return None;
    }
    let (probe, title): (&ProbeId, _) = match server {
        Some(server) => (&server.probe.id, server.probe.title.clone()),
        None => (&spec.id, format!("the primary of {}", spec.title)),
    };
    let (was, how) = if fence.proven { ("was", "verified") } else { ("is said to be", "attested") };
    Some(Contradiction {
        id: format!("fenced-writes:{}/{},{probe}", fence.run, fence.step),
        kind: Kind::FencedWrites,
        servers: vec![probe.clone()],
        severity: Severity::P0,
        what: format!("{title} GOES ON WRITING although it {was} fenced"),
        why: format!(
            "the step \"{}\" was {how} at {}, and {} received what it wrote at {} or later",
            fence.title,
            fence.at.strftime("%H:%M:%SZ"),
            spec.title,
            committed.strftime("%H:%M:%SZ")
        ),
        next: format!(
            "Fence {title} in earnest: switch it off or cut it off, and see that no further commit arrives. That nobody \
             can connect is no proof. Its own upkeep (autovacuum) commits on a server that is read-only too: then say so."
        ),
        blocks: vec![Blocked::Promote, Blocked::Resolve, Blocked::Close],
        to_fence: Some(probe.clone()),
        is_last: false,
        serves: None,
    })
}
