//! Steps that act around the manager of a PostgreSQL server, as far as the plan itself tells that there is one.

use crate::base::toml::{Diagnostic, Report};
use crate::plan::kinds::Does;
use crate::plan::load::Draft;
use crate::plan::params::{Param, Params};
use crate::plan::types::{ConfirmLevel, Plan, Step};

/// What stands in addresses of servers that a provider manages, and whose they are.
const HOSTS: &[(&str, &str)] = &[
    (".rds.amazonaws.com", "Amazon RDS"),
    (".postgres.database.azure.com", "Azure"),
    ("/cloudsql/", "Google Cloud SQL"),
];
/// What stands in programs and addresses of a manager, and whose they are.
const TOOLS: &[(&str, &str)] = &[
    ("patronictl", "Patroni"),
    (":8008/", "Patroni"),
    ("/patroni", "Patroni"),
    ("pg_autoctl", "pg_auto_failover"),
    ("repmgr", "repmgr"),
    ("stolonctl", "Stolon"),
    ("kubectl cnpg", CNPG),
];
/// Its kinds have names of their own.
const CNPG: &str = "CloudNativePG";

pub(super) fn check(draft: &Draft, report: &Report) {
    let plan = &draft.plan;
    let tool = tool(plan);
    beside_a_primary(draft, report);
    without_token(draft, report);
    for (book, runbook) in &plan.runbooks {
        for step in runbook.steps.values().filter(|step| is_undone(step)) {
            let place = |key: &str| draft.places.of(&format!("runbooks.{book}.steps.{}.{key}", step.id));
            let id = &step.id;
            if step.params.text("managed") == Some("ignore") {
                if step.confirm != ConfirmLevel::Type {
                    let message = format!("step `{id}` acts around a manager and is not confirmed by typing");
                    let help = "write `confirm = \"type\"`: the operator then types the name of the target";
                    report.add(Diagnostic::error("confirmation", place("confirm"), message).help(help));
                }
                continue;
            }
            let problem = |message: String| Diagnostic::warning("managed", place("action"), message);
            if let Some(manager) = host(step) {
                let message = format!("step `{id}` acts on a server that {manager} manages");
                report.add(problem(message).help(format!("it will refuse: do it through {manager}")));
            } else if let Some((manager, whose)) = &tool {
                let message = format!("{whose} speaks to {manager}, and step `{id}` acts around it");
                report.add(problem(message).help(format!(
                    "where {manager} manages this step's server, the step will refuse: do it through {manager}, with {}",
                    if *manager == CNPG { "`cnpg-demote` and `cnpg-promote`" } else { "`exec` or `http-request`" }
                )));
            }
        }
    }
}

/// Whether a manager undoes what a step does.
fn is_undone(step: &Step) -> bool {
    matches!(step.does, Does::Promotes | Does::Fences) && step.server().is_some()
}

/// Lifting a fence beside another primary makes two of them.
fn beside_a_primary(draft: &Draft, report: &Report) {
    for (book, runbook) in &draft.plan.runbooks {
        let allows = |step: &&Step| step.params.text("beside_a_primary") == Some("allow");
        let untyped = runbook.steps.values().filter(allows).filter(|step| step.confirm != ConfirmLevel::Type);
        for step in untyped {
            let message = format!("step `{}` can make two primaries and is not confirmed by typing", step.id);
            let place = draft.places.of(&format!("runbooks.{book}.steps.{}.confirm", step.id));
            let help = "write `confirm = \"type\"`: the operator then types the name of the target";
            report.add(Diagnostic::error("confirmation", place, message).help(help));
        }
    }
}

/// A promotion for which the old primary gives no token loses what that one did not ship.
fn without_token(draft: &Draft, report: &Report) {
    for (book, runbook) in &draft.plan.runbooks {
        let steps = runbook.steps.values().filter(|step| step.params.flag("without_token"));
        for step in steps.filter(|step| step.confirm != ConfirmLevel::Type) {
            let message = format!("step `{}` can lose data and is not confirmed by typing", step.id);
            let place = draft.places.of(&format!("runbooks.{book}.steps.{}.confirm", step.id));
            let help = "write `confirm = \"type\"`: the operator then types the name of the target";
            report.add(Diagnostic::error("confirmation", place, message).help(help));
        }
    }
}

/// The provider whose address the step's server has.
fn host(step: &Step) -> Option<&'static str> {
    let dsn = step.params.text("dsn")?;
    HOSTS.iter().find(|(mark, _)| dsn.contains(mark)).map(|(_, manager)| *manager)
}

/// The first probe or step that speaks to a manager.
fn tool(plan: &Plan) -> Option<(&'static str, String)> {
    let probes = plan.probes.values().map(|spec| (&spec.kind, &spec.params, format!("probe `{}`", spec.id)));
    let steps = plan.runbooks.values().flat_map(|book| book.steps.values());
    let steps = steps.map(|step| (&step.action, &step.params, format!("step `{}`", step.id)));
    let of_kind = |kind: &str| kind.starts_with("cnpg-").then_some(CNPG);
    probes
        .chain(steps)
        .find_map(|(kind, params, whose)| Some((of_kind(kind).or_else(|| names(params))?, whose)))
}

fn names(params: &Params) -> Option<&'static str> {
    let mut texts = Vec::new();
    params.0.iter().for_each(|(key, param)| texts_of(key, param, &mut texts));
    TOOLS.iter().find(|(mark, _)| texts.iter().any(|text| text.contains(mark))).map(|(_, manager)| *manager)
}

/// The texts of programs and addresses. The words of an argument list are one text.
fn texts_of(key: &str, param: &Param, found: &mut Vec<String>) {
    match param {
        Param::Text(text) if key != "dsn" => found.push(text.clone()),
        Param::List(list) => {
            let words: Vec<&str> = list.iter().filter_map(Param::as_text).collect();
            found.push(words.join(" "));
        }
        Param::Table(table) => table.iter().for_each(|(key, param)| texts_of(key, param, found)),
        _ => {}
    }
}
