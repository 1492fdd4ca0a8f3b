//! The tests' own emulators and proxy do what they say.

use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::aws::{Emulator, Fault, FaultProxy, Match, Ministack, Times};

const PAIR: &str = r#"
primary = client("rds", "eu-west-1").create_db_instance(
    DBInstanceIdentifier="orders", DBInstanceClass="db.r6g.large", Engine="postgres", EngineVersion="15.4",
    AllocatedStorage=100, MasterUsername="admin", MasterUserPassword="not-secret", BackupRetentionPeriod=7)["DBInstance"]
client("rds", "eu-central-1").create_db_instance_read_replica(
    DBInstanceIdentifier="orders-dr", SourceDBInstanceIdentifier=primary["DBInstanceArn"])
"#;

const PROMOTE: &str =
    r#"client("rds", "eu-central-1").promote_read_replica(DBInstanceIdentifier="orders-dr")"#;

/// Runs a call that must fail; gives its code.
fn refused(emulator: &Emulator, call: &str) -> Value {
    emulator.boto(&format!(
        "from botocore.exceptions import ClientError\ntry:\n    {call}\n    result('nothing was refused')\n\
         except ClientError as error:\n    result(error.response['Error']['Code'])\n"
    ))
}

fn replica(emulator: &Emulator) -> Value {
    emulator.boto(r#"result(client("rds", "eu-central-1").describe_db_instances()["DBInstances"][0])"#)
}

fn wait_until(what: &str, met: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !met() {
        assert!(Instant::now() < deadline, "{what} did not happen");
    }
}

async fn sdk(endpoint: &str) -> aws_config::SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region("eu-central-1")
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

#[test]
fn a_promotion_takes_its_time_and_ends_replication_on_both_sides() {
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    emulator.control(json!({"transition_ms": 8000}));
    let course = emulator.boto(
        r#"
import time
rds = client("rds", "eu-central-1")
rds.promote_read_replica(DBInstanceIdentifier="orders-dr")
try:
    rds.promote_read_replica(DBInstanceIdentifier="orders-dr")
    raise AssertionError("promoted twice")
except rds.exceptions.InvalidDBInstanceStateFault:
    pass
course, source = [], True
while source:
    seen = rds.describe_db_instances()["DBInstances"][0]
    source = "ReadReplicaSourceDBInstanceIdentifier" in seen
    if [seen["DBInstanceStatus"], source] not in course[-1:]:
        course.append([seen["DBInstanceStatus"], source])
    time.sleep(0.01)
result(course)
"#,
    );
    let expected =
        json!([["available", true], ["modifying", true], ["rebooting", true], ["available", false]]);
    assert_eq!(course, expected);
    assert_eq!(replica(&emulator)["DBInstanceStatus"], "available");
    assert_eq!(replica(&emulator)["BackupRetentionPeriod"], 1);
    let sources =
        emulator.boto(r#"result(client("rds", "eu-west-1").describe_db_instances()["DBInstances"][0])"#);
    assert_eq!(sources["ReadReplicaDBInstanceIdentifiers"], json!([]));
    assert_eq!(refused(&emulator, PROMOTE), "InvalidDBInstanceState");
    assert_eq!(refused(&emulator, &PROMOTE.replace("orders-dr", "nobody")), "DBInstanceNotFound");
}

#[test]
fn a_promotion_fails_half_way_when_it_is_asked_to() {
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    emulator.control(json!({"fail_next_promotion": "incompatible-parameters", "transition_ms": 100}));
    emulator.boto(PROMOTE);
    wait_until("the failure", || replica(&emulator)["DBInstanceStatus"] == "incompatible-parameters");
    assert!(replica(&emulator)["ReadReplicaSourceDBInstanceIdentifier"].is_string());
}

#[test]
fn a_restore_outside_of_the_window_is_refused() {
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    let restore = |time: &str| {
        format!(
            "import datetime; now = datetime.datetime.now(datetime.timezone.utc); client('rds', 'eu-west-1')\
             .restore_db_instance_to_point_in_time(SourceDBInstanceIdentifier='orders', \
             TargetDBInstanceIdentifier='restored', RestoreTime={time})"
        )
    };
    assert_eq!(refused(&emulator, &restore("now")), "InvalidRestoreFault");
    assert_eq!(refused(&emulator, &restore("now - datetime.timedelta(days=8)")), "InvalidRestoreFault");
    emulator.boto(&restore("now - datetime.timedelta(days=6)"));
}

#[test]
fn calls_are_counted_and_denied_but_those_of_the_tests_own_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    emulator.control(json!({"deny": ["rds:PromoteReadReplica"]}));
    runtime.block_on(async {
        let rds = aws_sdk_rds::Client::new(&sdk(&emulator.endpoint()).await);
        rds.describe_db_instances().send().await.unwrap();
        let error = rds.promote_read_replica().db_instance_identifier("orders-dr").send().await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"));
        let said = error.message().unwrap();
        assert!(
            said.ends_with("because no identity-based policy allows the rds:PromoteReadReplica action"),
            "{said}"
        );
    });
    let calls = emulator.calls();
    assert_eq!(calls["rds:DescribeDBInstances@eu-central-1"], 1, "{calls:?}");
    assert_eq!(calls["rds:PromoteReadReplica@eu-central-1"], 1, "{calls:?}");
    assert_eq!(calls.len(), 2, "{calls:?}");
    emulator.forget_calls();
    assert!(emulator.calls().is_empty());
}

#[test]
fn the_sdk_reads_metrics_in_its_own_protocol() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::start();
    emulator.boto(
        "import datetime\nnow = datetime.datetime.now(datetime.timezone.utc)\n\
         client('cloudwatch', 'eu-central-1').put_metric_data(Namespace='AWS/RDS', MetricData=[{\
         'MetricName': 'ReplicaLag', 'Timestamp': now - datetime.timedelta(seconds=90), 'Value': 3.5}])",
    );
    let values = runtime.block_on(metric(&emulator.endpoint())).unwrap();
    assert_eq!(values, [3.5]);
    assert_eq!(emulator.calls()["monitoring:GetMetricData@eu-central-1"], 1);

    emulator.control(json!({"deny": ["monitoring:GetMetricData"]}));
    assert_eq!(runtime.block_on(metric(&emulator.endpoint())).unwrap_err(), "AccessDeniedException");
    emulator.control(json!({"deny": []}));
    let proxy = FaultProxy::before(&emulator.endpoint());
    proxy.fault(Match::operation("GetMetricData"), Fault::Throttle, Times::ONCE);
    assert_eq!(runtime.block_on(metric(&proxy.endpoint())).unwrap_err(), "Throttling");
    assert_eq!(runtime.block_on(metric(&proxy.endpoint())).unwrap(), [3.5]);
}

/// The metric's values, or the code of the error.
async fn metric(endpoint: &str) -> Result<Vec<f64>, String> {
    use aws_sdk_cloudwatch::primitives::DateTime;
    use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat};
    let metric = Metric::builder().namespace("AWS/RDS").metric_name("ReplicaLag").build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
    let now = std::time::SystemTime::now();
    let found = aws_sdk_cloudwatch::Client::new(&sdk(endpoint).await)
        .get_metric_data()
        .metric_data_queries(MetricDataQuery::builder().id("lag").metric_stat(stat).build())
        .start_time(DateTime::from(now - Duration::from_secs(600)))
        .end_time(DateTime::from(now))
        .send()
        .await
        .map_err(|error| match error.code() {
            Some(code) => code.to_owned(),
            None => aws_sdk_cloudwatch::error::DisplayErrorContext(&error).to_string(),
        })?;
    Ok(found.metric_data_results()[0].values().to_vec())
}

#[test]
fn the_proxy_does_each_fault_to_the_requests_that_it_is_for() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    let proxy = FaultProxy::before(&emulator.endpoint());
    runtime.block_on(async {
        let rds = aws_sdk_rds::Client::new(&sdk(&proxy.endpoint()).await);
        let ask = || async {
            let asked =
                tokio::time::timeout(Duration::from_secs(2), rds.describe_db_instances().send()).await;
            match asked {
                Err(_) => "timeout".to_owned(),
                Ok(Ok(_)) => "fine".to_owned(),
                Ok(Err(error)) => match error.raw_response().map(|it| it.status().as_u16()) {
                    None => "cut".to_owned(),
                    Some(status) => format!("{status} {}", error.code().unwrap_or("not AWS")),
                },
            }
        };
        for (fault, expected) in [
            (Fault::Status(500), "500 InternalFailure"),
            (Fault::Throttle, "400 Throttling"),
            (Fault::AccessDenied { message: "no".to_owned() }, "403 AccessDenied"),
            (Fault::ExpiredToken, "403 ExpiredToken"),
            (Fault::CutBefore, "cut"),
            (Fault::LoseAnswer, "cut"),
            (Fault::Hang, "timeout"),
            (Fault::Html(502), "502 not AWS"),
            (Fault::Html(200), "200 not AWS"),
        ] {
            proxy.fault(
                Match::operation("DescribeDBInstances").in_region("eu-central-1"),
                fault,
                Times::ONCE,
            );
            assert_eq!(ask().await, expected);
            assert_eq!(ask().await, "fine", "after {expected}");
        }
        proxy.fault(Match::region("eu-west-1"), Fault::Hang, Times::Always);
        proxy.fault(Match::operation("PromoteReadReplica"), Fault::Hang, Times::Always);
        assert_eq!(ask().await, "fine");

        proxy.clear();
        proxy.fault(Match::all(), Fault::Latency(Duration::from_millis(300)), Times::ONCE);
        let begun = Instant::now();
        assert_eq!(ask().await, "fine");
        assert!(begun.elapsed() >= Duration::from_millis(300));

        proxy.refuse();
        assert_eq!(ask().await, "cut");
        proxy.restore();
        assert_eq!(ask().await, "fine");

        proxy.fault(Match::operation("PromoteReadReplica"), Fault::LoseAnswer, Times::ONCE);
        let promotion = rds.promote_read_replica().db_instance_identifier("orders-dr").send().await;
        assert!(promotion.unwrap_err().raw_response().is_none());
    });
    assert_eq!(refused(&emulator, PROMOTE), "InvalidDBInstanceState", "the lost answer's request was done");
    let last = proxy.requests().pop().unwrap();
    assert_eq!((last.operation.as_str(), last.region.as_str()), ("PromoteReadReplica", "eu-central-1"));
    // Of the nine faults only the lost answer was forwarded; each was followed by a request that went through.
    assert_eq!(emulator.calls()["rds:DescribeDBInstances@eu-central-1"], 9 + 1 + 1 + 1 + 1);
}

#[test]
fn ministack_fails_global_clusters_over() {
    let ministack = Ministack::start();
    let members = ministack.boto(
        r#"
here, there = client("rds", "eu-west-1"), client("rds", "eu-central-1")
first = here.create_db_cluster(DBClusterIdentifier="first", Engine="aurora-postgresql", MasterUsername="admin",
    MasterUserPassword="not-secret")["DBCluster"]["DBClusterArn"]
here.create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=first)
second = there.create_db_cluster(DBClusterIdentifier="second", Engine="aurora-postgresql",
    GlobalClusterIdentifier="world")["DBCluster"]["DBClusterArn"]
here.switchover_global_cluster(GlobalClusterIdentifier="world", TargetDbClusterIdentifier=second)
result(here.describe_global_clusters(GlobalClusterIdentifier="world")["GlobalClusters"][0])
"#,
    );
    assert_eq!(members["GlobalClusterIdentifier"], "world");
    assert_eq!(members["GlobalClusterMembers"].as_array().unwrap().len(), 2, "{members}");
}

#[test]
fn records_distributions_nodegroups_and_objects_change_as_on_aws() {
    let emulator = Emulator::start();
    emulator.control(json!({"transition_ms": 5_000}));
    let began = emulator.boto(
        r#"
dns = client("route53")
zone = dns.create_hosted_zone(Name="example.com.", CallerReference="1")["HostedZone"]["Id"]
change = dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Comment": "drill", "Changes": [
    {"Action": "UPSERT", "ResourceRecordSet": {"Name": "api.example.com", "Type": "CNAME", "TTL": 60, "Weight": 10,
     "SetIdentifier": "eu", "ResourceRecords": [{"Value": "eu.example.com"}]}}]})["ChangeInfo"]
eks = client("eks", "eu-central-1")
role = "arn:aws:iam::123456789012:role/nodes"
eks.create_cluster(name="c", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
eks.create_nodegroup(clusterName="c", nodegroupName="n", subnets=["subnet-1"], nodeRole=role,
    scalingConfig={"minSize": 1, "maxSize": 6, "desiredSize": 2})
update = eks.update_nodegroup_config(clusterName="c", nodegroupName="n", scalingConfig={"desiredSize": 6})["update"]
group = eks.describe_nodegroup(clusterName="c", nodegroupName="n")["nodegroup"]
s3 = client("s3", "eu-west-1")
where = {"LocationConstraint": "eu-west-1"}
for bucket in ("backups", "backups-dr"):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
s3.put_bucket_replication(Bucket="backups", ReplicationConfiguration={"Role": role, "Rules": [{"ID": "1",
    "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {"Bucket": "arn:aws:s3:::backups-dr"}}]})
s3.put_object(Bucket="backups", Key="db.gz", Body=b"x", Metadata={"sha256": "ab"}, ServerSideEncryption="AES256")
result({"change": change, "zone": zone, "update": update,
    "group": group,
    "replication": s3.head_object(Bucket="backups", Key="db.gz")["ReplicationStatus"]})
"#,
    );
    assert_eq!(
        (&began["change"]["Status"], &began["change"]["Comment"]),
        (&json!("PENDING"), &json!("drill"))
    );
    assert_eq!(
        (&began["group"]["status"], &began["update"]["status"]),
        (&json!("UPDATING"), &json!("InProgress"))
    );
    assert_eq!(began["group"]["scalingConfig"]["desiredSize"], 2);
    assert_eq!(began["replication"], "PENDING");

    emulator.control(json!({"ages": {"s3://backups/db.gz": 86_400}}));
    let ended = |field: &str| {
        emulator.boto(&format!(
            "eks, s3 = client('eks', 'eu-central-1'), client('s3', 'eu-west-1')\n\
             result({{'change': client('route53').get_change(Id='{}')['ChangeInfo']['Status'],\n\
             'update': eks.describe_update(name='c', nodegroupName='n', updateId='{}')['update']['status'],\n\
             'group': eks.describe_nodegroup(clusterName='c', nodegroupName='n')['nodegroup'],\n\
             'source': s3.head_object(Bucket='backups', Key='db.gz'),\n\
             'copies': s3.list_objects_v2(Bucket='backups-dr')['KeyCount']}})",
            began["change"]["Id"].as_str().unwrap(),
            began["update"]["id"].as_str().unwrap(),
        ))[field]
            .clone()
    };
    wait_until("the end of all", || ended("change") == "INSYNC" && ended("update") == "Successful");
    assert_eq!(ended("group")["status"], "ACTIVE");
    assert_eq!(ended("group")["scalingConfig"]["desiredSize"], 6);
    assert_eq!(ended("source")["ReplicationStatus"], "COMPLETED");
    assert_eq!(ended("copies"), 1);

    let conflict = r#"
cdn = client("cloudfront")
made = cdn.create_distribution(DistributionConfig={"CallerReference": "1", "Comment": "", "Enabled": True,
    "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "eu.example.com", "CustomOriginConfig":
        {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}]},
    "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}})
name = made["Distribution"]["Id"]
config = cdn.get_distribution_config(Id=name)["DistributionConfig"]
newer = cdn.update_distribution(Id=name, DistributionConfig=config, IfMatch=made["ETag"])["ETag"]
try:
    cdn.update_distribution(Id=name, DistributionConfig=config, IfMatch=made["ETag"])
except cdn.exceptions.PreconditionFailed as error:
    result([newer != made["ETag"], error.response["ResponseMetadata"]["HTTPStatusCode"]])
"#;
    assert_eq!(emulator.boto(conflict), json!([true, 412]));
}

#[test]
fn no_test_sees_a_real_account() {
    crate::aws::isolate();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::start();
    let caller = runtime.block_on(async {
        aws_sdk_sts::Client::new(&sdk(&emulator.endpoint()).await).get_caller_identity().send().await.unwrap()
    });
    assert_eq!(caller.account(), Some("123456789012"));
    assert!(std::env::var_os("AWS_PROFILE").is_none() && std::env::var_os("HTTPS_PROXY").is_none());
}
