//! What is left when the engine is gone: the brief, the phone tree and the post-mortem.

use crate::rig::{Hands, Home, LIFEBOAT};
use lifeboat::core::words::command::Ask;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn the_brief_comes_from_the_engine_and_after_its_death_from_the_journal() {
    let home = Home::new();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    let live = text(&home.run("brief", &[]));
    has(&live, &["What: P0 LIVE: fault", "\"yes\" to \"Is the database down?\"", "Run: 0 of "]);
    assert!(!live.contains("JOURNAL ALONE"), "{live}");

    home.kill_engine();
    let alone = text(&home.run("brief", &[]));
    has(
        &alone,
        &["FROM THE JOURNAL ALONE (no engine runs)", "ago; nothing is measured now.", "P0 LIVE: fault"],
    );

    // Neither engine nor journal: what failed, and what to do.
    std::fs::rename(home.journal(), home.path().join("elsewhere")).unwrap();
    let output = home.run("brief", &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    has(&error, &["no engine runs, and the journal does not help", "next: "]);
}

#[test]
fn a_post_mortem_is_written_of_an_open_and_of_a_closed_incident_and_never_over_another() {
    let home = Home::new();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    has(&text(&home.run("postmortem", &[])), &["still OPEN", "`lifeboat journal verify`: GOOD", "Mend it"]);
    hands.ask(Ask::Abort { reason: "the <b>provider</b> mended it".into() }).unwrap();
    hands.ask(Ask::Resolve { how: "by itself".into() }).unwrap();
    hands.ask(Ask::Close { reason: "over".into() }).unwrap();
    home.kill_engine();

    let file = home.path().join("post-mortem.md");
    let out = ["--out", file.to_str().unwrap()];
    assert!(home.run("postmortem", &out).status.success());
    let report = std::fs::read_to_string(&file).unwrap();
    assert!(!report.contains("OPEN") && !report.contains("<b>"), "{report}");
    has(&report, &["Resolved: by itself", "Runbook ABORTED: the \\<b\\>provider\\</b\\> mended it"]);
    let again = home.run("postmortem", &out);
    assert_eq!(again.status.code(), Some(1));
    has(&String::from_utf8(again.stderr).unwrap(), &["is there already", "Name another file"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), report);

    let unknown = home.run("postmortem", &["INC-1"]);
    has(&String::from_utf8(unknown.stderr).unwrap(), &["the journal has no incident INC-1; it has INC-"]);

    // A byte of the journal changes: the report is still made, and says what it is worth.
    let segment = home.journal().join("000001.jsonl");
    let mut bytes = std::fs::read(&segment).unwrap();
    let last_line = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    bytes[last_line + 30] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    has(&text(&home.run("postmortem", &[])), &["**BAD**", "Resolved: by itself"]);
}

#[test]
fn the_phone_tree_is_in_the_state_folder_when_the_engine_is_gone_and_the_plan_is_broken() {
    let home = Home::new();
    let engine = home.engine();
    home.wait_pid();
    let kept = home.state.join("phone-tree.txt");
    let written = crate::pty::wait_for(|| std::fs::read_to_string(&kept).ok()).expect("it is written");
    has(&written, &["PHONE TREE: Faults", "the plan pages nobody"]);
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    drop(engine);

    let tree = |home: &Home| {
        let mut command = Command::new(LIFEBOAT);
        command.args(["notify", "tree"]).arg(home.plan()).arg("--state").arg(&home.state);
        command.env("HOME", home.path()).output().unwrap()
    };
    has(&text(&tree(&home)), &["PHONE TREE: Faults"]);
    home.write_plan("[plan");
    let broken = String::from_utf8(tree(&home).stderr).unwrap();
    has(&broken, &["The engine wrote the tree last into", "phone-tree.txt"]);
}

#[test]
fn a_plan_or_a_state_folder_that_is_not_there_is_named_with_what_to_do() {
    let home = Home::new();
    let nowhere = home.path().join("nowhere.toml");
    let nowhere = nowhere.to_str().unwrap();
    let output = home.run_bare(&["open", nowhere]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(&format!("there is no plan {nowhere}")), "{error}");
    for (subcommand, code) in [("status", 3), ("ack", 1)] {
        let output = home.run(subcommand, &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{subcommand}: {error}");
        has(&error, &[&format!("there is no state folder {}", home.state.display()), "next: "]);
    }
    assert!(!home.path().join(".local").exists(), "nothing was made");
}
