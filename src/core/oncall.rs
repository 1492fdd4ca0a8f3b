//! Who is on call at a moment.

use crate::core::model::Model;
use crate::ids::{ContactId, RotationId};
use crate::plan::{Rotation, Shift, Turns};
use jiff::{SignedDuration, Timestamp};

/// Who is on call, or why nobody is.
pub fn at(model: &Model, rotation: &RotationId, now: Timestamp) -> Result<ContactId, String> {
    let Some(spec) = model.plan.rotations.get(rotation) else {
        return Err(format!("the plan has no rotation {rotation}"));
    };
    let read = model.live.calendars.get(rotation).map(|(shifts, _)| shifts.as_slice());
    of_rotation(spec, read, now).ok_or_else(|| format!("nobody is on call in {} now", spec.title))
}

/// Who is on call in a rotation. `read` is what its calendar said when it was last read.
pub fn of_rotation(rotation: &Rotation, read: Option<&[Shift]>, now: Timestamp) -> Option<ContactId> {
    let covering = |shifts: &[Shift]| {
        // Of two shifts at one time the one that began later is the exception to the other.
        let covering = shifts.iter().filter(|shift| shift.from <= now && now < shift.until);
        covering.max_by_key(|shift| shift.from).map(|shift| shift.contact.clone())
    };
    if let Some(contact) = covering(&rotation.overrides) {
        return Some(contact);
    }
    match &rotation.turns {
        Turns::Calendar { shifts, .. } => covering(read.unwrap_or(shifts)),
        Turns::Cycle { start, every, order } => {
            // By the wall clock: a turn ends at the same hour whether or not the clocks changed meanwhile.
            let wall = rotation.zone.to_datetime(now);
            let passed = wall.duration_since(*start);
            if passed.is_negative() || !every.is_positive() || order.is_empty() {
                return None;
            }
            let turn = passed.as_secs() / every.as_secs().max(1);
            let count = i64::try_from(order.len()).ok()?;
            order.get(usize::try_from(turn % count).ok()?).cloned()
        }
    }
}

/// When somebody else takes over at the latest that can be told; none where nothing is planned.
pub fn until(rotation: &Rotation, read: Option<&[Shift]>, now: Timestamp) -> Option<Timestamp> {
    let planned = match &rotation.turns {
        Turns::Calendar { shifts, .. } => read.unwrap_or(shifts),
        Turns::Cycle { .. } => &[],
    };
    let edges = planned.iter().chain(&rotation.overrides).flat_map(|shift| [shift.from, shift.until]);
    edges.chain(end_of_turn(rotation, now)).filter(|edge| *edge > now).min()
}

fn end_of_turn(rotation: &Rotation, now: Timestamp) -> Option<Timestamp> {
    let Turns::Cycle { start, every, .. } = &rotation.turns else { return None };
    let passed = rotation.zone.to_datetime(now).duration_since(*start);
    if passed.is_negative() || every.as_secs() < 1 {
        return None;
    }
    let turns = passed.as_secs() / every.as_secs() + 1;
    let end = start.checked_add(SignedDuration::from_secs(every.as_secs().checked_mul(turns)?)).ok()?;
    rotation.zone.to_timestamp(end).ok()
}
