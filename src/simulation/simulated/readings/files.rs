//! Files and objects that are made again and again: `file-age`, `s3-latest`.

use super::{Health, Moment};
use crate::base::words;
use crate::core::words::reading::Measurement;

/// Where the plan does not say how small a file may be.
const SMALL_BYTES: f64 = 100_000.0;

/// A newest file, made at regular intervals, within the age that the plan allows.
pub(super) fn newest(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("no file matches").with_number("count", 0.0);
    }
    made(moment, health)
        .with_text("path", moment.spec.params.text("path").map(|path| path.replace(['*', '?'], "newest")))
}

/// A newest object of a bucket.
pub(super) fn newest_object(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("no object matches").with_number("count", 0.0);
    }
    let params = &moment.spec.params;
    let key = |prefix: &str| format!("{prefix}newest{}", params.text("suffix").unwrap_or_default());
    let is_checked = params.text("checksum").is_some_and(|checksum| checksum != "none");
    let measured = made(moment, health)
        .with_text("key", params.text("prefix").map(key))
        .with_text("encryption", "aws:kms".to_owned())
        .with_text("storage_class", "STANDARD_IA".to_owned())
        .with_text("replication_status", "COMPLETED".to_owned());
    match is_checked {
        true => measured
            .with_text("checksum", "matches: S3's SHA-256".to_owned())
            .with_flag("checksum_matches", true),
        false => measured,
    }
}

fn made(moment: &Moment<'_>, health: Health) -> Measurement {
    let age_s = match health {
        Health::Value(age_s) => age_s,
        _ => sawtooth_s(moment, 24.0 * 3600.0),
    };
    let least_bytes = moment.spec.params.number("min_size").unwrap_or(0.0).max(SMALL_BYTES);
    let bytes = (least_bytes * (40.0 + 160.0 * moment.character())).round();
    Measurement::good(format!("{}, {} old", words::bytes(bytes), words::seconds(age_s)))
        .with_value(age_s)
        .with_number("size_bytes", bytes)
        .with_number("median_bytes", bytes * 0.99)
        .with_number("count", 30.0)
}

/// The age of something that is made again after each interval: at most 0.8 of what the plan allows.
pub(super) fn sawtooth_s(moment: &Moment<'_>, usual_interval_s: f64) -> f64 {
    let bounds = moment.spec.thresholds;
    let allowed = [bounds.warn, bounds.critical].into_iter().flatten().map(|bound| bound * 0.8);
    let interval_s = allowed.fold(usual_interval_s, f64::min).max(1.0);
    let phase_s = interval_s * moment.character();
    (moment.now.as_millisecond() as f64 / 1000.0 + phase_s).rem_euclid(interval_s)
}
