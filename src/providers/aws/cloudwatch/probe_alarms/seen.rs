//! The alarms as they were seen, and what they mean.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::aws::client::timestamp;
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{CompositeAlarm, MetricAlarm, StateValue};
use jiff::Timestamp;

/// How many alarms a summary names.
const NAMED: usize = 3;

/// An alarm as it was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Alarm {
    pub name: String,
    pub state: Option<StateValue>,
    pub since: Option<Timestamp>,
    pub reason: String,
    pub actions_enabled: bool,
}

impl Alarm {
    /// Those of an answer, of either type.
    pub fn all(answer: &DescribeAlarmsOutput) -> Vec<Self> {
        let metric = answer.metric_alarms().iter().map(Self::of_metric);
        metric.chain(answer.composite_alarms().iter().map(Self::of_composite)).collect()
    }

    fn of_metric(alarm: &MetricAlarm) -> Self {
        // An evaluation that ends in the same state renews the update, not the transition.
        let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
        Self {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            state: alarm.state_value().cloned(),
            since: since.and_then(timestamp),
            reason: clean(alarm.state_reason().unwrap_or_default(), 300),
            actions_enabled: alarm.actions_enabled().unwrap_or(true),
        }
    }

    fn of_composite(alarm: &CompositeAlarm) -> Self {
        let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
        Self {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            state: alarm.state_value().cloned(),
            since: since.and_then(timestamp),
            reason: clean(alarm.state_reason().unwrap_or_default(), 300),
            actions_enabled: alarm.actions_enabled().unwrap_or(true),
        }
    }

    fn age_s(&self, now: Timestamp) -> Option<f64> {
        self.since.map(|since| now.duration_since(since).as_secs_f64().max(0.0))
    }

    /// Its name, since when, and why.
    fn in_words(&self, now: Timestamp) -> String {
        let since = self.age_s(now).map(|age| format!(" for {}", words::seconds(age))).unwrap_or_default();
        let reason = if self.reason.is_empty() { "" } else { ": " };
        clean(&format!("{}{since}{reason}{}", self.name, self.reason), 200)
    }
}

/// The alarms that a probe asked for.
#[derive(Default)]
pub struct Seen {
    pub alarms: Vec<Alarm>,
    /// Named, and not there.
    pub missing: Vec<String>,
}

impl Seen {
    /// # Errors
    /// When what was asked for is not there, and nothing else is in ALARM.
    pub fn judge(mut self, now: Timestamp) -> Result<Measurement, Problem> {
        // The longest first: it is the nearest to the cause.
        self.alarms.sort_by(|one, other| one.since.cmp(&other.since).then_with(|| one.name.cmp(&other.name)));
        let ringing = self.in_state(&StateValue::Alarm);
        if ringing.is_empty() && !self.missing.is_empty() {
            return Err(self.nothing());
        }
        let lacking = self.in_state(&StateValue::InsufficientData);
        let ok = self.in_state(&StateValue::Ok).len();
        let unread = self.alarms.len() - ringing.len() - lacking.len() - ok;
        let disabled = self.alarms.iter().filter(|alarm| !alarm.actions_enabled).count();
        let names = ringing.iter().map(|alarm| &*alarm.name).collect::<Vec<_>>().join(", ");
        Ok(Measurement::good(self.summary(ok, disabled))
            .judged(ringing_verdict(&ringing, now))
            .judged(lacking_verdict(&lacking, now))
            .judged(match unread {
                0 => Verdict::Good,
                count => Verdict::Warn(format!("{count} alarms are in a state that lifeboat does not know")),
            })
            .with_value(ringing.len() as f64)
            .with_number("alarm_count", ringing.len() as f64)
            .with_number("ok_count", ok as f64)
            .with_number("insufficient_data_count", lacking.len() as f64)
            .with_number("actions_disabled_count", disabled as f64)
            .with_number("since_s", ringing.first().and_then(|alarm| alarm.age_s(now)))
            .with_text("alarms", Some(clean(&names, 1000)).filter(|names| !names.is_empty()))
            .with_text(
                "missing",
                Some(clean(&self.missing.join(", "), 1000)).filter(|names| !names.is_empty()),
            ))
    }

    fn in_state(&self, state: &StateValue) -> Vec<&Alarm> {
        self.alarms.iter().filter(|alarm| alarm.state.as_ref() == Some(state)).collect()
    }

    fn summary(&self, ok: usize, disabled: usize) -> String {
        let silent = match disabled {
            0 => String::new(),
            count => format!("; {count} tell nobody: their actions are disabled"),
        };
        let missing = match self.missing.len() {
            0 => String::new(),
            _ => format!("; no such alarm: {}", self.missing.join(", ")),
        };
        clean(&format!("{ok} of {} alarms OK{silent}{missing}", self.alarms.len() + self.missing.len()), 300)
    }

    fn nothing(&self) -> Problem {
        let missing = clean(&self.missing.join(", "), 300);
        Problem::new(
            format!("no such alarm: {missing}"),
            "Correct the names and the region in the plan, or create the alarm again: what it watched, nobody watches now.",
        )
    }
}

fn ringing_verdict(ringing: &[&Alarm], now: Timestamp) -> Verdict {
    match ringing.is_empty() {
        true => Verdict::Good,
        false => Verdict::Critical(format!("{} in ALARM: {}", ringing.len(), list(ringing, now))),
    }
}

fn lacking_verdict(lacking: &[&Alarm], now: Timestamp) -> Verdict {
    match lacking.is_empty() {
        true => Verdict::Good,
        false => Verdict::Warn(format!("{} with insufficient data: {}", lacking.len(), list(lacking, now))),
    }
}

fn list(alarms: &[&Alarm], now: Timestamp) -> String {
    let mut named: Vec<String> = alarms.iter().take(NAMED).map(|alarm| alarm.in_words(now)).collect();
    if alarms.len() > NAMED {
        named.push(format!("{} more", alarms.len() - NAMED));
    }
    named.join("; ")
}
