//! `full-region-failover` of plans/arka.

use super::site::{address, health};
use super::*;
use serde_json::json;

const WORLD: &str = r#"
import datetime, hashlib, json
east, west = client("rds", "us-east-1"), client("rds", "us-west-2")
primary = east.create_db_instance(DBInstanceIdentifier="arka-db-primary", DBInstanceClass="db.r6g.2xlarge",
    Engine="postgres", EngineVersion="15.4", AllocatedStorage=500, MasterUsername="pact",
    MasterUserPassword="not-secret", BackupRetentionPeriod=30)["DBInstance"]["DBInstanceArn"]
east.create_db_instance_read_replica(DBInstanceIdentifier="arka-db-replica", SourceDBInstanceIdentifier="arka-db-primary")
west.create_db_instance_read_replica(DBInstanceIdentifier="arka-db-dr-replica", SourceDBInstanceIdentifier=primary)

dns = client("route53")
zone = dns.create_hosted_zone(Name="arka-engine.io.", CallerReference="1")["HostedZone"]["Id"].rsplit("/", 1)[1]
dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
    "Name": "api.arka-engine.io", "Type": "CNAME", "TTL": 60,
    "ResourceRecords": [{"Value": "lb.us-east-1.arka-engine.io"}]}}]})
check = dns.create_health_check(CallerReference="1", HealthCheckConfig={"Type": "HTTPS", "Port": 443,
    "FullyQualifiedDomainName": "api.us-east-1.arka-engine.io", "ResourcePath": "/health"})["HealthCheck"]["Id"]

role = "arn:aws:iam::123456789012:role/nodes"
eks = client("eks", "us-west-2")
eks.create_cluster(name="arka-dr", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
eks.create_nodegroup(clusterName="arka-dr", nodegroupName="workers", subnets=["subnet-1"], nodeRole=role,
    instanceTypes=["m6g.xlarge"], scalingConfig={"minSize": 2, "maxSize": 12, "desiredSize": 3})

nodes = {"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1", "subnet-2", "subnet-3"]}
for region, name in (("us-east-1", "arka-events"), ("us-west-2", "arka-events-dr")):
    client("kafka", region).create_cluster_v2(ClusterName=name, Provisioned={"BrokerNodeGroupInfo": nodes,
        "KafkaVersion": "3.6.0", "NumberOfBrokerNodes": 3})

now = datetime.datetime.now(datetime.timezone.utc)
client("cloudwatch", "us-west-2").put_metric_data(Namespace="AWS/RDS", MetricData=[{"MetricName": "ReplicaLag",
    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "arka-db-dr-replica"}], "Value": 0.4,
    "Timestamp": now - datetime.timedelta(seconds=60 * age)} for age in range(5)])

client("cloudwatch", "us-east-1").put_metric_data(Namespace="AWS/Kafka", MetricData=[{
    "MetricName": "OfflinePartitionsCount", "Dimensions": [{"Name": "Cluster Name", "Value": "arka-events"}],
    "Value": 0, "Timestamp": now - datetime.timedelta(seconds=60 * age)} for age in range(5)])
client("cloudwatch", "us-east-1").put_metric_data(Namespace="AWS/RDS", MetricData=[{
    "MetricName": "OldestReplicationSlotLag", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "arka-db-primary"}],
    "Value": 1e6, "Timestamp": now - datetime.timedelta(seconds=60 * age)} for age in range(5)])
alarms = client("cloudwatch", "us-east-1")
alarms.put_metric_alarm(AlarmName="arka-api-errors", Namespace="arka", MetricName="errors", Statistic="Sum", Period=60,
    EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
alarms.set_alarm_state(AlarmName="arka-api-errors", StateValue="OK", StateReason="none")

s3 = client("s3", "us-east-1")
client("s3", "us-west-2").create_bucket(Bucket="arka-backups-us-west-2",
    CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
client("s3", "us-west-2").put_bucket_versioning(Bucket="arka-backups-us-west-2",
    VersioningConfiguration={"Status": "Enabled"})
for bucket, prefixes in {
    "arka-backups-us-east-1": ("full", "wal", "base", "redis/rdb", "redis/aof", "configuration", "vault", "logs", "blockchain"),
    "arka-archive-us-east-1": ("audit",),
}.items():
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]})
    if bucket == "arka-backups-us-east-1":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role, "Rules": [{"ID": "1",
            "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn:aws:s3:::arka-backups-us-west-2"}}]})
    for prefix in prefixes:
        s3.put_object(Bucket=bucket, Key=prefix + "/newest", Body=b"backup", ChecksumAlgorithm="SHA256",
            Metadata={"sha256": hashlib.sha256(b"backup").hexdigest()})

topic = client("sns", "us-west-2").create_topic(Name="arka-failover")["TopicArn"]
queue = client("sqs", "us-west-2").create_queue(QueueName="inbox")["QueueUrl"]
client("sns", "us-west-2").subscribe(TopicArn=topic, Protocol="sqs",
    Endpoint="arn:aws:sqs:us-west-2:123456789012:inbox")
result({"zone": zone, "health_check": check, "queue": queue})
"#;

const END: &str = r#"
database = client("rds", "us-west-2").describe_db_instances(DBInstanceIdentifier="arka-db-dr-replica")["DBInstances"][0]
records = client("route53").list_resource_record_sets(HostedZoneId=made["zone"])["ResourceRecordSets"]
record = [one for one in records if one["Name"] == "api.arka-engine.io."]
group = client("eks", "us-west-2").describe_nodegroup(clusterName="arka-dr", nodegroupName="workers")["nodegroup"]
inbox = client("sqs", "us-west-2").receive_message(QueueUrl=made["queue"], MaxNumberOfMessages=10).get("Messages", [])
result({
    "status": database["DBInstanceStatus"], "source": database.get("ReadReplicaSourceDBInstanceIdentifier"),
    "retention": database["BackupRetentionPeriod"], "record": record, "nodes": group["scalingConfig"],
    "mail": [json.loads(one["Body"])["Subject"] for one in inbox],
})
"#;

fn addresses(copy: &mut Copy, site: &Site, made: &serde_json::Value) {
    copy.var("zone", made["zone"].as_str().unwrap());
    copy.var("health_check", made["health_check"].as_str().unwrap());
    for probe in ["ref-dns", "ref-web"] {
        copy.set(&format!("probes.{probe}.address"), address(&site.reference));
    }
    // No resolver of this host knows the domain.
    copy.set("probes.api-record.resolvers", vec!["127.0.0.1:1"]);
    copy.set("probes.public-api.url", health(&site.public));
    let east = ["api", "rtvm", "admin", "reporting", "anchoring", "analytics"];
    for probe in east.map(|name| format!("primary-{name}")).into_iter().chain(["sandbox".to_owned()]) {
        copy.set(&format!("probes.{probe}.url"), health(&site.east));
        // A slow answer of a busy host is no turn of the region.
        copy.set(&format!("probes.{probe}.warn"), "2500ms");
    }
    for probe in ["primary-lb", "primary-redis"] {
        copy.set(&format!("probes.{probe}.address"), address(&site.east));
    }
    for probe in ["dr-api", "dr-rtvm"] {
        copy.set(&format!("probes.{probe}.url"), health(&site.west));
    }
    for probe in ["dr-lb", "dr-redis"] {
        copy.set(&format!("probes.{probe}.address"), address(&site.west));
    }
    // One standby stands for both replicas.
    for key in ["replica-db.dsn", "replica-lag.dsn"] {
        let secret = toml::Table::from_iter([("secret".to_owned(), "arka-db-dr-replica".into())]);
        copy.set(&format!("probes.{key}"), secret);
    }
}

#[test]
fn the_region_is_failed_over_as_the_document_says() {
    let clusters = Clusters::start("pact", &[("arka-api", 6, 1), ("arka-worker", 4, 0)]);
    let secrets = ["arka-db-primary", "arka-db-dr-replica"];
    let mut night = Night::begin("arka", WORLD, secrets, (clusters, ["primary", "dr"]), addresses);
    night.operator.waits_for("that all is well", |screen| screen.contains("every service works"));
    // Half-dead is worse than dead: us-east-1 takes connections and does not answer.
    night.lose_east(Fault::Hang);
    night.decide(&["Is the primary region completely down?", "Can us-west-2 take over?"]);

    let how = "the cluster does not answer; its database is isolated";
    night.by_hand(2, "Stop all services", Some("pact/workloads"), how);

    night.emulator.control(json!({"transition_ms": 16_000}));
    let asked = night.prepare(4, "Promote the database");
    assert!(
        asked.contains("IRREVERSIBLE")
            && asked.contains("YOU LOSE between nothing and")
            && asked.contains(": fenced at "),
        "{asked}"
    );
    night.fire("arka-db-dr-replica");
    night.operator.sees("modifying");
    night.rds_promotes();
    night.settled("verified", "Promote the database");
    night.emulator.control(json!({"transition_ms": 300}));

    let asked = night.prepare(5, "Bring the nodes of us-west-2");
    assert!(asked.contains("desired 3 -> 12"), "{asked}");
    night.run_it("Bring the nodes of us-west-2");
    let asked = night.prepare(6, "Scale the API");
    assert!(asked.contains("1 -> 6"), "{asked}");
    night.run_it("Scale the API");
    assert_eq!(night.clusters.runs_in_the_west("arka-api"), "6 6");
    let asked = night.prepare(7, "Scale the workers");
    assert!(asked.contains("0 -> 4"), "{asked}");
    night.run_it("Scale the workers");
    assert_eq!(night.clusters.runs_in_the_west("arka-worker"), "4 4");

    let asked = night.prepare(8, "Point api.arka-engine.io");
    assert!(asked.contains("lb.us-east-1.arka-engine.io") && asked.contains("lb.us-west-2"), "{asked}");
    night.fire("api.arka-engine.io");
    night.settled("verified", "Point api.arka-engine.io");
    // The customers follow the record.
    night.site.public.restore();
    night.settled("verified", "Verify that us-west-2 serves");

    night.prepare(10, "Notify all who subscribed");
    night.run_it("Notify all who subscribed");
    night.select(11, "Status page");
    night.attest("Status page", "the notice is on the status page");
    night.ends_in_the_west();

    let found = night.read(END);
    assert_eq!(
        (&found["status"], &found["source"], &found["retention"]),
        (&json!("available"), &json!(null), &json!(7))
    );
    let record = json!([{"Name": "api.arka-engine.io.", "Type": "CNAME", "TTL": 60,
        "ResourceRecords": [{"Value": "lb.us-west-2.arka-engine.io"}]}]);
    assert_eq!(found["record"], record);
    assert_eq!(found["nodes"], json!({"minSize": 2, "maxSize": 16, "desiredSize": 12}));
    assert_eq!(found["mail"], json!(["ARKA Engine serves from us-west-2"]));
    let calls = night.emulator.calls();
    for once in ["rds:PromoteReadReplica@us-west-2", "eks:UpdateNodegroupConfig@us-west-2"] {
        assert_eq!(calls[once], 1, "{calls:?}");
    }
    night.end(&["promote", "scale-nodes", "switch-dns", "notify"]);
}
