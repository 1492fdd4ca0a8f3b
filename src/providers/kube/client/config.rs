//! From the kubeconfig files to who answers where, as what user.

use super::error::{Call, KubeError, KubeErrorKind};
use super::{Cluster, IN_CLUSTER};
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The files that are read, with when each was written: a new sign-in writes them anew.
pub(super) type Stamp = Vec<(PathBuf, Option<SystemTime>)>;

impl Cluster {
    /// The kubeconfig files, in their order.
    fn files(&self) -> Vec<PathBuf> {
        let settings = &self.inner.settings;
        let environment = &self.inner.environment;
        let home = environment.get("HOME").map(PathBuf::from);
        if !settings.kubeconfig.is_empty() {
            return settings.kubeconfig.iter().map(PathBuf::from).collect();
        }
        let named: Vec<PathBuf> = environment
            .get("KUBECONFIG")
            .map(|paths| std::env::split_paths(paths).filter(|path| !path.as_os_str().is_empty()).collect())
            .unwrap_or_default();
        match named.is_empty() {
            true => home.into_iter().map(|home| home.join(".kube/config")).collect(),
            false => named,
        }
    }

    /// What the files are now.
    pub(super) fn stamp(&self) -> Stamp {
        let written = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
        self.files().into_iter().map(|path| (path.clone(), written(&path))).collect()
    }

    /// Reads them. As `kubectl` does, it leaves out those that are not there, as long as one is.
    pub(super) async fn config(&self, call: &Call) -> Result<Config, KubeError> {
        let context: &str = &self.context;
        let failed = |message: String| KubeError::new(context, call, KubeErrorKind::NoConfig, message);
        let mut config = if context == IN_CLUSTER {
            Config::incluster().map_err(|error| {
                failed(format!("lifeboat does not run in a cluster: {}", self.shown(&error.to_string(), 200)))
            })?
        } else {
            let read = self.merged().map_err(&failed)?;
            if !read.contexts.iter().any(|known| known.name == context) {
                let known: Vec<_> = read.contexts.iter().map(|known| known.name.as_str()).collect();
                let known = self.shown(&known.join(", "), 200);
                let has = if known.is_empty() { "it has none".into() } else { format!("it has {known}") };
                return Err(failed(format!("the kubeconfig has no context `{context}`: {has}")));
            }
            let options = KubeConfigOptions { context: Some(context.to_owned()), ..Default::default() };
            let proxy = proxy_of(&read, context);
            let config = Config::from_custom_kubeconfig(read, &options).await;
            let mut config = config.map_err(|error| failed(self.words(&error)))?;
            // `kube` leaves out a proxy whose own address is in NO_PROXY, and takes that of the environment for the cluster's own.
            config.proxy_url = proxy;
            config
        };
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = None;
        // A change that may have arrived is not sent again.
        config.default_retry = false;
        Ok(config)
    }

    fn merged(&self) -> Result<Kubeconfig, String> {
        let files = self.files();
        let there: Vec<&PathBuf> = files.iter().filter(|path| path.exists()).collect();
        if there.is_empty() {
            let named = files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            return Err(match named.is_empty() {
                true => "there is no kubeconfig: neither KUBECONFIG nor HOME is set".to_owned(),
                false => format!("there is no kubeconfig: {named} is not there"),
            });
        }
        there.into_iter().try_fold(Kubeconfig::default(), |merged, path| {
            let read = Kubeconfig::read_from(path).and_then(|next| merged.merge(next));
            read.map_err(|error| format!("{}: {}", path.display(), self.words(&error)))
        })
    }

    /// What is wrong with a kubeconfig, without a word of what stands in it: a parser quotes lines, and lines hold keys.
    fn words(&self, error: &KubeconfigError) -> String {
        match error {
            KubeconfigError::Parse(_) => "it is no YAML, or not a kubeconfig".to_owned(),
            KubeconfigError::ReadConfig(cause, _) => format!("it cannot be read: {cause}"),
            KubeconfigError::LoadClusterOfContext(cluster) => {
                format!("the context names the cluster `{}`, which is not there", self.shown(cluster, 100))
            }
            KubeconfigError::MissingClusterUrl => "the context's cluster has no `server`".to_owned(),
            KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
                "the certificate authority that it names cannot be read".to_owned()
            }
            KubeconfigError::ParseProxyUrl(_) => "its `proxy-url` is no address".to_owned(),
            KubeconfigError::ParseClusterUrl(_) => "the `server` of its cluster is no address".to_owned(),
            other => self.shown(&other.to_string(), 200),
        }
    }
}

/// The proxy that the kubeconfig names for the cluster of a context.
fn proxy_of(read: &Kubeconfig, context: &str) -> Option<http::Uri> {
    let context = read.contexts.iter().find(|known| known.name == context)?.context.as_ref()?;
    let cluster = read.clusters.iter().find(|known| known.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.as_ref().filter(|proxy| !proxy.is_empty())?.parse().ok()
}
