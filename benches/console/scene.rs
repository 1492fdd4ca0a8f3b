//! A plan with as many signals as wanted, and a model in which they were measured.

use std::fmt::Write;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lifeboat::base::ids::ProbeId;
use lifeboat::base::toml::render;
use lifeboat::core::apply::apply;
use lifeboat::core::model::Model;
use lifeboat::core::words::actor::Actor;
use lifeboat::core::words::fact::{Event, Fact};
use lifeboat::core::words::reading::{Measurement, Reading};
use lifeboat::core::words::signal::SignalState;
use lifeboat::plan::load_texts;

use super::Outcome;

const BASE: &str = r#"[plan]
name = "Large"
[regions.primary]
name = "us-east-1"
role = "primary"
[regions.dr]
name = "us-west-2"
role = "standby"
[services.database]
title = "Database"
tier = 1
rto = "15m"
rpo = "1m"
health.primary = ["p0", "p2"]
health.dr = ["p1", "p3"]
[tree]
root = "q"
[tree.q]
ask = "Down?"
evidence = ["p0"]
answers.yes = "wait"
answers.no = "wait"
suggest.yes = "signals.p0.state == 'critical'"
[leaves.wait]
title = "Wait"
advice = "Wait."
"#;

/// How often each signal is measured.
pub const EVERY: SignedDuration = SignedDuration::from_secs(1);
/// Every this many signals one is not well.
const UNWELL_EVERY: usize = 100;

/// A plan of `count` TCP probes to these addresses in turn.
pub fn plan_text(count: usize, addresses: &[String]) -> String {
    let mut text = BASE.to_owned();
    for number in 0..count {
        let region = ["primary", "dr"][number % 2];
        let address = &addresses[number % addresses.len()];
        let probe = format_args!(
            "[probes.p{number}]\nkind = \"tcp\"\ntitle = \"Port of host {number}\"\nregion = \"{region}\"\n\
             address = \"{address}\"\nevery = \"{}s\"\ntimeout = \"1s\"\nwarn = \"200ms\"\ncritical = \"1s\"\n",
            EVERY.as_secs()
        );
        // Writing to a string does not fail.
        let _ = text.write_fmt(probe);
    }
    text
}

/// A model of that plan in which every signal was measured often enough for a whole history.
pub fn model(count: usize, now: Timestamp) -> Outcome<Model> {
    let files = vec![("plan.toml".to_owned(), plan_text(count, &["db.example.org:5432".to_owned()]))];
    let loaded =
        load_texts(files, &lifeboat::providers::registry()).map_err(|problems| render::plain(&problems))?;
    let mut model = Model::new(Arc::new(loaded.plan));
    for number in 0..count {
        let state = if number % UNWELL_EVERY == 0 { SignalState::Warn } else { SignalState::Ok };
        let fact = Fact::SignalChanged {
            probe: probe(number),
            from: SignalState::Unknown,
            to: state,
            why: "connected in 0.3 ms".to_owned(),
        };
        apply(&mut model, &Event { at: now, by: Actor::Engine, fact, record: None });
        for round in 0..60 {
            apply(&mut model, &reading(number, now, f64::from(round)));
        }
    }
    Ok(model)
}

/// The fact that a signal was measured.
pub fn reading(number: usize, at: Timestamp, value: f64) -> Event {
    let measured = Measurement::good(format!("connected in {value:.1} ms"))
        .with_value(value)
        .with_text("address", "192.0.2.7:5432".to_owned());
    let reading = Reading { at, took: SignedDuration::from_micros(312), outcome: Ok(measured) };
    let fact = Fact::ReadingTaken { probe: probe(number), reading, judged: SignalState::Ok };
    Event { at, by: Actor::Engine, fact, record: None }
}

pub fn probe(number: usize) -> ProbeId {
    ProbeId::new(format!("p{number}"))
}
