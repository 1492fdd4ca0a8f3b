//! What lifeboat can see, do and tell, by technology. What a plan must know of a kind stands beside what makes one; the
//! tables here join the two.

use crate::base::environment::Environment;
use crate::clients::{Clients, Postgres};
use crate::plan::kinds::{ActionKind, BuildError, NotifierKind, ProbeKind};
use crate::plan::params::Params;
use crate::plan::{AwsSettings, Channel, ProbeSpec, Registry, Step, Trial};
use crate::secrets::{Secret, SecretsConfig};
use crate::{actions, notifiers, probes};
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
pub type ProbeRow = Row<ProbeKind, fn(&ProbeSpec, &Clients) -> probes::Built>;
/// A kind of action.
pub type ActionRow = Row<ActionKind, fn(&Params, &Clients) -> actions::Built>;
/// A kind of channel.
pub type ChannelRow = Row<NotifierKind, fn(&Channel, &Clients) -> notifiers::Built>;

/// The row of a module that has a `KIND` and its `build`.
macro_rules! row {
    ($($path:ident)::+) => {
        Row { kind: &$($path)::+::KIND, build: $($path)::+::build }
    };
}

/// Every kind of probe, in the order of the reference.
pub static PROBES: &[ProbeRow] = &[
    row!(probes::http),
    row!(probes::tcp),
    row!(probes::postgres),
    row!(probes::postgres_replication),
    row!(probes::postgres_backup),
    row!(probes::file_age),
    row!(probes::exec),
    row!(probes::alertmanager),
    #[cfg(feature = "aws")]
    row!(probes::aws::arc_routing_control),
    #[cfg(feature = "aws")]
    row!(probes::aws::aws_backup),
    #[cfg(feature = "aws")]
    row!(probes::aws::cloudfront_distribution),
    #[cfg(feature = "aws")]
    row!(probes::aws::cloudwatch_alarms),
    #[cfg(feature = "aws")]
    row!(probes::aws::cloudwatch_metric),
    #[cfg(feature = "aws")]
    row!(probes::aws::eks_nodegroup),
    #[cfg(feature = "aws")]
    row!(probes::aws::msk_cluster),
    #[cfg(feature = "aws")]
    row!(probes::aws::rds_cluster),
    #[cfg(feature = "aws")]
    row!(probes::aws::rds_instance),
    #[cfg(feature = "aws")]
    row!(probes::aws::rds_snapshots),
    #[cfg(feature = "aws")]
    row!(probes::aws::route53_health_check),
    #[cfg(feature = "aws")]
    row!(probes::aws::route53_record),
    #[cfg(feature = "aws")]
    row!(probes::aws::s3_latest),
];

/// Every kind of action, in the order of the reference.
pub static ACTIONS: &[ActionRow] = &[
    row!(actions::postgres_promote),
    row!(actions::postgres_fence),
    row!(actions::postgres_unfence),
    row!(actions::http_request),
    row!(actions::wait_for),
    row!(actions::exec),
    row!(actions::manual),
    row!(actions::note),
    #[cfg(feature = "aws")]
    row!(actions::aws::arc_routing_control),
    #[cfg(feature = "aws")]
    row!(actions::aws::cloudfront_origin),
    #[cfg(feature = "aws")]
    row!(actions::aws::eks_scale_nodegroup),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_failover_cluster),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_modify),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_promote),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_restore_pitr),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_restore_snapshot),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_snapshot),
    #[cfg(feature = "aws")]
    row!(actions::aws::rds_wait),
    #[cfg(feature = "aws")]
    row!(actions::aws::route53_switch),
    #[cfg(feature = "aws")]
    row!(actions::aws::route53_upsert),
    #[cfg(feature = "aws")]
    row!(actions::aws::s3_copy),
    #[cfg(feature = "aws")]
    row!(actions::aws::s3_put),
    #[cfg(feature = "aws")]
    row!(actions::aws::sns_publish),
];

/// Every kind of channel, in the order of the reference.
pub static CHANNELS: &[ChannelRow] = &[
    row!(notifiers::slack),
    row!(notifiers::slack_webhook),
    row!(notifiers::teams),
    row!(notifiers::google_chat),
    row!(notifiers::telegram),
    row!(notifiers::ntfy),
    row!(notifiers::pagerduty),
    row!(notifiers::opsgenie::jsm),
    row!(notifiers::opsgenie),
    row!(notifiers::goalert),
    row!(notifiers::twilio::voice),
    row!(notifiers::twilio::sms),
    row!(notifiers::statuspage),
    row!(notifiers::webhook),
    row!(notifiers::smtp),
    #[cfg(feature = "aws")]
    row!(notifiers::sns_sms),
    row!(notifiers::command),
];

/// The kind of probe of that name.
pub fn probe(name: &str) -> Option<&'static ProbeRow> {
    PROBES.iter().find(|row| row.kind.name == name)
}

/// The kind of action of that name.
pub fn action(name: &str) -> Option<&'static ActionRow> {
    ACTIONS.iter().find(|row| row.kind.name == name)
}

/// The kind of channel of that name.
pub fn channel(name: &str) -> Option<&'static ChannelRow> {
    CHANNELS.iter().find(|row| row.kind.name == name)
}

/// The kinds of this build, for the loader of plans.
pub fn registry() -> Registry {
    Registry {
        probes: PROBES.iter().map(|row| row.kind).collect(),
        actions: ACTIONS.iter().map(|row| row.kind).collect(),
        notifiers: CHANNELS.iter().map(|row| row.kind).collect(),
        trial: |aws| Box::new(Unconnected(unconnected(aws))),
        database: |dsn| Postgres::target(&Secret::from_plan(dsn)).map_err(|error| error.message),
    }
}

/// Connections of which none is ever made.
pub fn unconnected(aws: &AwsSettings) -> Clients {
    let clients = Clients::new(SecretsConfig::default(), Path::new(""), Environment::default());
    clients.with_aws(aws.clone(), "")
}

/// Makes what a plan names, connected to nothing.
struct Unconnected(Clients);

impl Trial for Unconnected {
    fn action(&self, step: &Step) -> Option<BuildError> {
        (action(&step.action)?.build)(&step.params, &self.0).err()
    }

    fn channel(&self, spec: &Channel) -> Option<BuildError> {
        (channel(&spec.kind)?.build)(spec, &self.0).err()
    }
}
