//! What keeps a role from being changed: never do two clusters of one database take writes.

use super::other::Other;
use super::seen::Topology;
use super::shut;
use super::token::Token;
use super::{Postgres, Role};
use crate::base::problem::Problem;
use crate::kinds::action::ALREADY_PRIMARY;
use crate::providers::kube::client::Cluster;

const NAME_CHARS: usize = 120;
/// What to do where it is so already.
const ALREADY: &str =
    "Verify the step where an attempt of it did that. Else see who did, and attest or skip the step.";

/// Its place in its topology.
///
/// # Errors
/// Where it has none, and a change of its role would be for good.
pub fn topology(of: &Postgres) -> Result<&Topology, Problem> {
    of.topology.as_ref().ok_or_else(|| {
        let why = format!(
            "{} is in no distributed topology: its spec.replica names no primary, or has `enabled`",
            of.words
        );
        Problem::new(
            why,
            "Set `primary`, `source` and `self` of spec.replica on both sides, without `enabled`.",
        )
    })
}

/// Who takes over from a primary that is to be demoted: a replica of it that goes with it.
///
/// # Errors
/// Where there is none that could.
pub fn successor<'o>(cluster: &Cluster, own: &Postgres, other: &'o Other) -> Result<&'o Postgres, Problem> {
    let shown = |text: &str| cluster.shown(text, NAME_CHARS);
    let place = topology(own)?;
    if own.role == Role::Replica {
        let token = super::token::words(cluster, &own.demotion_token);
        let why = format!(
            "{} is a replica of {} already, its demotion token: {token}",
            own.words,
            shown(&place.primary)
        );
        return Err(Problem::new(why, ALREADY));
    }
    let other = match other {
        Other::Is(other, _) => &**other,
        Other::Absent(problem, _) | Other::Lost(problem) | Other::Hidden(problem) => {
            let why = format!("who takes over from {} cannot be read: {}", own.words, problem.why);
            return Err(Problem::new(why, problem.next.clone()));
        }
    };
    same_database(own, other)?;
    let its = topology(other)?;
    let refused = |why: String, next: &str| Err(Problem::new(why, next));
    if other.role == Role::Primary {
        let next = "One of the two has to be rebuilt: find out which one people write to, and keep the other one shut.";
        return refused(format!("{} is a primary as well, and so is {}", other.words, own.words), next);
    }
    if its.primary != place.own {
        let why =
            format!("{} is a replica of {}, not of {}", other.words, shown(&its.primary), shown(&place.own));
        return refused(why, "Compare `to` with the topology: `spec.replica` of both.");
    }
    if !place.known.contains(&its.own) {
        let why =
            format!("{} does not know {}: it is not among its externalClusters", own.words, shown(&its.own));
        return refused(why, "Add it to `externalClusters`, so that the demoted one can follow it.");
    }
    for one in [own, other] {
        if let Some(problem) = one.unfit(cluster) {
            return Err(problem);
        }
        if one.phase != super::seen::HEALTHY {
            let why = format!("{} is not healthy: {}", one.words, one.phase_words(cluster));
            return refused(why, "A planned change waits until both are: confirm the step again then.");
        }
    }
    follows(own, other)?;
    match own.archiving() {
        Some((false, said)) => refused(
            format!("{} cannot archive, and its demotion would not end: {}", own.words, shown(&said)),
            "Mend its archive first.",
        ),
        _ => Ok(other),
    }
}

/// Whether a replica went over to the timeline of its primary: all that the status tells of its following.
fn follows(primary: &Postgres, replica: &Postgres) -> Result<(), Problem> {
    match (primary.timeline(), replica.timeline()) {
        (Some(own), Some(its)) if own == its => Ok(()),
        (Some(own), Some(its)) => Err(Problem::new(
            format!(
                "{} is on timeline {its}, and {} on {own}: it does not follow",
                replica.words, primary.words
            ),
            "Where the primary changed just now, wait for the replica's next checkpoint. Else rebuild the replica.",
        )),
        (None, _) => Err(untold(primary)),
        (_, None) => Err(untold(replica)),
    }
}

fn untold(of: &Postgres) -> Problem {
    let why = format!("the instances of {} do not tell their timeline", of.words);
    Problem::new(why, super::seen::OPERATOR)
}

fn same_database(own: &Postgres, other: &Postgres) -> Result<(), Problem> {
    if own.object.uid == other.object.uid {
        let why = format!("{} is named as the other cluster of itself", own.words);
        return Err(Problem::new(why, "Correct the name or the context of the other one in the plan."));
    }
    match own.system != other.system && !own.system.is_empty() && !other.system.is_empty() {
        true => Err(Problem::new(
            format!(
                "{} and {} are no copies of one database: their system ids differ",
                own.words, other.words
            ),
            "Correct the plan, or rebuild the replica.",
        )),
        false => Ok(()),
    }
}

/// The token with which a replica is promoted; none where the plan does without one and nobody has one.
///
/// # Errors
/// Where two would take writes, or nobody knows whether they would and the plan does not take that.
pub fn token(
    cluster: &Cluster,
    own: &Postgres,
    other: &Other,
    without_token: bool,
) -> Result<Option<String>, Problem> {
    let place = topology(own)?;
    if own.role == Role::Primary {
        let why = format!("{}: {}", ALREADY_PRIMARY.1, own.phase_words(cluster));
        return Err(Problem::new(why, ALREADY));
    }
    let (other, pods) = match other {
        Other::Is(other, pods) => (&**other, pods),
        Other::Absent(_, neighbours) if let Some(writer) = writer(cluster, own, neighbours) => {
            return Err(writer);
        }
        Other::Absent(..) | Other::Lost(_) if without_token => return Ok(None),
        Other::Absent(problem, _) | Other::Lost(problem) => {
            let why = format!("the other cluster gives no token: {}", problem.why);
            let next = "Where it is lost, `without_token = true` promotes without one: what it did not ship is lost, \
                        and it has to be rebuilt. Where `cnpg-demote` ran, its evidence has the token: promote by hand.";
            return Err(Problem::new(why, next));
        }
        Other::Hidden(problem) => {
            let why = format!("the other cluster may run, and lifeboat does not see it: {}", problem.why);
            return Err(Problem::new(why, problem.next.clone()));
        }
    };
    same_database(own, other)?;
    if without_token && other.is_shut() && other.own() == place.primary {
        return shut::runs(cluster, other, pods).map_or(Ok(None), Err);
    }
    demoted(cluster, place, other)?;
    if other.demotion_token.is_empty() && without_token {
        return shut::writes(cluster, other, pods).map_or(Ok(None), Err);
    }
    usable(cluster, own, other)?;
    Ok(Some(other.demotion_token.clone()))
}

/// Another copy of the database that is the primary, where the one that the plan names is not there: a wrong name, or a wrong
/// namespace, is no loss of the primary.
pub fn writer(cluster: &Cluster, own: &Postgres, neighbours: &[Postgres]) -> Option<Problem> {
    let is_primary = |one: &&Postgres| {
        let is_named = one.own() == own.primary() && !one.own().is_empty();
        let is_copy = match one.system.is_empty() || own.system.is_empty() {
            true => is_named,
            false => one.system == own.system,
        };
        let is_other = one.object.uid != own.object.uid;
        is_other && is_copy && (is_named || one.role == Role::Primary || one.writer().is_some())
    };
    let one = neighbours.iter().find(is_primary)?;
    let called = cluster.shown(one.own(), NAME_CHARS);
    let why = format!(
        "the one that the plan names is not there, and {} ({called:?} in the topology) is a primary of this database",
        one.words
    );
    let next = "Correct `from` and `from_namespace` in the plan: the cluster that was the primary.";
    Some(Problem::new(why, next))
}

/// Whether the other cluster takes no writes any more, and follows this one once it is promoted.
fn demoted(cluster: &Cluster, place: &Topology, other: &Postgres) -> Result<(), Problem> {
    let shown = |text: &str| cluster.shown(text, NAME_CHARS);
    let refused = |why: String, next: &str| Err(Problem::new(why, next));
    let its = topology(other)?;
    if other.role == Role::Primary {
        let next = "Demote it first (`cnpg-demote`). Where that cannot be, shut it (`kubectl cnpg fencing on`, all instances) \
                    and promote with `without_token = true`.";
        return refused(format!("{} is still the primary: two would take writes", other.words), next);
    }
    if its.own != place.primary {
        let why =
            format!("its primary is {}, and {} is {}", shown(&place.primary), other.words, shown(&its.own));
        return refused(why, "Correct `from` in the plan: the cluster that was the primary.");
    }
    if its.primary != place.own {
        let why =
            format!("{} was demoted for {}, not for {}", other.words, shown(&its.primary), shown(&place.own));
        return refused(why, "Promote that one, or find out who demoted it.");
    }
    let wait = "Wait for its end, then confirm the step again. `kubectl describe` of it tells more.";
    if let Some(writer) = other.writer() {
        let why = format!("{} is demoted, and {} still takes writes", other.words, shown(writer));
        return refused(why, wait);
    }
    match other.is_demoting {
        true => refused(format!("the demotion of {} is not at its end", other.words), wait),
        false => Ok(()),
    }
}

/// Whether its token is one that the operator would take, by the operator's own rules.
fn usable(cluster: &Cluster, own: &Postgres, other: &Postgres) -> Result<(), Problem> {
    let words = super::token::words(cluster, &other.demotion_token);
    let refused = |why: String, next: &str| Err(Problem::new(why, next));
    if other.demotion_token.is_empty() {
        let next = "Look at the operator's log there. Without a token only a failover is left (`without_token = true`).";
        return refused(format!("{} is demoted and has no demotion token", other.words), next);
    }
    let stale =
        "It is of an earlier demotion: wait until the operator there wrote a new one, and look at its log.";
    let Some(token) = Token::of(&other.demotion_token) else {
        return refused(
            format!("the demotion token of {} is none that can be read ({words})", other.words),
            stale,
        );
    };
    if !own.system.is_empty() && token.system != own.system {
        return refused(
            format!("the demotion token of {} is of another database ({words})", other.words),
            stale,
        );
    }
    for one in [own, other] {
        if let (Some(then), Some(now)) = (token.timeline(), one.timeline())
            && then < now
        {
            let why = format!(
                "the demotion token of {} is too old ({words}): {} is on timeline {now}",
                other.words, one.words
            );
            return refused(why, stale);
        }
    }
    if own.topology.as_ref().is_some_and(|place| place.is_delayed) {
        let why = format!("{} replays later on purpose (minApplyDelay): no token is taken then", own.words);
        return refused(
            why,
            "Take `minApplyDelay` out of its spec.replica, and wait until it has caught up.",
        );
    }
    match own.last_promotion_token == other.demotion_token {
        true => refused(format!("the demotion token of {} was used already ({words})", other.words), stale),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
