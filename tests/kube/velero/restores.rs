//! What is restored, and what of that is proven; read back with `kubectl`.

use super::server::Server;
use super::{ago, backup, define, location};
use crate::kube::{Cluster, Kit, VIEWER, cluster, wait_until};
use jiff::SignedDuration;
use lifeboat::core::words::action::{Acted, Failure};
use lifeboat::kinds::action::Context;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const PROGRESS: &str = r#"{"progress": {"itemsBackedUp": 40, "totalItems": 40}}"#;

fn step(id: &str, namespace: &str, more: &str) -> String {
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"velero-restore\"\nwith.context = \"a\"\n\
         with.velero_namespace = \"{namespace}\"\n{more}\nconfirm = \"yes\"\ntimeout = \"30s\"\n"
    )
}

/// A namespace with the backup `shop-1` that can be read, and a step that restores it.
fn scene(test: &str, more: &str) -> (&'static Cluster, String, Kit) {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace(test);
    location(east, &namespace, "Available", "", 0);
    backup(east, &namespace, "shop-1", "Completed", 60, PROGRESS);
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("restore", &namespace, &format!("with.schedule = \"shop\"\n{more}")),
    );
    (east, namespace, kit)
}

fn completed(warnings: u64, items: u64) -> Value {
    json!({"phase": "Completed", "warnings": warnings, "progress": {"itemsRestored": items, "totalItems": items}})
}

/// With so many minutes of the wait's own time, of which each look takes two seconds.
fn context(kit: &Kit, minutes: i64) -> Context {
    Context { timeout: SignedDuration::from_mins(minutes), ..kit.context() }
}

fn restores(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    let list = cluster.kubectl(&["-n", namespace, "get", "restores.velero.io", "-o", "json"]);
    serde_json::from_str::<Value>(&list).unwrap()["items"].as_array().unwrap().clone()
}

/// Describes the step, executes what was described, and looks for the proof.
async fn run(kit: &Kit) -> (Result<String, Failure>, Result<Vec<String>, Failure>) {
    let action = kit.action("restore");
    let described = action.describe().await.unwrap();
    let done = action.execute(&described.target, &context(kit, 60)).await;
    let proof = action.verify(&described.target, &kit.context()).await;
    (done.map(|done| done.summary), proof.map(|proof| proof.evidence))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_to_its_end_and_proven() {
    let more = "with.included_namespaces = [\"shop\"]\nwith.namespace_mapping = { shop = \"drill\" }\nwith.existing = \"update\"";
    let (east, namespace, kit) = scene("restored", more);
    backup(east, &namespace, "shop-0", "Completed", 600, "{}");
    backup(east, &namespace, "shop-2", "PartiallyFailed", 5, r#"{"errors": 1}"#);
    let _server = Server::start(east, &namespace, completed(0, 40));
    let action = kit.action("restore");
    let described = action.describe().await.unwrap();
    assert_eq!(described.target.name, "shop-1");
    let uid = east.field(&namespace, "backups.velero.io/shop-1", "{.metadata.uid}");
    assert_eq!(described.target.property("uid"), Some(&*uid));
    let flags = "--include-namespaces shop --namespace-mappings shop:drill --existing-resource-policy update --restore-volumes=true";
    assert_eq!(
        described.command,
        format!(
            "velero --kubecontext east --namespace {namespace} restore create --from-backup shop-1 {flags}"
        )
    );
    let notes = described.notes.join("\n");
    assert!(
        notes.contains("shop-1: 60 min old, complete, 40 of 40 items, 0 errors, 0 warnings; it expires 20"),
        "{notes}"
    );
    assert!(
        notes.contains(
            "It has the namespaces shop, web, and lies in the storage location default, which is available"
        ),
        "{notes}"
    );
    assert!(
        notes.contains("A newer one cannot be restored: shop-2 is PartiallyFailed, 1 errors."),
        "{notes}"
    );
    assert!(notes.contains("newer changes are lost"), "{notes}");
    assert!(
        described.sets.contains(&("namespace shop".to_owned(), "into drill".to_owned())),
        "{:?}",
        described.sets
    );
    assert_eq!(restores(east, &namespace), [] as [Value; 0], "nothing is made to describe it");

    let said = Arc::new(Mutex::new(Vec::new()));
    let saying = said.clone();
    let output = Arc::new(move |line: &str| saying.lock().unwrap().push(line.to_owned()));
    let context = Context { output, ..context(&kit, 60) };
    let done = action.execute(&described.target, &context).await.unwrap();
    assert!(done.summary.contains("is Completed, 40 of 40 items, 0 errors, 0 warnings"), "{}", done.summary);
    let proof = action.verify(&described.target, &context).await.unwrap();
    assert!(proof.evidence[0].contains("of backup shop-1: Completed, 40 of 40 items"), "{proof:?}");
    let all = restores(east, &namespace);
    assert_eq!(all.len(), 1);
    let spec = json!({
        "backupName": "shop-1", "includedNamespaces": ["shop"], "namespaceMapping": {"shop": "drill"},
        "existingResourcePolicy": "update", "restorePVs": true});
    assert_eq!(all[0]["spec"], spec);
    let said = said.lock().unwrap().join("\n");
    assert!(said.contains("of backup shop-1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_are_for_a_person_unless_the_plan_accepts_them() {
    let (east, namespace, kit) = scene("warned", "");
    let server = Server::start(east, &namespace, completed(3, 40));
    let (done, proof) = run(&kit).await;
    assert!(done.unwrap().contains("3 warnings"));
    let failure = proof.unwrap_err();
    assert!(failure.why.ends_with("is Completed with 3 warnings"), "{failure}");
    let name = restores(east, &namespace)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let read = format!("velero --kubecontext east --namespace {namespace} restore describe {name} --details");
    assert_eq!(failure.next, format!("Read them: `{read}`. Then attest the step with what you accepted."));
    drop(server);

    let (east, namespace, kit) = scene("accepted", "with.accept_warnings = true");
    let _server = Server::start(east, &namespace, completed(3, 40));
    let (_, proof) = run(&kit).await;
    assert!(proof.unwrap()[0].contains("0 errors, 3 warnings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_in_part_or_restored_nothing_is_never_proven() {
    let part = json!({"phase": "PartiallyFailed", "errors": 2, "warnings": 1,
                      "progress": {"itemsRestored": 38, "totalItems": 40}});
    let failed = json!({"phase": "Failed", "failureReason": "error \u{1b}[2J downloading backup"});
    for (test, end, words, acted) in [
        ("part", part, "PartiallyFailed, 38 of 40 items, 2 errors, 1 warnings", Acted::Maybe),
        ("gave-up", failed, "downloading backup", Acted::Maybe),
    ] {
        let (east, namespace, kit) = scene(test, "with.accept_warnings = true");
        let _server = Server::start(east, &namespace, end);
        let (done, proof) = run(&kit).await;
        for failure in [done.unwrap_err(), proof.unwrap_err()] {
            assert!(failure.why.contains(words) && failure.acted == acted, "{test}: {failure:?}");
            assert!(!failure.why.contains('\u{1b}'), "{failure:?}");
        }
    }
    let (east, namespace, kit) = scene("nothing", "");
    let _server = Server::start(east, &namespace, completed(0, 0));
    let failure = run(&kit).await.1.unwrap_err();
    assert!(failure.why.contains("restored nothing"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_velero_refuses_is_said_in_its_words_and_did_nothing() {
    let (east, namespace, kit) = scene("refused", "");
    let described = kit.action("restore").describe().await.unwrap();
    // The location is lost once the restore is made, before Velero looks at it.
    let context = context(&kit, 60);
    let action = kit.action("restore");
    let executed = action.execute(&described.target, &context);
    let lost = async {
        tokio::task::spawn_blocking(move || {
            wait_until("it is made", || !restores(east, &namespace).is_empty());
            location(east, &namespace, "Unavailable", "", 0);
            Server::start(east, &namespace, completed(0, 40))
        })
        .await
        .unwrap()
    };
    let (failure, _server) = futures::future::join(executed, lost).await;
    let failure = failure.unwrap_err();
    assert!(failure.why.contains("The BSL default is unavailable, cannot retrieve the backup"), "{failure}");
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.next.starts_with("Velero restored nothing."), "{}", failure.next);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_pick_it_up_leaves_it_unknown_and_no_second_one_is_made_beside_it() {
    let (east, namespace, kit) = scene("waits", "");
    let action = kit.action("restore");
    let described = action.describe().await.unwrap();
    let failure = action.execute(&described.target, &kit.context()).await.unwrap_err();
    assert!(
        failure.why.contains("Velero has not picked it up") && failure.acted == Acted::Maybe,
        "{failure:?}"
    );
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("is not through: New"), "{unproven}");
    let next = Context { token: "incident/1/act/step/2".into(), ..kit.context() };
    let earlier = action.goes_on(&next).await.unwrap();
    assert!(earlier.why.contains("an earlier attempt is under way"), "{earlier}");
    assert_eq!(action.goes_on(&kit.context()).await, None);
    let beside = action.execute(&described.target, &next).await.unwrap_err();
    assert!(beside.why.contains("an earlier attempt of this step is under way"), "{beside}");
    assert_eq!((beside.acted, restores(east, &namespace).len()), (Acted::No, 1));
    let notes = action.describe().await.unwrap().notes.join("\n");
    assert!(notes.contains("these are under way: lifeboat-"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_making_and_following_makes_no_second_one() {
    let (east, namespace, kit) = scene("crash", "");
    let action = kit.action("restore");
    let described = action.describe().await.unwrap();
    let context = context(&kit, 60);
    {
        let watched = namespace.clone();
        let made = tokio::task::spawn_blocking(move || {
            wait_until("it is made", || !restores(east, &watched).is_empty());
        });
        let executed = action.execute(&described.target, &context);
        let first = futures::future::select(executed, made).await;
        assert!(matches!(first, futures::future::Either::Right(_)), "nobody follows it any more");
    }
    let _server = Server::start(east, &namespace, completed(0, 40));
    action.execute(&described.target, &context).await.unwrap();
    action.verify(&described.target, &context).await.unwrap();
    assert_eq!(restores(east, &namespace).len(), 1);
    // Once it is over, the same attempt still makes no second one.
    action.execute(&described.target, &context).await.unwrap();
    assert_eq!(restores(east, &namespace).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_that_name_that_somebody_else_made_is_neither_touched_nor_a_proof() {
    let (east, namespace, kit) = scene("foreign", "");
    let action = kit.action("restore");
    let described = action.describe().await.unwrap();
    action.execute(&described.target, &kit.context()).await.unwrap_err();
    let name = restores(east, &namespace)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    east.kubectl(&["-n", &namespace, "delete", "restores.velero.io", &name]);
    let gone = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(gone.why.contains(&format!("there is no restore/{name} of this attempt")), "{gone}");
    let foreign = json!({
        "apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": name, "namespace": namespace},
        "spec": {"backupName": "shop-1"}, "status": completed(0, 40)});
    east.apply(&foreign.to_string());
    let failure = action.execute(&described.target, &kit.context()).await.unwrap_err();
    assert!(failure.why.contains("does not carry the mark of this attempt"), "{failure}");
    assert_eq!(failure.acted, Acted::No);
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("does not carry the mark of this attempt"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_backup_since_is_another_target() {
    let (east, namespace, kit) = scene("newer", "");
    let described = kit.action("restore").describe().await.unwrap();
    backup(east, &namespace, "shop-2", "Completed", 1, PROGRESS);
    let changed = kit.execute("restore", &described.target).await.unwrap_err();
    assert!(changed.what.contains("the target shop-1 changed since it was confirmed"), "{changed}");
    assert!(changed.why.contains("backup is shop-2, was shop-1") && changed.acted == Acted::No, "{changed}");
    // The same name, and another backup.
    let described = kit.action("restore").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "delete", "backups.velero.io", "shop-2"]);
    backup(east, &namespace, "shop-2", "Completed", 1, PROGRESS);
    let anew = kit.execute("restore", &described.target).await.unwrap_err();
    assert!(anew.why.contains("uid is "), "{anew}");
    assert_eq!(restores(east, &namespace), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_come_to_nothing_is_said_before_and_refused() {
    let (east, namespace, _) = scene("hopeless", "");
    let expired = format!(r#"{{"expiration": "{}"}}"#, ago(1));
    backup(east, &namespace, "old-1", "Completed", 60, &expired);
    backup(east, &namespace, "part-1", "PartiallyFailed", 60, r#"{"errors": 2}"#);
    let steps =
        step("absent", &namespace, "with.schedule = \"shop\"\nwith.included_namespaces = [\"shop\", \"db\"]")
            + &step("old", &namespace, "with.backup = \"old-1\"")
            + &step("part", &namespace, "with.backup = \"part-1\"")
            + &step("none", &namespace, "with.selector = \"velero.io/schedule-name=nightly\"")
            + &step("good", &namespace, "with.backup = \"shop-1\"");
    let kit = Kit::new(&[east.admin()], "", &steps);
    for (id, words) in [
        ("absent", "the backup shop-1 does not have db"),
        ("old", "none of 1 backups named old-1 in"),
        ("part", "part-1 is PartiallyFailed, 2 errors"),
        ("none", "there is no backup with the labels velero.io/schedule-name=nightly"),
    ] {
        let described = kit.action(id).describe().await.unwrap();
        let notes = described.notes.join("\n");
        assert!(notes.contains(words) && notes.contains("will refuse"), "{id}: {notes}");
        let failure = kit.execute(id, &described.target).await.unwrap_err();
        assert!(failure.why.contains(words) && failure.acted == Acted::No, "{id}: {failure:?}");
        let checks = format!("{:?}", kit.action(id).preflight().await);
        assert!(checks.contains("Fail") && checks.contains(words), "{id}: {checks}");
    }
    let checks = format!("{:?}", kit.action("good").preflight().await);
    assert!(
        !checks.contains("Fail")
            && checks.contains("shop-1: 60 min old")
            && checks.contains("default is available"),
        "{checks}"
    );
    location(east, &namespace, "Unavailable", "no such bucket", 0);
    let described = kit.action("good").describe().await.unwrap();
    let failure = kit.execute("good", &described.target).await.unwrap_err();
    assert!(
        failure.why.contains("default is Unavailable, so nobody can read it: no such bucket"),
        "{failure}"
    );
    let checks = format!("{:?}", kit.action("good").preflight().await);
    assert!(checks.contains("Fail(\"its storage location default is Unavailable"), "{checks}");
    assert_eq!(restores(east, &namespace), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_restore_is_told_before() {
    let (east, namespace, _) = scene("readers", "");
    east.kubectl(&[
        "-n",
        &namespace,
        "create",
        "role",
        "see",
        "--verb=get,list",
        "--resource=backups.velero.io,restores.velero.io,backupstoragelocations.velero.io",
    ]);
    east.kubectl(&["-n", &namespace, "create", "rolebinding", "see", "--role=see", "--user=viewer"]);
    let config = east.config("viewer-of-restores", &format!("{{token: {VIEWER}}}"));
    let kit = Kit::new(&[config], "", &step("restore", &namespace, "with.schedule = \"shop\""));
    let described = kit.action("restore").describe().await.unwrap();
    let notes = described.notes.join("\n");
    assert!(notes.contains("cannot create resource \"restores\""), "{notes}");
    let failure = kit.execute("restore", &described.target).await.unwrap_err();
    assert!(failure.next.contains("`create restores.velero.io` granted"), "{}", failure.next);
    assert_eq!(failure.acted, Acted::No);
}
