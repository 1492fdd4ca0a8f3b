//! The program itself, in a pseudo-terminal, over an engine that plays the demo.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::guard::plain_attributes;
use crate::pty::{Program, Pty, wait_for};

const LIFEBOAT: &str = env!("CARGO_BIN_EXE_lifeboat");
const CTRL_Y: &str = "\x19";

/// An engine with a state folder of its own; ends with the test.
struct Engine {
    folder: TempDir,
    process: Child,
}

impl Engine {
    fn start(scenario: &str, speed: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let process = start_engine(folder.path(), scenario, speed);
        let engine = Self { folder, process };
        // Before it has noted what its folder is of there is no such plan.
        let answers = |(code, said): (Option<i32>, String)| code != Some(3) && said.contains("SIMULATED");
        wait_for(|| answers(engine.status()).then_some(())).expect("the engine answers");
        engine
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(LIFEBOAT);
        command.args([subcommand, "demo", "--state"]).arg(self.folder.path());
        command
    }

    /// Exit code and output of `lifeboat status`.
    fn status(&self) -> (Option<i32>, String) {
        let output = self.command("status").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    /// Waits until `lifeboat status` tells this of a step.
    fn wait_for_step(&self, what: &str) {
        wait_for(|| self.status().1.contains(what).then_some(()))
            .unwrap_or_else(|| panic!("never {what}:\n{}", self.status().1));
    }

    fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    fn console(&self) -> Program {
        Program::new(LIFEBOAT)
            .arg("open")
            .arg("demo")
            .arg("--state")
            .arg(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LIFEBOAT_CONFIG_DIR", self.folder.path().join("config"))
    }

    fn open(&self) -> Pty {
        let pty = self.console().spawn();
        pty.wait_for_text("SIGNALS");
        pty
    }
}

fn start_engine(folder: &Path, scenario: &str, speed: &str) -> Child {
    Command::new(LIFEBOAT)
        .args(["engine", "--demo", "--simulate", scenario, "--speed", speed, "--state"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn declare(pty: &mut Pty) {
    pty.press("D");
    pty.wait_for_text("Declare an incident");
    pty.press("2");
    pty.wait_for_text("Title");
    pty.press("\x15darkness");
    pty.wait_for_text("darkness");
    pty.press("\r");
    pty.wait_for_text("Begin this drill?");
    pty.decide("y");
    pty.wait_for_text("OPEN QUESTION");
}

#[test]
fn the_first_screen_and_all_others_by_their_keys() {
    let engine = Engine::start("healthy", "1");
    let mut pty = engine.open();
    for (key, text) in [
        ("2", "[decide]"),
        ("3", "[timeline]"),
        ("4", "[backups]"),
        ("v", "last good"),
        ("5", "[readiness]"),
        ("r", "SIMULATED preflight"),
        ("6", "[escalation]"),
        ("\t", "[overview]"),
        ("?", "Keys (default)"),
    ] {
        pty.press(key);
        pty.wait_for_text(text);
    }
    pty.press("q");
    pty.wait_until("the help closed", |screen| !screen.contains("Keys (default)"));
    pty.press(":");
    pty.wait_for_text("Commands");
    pty.press("gototime");
    pty.wait_for_text("gototime");
    pty.press("\r");
    pty.wait_for_text("[timeline]");
}

#[test]
fn from_the_outage_to_the_promotion_by_keys_alone() {
    // A confirmation stays open for two minutes of the simulation: long enough for a hand on a busy machine.
    let engine = Engine::start("region-down", "6");
    let mut pty = engine.open();
    // Which of the plan's reasons comes first depends on which probe is late on a busy machine.
    pty.wait_for_text("P0");
    declare(&mut pty);
    pty.wait_for_text("SUGGESTED \"yes\"");
    pty.decide("y");
    pty.wait_until("the second question", |screen| {
        screen.contains("ANSWERED") && screen.contains("SUGGESTED \"yes\"")
    });
    pty.decide("y");
    pty.wait_for_text("\"yes\" begins Full region failover");
    pty.decide("y");
    engine.wait_for_step("fence-old-primary: ready");
    pty.wait_for_text("1 of 10 steps settled");
    pty.press("p");
    pty.wait_for_text("CONFIRM: Stop writes on the old primary");
    pty.decide("\r");
    pty.wait_for_text("Enter never confirms");
    pty.decide("\x1b[200~y\x1b[201~");
    pty.wait_for_text("pasted text confirms nothing");
    assert!(!engine.status().1.contains("started"));
    pty.decide("y");
    // The old primary is unreachable: the fence fails, and a person cuts it off.
    pty.wait_for_text("FAILED");
    pty.press("a");
    pty.wait_for_text("What was done");
    pty.press("its network is cut, no connection to 5432");
    pty.press("\r");
    pty.wait_for_text("done?");
    pty.decide("\r");
    pty.wait_for_text("Enter does not confirm");
    pty.gives_word("done");
    engine.wait_for_step("promote: ready");
    pty.wait_for_text("3 of 10 steps settled");
    // More than the objective allows may have been written before the network was cut.
    pty.press("p");
    // The step's details say the same below.
    pty.wait_until("the confirmation", |screen| {
        screen.contains("CONFIRM:") && screen.contains("BLOCKED by the guard")
    });
    pty.decide("\x1b");
    pty.wait_until("the confirmation is closed", |screen| !screen.contains("CONFIRM"));
    // O within a second of Esc may be the rest of a sequence.
    pty.decide("O");
    pty.wait_for_text("Lost by it");
    pty.decide("\r");
    pty.wait_for_text("Reason");
    pty.press("nobody serves there");
    pty.press("\r");
    pty.wait_for_text("Type it here");
    pty.gives_word("override");
    pty.wait_until("the guard is overridden", |screen| !screen.contains("Go on against a guard"));
    // It is prepared anew by the override: a key before that would replace what it opened.
    engine.wait_for_step("promote: confirming");
    pty.press("p");
    pty.wait_for_text("Type the target's name");
    let phrase = "db.us-west-2.acme.internal:5432";
    // A terminal without brackets, or a multiplexer's buffer: it comes in one go.
    pty.decide(phrase);
    pty.wait_for_text("pasted text confirms nothing");
    assert!(!pty.screen().contains("matches"));
    pty.types_until(phrase, "matches");
    pty.decide("\r");
    pty.wait_for_text("Enter never confirms");
    pty.decide(CTRL_Y);
    wait_for(|| engine.status().1.contains("scale-api: ready").then_some(()))
        .expect("the promotion is verified");
}

#[test]
fn a_second_console_sees_the_same() {
    let engine = Engine::start("region-down", "10");
    let mut first = engine.open();
    first.wait_for_text("P0");
    declare(&mut first);
    let mut second = engine.console().size(100, 30).spawn();
    second.wait_for_text("darkn");
    second.press("N");
    second.wait_for_text("Note");
    second.press("hello from the second\r");
    second.wait_for_text("Write this note?");
    second.decide("y");
    first.press("3");
    first.wait_for_text("hello from the second");
}

#[test]
fn a_resize_keeps_what_is_being_typed() {
    let engine = Engine::start("healthy", "1");
    let mut pty = engine.open();
    pty.press("N");
    pty.wait_for_text("Note");
    pty.press("half a note");
    pty.wait_for_text("half a note");
    pty.resize(20, 5);
    pty.wait_for_text("40x10");
    pty.press(", typed blind");
    pty.wait_until_read();
    pty.resize(100, 30);
    pty.wait_for_text("half a note");
    pty.decide(", and more");
    pty.wait_for_text("half a note, and more");
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    let engine = Engine::start("healthy", "1");
    let mut pty = engine.console().size(20, 5).spawn();
    pty.wait_for_text("40x10");
    pty.decide("q");
    assert_eq!(pty.wait_for_end().exit_code(), 0);
}

#[test]
fn however_it_ends_the_terminal_is_as_before_and_the_engine_goes_on() {
    let mut engine = Engine::start("healthy", "1");
    let before = plain_attributes();
    for (end, code) in [("q", 0), ("TERM", 143), ("HUP", 129)] {
        let mut pty = engine.open();
        match end {
            "TERM" => pty.signal(Signal::TERM),
            "HUP" => pty.signal(Signal::HUP),
            key => pty.press(key),
        }
        assert_eq!(pty.wait_for_end().exit_code(), code);
        pty.assert_restored(&before);
        assert!(engine.is_running());
        assert_eq!(engine.status().0, Some(0), "{}", engine.status().1);
    }
}

#[test]
fn a_lost_terminal_ends_it_at_once_and_the_engine_goes_on() {
    let mut engine = Engine::start("healthy", "1");
    let mut pty = engine.open();
    let before = pty.cpu_ticks();
    let since = Instant::now();
    pty.hang_up();
    let mut after = before;
    wait_for(|| {
        after = if pty.has_ended() { after } else { pty.cpu_ticks() };
        pty.has_ended().then_some(())
    })
    .expect("it ends");
    assert!(since.elapsed() < Duration::from_secs(2), "took {:?}", since.elapsed());
    assert!(after - before < 20, "used {} ticks", after - before);
    assert!(engine.is_running());
}

#[test]
fn a_terminal_that_does_not_do_is_told_what_does() {
    let engine = Engine::start("healthy", "1");
    let mut pty = engine.console().env("TERM", "dumb").spawn();
    pty.wait_for_text("lifeboat status");
    assert_eq!(pty.wait_for_end().exit_code(), 2);
    assert!(!pty.raw_output().contains(&0x1b));
}

#[test]
fn a_stopped_engine_is_told_and_a_new_one_is_found() {
    let engine = Engine::start("healthy", "1");
    let mut pty = engine.open();
    let stopped = engine.command("stop").output().unwrap();
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    pty.wait_for_text("stopped it");
    pty.wait_for_text("start the engine again");
    pty.decide("\x1b");
    let mut next = start_engine(engine.folder.path(), "healthy", "1");
    pty.wait_until("it is attached again", |screen| screen.contains("SIGNALS") && !screen.contains("LOST"));
    let _ = next.kill();
    let _ = next.wait();
}

#[test]
fn an_engine_that_died_is_missed_and_found_again() {
    let mut engine = Engine::start("healthy", "1");
    let pty = engine.open();
    engine.process.kill().unwrap();
    engine.process.wait().unwrap();
    pty.wait_for_text("not there any more");
    let before = pty.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    assert!(pty.cpu_ticks() - before < 10, "looking for it costs {} ticks", pty.cpu_ticks() - before);
    engine.process = start_engine(engine.folder.path(), "healthy", "1");
    pty.wait_until("the dialog is gone", |screen| !screen.contains("not there any more"));
}

#[test]
fn a_plan_with_problems_opens_nothing_and_says_them() {
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, "[plan]\nnmae = \"x\"\n").unwrap();
    let mut pty = Program::new(LIFEBOAT)
        .arg("open")
        .arg(&plan)
        .arg("--state")
        .arg(folder.path().join("state"))
        .env("HOME", folder.path())
        .spawn();
    assert_eq!(pty.wait_for_end().exit_code(), 2);
    pty.wait_for_text("nmae");
}

#[test]
fn the_demo_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let mut pty = Program::new(LIFEBOAT)
        .arg("demo")
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .spawn();
    pty.wait_for_text("SIMULATED");
    pty.wait_for_text("SIGNALS");
    pty.press("q");
    assert_eq!(pty.wait_for_end().exit_code(), 0);
    pty.wait_for_text("The demo is over");
    wait_for(|| std::fs::read_dir(folder.path()).unwrap().next().is_none().then_some(()))
        .expect("an empty folder");
}

#[test]
fn at_60x16_and_80x23_a_failover_can_be_begun_by_the_keys_that_are_shown() {
    for (columns, rows) in [(60, 16), (80, 23), (120, 40)] {
        let engine = Engine::start("region-down", "5");
        let mut pty = engine.console().size(columns, rows).spawn();
        let screen = pty.wait_until("trouble, since when, and what next", |screen| {
            screen.contains("P0") && screen.contains("for ") && screen.contains("NEXT")
        });
        assert!(screen.contains("SIMULATED"), "{screen}");
        pty.decide("D");
        pty.wait_for_text("Declare an incident");
        pty.press("2");
        pty.wait_for_text("Title");
        pty.press("\r");
        pty.wait_for_text("Begin this drill?");
        pty.decide("y");
        pty.wait_for_text("Is the primary region completely down?");
        pty.decide("y");
        pty.wait_for_text("Can the standby region take over?");
    }
}

#[test]
fn a_confirmation_that_does_not_fit_is_refused_until_the_terminal_is_larger() {
    let engine = Engine::start("region-down", "1");
    let mut pty = engine.console().size(80, 24).spawn();
    declare_when_down(&mut pty);
    pty.decide("y");
    pty.wait_for_text("ANSWERED");
    pty.decide("y");
    pty.wait_for_text("Begin it?");
    pty.resize(40, 10);
    pty.wait_for_text("TOO SMALL");
    pty.decide("y");
    pty.wait_for_text("TOO SMALL");
    assert!(engine.status().1.contains("question"), "{}", engine.status().1);
    pty.resize(80, 24);
    pty.wait_for_text("Begin it?");
    pty.decide("y");
    engine.wait_for_step("run ");
}

fn declare_when_down(pty: &mut Pty) {
    pty.wait_for_text("P0");
    pty.decide("D");
    pty.wait_for_text("Declare an incident");
    pty.press("2");
    pty.wait_for_text("Title");
    pty.press("\r");
    pty.wait_for_text("Begin this drill?");
    pty.decide("y");
    pty.wait_for_text("Is the primary region completely down?");
}

#[test]
fn a_terminal_without_a_size_is_drawn_and_one_that_is_set_later_is_taken() {
    let engine = Engine::start("healthy", "1");
    let pty = engine.console().size(0, 0).spawn();
    pty.wait_for_text("SIGNALS");
    pty.resize(120, 40);
    pty.wait_for_text("overview] decide timeline");
    let pty = engine.console().env("COLUMNS", "120").env("LINES", "40").size(0, 0).spawn();
    pty.wait_for_text("overview] decide timeline");
}

#[test]
fn what_a_demo_keeps_is_read_by_the_other_commands_and_its_end_says_what_was_done() {
    let home = TempDir::new().unwrap();
    let kept = home.path().join("kept demo");
    let demo = || {
        Program::new(LIFEBOAT)
            .arg("demo")
            .arg("--scenario")
            .arg("region-down")
            .arg("--keep")
            .arg(&kept)
            .size(200, 50)
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
    };
    let mut pty = demo().spawn();
    pty.wait_for_text("SIGNALS");
    declare(&mut pty);
    pty.decide("q");
    pty.wait_for_text("End this simulation?");
    pty.decide("y");
    assert_eq!(pty.wait_for_end().exit_code(), 0);
    for told in
        ["The demo is over after", "darkness", "still open", "lifeboat postmortem", "lifeboat journal verify"]
    {
        pty.wait_for_text(told);
    }
    let read = |arguments: &[&str]| {
        let output = Command::new(LIFEBOAT)
            .args(arguments)
            .arg("--state")
            .arg(&kept)
            .env("HOME", home.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let plan = kept.join("plan");
    let (code, report) = read(&["postmortem", plan.to_str().unwrap()]);
    assert!(code == Some(0) && report.contains("darkness"), "{report}");
    let (code, verified) = read(&["journal", "verify"]);
    assert_eq!(code, Some(0), "{verified}");
    let (code, status) = read(&["status", "--json", plan.to_str().unwrap()]);
    assert!(code == Some(3) && status.contains("no-engine"), "{status}");
    let mut again = demo().spawn();
    assert_eq!(again.wait_for_end().exit_code(), 1);
    again.wait_for_text("is not empty");
}
