//! Whether what a step made of a server stays so: while it has to hold, and until its incident is closed.

use super::runner::Job;
use crate::base::units;
use crate::core::ask::watch::{Found, is_watched};
use crate::core::words::action::{Acted, Failure, Proof, Target};
use crate::core::words::command::Report;
use crate::kinds::action::{Action, Context};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Pause between two looks while an effect has to hold.
const HOLD_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// Pause between two looks at what was verified.
const WATCH_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How long a server may be out of sight before that is said.
const OUT_OF_SIGHT: SignedDuration = SignedDuration::from_secs(15);
/// How long an effect may not be proven before it is lost.
const LOST: SignedDuration = SignedDuration::from_secs(3);
/// How often the time that passed is written to the step's output.
const SAY_EVERY_S: i64 = 5;

/// Waits until an effect has held for as long as its action wants; nothing to do for most actions.
pub(super) async fn hold(job: &Job, attempt: u32, proof: Proof) -> Result<Proof, Failure> {
    let Ok(action) = job.action() else { return Ok(proof) };
    let hold = action.hold();
    let Some(expected) = job.confirmed_target().filter(|_| hold.is_positive()) else { return Ok(proof) };
    let context = job.context(hold, attempt);
    let proven_at = job.clock.now();
    let Some(found) = first_look(job, &action, &expected, proven_at).await else {
        return by_proof(job, attempt, hold).await;
    };
    let holds = Holds { job, target: &expected, found, hold, proven_at };
    holds.begin(attempt, &proof);
    holds.wait(&action, &context).await?;
    let mut proof = proof;
    proof.evidence.push(format!("it held for {}", units::duration(hold)));
    Ok(proof)
}

/// Of a target that nobody watches: its effect is proven again and again, for as long as it has to hold.
async fn by_proof(job: &Job, attempt: u32, hold: SignedDuration) -> Result<Proof, Failure> {
    let (clock, since) = (&job.clock, job.clock.now());
    let (mut unproven, mut said) = (None, 0);
    loop {
        clock.sleep(HOLD_PAUSE).await;
        let again = super::runner::look(job, attempt, false, OUT_OF_SIGHT).await;
        let now = clock.now();
        let mut proof = match again {
            Err(failure) => {
                // One look may fail by itself.
                if now.duration_since(*unproven.get_or_insert(now)) >= LOST {
                    let after = now.duration_since(since).as_secs();
                    let why = format!("it was proven, and no more {after} s later: {}", failure.why);
                    return Err(Failure { why, ..failure });
                }
                continue;
            }
            Ok(again) => again,
        };
        unproven = None;
        let held = now.duration_since(since);
        if held >= hold {
            proof.evidence.push(format!("it held for {}", units::duration(hold)));
            return Ok(proof);
        }
        if held.as_secs() / SAY_EVERY_S > said {
            said = held.as_secs() / SAY_EVERY_S;
            (job.context(hold, attempt).output)(&format!(
                "holds for {} of {} s",
                held.as_secs(),
                hold.as_secs()
            ));
        }
    }
}

async fn look(job: &Job, action: &Arc<dyn Action>, expected: &Target) -> Option<Found> {
    let (action, expected) = (action.clone(), expected.clone());
    let seen = async move { Ok(action.found(&expected).await) };
    match job.within("the look at the target", SignedDuration::from_secs(6), Acted::No, seen).await {
        Ok(found) => found,
        Err(failure) => Some(Found::Unread { why: failure.why }),
    }
}

/// What the server is just after the proof. One that is restarting in that moment is asked again for a while.
async fn first_look(
    job: &Job,
    action: &Arc<dyn Action>,
    expected: &Target,
    proven_at: Timestamp,
) -> Option<Found> {
    loop {
        let found = look(job, action, expected).await?;
        if found.is_known() || job.clock.now().duration_since(proven_at) >= OUT_OF_SIGHT {
            return Some(found);
        }
        job.clock.sleep(HOLD_PAUSE).await;
    }
}

/// An effect that has to hold.
struct Holds<'j> {
    job: &'j Job,
    target: &'j Target,
    /// What it has to stay.
    found: Found,
    hold: SignedDuration,
    proven_at: Timestamp,
}

impl Holds<'_> {
    fn begin(&self, attempt: u32, proof: &Proof) {
        (self.job.sink)(Report::Holding {
            run: self.job.run.clone(),
            step: self.job.id.clone(),
            attempt,
            proof: proof.clone(),
            found: self.found.clone(),
            hold: self.hold,
        });
    }

    async fn wait(&self, action: &Arc<dyn Action>, context: &Context) -> Result<(), Failure> {
        let clock = &self.job.clock;
        let (mut since, mut unread_since, mut said) = (self.proven_at, None, 0);
        // The proof is of a moment before the first look: what was lost in between is lost.
        match &self.found {
            Found::Primary { writable: true, .. } | Found::Stopped => {}
            Found::Unread { why } => return Err(self.out_of_sight(why)),
            lost => return Err(self.changed(lost)),
        }
        loop {
            clock.sleep(HOLD_PAUSE).await;
            let found = look(self.job, action, self.target).await;
            let now = clock.now();
            match found {
                Some(Found::Unread { why }) => {
                    let gone = now.duration_since(*unread_since.get_or_insert(now));
                    if gone >= OUT_OF_SIGHT.max(self.hold) {
                        return Err(self.out_of_sight(&why));
                    }
                }
                Some(found) if found != self.found => {
                    return Err(self.changed(&found));
                }
                _ if unread_since.take().is_some() => since = now,
                _ if now.duration_since(since) >= self.hold => return Ok(()),
                _ => {
                    let held = now.duration_since(since).as_secs();
                    if held / SAY_EVERY_S > said {
                        said = held / SAY_EVERY_S;
                        (context.output)(&format!("holds for {held} of {} s", self.hold.as_secs()));
                    }
                }
            }
        }
    }

    /// Records what it was changed to, and says so.
    fn changed(&self, found: &Found) -> Failure {
        (self.job.sink)(watched(self.job, found.clone()));
        let after = self.job.clock.now().duration_since(self.proven_at);
        let after = format!("{:.1} s", after.as_secs_f64());
        let manager = self.target.identity.iter().find(|(name, _)| name == "managed by");
        let by = manager
            .map_or_else(|| "not lifeboat; a manager that was not seen?".into(), |(_, name)| name.clone());
        let next = match self.found {
            Found::Stopped => "Fence it by other means, and keep it from starting. Then attest the step.",
            _ => {
                "Find out which server takes writes now. What was written in between may be on this server alone: save it \
                 before a rewind or a rebuild throws it away. Promote through the manager."
            }
        };
        Failure {
            what: format!("whether {} stays as it was proven", self.target.name),
            why: format!("taken back after {after} by {by}: it is {} now", found.words()),
            next: next.into(),
            acted: Acted::Maybe,
        }
    }

    fn out_of_sight(&self, why: &str) -> Failure {
        Failure {
            what: format!("whether {} stays as it was proven", self.target.name),
            why: format!("it was proven, and then it could not be read any more: {why}"),
            next: "Look at the server; recheck the step once it answers.".into(),
            acted: Acted::Maybe,
        }
    }
}

/// Looks at a verified step's target until its incident is closed.
pub(super) async fn watch(job: Job) {
    let Ok(action) = job.action() else { return };
    let Some(expected) = job.confirmed_target() else { return };
    let mut unread_since: Option<Timestamp> = None;
    loop {
        job.clock.sleep(WATCH_PAUSE).await;
        let goes_on = |model: &crate::core::model::Model| {
            model.step(&job.run, &job.id).is_some_and(|(_, state)| is_watched(state))
        };
        if !job.model.read(goes_on) {
            return;
        }
        let Some(found) = look(&job, &action, &expected).await else { return };
        if found.is_known() {
            unread_since = None;
        } else {
            let now = job.clock.now();
            if now.duration_since(*unread_since.get_or_insert(now)) < OUT_OF_SIGHT {
                continue;
            }
        }
        (job.sink)(watched(&job, found));
    }
}

fn watched(job: &Job, found: Found) -> Report {
    Report::Watched { run: job.run.clone(), step: job.id.clone(), found }
}
