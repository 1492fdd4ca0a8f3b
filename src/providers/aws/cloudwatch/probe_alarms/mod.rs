//! `cloudwatch-alarms`: what the alarms that exist already say.

mod seen;
#[cfg(test)]
mod tests;

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, Place, Shared};
use crate::providers::clients::Clients;
use aws_sdk_cloudwatch::operation::describe_alarms::builders::DescribeAlarmsFluentBuilder;
use aws_sdk_cloudwatch::types::AlarmType;
use futures::future::BoxFuture;
use jiff::Timestamp;
use seen::{Alarm, Seen};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
const NAMES_A_CALL: usize = 100;
/// Of 100 alarms each: more alarms than this under one prefix are not one probe's.
const PAGES: usize = 20;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "cloudwatch-alarms",
    sees: Sees::Alarms,
    doc: "Reads the state of CloudWatch alarms, metric and composite ones, by name or by the beginning of their \
          names. The value is how many are in ALARM, and one is enough for critical; alarms with insufficient data \
          are a warning. A named alarm that does not exist makes the signal unknown, unless another one is in ALARM; \
          so does a prefix without alarms. All named alarms of a region are asked for together, 100 in a call.",
    unit: Unit::Number,
    keys: &[
        crate::providers::aws::probe::REGION,
        Key::optional("names", Takes::List(&Takes::Text), "The alarms' names, exactly; or `prefix`."),
        Key::optional("prefix", Takes::Text, "What the alarms' names begin with (`arka-prod-`); or `names`."),
    ],
    fields: &[
        ("alarm_count", "alarms in ALARM"),
        ("ok_count", "alarms in OK"),
        ("insufficient_data_count", "alarms in INSUFFICIENT_DATA"),
        ("alarms", "the names of those in ALARM"),
        ("missing", "named alarms that do not exist"),
        ("actions_disabled_count", "alarms whose actions are switched off: nobody is told"),
        ("since_s", "how long the first of them is in ALARM"),
    ],
    permissions: &["cloudwatch:DescribeAlarms"],
    example: r#"[probes.example]
kind = "cloudwatch-alarms"
title = "ARKA's own alarms"
region = "primary"
names = ["arka-api-5xx", "arka-db-connections"]
every = "30s"
timeout = "15s"
"#,
    check: |spec| faults([Wanted::of(spec).err()]),
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let wanted = Wanted::of(spec)?;
    let place = crate::providers::aws::probe::place(spec, clients)?;
    let kept = place.kept::<Kept>();
    match &wanted {
        Wanted::Names(names) => names.iter().for_each(|name| kept.names.enrol(name.clone())),
        Wanted::Prefix(prefix) => kept.prefixes.enrol(prefix.clone()),
    }
    Ok(Box::new(CloudWatchAlarms { wanted, place, kept, fresh: crate::providers::aws::probe::fresh(spec) }))
}

struct CloudWatchAlarms {
    wanted: Wanted,
    place: Place,
    kept: Arc<Kept>,
    fresh: Duration,
}

/// What the alarms of a region share.
#[derive(Default)]
struct Kept {
    names: Shared<String, Result<Alarm, AwsError>>,
    prefixes: Shared<String, Result<Vec<Alarm>, AwsError>>,
}

enum Wanted {
    Names(Vec<String>),
    Prefix(String),
}

impl Wanted {
    fn of(spec: &ProbeSpec) -> Result<Self, BuildError> {
        let names: Vec<String> = spec.params.texts("names").into_iter().map(str::to_owned).collect();
        let wrong = |key: &str, value: &str, why: &str| BuildError::Value {
            key: key.into(),
            value: value.into(),
            why: why.into(),
        };
        let fits = |text: &str| !text.trim().is_empty() && text.len() <= 255;
        if let Some(name) = names.iter().find(|name| !fits(name)) {
            return Err(wrong("names", name, "an alarm's name has 1 to 255 characters"));
        }
        match (names.is_empty(), spec.params.text("prefix")) {
            (false, None) => Ok(Self::Names(names)),
            (true, Some(prefix)) if fits(prefix) => Ok(Self::Prefix(prefix.to_owned())),
            (true, Some(prefix)) => Err(wrong("prefix", prefix, "it has 1 to 255 characters")),
            (true, None) => Err(wrong("names", "", "it takes `names` or a `prefix`")),
            (false, Some(prefix)) => Err(wrong("prefix", prefix, "it takes either `names` or a `prefix`")),
        }
    }
}

impl Probe for CloudWatchAlarms {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.place.reader().await;
            let seen = match &self.wanted {
                Wanted::Names(names) => self.by_name(&connection, names).await,
                Wanted::Prefix(prefix) => self.by_prefix(&connection, prefix).await,
            };
            seen.map_err(|error| error.unmeasured())?.judge(Timestamp::now())
        })
    }
}

impl CloudWatchAlarms {
    async fn by_name(&self, connection: &Connection, names: &[String]) -> Result<Seen, AwsError> {
        let mut seen = Seen::default();
        for name in names {
            let fetch = async |names| Ok(named(connection, names).await);
            match self.kept.names.get(name, self.fresh, fetch).await? {
                Some(alarm) => seen.alarms.push(alarm?),
                None => seen.missing.push(name.clone()),
            }
        }
        Ok(seen)
    }

    async fn by_prefix(&self, connection: &Connection, prefix: &String) -> Result<Seen, AwsError> {
        let fetch = async |prefixes: Vec<String>| {
            let all = prefixes.into_iter().map(async |prefix| {
                let request = connection.cloudwatch().describe_alarms().alarm_name_prefix(&prefix);
                let alarms = describe(connection, &format!("alarms {prefix}*"), request).await;
                (prefix, alarms)
            });
            Ok(futures::future::join_all(all).await.into_iter().collect())
        };
        let alarms =
            self.kept.prefixes.get(prefix, self.fresh, fetch).await?.transpose()?.unwrap_or_default();
        let missing = if alarms.is_empty() { vec![format!("{prefix}*")] } else { Vec::new() };
        Ok(Seen { alarms, missing })
    }
}

/// The alarms of these names, as far as they exist; a call that fails, fails only for its own names.
async fn named(connection: &Connection, names: Vec<String>) -> HashMap<String, Result<Alarm, AwsError>> {
    let chunks = names.chunks(NAMES_A_CALL).map(async |names| {
        let request = connection.cloudwatch().describe_alarms().set_alarm_names(Some(names.to_vec()));
        match describe(connection, &format!("{} alarms", names.len()), request).await {
            Ok(alarms) => alarms.into_iter().map(|alarm| (alarm.name.clone(), Ok(alarm))).collect(),
            Err(error) => names.iter().map(|name| (name.clone(), Err(error.clone()))).collect::<Vec<_>>(),
        }
    });
    futures::future::join_all(chunks).await.into_iter().flatten().collect()
}

async fn describe(
    connection: &Connection,
    what: &str,
    request: DescribeAlarmsFluentBuilder,
) -> Result<Vec<Alarm>, AwsError> {
    let call = Call::new("cloudwatch:DescribeAlarms", what);
    // Without types CloudWatch leaves the composite alarms out.
    let types = vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm];
    let mut request = request.set_alarm_types(Some(types)).max_records(100);
    let mut alarms = Vec::new();
    for _ in 0..PAGES {
        let answer = connection.call(&call, request.clone().send()).await?;
        alarms.extend(Alarm::all(&answer));
        match answer.next_token() {
            Some(token) => request = request.next_token(token),
            None => return Ok(alarms),
        }
    }
    let why = format!("more than {} alarms: narrow the prefix", PAGES * 100);
    let mut error = AwsError::new(&call, AwsErrorKind::Refused, why);
    connection.region.clone_into(&mut error.region);
    Err(error)
}
