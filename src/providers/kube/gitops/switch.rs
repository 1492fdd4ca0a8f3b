//! The change that both kinds make: a syncer stops, or goes on.

use super::syncer::{Found, Syncer};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Change, Confirmed, Context, Shown, Unread};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{KubeError, Method};
use crate::providers::kube::object::{For, Object};
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::Place;
use jiff::SignedDuration;
use serde_json::Value;

/// Longer than what manages the syncer itself takes to set it back.
const HOLD: SignedDuration = SignedDuration::from_secs(10);

/// A syncer that is to stop, or to go on.
pub struct Switch {
    place: Place,
    syncer: Syncer,
    is_resumed: bool,
}

/// What one look saw.
pub struct Seen {
    found: Found,
    change: Result<Value, Problem>,
    owners: Vec<Owner>,
}

impl Switch {
    /// As a step says it.
    ///
    /// # Errors
    /// When it names none.
    pub fn of(params: &Params, clients: &Clients, is_resumed: bool) -> Result<Self, BuildError> {
        Ok(Self { place: Place::of(params, clients)?, syncer: Syncer::of(params, is_resumed)?, is_resumed })
    }

    fn verb(&self) -> &'static str {
        if self.is_resumed { "resume" } else { "suspend" }
    }

    fn sets(&self, seen: &Seen) -> Vec<(String, String)> {
        let becomes = seen.change.as_ref().ok().and_then(|change| self.syncer.becomes(change));
        let becomes = becomes.map(|words| ("becomes".to_owned(), words));
        [("now".to_owned(), seen.found.words.clone())].into_iter().chain(becomes).collect()
    }

    fn command(&self, is_resumed: bool) -> String {
        let words = self.syncer.by_hand(is_resumed);
        self.place.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    async fn send_as(&self, seen: &Seen, change: &Value, how: For) -> Result<(), KubeError> {
        let object = Object::of(seen.found.resource, &seen.found.object);
        object.patch(&self.place.cluster, self.syncer.permissions(), (Method::Merge, change), how).await
    }
}

impl Change for Switch {
    type Seen = Seen;

    fn what(&self, name: &str) -> String {
        format!("{} of {name}", self.verb())
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.syncer.name(), self.syncer.noun())
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.place.cluster;
        let found = self.syncer.read(cluster).await?;
        let object = Object::of(found.resource, &found.object);
        let change = self.syncer.change(&found, self.is_resumed);
        let owners = Owners::of(cluster, &object.namespace, Field::Other).await;
        let owners = owners.find(self.syncer.noun(), &found.object).await;
        let mut seen = Seen { found, change, owners };
        if let Ok(change) = &seen.change {
            let judged = self.send_as(&seen, change, For::Trial).await;
            if let Some(refusal) = judged.err().and_then(|error| error.refusal()) {
                seen.change = Err(refusal);
            }
        }
        let identity = vec![
            ("context".to_owned(), cluster.context.to_string()),
            ("uid".to_owned(), object.uid),
            ("now".to_owned(), seen.found.words.clone()),
        ];
        let target =
            Target { name: self.syncer.name(), kind: self.syncer.noun().into(), identity, reachable: true };
        Ok((target, seen))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let notes = seen.map(|seen| {
            let refused = seen.change.as_ref().err().cloned().map(Problem::notes).unwrap_or_default();
            let owned = seen.owners.iter().map(|owner| owner.note(&self.syncer.name()));
            refused.into_iter().chain(owned).collect::<Vec<_>>()
        });
        let temporary = (!self.is_resumed).then(|| format!("Temporary: {}", self.syncer.consequence()));
        Shown {
            call: format!("PATCH {} {}: {}", self.syncer.noun(), self.syncer.name(), self.verb()),
            command: self.command(self.is_resumed),
            notes: notes.unwrap_or_default().into_iter().chain(temporary).collect(),
            undo: vec![self.command(!self.is_resumed)],
            sets: seen.map(|seen| self.sets(seen)).unwrap_or_default(),
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        (seen.found.syncs == self.is_resumed).then(|| {
            let why = format!("nothing is to be done: {}", seen.found.words);
            Problem::new(why, "Skip the step with this as the reason.")
        })
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.change.as_ref().err().cloned()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, _: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let change = seen.change.clone().map_err(|problem| problem.not_done(&*what))?;
        self.send_as(&seen, &change, For::Good).await.map_err(|error| error.of_change(&what))?;
        Ok(Done { summary: format!("{}: {}d", expected.name, self.verb().trim_end_matches('d')) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let (found, seen) = self.read().await.map_err(|unread| unread.not_done(&*what))?;
        let not_yet = |why: String, next: &str| Err(Failure::not_done(&*what, why, next));
        if found.property("uid") != expected.property("uid") || found.property("uid").is_none() {
            return not_yet("it is not the one that was confirmed".into(), "Find out who made it anew.");
        }
        if seen.found.syncs != self.is_resumed {
            let next = "Find out who sets it back: it may belong to another application. Then retry.";
            return not_yet(seen.found.words, next);
        }
        Ok(Proof {
            evidence: vec![format!("{} {}: {}", self.syncer.noun(), expected.name, seen.found.words)],
        })
    }

    fn hold(&self) -> SignedDuration {
        HOLD
    }

    fn needs(&self, permission: &str) -> bool {
        self.syncer.needs(permission)
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command(self.is_resumed)],
            check: format!(
                "`{}` shows it.",
                self.place.command(&["get", "applications,kustomizations,hpa", "-A"])
            ),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let idle = (!self.is_resumed && !seen.found.syncs).then(|| {
            let next = "Take the step out of the plan, or find out who suspended it.";
            Check::warn("there is something to suspend", format!("nothing: {}", seen.found.words), next)
        });
        // That there is nothing to resume is how it has to be before the night.
        let refused = seen.change.err().filter(|_| !self.is_resumed);
        let refused = refused.map(|problem| problem.check("the API server takes it"));
        refused
            .into_iter()
            .chain(idle)
            .chain(seen.owners.iter().map(|owner| owner.check(&self.syncer.name())))
            .collect()
    }
}
