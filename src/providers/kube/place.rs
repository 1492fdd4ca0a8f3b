//! Where a probe looks and an action acts: context and namespace.

use super::client::{Call, Cluster, IN_CLUSTER, KubeError, is_name};
use crate::kinds::probe::deadline;
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use regex::Regex;
use std::time::Duration;
use tokio::time::Instant;

/// Where a probe looks.
pub const PROBE_CONTEXT: Key = Key::optional(
    "context",
    Takes::Text,
    "A region of the plan that has a `kube_context`, or a context of the kubeconfig; the probe's `region` where absent.",
);
/// Where an action acts.
pub const CONTEXT: Key = Key::required(
    "context",
    Takes::Text,
    "A region of the plan that has a `kube_context`, or a context of the kubeconfig.",
);
/// Which namespace.
pub const NAMESPACE: Key = Key::optional(
    "namespace",
    Takes::Text,
    "The namespace; where absent the one of the context, or `default`.",
);

/// A probe's way to its cluster.
pub struct Reader {
    pub cluster: Cluster,
    /// The namespace that the plan names.
    pub namespace: Option<String>,
    /// How long all calls of a run may take together: less than the engine waits, so that the probe itself says what did
    /// not answer.
    pub within: Duration,
}

impl Reader {
    /// As a probe of the plan has it.
    ///
    /// # Errors
    /// When it names no context, or what is no name of a namespace.
    pub fn of(spec: &ProbeSpec, clients: &Clients) -> Result<Self, BuildError> {
        let own = spec.region.as_ref().map(|region| region.as_str());
        let named = spec.params.text("context");
        let cluster = match (named, own) {
            (Some(context), _) => cluster(context, clients),
            (None, Some(region)) if clients.kube.has_context(region) => clients.kube.cluster(region),
            (None, _) => {
                let why = "the probe names none, and its region has no `kube_context`";
                return Err(BuildError::value("context", own.unwrap_or_default(), why));
            }
        };
        let within = deadline(spec).min(cluster.deadline());
        Ok(Self { cluster, namespace: namespace(&spec.params)?, within })
    }

    /// The plan's namespace, or the one of the context.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or nobody can sign in.
    pub async fn namespace(&self, call: &Call, until: Instant) -> Result<String, KubeError> {
        self.cluster.namespace(self.namespace.as_deref(), call, until).await
    }
}

/// What an action acts in.
pub struct Place {
    pub cluster: Cluster,
    /// The namespace that the plan names.
    pub namespace: Option<String>,
}

impl Place {
    /// As a step of the plan has it.
    ///
    /// # Errors
    /// When it names what is no namespace.
    pub fn of(params: &Params, clients: &Clients) -> Result<Self, BuildError> {
        let context = params.require_text("context")?;
        Ok(Self { cluster: cluster(context, clients), namespace: namespace(params)? })
    }

    /// The plan's namespace, or the one of the context.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or nobody can sign in.
    pub async fn namespace(&self, call: &Call) -> Result<String, KubeError> {
        let until = Instant::now() + self.cluster.deadline();
        self.cluster.namespace(self.namespace.as_deref(), call, until).await
    }

    /// The beginning of the equivalent `kubectl` command.
    pub fn command(&self, words: &[&str]) -> String {
        let mut argv = vec!["kubectl".to_owned()];
        if &*self.cluster.context != IN_CLUSTER {
            argv.extend(["--context".to_owned(), self.cluster.context.to_string()]);
        }
        if let Some(namespace) = &self.namespace {
            argv.extend(["-n".to_owned(), namespace.clone()]);
        }
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        crate::providers::program::source::quoted(&argv)
    }

    /// The same of owned words.
    pub fn command_of(&self, words: &[String]) -> String {
        self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The namespace for people, where the plan names one.
    pub fn words(&self) -> String {
        let place = self.namespace.as_deref().map(|namespace| format!("{namespace} of ")).unwrap_or_default();
        format!("{place}{}", self.cluster.context)
    }
}

fn cluster(name: &str, clients: &Clients) -> Cluster {
    clients.kube.cluster(name)
}

fn namespace(params: &Params) -> Result<Option<String>, BuildError> {
    let Some(name) = params.text("namespace") else { return Ok(None) };
    checked("namespace", name).map(|name| Some(name.to_owned()))
}

/// A name of an object.
///
/// # Errors
/// When no object can have it.
pub fn checked<'a>(key: &str, name: &'a str) -> Result<&'a str, BuildError> {
    let why = "names in Kubernetes have small letters, digits, `-` and `.`";
    if is_name(name) { Ok(name) } else { Err(BuildError::value(key, name, why)) }
}

/// A selector of labels.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>
///
/// # Errors
/// When it is none. An empty one would mean everything.
pub fn selector(params: &Params) -> Result<Option<String>, BuildError> {
    let Some(text) = params.text("selector") else { return Ok(None) };
    let (key, value) = (r"[A-Za-z0-9][A-Za-z0-9_./-]*", r"[A-Za-z0-9_.-]*");
    let equal = format!(r"{key}\s*(?:==?|!=)\s*{value}");
    let among = format!(r"{key}\s+(?:in|notin)\s*\(\s*{value}(?:\s*,\s*{value})*\s*\)");
    let one = format!(r"\s*(?:{among}|{equal}|!?{key})\s*");
    let fits = Regex::new(&format!(r"\A{one}(?:,{one})*\z")).is_ok_and(|regex| regex.is_match(text));
    let why = "it is no selector of labels, such as `tier=front`, `tier!=db`, `env in (dr, prod)`, `!canary`; all are \
               those without one";
    if fits { Ok(Some(text.to_owned())) } else { Err(BuildError::value("selector", text, why)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    #[test]
    fn a_selector_is_checked_before_anybody_is_asked() {
        let of = |text: &str| {
            let mut params = Params::default();
            params.0.insert("selector".into(), Param::Text(text.into()));
            selector(&params).is_ok()
        };
        for good in [
            "tier=front",
            "a==b,c!=d",
            "env in (dr, prod)",
            "x notin (a)",
            "!canary",
            "app.kubernetes.io/name=web",
            "a=",
        ] {
            assert!(of(good), "{good}");
        }
        for bad in ["", " ", "a==b,,(((", "a=b,", "in (a)b", "a b", "a=b c"] {
            assert!(!of(bad), "{bad}");
        }
    }
}
