//! A journal that is torn, taken away, or has no room.

use crate::rig::{Hands, Home};
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::core::words::status::StepStatus;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::io::Write;

fn note(text: &str) -> Ask {
    Ask::Note { text: text.into() }
}

fn notes(home: &Home) -> Vec<String> {
    let notes = home.facts().into_iter().filter_map(|fact| match fact {
        Fact::NoteAdded { text } => Some(text),
        _ => None,
    });
    notes.collect()
}

#[test]
fn a_half_written_last_line_is_kept_aside_and_the_timeline_says_so() {
    let home = Home::new();
    let first = home.engine();
    Hands::attach(&home).ask(note("acknowledged")).unwrap();
    home.kill_engine();
    drop(first);
    let segment = home.journal().join("000001.jsonl");
    std::fs::OpenOptions::new().append(true).open(&segment).unwrap().write_all(b"{\"seq\":99,\"tim").unwrap();

    let mut console = home.open(120, 40);
    console.wait_for_text("No database takes writes");
    console.press("3");
    let screen = console.wait_for_text("14 bytes of an unfinished record");
    assert!(screen.contains("acknowledged"), "{screen}");
    let torn = std::fs::read_dir(home.journal()).unwrap().map(|entry| entry.unwrap().path());
    let torn: Vec<_> = torn.filter(|path| path.to_string_lossy().contains("torn-")).collect();
    assert_eq!(std::fs::read(&torn[0]).unwrap(), b"{\"seq\":99,\"tim");
    assert_eq!(notes(&home), ["acknowledged"]);
    home.assert_journal_good();
}

#[test]
fn a_journal_that_is_taken_away_stops_everything_until_it_is_back() {
    let home = Home::new();
    let console = home.open(80, 24);
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.ask(note("before")).unwrap();
    let aside = home.path().join("aside");
    std::fs::rename(home.journal(), &aside).unwrap();

    let refused = hands.ask(note("nowhere")).unwrap_err();
    assert!(refused.why.contains("is gone"), "{refused:?}");
    let (run, step) = (hands.run_id(), "work".into());
    hands.ask(Ask::Prepare { run, step }).unwrap_err();
    let screen = console.wait_for_text("JOURNAL FAILED, nothing runs");
    assert!(screen.contains("is gone"), "{screen}");
    assert!(home.status().contains("CANNOT BE WRITTEN"));
    // Several tries to mend it have passed by now, and none began another journal in its place.
    hands.wait("two more looks", |model| model.live.recent.values().any(|recent| recent.values.len() > 4));
    assert!(!home.journal().exists());

    std::fs::rename(&aside, home.journal()).unwrap();
    hands.wait("the journal is back", |model| model.live.journal_failure.is_none());
    console.wait_until("that it is well", |screen| !screen.contains("JOURNAL FAILED"));
    hands.ask(note("after")).unwrap();
    assert_eq!(notes(&home), ["before", "after"]);
    home.assert_journal_good();
}

#[test]
fn a_step_that_ends_while_the_journal_is_away_is_recorded_later_and_the_run_goes_on() {
    let home = Home::new();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("work");
    hands.wait_step("work", StepStatus::Started);
    let aside = home.path().join("aside");
    std::fs::rename(home.journal(), &aside).unwrap();
    std::fs::write(home.path().join("go"), "").unwrap();
    hands.wait_step("work", StepStatus::Verified);
    hands.wait("the failure shows", |model| model.live.journal_failure.is_some());
    // The next step would run by itself; it waits for the journal.
    assert_eq!(hands.step("done").status, StepStatus::Ready);

    std::fs::rename(&aside, home.journal()).unwrap();
    hands.wait_step("done", StepStatus::Verified);
    let facts = home.facts();
    let place = |wanted: fn(&Fact) -> bool| facts.iter().position(wanted).unwrap();
    let finished = place(|fact| matches!(fact, Fact::StepFinished { step, .. } if step.as_str() == "work"));
    let verified = place(|fact| matches!(fact, Fact::StepVerified { step, .. } if step.as_str() == "work"));
    let next = place(|fact| matches!(fact, Fact::StepStarted { step, .. } if step.as_str() == "done"));
    assert!(finished < verified && verified < next);
    home.assert_journal_good();
}

#[test]
fn a_full_disk_stops_everything_lets_no_second_engine_in_and_heals() {
    let home = Home::new();
    // Files may not grow beyond 8 blocks of 512 bytes, which POSIX gives `ulimit -f`; dash has the same.
    let engine = home.engine_after("trap '' XFSZ; ulimit -S -f 8");
    home.wait_pid();
    let console = home.open(80, 24);
    let mut hands = Hands::attach(&home);
    let mut written = Vec::new();
    let refused = loop {
        let text = format!("note {}", written.len());
        match hands.ask(note(&text)) {
            Ok(()) => written.push(text),
            Err(refused) => break refused,
        }
    };
    assert!(
        refused.why.contains("cannot grow") && refused.next.contains("tries again by itself"),
        "{refused:?}"
    );
    let screen = console.wait_for_text("JOURNAL FAILED, nothing runs");
    assert!(screen.contains("cannot grow"), "{screen}");
    // Several tries to mend it in vain have passed, and it is still this engine's.
    let looks = |model: &Model| model.live.recent["reference"].values.len();
    let before = looks(&hands.model);
    hands.wait("more looks", |model| looks(model) > before + 3);
    assert!(hands.model.live.journal_failure.is_some(), "to open it again proves nothing, a record does");
    let second = home.run("engine", &["--no-append-only"]);
    assert_eq!(second.status.code(), Some(4), "{}", String::from_utf8_lossy(&second.stderr));

    let pid = Pid::from_raw(i32::try_from(engine.0.id()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    hands.wait("there is room", |model| model.live.journal_failure.is_none());
    hands.ask(note("room again")).unwrap();
    written.push("room again".into());
    assert_eq!(notes(&home), written, "nothing acknowledged is lost, nothing refused is recorded");
    home.assert_journal_good();
}

#[test]
fn a_nearly_full_disk_is_failed_until_there_is_room_for_more_than_a_short_record() {
    let home = Home::new();
    let engine = home.engine_after("trap '' XFSZ");
    let mut hands = Hands::attach(&home);
    hands.ask(note("before")).unwrap();
    let pid = Pid::from_raw(i32::try_from(engine.0.id()).unwrap());
    let limit = |bytes| prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    let length = std::fs::metadata(home.journal().join("000001.jsonl")).unwrap().len();
    limit(Some(length + 3_000));
    hands.ask(note(&"x".repeat(3_900))).unwrap_err();
    // Short records would fit. None may be written before what waits, and none makes it good again.
    let looks = |model: &Model| model.live.recent["reference"].values.len();
    for _ in 0..5 {
        hands.ask(note("short")).unwrap_err();
        let before = looks(&hands.model);
        hands.wait("another look", |model| looks(model) > before);
        assert!(hands.model.live.journal_failure.is_some(), "it stays failed");
    }
    limit(None);
    hands.wait("there is room", |model| model.live.journal_failure.is_none());
    hands.ask(note("after")).unwrap();
    assert_eq!(notes(&home), ["before", "after"]);
    let resumed =
        home.facts().iter().filter(|fact| matches!(fact, Fact::JournalChanged { failure: None, .. })).count();
    assert_eq!(resumed, 1);
    home.assert_journal_good();
}

#[test]
fn a_step_that_ran_at_a_crash_is_unknown_also_while_nothing_can_be_written_and_goes_on_once_it_can() {
    let home = Home::new();
    let first = home.engine();
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    hands.fire("work");
    hands.wait_step("work", StepStatus::Started);
    home.kill_engine();
    drop(first);

    // Its files may grow no further than one block, which the journal has passed.
    let engine = home.engine_after("trap '' XFSZ; ulimit -S -f 1");
    let mut hands = Hands::attach(&home);
    hands.wait("the failure shows", |model| model.live.journal_failure.is_some());
    assert_eq!(hands.step("work").status, StepStatus::Unknown, "nobody runs it");
    let (run, step) = (hands.run_id(), "work".into());
    let refused = hands.ask(Ask::Retry { run, step, reason: Some("again".into()) }).unwrap_err();
    assert!(refused.why.contains("cannot grow") && refused.next.contains("tries again"), "{refused:?}");
    let starts = || home.facts().iter().filter(|fact| matches!(fact, Fact::EngineStarted { .. })).count();
    assert_eq!(starts(), 1, "the second start could not be recorded");

    let pid = Pid::from_raw(i32::try_from(engine.0.id()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    hands.wait("there is room", |model| model.live.journal_failure.is_none());
    assert_eq!(starts(), 2, "and is, before anything else, as soon as it can be");
    let (run, step) = (hands.run_id(), "work".into());
    hands.ask(Ask::Attest { run, step, how: "looked at it".into() }).unwrap();
    hands.wait_step("work", StepStatus::Attested);
    home.assert_journal_good();
    let work = |hands: &Hands| hands.model.durable.incident.as_ref().unwrap().runs[0].steps["work"].clone();
    home.kill_engine();
    drop(engine);
    let _third = home.engine();
    assert_eq!(work(&Hands::attach(&home)), work(&hands), "the journal tells the same");
}

#[test]
fn a_state_folder_that_cannot_be_made_is_named_with_a_way_out() {
    let home = Home::new().state("/proc/lifeboat".into());
    let mut console = home.open(80, 24);
    let screen = console.wait_for_text("--state");
    assert!(screen.contains("/proc/lifeboat"), "{screen}");
    assert_eq!(console.wait_for_end().exit_code(), 1);
    let engine = home.run("engine", &[]);
    let said = String::from_utf8(engine.stderr).unwrap();
    assert!(said.contains("/proc/lifeboat") && said.contains("--state"), "{said}");
}

#[test]
fn a_file_size_limit_does_not_kill_the_engine_and_is_said_before_and_when_it_bites() {
    let home = Home::new();
    let engine = home.engine_after("ulimit -S -f 16");
    let mut hands = Hands::attach(&home);
    let status = home.wait_status("DISK FULL");
    assert!(status.contains("bytes can still be written to"), "{status}");
    assert_eq!(home.run("status", &[]).status.code(), Some(1));
    let console = home.open(80, 24);
    console.wait_for_text("DISK FULL");
    for _ in 0..20 {
        if hands.ask(note(&"x".repeat(1_000))).is_err() {
            break;
        }
    }
    hands.wait("the failure shows", |model| model.live.journal_failure.is_some());
    console.wait_for_text("JOURNAL FAILED, nothing runs");
    let pid = Pid::from_raw(i32::try_from(engine.0.id()).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    hands.wait("there is room", |model| model.live.journal_failure.is_none());
    hands.wait("that is said", |model| model.live.journal_short.is_none());
    home.assert_journal_good();
}

#[test]
fn a_second_engine_is_told_that_the_journal_is_held_also_where_no_process_id_could_be_written() {
    let home = Home::new();
    let _engine = home.engine();
    home.wait_pid();
    std::fs::OpenOptions::new().write(true).open(home.journal().join("lock")).unwrap().set_len(0).unwrap();
    let second = home.run("engine", &["--no-append-only"]);
    let text = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(4), "{text}");
    assert!(!text.contains("moved or removed") && !text.contains("stop --force"), "{text}");
}
