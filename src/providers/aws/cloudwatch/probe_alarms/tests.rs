use super::*;
use crate::base::problem::Problem;
use crate::core::words::reading::{Field, Verdict};
use crate::plan::params::{Param, Params};
use aws_sdk_cloudwatch::types::StateValue;

const NOW: i64 = 1_800_000_000;

fn alarm(name: &str, state: StateValue, minutes: i64) -> Alarm {
    Alarm {
        name: name.into(),
        state: Some(state),
        since: Some(Timestamp::from_second(NOW - 60 * minutes).unwrap()),
        reason: "Threshold Crossed".into(),
        actions_enabled: true,
    }
}

fn judge(alarms: Vec<Alarm>, missing: &[&str]) -> Result<Measurement, Problem> {
    let missing = missing.iter().map(|name| (*name).to_owned()).collect();
    Seen { alarms, missing }.judge(Timestamp::from_second(NOW).unwrap())
}

#[test]
fn one_alarm_is_critical_and_the_longest_is_named_first() {
    let alarms = vec![
        alarm("ok", StateValue::Ok, 900),
        alarm("late", StateValue::Alarm, 5),
        alarm("early", StateValue::Alarm, 30),
        alarm("quiet", StateValue::InsufficientData, 9),
    ];
    let measured = judge(alarms, &[]).unwrap();
    let why = "2 in ALARM: early for 30 min: Threshold Crossed; late for 5 min: Threshold Crossed";
    assert_eq!(measured.verdict, Verdict::Critical(why.into()));
    assert_eq!(measured.value, Some(2.0));
    assert_eq!(measured.text("alarms"), Some("early, late"));
    assert_eq!(measured.number("since_s"), Some(1800.0));
    assert_eq!(measured.number("insufficient_data_count"), Some(1.0));
}

#[test]
fn insufficient_data_is_a_warning_and_switched_off_actions_are_said() {
    let mut silent = alarm("silent", StateValue::Ok, 1);
    silent.actions_enabled = false;
    let measured = judge(vec![silent.clone()], &[]).unwrap();
    assert_eq!(measured.verdict, Verdict::Good);
    assert_eq!(measured.summary, "1 of 1 alarms OK; 1 tell nobody: their actions are disabled");
    assert_eq!(measured.fields["actions_disabled_count"], Field::Number(1.0));
    let measured = judge(vec![silent, alarm("new", StateValue::InsufficientData, 2)], &[]).unwrap();
    assert!(
        matches!(&measured.verdict, Verdict::Warn(why) if why.starts_with("1 with insufficient data: new"))
    );
    let measured = judge(vec![alarm("odd", StateValue::from("ON_FIRE"), 2)], &[]).unwrap();
    assert!(matches!(measured.verdict, Verdict::Warn(_)), "{measured:?}");
}

#[test]
fn what_does_not_exist_is_unknown_unless_something_else_rings() {
    let failure = judge(vec![alarm("there", StateValue::Ok, 1)], &["gone"]).unwrap_err();
    assert_eq!(failure.why, "no such alarm: gone");
    let measured = judge(vec![alarm("there", StateValue::Alarm, 1)], &["gone"]).unwrap();
    assert!(matches!(measured.verdict, Verdict::Critical(_)), "{measured:?}");
    assert_eq!(measured.text("missing"), Some("gone"));
}

#[test]
fn many_alarms_are_counted_not_listed() {
    let alarms = (0..50).map(|number| alarm(&format!("a{number:02}"), StateValue::Alarm, 1)).collect();
    let measured = judge(alarms, &[]).unwrap();
    let why = measured.verdict.why().unwrap();
    assert!(why.starts_with("50 in ALARM: a00") && why.ends_with("; 47 more"), "{why}");
}

#[test]
fn names_and_prefix_exclude_each_other() {
    let names = Param::List(vec![Param::Text("a".into())]);
    let prefix = Param::Text("p".into());
    let of = |keys: Vec<(&str, Param)>| {
        let params = Params(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        Wanted::of(&crate::testing::spec("cloudwatch-alarms", params, 1000)).is_ok()
    };
    assert!(of(vec![("names", names.clone())]) && of(vec![("prefix", prefix.clone())]));
    assert!(!of(vec![]) && !of(vec![("names", names), ("prefix", prefix)]));
    assert!(!of(vec![("names", Param::List(vec![Param::Text("x".repeat(256))]))]));
}
