//! What a promotion costs, shows and leaves behind.

use super::named::Named;
use super::other::Other;
use super::shut::{self, Pods};
use super::{Postgres, Role, guard, token};
use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::providers::kube::client::Cluster;

const NAME_CHARS: usize = 120;

/// What a promotion without a token costs, and what nobody knows.
pub fn losses(from: &Named, other: &Other) -> Vec<String> {
    let from = from.whole();
    let state = match other {
        Other::Lost(problem) | Other::Hidden(problem) => format!(
            "WHETHER {from} STILL TAKES WRITES IS NOT KNOWN: {} Make sure that it is dead or cut off.",
            ended(&problem.why)
        ),
        Other::Absent(..) => {
            format!("Its API server has no {from}, and no other primary of this database. Compare the name.")
        }
        Other::Is(..) => format!(
            "{from} takes no writes now, and gives no token. So says its API server: of a node that is cut off it knows \
             nothing."
        ),
    };
    vec![
        "WITHOUT A TOKEN: what was not shipped from the old primary is LOST; how much is not known here."
            .into(),
        state,
        format!(
            "{from} has to be REBUILT as a replica, and must never come back as a primary: keep it shut."
        ),
    ]
}

/// What shows that it is the primary.
pub fn evidence(cluster: &Cluster, now: &Postgres) -> Vec<String> {
    let shown = |text: &str| cluster.shown(text, NAME_CHARS);
    let timeline = now.timeline().map_or("not told".to_owned(), |timeline| timeline.to_string());
    let verified = (!now.last_promotion_token.is_empty())
        .then(|| format!("the token was verified: {}", token::words(cluster, &now.last_promotion_token)));
    let serves = format!(
        "{}: spec.replica.primary is {}, {} is out of recovery and ready, timeline {timeline}; {}",
        now.words,
        shown(now.primary()),
        shown(&now.current),
        now.phase_words(cluster)
    );
    [serves].into_iter().chain(verified).collect()
}

/// Whether the other one follows, as far as anybody tells.
///
/// # Errors
/// Where it is a primary as well.
pub fn follows(cluster: &Cluster, from: &Named, now: &Postgres, other: &Other) -> Result<String, Problem> {
    let from = from.whole();
    let other = match other {
        Other::Is(other, pods) => {
            second(cluster, now, other, pods)?;
            other
        }
        Other::Absent(problem, neighbours) => {
            if let Some(writer) = guard::writer(cluster, now, neighbours) {
                return Err(two(now, &writer.why));
            }
            return Ok(format!("{from} is NOT there, and cannot be seen to follow: {}", problem.why));
        }
        Other::Lost(problem) | Other::Hidden(problem) => {
            return Ok(format!("whether {from} takes writes or follows is NOT known: {}", problem.why));
        }
    };
    let phase = other.phase_words(cluster);
    Ok(match (now.timeline(), other.timeline()) {
        (Some(own), Some(its)) if own == its && other.primary() == now.own() => {
            format!("{from} follows on timeline {its}: {phase}")
        }
        (_, its) => {
            let its = its.map_or("not told".to_owned(), |its| its.to_string());
            format!("whether {from} follows is NOT to be seen yet: its timeline is {its}, {phase}")
        }
    })
}

/// That the other one is no primary as well. A token that was verified shows that it was shut down before; without one its
/// instances have to say that they are in recovery.
fn second(cluster: &Cluster, now: &Postgres, other: &Postgres, pods: &Pods) -> Result<(), Problem> {
    if other.object.uid == now.object.uid {
        return Ok(());
    }
    let writer = other.writer().map(|writer| cluster.shown(writer, NAME_CHARS));
    let who = writer.or((other.role == Role::Primary).then(|| "its spec".to_owned()));
    let doubt = match who {
        Some(who) if !other.is_shut() => {
            return Err(two(now, &format!("{} is one too, by the word of {who}", other.words)));
        }
        Some(_) => shut::runs(cluster, other, pods),
        None if now.topology.as_ref().is_none_or(|place| place.promotion_token.is_empty()) => {
            shut::writes(cluster, other, pods)
        }
        None => None,
    };
    match (doubt, pods) {
        (Some(problem), Ok(_)) => Err(two(now, &problem.why)),
        (Some(problem), Err(_)) => Err(problem),
        (None, _) => Ok(()),
    }
}

fn two(now: &Postgres, second: &str) -> Problem {
    let why = format!("TWO PRIMARIES: {} is one now, and {second}", now.words);
    let next = "Keep people from writing to one of the two at once (`kubectl cnpg fencing on`), then find out which one has \
                what they need.";
    Problem::new(why, next)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{demoted, dr, is, primary, promoted, token as made};
    use super::*;
    use crate::providers::kube::workload::Pod;
    use serde_json::{Value, json};

    fn pods(names: &[&str]) -> Pods {
        let conditions = json!([{"type": "Ready", "status": "True"}]);
        let pod =
            |name: &&str| Pod::of(&json!({"metadata": {"name": name}, "status": {"conditions": conditions}}));
        Ok(names.iter().map(pod).collect())
    }

    fn judged(token: &str, other: Value, pods: &Pods) -> String {
        let refused = second(&dr(), &is(promoted(token)), &is(other), pods).err();
        refused.map(|problem| problem.why).unwrap_or_default()
    }

    #[test]
    fn a_primary_that_is_only_wished_to_be_shut_is_a_second_one() {
        let mut east = primary();
        east["status"]["readyInstances"] = json!(0);
        east["metadata"]["annotations"]["cnpg.io/hibernation"] = json!("on");
        let why = judged("", east.clone(), &pods(&["db-1"]));
        assert!(why.starts_with("TWO PRIMARIES") && why.contains("db-1 is ready"), "{why}");
        assert_eq!(judged("", east.clone(), &pods(&[])), "");
        let untold = Err(Problem::new("forbidden", "y"));
        assert!(judged("", east, &untold).contains("cannot be seen: forbidden"));
        assert!(judged("", primary(), &pods(&[])).starts_with("TWO PRIMARIES"));
    }

    #[test]
    fn one_that_says_nothing_of_itself_counts_as_a_primary_unless_its_token_was_verified() {
        let token = made(3, "0/6000028");
        let mut east = demoted(&token);
        east["status"]["instancesReportedState"] = Value::Null;
        let why = judged("", east.clone(), &pods(&["db-1", "db-2"]));
        assert!(why.contains("db-1 is ready and does not say that it is in recovery"), "{why}");
        assert_eq!(judged(&token, east, &pods(&["db-1"])), "");
        assert_eq!(judged("", demoted(""), &pods(&["db-1", "db-2"])), "");
    }
}
