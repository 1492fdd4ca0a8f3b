//! Shared connections to the outside: PostgreSQL, HTTP, processes. Every call has a deadline.

#[cfg(feature = "aws")]
use crate::providers::aws::client as aws;
#[cfg(feature = "kube")]
use crate::providers::kube::client::Kube;
use std::path::Path;

use crate::base::environment::Environment;
use crate::plan::{AwsSettings, KubeSettings};
use crate::secrets::{Redactor, Resolver, SecretsConfig};

use crate::providers::http::client::Http;
use crate::providers::net::names::{Directory, SystemNames};
use crate::providers::net::own_clock::OwnClock;
use crate::providers::postgres::client::Postgres;

/// The connections that probes and actions share; cheap to clone, and clones share everything.
#[derive(Clone)]
pub struct Clients {
    /// HTTP requests.
    pub http: Http,
    /// What servers say of the time.
    pub clock: OwnClock,
    /// From names to addresses.
    pub names: Directory,
    /// PostgreSQL connections, one for each connection string.
    pub postgres: Postgres,
    /// AWS, a connection for each region.
    #[cfg(feature = "aws")]
    pub aws: aws::Aws,
    /// Kubernetes, a connection for each context.
    #[cfg(feature = "kube")]
    pub kube: Kube,
    /// Where secrets come from.
    pub secrets: Resolver,
    /// Clears text of the secrets that were resolved so far.
    pub redactor: Redactor,
    /// The variables that child processes may be given.
    pub environment: Environment,
}

impl Clients {
    /// Nothing is connected, read or looked up yet. `own_secret_files` is the user's own folder of secret files
    /// (`secrets` in the configuration folder); `environment` is a snapshot of the process's variables.
    pub fn new(secrets: SecretsConfig, own_secret_files: &Path, environment: Environment) -> Self {
        let secrets = Resolver::new(secrets, own_secret_files, environment.clone());
        let redactor = secrets.redactor();
        redactor.learn_environment(&environment);
        let names = Directory::new(std::sync::Arc::new(SystemNames));
        let clock = OwnClock::default();
        Self {
            http: Http::new(redactor.clone())
                .with_names(names.clone())
                .with_clock(clock.clone())
                .with_proxies(&environment),
            postgres: Postgres::new(redactor.clone(), &environment)
                .with_names(names.clone())
                .with_clock(clock.clone()),
            clock,
            #[cfg(feature = "aws")]
            aws: aws::Aws::new(Default::default(), "", environment.clone())
                .with_names(names.clone())
                .telling(redactor.clone()),
            #[cfg(feature = "kube")]
            kube: Kube::new(KubeSettings::default(), environment.clone(), redactor.clone()),
            names,
            secrets,
            redactor,
            environment,
        }
    }

    /// With the plan's way to AWS, where this build has one. `operator` is the login name that AWS's log shows for
    /// assumed roles.
    pub fn with_aws(self, settings: AwsSettings, operator: &str) -> Self {
        #[cfg(feature = "aws")]
        let aws = aws::Aws::new(settings, operator, self.environment.clone())
            .with_names(self.names.clone())
            .telling(self.redactor.clone());
        #[cfg(feature = "aws")]
        let clients = Self { aws, ..self };
        #[cfg(not(feature = "aws"))]
        let (clients, _) = (self, (settings, operator));
        clients
    }

    /// With the plan's way to Kubernetes, where this build has one.
    pub fn with_kube(self, settings: KubeSettings) -> Self {
        #[cfg(feature = "kube")]
        let kube = Kube::new(settings, self.environment.clone(), self.redactor.clone());
        #[cfg(feature = "kube")]
        let clients = Self { kube, ..self };
        #[cfg(not(feature = "kube"))]
        let (clients, _) = (self, settings);
        clients
    }
}
