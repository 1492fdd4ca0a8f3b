//! `kube-cordon`: keeps new pods away from nodes, or lets them come again.

mod chosen;

use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{KubeError, Method};
use crate::providers::kube::object::For;
use crate::providers::kube::place::{CONTEXT, Place};
use crate::providers::kube::workload::half_done;
use chosen::{Chosen, Found, Left, MARK, name, nodes};
use serde_json::{Value, json};
use std::time::Duration;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-cordon",
    does: Does::Changes,
    simulated_target: "Kubernetes nodes",
    sets: &["uncordon"],
    doc: "Keeps new pods away from nodes (`spec.unschedulable`), or with `uncordon` lets them come again; pods that run \
          there stay. It marks the nodes with the attempt (annotation `lifeboat.dev/cordoned-by`), and proves by reading \
          back field and mark. The confirmation shows how each node is now, and how many are left that are ready, open and \
          without a taint: to cordon the last one of them is refused unless `last` allows it. Nodes that are so already \
          are left as they are; where all are, it is refused. An uncordon tells which nodes lifeboat had not cordoned. A \
          cordon is in force, and shown as such, until a step that `undoes` it has run.",
    keys: &[
        CONTEXT,
        Key::optional(
            "nodes",
            Takes::List(&Takes::Text),
            "The names of the nodes; either these or `selector`.",
        ),
        Key::optional(
            "selector",
            Takes::Text,
            "Those whose labels fit, as `kubectl -l` takes it (`pool=old`).",
        ),
        Key::default("uncordon", Takes::Flag, "false", "Let new pods come again."),
        Key::default("last", Takes::Flag, "false", "Also where no other node is left that takes new pods."),
        Key::default(
            "at_most",
            Takes::Integer(1, 500),
            "20",
            "The step refuses when more nodes than this are meant.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["list nodes", "get nodes", "patch nodes"],
    example: r#"[[runbooks.example.steps]]
id = "hold-the-old-pool"
title = "Keep new pods off the old pool"
action = "kube-cordon"
with.context = "dr"
with.selector = "pool=old"
confirm = "yes"
timeout = "2m"
"#,
    call: |params| {
        let which = match params.text("selector") {
            Some(selector) => format!("nodes -l {selector}"),
            None => params.texts("nodes").join(" "),
        };
        let verb = if params.flag("uncordon") { "uncordon" } else { "cordon" };
        format!("{verb} {which} of {}", params.text("context").unwrap_or_default())
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let (chosen, place) = (Chosen::of(params)?, Place::of(params, clients)?);
    let (cordons, last) = (!params.flag("uncordon"), params.flag("last"));
    Ok(Box::new(Changing(Cordon { place, chosen, cordons, last })))
}

struct Cordon {
    place: Place,
    chosen: Chosen,
    /// Otherwise it uncordons.
    cordons: bool,
    /// Whether the last one that takes pods may go.
    last: bool,
}

struct Seen {
    nodes: Vec<Found>,
    left: Left,
    refused: Option<Problem>,
}

impl Cordon {
    fn verb(&self) -> &'static str {
        if self.cordons { "cordon" } else { "uncordon" }
    }

    fn is_due(&self, node: &Found) -> bool {
        node.is_cordoned != self.cordons
    }

    /// From and to, or that it is so already.
    fn words(&self, node: &Found) -> &'static str {
        match (self.cordons, self.is_due(node)) {
            (true, true) => "open -> cordoned",
            (false, true) => "cordoned -> open",
            (true, false) => "cordoned already",
            (false, false) => "open already",
        }
    }

    fn command(&self, verb: &str, node: &str) -> String {
        self.place.command(&[verb, node])
    }

    fn by_hand(&self) -> String {
        let words = self.chosen.words();
        let words: Vec<&str> = [self.verb()].into_iter().chain(words.iter().map(String::as_str)).collect();
        self.place.command(&words)
    }

    async fn patch(&self, node: &Found, token: &str, how: For) -> Result<(), KubeError> {
        let (value, mark) =
            if self.cordons { (json!(true), json!(token)) } else { (Value::Null, Value::Null) };
        let change = json!({"metadata": {"annotations": {MARK: mark}}, "spec": {"unschedulable": value}});
        node.object
            .patch(&self.place.cluster, ("get nodes", "patch nodes"), (Method::Merge, &change), how)
            .await
    }

    async fn refusal(&self, nodes: &[Found], left: Left) -> Option<Problem> {
        if self.cordons && left.takes_the_last() && !self.last {
            let why = "no other node is left that takes new pods: what ends would begin nowhere";
            let next = "Have other nodes first, or allow it with `last = true` in the plan.";
            return Some(Problem::new(why, next));
        }
        for node in nodes.iter().filter(|node| self.is_due(node)) {
            if let Some(refusal) =
                self.patch(node, "trial", For::Trial).await.err().and_then(|error| error.refusal())
            {
                return Some(refusal);
            }
        }
        None
    }
}

impl Change for Cordon {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("{} of {name}", self.verb())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.chosen.unseen_name(), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let (nodes, all) = self.chosen.read(cluster).await?;
        let left = Left::of(&nodes, &all);
        let refused = self.refusal(&nodes, left).await;
        let mut identity = vec![("context".to_owned(), cluster.context.to_string())];
        identity.extend(
            nodes.iter().map(|one| (one.words(), format!("uid {}, {}", one.object.uid, self.words(one)))),
        );
        let names: Vec<String> = nodes.iter().map(|one| one.name.clone()).collect();
        let target =
            Target { name: name(&names), kind: KIND.simulated_target.into(), identity, reachable: true };
        Ok((target, Seen { nodes, left, refused }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = |names: String| format!("PATCH spec.unschedulable of {names}: {}", self.verb());
        let Some(seen) = seen else {
            return Shown {
                call: call(self.chosen.words().join(" ")),
                command: self.by_hand(),
                ..Shown::default()
            };
        };
        let due = || seen.nodes.iter().filter(|one| self.is_due(one));
        let commands = |verb: &str| due().map(|one| self.command(verb, &one.name)).collect::<Vec<_>>();
        let others = due().filter(|one| !self.cordons && one.mark.is_none());
        let others = others.map(|one| {
            format!("lifeboat did not cordon {}: somebody else may keep pods away from it.", one.name)
        });
        let kept = seen.nodes.iter().filter(|one| !self.is_due(one));
        let kept = kept.map(|one| format!("{} is {}.", one.name, self.words(one)));
        let notes = seen.refused.clone().map(Problem::notes).unwrap_or_default();
        let left = self.cordons.then(|| seen.left.words());
        let back = if self.cordons { "uncordon" } else { "cordon" };
        Shown {
            call: call(due().map(Found::words).collect::<Vec<_>>().join(", ")),
            command: commands(self.verb()).join("; "),
            notes: notes.into_iter().chain(left).chain(others).chain(kept).collect(),
            undo: commands(back),
            sets: due().map(|one| (one.words(), self.words(one).to_owned())).collect(),
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        seen.nodes.iter().all(|one| !self.is_due(one)).then(|| {
            let now = if self.cordons { "cordoned" } else { "open" };
            let why = format!("nothing is to be done: each of them is {now} already");
            Problem::new(why, "Skip the step with this as the reason.")
        })
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.refused.clone()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let mut done = Vec::new();
        for node in seen.nodes.iter().filter(|one| self.is_due(one)) {
            if let Err(error) = self.patch(node, &context.token, For::Good).await {
                return Err(half_done(&what, &done, &error));
            }
            let words = format!("{} {}", node.words(), self.words(node));
            (context.output)(&words);
            done.push(words);
        }
        Ok(Done { summary: format!("{}: {}", expected.name, done.join(", ")) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let all = nodes(&self.place.cluster, None).await;
        let all = all.map_err(|error| Unread::from(error).not_done(&*what))?;
        let mut evidence = Vec::new();
        for (name, before) in expected.identity.iter().filter(|(name, _)| name.starts_with("node/")) {
            let is_same = |one: &&Found| {
                one.words() == *name && before.starts_with(&format!("uid {},", one.object.uid))
            };
            let Some(node) = all.iter().find(is_same).filter(|one| !one.object.uid.is_empty()) else {
                let why = format!("{name} is not the one that was confirmed, or is not there any more");
                return Err(not_yet(why, "Find out who made it anew or took it away."));
            };
            let now = if node.is_cordoned { "cordoned" } else { "open" };
            if self.is_due(node) {
                return Err(not_yet(format!("{name} is {now}"), "Find out who set it back, then retry."));
            }
            if !before.contains(" -> ") {
                evidence.push(format!("{name} is {now}, as it was before"));
                continue;
            }
            let wanted = self.cordons.then_some(&*context.token);
            if node.mark.as_deref() != wanted {
                let why = format!("{name} is {now}, and not by this attempt: it does not carry its mark");
                return Err(not_yet(why, "Find out who did it; attest the step if it is what you want."));
            }
            evidence.push(match self.cordons {
                true => format!("{name} is {now} and carries the mark of this attempt"),
                false => format!("{name} is {now}"),
            });
        }
        match evidence.is_empty() {
            true => {
                Err(not_yet("no node was confirmed".into(), "Look at the target, then confirm the step."))
            }
            false => Ok(Proof { evidence }),
        }
    }

    fn manual(&self) -> ManualCard {
        let shows = if self.cordons { "SchedulingDisabled" } else { "no SchedulingDisabled" };
        ManualCard {
            instructions: vec![self.by_hand()],
            check: format!("`{}` shows {shows} for them.", self.place.command(&["get", "nodes"])),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        // That there is nothing to uncordon is how it has to be before the night.
        let refused = seen.refused.filter(|_| self.cordons);
        refused.map(|problem| problem.check("the nodes can be cordoned")).into_iter().collect()
    }
}
