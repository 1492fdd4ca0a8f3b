//! Which workloads a plan names.

use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{DAEMON_SETS, DEPLOYMENTS, Resource, STATEFUL_SETS};
use crate::providers::kube::place::checked;

/// A workload by its kind and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub resource: Resource,
    pub name: String,
}

impl Named {
    /// Of `web`, `deployment/web`, `sts/db`.
    ///
    /// # Errors
    /// When it names no workload.
    pub fn of(key: &str, text: &str) -> Result<Self, BuildError> {
        let (kind, name) = text.split_once('/').unwrap_or(("deployment", text));
        let resource = match kind {
            "deployment" | "deployments" | "deploy" => DEPLOYMENTS,
            "statefulset" | "statefulsets" | "sts" => STATEFUL_SETS,
            "daemonset" | "daemonsets" | "ds" => DAEMON_SETS,
            _ => {
                let why =
                    "it begins with no kind that runs pods: `deployment/`, `statefulset/` or `daemonset/`";
                return Err(BuildError::value(key, text, why));
            }
        };
        Ok(Self { resource, name: checked(key, name)?.to_owned() })
    }

    /// Whether it is that one.
    pub fn is(&self, resource: Resource, name: &str) -> bool {
        (self.resource, &*self.name) == (resource, name)
    }

    /// As `kubectl` takes it (`deployment/web`).
    pub fn words(&self) -> String {
        format!("{}/{}", self.resource.noun.replace(' ', ""), self.name)
    }
}

/// Those under `names`.
///
/// # Errors
/// As [`Named::of`].
pub fn named(params: &Params) -> Result<Vec<Named>, BuildError> {
    params.texts("names").into_iter().map(|text| Named::of("names", text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_a_deployment() {
        let words = |text: &str| {
            Named::of("names", text).map(|named| named.words()).map_err(|error| error.to_string())
        };
        assert_eq!(words("web").unwrap(), "deployment/web");
        assert_eq!(words("sts/db").unwrap(), "statefulset/db");
        assert_eq!(words("ds/agent").unwrap(), "daemonset/agent");
        assert!(words("pod/web").unwrap_err().contains("no kind that runs pods"));
        assert!(words("deployment/a/b").unwrap_err().contains("small letters"));
    }
}
