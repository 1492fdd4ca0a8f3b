//! From the text of a calendar to its events, unread.

use super::MAX_BYTES;
use icalendar::parser::{Component, read_calendar_simple};

/// How deep components may lie in each other; an alarm in an event in a calendar is three.
const MAX_DEPTH: usize = 8;

/// The text with every content line on one line. The parser calls itself for each component within another, so that
/// their depth is looked at before.
pub(super) fn unfold(text: &str) -> Result<String, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("it is larger than {} MiB: export fewer days", MAX_BYTES >> 20));
    }
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.strip_prefix([' ', '\t']) {
            Some(rest) => out.push_str(rest),
            None => {
                if !out.is_empty() {
                    out.push_str("\r\n");
                }
                out.push_str(line);
            }
        }
    }
    out.push_str("\r\n");
    let mut depth = 0_usize;
    for line in out.lines() {
        let begins = |word: &str| line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        match (begins("BEGIN:"), begins("END:")) {
            (true, _) => depth += 1,
            (_, true) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err("it is no calendar: its parts lie too deep in each other".into());
        }
    }
    if depth > 0 {
        return Err("it ends in the middle: a part of it has no END".into());
    }
    Ok(out)
}

/// The events of an unfolded calendar, and its definitions of time zones.
pub(super) fn parts(text: &str) -> Result<(Vec<Component<'_>>, Vec<Component<'_>>), String> {
    const BEGIN: &str = "BEGIN:VCALENDAR";
    let begin = text.trim_start().get(..BEGIN.len());
    if !begin.is_some_and(|begin| begin.eq_ignore_ascii_case(BEGIN)) {
        return Err(format!("it is no iCalendar file: it does not begin with {BEGIN}"));
    }
    let roots = read_calendar_simple(text).map_err(|error| {
        let broken = error.input.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        format!("it cannot be understood from `{}` on", crate::text::clean(broken, 60))
    })?;
    let is = |part: &Component<'_>, name: &str| part.name.as_str().eq_ignore_ascii_case(name);
    let parts = roots.into_iter().flat_map(|root| root.components);
    let known = parts.filter(|part| is(part, "VEVENT") || is(part, "VTIMEZONE"));
    Ok(known.partition(|part| is(part, "VEVENT")))
}
