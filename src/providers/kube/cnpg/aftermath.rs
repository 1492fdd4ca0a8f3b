//! What a promotion costs, shows and leaves behind.

use super::named::Named;
use super::other::Other;
use super::{Postgres, Role, token};
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
        Other::Absent(_) => format!("{from} is not there any more."),
        Other::Is(_) => format!("{from} takes no writes now, and gives no token."),
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
        Other::Is(other) => other,
        Other::Absent(problem) | Other::Lost(problem) | Other::Hidden(problem) => {
            return Ok(format!("whether {from} takes writes or follows is NOT known: {}", problem.why));
        }
    };
    if other.object.uid != now.object.uid && !other.is_shut() {
        let writer = other.writer().map(|writer| cluster.shown(writer, NAME_CHARS));
        if let Some(who) = writer.or((other.role == Role::Primary).then(|| from.clone())) {
            let why =
                format!("TWO PRIMARIES: {} is one now, and {who} of {} is one too", now.words, other.words);
            let next = "Keep people from writing to one of the two at once (`kubectl cnpg fencing on`), then find \
                        out which one has what they need.";
            return Err(Problem::new(why, next));
        }
    }
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
