//! `kube-set-env`: environment variables of workloads' containers.

use super::chosen::{ALL, AT_MOST, Chosen, Found, KINDS, NAMES, RUNNING, SELECTOR, call_words};
use super::rollout::{Rollout, Template, Turn};
use super::variables::{Holder, Source, Wanted};
use super::{held, mark};
use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::kinds::source::{secret_texts, shown};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::place::{CONTEXT, NAMESPACE, checked};
use crate::secrets::SecretText;
use serde_json::{Value, json};

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-set-env",
    does: Does::Changes,
    simulated_target: "Kubernetes workloads",
    sets: &[],
    doc: "Sets environment variables of the containers of deployments, stateful sets and daemon sets, so that they find the \
          new database for example, and waits until all pods have them. The confirmation shows each variable from and to; \
          a value that may be a secret is never shown. `env` takes texts and lifeboat's secrets, and whoever may read the \
          workload reads them there: for passwords `from_secret` is better, which names a key of a Secret of the namespace. \
          It proves by the variables and a mark of the attempt on the template. What undoes it is `kube-rollout-undo`.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        NAMES,
        SELECTOR,
        ALL,
        KINDS,
        AT_MOST,
        Key::optional("env", Takes::Table(&Takes::TextOrSecret), "Variables and their values."),
        Key::optional(
            "from_secret",
            Takes::Table(&Takes::Text),
            "Variables that take a key of a Secret of the namespace (`PGPASSWORD = \"db-dr/password\"`).",
        ),
        Key::optional(
            "from_config",
            Takes::Table(&Takes::Text),
            "Variables that take a key of a ConfigMap of the namespace (`PGHOST = \"db-dr/host\"`).",
        ),
        Key::optional("remove", Takes::List(&Takes::Text), "Variables that shall not be there."),
        Key::optional(
            "container",
            Takes::Text,
            "Which container; all of the pod where absent, those that run before the others too.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: super::restart::KIND.permissions,
    example: r#"[[runbooks.example.steps]]
id = "database"
title = "Point the API to the database in DR"
action = "kube-set-env"
with.context = "dr"
with.namespace = "shop"
with.names = ["api"]
with.env.PGHOST = "db.dr.example.com"
with.from_secret.PGPASSWORD = "db-dr/password"
confirm = "type"
timeout = "10m"
"#,
    call: |params| {
        let env = secret_texts(params, "env").into_iter().map(|(name, _)| name);
        let tables = ["from_secret", "from_config"];
        let keys = tables.into_iter().flat_map(|key| params.table(key)).map(|(name, _)| name.to_owned());
        let removed = params.texts("remove").into_iter().map(|name| format!("{name}-"));
        let names: Vec<String> = env.chain(keys).chain(removed).collect();
        format!("set {} of {}", names.join(", "), call_words(params))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let chosen = Chosen::of(params, clients, RUNNING)?;
    let mut wishes = Vec::new();
    wishes.extend(secret_texts(params, "env").into_iter().map(|(name, text)| (name, Wish::Text(text))));
    for (table, of) in [("from_secret", Holder::Secret), ("from_config", Holder::ConfigMap)] {
        for (name, value) in params.table(table) {
            wishes.push((name.to_owned(), Wish::Known(key(table, of, value.as_text().unwrap_or_default())?)));
        }
    }
    let removed = params.texts("remove").into_iter().map(str::to_owned);
    wishes.extend(removed.map(|name| (name, Wish::Known(Source::Nothing))));
    if wishes.is_empty() {
        let why = "at least one of `env`, `from_secret`, `from_config` and `remove` says what is set";
        return Err(BuildError::value("env", "", why));
    }
    for (at, (name, _)) in wishes.iter().enumerate() {
        if wishes[..at].iter().any(|(known, _)| known == name) {
            return Err(BuildError::value("env", name, "it is set twice"));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(BuildError::value("env", name, "no variable can have this name"));
        }
    }
    let container = params.text("container").map(|name| checked("container", name).map(str::to_owned));
    let template = Env { wishes, container: container.transpose()?, clients: clients.clone() };
    Ok(Box::new(Changing(Rollout { chosen, template })))
}

fn key(table: &str, of: Holder, text: &str) -> Result<Source, BuildError> {
    let found = text.split_once('/').filter(|(_, key)| !key.is_empty());
    let Some((name, key)) = found else {
        return Err(BuildError::value(table, text, "it takes a name and a key (`db-dr/password`)"));
    };
    Ok(Source::Key { of, name: checked(table, name)?.to_owned(), key: key.to_owned() })
}

struct Env {
    wishes: Vec<(String, Wish)>,
    container: Option<String>,
    clients: Clients,
}

/// What a plan says of a variable.
enum Wish {
    Text(SecretText),
    Known(Source),
}

impl Template for Env {
    fn kind(&self) -> &'static ActionKind {
        &KIND
    }

    fn noun(&self) -> &'static str {
        "change of variables"
    }

    async fn turn(&self, cluster: &Cluster, found: &Found) -> Result<Turn, Problem> {
        let wanted = self.wanted().await?;
        let containers = self.containers(found, &wanted)?;
        let (mut patch, mut words) = (json!({}), Vec::new());
        for (list, container) in &containers {
            let due: Vec<&Wanted> = wanted.iter().filter(|one| !one.is_so(container)).collect();
            if due.is_empty() {
                continue;
            }
            let name = cluster.shown(container["name"].as_str().unwrap_or_default(), 60);
            let said = due.iter().map(|one| one.words(cluster, container)).collect::<Vec<_>>().join("; ");
            words.push(if containers.len() > 1 { format!("{name}: {said}") } else { said });
            let env: Vec<Value> = due.iter().map(|one| one.entry()).collect();
            let patched = &mut patch["spec"]["template"]["spec"][*list];
            if !patched.is_array() {
                *patched = json!([]);
            }
            if let Some(patched) = patched.as_array_mut() {
                patched.push(json!({"name": container["name"], "env": env}));
            }
        }
        Ok(Turn { patch, is_due: !words.is_empty(), words: words.join("; ") })
    }

    async fn hindrance(&self, cluster: &Cluster, namespace: &str) -> Option<Problem> {
        for (_, wish) in &self.wishes {
            let Wish::Known(source) = wish else { continue };
            if let Some(problem) = held::missing(cluster, namespace, source).await {
                return Some(problem);
            }
        }
        None
    }

    fn patch(&self, turn: &Turn, token: &str) -> Value {
        mark::put(&turn.patch, token)
    }

    async fn proof(&self, _: &Cluster, now: &Found, before: &str, token: &str) -> Result<String, Problem> {
        // What had its variables already was not touched.
        if before.contains(" -> ") {
            mark::proven(now, token)?;
        }
        let wanted = self.wanted().await?;
        for (_, container) in self.containers(now, &wanted)? {
            if let Some(one) = wanted.iter().find(|one| !one.is_so(container)) {
                let why = format!("{} of {} is not what was set", one.name, now.named.words());
                return Err(Problem::new(why, "Find out who sets it, then confirm the step again."));
            }
        }
        let names: Vec<&str> = wanted.iter().map(|one| &*one.name).collect();
        Ok(format!("have {} as it was set, and are ready", names.join(", ")))
    }

    fn by_hand(&self, chosen: &Chosen) -> Vec<String> {
        let mut words: Vec<String> =
            ["set", "env"].map(str::to_owned).into_iter().chain(chosen.words()).collect();
        words.extend(self.container.iter().map(|name| format!("--containers={name}")));
        words.extend(self.wishes.iter().filter_map(|(name, wish)| match wish {
            Wish::Text(text) => Some(format!("{name}={}", shown(text))),
            Wish::Known(Source::Nothing) => Some(format!("{name}-")),
            // `kubectl set env` takes no single key.
            Wish::Known(_) => None,
        }));
        words
    }

    fn undo(&self, workload: &str) -> Option<Vec<String>> {
        Some(["rollout", "undo", workload].map(str::to_owned).to_vec())
    }
}

impl Env {
    async fn wanted(&self) -> Result<Vec<Wanted>, Problem> {
        let mut all = Vec::new();
        for (name, wish) in &self.wishes {
            let source = match wish {
                Wish::Known(source) => source.clone(),
                Wish::Text(text) => {
                    let value = self.clients.secrets.resolve_text(text).await;
                    let value = value.map_err(|error| Problem::new(error.to_string(), error.next_step()))?;
                    match text {
                        SecretText::Plain(text) => Source::Plain(text.clone()),
                        SecretText::Secret(_) => {
                            Source::Secret { called: shown(text), value: value.expose().to_owned() }
                        }
                    }
                }
            };
            all.push(Wanted { name: name.clone(), source });
        }
        Ok(all)
    }

    /// Those that are meant, each with the list that it stands in.
    fn containers<'a>(
        &self,
        found: &'a Found,
        wanted: &[Wanted],
    ) -> Result<Vec<(&'static str, &'a Value)>, Problem> {
        let spec = &found.object["spec"]["template"]["spec"];
        let of = |list: &'static str| spec[list].as_array().into_iter().flatten().map(move |one| (list, one));
        let named =
            |(_, one): &(_, &Value)| self.container.as_ref().is_none_or(|name| one["name"] == name.as_str());
        let fit: Vec<_> = ["initContainers", "containers"].into_iter().flat_map(of).filter(named).collect();
        if let (true, Some(name)) = (fit.is_empty(), &self.container) {
            let why = format!("{} has no container {name}", found.named.words());
            return Err(Problem::new(why, "Compare `container` with the workload."));
        }
        let hindrance = |(_, container): &(_, &Value)| wanted.iter().find_map(|one| one.hindrance(container));
        match fit.iter().find_map(hindrance) {
            Some(why) => {
                let why = format!("{}: {why}", found.named.words());
                Err(Problem::new(
                    why,
                    "Mend it where the workload comes from, or by hand, and attest the step.",
                ))
            }
            None => Ok(fit),
        }
    }
}
