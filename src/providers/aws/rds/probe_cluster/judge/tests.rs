use super::*;
use crate::providers::aws::client::{AwsErrorKind, Call};
use aws_sdk_rds::types::builders::DbClusterBuilder;
use aws_sdk_rds::types::{
    DbClusterMember, FailoverState, FailoverStatus, GlobalClusterMember,
    GlobalClusterMemberSynchronizationStatus as Synchronization,
};
use aws_smithy_types::DateTime;

const NOW_S: i64 = 1_700_000_000;
const HERE: &str = "arn:aws:rds:us-east-1:123456789012:cluster:trading";
const THERE: &str = "arn:aws:rds:us-west-2:123456789012:cluster:trading-dr";

fn member(name: &str, writes: bool) -> DbClusterMember {
    DbClusterMember::builder().db_instance_identifier(name).is_cluster_writer(writes).build()
}

fn cluster(arn: &str) -> DbClusterBuilder {
    DbCluster::builder()
        .db_cluster_arn(arn)
        .status("available")
        .engine("aurora-postgresql")
        .engine_version("15.4")
        .latest_restorable_time(DateTime::from_secs(NOW_S - 300))
        .availability_zones("us-east-1a")
        .availability_zones("us-east-1b")
}

fn global(writer: &str, synchronization: Synchronization) -> GlobalCluster {
    let member = |arn: &str| {
        let status = (arn != writer).then(|| synchronization.clone());
        GlobalClusterMember::builder()
            .db_cluster_arn(arn)
            .is_writer(arn == writer)
            .set_synchronization_status(status)
            .build()
    };
    GlobalCluster::builder()
        .global_cluster_identifier("trading-global")
        .status("available")
        .global_cluster_members(member(HERE))
        .global_cluster_members(member(THERE))
        .build()
}

fn measure(cluster: DbClusterBuilder, globals: Vec<GlobalCluster>, wanted: &Wanted) -> Measurement {
    let now = Timestamp::from_second(NOW_S).unwrap();
    judge(&cluster.build(), Ok(Some(Arc::new(globals))), wanted, now)
}

#[test]
fn a_cluster_tells_who_writes_and_who_reads() {
    let cluster =
        cluster(HERE).db_cluster_members(member("one", false)).db_cluster_members(member("two", true));
    let measured = measure(cluster, vec![], &Wanted::default());
    assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(300.0)));
    assert_eq!(
        measured.summary,
        "available, two writes, 1 reader, aurora-postgresql 15.4, restorable to 5 min ago"
    );
    assert_eq!(measured.text("zones"), Some("us-east-1a, us-east-1b"));
    assert_eq!((measured.text("writer"), measured.text("readers")), (Some("two"), Some("one")));
}

#[test]
fn a_primary_without_a_writer_is_critical_and_a_secondary_needs_none() {
    let headed = |arn| cluster(arn).db_cluster_members(member("one", false));
    let verdict = measure(headed(HERE), vec![], &Wanted::default()).verdict;
    assert_eq!(verdict, Verdict::Critical("it has no writer, only one".into()));
    assert!(matches!(measure(cluster(HERE), vec![], &Wanted::default()).verdict, Verdict::Critical(_)));

    let globals = || vec![global(HERE, Synchronization::Connected)];
    let secondary = measure(headed(THERE), globals(), &Wanted::default());
    assert_eq!(secondary.verdict, Verdict::Good);
    assert_eq!(secondary.text("role"), Some("secondary"));
    assert_eq!(secondary.text("global_writer"), Some(HERE));
    assert_eq!(secondary.text("global_members"), Some("trading in us-east-1 writes"));
    let headless = measure(cluster(THERE), globals(), &Wanted::default()).verdict;
    assert!(matches!(headless, Verdict::Warn(why) if why.contains("no instances")));
}

#[test]
fn a_secondary_that_is_not_connected_warns() {
    let secondary = cluster(THERE).db_cluster_members(member("one", false));
    let measured = measure(secondary, vec![global(HERE, Synchronization::PendingResync)], &Wanted::default());
    let expected = "its synchronization with global cluster trading-global is pending-resync";
    assert_eq!(measured.verdict, Verdict::Warn(expected.into()));
    assert_eq!(measured.text("synchronization"), Some("pending-resync"));
}

#[test]
fn a_failover_that_goes_on_is_said_with_its_loss() {
    let state = FailoverState::builder()
        .status(FailoverStatus::FailingOver)
        .from_db_cluster_arn(HERE)
        .to_db_cluster_arn(THERE)
        .is_data_loss_allowed(true);
    let mut global = global(HERE, Synchronization::Connected);
    global.failover_state = Some(state.build());
    let measured =
        measure(cluster(HERE).db_cluster_members(member("one", true)), vec![global], &Wanted::default());
    let expected = "failing-over from trading in us-east-1 to trading-dr in us-west-2, DATA LOSS ALLOWED";
    assert_eq!(measured.text("failover"), Some(expected));
    assert!(matches!(measured.verdict, Verdict::Warn(why) if why.ends_with(expected)));
}

#[test]
fn a_plan_says_which_role_and_global_cluster_it_expects() {
    let wanted = |role: &str| Wanted { role: Some(role.into()), ..Wanted::default() };
    let writer = |arn| cluster(arn).db_cluster_members(member("one", true));
    let globals = || vec![global(HERE, Synchronization::Connected)];
    let verdict = |arn, wanted: &Wanted| measure(writer(arn), globals(), wanted).verdict;
    assert_eq!(verdict(HERE, &wanted("primary")), Verdict::Good);
    assert_eq!(verdict(THERE, &wanted("secondary")), Verdict::Good);
    assert!(matches!(verdict(HERE, &wanted("secondary")), Verdict::Critical(_)));
    assert!(matches!(verdict(THERE, &wanted("primary")), Verdict::Critical(_)));
    let other = Wanted { global: Some("orders-global".into()), ..Wanted::default() };
    let why = "it is in global cluster trading-global, expected orders-global";
    assert_eq!(verdict(HERE, &other).why(), Some(why));
    let alone = measure(writer(HERE), vec![], &other).verdict;
    assert_eq!(alone.why(), Some("it is not in global cluster orders-global"));
}

#[test]
fn a_global_cluster_that_cannot_be_read_is_a_warning_with_the_permission() {
    let call = Call::new("rds:DescribeGlobalClusters", "all global clusters");
    let denied = AwsError::new(&call, AwsErrorKind::Denied, "no");
    let cluster =
        cluster(HERE).db_cluster_members(member("one", true)).global_cluster_identifier("x").build();
    let measured = judge(&cluster, Err(denied), &Wanted::default(), Timestamp::from_second(NOW_S).unwrap());
    assert!(matches!(&measured.verdict, Verdict::Warn(why) if why.contains("rds:DescribeGlobalClusters")));
    assert_eq!(measured.text("role"), None);
}

#[test]
fn too_few_readers_warn() {
    let wanted = Wanted { readers: Some(2), ..Wanted::default() };
    let cluster =
        cluster(HERE).db_cluster_members(member("one", true)).db_cluster_members(member("two", false));
    assert_eq!(
        measure(cluster, vec![], &wanted).verdict,
        Verdict::Warn("1 readers, at least 2 expected".into())
    );
}
