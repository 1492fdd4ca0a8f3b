//! `route53-upsert`: makes records say what the plan says.

use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::route53::change::{
    Change, MAX_TTL, PERMISSIONS, RESOLVERS, RecordsAction, Wanted, ZONE,
};
use crate::providers::aws::route53::client::{Alias, Record, Routing, canonical};
use crate::providers::aws::route53::probe_record::TYPES;
use crate::providers::clients::Clients;
use std::collections::HashMap;

const TYPE: &str = "type";
const NAME_DOC: &str = "The record's name (`api.sparc.com`).";
const TYPE_DOC: &str = "The record's type.";
const TTL_DOC: &str = "How long resolvers may keep it, in whole seconds; an alias has its target's.";
const VALUES_DOC: &str = "What it says. Texts get their quotes by themselves.";
const ALIAS_DOC: &str =
    "The DNS name of an alias's target instead of values (`dr-alb.us-west-2.elb.amazonaws.com`).";
const ALIAS_ZONE_DOC: &str = "The hosted zone of the alias's target: a load balancer's own, not yours.";
const HEALTH_DOC: &str = "Whether an unhealthy target takes the alias out.";
const SET_DOC: &str =
    "Tells it from the other records of the name and type; with `weight`, `failover` or `latency_region`.";
const WEIGHT_DOC: &str = "Its share among the records of the name and type.";
const FAILOVER_DOC: &str = "Its part in a failover pair.";
const LATENCY_DOC: &str = "The AWS region that it is for, in latency routing.";
const CHECK_DOC: &str = "The id of the health check that takes it out.";

/// A record's keys, where the name is `$name` and the type `$type`.
macro_rules! record_keys {
    ($name:expr, [$($more:expr),*]) => {
        &[
            $($more,)*
            $name,
            Key::default(TYPE, Takes::Choice(TYPES), "A", TYPE_DOC),
            Key::default("ttl", Takes::Duration, "60s", TTL_DOC),
            Key::optional("values", Takes::List(&Takes::Text), VALUES_DOC),
            Key::optional("alias", Takes::Text, ALIAS_DOC),
            Key::optional("alias_zone", Takes::Text, ALIAS_ZONE_DOC),
            Key::default("evaluate_target_health", Takes::Flag, "true", HEALTH_DOC),
            Key::optional("set_identifier", Takes::Text, SET_DOC),
            Key::optional("weight", Takes::Integer(0, 255), WEIGHT_DOC),
            Key::optional("failover", Takes::Choice(&["PRIMARY", "SECONDARY"]), FAILOVER_DOC),
            Key::optional("latency_region", Takes::Text, LATENCY_DOC),
            Key::optional("health_check", Takes::Text, CHECK_DOC),
        ]
    };
}

const ROW: &[Key] = record_keys!(Key::required("name", Takes::Text, NAME_DOC), []);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "route53-upsert",
    does: Does::Routes,
    simulated_target: "Route 53 records",
    sets: &["type", "values", "alias", "ttl", "weight", "failover", "health_check"],
    doc: "Makes records of one hosted zone say what the plan says, all in one batch that Route 53 takes whole or not \
          at all: one record by the keys themselves, several by `records`. The confirmation shows the batch as a diff \
          against what is there, and a record that changed since then refuses the step. It refuses an empty set of \
          values, a CNAME beside another type, and a mixture of routing policies. It waits until Route 53's DNS \
          servers have the change (INSYNC), and the proof reads the records back; resolvers may answer the old for \
          its TTL. It needs Route 53's control plane, which lives in us-east-1: where that may be down with the \
          region that you leave, prepare health checks or ARC routing controls, which do not need it.",
    keys: record_keys!(
        Key::optional("name", Takes::Text, "The record's name (`api.sparc.com`); or `records`."),
        [
            ZONE,
            Key::optional(
                "records",
                Takes::Rows(ROW),
                "Several records, each with `name`, `type`, `ttl`, `values`, `alias`, … as for one."
            ),
            MAX_TTL,
            RESOLVERS
        ]
    ),
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: PERMISSIONS,
    example: r#"[[runbooks.example.steps]]
id = "dns"
title = "Point api.sparc.com to the DR region"
action = "route53-upsert"
with.zone = "Z1D633PJN98FT9"
with.name = "api.sparc.com"
with.type = "A"
with.alias = "sparc-dr-alb.us-west-2.elb.amazonaws.com"
with.alias_zone = "Z1H1FL5HABSF5"
with.resolvers = ["1.1.1.1"]
confirm = "type"
estimate = "1m"
timeout = "5m"
"#,
    call: |params| {
        let names: Vec<String> =
            tables(params).iter().map(|row| row.text("name").unwrap_or("?").to_owned()).collect();
        format!(
            "route53:ChangeResourceRecordSets UPSERT {} in {}",
            names.join(", "),
            params.text("zone").unwrap_or("?")
        )
    },
};

/// The records' tables: the keys themselves, and `records`.
fn tables(params: &Params) -> Vec<Params> {
    let own = params.text("name").map(|_| params.clone());
    own.into_iter().chain(params.rows("records")).collect()
}

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    params.require_text("zone")?;
    let records: Vec<Record> = tables(params).iter().map(record).collect::<Result<_, _>>()?;
    if records.is_empty() {
        return Err(wrong(
            "records",
            "",
            "the batch is empty: give `name` with `values` or `alias`, or `records`",
        ));
    }
    for (index, one) in records.iter().enumerate() {
        if records[..index].iter().any(|before| before.is(one)) {
            return Err(wrong("records", &one.key_words(), "the batch has this record twice"));
        }
    }
    Ok(Box::new(Changing(RecordsAction::new(params, Upsert { records }, clients)?)))
}

fn wrong(key: &str, value: &str, why: &str) -> BuildError {
    BuildError::Value { key: key.into(), value: value.into(), why: why.into() }
}

fn record(table: &Params) -> Result<Record, BuildError> {
    let name = table.require_text("name")?;
    let kind = table.text(TYPE).unwrap_or("A").to_owned();
    let alias = table.text("alias").map(|target| Alias {
        zone: table.text("alias_zone").unwrap_or_default().to_owned(),
        name: target.to_owned(),
        evaluate_target_health: table.flag("evaluate_target_health"),
    });
    let values: Vec<String> = table.texts("values").into_iter().map(|value| quoted(&kind, value)).collect();
    if alias.is_some() && !values.is_empty() {
        return Err(wrong("values", name, "a record has values or an alias, not both"));
    }
    if alias.as_ref().is_some_and(|alias| alias.zone.is_empty()) {
        return Err(wrong("alias_zone", "", "an alias needs the hosted zone of its target"));
    }
    let ttl_s = table.duration("ttl").map_or(60, |ttl| ttl.as_secs());
    let record = Record {
        name: canonical(name),
        kind,
        set: table.text("set_identifier").map(str::to_owned),
        routing: routing(table)?,
        ttl_s: alias.is_none().then_some(ttl_s.clamp(0, i64::from(i32::MAX))),
        values,
        alias,
        health_check: table.text("health_check").map(str::to_owned),
    };
    match record.is_empty() {
        true => Err(wrong(
            "values",
            name,
            "an empty set of values takes the name off the net: give `values` or `alias`",
        )),
        false => Ok(record),
    }
}

fn routing(table: &Params) -> Result<Routing, BuildError> {
    let set = table.text("set_identifier");
    let given = (table.integer("weight"), table.text("failover"), table.text("latency_region"));
    let routing = match given {
        (None, None, None) => Routing::Simple,
        (Some(weight), None, None) => Routing::Weighted(weight),
        (None, Some(role), None) => Routing::Failover(role.to_owned()),
        (None, None, Some(region)) => Routing::Latency(region.to_owned()),
        _ => {
            let why = "a record has one of `weight`, `failover` and `latency_region`";
            return Err(wrong("set_identifier", set.unwrap_or_default(), why));
        }
    };
    match (set, &routing) {
        (None, Routing::Simple)
        | (Some(_), Routing::Weighted(_) | Routing::Failover(_) | Routing::Latency(_)) => Ok(routing),
        (None, _) => {
            Err(wrong("set_identifier", "", "with `weight`, `failover` or `latency_region` it is needed"))
        }
        (Some(set), _) => {
            Err(wrong("set_identifier", set, "it goes with `weight`, `failover` or `latency_region`"))
        }
    }
}

/// Texts stand in quotes: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat
fn quoted(kind: &str, value: &str) -> String {
    if kind != "TXT" || value.starts_with('"') || value.trim().is_empty() {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

struct Upsert {
    records: Vec<Record>,
}

impl Wanted for Upsert {
    fn names(&self) -> Vec<String> {
        self.records.iter().map(|record| record.name.clone()).collect()
    }

    fn changes(&self, found: &HashMap<String, Vec<Record>>) -> Result<Vec<Change>, Problem> {
        let change = |record: &Record| {
            let found = found.get(&canonical(&record.name)).map_or(&[][..], Vec::as_slice);
            Change::to(record.clone(), found)
        };
        Ok(self.records.iter().map(change).collect())
    }

    fn outline(&self) -> Vec<Record> {
        self.records.clone()
    }

    fn by_hand(&self) -> String {
        "then change the records, on any host with the aws command line:".into()
    }
}

#[cfg(test)]
mod tests;
