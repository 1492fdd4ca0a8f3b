//! What a step made of a server is not so any more, and it was not lifeboat.

use super::look::is_last;
use super::{Blocked, Contradiction, Kind, Open, Sight};
use crate::base::ids::{ProbeId, RunId, StepId};
use crate::core::ask::servers::Database;
use crate::core::ask::watch::{self, Changed, Found};
use crate::core::model::Model;
use crate::plan::Severity;

/// What was taken back, of all that is watched. A server that is out of sight is what its probes are for.
pub(super) fn undone(model: &Model, databases: &[Database<'_>]) -> Vec<Contradiction> {
    let known = watch::changed(model).into_iter().filter(|changed| changed.is.is_known());
    known.map(|changed| contradiction(model, databases, &changed)).collect()
}

fn contradiction(model: &Model, databases: &[Database<'_>], changed: &Changed<'_>) -> Contradiction {
    let servers = probes(model, changed);
    let is_back = *changed.made == Found::Stopped;
    let is_last = is_back
        && databases.iter().any(|database| {
            let its = database.iter().find(|server| servers.contains(&server.probe.id));
            its.is_some_and(|server| server.writes() && is_last(database, server))
        });
    let anew = matches!(changed.is, Found::Primary { writable: true, .. });
    let again = anew && *changed.made != Found::Stopped;
    Contradiction {
        id: id(changed),
        kind: Kind::Undone,
        servers,
        severity: if again { Severity::P1 } else { Severity::P0 },
        what: changed.what(),
        why: changed.why(),
        next: match is_last {
            true => format!(
                "{} is the only one that is seen to accept writes: DO NOT FENCE IT before another one serves. Answer \
                 with why it may serve.",
                changed.target
            ),
            false => changed.next().into(),
        },
        blocks: vec![Blocked::Resolve, Blocked::Close],
        to_fence: None,
        is_last,
        serves: None,
    }
}

/// `undone:INC-1/1/promote@20261128T190233`: another change is another instance.
fn id(changed: &Changed<'_>) -> String {
    format!("{}{}", prefix(changed.run, changed.step), changed.since.strftime("%Y%m%dT%H%M%S"))
}

/// What the names of all changes of one step's server begin with.
pub(super) fn prefix(run: &RunId, step: &StepId) -> String {
    format!("undone:{run}/{step}@")
}

/// The probes that watch the server which the step changed.
fn probes(model: &Model, changed: &Changed<'_>) -> Vec<ProbeId> {
    let step = model.step(changed.run, changed.step).map(|(step, _)| step);
    let Some(dsn) = step.and_then(|step| step.params.get("dsn")) else { return Vec::new() };
    let same = model.plan.probes.values().filter(|spec| spec.params.get("dsn") == Some(dsn));
    same.map(|spec| spec.id.clone()).collect()
}

/// How an open one looks that is not found any more.
pub(super) fn sight(model: &Model, open: &Open) -> Sight {
    let changes = watch::changed(model);
    let same =
        changes.iter().find(|changed| open.contradiction.id.starts_with(&prefix(changed.run, changed.step)));
    match same {
        Some(changed) if !changed.is.is_known() => Sight::Unseen,
        Some(changed) => Sight::Over(format!("it changed again: {}", changed.what())),
        None if model.durable.incident.is_none() => Sight::Over("its incident is closed".into()),
        None => Sight::Over("the server is what the step made of it, or a later step changed it".into()),
    }
}
