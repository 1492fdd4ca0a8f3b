use super::*;
use crate::postgres::{Load, Pair, Server, wait_until};
use lifeboat::core::words::action::Acted;
use lifeboat::core::words::reading::Verdict;

fn fence(server: &Server) -> Box<dyn Action> {
    action("postgres-fence", &[("dsn", &server.dsn()), ("method", "read-only")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_primary_refuses_writes_and_the_standby_gets_the_rest() {
    let pair = Pair::start();
    pair.primary.sql("create role app login; grant all on load to app");
    let load = Load::start(&pair.primary, 100);
    let action = fence(&pair.primary);
    let target = action.describe().await.unwrap().target;
    assert_eq!(target.name, pair.primary.address());
    let open = action.verify(&target, &context()).await.unwrap_err();
    assert!(open.why.contains("is off in a new session"), "{open:?}");

    action.execute(&target, &context()).await.unwrap();
    let started = std::time::Instant::now();
    let proof = loop {
        match action.verify(&target, &context()).await {
            Ok(proof) => break proof,
            Err(failure) => assert!(started.elapsed().as_secs() < 20, "{failure:?}"),
        }
    };
    assert_eq!(proof.evidence.len(), 4);
    assert!(pair.primary.sql_error("insert into load (id) values (-1)").contains("read-only"));
    // The session of the load was ended, and every row that it was told of is on the standby.
    let rows = load.stop();
    pair.wait_replayed();
    let kept: usize = pair.standby.sql("select count(*) from load").parse().unwrap();
    assert!(kept >= rows.len(), "{kept} of {}", rows.len());
    let seen = probe("postgres", &[("dsn", &pair.primary.dsn()), ("role", "primary")]);
    let seen = measure("postgres", &*seen).await;
    assert!(matches!(&seen.verdict, Verdict::Warn(why) if why.contains("takes no writes")), "{seen:?}");

    // What overrides the fence is found.
    pair.primary.sql("begin read write; alter role app set default_transaction_read_only = off; commit");
    let open = action.verify(&target, &context()).await.unwrap_err();
    assert!(open.why.contains("1 roles or databases"), "{open:?}");

    // The way back of the manual card works.
    let card = action.manual();
    let undo = card.instructions.iter().find(|line| line.contains("reset")).unwrap();
    let statements: Vec<&str> = undo.split('"').skip(1).step_by(2).collect();
    assert_eq!(statements.len(), 2, "{undo}");
    for statement in statements {
        pair.primary.sql(statement);
    }
    pair.primary.wait_for("select current_setting('default_transaction_read_only') = 'off'");
    pair.primary.sql("insert into load (id) values (-1)");
}

/// What was set stays set, and takes effect with the next reload.
#[tokio::test(flavor = "multi_thread")]
async fn a_fence_that_stopped_half_way_is_not_taken_for_nothing_done() {
    let pair = Pair::start();
    pair.primary.sql("create role half login");
    pair.primary.sql("grant alter system on parameter default_transaction_read_only to half");
    pair.primary.sql("grant pg_read_all_stats to half");
    let action = action("postgres-fence", &[("dsn", &pair.primary.dsn_of("half")), ("method", "read-only")]);
    let target = action.describe().await.unwrap().target;
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe, "{failure:?}");
    pair.primary.sql("select pg_reload_conf()");
    pair.primary.wait_for("select current_setting('default_transaction_read_only') = 'on'");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_not_fenced_and_a_dead_primary_is_never_green() {
    let pair = Pair::start();
    let standby = fence(&pair.standby);
    let target = standby.describe().await.unwrap().target;
    let failure = standby.execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.contains("it is a standby"), "{failure:?}");

    let action = fence(&pair.primary);
    let target = action.describe().await.unwrap().target;
    pair.primary.kill();
    for failure in [
        action.execute(&target, &context()).await.unwrap_err(),
        action.verify(&target, &context()).await.unwrap_err(),
    ] {
        assert_eq!(failure.acted, Acted::No);
        assert!(failure.why.contains("NOT fenced") && failure.why.contains("starts again"), "{failure:?}");
    }
    // It does come back, and it does accept writes.
    pair.primary.start();
    pair.primary.sql("insert into load (id) values (-1)");
}

fn stop(server: &Server, argv: Vec<String>) -> Box<dyn Action> {
    let mut keys = params(&[("dsn", &server.dsn()), ("method", "stop")]);
    keys.0.insert("argv".into(), Param::List(argv.into_iter().map(Param::Text).collect()));
    action_of("postgres-fence", &keys)
}

/// The case of every real failover: the primary is gone, and what switches it off needs no answer of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_that_stops_a_server_runs_although_the_server_does_not_answer() {
    let pair = Pair::start();
    let mark = pair.cluster.folder().join("switched-off");
    let action = stop(&pair.primary, vec!["touch".into(), mark.display().to_string()]);
    let seen_alive = action.describe().await.unwrap().target;
    pair.primary.kill();
    let described = action.describe().await.unwrap();
    assert!(described.notes[0].contains("the program runs all the same"), "{described:?}");
    for target in [&seen_alive, &described.target] {
        action.execute(target, &context()).await.unwrap();
        std::fs::remove_file(&mark).expect("the program did not run");
    }
    let ran = Context { ran: true, ..context() };
    let proof = action.verify(&described.target, &ran).await.unwrap();
    assert!(proof.evidence[0].contains("ended with success"), "{proof:?}");
    assert!(proof.evidence[1].contains("refuses connections"), "{proof:?}");
    // After a crash nobody knows whether the program ran, and the silence is older than it.
    let unknown = action.verify(&described.target, &context()).await.unwrap_err();
    assert!(unknown.why.contains("out of reach when the step was confirmed"), "{unknown:?}");

    let card = action.manual().instructions.join("\n");
    assert!(!card.contains("default_transaction_read_only"), "the undo of another fence: {card}");
}

/// An engine that was killed left it running.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_program_that_stops_a_server_does_not_run_beside_that_of_a_killed_engine() {
    use std::os::unix::process::CommandExt;
    let pair = Pair::start();
    let mark = pair.cluster.folder().join("switched-off");
    let action = stop(&pair.primary, vec!["touch".into(), mark.display().to_string()]);
    let target = action.describe().await.unwrap().target;
    let of = |attempt: u32| {
        let token = format!("of-{}/run/fence/{attempt}", pair.primary.address());
        Context { token, ..context() }
    };
    let mut earlier = std::process::Command::new("sleep");
    earlier.arg("600").env("LIFEBOAT_TOKEN", of(1).token).process_group(0);
    let mut earlier = earlier.spawn().unwrap();
    let pid = earlier.id().to_string();
    let still = action.goes_on(&of(2)).await.expect("it is found");
    let refused = action.execute(&target, &of(2)).await.unwrap_err();
    for failure in [still, refused] {
        assert!(failure.why.contains(&pid) && failure.acted == Acted::Maybe, "{failure:?}");
    }
    assert!(!mark.exists());
    earlier.kill().unwrap();
    earlier.wait().unwrap();
    assert_eq!(action.goes_on(&of(2)).await, None);
    action.execute(&target, &of(2)).await.unwrap();
    assert!(mark.exists());
}

/// It may be any server: the plan's connection string is wrong, or somebody changed a password.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_nobody_in_is_not_stopped_blindly() {
    let pair = Pair::start();
    let dsn =
        format!("host=127.0.0.1 port={} user=nobody_here dbname=postgres sslmode=disable", pair.primary.port);
    let mark = pair.cluster.folder().join("switched-off");
    let mut keys = params(&[("dsn", &dsn), ("method", "stop")]);
    let argv = ["touch".to_owned(), mark.display().to_string()].map(Param::Text).to_vec();
    keys.0.insert("argv".into(), Param::List(argv));
    let action = action_of("postgres-fence", &keys);
    let target = action.describe().await.unwrap().target;
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(!mark.exists() && failure.why.contains("NOT fenced"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_stopped_and_its_silence_is_the_proof() {
    let pair = Pair::start();
    let argv = pair.primary.stop_argv().into_iter().map(Param::Text).collect();
    let mut keys = params(&[("dsn", &pair.primary.dsn()), ("method", "stop")]);
    keys.0.insert("argv".into(), Param::List(argv));
    let action = action_of("postgres-fence", &keys);
    let target = action.describe().await.unwrap().target;
    let open = action.verify(&target, &context()).await.unwrap_err();
    assert!(open.why.contains("still answers"), "{open:?}");
    action.execute(&target, &context()).await.unwrap();
    let proof = action.verify(&target, &context()).await.unwrap();
    assert!(proof.evidence[0].contains("refuses connections"), "{proof:?}");
    // Confirmed while it was down already, its silence proves nothing.
    let unseen = action.describe().await.unwrap().target;
    let unproven = action.verify(&unseen, &context()).await.unwrap_err();
    assert!(unproven.why.contains("out of reach when the step was confirmed"), "{unproven:?}");
    wait_until("the log says so", || pair.primary.log().contains("database system is shut down"));
}

fn unfence(server: &Server, others: &[&Server], more: &[(&str, &str)]) -> Box<dyn Action> {
    let mut keys = params(&[&[("dsn", &*server.dsn())], more].concat());
    let others = others.iter().map(|other| Param::Text(other.dsn())).collect();
    keys.0.insert("others".into(), Param::List(others));
    action_of("postgres-unfence", &keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_is_lifted_and_a_new_session_proves_it() {
    let pair = Pair::start();
    let fence = fence(&pair.primary);
    let target = fence.describe().await.unwrap();
    assert!(target.undo[0].contains("alter system reset"), "{target:?}");
    fence.execute(&target.target, &context()).await.unwrap();

    let lift = unfence(&pair.primary, &[&pair.standby], &[]);
    let target = lift.describe().await.unwrap().target;
    let still = lift.verify(&target, &context()).await.unwrap_err();
    assert!(still.why.contains("is on in a new session"), "{still:?}");
    lift.execute(&target, &context()).await.unwrap();
    let proof = lift.verify(&target, &context()).await.unwrap();
    assert!(proof.evidence.iter().any(|line| line.contains("a write was accepted")), "{proof:?}");
    pair.primary.sql("insert into load (id) values (-1)");
    assert!(lift.describe().await.unwrap().notes[0].contains("off already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_is_not_lifted_beside_another_primary_unless_the_plan_says_so() {
    let pair = Pair::start();
    let action = fence(&pair.primary);
    let target = action.describe().await.unwrap().target;
    action.execute(&target, &context()).await.unwrap();
    // A standby is refused in any case.
    let standby = unfence(&pair.standby, &[], &[]);
    let of_standby = standby.describe().await.unwrap().target;
    assert_eq!(standby.execute(&of_standby, &context()).await.unwrap_err().why, "it is a standby");
    pair.standby.sql("select pg_promote()");
    let lift = unfence(&pair.primary, &[&pair.standby], &[]);
    let described = lift.describe().await.unwrap();
    assert!(described.notes.iter().any(|note| note.contains("this step will refuse")), "{described:?}");
    let refused = lift.execute(&described.target, &context()).await.unwrap_err();
    assert_eq!(refused.acted, Acted::No);
    assert!(refused.why.contains(&pair.standby.address()), "{refused:?}");
    assert_eq!(pair.primary.sql("show default_transaction_read_only"), "on");

    let lift = unfence(&pair.primary, &[&pair.standby], &[("beside_a_primary", "allow")]);
    lift.execute(&described.target, &context()).await.unwrap();
    lift.verify(&described.target, &context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_was_restarted_since_it_was_confirmed_is_not_fenced_before_somebody_looks_again() {
    let pair = Pair::start();
    let action = fence(&pair.primary);
    let target = action.describe().await.unwrap().target;
    pair.primary.stop();
    pair.primary.start();
    let failure = action.execute(&target, &context()).await.unwrap_err();
    assert!(failure.why.starts_with("it was restarted since") && failure.acted == Acted::No, "{failure:?}");
    assert_eq!(pair.primary.sql("show default_transaction_read_only"), "off");
}
