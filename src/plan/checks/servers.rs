//! Which server is meant: one that is acted upon, or measured for what its promotion would lose, is named alone.

use crate::clients::Postgres;
use crate::plan::load::Draft;
use crate::plan::params::Params;
use crate::plan::problem::{Problem, Report};
use crate::secrets::Secret;

/// Actions on one server.
const ACTIONS: [&str; 3] = ["postgres-promote", "postgres-fence", "postgres-unfence"];

pub(super) fn check(draft: &Draft, report: &Report) {
    let warn = |what: String, path: String, servers: String| {
        let message = format!("{what} names several servers: {servers}");
        let help =
            "name one: which server is meant depends on who answers, and the loss may be measured on another";
        report.add(Problem::warning("several-servers", draft.places.of(&path), message).help(help));
    };
    for probe in draft.plan.probes.values().filter(|probe| probe.kind == "postgres-replication") {
        if let Some(servers) = several(&probe.params) {
            warn(format!("`dsn` of probe `{}`", probe.id), format!("probes.{}.dsn", probe.id), servers);
        }
    }
    for (book, runbook) in &draft.plan.runbooks {
        for step in runbook.steps.values().filter(|step| ACTIONS.contains(&&*step.action)) {
            if let Some(servers) = several(&step.params) {
                let path = format!("runbooks.{book}.steps.{}.with.dsn", step.id);
                warn(format!("`dsn` of step `{}`", step.id), path, servers);
            }
        }
    }
}

/// The servers of a connection string that names more than one. One that is a secret is looked at by a preflight.
fn several(params: &Params) -> Option<String> {
    let dsn = params.text("dsn").filter(|dsn| !dsn.contains("{{"))?;
    let target = Postgres::target(&Secret::from_plan(dsn)).ok()?;
    target.contains(',').then_some(target)
}
