//! What a failover would lose, while nobody sees the primary: a range that grows, and closes with the fence.

mod clocks;
mod fences;
mod kept;
mod standbys;

use super::fixture::*;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::evidence;
use crate::core::ask::names::{Since, View};
use crate::core::ask::objectives::overall_clock;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact::Fact;
use crate::core::words::loss::LossEstimate;
use crate::core::words::reading::{Field, Measurement};
use crate::core::words::since_boot::SinceBoot;
use crate::plan::Plan;
use crate::plan::condition::{Condition, Truth};
use crate::plan::params::Param;
use jiff::SignedDuration;
use std::sync::Arc;

type Outcome = Result<Measurement, Problem>;

/// A standby that lost its primary out of sight so many seconds ago, holding all that was written until then.
fn out_of_sight(seconds_ago: f64) -> Outcome {
    let mut measured = lag(0.0, seconds_ago, 300_000.0 * seconds_ago)?;
    measured.value = None;
    let fields = [("exposure_min_s", 0.0), ("exposure_min_bytes", 0.0)].into_iter();
    for (name, number) in
        fields.chain([("primary_heard_s", seconds_ago), ("primary_writable_s", seconds_ago)])
    {
        measured.fields.insert(name.into(), Field::Number(number));
    }
    Ok(measured)
}

/// The fixture's failover with a guard on the exposure; `scale` fences the primary, and nothing has to come before it.
fn plan_with_fence() -> Arc<Plan> {
    let mut plan = Plan::clone(&plan());
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("promote").unwrap().guard =
        vec![Condition::parse("signals['dr-lag'].fields.exposure_s < 60.0").unwrap()];
    steps.get_mut("scale").unwrap().fences = vec!["dr-lag".into()];
    steps.get_mut("scale").unwrap().needs = Vec::new();
    Arc::new(plan)
}

/// Deciding, with the primary out of sight since `seconds_ago` before now.
fn night(seconds_ago: f64) -> Machine {
    let mut machine = Machine::failing_over_under(plan_with_fence());
    machine.observe(&[("dr-lag", out_of_sight(seconds_ago))]);
    machine
}

fn later(machine: &mut Machine, span: i64) {
    machine.now = machine.now.checked_add(seconds(span)).unwrap();
}

fn shown(machine: &Machine) -> LossEstimate {
    evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap()
}

fn guard(machine: &Machine, condition: &str) -> Truth {
    let condition = Condition::parse(condition).unwrap();
    condition.evaluate(&View { model: &machine.model, now: machine.now })
}

fn fence(machine: &mut Machine) {
    let confirmation = machine.prepare("scale");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
}

fn span(count: i64) -> Option<SignedDuration> {
    Some(seconds(count))
}

#[test]
fn the_upper_end_grows_with_the_clock_and_stands_still_from_the_fence_on() {
    let mut machine = night(5.0);
    later(&mut machine, 30);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (span(0), span(35)));
    assert!(
        loss.sentence().starts_with("nothing if the primary died when last heard of ("),
        "{}",
        loss.sentence()
    );
    assert!(loss.sentence().contains("up to 35 s") && loss.sentence().contains("grows until it is fenced"));
    fence(&mut machine);
    later(&mut machine, 600);
    machine.observe(&[("dr-lag", out_of_sight(635.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span, loss.grows_from), (span(0), span(35), None));
    assert_eq!((loss.bytes_min, loss.bytes), (Some(0), None), "nobody saw how much it wrote");
    assert!(loss.sentence().starts_with("between nothing and 35 s"), "{}", loss.sentence());
    assert!(loss.basis.contains("by \"step scale\", proven"), "{}", loss.basis);
}

#[test]
fn what_was_measured_before_the_fence_may_have_been_overtaken_until_then() {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", lag(0.2, 0.0, 0.0))]);
    later(&mut machine, 4);
    fence(&mut machine);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (span(0), span(4)));
    later(&mut machine, 1);
    machine.observe(&[("dr-lag", lag(0.2, 0.0, 0.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (None, span(0)));
    assert!(loss.sentence().starts_with("nothing: "), "{}", loss.sentence());
}

#[test]
fn a_guard_on_the_exposure_asks_for_the_upper_end_also_while_nobody_can_measure() {
    let mut machine = night(5.0);
    let bound = "signals['dr-lag'].fields.exposure_s < 60.0";
    assert_eq!(guard(&machine, bound), Truth::True);
    machine.pass(20, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::True);
    machine.pass(60, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::False);
    assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_min_s < 60.0"), Truth::True);
    fence(&mut machine);
    machine.pass(600, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::False, "it was fenced after more than a minute");
    assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 120.0"), Truth::True);
}

fn typed() -> Option<String> {
    Some("target-of-promote".into())
}

fn withdrawn(machine: &mut Machine, after: i64) -> Option<String> {
    let confirmation = machine.prepare("promote");
    later(machine, after);
    let facts = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap();
    match facts.first() {
        Some(Fact::ConfirmationWithdrawn { why, .. }) => Some(why.clone()),
        _ => None,
    }
}

#[test]
fn the_time_that_typing_takes_withdraws_nothing_but_more_than_was_allowed_does() {
    assert_eq!(withdrawn(&mut night(5.0), 20), None);
    let why = withdrawn(&mut night(45.0), 20).unwrap();
    assert!(why.contains("exposure_s < 60.0"), "{why}");

    // The same without a guard: the objective is crossed, or it is another loss than was on the screen.
    let unguarded = || {
        let mut plan = Plan::clone(&plan_with_fence());
        plan.runbooks.get_mut("failover").unwrap().steps.get_mut("promote").unwrap().guard.clear();
        Machine::failing_over_under(Arc::new(plan))
    };
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(45.0))]);
    let why = withdrawn(&mut machine, 20).unwrap();
    assert!(why.contains("more than the RPO of 1 min 00 s may be lost now"), "{why}");
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(100.0))]);
    assert_eq!(withdrawn(&mut machine, 30), None);
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(100.0))]);
    let why = withdrawn(&mut machine, 70).unwrap();
    assert!(why.contains("the loss grew from nothing if the primary died"), "{why}");
}

#[test]
fn a_guard_that_the_range_blocks_says_how_it_is_closed() {
    let mut machine = night(100.0);
    let confirmation = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap_err();
    assert!(refusal.next.contains("Fence the old primary, or attest that it is off"), "{refusal}");
    assert!(refusal.next.contains("up to 1 min 40 s"), "{refusal}");
    // A word closes nothing where the standby streams on from a server that nobody knows.
    let mut machine = night(100.0);
    machine.observe(&[("dr-lag", out_of_sight(100.0).map(|seen| seen.with_flag("sender_matched", false)))]);
    let confirmation = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap_err();
    assert!(refusal.next.contains("Fence the old primary, and have that proven"), "{refusal}");
}

#[test]
fn what_a_step_waits_for_is_not_satisfied_by_a_reading_from_before_it() {
    let mut machine = night(5.0);
    let condition = Condition::parse("signals['dr-lag'].fields.exposure_min_s < 1.0").unwrap();
    let begun = machine.now;
    later(&mut machine, 2);
    let now = |machine: &Machine| {
        condition.evaluate(&Since {
            view: View { model: &machine.model, now: machine.now },
            since: Some(begun),
            ahead: Vec::new(),
        })
    };
    assert_eq!(now(&machine), Truth::True, "a reading of the same moment");
    later(&mut machine, 2);
    let begun = machine.now;
    let now = |machine: &Machine| {
        condition.evaluate(&Since {
            view: View { model: &machine.model, now: machine.now },
            since: Some(begun),
            ahead: Vec::new(),
        })
    };
    assert!(matches!(now(&machine), Truth::Unknown(why) if why.contains("since the step began")));
    later(&mut machine, 1);
    machine.observe(&[("dr-lag", out_of_sight(10.0))]);
    assert_eq!(now(&machine), Truth::True);
}

/// As after `kill -9`: the journal is all that is left, and the probe that lost its memory measures without the primary.
fn restarted(machine: Machine) -> Machine {
    let mut machine = Machine::resumed_under(plan_with_fence(), machine.log, machine.now);
    machine.settle();
    machine
}

/// A standby whose primary was not seen since the probe began.
fn without_memory() -> Outcome {
    let mut measured = good(None)?;
    measured.fields.insert("in_recovery".into(), Field::Flag(true));
    measured.fields.insert("primary_reachable".into(), Field::Flag(false));
    measured
        .fields
        .insert("exposure_basis".into(), Field::Text("unknown: the primary has not been seen".into()));
    Ok(measured)
}

/// That a loss grew by what passed, or by a little more: what is kept is not the last look.
fn grew(loss: &LossEstimate, before: SignedDuration, by: i64) {
    let more = loss.span.unwrap() - before - seconds(by);
    assert!(more >= seconds(-1) && more <= seconds(10), "{loss:?} after {before}");
}

/// A primary that is seen, of whose WAL so much is not yet replicated.
fn seen(exposure_s: f64) -> Outcome {
    let mut measured = lag(exposure_s, exposure_s, exposure_s * 1000.0)?;
    measured.fields.insert("primary_heard_s".into(), Field::Number(0.0));
    Ok(measured)
}

/// What a probe that lost its memory tells of a standby whose last commit is so old.
fn by_last_commit(seconds_ago: f64) -> Outcome {
    Ok(without_memory()?.with_number("exposure_s", seconds_ago).with_number("exposure_min_s", 0.0))
}
