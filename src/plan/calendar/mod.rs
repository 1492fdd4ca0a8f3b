//! Who is on call, from an iCalendar file (RFC 5545) as PagerDuty, Opsgenie, Google and the like export it.
//!
//! [`shifts`] is a pure function from the text: the loader uses it when the plan is read, the engine again when the
//! file changes. What it costs is bounded whatever the file says, as anybody who may write the calendar could
//! otherwise stop the console.

mod event;
mod file;
mod moment;
mod observance;
mod people;
mod recurrence;
mod text;
mod windows;
mod zones;

pub use file::read;

use crate::ids::ContactId;
use crate::plan::{Contact, Shift};
use event::Event;
use indexmap::IndexMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use people::People;
use recurrence::{Budget, Exceptions};
use std::collections::HashMap;
use zones::Zones;

/// The largest file that is read.
pub const MAX_BYTES: usize = 1 << 20;
/// How long ago the last shifts ended that are told.
const BACK: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How far ahead shifts are told.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The most shifts within that time.
const MAX_SHIFTS: usize = 10_000;
/// The most faults that are told.
const MAX_FAULTS: usize = 10;

/// The time for which shifts are told.
#[derive(Clone, Copy)]
struct Window {
    from: Timestamp,
    until: Timestamp,
}

/// The shifts around a moment, by their begin. `zone` counts for times that name none.
///
/// # Errors
/// What is wrong with the calendar, in words: all of it, as far as it can be told. A calendar is taken as a whole
/// or not at all, so that nobody is left out unseen.
pub fn shifts(
    text: &str,
    zone: &TimeZone,
    contacts: &IndexMap<ContactId, Contact>,
    now: Timestamp,
) -> Result<Vec<Shift>, Vec<String>> {
    let one = |why: String| vec![why];
    let unfolded = text::unfold(text).map_err(one)?;
    let window = Window {
        from: now.checked_sub(BACK).unwrap_or(Timestamp::MIN),
        until: now.checked_add(AHEAD).unwrap_or(Timestamp::MAX),
    };
    let (components, definitions) = text::parts(&unfolded).map_err(one)?;
    let zones = Zones::new(zone, &definitions, now);
    let mut found = Found { window, people: People::new(contacts), shifts: Vec::new(), faults: Vec::new() };
    let mut events = Vec::with_capacity(components.len());
    for component in &components {
        match Event::read(component, &zones) {
            Ok(event) => events.push(event),
            Err(fault) => found.fault(fault),
        }
    }
    found.add(&events);
    found.finish()
}

/// What was found so far.
struct Found<'a> {
    window: Window,
    people: People<'a>,
    shifts: Vec<Shift>,
    faults: Vec<String>,
}

impl Found<'_> {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(crate::text::clean(&fault, 400));
        }
    }

    fn add(&mut self, events: &[Event<'_>]) {
        // An event that stands for one occurrence of a series takes its place.
        let mut moved: HashMap<&str, Exceptions> = HashMap::new();
        for event in events {
            if let Some(moment) = &event.instead_of {
                moved.entry(event.uid).or_default().add(moment);
            }
        }
        let mut budget = Budget::new();
        for event in events.iter().filter(|event| !event.cancelled) {
            let moved = moved.get(event.uid).filter(|_| event.instead_of.is_none());
            match event.occurrences(self.window, &mut budget) {
                Ok(walls) => walls.into_iter().for_each(|wall| self.occurrence(event, wall, moved)),
                Err(why) => self.fault(format!("{}: {why}", event.describe())),
            }
            if budget.is_spent() || self.shifts.len() > MAX_SHIFTS || self.faults.len() >= MAX_FAULTS {
                return;
            }
        }
    }

    fn occurrence(&mut self, event: &Event<'_>, wall: jiff::civil::DateTime, moved: Option<&Exceptions>) {
        if self.shifts.len() > MAX_SHIFTS || self.faults.len() >= MAX_FAULTS {
            return;
        }
        let (from, until) = match event.span(wall) {
            Ok(span) => span,
            Err(why) => return self.fault(format!("{}: {why}", event.describe_at(wall))),
        };
        let excepted = |exceptions: &Exceptions| exceptions.has(from, wall);
        if until <= self.window.from || from >= self.window.until {
            return;
        }
        if excepted(&event.without) || moved.is_some_and(excepted) {
            return;
        }
        match self.people.of(event) {
            Ok(contact) => self.shifts.push(Shift { from, until, contact }),
            Err(why) => self.fault(format!("{}: {why}", event.describe_at(wall))),
        }
    }

    fn finish(mut self) -> Result<Vec<Shift>, Vec<String>> {
        if self.shifts.len() > MAX_SHIFTS {
            self.faults.truncate(MAX_FAULTS - 1);
            self.fault(format!("it has more than {MAX_SHIFTS} shifts in the next 400 days"));
        }
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        self.shifts.sort_by_key(|shift| (shift.from, shift.until));
        Ok(self.shifts)
    }
}

#[cfg(test)]
mod tests;
