//! What a restore or a change of class needs, looked at before anyone needs it.

use super::{Backup, Restore, exists, wanted};
use crate::base::text::{clean, ended};
use crate::core::words::preflight::Check;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection};

/// Whether a restore could be done now.
pub async fn of_restore<B: Backup>(restore: &Restore<B>) -> Vec<Check> {
    let (wanted, reader) = (&restore.wanted, restore.place.reader().await);
    let mut checks = Vec::new();
    let what = format!("{} can be restored", wanted.source);
    let seen = restore.backup.inspect(&reader, wanted).await;
    const OPEN: &str = "the plan fills it in when the step runs";
    checks.push(match &seen {
        _ if restore.backup.is_open() => Check::not_checkable(what, OPEN),
        Ok(Some(seen)) => match &seen.refused {
            Some(refused) => refused.clone().check(what),
            None => Check::pass(what, seen.notes.first().cloned().unwrap_or_default()),
        },
        Ok(None) => restore.backup.missing(wanted).check(what),
        Err(error) => Check::fail(what, error.to_string(), error.next_step()),
    });
    let what = format!("the name {} is free", wanted.target);
    checks.push(match wanted::taken(&reader, wanted).await {
        _ if wanted::is_open(&wanted.target) => Check::not_checkable(what, OPEN),
        Ok(taken) => match taken.first() {
            Some(found) => Check::fail(what, exists(found), "Give the step another `target`."),
            None => Check::pass(what, format!("there is no {} of that name", wanted.sort.kind())),
        },
        Err(error) => Check::fail(what, error.to_string(), error.next_step()),
    });
    if let Ok(Some(seen)) = &seen
        && let Some(class) = wanted.class.as_deref().or(seen.class.as_deref())
    {
        checks.push(orderable(&reader, class, &seen.engine, &seen.version).await);
    }
    if let Some(group) = &wanted.subnet_group {
        checks.push(subnet_group(&reader, group).await);
    }
    checks
}

/// Whether the region offers a class for an engine.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html>
pub async fn orderable(reader: &Connection, class: &str, engine: &str, version: &str) -> Check {
    let what = format!("{class} is offered for {engine} {version}");
    let call = Call::new("rds:DescribeOrderableDBInstanceOptions", class);
    let send = reader
        .rds()
        .describe_orderable_db_instance_options()
        .engine(engine)
        .engine_version(version)
        .db_instance_class(class)
        .send();
    match reader.call(&call, send).await {
        Ok(found) => {
            let zones: Vec<&str> = found
                .orderable_db_instance_options()
                .iter()
                .filter(|option| option.db_instance_class() == Some(class))
                .flat_map(|option| option.availability_zones())
                .filter_map(|zone| zone.name())
                .collect();
            offered(what, class, &reader.region, found.orderable_db_instance_options().is_empty(), zones)
        }
        Err(error) => unknown(what, &error),
    }
}

fn offered(what: String, class: &str, region: &str, none: bool, mut zones: Vec<&str>) -> Check {
    if none {
        return Check::fail(
            what,
            format!("{region} does not offer {class} for it"),
            "Choose a class of `aws rds describe-orderable-db-instance-options`.",
        );
    }
    zones.sort_unstable();
    zones.dedup();
    let seen = match zones.is_empty() {
        true => "it is offered; whether there is capacity shows only when it is asked for".to_owned(),
        false => format!(
            "in {}; whether there is capacity shows only when it is asked for",
            clean(&zones.join(", "), 200)
        ),
    };
    Check::pass(what, seen)
}

/// Whether a subnet group is there.
pub async fn subnet_group(reader: &Connection, group: &str) -> Check {
    let what = format!("the subnet group {group} is there");
    let call = Call::new("rds:DescribeDBSubnetGroups", group);
    let send = reader.rds().describe_db_subnet_groups().db_subnet_group_name(group).send();
    match reader.call(&call, send).await {
        Ok(found) => {
            let vpc = found.db_subnet_groups().first().and_then(|group| group.vpc_id());
            Check::pass(what, format!("in the VPC {}", clean(vpc.unwrap_or("that AWS does not tell"), 100)))
        }
        Err(error) if error.kind == AwsErrorKind::NotFound => {
            Check::fail(what, error.to_string(), "Make it, or give the step one of this region.")
        }
        Err(error) => unknown(what, &error),
    }
}

/// A check that is not allowed or not answered does not say that the step would fail.
fn unknown(what: String, error: &AwsError) -> Check {
    Check::not_checkable(what, format!("{} {}", ended(&error.to_string()), error.next_step()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::preflight::Checked;

    #[test]
    fn a_class_that_is_not_offered_fails_and_capacity_is_never_promised() {
        let check = |none, zones| offered("w".into(), "db.r6g.large", "us-west-2", none, zones).result;
        assert!(
            matches!(check(true, vec![]), Checked::Fail(why) if why.contains("us-west-2 does not offer"))
        );
        let Checked::Pass(seen) = check(false, vec!["us-west-2b", "us-west-2a", "us-west-2b"]) else {
            panic!()
        };
        assert_eq!(
            seen,
            "in us-west-2a, us-west-2b; whether there is capacity shows only when it is asked for"
        );
    }
}
