//! Servers that somebody else manages, told by what the manager leaves in them.

use super::*;
use crate::postgres::{Pair, Server};
use lifeboat::core::words::action::{Acted, Failure};
use lifeboat::core::words::preflight::Checked;

const IGNORE: (&str, &str) = ("managed", "ignore");

fn promote(server: &Server, more: &[(&str, &str)]) -> Box<dyn Action> {
    action("postgres-promote", &[&[("dsn", &*server.dsn())], more].concat())
}

async fn refusal(action: &dyn Action) -> Failure {
    let failure = action.describe().await.expect_err("it is not refused");
    assert_eq!(failure.acted, Acted::No);
    failure
}

#[tokio::test(flavor = "multi_thread")]
async fn each_manager_is_known_by_what_it_leaves_in_the_server() {
    let pair = Pair::start();
    let slot = "select pg_create_physical_replication_slot('stolon_a')";
    for (left, gone, manager, instead) in [
        ("create database rdsadmin", "drop database rdsadmin", "Amazon RDS", "rds-promote"),
        ("create database azure_maintenance", "drop database azure_maintenance", "Azure", "az postgres"),
        ("create database cloudsqladmin", "drop database cloudsqladmin", "Google Cloud SQL", "gcloud"),
        (
            "create role pgautofailover_monitor",
            "drop role pgautofailover_monitor",
            "pg_auto_failover",
            "pg_autoctl",
        ),
        ("create schema repmgr", "drop schema repmgr", "repmgr", "repmgr standby switchover"),
    ] {
        pair.primary.sql(left);
        pair.wait_replayed();
        let failure = refusal(&*promote(&pair.standby, &[])).await;
        assert!(failure.why.contains(&format!("managed by {manager} (")), "{failure:?}");
        assert!(
            failure.next.contains(instead) && failure.next.contains("managed = \"ignore\""),
            "{failure:?}"
        );
        let fence = action("postgres-fence", &[("dsn", &pair.primary.dsn()), ("method", "read-only")]);
        assert!(refusal(&*fence).await.why.contains(manager));
        pair.primary.sql(gone);
    }
    pair.standby.sql(slot);
    assert!(refusal(&*promote(&pair.standby, &[])).await.why.contains("managed by Stolon (slot stolon_a)"));
    pair.standby.sql("select pg_drop_replication_slot('stolon_a')");
    pair.wait_replayed();
    let described = promote(&pair.standby, &[]).describe().await.unwrap();
    assert!(!format!("{described:?}").contains("manage"), "{described:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_that_came_after_the_confirmation_stops_the_step() {
    let pair = Pair::start();
    let action = promote(&pair.standby, &[]);
    let target = action.describe().await.unwrap().target;
    pair.primary.sql("create database repmgr");
    pair.wait_replayed();
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.why.contains("managed by repmgr (database repmgr)"), "{failure:?}");
    assert_eq!(pair.standby.sql("select pg_is_in_recovery()"), "t");

    // Nor does what was confirmed without one hold with one that is ignored.
    let failure = promote(&pair.standby, &[IGNORE]).execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("managed by is repmgr, was not read"), "{failure:?}");
    assert_eq!(pair.standby.sql("select pg_is_in_recovery()"), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_that_the_plan_ignores_is_named_first_with_what_it_will_do() {
    let pair = Pair::start();
    pair.primary.sql("create database repmgr");
    pair.wait_replayed();
    let action = promote(&pair.standby, &[IGNORE]);
    let described = action.describe().await.unwrap();
    assert!(described.notes[0].contains("managed by repmgr"), "{described:?}");
    assert!(described.notes[0].contains("two primaries stay"), "{described:?}");
    assert!(described.target.identity.contains(&("managed by".into(), "repmgr".into())), "{described:?}");
    let checks = action.preflight().await;
    let manager = checks.iter().find(|check| check.what == "manager").unwrap();
    assert!(matches!(&manager.result, Checked::Warn(why) if why.contains("repmgr")), "{manager:?}");
    action.execute(&described.target, &context()).await.unwrap();
    action.verify(&described.target, &context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_does_not_see_all_is_told_so() {
    let pair = Pair::start();
    pair.primary
        .sql("create role plain login; grant execute on function pg_promote(boolean, integer) to plain");
    pair.wait_replayed();
    let action = action("postgres-promote", &[("dsn", &pair.standby.dsn_of("plain"))]);
    let described = action.describe().await.unwrap();
    assert!(described.notes[0].contains("this role has no pg_monitor"), "{described:?}");
    let checks = action.preflight().await;
    assert!(checks.iter().any(|c| c.what == "manager" && matches!(c.result, Checked::Warn(_))), "{checks:?}");
}
