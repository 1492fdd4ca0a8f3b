//! `msk-cluster`: a Kafka cluster of MSK.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, Listing, present};
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use aws_sdk_kafka::types::{Cluster, ClusterState};
use futures::future::BoxFuture;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "msk-cluster",
    sees: Sees::Kafka,
    doc: "Reads a Kafka cluster of MSK: its state, brokers and version. The value is the number of brokers that it \
          has, which a serverless cluster does not tell; whether they all answer, and whether partitions are offline, \
          is in CloudWatch (`cloudwatch-metric`). A cluster that failed, is being deleted or is not there is \
          critical; one that heals, reboots a broker or is maintained is a warning. All clusters of a region are \
          listed in one call; where the caller may not list, one that is given by its ARN is asked for alone.",
    unit: Unit::Number,
    keys: &[
        Key::required("cluster", Takes::Text, "Name or ARN of the cluster."),
        crate::providers::aws::probe::REGION,
    ],
    fields: &[
        ("state", "MSK's word for its state (`ACTIVE`)"),
        ("type", "`PROVISIONED` or `SERVERLESS`"),
        ("brokers", "how many brokers it has"),
        ("broker_type", "the brokers' instance type"),
        ("kafka_version", "the brokers' Kafka version"),
        ("problem", "what MSK says of its state"),
        ("action_required", "what MSK asks its owner to do, where it asks for anything"),
        ("operation", "the ARN of an operation that goes on"),
        ("arn", "its ARN"),
    ],
    permissions: &["kafka:ListClustersV2", "kafka:DescribeClusterV2"],
    example: r#"[probes.example]
kind = "msk-cluster"
title = "Kafka"
region = "primary"
cluster = "market-scanning-prod"
every = "1m"
timeout = "10s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let name = spec.params.require_text("cluster")?.to_owned();
    Ok(Box::new(Msk { reader: Reader::of(spec, clients)?, name }))
}

struct Msk {
    reader: Reader,
    name: String,
}

impl Probe for Msk {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let found = find(&connection, &self.name, &self.reader).await;
            Ok(found.map_err(|error| error.unmeasured())?.as_ref().map_or_else(
                || {
                    let (name, region) = (&self.name, self.reader.region());
                    Measurement::critical(format!("there is no MSK cluster {name} in {region}"))
                },
                judge,
            ))
        })
    }
}

async fn find(connection: &Connection, name: &str, reader: &Reader) -> Result<Option<Cluster>, AwsError> {
    let kafka = connection.kafka();
    let list_call = Call::new("kafka:ListClustersV2", "all clusters");
    let list = async || {
        let pages = kafka.list_clusters_v2().max_results(100).into_paginator().items().send();
        connection.call_within(&list_call, reader.within, pages.collect::<Result<Vec<_>, _>>()).await
    };
    let one = async || {
        if !name.starts_with("arn:") {
            let why = "the caller may not list clusters, and only a cluster's ARN can be asked for alone";
            return Err(AwsError::new(&list_call, AwsErrorKind::Denied, why));
        }
        let call = Call::new("kafka:DescribeClusterV2", name);
        let send = kafka.describe_cluster_v2().cluster_arn(name).send();
        let found = present(connection.call_within(&call, reader.within, send).await)?;
        Ok(found.and_then(|found| found.cluster_info))
    };
    let is = |cluster: &Cluster| cluster.cluster_name() == Some(name) || cluster.cluster_arn() == Some(name);
    connection.kept::<Listing<Cluster>>().find(reader.fresh, list, is, one).await
}

fn judge(cluster: &Cluster) -> Measurement {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| clean(text, 300));
    let provisioned = cluster.provisioned();
    let brokers = provisioned.and_then(|provisioned| provisioned.number_of_broker_nodes());
    let nodes = provisioned.and_then(|provisioned| provisioned.broker_node_group_info());
    let software = provisioned.and_then(|provisioned| provisioned.current_broker_software_info());
    let version = text(software.and_then(|software| software.kafka_version()));
    let asked = provisioned.and_then(|provisioned| provisioned.customer_action_status());
    let asked = text(asked.map(|status| status.as_str())).filter(|status| status != "NONE");
    let problem = text(cluster.state_info().and_then(|info| info.message()));
    let state = text(cluster.state().map(ClusterState::as_str)).unwrap_or_default();
    let measured = Measurement::good(summary(&state, brokers, version.as_deref()))
        .judged(judge_state(cluster.state(), problem.as_deref()))
        .judged(judge_action(asked.as_deref()))
        .with_text("state", state)
        .with_text("type", text(cluster.cluster_type().map(|kind| kind.as_str())))
        .with_number("brokers", brokers.map(f64::from))
        .with_text("broker_type", text(nodes.and_then(|nodes| nodes.instance_type())))
        .with_text("kafka_version", version)
        .with_text("problem", problem)
        .with_text("action_required", asked)
        .with_text("operation", text(cluster.active_operation_arn()))
        .with_text("arn", text(cluster.cluster_arn()));
    match brokers {
        Some(brokers) => measured.with_value(f64::from(brokers)),
        None => measured,
    }
}

fn summary(state: &str, brokers: Option<i32>, version: Option<&str>) -> String {
    let mut parts = vec![state.to_lowercase().replace('_', " ")];
    parts.push(brokers.map_or("serverless".into(), |count| format!("{count} brokers")));
    parts.extend(version.map(|version| format!("Kafka {version}")));
    parts.retain(|part| !part.is_empty());
    clean(&parts.join(", "), 200)
}

/// <https://docs.aws.amazon.com/msk/latest/developerguide/msk-cluster-states.html>
fn judge_state(state: Option<&ClusterState>, problem: Option<&str>) -> Verdict {
    use ClusterState::*;
    let because = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    match state {
        Some(Active | Updating) => Verdict::Good,
        Some(Creating) => Verdict::Warn("it is being created".into()),
        Some(Healing) => {
            Verdict::Warn(format!("it replaces a broker, with less capacity meanwhile{because}"))
        }
        Some(Maintenance) => Verdict::Warn("it is being maintained".into()),
        Some(RebootingBroker) => Verdict::Warn("a broker reboots".into()),
        Some(Deleting) => Verdict::Critical("it is being deleted".into()),
        Some(Failed) => Verdict::Critical(format!("it failed{because}")),
        Some(other) => {
            let other = clean(other.as_str(), 60);
            Verdict::Warn(format!("its state is {other}, which is not a known one"))
        }
        None => Verdict::Warn("MSK tells no state of it".into()),
    }
}

fn judge_action(asked: Option<&str>) -> Verdict {
    match asked {
        Some("CRITICAL_ACTION_REQUIRED") => {
            Verdict::Critical("MSK asks for urgent action: see the cluster's page in the console".into())
        }
        Some("ACTION_RECOMMENDED") => {
            Verdict::Warn("MSK recommends action: see the cluster's page in the console".into())
        }
        _ => Verdict::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kafka::types::builders::ClusterBuilder;
    use aws_sdk_kafka::types::{
        BrokerNodeGroupInfo, BrokerSoftwareInfo, ClusterType, Provisioned, StateInfo,
    };

    fn cluster(state: ClusterState) -> ClusterBuilder {
        let nodes = BrokerNodeGroupInfo::builder().instance_type("kafka.m5.large").client_subnets("a");
        let provisioned = Provisioned::builder()
            .number_of_broker_nodes(3)
            .broker_node_group_info(nodes.build())
            .current_broker_software_info(BrokerSoftwareInfo::builder().kafka_version("3.6.0").build());
        Cluster::builder()
            .state(state)
            .cluster_type(ClusterType::Provisioned)
            .provisioned(provisioned.build())
    }

    #[test]
    fn a_cluster_tells_its_brokers() {
        let measured = judge(&cluster(ClusterState::Active).build());
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(3.0)));
        assert_eq!(measured.summary, "active, 3 brokers, Kafka 3.6.0");
        assert_eq!(measured.text("broker_type"), Some("kafka.m5.large"));
        let serverless = judge(&Cluster::builder().state(ClusterState::Active).build());
        assert_eq!((serverless.value, &*serverless.summary), (None, "active, serverless"));
    }

    #[test]
    fn states_are_judged_and_say_why() {
        let verdict = |cluster: ClusterBuilder| judge(&cluster.build()).verdict;
        assert!(matches!(verdict(cluster(ClusterState::Healing)), Verdict::Warn(_)));
        assert!(matches!(verdict(cluster(ClusterState::Deleting)), Verdict::Critical(_)));
        let info = StateInfo::builder().message("the KMS key is disabled").build();
        let failed = verdict(cluster(ClusterState::Failed).state_info(info));
        assert_eq!(failed, Verdict::Critical("it failed: the KMS key is disabled".into()));
        assert!(matches!(verdict(cluster(ClusterState::from("NEW"))), Verdict::Warn(_)));
    }

    #[test]
    fn what_msk_asks_for_is_said() {
        let mut asked = cluster(ClusterState::Active).build();
        let provisioned = asked.provisioned.as_mut().unwrap();
        provisioned.customer_action_status = Some("CRITICAL_ACTION_REQUIRED".into());
        assert!(matches!(judge(&asked).verdict, Verdict::Critical(_)));
        asked.provisioned.as_mut().unwrap().customer_action_status = Some("NONE".into());
        assert_eq!(judge(&asked).verdict, Verdict::Good);
    }
}
