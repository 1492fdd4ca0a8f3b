//! The kinds of probes, actions and channels that plans are checked against.

use super::kinds::{ActionKind, BuildError, NotifierKind, ProbeKind};
use super::people::Channel;
use super::types::{Plan, ProbeSpec, Step};
use crate::base::toml::near::near_miss;

/// The kinds of probes, actions and channels that a plan can name, and what only their providers can tell of it.
pub struct Registry {
    /// Kinds of probes.
    pub probes: Vec<&'static ProbeKind>,
    /// Kinds of actions.
    pub actions: Vec<&'static ActionKind>,
    /// Kinds of channels.
    pub notifiers: Vec<&'static NotifierKind>,
    /// Makes probes, steps and channels once, with the plan's ways to AWS and Kubernetes.
    pub trial: fn(&Plan) -> Box<dyn Trial>,
    /// `host:port/database` of a connection string, without a secret, or what is wrong with it.
    pub database: fn(&str) -> Result<String, String>,
}

/// Makes what a plan names once, connected to nothing, so that what could not be made in the night is found when the plan
/// is loaded.
pub trait Trial {
    /// Why a probe cannot be made.
    fn probe(&self, probe: &ProbeSpec) -> Option<BuildError>;
    /// Why the action of a step cannot be made.
    fn action(&self, step: &Step) -> Option<BuildError>;
    /// Why a channel cannot be made.
    fn channel(&self, channel: &Channel) -> Option<BuildError>;
}

impl Registry {
    /// The probe kind of that name.
    pub fn probe(&self, name: &str) -> Option<&'static ProbeKind> {
        self.probes.iter().copied().find(|kind| kind.name == name)
    }

    /// The action kind of that name.
    pub fn action(&self, name: &str) -> Option<&'static ActionKind> {
        self.actions.iter().copied().find(|kind| kind.name == name)
    }

    /// The kind of channel of that name.
    pub fn notifier(&self, name: &str) -> Option<&'static NotifierKind> {
        self.notifiers.iter().copied().find(|kind| kind.name == name)
    }

    /// What to write instead of an unknown kind of channel.
    pub(crate) fn notifier_help(&self, name: &str) -> String {
        help(name, self.notifiers.iter().map(|kind| kind.name).collect())
    }

    /// What to write instead of an unknown probe kind.
    pub(crate) fn probe_help(&self, name: &str) -> String {
        help(name, self.probes.iter().map(|kind| kind.name).collect())
    }

    /// What to write instead of an unknown action kind.
    pub(crate) fn action_help(&self, name: &str) -> String {
        help(name, self.actions.iter().map(|kind| kind.name).collect())
    }
}

/// What the names of kinds for AWS begin with, also in a build that has none of them.
const AWS: &[&str] =
    &["arc-", "aws-", "cloudfront-", "cloudwatch-", "eks-", "msk-", "rds-", "route53-", "s3-", "sns-"];

/// The same for Kubernetes.
const KUBE: &[&str] = &["kube-", "velero-", "cnpg-", "gitops-"];

pub(crate) fn is_aws(name: &str) -> bool {
    AWS.iter().any(|prefix| name.starts_with(prefix))
}

pub(crate) fn is_kube(name: &str) -> bool {
    KUBE.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a kind of that name may be in another build, and is not in this one: shipped scenarios name such kinds.
pub(crate) fn is_left_out(name: &str) -> bool {
    !cfg!(feature = "aws") && is_aws(name) || !cfg!(feature = "kube") && is_kube(name)
}

/// What a kind that this build leaves out belongs to.
pub(crate) fn left_out_of(name: &str) -> &'static str {
    if is_kube(name) { "Kubernetes" } else { "AWS" }
}

/// What to do about kinds that another build has.
pub(crate) fn other_build_help(what: &str) -> String {
    format!(
        "this build of lifeboat has no support for {what}: install one that has it (`./install.sh`), or build without \
         `--no-default-features`"
    )
}

fn help(name: &str, known: Vec<&str>) -> String {
    for (what, belongs) in [("AWS", is_aws as fn(&str) -> bool), ("Kubernetes", is_kube)] {
        if belongs(name) && !known.iter().any(|known| belongs(known)) {
            return other_build_help(what);
        }
    }
    near_miss(name, known.iter().copied()).unwrap_or_else(|| format!("known kinds are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_technology_says_so() {
        assert!(help("rds-promote", vec!["exec", "note"]).contains("no support for AWS"));
        assert!(help("kube-scale", vec!["exec", "rds-promote"]).contains("no support for Kubernetes"));
        assert_eq!(help("rds-promot", vec!["exec", "rds-promote"]), "did you mean `rds-promote`?");
        assert_eq!(help("frobnicate", vec!["exec", "note"]), "known kinds are exec, note");
    }
}
