//! Backups that are made again and again: what is odd about the newest one.

use crate::core::reading::Verdict;
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use crate::probes::words;
use jiff::SignedDuration;

/// A newest one smaller than this is critical.
pub const MIN_SIZE: Key =
    Key::default("min_size", Takes::Size, "1 B", "A newest one smaller than this is critical.");

/// How much smaller than usual is a warning.
pub const SIZE_DROP: Key = Key::default(
    "size_drop",
    Takes::Integer(1, 100),
    "50",
    "Percent by which the newest one may be smaller than the median of the previous ones before it is a warning; 100 \
     turns it off.",
);

/// What is usual.
pub const PREVIOUS: Key =
    Key::default("previous", Takes::Integer(1, 100), "7", "How many previous ones make the median.");

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
            drop_percent: params.integer("size_drop").unwrap_or(50),
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
