//! `alertmanager` against Prometheus' own.

use super::*;
use crate::alertmanager::Alertmanager;
use jiff::Timestamp;
use lifeboat::core::apply::apply;
use lifeboat::core::decide::decide;
use lifeboat::core::model::Model;
use lifeboat::core::words::actor::Actor;
use lifeboat::core::words::command::{Command, Report, Request};
use lifeboat::core::words::fact::Event;
use lifeboat::core::words::reading::{Reading, Verdict};
use lifeboat::plan::{Plan, Severity, load_texts};
use std::time::{Duration, Instant};

const KIND: &str = "alertmanager";
const HIGH: [(&str, &str); 3] =
    [("alertname", "HighErrorRate"), ("severity", "critical"), ("service", "api")];
const DISK: [(&str, &str); 3] = [("alertname", "DiskFull"), ("severity", "warning"), ("cluster", "db")];

fn asking(
    server: &Alertmanager,
    matchers: &[&str],
    more: &[(&str, Param)],
    thresholds: Thresholds,
) -> Box<dyn Probe> {
    let mut params = params(&[("url", &server.url())]);
    let list = matchers.iter().map(|text| Param::Text((*text).into())).collect();
    params.0.insert("matchers".into(), Param::List(list));
    params.0.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    probe_of(KIND, params, thresholds)
}

/// Measures until it says what is waited for: the server takes a moment to sort what it was told.
async fn until(probe: &dyn Probe, firing: f64) -> Measurement {
    let began = Instant::now();
    loop {
        let measured = measure(KIND, probe).await;
        if measured.value == Some(firing) {
            return measured;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{firing} do not fire: {measured:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_fire_are_silenced_resolve_and_a_dead_server_is_never_green() {
    let mut server = Alertmanager::start();
    let all = asking(&server, &[], &[], Thresholds::default());
    let critical =
        asking(&server, &["severity=\"critical\"", "service=~\"api|web\""], &[], Thresholds::default());
    assert_eq!(measure(KIND, &*all).await.verdict, Verdict::Good);

    server.alert(&HIGH, 90, false);
    server.alert(&DISK, 10, false);
    let both = until(&*all, 2.0).await;
    assert_eq!((both.number("critical"), both.text("names")), (Some(1.0), Some("DiskFull, HighErrorRate")));
    let (newest, oldest) = (both.number("newest_s").unwrap(), both.number("oldest_s").unwrap());
    assert!((9.0..60.0).contains(&newest) && (89.0..150.0).contains(&oldest), "{both:?}");
    let one = until(&*critical, 1.0).await;
    assert!(one.verdict.why().unwrap().contains("HighErrorRate"), "{one:?}");

    // With bounds of its own the plan decides what is too much.
    let bounds = Thresholds { critical: Some(5.0), ..Thresholds::default() };
    let bounded = asking(&server, &[], &[], bounds);
    assert_eq!(until(&*bounded, 2.0).await.verdict, Verdict::Good);

    server.silence("HighErrorRate");
    assert_eq!(until(&*critical, 0.0).await.verdict, Verdict::Good);
    let silenced =
        asking(&server, &["service=\"api\""], &[("silenced", Param::Flag(true))], Thresholds::default());
    until(&*silenced, 1.0).await;

    server.alert(&DISK, 10, true);
    assert_eq!(until(&*all, 0.0).await.verdict, Verdict::Good);

    server.alert(&DISK, 10, false);
    until(&*all, 1.0).await;
    server.kill();
    let failure = all.run().await.unwrap_err();
    assert!(failure.why.contains("refused") && !failure.next.is_empty(), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inhibited_alerts_count_only_where_the_plan_wants_them() {
    let server = Alertmanager::start();
    let warnings = ["severity=warning"];
    let seen = asking(&server, &warnings, &[], Thresholds::default());
    let all = asking(&server, &warnings, &[("inhibited", Param::Flag(true))], Thresholds::default());
    server.alert(&DISK, 10, false);
    until(&*seen, 1.0).await;
    server.alert(&[("alertname", "RegionDown"), ("severity", "critical"), ("cluster", "db")], 5, false);
    until(&*seen, 0.0).await;
    until(&*all, 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_unknown_with_its_own_words() {
    let server = Alertmanager::start();
    // What this side takes and Go does not.
    let bad = asking(&server, &["service=~\"(?x)a\""], &[], Thresholds::default());
    let failure = bad.run().await.unwrap_err();
    assert!(failure.why.contains("status 400") && failure.next.contains("matchers"), "{failure:?}");
    let elsewhere = params(&[("url", &format!("{}/nowhere", server.url()))]);
    let failure = probe_of(KIND, elsewhere, Thresholds::default()).run().await.unwrap_err();
    assert!(failure.why.contains("status 404") && failure.next.contains("url"), "{failure:?}");
}

/// A plan with one probe, whose alert is a P1 of which an incident is proposed at once.
fn plan(server: &Alertmanager) -> Plan {
    let text = format!(
        r#"
        [plan]
        name = "Alerts"
        strategy = "warm-standby"
        [regions.primary]
        name = "here"
        role = "primary"
        [probes.alerts]
        kind = "alertmanager"
        url = "{}"
        matchers = ['severity="critical"']
        fail_after = 1
        [[severity]]
        level = "P1"
        when = "signals['alerts'].state == 'critical'"
        why = "a critical alert fires"
        [tree]
        root = "bad"
        [tree.bad]
        ask = "Is it bad?"
        answers.no = "watch"
        [leaves.watch]
        title = "Watch"
        advice = "Keep watching."
        "#,
        server.url()
    );
    let loaded = load_texts(vec![("plan.toml".into(), text)], &lifeboat::providers::registry());
    let mut plan = loaded.unwrap_or_else(|problems| panic!("{problems}")).plan;
    plan.notify.propose = Some(Severity::P1);
    plan.notify.propose_after = SignedDuration::ZERO;
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_proposes_an_incident_and_its_end_withdraws_it() {
    let server = Alertmanager::start();
    let plan = Arc::new(plan(&server));
    let probe =
        (lifeboat::providers::probe(KIND).unwrap().build)(&plan.probes["alerts"], &clients()).unwrap();
    let mut model = Model::new(plan);
    let take = |model: &mut Model, report: Report| {
        let (at, by) = (Timestamp::now(), Actor::Engine);
        let request = Request { at, by: by.clone(), command: Command::Report(report) };
        for fact in decide(model, &request).unwrap() {
            apply(model, &Event { at, by: by.clone(), fact, record: None });
        }
    };
    server.alert(&HIGH, 30, false);
    for (firing, proposed) in [(1.0, true), (0.0, false)] {
        for _ in 0..3 {
            let outcome = Ok(until(&*probe, firing).await);
            let reading = Reading { at: Timestamp::now(), took: SignedDuration::ZERO, outcome };
            take(&mut model, Report::Observed(vec![("alerts".into(), reading)]));
            take(&mut model, Report::Tick);
            take(&mut model, Report::Tick);
        }
        assert_eq!(model.durable.proposal.is_some(), proposed, "{firing} firing");
        server.alert(&HIGH, 30, true);
    }
}
