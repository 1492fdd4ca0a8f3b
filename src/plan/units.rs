//! Durations and sizes as they are written in a plan: never a number without its unit.

use jiff::SignedDuration;

/// Why a text is no duration or size, with what was probably meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UnitError {
    pub(crate) message: String,
    /// Each as it could be written.
    pub(crate) meant: Vec<String>,
}

impl UnitError {
    /// What was meant, or what is usual.
    pub(crate) fn help(&self, usual: &str) -> String {
        match &self.meant[..] {
            [] => usual.to_owned(),
            meant => format!("did you mean `{}`?", meant.join("` or `")),
        }
    }
}

const DURATIONS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("w", 604_800.0)];

/// Other spellings of duration units.
const DURATION_WORDS: [(&str, &[&str]); 6] = [
    ("ms", &["msec", "msecs", "millis", "millisecond", "milliseconds"]),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
    ("d", &["day", "days"]),
    ("w", &["wk", "week", "weeks"]),
];

/// Decimal units are powers of 1000, binary ones of 1024 (IEC 80000-13).
const SIZES: [(&str, f64); 9] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// Ten years: longer is a slip.
const MAX_SECONDS: f64 = 10.0 * 366.0 * 86_400.0;

/// `30s`, `15m`, `1h 30m`, `1.5h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, UnitError> {
    let unknown = || UnitError {
        message: format!("`{}` is not a duration", crate::base::text::clean(text, 40)),
        meant: meant_duration(text),
    };
    let parts = parts(text).ok_or_else(unknown)?;
    let mut seconds = 0.0;
    for (number, unit) in &parts {
        let (_, factor) = DURATIONS.iter().find(|(name, _)| name == unit).ok_or_else(unknown)?;
        seconds += number * factor;
    }
    if parts.is_empty() {
        return Err(unknown());
    }
    if seconds > MAX_SECONDS {
        return Err(UnitError { message: format!("`{text}` is longer than ten years"), meant: Vec::new() });
    }
    Ok(SignedDuration::from_millis((seconds * 1000.0).round() as i64))
}

/// `500 MB`, `1.5 GiB`, `0 B`.
pub(crate) fn parse_size(text: &str) -> Result<i64, UnitError> {
    let unknown = || UnitError {
        message: format!("`{}` is not a size", crate::base::text::clean(text, 40)),
        meant: meant_size(text),
    };
    let parts = parts(text).ok_or_else(unknown)?;
    let [(number, unit)] = &parts[..] else { return Err(unknown()) };
    let (_, factor) = SIZES.iter().find(|(name, _)| name == unit).ok_or_else(unknown)?;
    let bytes = number * factor;
    if bytes > 1e18 {
        return Err(UnitError { message: format!("`{text}` is larger than 1000 PB"), meant: Vec::new() });
    }
    Ok(bytes.round() as i64)
}

/// `1h 30m`, as it is written in a plan.
pub fn format_duration(duration: SignedDuration) -> String {
    let mut millis = duration.as_millis().max(0);
    let mut parts = Vec::new();
    for (name, unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= unit {
            parts.push(format!("{}{name}", millis / unit));
            millis %= unit;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// Numbers with the words after them: `1h 30m` is (1, h), (30, m).
fn parts(text: &str) -> Option<Vec<(f64, &str)>> {
    let mut rest = text.trim();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.strip_prefix(' ').unwrap_or(after);
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        parts.push((number.parse().ok()?, unit));
        rest = after.trim_start();
        if parts.len() > 6 {
            return None;
        }
    }
    Some(parts)
}

fn meant_duration(text: &str) -> Vec<String> {
    let text = text.replace(',', " ");
    let parts = parts(&text).unwrap_or_default();
    // A number alone is as likely in minutes as in seconds.
    if let [(number, "")] = &parts[..] {
        return vec![format!("{number}s"), format!("{number}m")];
    }
    let mut meant = Vec::new();
    for (number, unit) in parts {
        let lower = unit.to_lowercase();
        let known = DURATION_WORDS.iter().find(|(name, words)| *name == lower || words.contains(&&*lower));
        let name = match known {
            Some((name, _)) => name,
            None => return Vec::new(),
        };
        meant.push(format!("{number}{name}"));
    }
    if meant.is_empty() { meant } else { vec![meant.join(" ")] }
}

fn meant_size(text: &str) -> Vec<String> {
    let parts = parts(text).unwrap_or_default();
    let [(number, unit)] = &parts[..] else { return Vec::new() };
    let lower = unit.to_lowercase();
    let known =
        |name: &str| name.to_lowercase() == lower || name.to_lowercase().trim_end_matches('b') == lower;
    let names: Vec<&str> = match &*lower {
        "" => vec!["B", "MB"],
        "byte" | "bytes" => vec!["B"],
        _ => SIZES.iter().map(|(name, _)| *name).filter(|name| known(name)).take(1).collect(),
    };
    names.into_iter().map(|name| format!("{number} {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("30s", 30_000), ("1h 30m", 5_400_000), ("250ms", 250), ("1.5h", 5_400_000)] {
            assert_eq!(parse_duration(text), Ok(SignedDuration::from_millis(millis)), "{text}");
        }
        for (text, meant) in [
            ("15 min", &["15m"][..]),
            ("30", &["30s", "30m"]),
            ("1h 30", &[]),
            ("2 Hours", &["2h"]),
            ("soon", &[]),
            ("", &[]),
        ] {
            assert_eq!(parse_duration(text).unwrap_err().meant, meant, "{text}");
        }
        assert!(parse_duration("4000d").unwrap_err().message.contains("ten years"));
        assert!(parse_duration("-5s").is_err());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("10 MB"), Ok(10_000_000));
        assert_eq!(parse_size("1.5KiB"), Ok(1536));
        for (text, meant) in
            [("10 mb", &["10 MB"][..]), ("5", &["5 B", "5 MB"]), ("2 G", &["2 GB"]), ("big", &[])]
        {
            assert_eq!(parse_size(text).unwrap_err().meant, meant, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["1d 2h", "1h 30m", "15m", "30s", "250ms", "1m 1s", "0s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
