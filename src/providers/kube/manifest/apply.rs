//! `kube-apply`: the objects of files, or of what a program prints.

use super::item::Item;
use super::looks::{Rules, items, owners};
use super::proof::all_proven;
use super::ready::{follow, missing, standing, workloads};
use super::send::{apply, half_done};
use super::shown::{sets, undo};
use super::source::Source;
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Call;
use crate::providers::kube::objects::{conflicts_words, server};
use crate::providers::kube::owner::Owner;
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place};
use crate::providers::kube::told::told;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Objects that a proof tells one by one.
const MAX_EVIDENCE: usize = 20;
/// What tells the texts apart, in the target's identity.
const CONTENT: &str = "content";
/// Which API server was asked, there: an object that was made has no uid before.
const SERVER: &str = "server";

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-apply",
    does: Does::Changes,
    simulated_target: "Kubernetes objects",
    sets: &["files", "render"],
    doc: "Applies manifests by server-side apply, as `kubectl apply --server-side` does, with `lifeboat` as the manager of their \
          fields: YAML of several documents, JSON, lists; status and what a cluster writes into saved objects is left out. The API server tries each object before \
          anybody is asked, and the confirmation shows which are made, which are changed in which fields, and which stay; values of \
          secrets are never shown. A field that somebody else decides over is refused, with his name, unless `force` takes it over. Files and objects have to be \
          as they were confirmed. Objects are sent once each, in the order in which they need each other (namespaces, definitions, configuration, \
          workloads); it stops at the first that fails and says what was done. It is proven by reading each object back: the \
          fields are lifeboat's, and the same apply, tried once more, changes nothing. Nothing is ever deleted by it.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::optional(
            "files",
            Takes::List(&Takes::Path),
            "Files, and folders, of which the `.yaml`, `.yml` and `.json` files count, not those of folders within.",
        ),
        Key::optional(
            "render",
            Takes::List(&Takes::Text),
            "A program that prints the manifests instead, and its arguments: `[\"kustomize\", \"build\", \"overlays/dr\"]`. It runs \
             for each look, ends within 12 s, changes nothing, and prints the same each time.",
        ),
        Key::default("folder", Takes::Path, ".", "The folder in which that program runs."),
        Key::optional(
            "pass_env",
            Takes::List(&Takes::Text),
            "Variables to pass on to that program from lifeboat's own environment, besides PATH, HOME, LANG and the like.",
        ),
        Key::default("force", Takes::Flag, "false", "Take over fields that others decide over."),
        Key::default(
            "ready",
            Takes::Flag,
            "true",
            "Wait until the pods of workloads among them are ready and of the newest template, and those of before are gone. One \
             that makes no new pods by itself (paused, `OnDelete`, a `partition`) is not waited for, and not proven before somebody \
             made them new.",
        ),
        Key::default(
            "at_most",
            Takes::Integer(1, 500),
            "50",
            "The step refuses when more objects than this are meant.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["get /apis", "list replicasets.apps", "list pods"],
    example: r#"[[runbooks.example.steps]]
id = "bring-up"
title = "Bring the API up in DR"
action = "kube-apply"
with.context = "dr"
with.namespace = "shop"
with.files = ["manifests/dr"]
confirm = "type"
estimate = "3m"
timeout = "10m"
"#,
    call: |params| {
        let what = Source::of(params).map_or_else(|error| error.to_string(), |source| source.words());
        format!("apply {what} to {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let at_most = params.integer("at_most").and_then(|most| usize::try_from(most).ok()).unwrap_or(50);
    Ok(Box::new(Changing(Apply {
        place: Place::of(params, clients)?,
        source: Source::of(params)?,
        clients: clients.clone(),
        is_forced: params.flag("force"),
        waits: params.get("ready").is_none_or(|_| params.flag("ready")),
        at_most,
    })))
}

struct Apply {
    place: Place,
    source: Source,
    clients: Clients,
    is_forced: bool,
    waits: bool,
    at_most: usize,
}

struct Seen {
    items: Vec<Item>,
    owners: Vec<(String, Owner)>,
    /// What is missing of the pods, where nothing is to be sent.
    waits: Option<String>,
}

impl Seen {
    fn refused(&self) -> Option<&Problem> {
        self.items.iter().find_map(|item| item.outcome.as_ref().err())
    }
}

impl Change for Apply {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(90));

    fn what(&self, name: &str) -> String {
        format!("apply of {name}")
    }

    async fn unseen(&self) -> Target {
        // Without a namespace of the step each object says its own.
        let place = self.place.namespace.as_ref().map(|namespace| format!("{namespace}/"));
        Target::unseen(&format!("{}objects", place.unwrap_or_default()), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let objects = self.source.read(&self.clients).await.map_err(Unread::Failed)?;
        let namespace = self.place.namespace(&Call::new("get objects", self.place.words())).await?;
        let rules = Rules {
            namespace: &namespace,
            is_named: self.place.namespace.is_some(),
            is_forced: self.is_forced,
            at_most: self.at_most,
        };
        let (items, content) = items(cluster, &self.clients.redactor, objects, &rules).await?;
        let owners = owners(cluster, &items).await;
        let name = name(&items);
        let mut identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            (SERVER.to_owned(), server(cluster).await?),
            (CONTENT.to_owned(), content),
        ];
        identity.extend(items.iter().map(Item::identity));
        let target = Target { name, kind: KIND.simulated_target.into(), identity, reachable: true };
        let is_due = items.iter().any(Item::is_due);
        let waits = if is_due || !self.waits { None } else { standing(cluster, &items).await? };
        Ok((target, Seen { items, owners, waits }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let command = self.by_hand();
        let Some(seen) = seen else {
            return Shown { call: format!("APPLY {}", self.source.words()), command, ..Shown::default() };
        };
        let cluster = &self.place.cluster;
        let refused = seen.items.iter().filter_map(|item| item.outcome.clone().err());
        let refused = refused.take(MAX_EVIDENCE).flat_map(Problem::notes);
        let taken = seen.items.iter().filter(|item| !item.taken.is_empty()).map(|item| {
            let words = conflicts_words(cluster, &item.taken);
            format!("{}: this takes over what others decide over: {words}.", item.named.words())
        });
        let otherwise = seen.items.iter().flat_map(|item| item.otherwise.lines(&item.named.words()));
        let mut otherwise: Vec<String> = otherwise.take(MAX_EVIDENCE + 1).collect();
        if otherwise.len() > MAX_EVIDENCE {
            otherwise[MAX_EVIDENCE] = "More than these is otherwise than in the files.".to_owned();
        }
        let hindered = seen.items.iter().filter(|_| self.waits);
        let hindered = hindered.filter_map(|item| Some((item.named.words(), item.hindrance.as_ref()?)));
        let hindered = hindered.map(|(words, Problem { why, next })| {
            format!("{words}: {why}. {next} This step waits for no such pods, and is proven only once all are new.")
        });
        let owned = seen.owners.iter().map(|(name, owner)| owner.note(name));
        let due = seen.items.iter().filter(|item| item.is_due());
        let names = told(cluster, due.map(|item| item.named.words()));
        Shown {
            call: format!("PATCH (server-side apply) {names}, from {}", self.source.words()),
            command,
            notes: refused.chain(taken).chain(otherwise).chain(hindered).chain(owned).collect(),
            sets: sets(&seen.items),
            undo: undo(cluster, &seen.items),
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        seen.items.iter().all(|item| !item.is_due()).then(|| {
            let why = format!("nothing is to be done: all {} are so already", seen.items.len());
            match &seen.waits {
                None => Problem::new(why, "Skip the step with this as the reason."),
                Some(waits) => Problem::new(
                    format!("{why}, and not all of their pods are there: {waits}"),
                    "Nothing more is sent. Look at the pods and what they say; verify the step once they run.",
                ),
            }
        })
    }

    fn same(&self, expected: &Target, found: &Target, _: &Seen) -> Result<(), Failure> {
        let is_other = expected.reachable && expected.property(CONTENT) != found.property(CONTENT);
        match self.source.program().filter(|_| is_other) {
            None => expected.same(found),
            Some(program) => Err(Failure::not_done(
                self.what(&expected.name),
                format!("`{}` prints other manifests than when it was confirmed", program.argv[0]),
                "Nothing was done. Run it twice by hand and compare: what it prints may not change by itself (dates, random \
                 names, tags that move). Then confirm the step anew.",
            )),
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.refused().cloned()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let begun = Instant::now();
        let mut done = Vec::new();
        for item in seen.items.iter().filter(|item| item.is_due()) {
            let left = context.remaining(begun.elapsed());
            let sent = apply(&self.place.cluster, item, self.is_forced, &what, &left).await;
            sent.map_err(|failure| half_done(failure, &done))?;
            let words = format!("{}: applied", item.named.words());
            (context.output)(&words);
            done.push(item.named.words());
        }
        if self.waits {
            let left = context.remaining(begun.elapsed());
            follow(&self.place.cluster, &workloads(&seen.items), &what, &left).await?;
        }
        let names = told(&self.place.cluster, done);
        Ok(Done { summary: format!("{}: applied {names}", expected.name) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let (found, seen) = self.read().await.map_err(|unread| unread.not_done(&*what))?;
        if expected.property(CONTENT).is_none() || found.property(CONTENT) != expected.property(CONTENT) {
            let next =
                "Bring back what was confirmed and verify again, or compare by hand and attest the step.";
            return Err(not_yet("the files are not those that were confirmed".into(), next));
        }
        if found.property(SERVER) != expected.property(SERVER) {
            let next = "Find out who changed the kubeconfig; look at the confirmed cluster by hand.";
            return Err(not_yet("the context leads to another API server than was confirmed".into(), next));
        }
        let mut evidence = all_proven(&self.place.cluster, &seen.items, expected)
            .map_err(|why| not_yet(why, "It was not done, or somebody set it back: look who, then retry."))?;
        for named in workloads(&seen.items).into_iter().filter(|_| self.waits) {
            let waits = missing(&self.place.cluster, named).await;
            if let Some(waits) = waits.map_err(|error| Unread::from(error).not_done(&*what))? {
                let Problem { why, next } = waits.problem();
                return Err(not_yet(why, &next));
            }
        }
        let more = evidence.len().saturating_sub(MAX_EVIDENCE);
        evidence.truncate(MAX_EVIDENCE);
        evidence.extend((more > 0).then(|| format!("the same of {more} objects more")));
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.by_hand()],
            check: "The same command with `--dry-run=server` changes nothing.".to_owned(),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(program) = self.source.program() {
            checks.push(program.exists(&self.clients.environment).await);
        }
        let Ok((_, seen)) = self.read().await else { return checks };
        let refused = seen.items.into_iter().filter_map(|item| item.outcome.err());
        checks.extend(refused.take(MAX_EVIDENCE).map(|problem| problem.check("the API server takes it")));
        checks.extend(seen.owners.iter().map(|(name, owner)| owner.check(name)));
        checks
    }
}

impl Apply {
    fn by_hand(&self) -> String {
        let force = self.is_forced.then_some("--force-conflicts");
        self.source.command(|files| {
            let words = ["apply", "--server-side", "--field-manager=lifeboat"].into_iter().chain(force);
            self.place.command(&words.chain(files.iter().copied()).collect::<Vec<_>>())
        })
    }
}

/// What the operator types: the one, or how many there are in which namespaces.
fn name(items: &[Item]) -> String {
    if let [one] = items {
        return one.named.full_name();
    }
    let all: BTreeSet<&str> = items.iter().filter_map(|item| item.named.namespace.as_deref()).collect();
    let count = items.len();
    match (all.len(), all.first()) {
        (1, Some(namespace)) => format!("{namespace}/{count}-objects"),
        (0, _) => format!("{count}-objects"),
        (many, _) => format!("{many}-namespaces/{count}-objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_begins_at_the_plans_folder() {
        let folder = tempfile::tempdir().unwrap();
        let plan = format!(
            "[plan]\nname = \"Test\"\n[regions]\na = {{ role = \"primary\" }}\nb = {{ role = \"standby\" }}\n\
             [probes]\nport = {{ kind = \"tcp\", region = \"a\", address = \"127.0.0.1:1\" }}\n\
             [tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it down?\"\nanswers = {{ yes = \"act\" }}\n\
             [runbooks.act]\ntitle = \"Act\"\n{}",
            KIND.example
                .replace("runbooks.example", "runbooks.act")
                .replace("[\"manifests/dr\"]", "[\"dr\", \"/etc/x\"]")
        );
        std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
        let loaded = crate::plan::load(&folder.path().join("plan.toml"), &crate::providers::registry());
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        let params = &loaded.plan.runbooks["act"].steps["bring-up"].params;
        let place = folder.path().canonicalize().unwrap();
        let of = |path: &str| std::path::Path::new(path).canonicalize().unwrap_or_else(|_| path.into());
        std::fs::create_dir(folder.path().join("dr")).unwrap();
        let files = params.texts("files");
        assert_eq!((of(files[0]), files[1]), (place.join("dr"), "/etc/x"));
        assert_eq!(of(params.text("folder").unwrap()), place);
    }
}
