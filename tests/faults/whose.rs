//! A state folder of another plan: named by a slip, or by a variable that was left set.

use crate::rig::{Hands, Home};
use lifeboat::core::command::Ask;
use lifeboat::core::fact::Fact;
use lifeboat::core::incident::Mode;
use std::path::PathBuf;
use std::process::Output;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Another plan beside the home's.
fn beta(home: &Home) -> PathBuf {
    let path = home.path().join("beta.toml");
    let text = std::fs::read_to_string(home.plan()).unwrap().replace("name = \"Faults\"", "name = \"Beta\"");
    std::fs::write(&path, text).unwrap();
    path
}

const WHOSE: &str = "is of the plan \"Faults\"";

#[test]
fn a_running_engine_of_another_plan_is_neither_shown_nor_asked_nor_ended() {
    let home = Home::new();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.ask(Ask::Declare { title: "of Faults".into(), mode: Mode::Live }).unwrap();
    let (beta, state) = (beta(&home), home.state.clone());
    let (plan, state) = (beta.to_str().unwrap(), state.to_str().unwrap());
    for (arguments, code) in [
        (&["status"][..], 3),
        (&["status", "--json"], 3),
        (&["stop"], 1),
        (&["stop", "--force"], 1),
        (&["ack"], 1),
        (&["serves"], 1),
        (&["brief"], 1),
        (&["postmortem"], 1),
        (&["engine"], 1),
        (&["open"], 1),
    ] {
        let whole = [arguments, &[plan, "--state", state]].concat();
        let output = home.run_bare(&whole);
        // In JSON quotes are escaped.
        let text = said(&output).replace("\\\"", "\"");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(WHOSE) && text.contains("is the plan \"Beta\""), "{arguments:?}: {text}");
        assert!(
            text.contains("--renamed-from \"Faults\"") && !text.contains("of Faults"),
            "{arguments:?}: {text}"
        );
    }
    assert!(home.pid().is_some(), "it goes on");
    assert!(home.status().contains("of Faults"), "its own plan is shown");
}

#[test]
fn a_journal_of_another_plan_is_not_taken_over_and_one_of_a_renamed_plan_is_by_saying_so() {
    let home = Home::new();
    let engine = home.engine();
    Hands::attach(&home).ask(Ask::Note { text: "of Faults".into() }).unwrap();
    home.kill_engine();
    drop(engine);
    let before = home.facts().len();
    home.write_plan(&include_str!("plan.toml").replace("name = \"Faults\"", "name = \"Beta\""));
    let refused = home.run("engine", &["--no-append-only"]);
    assert!(!refused.status.success() && said(&refused).contains(WHOSE), "{}", said(&refused));
    for offline in ["brief", "postmortem"] {
        assert!(said(&home.run(offline, &[])).contains(WHOSE), "{offline}");
    }
    assert_eq!(home.facts().len(), before, "nothing was recorded");

    let wrong = home.run("engine", &["--no-append-only", "--renamed-from", "Gamma"]);
    assert!(!wrong.status.success() && said(&wrong).contains(WHOSE), "{}", said(&wrong));
    let mut renamed =
        home.shell("exec \"$0\" engine \"$1\" --state \"$2\" --no-append-only --renamed-from Faults");
    let renamed = crate::rig::Engine(renamed.stderr(std::process::Stdio::null()).spawn().unwrap());
    home.wait_status("Beta");
    let facts = home.facts();
    let started = facts.iter().rev().find_map(|fact| match fact {
        Fact::EngineStarted { recovery, .. } => Some(recovery.clone()),
        _ => None,
    });
    assert_eq!(started.as_deref(), Some("the plan is called \"Beta\" now and was \"Faults\""));
    home.kill_engine();
    drop(renamed);
    // From then on it is Beta's.
    let _engine = home.engine();
    home.wait_status("Beta");
}

#[test]
fn the_plans_own_folder_is_its_own_whatever_it_is_called() {
    let home = Home::new();
    let plan = home.plan();
    let plan = plan.to_str().unwrap();
    let status = |wanted: &str| {
        crate::pty::wait_for(|| said(&home.run_bare(&["status", plan])).contains(wanted).then_some(()))
            .unwrap_or_else(|| panic!("{}", said(&home.run_bare(&["status", plan]))));
    };
    let start = || {
        let mut command = home.shell("exec \"$0\" engine \"$1\" --no-append-only");
        crate::rig::Engine(command.stderr(std::process::Stdio::null()).spawn().unwrap())
    };
    let engine = start();
    status("Faults");
    home.write_plan(&include_str!("plan.toml").replace("name = \"Faults\"", "name = \"Beta\""));
    status("Faults");
    let stopped = home.run_bare(&["stop", plan]);
    assert!(stopped.status.success(), "{}", said(&stopped));
    drop(engine);
    let _engine = start();
    status("Beta");
}
