//! AWS's times and ours.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// AWS's time as ours; none where it is outside of what can be told.
pub fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// Our time as AWS takes it, in whole seconds.
pub fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_both_ways() {
        let time: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(timestamp(&date_time(time)), Some(time));
        assert_eq!(timestamp(&DateTime::from_secs(i64::MAX)), None);
    }
}
