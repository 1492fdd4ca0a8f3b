//! `http-request`: calls an interface once.

use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Action, Built, Context};
use crate::kinds::source::shown;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::http::source::{CONNECT_TO, Request, Statuses};
use crate::providers::program::source::quoted;
use crate::secrets::SecretText;
use futures::future::{BoxFuture, ready};
use regex::Regex;
use reqwest::Method;
use std::time::Duration;

/// How long the request that proves the effect may take.
const CHECK: Duration = Duration::from_secs(10);

const METHODS: &[&str] = &["POST", "PUT", "PATCH", "DELETE", "GET"];

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "http-request",
    does: Does::Runs,
    simulated_target: "HTTP interface",
    sets: &["method", "body"],
    doc: "Sends one HTTP request and never repeats it by itself. The attempt's token goes along as \
          `Idempotency-Key`, so that an interface that knows the header does it once. No redirect is followed. \
          An unexpected status, a time-out or a broken connection may have changed something: the step becomes \
          unknown. It proves its effect with `verify_url`, or the step has a `verify` condition.",
    keys: &[
        Key::required("url", Takes::Url, "Where to."),
        Key::default("method", Takes::Choice(METHODS), "POST", "The request's method."),
        CONNECT_TO,
        Key::optional("headers", Takes::Table(&Takes::TextOrSecret), "Headers to send."),
        Key::optional("body", Takes::Text, "What to send."),
        Key::default(
            "status",
            Takes::Text,
            "200-299",
            "Statuses that mean success: numbers and ranges with commas.",
        ),
        Key::optional(
            "target",
            Takes::Text,
            "The name that is typed to confirm; the URL's host when absent.",
        ),
        Key::optional(
            "verify_url",
            Takes::Url,
            "Asked with GET and the same headers for the proof; `connect_to` holds for it where it names the same server.",
        ),
        Key::default("verify_status", Takes::Text, "200-299", "Statuses that prove the effect."),
        Key::optional(
            "verify_matches",
            Takes::Regex,
            "A regular expression that must match within its body.",
        ),
        Key::default(
            "proxy",
            Takes::Choice(&["none", "environment"]),
            "none",
            "Go direct, or through the proxy that `HTTPS_PROXY` and the like name.",
        ),
        Key::optional("tls_roots", Takes::Text, "PEM file of the trusted roots instead of the platform's."),
    ],
    changes: true,
    verifies: false,
    verifies_with: Some("verify_url"),
    permissions: &[],
    example: r#"[[runbooks.example.steps]]
id = "maintenance-page"
title = "Switch the maintenance page on"
action = "http-request"
with.target = "edge maintenance mode"
with.method = "PUT"
with.url = "https://edge.example.com/api/maintenance"
with.headers.Authorization = { secret = "edge-token" }
with.headers.Content-Type = "application/json"
with.body = '{"enabled": true}'
with.verify_url = "https://edge.example.com/api/maintenance"
with.verify_matches = '"enabled": ?true'
confirm = "yes"
timeout = "30s"
"#,
    call: |params| {
        let at = params.text(CONNECT_TO.name).map(|place| format!(" at {place}")).unwrap_or_default();
        format!(
            "{} {}{at}",
            params.text("method").unwrap_or_default(),
            params.text("url").unwrap_or_default()
        )
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let request = Request::of(params, "url", params.require_text("method")?)?;
    let request = request.connecting(params)?;
    if let (None, Some(pattern)) = (params.get("verify_url"), params.text("verify_matches")) {
        return Err(BuildError::value("verify_matches", pattern, "within what? say `verify_url`"));
    }
    let host = reqwest::Url::parse(&request.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let target = params.text("target").map(str::to_owned).or(host).unwrap_or_else(|| request.url.clone());
    Ok(Box::new(HttpRequest {
        check: params.get("verify_url").map(|_| Check::of(params, &request)).transpose()?,
        request,
        accepted: Statuses::of(params, "status")?,
        target,
        clients: clients.clone(),
    }))
}

struct HttpRequest {
    request: Request,
    accepted: Statuses,
    check: Option<Check>,
    target: String,
    clients: Clients,
}

/// What proves the effect.
struct Check {
    request: Request,
    accepted: Statuses,
    matches: Option<Regex>,
}

impl Check {
    /// The check of `checked`.
    fn of(params: &Params, checked: &Request) -> Result<Self, BuildError> {
        let mut request = Request::of(params, "verify_url", "GET")?;
        request.body = None;
        let origin = |request: &Request| reqwest::Url::parse(&request.url).ok().map(|url| url.origin());
        request.connect_to = checked.connect_to.clone().filter(|_| origin(&request) == origin(checked));
        let matches = params.text("verify_matches").map(Regex::new).transpose();
        Ok(Self {
            request,
            accepted: Statuses::of(params, "verify_status")?,
            matches: matches.map_err(|error| BuildError::Value {
                key: "verify_matches".into(),
                value: params.text("verify_matches").unwrap_or_default().into(),
                why: error.to_string(),
            })?,
        })
    }

    /// What is wrong with an answer.
    fn objection(&self, response: &HttpResponse) -> Option<String> {
        if !self.accepted.accept(response.status) {
            return Some(format!("status {}, expected {}", response.status, self.accepted));
        }
        let pattern = self.matches.as_ref()?;
        match &response.unreadable {
            Some(why) => Some(why.clone()),
            None if pattern.is_match(&response.text()) => None,
            None if response.body_cut => {
                Some(format!("the first megabyte of the body does not match /{pattern}/, it has more"))
            }
            None => Some(format!("the body does not match /{pattern}/")),
        }
    }
}

impl HttpRequest {
    fn sets(&self) -> Vec<(String, String)> {
        let method = ("method".to_owned(), self.request.method.to_string());
        let body = self.request.body.as_ref().map(|body| ("body".to_owned(), body.clone()));
        std::iter::once(method).chain(body).collect()
    }
}

impl Action for HttpRequest {
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>> {
        let mut notes = vec!["It is sent once, with the attempt's token as Idempotency-Key.".to_owned()];
        if let Some(check) = &self.check {
            notes.push(format!("Proven by: GET {}", check.request.place()));
        }
        let at = self.request.connect_to.as_ref().map(|place| ("connect_to".to_owned(), place.to_string()));
        let identity = std::iter::once(("url".to_owned(), self.request.url.clone())).chain(at);
        Box::pin(ready(Ok(Description {
            call: self.call(),
            command: curl(&self.request),
            target: Target {
                name: self.target.clone(),
                kind: "HTTP interface".into(),
                identity: identity.collect(),
                reachable: true,
            },
            notes,
            undo: Vec::new(),
            sets: self.sets(),
        })))
    }

    fn execute<'a>(&'a self, _: &'a Target, context: &'a Context) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.send(context))
    }

    fn verify<'a>(&'a self, _: &'a Target, _: &'a Context) -> BoxFuture<'a, Result<Proof, Failure>> {
        Box::pin(self.prove())
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![curl(&self.request)],
            check: match &self.check {
                Some(check) => match &check.matches {
                    Some(pattern) => format!("GET {} matches /{pattern}/.", check.request.place()),
                    None => format!("GET {} answers with {}.", check.request.place(), check.accepted),
                },
                None => format!("It answers with {}, and {} shows the effect.", self.accepted, self.target),
            },
        }
    }
}

impl HttpRequest {
    fn call(&self) -> String {
        let body = self.request.body.as_ref().map_or(String::new(), |body| format!(" with body {body}"));
        format!("{} {}{body}", self.request.method, self.request.place())
    }

    async fn send(&self, context: &Context) -> Result<Done, Failure> {
        let what = format!("{} {}", self.request.method, self.request.place());
        let mut headers = self.request.headers.clone();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
            headers.push(("Idempotency-Key".into(), SecretText::Plain(context.token.clone())));
        }
        (context.output)(&what);
        let request = self.request.with_headers(headers);
        let response = match request.send(&self.clients, context.timeout.unsigned_abs()).await {
            Ok(response) => response,
            Err(error) if error.not_sent() => {
                return Err(Failure::not_done(what, error.to_string(), error.next_step()));
            }
            Err(error) => {
                let next =
                    format!("It may have been taken: verify before it is sent again. {}", error.next_step());
                return Err(Failure::maybe_done(what, error.to_string(), next));
            }
        };
        let said = response.unreadable.clone().unwrap_or_else(|| response.text());
        let said = self.clients.redactor.excerpt(&said, 300);
        (context.output)(&format!("status {}: {said}", response.status));
        if self.accepted.accept(response.status) {
            return Ok(Done { summary: format!("{what}: status {}", response.status) });
        }
        let why = format!("status {}, expected {}: {said}", response.status, self.accepted);
        let next =
            "Read what the interface says, see whether the effect is there, then verify, retry or attest.";
        Err(Failure::maybe_done(what, why, next))
    }

    async fn prove(&self) -> Result<Proof, Failure> {
        let what = format!("verification of {}", self.target);
        let Some(check) = &self.check else {
            return Err(Failure::not_done(
                what,
                "the request alone cannot prove its effect",
                "Check it by hand and attest the step, or give `verify_url` or `verify` in the plan.",
            ));
        };
        let answer = check.request.send(&self.clients, CHECK).await;
        let answer =
            answer.map_err(|error| Failure::not_done(&*what, error.to_string(), error.next_step()))?;
        match check.objection(&answer) {
            None => Ok(Proof {
                evidence: vec![format!(
                    "GET {} answers with status {} as expected",
                    check.request.place(),
                    answer.status
                )],
            }),
            Some(why) => {
                let next = "Look at the interface; verify again when the effect should be there.";
                Err(Failure::not_done(what, format!("GET {}: {why}", check.request.place()), next))
            }
        }
    }
}

/// The request as a command; a secret stands there by its name.
fn curl(request: &Request) -> String {
    let mut argv = vec!["curl".to_owned(), "-sS".into(), "-X".into(), request.method.to_string()];
    for (name, value) in &request.headers {
        argv.extend(["-H".to_owned(), format!("{name}: {}", shown(value))]);
    }
    if let Some(body) = &request.body {
        argv.extend(["--data-raw".to_owned(), body.clone()]);
    }
    if request.method == Method::GET {
        argv.drain(2..4);
    }
    if let Some(place) = &request.connect_to {
        argv.extend(["--connect-to".to_owned(), format!("::{place}")]);
    }
    argv.push(request.url.clone());
    quoted(&argv)
}
