//! What a calendar says becomes a fact where it is news.

use crate::base::ids::RotationId;
use crate::core::ask::oncall;
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::plan::{CalendarTrouble, Shift};
use jiff::Timestamp;

/// The fact of a reading; none where the journal has it and it is what counts.
pub fn read(
    model: &Model,
    now: Timestamp,
    rotation: &RotationId,
    shifts: &[Shift],
    trouble: Option<&CalendarTrouble>,
) -> Option<Fact> {
    let (shifts, left_out) = match trouble {
        Some(CalendarTrouble::Unread(why)) => (Err(why.clone()), Vec::new()),
        Some(CalendarTrouble::LeftOut(events)) => (Ok(oncall::recorded(shifts, now)), events.clone()),
        None => (Ok(oncall::recorded(shifts, now)), Vec::new()),
    };
    let counting = oncall::calendar(model, rotation)?;
    let known = model.durable.calendars.get(rotation);
    let says_so =
        |said: &[Shift]| shifts.as_ref().map_or(true, |shifts| *shifts == oncall::recorded(said, now));
    let is_known = known.is_some_and(|known| known.trouble.as_ref() == trouble && says_so(&known.shifts))
        && counting.trouble == trouble
        && says_so(counting.shifts);
    (!is_known).then(|| Fact::CalendarRead { rotation: rotation.clone(), shifts, left_out })
}
