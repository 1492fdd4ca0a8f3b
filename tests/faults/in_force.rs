//! What a run left behind stays in sight: in the dialogs, on the screen, in the brief, also after a crash and a close.

use crate::pty::{Pty, wait_for};
use crate::rig::{Hands, Home};
use lifeboat::core::ask::in_force;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::status::StepStatus;

const FENCE: &str = r#"
[[runbooks.mend.steps]]
id = "fence"
title = "Keep it from writing"
action = "exec"
fences = ["db"]
undo = "rm-fenced.sh"
with.target = "db"
with.argv = ["touch", "@folder/fenced"]
with.verify_argv = ["test", "-e", "@folder/fenced"]
confirm = "yes"
"#;

fn home() -> Home {
    let plan = include_str!("plan.toml");
    let (before, after) = plan.split_once("[[runbooks.mend.steps]]").unwrap();
    Home::with(&format!("{before}{}\n[[runbooks.mend.steps]]{after}", FENCE.trim_start()))
}

fn brief(home: &Home) -> String {
    String::from_utf8(home.run("brief", &[]).stdout).unwrap()
}

/// Waits for a screen that says what is in force, with its undo.
fn says_it(console: &mut Pty) -> String {
    let screen = console.wait_for_text("STILL IN FORCE");
    assert!(screen.contains("Keep it from writing") && screen.contains("rm-fenced.sh"), "{screen}");
    screen
}

#[test]
fn what_an_aborted_run_left_behind_is_said_until_a_person_records_that_it_is_undone() {
    let home = home();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("fence");
    hands.wait_step("fence", StepStatus::Verified);

    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("2");
    console.wait_for_text("Keep it from writing");
    console.press("A");
    console.wait_for_text("Abort the run");
    says_it(&mut console);
    drop(console);
    hands.ask(Ask::Abort { reason: "changed our mind".into() }).unwrap();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("2");
    console.wait_for_text("ABORTED");
    says_it(&mut console);
    console.press("C");
    let dialog = console.wait_for_text("Close INC-");
    assert!(dialog.contains("STILL IN FORCE"), "{dialog}");
    drop(console);
    let told = brief(&home);
    assert!(told.contains("STILL IN FORCE: Keep it from writing on db"), "{told}");
    assert!(told.contains("Undo: rm-fenced.sh"), "{told}");

    hands.ask(Ask::Close { reason: "enough".into() }).unwrap();
    drop(hands);
    home.kill_engine();
    assert!(brief(&home).contains("STILL IN FORCE"), "from the journal alone");
    let _again = home.engine();
    let mut hands = Hands::attach(&home);
    assert!(brief(&home).contains("STILL IN FORCE"), "after the crash and the close");
    let mut console = home.open(80, 24);
    says_it(&mut console);

    let left = in_force::pending(&hands.model).remove(0);
    hands
        .ask(Ask::Undone {
            run: left.run,
            step: left.step,
            how: "removed it, a write worked".into(),
            stays: false,
        })
        .unwrap();
    wait_for(|| (!console.screen().contains("STILL IN FORCE")).then_some(())).expect("it is off the screen");
    assert!(!brief(&home).contains("STILL IN FORCE"));
    home.assert_journal_good();
}
