//! What somebody else decides over: said before, undone by them, and held once they are suspended.

use crate::act::step;
use crate::kube::{Cluster, Kit, cluster, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The part of the published definitions that is needed; what they hold besides is kept as it is.
/// <https://github.com/argoproj/argo-cd/blob/v2.13.0/manifests/crds/application-crd.yaml>
/// <https://github.com/fluxcd/kustomize-controller/blob/v1.4.0/config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml>
const DEFINITIONS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Application, listKind: ApplicationList, plural: applications, singular: application}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io}
spec:
  group: kustomize.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: Kustomization, listKind: KustomizationList, plural: kustomizations, singular: kustomization}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

pub fn define(cluster: &Cluster) {
    cluster.apply(DEFINITIONS);
    wait_until("applications are known", || {
        cluster.try_kubectl(&["get", "applications,kustomizations", "-A"]).is_ok()
    });
}

/// An application of a namespace that heals itself, and its deployment `web` tracked by it.
pub fn application(cluster: &Cluster, namespace: &str) {
    // Applications of that name are in many namespaces: the mark tells which one.
    let id = format!("{namespace}_shop:apps/Deployment:{namespace}/web");
    let mark = format!("argocd.argoproj.io/tracking-id={id}");
    cluster.kubectl(&["-n", namespace, "annotate", "deployment/web", &mark]);
    cluster.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: {namespace}}}\n\
         spec: {{syncPolicy: {{automated: {{selfHeal: true, prune: false}}}}}}\n"
    ));
}

/// Does what Argo CD's controller does with one deployment, as its repository asks for one pod: while the application heals
/// itself, it sets the number back.
pub struct Healer {
    ends: Arc<AtomicBool>,
    looks: Arc<AtomicU32>,
    healed: Arc<AtomicU32>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Healer {
    pub fn start(cluster: &'static Cluster, namespace: &str) -> Self {
        let mut healer =
            Self { ends: Arc::default(), looks: Arc::default(), healed: Arc::default(), thread: None };
        let (ends, looks, healed) = (healer.ends.clone(), healer.looks.clone(), healer.healed.clone());
        let namespace = namespace.to_owned();
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                let heals =
                    cluster.field(&namespace, "application/shop", "{.spec.syncPolicy.automated.selfHeal}");
                let now = cluster.field(&namespace, "deployment/web", "{.spec.replicas}");
                if heals == "true" && now != "1" {
                    cluster.kubectl(&["-n", &namespace, "scale", "deployment/web", "--replicas=1"]);
                    healed.fetch_add(1, Ordering::Relaxed);
                }
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        healer.thread = Some(thread);
        healer
    }

    /// Waits until it has looked so often again.
    pub fn looks_again(&self, times: u32) {
        let from = self.looks.load(Ordering::Relaxed);
        wait_until("the healer looks", || self.looks.load(Ordering::Relaxed) >= from + times);
    }
}

impl Drop for Healer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn syncs(id: &str, action: &str, key: &str, name: &str) -> String {
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"{action}\"\nwith.context = \"a\"\n\
         with.{key} = \"{name}\"\nconfirm = \"yes\"\ntimeout = \"30s\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_argo_cd_sets_back_is_said_before_found_and_held_by_a_suspension() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("argo");
    east.deployment(&namespace, "web", 1, "runs");
    application(east, &namespace);
    let name = format!("{namespace}/shop");
    let steps =
        step("up", "kube-scale", &namespace, "with.names = [\"web\"]\nwith.replicas = 3\nwith.ready = false")
            + &syncs("hold", "gitops-suspend", "application", &name)
            + &syncs("on", "gitops-resume", "application", &name);
    let kit = Kit::new(&[east.admin()], "", &steps);
    let healer = Healer::start(east, &namespace);

    let action = kit.action("up");
    let described = action.describe().await.unwrap();
    let said = format!("This will be undone within seconds by the Argo CD application {namespace}/shop");
    assert!(described.notes.iter().any(|note| note.starts_with(&said)), "{:?}", described.notes);
    let checks = action.preflight().await;
    assert!(checks.iter().any(|check| format!("{:?}", check.result).contains(&said)), "{checks:?}");
    action.execute(&described.target, &kit.context()).await.unwrap();
    wait_until("it is set back", || healer.healed.load(Ordering::Relaxed) > 0);
    let lost = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(lost.why.contains("is set to 1, not to 3"), "{lost}");

    let (described, _, proof) = kit.run("hold").await.unwrap();
    assert_eq!(described.target.identity.last().unwrap().1, "it syncs by itself and heals");
    assert!(described.notes.iter().any(|note| note.starts_with("Temporary")), "{:?}", described.notes);
    assert!(proof.evidence[0].contains("it syncs when somebody has it do so"), "{proof:?}");
    healer.looks_again(1);
    let (described, ..) = kit.run("up").await.unwrap();
    assert!(!described.notes.iter().any(|note| note.contains("undone")), "{:?}", described.notes);
    healer.looks_again(3);
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas}"), "3");

    kit.run("on").await.unwrap();
    let policy = east.field(&namespace, "application/shop", "{.spec.syncPolicy.automated}");
    assert_eq!(policy, r#"{"prune":false,"selfHeal":true}"#);
    let note = east.field(&namespace, "application/shop", "{.metadata.annotations.lifeboat\\.dev/automated}");
    assert_eq!(note, "");
    wait_until("it heals again", || east.field(&namespace, "deployment/web", "{.spec.replicas}") == "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn flux_says_when_and_is_suspended_and_resumed() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("flux");
    east.deployment(&namespace, "web", 1, "runs");
    let labels = [
        format!("kustomize.toolkit.fluxcd.io/namespace={namespace}"),
        "kustomize.toolkit.fluxcd.io/name=shop".into(),
    ];
    for label in &labels {
        east.kubectl(&["-n", &namespace, "label", "deployment/web", label]);
    }
    east.apply(&format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
         metadata: {{name: shop, namespace: {namespace}}}\nspec: {{interval: 5m}}\n"
    ));
    let name = format!("{namespace}/shop");
    let steps = step("up", "kube-scale", &namespace, "with.names = [\"web\"]\nwith.replicas = 2")
        + &syncs("hold", "gitops-suspend", "kustomization", &name)
        + &syncs("on", "gitops-resume", "kustomization", &name);
    let kit = Kit::new(&[east.admin()], "", &steps);
    let said = format!("This will be undone within 5m by the Flux Kustomization {namespace}/shop");
    let notes = kit.action("up").describe().await.unwrap().notes;
    assert!(notes.iter().any(|note| note.starts_with(&said)), "{notes:?}");
    kit.run("hold").await.unwrap();
    assert_eq!(east.field(&namespace, "kustomization/shop", "{.spec.suspend}"), "true");
    assert!(kit.action("up").describe().await.unwrap().notes.is_empty());
    let again = kit.run("hold").await.unwrap_err();
    assert!(again.why.contains("nothing is to be done: it is suspended"), "{again}");
    kit.run("on").await.unwrap();
    assert_eq!(east.field(&namespace, "kustomization/shop", "{.spec.suspend}"), "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_a_release_and_an_operator_are_said() {
    let east = cluster(0);
    let namespace = east.namespace("owners");
    east.deployment(&namespace, "web", 1, "runs");
    east.kubectl(&["-n", &namespace, "autoscale", "deployment/web", "--min=2", "--max=8"]);
    east.kubectl(&["-n", &namespace, "annotate", "deployment/web", "meta.helm.sh/release-name=shop"]);
    east.kubectl(&["-n", &namespace, "create", "configmap", "owner"]);
    let uid = east.field(&namespace, "configmap/owner", "{.metadata.uid}");
    let owner = format!(
        r#"{{"metadata":{{"ownerReferences":[{{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{uid}","controller":true}}]}}}}"#
    );
    east.kubectl(&["-n", &namespace, "patch", "deployment/web", "--type=merge", "-p", &owner]);
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("up", "kube-scale", &namespace, "with.names = [\"web\"]\nwith.replicas = 4"),
    );
    let notes = kit.action("up").describe().await.unwrap().notes;
    let says = |words: &str| assert!(notes.iter().any(|note| note.contains(words)), "{words}: {notes:?}");
    says("the autoscaler web decides over web: within a minute it sets what it wants, 2 to 8 pods");
    says("The Helm release shop sets web back with its next `helm upgrade`");
    says("the controller of ConfigMap owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minimum_of_an_autoscaler_is_raised_for_a_while_and_comes_back() {
    let east = cluster(0);
    let namespace = east.namespace("least");
    east.deployment(&namespace, "web", 1, "runs");
    east.kubectl(&["-n", &namespace, "autoscale", "deployment/web", "--min=2", "--max=8"]);
    let name = format!("{namespace}/web");
    let least = |id: &str, least: u32| {
        let step = syncs(id, "gitops-suspend", "autoscaler", &name);
        step.replace("confirm =", &format!("with.min_replicas = {least}\nconfirm ="))
    };
    let steps = least("hold", 6)
        + &least("beyond", 9)
        + &least("lower", 1)
        + &syncs("on", "gitops-resume", "autoscaler", &name);
    let kit = Kit::new(&[east.admin()], "", &steps);
    let bounds = || east.field(&namespace, "hpa/web", "{.spec.minReplicas} to {.spec.maxReplicas}");
    let refused = kit.run("beyond").await.unwrap_err();
    assert!(refused.why.contains("its maximum is 8, which is less than 9"), "{refused}");
    // What would take pods away is no suspension.
    let lower = kit.run("lower").await.unwrap_err();
    assert!(lower.why.contains("it keeps 2 pods at least already"), "{lower}");
    let early = kit.run("on").await.unwrap_err();
    assert!(early.why.contains("nothing is to be done: it keeps 2 to 8 pods"), "{early}");
    let (described, _, proof) = kit.run("hold").await.unwrap();
    assert!(described.notes.iter().any(|note| note.starts_with("Temporary")), "{:?}", described.notes);
    assert!(proof.evidence[0].contains("it keeps 6 to 8 pods, and 2 to 8 before"), "{proof:?}");
    assert_eq!(bounds(), "6 to 8");
    kit.run("on").await.unwrap();
    assert_eq!(bounds(), "2 to 8");
    let note = east.field(&namespace, "hpa/web", "{.metadata.annotations.lifeboat\\.dev/min-replicas}");
    assert_eq!(note, "");
}
