//! Who is on call at a moment, by what is known of the calendars: a calendar lies outside of the plan, and what is
//! wrong with it keeps nothing else from working.

use crate::base::ids::{ContactId, RotationId};
use crate::core::model::Model;
use crate::plan::oncall::{end, of_rotation};
use crate::plan::{CalendarTrouble, Rotation, Shift, Turns};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many of the next shifts are recorded: a year of weeks, a month of days that two share.
const RECORDED_SHIFTS: usize = 60;

/// What the journal knows of a calendar.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct KnownCalendar {
    /// When something was last recorded of it.
    pub noted_at: Timestamp,
    /// When it could last be read; none for never.
    pub read_at: Option<Timestamp>,
    /// The next shifts, as it said then.
    pub shifts: Vec<Shift>,
    /// What of it does not count.
    pub trouble: Option<CalendarTrouble>,
}

/// What counts of a calendar.
pub struct Counting<'m> {
    pub shifts: &'m [Shift],
    /// What of it does not count, and why.
    pub trouble: Option<&'m CalendarTrouble>,
    /// When an engine read these shifts; none where the plan was loaded with them, and where there are none.
    pub read_at: Option<Timestamp>,
}

/// What counts of a rotation's calendar: what this engine read of it, else what it said when the plan was loaded, else
/// what an engine read before. None for people who take turns.
pub fn calendar<'m>(model: &'m Model, rotation: &RotationId) -> Option<Counting<'m>> {
    let Turns::Calendar { shifts: loaded, trouble: at_load, .. } = &model.plan.rotations.get(rotation)?.turns
    else {
        return None;
    };
    let known = model.durable.calendars.get(rotation);
    let is_ours = |at: Option<Timestamp>| {
        at.is_some_and(|at| model.durable.engine_started_at.is_some_and(|by| by <= at))
    };
    let ours = known.filter(|known| is_ours(Some(known.noted_at)));
    let was_loaded = !matches!(at_load, Some(CalendarTrouble::Unread(_)));
    let (shifts, read_at) = match known {
        Some(known) if is_ours(known.read_at) => (known.shifts.as_slice(), known.read_at),
        _ if was_loaded => (loaded.as_slice(), None),
        Some(known) => (known.shifts.as_slice(), known.read_at),
        None => (&[][..], None),
    };
    let trouble = ours.map_or(at_load.as_ref(), |known| known.trouble.as_ref());
    Some(Counting { shifts, trouble, read_at })
}

/// The shifts that are recorded of those that a calendar has: the next ones.
pub fn recorded(shifts: &[Shift], now: Timestamp) -> Vec<Shift> {
    shifts.iter().filter(|shift| shift.until > now).take(RECORDED_SHIFTS).cloned().collect()
}

/// Who is on call, all of them, or why nobody is.
pub fn at(model: &Model, rotation: &RotationId, now: Timestamp) -> Result<Vec<ContactId>, String> {
    let Some(spec) = model.plan.rotations.get(rotation) else {
        return Err(format!("the plan has no rotation {rotation}"));
    };
    let counting = calendar(model, rotation);
    let people = of_rotation(spec, counting.as_ref().map(|counting| counting.shifts), now);
    if !people.is_empty() {
        return Ok(people);
    }
    let why = match counting.and_then(|counting| counting.trouble) {
        None => String::new(),
        Some(CalendarTrouble::Unread(why)) => format!(": its calendar cannot be read, {why}"),
        Some(CalendarTrouble::LeftOut(events)) => {
            format!(": not all of its calendar counts, {}", events.join("; "))
        }
    };
    Err(format!("nobody is on call in {} now{why}", spec.title))
}

/// What is wrong with a rotation.
pub struct Fault {
    /// In words.
    pub text: String,
    /// Its calendar cannot be read at all: nobody knows whether somebody else is on call by now.
    pub is_unread: bool,
}

/// What is wrong with the calendar of a rotation; none where all of it counts.
pub fn trouble(model: &Model, id: &RotationId, rotation: &Rotation) -> Option<Fault> {
    let counting = calendar(model, id)?;
    let title = &rotation.title;
    Some(match counting.trouble? {
        CalendarTrouble::LeftOut(events) => Fault {
            text: format!("Not all of the calendar of {title} counts: {}", events.join("; ")),
            is_unread: false,
        },
        CalendarTrouble::Unread(why) => {
            let counts = match (counting.read_at, counting.shifts) {
                (_, []) => "nobody is on call by it".to_owned(),
                (Some(at), _) => {
                    format!("who is on call is as it said at {}", at.strftime("%Y-%m-%d %H:%MZ"))
                }
                (None, _) => "who is on call is as it said before".to_owned(),
            };
            Fault {
                text: format!("The calendar of {title} CANNOT BE READ, {counts}: {why}"),
                is_unread: true,
            }
        }
    })
}

/// What is wrong with the calendars of all rotations.
pub fn troubles(model: &Model) -> impl Iterator<Item = Fault> {
    model.plan.rotations.iter().filter_map(|(id, rotation)| trouble(model, id, rotation))
}

/// Everything that is wrong with the plan's rotations: calendars of which not all counts, and those in which nobody is
/// on call now.
pub fn faults(model: &Model, now: Timestamp) -> Vec<Fault> {
    let nobody = model.plan.rotations.iter().filter_map(|(id, rotation)| {
        let shifts = calendar(model, id).map(|counting| counting.shifts);
        of_rotation(rotation, shifts, now).is_empty().then(|| {
            let over = match end(rotation, shifts).filter(|end| *end <= now) {
                Some(end) => format!(", its calendar ended at {}", end.strftime("%Y-%m-%d %H:%MZ")),
                None => String::new(),
            };
            Fault { text: format!("NOBODY is on call in {} now{over}", rotation.title), is_unread: false }
        })
    });
    troubles(model).chain(nobody).collect()
}
