//! How far the operator is with a change of the role, and the wait for its end.

use super::named::Named;
use super::seen::{OPERATOR, PROMOTING, UNRECOVERABLE};
use super::{Postgres, Role, token};
use crate::base::problem::Problem;
use crate::core::words::action::{Done, Failure, Target};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Cluster, KubeErrorKind};
use jiff::SignedDuration;

/// Between two looks.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
const NAME_CHARS: usize = 120;

/// How far it is.
#[derive(PartialEq, Eq, Debug)]
pub enum Stage {
    There,
    /// What is missing, in words.
    Going(String),
    /// It will not come about by waiting.
    Lost(Problem),
}

/// What has to come about, as it was confirmed.
pub struct Wished {
    /// Who is to be the primary.
    primary: String,
    /// The token, in short: of a demotion the one of before, of a promotion the one that is used.
    token: String,
    uid: String,
}

impl Wished {
    /// As the target's identity keeps it; none where nothing of it was confirmed.
    pub fn of(expected: &Target) -> Option<Self> {
        Some(Self {
            primary: expected.property("primary")?.rsplit_once(" -> ")?.1.to_owned(),
            token: expected.property("token")?.to_owned(),
            uid: expected.property("uid").filter(|uid| !uid.is_empty())?.to_owned(),
        })
    }

    /// What both changes have in common: it is the confirmed one, its spec says so, and its operator goes on.
    fn lost(&self, cluster: &Cluster, now: &Postgres) -> Option<Problem> {
        let name = &now.words;
        if now.object.uid != self.uid {
            let why = format!("{name} is not the one that was confirmed");
            return Some(Problem::new(why, "Find out who made it anew."));
        }
        if now.is_going {
            let why = format!("{name} is being deleted");
            return Some(Problem::new(why, "Find out who deleted it: it and its data are about to be gone."));
        }
        let primary = cluster.shown(now.primary(), NAME_CHARS);
        if primary != self.primary {
            let why = format!("spec.replica.primary of {name} is {primary:?}, not {:?}", self.primary);
            let next =
                "Somebody set it back: the notes of the step say who decides over it. Suspend that first.";
            return Some(Problem::new(why, next));
        }
        (now.phase == UNRECOVERABLE).then(|| {
            let why = format!("CloudNativePG does not go on with {name}: {}", now.phase_words(cluster));
            Problem::new(
                why,
                "Look at the operator's log. Where it is about the token: take the one of the last demotion.",
            )
        })
    }

    /// Whether a primary is demoted: a new token is there, and nobody of it is a primary.
    pub fn demoted(&self, cluster: &Cluster, now: &Postgres) -> Stage {
        if let Some(problem) = self.lost(cluster, now) {
            return Stage::Lost(problem);
        }
        let going = |what: String| Stage::Going(format!("{what}; {}", now.phase_words(cluster)));
        if now.role == Role::Primary {
            return going(format!("{} is still to be a primary", now.words));
        }
        if let Some(writer) = now.writer() {
            return going(format!("{} is still a primary", cluster.shown(writer, NAME_CHARS)));
        }
        let found = token::words(cluster, &now.demotion_token);
        if found == token::NONE || found == self.token {
            return going(format!("no demotion token that is newer than {}", self.token));
        }
        match now.is_demoting {
            true => going("the demotion is not at its end".to_owned()),
            false => Stage::There,
        }
    }

    /// Whether a replica is promoted: its token was taken, and its primary is one and ready.
    pub fn promoted(&self, cluster: &Cluster, now: &Postgres) -> Stage {
        if let Some(problem) = self.lost(cluster, now) {
            return Stage::Lost(problem);
        }
        let asked = now.topology.as_ref().map_or("", |topology| &topology.promotion_token);
        let asked = token::words(cluster, asked);
        if asked != self.token {
            let why = format!("the promotion token of {} is {asked}, not {}", now.words, self.token);
            return Stage::Lost(Problem::new(why, "Find out who changed it."));
        }
        let going = |what: String| Stage::Going(format!("{what}; {}", now.phase_words(cluster)));
        if now.role == Role::Replica {
            return going(format!("{} is still to be a replica", now.words));
        }
        if self.token != token::NONE && token::words(cluster, &now.last_promotion_token) != self.token {
            return going("the token is not verified: it is not replayed that far".to_owned());
        }
        let primary = cluster.shown(&now.current, NAME_CHARS);
        if now.is_switching() || !now.is_writable() {
            return going(format!("{primary:?} is not known to be out of recovery"));
        }
        if let Some((one, other)) = now.split() {
            let [one, other] = [one, other].map(|name| cluster.shown(name, NAME_CHARS));
            return going(format!("{one} and {other} both say that they are primaries"));
        }
        match now.phase == PROMOTING || !now.is_ready(&now.current) {
            true => going(format!("{primary} is a primary and not ready")),
            false => Stage::There,
        }
    }

    /// Waits for it.
    ///
    /// # Errors
    /// When the time is over, or it is lost.
    pub async fn follow(
        &self,
        named: &Named,
        what: &str,
        stage: fn(&Self, &Cluster, &Postgres) -> Stage,
        context: &Context,
    ) -> Result<Postgres, Failure> {
        let late = |seen: String| {
            let why = format!("the API server took it, and CloudNativePG is not through: {seen}");
            Failure::maybe_done(what, why, OPERATOR)
        };
        let lost = |problem: Problem| Progress::Lost(Failure::maybe_done(what, problem.why, problem.next));
        let look = || async {
            let now = match named.look().await {
                Ok(now) => now,
                Err(error) if error.kind == KubeErrorKind::NotFound => {
                    let next = "It was changed, and somebody deleted it since: find out who.";
                    return Ok(lost(Problem::new(error.to_string(), next)));
                }
                Err(error) => return Err(Unseen::from(error)),
            };
            Ok(match stage(self, &named.place.cluster, &now) {
                Stage::There => Progress::Reached(now),
                Stage::Going(missing) => Progress::Waiting(missing),
                Stage::Lost(problem) => lost(problem),
            })
        };
        wait(context, PAUSE, late, look).await
    }
}

/// What a step says once it is through.
pub fn done(expected: &Target, how: &str) -> Done {
    Done { summary: format!("{}: {how}", expected.name) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dr, is, promoted, replica, token};
    use super::*;
    use serde_json::{Value, json};

    fn wished(primary: &str, token: &str) -> Wished {
        let token = token::words(&dr(), token);
        Wished { primary: primary.into(), token, uid: "u-db".into() }
    }

    fn going(stage: Stage, words: &str) {
        let Stage::Going(missing) = stage else { panic!("{stage:?} where {words:?} is missing") };
        assert!(missing.contains(words), "{missing}");
    }

    fn lost(stage: Stage, words: &str) {
        let Stage::Lost(problem) = stage else { panic!("{stage:?} where {words:?} was to be said") };
        assert!(problem.why.contains(words), "{problem}");
    }

    #[test]
    fn a_demotion_counts_once_a_new_token_is_there_and_nobody_is_a_primary() {
        let (old, new) = (token(1, "0/3000028"), token(3, "0/6000028"));
        let stage = |change: &dyn Fn(&mut Value)| {
            let mut value = replica();
            value["status"]["demotionToken"] = json!(new);
            change(&mut value);
            wished("east", &old).demoted(&dr(), &is(value))
        };
        assert_eq!(stage(&|_| {}), Stage::There);
        going(
            stage(&|value| value["status"]["demotionToken"] = json!(old)),
            "no demotion token that is newer",
        );
        going(stage(&|value| value["status"]["demotionToken"] = Value::Null), "no demotion token");
        let reported = &["status", "instancesReportedState", "db-1", "isPrimary"];
        let writes = |value: &mut Value| {
            *value.pointer_mut(&format!("/{}", reported.join("/"))).unwrap() = json!(true)
        };
        going(stage(&writes), "db-1 is still a primary");
        let under_way =
            |value: &mut Value| value["status"]["switchReplicaClusterStatus"] = json!({"inProgress": true});
        going(stage(&under_way), "not at its end");
        lost(
            stage(&|value| value["spec"]["replica"]["primary"] = json!("west")),
            "is \"west\", not \"east\"",
        );
        lost(stage(&|value| value["metadata"]["uid"] = json!("u-other")), "not the one that was confirmed");
        lost(stage(&|value| value["status"]["phase"] = json!(UNRECOVERABLE)), "does not go on");
    }

    #[test]
    fn a_promotion_counts_once_its_token_was_taken_and_the_primary_is_one() {
        let used = token(3, "0/6000028");
        let stage = |change: &dyn Fn(&mut Value)| {
            let mut value = promoted(&used);
            change(&mut value);
            wished("west", &used).promoted(&dr(), &is(value))
        };
        assert_eq!(stage(&|_| {}), Stage::There);
        going(stage(&|value| value["status"]["lastPromotionToken"] = Value::Null), "not verified");
        let report =
            |value: &mut Value| value["status"]["instancesReportedState"]["db-1"]["isPrimary"] = json!(false);
        going(stage(&report), "not known to be out of recovery");
        going(stage(&|value| value["status"]["instancesReportedState"] = Value::Null), "not known");
        going(stage(&|value| value["status"]["instancesStatus"] = Value::Null), "not ready");
        let split =
            |value: &mut Value| value["status"]["instancesReportedState"]["db-2"]["isPrimary"] = json!(true);
        going(stage(&split), "db-1 and db-2 both say");
        let deleted =
            |value: &mut Value| value["metadata"]["deletionTimestamp"] = json!("2026-11-30T12:00:00Z");
        lost(stage(&deleted), "is being deleted");
        going(stage(&|value| value["status"]["phase"] = json!(PROMOTING)), "not ready");
        let refused = |value: &mut Value| {
            value["status"]["phase"] = json!(UNRECOVERABLE);
            value["status"]["phaseReason"] =
                json!("Promotion token content is not correct for current instance");
        };
        lost(stage(&refused), "Promotion token content is not correct");
        lost(stage(&|value| value["spec"]["replica"]["promotionToken"] = json!("x")), "is unreadable");
        lost(stage(&|value| value["spec"]["replica"]["primary"] = json!("east")), "not \"west\"");
    }

    #[test]
    fn without_a_token_the_primary_itself_has_to_be_one() {
        let mut value = promoted("");
        assert_eq!(wished("west", "").promoted(&dr(), &is(value.clone())), Stage::There);
        value["status"]["instancesReportedState"]["db-1"]["isPrimary"] = json!(false);
        going(wished("west", "").promoted(&dr(), &is(value)), "not known to be out of recovery");
    }
}
