//! The way from an accepted snapshot to one that is available, and the proof.

use super::TakeSnapshot;
use crate::core::words::action::{Done, Failure, Proof};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, wait};
use crate::providers::aws::client::Connection;
use crate::providers::aws::rds::restore::marks;
use crate::providers::aws::rds::restore_snapshot::snapshot::{Snapshot, named};
use jiff::SignedDuration;

const EVERY: SignedDuration = SignedDuration::from_secs(5);

impl TakeSnapshot {
    /// Waits until it is available.
    pub(super) async fn until_available(
        &self,
        reader: &Connection,
        id: &str,
        context: &Context,
    ) -> Result<Done, Failure> {
        let what = self.subject();
        let late = |seen: String| {
            let next = "Verify the step until it is available; take no other one before that.";
            Failure::maybe_done(&what, format!("it is not done yet, and goes on by itself: {seen}"), next)
        };
        wait(context, EVERY, late, async || {
            Ok(match named(reader, self.sort, id).await? {
                Some(snapshot) if snapshot.status == "available" => {
                    Progress::Reached(Done { summary: format!("the snapshot {id} is available") })
                }
                Some(snapshot) if snapshot.status == "failed" => Progress::Lost(failed(&what, id)),
                Some(snapshot) => Progress::Waiting(progress(&snapshot)),
                None => Progress::Waiting(format!("{id} is not listed yet")),
            })
        })
        .await
    }

    /// The proof that this attempt took it and that it is available.
    pub(super) async fn proof(&self, context: &Context) -> Result<Proof, Failure> {
        let (what, id) = (self.subject(), self.name(&context.token));
        let reader = self.place.reader().await;
        let found = named(&reader, self.sort, &id).await.map_err(|error| error.not_done(&what))?;
        let snapshot = found.ok_or_else(|| {
            let next = "Look once more in a minute; then the step can be run again.";
            Failure::not_done(&what, format!("there is no snapshot {id}: it was not taken"), next)
        })?;
        if !marks::made_by(&snapshot.tags, &context.token) {
            let why = format!("{id} is not of this attempt: it is of {}", snapshot.of);
            return Err(Failure::not_done(
                &what,
                why,
                "Find out who took it. Attest the step if it is what you want.",
            ));
        }
        match &*snapshot.status {
            "available" => Ok(Proof {
                evidence: vec![
                    format!("{id} was made by this attempt (tag lifeboat:token), of {}", snapshot.of),
                    format!("{id} is available: {}", snapshot.arn),
                ],
            }),
            "failed" => Err(failed(&what, &id)),
            _ => Err(Failure::maybe_done(&what, progress(&snapshot), "It goes on by itself: verify again.")),
        }
    }
}

fn progress(snapshot: &Snapshot) -> String {
    let percent = snapshot.percent.map_or(String::new(), |percent| format!(", {percent} %"));
    format!("{} is {}{percent}", snapshot.id, snapshot.status)
}

fn failed(what: &str, id: &str) -> Failure {
    let next = "Read its events (`aws rds describe-events`), delete it, then run the step again.";
    Failure::maybe_done(what, format!("the snapshot {id} failed"), next)
}
