//! Credentials that a region's clients share: loaded once for all, bounded in time, and used until they end when new
//! ones cannot be had.

use super::error::innermost;
use crate::base::problem::Problem;
use crate::secrets::Redactor;
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// New ones are fetched this long before the old ones end.
const AHEAD: Duration = Duration::from_secs(300);

/// How long credentials without an end count before the files are read again: another tool may have written new ones.
const ENDLESS: Duration = Duration::from_secs(60);

/// How long a failure counts: a hundred probes without credentials must not ask a hundred times.
const FAILED: Duration = Duration::from_secs(3);

/// When an attempt that goes on in the background is given up (a `credential_process` that hangs).
const GIVE_UP: Duration = Duration::from_secs(120);

/// Where the credentials in use come from, and when they end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialsInUse {
    /// In words (`AWS SSO, of a profile`).
    pub source: String,
    /// When they end; none for keys without an end.
    pub expires: Option<Timestamp>,
}

type Loading = Shared<BoxFuture<'static, Result<Credentials, Problem>>>;

/// A provider whose answers are kept. Clones share them.
#[derive(Clone)]
pub(super) struct CredentialCache {
    inner: Arc<Inner>,
}

struct Inner {
    provider: SharedCredentialsProvider,
    /// How long a caller waits; the attempt itself goes on.
    patience: Duration,
    state: Mutex<State>,
    /// Learns what AWS is shown, so that nobody who echoes it brings it into a record.
    redactor: OnceLock<Redactor>,
}

#[derive(Default)]
struct State {
    good: Option<Good>,
    failed: Option<(Instant, Problem)>,
    loading: Option<Loading>,
}

struct Good {
    credentials: Credentials,
    at: Instant,
    /// AWS refused them: what the files say now may be newer.
    refused: bool,
}

impl std::fmt::Debug for CredentialCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

impl CredentialCache {
    /// Keeps what `provider` gives; a caller waits up to `patience` for it.
    pub fn new(provider: impl ProvideCredentials + 'static, patience: Duration) -> Self {
        let provider = SharedCredentialsProvider::new(provider);
        let (state, redactor) = (Mutex::default(), OnceLock::new());
        Self { inner: Arc::new(Inner { provider, patience, state, redactor }) }
    }

    /// Whatever is loaded from now on is told to this redactor.
    pub fn tell(&self, redactor: &Redactor) {
        // The first one stays: all clients of a process share one.
        let _ = self.inner.redactor.set(redactor.clone());
    }

    /// AWS does not take the credentials: the next caller gets new ones, if there are any.
    pub fn refused(&self) {
        if let Some(good) = &mut self.inner.lock().good {
            good.refused = true;
        }
    }

    /// Where the last credentials came from.
    pub fn in_use(&self) -> Option<CredentialsInUse> {
        let state = self.inner.lock();
        let credentials = &state.good.as_ref()?.credentials;
        let expires = credentials.expiry().and_then(|at| Timestamp::try_from(at).ok());
        Some(CredentialsInUse { source: source(credentials), expires })
    }

    /// Whether both give the same credentials at any time.
    #[cfg(test)]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The public part of the credentials that a call would use now: other credentials have another one. None where
    /// there are none.
    pub async fn key_id(&self) -> Option<String> {
        self.get().await.ok().map(|credentials| credentials.access_key_id().to_owned())
    }

    async fn get(&self) -> Result<Credentials, Problem> {
        let loading = {
            let mut state = self.inner.lock();
            if let Some(good) = state.good.as_ref().filter(|good| good.is_fresh()) {
                return Ok(good.credentials.clone());
            }
            match state.failed.as_ref().filter(|(at, _)| at.elapsed() < FAILED) {
                Some((_, failure)) => return state.or_old(failure.clone()),
                None => state.loading.get_or_insert_with(|| self.load()).clone(),
            }
        };
        match tokio::time::timeout(self.inner.patience, loading).await {
            Ok(Ok(credentials)) => Ok(credentials),
            Ok(Err(failure)) => self.inner.lock().or_old(failure),
            Err(_) => self.inner.lock().or_old(Problem {
                why: format!("no answer within {} s", self.inner.patience.as_secs_f64()),
                next: "Look at what gives the credentials (a `credential_process`, AWS SSO, the role's STS): it \
                       hangs. Nothing was sent to AWS."
                    .into(),
            }),
        }
    }

    /// Loads in a task of its own: who gives up waiting does not start a second `credential_process`.
    fn load(&self) -> Loading {
        let inner = self.inner.clone();
        let task = tokio::spawn(async move {
            let loaded = tokio::time::timeout(GIVE_UP, inner.provider.provide_credentials()).await;
            let loaded = match loaded {
                Ok(loaded) => loaded.map_err(|error| explained(&error)),
                Err(_) => Err(explained(&CredentialsError::provider_timed_out(GIVE_UP))),
            };
            if let Ok(credentials) = &loaded {
                inner.learn(credentials);
            }
            inner.lock().finish(&loaded);
            loaded
        });
        let inner = self.inner.clone();
        let lost = move |_| {
            let why = "the attempt to get them broke off".to_owned();
            let next = "Try again; please report this when it happens again.".into();
            let failed = Err(Problem { why, next });
            inner.lock().finish(&failed);
            failed
        };
        task.map(move |ended| ended.unwrap_or_else(lost)).boxed().shared()
    }
}

impl Inner {
    fn learn(&self, credentials: &Credentials) {
        let Some(redactor) = self.redactor.get() else { return };
        redactor.learn_value("AWS secret access key", credentials.secret_access_key());
        if let Some(token) = credentials.session_token() {
            redactor.learn_value("AWS session token", token);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn finish(&mut self, loaded: &Result<Credentials, Problem>) {
        self.loading = None;
        match loaded {
            Ok(credentials) => {
                self.good =
                    Some(Good { credentials: credentials.clone(), at: Instant::now(), refused: false });
                self.failed = None;
            }
            Err(failure) => self.failed = Some((Instant::now(), failure.clone())),
        }
    }

    /// The old credentials while AWS still takes them: a sign-in service that is down stops nobody who is in.
    fn or_old(&self, failure: Problem) -> Result<Credentials, Problem> {
        match self.good.as_ref().filter(|good| !good.refused && good.left() > Duration::ZERO) {
            Some(good) => Ok(good.credentials.clone()),
            None => Err(failure),
        }
    }
}

impl Good {
    fn is_fresh(&self) -> bool {
        let new = self.at.elapsed() < ENDLESS;
        let fresh = match self.credentials.expiry() {
            // What lasts less than the usual margin is not asked for again with each call.
            Some(_) => self.left() > AHEAD || new && self.left() > Duration::ZERO,
            None => new,
        };
        fresh && !self.refused
    }

    fn left(&self) -> Duration {
        let left = |expiry: SystemTime| expiry.duration_since(SystemTime::now()).unwrap_or_default();
        self.credentials.expiry().map_or(Duration::MAX, left)
    }
}

impl ProvideCredentials for CredentialCache {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.get().await.map_err(CredentialsError::provider_error) })
    }
}

/// What a provider's error means; one that a provider of ours wrote for the operator stays as it is.
pub(super) fn explained(error: &CredentialsError) -> Problem {
    if let Some(own) = super::error::chain(error).find_map(|error| error.downcast_ref::<Problem>()) {
        return own.clone();
    }
    let next = |text: &str| format!("{text} The files are read again by itself; nothing was sent to AWS.");
    match error {
        CredentialsError::CredentialsNotLoaded(_) => Problem {
            why: "none in the environment, the profile, web identity, container or instance metadata".into(),
            next: next("Sign in (`aws sso login`, `lifeboat aws login PLAN`), or name a profile in `[aws]`."),
        },
        _ if is_file(error) => Problem {
            why: format!("a file on the way to them cannot be read: {}", innermost(error)),
            next: next(
                "Check the file that AWS_WEB_IDENTITY_TOKEN_FILE or the profile names: path and rights.",
            ),
        },
        CredentialsError::InvalidConfiguration(_) => Problem {
            why: innermost(error),
            next: next("Correct the profile in ~/.aws/config, or `profile` in the plan's `[aws]`."),
        },
        _ => Problem {
            why: innermost(error),
            next: next(
                "Mend what gives the credentials: the message is its own; sign in again if it asks for it.",
            ),
        },
    }
}

/// The system's own words for a path that is not there or not allowed: the SDK hands on no more than these.
fn is_file(error: &(dyn std::error::Error + 'static)) -> bool {
    let said = innermost(error);
    said.ends_with("(os error 2)") || said.ends_with("(os error 13)")
}

/// Where credentials come from, as the SDK marks them.
fn source(credentials: &Credentials) -> String {
    let features = credentials.get_property::<Vec<Feature>>().map_or(&[][..], Vec::as_slice);
    let mut words: Vec<&str> = features.iter().filter_map(words).collect();
    words.dedup();
    if words.len() > 1 {
        // The SDK marks whatever a profile leads to as of a profile, too.
        words.retain(|word| *word != KEYS_OF_PROFILE);
    }
    match words.is_empty() {
        true => "not told by the SDK".into(),
        false => words.join(", then "),
    }
}

const KEYS_OF_PROFILE: &str = "keys of a profile";

fn words(feature: &Feature) -> Option<&'static str> {
    Some(match feature {
        Feature::CredentialsEnvVars => "environment variables",
        Feature::CredentialsEnvVarsStsWebIdToken | Feature::CredentialsProfileStsWebIdToken => "web identity",
        Feature::CredentialsStsAssumeRole => "an assumed role",
        Feature::CredentialsStsAssumeRoleWebId => "a role of a web identity",
        Feature::CredentialsProfile => KEYS_OF_PROFILE,
        Feature::CredentialsProfileSourceProfile => "a profile's source profile",
        Feature::CredentialsProfileNamedProvider => "a profile's credential source",
        Feature::CredentialsProfileSso | Feature::CredentialsSso => "AWS SSO",
        Feature::CredentialsProfileProcess | Feature::CredentialsProcess => "a credential process",
        Feature::CredentialsHttp => "the container",
        Feature::CredentialsImds => "instance metadata",
        Feature::CredentialsProfileLogin | Feature::CredentialsLogin => "aws login",
        Feature::CredentialsStsSessionToken => "an MFA session",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
