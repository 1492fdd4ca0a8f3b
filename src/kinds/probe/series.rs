//! Backups that are made again and again: what is odd about the newest one.

use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use std::sync::LazyLock;

/// A newest one smaller than this is critical.
pub const MIN_SIZE: Key =
    Key::default("min_size", Takes::Size, "1 B", "A newest one smaller than this is critical.");

/// How much smaller than usual is a warning.
pub const SIZE_DROP: Key = Key::default(
    "size_drop",
    Takes::Integer(1, 100),
    "30",
    "Percent by which the newest one may be smaller than the median of the previous ones before it is a warning; 100 \
     turns it off.",
);

/// What is usual.
pub const PREVIOUS: Key =
    Key::default("previous", Takes::Integer(1, 100), "7", "How many previous ones make the median.");

/// Whether names have the date of the backup.
pub const DATES_IN_NAMES: Key = Key::default(
    "dates_in_names",
    Takes::Flag,
    "true",
    "Whether a date in a name is that of the backup: days away from its own time is then a warning.",
);

/// What sizes are good.
pub struct Sizes {
    min_bytes: u64,
    drop_percent: i64,
    /// How many previous ones make the median.
    pub previous: usize,
}

impl Sizes {
    /// From [`MIN_SIZE`], [`SIZE_DROP`] and [`PREVIOUS`].
    pub fn of(params: &Params) -> Self {
        Self {
            min_bytes: params.integer("min_size").map_or(1, |bytes| bytes.max(0).unsigned_abs()),
            drop_percent: params.integer("size_drop").unwrap_or(30),
            previous: params.integer("previous").and_then(|count| usize::try_from(count).ok()).unwrap_or(7),
        }
    }

    /// A size against the least one and the usual one.
    pub fn judge(&self, bytes: u64, median: Option<u64>) -> Verdict {
        if bytes < self.min_bytes {
            return Verdict::Critical(format!(
                "only {}, at least {} expected",
                size(bytes),
                size(self.min_bytes)
            ));
        }
        match median {
            Some(median) if self.drop_percent < 100 => {
                let dropped = 100.0 * (1.0 - bytes as f64 / median.max(1) as f64);
                if dropped >= self.drop_percent as f64 {
                    let usual = size(median);
                    return Verdict::Warn(format!("{dropped:.0} % smaller than usual ({usual})"));
                }
                Verdict::Good
            }
            _ => Verdict::Good,
        }
    }
}

/// A time in the future is a clock or a copy gone wrong; its age is not to be trusted. A minute is within
/// what clocks of two hosts may differ.
pub fn judge_age(age: SignedDuration) -> Verdict {
    if age < SignedDuration::from_mins(-1) {
        let ahead = in_words(-age);
        return Verdict::Warn(format!("its time is {ahead} in the future: the age cannot be trusted"));
    }
    Verdict::Good
}

/// Ends of names under which programs write a file before they rename it.
const UNFINISHED: [&str; 24] = [
    ".tmp",
    "_tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".incomplete",
    ".inprogress",
    ".unfinished",
    ".writing",
    ".wip",
    ".new",
    ".crdownload",
    ".download",
    ".uploading",
    ".copying",
    ".incoming",
    ".failed",
    ".broken",
    ".corrupt",
    ".aria2",
    ".lock",
    ".swp",
    "~",
];
/// Ends of names of what is written beside a backup: sums, signatures, lists, logs.
const BESIDE: [&str; 19] = [
    ".sha256",
    ".sha512",
    ".sha1",
    ".sha",
    ".md5",
    ".sha256sum",
    ".sha512sum",
    ".sha1sum",
    ".md5sum",
    ".asc",
    ".sig",
    ".sig.txt",
    ".json",
    ".manifest",
    ".log",
    ".sum",
    ".ok",
    ".done",
    ".meta",
];
/// Ends before the end of an archive: it is packed while it is written.
const UNFINISHED_INSIDE: [&str; 5] = [".tmp", ".temp", ".part", ".partial", ".incomplete"];

/// The most that an archive takes which has nothing in it, by the end of its name. `gzip` makes 20 bytes and the name
/// of what it read, `xz` 32, `bzip2` 14, `zstd` 13, `lz4` 15, `zip` 22; a tar without a header is its two last blocks.
const EMPTY: [(&str, u64); 9] = [
    (".tar", 1024),
    (".gz", 100),
    (".tgz", 100),
    (".xz", 64),
    (".bz2", 64),
    (".zst", 32),
    (".lz4", 32),
    (".zip", 22),
    (".7z", 32),
];

/// A date in a name.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:\A|[^0-9])(20[0-9]{2})(?:([-_./])([0-9]{2})([-_./])([0-9]{2})|([0-9]{2})([0-9]{2}))(?:\z|[^0-9])").ok()
});

/// Whether a name is that of a file in the making, or of one beside a backup: it is no backup itself.
pub fn is_no_backup(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `db.gz.tmp2`: the second attempt.
    let first = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let packed = EMPTY.iter().find_map(|(end, _)| name.strip_suffix(end));
    UNFINISHED.iter().chain(&BESIDE).any(|end| name.ends_with(end))
        || first.ends_with(".tmp")
        || packed.is_some_and(|inside| UNFINISHED_INSIDE.iter().any(|end| inside.ends_with(end)))
}

/// An archive that has nothing in it: the program failed whose output it was to keep, and no size before it need tell.
pub fn judge_content(name: &str, bytes: u64) -> Verdict {
    let name = name.to_ascii_lowercase();
    match EMPTY.iter().find(|(end, _)| name.ends_with(end)) {
        Some((_, most)) if bytes > 0 && bytes <= *most => Verdict::Critical(format!(
            "{} is an archive with nothing in it: what was to be backed up failed",
            size(bytes)
        )),
        _ => Verdict::Good,
    }
}

/// Whether something that was written at a time can be of a moment: its day, or the night after. Names may be of another
/// time zone.
pub fn is_of_day(moment: Timestamp, written: Timestamp) -> bool {
    let apart = written.duration_since(moment);
    (SignedDuration::from_hours(-24)..SignedDuration::from_hours(48)).contains(&apart)
}

/// A name and a time that are days apart: it was touched or copied, and its time says nothing of what is in it.
/// `named` is the date where it is known where it stands.
pub fn judge_name(name: &str, named: Option<Timestamp>, written: Timestamp) -> Verdict {
    let Some(named) = named.or_else(|| date_in(name)) else { return Verdict::Good };
    if is_of_day(named, written) {
        return Verdict::Good;
    }
    let day = |at: Timestamp| at.to_zoned(TimeZone::system()).strftime("%F").to_string();
    Verdict::Warn(format!(
        "its name says {}, its own time {}: touched or copied since, or of another day",
        day(named),
        day(written)
    ))
}

fn date_in(name: &str) -> Option<Timestamp> {
    let found = DATE.as_ref()?.captures(name)?;
    let number =
        |group: usize, other: usize| found.get(group).or_else(|| found.get(other))?.as_str().parse().ok();
    if found.get(2).map(|mark| mark.as_str()) != found.get(4).map(|mark| mark.as_str()) {
        return None;
    }
    let date = Date::new(found[1].parse().ok()?, number(3, 6)?, number(5, 7)?).ok()?;
    Some(date.to_zoned(TimeZone::system()).ok()?.timestamp())
}

/// With its age as the value. One from the future has none: a condition on its age must not hold.
pub fn with_age(measured: Measurement, age: SignedDuration) -> Measurement {
    match judge_age(age) {
        Verdict::Good => measured.with_value(age.as_secs_f64().max(0.0)),
        _ => measured,
    }
}

/// The usual one of some sizes.
pub fn median(sizes: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut sizes: Vec<u64> = sizes.into_iter().collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied()
}

/// A size in words.
pub fn size(bytes: u64) -> String {
    words::bytes(bytes as f64)
}

/// A span of time in words.
pub fn in_words(span: SignedDuration) -> String {
    words::seconds(span.as_secs_f64())
}
