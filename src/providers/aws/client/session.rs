//! MFA: a session that a person opened with a code, kept in a file until it ends.
use super::{AwsError, AwsErrorKind};
use crate::base::environment::Environment;
use crate::base::problem::Problem;
use crate::plan::AwsSettings;
use crate::secrets::file::{self, FileError};
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// Where the session of a role and device is kept: in the user's own state folder, never beside the plan, which is
/// shared and under version control.
#[derive(Clone, Debug)]
pub(super) struct SessionFile {
    folder: Option<PathBuf>,
    name: String,
}

/// What the file holds. No `Debug`: it is a secret.
#[derive(Serialize, Deserialize)]
struct Kept {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expires: Timestamp,
}

/// A session that was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// The ARN of the session.
    pub arn: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Where it is kept.
    pub path: PathBuf,
    /// The region whose STS gave it; it counts in all.
    pub region: String,
}

/// Why no session was opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoginError {
    /// The plan asks for none.
    #[error("the plan's [aws] names no MFA device")]
    NoDevice,
    /// The plan names no region of AWS.
    #[error("the plan names no AWS region whose STS could be asked")]
    NoRegion,
    /// AWS did not give one.
    #[error(transparent)]
    Refused(#[from] AwsError),
    /// It cannot be kept.
    #[error("the session cannot be kept in {path}: {why}")]
    Unkept {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
}

impl LoginError {
    /// What to do about it.
    pub fn next_step(&self) -> String {
        match self {
            Self::NoDevice => {
                "Without `mfa_serial` there is nothing to log in to: see what is used with `lifeboat aws whoami PLAN`. \
                 For AWS SSO run `aws sso login` on this host."
                    .into()
            }
            Self::NoRegion => "Name an AWS region in the plan's [regions] (`us-west-2`).".into(),
            Self::Refused(error) if error.kind == AwsErrorKind::Denied => {
                "A code works once and for about 30 s: wait for the next one. Check `mfa_serial` and `role` in the plan, \
                 the role's trust policy, and this host's clock."
                    .into()
            }
            Self::Refused(error) => error.next_step(),
            Self::Unkept { .. } => {
                "Make room and check the rights of the folder; XDG_STATE_HOME moves it.".into()
            }
        }
    }
}

impl SessionFile {
    /// By the plan's settings and the environment.
    pub fn new(settings: &AwsSettings, environment: &Environment) -> Self {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let who = [of(&settings.role), of(&settings.mfa_serial), of(&settings.profile)].join("\n");
        let digest = Sha256::digest(who.as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let absolute = |name| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
        Self { folder: state.map(|state| state.join("lifeboat/aws")), name: format!("mfa-{digest}.json") }
    }

    fn path(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(&self.name))
    }

    /// Keeps a session, readable by its owner only, whole or not at all.
    pub fn keep(&self, credentials: &Credentials, expires: Timestamp) -> Result<PathBuf, LoginError> {
        let unkept = |path: &str, why: String| LoginError::Unkept { path: path.to_owned(), why };
        let Some(folder) = &self.folder else {
            return Err(unkept("the state folder", "there is no home folder".into()));
        };
        let kept = Kept {
            access_key_id: credentials.access_key_id().into(),
            secret_access_key: credentials.secret_access_key().into(),
            session_token: credentials.session_token().unwrap_or_default().into(),
            expires,
        };
        let shown = folder.display().to_string();
        let text = serde_json::to_string(&kept).map_err(|error| unkept(&shown, error.to_string()))?;
        file::write_named(folder, &self.name, &Zeroizing::new(text))
            .map_err(|error| unkept(&shown, error.to_string()))
    }

    fn read(&self) -> Result<Credentials, Problem> {
        let login =
            || "Run `lifeboat aws login PLAN` in another terminal; it is taken up by itself.".to_owned();
        let missing = |why: String| Problem { why, next: login() };
        let path =
            self.path().ok_or_else(|| missing("there is no home folder to keep an MFA session in".into()))?;
        let text = file::read(&path).map_err(|error| match error {
            FileError::Absent => missing("nobody logged in with MFA yet".into()),
            FileError::Unusable { why, next_step } => Problem {
                why: format!("the MFA session's file {} cannot be used: {why}", path.display()),
                next: format!("Then {next_step}, or run `lifeboat aws login PLAN` again."),
            },
        })?;
        let kept: Kept = serde_json::from_str(&text)
            .map_err(|_| missing(format!("the MFA session's file {} is damaged", path.display())))?;
        if kept.expires <= Timestamp::now() {
            return Err(missing(format!("the MFA session ended at {:.0}", kept.expires)));
        }
        let mut credentials = Credentials::new(
            kept.access_key_id,
            kept.secret_access_key,
            Some(kept.session_token),
            Some(SystemTime::from(kept.expires)),
            "lifeboat aws login",
        );
        credentials
            .get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
            .push(AwsCredentialFeature::CredentialsStsSessionToken);
        Ok(credentials)
    }
}

impl ProvideCredentials for SessionFile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let provided: Provided = self.read().map_err(CredentialsError::provider_error);
        future::ProvideCredentials::ready(provided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AwsSettings {
        AwsSettings { role: Some("role".into()), mfa_serial: Some("device".into()), ..AwsSettings::default() }
    }

    fn file(home: &std::path::Path, settings: &AwsSettings) -> SessionFile {
        SessionFile::new(settings, &[("HOME", home)].into_iter().collect())
    }

    #[test]
    fn a_session_is_kept_for_its_role_and_device_only() {
        let home = tempfile::tempdir().unwrap();
        let ours = file(home.path(), &settings());
        let credentials = Credentials::new("id", "hunter22", Some("token".into()), None, "test");
        let expires = Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let path = ours.keep(&credentials, expires).unwrap();
        assert!(path.starts_with(home.path().join(".local/state/lifeboat/aws")));
        let read = ours.read().unwrap();
        assert_eq!((read.access_key_id(), read.session_token()), ("id", Some("token")));
        let other = AwsSettings { role: Some("other".into()), ..settings() };
        let missing = file(home.path(), &other).read().unwrap_err();
        assert_eq!(missing.why, "nobody logged in with MFA yet");
        assert!(missing.next.contains("lifeboat aws login PLAN"));
    }

    #[test]
    fn one_that_ended_is_said_and_one_without_a_home_cannot_be_kept() {
        let home = tempfile::tempdir().unwrap();
        let credentials = Credentials::new("id", "hunter22", Some("token".into()), None, "test");
        let ours = file(home.path(), &settings());
        ours.keep(&credentials, "2026-01-02T03:04:05.6Z".parse().unwrap()).unwrap();
        assert_eq!(ours.read().unwrap_err().why, "the MFA session ended at 2026-01-02T03:04:05Z");
        let homeless = SessionFile::new(&settings(), &Environment::default());
        let unkept = homeless.keep(&credentials, Timestamp::now()).unwrap_err();
        assert!(unkept.to_string().contains("no home folder") && !unkept.next_step().is_empty());
    }
}
