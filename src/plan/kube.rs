//! `[kube]`: how this plan reaches Kubernetes.

use indexmap::IndexMap;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How this plan reaches Kubernetes. What it does not say is found as `kubectl` finds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KubeSettings {
    /// The kubeconfig files, merged in this order; `KUBECONFIG` or `~/.kube/config` where there are none.
    pub kubeconfig: Vec<String>,
    /// The context of each region of the plan that has one.
    pub contexts: IndexMap<String, String>,
    /// Deadline of one call.
    pub deadline: SignedDuration,
    /// Deadline of a program that signs in (`aws eks get-token`).
    pub plugin_deadline: SignedDuration,
}

impl Default for KubeSettings {
    fn default() -> Self {
        Self {
            kubeconfig: Vec::new(),
            contexts: IndexMap::new(),
            deadline: SignedDuration::from_secs(10),
            plugin_deadline: SignedDuration::from_secs(20),
        }
    }
}
