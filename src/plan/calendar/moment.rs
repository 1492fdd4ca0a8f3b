//! Times as calendars write them: UTC, of a zone, floating, whole days.

use super::zones::Zones;
use icalendar::parser::Property;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A time of a calendar.
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) wall: DateTime,
    pub(super) zone: TimeZone,
    pub(super) is_day: bool,
}

impl Moment {
    pub(super) fn timestamp(&self) -> Result<Timestamp, String> {
        self.zone.to_timestamp(self.wall).map_err(|_| "its time is out of range".into())
    }

    /// The time of a zone's wall clock at this moment.
    pub(super) fn wall_in(&self, zone: &TimeZone) -> Result<DateTime, String> {
        Ok(if self.zone == *zone { self.wall } else { zone.to_datetime(self.timestamp()?) })
    }

    /// The same wall clock at another time.
    pub(super) fn zoned_at(&self, wall: DateTime) -> Result<Zoned, String> {
        wall.to_zoned(self.zone.clone()).map_err(|_| "its time is out of range".into())
    }
}

/// The times of a property, separated by commas. `zone` counts where the property names none.
pub(super) fn moments(
    property: &Property<'_>,
    zones: &Zones,
    zone: &TimeZone,
) -> Result<Vec<Moment>, String> {
    let zone = match parameter(property, "TZID") {
        Some(name) => zones.named(name)?,
        None => zone.clone(),
    };
    let times = property.val.as_str().split(',').map(str::trim).filter(|text| !text.is_empty());
    times.map(|text| moment(text, &zone)).collect()
}

/// The one time of a property.
pub(super) fn one_moment(property: &Property<'_>, zones: &Zones, zone: &TimeZone) -> Result<Moment, String> {
    moments(property, zones, zone)?.into_iter().next().ok_or_else(|| "its time is empty".into())
}

/// `20260105T090000`, `20260105T090000Z` or `20260105`.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<Moment, String> {
    let wrong = || format!("`{}` is no time", crate::base::text::clean(text, 40));
    if text.len() == 8 {
        let day = Date::strptime("%Y%m%d", text).map_err(|_| wrong())?;
        return Ok(Moment { wall: day.to_datetime(Time::midnight()), zone: zone.clone(), is_day: true });
    }
    let (text, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(utc) => (utc, TimeZone::UTC),
        None => (text, zone.clone()),
    };
    let wall = DateTime::strptime("%Y%m%dT%H%M%S", text)
        .or_else(|_| DateTime::strptime("%Y%m%dT%H%M", text))
        .map_err(|_| wrong())?;
    Ok(Moment { wall, zone, is_day: false })
}

pub(super) fn parameter<'a>(property: &'a Property<'_>, name: &str) -> Option<&'a str> {
    let found = property.params.iter().find(|parameter| parameter.key.as_str().eq_ignore_ascii_case(name));
    found.and_then(|parameter| parameter.val.as_ref()).map(|value| value.as_str())
}
