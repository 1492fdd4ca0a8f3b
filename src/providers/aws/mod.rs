//! AWS: one folder for each service, and what they share: the way in, where a kind acts, how a call is written.

pub(crate) mod action;
mod arc;
mod backup;
pub mod client;
mod cloudfront;
mod cloudwatch;
mod eks;
mod msk;
pub mod preflight;
mod probe;
mod rds;
mod reader;
mod request;
mod route53;
mod s3;
pub mod sns;

use super::{Provider, row};

/// AWS.
pub(super) static PROVIDER: Provider = Provider {
    probes: &[
        row!(arc::probe_routing_control),
        row!(backup::probe),
        row!(cloudfront::probe_distribution),
        row!(cloudwatch::probe_alarms),
        row!(cloudwatch::probe_metric),
        row!(eks::probe_nodegroup),
        row!(msk::probe_cluster),
        row!(rds::probe_cluster),
        row!(rds::probe_instance),
        row!(rds::probe_snapshots),
        row!(route53::probe_health_check),
        row!(route53::probe_record),
        row!(s3::probe_latest),
    ],
    actions: &[
        row!(arc::routing_control),
        row!(cloudfront::origin),
        row!(eks::scale_nodegroup),
        row!(rds::failover_cluster),
        row!(rds::modify),
        row!(rds::promote),
        row!(rds::restore_pitr),
        row!(rds::restore_snapshot),
        row!(rds::snapshot),
        row!(rds::wait),
        row!(route53::switch),
        row!(route53::upsert),
        row!(s3::copy),
        row!(s3::put),
        row!(sns::publish),
    ],
    channels: &[row!(sns::sms)],
    survey: Some(preflight::survey),
};
