//! Plausible readings for any plan: what a probe of each kind would return as things are now.

mod databases;
pub(super) mod diagnosis;
mod dns;
mod endpoint;
mod files;
mod kube;
mod managed;
mod metrics;
mod operated;
mod postgres;
mod replication;

use super::noise::wander;
use super::state::{Health, State};
use crate::base::problem::Problem;
use crate::core::words::reading::Measurement;
use crate::plan::kinds::Sees;
use crate::plan::{Plan, ProbeSpec};
use jiff::{SignedDuration, Timestamp};

/// One probe at one moment.
pub(super) struct Moment<'a> {
    pub(super) plan: &'a Plan,
    pub(super) spec: &'a ProbeSpec,
    pub(super) state: &'a State,
    /// When the world began.
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
}

/// What the probe returns.
pub(super) fn measure(moment: &Moment<'_>) -> Result<Measurement, Problem> {
    let health = moment.health();
    if health == Health::Unreachable {
        return Err(unreachable(moment));
    }
    Ok(match moment.spec.sees {
        Sees::Http => endpoint::http(moment, health),
        Sees::Tcp => endpoint::tcp(moment, health),
        Sees::Server => postgres::server(moment, health),
        Sees::Standby => replication::standby(moment, health),
        Sees::Archiver => postgres::archiver(moment, health),
        Sees::Files => files::newest(moment, health),
        Sees::DnsRecord => dns::record(moment, health),
        Sees::DnsHealthCheck => dns::health_check(moment, health),
        Sees::RoutingControls => dns::routing_control(moment, health),
        Sees::Objects => files::newest_object(moment, health),
        Sees::Metric => metrics::metric(moment, health),
        Sees::Alarms => metrics::alarms(moment, health),
        Sees::Alertmanager => metrics::alertmanager(moment, health),
        Sees::Program => endpoint::exec(moment, health),
        Sees::Instance => databases::instance(moment, health),
        Sees::Cluster => databases::cluster(moment, health),
        Sees::Copies => databases::copy(moment, health),
        Sees::NodeGroup => managed::nodegroup(moment, health),
        Sees::Kafka => managed::kafka(moment, health),
        Sees::Distribution => managed::distribution(moment, health),
        Sees::ApiServer => kube::api_server(moment, health),
        Sees::Workloads => kube::workloads(moment, health),
        Sees::Nodes => kube::nodes(moment, health),
        Sees::Warnings => kube::warnings(moment, health),
        Sees::CronJob => kube::cron_job(moment, health),
        Sees::Job => kube::job(moment, health),
        Sees::Claims => kube::claims(moment, health),
        Sees::ClusterBackup => kube::cluster_backup(moment, health),
        Sees::OperatedCluster => operated::cluster(moment, health),
    })
}

fn unreachable(moment: &Moment<'_>) -> Problem {
    Problem::new(
        format!("simulated: {} cannot be reached from here", moment.spec.title),
        "Wait, or play another scenario: this one makes the thing unreachable.",
    )
}

impl Moment<'_> {
    fn health(&self) -> Health {
        self.state.health(self.plan, self.spec, self.now)
    }

    /// The value that a scenario forces, or the usual one with jitter, kept well clear of the plan's bounds so
    /// that a good day raises no alarm.
    fn value(&self, health: Health, usual: f64) -> f64 {
        match health {
            Health::Value(value) => value,
            _ => self.clear_of_bounds(usual) * self.jitter(self.now),
        }
    }

    /// Between 0.65 and 1.35, mostly near 1.
    fn jitter(&self, at: Timestamp) -> f64 {
        let name = self.spec.id.as_str();
        let slow = wander(name, at, SignedDuration::from_mins(3));
        let fast = wander(name, at, SignedDuration::from_secs(7));
        1.0 + 0.2 * slow + 0.15 * fast
    }

    /// At most 0.4 of the nearest bound where more is worse; at least twice the nearest where less is.
    fn clear_of_bounds(&self, usual: f64) -> f64 {
        let bounds = self.spec.thresholds;
        let bounds_given = [bounds.warn, bounds.critical].into_iter().flatten();
        if bounds.below {
            bounds_given.map(|bound| bound * 2.0).fold(usual, f64::max)
        } else {
            bounds_given.map(|bound| bound * 0.4).fold(usual, f64::min)
        }
    }

    /// A number that stays with this probe, between 0 and 1.
    fn character(&self) -> f64 {
        (super::noise::hash(self.spec.id.as_str()) % 1000) as f64 / 1000.0
    }
}
