//! One event of a calendar.

use super::Window;
use super::moment::{Moment, moments, one_moment, parameter};
use super::recurrence::{Budget, Exceptions, Rule};
use super::zones::Zones;
use icalendar::parser::{Component, Property};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Span, Timestamp};

/// An event, with its times read.
pub(super) struct Event<'a> {
    pub(super) uid: &'a str,
    pub(super) summary: &'a str,
    pub(super) attendees: Vec<Attendee<'a>>,
    pub(super) cancelled: bool,
    /// The occurrence of a series that it stands for.
    pub(super) instead_of: Option<Moment>,
    /// Occurrences that do not take place.
    pub(super) without: Exceptions,
    start: Moment,
    length: Length,
    rules: Vec<&'a str>,
    more: Vec<Moment>,
}

/// Somebody who was asked to an event.
pub(super) struct Attendee<'a> {
    /// The address, without `mailto:`.
    pub(super) address: &'a str,
    pub(super) name: Option<&'a str>,
    /// They declined, or gave it to somebody else, who is an attendee of their own (RFC 5545, 3.2.12).
    pub(super) is_out: bool,
}

impl<'a> Attendee<'a> {
    fn read(property: &'a Property<'_>) -> Self {
        let address = property.val.as_str().trim();
        let bare = address.get(7..).filter(|_| address.to_ascii_lowercase().starts_with("mailto:"));
        let status = parameter(property, "PARTSTAT").map(|status| status.trim().trim_matches('"'));
        let is_out =
            |status: &str| ["DECLINED", "DELEGATED"].iter().any(|out| status.eq_ignore_ascii_case(out));
        Self {
            address: bare.unwrap_or(address).trim(),
            name: parameter(property, "CN").map(|name| name.trim_matches('"')),
            is_out: status.is_some_and(is_out),
        }
    }
}

/// How long an event lasts.
enum Length {
    /// By the wall clock: a shift until 09:00 ends at 09:00 on the day when the clocks change, too.
    Wall(SignedDuration),
    /// In elapsed time.
    Exact(SignedDuration),
    /// Days by the wall clock, hours elapsed.
    Span(Span),
}

impl<'a> Event<'a> {
    /// Reads an event; the error says which event it is.
    pub(super) fn read(component: &'a Component<'_>, zones: &Zones) -> Result<Self, String> {
        let summary = text(component, "SUMMARY");
        let about = || match component.find_prop("DTSTART").map(|start| start.val.as_str()) {
            Some(start) => {
                format!("the event of {} (`{}`)", crate::base::text::clean(start, 30), short(summary))
            }
            None => format!("an event (`{}`)", short(summary)),
        };
        Self::times(component, summary, zones).map_err(|why| format!("{}: {why}", about()))
    }

    fn times(component: &'a Component<'_>, summary: &'a str, zones: &Zones) -> Result<Self, String> {
        let start = component.find_prop("DTSTART").ok_or("it has no DTSTART")?;
        let start = one_moment(start, zones, &zones.floating)?;
        let instead_of = component.find_prop("RECURRENCE-ID");
        if instead_of.is_some_and(|property| parameter(property, "RANGE").is_some()) {
            return Err(
                "it changes all occurrences from one on (RANGE), which is not read: make it two series"
                    .into(),
            );
        }
        let mut without = Exceptions::default();
        for property in all(component, "EXDATE") {
            let times = moments(property, zones, &start.zone)?;
            times.iter().for_each(|moment| without.add_to(&start, moment));
        }
        if all(component, "EXRULE").next().is_some() {
            return Err(
                "it leaves occurrences out by a rule (EXRULE), which is not read: name them in EXDATE".into(),
            );
        }
        let is_period = |property: &Property<'_>| {
            parameter(property, "VALUE").is_some_and(|value| value.eq_ignore_ascii_case("PERIOD"))
        };
        if all(component, "RDATE").any(is_period) {
            return Err("it names further times with their length (RDATE with VALUE=PERIOD), which is not read: make \
                        events of them"
                .into());
        }
        let more: Result<Vec<Vec<Moment>>, String> =
            all(component, "RDATE").map(|property| moments(property, zones, &start.zone)).collect();
        Ok(Self {
            uid: text(component, "UID"),
            summary,
            attendees: all(component, "ATTENDEE").map(Attendee::read).collect(),
            cancelled: is_cancelled(component),
            instead_of: instead_of.map(|property| one_moment(property, zones, &start.zone)).transpose()?,
            without,
            length: length(component, &start, zones)?,
            rules: all(component, "RRULE").map(|property| property.val.as_str()).collect(),
            more: more?.into_iter().flatten().collect(),
            start,
        })
    }

    /// When its occurrences begin on its wall clock, as far as they can touch the window.
    pub(super) fn occurrences(&self, window: Window, budget: &mut Budget) -> Result<Vec<DateTime>, String> {
        let (from, until) = self.span(self.start.wall)?;
        if self.rules.is_empty() {
            let more = self.more.iter().map(|moment| moment.wall_in(&self.start.zone));
            let mut all: Vec<DateTime> =
                std::iter::once(Ok(self.start.wall)).chain(more).collect::<Result<_, _>>()?;
            all.sort_unstable();
            all.dedup();
            return Ok(all);
        }
        // A day more on both sides: the edges are on the wall clock of a zone.
        let margin = SignedDuration::from_hours(24).saturating_add(until.duration_since(from));
        let zone = &self.start.zone;
        let wall = |moment: Result<Timestamp, jiff::Error>, far| zone.to_datetime(moment.unwrap_or(far));
        let first = wall(window.from.checked_sub(margin), Timestamp::MIN);
        let last = wall(window.until.checked_add(margin), Timestamp::MAX);
        let mut found = Vec::new();
        for rule in &self.rules {
            let rule = Rule::read(rule, &self.start)?;
            rule.expand(&self.start, first..last, budget, &mut found)?;
        }
        for moment in &self.more {
            found.push(moment.wall_in(zone)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// From when until when the occurrence lasts that begins then.
    pub(super) fn span(&self, wall: DateTime) -> Result<(Timestamp, Timestamp), String> {
        let out_of_range = |_| "its end is out of range".to_owned();
        let from = self.start.zoned_at(wall)?;
        let until = match &self.length {
            Length::Wall(length) => {
                let end = wall.checked_add(*length).map_err(out_of_range)?;
                self.start.zoned_at(end)?.timestamp()
            }
            Length::Exact(length) => from.timestamp().checked_add(*length).map_err(out_of_range)?,
            Length::Span(length) => from.checked_add(*length).map_err(out_of_range)?.timestamp(),
        };
        if until <= from.timestamp() {
            return Err("it does not end after it begins".into());
        }
        Ok((from.timestamp(), until))
    }

    /// The same of its own time.
    pub(super) fn span_at_start(&self) -> Result<(Timestamp, Timestamp), String> {
        self.span(self.start.wall)
    }

    pub(super) fn describe(&self) -> String {
        self.describe_at(self.start.wall)
    }

    /// The event at one of its times, in words.
    pub(super) fn describe_at(&self, wall: DateTime) -> String {
        let zone = match self.start.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => {
                self.start.zoned_at(wall).map_or_else(|_| "UTC".into(), |at| format!("UTC{}", at.offset()))
            }
        };
        let at = if self.start.is_day { wall.strftime("%Y-%m-%d") } else { wall.strftime("%Y-%m-%d %H:%M") };
        format!("the event of {at} {zone} (`{}`)", short(self.summary))
    }
}

fn is_cancelled(component: &Component<'_>) -> bool {
    text(component, "STATUS").eq_ignore_ascii_case("CANCELLED")
}

fn length(component: &Component<'_>, start: &Moment, zones: &Zones) -> Result<Length, String> {
    let end = component.find_prop("DTEND").map(|end| one_moment(end, zones, &zones.floating)).transpose()?;
    match (end, component.find_prop("DURATION")) {
        (Some(end), _) if end.zone == start.zone => Ok(Length::Wall(end.wall.duration_since(start.wall))),
        (Some(end), _) => Ok(Length::Exact(end.timestamp()?.duration_since(start.timestamp()?))),
        (None, Some(duration)) => {
            let text = duration.val.as_str().trim();
            let wrong = |_| format!("`{}` is no duration", crate::base::text::clean(text, 40));
            text.parse().map(Length::Span).map_err(wrong)
        }
        (None, None) if start.is_day => Ok(Length::Wall(SignedDuration::from_hours(24))),
        // What does not take place has no length, and need not give one (RFC 5545, 3.6.1).
        (None, None) if is_cancelled(component) => Ok(Length::Exact(SignedDuration::from_secs(1))),
        (None, None) => Err("it has neither DTEND nor DURATION".into()),
    }
}

fn all<'a, 'b>(component: &'a Component<'b>, name: &'static str) -> impl Iterator<Item = &'a Property<'b>> {
    component.properties.iter().filter(move |property| property.name.as_str().eq_ignore_ascii_case(name))
}

fn text<'a>(component: &'a Component<'_>, name: &str) -> &'a str {
    component.find_prop(name).map_or("", |property| property.val.as_str().trim())
}

fn short(summary: &str) -> String {
    crate::base::text::clean(summary, 60)
}
