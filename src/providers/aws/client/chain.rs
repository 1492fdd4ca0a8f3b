//! The credentials that every AWS tool finds, looked for anew each time.
use crate::base::problem::Problem;
use crate::base::text::clean;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;

/// The profile that a plan names, and nothing else: keys that happen to be in the environment, or the host's own role,
/// would act on another account. Without one: environment, profile (keys, SSO, roles, `credential_process`), web identity, container and instance metadata, in the
/// SDK's order. The SDK reads the shared files once for each chain: an engine that runs for weeks makes a new chain
/// when it needs new credentials, so that who signs in again need not restart it.
#[derive(Debug)]
pub(super) struct Chain {
    pub profile: Option<String>,
    /// Where STS and SSO roles are asked for.
    pub region: Region,
    pub timeouts: TimeoutConfig,
    /// What sends, where it is not the SDK's own client.
    pub http: Option<SharedHttpClient>,
}

impl Chain {
    async fn provide(&self) -> Result {
        let mut config = ProviderConfig::without_region()
            .with_region(Some(self.region.clone()))
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_timeout_config(self.timeouts.clone());
        if let Some(http) = &self.http {
            config = config.with_http_client(http.clone());
        }
        if let Some(profile) = &self.profile {
            let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile);
            let provided = provider.build().provide_credentials().await;
            return provided.map_err(|error| absent(profile, error));
        }
        let chain = DefaultCredentialsChain::builder().configure(config).region(self.region.clone());
        chain.build().await.provide_credentials().await
    }
}

/// The SDK says that nothing was found, and not where it looked.
fn absent(profile: &str, error: CredentialsError) -> CredentialsError {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsError::provider_error(Problem {
            why: format!("the profile {} is not in the AWS files, or gives none", clean(profile, 100)),
            next: "Correct `profile` in the plan's `[aws]`, or write the profile into ~/.aws/config of the engine's \
                   user. The file is read again by itself; nothing was sent to AWS."
                .into(),
        }),
        other => other,
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}
