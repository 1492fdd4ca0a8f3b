//! After a failover: what watches a pair, its archive and its runbooks follows who is the primary now.

use super::*;
use crate::forward::Forwarder;
use crate::postgres::{PATIENCE, Pair, wait_until};
use lifeboat::base::pool::{Outside, Pool};
use lifeboat::core::words::preflight::{Check, Checked, Preflight};
use lifeboat::core::words::reading::{Field, Verdict};
use lifeboat::plan::{Plan, load_texts};
use lifeboat::preflight;
use lifeboat::providers::net::names::{Directory, Names};
use lifeboat::world::RealWorld;
use std::time::{Duration, Instant};

/// No threads of their own.
fn here() -> Pool {
    Outside::on(&tokio::runtime::Handle::current()).probes.clone()
}

async fn until(kind: &str, probe: &dyn Probe, good: impl Fn(&Measurement) -> bool) -> Measurement {
    let started = Instant::now();
    loop {
        let measured = measure(kind, probe).await;
        if good(&measured) {
            return measured;
        }
        assert!(started.elapsed() < PATIENCE, "{measured:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The standby takes over in an orderly way.
fn fail_over(pair: &Pair) {
    pair.wait_replayed();
    pair.primary.stop();
    pair.standby.sql("select pg_promote(true, 30)");
}

/// The old primary comes back and follows the new one.
fn come_back(pair: &Pair) {
    pair.standby.sql("select pg_create_physical_replication_slot('back')");
    pair.primary.configure(&format!(
        "primary_conninfo = 'host=127.0.0.1 port={} user=repl'\nprimary_slot_name = 'back'\n",
        pair.standby.port
    ));
    // A server that this user does not own is made a standby by who owns it.
    pair.cluster.touch(&pair.primary.data.join("standby.signal"));
    pair.primary.start();
    pair.primary.wait_for("select exists (select from pg_stat_wal_receiver where status = 'streaming')");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_replication_probe_tells_how_far_the_old_primary_is_behind_the_new_one() {
    const KIND: &str = "postgres-replication";
    let pair = Pair::start();
    let probe = probe(KIND, &[("dsn", &pair.standby.dsn()), ("primary", &pair.primary.dsn())]);
    let reversed = |measured: &Measurement| measured.fields.get("reversed") == Some(&Field::Flag(true));
    let before = until(KIND, &*probe, |measured| measured.verdict == Verdict::Good).await;
    assert!(!reversed(&before), "{before:#?}");
    fail_over(&pair);
    come_back(&pair);
    let turned =
        until(KIND, &*probe, |measured| reversed(measured) && measured.verdict == Verdict::Good).await;
    assert!(turned.value.is_some() && turned.number("timeline") == Some(2.0), "{turned:#?}");
    pair.primary.pause_replay();
    pair.standby.sql("insert into load (id, pad) select n, repeat('x', 1000) from generate_series(1, 500) n");
    let behind = until(KIND, &*probe, |measured| measured.number("replay_lag_bytes") > Some(100_000.0)).await;
    assert!(reversed(&behind) && behind.number("exposure_s").is_some(), "{behind:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_archive_of_the_new_primary_is_the_one_that_is_watched() {
    const KIND: &str = "postgres-backup";
    let pair = Pair::start();
    let probe = probe(KIND, &[("dsn", &pair.primary.dsn()), ("other", &pair.standby.dsn())]);
    pair.primary.sql("select pg_switch_wal()");
    let before = until(KIND, &*probe, |measured| measured.verdict == Verdict::Good).await;
    assert_eq!(before.text("server"), Some("dsn"));
    fail_over(&pair);
    for back in [false, true] {
        if back {
            come_back(&pair);
        }
        pair.standby.sql(&format!("insert into load (id) values ({})", i32::from(back)));
        pair.standby.sql("select pg_switch_wal()");
        until(KIND, &*probe, |measured| {
            let of_the_new = |wal: &str| wal.starts_with("00000002") && wal.len() == 24;
            measured.text("server") == Some("other")
                && measured.verdict == Verdict::Good
                && measured.text("last_archived_wal").is_some_and(of_the_new)
                && measured.value.is_some()
        })
        .await;
    }
    std::fs::write(pair.cluster.folder().join("archive-fails"), "").unwrap();
    pair.standby.sql("insert into load (id) values (9)");
    pair.standby.sql("select pg_switch_wal()");
    let failing = until(KIND, &*probe, |measured| matches!(measured.verdict, Verdict::Critical(_))).await;
    assert!(failing.verdict.why().unwrap().starts_with("archiving fails"), "{failing:#?}");
}

/// A name that a test moves.
struct Movable(std::sync::Mutex<&'static str>);

impl Names for Movable {
    fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Vec<std::net::IpAddr>>> {
        let address = self.0.lock().unwrap().parse().unwrap();
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_named_is_the_server_that_has_the_name_now() {
    const KIND: &str = "postgres-replication";
    let pair = Pair::start();
    let other = pair.cluster.standby("other", &pair.primary, None);
    let before = Forwarder::at("127.0.0.2:0", pair.primary.port);
    let _after = Forwarder::at(&format!("127.0.0.4:{}", before.port), other.port);
    let name = Arc::new(Movable("127.0.0.2".into()));
    let mut clients = clients();
    clients.postgres = clients.postgres.with_names(Directory::new(name.clone()));
    let primary =
        format!("host=db-primary port={} user=postgres dbname=postgres sslmode=disable", before.port);
    let spec =
        spec_of(KIND, params(&[("dsn", &pair.standby.dsn()), ("primary", &primary)]), Thresholds::default());
    let probe = (lifeboat::providers::probe(KIND).unwrap().build)(&spec, &clients).unwrap();
    let well = until(KIND, &*probe, |measured| measured.verdict == Verdict::Good).await;
    assert!(well.number("primary_timeline").is_some(), "{well:#?}");
    *name.0.lock().unwrap() = "127.0.0.4";
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let moved = measure(KIND, &*probe).await;
    assert!(
        moved
            .verdict
            .why()
            .is_some_and(|why| why.contains("the server named as `primary` is itself a standby")),
        "{moved:#?}"
    );
    assert!(moved.number("unreplicated_bytes").is_none(), "nothing is told of the old server: {moved:#?}");
}

fn plan(pair: &Pair) -> Plan {
    let (a, b) = (pair.primary.dsn(), pair.standby.dsn());
    let runbook = |name: &str, region: &str, fenced: &str, promoted: &str| {
        format!(
            "[runbooks.{name}]\ntitle = \"{name}\"\nactivates = \"{region}\"\n\
             [[runbooks.{name}.steps]]\nid = \"fence\"\ntitle = \"Fence\"\naction = \"postgres-fence\"\n\
             with.dsn = \"{fenced}\"\nconfirm = \"yes\"\n\
             [[runbooks.{name}.steps]]\nid = \"promote\"\ntitle = \"Promote\"\naction = \"postgres-promote\"\n\
             with.dsn = \"{promoted}\"\nconfirm = \"type\"\n"
        )
    };
    let text = format!(
        "[plan]\nname = \"Pair\"\n[regions.a]\nrole = \"primary\"\n[regions.b]\nrole = \"standby\"\n\
         [probes.a-db]\nkind = \"postgres\"\nregion = \"a\"\ndsn = \"{a}\"\n\
         [probes.b-db]\nkind = \"postgres\"\nregion = \"b\"\ndsn = \"{b}\"\n\
         [tree]\nroot = \"where\"\n[tree.where]\nask = \"Where to?\"\nanswers.b = \"over\"\nanswers.a = \"back\"\n{}{}",
        runbook("over", "b", &a, &b),
        runbook("back", "a", &b, &a),
    );
    let loaded = load_texts(vec![("plan.toml".to_owned(), text)], &lifeboat::providers::registry());
    loaded.unwrap_or_else(|problems| panic!("{problems}")).plan
}

fn of<'f>(found: &'f Preflight, runbook: &str, step: &str, what: &str) -> &'f Check {
    let of =
        found.steps.iter().find(|of| of.runbook.as_str() == runbook && of.step.as_str() == step).unwrap();
    of.checks.iter().find(|check| check.what == what).unwrap_or_else(|| panic!("{what}: {of:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_in_a_split_brain_fails_both_directions_with_the_words_for_two_primaries() {
    let pair = Pair::start();
    pair.wait_replayed();
    pair.standby.sql("select pg_promote(true, 30)");
    let split = preflight::run(&plan(&pair), &RealWorld::new(clients()), &here()).await;
    assert_eq!(split.failing(), ["databases", "over/promote", "back/promote"], "{split:#?}");
    for (_, check) in split.checks() {
        let fails = matches!(check.result, Checked::Fail(_));
        assert_eq!(fails, check.result.seen().contains("SPLIT BRAIN"), "{check:#?}");
        assert!(!check.next.starts_with("Nothing, while"), "{check:#?}");
    }
    // A fenced one takes no writes: there is one primary.
    pair.standby.sql("alter system set default_transaction_read_only = on");
    pair.standby.sql("select pg_reload_conf()");
    wait_until("the fence holds", || pair.standby.sql("show default_transaction_read_only") == "on");
    let fenced = preflight::run(&plan(&pair), &RealWorld::new(clients()), &here()).await;
    assert!(fenced.checks().all(|(_, check)| !check.result.seen().contains("SPLIT BRAIN")), "{fenced:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_says_of_the_runbook_of_the_other_direction_that_it_is_for_another_day() {
    let pair = Pair::start();
    let plan = plan(&pair);
    let look = async || preflight::run(&plan, &RealWorld::new(clients()), &here()).await;
    let warns = |check: &Check, words: &str| {
        assert!(matches!(&check.result, Checked::Warn(seen) if seen.contains(words)), "{check:#?}");
        assert!(check.next.starts_with("Nothing, while"), "{check:#?}");
    };
    let passes = |check: &Check| assert!(matches!(check.result, Checked::Pass(_)), "{check:#?}");

    let quiet = look().await;
    assert!(quiet.failing().is_empty(), "{:#?}", quiet.failing());
    passes(of(&quiet, "over", "fence", "role"));
    passes(of(&quiet, "over", "promote", "role"));
    warns(
        of(&quiet, "back", "fence", "role"),
        "it is a standby now; this runbook fences it only once it serves",
    );
    warns(of(&quiet, "back", "promote", "role"), "the way back");

    fail_over(&pair);
    let moved = look().await;
    // What was failed over from is down: nobody can go back to it yet.
    assert_eq!(moved.failing(), ["back/promote"], "{moved:#?}");
    warns(of(&moved, "over", "fence", "target"), "this runbook fences it only once it serves");
    warns(of(&moved, "over", "promote", "role"), "the way back");
    passes(of(&moved, "back", "fence", "role"));

    come_back(&pair);
    wait_until("the way back is open", || pair.primary.sql("select pg_is_in_recovery()") == "t");
    let ready = look().await;
    assert!(ready.failing().is_empty(), "{:#?}", ready.failing());
    passes(of(&ready, "back", "promote", "role"));
    warns(of(&ready, "over", "fence", "role"), "it is a standby now");
}
