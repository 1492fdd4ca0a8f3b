//! `gitops-resume`.

use super::switch::Switch;
use super::syncer::{APPLICATION, KUSTOMIZATION};
use crate::kinds::action::{Built, Changing};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::place::CONTEXT;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "gitops-resume",
    does: Does::Changes,
    simulated_target: "what syncs a cluster",
    sets: &[],
    doc: "Lets Argo CD or Flux go on as they did before `gitops-suspend`: with the sync policy that it wrote beside the application. What was changed meanwhile and is not in the repository is set back then.",
    keys: &[CONTEXT, APPLICATION, KUSTOMIZATION],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "list applications.argoproj.io",
        "get applications.argoproj.io",
        "patch applications.argoproj.io",
        "get kustomizations.kustomize.toolkit.fluxcd.io",
        "patch kustomizations.kustomize.toolkit.fluxcd.io",
    ],
    example: r#"[[runbooks.example.steps]]
id = "let-argo-on"
title = "Let Argo CD go on"
action = "gitops-resume"
with.context = "dr"
with.application = "argocd/shop"
confirm = "yes"
timeout = "2m"
"#,
    call: |params| {
        let what = params.text("application").or(params.text("kustomization"));
        format!("resume {} of {}", what.unwrap_or_default(), params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Changing(Switch::of(params, clients, true)?)))
}
