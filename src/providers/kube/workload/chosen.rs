//! Which workloads a step acts on, as the cluster has them now.

use super::named::named;
use super::{Named, Workload};
use crate::base::problem::Problem;
use crate::kinds::action::Unread;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{
    Call, DAEMON_SETS, DEPLOYMENTS, Resource, STATEFUL_SETS, Scope, is_name,
};
use crate::providers::kube::place::{Place, selector};
use serde_json::Value;

/// What an action acts on.
pub const NAMES: Key = Key::optional(
    "names",
    Takes::List(&Takes::Text),
    "Which workloads: `web`, which is a deployment, or with the kind, as in `statefulset/db`.",
);
pub const SELECTOR: Key = Key::optional(
    "selector",
    Takes::Text,
    "Those whose labels fit, as `kubectl -l` takes it (`tier=front`).",
);
pub const ALL: Key = Key::default("all", Takes::Flag, "false", "All of the namespace.");
pub const KINDS: Key = Key::optional(
    "kinds",
    Takes::List(&Takes::Choice(&["deployment", "statefulset", "daemonset"])),
    "Which kinds `selector` and `all` mean; all that the action knows where absent.",
);
pub const AT_MOST: Key = Key::default(
    "at_most",
    Takes::Integer(1, 500),
    "20",
    "The step refuses when more workloads than this are meant.",
);

/// Which workloads a plan means, and where.
pub struct Chosen {
    pub place: Place,
    which: Which,
    at_most: usize,
    /// The kinds that can be meant without being named.
    kinds: Vec<Resource>,
}

enum Which {
    Named(Vec<Named>),
    Selected(String),
    All,
}

/// A workload as it was read.
#[derive(Clone, Debug)]
pub struct Found {
    pub named: Named,
    pub uid: String,
    pub generation: u64,
    pub object: Value,
}

/// Those that can be scaled.
pub const SCALABLE: &[Resource] = &[DEPLOYMENTS, STATEFUL_SETS];
/// Those that run pods.
pub const RUNNING: &[Resource] = &[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS];

impl Chosen {
    /// As a step says it.
    ///
    /// # Errors
    /// When it says none, or in two ways.
    pub fn of(params: &Params, clients: &Clients, kinds: &'static [Resource]) -> Result<Self, BuildError> {
        let names = named(params)?;
        let selector = selector(params)?;
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(BuildError::value("names", &twice.1.words(), "it is named twice"));
        }
        let which = match (names.is_empty(), selector, params.flag("all")) {
            (false, None, false) => Which::Named(names),
            (true, Some(selector), false) => Which::Selected(selector),
            (true, None, true) => Which::All,
            (true, None, false) => {
                return Err(BuildError::value(
                    "names",
                    "",
                    "one of `names`, `selector` and `all` says what is meant",
                ));
            }
            _ => {
                return Err(BuildError::value(
                    "names",
                    "",
                    "only one of `names`, `selector` and `all` can count",
                ));
            }
        };
        if let Which::Named(names) = &which
            && let Some(name) = names.iter().find(|name| !kinds.contains(&name.resource))
        {
            return Err(BuildError::value(
                "names",
                &name.words(),
                format!("a {} cannot be scaled", name.resource.noun),
            ));
        }
        let kinds = kinds_of(params, kinds)?;
        if matches!(which, Which::Named(_)) && params.get("kinds").is_some() {
            return Err(BuildError::value("kinds", "", "`names` says the kind of each itself"));
        }
        let at_most = params.integer("at_most").and_then(|most| usize::try_from(most).ok()).unwrap_or(20);
        if let Which::Named(names) = &which
            && names.len() > at_most
        {
            let why = format!("{} are named, and `at_most` allows {at_most}", names.len());
            return Err(BuildError::value("names", &names.len().to_string(), why));
        }
        Ok(Self { place: Place::of(params, clients)?, which, at_most, kinds })
    }

    /// Whether a permission of its kind is needed for these: what is named needs no list, and nothing of other kinds.
    pub fn needs(&self, permission: &str) -> bool {
        // A deployment's pods are known by its replica sets.
        if permission == "list replicasets.apps" {
            return self.needs("get deployments.apps");
        }
        let is_of = |resource: &Resource| permission.ends_with(&format!(" {}", resource.full_name()));
        let known = RUNNING.iter().find(|resource| is_of(resource));
        match (&self.which, known) {
            (Which::Named(names), Some(resource)) => {
                !permission.starts_with("list ") && names.iter().any(|name| name.resource == *resource)
            }
            (_, Some(resource)) => self.kinds.contains(resource),
            (_, None) => true,
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// When they cannot be read, none is meant, or more than the plan allows.
    pub async fn read(&self, namespace: &str) -> Result<Vec<Found>, Unread> {
        let cluster = &self.place.cluster;
        let within = cluster.deadline();
        let mut found = Vec::new();
        if let Which::Named(names) = &self.which {
            for name in names {
                let call = Call::new(get(name.resource), format!("{} in {namespace}", name.words()));
                let path = name.resource.path(Some(namespace), Some(&name.name));
                let object = cluster.get(&call, path, within).await?;
                // By the plan's own word, whatever it answers to.
                found.push(Found { named: name.clone(), ..Found::of(name.resource, object) });
            }
            return Ok(found);
        }
        let selector = match &self.which {
            Which::Selected(selector) => Some(selector.as_str()),
            _ => None,
        };
        for resource in &self.kinds {
            let call = Call::new(list(*resource), format!("in {namespace}"));
            let scope = Scope { resource: *resource, namespace: Some(namespace), selector };
            let (objects, _) = cluster.list(&call, scope, within).await?;
            found.extend(objects.into_iter().map(|object| Found::of(*resource, object)));
            // A name becomes part of a path and of a command.
            if found.iter().any(|one| !is_name(&one.named.name)) {
                let why = "what answered names an object as none can be named: it is no API server";
                return Err(Unread::Failed(Problem::new(why, "Find out what answers there.")));
            }
        }
        let absent = |why: String, next: &str| Err(Unread::Absent(Problem::new(why, next)));
        match found.len() {
            0 => absent(
                format!("no workload in {namespace} fits"),
                "Compare namespace and labels with the plan.",
            ),
            many if many > self.at_most => absent(
                format!("{many} workloads are meant, and `at_most` allows {}", self.at_most),
                "Say more exactly which ones are meant, or raise `at_most` in the plan.",
            ),
            _ => Ok(found),
        }
    }

    /// What the operator types: the one, or how many there are.
    pub fn name(&self, namespace: &str, many: usize, first: Option<&Found>) -> String {
        match first.filter(|_| many == 1) {
            Some(one) => format!("{namespace}/{}", one.named.name),
            None => format!("{namespace}/{many}-workloads"),
        }
    }

    /// The same where nothing was read.
    pub fn unseen_name(&self) -> String {
        let namespace = self.place.namespace.as_deref().unwrap_or("default");
        match &self.which {
            Which::Named(names) => match names.as_slice() {
                [one] => format!("{namespace}/{}", one.name),
                many => format!("{namespace}/{}-workloads", many.len()),
            },
            Which::Selected(_) | Which::All => format!("{namespace}/workloads"),
        }
    }

    /// As `kubectl` takes them.
    pub fn words(&self) -> Vec<String> {
        match &self.which {
            Which::Named(names) => names.iter().map(Named::words).collect(),
            Which::Selected(selector) => vec![self.kinds_words(), "-l".into(), selector.clone()],
            Which::All => vec![self.kinds_words(), "--all".into()],
        }
    }

    fn kinds_words(&self) -> String {
        self.kinds.iter().map(|kind| kind.noun.replace(' ', "")).collect::<Vec<_>>().join(",")
    }
}

/// Those of `kinds` that the action knows.
fn kinds_of(params: &Params, known: &'static [Resource]) -> Result<Vec<Resource>, BuildError> {
    let mut kinds = Vec::new();
    for text in params.texts("kinds") {
        let found = known.iter().find(|kind| kind.noun.replace(' ', "") == text);
        let why = "this action does nothing with this kind";
        kinds.push(*found.ok_or_else(|| BuildError::value("kinds", text, why))?);
    }
    Ok(if kinds.is_empty() { known.to_vec() } else { kinds })
}

/// As a plan says which ones are meant, without a connection.
pub fn call_words(params: &Params) -> String {
    let names = params.texts("names");
    let which = match params.text("selector") {
        Some(selector) => format!("-l {selector}"),
        None if names.is_empty() => "all".to_owned(),
        None => names.join(" "),
    };
    let namespace = params.text("namespace").map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    format!("{which}{namespace} of {}", params.text("context").unwrap_or_default())
}

impl Found {
    /// An object of that kind.
    pub fn of(resource: Resource, object: Value) -> Self {
        let meta = &object["metadata"];
        let name = meta["name"].as_str().unwrap_or_default().to_owned();
        let uid = meta["uid"].as_str().unwrap_or_default().to_owned();
        let generation = meta["generation"].as_u64().unwrap_or_default();
        Self { named: Named { resource, name }, uid, generation, object }
    }

    /// What it runs.
    pub fn workload(&self) -> Workload {
        Workload::of(self.named.resource, &self.object)
    }

    /// Its kind as the API names it.
    pub fn kind(&self) -> &'static str {
        match self.named.resource {
            DEPLOYMENTS => "Deployment",
            STATEFUL_SETS => "StatefulSet",
            _ => "DaemonSet",
        }
    }

    /// A label of lifeboat's own on it.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.object["metadata"]["annotations"][name].as_str()
    }
}

/// Reads one.
pub fn get(resource: Resource) -> &'static str {
    match resource {
        DEPLOYMENTS => "get deployments.apps",
        STATEFUL_SETS => "get statefulsets.apps",
        _ => "get daemonsets.apps",
    }
}

fn list(resource: Resource) -> &'static str {
    match resource {
        DEPLOYMENTS => "list deployments.apps",
        STATEFUL_SETS => "list statefulsets.apps",
        _ => "list daemonsets.apps",
    }
}

/// Changes one.
pub fn patch(resource: Resource) -> &'static str {
    match resource {
        DEPLOYMENTS => "patch deployments.apps",
        STATEFUL_SETS => "patch statefulsets.apps",
        _ => "patch daemonsets.apps",
    }
}
