//! `regional-failover` of plans/sparc; the engine is killed in the middle of the promotion.

use super::site::{address, health};
use super::*;
use serde_json::json;

const WORLD: &str = r#"
import datetime, hashlib
east, west = client("rds", "us-east-1"), client("rds", "us-west-2")
primary = east.create_db_instance(DBInstanceIdentifier="sparc-prod", DBInstanceClass="db.r6g.xlarge",
    Engine="postgres", EngineVersion="15.4", AllocatedStorage=500, MasterUsername="sparc",
    MasterUserPassword="not-secret", BackupRetentionPeriod=7)["DBInstance"]["DBInstanceArn"]
west.create_db_instance_read_replica(DBInstanceIdentifier="sparc-prod-replica-us-west-2",
    SourceDBInstanceIdentifier=primary)
east.create_db_snapshot(DBInstanceIdentifier="sparc-prod", DBSnapshotIdentifier="sparc-prod-daily")

dns = client("route53")
zone = dns.create_hosted_zone(Name="sparc.com.", CallerReference="1")["HostedZone"]["Id"].rsplit("/", 1)[1]
dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
    "Name": "api.sparc.com", "Type": "A", "AliasTarget": {"HostedZoneId": "Z35SXDOTRQ7X7K",
        "DNSName": "sparc-1234567890.us-east-1.elb.amazonaws.com", "EvaluateTargetHealth": True}}}]})

role = "arn:aws:iam::123456789012:role/nodes"
for region, desired in (("us-east-1", 50), ("us-west-2", 3)):
    eks = client("eks", region)
    eks.create_cluster(name="sparc-prod-" + region, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.create_nodegroup(clusterName="sparc-prod-" + region, nodegroupName="workers", subnets=["subnet-1"],
        nodeRole=role, instanceTypes=["m6i.xlarge"], scalingConfig={"minSize": 1, "maxSize": 60, "desiredSize": desired})

distribution = client("cloudfront").create_distribution(DistributionConfig={"CallerReference": "1", "Comment": "",
    "Enabled": True, "Origins": {"Quantity": 1, "Items": [{"Id": "videos", "DomainName": "videos.us-east-1.sparc.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}]},
    "DefaultCacheBehavior": {"TargetOriginId": "videos", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}})["Distribution"]["Id"]

now = datetime.datetime.now(datetime.timezone.utc)
client("cloudwatch", "us-west-2").put_metric_data(Namespace="AWS/RDS", MetricData=[{"MetricName": "ReplicaLag",
    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "sparc-prod-replica-us-west-2"}], "Value": 0.4,
    "Timestamp": now - datetime.timedelta(seconds=60 * age)} for age in range(5)])

s3 = client("s3", "us-east-1")
dumps = ["logical/sparc_" + name + "_1.sql.gz" for name in ("prod", "auth", "video", "analytics")]
for bucket, keys in {
    "sparc-backups-prod": dumps + ["physical/base.tar", "configs/1.yaml", "volumes/1.tar", "k8s/1.yaml"],
    "sparc-backups-prod-glacier": ["logical/1"], "sparc-wal-archive": ["1"], "sparc-videos-prod": ["1"],
    "sparc-videos-backup": ["1"],
}.items():
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"backup", ChecksumAlgorithm="SHA256",
            Metadata={"checksum": hashlib.sha256(b"backup").hexdigest()})

west = client("s3", "us-west-2")
west.create_bucket(Bucket="sparc-videos-dr", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
for one, bucket in ((west, "sparc-videos-dr"), (s3, "sparc-videos-prod")):
    one.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
s3.put_bucket_replication(Bucket="sparc-videos-prod", ReplicationConfiguration={"Role": role, "Rules": [{"ID": "1",
    "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {"Bucket": "arn:aws:s3:::sparc-videos-dr"}}]})
s3.put_object(Bucket="sparc-videos-prod", Key="2", Body=b"backup")

topic = client("sns", "us-west-2").create_topic(Name="sparc-incidents")["TopicArn"]
queue = client("sqs", "us-west-2").create_queue(QueueName="inbox")["QueueUrl"]
client("sns", "us-west-2").subscribe(TopicArn=topic, Protocol="sqs",
    Endpoint="arn:aws:sqs:us-west-2:123456789012:inbox")
result({"zone": zone, "distribution": distribution, "queue": queue})
"#;

const END: &str = r#"
database = client("rds", "us-west-2").describe_db_instances(
    DBInstanceIdentifier="sparc-prod-replica-us-west-2")["DBInstances"][0]
records = client("route53").list_resource_record_sets(HostedZoneId=made["zone"])["ResourceRecordSets"]
group = client("eks", "us-west-2").describe_nodegroup(clusterName="sparc-prod-us-west-2",
    nodegroupName="workers")["nodegroup"]
distribution = client("cloudfront").get_distribution(Id=made["distribution"])["Distribution"]
inbox = client("sqs", "us-west-2").receive_message(QueueUrl=made["queue"], MaxNumberOfMessages=10).get("Messages", [])
result({
    "status": database["DBInstanceStatus"], "source": database.get("ReadReplicaSourceDBInstanceIdentifier"),
    "retention": database["BackupRetentionPeriod"],
    "record": [one for one in records if one["Name"] == "api.sparc.com."], "nodes": group["scalingConfig"],
    "edges": distribution["Status"],
    "origins": [one["DomainName"] for one in distribution["DistributionConfig"]["Origins"]["Items"]],
    "mail": [json.loads(one["Body"])["Subject"] for one in inbox],
})
"#;

fn addresses(copy: &mut Copy, site: &Site, made: &serde_json::Value) {
    copy.var("zone", made["zone"].as_str().unwrap());
    copy.var("distribution", made["distribution"].as_str().unwrap());
    for probe in ["ref-dns", "ref-web"] {
        copy.set(&format!("probes.{probe}.address"), address(&site.reference));
    }
    // No resolver of this host knows the domain.
    copy.set("probes.api-record.resolvers", vec!["127.0.0.1:1"]);
    copy.set("probes.public-api.url", health(&site.public));
    for name in ["api", "auth", "video", "incidents", "playback", "analytics", "audit"] {
        copy.set(&format!("probes.primary-{name}.url"), health(&site.east));
        // A slow answer of a busy host is no turn of the region.
        copy.set(&format!("probes.primary-{name}.warn"), "2500ms");
    }
    for name in ["alb", "redis", "registry"] {
        copy.set(&format!("probes.primary-{name}.address"), address(&site.east));
    }
    for name in ["api", "video", "incidents", "playback"] {
        copy.set(&format!("probes.dr-{name}.url"), health(&site.deployed));
    }
    for name in ["alb", "registry"] {
        copy.set(&format!("probes.dr-{name}.address"), address(&site.west));
    }
}

/// What the plan deploys in us-west-2.
fn overlay(plan: &std::path::Path) {
    let folder = plan.join("k8s/overlays/disaster-recovery");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("kustomization.yaml"), "namespace: sparc-prod\nresources: [api.yaml]\n")
        .unwrap();
    let api = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api-gateway}\nspec:\n  replicas: 2\n  \
               selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n    \
               spec: {containers: [{name: main, image: runs}]}\n";
    std::fs::write(folder.join("api.yaml"), api).unwrap();
}

#[test]
fn the_region_is_failed_over_although_the_engine_is_killed_while_the_replica_is_promoted() {
    let clusters = Clusters::start("sparc-prod", &[]);
    let contexts = ["sparc-prod-us-east-1", "sparc-prod-us-west-2"];
    let secrets = ["sparc-db-primary", "sparc-db-us-west-2"];
    let mut night = Night::begin("sparc", WORLD, secrets, (clusters, contexts), addresses);
    overlay(&night.home.plan());
    // A pilot light: applications are deployed there only when they are needed.
    night.site.deployed.refuse();
    night.operator.waits_for("that all is well", |screen| screen.contains("every service works"));
    night.lose_east(Fault::CutBefore);
    night.decide(&["Is us-east-1 lost?", "Can us-west-2 take over?"]);

    let how = "the cluster does not answer; its database is isolated";
    night.by_hand(2, "Stop all services", Some("sparc-prod/workloads"), how);

    night.emulator.control(json!({"transition_ms": 25_000}));
    let asked = night.prepare(3, "Promote the read replica");
    assert!(
        asked.contains("IRREVERSIBLE")
            && asked.contains("YOU LOSE between nothing and")
            && asked.contains(": fenced at "),
        "{asked}"
    );
    night.fire("sparc-prod-replica-us-west-2");
    night.operator.sees("modifying");
    night.kill_engine();
    night.rds_promotes();
    // The next engine does not know whether the step ran on, and looks at the world.
    night.start_engine();
    night.settled("unknown", "Promote the read replica");
    night.select(3, "Promote the read replica");
    // Its own look found it going on, so it stays unknown: the operator asks again later.
    night.operator.sees("it goes on: modifying");
    crate::postgres::wait_until("the end of the promotion", || night.read(END)["source"].is_null());
    night.recheck("Promote the read replica");
    night.emulator.control(json!({"transition_ms": 300}));

    let asked = night.prepare(4, "Bring the nodes of us-west-2");
    assert!(asked.contains("desired 3 -> 50"), "{asked}");
    night.run_it("Bring the nodes of us-west-2");
    let asked = night.prepare(5, "Deploy the applications");
    assert!(asked.contains("api-gateway"), "{asked}");
    night.run_it("Deploy the applications");
    assert_eq!(night.clusters.runs_in_the_west("api-gateway"), "2 2");
    night.site.deployed.restore();
    night.settled("verified", "Verify the services");

    let asked = night.prepare(7, "Point api.sparc.com");
    assert!(asked.contains("sparc-1234567890.us-east-1") && asked.contains("sparc-dr-1234567890"), "{asked}");
    night.fire("api.sparc.com");
    night.settled("verified", "Point api.sparc.com");
    let asked = night.prepare(8, "Let the CDN fetch");
    for side in ["origin videos: videos.us-east-1.sparc.com ->", "videos.us-west-2.sparc.com  "] {
        assert!(asked.contains(side), "{asked}");
    }
    let distribution = night.made["distribution"].as_str().unwrap().to_owned();
    night.fire(&distribution);
    night.settled("verified", "Let the CDN fetch");
    // The customers follow the record.
    night.site.public.restore();
    night.settled("verified", "Verify that customers");

    night.prepare(10, "Notify the chain");
    night.run_it("Notify the chain");
    night.select(11, "Business validation");
    night.attest("Business validation", "each line was tried by its owner");
    night.ends_in_the_west();

    let found = night.read(END);
    assert_eq!(
        (&found["status"], &found["source"], &found["retention"]),
        (&json!("available"), &json!(null), &json!(7))
    );
    let alias = json!({"HostedZoneId": "Z1H1FL5HABSF5", "EvaluateTargetHealth": true,
        "DNSName": "sparc-dr-1234567890.us-west-2.elb.amazonaws.com"});
    assert_eq!(found["record"][0]["AliasTarget"], alias, "{found}");
    assert_eq!(found["record"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["nodes"], json!({"minSize": 1, "maxSize": 60, "desiredSize": 50}));
    assert_eq!(found["origins"], json!(["videos.us-west-2.sparc.com"]));
    assert_eq!(found["edges"], "Deployed");
    assert_eq!(found["mail"], json!(["[P0] Disaster Recovery Activated - us-west-2"]));
    assert_eq!(
        night.emulator.calls()["rds:PromoteReadReplica@us-west-2"],
        1,
        "promoted once, whatever crashed"
    );
    night.end(&["promote", "scale-nodes", "switch-dns", "switch-cdn", "notify"]);
}
