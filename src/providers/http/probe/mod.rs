//! `http`: does a service answer as it should, how fast, and how long is its certificate good for.

mod headers;
mod statuses;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults, keys};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::http::client::{Certificate, HttpResponse};
use crate::providers::http::source::{CONNECT_TO, Request};
use crate::providers::net::path_end::{Part, PathEnd};
use crate::secrets::Redactor;
use futures::future::BoxFuture;
use headers::Headers;
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;
use statuses::Meanings;
use std::time::Duration;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "http",
    sees: Sees::Http,
    doc: "Sends an HTTP request on a new connection. The value is the time to the response's headers. A refused \
          connection, a time-out, a failing TLS handshake, a wrong status, header or body is critical. So is a \
          name that is gone: name servers know no address of it, and answer for other names. Name servers that do \
          not answer, a secret that is missing or a body that cannot be read make the signal unknown. Bodies that are \
          compressed (gzip, deflate, br, zstd) are read; of a body one megabyte is. The addresses of a name are tried in \
          turn; the text names those that gave no connection.",
    unit: Unit::Milliseconds,
    keys: &[
        Key::required("url", Takes::Url, "Address to ask."),
        Key::default("method", Takes::Choice(&["GET", "HEAD"]), "GET", "The request's method."),
        CONNECT_TO,
        Key::optional(
            "status",
            Takes::Text,
            "Accepted statuses: numbers and ranges with commas (`200-299, 401, 5xx`); 200-299 when absent. Any other \
             one is critical, unless a key below names it.",
        ),
        Key::optional("good_statuses", Takes::Text, "Statuses that are good, besides those of `status`."),
        Key::optional("warn_statuses", Takes::Text, "Statuses that warn (`429`)."),
        Key::optional(
            "critical_statuses",
            Takes::Text,
            "Statuses that are critical, where 200-299 has them too.",
        ),
        Key::optional(
            "unknown_statuses",
            Takes::Text,
            "Statuses that say nothing of what is measured (`401, 407`: this probe is not let in).",
        ),
        Key::optional("headers", Takes::Table(&Takes::TextOrSecret), "Headers to send."),
        Key::optional(
            "headers_present",
            Takes::List(&Takes::Text),
            "Headers that the answer must have (`[\"Strict-Transport-Security\"]`), whatever their value.",
        ),
        Key::optional("headers_absent", Takes::List(&Takes::Text), "Headers that the answer must not have."),
        Key::optional(
            "headers_match",
            Takes::Table(&Takes::Regex),
            "Headers that the answer must have with a value in which this regular expression matches \
             (`headers_match.X-Role = \"^primary$\"`); of several values one.",
        ),
        Key::optional("body_matches", Takes::Regex, "A regular expression that must match within the body."),
        Key::optional(
            "json_pointer",
            Takes::RawText,
            "Where in a JSON body a value must be (RFC 6901: `/checks/0/status`).",
        ),
        Key::optional("json_equals", Takes::RawText, "What the value at `json_pointer` must be, as text."),
        Key::default("follow_redirects", Takes::Flag, "false", "Follow redirects, at most five."),
        Key::default(
            "proxy",
            Takes::Choice(&["none", "environment"]),
            "none",
            "Go direct, or through the proxy that `HTTPS_PROXY` and the like name. Then what fails before an answer \
             makes the signal unknown: it may be the proxy's fault.",
        ),
        Key::optional("tls_roots", Takes::Text, "PEM file of the trusted roots instead of the platform's."),
        Key::default(
            "tls_warn_days",
            Takes::Integer(0, 3650),
            "21",
            "Warns when the server's certificate ends this soon, or another one that clients need to verify it.",
        ),
        Key::default("tls_critical_days", Takes::Integer(0, 3650), "3", "Critical when it ends this soon."),
    ],
    fields: &[
        ("status", "status code of the response"),
        ("json", "the value at `json_pointer`, as text"),
        ("json_number", "the value at `json_pointer`, where it is a number"),
        (
            "tls_days_left",
            "days until the first certificate ends that clients need: the server's own, an intermediate one or a root of `tls_roots`",
        ),
        ("tls_subject", "whom the certificate is for"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "http"
title = "API health"
region = "primary"
url = "https://api.example.com/healthz"
headers.Authorization = { secret = "api-probe-token" }
json_pointer = "/status"
json_equals = "healthy"
every = "10s"
timeout = "5s"
warn = "500ms"
critical = "3s"
"#,
    check,
};

/// What to do where a status says nothing.
const SAYS_NOTHING: &str =
    "Look at `unknown_statuses` of this probe, and at what it sends: `headers`, `url`.";

/// What to do where a body was not read.
const NOT_READ: &str =
    "Ask for less, or for a body as it is: another path, or `headers.Accept-Encoding = \"identity\"`.";

fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let params = &spec.params;
    let method = params.text("method").unwrap_or_default();
    let request = Request::of(params, "url", method).ok();
    let place = request.and_then(|request| request.connecting(params).err());
    let pointer = keys::pointer(params, "json_pointer");
    let found = [Expected::of(params).err(), bodiless(params), pointer, place];
    let equals = params.text("json_equals").filter(|_| params.text("json_pointer").is_none());
    let alone =
        equals.map(|value| BuildError::value("json_equals", value, "of which value? say `json_pointer`"));
    let matches_all = params.text("body_matches").filter(|pattern| pattern.is_empty());
    let matches_all = matches_all.map(|pattern| {
        BuildError::value("body_matches", pattern, "it is empty, and matches every body: leave it out")
    });
    let alone = alone.into_iter().chain(matches_all).chain(keys::home_of(params, "tls_roots"));
    crate::providers::http::source::faults_of(params, "url")
        .into_iter()
        .chain(faults(found))
        .chain(alone)
        .collect()
}

/// A request whose answer has no body to look at.
fn bodiless(params: &Params) -> Option<BuildError> {
    let reads = params.text("body_matches").is_some() || params.text("json_pointer").is_some();
    let why = "its response has no body for `body_matches` or `json_pointer`: use GET";
    (reads && params.text("method") == Some("HEAD")).then(|| BuildError::value("method", "HEAD", why))
}

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let request = Request::of(&spec.params, "url", spec.params.require_text("method")?)?;
    let request = request.connecting(&spec.params)?;
    let expected = Expected::of(&spec.params)?;
    if let Some(error) = bodiless(&spec.params) {
        return Err(error);
    }
    Ok(Box::new(Http { request, expected, clients: clients.clone(), within: deadline(spec) }))
}

struct Http {
    request: Request,
    expected: Expected,
    clients: Clients,
    within: Duration,
}

impl Probe for Http {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            match self.request.send(&self.clients, self.within).await {
                Ok(response) => {
                    self.expected.judge(&response, self.clients.http.now(), &self.clients.redactor)
                }
                Err(error) if error.is_ours() => Err(Problem::new(error.to_string(), error.next_step())),
                // The proxy may have failed, and says nothing of the server then.
                Err(error) if self.request.proxied => Err(Problem::new(
                    format!("{error} (through the proxy of the environment)"),
                    "Look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the engine, and whether that proxy answers.",
                )),
                Err(error) => Ok(Measurement::critical(error.to_string())),
            }
        })
    }
}

/// What a good response is.
struct Expected {
    statuses: Meanings,
    headers: Headers,
    body: Option<Regex>,
    pointer: Option<String>,
    equals: Option<String>,
    warn_days: i64,
    critical_days: i64,
}

impl Expected {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let body = params.text("body_matches").map(|pattern| {
            Regex::new(pattern).map_err(|error| BuildError::Value {
                key: "body_matches".into(),
                value: pattern.into(),
                why: error.to_string(),
            })
        });
        Ok(Self {
            statuses: Meanings::of(params)?,
            headers: Headers::of(params)?,
            body: body.transpose()?,
            pointer: params.text("json_pointer").map(str::to_owned),
            equals: params.text("json_equals").map(str::to_owned),
            warn_days: params.require_integer("tls_warn_days")?,
            critical_days: params.require_integer("tls_critical_days")?,
        })
    }

    fn reads_body(&self) -> bool {
        self.body.is_some() || self.pointer.is_some()
    }

    fn judge(
        &self,
        response: &HttpResponse,
        now: Timestamp,
        redactor: &Redactor,
    ) -> Result<Measurement, Problem> {
        let ms = response.latency.as_secs_f64() * 1000.0;
        let detour = response.detour().map(|words| format!(" ({words})")).unwrap_or_default();
        let unknown = |why: String, next: &str| Problem::new(format!("{}: {why}", response.target), next);
        let status = self.statuses.judge(response.status).map_err(|why| unknown(why, SAYS_NOTHING))?;
        let measured = Measurement::good(format!("{} in {ms:.0} ms{detour}", response.status))
            .with_value(ms)
            .with_number("status", f64::from(response.status))
            .judged(status)
            .judged(self.headers.judge(&response.headers, redactor));
        let measured = self.judge_certificate(measured, response, now);
        match self.judge_body(measured.clone(), response, redactor) {
            Ok(measured) => Ok(with_detour(measured, &detour)),
            // What else was found is bad enough without the body.
            Err(_) if matches!(measured.verdict, Verdict::Critical(_)) => Ok(with_detour(measured, &detour)),
            Err(why) => Err(unknown(why, NOT_READ)),
        }
    }

    /// What the body says, or why it cannot be told.
    fn judge_body(
        &self,
        measured: Measurement,
        response: &HttpResponse,
        redactor: &Redactor,
    ) -> Result<Measurement, String> {
        if let Some(why) = response.unreadable.as_ref().filter(|_| self.reads_body()) {
            return Err(why.clone());
        }
        let matched = match &self.body {
            Some(pattern) if !pattern.is_match(&response.text()) => {
                if response.body_cut {
                    return Err(format!(
                        "the first megabyte of the body does not match /{pattern}/, it has more"
                    ));
                }
                Verdict::Critical(format!("the body does not match /{pattern}/"))
            }
            _ => Verdict::Good,
        };
        Ok(self.judge_json(measured, response, redactor)?.judged(matched))
    }

    fn judge_json(
        &self,
        measured: Measurement,
        response: &HttpResponse,
        redactor: &Redactor,
    ) -> Result<Measurement, String> {
        let Some(pointer) = &self.pointer else { return Ok(measured) };
        let found = match serde_json::from_slice::<Value>(&response.body) {
            Ok(body) => body.pointer(pointer).cloned(),
            Err(_) if response.body_cut => return Err("the body is JSON of more than a megabyte".into()),
            Err(error) => {
                return Ok(measured.judged(Verdict::Critical(format!("the body is not JSON: {error}"))));
            }
        };
        let Some(value) = found else {
            return Ok(measured.judged(Verdict::Critical(format!("the body has no {pointer}"))));
        };
        let whole = json_text(&value);
        let text = redactor.excerpt(&whole, 200);
        let verdict = match &self.equals {
            Some(expected) if *expected != whole => {
                Verdict::Critical(format!("{pointer} is {text}, expected {expected}"))
            }
            _ => Verdict::Good,
        };
        Ok(measured.with_number("json_number", value.as_f64()).with_text("json", text).judged(verdict))
    }

    fn judge_certificate(
        &self,
        measured: Measurement,
        response: &HttpResponse,
        now: Timestamp,
    ) -> Measurement {
        let Some(certificate) = &response.certificate else { return measured };
        let days = certificate.valid_for(now).as_secs_f64() / 86_400.0;
        let words = ends_in(certificate, days);
        let verdict = if days <= self.critical_days as f64 {
            Verdict::Critical(words)
        } else if days <= self.warn_days as f64 {
            Verdict::Warn(words)
        } else {
            Verdict::Good
        };
        measured
            .with_number("tls_days_left", days)
            .with_text("tls_subject", clean(&certificate.subject, 200))
            .judged(verdict)
    }
}

/// Which certificate ends, and when.
fn ends_in(certificate: &Certificate, days: f64) -> String {
    let which = match &certificate.path_end {
        Some(PathEnd { part: Part::Intermediate, subject, .. }) => {
            format!("the intermediate certificate {subject}")
        }
        Some(PathEnd { part: Part::Root, subject, .. }) => format!("the root certificate {subject}"),
        Some(PathEnd { part: Part::Server, .. }) | None => "the certificate".to_owned(),
    };
    let at = certificate.ends_at();
    if days < 0.0 {
        return format!("{which} ended {:.1} days ago ({at})", -days);
    }
    format!("{which} ends in {days:.1} days ({at})")
}

/// The verdict says what was not as the URL says, as the text of a good one does.
fn with_detour(measured: Measurement, detour: &str) -> Measurement {
    let verdict = match measured.verdict {
        Verdict::Good => Verdict::Good,
        Verdict::Warn(why) => Verdict::Warn(why + detour),
        Verdict::Critical(why) => Verdict::Critical(why + detour),
    };
    Measurement { verdict, ..measured }
}

/// A string without its quotes, anything else as JSON.
pub(crate) fn json_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::probe_params;
    use jiff::SignedDuration;

    fn response(status: u16, body: &str) -> HttpResponse {
        HttpResponse {
            status,
            latency: Duration::from_millis(12),
            headers: Default::default(),
            body: body.into(),
            body_cut: false,
            unreadable: None,
            target: "http://x/".into(),
            certificate: None,
            connected_to: None,
            passed_over: Vec::new(),
        }
    }

    /// As the loader gives it, with the defaults of all keys.
    fn expected(keys: &[(&str, &str)]) -> Expected {
        let keys = keys.iter().map(|(key, value)| format!("{key} = '''{value}'''\n"));
        let keys: String = std::iter::once("url = \"http://x/\"\n".to_owned()).chain(keys).collect();
        Expected::of(&probe_params("http", &keys)).unwrap()
    }

    fn judge(keys: &[(&str, &str)], response: &HttpResponse) -> Measurement {
        expected(keys).judge(response, Timestamp::now(), &Redactor::new()).unwrap()
    }

    fn unknown(keys: &[(&str, &str)], response: &HttpResponse) -> String {
        expected(keys).judge(response, Timestamp::now(), &Redactor::new()).unwrap_err().why
    }

    #[test]
    fn status_body_and_json_each_decide() {
        let healthy = response(200, r#"{"status":"healthy","checks":[{"lag":3}]}"#);
        assert_eq!(judge(&[], &healthy).verdict, Verdict::Good);
        assert_eq!(judge(&[("body_matches", "health(y|ish)")], &healthy).verdict, Verdict::Good);
        let why = |keys: &[(&str, &str)], response: &HttpResponse| {
            judge(keys, response).verdict.why().map(str::to_owned).unwrap()
        };
        assert_eq!(why(&[], &response(503, "")), "status 503, expected 200-299");
        assert_eq!(why(&[("status", "401")], &healthy), "status 200, expected 401");
        assert_eq!(why(&[("body_matches", "^ok$")], &healthy), "the body does not match /^ok$/");
        let sick = &[("json_pointer", "/status"), ("json_equals", "ok")];
        assert_eq!(why(sick, &healthy), "/status is healthy, expected ok");
        assert_eq!(why(&[("json_pointer", "/gone")], &healthy), "the body has no /gone");
        assert!(why(&[("json_pointer", "/x")], &response(200, "<html>")).starts_with("the body is not JSON"));
        let lag = judge(&[("json_pointer", "/checks/0/lag"), ("json_equals", "3")], &healthy);
        assert_eq!(lag.fields["json_number"], crate::core::words::reading::Field::Number(3.0));
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told_in_days_also_one_that_leads_to_it() {
        let now = Timestamp::now();
        let end = |hours: i64| {
            let at = now + SignedDuration::from_hours(hours);
            Some(PathEnd { part: Part::Intermediate, subject: "CN=Between".into(), at })
        };
        let ends_in = |hours: i64| {
            let mut response = response(200, "");
            response.certificate = Some(Certificate {
                subject: "CN=api.example.com".into(),
                issuer: "CN=CA".into(),
                not_before: now,
                not_after: now + SignedDuration::from_hours(24 * 300),
                path_end: end(hours),
            });
            expected(&[]).judge(&response, now, &Redactor::new()).unwrap()
        };
        assert_eq!(ends_in(24 * 90).verdict, Verdict::Good);
        assert!(matches!(ends_in(24 * 20).verdict, Verdict::Warn(_)));
        let soon = ends_in(48);
        assert!(matches!(soon.verdict, Verdict::Critical(_)));
        assert_eq!(soon.number("tls_days_left"), Some(2.0));
        let why = soon.verdict.why().unwrap();
        assert!(why.starts_with("the intermediate certificate CN=Between ends in 2.0 days"), "{why}");
        let past = ends_in(-24);
        assert!(past.verdict.why().unwrap().contains("ended 1.0 days ago"), "{past:?}");
    }

    #[test]
    fn a_secret_at_the_pointer_does_not_reach_the_measurement() {
        let redactor = Redactor::new();
        redactor.learn_value("token", "hunter22-of-the-api");
        let expected = expected(&[("json_pointer", "/v"), ("json_equals", "x")]);
        for before in [0, 190] {
            let body = format!("{{\"v\":\"{}hunter22-of-the-api\"}}", "y".repeat(before));
            let measured = expected.judge(&response(200, &body), Timestamp::now(), &redactor).unwrap();
            assert!(!format!("{measured:?}").contains("hunt"), "{measured:?}");
        }
    }

    #[test]
    fn a_status_that_says_nothing_is_unknown_and_one_that_warns_warns() {
        let keys = [("unknown_statuses", "401, 407"), ("warn_statuses", "429")];
        let why = "http://x/: status 407 says nothing of what is measured (`unknown_statuses`)";
        assert_eq!(unknown(&keys, &response(407, "")), why);
        assert!(matches!(judge(&keys, &response(429, "")).verdict, Verdict::Warn(_)));
        assert!(matches!(judge(&keys, &response(500, "")).verdict, Verdict::Critical(_)));
    }

    #[test]
    fn what_was_not_as_the_url_says_stands_in_the_text() {
        let detoured = HttpResponse {
            connected_to: crate::providers::http::client::Place::parse("127.0.0.1:9444"),
            passed_over: vec!["10.0.0.9".parse().unwrap()],
            ..response(200, "")
        };
        let words = "200 in 12 ms (at 127.0.0.1:9444; no connection to 10.0.0.9)";
        assert_eq!(judge(&[], &detoured).summary, words);
        let down = judge(&[], &HttpResponse { status: 503, ..detoured });
        let words = "status 503, expected 200-299 (at 127.0.0.1:9444; no connection to 10.0.0.9)";
        assert_eq!(down.verdict.why(), Some(words));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_unknown_and_never_a_mismatch() {
        let coded = HttpResponse {
            unreadable: Some("the body is `compress`, which is not read".into()),
            ..response(200, "")
        };
        for keys in [[("body_matches", "ok")], [("json_pointer", "/status")]] {
            assert_eq!(unknown(&keys, &coded), "http://x/: the body is `compress`, which is not read");
            // The status alone is bad enough.
            let down = judge(&keys, &HttpResponse { status: 503, ..coded.clone() });
            assert_eq!(down.verdict.why(), Some("status 503, expected 200-299"));
        }
        // Nothing of the body is asked for.
        assert_eq!(judge(&[], &coded).verdict, Verdict::Good);
    }

    #[test]
    fn what_lies_behind_the_first_megabyte_is_unknown() {
        let cut = HttpResponse { body_cut: true, ..response(200, "{\"status\":\"ok") };
        assert!(unknown(&[("body_matches", "end")], &cut).contains("it has more"));
        assert!(unknown(&[("json_pointer", "/status")], &cut).contains("more than a megabyte"));
        assert_eq!(judge(&[("body_matches", "ok")], &cut).verdict, Verdict::Good);
    }

    #[test]
    fn what_a_server_says_is_cleaned() {
        let evil = response(200, "{\"a\":\"x\\u001b[31my\"}");
        let measured = judge(&[("json_pointer", "/a"), ("json_equals", "z")], &evil);
        assert!(!measured.verdict.why().unwrap().contains('\u{1b}'));
    }
}
