//! The wait itself: looks again and again, and what it says meanwhile; and the one look that proves it.

use super::KubeWait;
use super::goal::Goal;
use super::look::{Look, Tally};
use crate::core::words::action::{Done, Failure, Proof, Target};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Call, Kind, KubeError, KubeErrorKind};
use crate::providers::kube::told::told;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Between two looks.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Objects that a proof names.
const TOLD: usize = 20;

impl KubeWait {
    /// Looks until it is so.
    pub(super) async fn wait(&self, expected: &Target, context: &Context) -> Result<Done, Failure> {
        let late = |last: String| {
            let within = crate::base::units::duration(context.timeout);
            let next =
                "Retry the wait, which changes nothing, or look at what is missing: its events say more.";
            self.not_done(format!("it is not so after {within}: {last}"), next)
        };
        let (kind, known) = (OnceCell::new(), Mutex::new(HashMap::new()));
        wait(context, PAUSE, late, async || {
            match self.progress_of(expected, &kind, &known, context).await {
                // Nobody gets a permission, or another context, by waiting.
                Err(error) if is_final(&error) => {
                    Ok(Progress::Lost(self.not_done(error.to_string(), &error.next_step())))
                }
                Err(error) => Err(Unseen::from(error)),
                Ok(progress) => Ok(progress),
            }
        })
        .await
    }

    async fn progress_of(
        &self,
        expected: &Target,
        kind: &OnceCell<Kind>,
        known: &Mutex<HashMap<String, String>>,
        context: &Context,
    ) -> Result<Progress<Done>, KubeError> {
        let look = self.look(kind.get_or_try_init(|| self.kind()).await?).await?;
        self.tell_lost(&look, known, context);
        let tally = self.tally(&look, expected);
        if let Some(never) = &tally.never {
            return Ok(Progress::Lost(self.never(never)));
        }
        if !tally.missing.is_empty() {
            return Ok(Progress::Waiting(self.progress(&look, &tally)));
        }
        Ok(match self.nowhere(&look).await? {
            Some(failure) => Progress::Lost(failure),
            None => Progress::Reached(Done { summary: self.progress(&look, &tally) }),
        })
    }

    /// Tells which of those that were there are gone, or were made anew, while something else is waited for.
    fn tell_lost(&self, look: &Look, known: &Mutex<HashMap<String, String>>, context: &Context) {
        let now = look.ids();
        let before =
            std::mem::replace(&mut *known.lock().unwrap_or_else(PoisonError::into_inner), now.clone());
        let mut lost: Vec<String> = before
            .into_iter()
            .filter(|(name, uid)| self.goal != Goal::Deleted && now.get(name) != Some(uid))
            .map(|(name, _)| match now.contains_key(&name) {
                true => format!("{} was made anew", look.words(&name)),
                false => format!("{} was deleted", look.words(&name)),
            })
            .collect();
        lost.sort();
        if !lost.is_empty() {
            (context.output)(&format!("meanwhile {}", told(&self.place.cluster, lost)));
        }
    }

    fn never(&self, why: &str) -> Failure {
        let next = "Look at it and its logs; mend what failed, then retry the wait.";
        self.not_done(format!("{why}: waiting does not change that"), next)
    }

    /// Why that nothing is there tells nothing: the namespace itself is not there.
    async fn nowhere(&self, look: &Look) -> Result<Option<Failure>, KubeError> {
        if self.goal != Goal::Deleted || !look.kind.is_namespaced {
            return Ok(None);
        }
        let cluster = &self.place.cluster;
        let call = Call::new("get namespaces", look.namespace.as_str());
        let path = format!("/api/v1/namespaces/{}", look.namespace);
        match cluster.get(&call, path, cluster.deadline()).await {
            Ok(_) => Ok(None),
            Err(error) if error.kind == KubeErrorKind::NotFound => {
                let why = format!(
                    "the namespace {} itself is not there: nothing shows what was deleted",
                    look.namespace
                );
                let next = "Compare it with the plan. Attest the step if the namespace was to go as well.";
                Ok(Some(self.not_done(why, next)))
            }
            Err(error) => Err(error),
        }
    }

    /// Looks once.
    pub(super) async fn prove(&self, expected: &Target) -> Result<Proof, Failure> {
        let unread = |error: KubeError| self.not_done(error.to_string(), &error.next_step());
        let look = self.look(&self.kind().await.map_err(unread)?).await.map_err(unread)?;
        let tally = self.tally(&look, expected);
        if let Some(never) = &tally.never {
            return Err(self.never(never));
        }
        if !tally.missing.is_empty() {
            return Err(self.not_done(self.progress(&look, &tally), "Retry the wait: it changes nothing."));
        }
        match self.nowhere(&look).await.map_err(unread)? {
            Some(failure) => Err(failure),
            None => Ok(Proof { evidence: self.evidence(&look, &tally) }),
        }
    }

    fn evidence(&self, look: &Look, tally: &Tally) -> Vec<String> {
        let goal = self.goal.words();
        let mut lines = vec![format!("{}{}", self.progress(look, tally), look.place())];
        lines.extend(tally.reached.iter().take(TOLD).map(|one| format!("{one}: {goal}")));
        lines
    }
}

fn is_final(error: &KubeError) -> bool {
    use KubeErrorKind::{Denied, NoConfig, NoSuchKind, Refused};
    matches!(error.kind, Denied | NoConfig | NoSuchKind | Refused)
}
