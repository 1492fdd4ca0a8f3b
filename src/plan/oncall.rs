//! Who is on call in a rotation at a moment.

use super::{Rotation, Shift, Turns};
use crate::base::ids::ContactId;
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

/// Who is on call in a rotation, each once: several where a calendar has shifts that began at the same time. `read`
/// is what its calendar said when it was last read, where that is not what it said when the plan was loaded.
pub fn of_rotation(rotation: &Rotation, read: Option<&[Shift]>, now: Timestamp) -> Vec<ContactId> {
    let exception = covering(&rotation.overrides, now);
    if !exception.is_empty() {
        return exception;
    }
    match &rotation.turns {
        Turns::Calendar { shifts, .. } => covering(read.unwrap_or(shifts), now),
        Turns::Cycle { order, .. } => {
            let count = i64::try_from(order.len()).ok().filter(|count| *count > 0);
            let whose = |turn: i64| usize::try_from(turn % count?).ok();
            turn(rotation, now)
                .and_then(whose)
                .and_then(|place| order.get(place))
                .cloned()
                .into_iter()
                .collect()
        }
    }
}

/// Of shifts at one time those that began last are the exception to the others.
fn covering(shifts: &[Shift], now: Timestamp) -> Vec<ContactId> {
    let covering = shifts.iter().filter(|shift| shift.from <= now && now < shift.until);
    let last = covering.clone().map(|shift| shift.from).max();
    let mut people = Vec::new();
    for shift in covering.filter(|shift| Some(shift.from) == last) {
        if !people.contains(&shift.contact) {
            people.push(shift.contact.clone());
        }
    }
    people
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

/// When the last shift of a calendar ends; none for people who take turns, and where it has no shift.
pub fn end(rotation: &Rotation, read: Option<&[Shift]>) -> Option<Timestamp> {
    let Turns::Calendar { shifts, .. } = &rotation.turns else { return None };
    read.unwrap_or(shifts).iter().map(|shift| shift.until).max()
}

fn end_of_turn(rotation: &Rotation, now: Timestamp) -> Option<Timestamp> {
    begin_of(rotation, turn(rotation, now)?.checked_add(1)?)
}

/// No zone has ever set its clocks by more than this.
const LARGEST_CHANGE: SignedDuration = SignedDuration::from_hours(26);

/// The number of the turn at a moment, from 0; none before the first.
fn turn(rotation: &Rotation, now: Timestamp) -> Option<i64> {
    let Turns::Cycle { start, every, .. } = &rotation.turns else { return None };
    let every = every.as_secs();
    if every < 1 {
        return None;
    }
    let passed = rotation.zone.to_datetime(now).duration_since(*start).as_secs();
    let slack = LARGEST_CHANGE.as_secs();
    // Turns begin in the order of time, whatever the clock shows meanwhile.
    let (mut low, mut high) = (-1, passed.saturating_add(slack).div_euclid(every).max(-1) + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match begin_of(rotation, middle) {
            Some(begin) if begin <= now => low = middle,
            _ => high = middle,
        }
    }
    (low >= 0).then_some(low)
}

/// When a turn begins: at its hour by the wall clock, whether or not the clocks changed meanwhile; the first time where
/// that hour comes twice, and once the clocks were put forward where it does not come.
fn begin_of(rotation: &Rotation, turn: i64) -> Option<Timestamp> {
    let Turns::Cycle { start, every, .. } = &rotation.turns else { return None };
    let passed = SignedDuration::from_secs(every.as_secs().checked_mul(turn)?);
    let wall = start.checked_add(passed).ok()?;
    let found = rotation.zone.to_ambiguous_timestamp(wall);
    let begin = found.compatible().ok()?;
    match found.offset() {
        AmbiguousOffset::Gap { .. } => {
            let next = begin.checked_add(SignedDuration::from_secs(1)).ok()?;
            Some(rotation.zone.preceding(next).next().map_or(begin, |change| change.timestamp()))
        }
        _ => Some(begin),
    }
}
