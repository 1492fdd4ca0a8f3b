//! `cloudwatch-metric` and `cloudwatch-alarms` against the emulator.

use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};
use crate::probing::{Site, number, text};
use lifeboat::core::words::reading::Verdict;
use serde_json::json;

/// Puts values of one metric, each so many seconds old.
fn put(
    emulator: &Emulator,
    region: &str,
    namespace: &str,
    name: &str,
    dimension: (&str, &str),
    points: &[(u32, f64)],
) {
    let (key, value) = dimension;
    emulator.boto(&format!(
        "import datetime\nnow = datetime.datetime.now(datetime.timezone.utc)\n\
         client('cloudwatch', {region:?}).put_metric_data(Namespace={namespace:?}, MetricData=[{{\
         'MetricName': {name:?}, 'Dimensions': [{{'Name': {key:?}, 'Value': {value:?}}}],\
         'Timestamp': now - datetime.timedelta(seconds=ago), 'Value': value}} for ago, value in {}])",
        json!(points),
    ));
}

const LAG: &str =
    "kind = \"cloudwatch-metric\"\nregion = \"dr\"\npreset = \"rds-replica-lag\"\nof = \"db-dr\"\n";

#[test]
fn a_preset_reads_the_newest_datapoint_and_its_age() {
    let emulator = Emulator::start();
    let site = Site::of(&emulator.endpoint());
    let rds = ("DBInstanceIdentifier", "db-dr");
    put(&emulator, "us-west-2", "AWS/RDS", "ReplicaLag", rds, &[(200, 40.0), (100, 7.0)]);
    put(&emulator, "us-east-1", "AWS/RDS", "ReplicaLag", rds, &[(100, 99.0)]);
    put(
        &emulator,
        "us-west-2",
        "AWS/Kafka",
        "OfflinePartitionsCount",
        ("Cluster Name", "events"),
        &[(70, 3.0)],
    );
    put(&emulator, "us-west-2", "AWS/RDS", "OldestReplicationSlotLag", rds, &[(70, 5e9)]);
    put(&emulator, "us-west-2", "AWS/RDS", "AuroraReplicaLag", rds, &[(70, 21.0)]);
    let global = ("DBClusterIdentifier", "second");
    put(&emulator, "us-west-2", "AWS/RDS", "AuroraGlobalDBReplicationLag", global, &[(70, 800.0)]);

    let lag = site.measure(LAG);
    assert_eq!((lag.value, number(&lag, "exposure_s")), (Some(7.0), 7.0));
    let age_s = number(&lag, "age_s");
    assert!((90.0..170.0).contains(&age_s), "from the start of its minute: {age_s}");
    let preset = |name: &str, of: &str| {
        let keys =
            format!("kind = \"cloudwatch-metric\"\nregion = \"dr\"\npreset = \"{name}\"\nof = \"{of}\"\n");
        site.measure(&keys)
    };
    assert_eq!(preset("msk-offline-partitions", "events").value, Some(3.0));
    assert_eq!(number(&preset("oldest-replication-slot-lag", "db-dr"), "value_bytes"), 5e9);
    assert_eq!(number(&preset("aurora-replica-lag", "db-dr"), "value_s"), 0.021);
    assert_eq!(number(&preset("aurora-global-lag", "second"), "exposure_s"), 0.8);
}

#[test]
fn each_statistic_is_the_one_that_was_asked_for() {
    let emulator = Emulator::start();
    let site = Site::of(&emulator.endpoint());
    // All in one minute that is over, whatever the second is now.
    emulator.boto(
        "import datetime\nnow = datetime.datetime.now(datetime.timezone.utc)\n\
         minute = now.replace(second=0, microsecond=0) - datetime.timedelta(minutes=2)\n\
         client('cloudwatch', 'us-west-2').put_metric_data(Namespace='Queue', MetricData=[{'MetricName': 'Depth', \
         'Dimensions': [{'Name': 'Q', 'Value': 'q'}], 'Timestamp': minute + datetime.timedelta(seconds=n), \
         'Value': float(n)} for n in (1, 2, 3, 10)])",
    );
    let measure = |statistic: &str| {
        let keys = "kind = \"cloudwatch-metric\"\nregion = \"dr\"\nnamespace = \"Queue\"\nmetric = \"Depth\"\n\
                    dimensions.Q = \"q\"\n";
        site.measure(&format!("{keys}statistic = \"{statistic}\"\n")).value.unwrap()
    };
    let values = ["Average", "Maximum", "Minimum", "Sum", "SampleCount"].map(measure);
    assert_eq!(values, [4.0, 10.0, 1.0, 16.0, 4.0]);
}

#[test]
fn what_nobody_publishes_and_what_is_too_old_is_unknown() {
    let emulator = Emulator::start();
    let site = Site::of(&emulator.endpoint());
    let failure = site.fail(LAG);
    assert!(
        failure.why.contains("no datapoint of AWS/RDS ReplicaLag of DBInstanceIdentifier=db-dr in 5 min")
    );
    let site = Site::of(&emulator.endpoint());
    put(&emulator, "us-west-2", "AWS/RDS", "ReplicaLag", ("DBInstanceIdentifier", "db-dr"), &[(1000, 1.0)]);
    // Another probe of the region looks back farther, so that the old datapoint is seen, and told.
    let probes = site.probes(&[LAG, &format!("{LAG}look_back = \"1h\"\n")]);
    let outcomes: Vec<_> = probes.iter().map(|probe| site.run(&**probe)).collect();
    let why = &outcomes[0].as_ref().unwrap_err().why;
    assert!(why.contains("in 5 min, the newest is 1"), "{why}");
    assert_eq!(outcomes[1].as_ref().unwrap().value, Some(1.0));
}

#[test]
fn a_replica_that_replicates_nothing_is_critical() {
    let emulator = Emulator::start();
    put(&emulator, "us-west-2", "AWS/RDS", "ReplicaLag", ("DBInstanceIdentifier", "db-dr"), &[(70, -1.0)]);
    let measured = Site::of(&emulator.endpoint()).measure(LAG);
    assert_eq!(measured.verdict, Verdict::Critical("nothing is replicated: ReplicaLag is -1".into()));
    assert_eq!(measured.value, None);
}

#[test]
fn five_hundred_metrics_of_a_region_are_one_call() {
    let emulator = Emulator::start();
    let site = Site::of(&emulator.endpoint());
    put(&emulator, "us-west-2", "Own", "M7", ("D", "d"), &[(70, 7.0)]);
    let keys = |number: usize, region: &str| {
        format!(
            "kind = \"cloudwatch-metric\"\nregion = \"{region}\"\nnamespace = \"Own\"\nmetric = \"M{number}\"\n\
             dimensions.D = \"d\"\nevery = \"10s\"\n"
        )
    };
    let texts: Vec<String> = (0..500)
        .map(|number| keys(number, "dr"))
        .chain((0..20).map(|number| keys(number, "primary")))
        .collect();
    let probes = site.probes(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let outcomes = site.run_all(&probes);
    assert_eq!(outcomes[7].as_ref().unwrap().value, Some(7.0));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "the others publish nothing");
    let expected =
        [("monitoring:GetMetricData@us-east-1".into(), 1), ("monitoring:GetMetricData@us-west-2".into(), 1)];
    assert_eq!(emulator.calls(), expected.into());
    site.run_all(&probes);
    assert_eq!(emulator.calls(), [(expected_key("us-east-1"), 1), (expected_key("us-west-2"), 1)].into());
}

fn expected_key(region: &str) -> String {
    format!("monitoring:GetMetricData@{region}")
}

#[test]
fn the_five_hundred_and_first_metric_is_a_second_call() {
    let emulator = Emulator::start();
    let site = Site::of(&emulator.endpoint());
    let texts: Vec<String> = (0..501)
        .map(|number| {
            format!(
                "kind = \"cloudwatch-metric\"\nregion = \"dr\"\nnamespace = \"Own\"\nmetric = \"M{number}\"\n"
            )
        })
        .collect();
    let probes = site.probes(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    site.run_all(&probes);
    assert_eq!(emulator.calls(), [(expected_key("us-west-2"), 2)].into());
}

#[test]
fn a_throttle_a_denial_and_a_dead_region_each_say_what_to_do() {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    let throttled = || Match::operation("GetMetricData");
    proxy.fault(throttled(), Fault::Throttle, Times::Always);
    let failure = Site::of(&proxy.endpoint()).fail(LAG);
    assert!(failure.next.contains("Wait half a minute"), "{failure:?}");
    proxy.clear();
    emulator.control(json!({"deny": ["monitoring:GetMetricData", "monitoring:DescribeAlarms"]}));
    let failure = Site::of(&emulator.endpoint()).fail(LAG);
    assert!(failure.next.contains("Grant `cloudwatch:GetMetricData`"), "{failure:?}");
    let failure = Site::of(&emulator.endpoint())
        .fail("kind = \"cloudwatch-alarms\"\nregion = \"dr\"\nprefix = \"a\"\n");
    assert!(failure.next.contains("Grant `cloudwatch:DescribeAlarms`"), "{failure:?}");
    proxy.refuse();
    let failure = Site::of(&proxy.endpoint()).fail(LAG);
    assert!(failure.why.contains("us-west-2") && failure.next.contains("can be reached"), "{failure:?}");
    proxy.restore();
    proxy.fault(Match::all(), Fault::Html(200), Times::Always);
    let failure = Site::of(&proxy.endpoint()).fail(LAG);
    assert!(failure.next.contains("HTTPS_PROXY"), "{failure:?}");
}

const ALARMS: &str = r#"
cw = client("cloudwatch", "us-west-2")
for name, state in {STATES}.items():
    cw.put_metric_alarm(AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=5.0,
        Namespace="AWS/ApplicationELB", MetricName="HTTPCode_Target_5XX_Count", Period=60, Statistic="Sum",
        ActionsEnabled=not name.endswith("silent"))
    if state:
        cw.set_alarm_state(AlarmName=name, StateValue=state, StateReason="Threshold Crossed: 9 over 5")
"#;

fn alarms(emulator: &Emulator, states: serde_json::Value) {
    emulator.boto(&ALARMS.replace("{STATES}", &states.to_string()));
}

fn named(names: &[&str]) -> String {
    format!("kind = \"cloudwatch-alarms\"\nregion = \"dr\"\nnames = {}\n", json!(names))
}

#[test]
fn alarms_are_counted_by_state_and_the_one_that_rings_says_why() {
    let emulator = Emulator::start();
    alarms(
        &emulator,
        json!({"web-ok": "OK", "web-5xx": "ALARM", "web-new": "INSUFFICIENT_DATA", "db-silent": "OK"}),
    );
    let all = Site::of(&emulator.endpoint())
        .measure("kind = \"cloudwatch-alarms\"\nregion = \"dr\"\nprefix = \"web-\"\n");
    let why = all.verdict.why().unwrap();
    assert!(matches!(all.verdict, Verdict::Critical(_)), "{all:?}");
    assert!(
        why.starts_with("1 in ALARM: web-5xx for ") && why.ends_with(": Threshold Crossed: 9 over 5"),
        "{why}"
    );
    assert_eq!((all.value, text(&all, "alarms")), (Some(1.0), "web-5xx"));
    assert_eq!([number(&all, "ok_count"), number(&all, "insufficient_data_count")], [1.0, 1.0]);
    let lacking = Site::of(&emulator.endpoint()).measure(&named(&["web-ok", "web-new"]));
    assert!(matches!(&lacking.verdict, Verdict::Warn(why) if why.contains("web-new")), "{lacking:?}");
    let silent = Site::of(&emulator.endpoint()).measure(&named(&["web-ok", "db-silent"]));
    assert_eq!(silent.verdict, Verdict::Good);
    assert_eq!(silent.summary, "2 of 2 alarms OK; 1 tell nobody: their actions are disabled");
}

#[test]
fn an_alarm_that_does_not_exist_is_unknown_unless_another_one_rings() {
    let emulator = Emulator::start();
    alarms(&emulator, json!({"web-ok": "OK", "web-5xx": "ALARM"}));
    let failure = Site::of(&emulator.endpoint()).fail(&named(&["web-ok", "gone"]));
    assert_eq!(failure.why, "no such alarm: gone");
    let measured = Site::of(&emulator.endpoint()).measure(&named(&["web-5xx", "gone"]));
    assert!(
        matches!(measured.verdict, Verdict::Critical(_)) && text(&measured, "missing") == "gone",
        "{measured:?}"
    );
    let prefix = "kind = \"cloudwatch-alarms\"\nregion = \"dr\"\nprefix = \"nobody-\"\n";
    assert_eq!(Site::of(&emulator.endpoint()).fail(prefix).why, "no such alarm: nobody-*");
}

#[test]
fn the_named_alarms_of_a_region_are_one_call_for_each_hundred() {
    let emulator = Emulator::start();
    let names: Vec<String> = (0..120).map(|number| format!("a-{number}")).collect();
    let states: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), json!("OK"))).collect();
    alarms(&emulator, states.into());
    let site = Site::of(&emulator.endpoint());
    let texts: Vec<String> = names.iter().map(|name| named(&[name])).collect();
    let probes = site.probes(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        site.run_all(&probes)
            .iter()
            .all(|outcome| outcome.as_ref().is_ok_and(|it| it.verdict == Verdict::Good))
    );
    assert_eq!(emulator.calls(), [("monitoring:DescribeAlarms@us-west-2".to_owned(), 2)].into());
}
