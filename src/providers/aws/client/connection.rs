//! A region's clients, made from how users already sign in.

use super::chain::Chain;
use super::credentials::{CredentialCache, CredentialsInUse};
use super::elsewhere;
use super::error::{AwsError, AwsErrorKind, Call};
use super::role::Role;
use super::session::SessionFile;
use crate::base::environment::Environment;
use crate::plan::AwsSettings;
use crate::secrets::Redactor;
use aws_config::identity::IdentityCache;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use futures::future::BoxFuture;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a connection may take: a region that does not take one in this time is not there.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// What a connection is used for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Changes nothing: may be tried again.
    Read,
    /// Changes something: is sent once.
    Change,
}

/// A region's clients; each is made when it is first needed and keeps its connections.
pub struct Connection {
    /// AWS's name of the region.
    pub region: String,
    /// Deadline of one call, tries included.
    pub deadline: Duration,
    config: SdkConfig,
    credentials: CredentialCache,
    rds: OnceLock<aws_sdk_rds::Client>,
    route53: OnceLock<aws_sdk_route53::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    eks: OnceLock<aws_sdk_eks::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    /// The STS of the plan's other regions, with their names.
    pub(super) sts_elsewhere: Vec<(String, aws_sdk_sts::Client)>,
    cloudfront: OnceLock<aws_sdk_cloudfront::Client>,
    kafka: OnceLock<aws_sdk_kafka::Client>,
    backup: OnceLock<aws_sdk_backup::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    quotas: OnceLock<aws_sdk_servicequotas::Client>,
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Connection {
    /// For calls that change nothing.
    pub(super) async fn to_read(
        settings: &AwsSettings,
        session: &str,
        environment: &Environment,
        http: &Option<SharedHttpClient>,
        region: &str,
        redactor: &Redactor,
    ) -> Self {
        let (config, base) = own(settings, http, region, Purpose::Read).await;
        base.tell(redactor);
        let patience = settings.deadline.unsigned_abs().mul_f64(0.8);
        let credentials = match Role::of(settings, &config, &base, session) {
            _ if settings.mfa_serial.is_some() => {
                CredentialCache::new(SessionFile::new(settings, environment), patience)
            }
            Some(role) => CredentialCache::new(role, patience),
            None => base,
        };
        credentials.tell(redactor);
        Self::new(settings, region, config, credentials)
    }

    /// For calls that change something: with the credentials of those that read, so that who was told to be calling
    /// is who calls.
    pub(super) async fn to_change(
        settings: &AwsSettings,
        http: &Option<SharedHttpClient>,
        reader: &Self,
    ) -> Self {
        let (config, _) = own(settings, http, &reader.region, Purpose::Change).await;
        Self::new(settings, &reader.region, config, reader.credentials.clone())
    }

    fn new(settings: &AwsSettings, region: &str, config: SdkConfig, credentials: CredentialCache) -> Self {
        let provider = SharedCredentialsProvider::new(credentials.clone());
        let config = config.into_builder().credentials_provider(provider).build();
        Self {
            region: region.to_owned(),
            deadline: settings.deadline.unsigned_abs(),
            sts_elsewhere: elsewhere::others(settings, &config, region),
            config,
            credentials,
            rds: OnceLock::new(),
            route53: OnceLock::new(),
            cloudwatch: OnceLock::new(),
            s3: OnceLock::new(),
            sns: OnceLock::new(),
            eks: OnceLock::new(),
            sts: OnceLock::new(),
            cloudfront: OnceLock::new(),
            kafka: OnceLock::new(),
            backup: OnceLock::new(),
            iam: OnceLock::new(),
            quotas: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    /// The region's credentials, endpoints and time-outs, for clients that need another address.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    #[cfg(test)]
    pub(super) fn shares_credentials_with(&self, other: &Self) -> bool {
        self.credentials.is(&other.credentials)
    }

    /// What tells the credentials of now from others, and is no secret.
    pub(super) async fn key_id(&self) -> Option<String> {
        self.credentials.key_id().await
    }

    /// Where the credentials of the last call came from, and when they end; none before the first call.
    pub fn credentials_in_use(&self) -> Option<CredentialsInUse> {
        self.credentials.in_use()
    }

    /// RDS and Aurora.
    pub fn rds(&self) -> &aws_sdk_rds::Client {
        self.rds.get_or_init(|| aws_sdk_rds::Client::new(&self.config))
    }

    /// Route 53.
    pub fn route53(&self) -> &aws_sdk_route53::Client {
        self.route53.get_or_init(|| aws_sdk_route53::Client::new(&self.config))
    }

    /// CloudWatch.
    pub fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        self.cloudwatch.get_or_init(|| aws_sdk_cloudwatch::Client::new(&self.config))
    }

    /// S3. With an endpoint of the plan buckets are in the path: what answers there has no name for each bucket.
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.get_or_init(|| {
            let own = self.config.endpoint_url().is_some();
            let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(own);
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    /// SNS.
    pub fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| aws_sdk_sns::Client::new(&self.config))
    }

    /// EKS.
    pub fn eks(&self) -> &aws_sdk_eks::Client {
        self.eks.get_or_init(|| aws_sdk_eks::Client::new(&self.config))
    }

    /// STS, the region's own.
    pub fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| aws_sdk_sts::Client::new(&self.config))
    }

    /// CloudFront.
    pub fn cloudfront(&self) -> &aws_sdk_cloudfront::Client {
        self.cloudfront.get_or_init(|| aws_sdk_cloudfront::Client::new(&self.config))
    }

    /// MSK.
    pub fn kafka(&self) -> &aws_sdk_kafka::Client {
        self.kafka.get_or_init(|| aws_sdk_kafka::Client::new(&self.config))
    }

    /// AWS Backup.
    pub fn backup(&self) -> &aws_sdk_backup::Client {
        self.backup.get_or_init(|| aws_sdk_backup::Client::new(&self.config))
    }

    /// IAM.
    pub fn iam(&self) -> &aws_sdk_iam::Client {
        self.iam.get_or_init(|| aws_sdk_iam::Client::new(&self.config))
    }

    /// Service Quotas.
    pub fn quotas(&self) -> &aws_sdk_servicequotas::Client {
        self.quotas.get_or_init(|| aws_sdk_servicequotas::Client::new(&self.config))
    }

    /// What the askers of one region share, by its type: a kind keeps its [`super::Shared`] here.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let any = kept.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        any.downcast().unwrap_or_default()
    }

    /// Sends a call within the plan's deadline, and sorts what went wrong. The SDK's futures are large, so that they are
    /// not kept within those of whoever waits for them.
    ///
    /// # Errors
    /// As [`AwsError`] tells: what failed, on what, why, what to do, and whether it may have acted.
    pub fn call<'a, T, E>(
        &'a self,
        call: &'a Call,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, AwsError>>
    where
        T: Send + 'a,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.call_within(call, self.deadline, send)
    }

    /// The same within another deadline.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_within<'a, T, E>(
        &'a self,
        call: &'a Call,
        within: Duration,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, AwsError>>
    where
        T: Send + 'a,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Box::pin(deliver(call, &self.region, within, &self.credentials, Box::pin(send)))
    }
}

/// Waits for an answer within a deadline and sorts what went wrong. Credentials that AWS does not take are fetched
/// anew for the next call.
pub(super) async fn deliver<T, E>(
    call: &Call,
    region: &str,
    within: Duration,
    credentials: &CredentialCache,
    send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, AwsError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let result = match tokio::time::timeout(within, send).await {
        Ok(result) => result.map_err(|error| AwsError::of(call, region, &error)),
        Err(_) => Err(AwsError::late(call, region, within)),
    };
    if let Err(error) = &result
        && matches!(error.kind, AwsErrorKind::Expired | AwsErrorKind::Rejected)
    {
        credentials.refused();
    }
    result
}

/// A region's configuration with the caller's own credentials.
pub(super) async fn own(
    settings: &AwsSettings,
    http: &Option<SharedHttpClient>,
    region: &str,
    purpose: Purpose,
) -> (SdkConfig, CredentialCache) {
    let deadline = settings.deadline.unsigned_abs();
    let retry = match purpose {
        Purpose::Read => {
            RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(200))
        }
        Purpose::Change => RetryConfig::disabled(),
    };
    // Whole calls are timed by `Connection::call`; a read that hangs leaves time for the second try.
    let mut timeouts = TimeoutConfig::builder().connect_timeout(CONNECT);
    if purpose == Purpose::Read {
        timeouts = timeouts.operation_attempt_timeout(deadline.mul_f64(0.6));
    }
    let timeouts = timeouts.build();
    let chain = Chain {
        profile: settings.profile.clone(),
        region: Region::new(region.to_owned()),
        timeouts: TimeoutConfig::builder().connect_timeout(CONNECT).build(),
        http: http.clone(),
    };
    let credentials = CredentialCache::new(chain, deadline.mul_f64(0.5));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(retry)
        .timeout_config(timeouts)
        // The keeper is the cache.
        .identity_cache(IdentityCache::no_cache())
        .credentials_provider(SharedCredentialsProvider::new(credentials.clone()));
    if let Some(http) = http {
        loader = loader.http_client(http.clone());
    }
    if let Ok(name) = AppName::new("lifeboat") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = endpoint(settings, region) {
        loader = loader.endpoint_url(endpoint);
    }
    (loader.load().await, credentials)
}

/// Where a region answers instead of its public addresses.
pub(super) fn endpoint<'a>(settings: &'a AwsSettings, region: &str) -> Option<&'a String> {
    let named = |id: &String| settings.regions.get(id).is_some_and(|name| name == region);
    let own = settings.endpoints.iter().find(|(id, _)| named(id));
    own.map(|(_, endpoint)| endpoint).or(settings.endpoint.as_ref())
}
