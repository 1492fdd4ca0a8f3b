//! Opens an MFA session and keeps it for every region.

use super::connection::{Purpose, own};
use super::role::{Mfa, Role, Session, own_session};
use super::session::{Login, LoginError, SessionFile};
use super::{Aws, AwsError, AwsErrorKind, Call};
use crate::base::text::clean;
use jiff::Timestamp;

impl Aws {
    /// The AWS regions of the plan, each once, in its order.
    pub fn regions(&self) -> Vec<String> {
        let mut regions: Vec<String> = Vec::new();
        for id in self.inner.settings.regions.keys() {
            if let Ok(place) = self.place(id)
                && !regions.contains(&place.region)
            {
                regions.push(place.region);
            }
        }
        regions
    }

    /// Opens the session that the plan's role and MFA device ask for, with a code of the device. The plan's regions
    /// are asked in their order until one's STS answers: what it gives counts in all of them.
    ///
    /// # Errors
    /// When the plan names no device, no STS gives a session, or it cannot be kept.
    pub async fn login(&self, code: &str) -> Result<Login, LoginError> {
        let settings = &self.inner.settings;
        let serial = settings.mfa_serial.as_deref().ok_or(LoginError::NoDevice)?;
        let mfa = Mfa { serial, code };
        let mut last = LoginError::NoRegion;
        for region in self.regions() {
            match self.session_from(&region, &mfa).await {
                Ok(session) => return self.keep(session, region),
                // The code was not looked at: another region may be well.
                Err(error) if unanswered(error.kind) => last = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last)
    }

    async fn session_from(&self, region: &str, mfa: &Mfa<'_>) -> Result<Session, AwsError> {
        let settings = &self.inner.settings;
        // Sent once: a code counts once.
        let (config, base) = own(settings, &self.inner.http, region, Purpose::Change).await;
        match Role::of(settings, &config, &base, &self.inner.session) {
            Some(role) => role.assume(Some(mfa)).await,
            None => own_session(settings, &config, &base, mfa).await,
        }
    }

    fn keep(&self, session: Session, region: String) -> Result<Login, LoginError> {
        let expires = session.credentials.expiry().and_then(|at| Timestamp::try_from(at).ok());
        let call = Call::new("sts:AssumeRole", &session.arn);
        let expires = expires.ok_or_else(|| {
            AwsError::new(&call, AwsErrorKind::NotAws, "the answer does not say when the session ends")
        })?;
        let file = SessionFile::new(&self.inner.settings, &self.inner.environment);
        let path = file.keep(&session.credentials, expires)?;
        Ok(Login { arn: clean(&session.arn, 300), expires, path, region })
    }
}

fn unanswered(kind: AwsErrorKind) -> bool {
    use AwsErrorKind::{Broken, Internal, NotAws, Timeout, Unreachable};
    matches!(kind, Timeout | Unreachable | Broken | NotAws | Internal)
}
