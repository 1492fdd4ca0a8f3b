//! `kube-rollout-undo`: back to the template of before.

use super::chosen::{ALL, AT_MOST, Chosen, Found, KINDS, NAMES, RUNNING, SELECTOR, call_words};
use super::revision::{Revision, bare, differences};
use super::rollout::{Rollout, Template, Turn};
use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::place::{CONTEXT, NAMESPACE};
use crate::providers::kube::told::told;
use serde_json::{Value, json};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-rollout-undo",
    does: Does::Changes,
    simulated_target: "Kubernetes workloads",
    sets: &["revision"],
    doc: "Takes deployments, stateful sets and daemon sets back to the template that their pods had before, or to a revision \
          that the plan names, as far as the cluster keeps it. The confirmation shows the images from and to, and which other parts of the template change. It waits until \
          all pods are of that template and ready and those of after are gone, and proves that the template is that of the \
          confirmed revision.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        NAMES,
        SELECTOR,
        ALL,
        KINDS,
        AT_MOST,
        Key::optional(
            "revision",
            Takes::Integer(1, 1_000_000),
            "Which revision, as `kubectl rollout history` counts; the one before where absent.",
        ),
    ],
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
        "list controllerrevisions.apps",
        "list pods",
    ],
    example: r#"[[runbooks.example.steps]]
id = "undo"
title = "Back to the release of before"
action = "kube-rollout-undo"
with.context = "dr"
with.namespace = "shop"
with.names = ["api"]
confirm = "type"
timeout = "10m"
"#,
    call: |params| {
        let to = match params.integer("revision") {
            Some(revision) => format!("to revision {revision}"),
            None => "to the template of before".to_owned(),
        };
        format!("take {} back {to}", call_words(params))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let chosen = Chosen::of(params, clients, RUNNING)?;
    let to = params.integer("revision").and_then(|number| u64::try_from(number).ok());
    Ok(Box::new(Changing(Rollout { chosen, template: Undo { to } })))
}

struct Undo {
    /// The revision that the plan names.
    to: Option<u64>,
}

impl Template for Undo {
    fn kind(&self) -> &'static ActionKind {
        &KIND
    }

    fn noun(&self) -> &'static str {
        "undo of the rollout"
    }

    async fn turn(&self, cluster: &Cluster, found: &Found) -> Result<Turn, Problem> {
        let all = Revision::all(cluster, found).await.map_err(|error| error.problem())?;
        let name = found.named.words();
        let now = bare(&found.object["spec"]["template"]);
        let current = all.iter().filter(|one| one.template == now).map(|one| one.number).max();
        let goal = match self.to {
            Some(number) => all.iter().find(|one| one.number == number),
            None => {
                let before =
                    |one: &&Revision| current.is_some_and(|now| one.number < now) && one.template != now;
                all.iter().filter(before).max_by_key(|one| one.number)
            }
        };
        let Some(goal) = goal else {
            let known: Vec<String> = all.iter().map(|one| one.number.to_string()).collect();
            let why = match (self.to, current) {
                (Some(number), _) => format!("the cluster keeps no revision {number} of {name}"),
                (None, None) => format!("the cluster does not say which revision {name} is of now"),
                (None, Some(now)) => format!("the cluster keeps nothing of before revision {now} of {name}"),
            };
            let next = format!("It keeps these: {}. Say `revision`, or mend it by hand.", known.join(", "));
            return Err(Problem::new(why, next));
        };
        let mut template = goal.template.clone();
        template["$patch"] = json!("replace");
        let also = differences(&now, &goal.template);
        let also = told(cluster, also.into_iter().filter(|path| !path.ends_with(".image")));
        let also = if also.is_empty() { also } else { format!(", and {also}") };
        let words = format!(
            "{} -> {}{also} (revision {} of {})",
            images(cluster, &now),
            images(cluster, &goal.template),
            goal.number,
            goal.name
        );
        let is_due = goal.template != now;
        Ok(Turn { patch: json!({"spec": {"template": template}}), words, is_due })
    }

    async fn proof(&self, cluster: &Cluster, now: &Found, before: &str, _: &str) -> Result<String, Problem> {
        let all = Revision::all(cluster, now).await.map_err(|error| error.problem())?;
        let (name, template) = (now.named.words(), bare(&now.object["spec"]["template"]));
        let kept = before.strip_suffix(')').and_then(|text| text.rsplit_once(" of "));
        // Its number is another one by then: the cluster counts it again as the newest.
        let is_it = |one: &&Revision| kept.is_some_and(|(_, name)| one.name == name);
        let Some(goal) = all.iter().find(is_it) else {
            let why = format!("the cluster keeps the confirmed revision of {name} no more");
            return Err(Problem::new(why, "Compare its images by hand, then attest the step."));
        };
        if goal.template != template {
            let why = format!("the template of {name} is not that of the confirmed revision");
            return Err(Problem::new(
                why,
                "It was not done, or somebody changed it since: look who, then retry.",
            ));
        }
        Ok(format!(
            "are of the template of {}, with {}, and are ready",
            goal.name,
            images(cluster, &template)
        ))
    }

    fn by_hand(&self, chosen: &Chosen) -> Vec<String> {
        let mut words = vec!["rollout".to_owned(), "undo".to_owned()];
        words.extend(chosen.words());
        words.extend(self.to.map(|number| format!("--to-revision={number}")));
        words
    }

    fn undo(&self, workload: &str) -> Option<Vec<String>> {
        Some(["rollout", "undo", workload].map(str::to_owned).to_vec())
    }

    fn needs(&self, chosen: &Chosen, permission: &str) -> bool {
        match permission {
            "list controllerrevisions.apps" => {
                chosen.needs("get statefulsets.apps") || chosen.needs("get daemonsets.apps")
            }
            other => chosen.needs(other),
        }
    }
}

/// The images of a template, for people.
fn images(cluster: &Cluster, template: &Value) -> String {
    let all = template["spec"]["containers"].as_array().into_iter().flatten();
    let images = all.map(|one| cluster.shown(one["image"].as_str().unwrap_or("?"), 80));
    images.collect::<Vec<_>>().join(" + ")
}
