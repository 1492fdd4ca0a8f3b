//! Which metric a probe of a plan means. Everything that CloudWatch would refuse is refused here: in a call for many
//! metrics one bad query fails all of them.

use super::preset::{self, Preset};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use regex::Regex;
use std::collections::BTreeMap;

/// Without `look_back`: AWS's own metrics come each minute and one to three minutes late.
const LOOK_BACK_S: i64 = 300;
/// Datapoints of a minute are kept for 15 days.
const LONGEST_S: i64 = 15 * 86_400;
/// Datapoints of less than a minute are kept for 3 hours.
pub const SHORT_S: i64 = 3 * 3600;
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html
const MAX_DIMENSIONS: usize = 30;

/// A metric with what is asked of it. Equal queries of several probes are asked once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Query {
    pub namespace: String,
    pub metric: String,
    pub dimensions: BTreeMap<String, String>,
    pub statistic: String,
    pub period_s: i32,
    /// How old a datapoint may be.
    pub look_back_s: i64,
}

/// What a metric's numbers are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricUnit {
    Number,
    Percent,
    Seconds,
    Milliseconds,
    Bytes,
}

/// The words for `unit`.
pub const UNITS: &[&str] = &["number", "percent", "seconds", "milliseconds", "bytes"];

impl MetricUnit {
    fn named(name: &str) -> Self {
        match name {
            "percent" => Self::Percent,
            "seconds" => Self::Seconds,
            "milliseconds" => Self::Milliseconds,
            "bytes" => Self::Bytes,
            _ => Self::Number,
        }
    }
}

/// What a probe asks for, and how its numbers are to be read.
pub struct Wanted {
    pub query: Query,
    pub unit: MetricUnit,
    pub is_lag: bool,
}

impl Wanted {
    /// What the keys of a probe mean.
    ///
    /// # Errors
    /// When they contradict each other, or CloudWatch would refuse them.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let preset = params.text("preset").and_then(preset::named);
        let (namespace, metric) = name(params, preset)?;
        let unit = params.text("unit").map(MetricUnit::named);
        let period_s = period(params)?;
        let query = Query {
            namespace,
            metric,
            dimensions: dimensions(params, preset)?,
            statistic: statistic(params, preset)?,
            period_s,
            look_back_s: look_back(params, period_s)?,
        };
        Ok(Self {
            query,
            unit: unit.or(preset.map(|preset| preset.unit)).unwrap_or(MetricUnit::Number),
            is_lag: preset.is_some_and(|preset| preset.is_lag),
        })
    }
}

impl Query {
    /// As CloudWatch's console names it (`AWS/RDS ReplicaLag of DBInstanceIdentifier=arka-db-dr-replica`).
    pub fn title(&self) -> String {
        let dimensions: Vec<String> =
            self.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let of = if dimensions.is_empty() { "" } else { " of " };
        format!("{} {}{of}{}", self.namespace, self.metric, dimensions.join(", "))
    }
}

fn wrong(key: &str, value: impl ToString, why: &str) -> BuildError {
    BuildError::Value { key: key.into(), value: value.to_string(), why: why.into() }
}

fn name(params: &Params, preset: Option<Preset>) -> Result<(String, String), BuildError> {
    let own = (params.text("namespace"), params.text("metric"));
    match (preset, own) {
        (Some(preset), (None, None)) => Ok((preset.namespace.into(), preset.metric.into())),
        (None, (Some(namespace), Some(metric))) => {
            let fits = |text: &str| !text.trim().is_empty() && text.len() <= 255 && text.is_ascii();
            match (fits(namespace) && !namespace.starts_with(':'), fits(metric)) {
                (false, _) => {
                    Err(wrong("namespace", namespace, "it takes up to 255 ASCII characters (`AWS/RDS`)"))
                }
                (_, false) => {
                    Err(wrong("metric", metric, "it takes up to 255 ASCII characters (`ReplicaLag`)"))
                }
                _ => Ok((namespace.into(), metric.into())),
            }
        }
        (Some(preset), _) => Err(wrong(
            "preset",
            preset.name,
            "it has a namespace and a metric of its own: leave those keys out",
        )),
        (None, _) => {
            let given = own.0.or(own.1).unwrap_or_default();
            Err(wrong("metric", given, "a metric is a `preset` with `of`, or a `namespace` with a `metric`"))
        }
    }
}

fn dimensions(params: &Params, preset: Option<Preset>) -> Result<BTreeMap<String, String>, BuildError> {
    let mut dimensions: BTreeMap<String, String> = params
        .table("dimensions")
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_text()?.to_owned())))
        .collect();
    match (preset, params.text("of")) {
        (Some(preset), Some(of)) => {
            dimensions.insert(preset.dimension.into(), of.into());
        }
        (Some(preset), None) => {
            let why = format!("it needs `of`, the {} that it is about", preset.dimension);
            return Err(wrong("preset", preset.name, &why));
        }
        (None, Some(of)) => return Err(wrong("of", of, "it belongs to a `preset`; write `dimensions.NAME`")),
        (None, None) => {}
    }
    let bad = |text: &str, most: usize| text.trim().is_empty() || text.len() > most || !text.is_ascii();
    if let Some((name, value)) = dimensions.iter().find(|(name, value)| bad(name, 255) || bad(value, 1024)) {
        return Err(wrong(
            &format!("dimensions.{name}"),
            value,
            "names take up to 255 ASCII characters, values up to 1,024, neither may be empty",
        ));
    }
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(wrong("dimensions", dimensions.len(), "CloudWatch takes up to 30"));
    }
    Ok(dimensions)
}

/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
fn statistic(params: &Params, preset: Option<Preset>) -> Result<String, BuildError> {
    let of_preset = preset.map_or("Average", |preset| preset.statistic);
    let statistic = params.text("statistic").unwrap_or(of_preset);
    let known = Regex::new(r"\A(Average|Maximum|Minimum|Sum|SampleCount|p(\d{1,2}(\.\d{1,2})?|100))\z");
    match known.is_ok_and(|known| known.is_match(statistic)) {
        true => Ok(statistic.to_owned()),
        false => Err(wrong(
            "statistic",
            statistic,
            "it is one of Average, Maximum, Minimum, Sum, SampleCount, or a percentile such as p99 or p99.9",
        )),
    }
}

/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html
fn period(params: &Params) -> Result<i32, BuildError> {
    let period = params.require_duration("period")?;
    let seconds = i32::try_from(period.as_secs()).ok().filter(|_| period.subsec_nanos() == 0);
    let fits = |seconds: &i32| matches!(seconds, 1 | 5 | 10 | 20 | 30) || (*seconds > 0 && seconds % 60 == 0);
    match seconds.filter(fits).filter(|seconds| *seconds <= 86_400) {
        Some(seconds) => Ok(seconds),
        None => Err(wrong(
            "period",
            crate::base::units::duration(period),
            "it is 1, 5, 10, 20 or 30 seconds, or whole minutes up to a day",
        )),
    }
}

fn look_back(params: &Params, period_s: i32) -> Result<i64, BuildError> {
    let period_s = i64::from(period_s);
    let Some(span) = params.duration("look_back") else { return Ok(LOOK_BACK_S.max(3 * period_s)) };
    let longest_s = if period_s < 60 { SHORT_S } else { LONGEST_S };
    match span.as_secs() {
        seconds if seconds < 2 * period_s => {
            Err(wrong("look_back", crate::base::units::duration(span), "it takes two periods at least"))
        }
        seconds if seconds > longest_s => Err(wrong(
            "look_back",
            crate::base::units::duration(span),
            "CloudWatch keeps datapoints of a minute for 15 days, shorter ones for 3 hours",
        )),
        seconds => Ok(seconds),
    }
}
