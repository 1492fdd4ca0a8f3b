//! `gitops-suspend`.

use super::switch::Switch;
use super::syncer::{APPLICATION, AUTOSCALER, KUSTOMIZATION};
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::place::CONTEXT;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "gitops-suspend",
    does: Does::Changes,
    simulated_target: "what syncs a cluster",
    sets: &[],
    doc: "Has Argo CD or Flux leave the cluster as it is for a while, so that what the runbook changes is not set back: it takes the automated sync out of an application, which it writes beside it (annotation `lifeboat.dev/automated`), suspends a Kustomization, or raises the minimum of an autoscaler to `min_replicas` and writes the one of before beside it (annotation `lifeboat.dev/min-replicas`). It is in force, and shown as such, until a step that `undoes` it has run.",
    keys: &[
        CONTEXT,
        APPLICATION,
        KUSTOMIZATION,
        AUTOSCALER,
        Key::optional(
            "min_replicas",
            Takes::Integer(1, 10_000),
            "How many pods the autoscaler keeps at least for that while.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "list applications.argoproj.io",
        "get applications.argoproj.io",
        "patch applications.argoproj.io",
        "get kustomizations.kustomize.toolkit.fluxcd.io",
        "patch kustomizations.kustomize.toolkit.fluxcd.io",
        "get horizontalpodautoscalers.autoscaling",
        "patch horizontalpodautoscalers.autoscaling",
    ],
    example: r#"[[runbooks.example.steps]]
id = "hold-argo"
title = "Keep Argo CD from setting the number of pods back"
action = "gitops-suspend"
with.context = "dr"
with.application = "argocd/shop"
confirm = "yes"
timeout = "2m"
"#,
    call: |params| {
        let what = ["application", "kustomization", "autoscaler"].iter().find_map(|key| params.text(key));
        format!("suspend {} of {}", what.unwrap_or_default(), params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Changing(Switch::of(params, clients, false)?)))
}
