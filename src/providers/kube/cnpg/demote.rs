//! `cnpg-demote`: the primary of a distributed topology becomes a replica of another cluster.

use super::guard::{successor, topology};
use super::named::{GET, NAME, NOUN, Named, PATCH};
use super::other::Other;
use super::stage::{Stage, Wished, done};
use super::{Postgres, Role, token};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, STANDBY_NOW, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::object::For;
use crate::providers::kube::owner::{Field, Owner, Owners};
use crate::providers::kube::place::{CONTEXT, NAMESPACE};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than what manages the object takes to set it back.
const HOLD: SignedDuration = SignedDuration::from_secs(15);
const NAME_CHARS: usize = 120;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "cnpg-demote",
    does: Does::Fences,
    simulated_target: NOUN,
    sets: &[],
    doc: "Makes the primary cluster of a distributed topology of CloudNativePG a replica of `to`: the first half of a planned \
          change, `cnpg-promote` of `to` is the second. Nobody takes writes in between. Both have to be healthy, on one \
          timeline and able to archive; a topology with `enabled` has no such change. The patch sets `primary` and `source` \
          of spec.replica and takes the promotion token of before away, which CloudNativePG would refuse in a replica. It \
          waits until the operator wrote a demotion token that was not there before, and proves by that token and by no \
          instance being a primary. The evidence holds the token. How far `to` is behind is not in the status: a guard on \
          `postgres-replication` tells it; the promotion waits until all is replayed.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        NAME,
        Key::required("to", Takes::Text, "The name of the `Cluster` that becomes the primary."),
        Key::required("to_context", Takes::Text, "Where that one is: a region of the plan, or a context."),
        Key::optional("to_namespace", Takes::Text, "Its namespace there; where absent the step's own."),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[GET, PATCH],
    example: r#"[[runbooks.example.steps]]
id = "demote"
title = "Demote PostgreSQL in the primary region"
action = "cnpg-demote"
with.context = "primary"
with.namespace = "shop"
with.name = "db-primary"
with.to = "db-dr"
with.to_context = "dr"
fences = ["dr-lag"]
confirm = "type"
timeout = "10m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        format!(
            "demote {} of {} to a replica of {} of {}",
            text("name"),
            text("context"),
            text("to"),
            text("to_context")
        )
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let (own, to) = (Named::of(params, clients)?, Named::other(params, clients, "to")?);
    Ok(Box::new(Changing(Demote { own, to })))
}

struct Demote {
    own: Named,
    to: Named,
}

struct Seen {
    own: Postgres,
    /// Who becomes the primary, in the words of the topology, or why it is not sent.
    primary: Result<String, Problem>,
    owners: Vec<Owner>,
}

fn change(primary: &str) -> Value {
    json!({"spec": {"replica": {"primary": primary, "source": primary, "promotionToken": null}}})
}

impl Change for Demote {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("demotion of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.own.words(), NOUN)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.own.place.cluster;
        let (own, other) = futures::join!(self.own.look(), Other::of(&self.to));
        let own = own?;
        let mut primary = successor(cluster, &own, &other).map(|other| other.own().to_owned());
        let owners = Owners::of(cluster, &own.namespace, Field::Other).await;
        let owners = owners.find("Cluster", &own.value).await;
        if let Ok(to) = &primary {
            let judged = self.own.patch(&own, &change(to), For::Trial).await;
            if let Some(refusal) = judged.err().and_then(|error| error.refusal()) {
                primary = Err(refusal);
            }
        }
        let to = primary.as_ref().map_or("?", |to| to.as_str());
        let identity = self.identity(&own, to).into_iter().chain([other.identity(&self.to)]).collect();
        let target = Target { name: own.words.clone(), kind: NOUN.into(), identity, reachable: true };
        Ok((target, Seen { own, primary, owners }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let to = seen.and_then(|seen| seen.primary.as_ref().ok()).map_or("NAME", String::as_str);
        let call = format!("PATCH spec.replica of {NOUN} {}: a replica of {to}", self.own.words());
        let command = self.own.command(&change(to));
        let Some(seen) = seen else { return Shown { call, command, ..Shown::default() } };
        let refused = seen.primary.as_ref().err().cloned().map(Problem::notes).unwrap_or_default();
        let said = [
            "From now on until the other one is promoted NOBODY TAKES WRITES.".to_owned(),
            format!(
                "Its operator shuts its instances, archives what is left, and starts them as replicas of {to}."
            ),
            "How far that one is behind is not in its status; its promotion waits until all is replayed."
                .to_owned(),
            "It is taken back by a promotion (`cnpg-promote` of either side), not by setting the field back."
                .to_owned(),
        ];
        let owned = seen.owners.iter().map(|owner| owner.note(&seen.own.words));
        Shown {
            call,
            command,
            notes: refused.into_iter().chain(said).chain(owned).collect(),
            ..self.sets(seen)
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        let is_done = seen.own.role == Role::Replica;
        seen.primary.as_ref().err().filter(|_| is_done).cloned()
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.primary.as_ref().err().cloned()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let primary = seen.primary.map_err(|problem| problem.not_done(&*what))?;
        let wished = Wished::of(expected).ok_or_else(|| nothing_confirmed(&what))?;
        let sent = self.own.patch(&seen.own, &change(&primary), For::Good).await;
        sent.map_err(|error| error.of_change(&what))?;
        (context.output)("the API server took it: the operator shuts it");
        let now = wished.follow(&self.own, &what, Wished::demoted, context).await?;
        let token = token::words(&self.own.place.cluster, &now.demotion_token);
        Ok(done(expected, &format!("a replica of {primary}, demotion token: {token}")))
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let wished = Wished::of(expected).ok_or_else(|| nothing_confirmed(&what))?;
        let now = self.own.look().await.map_err(|error| Unread::from(error).not_done(&*what))?;
        let cluster = &self.own.place.cluster;
        match wished.demoted(cluster, &now) {
            Stage::Lost(problem) => Err(problem.not_done(&*what)),
            Stage::Going(missing) => Err(Failure::not_done(&*what, missing, super::seen::OPERATOR)),
            Stage::There => Ok(Proof {
                evidence: vec![
                    format!(
                        "{}: spec.replica.primary is {}, no instance is a primary",
                        now.words,
                        cluster.shown(now.primary(), NAME_CHARS)
                    ),
                    format!("demotion token, new: {}", token::words(cluster, &now.demotion_token)),
                    format!("status.demotionToken is {}", token::whole(cluster, &now.demotion_token)),
                ],
            }),
        }
    }

    fn hold(&self) -> SignedDuration {
        HOLD
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![
                format!("see that {} is healthy and follows: `kubectl cnpg status`", self.to.whole()),
                self.to.in_topology(),
                self.own.command(&change("NAME")),
            ],
            check: format!("`{}` prints a token.", self.own.shows("{.status.demotionToken}")),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let owned = seen.owners.iter().map(|owner| owner.check(&seen.own.words));
        if seen.own.role == Role::Replica {
            let next = "Nothing, while the other side serves. Run preflight again after a failover.";
            return owned.chain([Check::warn(STANDBY_NOW.0, STANDBY_NOW.1, next)]).collect();
        }
        let fit = match seen.primary {
            Ok(to) => Check::pass("who takes over", self.own.place.cluster.shown(&to, NAME_CHARS)),
            Err(problem) => problem.check("it could be demoted"),
        };
        owned.chain([fit]).collect()
    }
}

impl Demote {
    fn identity(&self, own: &Postgres, to: &str) -> Vec<(String, String)> {
        let cluster = &self.own.place.cluster;
        let shown = |text: &str| cluster.shown(text, NAME_CHARS);
        [
            ("context", cluster.context.to_string()),
            ("uid", shown(&own.object.uid)),
            ("generation", own.object.generation.to_string()),
            ("primary", format!("{} -> {}", shown(own.primary()), shown(to))),
            ("instances", own.wanted.to_string()),
            ("primary instance", shown(&own.current)),
            ("token", token::words(cluster, &own.demotion_token)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// What changes, from and to.
    fn sets(&self, seen: &Seen) -> Shown {
        let (Ok(to), Ok(place)) = (&seen.primary, topology(&seen.own)) else { return Shown::default() };
        let shown = |text: &str| self.own.place.cluster.shown(text, NAME_CHARS);
        let pair = |name: &str, from: &str| (name.to_owned(), format!("{} -> {}", shown(from), shown(to)));
        let mut sets = vec![pair("spec.replica.primary", &place.primary)];
        if place.source != *to {
            sets.push(pair("spec.replica.source", &place.source));
        }
        if !place.promotion_token.is_empty() {
            sets.push(("spec.replica.promotionToken".to_owned(), "taken away".to_owned()));
        }
        Shown { sets, ..Shown::default() }
    }
}

pub(super) fn nothing_confirmed(what: &str) -> Failure {
    let next = "Look at the target, then confirm the step.";
    Failure::not_done(what, "what it was to become was not confirmed", next)
}
