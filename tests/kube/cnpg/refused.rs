//! What is refused: two that take writes, tokens that are not the newest, changes by somebody else in between.

use super::operator::{Api, Operator, token};
use super::{MOMENT, both, run, says, settle, shown, step};
use crate::kube::{Kit, VIEWER, wait_until};
use lifeboat::core::words::action::Acted;
use lifeboat::plan::load_texts;
use lifeboat::providers::registry;
use serde_json::json;
use std::time::Instant;

const WITHOUT: &str = "with.without_token = true";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_promoted_beside_a_primary() {
    let (east, west, namespace) = both("cnpg-beside");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let steps = step("promote", "cnpg-promote", &namespace, "b", "a", "")
        + &step("failover", "cnpg-promote", &namespace, "b", "a", WITHOUT);
    let kit = Kit::new(&[east.admin(), west.admin()], "", &steps);
    let blind =
        Kit::new(&[east.config("viewer-beside", &format!("{{token: {VIEWER}}}")), west.admin()], "", &steps);
    for step in ["promote", "failover"] {
        let described = kit.action(step).describe().await.unwrap();
        says(&described.notes, "is still the primary: two would take writes: this step will refuse");
        let refused = run(&kit, step).await.unwrap_err();
        assert_eq!(refused.acted, Acted::No, "{refused}");
        // Its API server answers: that lifeboat may not look is no loss of it.
        let refused = run(&blind, step).await.unwrap_err();
        assert!(refused.acted == Acted::No && refused.why.contains("lifeboat does not see it"), "{refused}");
        let checks = kit.action(step).preflight().await;
        let failed = checks.iter().filter(|check| format!("{:?}", check.result).starts_with("Fail")).count();
        assert_eq!(failed, 0, "before the night it has to be so: {checks:?}");
    }
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");
    // Demoted by hand, and the operator has not begun.
    Api::of(east, &namespace).patch("", &json!({"spec": {"replica": {"primary": "west"}}})).await;
    let refused = run(&kit, "failover").await.unwrap_err();
    assert!(refused.why.contains("db-1 still takes writes"), "{refused}");
    // Shut for good: then it may be.
    Api::of(east, &namespace).patch("", &json!({"spec": {"replica": {"primary": "east"}}})).await;
    let fence = json!({"metadata": {"annotations": {"cnpg.io/fencedInstances": "[\"*\"]"}}});
    Api::of(east, &namespace).patch("", &fence).await;
    Api::of(east, &namespace).status(json!({"readyInstances": 0})).await;
    let described = kit.action("failover").describe().await.unwrap();
    says(&described.notes, "takes no writes now, and gives no token");
    Api::of(east, &namespace).patch("", &json!({"metadata": {"annotations": null}})).await;
    let changed = kit.action("failover").execute(&described.target, &kit.patient()).await.unwrap_err();
    assert!(changed.acted == Acted::No, "{changed}");
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_shut_the_primary_promotes_nobody_while_an_instance_of_it_is_ready() {
    let (east, west, namespace) = both("cnpg-wish");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let kit = Kit::new(
        &[east.admin(), west.admin()],
        "",
        &step("failover", "cnpg-promote", &namespace, "b", "a", WITHOUT),
    );
    let action = kit.action("failover");
    let (api, other) = (Api::of(east, &namespace), Api::of(west, &namespace));
    api.patch("", &json!({"metadata": {"annotations": {"cnpg.io/fencedInstances": "[\"*\"]"}}})).await;
    api.status(json!({"readyInstances": null})).await;
    let described = action.describe().await.unwrap();
    super::see::instance(east, &namespace, "db-1");
    let is_ready = "{.status.conditions[?(@.type==\"Ready\")].status}";
    wait_until("its instance runs", || east.field(&namespace, "pods/db-1", is_ready) == "True");
    let refused = run(&kit, "failover").await.unwrap_err();
    let says_so = refused.why.contains("is to be shut, and its instance db-1 is ready");
    assert!(refused.acted == Acted::No && says_so, "{refused}");
    let changed = action.execute(&described.target, &kit.patient()).await.unwrap_err();
    assert_eq!(changed.acted, Acted::No, "{changed}");
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");
    // Promoted all the same, by somebody: that is no success.
    other.patch("", &json!({"spec": {"replica": {"primary": "west"}}})).await;
    other.status(super::operator::healthy(true, 2)).await;
    let two = action.verify(&described.target, &kit.patient()).await.unwrap_err();
    assert!(two.why.starts_with("TWO PRIMARIES") && two.why.contains("db-1 is ready"), "{two}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_of_the_primary_is_no_loss_of_it() {
    let (east, west, namespace) = both("cnpg-name");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let wrong = step("failover", "cnpg-promote", &namespace, "b", "a", WITHOUT)
        .replace("with.from = \"db\"", "with.from = \"dbb\"");
    let elsewhere = step("elsewhere", "cnpg-promote", &namespace, "b", "a", WITHOUT)
        .replace("with.from = ", "with.from_namespace = \"default\"\nwith.from = ");
    let kit = Kit::new(&[east.admin(), west.admin()], "", &(wrong + &elsewhere));
    for step in ["failover", "elsewhere"] {
        let found = format!("{namespace}/db (\"east\" in the topology) is a primary of this database");
        // Clusters of other tests that have no status yet count by their name in the topology, which is the same.
        let deadline = Instant::now() + MOMENT;
        loop {
            // The database of this test is no other test's, whatever the operator wrote last.
            for cluster in [east, west] {
                Api::of(cluster, &namespace).status(json!({"systemID": namespace})).await;
            }
            let refused = run(&kit, step).await.unwrap_err();
            assert!(refused.acted == Acted::No, "{refused}");
            if refused.why.contains(&found) {
                break;
            }
            assert!(Instant::now() < deadline, "{refused}");
        }
    }
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");
    east.kubectl(&["-n", &namespace, "delete", "clusters.postgresql.cnpg.io", "db"]);
    let deadline = Instant::now() + MOMENT;
    loop {
        let described = kit.action("failover").describe().await.unwrap();
        if !described.notes.iter().any(|note| note.contains("will refuse")) {
            says(&described.notes, "and no other primary of this database");
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", described.notes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_here_is_no_loss_of_the_primary_and_by_hand_its_name_in_the_topology_is_taken() {
    let (east, west, namespace) = both("cnpg-signin");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let signs = "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: \"false\", interactiveMode: Never}}";
    let steps = step("failover", "cnpg-promote", &namespace, "b", "a", WITHOUT)
        + &step("demote", "cnpg-demote", &namespace, "b", "a", "");
    let kit = Kit::new(&[east.config("signs-out", signs), west.admin()], "", &steps);
    let refused = run(&kit, "failover").await.unwrap_err();
    assert!(refused.acted == Acted::No && refused.why.contains("lifeboat does not see it"), "{refused}");
    assert!(refused.next.contains("Run it by hand"), "{refused:?}");
    for step in ["failover", "demote"] {
        let by_hand = kit.action(step).manual().instructions.join("\n");
        assert!(
            by_hand.contains(r#""primary":"NAME""#) && by_hand.contains("{.spec.replica.self}"),
            "{by_hand}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_an_earlier_demotion_is_refused_before_and_a_wrong_one_by_the_operator() {
    let (east, west, namespace) = both("cnpg-stale");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    let steps = step("demote", "cnpg-demote", &namespace, "a", "b", "")
        + &step("promote", "cnpg-promote", &namespace, "b", "a", "");
    let kit = Kit::new(&[east.admin(), west.admin()], "", &steps);
    run(&kit, "demote").await.unwrap();
    operator.rest(true);
    let api = Api::of(west, &namespace);
    api.status(json!({"instancesReportedState": {"db-1": {"timeLineID": 2}}})).await;
    let refused = run(&kit, "promote").await.unwrap_err();
    assert!(refused.why.contains("is too old (timeline 1 at 0/1000028"), "{refused}");
    api.status(json!({"instancesReportedState": {"db-1": {"timeLineID": 1}}})).await;
    // What only the instances can tell: it is not the point up to which they replayed.
    Api::of(east, &namespace).status(json!({"demotionToken": token(1, "0/7000028")})).await;
    operator.rest(false);
    let described = kit.action("promote").describe().await.unwrap();
    let wrong = kit.action("promote").execute(&described.target, &kit.patient()).await.unwrap_err();
    assert_eq!(wrong.acted, Acted::Maybe);
    assert!(wrong.why.contains("Promotion token content is not correct for current instance"), "{wrong}");
    let unproven = kit.action("promote").verify(&described.target, &kit.patient()).await.unwrap_err();
    assert!(unproven.why.contains("does not go on"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_since_is_not_touched() {
    let (east, west, namespace) = both("cnpg-changed");
    let _operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    let steps = step("demote", "cnpg-demote", &namespace, "a", "b", "")
        + &step("promote", "cnpg-promote", &namespace, "b", "a", "");
    let kit = Kit::new(&[east.admin(), west.admin()], "", &steps);
    let described = kit.action("demote").describe().await.unwrap();
    Api::of(east, &namespace).patch("", &json!({"spec": {"instances": 3}})).await;
    let changed = kit.action("demote").execute(&described.target, &kit.patient()).await.unwrap_err();
    assert!(changed.acted == Acted::No && changed.why.contains("instances is 3, was 2"), "{changed}");
    assert_eq!(shown(east, &namespace, "{.spec.replica.primary}"), "east");

    run(&kit, "demote").await.unwrap();
    let described = kit.action("promote").describe().await.unwrap();
    // The other one is made the primary again before it is sent.
    Api::of(east, &namespace).patch("", &json!({"spec": {"replica": {"primary": "east"}}})).await;
    let changed = kit.action("promote").execute(&described.target, &kit.patient()).await.unwrap_err();
    assert_eq!(changed.acted, Acted::No, "{changed}");
    assert_eq!(shown(west, &namespace, "{.spec.replica.primary}"), "east");
    // One that is made anew is another one.
    west.kubectl(&["-n", &namespace, "delete", "clusters.postgresql.cnpg.io", "db"]);
    super::database(west, &namespace, "west", "east");
    settle(&namespace);
    let anew = kit.action("promote").execute(&described.target, &kit.patient()).await.unwrap_err();
    assert!(anew.acted == Acted::No && anew.why.contains("uid is"), "{anew}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_is_not_demoted_for_what_does_not_follow_it_or_while_it_cannot_archive() {
    let (east, west, namespace) = both("cnpg-unfit");
    let operator = Operator::start(&[east, west], &namespace);
    settle(&namespace);
    operator.rest(true);
    let kit =
        Kit::new(&[east.admin(), west.admin()], "", &step("demote", "cnpg-demote", &namespace, "a", "b", ""));
    let refused = async |words: &str| {
        let refused = run(&kit, "demote").await.unwrap_err();
        assert!(refused.acted == Acted::No && refused.why.contains(words), "{words}: {refused}");
        assert_eq!(shown(east, &namespace, "{.spec.replica.primary}"), "east");
    };
    let failing = json!([{"type": "ContinuousArchiving", "status": "False", "message": "403 Forbidden"}]);
    Api::of(east, &namespace).status(json!({"conditions": failing})).await;
    refused("cannot archive, and its demotion would not end: 403 Forbidden").await;
    Api::of(east, &namespace).status(json!({"conditions": []})).await;
    Api::of(west, &namespace).status(json!({"phase": "Creating a new replica"})).await;
    refused("is not healthy: Creating a new replica").await;
    Api::of(west, &namespace)
        .status(json!({"instancesReportedState": {"db-1": null}, "phase": super::operator::HEALTHY}))
        .await;
    refused("do not tell their timeline").await;
    west.kubectl(&["-n", &namespace, "delete", "clusters.postgresql.cnpg.io", "db"]);
    refused("who takes over from").await;
}

#[test]
fn a_step_that_may_lose_data_has_to_be_confirmed_by_typing() {
    let problems = |confirm: &str| {
        let step = step("failover", "cnpg-promote", "shop", "b", "a", WITHOUT);
        let text = format!(
            "[plan]\nname = \"Test\"\n[regions]\na = {{ role = \"primary\" }}\nb = {{ role = \"standby\" }}\n\
             [probes]\nport = {{ kind = \"tcp\", region = \"a\", address = \"127.0.0.1:1\" }}\n\
             [tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it down?\"\nanswers = {{ yes = \"act\" }}\n\
             [runbooks.act]\ntitle = \"Act\"\n{}",
            step.replace("\"type\"", confirm)
        );
        let loaded = load_texts(vec![("plan.toml".into(), text)], &registry());
        loaded.err().map(|problems| problems.to_string()).unwrap_or_default()
    };
    assert_eq!(problems("\"type\""), "");
    let untyped = problems("\"yes\"");
    assert!(untyped.contains("step `failover` can lose data and is not confirmed by typing"), "{untyped}");
}
