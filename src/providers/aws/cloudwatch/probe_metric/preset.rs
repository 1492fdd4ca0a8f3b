//! Metrics that have a name of their own in a plan.

use super::query::MetricUnit::{self, Bytes, Milliseconds, Number, Seconds};

/// A metric with a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As in `preset = "…"`.
    pub name: &'static str,
    pub namespace: &'static str,
    pub metric: &'static str,
    /// The dimension that `of` is the value of.
    pub dimension: &'static str,
    pub statistic: &'static str,
    pub unit: MetricUnit,
    /// How far a replica is behind: what is lost with its primary.
    pub is_lag: bool,
}

const RDS: Preset = Preset {
    name: "rds-replica-lag",
    namespace: "AWS/RDS",
    metric: "ReplicaLag",
    dimension: "DBInstanceIdentifier",
    // A short stall must not disappear in an average.
    statistic: "Maximum",
    unit: Seconds,
    is_lag: true,
};

/// Names as in <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html>,
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html> and
/// <https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html>.
pub const PRESETS: [Preset; 5] = [
    RDS,
    Preset { name: "aurora-replica-lag", metric: "AuroraReplicaLag", unit: Milliseconds, ..RDS },
    Preset {
        name: "aurora-global-lag",
        metric: "AuroraGlobalDBReplicationLag",
        dimension: "DBClusterIdentifier",
        unit: Milliseconds,
        ..RDS
    },
    Preset {
        name: "oldest-replication-slot-lag",
        metric: "OldestReplicationSlotLag",
        unit: Bytes,
        is_lag: false,
        ..RDS
    },
    Preset {
        name: "msk-offline-partitions",
        namespace: "AWS/Kafka",
        metric: "OfflinePartitionsCount",
        dimension: "Cluster Name",
        unit: Number,
        is_lag: false,
        ..RDS
    },
];

/// The words for `preset`.
pub const NAMES: &[&str] =
    &[PRESETS[0].name, PRESETS[1].name, PRESETS[2].name, PRESETS[3].name, PRESETS[4].name];

/// The preset of that name.
pub fn named(name: &str) -> Option<Preset> {
    PRESETS.into_iter().find(|preset| preset.name == name)
}
