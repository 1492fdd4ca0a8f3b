use super::*;

/// The plan's step that runs a program, under this name.
fn program(id: &str) -> Step {
    Step { id: id.into(), title: id.into(), ..plan().runbooks["failover"].steps["switch"].clone() }
}

#[test]
fn a_fenced_primary_takes_no_writes_and_the_standby_gets_the_rest() {
    let scene = scene("");
    scene.pass(10);
    scene.execute("fence").unwrap();
    assert!(scene.verify("fence"));
    assert!(matches!(scene.read("a-db").verdict, Verdict::Warn(_)));
    let standby = scene.read("b-lag");
    assert_eq!(standby.verdict, Verdict::Good);
    assert_eq!((number(&standby, "exposure_bytes"), number(&standby, "replay_lag_bytes")), (0.0, 0.0));
}

#[test]
fn a_promotion_makes_the_standby_a_primary_and_traffic_follows_the_scenario() {
    let scene = scene(&format!(
        "{REGION_DOWN}[[on]]\nstep = \"switch\"\nafter = \"3s\"\ntraffic = \"@standby\"\ntakes = \"4s\"\n"
    ));
    scene.pass(30);
    assert_eq!(text(&scene.read("b-db"), "role"), "standby");
    assert!(!scene.verify("promote"));
    let done = scene.execute("promote").unwrap();
    assert!(done.summary.starts_with("simulated: "), "{}", done.summary);
    assert!(scene.verify("promote"));
    assert_eq!(text(&scene.read("b-db"), "role"), "primary");
    assert!(scene.is_down("b-lag"), "it is no standby any more");
    assert!(scene.is_down("public"));
    scene.execute("switch").unwrap();
    scene.pass(2);
    assert!(scene.is_down("public"));
    scene.pass(1);
    assert!(!scene.is_down("public"));
    let lines = scene.lines.lock().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("simulated: ")), "{lines:?}");
}

#[test]
fn a_step_that_the_plan_says_switches_moves_the_traffic_where_the_scenario_says_nothing_of_it() {
    let mut plan = plan();
    let runbook = &mut plan.runbooks["failover"];
    runbook.activates = Some("b".into());
    runbook.steps["switch"].switches = true;
    runbook.steps["switch"].verify =
        Some(crate::plan::condition::Condition::parse("signals['public'].state == 'ok'").unwrap());
    let scene = scene_of(plan, REGION_DOWN);
    scene.pass(30);
    assert!(scene.is_down("public"));
    let notes = scene.action("switch").describe().now_or_never().unwrap().unwrap().notes.join("\n");
    assert!(!notes.contains("does not know"), "{notes}");
    scene.execute("switch").unwrap();
    scene.pass(1);
    assert!(!scene.is_down("public"), "everybody is sent to the region that the runbook activates");
}

#[test]
fn everything_a_confirmation_shows_says_that_it_is_simulated() {
    let scene = scene("");
    for id in scene.plan.runbooks["failover"].steps.keys() {
        let description = scene.action(id.as_str()).describe().now_or_never().unwrap().unwrap();
        assert!(description.target.identity.iter().any(|(_, value)| value == "SIMULATED"));
        assert!(description.notes.iter().any(|note| note.starts_with("SIMULATED")));
        let card = scene.action(id.as_str()).manual();
        assert!(card.instructions[0].starts_with("SIMULATED") && card.instructions.len() > 1, "{card:?}");
    }
    assert_eq!(scene.world.simulation().unwrap().scenario, "x");
}

#[test]
fn a_target_that_does_not_answer_is_not_acted_on() {
    let scene = scene(REGION_DOWN);
    scene.pass(20);
    assert!(!scene.action("fence").describe().now_or_never().unwrap().unwrap().target.reachable);
    let failure = scene.execute("fence").unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(!scene.verify("fence"));
}

#[test]
fn a_target_that_changed_since_it_was_confirmed_is_not_acted_on() {
    let scene = scene("");
    let action = scene.action("promote");
    let confirmed = action.describe().now_or_never().unwrap().unwrap().target;
    scene.execute("promote").unwrap();
    let failure = action.execute(&confirmed, &scene.context).now_or_never().unwrap().unwrap_err();
    assert!(failure.why.contains("role is primary, was standby"), "{failure}");
    assert_eq!(failure.acted, Acted::No);
}

fn faulty(how: &str) -> Scene {
    scene(&format!("[[on]]\nstep = \"promote\"\nfails = \"first\"\nhow = \"{how}\"\nwhy = \"because\"\n"))
}

#[test]
fn a_refused_step_did_nothing_and_works_the_second_time() {
    let scene = faulty("refused");
    let failure = scene.execute("promote").unwrap_err();
    assert_eq!((failure.acted, &*failure.why), (Acted::No, "because"));
    assert!(!scene.verify("promote"));
    scene.execute("promote").unwrap();
    assert!(scene.verify("promote"));
}

#[test]
fn a_lost_answer_is_unknown_and_the_world_shows_that_it_was_done() {
    let scene = faulty("lost-answer");
    assert_eq!(scene.execute("promote").unwrap_err().acted, Acted::Maybe);
    assert!(scene.verify("promote"));
}

#[test]
fn a_step_that_hangs_ends_at_its_deadline_and_did_nothing() {
    let scene = faulty("hangs");
    let before = scene.clock.now();
    assert_eq!(scene.execute("promote").unwrap_err().acted, Acted::Maybe);
    assert_eq!(scene.clock.now().duration_since(before), SignedDuration::from_secs(60));
    assert!(!scene.verify("promote"));
}

#[test]
fn a_target_can_change_between_confirmation_and_execution() {
    let scene = faulty("target-changed");
    let failure = scene.execute("promote").unwrap_err();
    assert!(failure.what.contains("changed since it was confirmed"), "{failure}");
    assert!(!scene.verify("promote"));
}

#[test]
fn a_step_takes_its_estimate_within_its_deadline() {
    let scene = scene("");
    let slow = Step { estimate: Some(SignedDuration::from_mins(10)), ..program("slow") };
    let action = scene.world.action(&slow, &slow.params).unwrap();
    let target = action.describe().now_or_never().unwrap().unwrap().target;
    assert_eq!(target.name, "tool");
    let mut running = action.execute(&target, &scene.context);
    let mut seconds = 0;
    while (&mut running).now_or_never().is_none() {
        scene.pass(1);
        seconds += 1;
    }
    assert_eq!(seconds, 48, "four fifths of its deadline of a minute");
}

#[test]
fn what_could_not_be_made_in_reality_is_not_made_here() {
    let scene = scene("");
    let step = Step { params: Params::default(), ..of_kind(program("x"), "http-request") };
    assert!(scene.world.action(&step, &step.params).is_err());
    let mut spec = scene.plan.probes["a-port"].clone();
    spec.params.0.insert("address".into(), Param::Text("no port".into()));
    assert!(scene.world.probe(&spec).is_err());
}

#[test]
fn a_wait_is_the_real_one_and_reads_the_signals() {
    let scene = scene("");
    let condition = Param::Condition(Condition::parse("true").unwrap());
    let params = Params([("condition".to_owned(), condition)].into());
    let step = Step { changes: false, params, ..of_kind(program("wait"), "wait-for") };
    let action = scene.world.action(&step, &step.params).unwrap();
    let target = action.describe().now_or_never().unwrap().unwrap().target;
    let failure = action.verify(&target, &scene.context).now_or_never().unwrap().unwrap_err();
    assert!(failure.why.contains("no signals here"), "{failure}");
}

#[cfg(feature = "aws")]
#[test]
fn a_replica_in_rds_is_promoted_by_its_name_and_takes_writes_then() {
    let scene = scene("");
    let step = crate::testing::step(
        r#"
        [[runbooks.example.steps]]
        id = "promote-rds"
        title = "promote-rds"
        action = "rds-promote"
        with = { region = "us-west-2", instance = "orders-dr" }
        "#,
    );
    let action = scene.world.action(&step, &step.params).unwrap();
    let target = action.describe().now_or_never().unwrap().unwrap().target;
    assert_eq!((&*target.name, &*target.kind), ("orders-dr", "RDS database"));
    assert!(target.identity.contains(&("role".into(), "standby".into())), "{target:?}");
    let mut running = action.execute(&target, &scene.context);
    while (&mut running).now_or_never().is_none() {
        scene.pass(1);
    }
    drop(running);
    let proof = action.verify(&target, &scene.context).now_or_never().unwrap().unwrap();
    assert!(proof.evidence[1].contains("its status is available"), "{proof:?}");
    let target = action.describe().now_or_never().unwrap().unwrap().target;
    assert!(target.identity.contains(&("role".into(), "primary".into())), "{target:?}");
}

#[test]
fn a_step_whose_proof_the_scenario_never_makes_says_so_before_it_runs_and_while_it_does() {
    let with_proof = |scene: &Scene, id: &str| {
        let mut step = scene.plan.runbooks["failover"].steps[id].clone();
        step.verify =
            Some(crate::plan::condition::Condition::parse("signals['b-db'].state == 'ok'").unwrap());
        scene.world.action(&step, &step.params).unwrap()
    };
    let notes = |scene: &Scene, id: &str| {
        with_proof(scene, id).describe().now_or_never().unwrap().unwrap().notes.join("\n")
    };
    let silent = scene("");
    let told = notes(&silent, "switch");
    assert!(
        told.contains("b-db") && told.contains("no fault of the plan") && told.contains("attest"),
        "{told}"
    );
    assert!(!notes(&silent, "promote").contains("no fault"), "its kind changes what is read back");
    let scripted = scene("[[on]]\nstep = \"switch\"\nafter = \"3s\"\ntraffic = \"@standby\"\n");
    assert!(!notes(&scripted, "switch").contains("no fault"), "the scenario changes it");
}

/// The plan with a step that takes the fence back, as a rebuild does.
fn with_a_rebuild() -> Plan {
    let mut plan = plan();
    let steps = &mut plan.runbooks["failover"].steps;
    steps["fence"].fences = vec!["a-db".into()];
    let rebuild = Step { undoes: vec!["fence".into()], ..program("rebuild") };
    steps.insert("rebuild".into(), rebuild);
    plan
}

#[test]
fn a_rebuild_makes_the_old_primary_a_standby_that_follows_the_one_that_was_promoted() {
    for by_hand in [false, true] {
        let scene = scene_of(with_a_rebuild(), "");
        scene.pass(10);
        scene.execute("fence").unwrap();
        scene.execute("promote").unwrap();
        assert_eq!(text(&scene.read("a-db"), "role"), "primary");
        let before = scene.read("a-db");
        if by_hand {
            scene.world.done_by_hand(&scene.plan.runbooks["failover"].steps["rebuild"]);
        } else {
            scene.execute("rebuild").unwrap();
        }
        scene.pass(2);
        let (rebuilt, leads) = (scene.read("a-db"), scene.read("b-db"));
        assert_eq!((text(&rebuilt, "role"), text(&leads, "role")), ("standby", "primary"));
        assert_eq!((number(&rebuilt, "timeline"), number(&leads, "timeline")), (2.0, 2.0));
        assert_eq!(rebuilt.verdict, Verdict::Good, "its fence is gone with what it was");
        assert_ne!(text(&rebuilt, "started_at"), text(&before, "started_at"));
    }
}

#[test]
fn a_step_that_takes_a_fence_back_while_nobody_was_promoted_lets_its_server_write_again() {
    let scene = scene_of(with_a_rebuild(), "");
    scene.pass(10);
    scene.execute("fence").unwrap();
    scene.execute("rebuild").unwrap();
    let back = scene.read("a-db");
    assert_eq!((text(&back, "role"), number(&back, "timeline")), ("primary", 1.0));
    assert_eq!(back.verdict, Verdict::Good);
}

#[cfg(feature = "kube")]
fn does(scene: &Scene, step: &str) {
    let step = crate::testing::step(step);
    let action = scene.world.action(&step, &step.params).unwrap();
    let target = action.describe().now_or_never().unwrap().unwrap().target;
    let mut running = action.execute(&target, &scene.context);
    while (&mut running).now_or_never().is_none() {
        scene.pass(1);
    }
}

#[cfg(feature = "kube")]
#[test]
fn what_is_scaled_is_seen_by_who_watches_it() {
    let scene = scene("");
    let scale = |replicas: u32| {
        let step = "[[runbooks.example.steps]]\nid = \"scale\"\ntitle = \"scale\"\naction = \"kube-scale\"\n\
                    with = { context = \"west\", namespace = \"shop\", names = [\"web\", \"api\"], replicas = N }\n";
        does(&scene, &step.replace('N', &replicas.to_string()));
        scene.pass(1);
        scene.read("b-pods")
    };
    assert_eq!(scale(6).value, Some(12.0));
    let none = scale(0);
    assert_eq!((none.value, &*none.summary), (Some(0.0), "2 workloads scaled to 0"));
}

#[cfg(feature = "kube")]
#[test]
fn an_operators_database_moves_there_and_back_and_one_of_both_takes_writes() {
    use crate::core::ask::servers::ACCEPTS_WRITES;
    let mut plan = plan();
    let mut here = plan.probes["b-cnpg-cluster"].clone();
    (here.id, here.region) = ("a-cnpg-cluster".into(), Some("a".into()));
    plan.probes.insert(here.id.clone(), here);
    let scene = scene_of(plan, "");
    let writes = || {
        ["a-cnpg-cluster", "b-cnpg-cluster"]
            .map(|probe| scene.read(probe).fields.get(ACCEPTS_WRITES) == Some(&Field::Flag(true)))
    };
    let changes = |action: &str, own: &str, key: &str, other: &str| {
        let keys = format!("with.context = \"{own}\"\nwith.namespace = \"shop\"\nwith.name = \"db\"\n");
        does(
            &scene,
            &format!(
                "[[runbooks.example.steps]]\nid = \"x\"\ntitle = \"x\"\naction = \"{action}\"\nconfirm = \"type\"\n{keys}\
                 with.{key} = \"db\"\nwith.{key}_context = \"{other}\"\n"
            ),
        );
        scene.pass(1);
    };
    assert_eq!(writes(), [true, false]);
    for _ in 0..2 {
        changes("cnpg-demote", "a", "to", "b");
        assert_eq!(writes(), [false, false]);
        changes("cnpg-promote", "b", "from", "a");
        assert_eq!(writes(), [false, true]);
        changes("cnpg-demote", "b", "to", "a");
        changes("cnpg-promote", "a", "from", "b");
        assert_eq!(writes(), [true, false]);
    }
}
