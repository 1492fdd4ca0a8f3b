use super::*;
use crate::plan::AwsSettings;
use crate::providers::aws::client::Aws;
use aws_sdk_rds::types::{DbCluster, DbClusterMember, DbInstance};

fn failover(to: Option<&str>) -> Failover {
    let aws = Aws::new(AwsSettings::default(), "ana", Default::default());
    Failover {
        place: aws.place("us-west-2").unwrap(),
        id: "market-scanning-prod".into(),
        to: to.map(str::to_owned),
    }
}

fn seen(status: &str, writer: &str, members: &[(&str, &str)]) -> Seen {
    let builder = DbCluster::builder().status(status).db_cluster_resource_id("cluster-R");
    let cluster = members.iter().fold(builder, |builder, (id, _)| {
        let member = DbClusterMember::builder().db_instance_identifier(*id).promotion_tier(1);
        builder.db_cluster_members(member.is_cluster_writer(*id == writer).build())
    });
    let instance = |(id, status): &(&str, &str)| {
        let zone = format!("us-west-2{}", if *id == "a" { "a" } else { "b" });
        let instance = DbInstance::builder().db_instance_identifier(*id).db_instance_status(*status);
        instance.availability_zone(zone).build()
    };
    Seen { cluster: cluster.build(), instances: members.iter().map(instance).collect() }
}

const BOTH: &[(&str, &str)] = &[("a", "available"), ("b", "available")];

fn expected(writer: &str) -> Target {
    let identity = vec![("writer".to_owned(), writer.to_owned())];
    Target { name: "x".into(), kind: "x".into(), identity, reachable: true }
}

#[test]
fn the_proof_is_another_writer_than_the_confirmed_one() {
    let stage = |to: Option<&str>, status: &str, writer: &str| {
        failover(to).stage(&expected("a"), &seen(status, writer, BOTH))
    };
    assert!(matches!(stage(None, "available", "a"), Stage::NotBegun(_)));
    assert!(matches!(stage(None, "failing-over", "a"), Stage::Going(_)));
    assert!(matches!(stage(None, "failing-over", "b"), Stage::Going(_)));
    let Stage::There(evidence) = stage(None, "available", "b") else { panic!() };
    assert_eq!(evidence[0], "the writer is b, was a");
    assert!(matches!(stage(Some("b"), "available", "b"), Stage::There(_)));
    let Stage::Lost(refusal) = stage(Some("c"), "available", "b") else { panic!() };
    assert_eq!(refusal.why, "the writer is b, neither the one before nor c");
    assert!(matches!(stage(None, "available", "nobody"), Stage::Going(_)));
    assert!(!failover(Some("a")).was_due(&expected("a")));
    assert!(failover(None).was_due(&expected("a")));
}

#[test]
fn there_must_be_a_reader_that_can_take_over() {
    let why = |to: Option<&str>, seen: Seen| {
        let failover = failover(to);
        let refusal = failover.wrong_role(&seen).or_else(|| failover.wrong_state(&seen));
        refusal.map(|refusal| refusal.why).unwrap_or_default()
    };
    assert_eq!(why(None, seen("available", "a", BOTH)), "");
    assert_eq!(why(Some("b"), seen("available", "a", BOTH)), "");
    assert!(why(None, seen("available", "a", &BOTH[..1])).contains("it has no reader"));
    assert!(why(Some("a"), seen("available", "a", BOTH)).contains("a is already its writer"));
    let stranger = why(Some("z"), seen("available", "a", BOTH));
    assert!(stranger.contains("its readers are b (tier 1, us-west-2b, available)"), "{stranger}");
    assert!(why(None, seen("failing-over", "a", BOTH)).contains("its status is failing-over"));
    let ill = [("a", "available"), ("b", "rebooting")];
    assert!(why(None, seen("available", "a", &ill)).contains("b (tier 1, us-west-2b, rebooting)"));
}

#[test]
fn call_and_command_name_the_target() {
    let failover = failover(Some("market-scanning-prod-replica-1"));
    assert_eq!(
        failover.command(None),
        "aws rds failover-db-cluster --db-cluster-identifier market-scanning-prod --target-db-instance-identifier \
         market-scanning-prod-replica-1 --region us-west-2"
    );
    assert!(failover.call(None).ends_with("TargetDBInstanceIdentifier=market-scanning-prod-replica-1"));
}

#[test]
fn readers_in_one_zone_only_are_worth_a_look() {
    let checks = failover(None).checks(&seen("available", "a", BOTH));
    assert!(checks[0].next.is_empty(), "{checks:?}");
    let same = [("c", "available"), ("b", "available")];
    let checks = failover(None).checks(&seen("available", "b", &same));
    assert!(checks[0].next.contains("another zone"), "{checks:?}");
}
