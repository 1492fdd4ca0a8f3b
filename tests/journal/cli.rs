//! `lifeboat journal` on the command line.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use clap::Parser;
use lifeboat::cli::commands::journal::{JournalArgs, run};
use lifeboat::journal::{Entry, Head, Journal, Record, spoken};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{entry, journal_of, options, segment};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    journal: JournalArgs,
}

fn call(dir: &Path, arguments: &[&str], out: &mut dyn Write) -> Result<ExitCode, String> {
    let line = ["journal"].iter().chain(arguments).copied().chain(["--journal", dir.to_str().unwrap()]);
    let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
    run(&cli.journal, |_| Err("no folder was given".into()), out).map_err(|error| error.to_string())
}

/// Runs `lifeboat journal` and returns what it ended with and what it printed.
fn output(dir: &Path, arguments: &[&str]) -> (ExitCode, String) {
    let mut out = Vec::new();
    let code = call(dir, arguments, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[test]
fn verify_tells_good_bad_and_unreadable_apart() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let head = journal_of(dir, &["one", "two", "three"]).head().to_string();
    let (code, text) = output(dir, &["verify"]);
    assert!(code == ExitCode::SUCCESS && text.contains("GOOD: 3 records") && text.contains(&head), "{text}");
    assert_eq!(output(dir, &["verify", "--head", &head]).0, ExitCode::SUCCESS);

    fs::write(segment(dir, 2), "").unwrap();
    assert_eq!(output(dir, &["verify"]).0, ExitCode::SUCCESS);
    let (code, text) = output(dir, &["verify", "--head", &head]);
    assert!(code == ExitCode::from(1) && text.contains("tail was cut off"), "{text}");

    let mut bytes = fs::read(segment(dir, 1)).unwrap();
    bytes[30] ^= 1;
    fs::write(segment(dir, 1), bytes).unwrap();
    let (code, text) = output(dir, &["verify"]);
    assert!(
        code == ExitCode::from(1) && text.contains("000001.jsonl line 1 (where seq 1 belongs)"),
        "{text}"
    );
    let (code, text) = output(dir, &["verify", "--json"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert!(code == ExitCode::from(1) && found["records"] == 0 && found["bad"]["line"] == 1, "{text}");
    assert_eq!(output(dir, &["show"]).0, ExitCode::from(1), "other commands do not hide a bad record");

    let error = call(&dir.join("nowhere"), &["verify"], &mut Vec::new()).unwrap_err();
    assert!(error.contains("Check the path"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = call(empty.path(), &["verify"], &mut Vec::new()).unwrap_err();
    assert!(error.contains("there is no journal in"), "{error}");
    assert!(call(dir, &["verify", "--head", "3:xyz"], &mut Vec::new()).unwrap_err().contains("SEQ:CHECKSUM"));
}

#[test]
fn a_head_is_taken_as_a_message_carries_it_and_what_that_leaves_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let journal = journal_of(dir, &["one", "two", "three"]);
    let head = Head { seq: journal.head().seq, checksum: journal.head().checksum.clone() };
    let spoken = spoken::words(Some(&head));
    for written in [spoken.clone(), spoken[1..].to_uppercase()] {
        let (code, text) = output(dir, &["verify", "--head", &written]);
        assert!(code == ExitCode::SUCCESS && text.contains("record 3 is the one that was noted"), "{text}");
        assert!(text.contains("first 64 bits"), "{text}");
    }
    // A whole head says nothing of bits.
    assert!(!output(dir, &["verify", "--head", &journal.head().to_string()]).1.contains("bits"));

    let another = Head { checksum: "7f0000013f54dcc1".repeat(4), ..head.clone() };
    let (code, text) = output(dir, &["verify", "--head", &spoken::words(Some(&another))]);
    assert!(code == ExitCode::from(1) && text.contains("the journal was rewritten"), "{text}");
    assert!(text.contains("lusab-babad-gutih-tugad was noted") && text.contains(&spoken[3..]), "{text}");
    let later = Head { seq: 4, ..head };
    let (code, text) = output(dir, &["verify", "--head", &spoken::words(Some(&later))]);
    assert!(code == ExitCode::from(1) && text.contains("tail was cut off"), "{text}");

    let error = call(dir, &["verify", "--head", "#3 lusab-babed-gutih-tugad"], &mut Vec::new()).unwrap_err();
    assert!(error.contains("`babed` is no word of a head"), "{error}");
}

#[test]
fn the_folder_comes_from_the_plan_when_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    journal_of(folder.path(), &["one"]);
    let cli = Cli::try_parse_from(["journal", "verify", "--plan", "my-plan"]).unwrap();
    let mut asked = None;
    let find = |plan: Option<&Path>| {
        asked = plan.map(Path::to_owned);
        Ok(folder.path().to_owned())
    };
    assert_eq!(run(&cli.journal, find, &mut Vec::new()).unwrap(), ExitCode::SUCCESS);
    assert_eq!(asked, Some(PathBuf::from("my-plan")));
}

#[test]
fn a_folder_is_taken_without_a_flag_as_the_journal_or_the_state_folder_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    journal_of(&journal, &["one"]);
    let other = |_: Option<&Path>| Err("another folder was asked for".into());
    for place in [folder.path(), &journal] {
        for command in [&["verify"][..], &["show"], &["tail"], &["export"]] {
            let line = [&["journal"], command, &[place.to_str().unwrap()]].concat();
            let cli = Cli::try_parse_from(line).unwrap();
            let mut out = Vec::new();
            assert_eq!(run(&cli.journal, other, &mut out).unwrap(), ExitCode::SUCCESS);
            assert!(!out.is_empty());
        }
    }
    let twice = ["journal", "verify", "here", "--journal", "there"];
    let cli = Cli::try_parse_from(twice).unwrap();
    let error = run(&cli.journal, other, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("named twice"), "{error}");
}

#[test]
fn the_journal_of_the_state_folder_that_is_named_is_meant_whatever_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    journal_of(&folder.path().join("journal"), &["one"]);
    let state = folder.path().to_str().unwrap();
    for more in [&["--plan", "my-plan"][..], &[]] {
        let cli = Cli::try_parse_from([&["journal", "verify", "--state", state][..], more].concat()).unwrap();
        let mut out = Vec::new();
        let other = |_: Option<&Path>| Err("another folder was asked for".into());
        assert_eq!(run(&cli.journal, other, &mut out).unwrap(), ExitCode::SUCCESS);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(&format!("journal: {state}/journal\n")), "{text}");
    }
    let program = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        program.args(["journal", "verify"]).args(arguments).env("LIFEBOAT_STATE", state).output().unwrap()
    };
    let text = String::from_utf8(program(&[]).stdout).unwrap();
    assert!(
        text.contains(&format!("journal: {state}/journal")) && text.contains("GOOD: 1 records"),
        "{text}"
    );
    // Whose the folder is, is compared by the program: a plan that is not there is none.
    let missing = program(&["--plan", "my-plan"]);
    let text = String::from_utf8(missing.stderr).unwrap();
    assert!(!missing.status.success() && text.contains("there is no plan my-plan"), "{text}");
}

#[test]
fn a_bad_record_is_named_by_its_own_number_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    journal_of(dir, &["one", "two", "three"]);
    let text = fs::read_to_string(segment(dir, 1)).unwrap();
    let mut records: Vec<String> = text.lines().map(str::to_owned).collect();
    let (sealed, _) = records[1].split_once(",\"checksum\":").unwrap();
    let forged = sealed.replacen("0.25", "1e999", 1);
    let digest: String = Sha256::digest(forged.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    records[1] = format!("{forged},\"checksum\":\"{digest}\"}}");
    fs::write(segment(dir, 1), records.join("\n") + "\n").unwrap();
    for command in [&["verify"][..], &["show"], &["export"]] {
        assert_eq!(output(dir, command).0, ExitCode::from(1), "{command:?}");
    }
    let bad = lifeboat::journal::read(dir).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(bad.contains("000001.jsonl line 2 (where seq 2 belongs)"), "{bad}");
}

#[test]
fn show_and_tail_filter_and_clean() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (mut journal, _) = Journal::open(dir, &options(800)).unwrap();
    let other =
        Entry { incident: Some("INC-2".to_owned()), operator: "b\u{1b}[2Job".to_owned(), ..entry("two") };
    let recent = Entry { timestamp: jiff::Timestamp::now(), ..entry("three") };
    let old = Entry { timestamp: jiff::Timestamp::UNIX_EPOCH, ..entry("one") };
    journal.append(&[old, other, recent]).unwrap();

    let lines = |arguments: &[&str]| output(dir, arguments).1.lines().map(str::to_owned).collect::<Vec<_>>();
    let shown = lines(&["show"]);
    assert_eq!(shown.len(), 3);
    assert_eq!(
        shown[0],
        "#1 1970-01-01 00:00:00.000Z INC-1 ana one console -> db-öst [ok] {\"lag_s\":0.25,\"why\":\"said \\\"go\\\"\"}"
    );
    assert!(shown[1].contains("b\u{fffd}[2Job"), "{}", shown[1]);
    assert_eq!(lines(&["show", "--incident", "INC-2"]), shown[1..2]);
    assert_eq!(lines(&["show", "--action", "three"]), shown[2..]);
    assert_eq!(lines(&["show", "--since", "1971-01-01T00:00:00Z", "--incident", "INC-1"]), shown[2..]);
    assert_eq!(lines(&["show", "--since", "1h", "--action", "one"]), shown[..0]);
    assert_eq!(lines(&["tail", "-n", "2"]), shown[1..]);
}

/// Sends each line on, and ends as a pipe does when its reader has gone.
struct Pipe(SyncSender<String>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.send(text).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn wait_for(lines: &Receiver<String>, expected: &str) {
    let mut seen = String::new();
    while !seen.contains(expected) {
        seen.push_str(
            &lines
                .recv_timeout(Duration::from_secs(20))
                .unwrap_or_else(|_| panic!("{expected} not in {seen}")),
        );
    }
}

#[test]
fn a_followed_journal_shows_new_records_until_its_reader_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal_of(folder.path(), &["one", "two"]);
    let (sender, lines) = sync_channel(1000);
    thread::scope(|scope| {
        let follower = scope.spawn(|| call(folder.path(), &["tail", "-f", "-n", "1"], &mut Pipe(sender)));
        wait_for(&lines, "two");
        journal.append(&[entry("three"), entry("four")]).unwrap();
        wait_for(&lines, "four");
        drop(lines);
        journal.append(&[entry("five")]).unwrap();
        assert_eq!(follower.join().unwrap(), Ok(ExitCode::SUCCESS));
    });
}

#[test]
fn exports_hold_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (mut journal, _) = Journal::open(dir, &options(800)).unwrap();
    let formula = Entry { operator: "=cmd|'/c calc'!A1".to_owned(), ..entry("two\nlines") };
    journal.append(&[entry("one"), formula, entry("three")]).unwrap();

    let (_, text) = output(dir, &["export", "--format", "json"]);
    let records: Vec<Record> = serde_json::from_str(&text).unwrap();
    assert_eq!(records.last().unwrap().head(), *journal.head());
    let line = fs::read_to_string(segment(dir, 1)).unwrap().lines().next().unwrap().to_owned();
    assert!(text.contains(&line), "the export keeps the exact bytes");

    let (_, text) = output(dir, &["export"]);
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[2].contains("\"'=cmd|'/c calc'!A1\",\"two lines\""), "{}", rows[2]);
}
