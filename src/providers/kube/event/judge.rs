//! What a cluster's warnings come to: how many, and the newest of them in words.

use super::Warning;
use crate::base::units::counted;
use crate::base::words;
use crate::core::words::reading::Measurement;
use crate::providers::kube::client::Cluster;
use jiff::{SignedDuration, Timestamp};

/// How many of the newest are told.
const TOLD: usize = 4;
/// The reason, the object, and the message of one.
const WORD_CHARS: usize = 60;
const OBJECT_CHARS: usize = 100;
const MESSAGE_CHARS: usize = 160;

/// Of all warnings that the plan asks for: those that last happened within a time.
pub(super) fn judge(
    cluster: &Cluster,
    warnings: Vec<Warning>,
    within: SignedDuration,
    now: Timestamp,
) -> Measurement {
    // What tells no time may be of now.
    let is_new = |warning: &Warning| warning.last.is_none_or(|last| now.duration_since(last) <= within);
    let mut new: Vec<Warning> = warnings.into_iter().filter(is_new).collect();
    new.sort_by(|a, b| b.last.unwrap_or(now).cmp(&a.last.unwrap_or(now)).then_with(|| a.name.cmp(&b.name)));
    let all = new.iter().fold(0_u64, |all, warning| all.saturating_add(warning.count));
    let told: Vec<String> = new.iter().take(TOLD).map(|warning| words_of(cluster, warning)).collect();
    let span = words::seconds(within.as_secs_f64());
    let summary = match told.first() {
        None => format!("no warning within {span}"),
        Some(first) => {
            let count = counted(usize::try_from(all).unwrap_or(usize::MAX), "warning");
            format!("{count} within {span}: {first}")
        }
    };
    Measurement::good(summary)
        .with_value(all as f64)
        .with_number("warnings", all as f64)
        .with_number("events", new.len() as f64)
        .with_text("newest", told.join("; "))
        .with_text("newest_at", new.first().and_then(|newest| newest.last).map(|last| last.to_string()))
}

/// One in words: `BackOff pod/web-1: Back-off restarting failed container (7 times)`
pub fn words_of(cluster: &Cluster, warning: &Warning) -> String {
    let reason = cluster.shown(warning.reason.trim(), WORD_CHARS);
    let object = cluster.shown(&warning.object(), OBJECT_CHARS);
    let message = cluster.shown(warning.message.trim(), MESSAGE_CHARS);
    let times = if warning.count > 1 { format!(" ({} times)", warning.count) } else { String::new() };
    match message.is_empty() {
        true => format!("{reason} {object}{times}"),
        false => format!("{reason} {object}: {message}{times}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::reading::Verdict;
    use serde_json::json;

    fn warning(name: &str, last: &str, count: u64) -> Warning {
        Warning::of(&json!({
            "involvedObject": {"kind": "Pod", "name": name}, "reason": "BackOff", "lastTimestamp": last,
            "message": "it \u{1b}[2J ends\n", "count": count}))
    }

    fn judged(warnings: Vec<Warning>) -> Measurement {
        let cluster = crate::testing::clients(&[]).kube.cluster("dr");
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        judge(&cluster, warnings, SignedDuration::from_mins(15), now)
    }

    #[test]
    fn those_that_last_happened_within_the_time_are_counted_newest_first() {
        let seen = judged(vec![
            warning("old", "2026-11-30T11:44:59Z", 100),
            warning("a", "2026-11-30T11:46:00Z", 3),
            warning("b", "2026-11-30T11:59:00Z", 1),
        ]);
        assert_eq!((seen.value, seen.number("events")), (Some(4.0), Some(2.0)));
        let newest = "BackOff pod/b: it \u{fffd}[2J ends; BackOff pod/a: it \u{fffd}[2J ends (3 times)";
        assert_eq!(seen.text("newest"), Some(newest));
        assert_eq!(seen.text("newest_at"), Some("2026-11-30T11:59:00Z"));
        assert_eq!(seen.summary, "4 warnings within 15 min: BackOff pod/b: it \u{fffd}[2J ends");
        assert_eq!(seen.verdict, Verdict::Good, "the plan says how many are too many");
    }

    #[test]
    fn what_tells_no_time_counts_and_no_warning_is_0() {
        assert_eq!(judged(vec![warning("a", "", 2)]).value, Some(2.0));
        let none = judged(Vec::new());
        assert_eq!(
            (none.value, &*none.summary, none.text("newest")),
            (Some(0.0), "no warning within 15 min", Some(""))
        );
    }
}
