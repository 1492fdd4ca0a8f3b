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

pub use file::{read, told};

/// What a calendar says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Said {
    /// The shifts, by their begin.
    pub shifts: Vec<Shift>,
    /// Events that are left out, and why, in words: as many as can be told.
    pub left_out: Vec<String>,
}

use crate::base::ids::ContactId;
use crate::plan::{Contact, Shift};
use event::Event;
use indexmap::IndexMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use people::{People, Who};
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

/// The shifts around a moment. `zone` counts for times that name none. An event that cannot be understood keeps no
/// other from counting, and is named, so that nobody is left out unseen.
///
/// # Errors
/// Why nothing of the calendar can be used, in words.
pub fn shifts(
    text: &str,
    zone: &TimeZone,
    contacts: &IndexMap<ContactId, Contact>,
    now: Timestamp,
) -> Result<Said, String> {
    let unfolded = text::unfold(text)?;
    let window = Window {
        from: now.checked_sub(BACK).unwrap_or(Timestamp::MIN),
        until: now.checked_add(AHEAD).unwrap_or(Timestamp::MAX),
    };
    let (components, definitions) = text::parts(&unfolded)?;
    let zones = Zones::new(zone, &definitions, now);
    let mut found =
        Found { window, people: People::new(contacts), shifts: Vec::new(), faults: Vec::new(), untold: 0 };
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
    /// How many more faults there are.
    untold: usize,
}

impl Found<'_> {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(crate::base::text::clean(&fault, 400));
        } else {
            self.untold += 1;
        }
    }

    fn add(&mut self, events: &[Event<'_>]) {
        // An event that stands for one occurrence of a series takes its place; where it cannot be used, whoever has the
        // series keeps it.
        let mut moved: HashMap<&str, Exceptions> = HashMap::new();
        for event in events {
            if let Some(moment) = event.instead_of.as_ref().filter(|_| self.is_usable(event)) {
                moved.entry(event.uid).or_default().add(moment);
            }
        }
        let mut budget = Budget::new();
        for event in events.iter().filter(|event| !event.cancelled) {
            let moved = moved.get(event.uid).filter(|_| event.instead_of.is_none());
            match event.occurrences(self.window, &mut budget) {
                Ok(walls) => self.occurrences(event, &walls, moved),
                Err(why) => self.fault(format!("{}: {why}", event.describe())),
            }
            if self.shifts.len() > MAX_SHIFTS {
                return;
            }
        }
    }

    /// Whether an event can take the place of another: it is known who has it and how long, or that nobody has.
    fn is_usable(&mut self, event: &Event<'_>) -> bool {
        event.cancelled || (event.span_at_start().is_ok() && self.people.of(event).is_ok())
    }

    /// What is wrong with a series is told once, by its first occurrence that counts.
    fn occurrences(
        &mut self,
        event: &Event<'_>,
        walls: &[jiff::civil::DateTime],
        moved: Option<&Exceptions>,
    ) {
        let mut told = false;
        for wall in walls {
            if self.shifts.len() > MAX_SHIFTS {
                return;
            }
            if let Err(why) = self.occurrence(event, *wall, moved)
                && !std::mem::replace(&mut told, true)
            {
                self.fault(format!("{}: {why}", event.describe_at(*wall)));
            }
        }
    }

    fn occurrence(
        &mut self,
        event: &Event<'_>,
        wall: jiff::civil::DateTime,
        moved: Option<&Exceptions>,
    ) -> Result<(), String> {
        let (from, until) = event.span(wall)?;
        let excepted = |exceptions: &Exceptions| exceptions.has(from, wall);
        let counts = until > self.window.from && from < self.window.until;
        if counts && !excepted(&event.without) && !moved.is_some_and(excepted) {
            match self.people.of(event)? {
                Who::One(contact) => self.shifts.push(Shift { from, until, contact }),
                Who::Nobody(why) => return Err(why),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Said, String> {
        if self.shifts.len() > MAX_SHIFTS {
            return Err(format!("it has more than {MAX_SHIFTS} shifts in the next 400 days"));
        }
        if self.untold > 0 {
            self.faults.push(format!("and {} more", self.untold));
        }
        self.shifts.sort_by_key(|shift| (shift.from, shift.until));
        Ok(Said { shifts: self.shifts, left_out: self.faults })
    }
}

#[cfg(test)]
mod tests;
