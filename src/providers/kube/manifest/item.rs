//! One object of the files, and what the API server would make of it.

use super::otherwise::Otherwise;
use super::ready::hindered;
use crate::base::problem::Problem;
use crate::providers::kube::client::{Applied, Cluster, Conflict, Kind, KubeError, KubeErrorKind, MANAGER};
use crate::providers::kube::object::For;
use crate::providers::kube::objects::diff::{Difference, differences};
use crate::providers::kube::objects::secret::{is_secret, learn};
use crate::providers::kube::objects::{
    Answer, Named, Wish, asked, conflicts_words, digest, going, send, state,
};
use crate::secrets::Redactor;
use serde_json::{Value, json};

/// In the identity, before what tells what is made otherwise than the file has it.
pub const OTHERWISE: &str = ", otherwise ";

/// An object of the files.
pub struct Item {
    pub named: Named,
    /// As it is sent.
    pub wanted: Value,
    /// As the cluster has it; none where it is not there.
    pub live: Option<Value>,
    /// What the API server would do, or why it would not.
    pub outcome: Result<Outcome, Problem>,
    /// What others decide over, and this takes from them.
    pub taken: Vec<Conflict>,
    /// What keeps its pods from being made anew, once it is applied.
    pub hindrance: Option<Problem>,
    /// What the API server would make otherwise than the file has it.
    pub otherwise: Otherwise,
}

/// What becomes of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Made,
    Changed(Vec<Difference>),
    Same,
    /// Nobody can try it before it is done, and why.
    Untried(&'static str),
}

/// What the other objects of the step bring about, so that one that needs it cannot be tried before.
#[derive(Default)]
pub struct Among {
    pub namespaces: Vec<String>,
    pub kinds: Vec<Kind>,
}

impl Item {
    /// Asks the API server what it would do.
    ///
    /// # Errors
    /// When the object cannot be read.
    pub async fn judged(
        (cluster, redactor): (&Cluster, &Redactor),
        (named, wanted): (Named, Value),
        is_forced: bool,
        among: &Among,
    ) -> Result<Self, KubeError> {
        let live = match named.read(cluster).await {
            Err(error) if error.kind == KubeErrorKind::NoSuchKind && among.kinds.contains(&named.kind) => {
                None
            }
            read => read?,
        };
        // Who refuses a change of it may quote the whole of it.
        if let Some(live) = live.as_ref().filter(|_| is_secret(&named.kind.kind)) {
            learn(redactor, live);
        }
        let (outcome, taken) = (Ok(Outcome::Same), Vec::new());
        let otherwise = Otherwise::default();
        let mut item = Self { named, wanted, live, outcome, taken, hindrance: None, otherwise };
        item.outcome = item.trial(cluster, is_forced, among).await;
        Ok(item)
    }

    async fn trial(&mut self, cluster: &Cluster, is_forced: bool, among: &Among) -> Result<Outcome, Problem> {
        if let Some(problem) = self.live.as_ref().and_then(|live| going(&self.named.words(), live)) {
            return Err(problem);
        }
        let mut answer = self.send(cluster, false, For::Trial).await;
        if let Ok(Answer { applied: Applied::Conflicts(conflicts), .. }) = answer {
            if !is_forced {
                let why = format!("{}: {}", self.named.words(), conflicts_words(cluster, &conflicts));
                let next = "Take these fields out of the file, or write `force = true` to take them over.";
                return Err(Problem::new(why, next));
            }
            self.taken = conflicts;
            answer = self.send(cluster, true, For::Trial).await;
        }
        match answer {
            Ok(Answer { applied: Applied::Is { object, .. }, base }) => {
                self.live = base;
                self.hindrance = hindered(&self.named, self.live.as_ref(), &object);
                self.otherwise = Otherwise::of(cluster, &self.wanted, &object);
                Ok(self.compared(cluster, &object))
            }
            Ok(Answer { applied: Applied::Conflicts(conflicts), .. }) => {
                let why = format!("{}: {}", self.named.words(), conflicts_words(cluster, &conflicts));
                Err(Problem::new(why, "The API server refuses although it is forced: apply it by hand."))
            }
            Err(error) => self.untried(&error, among).map(Outcome::Untried).ok_or_else(|| error.problem()),
        }
    }

    fn compared(&self, cluster: &Cluster, after: &Value) -> Outcome {
        let Some(live) = &self.live else { return Outcome::Made };
        let (before, after) = (asked(live), asked(after));
        match before == after {
            true => Outcome::Same,
            false => Outcome::Changed(differences(cluster, &before, &after)),
        }
    }

    /// Why nobody can try it, where that is no reason not to do it.
    fn untried(&self, error: &KubeError, among: &Among) -> Option<&'static str> {
        let namespace = self.named.namespace.as_ref();
        let is_missing = error.kind == KubeErrorKind::NotFound;
        if is_missing && namespace.is_some_and(|namespace| among.namespaces.contains(namespace)) {
            return Some("its namespace is made by this step");
        }
        if error.kind == KubeErrorKind::NoSuchKind && among.kinds.contains(&self.named.kind) {
            return Some("what defines it is made by this step");
        }
        error.refusal().is_none().then_some("a webhook that is asked takes no trial")
    }

    /// Sends it, for the object that was read.
    ///
    /// # Errors
    /// Also where somebody changed it since.
    pub async fn send(&self, cluster: &Cluster, is_forced: bool, how: For) -> Result<Answer, KubeError> {
        let wish = Wish::Apply { object: &self.wanted, is_forced };
        send(cluster, &self.named, self.live.as_ref(), &wish, how).await
    }

    /// Whether there is anything to send.
    pub fn is_due(&self) -> bool {
        self.outcome != Ok(Outcome::Same)
    }

    /// What becomes of it, for people.
    pub fn words(&self) -> String {
        match &self.outcome {
            Ok(Outcome::Made) => "is made".to_owned(),
            Ok(Outcome::Changed(_)) => "is changed".to_owned(),
            Ok(Outcome::Same) => "stays as it is".to_owned(),
            Ok(Outcome::Untried(why)) => format!("is not tried before: {why}"),
            Err(_) => "is refused".to_owned(),
        }
    }

    /// As the target's identity keeps it: which object, in which state, and what becomes of it.
    pub fn identity(&self) -> (String, String) {
        let state = self.live.as_ref().map_or("absent".to_owned(), state);
        let fields = self.fields().map(|fields| format!(" ({fields})")).unwrap_or_default();
        let otherwise =
            self.otherwise.digest().map(|digest| format!("{OTHERWISE}{digest}")).unwrap_or_default();
        (self.named.words(), format!("{state}, {}{fields}{otherwise}", self.words()))
    }

    /// What tells the change of these fields, from and to and whose they are, apart from others: labels, and who decides
    /// over a field, change without the API counting it.
    fn fields(&self) -> Option<String> {
        let Ok(Outcome::Changed(fields)) = &self.outcome else { return None };
        let fields: Vec<_> = fields.iter().map(|one| (&one.path, &one.words)).collect();
        let taken: Vec<_> = self.taken.iter().map(|one| (&one.manager, &one.field)).collect();
        Some(format!("fields {}", digest(&json!([fields, taken]).to_string())))
    }

    /// Whether its fields are lifeboat's by an apply; one that asks for no field but its name has none.
    pub fn is_ours(&self) -> bool {
        if !asks_for_fields(&self.wanted) {
            return true;
        }
        let managers = self.live.as_ref().and_then(|live| live["metadata"]["managedFields"].as_array());
        managers.into_iter().flatten().any(|one| one["manager"] == MANAGER && one["operation"] == "Apply")
    }
}

fn asks_for_fields(wanted: &Value) -> bool {
    let names = |value: &Value, known: &[&str]| {
        value.as_object().is_some_and(|fields| fields.keys().any(|name| !known.contains(&&**name)))
    };
    names(wanted, &["apiVersion", "kind", "metadata"]) || names(&wanted["metadata"], &["name", "namespace"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    fn item(live: Option<Value>) -> Item {
        let (api_version, plural) = ("v1".to_owned(), "configmaps".to_owned());
        let kind = Kind { api_version, kind: "ConfigMap".into(), plural, is_namespaced: true };
        let named = Named::new(kind, "shop", "app");
        Item {
            named,
            wanted: json!({"data": {"a": "1"}}),
            live,
            outcome: Ok(Outcome::Same),
            taken: Vec::new(),
            hindrance: None,
            otherwise: Otherwise::default(),
        }
    }

    fn error(kind: KubeErrorKind, message: &str) -> KubeError {
        KubeError::new("east", &item(None).named.call("patch"), kind, message)
    }

    #[test]
    fn what_becomes_of_an_object_is_told_by_the_api_servers_word() {
        let after = json!({"data": {"a": "1"}, "metadata": {"resourceVersion": "2"}});
        assert_eq!(item(None).compared(&cluster(), &after), Outcome::Made);
        let live = |data: &str| {
            Some(json!({"data": {"a": data}, "metadata": {"uid": "u1", "resourceVersion": "1"}}))
        };
        assert_eq!(item(live("1")).compared(&cluster(), &after), Outcome::Same);
        let Outcome::Changed(fields) = item(live("0")).compared(&cluster(), &after) else {
            panic!("changed")
        };
        assert_eq!(fields[0].words, "\"0\" -> \"1\"");
        let identity = item(live("1")).identity();
        assert_eq!(
            (&*identity.0, &*identity.1),
            ("configmap/app in shop", "uid u1, version 1, stays as it is")
        );
        assert_eq!(item(None).identity().1, "absent, stays as it is");
    }

    #[test]
    fn which_fields_change_and_from_whom_they_are_taken_is_confirmed() {
        let identity = |from: &str, manager: Option<&str>| {
            let live = json!({"data": {"a": from}, "metadata": {"uid": "u1", "generation": 4}});
            let mut item = item(Some(live));
            item.outcome = Ok(item.compared(&cluster(), &json!({"data": {"a": "1"}})));
            let conflict = |manager: &str| Conflict { manager: manager.into(), field: ".data.a".into() };
            item.taken = manager.into_iter().map(conflict).collect();
            item.identity().1
        };
        let confirmed = identity("0", None);
        assert!(confirmed.starts_with("uid u1, generation 4, is changed (fields "), "{confirmed}");
        assert_eq!(confirmed, identity("0", None));
        assert_ne!(confirmed, identity("5", None));
        assert_ne!(confirmed, identity("0", Some("helm")));
        assert_ne!(identity("0", Some("pager")), identity("0", Some("helm")));
    }

    #[test]
    fn only_what_the_step_itself_brings_about_is_done_untried() {
        let item = item(None);
        let among = Among { namespaces: vec!["shop".into()], kinds: vec![item.named.kind.clone()] };
        let untried =
            |kind, message: &str, among: &Among| item.untried(&error(kind, message), among).is_some();
        for kind in [KubeErrorKind::NotFound, KubeErrorKind::NoSuchKind] {
            assert!(untried(kind, "", &among) && !untried(kind, "", &Among::default()));
        }
        assert!(!untried(KubeErrorKind::Denied, "", &among));
        let webhook = "admission webhook \"x\" does not support dry run";
        assert!(untried(KubeErrorKind::Refused, webhook, &Among::default()));
    }

    #[test]
    fn fields_are_ours_by_an_apply() {
        let live = |manager: &str, operation: &str| {
            let managed = json!([{"manager": manager, "operation": operation}]);
            Some(json!({"metadata": {"managedFields": managed}, "data": {"a": "1", "b": "2"}}))
        };
        assert!(item(live("lifeboat", "Apply")).is_ours());
        assert!(!item(live("lifeboat", "Update")).is_ours() && !item(live("kubectl", "Apply")).is_ours());
        assert!(!item(None).is_ours());
        let bare = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        assert!(!asks_for_fields(&bare) && asks_for_fields(&json!({"metadata": {"labels": {}}})));
    }
}
