//! A change of the template of workloads' pods, followed until all pods are of the new one.

use super::change::{Until, follow, half_done, missing, send};
use super::chosen::{Chosen, Found};
use super::confirmed::confirmed;
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Change, Confirmed, Context, Shown, Unread};
use crate::plan::kinds::ActionKind;
use crate::providers::kube::client::{Call, Cluster};
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use serde_json::Value;
use std::time::Duration;

/// What one kind does with a template.
pub trait Template: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static ActionKind;

    /// The change, as failures call it (`restart`).
    fn noun(&self) -> &'static str;

    /// What a workload's template becomes.
    ///
    /// # Errors
    /// Why it cannot be made so.
    fn turn(&self, cluster: &Cluster, found: &Found) -> impl Future<Output = Result<Turn, Problem>> + Send;

    /// What keeps all workloads of a namespace from coming up with it; asked once for all of them.
    fn hindrance(&self, _: &Cluster, _namespace: &str) -> impl Future<Output = Option<Problem>> + Send {
        async { None }
    }

    /// The patch of a turn, as this attempt sends it.
    fn patch(&self, turn: &Turn, _token: &str) -> Value {
        turn.patch.clone()
    }

    /// That the template of now is the one that this attempt made, in words; `before` is what was confirmed.
    ///
    /// # Errors
    /// Why it is not.
    fn proof(
        &self,
        cluster: &Cluster,
        now: &Found,
        before: &str,
        token: &str,
    ) -> impl Future<Output = Result<String, Problem>> + Send;

    /// The arguments of `kubectl` that do the same.
    fn by_hand(&self, chosen: &Chosen) -> Vec<String>;

    /// The arguments of `kubectl` that take it back from one workload, where it can be taken back.
    fn undo(&self, _words: &str) -> Option<Vec<String>> {
        None
    }

    /// Whether a permission of the kind is needed for these.
    fn needs(&self, chosen: &Chosen, permission: &str) -> bool {
        chosen.needs(permission)
    }
}

/// What a template becomes.
pub struct Turn {
    /// A strategic merge patch.
    pub patch: Value,
    /// For people, without secrets; empty where nothing but the pods is new.
    pub words: String,
    /// Whether there is anything to do.
    pub is_due: bool,
}

/// A change of templates.
pub struct Rollout<T> {
    pub chosen: Chosen,
    pub template: T,
}

/// What one look saw.
pub struct Seen {
    namespace: String,
    turns: Vec<(Found, Turn)>,
    owners: Vec<(String, Owner)>,
    refused: Option<Problem>,
}

impl Seen {
    fn due(&self) -> impl Iterator<Item = &(Found, Turn)> {
        self.turns.iter().filter(|(_, turn)| turn.is_due)
    }

    /// Why nothing is sent.
    fn why_not(&self) -> Option<Problem> {
        let idle = || {
            let why = "all of them are so already: nothing is to be sent";
            self.due().next().is_none().then(|| Problem::new(why, "Skip the step with this as the reason."))
        };
        self.refused.clone().or_else(idle)
    }
}

/// What keeps any rollout of a workload from getting on.
pub fn hindrance(found: &Found) -> Option<Problem> {
    let (workload, name) = (found.workload(), found.named.words());
    if workload.is_paused {
        let why = format!("the rollout of {name} is paused: it would make no new pods");
        return Some(Problem::new(why, "Resume it first: `kubectl rollout resume`."));
    }
    if workload.waits_for_deletion {
        let why = format!("{name} makes new pods only where somebody deletes the old ones (OnDelete)");
        return Some(Problem::new(why, "Delete its pods one after the other, and attest the step."));
    }
    let partition = &found.object["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
    let from = partition.as_u64().filter(|from| *from > 0)?;
    let why = format!("{name} makes new pods only from number {from} on (its `partition`)");
    Some(Problem::new(why, "Take the partition out first, or delete its pods, and attest the step."))
}

impl<T: Template> Change for Rollout<T> {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("{} of {name}", self.template.noun())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.chosen.unseen_name(), self.template.kind().simulated_target)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let call = Call::new("get workloads", self.chosen.place.words());
        let namespace = self.chosen.place.namespace(&call).await?;
        let cluster = &self.chosen.place.cluster;
        let asked = Owners::of(cluster, &namespace, Field::Other).await;
        let refused = self.template.hindrance(cluster, &namespace).await;
        let mut seen = Seen { namespace, turns: Vec::new(), owners: Vec::new(), refused };
        for found in self.chosen.read(&seen.namespace).await? {
            let of = asked.find(found.kind(), &found.object).await;
            seen.owners.extend(of.into_iter().map(|owner| (found.named.name.clone(), owner)));
            match self.judged(cluster, &found).await {
                Ok(turn) => seen.turns.push((found, turn)),
                Err(problem) => {
                    seen.refused.get_or_insert(problem);
                    let turn = Turn { patch: Value::Null, words: String::new(), is_due: false };
                    seen.turns.push((found, turn));
                }
            }
        }
        let mut identity = vec![("context".to_owned(), cluster.context.to_string())];
        identity.extend(seen.turns.iter().map(|(found, turn)| {
            let words = if turn.words.is_empty() { String::new() } else { format!(", {}", turn.words) };
            let known = format!("uid {}, generation {}{words}", found.uid, found.generation);
            (found.named.words(), known)
        }));
        let name =
            self.chosen.name(&seen.namespace, seen.turns.len(), seen.turns.first().map(|(one, _)| one));
        let kind = self.template.kind().simulated_target.into();
        Ok((Target { name, kind, identity, reachable: true }, seen))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = |names: String, place: String| format!("PATCH spec.template of {names} in {place}");
        let Some(seen) = seen else {
            let call = call(self.chosen.words().join(" "), self.chosen.place.words());
            return Shown { call, command: self.by_hand(), ..Shown::default() };
        };
        let names: Vec<String> = seen.due().map(|(one, _)| one.named.words()).collect();
        let notes = seen.why_not().map(Problem::notes).unwrap_or_default();
        let pods = seen.due().map(|(one, _)| format!("{} {}", one.named.name, one.workload().wanted));
        let pods = format!("pods that are made anew: {}", pods.collect::<Vec<_>>().join(", "));
        // What is set back is the template: the pods are made anew once more.
        let owned = seen.owners.iter().map(|(name, owner)| owner.note(name));
        let undo = seen.due().filter_map(|(one, _)| self.template.undo(&one.named.words()));
        let said = seen.due().filter(|(_, turn)| !turn.words.is_empty());
        Shown {
            call: call(names.join(", "), seen.namespace.clone()),
            command: self.by_hand(),
            notes: notes.into_iter().chain((!names.is_empty()).then_some(pods)).chain(owned).collect(),
            undo: undo.map(|words| self.chosen.place.command_of(&words)).collect(),
            sets: said.map(|(one, turn)| (one.named.words(), turn.words.clone())).collect(),
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.why_not()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let cluster = &self.chosen.place.cluster;
        let (mut done, mut sent) = (Vec::new(), Vec::new());
        for (found, turn) in seen.turns.into_iter().filter(|(_, turn)| turn.is_due) {
            let patch = self.template.patch(&turn, &context.token);
            if let Err(error) = send(cluster, &found, &patch, For::Good).await {
                return Err(half_done(&what, &done, &error));
            }
            (context.output)(&format!("{} makes new pods", found.named.words()));
            done.push(found.named.words());
            sent.push(found);
        }
        follow(cluster, &seen.namespace, &sent, Until::Renewed, &what, context).await?;
        Ok(Done { summary: format!("{}: new pods of {}", expected.name, done.join(", ")) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let cluster = &self.chosen.place.cluster;
        let confirmed = confirmed(&self.chosen.place, expected, &what).await?;
        let mut evidence = Vec::new();
        for (now, before) in &confirmed.all {
            let proof = self.template.proof(cluster, now, before, &context.token).await;
            let proof = proof.map_err(|problem| problem.not_done(&*what))?;
            let rest = missing(cluster, &confirmed.namespace, now, Until::Renewed).await;
            if let Some(rest) = rest.map_err(|error| Unread::from(error).not_done(&*what))? {
                return Err(Failure::not_done(&*what, rest, "It still goes on: verify again."));
            }
            evidence.push(format!("{}: {} pods {proof}", now.named.words(), now.workload().updated));
        }
        Ok(Proof { evidence })
    }

    fn needs(&self, permission: &str) -> bool {
        self.template.needs(&self.chosen, permission)
    }

    fn manual(&self) -> ManualCard {
        let status = self.chosen.place.command(&["rollout", "status", "deployment/NAME"]);
        ManualCard {
            instructions: vec![self.by_hand()],
            check: format!("`{status}` says that it is rolled out."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let refused = seen.refused.map(|problem| problem.check("the API server takes it"));
        refused.into_iter().chain(seen.owners.iter().map(|(name, owner)| owner.check(name))).collect()
    }
}

impl<T: Template> Rollout<T> {
    /// What a workload becomes, once the API server has judged it.
    async fn judged(&self, cluster: &Cluster, found: &Found) -> Result<Turn, Problem> {
        if let Some(hindrance) = hindrance(found) {
            return Err(hindrance);
        }
        let turn = self.template.turn(cluster, found).await?;
        if turn.is_due {
            let judged = send(cluster, found, &self.template.patch(&turn, "trial"), For::Trial).await;
            if let Some(refusal) = judged.err().and_then(|error| error.refusal()) {
                return Err(refusal);
            }
        }
        Ok(turn)
    }

    fn by_hand(&self) -> String {
        self.chosen.place.command_of(&self.template.by_hand(&self.chosen))
    }
}
