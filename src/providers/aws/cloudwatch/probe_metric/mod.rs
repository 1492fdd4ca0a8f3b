//! `cloudwatch-metric`: the newest datapoint of any metric.

mod fetch;
mod preset;
mod query;
#[cfg(test)]
mod tests;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::base::words;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, faults};
use crate::providers::aws::client::{Place, Shared};
use crate::providers::clients::Clients;
use fetch::{Found, Point, fetch};
use futures::future::BoxFuture;
use jiff::Timestamp;
use query::{MetricUnit, Query, Wanted};
use std::sync::Arc;
use std::time::Duration;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "cloudwatch-metric",
    sees: Sees::Metric,
    doc: "Reads the newest datapoint of a CloudWatch metric. The value, `warn` and `critical` are in the metric's own \
          unit: seconds for `rds-replica-lag`, milliseconds for `aurora-replica-lag` and `aurora-global-lag`, bytes \
          for `oldest-replication-slot-lag`. All metrics of a region are asked for together, up to 500 in a call \
          (AWS charges by the metric: most have one datapoint a minute, so that asking more often only costs). No \
          datapoint within `look_back` makes the signal unknown: a metric that nobody publishes is not zero. A \
          replica's lag below zero is critical: CloudWatch says so that nothing is replicated.",
    unit: Unit::Number,
    keys: &[
        crate::providers::aws::probe::REGION,
        Key::optional(
            "preset",
            Takes::Choice(preset::NAMES),
            "A well-known metric with its namespace, dimension, statistic (the maximum) and unit; needs `of`.",
        ),
        Key::optional(
            "of",
            Takes::Text,
            "What the preset is about: the instance's id, for `aurora-global-lag` the secondary cluster's (asked in \
             the secondary's region), for `msk-offline-partitions` the cluster's name.",
        ),
        Key::optional("namespace", Takes::Text, "Namespace of a metric without preset: `AWS/SQS`."),
        Key::optional(
            "metric",
            Takes::Text,
            "Name of a metric without preset: `ApproximateAgeOfOldestMessage`.",
        ),
        Key::optional(
            "dimensions",
            Takes::Table(&Takes::Text),
            "Dimensions of the metric, all that it is published with; a preset's own are there already.",
        ),
        Key::optional(
            "statistic",
            Takes::Text,
            "`Average` (without preset), `Maximum`, `Minimum`, `Sum`, `SampleCount`, or a percentile such as `p99`. \
             A sum or count is that of the last period that is over.",
        ),
        Key::default("period", Takes::Duration, "60s", "The span that a datapoint covers."),
        Key::optional(
            "look_back",
            Takes::Duration,
            "How old the newest datapoint may be, from the start of its period; five minutes or three periods where \
             absent, whichever is longer.",
        ),
        Key::optional(
            "unit",
            Takes::Choice(query::UNITS),
            "What the numbers of a metric without preset are, for the screen and for `value_s` or `value_bytes`.",
        ),
    ],
    fields: &[
        ("value_s", "the value in seconds, where the metric is a time"),
        ("value_bytes", "the value in bytes, where the metric is a size"),
        ("age_s", "time since the datapoint's period began"),
        ("at", "when the datapoint's period began"),
        ("exposure_s", "a lag preset: what is lost with the primary"),
        ("exposure_basis", "a lag preset: what that is known from"),
    ],
    permissions: &["cloudwatch:GetMetricData"],
    example: r#"[probes.example]
kind = "cloudwatch-metric"
title = "Replica lag as AWS sees it"
region = "dr"
preset = "rds-replica-lag"
of = "arka-db-dr-replica"
every = "60s"
timeout = "15s"
warn = 30
critical = 60
"#,
    check: |spec| faults([Wanted::of(&spec.params).err()]),
};

/// What the metrics of a region share.
#[derive(Default)]
struct Metrics(Shared<Query, Found>);

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let wanted = Wanted::of(&spec.params)?;
    let place = crate::providers::aws::probe::place(spec, clients)?;
    let metrics = place.kept::<Metrics>();
    metrics.0.enrol(wanted.query.clone());
    Ok(Box::new(CloudWatchMetric {
        wanted,
        place,
        metrics,
        fresh: crate::providers::aws::probe::fresh(spec),
    }))
}

struct CloudWatchMetric {
    wanted: Wanted,
    place: Place,
    metrics: Arc<Metrics>,
    fresh: Duration,
}

impl Probe for CloudWatchMetric {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.place.reader().await;
            let all = async |queries| Ok(fetch(&connection, queries, Timestamp::now()).await);
            match self.metrics.0.get(&self.wanted.query, self.fresh, all).await {
                Ok(Some(Ok(Some(point)))) => self.wanted.judge(point, Timestamp::now()),
                Ok(Some(Ok(None)) | None) => Err(self.wanted.absent(None)),
                Ok(Some(Err(error))) => Err(error.unmeasured()),
                Err(error) => Err(error.unmeasured()),
            }
        })
    }
}

impl Wanted {
    /// # Errors
    /// When the datapoint is older than it may be.
    fn judge(&self, point: Point, now: Timestamp) -> Result<Measurement, Problem> {
        let age_s = now.duration_since(point.at).as_secs_f64().max(0.0);
        if age_s > self.query.look_back_s as f64 {
            return Err(self.absent(Some(age_s)));
        }
        let basis = format!("{}, {} old", self.query.metric, words::seconds(age_s));
        let measured = match self.is_lag && point.value < 0.0 {
            true => Measurement::critical(format!(
                "nothing is replicated: {} is {}",
                self.query.metric, point.value
            )),
            false => self.of_value(point.value, &basis),
        };
        Ok(measured.with_number("age_s", age_s).with_text("at", point.at.to_string()))
    }

    fn of_value(&self, value: f64, basis: &str) -> Measurement {
        let (value_s, value_bytes) = match self.unit {
            MetricUnit::Seconds => (Some(value), None),
            MetricUnit::Milliseconds => (Some(value / 1000.0), None),
            MetricUnit::Bytes => (None, Some(value)),
            MetricUnit::Number | MetricUnit::Percent => (None, None),
        };
        let exposure_s = value_s.filter(|_| self.is_lag);
        Measurement::good(clean(&format!("{} ({basis})", in_words(value, self.unit)), 200))
            .with_value(value)
            .with_number("value_s", value_s)
            .with_number("value_bytes", value_bytes)
            .with_number("exposure_s", exposure_s)
            .with_text("exposure_basis", exposure_s.map(|_| clean(&format!("CloudWatch's {basis}"), 200)))
    }

    /// Nothing was published, or too long ago.
    fn absent(&self, age_s: Option<f64>) -> Problem {
        let query = &self.query;
        let within = words::seconds(query.look_back_s as f64);
        let newest = age_s.map(|age_s| format!(", the newest is {} old", words::seconds(age_s)));
        Problem::new(
            clean(
                &format!("no datapoint of {} in {within}{}", query.title(), newest.unwrap_or_default()),
                500,
            ),
            "See whether the thing still exists and publishes it: `aws cloudwatch list-metrics` with this namespace and \
             metric shows the dimensions that it is published with, which must all be in the plan.",
        )
    }
}

fn in_words(value: f64, unit: MetricUnit) -> String {
    match unit {
        MetricUnit::Seconds => words::seconds(value),
        MetricUnit::Milliseconds => format!("{value:.0} ms"),
        MetricUnit::Bytes => words::bytes(value),
        MetricUnit::Percent => format!("{value:.1} %"),
        MetricUnit::Number if value.fract() == 0.0 => format!("{value:.0}"),
        MetricUnit::Number => format!("{value:.2}"),
    }
}
