//! One object after the other is sent.

use super::item::{Item, Outcome};
use crate::core::words::action::{Acted, Failure};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Applied, Cluster, KubeErrorKind};
use crate::providers::kube::object::For;
use crate::providers::kube::objects::conflicts_words;
use jiff::SignedDuration;

/// Between two looks whether a new kind is served.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// Sends one object, once, for the object that was read.
///
/// # Errors
/// Also where somebody else was there first.
pub async fn apply(
    cluster: &Cluster,
    item: &Item,
    is_forced: bool,
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    served(cluster, item, what, context).await?;
    let words = item.named.words();
    match item.send(cluster, is_forced, For::Good).await.map(|answer| answer.applied) {
        Ok(Applied::Is { is_new, .. }) if is_new == item.live.is_none() => Ok(()),
        Ok(Applied::Is { .. }) => Err(Failure::maybe_done(
            what,
            format!("{words} was not there, and somebody made it in between: it has these fields now"),
            "Compare it by hand, then attest or confirm the step anew.",
        )),
        Ok(Applied::Conflicts(conflicts)) => Err(Failure::not_done(
            what,
            format!("{words}: {}", conflicts_words(cluster, &conflicts)),
            "Somebody changed it in between: look who, then confirm the step anew.",
        )),
        Err(error) => Err(error.of_change(what)),
    }
}

/// Waits until the API server serves a kind that this step defined.
async fn served(cluster: &Cluster, item: &Item, what: &str, context: &Context) -> Result<(), Failure> {
    if !matches!(item.outcome, Ok(Outcome::Untried(_))) {
        return Ok(());
    }
    let late = |seen: String| {
        let next = "Look at the conditions of its CustomResourceDefinition, then confirm the step anew.";
        Failure::not_done(what, format!("{}: {seen}", item.named.words()), next)
    };
    wait(context, PAUSE, late, || progress(cluster, item)).await
}

async fn progress(cluster: &Cluster, item: &Item) -> Result<Progress<()>, Unseen> {
    match item.named.read(cluster).await {
        Err(error) if error.kind == KubeErrorKind::NoSuchKind => {
            Ok(Progress::Waiting("the API server does not serve its kind yet".to_owned()))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Progress::Reached(())),
    }
}

/// A failure after which some objects are applied.
pub fn half_done(failure: Failure, done: &[String]) -> Failure {
    if done.is_empty() {
        return failure;
    }
    let why = format!("applied: {}; then: {}", done.join(", "), failure.why);
    Failure {
        why,
        next: format!("{} What is applied stays so.", failure.next),
        acted: Acted::Maybe,
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_a_failure_is_said() {
        let failure = || Failure::not_done("apply of a", "a quota is used up", "Free it.");
        assert_eq!(half_done(failure(), &[]), failure());
        let half = half_done(failure(), &["configmap/a".into()]);
        assert_eq!(half.acted, Acted::Maybe);
        assert_eq!(half.why, "applied: configmap/a; then: a quota is used up");
    }
}
