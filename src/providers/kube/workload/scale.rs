//! `kube-scale`: how many pods workloads run.

use super::change::{Until, follow, half_done, missing, send};
use super::chosen::{ALL, AT_MOST, Chosen, Found, KINDS, NAMES, SCALABLE, SELECTOR, call_words};
use super::confirmed::confirmed;
use super::moves::{BEFORE, Move, before};
use super::room;
use super::wish::Wish;
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::Call;
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::{CONTEXT, NAMESPACE};
use jiff::SignedDuration;
use std::time::Duration;

/// Longer than a loop of what would set it back within seconds.
const DEFAULT_HOLD: SignedDuration = SignedDuration::from_secs(15);

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "kube-scale",
    does: Does::Scales,
    simulated_target: "Kubernetes workloads",
    sets: &["replicas", "like", "peak", "restore"],
    doc: "Sets how many pods deployments and stateful sets run: to a number, to what the same workloads are set to in \
          another cluster, to what ran at most in the last 24 h as a Prometheus tells it, or back to what was there before lifeboat scaled them, which it writes beside the number \
          (annotation `lifeboat.dev/scaled`). The confirmation shows each workload from and to, and who would set it back: \
          Argo CD, Flux, Helm, an autoscaler, an operator. The API server judges the change before anybody is asked. Each \
          workload has to be the one that was confirmed, unchanged since. The step waits until the pods are ready and no more than those are left, and \
          counts as verified when it stayed so for `hold`.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        NAMES,
        SELECTOR,
        ALL,
        KINDS,
        AT_MOST,
        Key::optional("replicas", Takes::Integer(0, 10_000), "How many pods each of them shall run."),
        Key::optional(
            "like",
            Takes::Text,
            "The region or context whose workloads of the same name say how many: what really is set there.",
        ),
        Key::optional(
            "peak",
            Takes::Url,
            "Address of a Prometheus (Thanos, Mimir) that says how many ran at most: each workload becomes as many.",
        ),
        Key::optional(
            "peak_query",
            Takes::RawText,
            "What it is asked; `$name` and `$namespace` stand for the workload's own. Where absent, the most that were ready in \
             24 h, by kube-state-metrics.",
        ),
        Key::optional("headers", Takes::Table(&Takes::TextOrSecret), "Headers to send to `peak`."),
        Key::optional(
            "tls_roots",
            Takes::Text,
            "PEM file of the trusted roots of `peak` instead of the platform's.",
        ),
        Key::default("restore", Takes::Flag, "false", "Back to what was there before lifeboat scaled them."),
        Key::default(
            "ready",
            Takes::Flag,
            "true",
            "Wait until the pods are ready, and those that are too many are gone.",
        ),
        Key::default(
            "hold",
            Takes::Duration,
            "15s",
            "How long it has to stay so before the step counts as verified.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "get deployments.apps",
        "list deployments.apps",
        "patch deployments.apps",
        "get statefulsets.apps",
        "list statefulsets.apps",
        "patch statefulsets.apps",
        "list horizontalpodautoscalers.autoscaling",
        "list replicasets.apps",
        "list pods",
    ],
    example: r#"[[runbooks.example.steps]]
id = "scale-up"
title = "Scale the API up in DR"
action = "kube-scale"
with.context = "dr"
with.namespace = "shop"
with.names = ["api", "worker"]
with.replicas = 4
confirm = "type"
estimate = "2m"
timeout = "10m"
"#,
    call: |params| {
        let wish = match (params.integer("replicas"), params.text("like"), params.text("peak")) {
            (Some(replicas), ..) => format!("to {replicas}"),
            (None, Some(like), _) => format!("to what {like} has"),
            (None, None, Some(_)) => "to the most that ran lately".to_owned(),
            (None, None, None) => "back to what was there before".to_owned(),
        };
        format!("scale {} {wish}", call_words(params))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let chosen = Chosen::of(params, clients, SCALABLE)?;
    let wish = Wish::of(params, clients)?;
    let waits = params.get("ready").is_none_or(|_| params.flag("ready"));
    let hold = params.duration("hold").unwrap_or(DEFAULT_HOLD).max(SignedDuration::ZERO);
    Ok(Box::new(Changing(Scale { chosen, wish, waits, hold })))
}

struct Scale {
    chosen: Chosen,
    wish: Wish,
    waits: bool,
    hold: SignedDuration,
}

struct Seen {
    namespace: String,
    moves: Vec<Move>,
    owners: Vec<(String, Owner)>,
    /// Why the API server, or nobody's memory, lets it be done.
    refused: Option<Problem>,
}

impl Change for Scale {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("scaling of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.chosen.unseen_name(), KIND.simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let call = Call::new("get workloads", self.chosen.place.words());
        let namespace = self.chosen.place.namespace(&call).await?;
        let cluster = &self.chosen.place.cluster;
        let mut moves = Vec::new();
        let mut refused = None;
        for found in self.chosen.read(&namespace).await? {
            let from = found.workload().wanted;
            let to = match self.wish.number(&namespace, &found, from).await {
                Ok(to) => to,
                Err(problem) => {
                    refused.get_or_insert(problem);
                    from
                }
            };
            moves.push(Move { found, from, to });
        }
        let asked = Owners::of(cluster, &namespace, Field::Replicas).await;
        let mut owners = Vec::new();
        for one in moves.iter().filter(|one| one.is_due()) {
            let of = asked.find(one.found.kind(), &one.found.object).await;
            owners.extend(of.into_iter().map(|owner| (one.found.named.name.clone(), owner)));
            if refused.is_none() {
                let patch = one.patch(matches!(self.wish, Wish::Before));
                let judged = send(cluster, &one.found, &patch, For::Trial).await;
                refused = judged.err().and_then(|error| error.refusal());
            }
        }
        let mut identity = vec![("context".to_owned(), cluster.context.to_string())];
        identity.extend(moves.iter().map(Move::identity));
        let name = self.chosen.name(&namespace, moves.len(), moves.first().map(|one| &one.found));
        let target = Target { name, kind: KIND.simulated_target.into(), identity, reachable: true };
        Ok((target, Seen { namespace, moves, owners, refused }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let Some(seen) = seen else {
            return Shown {
                call: format!("PATCH spec.replicas of {}", self.chosen.words().join(" ")),
                command: self.by_hand(),
                ..Shown::default()
            };
        };
        let due = || seen.moves.iter().filter(|one| one.is_due());
        let names: Vec<String> = due().map(|one| one.found.named.words()).collect();
        let command = |number: u32, name: &str| {
            let place = &self.chosen.place;
            place.command(&["scale", name, &format!("--replicas={number}")])
        };
        let commands: Vec<String> = due().map(|one| command(one.to, &one.found.named.words())).collect();
        let notes = seen.refused.clone().map(Problem::notes).unwrap_or_default();
        let since = seen.moves.iter().filter(|_| matches!(self.wish, Wish::Before)).filter_map(|one| {
            let (_, to) = before(one.found.annotation(BEFORE)).filter(|(_, to)| *to != one.from)?;
            let name = &one.found.named.name;
            Some(format!(
                "lifeboat set {name} to {to}, and it is set to {}: somebody changed it since.",
                one.from
            ))
        });
        let said = match &self.wish {
            Wish::Peak(peak) => {
                Some(format!("How many comes from {}: what ran at most, rounded up.", peak.words()))
            }
            _ => None,
        };
        let owned = seen.owners.iter().map(|(name, owner)| owner.note(name));
        let total = |of: fn(&Move) -> u32| seen.moves.iter().map(|one| u64::from(of(one))).sum::<u64>();
        let sum = format!("{} to {} pods in all", total(|one| one.from), total(|one| one.to));
        Shown {
            call: format!("PATCH spec.replicas of {} in {}", names.join(", "), seen.namespace),
            command: commands.join("; "),
            notes: notes
                .into_iter()
                .chain(since)
                .chain(said)
                .chain(owned)
                .chain((seen.moves.len() > 1).then_some(sum))
                .collect(),
            undo: due().map(|one| command(one.from, &one.found.named.words())).collect(),
            sets: due().map(|one| (one.found.named.words(), one.words())).collect(),
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        if let Some(problem) = &seen.refused {
            return Some(problem.clone());
        }
        seen.moves.iter().all(|one| !one.is_due()).then(|| {
            let now = seen.moves.iter().map(|one| format!("{} {}", one.found.named.name, one.from));
            Problem::new(
                format!(
                    "they run so many already ({}): nothing was sent",
                    now.collect::<Vec<_>>().join(", ")
                ),
                "Skip the step with this as the reason.",
            )
        })
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let cluster = &self.chosen.place.cluster;
        let mut done = Vec::new();
        for one in seen.moves.iter().filter(|one| one.is_due()) {
            let patch = one.patch(matches!(self.wish, Wish::Before));
            if let Err(error) = send(cluster, &one.found, &patch, For::Good).await {
                return Err(half_done(&what, &done, &error));
            }
            let words = format!("{} {}", one.found.named.words(), one.words());
            (context.output)(&words);
            done.push(words);
        }
        if self.waits {
            let all: Vec<Found> = seen.moves.into_iter().map(|one| one.found).collect();
            follow(cluster, &seen.namespace, &all, Until::Scaled, &what, context).await?;
        }
        Ok(Done { summary: format!("{}: {}", expected.name, done.join(", ")) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let not_yet = |why: String, next: &str| Failure::not_done(&*what, why, next);
        let cluster = &self.chosen.place.cluster;
        let confirmed = confirmed(&self.chosen.place, expected, &what).await?;
        let mut evidence = Vec::new();
        for (now, before) in &confirmed.all {
            let (name, seen) = (now.named.words(), now.workload());
            let Some(wished) = Move::wished(before) else {
                let next = "Compare by hand, then attest the step.";
                return Err(not_yet(format!("what {name} was to become is not known"), next));
            };
            if seen.wanted != wished {
                let why = format!("{name} is set to {}, not to {wished}", seen.wanted);
                let next =
                    "Somebody else decides over it: the notes of the step say who. Suspend that first.";
                return Err(not_yet(why, next));
            }
            let waits = match self.waits {
                true => missing(cluster, &confirmed.namespace, now, Until::Scaled).await,
                false => Ok(None),
            };
            if let Some(missing) = waits.map_err(|error| Unread::from(error).not_done(&*what))? {
                return Err(not_yet(missing, "It still goes on: verify again."));
            }
            let ready = seen.ready;
            evidence
                .push(format!("{name}: spec.replicas is {wished}, {ready} ready, seen by its controller"));
        }
        Ok(Proof { evidence })
    }

    fn hold(&self) -> SignedDuration {
        self.hold
    }

    fn needs(&self, permission: &str) -> bool {
        self.chosen.needs(permission)
    }

    fn manual(&self) -> ManualCard {
        let get = self.chosen.place.command(&["get", "deployments,statefulsets"]);
        ManualCard {
            instructions: vec![
                "where Argo CD, Flux or an autoscaler decides over them: suspend it first".into(),
                self.by_hand(),
            ],
            check: format!("`{get}` shows as many ready as asked for."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let refused = seen.refused.map(|problem| problem.check("the API server takes it"));
        let owners = seen.owners.iter().map(|(name, owner)| owner.check(name));
        let room = room::checks(&self.chosen.place.cluster, &seen.namespace, &seen.moves).await;
        refused.into_iter().chain(owners).chain(room).collect()
    }
}

impl Scale {
    fn by_hand(&self) -> String {
        let number = match &self.wish {
            Wish::Number(number) => number.to_string(),
            Wish::Like(_) | Wish::Peak(_) | Wish::Before => "NUMBER".to_owned(),
        };
        let mut words = vec!["scale".to_owned()];
        words.extend(self.chosen.words());
        words.push(format!("--replicas={number}"));
        self.chosen.place.command_of(&words)
    }
}
