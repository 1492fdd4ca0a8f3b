use super::*;
use crate::postgres::{Cluster, PATIENCE};
use lifeboat::core::words::reading::Verdict;
use std::time::{Duration, Instant};

const KIND: &str = "postgres-backup";

async fn until(probe: &dyn Probe, what: &str, good: impl Fn(&Measurement) -> bool) -> Measurement {
    let started = Instant::now();
    loop {
        let measured = measure(KIND, probe).await;
        if good(&measured) {
            return measured;
        }
        assert!(started.elapsed() < PATIENCE, "still not {what}: {measured:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archiver_is_followed_through_work_idleness_and_failure() {
    let cluster = Cluster::new();
    let server = cluster.primary("primary");
    let probe = probe(KIND, &[("dsn", &server.dsn())]);
    let never = measure(KIND, &*probe).await;
    assert!(never.verdict.why().unwrap().contains("nothing was archived"), "{never:?}");

    server.sql("create table t as select 1 as x");
    server.sql("select pg_switch_wal()");
    let idle = until(&*probe, "archived", |measured| measured.verdict == Verdict::Good).await;
    assert_eq!(idle.value, Some(0.0), "{idle:#?}");
    // A checkpoint of an idle server writes nothing worth archiving.
    server.sql("checkpoint");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    server.sql("insert into t select generate_series(1, 1000)");
    let written = measure(KIND, &*probe).await;
    assert!(written.value > Some(1.0) && written.number("unarchived_bytes") > Some(10_000.0), "{written:#?}");

    std::fs::write(cluster.folder().join("archive-fails"), "").unwrap();
    server.sql("select pg_switch_wal()");
    let failing =
        until(&*probe, "failing", |measured| matches!(measured.verdict, Verdict::Critical(_))).await;
    assert!(failing.verdict.why().unwrap().starts_with("archiving fails at 0000000100000000"), "{failing:?}");
    std::fs::remove_file(cluster.folder().join("archive-fails")).unwrap();
    until(&*probe, "recovered", |measured| measured.verdict == Verdict::Good).await;

    server.configure("archive_mode = off\n");
    server.stop();
    server.start();
    let off = measure(KIND, &*probe).await;
    assert_eq!(off.verdict.why(), Some("archive_mode is off: no WAL is archived"));
}
