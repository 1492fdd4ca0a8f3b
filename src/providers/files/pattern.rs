//! Which paths are a series: a pattern with `*`, `?` and parts of a date, in any of its folders.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use regex::Regex;
use std::path::{Path, PathBuf};

/// A pattern of absolute paths.
pub struct Pattern {
    /// As the plan has it.
    pub text: String,
    /// The folder above the first part that stands for several.
    pub base: PathBuf,
    /// The parts below it.
    pub parts: Vec<Part>,
    /// It ends with a slash: only folders match.
    pub folders_only: bool,
}

/// One folder or file name of a pattern.
pub struct Part {
    name: Regex,
    literal: Option<String>,
    /// A leading dot has to stand in the pattern, as in a shell.
    takes_dot: bool,
}

/// What the names of a path say about when it was made.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Dated {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: Option<i8>,
    minute: Option<i8>,
    second: Option<i8>,
}

impl Pattern {
    /// # Errors
    /// Why it cannot be a pattern.
    pub fn of(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("the path must be absolute (`/backup/*.dump`)");
        }
        if text.contains('\0') {
            return Err("no path holds a zero byte");
        }
        let mut names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        let Some(last) = names.pop() else {
            return Err("it takes a folder and a file name (`/backup/*.dump`)");
        };
        if names.iter().chain([&last]).any(|name| matches!(*name, "." | "..")) {
            return Err("write the path without `.` and `..` (`/backup/*.dump`)");
        }
        let is_plain = |name: &&&str| !name.contains(['*', '?', '%']);
        let plain = names.iter().take_while(is_plain).count();
        let mut base = PathBuf::from("/");
        base.extend(&names[..plain]);
        let mut parts = names[plain..].iter().map(|name| Part::of(name)).collect::<Result<Vec<_>, _>>()?;
        parts.push(Part::of(last)?);
        Ok(Self { text: text.to_owned(), base, parts, folders_only: text.ends_with('/') })
    }
}

impl Part {
    fn of(name: &str) -> Result<Self, &'static str> {
        let mut pattern = String::from(r"(?s)\A");
        let mut characters = name.chars();
        let mut named = Vec::new();
        while let Some(character) = characters.next() {
            match character {
                '*' => pattern.push_str(".*"),
                '?' => pattern.push('.'),
                '%' => pattern.push_str(&date_part(characters.next(), &mut named)?),
                other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            }
        }
        pattern.push_str(r"\z");
        let literal = (!name.contains(['*', '?', '%'])).then(|| name.to_owned());
        let name_pattern = Regex::new(&pattern).map_err(|_| "the name is too long")?;
        Ok(Self { name: name_pattern, literal, takes_dot: name.starts_with('.') })
    }

    /// The name, where it is only one.
    pub fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// Whether a name fits, and what it adds to what is known of the date.
    pub fn fits(&self, name: &str, dated: Dated) -> Option<Dated> {
        if name.starts_with('.') && !self.takes_dot {
            return None;
        }
        let found = self.name.captures(name)?;
        let number = |part: &str| found.name(part)?.as_str().parse::<i16>().ok();
        let small = |part: &str| number(part).and_then(|number| i8::try_from(number).ok());
        Some(Dated {
            year: number("Y").or_else(|| number("y").map(|year| 2000 + year)).or(dated.year),
            month: small("m").or(dated.month),
            day: small("d").or(dated.day),
            day_of_year: number("j").or(dated.day_of_year),
            hour: small("H").or(dated.hour),
            minute: small("M").or(dated.minute),
            second: small("S").or(dated.second),
        })
    }
}

fn date_part(letter: Option<char>, named: &mut Vec<char>) -> Result<String, &'static str> {
    let digits = match letter {
        Some('%') => return Ok("%".into()),
        Some('Y') => 4,
        Some('j') => 3,
        Some('m' | 'd' | 'H' | 'M' | 'S' | 'y') => 2,
        _ => return Err("of dates it takes %Y, %m, %d, %j, %y, %H, %M and %S; a percent sign is written %%"),
    };
    let letter = letter.unwrap_or_default();
    if named.contains(&letter) {
        return Ok(format!("[0-9]{{{digits}}}"));
    }
    named.push(letter);
    Ok(format!("(?<{letter}>[0-9]{{{digits}}})"))
}

impl Dated {
    /// The moment, in this host's time zone; midnight where only the day is named. None where no whole date is named.
    pub fn moment(self) -> Option<Timestamp> {
        let year = self.year?;
        let date = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => Date::new(year, month, day).ok()?,
            (_, _, Some(number)) => {
                Date::new(year, 1, 1).ok()?.checked_add(jiff::Span::new().days(number - 1)).ok()?
            }
            _ => return None,
        };
        let time =
            Time::new(self.hour.unwrap_or(0), self.minute.unwrap_or(0), self.second.unwrap_or(0), 0).ok()?;
        let zoned = DateTime::from_parts(date, time).to_zoned(TimeZone::system()).ok()?;
        Some(zoned.timestamp())
    }
}

/// A path below the base of a pattern, for people.
pub fn shown(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, names: &[&str]) -> Option<Dated> {
        let pattern = Pattern::of(pattern).unwrap();
        assert_eq!(pattern.parts.len(), names.len());
        pattern
            .parts
            .iter()
            .zip(names)
            .try_fold(Dated::default(), |dated, (part, name)| part.fits(name, dated))
    }

    #[test]
    fn patterns_may_stand_for_several_folders_and_have_dates() {
        assert!(fits("/b/a.b?[x]*", &["a.bc[x]yz"]).is_some());
        assert!(fits("/b/a.b", &["aXb"]).is_none());
        assert!(fits("/b/*/db.dump", &["2026-11-01", "db.dump"]).is_some());
        let of = |pattern: &str, names: &[&str]| {
            let moment = fits(pattern, names)?.moment()?;
            Some(moment.to_zoned(TimeZone::system()).strftime("%F %T").to_string())
        };
        assert_eq!(
            of("/b/%Y/%m-%d/*.gz", &["2026", "11-03", "x.gz"]).as_deref(),
            Some("2026-11-03 00:00:00")
        );
        assert_eq!(
            of("/b/db_%Y%m%d-%H%M%S.gz", &["db_20261103-023001.gz"]).as_deref(),
            Some("2026-11-03 02:30:01")
        );
        assert_eq!(of("/b/%Y%j.gz", &["2026032.gz"]).as_deref(), Some("2026-02-01 00:00:00"));
        assert_eq!(of("/b/db-%Y-%m-%d.gz", &["db-2026-02-31.gz"]), None);
        assert_eq!(of("/b/%Y/x", &["2026", "x"]), None, "a year alone is no date");
        assert!(fits("/b/%Y.gz", &["latest.gz"]).is_none());
    }

    #[test]
    fn a_leading_dot_has_to_be_in_the_pattern() {
        assert!(fits("/b/*", &[".db-new.dump.Xy12"]).is_none());
        assert!(fits("/b/.*.dump", &[".db.dump"]).is_some());
        assert!(fits("/b/*/x", &[".snapshot", "x"]).is_none());
    }

    #[test]
    fn what_cannot_be_a_pattern_is_said() {
        for bad in ["*.dump", "/", "relative/x", "/b/%q.gz", "/b/x%"] {
            assert!(Pattern::of(bad).is_err(), "{bad}");
        }
        assert_eq!(Pattern::of("/b/c/*/x%%.gz").unwrap().base, Path::new("/b/c"));
    }
}
