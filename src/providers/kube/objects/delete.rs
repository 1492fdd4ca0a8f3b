//! `kube-delete`: one object of any kind, by its name.

use super::goes::{FOREGROUND, held, notes};
use super::heavy::{is_heavy, is_kept, is_named_heavy, is_namespace};
use super::named::{Meant, Named};
use super::state::{server, uid};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Cluster, Kind, KubeError, Method, Sent};
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at what is deleted.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-delete",
    does: Does::Changes,
    simulated_target: "a Kubernetes object",
    sets: &["grace"],
    doc: "Deletes one object of any kind, and waits until it is gone. The confirmation says what goes with it and what stays: \
          pods of a workload, the data of a volume claim, finalizers that hold it, and who would make it anew (Argo CD, Flux, \
          an operator). What is deleted is the very object that was confirmed, by its uid: one of the same name that was made since \
          stays. A workload is gone when its pods are (a foreground deletion). It is proven by reading that no object of that uid is there any more. What takes other things with it \
          (a namespace, a definition of custom objects, a volume, a volume claim) has to be typed in capital letters \
          (`DELETE shop`), with `confirm = \"type\"`; of a namespace the confirmation counts what is in it. The namespaces \
          `default`, `kube-system`, `kube-public` and `kube-node-lease` are never deleted. An object that is held by a finalizer \
          when the time of the step is over is unknown.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::required(
            "object",
            Takes::RawText,
            "Kind and name, as `kubectl` takes them: `pod/web-0`, `namespace/shop`. It stands in the plan as it is.",
        ),
        Key::optional(
            "grace",
            Takes::Duration,
            "How long a pod gets to end; its own time where absent. With `0s` the cluster forgets it at once, although it may \
             run on.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["get /apis"],
    example: r#"[[runbooks.example.steps]]
id = "new-leader"
title = "Delete the pod that holds the lock"
action = "kube-delete"
with.context = "dr"
with.namespace = "shop"
with.object = "pod/worker-0"
confirm = "type"
timeout = "5m"
"#,
    call: |params| {
        let object = params.text("object").unwrap_or_default();
        let place = params.text("namespace").map(|place| format!(" in {place}")).unwrap_or_default();
        format!("delete {object}{place} of {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let text = params.require_text("object")?;
    let meant = Meant::of("object", text)?;
    if is_namespace(&meant.kind) && is_kept(&meant.name) {
        let why = "this namespace is never deleted: the cluster cannot be without it, or everybody shares it";
        return Err(BuildError::value("object", text, why));
    }
    let grace = params.duration("grace").map(|grace| grace.max(SignedDuration::ZERO).as_secs());
    Ok(Box::new(Changing(Delete { place: Place::of(params, clients)?, meant, grace })))
}

struct Delete {
    place: Place,
    meant: Meant,
    /// In seconds.
    grace: Option<i64>,
}

struct Seen {
    named: Named,
    live: Value,
    goes: Vec<String>,
    owners: Vec<Owner>,
    refused: Option<Problem>,
}

impl Change for Delete {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, _: &str) -> String {
        format!("deletion of {}", self.meant.words())
    }

    async fn unseen(&self) -> Target {
        let name = match is_namespace(&self.meant.kind) {
            true => self.meant.name.clone(),
            false => self.meant.unseen_name(&self.place),
        };
        Target::unseen(&self.phrase(name), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let named = self.meant.find(&self.place).await?;
        let Some(live) = named.read(cluster).await? else { return Err(gone(&named)) };
        let goes = notes(cluster, &named, &live).await;
        let owners = Owners::of(cluster, named.namespace.as_deref().unwrap_or("default"), Field::Other).await;
        let owners = owners.find(&named.kind.kind, &live).await;
        let refused = match self.never(&named) {
            Some(problem) => Some(problem),
            None => self.send_as(&named, &live, For::Trial).await.err().and_then(|error| error.refusal()),
        };
        let identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            ("server".to_owned(), server(cluster).await?),
            ("path".to_owned(), named.path()),
            (named.words(), format!("uid {}", uid(&live))),
        ];
        let kind = KIND.simulated_target.into();
        let target = Target { name: self.phrase(named.full_name()), kind, identity, reachable: true };
        Ok((target, Seen { named, live, goes, owners, refused }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = |path: &str| format!("DELETE {path}");
        let Some(seen) = seen else {
            return Shown {
                call: call(&self.meant.words()),
                command: self.by_hand(None),
                ..Shown::default()
            };
        };
        let refused = seen.refused.clone().map(Problem::notes).unwrap_or_default();
        let owned = seen.owners.iter().map(|owner| owner.note(&seen.named.name));
        let forgets = self.grace.filter(|grace| *grace == 0).map(|_| {
            "With no time to end, the cluster forgets it at once; it may run on, beside the one that is made anew.".to_owned()
        });
        Shown {
            call: format!("{} (uid {})", call(&seen.named.path()), uid(&seen.live)),
            command: self.by_hand(Some(&seen.named.kind)),
            notes: refused.into_iter().chain(seen.goes.clone()).chain(owned).chain(forgets).collect(),
            sets: self.grace.map(|grace| ("grace".to_owned(), format!("{grace} s"))).into_iter().collect(),
            ..Shown::default()
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.refused.clone()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, .. } = confirmed;
        let begun = Instant::now();
        let sent = self.send_as(&seen.named, &seen.live, For::Good).await;
        sent.map_err(|error| error.of_change(&what))?;
        (context.output)(&format!("{} is deleted", seen.named.words()));
        let late = |seen: String| {
            let next =
                "Look who holds it: whoever set a finalizer takes it off. Verify the step until it is gone.";
            Failure::maybe_done(&*what, format!("the cluster took it, and it is still there: {seen}"), next)
        };
        let context = context.remaining(begun.elapsed());
        let uid = uid(&seen.live);
        wait(&context, PAUSE, late, || progress(&self.place.cluster, &seen.named, &uid)).await?;
        Ok(Done { summary: format!("{} is gone", seen.named.words()) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let unread = |error: KubeError| Unread::from(error).not_done(&*what);
        let server = server(&self.place.cluster).await.map_err(unread)?;
        if expected.property("server") != Some(&server) {
            let why = format!("the context leads to another API server than was confirmed: {server}");
            return Err(not_yet(
                why,
                "Find out who changed the kubeconfig; look at the confirmed cluster by hand.",
            ));
        }
        let named = self.meant.find(&self.place).await.map_err(unread)?;
        let words = named.words();
        if expected.property("path") != Some(&named.path()) {
            let why =
                format!("`{}` is another kind here than was confirmed: {}", self.meant.kind, named.path());
            return Err(not_yet(
                why,
                "Write its kind with its group in the plan; look by hand whether it is gone.",
            ));
        }
        let Some(confirmed) = expected.property(&words).and_then(|state| state.strip_prefix("uid ")) else {
            let next = "Look whether it is gone, then attest the step.";
            return Err(not_yet("it is not known which object was confirmed".into(), next));
        };
        let evidence = match named.read(&self.place.cluster).await.map_err(unread)? {
            None => format!("the API server has no {words}"),
            Some(live) if uid(&live) != confirmed => {
                format!("{words} of uid {confirmed} is gone; the one of that name now is another one")
            }
            Some(live) => {
                let state = waits(&self.place.cluster, &live);
                return Err(not_yet(
                    format!("{words} is still there: {state}"),
                    "Verify again once it is gone.",
                ));
            }
        };
        Ok(Proof { evidence: vec![evidence] })
    }

    fn must_be_typed(&self) -> Option<BuildError> {
        is_named_heavy(&self.meant.kind).then(|| {
            let why = "its deletion takes other things with it and has to be typed in capital letters: write \
                       `confirm = \"type\"`";
            BuildError::value("object", &self.meant.words(), why)
        })
    }

    fn manual(&self) -> ManualCard {
        let get = self.place.command(&["get", &self.meant.words()]);
        ManualCard {
            instructions: vec![self.by_hand(None)],
            check: format!("`{get}` says that there is none."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let refused = seen.refused.map(|problem| problem.check("the API server takes it"));
        let owned = seen.owners.iter().map(|owner| owner.check(&seen.named.name));
        refused.into_iter().chain(owned).collect()
    }
}

impl Delete {
    /// What is typed.
    fn phrase(&self, name: String) -> String {
        if is_named_heavy(&self.meant.kind) { format!("DELETE {name}") } else { name }
    }

    /// What no confirmation can make right.
    fn never(&self, named: &Named) -> Option<Problem> {
        let next = "Delete it by hand, if you must, and attest the step.";
        if named.kind.kind == "Namespace" && is_kept(&named.name) {
            return Some(Problem::new(format!("the namespace {} is never deleted", named.name), next));
        }
        let is_hidden = is_heavy(&named.kind) && !is_named_heavy(&self.meant.kind);
        is_hidden.then(|| {
            let why = format!(
                "`{}` is a {} here, which takes other things with it",
                self.meant.kind,
                named.kind.noun()
            );
            Problem::new(why, format!("Write `{}/{}` in the plan.", named.kind.noun(), named.name))
        })
    }

    async fn send_as(&self, named: &Named, live: &Value, how: For) -> Result<(), KubeError> {
        let cluster = &self.place.cluster;
        let body = options(&named.kind, &uid(live), self.grace, how);
        let sent = Sent { method: Method::Delete, path: named.path(), query: Vec::new(), body: Some(&body) };
        cluster.send(&named.call("delete"), sent, cluster.deadline()).await.map(|_| ())
    }

    fn by_hand(&self, kind: Option<&Kind>) -> String {
        let cascade = kind.filter(|kind| runs_pods(&kind.kind)).map(|_| "--cascade=foreground");
        let grace = self.grace.map(|grace| format!("--grace-period={grace}"));
        let object = self.meant.words();
        let forced = (self.grace == Some(0)).then_some("--force");
        let words = ["delete", &object].into_iter().chain(cascade).chain(grace.as_deref()).chain(forced);
        self.place.command(&words.collect::<Vec<_>>())
    }
}

/// What is asked for. All of it stands here: beside a body the API server does not read the query, and a trial that stood
/// there would be a deletion.
fn options(kind: &Kind, uid: &str, grace: Option<i64>, how: For) -> Value {
    let mut options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid},
        "propagationPolicy": if runs_pods(&kind.kind) { "Foreground" } else { "Background" },
    });
    if let Some(grace) = grace {
        options["gracePeriodSeconds"] = json!(grace);
    }
    if how == For::Trial {
        options["dryRun"] = json!(["All"]);
    }
    options
}

/// Whether it is gone only together with its pods.
fn runs_pods(kind: &str) -> bool {
    matches!(
        kind,
        "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "ReplicationController"
            | "Job"
            | "CronJob"
    )
}

async fn progress(cluster: &Cluster, named: &Named, confirmed: &str) -> Result<Progress<()>, Unseen> {
    Ok(match named.read(cluster).await? {
        Some(live) if uid(&live) == confirmed => Progress::Waiting(waits(cluster, &live)),
        _ => Progress::Reached(()),
    })
}

/// Why it is still there.
fn waits(cluster: &Cluster, live: &Value) -> String {
    let finalizers = live["metadata"]["finalizers"].as_array().into_iter().flatten();
    let has_more = finalizers.clone().any(|name| name == FOREGROUND);
    match (live["metadata"]["deletionTimestamp"].is_null(), held(cluster, live)) {
        (true, _) => "nobody deleted it, as the cluster has it".to_owned(),
        (false, Some(held)) => held,
        (false, None) if has_more => "its pods, or what else it owns, are not gone yet".to_owned(),
        (false, None) => "it comes to its end".to_owned(),
    }
}

fn gone(named: &Named) -> Unread {
    let why = format!("nothing is to be done: there is no {}", named.words());
    Unread::Absent(Problem::new(why, "Skip the step with this as the reason."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::try_step;

    #[test]
    fn a_trial_is_one_by_its_body_and_a_deletion_is_of_one_object() {
        let kind = |name: &str| Kind {
            api_version: "v1".into(),
            kind: name.into(),
            plural: "x".into(),
            is_namespaced: true,
        };
        let pods = kind("Pod");
        assert_eq!(options(&kind("Deployment"), "u1", None, For::Good)["propagationPolicy"], "Foreground");
        assert_eq!(options(&pods, "u1", None, For::Good)["propagationPolicy"], "Background");
        assert_eq!(options(&pods, "u1", None, For::Trial)["dryRun"], json!(["All"]));
        let good = options(&pods, "u1", Some(0), For::Good);
        assert!(good.get("dryRun").is_none());
        assert_eq!((&good["preconditions"]["uid"], &good["gracePeriodSeconds"]), (&json!("u1"), &json!(0)));
    }

    fn problems(object: &str, confirm: &str) -> String {
        let text = format!(
            "[[runbooks.example.steps]]\nid = \"x\"\ntitle = \"X\"\naction = \"kube-delete\"\nwith.context = \"dr\"\n\
             with.object = \"{object}\"\nconfirm = \"{confirm}\"\n"
        );
        try_step(&text).err().map(|problems| format!("{problems}")).unwrap_or_default()
    }

    #[test]
    fn what_takes_others_with_it_is_typed() {
        for object in
            ["namespace/shop", "ns/shop", "Namespaces/shop", "crd/a.example.com", "pvc/data-db-0", "pv/x"]
        {
            for confirm in ["yes", "none"] {
                let said = problems(object, confirm);
                assert!(said.contains("confirm = \"type\""), "{object} {confirm}: {said}");
            }
            assert_eq!(problems(object, "type"), "", "{object}");
        }
        assert_eq!(problems("pod/web-0", "yes"), "");
    }

    #[test]
    fn some_namespaces_are_never_deleted_and_no_name_is_filled_in_later() {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let said = problems(&format!("namespace/{name}"), "type");
            assert!(said.contains("never deleted"), "{name}: {said}");
        }
        assert!(problems("{{ incident.id }}/shop", "yes").contains("no name of a kind"));
        assert!(problems("pod/{{ incident.id }}", "yes").contains("no object can have that name"));
    }
}
