use super::*;
use crate::postgres::{Pair, Server};
use lifeboat::core::words::action::Acted;

fn promote(server: &Server) -> Box<dyn Action> {
    action("postgres-promote", &[("dsn", &server.dsn())])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_promoted_once_and_proven_by_a_write() {
    let pair = Pair::start();
    let action = promote(&pair.standby);
    let described = action.describe().await.unwrap();
    let target = described.target;
    assert_eq!((&*target.name, target.reachable), (&*pair.standby.address(), true));
    assert!(target.identity.contains(&("role".into(), "standby".into())), "{target:?}");
    assert!(target.identity.contains(&("timeline".into(), "1".into())), "{target:?}");
    let early = action.verify(&target, &context()).await.unwrap_err();
    assert_eq!(early.why, "it is still in recovery");

    // Positions move and change nothing about whom it is.
    pair.primary.sql("insert into load (id) values (1)");
    pair.wait_replayed();
    pair.primary.kill();
    action.execute(&target, &context()).await.unwrap();
    let proof = action.verify(&target, &context()).await.unwrap();
    assert!(proof.evidence.contains(&"timeline is 2, before 1".to_owned()), "{proof:?}");
    assert_eq!(pair.standby.sql("select token from lifeboat.write_proof"), "attempt-1");
    assert_eq!(pair.standby.sql("select count(*) from load"), "1");

    let again = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(again.acted, Acted::No);
    assert!(again.why.contains("already a primary, on timeline 2"), "{again:?}");
    assert_eq!(pair.standby.log().matches("received promote request").count(), 1);
    let described = action.describe().await.unwrap();
    assert!(described.notes[0].contains("already a primary"), "{described:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_behind_the_same_name_is_not_touched() {
    let pair = Pair::start();
    let described = promote(&pair.standby).describe().await.unwrap();
    let mut expected = described.target;
    expected.identity[0].1 = "1234".into();
    let failure = promote(&pair.standby).execute(&expected, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.why.contains("system identifier is") && failure.why.contains("was 1234"), "{failure:?}");
    assert_eq!(pair.standby.sql("select pg_is_in_recovery()"), "t");
    // A primary that never was a standby is refused too.
    let primary = promote(&pair.primary);
    let target = primary.describe().await.unwrap().target;
    let failure = primary.execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("already a primary"), "{failure:?}");
    let unproven = primary.verify(&target, &context()).await.unwrap_err();
    assert!(unproven.why.contains("proves no promotion"), "{unproven:?}");
}

/// The server gives up waiting, not promoting.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_timeout_during_the_promotion_is_not_taken_for_nothing_done() {
    let pair = Pair::start();
    pair.primary.sql("create role impatient login superuser");
    pair.primary.sql("alter role impatient set statement_timeout = '90ms'");
    pair.wait_replayed();
    // What was received and not replayed makes the promotion take its time.
    pair.standby.sql("select pg_wal_replay_pause()");
    pair.primary
        .sql("insert into load select id, now(), repeat('x', 200) from generate_series(1, 200000) as id");
    pair.wait_received();
    let action = action("postgres-promote", &[("dsn", &pair.standby.dsn_of("impatient"))]);
    let target = action.describe().await.unwrap().target;
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe, "{failure:?}");
    pair.standby.wait_for("select not pg_is_in_recovery()");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_promote_fails_without_having_acted() {
    let pair = Pair::start();
    pair.primary.sql("create role app login");
    pair.wait_replayed();
    let action = action("postgres-promote", &[("dsn", &pair.standby.dsn_of("app"))]);
    let described = action.describe().await.unwrap();
    assert!(described.notes.iter().any(|note| note.contains("may not call pg_promote")), "{described:?}");
    let failure = action.execute(&described.target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert_eq!(pair.standby.sql("select pg_is_in_recovery()"), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_tells_a_standby_from_a_primary_and_who_may_promote_it() {
    use lifeboat::core::words::preflight::Checked;
    let pair = Pair::start();
    pair.primary.sql("create role app login");
    pair.wait_replayed();
    let fails = async |dsn: String| {
        let checks = action("postgres-promote", &[("dsn", &dsn)]).preflight().await;
        assert_eq!(checks.len(), 3, "{checks:?}");
        let failing = checks.iter().filter(|check| matches!(check.result, Checked::Fail(_)));
        failing.map(|check| check.what.clone()).collect::<Vec<_>>()
    };
    assert!(fails(pair.standby.dsn()).await.is_empty());
    assert_eq!(fails(pair.standby.dsn_of("app")).await, ["right"]);
    assert_eq!(fails(pair.primary.dsn()).await, ["role"]);
}

/// A copied configuration that waits for a synchronous standby makes every commit hang.
#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_server_whose_commits_hang_is_not_proven() {
    let pair = Pair::start();
    pair.standby.configure("synchronous_standby_names = 'gone'\n");
    pair.standby.sql("select pg_reload_conf()");
    let action = promote(&pair.standby);
    let target = action.describe().await.unwrap().target;
    pair.primary.kill();
    action.execute(&target, &context()).await.unwrap();
    let failure = action.verify(&target, &context()).await.unwrap_err();
    assert!(failure.next.contains("synchronous_standby_names"), "{failure:?}");
    pair.standby.configure("synchronous_standby_names = ''\n");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select current_setting('synchronous_standby_names') = ''");
    action.verify(&target, &context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_server_that_is_read_only_is_not_proven() {
    let pair = Pair::start();
    pair.standby.configure("default_transaction_read_only = on\n");
    pair.standby.sql("select pg_reload_conf()");
    let action = promote(&pair.standby);
    let target = action.describe().await.unwrap().target;
    action.execute(&target, &context()).await.unwrap();
    let failure = action.verify(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("applications cannot write"), "{failure:?}");
}

/// A connection string that two servers answer to, the first of them first.
fn either(first: &Server, second: &Server) -> String {
    first
        .dsn()
        .replace("host=127.0.0.1", "host=127.0.0.1,127.0.0.1")
        .replace(&format!("port={}", first.port), &format!("port={},{}", first.port, second.port))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standby_that_was_confirmed_is_promoted_and_no_other_that_the_same_name_leads_to() {
    let pair = Pair::start();
    let stands_still = pair.cluster.standby("other", &pair.primary, None);
    stands_still.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    stands_still.sql("select pg_reload_conf()");
    stands_still.wait_for("select not exists (select from pg_stat_wal_receiver)");
    pair.primary.sql("insert into load (id) select generate_series(1, 500)");
    pair.wait_replayed();
    let action = action("postgres-promote", &[("dsn", &either(&pair.standby, &stands_still))]);
    let target = action.describe().await.unwrap().target;
    assert_eq!(target.name, pair.standby.address(), "the one that answers is what is typed");
    assert_eq!(target.property("address"), Some(&*pair.standby.address()));
    let lag =
        measure("postgres-replication", &*probe("postgres-replication", &[("dsn", &pair.standby.dsn())]))
            .await;
    assert_eq!(target.property("started at"), lag.text("started_at"));
    assert!(target.property("started at").is_some());
    let preflight = action.preflight().await;
    assert!(preflight.iter().any(|check| check.what == "server"), "{preflight:?}");

    pair.primary.kill();
    pair.standby.kill();
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.why.starts_with("another server answers: address is"), "{failure:?}");
    assert!(
        failure.why.contains(&stands_still.address()) && failure.next.contains("prepare the step anew"),
        "{failure:?}"
    );
    assert_eq!(stands_still.sql("select pg_is_in_recovery()"), "t");

    // Nor is it taken for the proof of what the other should have become.
    stands_still.sql("select pg_promote()");
    let unproven = action.verify(&target, &context()).await.unwrap_err();
    assert!(unproven.why.starts_with("another server answers"), "{unproven:?}");
    let found = action.found(&target).await.unwrap();
    assert!(!found.is_known(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_was_restarted_or_holds_less_than_when_it_was_confirmed_is_not_promoted() {
    let pair = Pair::start();
    let action = promote(&pair.standby);
    let mut target = action.describe().await.unwrap().target;
    let holds = target.identity.iter_mut().find(|(name, _)| name == "holds WAL up to").unwrap();
    holds.1 = "FF/0".into();
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("holds WAL up to is") && failure.acted == Acted::No, "{failure:?}");

    let target = action.describe().await.unwrap().target;
    pair.standby.stop();
    pair.standby.start();
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.starts_with("it was restarted since") && failure.acted == Acted::No, "{failure:?}");
    assert_eq!(pair.standby.sql("select pg_is_in_recovery()"), "t");
    let anew = action.describe().await.unwrap().target;
    action.execute(&anew, &context()).await.unwrap();
    action.verify(&anew, &context()).await.unwrap();
}

/// What a base backup of a fenced or synchronous server copies.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_nobody_could_write_to_once_it_is_promoted_says_so_before() {
    let pair = Pair::start();
    let action = promote(&pair.standby);
    let calm = action.preflight().await;
    assert!(calm.iter().all(|check| !["writes", "commits"].contains(&&*check.what)), "{calm:?}");
    pair.standby.sql("alter system set default_transaction_read_only = on");
    pair.standby.sql("alter system set synchronous_standby_names = 'b1'");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select current_setting('synchronous_standby_names') = 'b1'");
    let checks = action.preflight().await;
    let word = |what: &str| {
        let found = checks.iter().find(|check| check.what == what);
        found
            .map(|check| (check.result.word(), check.next.clone()))
            .unwrap_or_else(|| panic!("{what}: {checks:?}"))
    };
    assert_eq!(word("writes").0, "fail");
    assert!(word("writes").1.contains("alter system reset default_transaction_read_only"), "{checks:?}");
    assert_eq!(word("commits").0, "warn");
    let notes = action.describe().await.unwrap().notes.join("\n");
    assert!(notes.contains("NOBODY CAN WRITE") && notes.contains("every commit waits"), "{notes}");
}
