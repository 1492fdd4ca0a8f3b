//! `alertmanager`: which alerts fire, as Prometheus' Alertmanager knows them.

use super::{Provider, row};
use crate::base::problem::Problem;
use crate::base::units;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::http::source::Request;
use futures::future::BoxFuture;
use jiff::Timestamp;
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest name of an alert that is shown, in characters.
const NAME_LIMIT_CHARS: usize = 60;
/// The longest list of names, in characters.
const NAMES_LIMIT_CHARS: usize = 200;
/// `name="value"` with Prometheus' operators; the value may be without quotes.
const MATCHER: &str = r#"^\s*[a-zA-Z_:][a-zA-Z0-9_:]*\s*(=|!=|=~|!~)\s*("([^"\\]|\\.)*"|[^"\s,{}]*)\s*$"#;

/// Alertmanager.
pub(super) static PROVIDER: Provider = Provider { probes: &[row!(self)], ..Provider::NONE };

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "alertmanager",
    sees: Sees::Alertmanager,
    doc: "Asks Prometheus' Alertmanager which alerts fire (`GET /api/v2/alerts`). The value is how many do; one is enough \
          for critical, unless the plan has bounds for the value. Silenced and inhibited alerts do not count. An \
          Alertmanager that does not answer, or answers with anything but a list of alerts, makes the signal unknown: \
          silence is no proof that nothing fires.",
    unit: Unit::Number,
    keys: &[
        Key::required(
            "url",
            Takes::Url,
            "Address of the Alertmanager, with its path prefix where it has one.",
        ),
        Key::optional(
            "matchers",
            Takes::List(&Takes::RawText),
            "Only alerts whose labels match all of these (`severity=\"critical\"`, `service=~\"api|web\"`).",
        ),
        Key::optional(
            "receiver",
            Takes::RawText,
            "Only alerts for receivers whose names match this expression.",
        ),
        Key::default("silenced", Takes::Flag, "false", "Count silenced alerts too."),
        Key::default("inhibited", Takes::Flag, "false", "Count alerts that others inhibit too."),
        Key::optional("headers", Takes::Table(&Takes::TextOrSecret), "Headers to send."),
        Key::optional("tls_roots", Takes::Text, "PEM file of the trusted roots instead of the platform's."),
    ],
    fields: &[
        ("firing", "alerts that fire"),
        ("critical", "those of them whose label `severity` is `critical`"),
        ("names", "their names, each once"),
        ("newest_s", "how long the youngest of them fires"),
        ("oldest_s", "how long the oldest of them fires"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "alertmanager"
title = "Alerts of the API"
region = "primary"
url = "https://alertmanager.example.com"
matchers = ['severity="critical"', 'service=~"api|web"']
headers.Authorization = { secret = "api-probe-token" }
every = "15s"
timeout = "5s"
"#,
    check,
};

fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let base = spec.params.text("url").unwrap_or_default();
    crate::providers::http::source::faults_of(&spec.params, "url")
        .into_iter()
        .chain(faults([address(base, spec).err()]))
        .collect()
}

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let params = &spec.params;
    let mut request = Request::of(params, "url", "GET")?;
    request.url = address(&request.url, spec)?;
    let bounded = spec.thresholds.exist();
    Ok(Box::new(Alertmanager { request, bounded, clients: clients.clone(), within: deadline(spec) }))
}

/// Where the alerts are asked for.
fn address(base: &str, spec: &ProbeSpec) -> Result<String, BuildError> {
    let value =
        |key: &str, value: &str, why: String| BuildError::Value { key: key.into(), value: value.into(), why };
    let mut url = reqwest::Url::parse(base)
        .map_err(|error| value("url", base, format!("it is no address: {error}")))?;
    if url.path().contains("/api/v") {
        let why = "the path of the API is added to it: write the address that Alertmanager's own pages have";
        return Err(value("url", base, why.to_owned()));
    }
    let path = format!("{}/api/v2/alerts", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let flag = |key: &str| if spec.params.flag(key) { "true" } else { "false" };
    let mut query = url.query_pairs_mut();
    query.append_pair("active", "true").append_pair("unprocessed", "true");
    query.append_pair("silenced", flag("silenced")).append_pair("inhibited", flag("inhibited"));
    let form = Regex::new(MATCHER).ok();
    for matcher in spec.params.texts("matchers") {
        if form.as_ref().is_some_and(|form| !form.is_match(matcher)) {
            let why = "it takes a label, one of = != =~ !~, and a value: `severity=\"critical\"`".to_owned();
            return Err(value("matchers", matcher, why));
        }
        let pattern = matcher.split_once('~').map(|(_, pattern)| pattern.trim().trim_matches('"'));
        if pattern.is_some_and(|pattern| matcher_is_regex(matcher) && Regex::new(pattern).is_err()) {
            let why = "what stands after `~` is no regular expression".to_owned();
            return Err(value("matchers", matcher, why));
        }
        query.append_pair("filter", matcher);
    }
    if let Some(receiver) = spec.params.text("receiver") {
        query.append_pair("receiver", receiver);
    }
    drop(query);
    Ok(url.into())
}

/// Whether a matcher's value is a pattern: a `~` may stand in another one's value too.
fn matcher_is_regex(matcher: &str) -> bool {
    matcher.split_once(['=', '!']).is_some_and(|(_, rest)| rest.trim_start_matches('=').starts_with('~'))
}

struct Alertmanager {
    request: Request,
    /// The plan bounds the value, so that one alert alone says nothing yet.
    bounded: bool,
    clients: Clients,
    within: Duration,
}

/// One alert of the API's answer (`gettableAlert`); the rest of it is not read.
#[derive(Deserialize)]
struct Alert {
    labels: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    starts_at: Timestamp,
}

impl Probe for Alertmanager {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let answer = self.request.send(&self.clients, self.within).await;
            let answer = answer.map_err(|error| Problem::new(error.to_string(), error.next_step()))?;
            self.read(&answer, Timestamp::now())
        })
    }
}

impl Alertmanager {
    fn read(&self, answer: &HttpResponse, now: Timestamp) -> Result<Measurement, Problem> {
        let redactor = &self.clients.redactor;
        let fails = |why: String, next: &str| Err(Problem::new(format!("{}: {why}", answer.target), next));
        if answer.status != 200 {
            let said = redactor.excerpt(&answer.text(), NAMES_LIMIT_CHARS);
            let next = match answer.status {
                401 | 403 => "Look at `headers` of this probe: the server does not let it in.",
                400 => "Look at `matchers` and `receiver` of this probe.",
                _ => "Look at the Alertmanager, and whether `url` is its address.",
            };
            return fails(format!("status {}: {said}", answer.status), next);
        }
        if let Some(why) = &answer.unreadable {
            return fails(
                why.clone(),
                "Look at what stands before the Alertmanager, and at its `Content-Encoding`.",
            );
        }
        if answer.body_cut {
            // So many that their list is cut: how many cannot be told, that they fire can.
            return Ok(Measurement::critical("more than a megabyte of alerts fires; narrow `matchers`"));
        }
        match serde_json::from_slice::<Vec<Alert>>(&answer.body) {
            Ok(alerts) => Ok(self.judge(&alerts, now)),
            Err(error) => fails(
                format!(
                    "its answer is no list of alerts: {}",
                    redactor.excerpt(&error.to_string(), NAMES_LIMIT_CHARS)
                ),
                "Look whether `url` is the address of an Alertmanager.",
            ),
        }
    }

    fn judge(&self, alerts: &[Alert], now: Timestamp) -> Measurement {
        let redactor = &self.clients.redactor;
        let label = |alert: &Alert, name: &str| {
            alert.labels.get(name).map(String::as_str).unwrap_or_default().to_owned()
        };
        let mut names: Vec<String> = alerts
            .iter()
            .map(|alert| redactor.excerpt(&label(alert, "alertname"), NAME_LIMIT_CHARS))
            .collect();
        names.sort_unstable();
        names.dedup();
        // Each name is redacted already; a cut leaves no part of one.
        let names = redactor.excerpt(&names.join(", "), NAMES_LIMIT_CHARS);
        let critical = alerts.iter().filter(|alert| label(alert, "severity") == "critical").count();
        let ages = || alerts.iter().map(|alert| crate::core::words::signal::age(alert.starts_at, now));
        let (newest, oldest) = (ages().min(), ages().max());
        let summary = match oldest {
            None => "no alert fires".to_owned(),
            Some(oldest) => format!("{} firing for up to {}: {names}", alerts.len(), units::age(oldest)),
        };
        let fires = !alerts.is_empty() && !self.bounded;
        let verdict = if fires { Verdict::Critical(summary.clone()) } else { Verdict::Good };
        let seconds = |age: Option<jiff::SignedDuration>| age.map(|age| age.as_secs_f64());
        Measurement::good(summary)
            .with_value(alerts.len() as f64)
            .with_number("firing", alerts.len() as f64)
            .with_number("critical", critical as f64)
            .with_text("names", Some(names).filter(|_| !alerts.is_empty()))
            .with_number("newest_s", seconds(newest))
            .with_number("oldest_s", seconds(oldest))
            .judged(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Thresholds;
    use crate::plan::params::{Param, Params};
    use crate::testing;

    fn spec(matchers: &[&str], url: &str) -> ProbeSpec {
        let matchers = matchers.iter().map(|text| Param::Text((*text).into())).collect();
        let params =
            [("url".to_owned(), Param::Text(url.into())), ("matchers".to_owned(), Param::List(matchers))];
        testing::spec("alertmanager", Params(params.into_iter().collect()), 1000)
    }

    fn answer(status: u16, body: &str) -> HttpResponse {
        HttpResponse {
            status,
            latency: Duration::from_millis(3),
            headers: Default::default(),
            body: body.as_bytes().to_vec(),
            body_cut: false,
            unreadable: None,
            target: "http://am/api/v2/alerts".into(),
            certificate: None,
            connected_to: None,
            passed_over: Vec::new(),
        }
    }

    fn probe(bounded: bool) -> Alertmanager {
        let mut spec = spec(&[], "http://am");
        if bounded {
            spec.thresholds = Thresholds { critical: Some(3.0), ..Thresholds::default() };
        }
        Alertmanager {
            request: Request::of(&spec.params, "url", "GET").unwrap(),
            bounded,
            clients: testing::clients(&[]),
            within: Duration::from_secs(1),
        }
    }

    const TWO: &str = r#"[
        {"labels":{"alertname":"HighErrorRate","severity":"critical"},"startsAt":"2026-03-01T02:58:00.000Z","x":1},
        {"labels":{"alertname":"evil\u001b[31m","severity":"warning"},"startsAt":"2026-03-01T02:59:30.000Z"}
    ]"#;

    #[test]
    fn what_fires_is_counted_named_and_critical() {
        let now = "2026-03-01T03:00:00Z".parse().unwrap();
        let measured = probe(false).read(&answer(200, TWO), now).unwrap();
        assert_eq!((measured.value, measured.number("critical")), (Some(2.0), Some(1.0)));
        assert_eq!((measured.number("newest_s"), measured.number("oldest_s")), (Some(30.0), Some(120.0)));
        assert_eq!(measured.text("names"), Some("HighErrorRate, evil\u{fffd}[31m"));
        assert!(
            matches!(&measured.verdict, Verdict::Critical(why) if why.starts_with("2 firing for up to 2 min: High"))
        );
        let quiet = probe(false).read(&answer(200, "[]"), now).unwrap();
        assert_eq!(
            (quiet.verdict, quiet.value, &*quiet.summary),
            (Verdict::Good, Some(0.0), "no alert fires")
        );
    }

    #[test]
    fn bounds_of_the_plan_decide_instead() {
        let measured = probe(true).read(&answer(200, TWO), Timestamp::now()).unwrap();
        assert_eq!((measured.verdict, measured.value), (Verdict::Good, Some(2.0)));
    }

    #[test]
    fn what_is_no_list_of_alerts_is_unknown() {
        for (status, body) in
            [(200, "<html>"), (200, "{}"), (200, "[{\"labels\":{}}]"), (400, "bad matcher"), (503, "")]
        {
            let failure = probe(false).read(&answer(status, body), Timestamp::now()).unwrap_err();
            assert!(!failure.next.is_empty(), "{failure:?}");
        }
        let mut cut = answer(200, "[{");
        cut.body_cut = true;
        let measured = probe(false).read(&cut, Timestamp::now()).unwrap();
        assert!(matches!(measured.verdict, Verdict::Critical(_)) && measured.value.is_none());
    }

    #[test]
    fn matchers_go_into_the_address_and_bad_ones_are_told() {
        let url = |matchers: &[&str], url: &str| address(url, &spec(matchers, url));
        let plain = url(&["severity=\"critical\"", "service =~ \"a|b\""], "http://am:9093/prefix/").unwrap();
        assert!(
            plain.starts_with("http://am:9093/prefix/api/v2/alerts?active=true&unprocessed=true"),
            "{plain}"
        );
        assert!(plain.contains("silenced=false&inhibited=false&filter=severity%3D%22critical%22"), "{plain}");
        for bad in ["critical", "=x", "sev erity=x", "a==b\"", "{a=\"b\"}"] {
            assert!(url(&[bad], "http://am").is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn one_that_does_not_answer_is_unknown_and_never_green() {
        for address in [testing::dead_address(), testing::silent_address().await] {
            let spec = spec(&[], &format!("http://{address}"));
            let probe = build(&spec, &testing::clients(&[])).unwrap();
            let failure = probe.run().await.unwrap_err();
            assert!(failure.why.contains(&address) && !failure.next.is_empty(), "{failure:?}");
        }
    }
}
