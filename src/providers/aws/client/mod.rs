//! AWS through the official SDK: one [`Connection`] for each region, with credentials of its own, so that a dead
//! region, its sign-in service included, never slows another one.
//!
//! Reading and changing differ: a read is tried twice, a change once, because a change that may have arrived must
//! not be sent again blindly.

mod account;
mod chain;
mod connection;
mod credentials;
mod elsewhere;
mod error;
mod listing;
mod login;
mod role;
mod session;
mod shared;
mod time;
mod transport;

pub use account::Caller;
pub use connection::{Connection, Purpose};
pub use credentials::CredentialsInUse;
pub use error::{AwsError, AwsErrorKind, Call};
pub use listing::{Listing, present};
pub use session::{Login, LoginError};
pub use shared::Shared;
pub use time::{date_time, timestamp};

use crate::base::environment::Environment;
use crate::plan::AwsSettings;
use crate::providers::net::names::{Directory, SystemNames};
use crate::secrets::Redactor;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use regex::Regex;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};
use tokio::sync::{Mutex, OnceCell};
use transport::Transport;

/// Where a plan's AWS calls go; cheap to clone, and clones share connections.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    settings: AwsSettings,
    /// The session name of an assumed role: who acts, as AWS's own log tells it.
    session: String,
    environment: Environment,
    /// What sends; none where the environment names a proxy, which the SDK's own client goes through.
    http: Option<SharedHttpClient>,
    redactor: Redactor,
    connections: Mutex<HashMap<(String, Purpose), Arc<Opening>>>,
    kept: PlainMutex<HashMap<(String, TypeId), Arc<dyn Any + Send + Sync>>>,
}

/// A connection that is made by whoever needs it first.
type Opening = OnceCell<Arc<Connection>>;

/// A region that a plan named, before anything is connected.
#[derive(Clone)]
pub struct Place {
    aws: Aws,
    /// AWS's name of it (`us-west-2`).
    pub region: String,
}

/// A name that is none of a region.
#[derive(Debug, thiserror::Error)]
#[error("it is neither a region of this plan nor the name of an AWS region (`us-west-2`)")]
pub struct NoSuchRegion;

impl Aws {
    /// Nothing is connected or read yet. `operator` is the login name that AWS's log shows for assumed roles.
    pub fn new(settings: AwsSettings, operator: &str, environment: Environment) -> Self {
        // What AWS allows in a session name: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let session = operator.chars().map(|c| if allowed(c) { c } else { '-' });
        let session = "lifeboat-".chars().chain(session).take(64).collect();
        let (connections, kept, redactor) = (Mutex::default(), PlainMutex::default(), Redactor::new());
        let http = http(&environment, Directory::new(Arc::new(SystemNames)));
        Self { inner: Arc::new(Inner { settings, session, environment, http, redactor, connections, kept }) }
    }

    /// With another way to look up names.
    #[must_use]
    pub fn with_names(mut self, names: Directory) -> Self {
        // Nobody has a clone of it yet.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.http = http(&inner.environment, names);
        }
        self
    }

    /// With the redactor that learns what AWS is shown.
    #[must_use]
    pub fn telling(mut self, redactor: Redactor) -> Self {
        // Nobody has a clone of it yet.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.redactor = redactor;
        }
        self
    }

    /// The region that a plan means: one of its own regions by id, or an AWS region by name.
    ///
    /// # Errors
    /// When it is neither.
    pub fn place(&self, name: &str) -> Result<Place, NoSuchRegion> {
        let region = self.inner.settings.regions.get(name).map_or(name, String::as_str);
        let shape = Regex::new(r"\A[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}\z");
        if !shape.is_ok_and(|shape| shape.is_match(region)) {
            return Err(NoSuchRegion);
        }
        Ok(Place { aws: self.clone(), region: region.to_owned() })
    }

    /// How the plan reaches AWS.
    pub fn settings(&self) -> &AwsSettings {
        &self.inner.settings
    }

    /// The connection of a region, opened by the first who asks. Loading reads the shared files and nothing else, so
    /// that no region waits for another one's network.
    async fn connection(
        &self,
        region: &str,
        purpose: Purpose,
        open: impl Future<Output = Connection>,
    ) -> Arc<Connection> {
        let key = (region.to_owned(), purpose);
        let cell = self.inner.connections.lock().await.entry(key).or_default().clone();
        cell.get_or_init(async || Arc::new(open.await)).await.clone()
    }
}

fn http(environment: &Environment, names: Directory) -> Option<SharedHttpClient> {
    (!environment.names_a_proxy()).then(|| SharedHttpClient::new(Transport::new(names)))
}

impl Place {
    /// What the askers of the region share, by its type: a kind keeps its [`Shared`] here, so that its probes enrol
    /// when they are made, before anything is connected.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.aws.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.region.clone(), TypeId::of::<T>());
        let any = kept.entry(key).or_insert_with(|| Arc::new(T::default())).clone();
        any.downcast().unwrap_or_default()
    }

    /// For calls that change nothing: a second try where the first did not get through.
    pub async fn reader(&self) -> Arc<Connection> {
        let inner = &self.aws.inner;
        let Inner { settings, session, environment, http, redactor, .. } = &**inner;
        let open = Connection::to_read(settings, session, environment, http, &self.region, redactor);
        self.aws.connection(&self.region, Purpose::Read, open).await
    }

    /// For calls that change something: sent once.
    pub async fn writer(&self) -> Arc<Connection> {
        let reader = self.reader().await;
        let Inner { settings, http, .. } = &*self.aws.inner;
        let open = Connection::to_change(settings, http, &reader);
        self.aws.connection(&self.region, Purpose::Change, open).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_one_of_the_plan_or_of_aws() {
        let regions = [("dr".to_owned(), "us-west-2".to_owned()), ("site".to_owned(), "Basement".to_owned())];
        let settings = AwsSettings { regions: regions.into_iter().collect(), ..AwsSettings::default() };
        let aws = Aws::new(settings, "ana", Environment::default());
        let region = |name| aws.place(name).ok().map(|place| place.region);
        assert_eq!(region("dr").as_deref(), Some("us-west-2"));
        assert_eq!(region("us-gov-west-1").as_deref(), Some("us-gov-west-1"));
        assert_eq!(region("site"), None);
        assert_eq!(region("us-west-2.evil.example/"), None);
    }

    #[tokio::test]
    async fn who_reads_a_region_is_who_changes_it() {
        let aws = Aws::new(AwsSettings::default(), "ana", Environment::default());
        let place = |name| aws.place(name).unwrap();
        let (here, there) = (place("us-west-2"), place("us-east-1"));
        let (reader, writer) = (here.reader().await, here.writer().await);
        assert!(reader.shares_credentials_with(&writer));
        assert!(
            !there.writer().await.shares_credentials_with(&reader),
            "a dead region holds up no other one"
        );
    }

    #[test]
    fn a_session_name_is_one_that_aws_takes() {
        let session = |operator: &str| {
            Aws::new(AwsSettings::default(), operator, Environment::default()).inner.session.clone()
        };
        assert_eq!(session("ana"), "lifeboat-ana");
        assert_eq!(session("CORP\\ana müller"), "lifeboat-CORP-ana-m-ller");
        assert_eq!(session(&"x".repeat(99)).len(), 64);
    }
}
