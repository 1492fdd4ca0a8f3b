//! A role on top of the caller's own credentials, assumed at the region's own STS: it must not need the region that is
//! down. While that one does not answer, the STS of the plan's other regions does.

use super::connection::deliver;
use super::credentials::CredentialCache;
use super::elsewhere;
use super::{AwsError, AwsErrorKind, Call};
use crate::base::problem::Problem;
use crate::plan::AwsSettings;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts::types::Credentials as Given;
use futures::FutureExt;
use std::time::{Duration, SystemTime};

/// A role, as a session of the operator's name.
pub(super) struct Role {
    sts: aws_sdk_sts::Client,
    elsewhere: Vec<(String, aws_sdk_sts::Client)>,
    base: CredentialCache,
    region: String,
    arn: String,
    session: String,
    lasts_s: i32,
    external_id: Option<String>,
    within: Duration,
}

/// The device and its code.
pub(super) struct Mfa<'a> {
    pub serial: &'a str,
    pub code: &'a str,
}

/// What STS gave.
pub(super) struct Session {
    pub credentials: Credentials,
    /// Empty where STS does not tell it.
    pub arn: String,
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Role({})", self.arn)
    }
}

impl Role {
    /// The role of the settings; none where they name none. `config` has the caller's own credentials, from `base`.
    pub fn of(
        settings: &AwsSettings,
        config: &SdkConfig,
        base: &CredentialCache,
        session: &str,
    ) -> Option<Self> {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Some(Self {
            sts: aws_sdk_sts::Client::new(config),
            elsewhere: elsewhere::others(settings, config, &region),
            base: base.clone(),
            region,
            arn: settings.role.clone()?,
            session: session.to_owned(),
            lasts_s: lasts_s(settings),
            external_id: settings.external_id.clone(),
            within: settings.deadline.unsigned_abs().mul_f64(0.7),
        })
    }

    /// Assumes it.
    ///
    /// # Errors
    /// When STS does not give a session.
    pub async fn assume(&self, mfa: Option<&Mfa<'_>>) -> Result<Session, AwsError> {
        let own = self.assume_at(&self.region, &self.sts, mfa).boxed();
        // A device's code counts once.
        let elsewhere = self.elsewhere.iter().filter(|_| mfa.is_none());
        let others = elsewhere.map(|(region, sts)| self.assume_at(region, sts, None).boxed());
        elsewhere::first(own, others.collect()).await
    }

    async fn assume_at(
        &self,
        region: &str,
        sts: &aws_sdk_sts::Client,
        mfa: Option<&Mfa<'_>>,
    ) -> Result<Session, AwsError> {
        let call = Call::new("sts:AssumeRole", &self.arn);
        let send = sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(&self.session)
            .duration_seconds(self.lasts_s)
            .set_external_id(self.external_id.clone())
            .set_serial_number(mfa.map(|mfa| mfa.serial.to_owned()))
            .set_token_code(mfa.map(|mfa| mfa.code.to_owned()))
            .send();
        let answer = deliver(&call, region, self.within, &self.base, send).await?;
        let arn = answer.assumed_role_user.map(|user| user.arn).unwrap_or_default();
        session(answer.credentials, arn, &call)
    }

    /// Why there is no session, for calls that wanted to use it.
    fn explain(&self, error: &AwsError) -> Problem {
        use AwsErrorKind::{
            Denied, Expired, NoCredentials as Missing, NotFound, Refused, Rejected, Throttled,
        };
        let next = match error.kind {
            Missing | Expired | Rejected | Throttled => error.next_step(),
            Denied | NotFound | Refused | AwsErrorKind::Conflict => format!(
                "Allow `sts:AssumeRole` on {} to the caller, and check what the role's trust policy asks for: the \
                 caller, `external_id`, `mfa_serial`, how long `session` may be.",
                self.arn
            ),
            _ => format!(
                "The STS of {} does not answer, so the role cannot be assumed there; other regions do not need it. \
                 See whether {} can be reached from here. Nothing was sent.",
                self.region, self.region
            ),
        };
        Problem { why: error.to_string(), next }
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let session = self.assume(None).await;
            let session = session.map_err(|error| CredentialsError::provider_error(self.explain(&error)))?;
            let mut credentials = session.credentials;
            credentials
                .get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
                .push(AwsCredentialFeature::CredentialsStsAssumeRole);
            Ok(credentials)
        })
    }
}

/// A session of the caller itself, for what asks for MFA without a role.
///
/// # Errors
/// When STS does not give one.
pub(super) async fn own_session(
    settings: &AwsSettings,
    config: &SdkConfig,
    base: &CredentialCache,
    mfa: &Mfa<'_>,
) -> Result<Session, AwsError> {
    let call = Call::new("sts:GetSessionToken", mfa.serial);
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let send = aws_sdk_sts::Client::new(config)
        .get_session_token()
        .duration_seconds(lasts_s(settings))
        .serial_number(mfa.serial)
        .token_code(mfa.code)
        .send();
    let within = settings.deadline.unsigned_abs().mul_f64(0.7);
    let answer = deliver(&call, &region, within, base, send).await?;
    session(answer.credentials, String::new(), &call)
}

/// From 15 minutes to 36 hours, whatever the plan says: what STS takes.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
fn lasts_s(settings: &AwsSettings) -> i32 {
    i32::try_from(settings.session.as_secs().clamp(900, 129_600)).unwrap_or(3600)
}

fn session(given: Option<Given>, arn: String, call: &Call) -> Result<Session, AwsError> {
    let given =
        given.ok_or_else(|| AwsError::new(call, AwsErrorKind::NotAws, "the answer holds no credentials"))?;
    let expires = SystemTime::try_from(given.expiration).ok();
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        expires,
        "lifeboat",
    );
    Ok(Session { credentials, arn })
}
