use super::*;
use crate::aws::{Fault, Match, Times};
use lifeboat::core::words::preflight::Checked;
use serde_json::json;

const GROUP: &str = r#"
eks = client("eks", "us-west-2")
role = "arn:aws:iam::123456789012:role/nodes"
eks.create_cluster(name="arka-dr", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
eks.create_nodegroup(clusterName="arka-dr", nodegroupName="workers", subnets=["subnet-1"], nodeRole=role,
    instanceTypes=["m6g.xlarge"], scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 2})
"#;

const SIZES: &str = r#"result(client("eks", "us-west-2").describe_nodegroup(clusterName="arka-dr",
    nodegroupName="workers")["nodegroup"]["scalingConfig"])"#;

const SCALE: &str = "/node-groups/workers/update-config";

fn with(more: &str) -> String {
    format!("region = \"dr\"\ncluster = \"arka-dr\"\nnodegroup = \"workers\"\n{more}")
}

fn resize(world: &World, desired: u32) {
    world.emulator.set_up(&format!(
        r#"client("eks", "us-west-2").update_nodegroup_config(clusterName="arka-dr", nodegroupName="workers",
            scalingConfig={{"desiredSize": {desired}}})"#
    ));
}

#[test]
fn a_group_grows_and_its_size_is_read_back() {
    let world = World::new(GROUP);
    let step = world.step("eks-scale-nodegroup", &with("desired = 10\nmax = 20"));
    let (confirmed, done, proof) = step.works();
    assert!(notes(&confirmed).contains("desired 2 -> 10, min 1, max 4 -> 20"), "{}", notes(&confirmed));
    assert!(notes(&confirmed).contains("Kubernetes' to tell"));
    assert!(confirmed.call.contains("minSize=1 desiredSize=10 maxSize=20"), "{}", confirmed.call);
    assert_eq!(
        confirmed.command,
        "aws eks update-nodegroup-config --cluster-name arka-dr --nodegroup-name workers --scaling-config \
         minSize=1,desiredSize=10,maxSize=20 --region us-west-2"
    );
    assert_eq!(identity(&confirmed, "instance types"), "m6g.xlarge");
    assert!(identity(&confirmed, "caller").starts_with("arn:aws:"));
    assert!(done.summary.contains("2 -> 10"));
    assert!(proof.evidence[0].contains("desired 10, min 1, max 20, before desired 2"), "{proof:?}");
    assert_eq!(world.emulator.boto(SIZES), json!({"minSize": 1, "desiredSize": 10, "maxSize": 20}));
    let lines = step.lines.lock().unwrap().join("\n");
    assert!(lines.contains("InProgress"), "progress is said: {lines}");
    step.refuses(&confirmed, "size is desired 10");
    step.refuses(&step.describe(), "it has this size already");
}

#[test]
fn what_the_plan_does_not_allow_is_refused_before_anything_is_sent() {
    let world = World::new(GROUP);
    for (wish, why) in [
        ("desired = 5", "largest size 4"),
        ("desired = 1", "fewer than the 2 of now"),
        ("desired = 0\nallow_shrink = true", "smallest size 1"),
    ] {
        let step = world.step("eks-scale-nodegroup", &with(wish));
        let confirmed = step.describe();
        assert!(notes(&confirmed).contains("this step will refuse"), "{}", notes(&confirmed));
        step.refuses(&confirmed, why);
    }
    let absent = "region = \"dr\"\ncluster = \"arka-dr\"\nnodegroup = \"nobody\"\ndesired = 3";
    let step = world.step("eks-scale-nodegroup", absent);
    let confirmed = step.describe();
    assert!(!confirmed.target.reachable && notes(&confirmed).contains("cannot be read"));
    step.refuses(&confirmed, "nobody");
    assert!(world.emulator.calls().keys().all(|call| !call.contains("UpdateNodegroupConfig")));

    let step = world.step("eks-scale-nodegroup", &with("desired = 1\nallow_shrink = true"));
    step.works();
    assert_eq!(world.emulator.boto(SIZES)["desiredSize"], 1);
}

#[test]
fn a_group_that_somebody_else_resized_must_be_confirmed_again() {
    let world = World::new(GROUP);
    let step = world.step("eks-scale-nodegroup", &with("desired = 4"));
    let confirmed = step.describe();
    resize(&world, 3);
    step.refuses(&confirmed, "changed since it was confirmed");
    step.refuses(&confirmed, "size is desired 3, min 1, max 4, was desired 2");
}

#[test]
fn an_answer_that_is_lost_is_unknown_until_the_world_is_read() {
    let mut world = World::new(GROUP);
    world.proxy.fault(Match::operation(SCALE), Fault::LoseAnswer, Times::ONCE);
    let step = world.step("eks-scale-nodegroup", &with("desired = 4"));
    let confirmed = step.describe();
    assert_eq!(step.execute(&confirmed).unwrap_err().acted, Acted::Maybe);
    drop(step);
    world.after_a_crash();
    let step = world.step("eks-scale-nodegroup", &with("desired = 4"));
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while let Err(failure) = step.verify(&confirmed) {
        assert!(std::time::Instant::now() < deadline, "{failure:?}");
    }
    let sent = world.emulator.calls()["eks:UpdateNodegroupConfig@us-west-2"];
    assert_eq!(sent, 1, "a change is sent once");
}

#[test]
fn what_never_arrived_is_not_proven() {
    let world = World::new(GROUP);
    world.proxy.fault(Match::operation(SCALE), Fault::CutBefore, Times::ONCE);
    let step = world.step("eks-scale-nodegroup", &with("desired = 4"));
    let confirmed = step.describe();
    assert_eq!(step.execute(&confirmed).unwrap_err().acted, Acted::Maybe);
    let failure = step.verify(&confirmed).unwrap_err();
    assert!(failure.why.contains("its size is desired 2"), "{failure:?}");
}

#[test]
fn denied_and_throttled_are_not_done_and_say_what_helps() {
    let world = World::new(GROUP);
    let step = world.step("eks-scale-nodegroup", &with("desired = 4"));
    let confirmed = step.describe();
    world.emulator.control(json!({"deny": ["eks:UpdateNodegroupConfig"]}));
    let failure = step.refuses(&confirmed, "not authorized");
    assert!(failure.next.contains("`eks:UpdateNodegroupConfig`"), "{failure:?}");
    world.emulator.control(json!({"deny": []}));
    world.proxy.fault(Match::operation(SCALE), Fault::Throttle, Times::ONCE);
    let failure = step.refuses(&confirmed, "Too Many Requests");
    assert!(failure.next.contains("Wait half a minute"), "{failure:?}");
    step.execute(&confirmed).unwrap();
}

#[test]
fn the_quota_is_compared_with_its_use_where_both_are_told() {
    let world = World::new(GROUP);
    let check = |wish: &str| {
        let step = world.step("eks-scale-nodegroup", &with(wish));
        world.runtime.block_on(step.action.preflight()).into_iter().next()
    };
    let found = check("desired = 4").unwrap();
    assert!(
        matches!(&found.result, Checked::NotCheckable(why) if why.contains("no use of vCPUs")),
        "{found:?}"
    );
    world.emulator.boto(
        r#"
import datetime
client("cloudwatch", "us-west-2").put_metric_data(Namespace="AWS/Usage", MetricData=[{"MetricName": "ResourceCount",
    "Dimensions": [{"Name": n, "Value": v} for n, v in (("Service", "EC2"), ("Resource", "vCPU"), ("Type", "Resource"),
        ("Class", "Standard/OnDemand"))],
    "Timestamp": datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=4), "Value": 40.0}])
"#,
    );
    let result = |wish: &str| check(wish).map(|check| check.result);
    assert!(
        matches!(result("desired = 4").unwrap(), Checked::Pass(seen) if seen.contains("8 more vCPUs, 40 of 64"))
    );
    assert!(matches!(result("desired = 8\nmax = 8").unwrap(), Checked::Warn(_)), "40 + 24 = 64 of 64");
    assert!(
        matches!(result("desired = 9\nmax = 9").unwrap(), Checked::Fail(seen) if seen.contains("L-1216C47A"))
    );
    assert_eq!(check("desired = 2"), None, "no more nodes need no more quota");
}
