use super::instance::Instance;
use super::*;
use crate::core::words::action::Target;
use crate::core::words::preflight::Checked;
use crate::plan::AwsSettings;
use crate::plan::params::Param;
use crate::providers::aws::client::{Aws, Place};
use crate::providers::aws::rds::change::{RoleChange, Stage};
use aws_sdk_rds::types::{
    DbCluster, DbClusterMember, DbInstance, DbInstanceStatusInfo, FailoverState, GlobalCluster,
    GlobalClusterMember,
};

const SOURCE: &str = "arn:aws:rds:us-east-1:123456789012:db:arka-db-primary";
const EAST: &str = "arn:aws:rds:us-east-1:123456789012:cluster:east";
const WEST: &str = "arn:aws:rds:us-west-2:123456789012:cluster:west";

fn aws() -> Aws {
    Aws::new(AwsSettings::default(), "ana", Default::default())
}

fn west() -> Place {
    aws().place("us-west-2").unwrap()
}

fn expected(properties: &[(&str, &str)]) -> Target {
    let identity = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Target { name: "x".into(), kind: "x".into(), identity: identity.collect(), reachable: true }
}

fn action() -> Instance {
    let id = "arka-db-dr-replica".to_owned();
    Instance {
        place: west(),
        named: id.clone(),
        id,
        retention_days: Some(7),
        window: None,
        source: Some("arka-db-primary".into()),
    }
}

fn instance(status: &str, source: Option<&str>) -> DbInstance {
    let builder = DbInstance::builder().db_instance_identifier("arka-db-dr-replica").dbi_resource_id("db-R");
    let builder =
        builder.db_instance_status(status).backup_retention_period(if source.is_some() { 0 } else { 7 });
    builder.set_read_replica_source_db_instance_identifier(source.map(str::to_owned)).build()
}

#[test]
fn a_promotion_goes_through_its_statuses_to_a_proof() {
    let before = expected(&[("role", "replica of P"), ("resource id", "db-R")]);
    let stage = |status, source| action().stage(&before, &instance(status, source));
    assert_eq!(
        stage("available", Some(SOURCE)),
        Stage::NotBegun(format!("available, still replica of {SOURCE}"))
    );
    assert!(matches!(stage("modifying", Some(SOURCE)), Stage::Going(_)));
    assert!(matches!(stage("rebooting", None), Stage::Going(_)));
    let Stage::There(evidence) = stage("available", None) else { panic!() };
    assert_eq!(evidence[0], "arka-db-dr-replica is standalone, was replica of P");
    assert!(evidence.contains(&"it keeps backups for 7 d".to_owned()), "{evidence:?}");
    // Its first backup keeps nobody from writing.
    assert!(matches!(stage("backing-up", None), Stage::There(_)));
    let Stage::Lost(refusal) = stage("incompatible-parameters", Some(SOURCE)) else { panic!() };
    assert!(refusal.why.starts_with("its status is incompatible-parameters, and it is replica of"));
    assert!(
        refusal.next.contains("parameter group") && refusal.next.contains("describe-events"),
        "{refusal:?}"
    );
}

#[test]
fn the_same_name_in_another_account_is_not_what_the_plan_names_by_its_arn() {
    let arn = |account: &str| format!("arn:aws:rds:us-west-2:{account}:db:arka-db-dr-replica");
    let found = DbInstance::builder()
        .db_instance_arn(arn("123456789012"))
        .read_replica_source_db_instance_identifier(SOURCE)
        .build();
    let refused =
        |named: String| Instance { named, ..action() }.wrong_role(&found).map(|refusal| refusal.why);
    assert_eq!(refused("arka-db-dr-replica".into()), None);
    assert_eq!(refused(arn("123456789012")), None);
    let why = refused(arn("210987654321")).unwrap();
    assert!(why.contains("123456789012") && why.contains("210987654321"), "{why}");
}

#[test]
fn backups_that_are_not_as_asked_for_are_no_proof() {
    let before = expected(&[("role", "replica of P")]);
    let wanted = Instance { retention_days: Some(14), ..action() };
    let Stage::Short(refusal) = wanted.stage(&before, &instance("available", None)) else { panic!() };
    assert_eq!(refusal.why, "it is promoted, but keeps backups for 7 d, not 14 d");
    assert!(
        refusal.next.contains("modify-db-instance") && refusal.next.contains("--backup-retention-period 14")
    );
    let wanted = Instance { window: Some("03:00-04:00".into()), ..action() };
    let Stage::Short(refusal) = wanted.stage(&before, &instance("available", None)) else { panic!() };
    assert_eq!(refusal.why, "it is promoted, but its backup window is none, not 03:00-04:00");
}

#[test]
fn what_is_no_replica_or_not_available_is_refused() {
    let action = action();
    assert_eq!(action.wrong_role(&instance("available", Some(SOURCE))), None);
    assert!(action.wrong_role(&instance("available", None)).unwrap().why.contains("it is standalone"));
    let member = DbInstance::builder().db_cluster_identifier("orders").build();
    let refusal = action.wrong_role(&member).unwrap();
    assert!(refusal.why.contains("member of cluster orders") && refusal.next.contains("the cluster orders"));
    for status in ["available", "storage-optimization"] {
        assert_eq!(action.wrong_state(&instance(status, Some(SOURCE))), None, "{status}");
    }
    // https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html
    let backing_up = action.wrong_state(&instance("backing-up", Some(SOURCE))).unwrap();
    assert!(backing_up.next.contains("during its backup"), "{backing_up:?}");
    assert!(action.wrong_state(&instance("incompatible-network", Some(SOURCE))).is_some());
    let off = Instance { retention_days: Some(0), ..action };
    let mut source = instance("available", Some(SOURCE));
    source.read_replica_db_instance_identifiers = Some(vec!["arka-db-reports".into()]);
    assert!(off.wrong_state(&source).unwrap().why.contains("replicas of its own (arka-db-reports)"));
}

#[test]
fn a_thing_that_was_no_replica_when_confirmed_proves_nothing() {
    assert!(action().was_due(&expected(&[("role", "replica of P")])));
    assert!(!action().was_due(&expected(&[("role", "standalone")])));
    assert!(!action().was_due(&expected(&[])));
}

#[test]
fn the_call_the_command_and_the_notes_say_all() {
    let action = Instance { source: Some("another-db".into()), ..action() };
    assert_eq!(
        action.call(None),
        "rds:PromoteReadReplica DBInstanceIdentifier=arka-db-dr-replica BackupRetentionPeriod=7"
    );
    assert_eq!(
        action.command(None),
        "aws rds promote-read-replica --db-instance-identifier arka-db-dr-replica --backup-retention-period 7 \
         --region us-west-2"
    );
    let mut seen = instance("available", Some(SOURCE));
    let broken = DbInstanceStatusInfo::builder().status_type("read replication").normal(false);
    seen.status_infos = Some(vec![broken.status("error").message("slot lost\x1b[2J").build()]);
    let notes = action.notes(&seen).join("\n");
    for part in [
        "AND THE PLAN MEANS THAT OF another-db",
        "in us-east-1",
        "REPLICATION DOES NOT WORK: error. slot lost",
        "NOT known from RDS: see CloudWatch AWS/RDS ReplicaLag",
        "It has no backups",
        "keep backups for 7 d",
        "Multi-AZ OFF",
    ] {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
    assert!(!notes.contains('\x1b'));
    let checks = action.checks(&seen);
    assert!(checks.iter().all(|check| matches!(check.result, Checked::Warn(_))), "{checks:?}");
    let right = Instance { source: Some("arka-db-primary".into()), ..action };
    assert!(matches!(right.checks(&seen)[0].result, Checked::Pass(_)));
}

#[test]
fn a_replica_cluster_is_promoted_and_a_member_of_a_global_database_is_not() {
    let action = Cluster { place: west(), id: "west".into(), named: "west".into(), source: None };
    let cluster = |status: &str, source: Option<&str>| {
        let builder = DbCluster::builder().status(status).db_cluster_resource_id("cluster-R");
        builder.set_replication_source_identifier(source.map(str::to_owned)).build()
    };
    let before = expected(&[("replica of", EAST)]);
    assert!(matches!(action.stage(&before, &cluster("available", Some(EAST))), Stage::NotBegun(_)));
    assert!(matches!(action.stage(&before, &cluster("promoting", Some(EAST))), Stage::Going(_)));
    assert!(matches!(action.stage(&before, &cluster("available", None)), Stage::There(_)));
    assert!(action.wrong_role(&cluster("available", None)).unwrap().why.contains("it stands alone"));
    let member = DbCluster::builder().global_cluster_identifier("world").replication_source_identifier(EAST);
    let refusal = action.wrong_role(&member.build()).unwrap();
    assert!(refusal.why.contains("global database world") && refusal.next.contains("`global_cluster`"));
}

fn seen(writer: &str, state: Option<&str>) -> global::Seen {
    let member =
        |arn: &str| GlobalClusterMember::builder().db_cluster_arn(arn).is_writer(arn == writer).build();
    let state =
        state.map(|status| FailoverState::builder().status(status.into()).to_db_cluster_arn(WEST).build());
    let global =
        GlobalCluster::builder().global_cluster_members(member(EAST)).global_cluster_members(member(WEST));
    let instance =
        DbClusterMember::builder().db_instance_identifier("west-1").is_cluster_writer(true).build();
    let cluster = DbCluster::builder().db_cluster_arn(WEST).status("available").db_cluster_members(instance);
    global::Seen { cluster: cluster.build(), global: Some(global.set_failover_state(state).build()) }
}

fn global_action(failover: bool) -> Global {
    let (global, id) = ("world".to_owned(), "west".to_owned());
    Global { aws: aws(), place: west(), global, named: id.clone(), id, failover }
}

#[test]
fn a_failover_says_loudly_that_data_may_be_lost_and_a_switchover_goes_to_the_primary() {
    let failover = global_action(true);
    let shown = failover.call(Some(&seen(EAST, None)));
    assert!(shown.contains("AllowDataLoss=TRUE (DATA LOSS IS ALLOWED)") && shown.contains(WEST), "{shown}");
    let command = failover.command(Some(&seen(EAST, None)));
    assert!(command.contains("--allow-data-loss --region us-west-2"), "{command}");
    assert!(failover.notes(&seen(EAST, None))[0].starts_with("DATA LOSS IS ALLOWED"));
    let planned = global_action(false);
    let command = planned.command(Some(&seen(EAST, None)));
    assert!(
        command.contains("switchover-global-cluster") && command.ends_with("--region us-east-1"),
        "{command}"
    );
    assert!(!command.contains("loss") && !planned.call(None).contains("LOSS"));
    assert!(planned.command(None).ends_with("--region REGION-OF-THE-PRIMARY"));
}

#[test]
fn a_new_primary_counts_while_others_are_rebuilt_only_after_a_failover() {
    let before = expected(&[("global role", "secondary"), ("primary of the global database", EAST)]);
    let stage = |failover, writer, state| global_action(failover).stage(&before, &seen(writer, state));
    for failover in [true, false] {
        assert!(matches!(stage(failover, EAST, None), Stage::NotBegun(_)));
        assert!(matches!(stage(failover, EAST, Some("pending")), Stage::Going(_)));
        assert!(matches!(stage(failover, WEST, None), Stage::There(_)));
    }
    assert!(matches!(stage(false, WEST, Some("switching-over")), Stage::Going(_)));
    let Stage::There(evidence) = stage(true, WEST, Some("failing-over")) else { panic!() };
    let evidence = evidence.join("\n");
    assert!(evidence.contains("DATA LOSS WAS ALLOWED") && evidence.contains("the other members follow"));
    assert!(evidence.contains("west in us-west-2 (primary)"), "{evidence}");
}

#[test]
fn a_primary_a_stranger_and_a_database_that_is_being_changed_are_refused() {
    let action = global_action(false);
    assert_eq!(action.wrong_role(&seen(EAST, None)), None);
    assert!(action.wrong_role(&seen(WEST, None)).unwrap().why.contains("already the primary of world"));
    let mut stranger = seen(EAST, None);
    stranger.cluster.db_cluster_arn = Some(WEST.replace("west", "north"));
    let refusal = action.wrong_role(&stranger).unwrap();
    assert!(
        refusal.why.contains("east in us-east-1 (primary), west in us-west-2 (secondary)"),
        "{refusal:?}"
    );
    let taken_apart = action.stage(&expected(&[("global role", "secondary")]), &stranger);
    assert!(matches!(taken_apart, Stage::Lost(refusal) if refusal.why.starts_with("it does not belong")));
    stranger.global = None;
    assert!(action.wrong_role(&stranger).unwrap().why.contains("no global database `world`"));
    let busy = action.wrong_state(&seen(EAST, Some("failing-over"))).unwrap();
    assert!(busy.why.contains("failing-over to") && busy.why.contains("was not sent"), "{busy:?}");
    let mut empty = seen(EAST, None);
    empty.cluster.db_cluster_members = None;
    assert!(action.wrong_state(&empty).unwrap().why.contains("no instance"));
}

#[test]
fn a_plan_that_means_two_things_is_refused_with_the_way_out() {
    let clients = crate::testing::clients(&[]);
    let refused = |pairs: &[(&str, &str)]| {
        let given = pairs.iter().chain(&[("region", "us-west-2")]).map(|(key, text)| {
            let flag = (*text == "true").then_some(Param::Flag(true));
            ((*key).to_owned(), flag.unwrap_or_else(|| Param::Text((*text).into())))
        });
        build(&Params(given.collect()), &clients).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let global = [("cluster", "west"), ("global_cluster", "world")];
    let with = |more: &[(&'static str, &'static str)]| refused(&[&global[..], more].concat());
    assert_eq!(with(&[]), "");
    assert_eq!(with(&[("mode", "failover"), ("allow_data_loss", "true")]), "");
    assert!(with(&[("mode", "failover")]).contains("write `allow_data_loss = true` to accept that"));
    assert!(with(&[("allow_data_loss", "true")]).contains("a switchover loses nothing"));
    assert!(refused(&[]).contains("give `instance` or `cluster`"));
    assert!(refused(&[("instance", "a"), ("cluster", "b")]).contains("give either"));
    assert!(refused(&[("global_cluster", "world")]).contains("give `cluster` as well"));
    assert!(refused(&[("instance", "a"), ("mode", "failover")]).contains("only with `global_cluster`"));
    assert!(refused(&[("cluster", "a"), ("backup_window", "03:00-04:00")]).contains("only with `instance`"));
    assert!(refused(&[("cluster", EAST)]).contains("it is in us-east-1, and `region` is us-west-2"));
    assert_eq!(refused(&[("cluster", WEST)]), "");
}
