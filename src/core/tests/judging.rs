use super::fixture::*;
use crate::base::problem::Problem;
use crate::core::ask::tree::{Suggestion, suggest};
use crate::core::ask::{blind, evidence, objectives, severity};
use crate::core::model::Status;
use crate::core::words::reading::{Measurement, Reading};
use crate::core::words::signal::{Recent, SignalState};
use crate::plan::condition::Condition;
use crate::plan::{Severity, SeverityRule};
use jiff::SignedDuration;
use std::sync::Arc;

fn state(machine: &Machine, probe: &str) -> SignalState {
    machine.model.state(&probe.into())
}

#[test]
fn a_signal_turns_after_its_hysteresis_and_not_before() {
    let mut machine = Machine::new();
    machine.observe(&healthy());
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok, "a first good reading counts at once");
    machine.observe(&[("primary-db", bad())]);
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok);
    machine.observe(&[("primary-db", good(None))]);
    machine.observe(&[("primary-db", bad())]);
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok, "a good reading begins the count again");
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Critical);
    machine.observe(&[("primary-db", good(None))]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Critical);
    machine.observe(&[("primary-db", good(None))]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok);
}

#[test]
fn a_first_bad_reading_is_not_yet_critical_and_never_ok() {
    let mut machine = Machine::new();
    for _ in 0..2 {
        machine.observe(&[("primary-db", bad())]);
        assert_eq!(state(&machine, "primary-db"), SignalState::Unknown);
        let why = machine.model.why(&"primary-db".into());
        assert!(why.starts_with("not sure yet: "), "{why}");
    }
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Critical);
}

#[test]
fn failures_to_measure_and_one_bad_reading_do_not_make_it_critical() {
    let mut machine = Machine::new();
    machine.observe(&healthy());
    machine.observe(&[("primary-db", blind())]);
    machine.observe(&[("primary-db", blind())]);
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Unknown, "it was not seen down three times");
    machine.observe(&[("primary-db", bad())]);
    machine.observe(&[("primary-db", bad())]);
    machine.observe(&[("primary-db", bad())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Critical);
}

#[test]
fn one_good_reading_after_a_failure_to_measure_is_no_recovery() {
    let mut machine = Machine::primary_down();
    machine.observe(&[("primary-db", blind())]);
    machine.observe(&[("primary-db", good(None))]);
    assert_ne!(state(&machine, "primary-db"), SignalState::Ok, "two good readings in a row make it ok");
    machine.observe(&[("primary-db", good(None))]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok);
}

#[test]
fn a_slide_through_warn_is_critical_when_it_was_so_often_enough() {
    let mut machine = Machine::new();
    machine.observe(&[("dr-lag", lag(1.0, 1.0, 1.0))]);
    for value in [35.0, 61.0, 62.0] {
        machine.observe(&[("dr-lag", lag(value, value, 1.0))]);
    }
    assert_eq!(state(&machine, "dr-lag"), SignalState::Warn);
    machine.observe(&[("dr-lag", lag(63.0, 63.0, 1.0))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Critical);
}

#[test]
fn runs_that_measure_nothing_do_not_keep_a_signal_fresh() {
    let mut machine = Machine::new();
    let patient = |spec: &mut crate::plan::ProbeSpec| spec.fail_after = 100;
    patient(std::sync::Arc::make_mut(&mut machine.model.plan).probes.get_mut("primary-db").unwrap());
    machine.pass(10, &healthy());
    machine.pass(25, &[("primary-db", blind())]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Unknown, "nothing was measured for 25 s");
}

#[test]
fn a_bounded_probe_without_a_value_is_not_ok() {
    let mut machine = Machine::new();
    machine.observe(&[("dr-lag", good(None))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Unknown);
    machine.observe(&healthy());
    machine.observe(&healthy());
    assert_eq!(state(&machine, "dr-lag"), SignalState::Ok);
}

#[test]
fn thresholds_and_the_probes_own_verdict_count_as_the_worse() {
    let mut machine = Machine::new();
    machine.observe(&[("dr-lag", lag(45.0, 45.0, 1.0))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Warn);
    let signal = &machine.model.durable.signals["dr-lag"];
    assert!(signal.why.contains("at or over 30 s"), "{}", signal.why);
    machine.observe(&[("dr-lag", good(Some(f64::NAN)))]);
    machine.observe(&[("dr-lag", good(Some(f64::NAN)))]);
    machine.observe(&[("dr-lag", good(Some(f64::NAN)))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Unknown, "a lag that is no number is not a small one");
}

#[test]
fn what_is_said_of_a_signal_is_what_was_measured_last_as_long_as_its_state_is_that() {
    let mut machine = Machine::new();
    let said = |machine: &Machine| machine.model.why(&"dr-lag".into());
    machine.observe(&[("dr-lag", lag(45.0, 45.0, 1.0))]);
    let first = said(&machine);
    let mut later = lag(55.0, 55.0, 1.0).unwrap();
    later.summary = "55 s behind".into();
    machine.observe(&[("dr-lag", Ok(later))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Warn);
    assert_ne!(said(&machine), first);
    assert!(said(&machine).starts_with("55 s behind, at or over"), "{}", said(&machine));
    let mut better = lag(1.0, 1.0, 1.0).unwrap();
    better.summary = "1 s behind".into();
    machine.observe(&[("dr-lag", Ok(better))]);
    assert_eq!(state(&machine, "dr-lag"), SignalState::Warn, "one good reading is not enough");
    let both = said(&machine);
    assert!(both.starts_with("better 1 of 2: 1 s behind") && both.ends_with(&first), "both are said: {both}");
}

#[test]
fn silence_makes_a_signal_unknown() {
    let mut machine = Machine::new();
    machine.observe(&healthy());
    machine.pass(17, &[]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok);
    machine.pass(1, &[]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Unknown);
    assert_eq!(machine.model.durable.regions["primary"].status, Status::Unknown);
}

#[test]
fn readings_from_before_a_silence_do_not_count_after_it() {
    let mut machine = Machine::new();
    machine.pass(20, &healthy());
    machine.pass(30, &[]);
    machine.observe(&[("primary-db", good(None))]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Unknown);
    machine.observe(&[("primary-db", good(None))]);
    assert_eq!(state(&machine, "primary-db"), SignalState::Ok);
}

#[test]
fn a_region_is_down_only_while_the_console_can_see() {
    let machine = Machine::primary_down();
    assert_eq!(machine.model.durable.regions["primary"].status, Status::Down);
    assert_eq!(machine.model.severity().map(|s| s.as_str()), Some("P0"));

    let mut machine = Machine::new();
    machine.pass(20, &healthy());
    let mut cut: Vec<_> = down();
    cut[3] = ("reference", bad());
    machine.pass(30, &cut);
    assert!(blind::since(&machine.model).is_some());
    assert_eq!(machine.model.durable.regions["primary"].status, Status::Unknown);
    assert_eq!(machine.model.severity(), None);
    let assessed = severity::assess(&machine.model, machine.now);
    assert!(assessed.possible.is_some(), "it says that it could be worse");
}

#[test]
fn losing_sight_of_everything_at_once_never_calls_a_region_down() {
    let mut machine = Machine::new();
    machine.pass(20, &healthy());
    // The reference is asked last, and less often than the region's probes.
    let cut = [("primary-api", bad()), ("primary-db", bad())];
    machine.observe(&cut);
    machine.observe(&cut);
    machine.observe(&[("reference", bad())]);
    machine.observe(&cut);
    machine.pass(30, &[("primary-api", bad()), ("primary-db", bad()), ("reference", bad())]);
    assert_eq!(machine.model.durable.regions["primary"].status, Status::Unknown);
    assert_eq!(machine.model.durable.services["postgresql"].broken_since, None, "no RTO clock runs");
    assert_eq!(machine.model.severity(), None);
}

#[test]
fn severity_does_not_fall_while_the_worse_cannot_be_told() {
    let mut machine = Machine::primary_down();
    machine.pass(40, &[("reference", good(None))]);
    assert_eq!(machine.model.durable.regions["primary"].status, Status::Unknown);
    assert_eq!(machine.model.severity().map(|s| s.as_str()), Some("P0"));
    machine.pass(20, &healthy());
    assert_eq!(machine.model.severity(), None);
}

#[test]
fn the_reason_of_a_severity_is_that_of_the_rule_that_holds_now() {
    let mut machine = Machine::new();
    let rule = SeverityRule {
        level: Severity::P0,
        when: Condition::parse("signals['primary-db'].state == 'critical'").unwrap(),
        why: "no database".into(),
    };
    Arc::make_mut(&mut machine.model.plan).severity.insert(1, rule);
    machine.pass(20, &healthy());
    let mut half = healthy();
    half[1] = ("primary-db", bad());
    machine.pass(20, &half);
    let (level, since, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!((level, why.as_str()), (Severity::P0, "no database"));
    machine.pass(30, &down());
    let (level, still, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!((level, still), (Severity::P0, since), "it is P0 since the first reason");
    assert_eq!(why, machine.model.plan.severity[0].why);
    machine.pass(40, &[("reference", good(None))]);
    let (.., why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!(why, machine.model.plan.severity[0].why, "it may still be so: nothing says otherwise");
}

#[test]
fn a_severity_whose_own_rule_is_known_not_to_hold_does_not_stay_because_a_worse_rule_cannot_be_told() {
    let mut machine = Machine::new();
    let rule = |level, when: &str| SeverityRule {
        level,
        when: Condition::parse(when).unwrap(),
        why: format!("because of {level:?}"),
    };
    let rules = vec![
        rule(Severity::P0, "signals['primary-db'].fields.role == 'standby'"),
        rule(Severity::P1, "signals['primary-api'].state == 'critical'"),
    ];
    Arc::make_mut(&mut machine.model.plan).severity = rules;
    machine.pass(20, &down());
    assert_eq!(machine.model.severity(), Some(Severity::P1));
    let mut half = down();
    half[0] = healthy()[0].clone();
    machine.pass(20, &half);
    assert_eq!(machine.model.severity(), None, "the API answers, and that is known");
    let possible = crate::core::ask::severity::assess(&machine.model, machine.now).possible;
    assert_eq!(possible.map(|(level, _)| level), Some(Severity::P0), "what it could be is still said");
}

#[test]
fn flapping_withholds_the_suggestion_until_the_cooldown_is_over() {
    let mut machine = Machine::primary_down();
    machine.pass(30, &healthy());
    machine.pass(30, &down());
    let question = &machine.model.plan.tree.questions["primary-down"];
    let Suggestion::Withheld(why) = suggest(&machine.model, question, machine.now) else {
        panic!("suggested")
    };
    assert!(why.contains("flapping"), "{why}");
    machine.pass(300, &down());
    let question = &machine.model.plan.tree.questions["primary-down"];
    assert_eq!(suggest(&machine.model, question, machine.now).answer(), Some("yes"));
}

#[test]
fn a_region_that_goes_down_in_two_moves_is_not_flapping() {
    let mut machine = Machine::new();
    machine.pass(20, &healthy());
    machine.pass(20, &[("primary-api", bad())]);
    let mut half = healthy();
    half[0] = ("primary-api", bad());
    machine.pass(20, &half);
    machine.pass(30, &down());
    let question = &machine.model.plan.tree.questions["primary-down"];
    assert_eq!(suggest(&machine.model, question, machine.now).answer(), Some("yes"));
}

#[test]
fn the_rto_clock_runs_from_the_first_service_that_failed() {
    let machine = Machine::primary_down();
    let clock = objectives::overall_clock(&machine.model, machine.now).unwrap();
    assert_eq!(clock.target, seconds(900));
    assert_eq!(Some(clock.since), machine.model.durable.services["postgresql"].broken_since);
    assert_eq!(objectives::overall_clock(&Machine::new().model, start()), None);
}

#[test]
fn getting_worse_or_unseen_does_not_restart_the_rto_clock() {
    let mut machine = Machine::primary_down();
    let since = machine.model.durable.services["postgresql"].broken_since.unwrap();
    machine.pass(40, &[("reference", good(None))]);
    assert_eq!(machine.model.durable.services["postgresql"].status, Status::Unknown);
    let clock = objectives::overall_clock(&machine.model, machine.now).unwrap();
    assert_eq!(clock.since, since);
    machine.pass(30, &down());
    let clock = objectives::service_clock(&machine.model, &"postgresql".into(), machine.now).unwrap();
    assert_eq!(clock.since, since);
    machine.pass(30, &healthy());
    assert_eq!(objectives::service_clock(&machine.model, &"postgresql".into(), machine.now), None);
}

#[test]
fn the_loss_grows_while_nobody_can_measure_it() {
    let mut machine = Machine::primary_down();
    let now = evidence::exposure(&machine.model, machine.now).unwrap();
    assert_eq!((now.span, now.bytes), (Some(seconds(14)), Some(3_200_000)));
    assert_eq!(now.sentence(), "about 14 s, 3.2 MB not yet replicated");
    machine.pass(60, &[("dr-lag", blind())]);
    let later = evidence::exposure(&machine.model, machine.now).unwrap();
    assert!(later.span.unwrap() >= seconds(14 + 60), "{later:?}");
    assert!(later.basis.contains("not seen for"), "{}", later.basis);
    let never = evidence::exposure(&Machine::new().model, start()).unwrap();
    assert!(never.sentence().starts_with("not known"), "{}", never.sentence());
}

#[test]
fn turns_in_a_future_that_was_a_wrong_clock_do_not_flap_for_as_long() {
    let mut machine = Machine::primary_down();
    machine.pass(30, &healthy());
    machine.pass(30, &down());
    let earlier = machine.now.checked_sub(seconds(86_400)).unwrap();
    let machine = Machine::resumed(machine.log, earlier);
    let standing = &machine.model.durable.regions["primary"];
    assert_eq!(standing.flapping_until(seconds(300), earlier), None);
}

#[test]
fn a_backup_with_a_limit_whose_age_nobody_knows_is_not_ok() {
    use crate::core::ask::backup;
    let mut machine = Machine::new();
    machine.pass(10, &healthy());
    let mut spec = crate::plan::Backup {
        title: "dumps".into(),
        method: String::new(),
        location: String::new(),
        probe: "primary-db".into(),
        max_age: Some(seconds(3600)),
        frequency: String::new(),
        retention: None,
        kept: String::new(),
        encryption: None,
        size_change_percent: 50,
        test_every: None,
        restore_probe: None,
        last_restore_test: None,
    };
    let found = backup::standing(&machine.model, &spec, machine.now);
    assert_eq!(found.state, SignalState::Unknown, "a probe of milliseconds tells no age");
    spec.max_age = None;
    assert_eq!(backup::standing(&machine.model, &spec, machine.now).state, SignalState::Ok);
}

#[test]
fn the_last_measurement_outlives_runs_that_measured_nothing() {
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let run = |second, outcome| Reading { at: at(second), took: SignedDuration::ZERO, outcome };
    let nothing = || Err(Problem::new("no route", "Look."));
    let mut recent = Recent::default();
    recent.push(run(1, nothing()), SignalState::Unknown);
    assert_eq!(recent.measured(), None);
    recent.push(run(2, Ok(Measurement::good("x"))), SignalState::Ok);
    recent.push(run(3, nothing()), SignalState::Unknown);
    recent.push(run(4, nothing()), SignalState::Unknown);
    assert_eq!(recent.measured().map(|reading| reading.at), Some(at(2)));
    assert_eq!(recent.latest.as_ref().map(|reading| reading.at), Some(at(4)));
    recent.push(run(5, Ok(Measurement::good("y"))), SignalState::Ok);
    assert_eq!(recent.measured().map(|reading| reading.at), Some(at(5)));
}
