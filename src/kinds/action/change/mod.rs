//! The life of a change, the same for each kind: read, is it the confirmed target, refuse, send once, prove.
use super::unread::Unread;
use super::{Action, Context};
use crate::base::problem::Problem;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::plan::kinds::BuildError;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::Instant;

/// How long reading a target for its description may take, all calls together.
pub const LOOK: Duration = Duration::from_secs(12);

/// A change of the world: what one kind knows of it. [`Changing`] gives it the life that all have.
pub trait Change: Send + Sync {
    /// What one look reads, besides who the target is.
    type Seen: Send;

    /// How long a look for the description may take; none where [`Self::read`] ends by itself.
    const LOOK: Option<Duration> = Some(LOOK);

    /// The change of the target of that name, as failures call it (`scaling of a/b`).
    fn what(&self, name: &str) -> String;

    /// The target of which nothing was read.
    fn unseen(&self) -> impl Future<Output = Target> + Send;

    /// Reads who the target is, and all that decides whether it can be changed. Changes nothing.
    fn read(&self) -> impl Future<Output = Result<(Target, Self::Seen), Unread>> + Send;

    /// What would be sent, and what to know of it before saying yes; without `seen` as far as the plan tells.
    fn show(&self, seen: Option<&Self::Seen>) -> Shown;

    /// What the description says of a target that was not read.
    fn unread(&self, unread: Unread) -> Vec<String> {
        unread.notes()
    }

    /// Why it is not sent, where that matters more than that the target changed: the effect is there already.
    fn refuses_first(&self, _seen: &Self::Seen, _expected: &Target) -> Option<Problem> {
        None
    }

    /// Why another one has to do it instead: told before a changed target, and nobody is asked to confirm it.
    fn forbids(&self, _seen: &Self::Seen) -> Option<Problem> {
        None
    }

    /// Fails when what was read is not the target that was confirmed. For those who know more of it than its identity.
    ///
    /// # Errors
    /// What is another now.
    fn same(&self, expected: &Target, found: &Target, _seen: &Self::Seen) -> Result<(), Failure> {
        expected.same(found)
    }

    /// Why it is not sent to the confirmed target. The attempt's token tells what this very attempt made before.
    fn refuses(&self, _seen: &Self::Seen, _context: &Context) -> Option<Problem> {
        None
    }

    /// Sends it, once, and waits for its end.
    fn send(
        &self,
        confirmed: Confirmed<'_, Self::Seen>,
        context: &Context,
    ) -> impl Future<Output = Result<Done, Failure>> + Send;

    /// As [`Action::verify`]: reads back whether the effect is there, and came by this step.
    fn prove(
        &self,
        expected: &Target,
        context: &Context,
    ) -> impl Future<Output = Result<Proof, Failure>> + Send;

    /// As [`Action::must_be_typed`].
    fn must_be_typed(&self) -> Option<BuildError> {
        None
    }

    /// What a person does instead.
    fn manual(&self) -> ManualCard;

    /// As [`Action::preflight`].
    fn checks(&self) -> impl Future<Output = Vec<Check>> + Send {
        async { Vec::new() }
    }

    /// As [`Action::needs`].
    fn needs(&self, _permission: &str) -> bool {
        true
    }

    /// As [`Action::goes_on`].
    fn goes_on(&self, _context: &Context) -> impl Future<Output = Option<Failure>> + Send {
        async { None }
    }

    /// As [`Action::hold`].
    fn hold(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    /// As [`Action::found`].
    fn found(&self, _expected: &Target) -> impl Future<Output = Option<Found>> + Send {
        async { None }
    }
}

/// What the confirmation shows of a change, besides its target.
#[derive(Default)]
pub struct Shown {
    /// The exact call.
    pub call: String,
    /// The equivalent command of the provider's own tool.
    pub command: String,
    /// What else to know before saying yes.
    pub notes: Vec<String>,
    /// The exact commands that take it back, in order.
    pub undo: Vec<String>,
    /// What it sets, where the call does not show it.
    pub sets: Vec<(String, String)>,
}

/// A look that showed the confirmed target. Nothing but the frame's check makes one, so that nothing is sent without it.
pub struct Confirmed<'a, S> {
    /// What the look read.
    pub seen: S,
    /// The target as it was confirmed.
    pub expected: &'a Target,
    /// The change, for failures.
    pub what: String,
    _checked: Checked,
}

/// That the target was found to be the confirmed one.
struct Checked;

/// The action of a change.
pub struct Changing<C>(pub C);

impl<C: Change> Action for Changing<C> {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        Box::pin(self.description())
    }

    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.change(expected, context))
    }

    fn verify<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(self.0.prove(expected, context))
    }

    fn must_be_typed(&self) -> Option<BuildError> {
        self.0.must_be_typed()
    }

    fn manual(&self) -> ManualCard {
        self.0.manual()
    }

    fn needs(&self, permission: &str) -> bool {
        self.0.needs(permission)
    }

    fn goes_on<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Option<Failure>> {
        Box::pin(self.0.goes_on(context))
    }

    fn hold(&self) -> SignedDuration {
        self.0.hold()
    }

    fn found<'a>(&'a self, expected: &'a Target) -> BoxFuture<'a, Option<Found>> {
        Box::pin(self.0.found(expected))
    }

    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.0.checks())
    }
}

impl<C: Change> Changing<C> {
    async fn description(&self) -> Result<Description, Failure> {
        let change = &self.0;
        let (seen, target, mut notes) = match self.look().await {
            Ok((target, seen)) => {
                if let Some(refusal) = change.forbids(&seen) {
                    return Err(refusal.not_done(change.what(&target.name)));
                }
                (Some(seen), target, Vec::new())
            }
            Err(unread) => (None, change.unseen().await, change.unread(unread)),
        };
        let shown = change.show(seen.as_ref());
        notes.extend(shown.notes);
        Ok(Description {
            call: shown.call,
            command: shown.command,
            target,
            notes,
            undo: shown.undo,
            sets: shown.sets,
        })
    }

    async fn look(&self) -> Result<(Target, C::Seen), Unread> {
        match C::LOOK {
            Some(within) => tokio::time::timeout(within, self.0.read()).await.unwrap_or(Err(Unread::Late)),
            None => self.0.read().await,
        }
    }

    async fn change(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let change = &self.0;
        let begun = Instant::now();
        let what = change.what(&expected.name);
        let (found, seen) = change.read().await.map_err(|unread| unread.not_done(&*what))?;
        let allowed = |refusal: Option<Problem>| match refusal {
            Some(refusal) => Err(refusal.not_done(&*what)),
            None => Ok(()),
        };
        allowed(change.refuses_first(&seen, expected))?;
        allowed(change.forbids(&seen))?;
        change.same(expected, &found, &seen)?;
        allowed(change.refuses(&seen, context))?;
        let context = context.remaining(begun.elapsed());
        change.send(Confirmed { seen, expected, what, _checked: Checked }, &context).await
    }
}

#[cfg(test)]
mod tests;
