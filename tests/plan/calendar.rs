//! Plans with calendars: found beside the plan, and explained where they cannot be used. They lie outside of the plan:
//! what is wrong with them keeps nobody from using it.

use crate::registry::registry;
use crate::resolve::plans;
use lifeboat::plan::{CalendarTrouble, Level, Turns, load};
use std::path::Path;

/// The good plan in a folder, with a calendar; times are around the present, as only those count.
fn plan(folder: &Path) -> std::path::PathBuf {
    let text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    let turns = "start = \"2026-01-05 09:00\"\nevery = \"7d\"\norder = [\"bob\", \"carol\"]\n";
    assert!(text.contains(turns));
    let path = folder.join("plan.toml");
    std::fs::write(&path, text.replace(turns, "calendar = \"rota/oncall.ics\"\n")).unwrap();
    std::fs::create_dir(folder.join("rota")).unwrap();
    path
}

fn write(folder: &Path, summary: &str) {
    write_days(folder, summary, 0, 7);
}

/// A shift from midnight some days from today until midnight some other days from today.
fn write_days(folder: &Path, summary: &str, from: i64, until: i64) {
    let day = |ahead: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * ahead);
        at.strftime("%Y%m%dT000000Z").to_string()
    };
    let (from, until) = (day(from), day(until));
    let event = format!("DTSTART:{from}\r\nDTEND:{until}\r\nSUMMARY:{summary}");
    let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    std::fs::write(folder.join("rota/oncall.ics"), text).unwrap();
}

/// The plan loads, and its author is told of an error; what of the calendar does not count.
#[track_caller]
fn assert_said(path: &Path, parts: &[&str]) -> CalendarTrouble {
    let loaded = load(path, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
    let said = loaded.warnings.to_string();
    assert!(parts.iter().all(|part| said.contains(part)) && loaded.warnings.errors() > 0, "{said}");
    let Turns::Calendar { trouble, .. } = &loaded.plan.rotations["oncall"].turns else {
        panic!("no calendar")
    };
    trouble.clone().expect("it is kept with the plan")
}

#[test]
fn a_calendar_lies_beside_the_plan_and_is_absolute_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path());
    write(folder.path(), "On Call - Bob Jones - Payments");
    for path in [path.as_path(), folder.path()] {
        let loaded = load(path, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
        let Turns::Calendar { file, shifts, trouble: None } = &loaded.plan.rotations["oncall"].turns else {
            panic!("no calendar")
        };
        assert_eq!(shifts.len(), 1);
        assert_eq!(shifts[0].contact.as_str(), "bob");
        assert!(Path::new(file).is_absolute() && Path::new(file).is_file(), "{file}");
    }
}

#[test]
fn a_calendar_that_is_not_there_or_no_calendar_is_said_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path());
    let place = "plan.toml:195:12: error[calendar]";
    assert_said(&path, &[place, "`rota/oncall.ics` cannot be read: there is no such file"]);
    std::fs::write(folder.path().join("rota/oncall.ics"), "<html>Sign in</html>").unwrap();
    assert_said(&path, &[place, "no iCalendar file"]);
    std::fs::write(folder.path().join("rota/oncall.ics"), b"BEGIN:VCALENDAR\xff").unwrap();
    assert_said(&path, &[place, "not UTF-8"]);
    std::fs::File::create(folder.path().join("rota/oncall.ics")).unwrap().set_len(2 << 20).unwrap();
    assert_said(&path, &[place, "larger than 1 MiB"]);
}

#[test]
fn an_event_that_names_no_contact_is_said_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path());
    write(folder.path(), "Dave");
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d 00:00 UTC (`Dave`)").to_string();
    let trouble = assert_said(&path, &["error[calendar]", &today, "neither SUMMARY nor ATTENDEE"]);
    assert!(
        matches!(&trouble, CalendarTrouble::LeftOut(events) if events[0].contains("oncall.ics: the event of"))
    );
}

#[test]
fn a_calendar_that_ended_and_one_with_nobody_now_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path());
    let warned = |summary: &str, from: i64, until: i64| {
        write_days(folder.path(), summary, from, until);
        let loaded = load(&path, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
        let found = loaded.warnings.iter().filter(|problem| problem.code == "nobody-on-call");
        let found: Vec<String> = found.map(|problem| problem.message.clone()).collect();
        assert!(loaded.warnings.iter().all(|problem| problem.level == Level::Warning), "{}", loaded.warnings);
        found.join("; ")
    };
    assert_eq!(warned("bob", -3, 30), "");
    let over = warned("bob", -9, -2);
    assert!(over.contains("the calendar of rotation `oncall` ended at 20"), "{over}");
    assert!(over.contains("nobody is on call by it"), "{over}");
    let gap = warned("bob", 3, 9);
    assert!(gap.contains("nobody is on call in rotation `oncall` now, nor before 20"), "{gap}");
    let soon = warned("bob", -3, 1);
    assert!(soon.contains("the calendar of rotation `oncall` ends at 20"), "{soon}");
}
