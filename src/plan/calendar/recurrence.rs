//! Series of events, at a bounded cost.

use super::moment::{Moment, moment};
use icalendar::rrule::RRuleSet;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::ops::Range;

/// How long ago a series may have begun.
const OLDEST_YEARS: i16 = 20;
/// The most series of one calendar.
const MAX_SERIES: u32 = 500;
/// The most occurrences that are gone through, of all series together.
const MAX_STEPS: u32 = 200_000;
/// Longest rule.
const MAX_RULE: usize = 500;

/// What going through the series of a calendar may still cost.
pub(super) struct Budget {
    series: u32,
    steps: u32,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { series: MAX_SERIES, steps: MAX_STEPS }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.series == 0 || self.steps == 0
    }

    /// A rule that never comes again is gone through to the end of time: a calendar may have a few.
    fn spend_on_never(&mut self) {
        self.steps = self.steps.saturating_sub(MAX_STEPS / 4);
    }
}

/// Occurrences that do not take place.
#[derive(Default)]
pub(super) struct Exceptions {
    instants: HashSet<Timestamp>,
    days: HashSet<Date>,
}

impl Exceptions {
    pub(super) fn add(&mut self, moment: &Moment) {
        match moment.timestamp() {
            _ if moment.is_day => drop(self.days.insert(moment.wall.date())),
            Ok(instant) => drop(self.instants.insert(instant)),
            Err(_) => {} // nothing takes place then
        }
    }

    /// The same for an event. Of one that lasts whole days it is the day that counts, however the exception writes it.
    pub(super) fn add_to(&mut self, event: &Moment, moment: &Moment) {
        self.add(&Moment { is_day: moment.is_day || event.is_day, ..moment.clone() });
    }

    pub(super) fn has(&self, from: Timestamp, wall: DateTime) -> bool {
        self.instants.contains(&from) || self.days.contains(&wall.date())
    }
}

/// A rule of recurrence that was looked at.
pub(super) struct Rule {
    /// Without its end, which is kept here: a rule that yields nothing must be told from one that is over.
    rule: String,
    until: Option<DateTime>,
    count: Option<u32>,
}

impl Rule {
    pub(super) fn read(text: &str, start: &Moment) -> Result<Self, String> {
        let mut rule = Self { rule: String::new(), until: None, count: None };
        if text.len() > MAX_RULE {
            return Err("its rule of recurrence is too long".into());
        }
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("`{}` is no rule of recurrence", crate::base::text::clean(text, 60)));
            };
            let (key, value) = (key.trim().to_ascii_uppercase(), value.trim());
            match &*key {
                "UNTIL" => {
                    rule.until = Some(until(value, start)?);
                    continue;
                }
                "FREQ"
                    if !["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].contains(&&*value.to_ascii_uppercase()) =>
                {
                    let freq = crate::base::text::clean(value, 20);
                    return Err(format!("it recurs {freq}: shifts recur daily, weekly, monthly or yearly"));
                }
                "BYMINUTE" | "BYSECOND" if value.contains(',') => {
                    return Err(format!(
                        "it begins several times within an hour ({key}), which no shift does"
                    ));
                }
                "COUNT" => rule.count = value.parse().ok(),
                _ => {}
            }
            if !rule.rule.is_empty() {
                rule.rule.push(';');
            }
            rule.rule.push_str(&format!("{key}={value}"));
        }
        Ok(rule)
    }

    /// Adds when the occurrences within a time of the event's wall clock begin. The rule is gone through on the
    /// wall clock as if that were UTC, so that the clocks' change moves nothing.
    pub(super) fn expand(
        &self,
        start: &Moment,
        within: Range<DateTime>,
        budget: &mut Budget,
        found: &mut Vec<DateTime>,
    ) -> Result<(), String> {
        if start.wall >= within.end {
            return Ok(());
        }
        if start.wall.year() < within.start.year() - OLDEST_YEARS {
            return Err(format!("its series began more than {OLDEST_YEARS} years ago: begin it anew"));
        }
        budget.series = budget.series.saturating_sub(1);
        if budget.is_spent() {
            return Err(too_many());
        }
        let text = format!("DTSTART:{}\nRRULE:{}", start.wall.strftime("%Y%m%dT%H%M%SZ"), self.rule);
        let wrong = |_| format!("`{}` is no rule of recurrence", crate::base::text::clean(&self.rule, 60));
        let set: RRuleSet = text.parse().map_err(wrong)?;
        let set = set.limit();
        let mut seen = 0;
        for date in &set {
            let instant = Timestamp::from_second(date.timestamp()).map_err(|_| "its time is out of range")?;
            let wall = TimeZone::UTC.to_datetime(instant);
            seen += 1;
            budget.steps = budget.steps.saturating_sub(1);
            if wall >= within.end || self.until.is_some_and(|until| wall > until) {
                return Ok(());
            }
            if budget.is_spent() {
                return Err(too_many());
            }
            if wall >= within.start {
                found.push(wall);
            }
        }
        if self.count.is_none_or(|count| seen < count) {
            budget.spend_on_never();
            return Err(format!("its rule `{}` never comes again", crate::base::text::clean(&self.rule, 60)));
        }
        Ok(())
    }
}

fn too_many() -> String {
    format!("the calendar has more than {MAX_SERIES} series, or they recur too often")
}

/// The end of a series on the wall clock of its event; a day counts to its end.
fn until(text: &str, start: &Moment) -> Result<DateTime, String> {
    let until = moment(text, &start.zone)?;
    if until.is_day {
        let end = until.wall.date().to_datetime(jiff::civil::Time::MAX);
        return Ok(end);
    }
    until.wall_in(&start.zone)
}
