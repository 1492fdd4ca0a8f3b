//! Who AWS says is calling.

use super::elsewhere::first;
use super::{AwsError, Call, Connection};
use aws_credential_types::provider::ProvideCredentials;
use futures::FutureExt;
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer counts for the credentials that it was given for.
const FRESH: Duration = Duration::from_secs(300);

/// How long a failure counts: who waited for the same answer does not wait for another time-out.
const FAILED: Duration = Duration::from_secs(3);

/// The identity behind the credentials, for confirmations and the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:sts::123456789012:assumed-role/Failover/lifeboat-ana`.
    pub arn: String,
}

/// The last answer, and the key that it is about.
#[derive(Default)]
struct Known(Mutex<Option<Answer>>);

struct Answer {
    at: Instant,
    key: Option<String>,
    caller: Result<Caller, AwsError>,
}

impl Known {
    /// Who has this key; `ask` is called where that is not known yet.
    async fn get(
        &self,
        key: Option<String>,
        ask: impl AsyncFnOnce() -> Result<Caller, AwsError>,
    ) -> Result<Caller, AwsError> {
        let mut known = self.0.lock().await;
        if let Some(last) = known.as_ref().filter(|last| last.key == key) {
            let counts = if last.caller.is_ok() { FRESH } else { FAILED };
            if last.at.elapsed() < counts {
                return last.caller.clone();
            }
        }
        let caller = ask().await;
        *known = Some(Answer { at: Instant::now(), key, caller: caller.clone() });
        caller
    }
}

impl Connection {
    /// Until when the credentials count; none where they do not say. Asks where they come from, not AWS itself.
    ///
    /// # Errors
    /// When there are none, in words.
    pub async fn credentials_expiry(&self) -> Result<Option<Timestamp>, String> {
        let Some(provider) = self.config().credentials_provider() else {
            return Err("nothing gives credentials".into());
        };
        let found = provider.provide_credentials().await;
        let found = found.map_err(|error| crate::base::text::clean(&error.to_string(), 300))?;
        Ok(found.expiry().and_then(|at| Timestamp::try_from(at).ok()))
    }

    /// Who AWS says is calling (`sts:GetCallerIdentity`, which needs no permission).
    ///
    /// # Errors
    /// When there are no credentials, AWS does not take them, or neither the region's STS nor that of the plan's others answers.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        let ask = async || {
            let own = self.identity(&self.region, self.sts()).boxed();
            let others = self.sts_elsewhere.iter().map(|(region, sts)| self.identity(region, sts).boxed());
            first(own, others.collect()).await
        };
        self.kept::<Known>().get(self.key_id().await, ask).await
    }

    /// The same as this region's own STS says it: whether the region answers is a part of the question.
    ///
    /// # Errors
    /// As [`Self::caller`], and when the region's STS does not answer.
    pub async fn caller_here(&self) -> Result<Caller, AwsError> {
        self.identity(&self.region, self.sts()).await
    }

    async fn identity(&self, region: &str, sts: &aws_sdk_sts::Client) -> Result<Caller, AwsError> {
        let call = Call::new("sts:GetCallerIdentity", region);
        let found = self.call(&call, sts.get_caller_identity().send()).await?;
        let text = |text: Option<String>| crate::base::text::clean(&text.unwrap_or_default(), 300);
        Ok(Caller { account: text(found.account), arn: text(found.arn) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::aws::client::AwsErrorKind;
    use futures::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn caller(account: &str) -> Caller {
        Caller { account: account.into(), arn: format!("arn:aws:iam::{account}:user/ana") }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_for_its_credentials_only() {
        let known = Known::default();
        let ask = async |key: &str, account: &str| {
            known.get(Some(key.to_owned()), async || Ok(caller(account))).await.unwrap().account
        };
        assert_eq!(ask("AKIA1", "111111111111").await, "111111111111");
        assert_eq!(ask("AKIA1", "222222222222").await, "111111111111");
        assert_eq!(ask("AKIA2", "222222222222").await, "222222222222");
        assert_eq!(ask("AKIA1", "111111111111").await, "111111111111");
    }

    #[tokio::test(start_paused = true)]
    async fn many_askers_of_a_dead_region_wait_for_one_call() {
        let (known, calls) = (Known::default(), AtomicUsize::new(0));
        let late = || AwsError::new(&Call::new("sts:GetCallerIdentity", "r"), AwsErrorKind::Timeout, "late");
        let begun = Instant::now();
        let asked = (0..20).map(|_| {
            known.get(None, async || {
                calls.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(10)).await;
                Err(late())
            })
        });
        assert!(join_all(asked).await.iter().all(Result::is_err));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
        tokio::time::advance(FAILED).await;
        assert!(known.get(None, async || Ok(caller("1"))).await.is_ok());
    }
}
