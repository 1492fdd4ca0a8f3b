//! `gitops-resume`.

use super::switch::Switch;
use super::syncer::{APPLICATION, AUTOSCALER, KUSTOMIZATION};
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
    doc: "Lets Argo CD, Flux or an autoscaler go on as they did before `gitops-suspend`: with the sync policy, or the minimum, that it wrote beside it. What was changed meanwhile and is not in the repository is set back then.",
    keys: &[CONTEXT, APPLICATION, KUSTOMIZATION, AUTOSCALER],
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
id = "let-argo-on"
title = "Let Argo CD go on"
action = "gitops-resume"
with.context = "dr"
with.application = "argocd/shop"
confirm = "yes"
timeout = "2m"
"#,
    call: |params| {
        let what = ["application", "kustomization", "autoscaler"].iter().find_map(|key| params.text(key));
        format!("resume {} of {}", what.unwrap_or_default(), params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    Ok(Box::new(Changing(Switch::of(params, clients, true)?)))
}
