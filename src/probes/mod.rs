//! Probes: periodic measurements. One file per kind, one line per kind in [`KINDS`].

mod alertmanager;
#[cfg(feature = "aws")]
pub(crate) mod aws;
mod exec;
mod file_age;
mod http;
mod postgres;
mod postgres_backup;
mod postgres_replication;
mod series;
pub(crate) mod source;
mod tcp;

pub(crate) use postgres::{read as read_postgres, timeline};

use crate::base::units::Unit;
use crate::core::reading::{Measurement, ProbeFailure};
use crate::plan::ProbeSpec;
use crate::plan::keys::Key;
use futures::future::BoxFuture;

/// One measurement that can be taken again and again. It may keep what it needs between two runs
/// (a connection, the previous value) behind its own lock.
pub trait Probe: Send + Sync {
    /// Measures once. `Ok` is a measurement, also of something that is down; `Err` means that nothing
    /// could be measured, so that the signal is unknown. The engine cuts it off at the plan's deadline,
    /// which counts as `Err`, so a probe for which silence is an answer keeps its own, shorter deadline
    /// (see [`deadline`]).
    fn run(&self) -> BoxFuture<'_, Result<Measurement, ProbeFailure>>;

    /// Whether one call to the outside answers for many probes like it. They run at the same moment, so that none
    /// waits for its turn while the answer grows old.
    fn shares_its_call(&self) -> bool {
        false
    }
}

/// The time that a probe gives the outside before it calls silence an answer: nine tenths of the plan's
/// `timeout`, so that the probe's own verdict comes before the engine's cut.
pub fn deadline(spec: &ProbeSpec) -> std::time::Duration {
    spec.timeout.unsigned_abs().mul_f64(0.9)
}

/// A probe made from a plan, or why it cannot be.
pub type Built = Result<Box<dyn Probe>, BuildError>;

/// What the registry knows of a kind of probe.
pub struct ProbeKind {
    /// As in `kind = "…"`.
    pub name: &'static str,
    /// One paragraph for the reference.
    pub doc: &'static str,
    /// Unit of the value that `warn` and `critical` bound.
    pub unit: Unit,
    /// What it takes besides the keys that every probe has.
    pub keys: &'static [Key],
    /// The fields of a measurement, with what each means: `signals['x'].fields.…`. [`ANY_FIELD`] stands for
    /// names that the plan chooses.
    pub fields: &'static [(&'static str, &'static str)],
    /// The permissions that it needs, in the words of the provider's access control (`rds:DescribeDBInstances`).
    pub permissions: &'static [&'static str],
    /// A complete `[probes.example]` table.
    pub example: &'static str,
    /// What does not do among its keys, each for itself of the right type: found when the plan is loaded. It asks
    /// nothing outside.
    pub check: fn(&ProbeSpec) -> Vec<BuildError>,
    /// Makes the probe of a plan.
    pub build: fn(&ProbeSpec, &crate::clients::Clients) -> Built,
}

/// Stands among a kind's fields for names that the plan chooses.
pub const ANY_FIELD: &str = "…";

impl ProbeKind {
    /// Whether a measurement can have that field.
    pub fn has_field(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| *field == name || *field == ANY_FIELD)
    }
}

/// For kinds whose keys need no check of their own.
pub fn unchecked(_: &ProbeSpec) -> Vec<BuildError> {
    Vec::new()
}

/// What several looks at the keys found.
pub(crate) fn faults<const LOOKS: usize>(found: [Option<BuildError>; LOOKS]) -> Vec<BuildError> {
    found.into_iter().flatten().collect()
}

/// A probe or action of a plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No such kind in the registry.
    #[error("there is no {what} kind `{kind}` in this build of lifeboat: run `lifeboat check` on the plan")]
    UnknownKind {
        /// `probe` or `action`.
        what: &'static str,
        /// What the plan says.
        kind: String,
    },
    /// A key is missing or has another type.
    #[error(transparent)]
    Param(#[from] crate::plan::params::ParamError),
    /// A value that does not do.
    #[error("{key} = \"{value}\" does not do: {why}")]
    Value {
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// Why, and what would do.
        why: String,
    },
}

impl BuildError {
    /// A value that does not do.
    pub(crate) fn value(key: &str, value: &str, why: impl Into<String>) -> Self {
        Self::Value { key: key.into(), value: value.into(), why: why.into() }
    }

    /// The key that it is about, and what is wrong with it; none of a kind that there is not.
    pub(crate) fn fault(&self) -> Option<(&str, String)> {
        match self {
            Self::UnknownKind { .. } => None,
            Self::Param(error) => Some((&error.key, format!("it is not {}", error.expected))),
            Self::Value { key, why, .. } => Some((key, why.clone())),
        }
    }
}

/// Every kind of probe, in the order of the reference.
pub static KINDS: &[&ProbeKind] = &[
    &http::KIND,
    &tcp::KIND,
    &postgres::KIND,
    &postgres_replication::KIND,
    &postgres_backup::KIND,
    &file_age::KIND,
    &exec::KIND,
    &alertmanager::KIND,
    #[cfg(feature = "aws")]
    &aws::arc_routing_control::KIND,
    #[cfg(feature = "aws")]
    &aws::aws_backup::KIND,
    #[cfg(feature = "aws")]
    &aws::cloudfront_distribution::KIND,
    #[cfg(feature = "aws")]
    &aws::cloudwatch_alarms::KIND,
    #[cfg(feature = "aws")]
    &aws::cloudwatch_metric::KIND,
    #[cfg(feature = "aws")]
    &aws::eks_nodegroup::KIND,
    #[cfg(feature = "aws")]
    &aws::msk_cluster::KIND,
    #[cfg(feature = "aws")]
    &aws::rds_cluster::KIND,
    #[cfg(feature = "aws")]
    &aws::rds_instance::KIND,
    #[cfg(feature = "aws")]
    &aws::rds_snapshots::KIND,
    #[cfg(feature = "aws")]
    &aws::route53_health_check::KIND,
    #[cfg(feature = "aws")]
    &aws::route53_record::KIND,
    #[cfg(feature = "aws")]
    &aws::s3_latest::KIND,
];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static ProbeKind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
