//! What programs leave behind.

use crate::pty::wait_for;
use crate::rig::{Hands, Home, kill};
use rustix::process::Signal;

/// Processes with exactly these arguments.
fn running(arguments: &str) -> Vec<i32> {
    let wanted = arguments.replace(' ', "\0") + "\0";
    let entries = std::fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line == wanted))
        .collect()
}

fn with_probe(script: &str) -> Home {
    let probe = format!(
        "[probes.leaves]\nkind = \"exec\"\nargv = [\"sh\", \"-c\", \"{script}\"]\nevery = \"1s\"\n\
         timeout = \"900ms\"\n\n[probes.db]"
    );
    Home::with(&include_str!("plan.toml").replace("[probes.db]", &probe))
}

#[test]
fn what_a_probe_leaves_in_its_group_ends_with_it() {
    // A number that no other test sleeps for.
    let home = with_probe("sleep 3017 & echo fine");
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.wait("several runs", |model| {
        model.live.recent.get("leaves").is_some_and(|recent| recent.values.len() > 3)
    });
    assert_eq!(hands.model.state(&"leaves".into()), lifeboat::core::words::signal::SignalState::Ok);
    // One may belong to the run that is under way.
    wait_for(|| (running("sleep 3017").len() <= 1).then_some(())).expect("they are ended");
    drop(_engine);
}

#[test]
fn what_a_probe_leaves_in_a_session_of_its_own_is_counted_and_named() {
    let home = with_probe("setsid sleep 3018 >/dev/null 2>&1 & echo fine");
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands
        .wait("it is said", |model| model.why(&"leaves".into()).contains("processes that it started stay: "));
    drop(engine);
    let left = running("sleep 3018");
    assert!(left.len() > 5, "{left:?}");
    for id in left {
        kill(id, Signal::KILL);
    }
}
