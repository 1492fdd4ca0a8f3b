//! A region's clients, made from how users already sign in.

use super::error::{AwsError, Call};
use crate::clients::Environment;
use crate::plan::AwsSettings;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a connection may take: a region that does not take one in this time is not there.
const CONNECT: Duration = Duration::from_secs(3);

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
    rds: OnceLock<aws_sdk_rds::Client>,
    route53: OnceLock<aws_sdk_route53::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    eks: OnceLock<aws_sdk_eks::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    cloudfront: OnceLock<aws_sdk_cloudfront::Client>,
    kafka: OnceLock<aws_sdk_kafka::Client>,
    backup: OnceLock<aws_sdk_backup::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    quotas: OnceLock<aws_sdk_servicequotas::Client>,
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Connection {
    pub(super) async fn open(
        settings: &AwsSettings,
        session: &str,
        _environment: &Environment,
        region: &str,
        purpose: Purpose,
    ) -> Self {
        let deadline = settings.deadline.unsigned_abs();
        let config = base(settings, region, purpose, deadline).await;
        let config = match &settings.role {
            Some(role) => assume(config, role, settings, session).await,
            None => config,
        };
        Self {
            region: region.to_owned(),
            deadline,
            config,
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

    /// Sends a call within the plan's deadline, and sorts what went wrong.
    ///
    /// # Errors
    /// As [`AwsError`] tells: what failed, on what, why, what to do, and whether it may have acted.
    pub async fn call<T, E>(
        &self,
        call: &Call,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, AwsError>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.call_within(call, self.deadline, send).await
    }

    /// The same within another deadline.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_within<T, E>(
        &self,
        call: &Call,
        within: Duration,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, AwsError>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        match tokio::time::timeout(within, send).await {
            Ok(result) => result.map_err(|error| AwsError::of(call, &self.region, &error)),
            Err(_) => Err(AwsError::late(call, &self.region, within)),
        }
    }
}

async fn base(settings: &AwsSettings, region: &str, purpose: Purpose, deadline: Duration) -> SdkConfig {
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
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(retry)
        .timeout_config(timeouts.build());
    if let Ok(name) = AppName::new("lifeboat") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    let own = settings
        .endpoints
        .iter()
        .find(|(id, _)| settings.regions.get(*id).is_some_and(|name| name == region));
    if let Some(endpoint) = own.map(|(_, endpoint)| endpoint).or(settings.endpoint.as_ref()) {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

/// Signs in at the region's own STS: a role must not need the region that is down.
async fn assume(config: SdkConfig, role: &str, settings: &AwsSettings, session: &str) -> SdkConfig {
    let mut provider = AssumeRoleProvider::builder(role)
        .session_name(session)
        .session_length(settings.session.unsigned_abs())
        .configure(&config);
    if let Some(id) = &settings.external_id {
        provider = provider.external_id(id);
    }
    let provider = provider.build().await;
    config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}
