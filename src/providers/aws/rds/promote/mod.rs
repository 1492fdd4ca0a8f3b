//! `rds-promote`: makes a replica in RDS the one that takes writes. One file for each kind of replica.

mod cluster;
mod facts;
mod global;
mod instance;
mod members;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::words;
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, place};
use crate::providers::aws::rds::change::Role;
use crate::providers::aws::rds::names::is_named;
use crate::providers::clients::Clients;
use cluster::Cluster;
use global::Global;
use instance::Instance;

/// What a global cluster's secondary becomes the primary by.
const MODES: &[&str] = &["switchover", "failover"];

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-promote",
    does: Does::Promotes,
    simulated_target: "RDS database",
    sets: &[],
    doc: "Promotes a replica in RDS: an instance (`PromoteReadReplica`), a cluster that replicates from another one \
          (`PromoteReadReplicaDBCluster`), or a secondary cluster of an Aurora global database, planned \
          (`SwitchoverGlobalCluster`, loses nothing, needs both regions) or not (`FailoverGlobalCluster` with \
          `AllowDataLoss`). It refuses what is no replica, what is already promoted, what changed since it was \
          confirmed, and a state that AWS would not promote from. The call is sent once; then it waits within the \
          step's `timeout` and shows each status on the way. The proof: the same resource, no longer a replica, \
          serving, with the backups that were asked for. A lost answer makes the step unknown: verifying it tells \
          whether it is done, going on, or not begun.",
    keys: &[
        REGION,
        Key::optional("instance", Takes::Text, "The replica to promote; either this or `cluster`."),
        Key::optional(
            "cluster",
            Takes::Text,
            "The replica cluster, or with `global_cluster` the secondary cluster that becomes the primary: its \
             identifier in `region`, or its ARN.",
        ),
        Key::optional("global_cluster", Takes::Text, "The Aurora global database that `cluster` belongs to."),
        Key::default(
            "mode",
            Takes::Choice(MODES),
            "switchover",
            "How a global database changes its primary: `switchover` while both regions work, `failover` when the \
             primary's is lost.",
        ),
        Key::default(
            "allow_data_loss",
            Takes::Flag,
            "false",
            "What a `failover` of a global database needs: writes that did not reach the secondary are LOST.",
        ),
        Key::optional(
            "backup_retention_days",
            Takes::Integer(0, 35),
            "How long the promoted instance keeps backups; AWS takes 1 day where absent, and 0 turns them off.",
        ),
        Key::optional(
            "backup_window",
            Takes::Text,
            "When the promoted instance makes its daily backup, in UTC (`03:00-04:00`).",
        ),
        Key::optional(
            "source",
            Takes::Text,
            "What it is a replica of, identifier or ARN: another source is shown loudly before it is promoted.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "rds:DescribeGlobalClusters",
        "rds:PromoteReadReplica",
        "rds:PromoteReadReplicaDBCluster",
        "rds:SwitchoverGlobalCluster",
        "rds:FailoverGlobalCluster",
    ],
    example: r#"[[runbooks.example.steps]]
id = "promote"
title = "Promote the DR database"
action = "rds-promote"
with.region = "us-west-2"
with.instance = "arka-db-dr-replica"
with.backup_retention_days = 7
with.source = "arka-db-primary"
confirm = "type"
irreversible = true
estimate = "5m"
timeout = "20m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let region = text("region");
        match (params.text("instance"), params.text("global_cluster")) {
            (Some(instance), _) => format!("rds:PromoteReadReplica {instance} in {region}"),
            (None, Some(global)) if text("mode") == "failover" => format!(
                "rds:FailoverGlobalCluster {global} to {} in {region}, ALLOWING DATA LOSS",
                text("cluster")
            ),
            (None, Some(global)) => {
                format!("rds:SwitchoverGlobalCluster {global} to {} in {region}", text("cluster"))
            }
            (None, None) => format!("rds:PromoteReadReplicaDBCluster {} in {region}", text("cluster")),
        }
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let place = place(params, clients)?;
    let (instance, cluster) = (params.text("instance"), params.text("cluster"));
    if params.text("global_cluster").is_none() {
        only_with(params, "global_cluster", &["allow_data_loss", "mode"])?;
    }
    match (instance, cluster, params.text("global_cluster")) {
        (Some(_), None, None) => Ok(Box::new(Changing(Role(Instance::new(params, place)?)))),
        (None, Some(cluster), None) => {
            only_with(params, "instance", &["backup_retention_days", "backup_window"])?;
            Ok(Box::new(Changing(Role(Cluster::new(cluster, params, place)?))))
        }
        (None, Some(cluster), Some(global)) => {
            only_with(params, "instance", &["backup_retention_days", "backup_window"])?;
            only_with(params, "instance", &["source"])?;
            Ok(Box::new(Changing(Role(Global::new(global, cluster, params, place, clients)?))))
        }
        (Some(instance), _, _) => Err(value("instance", instance, "give either `instance` or `cluster`")),
        (None, None, Some(global)) => Err(value(
            "global_cluster",
            global,
            "give `cluster` as well: the secondary that becomes the primary",
        )),
        (None, None, None) => Err(value("instance", "", "give `instance` or `cluster`")),
    }
}

/// Fails where a plan gives keys that count only together with another one: it may mean something else than it says.
fn only_with(params: &Params, with: &str, keys: &[&str]) -> Result<(), BuildError> {
    let default = |key: &str| KIND.keys.iter().find(|known| known.name == key).map(|known| known.need);
    let given = keys.iter().find(|key| {
        let silent = match default(key) {
            Some(crate::plan::keys::Need::Default("false")) => !params.flag(key),
            Some(crate::plan::keys::Need::Default(usual)) => {
                params.text(key).is_none_or(|text| text == usual)
            }
            _ => params.get(key).is_none(),
        };
        !silent
    });
    match given {
        Some(key) => Err(value(key, "", &format!("it counts only with `{with}`: take it away"))),
        None => Ok(()),
    }
}

fn value(key: &str, value: &str, why: &str) -> BuildError {
    BuildError::Value { key: key.to_owned(), value: value.to_owned(), why: why.to_owned() }
}

/// The identifier in a key that may hold an ARN, which must be of the region.
fn identifier(key: &str, text: &str, region: &str) -> Result<String, BuildError> {
    match crate::providers::aws::rds::names::arn(text) {
        Some((found, _)) if found != region => {
            Err(value(key, text, &format!("it is in {found}, and `region` is {region}")))
        }
        Some((_, name)) => Ok(name.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// Why it is not what the plan names by its ARN: in another account its name leads to something else.
fn not_the_arn(named: &str, found: Option<&str>, what: &str) -> Option<Problem> {
    crate::providers::aws::rds::names::arn(named)?;
    let found = found.unwrap_or("not told by AWS");
    (!found.eq_ignore_ascii_case(named)).then(|| {
        Problem::new(
            format!("its ARN is {}, and the plan names {named}: {what} was not sent", clean(found, 300)),
            "See whose credentials are used (`lifeboat aws whoami PLAN`), or correct the ARN in the plan.",
        )
    })
}

/// Whether it replicates from what the plan means, as a note; none where that is so or the plan is silent.
fn other_source(found: &str, wanted: Option<&str>) -> Option<String> {
    let wanted = wanted.filter(|wanted| !is_named(found, wanted))?;
    Some(format!("IT IS A REPLICA OF {found}, AND THE PLAN MEANS THAT OF {wanted}."))
}

/// The same as a check of a preflight.
fn source_check(found: &str, wanted: Option<&str>) -> Option<Check> {
    let what = "it replicates from the source that the plan means";
    wanted?;
    Some(match other_source(found, wanted) {
        None => Check::pass(what, found),
        Some(other) => Check::warn(what, other, "Correct `source` or the replica's name in the plan."),
    })
}

/// What to do when RDS would not take a promotion in this status.
fn wrong_status(status: &str, what: &str, look: &str) -> Problem {
    Problem::new(
        format!("its status is {status}, and AWS promotes only what is available: {what} was not sent"),
        match status {
            "backing-up" => {
                "A replica is not promoted during its backup: wait for its end (`rds-wait`), then confirm \
                             the step again."
                    .to_owned()
            }
            _ => format!("Wait until it is available (`rds-wait`, `{look}`), then confirm the step again."),
        },
    )
}

/// Where to see how far a replica is behind: RDS itself does not say.
fn lag_note(metric: &str, kept_by: &str) -> String {
    format!("How far it is behind is NOT known from RDS: see CloudWatch AWS/RDS {metric} of {kept_by}.")
}

fn days(days: i32) -> String {
    words::seconds(f64::from(days) * 86_400.0).replace("0 ms", "0 d")
}

#[cfg(test)]
mod tests;
