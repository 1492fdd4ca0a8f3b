use crate::core::model::Model;
use crate::core::tests::fixture::{operator, plan, start};
use crate::core::words::actor::Actor;
use crate::core::words::fact::Fact;
use crate::core::words::signal::SignalState;
use crate::engine::ledger::Ledger;
use crate::journal::{self, Options};
use std::path::Path;

fn options() -> Options {
    Options { append_only: false, ..Options::default() }
}

fn open(folder: &Path) -> Ledger {
    Ledger::open(Model::new(plan()), folder, options()).unwrap().0
}

fn turned(to: SignalState) -> Fact {
    Fact::SignalChanged { probe: "primary-db".into(), from: SignalState::Unknown, to, why: "w".into() }
}

fn note(text: &str) -> Fact {
    Fact::NoteAdded { text: text.into() }
}

fn actions(folder: &Path) -> Vec<String> {
    journal::read(folder).unwrap().map(|record| record.unwrap().action).collect()
}

#[test]
fn a_reopened_ledger_has_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.commit(start(), &Actor::Engine, vec![turned(SignalState::Critical)]).unwrap();
    ledger.commit(start(), &operator(), vec![note("one"), note("two")]).unwrap();
    let before = ledger.model().read(|model| model.durable.clone());
    assert_eq!(before.head.as_ref().unwrap().seq, 3);
    drop(ledger);
    let after = open(folder.path()).model().read(|model| model.durable.clone());
    assert_eq!(after, before);
}

#[test]
fn a_second_ledger_on_the_same_journal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let error = Ledger::open(Model::new(plan()), folder.path(), options()).err().unwrap().to_string();
    assert!(error.contains("already open for writing") && error.contains("lifeboat open"), "{error}");
}

#[test]
fn while_the_journal_cannot_be_written_the_screen_stays_true_and_nothing_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.commit(start(), &operator(), vec![note("before")]).unwrap();
    let segment = folder.path().join("000001.jsonl");
    let aside = folder.path().join("aside");
    std::fs::rename(&segment, &aside).unwrap();

    let refusal = ledger.commit(start(), &operator(), vec![note("refused")]).err().unwrap();
    assert!(refusal.next.contains("Make the journal writable"), "{refusal:?}");
    let news = ledger.take_news();
    assert!(matches!(&news[0].fact, Fact::JournalChanged { failure: Some(_), .. }), "{news:?}");
    ledger.commit(start(), &Actor::Engine, vec![turned(SignalState::Critical)]).unwrap();
    assert_eq!(ledger.model().read(|model| model.state(&"primary-db".into())), SignalState::Critical);
    ledger.repair(start());
    assert!(ledger.take_news().is_empty(), "a missing segment is not mended by beginning a new one");

    std::fs::rename(&aside, &segment).unwrap();
    ledger.repair(start());
    assert!(matches!(&ledger.take_news()[0].fact, Fact::JournalChanged { failure: None, .. }));
    ledger.commit(start(), &operator(), vec![note("after")]).unwrap();
    assert_eq!(actions(folder.path()), ["note-added", "signal-changed", "journal-changed", "note-added"]);
    assert!(journal::verify(folder.path()).unwrap().is_good());
    let before = ledger.model().read(|model| model.durable.clone());
    drop(ledger);
    assert_eq!(open(folder.path()).model().read(|model| model.durable.clone()), before);
}

#[test]
fn a_start_that_cannot_be_recorded_counts_at_once_and_is_recorded_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.commit(start(), &operator(), vec![note("before")]).unwrap();
    drop(ledger);
    let mut ledger = open(folder.path());
    std::fs::rename(folder.path().join("000001.jsonl"), folder.path().join("aside")).unwrap();
    let started = Fact::EngineStarted {
        version: "v".into(),
        plan: "p".into(),
        recovery: String::new(),
        since_boot: None,
        noted: None,
    };
    ledger.commit(start(), &Actor::Engine, vec![started]).unwrap();
    assert_eq!(ledger.model().read(|model| model.durable.engine_started_at), Some(start()));
    assert!(ledger.commit(start(), &operator(), vec![note("refused")]).is_err());
    ledger.commit(start(), &Actor::Engine, vec![turned(SignalState::Critical)]).unwrap();
    std::fs::rename(folder.path().join("aside"), folder.path().join("000001.jsonl")).unwrap();
    ledger.repair(start());
    assert_eq!(actions(folder.path()), ["note-added", "engine-started", "signal-changed", "journal-changed"]);
    let before = ledger.model().read(|model| model.durable.clone());
    drop(ledger);
    assert_eq!(open(folder.path()).model().read(|model| model.durable.clone()), before);
}

#[test]
fn the_outcome_of_a_step_finds_room_however_much_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.commit(start(), &operator(), vec![note("before")]).unwrap();
    std::fs::rename(folder.path().join("000001.jsonl"), folder.path().join("aside")).unwrap();
    let flood = (0..10_000).map(|_| turned(SignalState::Critical)).collect();
    ledger.commit(start(), &Actor::Engine, flood).unwrap();
    assert!(ledger.commit(start(), &Actor::Engine, vec![turned(SignalState::Ok)]).is_err());
    let failure = crate::core::words::action::Failure::maybe_done("it", "cut off", "look");
    let outcome = crate::core::words::incident::Outcome::Failed(failure);
    let finished = Fact::StepFinished { run: "r".into(), step: "s".into(), attempt: 1, outcome };
    ledger.commit(start(), &Actor::Engine, vec![finished]).unwrap();
    std::fs::rename(folder.path().join("aside"), folder.path().join("000001.jsonl")).unwrap();
    ledger.repair(start());
    assert!(actions(folder.path()).ends_with(&["step-finished".into(), "journal-changed".into()]));
}

#[test]
fn a_journal_of_another_version_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let (mut other, _) = journal::Journal::open(folder.path(), &options()).unwrap();
    let entry = journal::Entry {
        timestamp: start(),
        incident: None,
        operator: "lifeboat".into(),
        action: "future-fact".into(),
        source: String::new(),
        destination: String::new(),
        status: String::new(),
        detail: serde_json::json!({}),
    };
    other.append(&[entry]).unwrap();
    drop(other);
    let error = Ledger::open(Model::new(plan()), folder.path(), options()).err().unwrap().to_string();
    assert!(error.contains("record 1 (future-fact)") && error.contains("--state"), "{error}");
}
