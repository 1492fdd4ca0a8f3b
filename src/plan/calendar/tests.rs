use super::*;
use crate::plan::{Rotation, Turns, oncall};
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

const PAGERDUTY: &str = include_str!("../../../tests/plan/calendars/pagerduty.ics");
const OPSGENIE: &str = include_str!("../../../tests/plan/calendars/opsgenie.ics");
const GOOGLE: &str = include_str!("../../../tests/plan/calendars/google.ics");

fn contacts() -> IndexMap<ContactId, Contact> {
    let contact = |id: &str, name: &str| {
        let addresses = [("email".to_owned(), format!("{id}@example.org"))].into_iter().collect();
        let contact = Contact { name: name.into(), role: String::new(), addresses, methods: Vec::new() };
        (ContactId::from(id), contact)
    };
    [contact("alice", "Alice Smith"), contact("bob", "Bob Jones"), contact("ann", "Smith")]
        .into_iter()
        .collect()
}

fn now() -> Timestamp {
    at("2026-03-20T12:00:00Z")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// All of it, or what does not count.
fn read(text: &str) -> Result<Vec<Shift>, Vec<String>> {
    match shifts(text, &berlin(), &contacts(), now()) {
        Ok(said) if said.left_out.is_empty() => Ok(said.shifts),
        Ok(said) => Err(said.left_out),
        Err(why) => Err(vec![why]),
    }
}

/// The shifts by their UTC time.
fn told(text: &str) -> Vec<String> {
    let shifts = read(text).unwrap_or_else(|faults| panic!("{faults:?}"));
    let line = |shift: &Shift| format!("{} {} {}", shift.from, shift.until, shift.contact);
    shifts.iter().map(line).collect()
}

fn one(event: &str) -> String {
    format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n")
}

fn fault(event: &str) -> String {
    read(&one(event)).expect_err(event).join("\n")
}

#[test]
fn an_export_of_pagerduty_is_read() {
    let told = told(PAGERDUTY);
    assert_eq!(
        told,
        ["2026-03-02T08:00:00Z 2026-03-09T08:00:00Z alice", "2026-03-09T08:00:00Z 2026-03-16T08:00:00Z bob"]
    );
    // The same with the line ends of the standard.
    let with_cr = read(&PAGERDUTY.replace('\n', "\r\n")).unwrap();
    assert_eq!(with_cr, read(PAGERDUTY).unwrap());
}

#[test]
fn an_export_of_opsgenie_is_read_and_a_shift_over_the_change_of_clocks_ends_at_its_hour() {
    assert_eq!(
        told(OPSGENIE),
        ["2026-03-23T08:00:00Z 2026-03-30T07:00:00Z bob", "2026-03-30T07:00:00Z 2026-04-06T07:00:00Z alice"]
    );
}

#[test]
fn a_calendar_of_google_is_read_with_series_exceptions_and_moved_occurrences() {
    let all = told(GOOGLE);
    assert_eq!(
        all[..8],
        [
            "2026-02-16T08:00:00Z 2026-02-23T08:00:00Z alice", // of the last 31 days
            "2026-02-23T08:00:00Z 2026-03-02T08:00:00Z bob",
            "2026-03-02T08:00:00Z 2026-03-09T08:00:00Z alice",
            "2026-03-09T08:00:00Z 2026-03-16T08:00:00Z bob",
            "2026-03-16T08:00:00Z 2026-03-23T08:00:00Z alice",
            "2026-03-24T11:00:00Z 2026-03-30T07:00:00Z bob", // moved; Alice's of the 30th is excepted
            "2026-04-03T22:00:00Z 2026-04-05T22:00:00Z alice",
            "2026-04-06T07:00:00Z 2026-04-13T07:00:00Z bob",
        ]
    );
    let last = |who: &str| all.iter().rev().find(|line| line.ends_with(who)).cloned().unwrap_or_default();
    assert!(last("alice").starts_with("2026-04-27T07:00:00Z"), "UNTIL is included: {}", last("alice"));
    assert!(last("bob").starts_with("2027-04-19"), "it goes on for 400 days: {}", last("bob"));
}

#[test]
fn the_shift_that_began_later_counts() {
    let rotation = Rotation {
        title: "On call".into(),
        zone: berlin(),
        turns: Turns::Calendar { file: "rota.ics".into(), shifts: read(GOOGLE).unwrap(), trouble: None },
        overrides: Vec::new(),
    };
    let on_call =
        |time: &str| oncall::of_rotation(&rotation, None, at(time)).first().map(ToString::to_string);
    assert_eq!(on_call("2026-03-22T00:00:00Z").as_deref(), Some("alice"));
    assert_eq!(on_call("2026-03-24T10:00:00Z"), None, "the moved shift leaves a gap");
    assert_eq!(on_call("2026-03-29T01:30:00Z").as_deref(), Some("bob"));
}

#[test]
fn times_float_in_the_rotations_zone_and_days_are_whole() {
    let floating = one("DTSTART:20260701T090000\nDTEND:20260701T170000\nSUMMARY:bob");
    assert_eq!(told(&floating), ["2026-07-01T07:00:00Z 2026-07-01T15:00:00Z bob"]);
    let day = one("DTSTART;VALUE=DATE:20261025\nSUMMARY:bob");
    assert_eq!(told(&day), ["2026-10-24T22:00:00Z 2026-10-25T23:00:00Z bob"], "a day of 25 hours");
    let path = one(
        "DTSTART;TZID=/citadel.org/20260101_1/America/New_York:20260701T090000\nDURATION:PT8H\nSUMMARY:bob",
    );
    assert_eq!(told(&path), ["2026-07-01T13:00:00Z 2026-07-01T21:00:00Z bob"]);
}

#[test]
fn a_daily_series_keeps_its_hour_over_both_changes_of_clocks() {
    let series =
        one("DTSTART;TZID=Europe/Berlin:20260301T090000\nDTEND;TZID=Europe/Berlin:20260302T090000\n\
                      RRULE:FREQ=DAILY;COUNT=300\nSUMMARY:bob");
    let shifts = read(&series).unwrap();
    assert_eq!(shifts.len(), 300);
    assert!(
        shifts.windows(2).all(|pair| pair[0].until == pair[1].from),
        "nobody is missing between two shifts"
    );
    assert!(shifts.iter().all(|shift| berlin().to_datetime(shift.from).hour() == 9));
}

#[test]
fn who_is_meant_is_found_by_id_name_address_and_within_a_title() {
    let of = |lines: &str| {
        let text = one(&format!("DTSTART:20260401T090000Z\nDURATION:PT1H\n{lines}"));
        read(&text).map(|shifts| shifts[0].contact.to_string()).map_err(|faults| faults.join("\n"))
    };
    assert_eq!(of("SUMMARY:ALICE SMITH").unwrap(), "alice");
    assert_eq!(of("SUMMARY:Bob@Example.org").unwrap(), "bob");
    assert_eq!(of("SUMMARY:On call\nATTENDEE:MAILTO:bob@example.org").unwrap(), "bob");
    assert_eq!(of("SUMMARY:On call\nATTENDEE;CN=\"Bob Jones\":mailto:b@elsewhere.example").unwrap(), "bob");
    assert_eq!(
        of("SUMMARY:On Call - Alice Smith - Payments").unwrap(),
        "alice",
        "not Smith, which is a part of it"
    );
    assert_eq!(of("SUMMARY:Primary: bob").unwrap(), "bob");
    assert_eq!(of("SUMMARY:bobby").unwrap_err().matches("names a contact").count(), 0);
    assert!(of("SUMMARY:bobby").unwrap_err().contains("neither SUMMARY nor ATTENDEE"));
    let two = of("SUMMARY:Bob Jones and Alice Smith").unwrap_err();
    assert!(two.contains("several contacts: alice, bob"), "{two}");
}

#[test]
fn faults_name_the_event_and_its_time() {
    let unknown = fault("DTSTART;TZID=Europe/Berlin:20260401T090000\nDURATION:PT1H\nSUMMARY:Carol");
    assert!(
        unknown.starts_with("the event of 2026-04-01 09:00 Europe/Berlin (`Carol`): neither SUMMARY"),
        "{unknown}"
    );
    assert!(fault("DTSTART:20260401T090000Z\nSUMMARY:bob").contains("neither DTEND nor DURATION"));
    assert!(
        fault("DTSTART:20260401T090000Z\nDTEND:20260401T080000Z\nSUMMARY:bob").contains("does not end after")
    );
    assert!(fault("SUMMARY:bob").contains("no DTSTART"));
    assert!(fault("DTSTART:tomorrow\nSUMMARY:bob").contains("`tomorrow` is no time"));
    let zone = fault("DTSTART;TZID=Customized Time Zone:20260401T090000\nDURATION:PT1H\nSUMMARY:bob");
    assert!(
        zone.contains("`Customized Time Zone` has no IANA name such as Europe/Berlin, and no VTIMEZONE"),
        "{zone}"
    );
    let series = fault("DTSTART:20260401T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=XX\nSUMMARY:bob");
    assert!(series.contains("is no rule of recurrence"), "{series}");
}

#[test]
fn whoever_declined_is_not_on_call_also_where_the_title_names_them() {
    let at = "DTSTART:20260401T090000Z\nDURATION:PT1H";
    let of = |lines: &str| {
        read(&one(&format!("{at}\n{lines}")))
            .map(|shifts| shifts.iter().map(|shift| shift.contact.to_string()).collect::<Vec<_>>())
            .map_err(|faults| faults.join("\n"))
    };
    let bob = |status: &str| format!("ATTENDEE;CN=Bob;PARTSTAT={status}:mailto:bob@example.org");
    for status in ["DECLINED", "declined", "\"DECLINED\"", "DELEGATED"] {
        for summary in ["On call", "bob", "On call: Bob Jones"] {
            let why = of(&format!("SUMMARY:{summary}\n{}", bob(status))).unwrap_err();
            assert!(why.contains("bob declined it") && why.contains("2026-04-01"), "{why}");
            let with = format!("SUMMARY:{summary}\n{}\nATTENDEE:mailto:alice@example.org", bob(status));
            assert_eq!(of(&with).unwrap(), ["alice"], "{status} {summary}");
        }
    }
    for status in ["ACCEPTED", "TENTATIVE", "NEEDS-ACTION"] {
        assert_eq!(of(&format!("SUMMARY:On call\n{}", bob(status))).unwrap(), ["bob"]);
    }
    assert_eq!(
        of("SUMMARY:bob\nATTENDEE;PARTSTAT=DECLINED:mailto:guest@elsewhere.example").unwrap(),
        ["bob"]
    );
}

#[test]
fn an_occurrence_that_somebody_declined_is_not_theirs_by_the_series_either() {
    let series = "UID:s\nDTSTART:20260401T090000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:bob";
    let declined = "UID:s\nRECURRENCE-ID:20260402T090000Z\nDTSTART:20260402T090000Z\nDURATION:PT8H\nSUMMARY:bob\n\
                    ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.org";
    let said = shifts(&several(&[series, declined]), &berlin(), &contacts(), now()).unwrap();
    let begins: Vec<String> = said.shifts.iter().map(|shift| shift.from.to_string()).collect();
    assert_eq!(begins, ["2026-04-01T09:00:00Z"]);
    assert!(said.left_out[0].contains("bob declined it"), "{:?}", said.left_out);
}

#[test]
fn names_count_in_any_case() {
    let text = PAGERDUTY.lines().map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let of_component = ["BEGIN", "END"].contains(&name);
        let value = if of_component { value.to_lowercase() } else { value.to_owned() };
        format!("{}:{value}\n", name.to_lowercase())
    });
    let lower: String = text.collect();
    assert!(lower.contains("begin:vevent\n"), "{lower}");
    assert_eq!(told(&lower), told(PAGERDUTY));
    let mixed = "Begin:vCalendar\nbegin:vEvent\ndtStart;tzid=Europe/Berlin:20260401T090000\nduration:PT1H\n\
                 attendee;partstat=declined:mailto:alice@example.org\nsummary:bob\nend:vEvent\nend:vCalendar\n";
    assert_eq!(told(mixed), ["2026-04-01T07:00:00Z 2026-04-01T08:00:00Z bob"]);
}

#[test]
fn a_bad_byte_is_replaced_in_what_people_read_and_refused_with_its_line_in_a_time() {
    let with = |line: &[u8]| {
        let mut bytes = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260401T090000Z\r\nDURATION:PT1H\r\nSUMMARY:bob\r\n".to_vec();
        bytes.extend(line);
        bytes.extend(b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        super::text::decode(bytes)
    };
    for line in
        [&b"DESCRIPTION:Bereitschaft f\xfcr M\xfcller"[..], b"X-NOTE:\xff", b"LOCATION;X=\xfe:y", b"UID:\x80"]
    {
        let text = with(line).unwrap();
        assert!(text.contains('\u{fffd}'), "{text}");
        assert_eq!(told(&text), ["2026-04-01T09:00:00Z 2026-04-01T10:00:00Z bob"]);
    }
    for line in [
        &b"RDATE:2026\xff0402T090000Z"[..],
        b"rdate;tzid=Europe/Ber\xffin:20260402T090000",
        b"RRULE:FREQ=DA\r\n IL\xffY",
    ] {
        let why = with(line).unwrap_err();
        assert!(why.starts_with("line 6 (") && why.contains("is not UTF-8 text"), "{why}");
    }
    // A line that is folded within a character is whole.
    let folded = with(b"DESCRIPTION:M\xc3\r\n \xbcller\r\nX-NOTE:\xff").unwrap();
    assert!(folded.contains("Müller"), "{folded}");
}

#[test]
fn more_dates_count_in_the_zone_that_they_name() {
    let begins = |event: &str| {
        let shifts = read(&one(event)).unwrap_or_else(|faults| panic!("{event}: {faults:?}"));
        shifts.iter().map(|shift| shift.from.to_string()).collect::<Vec<_>>()
    };
    let start = "DTSTART;TZID=Europe/Berlin:20260401T090000\nDURATION:PT1H\nSUMMARY:bob";
    for (date, at) in [
        ("RDATE;TZID=America/New_York:20260402T030000", "2026-04-02T07:00:00Z"),
        ("RDATE;TZID=\"W. Europe Standard Time\":20260402T090000", "2026-04-02T07:00:00Z"),
        ("rdate;value=date-time;tzid=Europe/Berlin:20260402T090000", "2026-04-02T07:00:00Z"),
        ("RDATE:20260402T090000", "2026-04-02T07:00:00Z"),
        ("RDATE:20260402T070000Z", "2026-04-02T07:00:00Z"),
    ] {
        assert_eq!(begins(&format!("{start}\n{date}")), ["2026-04-01T07:00:00Z", at], "{date}");
        let with_rule = format!("{start}\nRRULE:FREQ=WEEKLY;COUNT=1\n{date}");
        assert_eq!(begins(&with_rule), ["2026-04-01T07:00:00Z", at], "{date}");
        let twice = format!("{start}\nRDATE:20260401T090000\n{date}\n{date}");
        assert_eq!(
            begins(&twice),
            ["2026-04-01T07:00:00Z", at],
            "one shift is one, however often it is named"
        );
    }
    let why = fault(&format!("{start}\nRDATE;VALUE=PERIOD:20260402T070000Z/PT2H"));
    assert!(why.contains("VALUE=PERIOD"), "{why}");
    let why = fault(&format!("{start}\nRDATE;TZID=Nowhere:20260402T070000"));
    assert!(why.contains("`Nowhere`"), "{why}");
}

/// A calendar with a definition of a zone, and a daily shift in it.
fn defined(name: &str, definition: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:{name}\n{definition}\nEND:VTIMEZONE\nBEGIN:VEVENT\n\
         DTSTART;TZID=\"{name}\":20260301T090000\nDTEND;TZID=\"{name}\":20260301T170000\n\
         RRULE:FREQ=MONTHLY;COUNT=5\nSUMMARY:bob\nEND:VEVENT\nEND:VCALENDAR\n"
    )
}

fn onset(kind: &str, begins: &str, from: &str, to: &str, rule: &str) -> String {
    let rule = if rule.is_empty() { String::new() } else { format!("RRULE:{rule}\n") };
    format!("BEGIN:{kind}\nDTSTART:{begins}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rule}END:{kind}")
}

fn both(standard: String, daylight: String) -> String {
    format!("{standard}\n{daylight}")
}

#[test]
fn zones_by_the_names_of_windows_are_read() {
    for (name, hour) in [
        ("W. Europe Standard Time", "07"),
        ("\"W. Europe Standard Time\"", "07"),
        ("W. Europe Standard Time 1", "07"),
        ("w. europe standard time", "07"),
        ("Romance Standard Time", "07"),
        ("GMT Standard Time", "08"),
        ("Pacific Standard Time", "16"),
        ("UTC", "09"),
        ("\"tzone://Microsoft/Utc\"", "09"),
    ] {
        let text = one(&format!("DTSTART;TZID={name}:20260701T090000\nDURATION:PT1H\nSUMMARY:bob"));
        assert!(
            told(&text)[0].starts_with(&format!("2026-07-01T{hour}:00:00Z")),
            "{name}: {:?}",
            told(&text)
        );
    }
    for (windows, iana) in
        [("Central Standard Time (Mexico)", "America/Mexico_City"), ("UTC-11", "Etc/GMT+11")]
    {
        assert_eq!(super::windows::iana_name(windows), Some(iana));
    }
}

#[test]
fn a_zone_of_the_calendars_own_counts_by_its_rules() {
    let winter_summer = |text: &str| {
        let told = told(text);
        [told[0][..16].to_owned(), told[3][..16].to_owned()]
    };
    let outlook = both(
        onset(
            "STANDARD",
            "16010101T030000",
            "+0200",
            "+0100",
            "FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
        ),
        onset("DAYLIGHT", "16010101T020000", "+0100", "+0200", "FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3"),
    );
    for name in ["Customized Time Zone", "(GMT+01.00) Sarajevo/Warsaw/Zagreb", "tzone://Microsoft/Custom"] {
        assert_eq!(
            winter_summer(&defined(name, &outlook)),
            ["2026-03-01T08:00", "2026-06-01T07:00"],
            "{name}"
        );
    }
    let new_york = both(
        onset(
            "STANDARD",
            "20071104T020000",
            "-0400",
            "-0500",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=SU;BYMONTHDAY=1,2,3,4,5,6,7",
        ),
        onset("DAYLIGHT", "20070311T020000", "-0500", "-0400", "FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYSETPOS=2"),
    );
    assert_eq!(winter_summer(&defined("Office", &new_york)), ["2026-03-01T14:00", "2026-06-01T13:00"]);
    let india = onset("STANDARD", "16010101T000000", "+0530", "+0530", "");
    assert_eq!(winter_summer(&defined("Office", &india)), ["2026-03-01T03:30", "2026-06-01T03:30"]);
    let abolished = both(
        onset(
            "DAYLIGHT",
            "19800301T020000",
            "+0300",
            "+0400",
            "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20100328T000000Z",
        ),
        onset("STANDARD", "20141026T020000", "+0400", "+0300", ""),
    );
    assert_eq!(winter_summer(&defined("Office", &abolished)), ["2026-03-01T06:00", "2026-06-01T06:00"]);
    let odd = onset("STANDARD", "20260101T000000", "+0100", "+0200", "FREQ=MONTHLY");
    let why = read(&defined("Office", &odd)).unwrap_err().join("\n");
    assert!(why.contains("the VTIMEZONE of `Office` cannot be read"), "{why}");
    let listed = both(
        onset("STANDARD", "20251101T000000", "+0200", "+0100", ""),
        onset("DAYLIGHT", "20260401T000000", "+0100", "+0200", ""),
    );
    let why = read(&defined("Office", &listed)).unwrap_err().join("\n");
    assert!(why.contains("by dates"), "{why}");
}

#[test]
fn an_exception_counts_in_every_form_that_programs_write() {
    let begins = |event: &str| {
        let shifts = read(&one(event)).unwrap_or_else(|faults| panic!("{event}: {faults:?}"));
        shifts.iter().map(|shift| shift.from.to_string()).collect::<Vec<_>>()
    };
    let series =
        "DTSTART;TZID=Europe/Berlin:20260401T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:bob";
    let rest = ["2026-04-01T07:00:00Z", "2026-04-03T07:00:00Z"];
    for exception in [
        "EXDATE;TZID=Europe/Berlin:20260402T090000",
        "EXDATE;TZID=\"W. Europe Standard Time\":20260402T090000",
        "EXDATE:20260402T070000Z",
        "EXDATE:20260402T090000",
        "EXDATE;VALUE=DATE-TIME:20260402T070000Z",
        "EXDATE;VALUE=DATE:20260402",
        "EXDATE:20260402",
        "EXDATE:20260405T070000Z,20260402T070000Z",
        "EXDATE:20260402T070000Z,",
        "EXDATE:20260405\nEXDATE:20260402T090000",
        "EXDATE:20260402T0700Z",
        "EXDATE;TZID=America/New_York:20260402T030000",
    ] {
        assert_eq!(begins(&format!("{series}\n{exception}")), rest, "{exception}");
    }
    assert_eq!(begins(&format!("{series}\nEXDATE:")).len(), 3);
    let days = "DTSTART;VALUE=DATE:20260401\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:bob";
    for exception in ["20260402", "20260402T000000", "20260402T000000Z"] {
        let rest = ["2026-03-31T22:00:00Z", "2026-04-02T22:00:00Z"];
        assert_eq!(begins(&format!("{days}\nEXDATE:{exception}")), rest, "{exception}");
    }
    assert!(fault(&format!("{series}\nEXRULE:FREQ=DAILY")).contains("EXRULE"));
}

/// Events in one calendar.
fn several(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
}

#[test]
fn an_event_that_names_no_contact_is_left_out_and_named_and_the_others_count() {
    let bob = "DTSTART:20260401T090000Z\nDURATION:PT8H\nSUMMARY:bob";
    let lunch = "DTSTART:20260326T120000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nSUMMARY:Team lunch";
    let zone = "DTSTART;TZID=Nowhere:20260401T170000\nDURATION:PT1H\nSUMMARY:alice";
    for events in [[bob, lunch, zone], [zone, lunch, bob], [lunch, zone, bob]] {
        let said = shifts(&several(&events), &berlin(), &contacts(), now()).unwrap();
        assert_eq!(said.shifts.iter().map(|shift| shift.contact.as_str()).collect::<Vec<_>>(), ["bob"]);
        let mut left_out = said.left_out;
        left_out.sort();
        assert!(left_out[0].contains("the event of 2026-03-26 12:00 UTC (`Team lunch`)"), "{left_out:?}");
        assert!(
            left_out[1].contains("Nowhere") && left_out.len() == 2,
            "a series is named once: {left_out:?}"
        );
    }
    let many: Vec<String> =
        (0..40).map(|day| format!("DTSTART:20260401T090000Z\nDURATION:PT1H\nSUMMARY:guest {day}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain([bob]).collect();
    let said = shifts(&several(&many), &berlin(), &contacts(), now()).unwrap();
    assert_eq!((said.shifts.len(), said.left_out.len()), (1, MAX_FAULTS + 1));
    assert_eq!(said.left_out[MAX_FAULTS], "and 30 more");
}

#[test]
fn whoever_has_a_series_keeps_an_occurrence_whose_stand_in_is_not_known() {
    let series = "UID:s\nDTSTART:20260401T090000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:bob";
    let stand_in = |rest: &str| {
        let other = format!("UID:s\nRECURRENCE-ID:20260402T090000Z\nDTSTART:20260402T090000Z\n{rest}");
        let said = shifts(&several(&[series, &other]), &berlin(), &contacts(), now()).unwrap();
        said.shifts.iter().map(|shift| shift.contact.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(stand_in("DURATION:PT8H\nSUMMARY:Zoe"), ["bob", "bob"], "better the usual one than nobody");
    assert_eq!(stand_in("DURATION:PT8H\nSUMMARY:alice"), ["bob", "alice"]);
    assert_eq!(stand_in("DURATION:PT8H\nSTATUS:CANCELLED\nSUMMARY:Zoe"), ["bob"]);
    assert_eq!(
        stand_in("STATUS:CANCELLED\nSUMMARY:bob"),
        ["bob"],
        "what is cancelled need not say when it ends"
    );
}

#[test]
fn what_is_over_may_name_whom_it_likes() {
    let old = one("DTSTART:20200101T090000Z\nDURATION:PT1H\nSUMMARY:Somebody who left");
    assert_eq!(read(&old).unwrap(), []);
}

#[test]
fn what_is_no_calendar_is_said() {
    for (text, part) in [
        ("", "no iCalendar file"),
        ("<html>not found</html>", "no iCalendar file"),
        ("BEGIN:VCARD\nEND:VCARD\n", "no iCalendar file"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401T090000Z\n", "ends in the middle"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n", "cannot be understood"),
    ] {
        let faults = read(text).expect_err(text);
        assert!(faults[0].contains(part), "{text}: {faults:?}");
    }
    assert_eq!(read("BEGIN:VCALENDAR\nEND:VCALENDAR\n").unwrap(), []);
}

/// What this thread has worked so far: on a busy machine the wall's time says nothing about it (proc(5), schedstat).
fn worked() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| STARTED.elapsed(), Duration::from_nanos)
}

#[test]
fn a_hostile_calendar_costs_little() {
    let start = "DTSTART:20260401T090000Z\nDURATION:PT1H\nSUMMARY:bob";
    let rule = |rule: &str| one(&format!("{start}\nRRULE:{rule}"));
    let many = |event: &str| {
        let event = format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n");
        format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event.repeat((MAX_BYTES - 100) / event.len()))
    };
    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:A\n".repeat(100_000));
    let exceptions = format!(
        "{start}\nRRULE:FREQ=DAILY\nEXDATE:{}",
        "20260102T090000Z,".repeat(50_000).trim_end_matches(',')
    );
    let hostile = [
        ("every second", rule("FREQ=SECONDLY"), true),
        ("every minute", rule("FREQ=MINUTELY;COUNT=4000000000"), true),
        ("hours", rule("FREQ=HOURLY"), true),
        ("seconds of a day", rule("FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1,2;BYSECOND=0,1,2"), true),
        ("never", rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), true),
        ("never, with an end", rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20300101T000000Z"), true),
        ("never, counted", rule("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=6;COUNT=1"), true),
        (
            "since long ago",
            one("DTSTART:00010101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nSUMMARY:bob"),
            true,
        ),
        ("long shifts", one("DTSTART:20260101T090000Z\nDURATION:P9000Y\nSUMMARY:bob"), true),
        ("many series", many(&format!("{start}\nRRULE:FREQ=DAILY")), true),
        ("rare series", many(&format!("{start}\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29")), true),
        ("series that never come", many(&format!("{start}\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")), true),
        ("many events", many(start), true),
        ("many unknown people", many("DTSTART:20260401T090000Z\nDURATION:PT1H\nSUMMARY:x"), true),
        ("depth", deep, true),
        ("exceptions", one(&exceptions), false),
        ("one long line", format!("BEGIN:VCALENDAR\n{}", "x".repeat(900_000)), true),
        ("folds", format!("BEGIN:VCALENDAR\n{}", "\n ".repeat(400_000)), true),
    ];
    for (what, text, is_fault) in hostile {
        let began = worked();
        let read = read(&text);
        let took = worked().saturating_sub(began);
        assert!(took < Duration::from_secs(10), "{what} took {took:?}");
        assert_eq!(read.is_err(), is_fault, "{what}: {:?}", read.map(|shifts| shifts.len()));
    }
    assert!(read(&"x".repeat(MAX_BYTES + 1)).unwrap_err()[0].contains("larger than 1 MiB"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_and_no_rule_breaks_the_reader(
        summary in "\\PC{0,40}",
        start in "(20[12][0-9](0[0-9]|1[0-3])[0-3][0-9]T[0-2][0-9][0-6]00Z?|\\PC{0,12})",
        rule in "FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL|COUNT|BYDAY|BYMONTHDAY|BYSETPOS|BYWEEKNO|BYYEARDAY|BYHOUR|WKST|UNTIL)=(-?[0-9]{1,5}|MO|-1SU|20270101)){0,4}",
        line in "\\PC{0,60}",
    ) {
        let text = one(&format!("DTSTART:{start}\nDURATION:PT1H\nRRULE:{rule}\n{line}\nSUMMARY:{summary}\nATTENDEE:bob@example.org"));
        if let Ok(shifts) = read(&text) {
            prop_assert!(shifts.iter().all(|shift| shift.from < shift.until));
            prop_assert!(shifts.is_sorted_by_key(|shift| shift.from));
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&String::from_utf8_lossy(&bytes));
        let _ = read(&one(&String::from_utf8_lossy(&bytes)));
    }
}
