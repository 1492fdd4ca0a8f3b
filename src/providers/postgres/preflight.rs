//! Two servers of one database that both accept writes: no runbook is the way back of the other then.

use crate::base::pool::Pool;
use crate::core::ask::servers::{NO_DATABASE, READ_ONLY_HIDDEN, Seen};
use crate::core::words::preflight::{Check, RegionChecks};
use crate::kinds::survey::{Conflict, Survey, Together};
use crate::plan::kinds::Sees;
use crate::plan::params::{Param, Params};
use crate::plan::{Plan, ProbeSpec};
use crate::providers::clients::Clients;
use crate::providers::postgres::client::ReadOnly;
use crate::providers::postgres::probe;
use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use std::time::Duration;

/// How long reading a server may take.
const LOOK: Duration = Duration::from_secs(5);
/// Under which heading it is told.
const HEADING: &str = "databases";
/// The name of the check.
const ONE_PRIMARY: &str = "one primary";

/// Servers of one database that accept writes at the same time.
#[derive(Debug)]
struct Split<'p> {
    what: String,
    next: String,
    dsns: Vec<&'p Param>,
}

/// A server that the plan names, by whatever.
struct Named<'p> {
    title: Option<&'p str>,
    params: &'p Params,
    key: &'static str,
}

/// One that accepts writes, or may.
struct Writing<'p> {
    title: String,
    dsn: &'p Param,
    seen: Seen,
    /// Why it cannot be told whether it does.
    hidden: Option<String>,
}

struct Servers(Clients);

/// The look at all servers that a plan names.
pub(super) fn survey(clients: &Clients) -> Box<dyn Survey> {
    Box::new(Servers(clients.clone()))
}

impl Survey for Servers {
    /// Each database of which more than one server accepts writes, by two looks at all servers: in a switchover one of
    /// them may be read just before and the other just after.
    fn together<'a>(&'a self, plan: &'a Plan, pool: &'a Pool) -> BoxFuture<'a, Together> {
        Box::pin(async move {
            let servers = named(plan);
            let writing = self.writing(&servers, pool).await;
            let untold: Vec<Check> = writing.iter().filter_map(untold).collect();
            let splits = match splits(writing).is_empty() {
                true => Vec::new(),
                false => splits(self.writing(&servers, pool).await),
            };
            Together { checks: checks(&splits, untold), conflicts: conflicts(plan, splits) }
        })
    }
}

impl Servers {
    async fn writing<'p>(&self, servers: &[Named<'p>], pool: &Pool) -> Vec<Writing<'p>> {
        let looks = servers.iter().map(async |server| {
            let dsn = server.params.get(server.key)?;
            let (params, key, clients) = (server.params.clone(), server.key, self.0.clone());
            // What does not answer is told where it is asked for by a step.
            let read = pool.within(LOOK, async move { probe::read(&params, key, &clients, LOOK).await.ok() });
            let (name, measured) = read.await.ok()??;
            let seen = Seen::of(&measured, Timestamp::now()).filter(|seen| seen.writes)?;
            let hidden = measured.text(READ_ONLY_HIDDEN).map(str::to_owned);
            Some(Writing { title: server.title.map_or(name, str::to_owned), dsn, seen, hidden })
        });
        join_all(looks).await.into_iter().flatten().collect()
    }
}

/// The servers that probes watch first: those have titles.
fn named(plan: &Plan) -> Vec<Named<'_>> {
    let compared = |spec: &&ProbeSpec| spec.database.as_deref() != Some(NO_DATABASE);
    let probes = || plan.probes.values().filter(compared);
    let watched = probes().filter(|spec| spec.sees == Sees::Server);
    let watched = watched.map(|spec| Named { title: Some(&spec.title), params: &spec.params, key: "dsn" });
    let replicated = probes().filter(|spec| spec.sees == Sees::Standby);
    let replicated = replicated
        .flat_map(|spec| ["dsn", "primary"].map(|key| Named { title: None, params: &spec.params, key }));
    let steps = plan.runbooks.values().flat_map(|book| book.steps.values());
    let steps = steps.filter(|step| step.server().is_some());
    let steps = steps.map(|step| Named { title: None, params: &step.params, key: "dsn" });
    let mut servers: Vec<Named<'_>> = Vec::new();
    for server in watched.chain(replicated).chain(steps) {
        let dsn = server.params.get(server.key);
        if dsn.is_some() && servers.iter().all(|known| known.params.get(known.key) != dsn) {
            servers.push(server);
        }
    }
    servers
}

/// That whether a primary is read-only cannot be told over the connection that the plan names.
fn untold(server: &Writing<'_>) -> Option<Check> {
    let hidden = server.hidden.as_ref()?;
    let why = format!(
        "{}: {hidden}. It counts as one that may accept writes, also once it is fenced by that setting",
        server.title
    );
    Some(Check::warn("read-only", why, ReadOnly::NEXT))
}

fn splits(writing: Vec<Writing<'_>>) -> Vec<Split<'_>> {
    let mut databases: Vec<Vec<Writing<'_>>> = Vec::new();
    for server in writing.into_iter().filter(|server| server.seen.database.is_some()) {
        let same = |known: &&mut Vec<Writing<'_>>| known[0].seen.database == server.seen.database;
        match databases.iter_mut().find(same) {
            Some(database) => database.push(server),
            None => databases.push(vec![server]),
        }
    }
    databases.iter().filter_map(|database| split(database)).collect()
}

/// Two addresses may lead to one server: its time of start tells.
fn split<'p>(database: &[Writing<'p>]) -> Option<Split<'p>> {
    let mut servers: Vec<&Writing<'_>> = Vec::new();
    for server in database {
        if servers.iter().all(|known| known.seen.server != server.seen.server) {
            servers.push(server);
        }
    }
    if servers.len() < 2 {
        return None;
    }
    let names = servers.iter().map(|server| &*server.title).collect::<Vec<_>>().join(" and ");
    Some(Split {
        what: match servers.iter().any(|server| server.seen.untold) {
            true => format!("SPLIT BRAIN: {names} are primaries, and may both accept writes"),
            false => format!("SPLIT BRAIN: {names} accept writes"),
        },
        next: format!(
            "Fence the one of {names} that must not serve, and see that it is fenced: `lifeboat open` leads there."
        ),
        dsns: database.iter().map(|server| server.dsn).collect(),
    })
}

/// What is told of all servers.
fn checks(splits: &[Split<'_>], untold: Vec<Check>) -> Option<RegionChecks> {
    let check = |split: &Split<'_>| {
        let why =
            format!("{}; one database, and what is written to either is missing on the other", split.what);
        Check::fail(ONE_PRIMARY, why, &*split.next)
    };
    let checks: Vec<Check> = splits.iter().map(check).chain(untold).collect();
    (!checks.is_empty()).then(|| RegionChecks { region: HEADING.into(), checks })
}

/// The splits, with the steps that would promote in one.
fn conflicts(plan: &Plan, splits: Vec<Split<'_>>) -> Vec<Conflict> {
    let steps = plan.runbooks.iter().flat_map(|(id, book)| book.steps.values().map(move |step| (id, step)));
    let promoting: Vec<_> = steps.filter(|(_, step)| step.promotes()).collect();
    let conflict = |split: Split<'_>| {
        let concerned = promoting
            .iter()
            .filter(|(_, step)| step.params.get("dsn").is_some_and(|dsn| split.dsns.contains(&dsn)));
        let steps = concerned.map(|(runbook, step)| ((*runbook).clone(), step.id.clone())).collect();
        Conflict { what: split.what, next: split.next, steps }
    };
    splits.into_iter().map(conflict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn writing<'p>(title: &str, dsn: &'p Param, database: &str, started: &str) -> Writing<'p> {
        let at = Timestamp::UNIX_EPOCH;
        let seen = Seen {
            server: started.into(),
            database: Some(database.into()),
            is_primary: true,
            writes: true,
            untold: false,
            timeline: None,
            since: at,
            last: at,
        };
        Writing { title: title.into(), dsn, seen, hidden: None }
    }

    #[test]
    fn one_server_by_two_addresses_and_two_databases_are_no_split() {
        let [one, two, three] = ["a", "b", "c"].map(|dsn| Param::Text(dsn.into()));
        let one_server = vec![writing("a", &one, "77", "noon"), writing("b", &two, "77", "noon")];
        assert!(splits(one_server).is_empty());
        let two_databases = vec![writing("a", &one, "77", "noon"), writing("b", &two, "78", "one")];
        assert!(splits(two_databases).is_empty());
        let split = splits(vec![
            writing("a", &one, "77", "noon"),
            writing("b", &two, "77", "one"),
            writing("c", &three, "78", "two"),
        ]);
        assert_eq!((split.len(), split[0].dsns.len()), (1, 2));
        assert_eq!(split[0].what, "SPLIT BRAIN: a and b accept writes");
    }
}
