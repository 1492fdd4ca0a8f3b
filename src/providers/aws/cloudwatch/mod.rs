//! CloudWatch.

pub mod probe_alarms;
pub mod probe_metric;
