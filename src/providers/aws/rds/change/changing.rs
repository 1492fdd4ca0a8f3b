//! How a step with such a change goes: look, refuse, send once, wait, prove.

use super::{RoleChange, Stage};
use crate::base::text::ended;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::refusal::Refusal;
use crate::kinds::action::wait::{Progress, wait};
use crate::kinds::action::{Action, Context};
use crate::providers::aws::action::LOOK;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection};
use crate::providers::aws::rds::names::events;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How often it is looked at.
const EVERY: SignedDuration = SignedDuration::from_secs(5);
/// So many looks in a row that show nothing of a change that had begun mean that it ended without effect: for a
/// moment between two of its statuses it may look like that.
const GIVEN_UP: u32 = 6;

/// The action of such a change.
pub struct Changing<C>(pub C);

impl<C: RoleChange> Action for Changing<C> {
    fn needs(&self, permission: &str) -> bool {
        self.0.needs(permission)
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(async move {
            let (seen, target, notes) = match self.inspect().await {
                Ok(Ok((seen, target))) => {
                    let notes = self.notes(&seen);
                    (Some(seen), target, notes)
                }
                Ok(Err(absent)) => {
                    (None, self.unseen(), vec![format!("It cannot be done: {}", ended(&absent.to_string()))])
                }
                Err(error) => {
                    (None, self.unseen(), vec![format!("It cannot be read: {error}"), error.next_step()])
                }
            };
            let seen = seen.as_ref();
            Ok(Description::new(self.0.call(seen), self.0.command(seen), target, notes))
        })
    }

    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.change(expected, context))
    }

    fn verify<'a>(&'a self, expected: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(self.prove(expected))
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.0.command(None)],
            check: format!("`{}` shows it.", self.0.look_command()),
        }
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.check())
    }
}

impl<C: RoleChange> Changing<C> {
    fn unseen(&self) -> Target {
        Target::unseen(self.0.name(), self.0.kind())
    }

    /// What there is and who it is, all within the time of one look; or why there is nothing.
    async fn inspect(&self) -> Result<Result<(C::Seen, Target), String>, AwsError> {
        let reader = self.0.place().reader().await;
        let look = async {
            match self.0.read(&reader).await? {
                Some(seen) => {
                    let target = self.0.target(&reader, &seen).await?;
                    Ok(Ok((seen, target)))
                }
                None => Ok(Err(self.absent(&reader).await)),
            }
        };
        match tokio::time::timeout(LOOK, look).await {
            Ok(looked) => looked,
            Err(_) => {
                let call = Call::new("rds:Describe", self.0.name());
                Err(AwsError::new(
                    &call,
                    AwsErrorKind::Timeout,
                    format!("no answer within {} s", LOOK.as_secs()),
                ))
            }
        }
    }

    async fn absent(&self, reader: &Connection) -> String {
        let instead = match self.0.misnamed(reader).await {
            Some(instead) => format!("; {instead}"),
            None => String::new(),
        };
        format!("there is no {} `{}` in {}{instead}", self.0.kind(), self.0.name(), reader.region)
    }

    /// As [`Self::look`], for a step that is to go on.
    async fn found(&self) -> Result<(C::Seen, Target), Failure> {
        let what = self.0.what();
        let absent = |why| {
            let next = "Correct name and region in the plan, or look whether somebody deleted it.";
            Failure::not_done(what.clone(), why, next)
        };
        self.inspect().await.map_err(|error| error.not_done(what.clone()))?.map_err(absent)
    }

    /// Fails when the name leads to another resource than the confirmed one.
    fn same_resource(&self, expected: &Target, found: &Target) -> Result<(), Failure> {
        match (expected.property("resource id"), found.property("resource id")) {
            (Some(before), Some(now)) if before != now => Err(Failure::target_changed(expected, found)),
            _ => Ok(()),
        }
    }

    fn notes(&self, seen: &C::Seen) -> Vec<String> {
        let refusal = self.0.wrong_role(seen).or_else(|| self.0.wrong_state(seen));
        let mut notes: Vec<String> = refusal
            .map(|refusal| format!("THIS STEP WILL REFUSE: {}", ended(&refusal.why)))
            .into_iter()
            .collect();
        notes.extend(self.0.notes(seen));
        notes
    }

    async fn change(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let begun = tokio::time::Instant::now();
        let what = self.0.what();
        let (seen, found) = self.found().await?;
        self.same_resource(expected, &found)?;
        if let Some(refusal) = self.0.wrong_role(&seen) {
            return Err(refusal.not_done(what));
        }
        expected.same(&found)?;
        if let Some(refusal) = self.0.wrong_state(&seen) {
            return Err(refusal.not_done(what));
        }
        (context.output)(&self.0.call(Some(&seen)));
        self.0.send(&seen).await.map_err(|error| error.of_change(what.clone()))?;
        self.until_there(expected, &context.remaining(begun.elapsed())).await
    }

    async fn until_there(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let late = |last: String| {
            Failure::maybe_done(
                self.0.what(),
                format!("AWS took it, it is not there within the step's time, and goes on: {last}"),
                format!("Do not send it again. Watch `{}`, and verify the step.", self.0.look_command()),
            )
        };
        let memory = Memory::default();
        wait(context, EVERY, late, || async {
            let stage = self.stage(expected).await?;
            let lost = |why: String, next| Progress::Lost(Failure::maybe_done(self.0.what(), why, next));
            let given_up = memory.given_up(&stage);
            Ok(match stage {
                Stage::NotBegun(words) if given_up => {
                    let next = format!("See why with `{}`, then confirm it again.", self.events());
                    lost(format!("it ended without effect: {words}"), next)
                }
                Stage::NotBegun(words) | Stage::Going(words) => Progress::Waiting(words),
                Stage::There(_) | Stage::Short(_) => {
                    Progress::Reached(Done { summary: format!("{}: done", self.0.what()) })
                }
                Stage::Lost(refusal) => lost(refusal.why, refusal.next),
            })
        })
        .await
    }

    /// One look at how far it is.
    async fn stage(&self, expected: &Target) -> Result<Stage, AwsError> {
        let reader = self.0.place().reader().await;
        let Some(seen) = self.0.read(&reader).await? else {
            let why = self.absent(&reader).await;
            return Ok(Stage::Lost(Refusal::new(
                why,
                "Somebody deleted it: find out who, and use another copy.",
            )));
        };
        let now = self.0.resource_id(&seen).unwrap_or_default();
        Ok(match expected.property("resource id") {
            Some(before) if before != now => Stage::Lost(Refusal::new(
                format!("another resource has its name now: resource id is {now}, was {before}"),
                "Find out who made it; do not go on before it is known which one holds the data.",
            )),
            _ => self.0.stage(expected, &seen),
        })
    }

    fn events(&self) -> String {
        events(self.0.kind(), self.0.name(), &self.0.place().region)
    }

    async fn prove(&self, expected: &Target) -> Result<Proof, Failure> {
        let what = self.0.what();
        let not_yet = |why: String, next: String| Failure::not_done(what.clone(), why, next);
        let stage = self.stage(expected).await.map_err(|error| error.not_done(what.clone()))?;
        // What to do comes first: the command is long, and a small screen cuts its end.
        let again = |what: &str| format!("{what} Watch it with `{}`.", self.0.look_command());
        match stage {
            Stage::NotBegun(words) => Err(not_yet(
                format!("nothing of it can be seen: {words}"),
                again("Verify again in half a minute; if it stays like that, the step may be retried."),
            )),
            Stage::Going(words) => Err(not_yet(
                format!("it goes on: {words}"),
                again("Do not send it again; verify again once it has ended."),
            )),
            Stage::Short(refusal) | Stage::Lost(refusal) => Err(refusal.not_done(what)),
            Stage::There(_) if !self.0.was_due(expected) => Err(not_yet(
                format!(
                    "it was not seen in its former role when the step was confirmed ({}): how it is now proves \
                     nothing",
                    expected.property("role").unwrap_or("nothing was read")
                ),
                "Find out who changed it and when, then attest the step.".into(),
            )),
            Stage::There(evidence) => Ok(Proof { evidence }),
        }
    }

    async fn check(&self) -> Vec<Check> {
        let there = format!("{} is there", self.0.name());
        let seen = match self.inspect().await {
            Ok(Ok((seen, _))) => seen,
            Ok(Err(absent)) => {
                return vec![Check::fail(there, absent, "Correct name and region in the plan.")];
            }
            Err(error) => return vec![Check::fail(there, error.to_string(), error.next_step())],
        };
        let id = self.0.resource_id(&seen).unwrap_or_default();
        let mut checks = vec![Check::pass(there, format!("resource id {id}"))];
        for (what, refusal) in
            [("its role fits", self.0.wrong_role(&seen)), ("its state fits", self.0.wrong_state(&seen))]
        {
            checks.push(match refusal {
                Some(refusal) => refusal.check(what),
                None => Check::pass(what, format!("{} could begin now", self.0.what())),
            });
        }
        checks.extend(self.0.checks(&seen));
        checks
    }
}

/// What earlier looks showed.
#[derive(Default)]
struct Memory {
    begun: AtomicBool,
    idle: AtomicU32,
}

impl Memory {
    /// Whether a change that had begun is not to be seen any more.
    fn given_up(&self, stage: &Stage) -> bool {
        match stage {
            Stage::Going(_) => self.begun.store(true, Ordering::Relaxed),
            Stage::NotBegun(_) if self.begun.load(Ordering::Relaxed) => {
                return self.idle.fetch_add(1, Ordering::Relaxed) + 1 >= GIVEN_UP;
            }
            _ => {}
        }
        self.idle.store(0, Ordering::Relaxed);
        false
    }
}
