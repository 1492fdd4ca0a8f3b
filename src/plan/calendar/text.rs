//! From the text of a calendar to its events, unread.

use std::borrow::Cow;

use super::MAX_BYTES;
use icalendar::parser::{Component, read_calendar_simple};

/// How deep components may lie in each other; an alarm in an event in a calendar is three.
const MAX_DEPTH: usize = 8;

/// Properties that times and their meaning hang on: a byte that is lost there makes another shift of it.
const OF_TIME: &[&str] = &[
    "BEGIN",
    "END",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "STATUS",
];

/// A calendar's bytes as text. A byte that is no text is replaced where people read it.
///
/// # Errors
/// With its line, where it is in a time.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error.into_bytes(),
    };
    let mut out = String::with_capacity(bytes.len());
    // A line may be folded within a character.
    for (number, line) in joined(&bytes) {
        let text = String::from_utf8_lossy(&line);
        let name = name(&text);
        if matches!(text, Cow::Owned(_)) && OF_TIME.iter().any(|of_time| name.eq_ignore_ascii_case(of_time)) {
            return Err(format!(
                "line {number} ({name}) has a byte that is not UTF-8 text, so that what it says is not known: export it anew, as iCalendar (.ics) in UTF-8"
            ));
        }
        out.push_str(&text);
        out.push_str("\r\n");
    }
    Ok(out)
}

/// The content lines, each with the number of the line that it begins on.
fn joined(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut lines: Vec<(usize, Vec<u8>)> = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, lines.last_mut()) {
            ([b' ' | b'\t', rest @ ..], Some((_, begun))) => begun.extend(rest),
            _ => lines.push((number, line.to_vec())),
        }
    }
    lines
}

/// The name of a content line's property.
fn name(line: &str) -> &str {
    line.split([':', ';']).next().unwrap_or_default().trim_start_matches('\u{feff}')
}

/// A content line with its property's name as the parser wants it: names are alike in any case (RFC 5545, 1.3), and so
/// are those of components.
fn in_upper_case(line: &str) -> Cow<'_, str> {
    let name = name(line);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let of_component = name.eq_ignore_ascii_case("BEGIN") || name.eq_ignore_ascii_case("END");
    match line.split_at(if of_component { line.len() } else { name.len() }) {
        (head, rest) if is_name && head.bytes().any(|byte| byte.is_ascii_lowercase()) => {
            Cow::Owned(head.to_ascii_uppercase() + rest)
        }
        _ => Cow::Borrowed(line),
    }
}

/// The text with every content line on one line. The parser calls itself for each component within another, so that
/// their depth is looked at before.
pub(super) fn unfold(text: &str) -> Result<String, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("it is larger than {} MiB: export fewer days", MAX_BYTES >> 20));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut whole = String::with_capacity(text.len());
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.strip_prefix([' ', '\t']) {
            Some(rest) => whole.push_str(rest),
            None => {
                if !whole.is_empty() {
                    whole.push('\n');
                }
                whole.push_str(line);
            }
        }
    }
    let mut out = String::with_capacity(whole.len() + whole.len() / 16);
    for line in whole.split('\n') {
        out.push_str(&in_upper_case(line));
        out.push_str("\r\n");
    }
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
        format!("it cannot be understood from `{}` on", crate::base::text::clean(broken, 60))
    })?;
    let is = |part: &Component<'_>, name: &str| part.name.as_str().eq_ignore_ascii_case(name);
    let parts = roots.into_iter().flat_map(|root| root.components);
    let known = parts.filter(|part| is(part, "VEVENT") || is(part, "VTIMEZONE"));
    Ok(known.partition(|part| is(part, "VEVENT")))
}
