//! Plans that are bad, huge, or become others while their engine is away.

use crate::pty::Program;
use crate::rig::{Hands, Home};
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::incident::RunEnd;
use lifeboat::core::words::status::StepStatus;
use std::time::{Duration, Instant};

const PLAN: &str = include_str!("plan.toml");

#[test]
fn a_bad_plan_is_told_instead_of_a_console_and_the_terminal_is_left_well() {
    let huge = "#".repeat(100_000_000);
    for (text, expected) in [
        ("[plan\nname = 3".to_owned(), "error[syntax]"),
        (PLAN.replace("tier = 1", "tier = \"one\""), "error[wrong-type]"),
        (PLAN.replace("answers.no = \"watch\"", "answers.no = \"down\""), "error[cycle]"),
        (huge, "was not read"),
    ] {
        let home = Home::with(&text);
        let mut console = home.open(80, 24);
        assert_eq!(console.wait_for_end().exit_code(), 2);
        let screen = console.wait_until(expected, |screen| screen.replace('\n', "").contains(expected));
        assert!(screen.replace('\n', "").contains("lifeboat check"), "{screen}");
        assert!(!console.with_screen(|screen| screen.alternate_screen() || screen.hide_cursor()));
    }
}

/// Every command that reads a plan, but `check`; `@plan` is where it is.
const READERS: [&str; 9] = [
    "preflight @plan",
    "engine @plan --no-append-only --state @plan.state",
    "postmortem @plan --state @plan.state",
    "brief @plan --state @plan.state",
    "plan show @plan",
    "notify tree @plan --state @plan.state",
    "notify check @plan",
    "notify test @plan --yes",
    "secret list --plan @plan",
];

/// Every command that only asks the engine of a plan.
const ASKERS: [&str; 6] = [
    "status @plan",
    "status --json @plan",
    "ack @plan",
    "serves @plan",
    "stop @plan",
    "journal verify --plan @plan",
];

fn code(home: &Home, line: &str, plan: &str) -> (Option<i32>, String) {
    let words: Vec<String> = line.split(' ').map(|word| word.replace("@plan", plan)).collect();
    let output = home.run_bare(&words.iter().map(String::as_str).collect::<Vec<_>>());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// In a terminal: without one these two end before they look at the plan.
fn code_of_a_console(home: &Home, command: &str, plan: &str) -> u32 {
    let program = Program::new(crate::rig::LIFEBOAT).arg(command).arg(plan).env("HOME", home.path());
    let program = match command {
        "open" => program.arg("--no-append-only").arg("--state").arg(format!("{plan}.state")),
        _ => program.arg("--scenario").arg("region-down"),
    };
    program.spawn().wait_for_end().exit_code()
}

#[test]
fn a_plan_that_is_not_there_or_cannot_be_used_is_wrong_usage_for_every_command() {
    let home = Home::new();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (missing, empty, foreign, bad) =
        (path("nowhere"), path("empty"), path("foreign.toml"), path("bad.toml"));
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(&foreign, b"\xff\xfe[plan]").unwrap();
    std::fs::write(&bad, "[plan]\nname = 3\n").unwrap();
    for plan in [&missing, &empty, &foreign, &bad] {
        for line in READERS {
            let (code, error) = code(&home, line, plan);
            assert_eq!(code, Some(2), "{line} of {plan}: {error}");
            assert!(!error.is_empty(), "{line} of {plan}");
        }
        for command in ["open", "rehearse"] {
            assert_eq!(code_of_a_console(&home, command, plan), 2, "{command} of {plan}");
        }
        let expected = if plan == &bad { 1 } else { 2 };
        assert_eq!(code(&home, "check @plan", plan).0, Some(expected), "check of {plan}");
    }
    for line in ASKERS {
        let (code, error) = code(&home, line, &missing);
        assert_eq!(code, Some(2), "{line}: {error}");
        assert!(error.contains(&format!("there is no plan {missing}")), "{line}: {error}");
    }
    assert_eq!(code(&home, "check @plan /dev/null/x", &bad).0, Some(2), "one of them cannot be read");
}

/// An incident with a step that is being executed when its engine is killed.
fn interrupted() -> Home {
    let home = Home::new();
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("work");
    hands.wait_step("work", StepStatus::Started);
    home.kill_engine();
    drop(engine);
    home
}

fn completed(home: &Home) -> bool {
    home.facts().iter().any(|fact| matches!(fact, Fact::RunEnded { end: RunEnd::Completed, .. }))
}

#[test]
fn a_step_that_was_taken_out_of_the_plan_is_not_forgotten() {
    let home = interrupted();
    home.write_plan(&PLAN.replace("id = \"work\"", "id = \"other-work\""));
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("2");
    let screen = console.wait_for_text("it has no step work any more");
    assert!(screen.contains("unknown") && screen.contains("A aborts the run"), "{screen}");
    let mut hands = Hands::attach(&home);
    assert_eq!(hands.step("work").status, StepStatus::Unknown);
    let run = hands.run_id();
    let refused =
        hands.ask(lifeboat::core::words::command::Ask::Recheck { run, step: "work".into() }).unwrap_err();
    assert!(refused.why.contains("has no step work"), "{refused:?}");
    hands.ask(lifeboat::core::words::command::Ask::Abort { reason: "the plan changed".into() }).unwrap();
    console.wait_for_text("ABORTED");
    assert!(!completed(&home));
    home.assert_journal_good();
}

#[test]
fn a_run_whose_runbook_was_taken_out_is_not_called_complete() {
    let home = interrupted();
    home.write_plan(&PLAN.replace("runbooks.mend", "runbooks.repair").replace("\"mend\"", "\"repair\""));
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("2");
    console.wait_for_text("it has no runbook mend any more");
    assert!(!completed(&home));
    let mut hands = Hands::attach(&home);
    hands.ask(lifeboat::core::words::command::Ask::Abort { reason: "the plan changed".into() }).unwrap();
    console.wait_until("the end of the run", |screen| screen.contains("aborted"));
}

#[test]
fn a_question_that_was_taken_out_leaves_a_way_on() {
    let second = "[tree.sure]\nask = \"Are you sure?\"\nevidence = [\"db\"]\nanswers.yes = \"mend\"\nanswers.no = \"watch\"";
    let plan = format!("{}\n{second}\n", PLAN.replace("answers.yes = \"mend\"", "answers.yes = \"sure\""));
    let home = Home::with(&plan);
    let engine = home.engine();
    Hands::attach(&home).declare_and_answer();
    home.kill_engine();
    drop(engine);
    home.write_plan(PLAN);
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("2");
    console.wait_for_text("it has no question sure any more");
    console.decide(":");
    console.wait_for_text("Commands");
    console.press("revisit");
    console.wait_for_text("revisit down");
    console.press("\r");
    console.wait_for_text("Go back to this question?");
    console.decide("y");
    console.wait_for_text("SUGGESTED \"yes\"");
}

#[test]
fn five_thousand_probes_start_and_leave_the_keys_alive() {
    let probe = |n: usize| {
        format!(
            "[probes.p{n}]\nkind = \"tcp\"\naddress = \"@reference\"\nevery = \"60s\"\ntimeout = \"5s\"\n"
        )
    };
    let many: String = (0..5_000).map(probe).collect();
    let home = Home::with(&format!("{PLAN}\n{many}"));
    let begun = Instant::now();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let pid = home.wait_pid();
    for _ in 0..5 {
        let pressed = Instant::now();
        console.press("?");
        console.wait_for_text("esc");
        console.press("\x1b");
        // The signals may be seen beside the help: a key that came before it closes would be one with ESC.
        console
            .wait_until("the help is closed", |screen| screen.contains("SIGNALS") && !screen.contains("esc"));
        assert!(pressed.elapsed() < Duration::from_secs(2), "{:?}", pressed.elapsed());
    }
    let peak = crate::servers::peak_kib(pid);
    assert!(peak < 250_000, "the engine took {peak} KiB");
}
