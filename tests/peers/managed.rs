//! Servers that somebody else decides about: a real Patroni, and a hand that takes a promotion back.

use crate::patroni::Patroni;
use crate::postgres::{Pair, Server, wait_until};
use crate::rig::{Hands, Home, LIFEBOAT};
use lifeboat::base::ids::StepId;
use lifeboat::core::ask::contradiction::{self, Kind};
use lifeboat::core::ask::watch::Found;
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::status::StepStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A plan that promotes `standby`; its probes watch both.
fn plan(primary: &Server, standby: &Server, more: &str) -> String {
    let probe = |id: &str, region: &str, server: &Server| {
        format!(
            "[probes.{id}]\nkind = \"postgres\"\nregion = \"{region}\"\ndsn = \"{}\"\nevery = \"1s\"\ntimeout = \"900ms\"\n",
            server.dsn()
        )
    };
    format!(
        "[plan]\nname = \"Managed\"\n[regions.primary]\nrole = \"primary\"\n[regions.dr]\nrole = \"standby\"\n\
         {}{}\
         [[severity]]\nlevel = \"P1\"\nwhen = \"signals['primary-db'].state == 'ok'\"\nwhy = \"A planned move\"\n\
         [tree]\nroot = \"down\"\n[tree.down]\nask = \"Move?\"\nevidence = [\"primary-db\"]\n\
         suggest.yes = \"signals['dr-db'].state == 'ok'\"\nanswers.yes = \"failover\"\nanswers.no = \"stay\"\n\
         [leaves.stay]\ntitle = \"Stay\"\nadvice = \"Watch.\"\n\
         [runbooks.failover]\ntitle = \"Fail over\"\n\
         [[runbooks.failover.steps]]\nid = \"promote\"\ntitle = \"Promote\"\naction = \"postgres-promote\"\n\
         with.dsn = \"{}\"\nconfirm = \"type\"\nirreversible = true\nverify_within = \"10s\"\n{more}",
        probe("primary-db", "primary", primary),
        probe("dr-db", "dr", standby),
        standby.dsn()
    )
}

/// The old primary lives and writes, which a person has to answer for first.
fn promote_beside_the_primary(hands: &mut Hands) {
    let alive = |model: &Model| {
        let open = contradiction::of(model).iter().find(|open| open.contradiction.kind == Kind::PrimaryAlive);
        open.map(|open| open.contradiction.id.clone())
    };
    hands.wait("the primary that lives is said", |model| alive(model).is_some());
    let id = alive(&hands.model).unwrap();
    hands.ask(Ask::AnswerContradiction { id, reason: "the test wants two".into() }).unwrap();
    hands.fire("promote");
}

fn dsn_line(server: &Server) -> String {
    format!("with.dsn = \"{}\"\n", server.dsn())
}

/// An application that writes numbered rows to one server whenever that takes them.
struct Writer {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<i64>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(server: &Server) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopping, told, dsn) = (stop.clone(), acknowledged.clone(), server.dsn());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(write(&dsn, &stopping, &told));
        });
        Self { stop, acknowledged, thread: Some(thread) }
    }

    fn stop(mut self) -> Vec<i64> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        self.acknowledged.lock().unwrap().clone()
    }
}

async fn write(dsn: &str, stop: &AtomicBool, acknowledged: &Mutex<Vec<i64>>) {
    let mut id: i64 = 1_000_000;
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let Ok((client, connection)) = tokio_postgres::connect(dsn, tokio_postgres::NoTls).await else {
            continue;
        };
        tokio::spawn(connection);
        while !stop.load(Ordering::SeqCst) {
            id += 1;
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&id];
            let insert = client.execute("insert into load (id, pad) values ($1, 'x')", &row);
            if tokio::time::timeout(Duration::from_secs(2), insert).await.is_ok_and(|done| done.is_ok()) {
                acknowledged.lock().unwrap().push(id);
            } else {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[test]
fn a_member_of_patroni_is_neither_promoted_nor_fenced_and_the_way_that_does_it_is_named() {
    let patroni = Patroni::pair();
    let (leader, replica) = (patroni.member(0), patroni.member(1));
    let fence = format!(
        "[[runbooks.failover.steps]]\nid = \"fence\"\ntitle = \"Fence\"\naction = \"postgres-fence\"\nconfirm = \"yes\"\n{}",
        dsn_line(leader)
    );
    let home = Home::with(&plan(leader, replica, &fence));
    let mut preflight = std::process::Command::new(LIFEBOAT);
    preflight.arg("preflight").arg(home.plan()).env("HOME", home.path());
    let preflight = preflight.output().unwrap();
    let said = String::from_utf8_lossy(&preflight.stdout).into_owned();
    assert_eq!(preflight.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("managed by Patroni").count(), 2, "{said}");

    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    let (run, step) = (hands.run_id(), "promote".into());
    hands.ask(lifeboat::core::words::command::Ask::Prepare { run, step }).unwrap();
    hands.wait("the refusal", |model| {
        let incident = model.durable.incident.as_ref().unwrap();
        incident.runs[0].steps["promote"].obstacle.is_some()
    });
    let (failure, card) = hands.step("promote").obstacle.clone().unwrap();
    assert!(failure.why.contains("managed by Patroni ("), "{failure:?}");
    assert!(
        failure.next.contains("patronictl") && failure.next.contains("standby_cluster=null"),
        "{failure:?}"
    );
    assert!(card.instructions[0].contains("manager's own command"), "{card:?}");
    assert_eq!(replica.sql("select pg_is_in_recovery()"), "t");
    assert_eq!(leader.sql("show default_transaction_read_only"), "off");
}

/// Promotes around Patroni; whether that was proven before Patroni took it back, which on a busy machine may be quicker
/// than the first look.
fn taken_back(primary: &Server, standby: &Server) -> bool {
    let home = Home::with(&plan(primary, standby, "with.managed = \"ignore\"\nwith.hold = \"20s\"\n"));
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    let writer = Writer::start(standby);
    promote_beside_the_primary(&mut hands);
    let confirmation = hands.step("promote").confirmation.clone().unwrap();
    assert!(
        confirmation.description.notes[0].contains("Patroni makes it a standby again"),
        "{confirmation:?}"
    );
    assert_eq!(confirmation.phrase(), Some(&*standby.address()));
    hands.wait_step("promote", StepStatus::Unknown);
    // Where the server went down under the promotion itself, the look that follows tells why.
    hands.wait("why it is not proven", |model| {
        let run = model.durable.incident.as_ref().and_then(|incident| incident.runs.last());
        run.is_some_and(|run| run.steps[&StepId::new("promote")].doubt.is_some())
    });
    let doubt = hands.step("promote").doubt.clone().unwrap();
    let facts = home.facts();
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::StepVerified { .. })), "it was called done");
    if !facts.iter().any(|fact| matches!(fact, Fact::StepHolding { .. })) {
        return false;
    }
    assert!(doubt.why.contains("taken back after") && doubt.why.contains("by Patroni"), "{doubt:?}");
    let rows = writer.stop();
    assert!(!rows.is_empty(), "nothing was acknowledged in between: this shows nothing");
    let lost = |id: &&i64| primary.sql(&format!("select count(*) from load where id = {id}")) == "0";
    let lost = rows.iter().filter(lost).count();
    assert_eq!(lost, rows.len(), "{lost} of {} acknowledged rows are not on the primary", rows.len());
    true
}

/// With new clusters until lifeboat saw the promotion before it was taken back.
fn is_taken_back(cluster: impl Fn() -> Patroni, standby: usize) {
    let once = || {
        let patroni = cluster();
        taken_back(patroni.member(0), patroni.member(standby))
    };
    assert!((0..4).any(|_| once()), "Patroni was quicker than the first look each time");
}

#[test]
fn a_promotion_around_patroni_is_taken_back_and_never_called_done() {
    is_taken_back(Patroni::pair, 1);
}

#[test]
fn a_promotion_of_a_standby_cluster_around_patroni_is_taken_back_and_never_called_done() {
    is_taken_back(|| Patroni::pair().with_standby_cluster(), 2);
}

#[test]
fn what_was_promoted_is_watched_also_by_the_next_engine_and_its_end_is_a_p0() {
    let pair = Pair::start();
    let home = Home::with(&plan(&pair.primary, &pair.standby, "with.hold = \"1s\"\n"));
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    promote_beside_the_primary(&mut hands);
    hands.wait_step("promote", StepStatus::Verified);
    drop(hands);
    drop(engine);

    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    // Somebody makes it a standby again.
    pair.standby.stop();
    std::fs::write(pair.standby.data.join("standby.signal"), "").unwrap();
    pair.standby.start();
    hands.wait("that it was taken back", |model| {
        contradiction::of(model).iter().any(|open| open.contradiction.kind == Kind::Undone)
    });
    let open = contradiction::of(&hands.model).iter().find(|open| open.contradiction.kind == Kind::Undone);
    let undone = open.unwrap().contradiction.clone();
    assert_eq!(undone.severity, lifeboat::plan::Severity::P0);
    let said = format!("TAKEN BACK, not by lifeboat: {} is a standby", pair.standby.address());
    assert!(undone.what.contains(&said), "{undone:?}");
    let changed = |fact: &Fact| matches!(fact, Fact::TargetChanged { to: Found::Standby { .. }, .. });
    wait_until("the journal says so", || home.facts().iter().any(changed));
}

/// A slot that lost its WAL: the standby can never catch up, and a failover would lose all since.
#[test]
fn a_preflight_fails_a_promotion_whose_standby_can_never_catch_up() {
    let pair = Pair::start();
    let lag = format!(
        "[probes.dr-lag]\nkind = \"postgres-replication\"\nregion = \"dr\"\ndsn = \"{}\"\nprimary = \"{}\"\nevery = \"1s\"\ntimeout = \"900ms\"\n",
        pair.standby.dsn(),
        pair.primary.dsn()
    );
    let guard = "guard = [\"signals['dr-lag'].fields.exposure_s < 60.0\"]\n";
    let text = plan(&pair.primary, &pair.standby, &format!("{guard}{lag}"));
    let home =
        Home::with(&text.replace("title = \"Fail over\"\n", "title = \"Fail over\"\nloss = [\"dr-lag\"]\n"));
    let preflight = || {
        let mut command = std::process::Command::new(LIFEBOAT);
        let output = command.arg("preflight").arg(home.plan()).env("HOME", home.path()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = preflight();
    assert_eq!(code, Some(0), "{said}");
    pair.primary.sql("select pg_terminate_backend(active_pid) from pg_replication_slots where active");
    pair.standby.sql("alter system set primary_slot_name = 'lost'");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select not exists (select from pg_stat_wal_receiver where status = 'streaming')");
    // The standby may come once more by the slot of before, until it has read its settings anew.
    let mut said = String::new();
    wait_until("the preflight fails", || {
        let (code, lines) = preflight();
        said = lines;
        code == Some(1)
    });
    assert!(said.contains("loss dr-lag"), "{said}");
}
