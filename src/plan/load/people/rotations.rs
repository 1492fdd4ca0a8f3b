//! Rotations: people who take turns, or a calendar.

use super::{rows, zone};
use crate::base::ids::{ContactId, RotationId};
use crate::base::toml::{Diagnostic, Span};
use crate::plan::calendar;
use crate::plan::load::Places;
use crate::plan::load::basics::things;
use crate::plan::load::document::Document;
use crate::plan::load::fields::Fields;
use crate::plan::load::reader::Reader;
use crate::plan::oncall;
use crate::plan::people::{CalendarTrouble, Contact, Rotation, Shift, Turns};
use crate::plan::sections::OVERRIDE_KEYS;
use indexmap::IndexMap;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A calendar that ends within this time is warned of.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(48);
/// The shortest turn.
const SHORTEST_TURN: SignedDuration = SignedDuration::from_hours(1);
const CYCLE_KEYS: [&str; 3] = ["start", "every", "order"];
const BOTH: &str = "people who take turns have `start`, `every` and `order`; a rotation that is kept elsewhere has \
                    `calendar`";

pub(in crate::plan::load) fn rotations(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
    contacts: &IndexMap<ContactId, Contact>,
) -> IndexMap<RotationId, Rotation> {
    let mut rotations = IndexMap::new();
    things(document, reader, "rotations", |id, fields| {
        for key in ["calendar", "order"] {
            places.insert(format!("rotations.{id}.{key}"), fields.place_of(key));
        }
        let zone = zone(fields, reader);
        let overrides = overrides(id, fields, reader, &zone);
        let Some(turns) = turns(id, fields, reader, &zone, contacts) else { return };
        let rotation = Rotation { title: fields.text_or("title", id), zone, turns, overrides };
        let complete = !matches!(&rotation.turns, Turns::Cycle { order, .. } if order.is_empty());
        if complete {
            expect_somebody(id, &rotation, fields.place, reader);
        }
        rotations.insert(RotationId::from(id), rotation);
    });
    rotations
}

fn turns(
    id: &str,
    fields: &Fields,
    reader: &Reader<'_>,
    zone: &TimeZone,
    contacts: &IndexMap<ContactId, Contact>,
) -> Option<Turns> {
    let problem = |place, message: String, help: &str| {
        reader.report.add(Diagnostic::error("rotation", place, message).help(help));
    };
    let given = CYCLE_KEYS.iter().copied().find(|key| fields.get(key).is_some());
    match (fields.get("calendar").is_some(), given) {
        (true, None) => return calendar(fields, reader, zone, contacts),
        (true, Some(key)) => {
            let message = format!("rotation `{id}` has a calendar and `{key}`");
            problem(fields.place_of(key), message, BOTH);
            return None;
        }
        (false, None) => {
            problem(fields.place, format!("rotation `{id}` does not say who is on call"), BOTH);
            return None;
        }
        (false, Some(_)) => {}
    }
    if let Some(missing) = CYCLE_KEYS.iter().find(|key| fields.get(key).is_none()) {
        problem(fields.place, format!("rotation `{id}` lacks `{missing}`"), BOTH);
        return None;
    }
    let (every, order) = (fields.duration("every")?, fields.names("order"));
    if every < SHORTEST_TURN {
        let message = format!("a turn of rotation `{id}` is shorter than an hour");
        problem(fields.place_of("every"), message, "write how long one is on call, as in `every = \"7d\"`");
    }
    if order.is_empty() {
        let help = "name contacts in the order of their turns";
        problem(fields.place_of("order"), format!("nobody takes turns in rotation `{id}`"), help);
    }
    Some(Turns::Cycle { start: wall_clock(fields, "start", reader)?, every, order })
}

/// A time of the rotation's wall clock.
fn wall_clock(fields: &Fields, key: &str, reader: &Reader<'_>) -> Option<DateTime> {
    let text = fields.text(key);
    let time = DateTime::strptime("%Y-%m-%d %H:%M", &text).ok();
    if time.is_none() {
        let message = format!("`{}` is no date with its time", crate::base::text::clean(&text, 60));
        let help = "write it as in `2026-01-05 09:00`, by the wall clock of the rotation's `zone`";
        reader.report.add(Diagnostic::error("bad-time", fields.place_of(key), message).help(help));
    }
    time
}

fn overrides(id: &str, fields: &Fields, reader: &Reader<'_>, zone: &TimeZone) -> Vec<Shift> {
    let what = format!("an override of rotation `{id}`");
    let one = |row: Fields| {
        let at = |key: &str| -> Option<Timestamp> { zone.to_timestamp(wall_clock(&row, key, reader)?).ok() };
        let (from, until) = (at("from"), at("until"));
        let (from, until) = (from?, until?);
        if until <= from {
            let message = format!("{what} ends before it begins");
            reader.report.add(Diagnostic::error("rotation", row.place_of("until"), message));
            return None;
        }
        Some(Shift { from, until, contact: ContactId::from(&*row.text("contact")) })
    };
    let rows = rows(fields, "overrides", OVERRIDE_KEYS, reader, &what);
    rows.into_iter().filter(|row| row.complete).filter_map(one).collect()
}

/// The calendar lies outside of the plan, and others write it: what is wrong with it is said to the plan's author, and
/// keeps nobody from using the plan.
fn calendar(
    fields: &Fields,
    reader: &Reader<'_>,
    zone: &TimeZone,
    contacts: &IndexMap<ContactId, Contact>,
) -> Option<Turns> {
    let file = fields.text("calendar");
    let place = fields.place_of("calendar");
    let Some(folder) = reader.folder else {
        let message = "a plan that is not in a file has no calendars";
        let problem =
            Diagnostic::error("calendar", place, message).help("save it, and load it from its file");
        reader.report.add(problem);
        return None;
    };
    let path = folder.join(&file);
    let shown = crate::base::text::clean(&file, 100);
    let problem = |message: String, help: &str| {
        reader.report.add(Diagnostic::error("calendar", place, message).outside().help(help));
    };
    let said = calendar::read(&path)
        .inspect_err(|why| {
            let help = "give an iCalendar file (.ics), relative to the plan's folder";
            problem(format!("the calendar `{shown}` cannot be read: {why}"), help);
        })
        .and_then(|text| {
            calendar::shifts(&text, zone, contacts, reader.now)
                .inspect_err(|why| problem(format!("calendar `{shown}`: {why}"), EVENT_HELP))
        });
    let said = said.inspect(|said| {
        for event in &said.left_out {
            problem(format!("calendar `{shown}`: {event}"), EVENT_HELP);
        }
    });
    let (shifts, trouble) = calendar::told(&path, said);
    Some(Turns::Calendar { file: path.to_string_lossy().into_owned(), shifts, trouble })
}

const EVENT_HELP: &str = "an event is a shift: its SUMMARY or an ATTENDEE names a contact, and it has an end";

/// Warns of a rotation in which nobody is on call now, or soon nobody any more.
fn expect_somebody(id: &str, rotation: &Rotation, place: Span, reader: &Reader<'_>) {
    // What cannot be read is said already.
    if matches!(&rotation.turns, Turns::Calendar { trouble: Some(CalendarTrouble::Unread(_)), .. }) {
        return;
    }
    let warn = |message: String, help: &str| {
        reader.report.add(Diagnostic::warning("nobody-on-call", place, message).help(help));
    };
    let shown = |at: Timestamp| at.to_zoned(rotation.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    let now = reader.now;
    let help = "give the calendar shifts that are ahead; whoever keeps it must export it again";
    match oncall::end(rotation, None) {
        Some(end) if end <= now => {
            warn(
                format!("the calendar of rotation `{id}` ended at {}: nobody is on call by it", shown(end)),
                help,
            );
        }
        _ if oncall::of_rotation(rotation, None, now).is_empty() => {
            let help = "a level for this rotation alone pages nobody now; the next one is told at once";
            let from = oncall::until(rotation, None, now);
            let from = from.map_or_else(
                || ", and nobody comes after".to_owned(),
                |at| format!(", nor before {}", shown(at)),
            );
            warn(format!("nobody is on call in rotation `{id}` now{from}"), help);
        }
        Some(end) if end <= now.checked_add(ENDS_SOON).unwrap_or(now) => {
            let message = format!(
                "the calendar of rotation `{id}` ends at {}: nobody is on call by it then",
                shown(end)
            );
            warn(message, help);
        }
        _ => {}
    }
}
