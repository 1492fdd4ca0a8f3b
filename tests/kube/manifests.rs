//! Manifests that are applied to a real cluster; what they changed is read back with `kubectl`.

use crate::act::step;
use crate::kube::{Cluster, Kit, VIEWER, Webhook, cluster, wait_until};
use crate::owned::{application, define};
use jiff::SignedDuration;
use lifeboat::core::words::action::{Acted, Description};
use lifeboat::kinds::action::Context;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

/// A folder with manifests, and a step that applies it.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(text: &str) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.write(text);
        files
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("all.yaml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn step(&self, id: &str, namespace: &str, more: &str) -> String {
        let files = format!("with.files = [{:?}]\n{more}", self.folder.path().display().to_string());
        step(id, "kube-apply", namespace, &files)
    }

    /// A kit with one step `apply`.
    fn kit(&self, east: &Cluster, namespace: &str, more: &str) -> Kit {
        Kit::new(&[east.admin()], "", &self.step("apply", namespace, more))
    }
}

fn settings(name: &str, value: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: '{value}'}}\n")
}

fn deployment(replicas: u32, image: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    \
         spec: {{containers: [{{name: main, image: {image}}}]}}\n"
    )
}

fn pair(name: String, value: &str) -> (String, String) {
    (name, value.to_owned())
}

/// The note that says why the step will refuse.
fn refusal(described: &Description) -> String {
    let note = described.notes.iter().find(|note| note.contains("will refuse"));
    note.unwrap_or_else(|| panic!("nothing is refused: {described:?}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_changed_and_left_as_they_are() {
    let east = cluster(0);
    let namespace = east.namespace("apply");
    let files = Files::new(&(settings("app", "1") + &settings("same", "x")));
    let kit = files.kit(east, &namespace, "");
    let (described, done, proof) = kit.run("apply").await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/2-objects"));
    assert!(described.command.starts_with(&format!(
        "kubectl --context east -n {namespace} apply --server-side --field-manager=lifeboat -f "
    )));
    let delete = |name: &str| format!("kubectl --context east -n {namespace} delete configmaps/{name}");
    assert_eq!(described.undo, [delete("same"), delete("app")]);
    assert!(done.summary.contains(&format!("applied configmap/app in {namespace}")), "{done:?}");
    assert_eq!(proof.evidence.len(), 2);
    assert!(proof.evidence[0].ends_with("the same apply changes nothing"), "{proof:?}");

    files.write(&(settings("app", "2") + &settings("same", "x") + &settings("new", "y")));
    let (described, ..) = kit.run("apply").await.unwrap();
    let of = |name: &str| format!("configmap/{name} in {namespace}");
    let sets = [
        pair(of("app"), "is changed"),
        pair(format!("{} .data.a", of("app")), "\"1\" -> \"2\""),
        pair(of("same"), "stays as it is"),
        pair(of("new"), "is made"),
    ];
    assert_eq!(described.sets, sets);
    assert!(described.undo.is_empty(), "nothing brings back what was there: {:?}", described.undo);
    for (name, value) in [("app", "2"), ("same", "x"), ("new", "y")] {
        assert_eq!(east.field(&namespace, &format!("configmap/{name}"), "{.data.a}"), value);
    }
    let managers = east.field(&namespace, "configmap/app", "{.metadata.managedFields[*].manager}");
    assert_eq!(managers, "lifeboat");

    let described = kit.action("apply").describe().await.unwrap();
    let again = kit.execute("apply", &described.target).await.unwrap_err();
    assert!(again.why.contains("nothing is to be done: all 3 are so already"), "{again}");
    // What was saved from the cluster is what is there.
    let saved = east.kubectl(&["-n", &namespace, "get", "configmaps", "-o", "yaml"]);
    files.write(&saved);
    let again = kit.run("apply").await.unwrap_err();
    assert!(again.why.contains("nothing is to be done"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_somebody_else_is_named_and_taken_only_by_force() {
    let east = cluster(0);
    let namespace = east.namespace("conflict");
    east.deployment(&namespace, "web", 1, "runs");
    let files = Files::new(&deployment(2, "runs"));
    let kit = files.kit(east, &namespace, "");
    let described = kit.action("apply").describe().await.unwrap();
    let words = "`kubectl-client-side-apply` owns .spec.replicas";
    assert!(refusal(&described).contains(words), "{:?}", described.notes);
    let refused = kit.execute("apply", &described.target).await.unwrap_err();
    assert!(refused.why.contains(words) && refused.next.contains("`force = true`"), "{refused:?}");
    let checks = kit.action("apply").preflight().await;
    assert!(format!("{checks:?}").contains(words), "{checks:?}");
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas}"), "1");

    let kit = files.kit(east, &namespace, "with.force = true");
    let (described, ..) = kit.run("apply").await.unwrap();
    let taken = format!("this takes over what others decide over: {words}.");
    assert!(described.notes.iter().any(|note| note.ends_with(&taken)), "{:?}", described.notes);
    assert!(described.command.contains("--force-conflicts"));
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas}"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_a_megabyte_is_applied_and_a_larger_one_is_refused_with_its_size() {
    let east = cluster(0);
    let namespace = east.namespace("large");
    let files = Files::new(&settings("app", &"x".repeat(1_000_000)));
    let kit = files.kit(east, &namespace, "");
    kit.run("apply").await.unwrap();
    assert_eq!(east.field(&namespace, "configmap/app", "{.data.a}").len(), 1_000_000);
    files.write(&settings("app", &"y".repeat(1_000_000)));
    let described = kit.action("apply").describe().await.unwrap();
    assert!(described.sets.iter().all(|(name, value)| name.len() + value.len() < 400));
    files.write(&settings("app", &"x".repeat(2_000_000)));
    let refused = kit.execute("apply", &described.target).await.unwrap_err();
    assert!(refused.why.contains("ConfigMap app has 2.0 MB, and a cluster takes 1.4 MB"), "{refused}");
    files.write(&(0..51).map(|number| settings(&format!("n{number}"), "1")).collect::<String>());
    let described = kit.action("apply").describe().await.unwrap();
    assert!(refusal(&described).contains("these are 51 objects, and `at_most` allows 50"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_it_was_confirmed_is_not_applied() {
    let east = cluster(0);
    let namespace = east.namespace("since");
    let files = Files::new(&settings("app", "1"));
    let kit = files.kit(east, &namespace, "with.force = true");
    let absent = kit.action("apply").describe().await.unwrap();
    files.write(&settings("app", "other"));
    let changed = kit.execute("apply", &absent.target).await.unwrap_err();
    assert!(changed.what.contains("changed since it was confirmed"), "{changed}");
    assert!(changed.why.contains("content is ") && changed.acted == Acted::No, "{changed}");
    files.write(&settings("app", "1"));
    east.kubectl(&["-n", &namespace, "create", "configmap", "app", "--from-literal=b=1"]);
    let made = kit.execute("apply", &absent.target).await.unwrap_err();
    assert!(made.why.contains("was absent, is made"), "{made}");
    let described = kit.action("apply").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "patch", "configmap", "app", "-p", r#"{"data":{"b":"2"}}"#]);
    let changed = kit.execute("apply", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since"), "{changed}");
    assert_eq!(east.field(&namespace, "configmap/app", "{.data}"), r#"{"b":"2"}"#);
    // Proven is only what was confirmed: neither other files, nor an object that somebody changed since.
    let (described, ..) = kit.run("apply").await.unwrap();
    east.kubectl(&["-n", &namespace, "patch", "configmap", "app", "-p", r#"{"data":{"a":"9"}}"#]);
    let lost = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(lost.why.contains(".data.a \"9\" -> \"1\""), "{lost}");
    east.kubectl(&["-n", &namespace, "delete", "configmap", "app"]);
    let gone = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(gone.why.contains("is not there"), "{gone}");
    east.kubectl(&["-n", &namespace, "create", "configmap", "app", "--from-literal=a=1"]);
    let anew = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(anew.why.contains("is not the one that was confirmed"), "{anew}");
    files.write(&settings("app", "2"));
    let other = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(other.why.contains("the files are not those that were confirmed"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_secrets_are_shown_nowhere() {
    let east = cluster(0);
    let namespace = east.namespace("secret");
    let secret = |data: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\n{data}\n");
    let files = Files::new(&secret("stringData: {password: first-hunter2}"));
    let kit = files.kit(east, &namespace, "with.force = true");
    let mut seen = vec![format!("{:?}", kit.run("apply").await.unwrap())];
    files.write(&secret("data: {password: c2Vjb25kLWh1bnRlcjI=}"));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let output = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    let context = Context { output, ..kit.context() };
    let action = kit.action("apply");
    let described = action.describe().await.unwrap();
    let field = pair(format!("secret/db in {namespace} .data.password"), "(not shown) -> (not shown)");
    assert!(described.sets.contains(&field), "{:?}", described.sets);
    seen.push(format!("{described:?}"));
    seen.push(format!("{:?}", action.execute(&described.target, &context).await.unwrap()));
    seen.push(format!("{:?}", action.verify(&described.target, &context).await.unwrap()));
    assert_eq!(east.field(&namespace, "secret/db", "{.data.password}"), "c2Vjb25kLWh1bnRlcjI=");
    files.write(&secret("data: {password: third-hunter2-is-no-base64}"));
    seen.push(format!("{:?}", action.describe().await.unwrap()));
    for (data, why) in [
        ("stringData: hunter2-is-my-password", "is no map"),
        ("data: {password: 'hunter2!'}", "is no base64"),
    ] {
        files.write(&secret(data));
        let refused = format!("{:?} {:?}", action.describe().await.unwrap(), action.preflight().await);
        assert!(refused.contains(why), "{refused}");
        seen.push(refused);
    }
    files.write(&secret("data: {password: 12345678}"));
    let number = format!("{:?}", action.describe().await.unwrap());
    assert!(number.contains("is no text"), "{number}");
    seen.push(number);
    seen.extend(lines.lock().unwrap().clone());
    for value in ["hunter2", "Zmlyc3QtaHVudGVyMg==", "c2Vjb25kLWh1bnRlcjI=", "12345678"] {
        assert!(seen.iter().all(|text| !text.contains(value)), "{value}: {seen:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_or_a_missing_right_is_said_before_and_keeps_everything_as_it_was() {
    let east = cluster(0);
    let namespace = east.namespace("hooked");
    east.kubectl(&["-n", &namespace, "create", "rolebinding", "see", "--clusterrole=view", "--user=viewer"]);
    let may_look = ["auth", "can-i", "get", "configmaps", "--as=viewer", "-n", &namespace];
    wait_until("the viewer may look", || east.try_kubectl(&may_look).is_ok());
    let files = Files::new(&settings("app", "1"));
    let config = east.config("apply-see", &format!("{{token: {VIEWER}}}"));
    let kit = Kit::new(&[config], "", &files.step("apply", &namespace, ""));
    let described = kit.action("apply").describe().await.unwrap();
    assert!(refusal(&described).contains("cannot patch resource \"configmaps\""), "{:?}", described.notes);
    let denied = kit.execute("apply", &described.target).await.unwrap_err();
    assert!(denied.next.contains("`patch configmaps` granted"), "{denied:?}");

    east.kubectl(&["label", "namespace", &namespace, &format!("guarded={namespace}")]);
    let dead = crate::port::free();
    east.apply(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n\
         metadata: {{name: {namespace}}}\nwebhooks:\n- name: guard.example.com\n  admissionReviewVersions: [v1]\n  \
         sideEffects: None\n  timeoutSeconds: 1\n  failurePolicy: Fail\n  \
         clientConfig: {{url: 'https://127.0.0.1:{dead}/'}}\n  \
         namespaceSelector: {{matchLabels: {{guarded: {namespace}}}}}\n  \
         rules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}]\n"
    ));
    let kit = files.kit(east, &namespace, "");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let described = loop {
        let described = kit.action("apply").describe().await.unwrap();
        if !described.notes.is_empty() || std::time::Instant::now() > deadline {
            break described;
        }
    };
    assert!(refusal(&described).contains("an admission webhook gave no answer"), "{:?}", described.notes);
    let failure = kit.execute("apply", &described.target).await.unwrap_err();
    east.kubectl(&["delete", "validatingwebhookconfiguration", &namespace]);
    assert!(failure.acted == Acted::No && failure.next.contains("Nothing was changed"), "{failure:?}");
    assert_eq!(east.kubectl(&["-n", &namespace, "get", "configmaps", "-o", "name"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_defines_a_kind_and_its_namespace_can_come_with_its_objects() {
    let east = cluster(0);
    let namespace = format!("{}-new", east.namespace("custom"));
    let group = format!("{namespace}.example.com");
    let widget = format!(
        "---\napiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one, namespace: {namespace}}}\nspec: {{size: 3}}\n"
    );
    let files = Files::new(&format!(
        "{widget}---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {{name: widgets.{group}}}\nspec:\n  group: {group}\n  scope: Namespaced\n  \
         names: {{kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}}\n  versions:\n  - name: v1\n    \
         served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"
    ));
    let no_namespace = |step: String| {
        let line = "with.namespace = \"x\"\n";
        assert!(step.contains(line));
        step.replace(line, "")
    };
    let kit = Kit::new(&[east.admin()], "", &no_namespace(files.step("apply", "x", "")));
    let (described, _, proof) = kit.run("apply").await.unwrap();
    let words: Vec<&str> = described.sets.iter().map(|(name, _)| name.split('/').next().unwrap()).collect();
    assert_eq!(words, ["namespace", "customresourcedefinition", "widget"]);
    assert!(described.sets[2].1.contains("is not tried before"), "{:?}", described.sets);
    assert_eq!(proof.evidence.len(), 3);
    assert_eq!(east.field(&namespace, &format!("widgets.{group}/one"), "{.spec.size}"), "3");
    // A custom object that is there is compared as all others are.
    files.write(&widget.replace("size: 3", "size: 4"));
    let (described, ..) = kit.run("apply").await.unwrap();
    assert_eq!(described.sets[1], pair(format!("widget/one in {namespace} .spec.size"), "3 -> 4"));
    files.write("apiVersion: nobody.example.com/v1\nkind: Nothing\nmetadata: {name: a}\n");
    let unknown = kit.run("apply").await.unwrap_err();
    assert!(unknown.why.contains("does not know this kind of object"), "{unknown}");
    files.write("apiVersion: v1\nkind: Nothing\nmetadata: {name: a}\n");
    let unknown = kit.run("apply").await.unwrap_err();
    assert!(unknown.why.contains("this cluster knows no Nothing in v1"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_another_namespace_than_the_step_says_is_refused() {
    let east = cluster(0);
    let namespace = east.namespace("mismatch");
    let files = Files::new("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app, namespace: elsewhere}\n");
    let kit = files.kit(east, &namespace, "");
    let described = kit.action("apply").describe().await.unwrap();
    let said = refusal(&described);
    assert!(
        said.contains(&format!("configmap/app in elsewhere: the step says the namespace {namespace}")),
        "{said}"
    );
    kit.execute("apply", &described.target).await.unwrap_err();
    files.write(&(settings("app", "1") + &settings("app", "2")));
    let twice = kit.run("apply").await.unwrap_err();
    assert!(twice.why.contains("is in the files twice"), "{twice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_at_the_first_failure_and_says_what_was_done() {
    let east = cluster(0);
    let namespace = east.namespace("half");
    east.kubectl(&["-n", &namespace, "create", "quota", "few", "--hard=configmaps=1"]);
    wait_until("the quota counts", || {
        east.field(&namespace, "quota/few", "{.status.used.configmaps}") == "0"
    });
    let files = Files::new(&(settings("a", "1") + &settings("b", "1") + &settings("c", "1")));
    let kit = files.kit(east, &namespace, "");
    let failure = kit.run("apply").await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    let said = format!("applied: configmap/a in {namespace}; then: ");
    assert!(failure.why.contains(&said) && failure.why.contains("a quota is used up"), "{failure}");
    assert_eq!(east.kubectl(&["-n", &namespace, "get", "configmaps", "-o", "name"]), "configmap/a");
    // The way on: what is applied stays as it is, the rest is made.
    east.kubectl(&["-n", &namespace, "delete", "quota", "few"]);
    wait_until("the quota counts no more", || {
        east.try_kubectl(&["-n", &namespace, "create", "configmap", "x", "--dry-run=server"]).is_ok()
    });
    let (described, ..) = kit.run("apply").await.unwrap();
    assert_eq!(described.sets[0].1, "stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_are_waited_for_and_who_sets_them_back_is_said() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("rolls");
    let files = Files::new(&deployment(2, "runs"));
    let kit = files.kit(east, &namespace, "");
    kit.run("apply").await.unwrap();
    assert_eq!(east.field(&namespace, "deployment/web", "{.status.readyReplicas}"), "2");
    application(east, &namespace);
    files.write(&deployment(2, "waits"));
    let described = kit.action("apply").describe().await.unwrap();
    let image = format!("deployment/web in {namespace} .spec.template.spec.containers[main].image");
    assert!(described.sets.contains(&pair(image, "\"runs\" -> \"waits\"")), "{:?}", described.sets);
    let said = format!("This will be undone within seconds by the Argo CD application {namespace}/shop");
    assert!(described.notes.iter().any(|note| note.starts_with(&said)), "{:?}", described.notes);
    let context = Context { timeout: SignedDuration::from_secs(8), ..kit.context() };
    let late = kit.action("apply").execute(&described.target, &context).await.unwrap_err();
    assert!(late.acted == Acted::Maybe && late.why.contains("web 2 of 2 ready"), "{late}");
    let unproven = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("web "), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_to_go_is_neither_changed_nor_proven() {
    let east = cluster(0);
    let namespace = east.namespace("going");
    let files = Files::new(&settings("app", "1"));
    let kit = files.kit(east, &namespace, "");
    let (described, ..) = kit.run("apply").await.unwrap();
    let held = r#"{"metadata":{"finalizers":["example.com/slow"]}}"#;
    east.kubectl(&["-n", &namespace, "patch", "configmap", "app", "--type=merge", "-p", held]);
    east.kubectl(&["-n", &namespace, "delete", "configmap", "app", "--wait=false"]);
    let words = format!("configmap/app in {namespace} is deleted already");
    let unproven = kit.action("apply").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains(&words), "{unproven}");
    let described = kit.action("apply").describe().await.unwrap();
    assert!(refusal(&described).contains(&words), "{:?}", described.notes);
    let free = r#"{"metadata":{"finalizers":[]}}"#;
    east.kubectl(&["-n", &namespace, "patch", "configmap", "app", "--type=merge", "-p", free]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_prints_is_applied() {
    let east = cluster(0);
    let namespace = east.namespace("rendered");
    let files = Files::new(&settings("app", "1"));
    let render = format!(
        "with.render = [\"cat\", \"all.yaml\"]\nwith.folder = {:?}",
        files.folder.path().display().to_string()
    );
    let kit = Kit::new(&[east.admin()], "", &step("apply", "kube-apply", &namespace, &render));
    let (described, ..) = kit.run("apply").await.unwrap();
    assert!(described.command.contains("cat all.yaml | kubectl "), "{}", described.command);
    assert_eq!(east.field(&namespace, "configmap/app", "{.data.a}"), "1");
    std::fs::remove_file(files.path()).unwrap();
    let described = kit.action("apply").describe().await.unwrap();
    assert!(!described.target.reachable);
    assert!(described.notes[0].contains("`cat` ended with exit code 1"), "{:?}", described.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_rollout_is_said_and_proves_no_new_pods() {
    let east = cluster(0);
    let namespace = east.namespace("paused");
    east.deployment(&namespace, "web", 1, "runs:1");
    east.wait_for_ready(&namespace, "web", 1);
    east.kubectl(&["-n", &namespace, "rollout", "pause", "deployment/web"]);
    let files = Files::new(&deployment(1, "runs:2"));
    let kit = files.kit(east, &namespace, "with.force = true");
    let action = kit.action("apply");
    let described = action.describe().await.unwrap();
    let said = |note: &String| note.contains("is paused") && note.contains("proven only once all are new");
    assert!(described.notes.iter().any(said), "{:?}", described.notes);
    action.execute(&described.target, &kit.context()).await.unwrap();
    wait_until("its controller saw it", || {
        let of = |path: &str| east.field(&namespace, "deployment/web", path);
        of("{.status.observedGeneration}") == of("{.metadata.generation}")
    });
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("is paused") && unproven.next.contains("rollout resume"), "{unproven:?}");
    east.kubectl(&["-n", &namespace, "rollout", "resume", "deployment/web"]);
    wait_until("its pods are new", || {
        let of = |path: &str| east.field(&namespace, "deployment/web", path);
        let pods = east.kubectl(&["-n", &namespace, "get", "pods", "-o", "name"]);
        of("{.status.updatedReplicas}{.status.readyReplicas}{.status.replicas}") == "111"
            && pods.lines().count() == 1
    });
    action.verify(&described.target, &kit.context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_makes_no_new_pods_by_itself_is_said_and_proves_none() {
    let east = cluster(0);
    let namespace = east.namespace("kept");
    for (name, strategy, said) in
        [("db", "type: OnDelete", "(OnDelete)"), ("cache", "rollingUpdate: {partition: 1}", "`partition`")]
    {
        let set = |image: &str| {
            format!(
                "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  \
                 serviceName: {name}\n  selector: {{matchLabels: {{app: {name}}}}}\n  updateStrategy: {{{strategy}}}\n  \
                 template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: main, image: '{image}'}}]}}\n"
            )
        };
        let files = Files::new(&set("runs:1"));
        let kit = files.kit(east, &namespace, "");
        // A new one has pods of its only template.
        let (described, ..) = kit.run("apply").await.unwrap();
        assert_eq!(described.notes, [] as [String; 0]);
        files.write(&set("runs:2"));
        let action = kit.action("apply");
        let described = action.describe().await.unwrap();
        assert!(described.notes.iter().any(|note| note.contains(said)), "{:?}", described.notes);
        let context = Context { timeout: SignedDuration::from_secs(60), ..kit.context() };
        action.execute(&described.target, &context).await.unwrap();
        wait_until("its controller saw it", || {
            let of = |path: &str| east.field(&namespace, &format!("statefulset/{name}"), path);
            of("{.status.observedGeneration}") == of("{.metadata.generation}")
        });
        let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
        assert!(unproven.why.contains(said), "{unproven}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_before_that_still_run_keep_it_from_being_proven() {
    let east = cluster(0);
    let namespace = east.namespace("lasting");
    let files = Files::new(&deployment(1, "'runs:1'"));
    let kit = files.kit(east, &namespace, "");
    kit.run("apply").await.unwrap();
    let pod = east.kubectl(&["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    let holds = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        east.kubectl(&["-n", &namespace, "patch", "pod", &pod, "--type=merge", "-p", &patch]);
    };
    holds(r#"["example.com/slow"]"#);
    files.write(&deployment(1, "'runs:2'"));
    let action = kit.action("apply");
    let described = action.describe().await.unwrap();
    let context = Context { timeout: SignedDuration::from_secs(20), ..kit.context() };
    let late = action.execute(&described.target, &context).await.unwrap_err();
    let said = "pods of web that are to end still run: 1";
    assert!(late.acted == Acted::Maybe && late.why.contains(said), "{late}");
    let unproven = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains(said), "{unproven}");
    holds("[]");
    wait_until("it is gone", || east.try_kubectl(&["-n", &namespace, "get", "pod", &pod]).is_err());
    action.verify(&described.target, &kit.context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_changed_since_makes_it_another_target() {
    let east = cluster(0);
    let namespace = east.namespace("labelled");
    east.deployment(&namespace, "web", 1, "runs");
    let files = Files::new(&deployment(1, "runs").replace("{name: web}", "{name: web, labels: {team: dev}}"));
    let kit = files.kit(east, &namespace, "with.force = true\nwith.ready = false");
    let described = kit.action("apply").describe().await.unwrap();
    let label = |value: &str| {
        east.kubectl(&[
            "-n",
            &namespace,
            "label",
            "deployment",
            "web",
            "--overwrite",
            &format!("team={value}"),
        ])
    };
    for value in ["ops", "pager"] {
        label(value);
        let changed = kit.execute("apply", &described.target).await.unwrap_err();
        assert!(changed.what.contains("changed since") && changed.acted == Acted::No, "{changed}");
        assert_eq!(east.field(&namespace, "deployment/web", "{.metadata.labels.team}"), value);
    }
    let (described, ..) = kit.run("apply").await.unwrap();
    let taken = |note: &String| note.contains("owns .metadata.labels.team");
    assert!(described.notes.iter().any(taken), "{:?}", described.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_cannot_be_read_is_no_failure_of_the_control_plane() {
    let east = cluster(0);
    let namespace = east.namespace("unreadable");
    let good = deployment(1, "runs");
    for bad in [
        good.replace("replicas: 1", "replicas: many"),
        good.replace("replicas: 1", "copies: 1"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nbinaryData: {a: 'no base64!'}\n".to_owned(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: [x]\n".to_owned(),
    ] {
        let files = Files::new(&bad);
        let kit = files.kit(east, &namespace, "");
        let described = kit.action("apply").describe().await.unwrap();
        let said = refusal(&described);
        assert!(!said.contains("the API server failed"), "{said}");
        let refused = kit.execute("apply", &described.target).await.unwrap_err();
        assert!(refused.acted == Acted::No && refused.next.starts_with("Mend "), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_objects_are_named_by_the_namespaces_that_they_say() {
    let east = cluster(0);
    let namespace = east.namespace("named");
    let of = |name: &str, namespace: &str| {
        settings(name, "1")
            .replace(&format!("{{name: {name}}}"), &format!("{{name: {name}, namespace: {namespace}}}"))
    };
    let files = Files::new(&(of("a", &namespace) + &of("b", &namespace)));
    let step = files.step("apply", "x", "").replace("with.namespace = \"x\"\n", "");
    let kit = Kit::new(&[east.admin()], "", &step);
    let described = kit.action("apply").describe().await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/2-objects"));
    files.write(&(of("a", &namespace) + &of("b", "default")));
    let described = kit.action("apply").describe().await.unwrap();
    assert_eq!(described.target.name, "2-namespaces/2-objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_makes_otherwise_is_shown_and_confirmed_and_what_it_makes_then_is_not_proven() {
    let east = cluster(0);
    let namespace = east.namespace("rewritten");
    let files = Files::new(&(settings("app", "1") + &deployment(1, "runs")));
    let kit = files.kit(east, &namespace, "");
    // First it makes 5 of it; then 5 in a trial and 9 of what is sent; then 9.
    let way = Arc::new(AtomicU8::new(0));
    let asked = way.clone();
    let _settings = Webhook::of(east, &namespace, ("", "configmaps"), move |request| {
        let is_five = match asked.load(Ordering::Relaxed) {
            0 => true,
            1 => request["dryRun"] == true,
            _ => false,
        };
        serde_json::json!([{"op": "replace", "path": "/data/a", "value": if is_five { "5" } else { "9" }}])
    });
    let counts = [
        "-n",
        &namespace,
        "create",
        "configmap",
        "x",
        "--from-literal=a=1",
        "--dry-run=server",
        "-o",
        "yaml",
    ];
    wait_until("the webhook counts", || {
        east.try_kubectl(&counts).is_ok_and(|shown| shown.contains("a: \"5\""))
    });
    let (described, _, proof) = kit.run("apply").await.unwrap();
    let otherwise = format!(
        "configmap/app in {namespace} .data.a: the cluster makes it otherwise than the file: \"1\" -> \"5\"."
    );
    assert!(described.notes.contains(&otherwise), "{:?}", described.notes);
    assert!(proof.evidence.contains(&otherwise), "{:?}", proof.evidence);
    assert_eq!(east.field(&namespace, "configmap/app", "{.data.a}"), "5");
    // What was confirmed is the trial's word: another one is no success.
    east.kubectl(&["-n", &namespace, "delete", "configmap", "app"]);
    way.store(1, Ordering::Relaxed);
    let action = kit.action("apply");
    let described = action.describe().await.unwrap();
    action.execute(&described.target, &kit.patient()).await.unwrap();
    let unproven = action.verify(&described.target, &kit.patient()).await.unwrap_err();
    assert!(unproven.why.contains(".data.a \"9\" -> \"5\""), "{unproven}");
    assert!(
        unproven.why.contains(&format!("as the files have them: deployment/web in {namespace}")),
        "{unproven}"
    );
    way.store(2, Ordering::Relaxed);
    let unproven = action.verify(&described.target, &kit.patient()).await.unwrap_err();
    assert!(unproven.why.contains(".data.a is otherwise than the file has it"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_a_webhook_adds_is_shown_and_other_forms_of_a_value_are_no_change() {
    let east = cluster(0);
    let namespace = east.namespace("injected");
    let limits = "image: runs, resources: {limits: {cpu: 1000m, memory: 1024Mi}}";
    let secret =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2-long}\n";
    let files = Files::new(&(deployment(1, "runs").replace("image: runs", limits) + secret));
    let kit = files.kit(east, &namespace, "");
    let _proxy = Webhook::of(east, &namespace, ("apps", "deployments"), |request| {
        let all = request["object"]["spec"]["template"]["spec"]["containers"].as_array();
        match all.is_some_and(|all| all.len() > 1) {
            true => serde_json::json!([]),
            false => serde_json::json!([{"op": "add", "path": "/spec/template/spec/containers/-",
                                         "value": {"name": "proxy", "image": "runs"}}]),
        }
    });
    wait_until("the webhook counts", || {
        let shown = east.try_kubectl(&[
            "-n",
            &namespace,
            "create",
            "deployment",
            "x",
            "--image=runs",
            "--dry-run=server",
            "-o",
            "yaml",
        ]);
        shown.is_ok_and(|shown| shown.contains("name: proxy"))
    });
    let (described, _, proof) = kit.run("apply").await.unwrap();
    let added = format!(
        "deployment/web in {namespace} .spec.template.spec.containers[proxy]: is in no file, the cluster adds it (a webhook does)."
    );
    assert_eq!(described.notes, std::slice::from_ref(&added));
    assert!(proof.evidence.contains(&added), "{:?}", proof.evidence);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_sent_beside_pods_that_do_not_run_and_nobody_is_told_to_skip() {
    let east = cluster(0);
    let namespace = east.namespace("stands");
    let files = Files::new(&deployment(1, "waits"));
    let kit = files.kit(east, &namespace, "");
    let action = kit.action("apply");
    let described = action.describe().await.unwrap();
    let short = Context { timeout: SignedDuration::from_secs(4), ..kit.context() };
    action.execute(&described.target, &short).await.unwrap_err();
    let again = kit.run("apply").await.unwrap_err();
    assert!(again.why.contains("not all of their pods are there: web 0 of 1 ready"), "{again}");
    assert!(!again.next.contains("Skip"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_prints_otherwise_each_time_is_told_as_that() {
    let east = cluster(0);
    let namespace = east.namespace("random");
    let script = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\ndata: {at: \"%s\"}\\n' $(date +%s%N)";
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("apply", "kube-apply", &namespace, &format!("with.render = [\"sh\", \"-c\", {script:?}]\n")),
    );
    let refused = kit.run("apply").await.unwrap_err();
    assert!(refused.why.contains("`sh` prints other manifests than when it was confirmed"), "{refused}");
    assert!(refused.acted == Acted::No && refused.next.contains("Run it twice"), "{refused:?}");
}
