//! Calls to a provider's HTTP interface, with their failures sorted by what another attempt would do.

use crate::core::words::notification::{Again, Undelivered};
use crate::plan::Channel;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::{Param, ParamError, Params};
use crate::providers::clients::Clients;
use crate::providers::http::client::{HttpErrorKind, HttpRequest, HttpResponse};
use crate::providers::net::tls::TlsProfile;
use crate::secrets::{Secret, SecretText};
use jiff::SignedDuration;
use reqwest::Method;
use std::time::Duration;

/// The longest answer of a provider that is shown, in characters.
const ANSWER_LIMIT_CHARS: usize = 300;
/// The longest pause that a provider can ask for.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// The key of every kind that speaks HTTPS.
pub const TLS_ROOTS: Key =
    Key::optional("tls_roots", Takes::Text, "PEM file of the trusted roots instead of the platform's.");

/// The key of the kinds that post to a webhook's address.
pub const WEBHOOK: Key = Key::required(
    "webhook",
    Takes::Secret,
    "The webhook's address; whoever has it can post, so it is a secret.",
);

/// A provider's HTTP interface.
#[derive(Clone)]
pub struct Api {
    /// The provider, as errors name it (`Slack`).
    provider: &'static str,
    timeout: Duration,
    tls: TlsProfile,
    clients: Clients,
}

/// One call.
pub struct Call<'a> {
    pub method: Method,
    /// Where to; may hold a secret (a webhook's address), which is never shown.
    pub url: SecretText,
    pub headers: Vec<(&'a str, SecretText)>,
    /// What to send.
    pub body: Option<Vec<u8>>,
}

impl Call<'_> {
    /// A call with this JSON.
    pub fn json(method: Method, url: SecretText, body: &serde_json::Value) -> Self {
        let kind = SecretText::Plain("application/json; charset=utf-8".into());
        let headers = vec![("Content-Type", kind), ("Accept", SecretText::Plain("application/json".into()))];
        Self { method, url, headers, body: Some(body.to_string().into_bytes()) }
    }

    /// A question.
    pub fn get(url: SecretText) -> Self {
        let headers = vec![("Accept", SecretText::Plain("application/json".into()))];
        Self { method: Method::GET, url, headers, body: None }
    }

    /// The same with `Authorization`: a scheme (`Bearer`) and what follows it.
    pub fn authorized(mut self, credentials: String) -> Self {
        self.headers.push(("Authorization", SecretText::Plain(credentials)));
        self
    }
}

/// A value of a plan that may be a secret.
pub fn secret_text(param: &Param) -> Option<SecretText> {
    match param {
        Param::Text(text) | Param::Raw(text) => Some(SecretText::Plain(text.clone())),
        Param::Secret(reference) => Some(SecretText::Secret(reference.clone())),
        _ => None,
    }
}

/// Such a value, where the kind cannot do without.
///
/// # Errors
/// When it is missing.
pub fn require_secret(params: &Params, key: &str) -> Result<SecretText, ParamError> {
    let missing = || ParamError { key: key.to_owned(), expected: "a secret" };
    params.get(key).and_then(secret_text).ok_or_else(missing)
}

/// The address of an interface without the slashes at its end.
///
/// # Errors
/// When it is missing.
pub fn require_url(params: &Params, key: &str) -> Result<String, ParamError> {
    Ok(params.require_text(key)?.trim_end_matches('/').to_owned())
}

/// Whether an address that may also be a secret is one.
///
/// # Errors
/// When it is none that a request could be sent to.
pub fn http_url(key: &str, url: &str) -> Result<(), BuildError> {
    let good = reqwest::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.port() != Some(0));
    let why = "it takes an `http` or `https` address, as in `https://example.org/hook`";
    if good { Ok(()) } else { Err(BuildError::value(key, "…", why)) }
}

impl Api {
    /// The interface that a channel uses. `tls_roots` among its keys names a PEM file of trusted roots.
    pub fn new(provider: &'static str, channel: &Channel, clients: &Clients) -> Self {
        let roots = channel.params.text("tls_roots").map(Into::into);
        let tls = TlsProfile { roots, ..TlsProfile::default() };
        Self { provider, timeout: channel.timeout.unsigned_abs(), tls, clients: clients.clone() }
    }

    /// The provider, as errors name it.
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// Makes a call; any status is an answer.
    ///
    /// # Errors
    /// When a secret cannot be had, the request certainly was not sent, or no complete answer came.
    pub async fn call(&self, call: Call<'_>) -> Result<HttpResponse, Undelivered> {
        let url = self.secret(&call.url).await?;
        let mut headers = Vec::with_capacity(call.headers.len());
        for (name, value) in &call.headers {
            headers.push(((*name).to_owned(), self.secret(value).await?));
        }
        let request = HttpRequest {
            // A message may have no other way out of this network.
            proxy_of_environment: true,
            method: call.method,
            url: url.expose().to_owned(),
            headers,
            body: call.body,
            deadline: self.timeout,
            max_body_bytes: crate::providers::http::client::DEFAULT_MAX_BODY_BYTES,
            follow_redirects: false,
            tls: self.tls.clone(),
            connect_to: None,
        };
        self.clients.http.send(&request).await.map_err(|error| {
            let again = match error.kind {
                HttpErrorKind::ThisHost
                | HttpErrorKind::OwnClock
                | HttpErrorKind::NoSuchHost
                | HttpErrorKind::NameGone
                | HttpErrorKind::Refused
                | HttpErrorKind::Unreachable => Again::After(None),
                // Before anything was sent, and not otherwise the next time.
                HttpErrorKind::Configuration | HttpErrorKind::Tls => Again::Never,
                _ => Again::Maybe,
            };
            // The path of a webhook's address is a secret: only what went wrong is told.
            let why = format!("{}: {}", self.provider, self.redacted(&error.message));
            Undelivered { why, next: sentence(&error.next_step()), again }
        })
    }

    /// A secret of the plan, for what has to be made of it: a header, a signature.
    ///
    /// # Errors
    /// When it cannot be had; another attempt finds the same.
    pub async fn secret(&self, text: &SecretText) -> Result<Secret, Undelivered> {
        self.clients.secrets.resolve_text(text).await.map_err(|error| Undelivered {
            why: self.redacted(&error.to_string()),
            next: "Store it with `lifeboat secret set`, or correct its name in the plan.".into(),
            again: Again::Never,
        })
    }

    /// A text that may be shown.
    pub fn redacted(&self, text: &str) -> String {
        self.clients.redactor.excerpt(text.trim(), ANSWER_LIMIT_CHARS)
    }

    /// The answer, where its status is a success.
    ///
    /// # Errors
    /// Sorted by the status: 408, 420, 429 and 503 after the time that the provider names, other 5xx as not known,
    /// the rest for good.
    pub fn accepted(&self, answer: HttpResponse) -> Result<HttpResponse, Undelivered> {
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(self.refused(status, &answer, &self.redacted(&answer.text()))),
        }
    }

    /// A refusal with a status, in the provider's words.
    pub fn refused(&self, status: u16, answer: &HttpResponse, said: &str) -> Undelivered {
        let provider = self.provider;
        let (again, next) = match status {
            408 | 420 | 429 | 503 => {
                (Again::After(retry_after(answer)), "It is tried again by itself while there is time.")
            }
            500..=599 => {
                (Again::Maybe, "The provider has trouble: look at its status page, tell them otherwise.")
            }
            401 | 403 => (
                Again::Never,
                "The credentials are wrong or lack a permission: renew them, then `lifeboat notify test`.",
            ),
            404 | 410 => (
                Again::Never,
                "The destination is not there any more: correct the plan, then `lifeboat notify test`.",
            ),
            _ => (Again::Never, "Correct the channel in the plan, then `lifeboat notify test`."),
        };
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Undelivered { why: format!("{provider} answered {status}{said}"), next: next.into(), again }
    }

    /// A refusal that comes with a good status.
    pub fn failed(&self, why: &str, next: &str, again: Again) -> Undelivered {
        Undelivered { why: format!("{}: {}", self.provider, self.redacted(why)), next: next.into(), again }
    }
}

/// The pause that a provider asks for, in seconds (RFC 9110, 10.2.3); dates are not used by any of them.
pub fn retry_after(answer: &HttpResponse) -> Option<SignedDuration> {
    let value = answer.headers.get("retry-after")?.to_str().ok()?;
    let seconds =
        value.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
    Some(SignedDuration::try_from_secs_f64(seconds.ceil()).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
