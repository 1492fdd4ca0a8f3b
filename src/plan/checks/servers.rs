//! Which server is meant: one that is acted upon, or measured for what its promotion would lose, is named alone. And what
//! a session may not set for itself, because the server's own value is what is asked for.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::kinds::Sees;
use crate::plan::load::Draft;
use crate::plan::params::Params;
use crate::plan::registry::Registry;

pub(super) fn check(draft: &Draft, registry: &Registry, report: &Report) {
    read_only_sessions(draft, report);
    let warn = |what: String, path: String, servers: String| {
        let message = format!("{what} names several servers: {servers}");
        let help =
            "name one: which server is meant depends on who answers, and the loss may be measured on another";
        report.add(Diagnostic::warning("several-servers", draft.places.of(&path), message).help(help));
    };
    for probe in draft.plan.probes.values().filter(|probe| probe.sees == Sees::Standby) {
        if let Some(servers) = several(&probe.params, registry) {
            warn(format!("`dsn` of probe `{}`", probe.id), format!("probes.{}.dsn", probe.id), servers);
        }
    }
    for (book, runbook) in &draft.plan.runbooks {
        for step in runbook.steps.values().filter(|step| step.server().is_some()) {
            if let Some(servers) = several(&step.params, registry) {
                let path = format!("runbooks.{book}.steps.{}.with.dsn", step.id);
                warn(format!("`dsn` of step `{}`", step.id), path, servers);
            }
        }
    }
}

/// Connection strings that make their own sessions read-only, which hides whether the server is.
fn read_only_sessions(draft: &Draft, report: &Report) {
    let warn = |what: String, path: String| {
        let message = format!("{what} sets default_transaction_read_only for its own session");
        let help = "leave it out: it hides whether the server is read-only, so that it cannot be told from a fenced one";
        report.add(Diagnostic::warning("hidden-read-only", draft.places.of(&path), message).help(help));
    };
    let sets = |params: &Params, key: &str| {
        let dsn = params.text(key).unwrap_or_default().to_lowercase().replace('-', "_");
        dsn.contains("default_transaction_read_only")
    };
    for probe in draft.plan.probes.values().filter(|probe| probe.sees.is_postgres()) {
        for key in ["dsn", "primary"].into_iter().filter(|key| sets(&probe.params, key)) {
            warn(format!("`{key}` of probe `{}`", probe.id), format!("probes.{}.{key}", probe.id));
        }
    }
    for (book, runbook) in &draft.plan.runbooks {
        for step in runbook.steps.values().filter(|step| step.server().is_some()) {
            if sets(&step.params, "dsn") {
                let path = format!("runbooks.{book}.steps.{}.with.dsn", step.id);
                warn(format!("`dsn` of step `{}`", step.id), path);
            }
        }
    }
}

/// The servers of a connection string that names more than one. One that is a secret is looked at by a preflight.
fn several(params: &Params, registry: &Registry) -> Option<String> {
    let dsn = params.text("dsn").filter(|dsn| !dsn.contains("{{"))?;
    let target = (registry.database)(dsn).ok()?;
    target.contains(',').then_some(target)
}
