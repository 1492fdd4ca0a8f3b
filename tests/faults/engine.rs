//! Engines and consoles that die, come twice, or meet in the same place.

use crate::pty::wait_for;
use crate::rig::{Hands, Home, LIFEBOAT};
use lifeboat::base::ids::StepId;
use lifeboat::core::words::action::Failure;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::status::StepStatus;
use lifeboat::engine::paths::StateFolder;
use lifeboat::journal::{Journal, Options};
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

fn ran(home: &Home) -> usize {
    std::fs::read_to_string(home.path().join("ran")).unwrap_or_default().lines().count()
}

fn started(home: &Home) -> usize {
    home.facts().iter().filter(|fact| matches!(fact, Fact::StepStarted { .. })).count()
}

#[test]
fn an_engine_killed_in_a_step_leaves_it_unknown_and_nothing_runs_it_again() {
    let home = Home::new();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("work");
    console.press("2");
    console.wait_for_text("runs, ");
    wait_for(|| (ran(&home) == 1).then_some(())).expect("the program runs");
    home.kill_engine();

    console.wait_for_text("CONNECTION LOST");
    assert!(home.state.join("engine.sock").exists(), "it is left over");
    console.wait_for_text("start the engine again");
    console.decide("\r");
    let screen = console.wait_for_text("nobody knows whether it acted");
    assert!(screen.contains("what it started may go on"), "{screen}");
    console.wait_for_text("unproven");

    // While what it started goes on, another look says so, and nothing is run beside it.
    let mut hands = Hands::attach(&home);
    let recheck = |hands: &Hands| Ask::Recheck { run: hands.run_id(), step: "work".into() };
    let again = recheck(&hands);
    hands.ask(again).unwrap();
    console.wait_for_text("the program of an earlier attempt still runs");
    let reason = Some("to see that it is refused".to_owned());
    let retry = Ask::Retry { run: hands.run_id(), step: "work".into(), reason };
    hands.ask(retry).unwrap();
    // It is refused before anybody is asked to confirm it, and again as long as the program lives.
    let step = StepId::new("work");
    for _ in 0..2 {
        let run = hands.run_id();
        hands.ask(Ask::Prepare { run: run.clone(), step: step.clone() }).unwrap();
        hands.wait("the second attempt is refused", |model| {
            let state = model.step(&run, &step).map(|(_, state)| state);
            let obstacle = state.and_then(|state| state.obstacle.as_ref()).map(|(failure, _)| failure);
            let reading = model.live.preparing.contains(&(run.clone(), step.clone()));
            let says = |failure: &Failure| {
                let pid = failure.why.rsplit_once("still runs as process ").map(|(_, pid)| pid.to_owned());
                pid.is_some_and(|pid| failure.next.contains(&format!("`kill -TERM {pid}`")))
            };
            !reading && obstacle.is_some_and(says)
        });
        assert_eq!(hands.step("work").status, StepStatus::Ready);
    }
    assert_eq!((ran(&home), started(&home)), (1, 1));

    // It comes to its end; then the next attempt may begin, and is the only one.
    std::fs::write(home.path().join("go"), "").unwrap();
    let seen = wait_for(|| {
        let run = hands.run_id();
        hands.ask(Ask::Prepare { run: run.clone(), step: step.clone() }).unwrap();
        hands.wait("it was looked at", |model| !model.live.preparing.contains(&(run.clone(), step.clone())));
        (hands.step("work").status == StepStatus::Confirming).then_some(())
    });
    seen.expect("its end is seen");
    let confirmation = hands.step("work").confirmation.as_ref().unwrap().id.clone();
    hands.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    hands.wait("the run is over", |model| {
        let incident = model.durable.incident.as_ref();
        incident.is_some_and(|incident| incident.open_run().is_none())
    });
    console.wait_for_text("verified");
    let starts = (ran(&home), started(&home));
    assert_eq!(starts, (2, 3), "the attempt, the one after it has ended, the note");
    home.assert_journal_good();
}

/// A plan whose condition holds all the time, also while the step runs, and a program that prints.
fn proven_at_once() -> String {
    let text = include_str!("plan.toml");
    let text = text.replace("echo ran >> ran; while", "echo ran >> ran; while echo at work;");
    let plan = text.replace(
        "with.verify_argv = [\"test\", \"-e\", \"@folder/go\"]",
        "verify = \"signals['reference'].state == 'ok'\"",
    );
    assert_ne!(plan, text);
    plan
}

/// The engine is killed while the program of the step runs.
fn killed_at_work(home: &Home) {
    let engine = home.engine();
    let mut hands = Hands::attach(home);
    hands.begin_run();
    hands.fire("work");
    wait_for(|| (ran(home) == 1).then_some(())).expect("the program runs");
    drop(hands);
    home.kill_engine();
    drop(engine);
}

fn doubts(hands: &mut Hands, why: &str) {
    hands.wait(why, |model| {
        let incident = model.durable.incident.as_ref().unwrap();
        let state = &incident.runs.last().unwrap().steps[&StepId::new("work")];
        state.doubt.as_ref().is_some_and(|doubt| doubt.why.contains(why))
    });
    assert_eq!(hands.step("work").status, StepStatus::Unknown);
}

#[test]
fn a_step_is_not_proven_while_the_program_of_a_killed_engine_goes_on_and_prints() {
    let home = Home::new();
    home.write_plan(&proven_at_once());
    killed_at_work(&home);

    // The condition holds all the time, and what was begun is not done.
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    let step = StepId::new("work");
    let recheck = Ask::Recheck { run: hands.run_id(), step: step.clone() };
    hands.ask(recheck.clone()).unwrap();
    doubts(&mut hands, "still runs as process");

    // It was not ended by printing to nobody, and its end is seen.
    std::fs::write(home.path().join("go"), "").unwrap();
    let verified = wait_for(|| {
        let _ = hands.ask(recheck.clone());
        hands.wait("it was looked at", |model| model.live.checking.is_empty());
        (hands.step("work").status == StepStatus::Verified).then_some(())
    });
    verified.expect("its end is seen");
    assert_eq!(ran(&home), 1);
    home.assert_journal_good();
}

/// The engine was killed while the program ran, and the next one has a plan in which a person does the step.
fn made_by_hand(home: &Home) {
    home.write_plan(&proven_at_once());
    killed_at_work(home);
    let plan = proven_at_once();
    let (before, after) = plan.rsplit_once("action = \"exec\"").expect("the step is there");
    let rest = after.split_once("verify = ").expect("its proof is there").1;
    let with = "{ target = \"db\", instructions = [\"Mend it.\"], check = \"Look.\" }";
    home.write_plan(&format!("{before}action = \"manual\"\nwith = {with}\nverify = {rest}"));
}

#[test]
fn a_step_that_an_edit_of_the_plan_made_another_one_is_not_proven_by_that() {
    let home = Home::new();
    made_by_hand(&home);
    // Its program is looked for, though a step by hand has none.
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    doubts(&mut hands, "still runs as process");
    std::fs::write(home.path().join("go"), "").unwrap();
    let recheck = Ask::Recheck { run: hands.run_id(), step: StepId::new("work") };
    let ended = wait_for(|| {
        let _ = hands.ask(recheck.clone());
        hands.wait("it was looked at", |model| model.live.checking.is_empty());
        let doubt = hands.step("work").doubt.clone()?;
        doubt.why.contains("in another way than when it began").then_some(())
    });
    ended.expect("its end is seen, and proves nothing");
    assert_eq!((hands.step("work").status, ran(&home)), (StepStatus::Unknown, 1));
    home.assert_journal_good();
}

#[test]
fn a_step_that_an_edit_of_the_plan_made_another_one_is_not_done_beside_its_program_of_before() {
    let home = Home::new();
    made_by_hand(&home);
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    doubts(&mut hands, "still runs as process");
    let (run, step) = (hands.run_id(), StepId::new("work"));
    hands
        .ask(Ask::Retry { run: run.clone(), step: step.clone(), reason: Some("it is safe".into()) })
        .unwrap();
    hands.ask(Ask::Prepare { run: run.clone(), step: step.clone() }).unwrap();
    hands.wait("it is refused", |model| {
        let state = model.step(&run, &step).map(|(_, state)| state);
        let obstacle = state.and_then(|state| state.obstacle.as_ref());
        obstacle.is_some_and(|(failure, _)| failure.why.contains("still runs as process"))
    });
    assert_eq!(hands.step("work").status, StepStatus::Ready);
}

#[test]
fn an_engine_goes_on_when_its_console_is_killed_and_another_one_sees_all() {
    let home = Home::new();
    let mut first = home.open(80, 24);
    first.wait_for_text("No database takes writes");
    let pid = home.wait_pid();
    let mut second = home.open(80, 24);
    second.wait_for_text("No database takes writes");
    second.press("2");

    first.press("D");
    first.wait_for_text("Declare an incident");
    first.press("1");
    first.wait_for_text("Title");
    first.press("\r");
    first.wait_for_text("Declare this incident?");
    first.decide("y");
    second.wait_for_text("Is the database down?");
    let mut hands = Hands::attach(&home);
    // The tree is on the screen without an incident too.
    hands.wait("it is declared", |model| model.durable.incident.is_some());
    assert_eq!(hands.model.durable.incident.as_ref().unwrap().title, "No database takes writes");
    let answer = lifeboat::core::words::command::Ask::Answer {
        question: "down".into(),
        answer: "yes".into(),
        suggested: Some("yes".into()),
        reason: None,
    };
    hands.ask(answer).unwrap();
    second.wait_for_text("Mend it");
    hands.fire("work");
    second.wait_for_text("runs, ");

    first.signal(Signal::KILL);
    first.wait_for_end();
    std::fs::write(home.path().join("go"), "").unwrap();
    second.wait_for_text("verified");
    assert_eq!((home.wait_pid(), ran(&home)), (pid, 1));
    home.assert_journal_good();
}

#[test]
fn an_engine_that_hangs_is_told_and_not_taken_for_a_dead_one() {
    let home = Home::new();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    let pid = home.wait_pid();
    crate::rig::kill(pid, Signal::STOP);
    console.press("N");
    console.wait_for_text("Note");
    console.press("are you there\r");
    console.wait_for_text("Write this note?");
    console.decide("y");
    console.wait_for_text("waiting for the engine");
    console.wait_for_text("CONNECTION LOST");
    // What is being typed stays; the operator closes it, and is told the rest.
    console.decide("\x1b");
    console.wait_for_text("the engine is there and does not answer");
    crate::rig::kill(pid, Signal::CONT);
    console.wait_until("it is attached again", |screen| !screen.contains("CONNECTION LOST"));
    assert_eq!(home.wait_pid(), pid);
}

#[test]
fn a_stop_waits_for_a_running_step_unless_it_is_forced() {
    let home = Home::new();
    let console = home.open(80, 24);
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("work");
    hands.wait_step("work", StepStatus::Started);

    let refused = home.run("stop", &[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("the step work is running") && said.contains("lifeboat stop --force"), "{said}");
    assert!(home.pid().is_some());

    let begun = Instant::now();
    let stopped = home.run("stop", &["--force"]);
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "its console is still there, and that is no reason to wait"
    );
    let screen = console.wait_for_text("start the engine again");
    assert!(screen.contains("stopped it"), "{screen}");
    assert!(matches!(home.facts().last(), Some(Fact::EngineStopped { .. })));

    let _engine = home.engine();
    let hands = Hands::attach(&home);
    assert_eq!(hands.step("work").status, StepStatus::Unknown);
    assert_eq!(ran(&home), 1);
}

#[test]
fn consoles_that_open_at_once_share_one_engine() {
    let home = Home::new();
    let consoles: Vec<_> = (0..4).map(|_| home.open(80, 24)).collect();
    for console in &consoles {
        console.wait_for_text("No database takes writes");
    }
    let starts = home.facts().iter().filter(|fact| matches!(fact, Fact::EngineStarted { .. })).count();
    assert_eq!(starts, 1);
    home.assert_journal_good();
}

#[test]
fn a_console_whose_engine_came_second_waits_for_the_first() {
    let home = Home::new();
    let options = Options { append_only: false, ..Options::default() };
    // An engine that has the journal and not yet its socket.
    let (taken, _) = Journal::open(&home.journal(), &options).unwrap();
    let console = home.open(80, 24);
    let refused = || std::fs::read_to_string(home.state.join("engine.log")).ok();
    wait_for(|| refused().filter(|log| log.contains("already open for writing")))
        .expect("its own engine is refused");
    drop(taken);
    let _first = home.engine();
    console.wait_for_text("No database takes writes");
}

#[test]
fn a_second_engine_is_refused_with_an_exit_code_of_its_own() {
    let home = Home::new();
    let _first = home.engine();
    home.wait_pid();
    let second = home.run("engine", &["--no-append-only"]);
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(4), "{said}");
    assert!(said.contains("already open for writing by process") && said.contains("lifeboat open"), "{said}");
    assert!(home.pid().is_some(), "the first one keeps its socket");
}

#[test]
fn a_long_path_to_the_state_works_under_each_of_its_names() {
    let home = Home::new();
    let long = home.path().join("x".repeat(150));
    let home = home.state(long.clone());
    let console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    assert!(long.join("engine.sock").exists(), "in the folder itself, where nobody else can put one");
    let relative = Command::new(LIFEBOAT)
        .current_dir(home.path())
        .args(["status", "plan.toml", "--state", &"x".repeat(150)])
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(String::from_utf8(relative.stdout).unwrap().contains("P0"));
    let socket = StateFolder::of_plan(Some(&long), home.path(), &home.plan()).socket();
    assert!(socket.exists());
    assert!(home.run("stop", &[]).status.success());
    assert!(!socket.exists());
}

#[test]
fn a_folder_that_was_there_keeps_its_mode() {
    let home = Home::new();
    std::fs::create_dir(&home.state).unwrap();
    std::fs::set_permissions(&home.state, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _engine = home.engine();
    home.wait_pid();
    let mode = |name: &str| std::fs::metadata(home.state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("engine.sock"), mode("journal")), (0o755, 0o600, 0o700));
}
