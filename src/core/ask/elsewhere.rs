//! A step that is to stop one server, and whose address leads to another one by now: the one that accepts writes.

use crate::core::ask::servers::{Server, databases};
use crate::core::model::Model;
use crate::core::words::action::{Failure, STARTED_AT, SYSTEM_IDENTIFIER, Target};
use crate::plan::Step;
use jiff::Timestamp;

/// Why a fence must not run: who answers at its address is told by a probe of another server, and accepts writes. None
/// where it is the server that the plan means, or nobody can tell.
pub fn refusal(model: &Model, step: &Step, target: &Target, now: Timestamp) -> Option<Failure> {
    if !step.is_fence() || step.fences.is_empty() {
        return None;
    }
    let (system, started) = (target.property(SYSTEM_IDENTIFIER)?, target.property(STARTED_AT)?);
    let databases = databases(model, now);
    let servers: Vec<&Server<'_>> = databases.iter().flatten().collect();
    let is_meant = |server: &Server<'_>| step.fences.contains(&server.probe.id);
    let meant: Vec<&Server<'_>> = servers.iter().copied().filter(|server| is_meant(server)).collect();
    let answers = |server: &Server<'_>| {
        let seen = server.seen.filter(|_| server.writes());
        seen.is_some_and(|seen| seen.server == started && seen.database.as_deref() == Some(system))
    };
    // One address with two probes is one server, whichever of them the plan names.
    let is_another =
        |server: &Server<'_>| !is_meant(server) && meant.iter().all(|own| !own.has_its_address(server));
    let found = servers.into_iter().find(|server| answers(server) && is_another(server))?;
    let title = &found.probe.title;
    Some(Failure::not_done(
        format!("fencing {}", target.name),
        format!("its address leads to {title} now, which accepts writes: this would stop THOSE"),
        format!(
            "Find the server that is to be fenced by an address of its own, and fence it there by hand. Where {title} is \
             to be fenced, a step whose `fences` names it does that."
        ),
    ))
}
