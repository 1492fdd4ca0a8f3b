//! `kube-rollout-restart`: new pods for workloads, of the template that they have.

use super::chosen::{ALL, AT_MOST, Chosen, Found, KINDS, NAMES, RUNNING, SELECTOR, call_words};
use super::mark;
use super::rollout::{Rollout, Template, Turn};
use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::place::{CONTEXT, NAMESPACE};
use serde_json::{Value, json};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-rollout-restart",
    does: Does::Changes,
    simulated_target: "Kubernetes workloads",
    sets: &[],
    doc: "Has deployments, stateful sets and daemon sets make their pods anew, as their rollout strategy says: so that they \
          read configuration, secrets or names again. It marks the pods' template with the attempt (annotation \
          `lifeboat.dev/changed-by`), waits until all pods are of that template and ready and those of before are gone, and \
          proves by that mark. A workload whose rollout is paused, or waits for somebody to delete pods, is refused.",
    keys: &[CONTEXT, NAMESPACE, NAMES, SELECTOR, ALL, KINDS, AT_MOST],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "get deployments.apps",
        "list deployments.apps",
        "patch deployments.apps",
        "get statefulsets.apps",
        "list statefulsets.apps",
        "patch statefulsets.apps",
        "get daemonsets.apps",
        "list daemonsets.apps",
        "patch daemonsets.apps",
        "list replicasets.apps",
        "list pods",
    ],
    example: r#"[[runbooks.example.steps]]
id = "restart"
title = "Restart the API, so that it finds the new database"
action = "kube-rollout-restart"
with.context = "dr"
with.namespace = "shop"
with.names = ["api"]
confirm = "yes"
timeout = "10m"
"#,
    call: |params| format!("restart {}", call_words(params)),
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let chosen = Chosen::of(params, clients, RUNNING)?;
    Ok(Box::new(Changing(Rollout { chosen, template: Restart })))
}

struct Restart;

impl Template for Restart {
    fn kind(&self) -> &'static ActionKind {
        &KIND
    }

    fn noun(&self) -> &'static str {
        "restart"
    }

    async fn turn(&self, _: &Cluster, _: &Found) -> Result<Turn, Problem> {
        Ok(Turn { patch: json!({}), words: String::new(), is_due: true })
    }

    fn patch(&self, turn: &Turn, token: &str) -> Value {
        mark::put(&turn.patch, token)
    }

    async fn proof(&self, _: &Cluster, now: &Found, _: &str, token: &str) -> Result<String, Problem> {
        mark::proven(now, token)?;
        Ok("carry the mark of this attempt and are ready".to_owned())
    }

    fn by_hand(&self, chosen: &Chosen) -> Vec<String> {
        ["rollout", "restart"].map(str::to_owned).into_iter().chain(chosen.words()).collect()
    }
}
