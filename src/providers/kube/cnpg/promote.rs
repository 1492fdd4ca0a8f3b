//! `cnpg-promote`: a replica of a distributed topology becomes its primary.

use super::aftermath::{evidence, follows, losses};
use super::demote::nothing_confirmed;
use super::guard::{self, topology};
use super::named::{GET, LIST, LIST_PODS, NAME, NOUN, Named, PATCH};
use super::other::Other;
use super::stage::{Stage, Wished, done};
use super::{Postgres, Role, token};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{ALREADY_PRIMARY, Built, Change, Changing, Confirmed, Context, Shown, Unread};
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
    name: "cnpg-promote",
    does: Does::Promotes,
    simulated_target: NOUN,
    sets: &[],
    doc: "Makes a replica cluster of a distributed topology of CloudNativePG its primary. It reads the demotion token of \
          `from`, which has to be demoted for this very cluster, and sets `primary` and `promotionToken` of spec.replica in \
          one patch: the operator replays up to the token before it promotes, so that nothing is lost. It refuses while \
          `from` is a primary or still on the way, a token that the operator would not take, and a cluster that cannot be \
          read. With `without_token` it goes on where nobody answers for `from`, where it is gone and no other primary of this \
          database is there, where it is demoted without a token, or kept shut (fenced or hibernated; none of its pods is \
          ready, and none is there that was a primary by its own last word): what `from` did not ship is LOST then, and it \
          has to be rebuilt. A sign-in, a proxy or a name that fails on this side is no loss of `from`: it refuses. The proof: the token was verified, the same object has a primary instance that is out of recovery and \
          ready, and `from`, where it can be read, is no primary. Whether `from` follows is in the evidence as far as its \
          status tells.",
    keys: &[
        CONTEXT,
        NAMESPACE,
        NAME,
        Key::required("from", Takes::Text, "The name of the `Cluster` that was the primary."),
        Key::required("from_context", Takes::Text, "Where that one is: a region of the plan, or a context."),
        Key::optional("from_namespace", Takes::Text, "Its namespace there; where absent the step's own."),
        Key::default(
            "without_token",
            Takes::Flag,
            "false",
            "Go on where `from` gives no token: what it did not ship is LOST, and it has to be rebuilt. The step has to be \
             confirmed by typing.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[GET, LIST, LIST_PODS, PATCH],
    example: r#"[[runbooks.example.steps]]
id = "promote"
title = "Promote PostgreSQL in DR"
action = "cnpg-promote"
with.context = "dr"
with.namespace = "shop"
with.name = "db-dr"
with.from = "db-primary"
with.from_context = "primary"
confirm = "type"
irreversible = true
timeout = "15m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let how =
            if params.flag("without_token") { ", ALSO WITHOUT ITS TOKEN, which loses data" } else { "" };
        format!(
            "promote {} of {} after {} of {}{how}",
            text("name"),
            text("context"),
            text("from"),
            text("from_context")
        )
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let (own, from) = (Named::of(params, clients)?, Named::other(params, clients, "from")?);
    Ok(Box::new(Changing(Promote { own, from, without_token: params.flag("without_token") })))
}

struct Promote {
    own: Named,
    from: Named,
    without_token: bool,
}

struct Seen {
    own: Postgres,
    other: Other,
    /// The token, or none where it goes without; or why it is not sent.
    token: Result<Option<String>, Problem>,
    owners: Vec<Owner>,
}

fn change(own: &str, token: Option<&str>) -> Value {
    json!({"spec": {"replica": {"primary": own, "promotionToken": token}}})
}

impl Change for Promote {
    type Seen = Seen;

    const LOOK: Option<Duration> = Some(Duration::from_secs(30));

    fn what(&self, name: &str) -> String {
        format!("promotion of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.own.words(), NOUN)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let cluster = &self.own.place.cluster;
        let (own, other) = futures::join!(self.own.look(), Other::of(&self.from));
        let own = own?;
        let mut token = self.token(&own, &other);
        let owners = Owners::of(cluster, &own.namespace, Field::Other).await;
        let owners = owners.find("Cluster", &own.value).await;
        if let Ok(with) = &token {
            let judged = self.own.patch(&own, &change(own.own(), with.as_deref()), For::Trial).await;
            if let Some(refusal) = judged.err().and_then(|error| error.refusal()) {
                token = Err(refusal);
            }
        }
        let with = token.as_ref().ok().and_then(|token| token.as_deref());
        let identity = self.identity(&own, with).into_iter().chain([other.identity(&self.from)]).collect();
        let target = Target { name: own.words.clone(), kind: NOUN.into(), identity, reachable: true };
        Ok((target, Seen { own, other, token, owners }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let call = format!("PATCH spec.replica of {NOUN} {}: the primary", self.own.words());
        let Some(seen) = seen else {
            let command = self.own.command(&change("NAME", Some("TOKEN")));
            return Shown { call, command, ..Shown::default() };
        };
        let cluster = &self.own.place.cluster;
        let shown = |text: &str| cluster.shown(text, NAME_CHARS);
        let mut notes = seen.token.as_ref().err().cloned().map(Problem::notes).unwrap_or_default();
        let token = match &seen.token {
            Ok(Some(token)) => {
                notes.push(
                    "It waits until all up to the token is replayed, and takes writes then: nothing is lost."
                        .into(),
                );
                token::words(cluster, token)
            }
            Ok(None) => {
                notes.extend(losses(&self.from, &seen.other));
                "NONE".to_owned()
            }
            Err(_) => "not known".to_owned(),
        };
        notes.push("How far it is behind is not in its status.".into());
        notes.extend(seen.owners.iter().map(|owner| owner.note(&seen.own.words)));
        let whole = seen.token.as_ref().map_or(Some("TOKEN"), |token| token.as_deref());
        let whole = whole.map(|text| token::whole(cluster, text));
        Shown {
            call,
            command: self.own.command(&change(&shown(seen.own.own()), whole.as_deref())),
            notes,
            sets: vec![
                (
                    "spec.replica.primary".into(),
                    format!("{} -> {}", shown(seen.own.primary()), shown(seen.own.own())),
                ),
                ("spec.replica.promotionToken".into(), token),
            ],
            ..Shown::default()
        }
    }

    fn refuses_first(&self, seen: &Seen, _: &Target) -> Option<Problem> {
        let is_done = seen.own.role == Role::Primary;
        seen.token.as_ref().err().filter(|_| is_done).cloned()
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        seen.token.as_ref().err().cloned()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, expected, .. } = confirmed;
        let token = seen.token.map_err(|problem| problem.not_done(&*what))?;
        let wished = Wished::of(expected).ok_or_else(|| nothing_confirmed(&what))?;
        let sent = self.own.patch(&seen.own, &change(seen.own.own(), token.as_deref()), For::Good).await;
        sent.map_err(|error| error.of_change(&what))?;
        (context.output)("the API server took it: the operator replays what is left");
        let now = wished.follow(&self.own, &what, Wished::promoted, context).await?;
        let primary = self.own.place.cluster.shown(&now.current, NAME_CHARS);
        Ok(done(expected, &format!("the primary, by its instance {primary}")))
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = self.what(&expected.name);
        let wished = Wished::of(expected).ok_or_else(|| nothing_confirmed(&what))?;
        let (now, other) = futures::join!(self.own.look(), Other::of(&self.from));
        let now = now.map_err(|error| Unread::from(error).not_done(&*what))?;
        let cluster = &self.own.place.cluster;
        match wished.promoted(cluster, &now) {
            Stage::Lost(problem) => return Err(problem.not_done(&*what)),
            Stage::Going(missing) => {
                return Err(Failure::not_done(&*what, missing, super::seen::OPERATOR));
            }
            Stage::There => {}
        }
        let follows =
            follows(cluster, &self.from, &now, &other).map_err(|problem| problem.not_done(&*what))?;
        Ok(Proof { evidence: evidence(cluster, &now).into_iter().chain([follows]).collect() })
    }

    fn hold(&self) -> SignedDuration {
        HOLD
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![
                format!(
                    "see that {} is demoted, or shut for good: two must never take writes",
                    self.from.whole()
                ),
                format!(
                    "take its token, or that of the evidence of its demotion: {}",
                    self.from.shows("{.status.demotionToken}")
                ),
                self.own.in_topology(),
                self.own.command(&change("NAME", Some("TOKEN"))),
            ],
            check: "`kubectl cnpg status` calls it a primary cluster, and its primary takes writes.".into(),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let Ok((_, seen)) = self.read().await else { return Vec::new() };
        let cluster = &self.own.place.cluster;
        let mut checks: Vec<Check> = seen.owners.iter().map(|owner| owner.check(&seen.own.words)).collect();
        if seen.own.role == Role::Primary {
            let next = "Nothing, while it serves. Run preflight again after a failover.";
            checks.push(Check::warn(ALREADY_PRIMARY.0, ALREADY_PRIMARY.1, next));
            return checks;
        }
        // That the other one is still the primary is how it has to be before the night.
        checks.push(match topology(&seen.own).map(|_| seen.own.unfit(cluster)) {
            Ok(None) => Check::pass("it could be promoted", seen.own.phase_words(cluster)),
            Ok(Some(problem)) | Err(problem) => problem.check("it could be promoted"),
        });
        checks.push(match seen.other {
            Other::Is(other, _) => Check::pass("the other cluster can be read", other.words),
            Other::Absent(problem, _) | Other::Lost(problem) | Other::Hidden(problem) => {
                problem.check("the other cluster can be read")
            }
        });
        checks
    }
}

impl Promote {
    fn token(&self, own: &Postgres, other: &Other) -> Result<Option<String>, Problem> {
        let cluster = &self.own.place.cluster;
        match own.unfit(cluster) {
            Some(problem) if own.role == Role::Replica => Err(problem),
            _ => guard::token(cluster, own, other, self.without_token),
        }
    }

    fn identity(&self, own: &Postgres, token: Option<&str>) -> Vec<(String, String)> {
        let cluster = &self.own.place.cluster;
        let shown = |text: &str| cluster.shown(text, NAME_CHARS);
        [
            ("context", cluster.context.to_string()),
            ("uid", shown(&own.object.uid)),
            ("generation", own.object.generation.to_string()),
            ("primary", format!("{} -> {}", shown(own.primary()), shown(own.own()))),
            ("instances", own.wanted.to_string()),
            ("primary instance", shown(&own.current)),
            ("token", token::words(cluster, token.unwrap_or_default())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
