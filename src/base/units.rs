//! How numbers are written for people: one form each, everywhere.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Unit of a measured value; the suffix names it in conditions (`signals['dr-lag'].value_s`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds, `value_s`.
    Seconds,
    /// Milliseconds, `value_ms`.
    Milliseconds,
    /// Bytes, `value_bytes`.
    Bytes,
    /// A bare number, `value`.
    #[default]
    Number,
}

/// `1 line`, `2 lines`: a count with its noun.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `0.4 s`, `14 s`, `3 min 05 s`, `2 h 05 min`, `4 d 3 h`.
pub fn duration(span: SignedDuration) -> String {
    let sign = if span.is_negative() { "-" } else { "" };
    let span = span.abs();
    let seconds = span.as_secs();
    let text = match seconds {
        0..10 if span.subsec_millis() >= 100 => format!("{:.1} s", span.as_secs_f64()),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    };
    format!("{sign}{text}")
}

/// How old something is, in the largest unit that keeps it short: `0 s`, `12 s`, `3 min`, `2 h 05`, `4 d`.
/// Rounded down, so that nothing looks older than it is; negative when clocks disagree.
pub fn age(span: SignedDuration) -> String {
    let sign = if span.as_secs() < 0 { "-" } else { "" };
    let seconds = span.unsigned_abs().as_secs();
    let text = match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {:02}", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d", seconds / 86_400),
    };
    format!("{sign}{text}")
}

/// A span as a clock: `2:56`, `12:04`, `1:02:03`. The sign is left out: words beside it say what it means.
pub fn clock(span: SignedDuration) -> String {
    let seconds = span.unsigned_abs().as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `512 B`, `3.2 MB`: powers of a thousand.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") }
}

/// A measured value in its unit.
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => {
            SignedDuration::try_from_secs_f64(value).map_or_else(|_| format!("{value} s"), duration)
        }
        Unit::Milliseconds if value < 1_000.0 => format!("{value:.0} ms"),
        Unit::Milliseconds => self::value(value / 1_000.0, Unit::Seconds),
        Unit::Bytes => bytes(value.max(0.0) as u64),
        Unit::Number if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        Unit::Number => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_units_at_most() {
        let text = |millis| duration(SignedDuration::from_millis(millis));
        assert_eq!(text(0), "0 s");
        assert_eq!(text(420), "0.4 s");
        assert_eq!(text(14_400), "14 s");
        assert_eq!(text(185_000), "3 min 05 s");
        assert_eq!(text(7_500_000), "2 h 05 min");
        assert_eq!(text(356_400_000), "4 d 3 h");
        assert_eq!(text(-2_500), "-2.5 s");
    }

    #[test]
    fn bytes_are_powers_of_a_thousand() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(3_200_000), "3.2 MB");
        assert_eq!(bytes(999_960), "1.0 MB");
    }

    #[test]
    fn ages_keep_one_unit() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_500, "2 h 05"),
            (172_799, "47 h 59"),
            (345_600, "4 d"),
            (-5, "-5 s"),
        ] {
            assert_eq!(age(SignedDuration::from_secs(seconds)), text);
        }
        assert_eq!(age(SignedDuration::from_millis(-900)), "0 s");
    }

    #[test]
    fn clocks_grow_hours_when_they_need_them() {
        let text = |seconds| clock(SignedDuration::from_secs(seconds));
        assert_eq!([text(176), text(724), text(3_723), text(-70)], ["2:56", "12:04", "1:02:03", "1:10"]);
    }
}
