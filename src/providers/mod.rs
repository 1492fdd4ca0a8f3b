//! What lifeboat can see, do and tell, by technology. What a plan must know of a kind stands beside what makes one; a
//! row of its technology joins the two.

mod alertmanager;
#[cfg(feature = "aws")]
pub mod aws;
pub mod clients;
mod files;
pub mod http;
#[cfg(feature = "kube")]
pub mod kube;
pub mod net;
mod people;
pub mod postgres;
pub mod program;
mod saas;
pub mod sets;
pub mod smtp;
#[cfg(test)]
mod tests;
mod wait_for;

use crate::base::environment::Environment;
use crate::kinds;
use crate::kinds::survey::Survey;
use crate::plan::kinds::{ActionKind, BuildError, NotifierKind, ProbeKind};
use crate::plan::params::Params;
use crate::plan::{Channel, ConfirmLevel, Plan, ProbeSpec, Registry, Step, Trial};
use crate::secrets::{Secret, SecretsConfig};
use clients::Clients;
use postgres::client::Postgres;
use std::ops::Deref;
use std::path::Path;

/// A kind, and what makes one of a plan.
pub struct Row<K: 'static, B> {
    /// What a plan must know of it.
    pub kind: &'static K,
    /// Makes one.
    pub build: B,
}

impl<K, B> Deref for Row<K, B> {
    type Target = K;

    fn deref(&self) -> &K {
        self.kind
    }
}

/// A kind of probe.
pub type ProbeRow = Row<ProbeKind, fn(&ProbeSpec, &Clients) -> kinds::probe::Built>;
/// A kind of action.
pub type ActionRow = Row<ActionKind, fn(&Params, &Clients) -> kinds::action::Built>;
/// A kind of channel.
pub type ChannelRow = Row<NotifierKind, fn(&Channel, &Clients) -> kinds::channel::Built>;

/// Makes a technology's survey of a plan.
pub type MakeSurvey = fn(&Clients) -> Box<dyn Survey>;

/// One technology: the kinds that lifeboat has of it.
pub struct Provider {
    /// What it can see.
    pub probes: &'static [ProbeRow],
    /// What it can do.
    pub actions: &'static [ActionRow],
    /// How it can tell people.
    pub channels: &'static [ChannelRow],
    /// How it looks at a whole plan before the night, where there is more to see than each step sees.
    pub survey: Option<MakeSurvey>,
}

impl Provider {
    /// Has no kinds: a technology names those that it has.
    const NONE: Self = Self { probes: &[], actions: &[], channels: &[], survey: None };

    /// Whether a probe of that name is its own.
    pub fn sees(&self, probe: &str) -> bool {
        self.probes.iter().any(|row| row.kind.name == probe)
    }

    /// Whether an action of that name is its own.
    pub fn acts(&self, action: &str) -> bool {
        self.actions.iter().any(|row| row.kind.name == action)
    }
}

/// The row of a module that has a `KIND` and its `build`.
macro_rules! row {
    (self) => {
        $crate::providers::Row { kind: &KIND, build }
    };
    ($($path:ident)::+) => {
        $crate::providers::Row { kind: &$($path)::+::KIND, build: $($path)::+::build }
    };
}
use row;

/// Every technology, in the order of the reference.
static PROVIDERS: &[&Provider] = &[
    &http::PROVIDER,
    &net::PROVIDER,
    &postgres::PROVIDER,
    &files::PROVIDER,
    &program::PROVIDER,
    &alertmanager::PROVIDER,
    &wait_for::PROVIDER,
    &people::PROVIDER,
    &saas::PROVIDER,
    &smtp::PROVIDER,
    #[cfg(feature = "aws")]
    &aws::PROVIDER,
    #[cfg(feature = "kube")]
    &kube::PROVIDER,
];

/// Every technology of this build.
pub fn all() -> impl Iterator<Item = &'static Provider> {
    PROVIDERS.iter().copied()
}

/// Every kind of probe of this build.
pub fn probes() -> impl Iterator<Item = &'static ProbeRow> {
    all().flat_map(|provider| provider.probes)
}

/// Every kind of action.
pub fn actions() -> impl Iterator<Item = &'static ActionRow> {
    all().flat_map(|provider| provider.actions)
}

/// Every kind of channel.
pub fn channels() -> impl Iterator<Item = &'static ChannelRow> {
    all().flat_map(|provider| provider.channels)
}

/// The kind of probe of that name.
pub fn probe(name: &str) -> Option<&'static ProbeRow> {
    probes().find(|row| row.kind.name == name)
}

/// The kind of action of that name.
pub fn action(name: &str) -> Option<&'static ActionRow> {
    actions().find(|row| row.kind.name == name)
}

/// The kind of channel of that name.
pub fn channel(name: &str) -> Option<&'static ChannelRow> {
    channels().find(|row| row.kind.name == name)
}

/// The kinds of this build, for the loader of plans.
pub fn registry() -> Registry {
    Registry {
        probes: probes().map(|row| row.kind).collect(),
        actions: actions().map(|row| row.kind).collect(),
        notifiers: channels().map(|row| row.kind).collect(),
        trial: |plan| Box::new(Unconnected(unconnected(plan, Environment::default()))),
        database,
    }
}

/// `host:port/database` of a connection string, without a secret, or what is wrong with it.
pub fn database(dsn: &str) -> Result<String, String> {
    Postgres::target(&Secret::from_plan(dsn)).map_err(|error| error.message)
}

/// Connections of which none is ever made.
pub fn unconnected(plan: &Plan, environment: Environment) -> Clients {
    let clients = Clients::new(SecretsConfig::default(), Path::new(""), environment);
    clients.with_aws(plan.aws.clone(), "").with_kube(plan.kube.clone())
}

/// Makes what a plan names, connected to nothing.
struct Unconnected(Clients);

impl Trial for Unconnected {
    fn probe(&self, spec: &ProbeSpec) -> Option<BuildError> {
        (probe(&spec.kind)?.build)(spec, &self.0).err()
    }

    fn action(&self, step: &Step) -> Option<BuildError> {
        match (action(&step.action)?.build)(&step.params, &self.0) {
            Ok(made) => made.must_be_typed().filter(|_| step.confirm != ConfirmLevel::Type),
            Err(error) => Some(error),
        }
    }

    fn channel(&self, spec: &Channel) -> Option<BuildError> {
        (channel(&spec.kind)?.build)(spec, &self.0).err()
    }
}
