//! `kube-patch`: some fields of one object of any kind.

use super::diff::{Difference, differences};
use super::named::{Meant, Named};
use super::secret::{self, is_named_secret, is_secret};
use super::send::{Wish, send};
use super::state::{asked, digest, going, state, uid};
use super::yaml;
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Applied, Cluster, KubeError, KubeErrorKind, Method};
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place};
use crate::secrets::Redactor;
use serde_json::Value;
use std::time::Duration;

/// Fields that one patch may change: all of them are shown and confirmed.
const MAX_FIELDS: usize = 60;
/// The longest patch that the equivalent command shows.
const MAX_PATCH_CHARS: usize = 4_000;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-patch",
    does: Does::Changes,
    simulated_target: "a Kubernetes object",
    sets: &["patch"],
    doc: "Changes some fields of one object of any kind, also of custom ones, as `kubectl patch` does. The API server judges \
          the patch before anybody is asked, and the confirmation shows each field from and to; of a secret only which fields, never a \
          value. What is changed is the object that was confirmed, unchanged since, and what it becomes is what was confirmed. The proof \
          reads the object back: each field has its confirmed value, and a merge patch that is tried once more changes nothing. Who \
          would set it back (Argo CD, Flux, an operator) is said. It does not wait for pods: `wait-for` on a `kube-workloads` probe does.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::required(
            "object",
            Takes::Text,
            "Kind and name, as `kubectl` takes them: `deployment/web`, `certificates.cert-manager.io/shop`.",
        ),
        Key::required("patch", Takes::Text, "The patch, as JSON or YAML."),
        Key::default(
            "type",
            Takes::Choice(&["merge", "strategic", "json"]),
            "merge",
            "How the patch is meant: `merge` replaces lists whole, `strategic` merges those of the cluster's own kinds by \
             name, `json` is a list of steps (RFC 6902), which no secret takes.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["get /apis"],
    example: r#"[[runbooks.example.steps]]
id = "to-replica"
title = "Point the API at the DR database"
action = "kube-patch"
with.context = "dr"
with.namespace = "shop"
with.object = "configmap/api"
with.patch = '{"data": {"DB_HOST": "db.dr.example.com"}}'
confirm = "yes"
timeout = "1m"
"#,
    call: |params| {
        let object = params.text("object").unwrap_or_default();
        let place = params.text("namespace").map(|place| format!(" in {place}")).unwrap_or_default();
        format!("patch {object}{place} of {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let (name, method) = match params.text("type").unwrap_or("merge") {
        "json" => ("json", Method::Json),
        "strategic" => ("strategic", Method::Strategic),
        _ => ("merge", Method::Merge),
    };
    let text = params.require_text("patch")?;
    let meant = Meant::of("object", params.require_text("object")?)?;
    let patch = read(text, method).map_err(|why| BuildError::value("patch", text, why))?;
    let (place, redactor) = (Place::of(params, clients)?, clients.redactor.clone());
    Ok(Box::new(Changing(Patch { place, redactor, meant, method, name, patch })))
}

/// The patch that stands in the plan.
fn read(text: &str, method: Method) -> Result<Value, String> {
    let mut documents = yaml::documents(text)?;
    let patch = documents.pop().filter(|_| documents.is_empty()).ok_or("it is not one document")?;
    let is_status = |step: &Value| step["path"].as_str().is_some_and(|path| path.starts_with("/status"));
    if patch.get("status").is_some() || patch.as_array().is_some_and(|steps| steps.iter().any(is_status)) {
        return Err("it is for `status`, which controllers write and nobody asks for".into());
    }
    match (method, &patch) {
        (Method::Json, Value::Array(steps)) if !steps.is_empty() => Ok(patch),
        (Method::Json, _) => {
            Err("a patch of the type `json` is a list of steps: `[{\"op\": \"replace\", …}]`".into())
        }
        (_, Value::Object(fields)) if !fields.is_empty() => Ok(patch),
        _ => Err("it holds no fields: `{\"spec\": {…}}`; a list of steps is of the type `json`".into()),
    }
}

struct Patch {
    place: Place,
    redactor: Redactor,
    meant: Meant,
    method: Method,
    /// As a plan names the method.
    name: &'static str,
    patch: Value,
}

struct Seen {
    named: Named,
    live: Value,
    /// What it changes, or why it is not sent.
    outcome: Result<Vec<Difference>, Problem>,
    owners: Vec<Owner>,
}

impl Change for Patch {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, _: &str) -> String {
        format!("patch of {}", self.meant.words())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.meant.unseen_name(&self.place), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let named = self.meant.find(&self.place).await?;
        if is_secret(&named.kind.kind) {
            secret::learn(&self.redactor, &self.patch);
            let fault = secret::fault(&named.kind.kind, &named.name, &self.patch);
            fault.map_or(Ok(()), |fault| Err(Unread::Absent(fault)))?;
        }
        let Some(live) = named.read(cluster).await? else { return Err(absent(&named)) };
        if is_secret(&named.kind.kind) {
            secret::learn(&self.redactor, &live);
        }
        let outcome = self.judged(&named, &live).await;
        let owners = Owners::of(cluster, named.namespace.as_deref().unwrap_or("default"), Field::Other).await;
        let owners = owners.find(&named.kind.kind, &live).await;
        let mut identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            (named.words(), state(&live)),
            ("patch".to_owned(), digest(&self.patch.to_string())),
        ];
        let fields = outcome.iter().flatten();
        identity.extend(fields.map(|one| (one.path.clone(), one.words.clone())));
        let kind = KIND.simulated_target.into();
        let target = Target { name: named.full_name(), kind, identity, reachable: true };
        Ok((target, Seen { named, live, outcome, owners }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let command = self.by_hand(seen.map(|seen| &seen.named));
        let call = |path: &str| format!("PATCH ({}) {path}", self.name);
        let Some(seen) = seen else {
            return Shown { call: call(&self.meant.words()), command, ..Shown::default() };
        };
        let refused = seen.outcome.as_ref().err().cloned().map(Problem::notes).unwrap_or_default();
        let owned = seen.owners.iter().map(|owner| owner.note(&seen.named.name));
        let fields = seen.outcome.iter().flatten();
        Shown {
            call: call(&seen.named.path()),
            command,
            notes: refused.into_iter().chain(owned).collect(),
            sets: fields.map(|one| (one.path.clone(), one.words.clone())).collect(),
            ..Shown::default()
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        let is_so = matches!(&seen.outcome, Ok(fields) if fields.is_empty());
        is_so.then(|| {
            let why = format!("nothing is to be done: {} is so already", seen.named.words());
            Problem::new(why, "Skip the step with this as the reason.")
        })
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.outcome.as_ref().err().cloned()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, _: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, .. } = confirmed;
        let sent = self.send_as(&seen.named, &seen.live, For::Good).await;
        sent.map_err(|error| error.of_change(&what))?;
        let fields = seen.outcome.map(|fields| fields.len()).unwrap_or_default();
        Ok(Done { summary: format!("{}: {fields} fields changed", seen.named.words()) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let unread = |error: KubeError| Unread::from(error).not_done(&*what);
        let cluster = &self.place.cluster;
        let named = self.meant.find(&self.place).await.map_err(unread)?;
        let live = named.read(cluster).await.map_err(unread)?;
        let confirmed = expected.property(&named.words()).unwrap_or_default();
        let is_same = |live: &&Value| confirmed.starts_with(&format!("uid {},", uid(live)));
        let Some(live) = live.as_ref().filter(is_same) else {
            let why = format!("{} is not the one that was confirmed", named.words());
            return Err(not_yet(why, "Find out who made it anew."));
        };
        if let Some(Problem { why, next }) = going(&named.words(), live) {
            return Err(not_yet(why, &next));
        }
        let mut evidence = Vec::new();
        for (path, words) in expected.identity.iter().filter(|(name, _)| name.starts_with(['.', '['])) {
            let is_in = Difference::is_in(cluster, path, words, live);
            // The other patches are tried once more below.
            if is_in.is_none() && self.method == Method::Json {
                let why = format!("whether {path} of {} is as confirmed cannot be told", named.words());
                return Err(not_yet(why, "Compare it by hand, then attest the step."));
            }
            if is_in == Some(false) {
                let why = format!("{path} of {} has another value than was confirmed", named.words());
                return Err(not_yet(why, "It was not done, or somebody set it back: look who, then retry."));
            }
            evidence.push(format!("{}: {path} {words}", named.words()));
        }
        if evidence.is_empty() {
            let next = "Look at the object, then confirm the step.";
            return Err(not_yet("no field was confirmed to change".into(), next));
        }
        if self.method != Method::Json {
            evidence.push(self.tried_again(&named, live, &what).await?);
        }
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        let get = self.place.command(&["get", &self.meant.words(), "-o", "yaml"]);
        ManualCard { instructions: vec![self.by_hand(None)], check: format!("`{get}` shows the fields.") }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let refused = seen.outcome.err().map(|problem| problem.check("the API server takes it"));
        let owned = seen.owners.iter().map(|owner| owner.check(&seen.named.name));
        refused.into_iter().chain(owned).collect()
    }
}

impl Patch {
    /// The object before and after.
    async fn send_as(&self, named: &Named, live: &Value, how: For) -> Result<(Value, Value), KubeError> {
        let cluster = &self.place.cluster;
        let wish = Wish::Patch { method: self.method, patch: &self.patch };
        let answer = send(cluster, named, Some(live), &wish, how).await?;
        match answer.applied {
            Applied::Is { object, .. } => Ok((answer.base.unwrap_or_default(), object)),
            Applied::Conflicts(_) => {
                let why = "a patch met a conflict that only an apply can meet";
                let call = named.call("patch");
                Err(KubeError::new(&cluster.context, &call, KubeErrorKind::NotKubernetes, why))
            }
        }
    }

    /// What it would change, by the API server's own judgement.
    async fn judged(&self, named: &Named, live: &Value) -> Result<Vec<Difference>, Problem> {
        if self.method == Method::Json && is_secret(&named.kind.kind) {
            let next =
                "Use the type `merge`: what steps made of a secret cannot be proven without its values.";
            return Err(Problem::new("a secret takes no patch of the type `json`", next));
        }
        if let Some(problem) = going(&named.words(), live) {
            return Err(problem);
        }
        let cluster = &self.place.cluster;
        let tried = self.send_as(named, live, For::Trial).await;
        let (before, after) = tried.map_err(|error| error.problem())?;
        let fields = changed(cluster, &before, &after);
        match fields.len() {
            many if many > MAX_FIELDS => Err(Problem::new(
                format!("it changes {many} fields, and {MAX_FIELDS} can be confirmed"),
                "Make several steps of it.",
            )),
            _ => Ok(fields),
        }
    }

    /// That the API server would change nothing more.
    async fn tried_again(&self, named: &Named, live: &Value, what: &str) -> Result<String, Failure> {
        let tried = self.send_as(named, live, For::Trial).await;
        let (before, after) =
            tried.map_err(|error| Failure::not_done(what, error.to_string(), error.next_step()))?;
        match changed(&self.place.cluster, &before, &after).first() {
            None => Ok("the same patch, tried once more, changes nothing".to_owned()),
            Some(field) => Err(Failure::not_done(
                what,
                format!("the same patch, tried once more, still changes {} {}", field.path, field.words),
                "It was not done, or somebody set it back: look who, then retry.",
            )),
        }
    }

    fn by_hand(&self, named: Option<&Named>) -> String {
        let object = named.map_or_else(|| self.meant.words(), Named::argument);
        let is_known = named.is_some_and(|named| is_secret(&named.kind.kind));
        let patch = match is_known || is_named_secret(&self.meant.kind) {
            true => "PATCH".to_owned(),
            false => self.place.cluster.shown(&self.patch.to_string(), MAX_PATCH_CHARS),
        };
        self.place.command(&["patch", &object, &format!("--type={}", self.name), "-p", &patch])
    }
}

fn changed(cluster: &Cluster, live: &Value, after: &Value) -> Vec<Difference> {
    differences(cluster, &asked(live), &asked(after))
}

fn absent(named: &Named) -> Unread {
    let why = format!("there is no {}", named.words());
    Unread::Absent(Problem::new(why, "Compare its name, its namespace and the context with the plan."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_of_its_type() {
        assert!(read("{\"spec\": {\"a\": 1}}", Method::Merge).is_ok());
        assert!(read("spec:\n  a: 1\n", Method::Strategic).is_ok());
        assert!(read("- {op: remove, path: /a}", Method::Json).is_ok());
        for (text, method) in [
            ("", Method::Merge),
            ("{}", Method::Merge),
            ("x", Method::Merge),
            ("[]", Method::Json),
            ("a: 1\n---\nb: 1\n", Method::Merge),
        ] {
            read(text, method).unwrap_err();
        }
        assert!(read("[{\"op\": \"remove\"}]", Method::Merge).unwrap_err().contains("type `json`"));
        for (text, method) in
            [("status: {a: 1}", Method::Merge), ("[{op: remove, path: /status/a}]", Method::Json)]
        {
            assert!(read(text, method).unwrap_err().contains("`status`"), "{text}");
        }
        assert!(read("a: 1", Method::Json).unwrap_err().contains("list of steps"));
    }
}
