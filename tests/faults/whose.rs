//! A state folder of another plan: named by a slip, or by a variable that was left set.

use crate::rig::{Hands, Home};
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::incident::Mode;
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

#[test]
fn a_plan_that_cannot_be_read_is_not_taken_for_the_one_that_the_folder_is_of() {
    let home = Home::new();
    let _engine = home.engine();
    Hands::attach(&home);
    let text = std::fs::read_to_string(beta(&home)).unwrap();
    let write = |name: &str, text: String| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = write("broken.toml", format!("{text}\nthis is not TOML\n"));
    let nameless = write("nameless.toml", text.replace("name = \"Beta\"\n", ""));
    let missing = home.path().join("typo.toml").to_str().unwrap().to_owned();
    let empty = home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let pipe = home.path().join("pipe.toml").to_str().unwrap().to_owned();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let cases = [
        (broken, "broken.toml is no TOML"),
        (nameless, "has no `name`"),
        (missing, "there is no plan"),
        (empty.to_str().unwrap().to_owned(), "the folder holds no .toml file"),
        (pipe, "it is not a regular file"),
        ("/dev/zero".into(), "it is not a regular file"),
    ];
    let state = home.state.to_str().unwrap();
    for (plan, why) in &cases {
        for command in ["status", "brief", "serves", "ack", "stop"] {
            let output = home.run_bare(&[command, plan, "--state", state]);
            let text = said(&output);
            assert!(!output.status.success(), "{command} {plan}: {text}");
            assert!(text.contains(why) && text.contains(plan), "{command} {plan}: {text}");
            assert!(!text.contains("region") && !text.contains("is up"), "{command} {plan}: {text}");
        }
    }
    let beta = beta(&home);
    for command in ["verify", "show"] {
        let output = home.run_bare(&["journal", command, "--plan", beta.to_str().unwrap(), "--state", state]);
        assert!(!output.status.success() && said(&output).contains(WHOSE), "{}", said(&output));
        let own =
            ["journal", command, "--plan", home.plan().to_str().unwrap(), "--state", state].map(String::from);
        let output = home.run_bare(&own.each_ref().map(String::as_str));
        assert!(output.status.success(), "{}", said(&output));
    }
    assert!(home.pid().is_some(), "it goes on");
}

#[test]
fn the_file_that_the_engine_reads_is_its_own_also_while_it_is_broken_or_gone() {
    let home = Home::new();
    let mut engine = home.engine();
    Hands::attach(&home);
    let file = home.plan().canonicalize().unwrap();
    for text in [Some("this is not TOML"), None] {
        match text {
            Some(text) => std::fs::write(home.plan(), text).unwrap(),
            None => std::fs::remove_file(home.plan()).unwrap(),
        }
        let status = home.status();
        assert!(status.contains("Faults") && status.contains(file.to_str().unwrap()), "{status}");
        let brief = said(&home.run("brief", &[]));
        assert!(brief.contains(&format!("the plan \"Faults\" ({})", file.display())), "{brief}");
    }
    let stopped = home.run("stop", &[]);
    assert!(stopped.status.success() && said(&stopped).contains("the plan \"Faults\""), "{}", said(&stopped));
    assert!(engine.0.wait().unwrap().success());
}

#[test]
fn a_second_plan_of_one_name_is_named_by_its_file_and_takes_the_journal_over_with_a_word() {
    let home = Home::new();
    let engine = home.engine();
    Hands::attach(&home);
    let copy = home.path().join("staging.toml");
    std::fs::copy(home.plan(), &copy).unwrap();
    let (copy, state) = (copy.to_str().unwrap(), home.state.to_str().unwrap());
    let status = said(&home.run_bare(&["status", copy, "--state", state]));
    assert!(
        status.contains(&format!("plan file    {}", home.plan().canonicalize().unwrap().display())),
        "{status}"
    );
    home.kill_engine();
    drop(engine);
    let mut second = home.shell(&format!("exec \"$0\" engine '{copy}' --state \"$2\" --no-append-only"));
    let _second = crate::rig::Engine(second.stderr(std::process::Stdio::null()).spawn().unwrap());
    home.wait_pid();
    let started = home.facts().into_iter().rev().find_map(|fact| match fact {
        Fact::EngineStarted { recovery, .. } => Some(recovery),
        _ => None,
    });
    let started = started.unwrap();
    assert!(started.contains("staging.toml now and was from") && started.contains("plan.toml"), "{started}");
}
