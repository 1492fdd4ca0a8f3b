//! Calendars of who is on call that lie outside of the plan: bad ones lock nobody out.

use crate::pty::wait_for;
use crate::rig::{Hands, Home};
use std::process::Output;

/// The usual plan, with somebody on call by a calendar, and a manager behind them.
fn home() -> Home {
    let people = "\n[contacts.ana]\nname = \"Ana Alba\"\nphone = \"+49 30 1001001\"\nemail = \"ana@example.com\"\n\
        [contacts.carol]\nname = \"Carol Cruz\"\nphone = \"+49 30 1001003\"\nemail = \"carol@example.com\"\n\
        [channels.log]\nkind = \"command\"\naddress = \"phone\"\n\
        argv = [\"sh\", \"-c\", \"cat >/dev/null; echo $LIFEBOAT_TO >> @folder/paged; echo ok\"]\n\
        [rotations.primary]\ntitle = \"Primary\"\ncalendar = \"rota.ics\"\n\
        [policies.outage]\ntitle = \"Outage\"\nseverities = [\"P0\"]\n\
        [[policies.outage.levels]]\ntitle = \"On call\"\nafter = \"0s\"\nwho = [\"primary\"]\nmethods = [\"log\"]\n\
        [[policies.outage.levels]]\ntitle = \"Management\"\nafter = \"30m\"\nwho = [\"carol\"]\nmethods = [\"log\"]\n";
    Home::with(&format!("{}{people}", include_str!("plan.toml")))
}

fn rota(home: &Home, summaries: &[&str]) {
    let day = |ahead: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * ahead);
        at.strftime("%Y%m%dT000000Z").to_string()
    };
    let event = |summary: &&str| {
        let (from, until) = (day(-1), day(7));
        format!("BEGIN:VEVENT\r\nDTSTART:{from}\r\nDTEND:{until}\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n")
    };
    let events: String = summaries.iter().map(event).collect();
    std::fs::write(home.path().join("rota.ics"), format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n"))
        .unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A text with single spaces.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_calendar_that_is_gone_locks_nobody_out_and_counts_as_it_was_read() {
    let home = home();
    rota(&home, &["Ana Alba", "Team lunch"]);
    let plan = home.plan();
    let plan = plan.to_str().unwrap();
    let engine = home.engine();
    let status = home.wait_status("Not all of the calendar of Primary counts");
    assert!(status.contains("Team lunch"), "{status}");
    wait_for(|| {
        home.facts().iter().any(|fact| format!("{fact:?}").starts_with("CalendarRead")).then_some(())
    })
    .expect("what the calendar says is recorded");
    home.kill_engine();
    drop(engine);

    std::fs::remove_file(home.path().join("rota.ics")).unwrap();
    assert_eq!(home.run_bare(&["check", plan]).status.code(), Some(1), "its author is told");
    let tree = home.run_bare(&["notify", "tree", plan, "--state", home.state.to_str().unwrap()]);
    let text = flat(&said(&tree));
    assert!(
        tree.status.success() && text.contains("+49 30 1001001") && text.contains("+49 30 1001003"),
        "{text}"
    );
    assert!(text.contains("Primary: Ana Alba") && text.contains("CANNOT BE READ"), "{text}");
    // Without the journal nobody is on call, and all numbers are there.
    let elsewhere = home.path().join("elsewhere");
    let bare = home.run_bare(&["notify", "tree", plan, "--state", elsewhere.to_str().unwrap()]);
    let text = flat(&said(&bare));
    assert!(
        text.contains("NOBODY: nobody is on call in Primary now") && text.contains("+49 30 1001001"),
        "{text}"
    );
    assert!(said(&home.run_bare(&["preflight", plan])).contains("not seen"), "preflight runs");

    let console = home.open(80, 24);
    let screen = console.wait_for_text("CANNOT BE READ");
    assert!(screen.contains("Primary"), "{screen}");
    let status = home.run("status", &[]);
    assert_eq!(status.status.code(), Some(1));
    assert!(said(&status).contains("CANNOT BE READ"), "{}", said(&status));
    let json: serde_json::Value = serde_json::from_slice(&home.run("status", &["--json"]).stdout).unwrap();
    assert_eq!(json["on_call"][0]["people"][0], "ana");
    assert!(json["on_call"][0]["trouble"].as_str().unwrap().contains("no such file"), "{json}");
}

#[test]
fn a_level_whose_calendar_cannot_be_read_pages_the_next_one_at_once_and_says_why() {
    let home = home();
    std::fs::write(home.path().join("rota.ics"), "<html>Sign in</html>").unwrap();
    let engine = home.engine();
    let mut hands = Hands::attach(&home);
    hands.declare_and_answer();
    let paged = wait_for(|| {
        std::fs::read_to_string(home.path().join("paged")).ok().filter(|paged| !paged.is_empty())
    })
    .expect("nobody was paged");
    assert_eq!(paged.trim(), "+49 30 1001003");
    hands.wait("the message", |model| !model.durable.sent_messages.is_empty());
    let body = &hands.model.durable.sent_messages.last().unwrap().body;
    assert!(
        body.contains("level 1 (On call) reached NOBODY") && body.contains("no iCalendar file"),
        "{body}"
    );
    drop(engine);
}
