use super::fetch::Gathered;
use super::*;
use crate::base::problem::Problem;
use crate::core::words::reading::Verdict;
use crate::plan::params::Params;
use crate::providers::aws::client::AwsErrorKind;
use crate::testing::{probe_params, refused};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MessageData, MetricDataResult, StatusCode};

const NOW: i64 = 1_800_000_000;

fn params(keys: &str) -> Params {
    probe_params("cloudwatch-metric", keys)
}

fn wanted(keys: &str) -> Wanted {
    Wanted::of(&params(&format!("aws_region = \"us-west-2\"\n{keys}"))).unwrap()
}

fn lag() -> Wanted {
    wanted("preset = \"rds-replica-lag\"\nof = \"db\"")
}

fn second(ago: i64) -> Timestamp {
    Timestamp::from_second(NOW - ago).unwrap()
}

fn judge(wanted: &Wanted, value: f64, ago: i64) -> Result<Measurement, Problem> {
    wanted.judge(Point { at: second(ago), value }, second(0))
}

#[test]
fn a_preset_fills_in_what_cloudwatch_needs() {
    let query = lag().query;
    assert_eq!(query.title(), "AWS/RDS ReplicaLag of DBInstanceIdentifier=db");
    assert_eq!((&*query.statistic, query.period_s, query.look_back_s), ("Maximum", 60, 300));
    let global = wanted(
        "preset = \"aurora-global-lag\"\nof = \"c\"\nstatistic = \"p99\"\ndimensions.SourceRegion = \"us-east-1\"",
    );
    assert_eq!(
        global.query.title(),
        "AWS/RDS AuroraGlobalDBReplicationLag of DBClusterIdentifier=c, SourceRegion=us-east-1"
    );
    assert_eq!(global.query.statistic, "p99");
    let msk = wanted("preset = \"msk-offline-partitions\"\nof = \"events\"");
    assert_eq!(msk.query.title(), "AWS/Kafka OfflinePartitionsCount of Cluster Name=events");
}

#[test]
fn what_cloudwatch_would_refuse_for_all_is_refused_for_one() {
    let metric = "namespace = \"N\"\nmetric = \"M\"\n";
    for keys in [
        "".to_owned(),
        "namespace = \"N\"".into(),
        "preset = \"rds-replica-lag\"".into(),
        "preset = \"rds-replica-lag\"\nof = \"a\"\nmetric = \"M\"".into(),
        format!("{metric}of = \"a\""),
        format!("{metric}statistic = \"p999\""),
        format!("{metric}statistic = \"Median\""),
        format!("{metric}period = \"90s\""),
        format!("{metric}period = \"2d\""),
        format!("{metric}look_back = \"1m\""),
        format!("{metric}look_back = \"20d\""),
        format!("{metric}period = \"10s\"\nlook_back = \"4h\""),
        format!("{metric}dimensions.A = \"\""),
        "namespace = \":N\"\nmetric = \"M\"".into(),
    ] {
        assert!(!refused("cloudwatch-metric", &keys).is_empty(), "{keys}");
    }
    for keys in ["statistic = \"p99.9\"", "period = \"5s\"", "period = \"1d\"", "look_back = \"15d\""] {
        Wanted::of(&params(&format!("aws_region = \"us-west-2\"\n{metric}{keys}")))
            .unwrap_or_else(|error| panic!("{keys}: {error}"));
    }
    assert_eq!(wanted(&format!("{metric}period = \"1d\"")).query.look_back_s, 3 * 86_400);
}

#[test]
fn a_lag_is_also_what_would_be_lost() {
    let measured = judge(&lag(), 3.5, 95).unwrap();
    assert_eq!((measured.value, measured.number("value_s")), (Some(3.5), Some(3.5)));
    assert_eq!((measured.number("exposure_s"), measured.number("age_s")), (Some(3.5), Some(95.0)));
    assert_eq!(measured.summary, "3 s (ReplicaLag, 95 s old)");
    assert_eq!(measured.text("exposure_basis"), Some("CloudWatch's ReplicaLag, 95 s old"));
    let aurora = wanted("preset = \"aurora-replica-lag\"\nof = \"db\"");
    let measured = judge(&aurora, 20.0, 60).unwrap();
    assert_eq!((measured.value, measured.number("exposure_s")), (Some(20.0), Some(0.02)));
    let slot = wanted("preset = \"oldest-replication-slot-lag\"\nof = \"db\"");
    let measured = judge(&slot, 5e9, 60).unwrap();
    assert_eq!((measured.number("value_bytes"), measured.number("exposure_s")), (Some(5e9), None));
}

#[test]
fn a_replica_that_replicates_nothing_has_no_lag() {
    let measured = judge(&lag(), -1.0, 60).unwrap();
    assert_eq!(measured.verdict, Verdict::Critical("nothing is replicated: ReplicaLag is -1".into()));
    assert_eq!((measured.value, measured.number("exposure_s")), (None, None));
    let temperature = wanted("namespace = \"N\"\nmetric = \"M\"");
    assert_eq!(judge(&temperature, -1.0, 60).unwrap().value, Some(-1.0));
}

#[test]
fn an_old_datapoint_is_no_datapoint() {
    judge(&lag(), 1.0, 300).unwrap();
    let failure = judge(&lag(), 1.0, 400).unwrap_err();
    assert!(failure.why.ends_with("in 5 min, the newest is 6 min old"), "{failure:?}");
    assert!(failure.next.contains("list-metrics"));
}

fn result(place: usize, status: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
    let mut result = MetricDataResult::builder().id(format!("m{place}")).status_code(status);
    for (ago, value) in points {
        result = result.timestamps(DateTime::from_secs(NOW - ago)).values(*value);
    }
    result.build()
}

#[test]
fn each_metric_has_its_own_status() {
    let metric = |name: &str| wanted(&format!("namespace = \"N\"\nmetric = \"{name}\"")).query;
    let queries: Vec<Query> = ["a", "b", "c", "d", "e"].map(metric).into();
    let mut gathered = Gathered::default();
    let denied = MessageData::builder().code("Forbidden").value("not\u{1b} yours").build();
    let mut forbidden = result(1, StatusCode::Forbidden, &[]);
    forbidden.messages = Some(vec![denied]);
    for part in [
        result(0, StatusCode::Complete, &[(60, 7.0), (120, 6.0)]),
        forbidden,
        result(2, StatusCode::InternalError, &[]),
        result(3, StatusCode::PartialData, &[]),
        // The newest page came first.
        result(4, StatusCode::PartialData, &[(60, 1.0)]),
        result(4, StatusCode::Complete, &[(600, 9.0)]),
        result(77, StatusCode::Complete, &[(60, 1.0)]),
    ] {
        gathered.add(&part, &queries, second(0));
    }
    let found: Vec<Found> =
        gathered.into_answers(&queries, "us-west-2").into_iter().map(|(_, found)| found).collect();
    assert_eq!(found[0], Ok(Some(Point { at: second(60), value: 7.0 })));
    assert_eq!(found[4], Ok(Some(Point { at: second(60), value: 1.0 })));
    let error = found[1].clone().unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Denied);
    assert!(error.to_string().ends_with("CloudWatch forbids this metric: not\u{fffd} yours"), "{error}");
    assert!(error.unmeasured().next.contains("cloudwatch:GetMetricData"));
    assert_eq!(found[2].clone().unwrap_err().kind, AwsErrorKind::Internal);
    assert!(found[3].clone().unwrap_err().to_string().contains("not all there are"));
    let silent = Gathered::default().into_answers(&queries[..1], "us-west-2");
    assert!(silent[0].1.clone().unwrap_err().to_string().contains("leaves this metric out"));
}

#[test]
fn a_sum_counts_once_its_period_is_over() {
    let newest = |statistic: &str| {
        let query = wanted(&format!("namespace = \"N\"\nmetric = \"M\"\nstatistic = \"{statistic}\"")).query;
        let mut gathered = Gathered::default();
        let part = result(0, StatusCode::Complete, &[(20, 3.0), (80, 50.0)]);
        gathered.add(&part, std::slice::from_ref(&query), second(0));
        gathered.into_answers(&[query], "us-west-2").pop().unwrap().1.unwrap().unwrap().value
    };
    assert_eq!([newest("Sum"), newest("SampleCount"), newest("Average")], [50.0, 50.0, 3.0]);
}
