//! The way from an accepted change to an instance that has it, and the proof.

use super::diff::{self, Line};
use super::{Modify, status};
use crate::core::words::action::{Failure, Proof, Target};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, wait};
use crate::providers::aws::rds::restore::database::{is_lost, is_usable};
use crate::providers::aws::rds::target;
use aws_sdk_rds::types::DbInstance;
use jiff::SignedDuration;

const EVERY: SignedDuration = SignedDuration::from_secs(10);

impl Modify {
    /// Waits until the instance has it, or until AWS has noted it.
    pub(super) async fn until_there(&self, context: &Context) -> Result<(), Failure> {
        let what = self.subject();
        let reader = self.place.reader().await;
        let late = |seen: String| {
            let next = "It goes on by itself. Verify the step until it is there; do not change it again before that.";
            Failure::maybe_done(&what, format!("it is not there yet: {seen}"), next)
        };
        wait(context, EVERY, late, async || {
            Ok(match target::instance(&reader, &self.instance).await? {
                None => Progress::Waiting("it is not listed".into()),
                Some(instance) => match self.left(&instance) {
                    None => Progress::Reached(()),
                    Some(_) if is_stuck(&instance) => Progress::Lost(self.lost(&instance)),
                    Some(left) => Progress::Waiting(left),
                },
            })
        })
        .await
    }

    /// What is not there yet; none when all is.
    fn left(&self, instance: &DbInstance) -> Option<String> {
        let missing = |line: &Line| !line.holds() && (self.immediately || !line.is_pending());
        let lines = diff::lines(&self.wishes, instance);
        let mut left: Vec<String> = lines.iter().filter(|line| missing(line)).map(Line::words).collect();
        let status = status(instance);
        if self.immediately && !is_usable(&status) {
            left.push("not available".into());
        }
        (!left.is_empty()).then(|| format!("{} is {status}: {}", self.instance, left.join(", ")))
    }

    fn lost(&self, instance: &DbInstance) -> Failure {
        Failure::maybe_done(
            self.subject(),
            format!("it is {}: that does not pass by waiting", status(instance)),
            "Read its events (`aws rds describe-events`), correct the cause, then verify or run the step again.",
        )
    }

    /// The proof that the instance has it.
    pub(super) async fn proof(&self, expected: &Target) -> Result<Proof, Failure> {
        let what = self.subject();
        let found = self.inspect().await.map_err(|error| error.not_done(&what))?;
        let (target, instance) = found.ok_or_else(|| {
            Failure::not_done(
                &what,
                self.missing(),
                "Find out who deleted or renamed it, and look for its snapshots.",
            )
        })?;
        let resource = |target: &Target| target.property("resource id").map(str::to_owned);
        if expected.reachable && resource(expected) != resource(&target) {
            return Err(Failure::not_done(
                &what,
                "another instance has this name now",
                "Find out who replaced it, then confirm the step again.",
            ));
        }
        if let Some(left) = self.left(&instance) {
            return Err(match is_stuck(&instance) {
                true => self.lost(&instance),
                false if is_usable(&status(&instance)) && diff::pending(&instance).is_empty() => {
                    Failure::not_done(
                        &what,
                        format!("it was not done: {left}"),
                        "Look once more in a minute, then run the step again.",
                    )
                }
                false => Failure::maybe_done(&what, left, "It goes on by itself: verify again."),
            });
        }
        let lines = diff::lines(&self.wishes, &instance);
        let was_so = |line: &Line| expected.property(line.name) == Some(&*line.wanted) && line.holds();
        if !expected.reachable || lines.iter().all(was_so) {
            return Err(Failure::not_done(
                &what,
                "it had all of it before the step, or could not be read then: that it has it proves nothing",
                "Find out who changed it, then attest the step or skip it.",
            ));
        }
        let mut evidence: Vec<String> = lines.iter().map(|line| evidence(line, expected)).collect();
        evidence.push(format!("{} is {}", self.instance, status(&instance)));
        Ok(Proof { evidence })
    }
}

/// A full storage is what a change of its size mends.
fn is_stuck(instance: &DbInstance) -> bool {
    let status = status(instance);
    is_lost(&status) && status != "storage-full"
}

fn evidence(line: &Line, expected: &Target) -> String {
    let before = expected.property(line.name).map_or(String::new(), |before| format!(", was {before}"));
    match line.holds() {
        true => format!("{} is {}{before}", line.name, line.now),
        false => format!("{} {} is noted for the maintenance window{before}", line.name, line.wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_storage_is_not_the_end_of_the_change_that_mends_it() {
        let stuck = |status: &str| is_stuck(&DbInstance::builder().db_instance_status(status).build());
        assert!(!stuck("storage-full") && !stuck("modifying") && !stuck("storage-optimization"));
        assert!(stuck("incompatible-parameters") && stuck("failed") && stuck("deleting"));
    }
}
