//! Who AWS says is calling.

use super::{AwsError, Call, Connection};
use aws_credential_types::provider::ProvideCredentials;
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer counts. Credentials rotate under the same name, so it is not asked before each call.
const FRESH: Duration = Duration::from_secs(300);

/// The identity behind the credentials, for confirmations and the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:sts::123456789012:assumed-role/Failover/lifeboat-ana`.
    pub arn: String,
}

#[derive(Default)]
struct Known(Mutex<Option<(Instant, Caller)>>);

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
        let found = found.map_err(|error| crate::text::clean(&error.to_string(), 300))?;
        Ok(found.expiry().and_then(|at| Timestamp::try_from(at).ok()))
    }

    /// Who AWS says is calling (`sts:GetCallerIdentity`, which needs no permission).
    ///
    /// # Errors
    /// When there are no credentials, AWS does not take them, or the region's STS does not answer.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        let known = self.kept::<Known>();
        let mut known = known.0.lock().await;
        if let Some((at, caller)) = known.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(caller.clone());
        }
        let call = Call::new("sts:GetCallerIdentity", &self.region);
        let found = self.call(&call, self.sts().get_caller_identity().send()).await?;
        let text = |text: Option<String>| crate::text::clean(&text.unwrap_or_default(), 300);
        let caller = Caller { account: text(found.account), arn: text(found.arn) };
        *known = Some((Instant::now(), caller.clone()));
        Ok(caller)
    }
}
