//! The kinds of probes and actions that plans are checked against.

use super::near::nearest;
use crate::actions::{self, ActionKind};
use crate::probes::{self, ProbeKind};

/// The kinds of probes and actions that a plan can name.
#[derive(Clone, Copy)]
pub struct Registry {
    /// Kinds of probes.
    pub probes: &'static [&'static ProbeKind],
    /// Kinds of actions.
    pub actions: &'static [&'static ActionKind],
}

impl Registry {
    /// The kinds of this build.
    pub fn built_in() -> Self {
        Self { probes: probes::KINDS, actions: actions::KINDS }
    }

    /// The probe kind of that name.
    pub fn probe(&self, name: &str) -> Option<&'static ProbeKind> {
        self.probes.iter().copied().find(|kind| kind.name == name)
    }

    /// The action kind of that name.
    pub fn action(&self, name: &str) -> Option<&'static ActionKind> {
        self.actions.iter().copied().find(|kind| kind.name == name)
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

fn help(name: &str, known: Vec<&str>) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known kinds are {}", known.join(", ")),
    }
}
