//! How a step with such a change goes: look, refuse, send once, wait, prove.

use super::{RoleChange, Stage};
use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::wait::{Progress, wait};
use crate::kinds::action::{Change, Confirmed, Context, Shown, Unread};
use crate::providers::aws::action::LOOK;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection};
use crate::providers::aws::rds::names::events;
use jiff::SignedDuration;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked at.
const EVERY: SignedDuration = SignedDuration::from_secs(5);
/// So many looks in a row that show nothing of a change that had begun mean that it ended without effect: for a
/// moment between two of its statuses it may look like that.
const GIVEN_UP: u32 = 6;

/// Such a change, with the life that all have.
pub struct Role<C>(pub C);

impl<C: RoleChange> Change for Role<C> {
    type Seen = C::Seen;

    /// The look has an end of its own, with words of its own.
    const LOOK: Option<Duration> = None;

    fn needs(&self, permission: &str) -> bool {
        self.0.needs(permission)
    }

    fn what(&self, _: &str) -> String {
        self.0.what()
    }

    async fn unseen(&self) -> Target {
        Target::unseen(self.0.name(), self.0.kind())
    }

    /// What there is and who it is, all within the time of one look.
    async fn read(&self) -> Result<(Target, C::Seen), Unread> {
        let reader = self.0.place().reader().await;
        let look = async {
            match self.0.read(&reader).await? {
                Some(seen) => {
                    let target = self.0.target(&reader, &seen).await?;
                    Ok((target, seen))
                }
                None => {
                    let next = "Correct name and region in the plan, or look whether somebody deleted it.";
                    Err(Unread::Absent(Problem::new(self.absent(&reader).await, next)))
                }
            }
        };
        match tokio::time::timeout(LOOK, look).await {
            Ok(looked) => looked,
            Err(_) => {
                let call = Call::new("rds:Describe", self.0.name());
                let why = format!("no answer within {} s", LOOK.as_secs());
                Err(AwsError::new(&call, AwsErrorKind::Timeout, why).into())
            }
        }
    }

    fn show(&self, seen: Option<&C::Seen>) -> Shown {
        Shown {
            call: self.0.call(seen),
            command: self.0.command(seen),
            notes: seen.map(|seen| self.notes(seen)).unwrap_or_default(),
            ..Shown::default()
        }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        match unread {
            Unread::Absent(absent) => vec![format!("It cannot be done: {}", ended(&absent.why))],
            unread => unread.notes(),
        }
    }

    /// Another resource of the same name has changed before its role is the wrong one.
    fn refuses_first(&self, seen: &C::Seen, expected: &Target) -> Option<Problem> {
        let ids = expected.property("resource id").zip(self.0.resource_id(seen));
        let is_another = ids.is_some_and(|(before, now)| before != now);
        self.0.wrong_role(seen).filter(|_| !is_another)
    }

    fn refuses(&self, seen: &C::Seen, _: &Context) -> Option<Problem> {
        self.0.wrong_state(seen)
    }

    async fn send(&self, confirmed: Confirmed<'_, C::Seen>, context: &Context) -> Result<Done, Failure> {
        let begun = Instant::now();
        (context.output)(&self.0.call(Some(&confirmed.seen)));
        self.0.send(&confirmed.seen).await.map_err(|error| error.of_change(confirmed.what))?;
        self.until_there(confirmed.expected, &context.remaining(begun.elapsed())).await
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
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

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.0.command(None)],
            check: format!("`{}` shows it.", self.0.look_command()),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let there = format!("{} is there", self.0.name());
        let seen = match self.read().await {
            Ok((_, seen)) => seen,
            Err(Unread::Absent(Problem { why, .. })) => {
                return vec![Check::fail(there, why, "Correct name and region in the plan.")];
            }
            Err(unread) => return vec![unread.check(there)],
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

impl<C: RoleChange> Role<C> {
    async fn absent(&self, reader: &Connection) -> String {
        let instead = match self.0.misnamed(reader).await {
            Some(instead) => format!("; {instead}"),
            None => String::new(),
        };
        format!("there is no {} `{}` in {}{instead}", self.0.kind(), self.0.name(), reader.region)
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
            return Ok(Stage::Lost(Problem::new(
                why,
                "Somebody deleted it: find out who, and use another copy.",
            )));
        };
        let now = self.0.resource_id(&seen).unwrap_or_default();
        Ok(match expected.property("resource id") {
            Some(before) if before != now => Stage::Lost(Problem::new(
                format!("another resource has its name now: resource id is {now}, was {before}"),
                "Find out who made it; do not go on before it is known which one holds the data.",
            )),
            _ => self.0.stage(expected, &seen),
        })
    }

    fn events(&self) -> String {
        events(self.0.kind(), self.0.name(), &self.0.place().region)
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
