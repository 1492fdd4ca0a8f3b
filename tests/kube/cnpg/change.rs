//! A planned change of the primary, there and back, and a failover without a token.

use super::operator::{Operator, token};
use super::{MOMENT, both, run, says, settle, shown, step};
use crate::broken;
use crate::kube::{Kit, wait_until};
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;
use serde_json::json;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_moves_by_tokens_and_comes_back() {
    let (east, west, namespace) = both("cnpg-moved");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    east.kubectl(&[
        "-n",
        &namespace,
        "annotate",
        "clusters.postgresql.cnpg.io/db",
        "meta.helm.sh/release-name=shop",
    ]);
    let steps = [
        step("demote", "cnpg-demote", &namespace, "a", "b", ""),
        step("promote", "cnpg-promote", &namespace, "b", "a", ""),
        step("demote-back", "cnpg-demote", &namespace, "b", "a", ""),
        step("promote-back", "cnpg-promote", &namespace, "a", "b", ""),
    ];
    let kit = Kit::new(&[east.admin(), west.admin()], "", &steps.concat());

    let (described, done, proof) = run(&kit, "demote").await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/db"));
    assert!(
        described.sets.contains(&("spec.replica.primary".into(), "east -> west".into())),
        "{:?}",
        described.sets
    );
    says(&described.notes, "NOBODY TAKES WRITES");
    says(&described.notes, &format!("The Helm release shop sets {namespace}/db back"));
    assert!(
        done.summary.contains("a replica of west, demotion token: timeline 1 at 0/1000028"),
        "{}",
        done.summary
    );
    let first = token(1, "0/1000028");
    says(&proof.evidence, &format!("status.demotionToken is {first}"));
    assert_eq!(
        shown(east, &namespace, "{.spec.replica.primary} {.status.demotionToken}"),
        format!("west {first}")
    );
    let again = run(&kit, "demote").await.unwrap_err();
    assert!(again.why.contains("is a replica of west already"), "{again}");

    let (described, _, proof) = run(&kit, "promote").await.unwrap();
    assert!(described.command.contains(&first), "{}", described.command);
    says(&described.notes, "nothing is lost");
    says(&proof.evidence, "db-1 is out of recovery and ready, timeline 2");
    says(&proof.evidence, "the token was verified: timeline 1 at 0/1000028");
    let state = "{.spec.replica.primary} {.spec.replica.promotionToken} {.status.lastPromotionToken}";
    assert_eq!(shown(west, &namespace, state), format!("west {first} {first}"));
    let again = run(&kit, "promote").await.unwrap_err();
    assert!(again.why.contains("it is already a primary"), "{again}");

    let follows = || shown(east, &namespace, "{.status.instancesReportedState.db-1.timeLineID}") == "2";
    wait_until("the demoted one follows", follows);
    let (described, ..) = run(&kit, "demote-back").await.unwrap();
    assert!(
        described.sets.contains(&("spec.replica.promotionToken".into(), "taken away".into())),
        "{described:?}"
    );
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary} {.spec.replica.promotionToken}"), "east");
    let (.., proof) = run(&kit, "promote-back").await.unwrap();
    says(&proof.evidence, "the token was verified: timeline 2 at 0/2000028");
    assert_eq!(shown(east, &namespace, "{.spec.replica.primary} {.status.demotionToken}"), "east");
    assert_eq!(*operator.refused.lock().unwrap(), Vec::<String>::new(), "what the real webhook would refuse");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_the_demoted_one_follows_is_told_as_its_status_tells_it() {
    let (east, west, namespace) = both("cnpg-follows");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    let steps = step("demote", "cnpg-demote", &namespace, "a", "b", "")
        + &step("promote", "cnpg-promote", &namespace, "b", "a", "");
    let kit = Kit::new(&[east.admin(), west.admin()], "", &steps);
    run(&kit, "demote").await.unwrap();
    let (described, ..) = run(&kit, "promote").await.unwrap();
    wait_until("the demoted one follows", || {
        shown(east, &namespace, "{.status.instancesReportedState.db-1.timeLineID}") == "2"
    });
    let verify = async || kit.action("promote").verify(&described.target, &kit.patient()).await;
    says(&verify().await.unwrap().evidence, "db of east follows on timeline 2");
    operator.rest(true);
    let api = super::operator::Api::of(east, &namespace);
    api.status(json!({"instancesReportedState": {"db-1": {"timeLineID": 1}}})).await;
    says(&verify().await.unwrap().evidence, "follows is NOT to be seen yet: its timeline is 1");
    // Somebody makes the old one a primary again.
    api.patch("", &json!({"spec": {"replica": {"primary": "east"}}})).await;
    let two = verify().await.unwrap_err();
    assert!(two.why.starts_with("TWO PRIMARIES"), "{two}");
    // It is deleted. The database of this test is no other test's.
    super::operator::Api::of(west, &namespace).status(json!({"systemID": namespace})).await;
    east.kubectl(&["-n", &namespace, "delete", "clusters.postgresql.cnpg.io", "db"]);
    // Clusters of other tests that have no status yet count by their name in the topology, which is the same.
    let deadline = Instant::now() + MOMENT;
    let proof = loop {
        match verify().await {
            Err(two) if two.why.starts_with("TWO PRIMARIES") && Instant::now() < deadline => {}
            proof => break proof.unwrap(),
        }
    };
    says(&proof.evidence, "is NOT there");
    // And the new one a replica.
    let back = json!({"spec": {"replica": {"primary": "east", "promotionToken": null}}});
    super::operator::Api::of(west, &namespace).patch("", &back).await;
    let lost = verify().await.unwrap_err();
    assert!(
        lost.why.contains("spec.replica.primary of") && lost.why.contains("is \"east\", not \"west\""),
        "{lost}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_does_not_run_leaves_the_demotion_unknown_and_an_old_token_proves_nothing() {
    let (east, west, namespace) = both("cnpg-asleep");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let old = token(1, "0/9000028");
    super::operator::Api::of(east, &namespace).status(json!({"demotionToken": old})).await;
    let kit =
        Kit::new(&[east.admin(), west.admin()], "", &step("demote", "cnpg-demote", &namespace, "a", "b", ""));
    let action = kit.action("demote");
    let described = action.describe().await.unwrap();
    let short = Context { timeout: jiff::SignedDuration::from_secs(6), ..kit.context() };
    let late = action.execute(&described.target, &short).await.unwrap_err();
    assert_eq!(late.acted, Acted::Maybe);
    assert!(
        late.why.contains("CloudNativePG is not through") && late.next.contains("operator runs"),
        "{late:?}"
    );
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("db-1 is still a primary"), "{unproven}");
    // What the status says of the instances is not all: the token is the old one.
    super::operator::Api::of(east, &namespace)
        .status(json!({"instancesReportedState": {"db-1": {"isPrimary": false}}}))
        .await;
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(
        unproven.why.contains("no demotion token that is newer than timeline 1 at 0/9000028"),
        "{unproven}"
    );
    super::operator::Api::of(east, &namespace)
        .status(json!({"instancesReportedState": {"db-1": {"isPrimary": true}}}))
        .await;
    operator.rest(false);
    let through = || shown(east, &namespace, "{.status.demotionToken}") == token(1, "0/1000028");
    wait_until("the operator went on", through);
    wait_until("it lifted its fence", || {
        shown(east, &namespace, "{.metadata.annotations.cnpg\\.io/fencedInstances}").is_empty()
    });
    let proof = action.verify(&described.target, &kit.context()).await.unwrap();
    says(&proof.evidence, "demotion token, new: timeline 1 at 0/1000028");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_primary_gives_no_token_and_only_a_plan_that_takes_that_goes_on() {
    let (east, west, namespace) = both("cnpg-lost");
    let _operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    let folder = tempfile::tempdir().unwrap();
    let dead = format!("https://127.0.0.1:{}", crate::port::free());
    let dead = broken::config(&folder, &dead, "");
    let steps = step("promote", "cnpg-promote", &namespace, "b", "a", "")
        + &step("failover", "cnpg-promote", &namespace, "b", "a", "with.without_token = true");
    let kit = Kit::new(&[dead, west.admin()], "", &steps);
    let described = kit.action("promote").describe().await.unwrap();
    says(&described.notes, "the other cluster gives no token");
    says(&described.notes, "`without_token = true`");
    let refused = run(&kit, "promote").await.unwrap_err();
    assert!(refused.acted == Acted::No && refused.why.contains("connection refused"), "{refused:?}");
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");

    let (described, _, proof) = run(&kit, "failover").await.unwrap();
    says(&described.notes, "WITHOUT A TOKEN: what was not shipped from the old primary is LOST");
    says(&described.notes, "STILL TAKES WRITES IS NOT KNOWN");
    says(&described.notes, "has to be REBUILT");
    says(&proof.evidence, "db-1 is out of recovery and ready, timeline 2");
    says(&proof.evidence, "takes writes or follows is NOT known");
    let state = "{.spec.replica.primary} {.spec.replica.promotionToken}";
    assert_eq!(shown(west, &namespace, state), "west");
}
