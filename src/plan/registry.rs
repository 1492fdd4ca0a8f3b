//! The kinds of probes, actions and channels that plans are checked against.

use super::near::nearest;
use crate::actions::{self, ActionKind};
use crate::notifiers::{self, NotifierKind};
use crate::probes::{self, ProbeKind};

/// The kinds of probes, actions and channels that a plan can name.
#[derive(Clone, Copy)]
pub struct Registry {
    /// Kinds of probes.
    pub probes: &'static [&'static ProbeKind],
    /// Kinds of actions.
    pub actions: &'static [&'static ActionKind],
    /// Kinds of channels.
    pub notifiers: &'static [&'static NotifierKind],
}

impl Registry {
    /// The kinds of this build.
    pub fn built_in() -> Self {
        Self { probes: probes::KINDS, actions: actions::KINDS, notifiers: notifiers::KINDS }
    }

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

const WITHOUT_AWS: &str = "this build of lifeboat has no support for AWS: install one that has it (`./install.sh`), \
                           or build without `--no-default-features`";

fn is_aws(name: &str) -> bool {
    AWS.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a kind of that name may be in another build, and is not in this one: shipped scenarios name such kinds.
pub(crate) fn is_left_out(name: &str) -> bool {
    !cfg!(feature = "aws") && is_aws(name)
}

/// What to do about kinds that another build has.
pub(crate) fn other_build_help() -> &'static str {
    WITHOUT_AWS
}

fn help(name: &str, known: Vec<&str>) -> String {
    if is_aws(name) && !known.iter().any(|known| is_aws(known)) {
        return WITHOUT_AWS.to_owned();
    }
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known kinds are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_aws_says_so() {
        assert!(help("rds-promote", vec!["exec", "note"]).contains("no support for AWS"));
        assert_eq!(help("rds-promot", vec!["exec", "rds-promote"]), "did you mean `rds-promote`?");
        assert_eq!(help("frobnicate", vec!["exec", "note"]), "known kinds are exec, note");
    }

    #[test]
    fn kinds_of_aws_are_known_by_their_names() {
        let registry = Registry::built_in();
        let probes = registry.probes.iter().map(|kind| (kind.name, kind.permissions));
        let actions = registry.actions.iter().map(|kind| (kind.name, kind.permissions));
        for (name, permissions) in probes.chain(actions) {
            assert_eq!(is_aws(name), !permissions.is_empty(), "{name}");
        }
    }
}
