//! `eks-nodegroup`, `msk-cluster` and `cloudfront-distribution`.

use super::*;
use crate::aws::Emulator;
use lifeboat::core::words::reading::Field;

#[tokio::test]
async fn a_node_group_tells_what_was_asked_for() {
    let emulator = Emulator::start();
    emulator.set_up(
        r#"
eks = client("eks", "us-west-2")
role = "arn:aws:iam::123456789012:role/eks"
eks.create_cluster(name="sparc-prod-us-west-2", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
eks.create_nodegroup(clusterName="sparc-prod-us-west-2", nodegroupName="workers", nodeRole=role, subnets=["subnet-1"],
    scalingConfig={"minSize": 1, "maxSize": 60, "desiredSize": 2}, instanceTypes=["m6i.xlarge"])
"#,
    );
    let group = "cluster = \"sparc-prod-us-west-2\"\nnodegroup = \"workers\"";
    let tables = probe("nodes", "eks-nodegroup", "dr", &format!("{group}\nmin_nodes = 50"))
        + &probe("few", "eks-nodegroup", "dr", group)
        + &probe("gone", "eks-nodegroup", "dr", "cluster = \"sparc-prod-us-west-2\"\nnodegroup = \"gone\"")
        + &probe("nowhere", "eks-nodegroup", "primary", group);
    let seer = Seer::at(&emulator.endpoint(), &tables);

    let few = seer.see("few").await;
    assert_eq!((&few.verdict, few.value), (&Verdict::Good, Some(2.0)), "{few:?}");
    assert_eq!((few.number("min"), few.number("max")), (Some(1.0), Some(60.0)));
    assert_eq!(few.text("instance_types"), Some("m6i.xlarge"));
    let nodes = seer.see("nodes").await;
    assert_eq!(nodes.verdict, Verdict::Critical("2 nodes wanted, at least 50 expected".into()));
    emulator.boto(
        r#"client("eks", "us-west-2").update_nodegroup_config(clusterName="sparc-prod-us-west-2",
    nodegroupName="workers", scalingConfig={"desiredSize": 50})"#,
    );
    let scaled = seer.await_seen("nodes", |measured| measured.verdict == Verdict::Good).await;
    assert_eq!(scaled.value, Some(50.0));

    let gone = "there is no node group gone in cluster sparc-prod-us-west-2 in us-west-2";
    assert_eq!(why(&seer.see("gone").await), gone);
    let nowhere = "there is no node group workers in cluster sparc-prod-us-west-2 in us-east-1";
    assert_eq!(why(&seer.see("nowhere").await), nowhere);
}

#[tokio::test]
async fn kafka_clusters_are_found_by_name_and_arn_in_one_listing() {
    let emulator = Emulator::start();
    let arn = emulator.set_up(
        r#"
kafka = client("kafka", "us-east-1")
nodes = {"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1", "subnet-2", "subnet-3"]}
for name in ("market-scanning-prod-old", "market-scanning-prod"):
    made = kafka.create_cluster_v2(ClusterName=name, Provisioned={
        "BrokerNodeGroupInfo": nodes, "KafkaVersion": "3.6.0", "NumberOfBrokerNodes": 3})
result(made["ClusterArn"])
"#,
    );
    let arn = arn.as_str().unwrap();
    let tables = probe("by-name", "msk-cluster", "primary", "cluster = \"market-scanning-prod\"")
        + &probe("by-arn", "msk-cluster", "primary", &format!("cluster = \"{arn}\""))
        + &probe("gone", "msk-cluster", "primary", "cluster = \"market-scanning\"")
        + &probe("dr", "msk-cluster", "dr", "cluster = \"market-scanning-prod\"");
    let tables = tables.replace("every = \"1s\"", "every = \"5m\"");
    let seer = Seer::at(&emulator.endpoint(), &tables);
    for id in ["by-name", "by-arn"] {
        let seen = seer.see(id).await;
        assert_eq!((&seen.verdict, seen.value), (&Verdict::Good, Some(3.0)), "{seen:?}");
        assert_eq!(seen.text("arn"), Some(arn));
        assert_eq!(seen.text("type"), Some("PROVISIONED"));
    }
    // A part of a name is no name.
    assert_eq!(why(&seer.see("gone").await), "there is no MSK cluster market-scanning in us-east-1");
    assert_eq!(why(&seer.see("dr").await), "there is no MSK cluster market-scanning-prod in us-west-2");
    let calls = emulator.calls();
    assert_eq!(calls.values().sum::<u64>(), 2, "one listing for each region: {calls:?}");
}

#[tokio::test]
async fn a_caller_who_may_not_list_kafka_clusters_sees_one_by_its_arn() {
    let emulator = Emulator::start();
    let arn = emulator.set_up(
        r#"
nodes = {"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1", "subnet-2", "subnet-3"]}
result(client("kafka", "us-east-1").create_cluster_v2(ClusterName="prod", Provisioned={
    "BrokerNodeGroupInfo": nodes, "KafkaVersion": "3.6.0", "NumberOfBrokerNodes": 3})["ClusterArn"])
"#,
    );
    let arn = arn.as_str().unwrap();
    let tables = probe("by-name", "msk-cluster", "primary", "cluster = \"prod\"")
        + &probe("by-arn", "msk-cluster", "primary", &format!("cluster = \"{arn}\""));
    let seer = Seer::at(&emulator.endpoint(), &tables);
    emulator.control(serde_json::json!({"deny": ["kafka:ListClustersV2"]}));
    for _ in 0..3 {
        assert_eq!(seer.see("by-arn").await.value, Some(3.0));
    }
    let failure = seer.run("by-name").await.unwrap_err();
    assert!(failure.next.contains("kafka:ListClustersV2"), "{failure:?}");
    let calls = emulator.calls();
    assert_eq!(calls["kafka:ListClustersV2@us-east-1"], 1, "the denial is remembered: {calls:?}");
    assert_eq!(calls["kafka:DescribeClusterV2@us-east-1"], 3, "{calls:?}");
}

#[tokio::test]
async fn a_distribution_tells_where_it_fetches_from() {
    let emulator = Emulator::start();
    let id = emulator.set_up(
        r#"
def origin(name):
    return {"Id": name, "DomainName": f"sparc-videos-{name}.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
config = {
    "CallerReference": "1", "Comment": "", "Enabled": True,
    "Origins": {"Quantity": 2, "Items": [origin("prod"), origin("backup")]},
    "DefaultCacheBehavior": {"TargetOriginId": "prod", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}},
}
result(client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]["Id"])
"#,
    );
    let id = id.as_str().unwrap();
    let table = |name: &str, id: &str| {
        let origin = "expect_origin = \"sparc-videos-prod.s3.amazonaws.com\"";
        probe(name, "cloudfront-distribution", "primary", &format!("distribution = \"{id}\"\n{origin}"))
    };
    let seer = Seer::at(&emulator.endpoint(), &(table("edge", id) + &table("gone", "E000")));
    let seen = seer.see("edge").await;
    assert_eq!(seen.verdict, Verdict::Good, "{seen:?}");
    assert_eq!(seen.text("origin"), Some("sparc-videos-prod.s3.amazonaws.com"));
    assert_eq!(seen.fields["as_expected"], Field::Flag(true));
    assert!(seen.text("etag").is_some(), "{seen:?}");
    assert_eq!(why(&seer.see("gone").await), "there is no distribution E000");

    emulator.boto(&format!(
        r#"
cloudfront = client("cloudfront")
found = cloudfront.get_distribution_config(Id="{id}")
found["DistributionConfig"]["DefaultCacheBehavior"]["TargetOriginId"] = "backup"
cloudfront.update_distribution(Id="{id}", IfMatch=found["ETag"], DistributionConfig=found["DistributionConfig"])
"#
    ));
    let moved = seer.await_seen("edge", is_critical).await;
    assert!(why(&moved).starts_with("it fetches from sparc-videos-backup"), "{moved:?}");
    assert_eq!(moved.fields["as_expected"], Field::Flag(false));
    assert!(moved.value.unwrap() < 60.0, "its last change is this one: {moved:?}");
    assert_ne!(moved.text("etag"), seen.text("etag"));
}
