//! A change of one object, sent once, to the object that was confirmed, in the state that was confirmed.

use super::named::Named;
use super::state::{confirmed, uid};
use crate::providers::kube::client::{Applied, Cluster, Conflict, KubeError, KubeErrorKind, Method, Sent};
use crate::providers::kube::object::For;
use crate::providers::kube::told::told;
use serde_json::{Value, json};

/// How often a change is sent anew because the object's status was written in between.
const TRIES: usize = 5;

/// What is asked for.
pub enum Wish<'a> {
    /// These fields, with this one as who decides over them; of others too where it is forced.
    Apply { object: &'a Value, is_forced: bool },
    /// A patch.
    Patch { method: Method, patch: &'a Value },
}

impl Wish<'_> {
    fn method(&self) -> Method {
        match self {
            Self::Apply { .. } => Method::Apply,
            Self::Patch { method, .. } => *method,
        }
    }

    fn query(&self, how: For) -> Vec<(&'static str, String)> {
        let trial = (how == For::Trial).then(|| ("dryRun", "All".to_owned()));
        let is_forced = matches!(self, Self::Apply { is_forced: true, .. });
        trial.into_iter().chain(is_forced.then(|| ("force", "true".to_owned()))).collect()
    }

    /// What is sent so that no other object takes it, and none in another version.
    fn body(&self, live: Option<&Value>) -> Value {
        let (Self::Apply { object: body, .. } | Self::Patch { patch: body, .. }) = self;
        let mut body = (*body).clone();
        let Some(live) = live else { return body };
        let version = &live["metadata"]["resourceVersion"];
        match body.as_array_mut() {
            Some(steps) => {
                let set = |name: &str, value: &Value| json!({"op": "replace", "path": format!("/metadata/{name}"), "value": value});
                steps.extend([set("uid", &json!(uid(live))), set("resourceVersion", version)]);
            }
            None => {
                body["metadata"]["uid"] = json!(uid(live));
                body["metadata"]["resourceVersion"] = version.clone();
            }
        }
        body
    }
}

/// What became of it, and of which version of the object: a controller may have written its notes since it was read.
pub struct Answer {
    pub applied: Applied,
    pub base: Option<Value>,
}

/// Sends it for exactly this object in exactly this version. A conflict says that nothing was done: where only the status
/// was written in between, it is sent for the version of now.
///
/// # Errors
/// Also where somebody else changed it.
pub async fn send(
    cluster: &Cluster,
    named: &Named,
    live: Option<&Value>,
    change: &Wish<'_>,
    how: For,
) -> Result<Answer, KubeError> {
    let call = named.call("patch");
    let before = live.map(confirmed);
    let mut live = live.cloned();
    for _ in 0..TRIES {
        let body = change.body(live.as_ref());
        let query = change.query(how);
        let sent = Sent { method: change.method(), path: named.path(), query, body: Some(&body) };
        let answer = match change {
            Wish::Apply { .. } => cluster.apply(&call, sent, cluster.deadline()).await,
            Wish::Patch { .. } => {
                let object = cluster.send(&call, sent, cluster.deadline()).await;
                object.map(|object| Applied::Is { object, is_new: false })
            }
        };
        let error = match answer {
            Err(error) if error.kind == KubeErrorKind::Conflict && live.is_some() => error,
            answer => return answer.map(|applied| Answer { applied, base: live }),
        };
        live = named.read(cluster).await?;
        if live.as_ref().map(confirmed) != before {
            return Err(error);
        }
    }
    let why = "its status is written all the time, so that no version lasts long enough";
    Err(KubeError::new(&cluster.context, &call, KubeErrorKind::Conflict, why))
}

/// Who decides over which fields (`kubectl` owns .spec.replicas).
pub fn conflicts_words(cluster: &Cluster, conflicts: &[Conflict]) -> String {
    let mut managers: Vec<&str> = conflicts.iter().map(|one| &*one.manager).collect();
    managers.sort_unstable();
    managers.dedup();
    let of = |manager: &str| {
        let fields = conflicts.iter().filter(|one| one.manager == manager).map(|one| one.field.clone());
        format!("`{manager}` owns {}", told(cluster, fields))
    };
    managers.into_iter().map(of).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    #[test]
    fn a_change_is_for_one_object_in_one_version() {
        let live = json!({"metadata": {"uid": "u1", "resourceVersion": "7"}});
        let patch = json!({"spec": {"a": 1}});
        let merge = Wish::Patch { method: Method::Merge, patch: &patch };
        let bound = json!({"spec": {"a": 1}, "metadata": {"uid": "u1", "resourceVersion": "7"}});
        assert_eq!(merge.body(Some(&live)), bound);
        let steps = json!([{"op": "remove", "path": "/spec/a"}]);
        let body = Wish::Patch { method: Method::Json, patch: &steps }.body(Some(&live));
        assert_eq!(body[1], json!({"op": "replace", "path": "/metadata/uid", "value": "u1"}));
        assert_eq!(body[2], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
        let apply = Wish::Apply { object: &patch, is_forced: true };
        assert_eq!(apply.body(None), patch);
        let query = [("dryRun", "All".to_owned()), ("force", "true".to_owned())];
        assert_eq!(apply.query(For::Trial), query);
        assert_eq!(merge.query(For::Good), []);
    }

    #[test]
    fn who_owns_what_is_told_by_manager() {
        let conflict = |manager: &str, field: &str| Conflict { manager: manager.into(), field: field.into() };
        let all = [conflict("helm", ".a"), conflict("kubectl", ".b"), conflict("helm", ".c")];
        assert_eq!(conflicts_words(&cluster(), &all), "`helm` owns .a, .c; `kubectl` owns .b");
    }
}
