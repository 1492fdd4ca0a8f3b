//! One look at what is waited for.

use super::goal::{Goal, Standing};
use super::{KubeWait, Which};
use crate::core::words::action::Target;
use crate::providers::kube::client::{Call, Kind, KubeError, KubeErrorKind, Method, Sent};
use crate::providers::kube::said::text;
use crate::providers::kube::told::told;
use serde_json::Value;
use std::collections::HashMap;
use tokio::time::Instant;

/// The most objects that one wait follows.
const MOST: usize = 500;
/// A name of an object.
const NAME_CHARS: usize = 100;

/// What one look saw.
pub(super) struct Look {
    pub kind: Kind,
    pub namespace: String,
    /// By name; nothing where the plan names what is not there.
    pub objects: Vec<(String, Option<Value>)>,
}

/// What the objects come to.
pub(super) struct Tally {
    pub reached: Vec<String>,
    /// Those that are not there yet, with why.
    pub missing: Vec<String>,
    /// One that will not get there, and why.
    pub never: Option<String>,
}

impl Look {
    /// As `kubectl` takes it (`pod/web`).
    pub fn words(&self, name: &str) -> String {
        format!("{}/{name}", self.kind.noun())
    }

    /// That nothing is there.
    fn none_fits(&self, selector: &str) -> String {
        format!("no {} fits {selector}{}", self.kind.noun(), self.place())
    }

    /// Where it was looked.
    pub fn place(&self) -> String {
        if self.kind.is_namespaced { format!(" in {}", self.namespace) } else { String::new() }
    }

    /// The unique ids of those that are there.
    pub fn ids(&self) -> HashMap<String, String> {
        let there = self.objects.iter().filter_map(|(name, object)| Some((name, object.as_ref()?)));
        there.map(|(name, object)| (name.clone(), text(&object["metadata"]["uid"]))).collect()
    }
}

impl KubeWait {
    /// The kind that the plan names, as the cluster has it.
    pub(super) async fn kind(&self) -> Result<Kind, KubeError> {
        let cluster = &self.place.cluster;
        cluster.kind_named(&self.kind, Instant::now() + cluster.deadline()).await
    }

    /// Reads what is waited for.
    pub(super) async fn look(&self, kind: &Kind) -> Result<Look, KubeError> {
        let call = Call::new(format!("get {}", kind.full_name()), self.place.words());
        let namespace = self.place.namespace(&call).await?;
        let objects = match &self.which {
            Which::Named(names) => self.named(kind, &namespace, names).await?,
            Which::Selected(selector) => self.selected(kind, &namespace, selector).await?,
        };
        Ok(Look { kind: kind.clone(), namespace, objects })
    }

    async fn named(
        &self,
        kind: &Kind,
        namespace: &str,
        names: &[String],
    ) -> Result<Vec<(String, Option<Value>)>, KubeError> {
        let cluster = &self.place.cluster;
        let mut objects = Vec::new();
        for name in names {
            let call = Call::new(format!("get {}", kind.full_name()), format!("{name} in {namespace}"));
            let path = kind.path(Some(namespace), Some(name));
            let object = match cluster.get(&call, path, cluster.deadline()).await {
                Err(error) if error.kind == KubeErrorKind::NotFound => None,
                read => Some(read?),
            };
            objects.push((name.clone(), object));
        }
        Ok(objects)
    }

    async fn selected(
        &self,
        kind: &Kind,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<(String, Option<Value>)>, KubeError> {
        let cluster = &self.place.cluster;
        let call = Call::new(format!("list {}", kind.full_name()), format!("-l {selector} in {namespace}"));
        let query = vec![("labelSelector", selector.to_owned()), ("limit", MOST.to_string())];
        let sent = Sent { method: Method::Get, path: kind.path(Some(namespace), None), query, body: None };
        let mut page = cluster.send(&call, sent, cluster.deadline()).await?;
        if page["metadata"]["continue"].as_str().is_some_and(|next| !next.is_empty()) {
            let why = format!("more than {MOST} {} fit", kind.plural);
            let error = KubeError::new(&cluster.context, &call, KubeErrorKind::Refused, why);
            return Err(error.with_hint("Say more exactly in the plan which ones are meant."));
        }
        let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) else {
            let why = "what answered is no API server: its list has no items";
            return Err(KubeError::new(&cluster.context, &call, KubeErrorKind::NotKubernetes, why));
        };
        let named =
            |object: Value| (cluster.shown(&text(&object["metadata"]["name"]), NAME_CHARS), Some(object));
        Ok(items.into_iter().map(named).collect())
    }

    /// Judges a look. `expected` tells which object of a name was confirmed: once another one has that name, it is gone.
    pub(super) fn tally(&self, look: &Look, expected: &Target) -> Tally {
        let cluster = &self.place.cluster;
        let lasts = matches!(self.which, Which::Named(_));
        let mut tally = Tally { reached: Vec::new(), missing: Vec::new(), never: None };
        for (name, object) in &look.objects {
            let words = look.words(name);
            let standing = match (object, &self.goal) {
                (None, Goal::Deleted) => Standing::Reached,
                (None, _) => Standing::Waits("is not there".to_owned()),
                (Some(object), Goal::Deleted) if is_another(expected, &words, object) => Standing::Reached,
                (Some(object), goal) => goal.standing(cluster, &look.kind, object, lasts),
            };
            match standing {
                Standing::Reached => tally.reached.push(words),
                Standing::Waits(why) => tally.missing.push(format!("{name} {why}")),
                Standing::Never(why) => {
                    tally.never.get_or_insert(format!("{words} {why}"));
                }
            }
        }
        let is_few = self.goal != Goal::Deleted && look.objects.len() < self.at_least;
        if let Which::Selected(selector) = &self.which
            && is_few
        {
            let more = match look.objects.len() {
                0 => look.none_fits(selector),
                there => format!("{} more have to be there", self.at_least - there),
            };
            tally.missing.insert(0, more);
        }
        tally
    }

    /// How far all of them are.
    pub(super) fn progress(&self, look: &Look, tally: &Tally) -> String {
        let (goal, plural) = (self.goal.words(), &look.kind.plural);
        let missing = told(&self.place.cluster, tally.missing.iter().cloned());
        let count = match (&self.which, &self.goal) {
            (Which::Selected(selector), Goal::Deleted) if missing.is_empty() => {
                return look.none_fits(selector);
            }
            (Which::Selected(_), Goal::Deleted) => format!("{} {plural} not {goal}", look.objects.len()),
            _ => format!(
                "{} of {} {plural} {goal}",
                tally.reached.len(),
                look.objects.len().max(self.at_least)
            ),
        };
        if missing.is_empty() { count } else { format!("{count}: {missing}") }
    }
}

/// Whether another object than the confirmed one has its name now.
fn is_another(expected: &Target, words: &str, object: &Value) -> bool {
    let now = format!("uid {}", text(&object["metadata"]["uid"]));
    expected.property(words).is_some_and(|confirmed| confirmed != now)
}
