use super::*;
use crate::aws::{Fault, FaultProxy, Match, Times};
use lifeboat::core::words::action::Acted;
use serde_json::json;

const WANTED: &[(&str, &str)] = &[("instance", REPLICA), ("backup_retention_days", "7")];

/// A replica behind a proxy, and its step as it was confirmed.
async fn behind_a_proxy() -> (Emulator, FaultProxy, Step) {
    let emulator = world();
    let proxy = FaultProxy::before(&emulator.endpoint());
    let step = Step::new(&proxy.endpoint(), "rds-promote", WANTED).await;
    (emulator, proxy, step)
}

fn sent(proxy: &FaultProxy) -> usize {
    proxy.requests().iter().filter(|request| request.operation == "PromoteReadReplica").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_it_unknown_and_verifying_reconciles() {
    let (emulator, proxy, step) = behind_a_proxy().await;
    emulator.control(json!({"transition_ms": 2000}));
    proxy.fault(Match::operation("PromoteReadReplica"), Fault::LoseAnswer, Times::Always);
    let failure = step.execute().await.unwrap_err();
    assert_eq!((failure.acted, sent(&proxy)), (Acted::Maybe, 1), "{failure:?}");
    let going = step.verify().await.unwrap_err();
    assert!(going.why.contains("still replica of"), "{going:?}");
    assert!(step.prove().await.evidence[0].contains("is standalone, was replica of"));
    assert_eq!(instance(&emulator, "us-west-2", REPLICA)["BackupRetentionPeriod"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_cut_off_or_never_answered_is_unknown_and_was_not_begun() {
    for fault in [Fault::CutBefore, Fault::Hang, Fault::Status(500)] {
        let (_emulator, proxy, step) = behind_a_proxy().await;
        proxy.fault(Match::operation("PromoteReadReplica"), fault, Times::Always);
        let failure = step.execute().await.unwrap_err();
        assert_eq!((failure.acted, sent(&proxy)), (Acted::Maybe, 1), "{failure:?}");
        let unproven = step.verify().await.unwrap_err();
        assert!(unproven.why.starts_with("nothing of it can be seen: available"), "{unproven:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_throttled_or_denied_was_not_done_and_says_so() {
    let (emulator, proxy, step) = behind_a_proxy().await;
    proxy.fault(Match::operation("PromoteReadReplica"), Fault::Throttle, Times::ONCE);
    let throttled = step.execute().await.unwrap_err();
    assert_eq!(throttled.acted, Acted::No);
    assert!(throttled.next.contains("nothing was done"), "{throttled:?}");
    emulator.control(json!({"deny": ["rds:PromoteReadReplica"]}));
    let denied = step.execute().await.unwrap_err();
    assert_eq!((denied.acted, sent(&proxy)), (Acted::No, 2));
    assert!(denied.next.contains("`rds:PromoteReadReplica`"), "{denied:?}");
    emulator.control(json!({"deny": []}));
    step.execute().await.unwrap();
    assert!(step.verify().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_vanishes_in_the_middle_and_comes_back_is_believed() {
    let (emulator, proxy, step) = behind_a_proxy().await;
    emulator.control(json!({"transition_ms": 1500}));
    let lines = step.lines.clone();
    let outage = async {
        let heard = |part: &str| lines.lock().unwrap().iter().any(|line| line.contains(part));
        let wait = async |part: &str| {
            while !heard(part) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        wait("modifying, still").await;
        proxy.refuse();
        wait("not seen: ").await;
        proxy.restore();
    };
    let (executed, ()) = tokio::join!(step.execute(), outage);
    executed.unwrap();
    assert!(step.said().contains("connection refused"), "{}", step.said());
    assert!(step.verify().await.unwrap().evidence[0].contains("is standalone"));
    assert_eq!(sent(&proxy), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_does_not_answer_is_described_not_proven_and_not_acted_on() {
    let (_emulator, proxy, step) = behind_a_proxy().await;
    for fault in [Fault::Hang, Fault::Html(200), Fault::ExpiredToken] {
        proxy.fault(Match::all(), fault, Times::Always);
        let begun = tokio::time::Instant::now();
        let described = step.action.describe().await.unwrap();
        assert!(
            !described.target.reachable && described.notes[0].contains("It cannot be read"),
            "{described:?}"
        );
        assert!(described.command.starts_with("aws rds promote-read-replica"), "{described:?}");
        let failure = step.execute().await.unwrap_err();
        assert!(failure.acted == Acted::No && !failure.next.is_empty(), "{failure:?}");
        assert!(step.verify().await.is_err());
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        proxy.clear();
    }
    let unseen = step.action.manual();
    assert!(unseen.instructions[0].ends_with("--backup-retention-period 7 --region us-west-2"), "{unseen:?}");
    assert_eq!(sent(&proxy), 0);
}
