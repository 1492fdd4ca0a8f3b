//! `kube-rollout-restart`: new pods for workloads, of the template that they have.

use super::change::{Until, follow, half_done, missing, read, send};
use super::chosen::{ALL, AT_MOST, Chosen, Found, NAMES, RUNNING, SELECTOR, call_words};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Call;
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::{CONTEXT, NAMESPACE};
use serde_json::{Value, json};
use std::time::Duration;

/// The mark of the attempt on the template of the pods: what is proven is that these very pods run.
const MARK: &str = "lifeboat.dev/restarted-by";

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-rollout-restart",
    does: Does::Changes,
    simulated_target: "Kubernetes workloads",
    sets: &[],
    doc: "Has deployments, stateful sets and daemon sets make their pods anew, as their rollout strategy says: so that they \
          read configuration, secrets or names again. It marks the pods' template with the attempt (annotation \
          `lifeboat.dev/restarted-by`), waits until all pods are of that template and ready and those of before are gone, and proves by that mark. A \
          workload whose rollout is paused is refused.",
    keys: &[CONTEXT, NAMESPACE, NAMES, SELECTOR, ALL, AT_MOST],
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
    Ok(Box::new(Changing(Restart { chosen: Chosen::of(params, clients, RUNNING)? })))
}

struct Restart {
    chosen: Chosen,
}

struct Seen {
    namespace: String,
    found: Vec<Found>,
    owners: Vec<(String, Owner)>,
    refused: Option<Problem>,
}

fn patch(token: &str) -> Value {
    json!({"spec": {"template": {"metadata": {"annotations": {MARK: token}}}}})
}

fn mark(found: &Found) -> Option<&str> {
    found.object["spec"]["template"]["metadata"]["annotations"][MARK].as_str()
}

impl Change for Restart {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("restart of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.chosen.unseen_name(), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let call = Call::new("get workloads", self.chosen.place.words());
        let namespace = self.chosen.place.namespace(&call).await?;
        let cluster = &self.chosen.place.cluster;
        let found = self.chosen.read(&namespace).await?;
        let asked = Owners::of(cluster, &namespace).await;
        let (mut owners, mut refused) = (Vec::new(), None);
        for one in &found {
            let of = asked.find(one.kind(), &one.object, Field::Other).await;
            owners.extend(of.into_iter().map(|owner| (one.named.name.clone(), owner)));
            if one.workload().is_paused {
                let why =
                    format!("the rollout of {} is paused: it would make no new pods", one.named.words());
                refused.get_or_insert(Problem::new(why, "Resume it first: `kubectl rollout resume`."));
            }
            if one.workload().waits_for_deletion {
                let why = format!(
                    "{} makes new pods only where somebody deletes the old ones (OnDelete)",
                    one.named.words()
                );
                refused.get_or_insert(Problem::new(
                    why,
                    "Delete its pods one after the other, and attest the step.",
                ));
            }
            if refused.is_none() {
                let judged = send(cluster, one, &patch("trial"), For::Trial).await;
                refused = judged.err().and_then(|error| error.refusal());
            }
        }
        let mut identity = vec![("context".to_owned(), cluster.context.to_string())];
        identity.extend(
            found
                .iter()
                .map(|one| (one.named.words(), format!("uid {}, generation {}", one.uid, one.generation))),
        );
        let name = self.chosen.name(&namespace, &found);
        let target = Target { name, kind: KIND.simulated_target.into(), identity, reachable: true };
        Ok((target, Seen { namespace, found, owners, refused }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = |names: String, place: String| format!("PATCH spec.template of {names} in {place}");
        let Some(seen) = seen else {
            let call = call(self.chosen.words().join(" "), self.chosen.place.words());
            return Shown { call, command: self.by_hand(), ..Shown::default() };
        };
        let names: Vec<String> = seen.found.iter().map(|one| one.named.words()).collect();
        let notes = seen.refused.clone().map(Problem::notes).unwrap_or_default();
        let pods = seen.found.iter().map(|one| format!("{} {}", one.named.name, one.workload().wanted));
        let pods = format!("pods that are made anew: {}", pods.collect::<Vec<_>>().join(", "));
        // What is set back is the mark: the pods are made anew once more.
        let owned = seen.owners.iter().map(|(name, owner)| owner.note(name));
        Shown {
            call: call(names.join(", "), seen.namespace.clone()),
            command: self.by_hand(),
            notes: notes.into_iter().chain([pods]).chain(owned).collect(),
            ..Shown::default()
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.refused.clone()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let cluster = &self.chosen.place.cluster;
        let mut done = Vec::new();
        for one in &seen.found {
            if let Err(error) = send(cluster, one, &patch(&context.token), For::Good).await {
                return Err(half_done(&what, &done, &error));
            }
            (context.output)(&format!("{} makes new pods", one.named.words()));
            done.push(one.named.words());
        }
        follow(cluster, &seen.namespace, &seen.found, Until::Renewed, &what, context).await?;
        Ok(Done { summary: format!("{}: new pods of {}", expected.name, done.join(", ")) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = format!("restart of {}", expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let call = Call::new("get workloads", self.chosen.place.words());
        let cluster = &self.chosen.place.cluster;
        let namespace =
            self.chosen.place.namespace(&call).await.map_err(|error| Unread::from(error).not_done(&*what))?;
        let found = self.chosen.read(&namespace).await.map_err(|unread| unread.not_done(&*what))?;
        let mut evidence = Vec::new();
        for (name, before) in expected.identity.iter().filter(|(name, _)| name.contains('/')) {
            let one = found
                .iter()
                .find(|one| one.named.words() == *name && before.contains(&format!("uid {},", one.uid)));
            let Some(one) = one else {
                return Err(not_yet(
                    format!("{name} is not the one that was confirmed"),
                    "Find out who made it anew.",
                ));
            };
            let now = read(cluster, &namespace, one).await.map_err(|error| error.of_change(&what))?;
            if mark(&now) != Some(&context.token) {
                let why = format!("the pods of {name} do not carry the mark of this attempt");
                return Err(not_yet(why, "It was not done, or somebody set it back: look who, then retry."));
            }
            let seen = now.workload();
            if !seen.is_there() {
                let why = format!(
                    "{name}: {} of {} pods are new and ready",
                    seen.updated.min(seen.ready),
                    seen.wanted
                );
                return Err(not_yet(why, "It still goes on: verify again."));
            }
            let rest = missing(cluster, &namespace, &now, Until::Renewed).await;
            if let Some(rest) = rest.map_err(|error| error.of_change(&what))? {
                return Err(not_yet(rest, "Those of before go on until they end: verify again."));
            }
            evidence
                .push(format!("{name}: {} pods carry the mark of this attempt and are ready", seen.updated));
        }
        Ok(Proof { evidence })
    }

    fn needs(&self, permission: &str) -> bool {
        self.chosen.needs(permission)
    }

    fn manual(&self) -> ManualCard {
        let status = self.chosen.place.command(&["rollout", "status", "deployment/NAME"]);
        ManualCard {
            instructions: vec![self.by_hand()],
            check: format!("`{status}` says that it is rolled out."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        seen.refused.map(|problem| problem.check("the API server takes it")).into_iter().collect()
    }
}

impl Restart {
    fn by_hand(&self) -> String {
        let mut words = vec!["rollout".to_owned(), "restart".to_owned()];
        words.extend(self.chosen.words());
        self.chosen.place.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
