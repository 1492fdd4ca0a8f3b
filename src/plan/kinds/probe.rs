//! What a plan must know of a kind of probe.

use super::BuildError;
use crate::base::units::Unit;
use crate::plan::ProbeSpec;
use crate::plan::keys::Key;
use serde::{Deserialize, Serialize};

/// What the registry knows of a kind of probe.
pub struct ProbeKind {
    /// As in `kind = "…"`.
    pub name: &'static str,
    /// What it looks at.
    pub sees: Sees,
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
}

/// What a kind of probe looks at, as far as others than the kind itself have to know. A simulated world returns what such
/// a probe would return.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sees {
    /// An HTTP endpoint.
    Http,
    /// A port.
    Tcp,
    /// A PostgreSQL server.
    Server,
    /// A PostgreSQL standby, and how far it is behind.
    Standby,
    /// What a PostgreSQL server archives.
    Archiver,
    /// The newest of files that this host sees.
    Files,
    /// A DNS record.
    DnsRecord,
    /// A health check of DNS.
    DnsHealthCheck,
    /// Switches of traffic.
    RoutingControls,
    /// The newest of objects in a bucket.
    Objects,
    /// A metric.
    Metric,
    /// Alarms on metrics.
    Alarms,
    /// Alerts of Prometheus.
    Alertmanager,
    /// A program.
    Program,
    /// A managed database's instance.
    Instance,
    /// A managed database's cluster.
    Cluster,
    /// Copies that a provider keeps.
    Copies,
    /// A group of nodes.
    NodeGroup,
    /// A Kafka cluster.
    Kafka,
    /// A content network.
    Distribution,
    /// The API server of a cluster.
    ApiServer,
    /// What runs pods in a cluster.
    Workloads,
    /// The nodes of a cluster.
    Nodes,
    /// What a cluster complains of.
    Warnings,
    /// What begins jobs by the clock.
    CronJob,
    /// One job.
    Job,
    /// Claims for volumes.
    Claims,
    /// The newest backup of a cluster.
    ClusterBackup,
    /// A database's servers that an operator in a cluster runs.
    OperatedCluster,
}

impl Sees {
    /// A database, or what is told of one.
    pub fn is_database(self) -> bool {
        let is_server = matches!(self, Self::Server | Self::Standby | Self::Archiver);
        is_server || matches!(self, Self::Instance | Self::Cluster | Self::OperatedCluster)
    }

    /// A PostgreSQL server that is asked over a connection of its own.
    pub fn is_postgres(self) -> bool {
        matches!(self, Self::Server | Self::Standby | Self::Archiver)
    }

    /// Something that answers whoever asks it, or not: what tells how a region is where the plan does not say.
    pub fn answers(self) -> bool {
        matches!(self, Self::Http | Self::Tcp | Self::Server)
    }

    /// Something of which more can be read than a measurement tells, when somebody asks.
    pub fn has_diagnosis(self) -> bool {
        matches!(self, Self::Workloads)
    }

    /// Something on this host, wherever the plan says that it belongs: what becomes of a region takes nothing from it.
    pub fn is_of_this_host(self) -> bool {
        matches!(self, Self::Files)
    }
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
