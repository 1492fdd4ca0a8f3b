//! While the journal cannot be written somebody is paged by what still works, and that is recorded afterwards.

use crate::pty::wait_for;
use crate::rig::{Hands, Home};
use lifeboat::core::words::fact::Fact;
use std::time::{Duration, Instant};

const PEOPLE: &str = r#"
[contacts.ada]
name = "Ada"
phone = "+491701234567"

[channels.pager]
kind = "command"
argv = ["sh", "-c", "cat >> pages; echo >> pages"]
folder = "@folder"
address = "phone"

[policies.all]
severities = ["P0", "P1", "P2", "P3"]

[[policies.all.levels]]
who = ["ada"]
methods = ["pager"]
"#;

fn home() -> Home {
    Home::with(&(include_str!("plan.toml").to_owned() + PEOPLE))
}

fn pages(home: &Home) -> Vec<String> {
    let told = std::fs::read_to_string(home.path().join("pages")).unwrap_or_default();
    told.lines().filter(|line| line.contains("journal cannot be written")).map(str::to_owned).collect()
}

#[test]
fn a_journal_that_is_moved_away_is_noticed_without_a_write_and_pages_once_which_is_recorded_later() {
    let home = home();
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    let aside = home.path().join("aside");
    std::fs::rename(home.journal(), &aside).unwrap();
    let moved = Instant::now();
    home.wait_status("CANNOT BE WRITTEN");
    assert!(moved.elapsed() < Duration::from_secs(5), "{:?}", moved.elapsed());
    let page = wait_for(|| pages(&home).pop()).expect("somebody is paged");
    assert!(page.contains("+491701234567") && page.contains("is gone"), "{page}");
    assert!(page.contains("nobody else is paged"), "{page}");

    std::fs::rename(&aside, home.journal()).unwrap();
    hands.wait("the journal is back", |model| model.live.journal_failure.is_none());
    hands.wait("the page is recorded", |model| {
        let mut events = model.durable.timeline.iter();
        events.any(|event| matches!(event.fact, Fact::PagedUnrecorded { .. }))
    });
    let recorded: Vec<_> = home
        .facts()
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::PagedUnrecorded { page } => Some(page),
            _ => None,
        })
        .collect();
    assert_eq!((recorded.len(), recorded[0].who.as_str()), (1, "Ada"));
    assert!(recorded[0].result.is_ok(), "{recorded:?}");
    assert_eq!(pages(&home).len(), 1);
    home.assert_journal_good();
}

#[test]
fn a_state_folder_that_is_deleted_is_noticed_shown_and_paged() {
    let home = home();
    let console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    std::fs::remove_dir_all(&home.state).unwrap();
    let deleted = Instant::now();
    let screen = console.wait_for_text("JOURNAL FAILED");
    assert!(deleted.elapsed() < Duration::from_secs(5), "{:?}", deleted.elapsed());
    assert!(screen.contains("is gone"), "{screen}");
    home.wait_status("CANNOT BE WRITTEN");
    wait_for(|| pages(&home).pop()).expect("somebody is paged");
}
