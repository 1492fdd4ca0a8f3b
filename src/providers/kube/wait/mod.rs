//! `kube-wait`: waits until objects of a cluster are as somebody wants them.

mod goal;
mod json_path;
mod look;
mod run;

use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Action, Built, Context, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::is_name;
use crate::providers::kube::place::{CONTEXT, NAMESPACE, Place, checked, selector};
use futures::future::BoxFuture;
use goal::Goal;
use look::Look;
use std::time::Duration;

/// How long the look for the description may take.
const LOOK: Duration = Duration::from_secs(12);
/// Names in one step: each is asked for by itself.
const MOST_NAMES: usize = 50;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-wait",
    does: Does::Watches,
    simulated_target: "Kubernetes objects",
    sets: &[],
    doc: "Waits until objects have a condition, a value, or are deleted, as `kubectl wait` does, and shows what is missing \
          and why. It changes nothing. The objects are looked for anew each time, so that one that comes later counts, and \
          one that is deleted meanwhile is told. A condition counts once its controller has seen the newest change of the \
          object; an object that is being deleted never counts as ready. That nothing fits is waited for and is no success, \
          except with `deleted`: then the kind and the namespace have to exist. It fails at once for what does not come \
          true by waiting (a job that failed while `Complete` is waited for, a named pod that ended, a verb that is not \
          granted) and goes on while the API server does not answer. The step's `timeout` bounds the wait.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        Key::required(
            "kind",
            Takes::Text,
            "The kind of the objects, as `kubectl` takes it (`pod`, `job`, `pvc`, `certificate.cert-manager.io`).",
        ),
        Key::optional("names", Takes::List(&Takes::Text), "Their names; either these or `selector`."),
        Key::optional(
            "selector",
            Takes::Text,
            "Those whose labels fit, as `kubectl -l` takes it (`app=web`), at most 500.",
        ),
        Key::default(
            "at_least",
            Takes::Integer(1, 500),
            "1",
            "How many have to fit the selector; fewer are waited for.",
        ),
        Key::optional(
            "for",
            Takes::Text,
            "A condition (`Ready`, `Complete`, `Available=False`; its case does not matter), or `deleted`.",
        ),
        Key::optional(
            "path",
            Takes::RawText,
            "Instead of `for`: the place of a value, as `kubectl wait --for=jsonpath` takes it (`{.status.phase}`).",
        ),
        Key::optional("value", Takes::Text, "What has to be at `path`; anything where absent."),
    ],
    changes: false,
    verifies: true,
    verifies_with: None,
    permissions: &["get namespaces"],
    example: r#"[[runbooks.example.steps]]
id = "restored"
title = "Wait until all restore jobs are complete"
action = "kube-wait"
with.context = "dr"
with.namespace = "shop"
with.kind = "job"
with.selector = "app=restore"
with.for = "Complete"
timeout = "1h"
"#,
    call: |params| {
        let which = match params.text("selector") {
            Some(selector) => format!("-l {selector}"),
            None => params.texts("names").join(" "),
        };
        let goal = Goal::of(params).map_or_else(|_| "as asked for".to_owned(), |goal| goal.words());
        format!("wait until {} {which} is {goal}", params.text("kind").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let place = Place::of(params, clients)?;
    let kind = params.require_text("kind")?.to_owned();
    if !is_name(&kind.to_lowercase()) {
        return Err(BuildError::value(
            "kind",
            &kind,
            "it is no kind of objects, such as `pod` or `jobs.batch`",
        ));
    }
    let names = params.texts("names");
    for name in &names {
        checked("names", name)?;
    }
    let which = match (names.is_empty(), selector(params)?) {
        (false, None) if names.len() <= MOST_NAMES => {
            Which::Named(names.into_iter().map(str::to_owned).collect())
        }
        (false, None) => {
            let why = format!("more than {MOST_NAMES} are named: use `selector`");
            return Err(BuildError::value("names", &names.len().to_string(), why));
        }
        (true, Some(selector)) => Which::Selected(selector),
        _ => {
            return Err(BuildError::value(
                "names",
                "",
                "exactly one of `names` and `selector` says what is meant",
            ));
        }
    };
    let at_least = params.integer("at_least").and_then(|least| usize::try_from(least).ok()).unwrap_or(1);
    let at_least = if matches!(which, Which::Named(_)) { 0 } else { at_least };
    Ok(Box::new(KubeWait { place, kind, which, at_least, goal: Goal::of(params)? }))
}

struct KubeWait {
    place: Place,
    /// As the plan names it.
    kind: String,
    which: Which,
    /// Fewer that fit are waited for.
    at_least: usize,
    goal: Goal,
}

enum Which {
    Named(Vec<String>),
    Selected(String),
}

impl KubeWait {
    fn name(&self) -> String {
        let place =
            self.place.namespace.as_deref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        match &self.which {
            Which::Named(names) => match names.as_slice() {
                [one] => format!("{place}{one}"),
                many => format!("{place}{}-objects", many.len()),
            },
            Which::Selected(selector) => format!("{place}{selector}"),
        }
    }

    fn objects(&self) -> Vec<String> {
        match &self.which {
            Which::Named(names) => names.iter().map(|name| format!("{}/{name}", self.kind)).collect(),
            Which::Selected(selector) => vec![self.kind.clone(), "-l".to_owned(), selector.clone()],
        }
    }

    fn call(&self) -> String {
        format!("wait until {} in {} is {}", self.objects().join(" "), self.place.words(), self.goal.words())
    }

    fn command(&self) -> String {
        let (flag, objects) = (self.goal.flag(), self.objects());
        let words = ["wait", &flag].into_iter().chain(objects.iter().map(String::as_str));
        self.place.command(&words.chain(["--timeout=1h"]).collect::<Vec<_>>())
    }

    fn not_done(&self, why: String, next: &str) -> Failure {
        Failure::not_done(format!("waiting for {}", self.name()), why, next)
    }

    async fn now(&self) -> Result<Look, Unread> {
        let look = async { self.look(&self.kind().await?).await };
        match tokio::time::timeout(LOOK, look).await {
            Ok(look) => Ok(look?),
            Err(_) => Err(Unread::Late),
        }
    }
}

impl Action for KubeWait {
    fn needs(&self, _: &str) -> bool {
        self.goal == Goal::Deleted
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(async move {
            let mut target = Target::unseen(&self.name(), KIND.simulated_target);
            let mut notes = match self.now().await {
                Ok(look) => {
                    target.reachable = true;
                    target.identity.push(("context".into(), self.place.cluster.context.to_string()));
                    if let Which::Named(names) = &self.which {
                        let ids = look.ids();
                        let there = names.iter().filter_map(|name| Some((look.words(name), ids.get(name)?)));
                        target.identity.extend(there.map(|(words, uid)| (words, format!("uid {uid}"))));
                    }
                    vec![format!("Now: {}.", self.progress(&look, &self.tally(&look, &target)))]
                }
                Err(unread) => unread.notes(),
            };
            notes.push("It changes nothing.".into());
            Ok(Description::new(self.call(), self.command(), target, notes))
        })
    }

    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.wait(expected, context))
    }

    fn verify<'a>(&'a self, expected: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(self.prove(expected))
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command()],
            check: "The command ends by itself, with exit code 0.".into(),
        }
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async move {
            let what = format!("{} can be read", self.name());
            vec![match self.now().await {
                Ok(look) if look.ids().is_empty() => {
                    Check::not_checkable(what, "none is there now; a step may make it")
                }
                Ok(look) => {
                    let target = Target::unseen(&self.name(), KIND.simulated_target);
                    Check::pass(what, self.progress(&look, &self.tally(&look, &target)))
                }
                Err(unread) => unread.check(what),
            }]
        })
    }
}
