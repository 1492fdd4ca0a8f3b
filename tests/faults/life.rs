//! What must not end an engine, or make it look alive when it is not: its log, its disk, its socket, its limits.

use crate::pty::wait_for;
use crate::rig::{Engine, Hands, Home, kill};
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use rustix::process::Signal;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Within this time a console has to say that its engine hangs.
const SECONDS: Duration = Duration::from_secs(5);

fn note(text: &str) -> Ask {
    Ask::Note { text: text.into() }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_console_takes_back_what_it_shows_within_seconds_when_its_engine_hangs() {
    let home = Home::new();
    let console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.wait_for_text("✓");
    let pid = home.wait_pid();
    kill(pid, Signal::STOP);
    let stopped = Instant::now();
    let screen = console.wait_until("that it is silent, and nothing that is well", |screen| {
        screen.contains("ENGINE SILENT") && !screen.contains('✓')
    });
    assert!(stopped.elapsed() < SECONDS, "{:?}", stopped.elapsed());
    assert!(screen.contains(&format!("process {pid}")) && screen.contains("nobody is paged"), "{screen}");
    kill(pid, Signal::CONT);
    console.wait_until("it is live again", |screen| !screen.contains("SILENT") && screen.contains('✓'));
}

#[test]
fn a_key_that_asks_a_silent_engine_says_that_it_does_not_answer() {
    let home = Home::new();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    let pid = home.wait_pid();
    kill(pid, Signal::STOP);
    console.wait_for_text("ENGINE SILENT");
    console.press("N");
    console.wait_for_text("Note");
    console.press("are you there");
    console.wait_for_text("are you there");
    console.wait_for_text("nothing can be confirmed or sent until it answers");
    console.press("\r");
    console.decide("y");
    console.wait_for_text("the engine does not answer. Nothing was sent.");
    kill(pid, Signal::CONT);
    console.wait_until("it is live again", |screen| !screen.contains("SILENT"));
    // The text is kept, and asked about anew.
    console.decide("\r");
    console.wait_for_text("Write this note?");
    console.decide("y");
    let mut hands = Hands::attach(&home);
    hands.wait("the note", |model| {
        model.durable.timeline.iter().any(|event| {
        matches!(&event.fact, lifeboat::core::words::fact::Fact::NoteAdded { text } if text == "are you there")
    })
    });
}

#[test]
fn who_comes_to_an_engine_that_hangs_is_told_which_process() {
    let home = Home::new();
    let engine = home.engine();
    let pid = home.wait_pid();
    kill(pid, Signal::STOP);
    let console = home.open(80, 24);
    let screen = console.wait_for_text("is there and does not");
    assert!(screen.contains(&format!("process {pid}")), "{screen}");
    let status = home.run("status", &[]);
    assert_eq!(status.status.code(), Some(3));
    assert!(
        said(&status).contains(&format!("(process {pid}) is there and does not answer")),
        "{}",
        said(&status)
    );
    kill(pid, Signal::CONT);
    drop(engine);
}

#[test]
fn an_engine_whose_log_goes_to_a_closed_pipe_lives_and_goes_on() {
    let home = Home::new();
    let mut command = home.shell(r#"LIFEBOAT_LOG=trace exec "$0" engine "$1" --state "$2" --no-append-only"#);
    let mut engine = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(engine.stderr.take());
    let mut engine = Engine(engine);
    let mut hands = Hands::attach(&home);
    let aside = home.path().join("aside");
    std::fs::rename(home.journal(), &aside).unwrap();
    hands.wait("it says that the journal is gone", |model| model.live.journal_failure.is_some());
    std::fs::rename(&aside, home.journal()).unwrap();
    hands.wait("the journal is back", |model| model.live.journal_failure.is_none());
    hands.ask(note("still here")).unwrap();
    assert!(engine.0.try_wait().unwrap().is_none(), "it runs");
    home.assert_journal_good();
}

/// A file system of its own for the state, which only the engine sees, with its log on it as `open` has it.
fn engine_on_a_small_disk(home: &Home) -> (Engine, i32) {
    std::fs::create_dir(&home.state).unwrap();
    let script = r#"mount -t tmpfs -o size=256k,mode=700 tmpfs "$2" &&
        LIFEBOAT_LOG=debug exec "$0" engine "$1" --state "$2" --no-append-only >>"$2/engine.log" 2>&1"#;
    let mut command = Command::new("unshare");
    let inner = home.shell(script);
    command.arg("-m").arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let engine = Engine(command.stdin(Stdio::null()).spawn().unwrap());
    let pid = i32::try_from(engine.0.id()).unwrap();
    (engine, pid)
}

#[test]
fn a_disk_that_is_full_for_the_log_too_ends_neither_the_engine_nor_its_step() {
    let home = Home::new();
    let (mut engine, pid) = engine_on_a_small_disk(&home);
    let state = std::path::PathBuf::from(format!("/proc/{pid}/root{}", home.state.display()));
    let socket = state.join("engine.sock");
    wait_for(|| std::os::unix::net::UnixStream::connect(&socket).is_ok().then_some(()))
        .expect("an engine on a file system of its own; this needs root");
    let mut hands = Hands::attach_to(&socket);
    hands.begin_run();
    hands.fire("work");
    hands.wait_step("work", lifeboat::core::words::status::StepStatus::Started);
    let looks = |model: &Model| model.live.recent["reference"].values.len();
    // A short record may still fit where a long one does not, so that the journal goes on for a while.
    let full = (0..20).any(|round| {
        let text = if round == 0 { "x".repeat(3_900) } else { "x".into() };
        while hands.ask(note(&text)).is_ok() {}
        let _ = std::fs::write(state.join("filler"), vec![0; 1 << 20]);
        let before = looks(&hands.model);
        hands.wait("it goes on looking", |model| looks(model) > before + 3);
        hands.model.live.journal_failure.is_some()
    });
    assert!(full, "the disk is never full");
    assert!(engine.0.try_wait().unwrap().is_none(), "it runs");

    std::fs::write(home.path().join("go"), "").unwrap();
    hands.wait_step("work", lifeboat::core::words::status::StepStatus::Verified);
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["-m", "-t", &pid.to_string(), "mount", "-o", "remount,size=8m"]).arg(&home.state);
    let remounted = nsenter.status().unwrap();
    assert!(remounted.success());
    hands.wait("there is room", |model| model.live.journal_failure.is_none());
    hands.wait_step("done", lifeboat::core::words::status::StepStatus::Verified);
}

#[test]
fn a_socket_that_was_removed_comes_again_and_nobody_who_is_attached_notices() {
    let home = Home::new();
    let _engine = home.engine();
    let pid = home.wait_pid();
    let mut hands = Hands::attach(&home);
    std::fs::remove_file(home.state.join("engine.sock")).unwrap();
    let removed = Instant::now();
    let status = home.run("status", &[]);
    if status.status.code() == Some(3) {
        assert!(said(&status).contains(&format!("process {pid} holds the journal")), "{}", said(&status));
    }
    assert_eq!(home.wait_pid(), pid);
    assert!(removed.elapsed() < SECONDS, "{:?}", removed.elapsed());
    hands.ask(note("on the old connection")).unwrap();
    Hands::attach(&home).ask(note("on a new one")).unwrap();
}

/// The failure that a client of an engine sees.
fn failure(hands: &mut Hands) -> String {
    hands.wait("the journal cannot be written", |model| model.live.journal_failure.is_some());
    hands.model.live.journal_failure.clone().unwrap()
}

#[test]
fn an_engine_whose_folder_was_moved_away_says_where_it_is_and_leaves_its_successor_alone() {
    let home = Home::new();
    let mut orphan = home.engine();
    let mut hands = Hands::attach(&home);
    let aside = home.path().join("aside");
    std::fs::rename(&home.state, &aside).unwrap();
    let moved = Instant::now();
    let why = failure(&mut hands);
    assert!(moved.elapsed() < SECONDS, "{:?}", moved.elapsed());
    assert!(why.contains(aside.join("journal").to_str().unwrap()), "{why}");
    hands.ask(note("nowhere")).unwrap_err();

    // Whoever asks at the old place learns where it is, also from `stop`, which ends nothing.
    for (subcommand, code) in [("status", 3), ("ack", 1), ("stop", 1)] {
        let asked = home.run(subcommand, &[]);
        let said = said(&asked);
        assert_eq!(asked.status.code(), Some(code), "{subcommand}: {said}");
        let told = format!("was moved to {}, and its engine (process {})", aside.display(), orphan.0.id());
        assert!(said.contains(&told) && said.contains("Move it back"), "{subcommand}: {said}");
    }

    // Whoever takes its place is disturbed by nothing, neither while it lives nor once it has gone.
    for _ in 0..2 {
        let mut successor = home.engine();
        assert_eq!(home.wait_pid(), i32::try_from(successor.0.id()).unwrap());
        let mut others = Hands::attach(&home);
        let looks = |model: &Model| model.live.recent["reference"].values.len();
        let before = looks(&hands.model);
        hands.wait("more looks", |model| looks(model) > before + 4);
        others.ask(note("the successor's")).unwrap();
        assert_eq!(home.pid(), Some(i32::try_from(successor.0.id()).unwrap()));
        let stopped = home.run("stop", &[]);
        assert!(stopped.status.success(), "{}", said(&stopped));
        assert!(wait_for(|| successor.0.try_wait().unwrap()).unwrap().success());
        let before = looks(&hands.model);
        hands.wait("more looks", |model| looks(model) > before + 4);
        assert!(!home.state.join("engine.sock").exists(), "the orphan serves nothing there");
        assert!(hands.model.live.journal_failure.is_some());
    }
    home.assert_journal_good();

    let aside = aside.to_str().unwrap();
    let plan = home.plan();
    let status = home.run_bare(&["status", plan.to_str().unwrap(), "--state", aside]);
    assert!(said(&status).contains("CANNOT BE WRITTEN"), "{}", said(&status));
    let stopped = home.run_bare(&["stop", plan.to_str().unwrap(), "--state", aside]);
    assert!(stopped.status.success(), "{}", said(&stopped));
    assert!(wait_for(|| orphan.0.try_wait().unwrap()).unwrap().success());
}

#[test]
fn an_engine_whose_folder_comes_back_goes_on() {
    let home = Home::new();
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.ask(note("before")).unwrap();
    let aside = home.path().join("aside");
    std::fs::rename(&home.state, &aside).unwrap();
    failure(&mut hands);
    std::fs::rename(&aside, &home.state).unwrap();
    hands.wait("it is back", |model| model.live.journal_failure.is_none());
    hands.ask(note("after")).unwrap();
    assert_eq!(home.wait_pid(), i32::try_from(engine.0.id()).unwrap());
    home.assert_journal_good();
}

#[test]
fn no_second_engine_begins_beside_one_whose_folder_or_lock_was_removed() {
    let home = Home::new();
    let _engine = home.engine();
    let pid = home.wait_pid();
    let mut hands = Hands::attach(&home);
    std::fs::remove_file(home.journal().join("lock")).unwrap();
    let second = home.run("engine", &["--no-append-only"]);
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    hands.wait("it took its lock again", |model| {
        model.live.journal_failure.is_none() && home.journal().join("lock").exists()
    });

    std::fs::remove_dir_all(&home.state).unwrap();
    failure(&mut hands);
    home.wait_status("CANNOT BE WRITTEN");
    let second = home.run("engine", &["--no-append-only"]);
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    assert!(said(&second).contains(&format!("(process {pid}) answers on the socket")), "{}", said(&second));
    assert!(!home.journal().exists(), "nothing was begun");
}

#[test]
fn a_socket_that_somebody_replaced_is_put_back() {
    let home = Home::new();
    let _engine = home.engine();
    let pid = home.wait_pid();
    let socket = home.state.join("engine.sock");
    std::fs::remove_file(&socket).unwrap();
    let _false = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let put_back = wait_for(|| home.pid());
    assert_eq!(put_back, Some(pid));
}

#[test]
fn a_stop_finds_an_engine_without_a_socket() {
    let home = Home::new();
    let mut engine = home.engine();
    home.wait_pid();
    std::fs::remove_file(home.state.join("engine.sock")).unwrap();
    let stopped = home.run("stop", &[]);
    assert!(stopped.status.success(), "{}", said(&stopped));
    assert!(said(&stopped).contains("has ended"), "{}", said(&stopped));
    assert!(wait_for(|| engine.0.try_wait().unwrap()).unwrap().success());
}

#[test]
fn an_engine_that_cannot_be_reached_is_named_and_ended_by_a_signal_when_that_is_asked_for() {
    let home = Home::new();
    let mut engine = home.engine();
    let pid = home.wait_pid();
    kill(pid, Signal::STOP);
    std::fs::remove_file(home.state.join("engine.sock")).unwrap();
    for subcommand in ["status", "ack", "stop"] {
        let told = home.run(subcommand, &[]);
        assert!(!told.status.success(), "{subcommand}");
        let words = said(&told);
        assert!(
            words.contains(&format!("process {pid} holds the journal"))
                && words.contains("lifeboat stop --force"),
            "{subcommand}: {words}"
        );
    }
    // It hears the signal once it goes on.
    let woken = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(8));
        kill(pid, Signal::CONT);
    });
    let stopped = home.run("stop", &["--force"]);
    woken.join().unwrap();
    assert!(stopped.status.success(), "{}", said(&stopped));
    assert!(wait_for(|| engine.0.try_wait().unwrap()).is_some());
}

#[test]
fn too_few_open_files_are_a_message_before_anything_began() {
    let home = Home::new();
    for limit in ["6", "12"] {
        let script = format!(r#"ulimit -n {limit}; exec timeout 20 "$0" engine "$1" --state "$2""#);
        let output = home.shell(&script).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("ulimit -n") && !said.contains("panicked"), "{said}");
        assert!(!home.journal().exists());
    }
    let status =
        home.shell(r#"ulimit -n 6; exec timeout 20 "$0" status "$1" --state "$2""#).output().unwrap();
    assert!(said(&status).contains("ulimit -n") && !said(&status).contains("panicked"), "{}", said(&status));
}

#[test]
fn an_engine_that_has_open_files_for_a_few_things_only_says_that_the_fault_is_its_own() {
    let plan = include_str!("plan.toml").replace("[probes.db]", "[probes.many]\nkind = \"tcp\"\naddress = \"@reference\"\nevery = \"1s\"\ntimeout = \"900ms\"\n\n[probes.db]");
    let home = Home::with(&plan);
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    let pid = rustix::process::Pid::from_raw(i32::try_from(engine.0.id()).unwrap());
    hands.wait("it sees", |model| {
        model.state(&"many".into()) == lifeboat::core::words::signal::SignalState::Ok
    });
    // Not one file more than it has.
    let open = std::fs::read_dir(format!("/proc/{}/fd", engine.0.id())).unwrap().count() as u64;
    let maximum = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let few = rustix::process::Rlimit { current: Some(open.min(8)), maximum };
    rustix::process::prlimit(pid, rustix::process::Resource::Nofile, few).unwrap();
    hands.wait("it is unknown", |model| {
        model.state(&"many".into()) != lifeboat::core::words::signal::SignalState::Ok
    });
    assert_eq!(hands.model.state(&"many".into()), lifeboat::core::words::signal::SignalState::Unknown);
    assert!(
        hands.model.why(&"many".into()).contains("Too many open files"),
        "{}",
        hands.model.why(&"many".into())
    );
}

#[test]
fn signals_that_mean_nothing_to_an_engine_do_not_end_it_and_the_quit_key_ends_it_in_good_order() {
    let home = Home::new();
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    let pid = i32::try_from(engine.0.id()).unwrap();
    for signal in [Signal::USR1, Signal::USR2, Signal::ALARM, Signal::HUP] {
        kill(pid, signal);
        hands.ask(note(&format!("after {signal:?}"))).unwrap();
    }
    kill(pid, Signal::QUIT);
    let end = wait_for(|| home.facts().into_iter().find(|fact| matches!(fact, Fact::EngineStopped { .. })));
    assert!(end.is_some(), "it says that it ends: {:?}", home.facts().last());
    home.assert_journal_good();
}
