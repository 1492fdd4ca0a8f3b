//! A time zone by its definition (VTIMEZONE, RFC 5545 section 3.6.5).

use super::moment::moment;
use icalendar::parser::Component;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Days before each month, in a year that is no leap year.
const DAYS_BEFORE: [i16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
/// How long ago a change of clocks may lie that shifts could still begin before, and how far ahead.
const AROUND: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A time that the clocks keep from an onset on.
struct Observance {
    is_daylight: bool,
    to: Offset,
    begins: DateTime,
    /// Its yearly onset, as POSIX writes it; none where it begins once.
    yearly: Option<String>,
}

/// The zone of a definition, as its rules are at a moment.
pub(super) fn zone(definition: &Component<'_>, now: Timestamp) -> Result<TimeZone, String> {
    let mut all = Vec::new();
    for part in &definition.components {
        let name = part.name.as_str();
        let is_daylight = name.eq_ignore_ascii_case("DAYLIGHT");
        if is_daylight || name.eq_ignore_ascii_case("STANDARD") {
            all.extend(observance(part, is_daylight, now)?);
        }
    }
    let yearly = |daylight: bool| {
        let its = all.iter().filter(|one: &&Observance| one.is_daylight == daylight && one.yearly.is_some());
        its.max_by_key(|one| one.begins)
    };
    match (yearly(false), yearly(true)) {
        (Some(standard), Some(daylight)) if standard.to != daylight.to => posix(standard, daylight),
        (None, None) => once(&all, now),
        (Some(one), _) | (_, Some(one)) if all.iter().all(|other| other.to == one.to) => {
            Ok(TimeZone::fixed(one.to))
        }
        _ => Err("of summer and winter only one comes every year".into()),
    }
}

/// The clocks were changed once or never.
fn once(all: &[Observance], now: Timestamp) -> Result<TimeZone, String> {
    let today = now.to_zoned(TimeZone::UTC).datetime();
    let is_near = |one: &&Observance| one.begins.duration_since(today).abs() < AROUND;
    let last = all.iter().filter(|one| one.begins <= today).max_by_key(|one| one.begins);
    let last = last.or_else(|| all.iter().min_by_key(|one| one.begins)).ok_or("it has no STANDARD")?;
    match all.iter().filter(is_near).any(|one| one.to != last.to) {
        true => Err("its clocks change by dates, not by a yearly rule".into()),
        false => Ok(TimeZone::fixed(last.to)),
    }
}

fn posix(standard: &Observance, daylight: &Observance) -> Result<TimeZone, String> {
    let rule = |one: &Observance| one.yearly.clone().unwrap_or_default();
    let text = format!(
        "<WINTER>{}<SUMMER>{},{},{}",
        west(standard.to),
        west(daylight.to),
        rule(daylight),
        rule(standard)
    );
    TimeZone::posix(&text).map_err(|_| "its rules are none that a zone has".into())
}

/// An offset as POSIX writes it: positive is west.
fn west(offset: Offset) -> String {
    let sign = if offset.seconds() > 0 { "-" } else { "" };
    let seconds = offset.seconds().abs();
    format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// None where it ended before shifts are told.
fn observance(part: &Component<'_>, is_daylight: bool, now: Timestamp) -> Result<Option<Observance>, String> {
    let text = |name: &str| part.find_prop(name).map(|property| property.val.as_str().trim());
    let to = offset(text("TZOFFSETTO").ok_or("it has no TZOFFSETTO")?)?;
    let begins = moment(text("DTSTART").ok_or("it has no DTSTART")?, &TimeZone::UTC)?.wall;
    if text("RDATE").is_some() {
        return Err("its clocks change by dates, not by a yearly rule".into());
    }
    let Some(rule) = text("RRULE") else {
        return Ok(Some(Observance { is_daylight, to, begins, yearly: None }));
    };
    let part = |name: &str| {
        let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    if let Some(until) = part("UNTIL") {
        let until = moment(until, &TimeZone::UTC)?.timestamp()?;
        if now.duration_since(until) > AROUND {
            return Ok(None);
        }
    }
    let is_yearly = part("FREQ").is_some_and(|freq| freq.eq_ignore_ascii_case("YEARLY"))
        && part("INTERVAL").is_none_or(|interval| interval == "1")
        && part("COUNT").is_none();
    let day = onset(begins, &part).filter(|_| is_yearly);
    let day = day.ok_or_else(|| format!("`{}` is not read", crate::base::text::clean(rule, 80)))?;
    let yearly = format!("{day}/{}:{:02}:{:02}", begins.hour(), begins.minute(), begins.second());
    Ok(Some(Observance { is_daylight, to, begins, yearly: Some(yearly) }))
}

/// `M10.5.0` for the last Sunday of October, `J59` for the last day of February.
fn onset<'a>(begins: DateTime, part: &impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let month: usize = match part("BYMONTH") {
        Some(month) => month.parse().ok()?,
        None => usize::try_from(begins.month()).ok()?,
    };
    let before = DAYS_BEFORE.get(month.checked_sub(1)?)?;
    let days: Vec<i16> = match part("BYMONTHDAY") {
        Some(days) => days.split(',').map(|day| day.trim().parse().ok()).collect::<Option<_>>()?,
        None => Vec::new(),
    };
    let Some(day) = part("BYDAY") else {
        return match (&*days, part("BYMONTHDAY")) {
            ([day], _) if (1..=31).contains(day) => Some(format!("J{}", before + day)),
            ([], None) => Some(format!("J{}", before + i16::from(begins.day()))),
            _ => None,
        };
    };
    let (number, day) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let week: i8 = match (number, part("BYSETPOS"), &*days) {
        ("", Some(place), []) => place.parse().ok()?,
        ("", None, [first, .., last]) if last - first == 6 => week_from(*first, month)?,
        ("", ..) => return None,
        (number, ..) => number.parse().ok()?,
    };
    let week = match week {
        -1 => 5,
        1..=4 => week,
        _ => return None,
    };
    Some(format!("M{month}.{week}.{}", weekday(day)?.to_sunday_zero_offset()))
}

/// Which of a weekday is meant by seven days of a month, by the first of them.
fn week_from(first: i16, month: usize) -> Option<i8> {
    match first {
        1 | 8 | 15 | 22 => i8::try_from(first / 7 + 1).ok(),
        25 if matches!(month, 1 | 3 | 5 | 7 | 8 | 10 | 12) => Some(-1),
        24 if matches!(month, 4 | 6 | 9 | 11) => Some(-1),
        _ => None,
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match &*text.to_ascii_uppercase() {
        "SU" => Weekday::Sunday,
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        _ => return None,
    })
}

fn offset(text: &str) -> Result<Offset, String> {
    let wrong = || format!("`{}` is no offset", crate::base::text::clean(text, 20));
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(wrong()),
    };
    let two =
        |at: usize| digits.get(at..at + 2).map_or(Ok(0), |part| part.parse::<i32>().map_err(|_| wrong()));
    let seconds = two(0)? * 3600 + two(2)? * 60 + two(4)?;
    Offset::from_seconds(sign * seconds).map_err(|_| wrong())
}
