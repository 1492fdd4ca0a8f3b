//! HTTP requests with a deadline, a cap on the body, and the server's certificate.

mod certificate;
mod coding;
mod error;
mod exchange;
mod place;
mod time;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::base::environment::Environment;
use crate::providers::net::names::{Directory, SystemNames};
use crate::providers::net::own_clock::OwnClock;
use crate::providers::net::path_end::PathEnds;
use crate::providers::net::tls::TlsProfile;
use crate::secrets::{Redactor, Secret};

use coding::{Body, Codings};
use exchange::{Answered, Exchange};

pub use certificate::Certificate;
pub use error::{HttpError, HttpErrorKind};
pub use place::Place;

/// Bytes of a body that are read unless the request says otherwise.
pub const DEFAULT_MAX_BODY_BYTES: usize = 1024 * 1024;

/// The longest address that is shown, in characters.
const TARGET_LIMIT_CHARS: usize = 300;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// One request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Where to; `http` or `https`.
    pub url: String,
    /// Headers. Values are secrets as far as this client is concerned: they are never shown, and are not sent to
    /// another host that the server redirects to.
    pub headers: Vec<(String, Secret)>,
    /// What to send.
    pub body: Option<Vec<u8>>,
    /// From the look-up of the name to the last byte of the body.
    pub deadline: Duration,
    /// Reading stops there; the response says so.
    pub max_body_bytes: usize,
    /// Follow redirects (at most five). Only for `GET` and `HEAD`: what changes something goes where the plan says.
    pub follow_redirects: bool,
    /// What TLS trusts.
    pub tls: TlsProfile,
    /// Go through the proxy that the environment names (`HTTPS_PROXY` and the like). A measurement goes direct: the
    /// proxy's failure would look like the service's.
    pub proxy_of_environment: bool,
    /// Connect there instead of to what the URL's host and port name. The server is asked as the URL says: `Host`, and
    /// with `https` the name that it must have a certificate for. Never through a proxy, and only for the URL's own
    /// server: a redirect to another one is an error.
    pub connect_to: Option<Place>,
}

impl HttpRequest {
    /// A `GET` that follows redirects, checks certificates with the platform's roots and reads up to 1 MiB.
    pub fn get(url: impl Into<String>, deadline: Duration) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            deadline,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            follow_redirects: true,
            tls: TlsProfile::default(),
            proxy_of_environment: false,
            connect_to: None,
        }
    }
}

/// The answer to a request. Everything in it is untrusted: clean and redact what is shown or recorded.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// From the start of the (last) request to the response's headers: the look-up, and the connection that answered
    /// with TLS. Addresses that were passed over are not in it.
    pub latency: Duration,
    /// Headers in the order of their names.
    pub headers: HeaderMap,
    /// The body, decoded, up to the request's cap.
    pub body: Vec<u8>,
    /// The body was longer than the cap; the rest was not read.
    pub body_cut: bool,
    /// Why the body cannot be read though there is one, in words; `body` is empty then. It says nothing of what the
    /// server meant.
    pub unreadable: Option<String>,
    /// Where the answer came from after redirects: scheme, host, port and path.
    pub target: String,
    /// The server's certificate, with `https`.
    pub certificate: Option<Certificate>,
    /// Where it was connected to instead of what the URL names.
    pub connected_to: Option<Place>,
    /// Addresses of the name that gave no connection, tried before the one that answered.
    pub passed_over: Vec<IpAddr>,
}

impl HttpResponse {
    /// What was not as the URL alone says, in words.
    pub fn detour(&self) -> Option<String> {
        let at = self.connected_to.as_ref().map(|place| format!("at {place}"));
        let silent = (!self.passed_over.is_empty())
            .then(|| format!("no connection to {}", error::listed(&self.passed_over)));
        let words: Vec<String> = at.into_iter().chain(silent).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The HTTP client of this process. Clones share everything.
#[derive(Clone)]
pub struct Http {
    redactor: Redactor,
    names: Directory,
    /// The environment names a proxy.
    proxies: bool,
    ends: PathEnds,
    clock: OwnClock,
    configs: Arc<Mutex<HashMap<TlsProfile, ClientConfig>>>,
}

impl Http {
    /// No connection yet.
    pub fn new(redactor: Redactor) -> Self {
        let names = Directory::new(Arc::new(SystemNames));
        let (ends, clock) = (PathEnds::default(), OwnClock::default());
        Self { redactor, names, proxies: false, ends, clock, configs: Arc::default() }
    }

    /// With another way to look up names.
    pub fn with_names(mut self, names: Directory) -> Self {
        self.names = names;
        self
    }

    /// With the proxies that the environment of this process names.
    pub fn with_proxies(mut self, environment: &Environment) -> Self {
        self.proxies = environment.names_a_proxy();
        self
    }

    /// With what others heard of the time.
    pub(crate) fn with_clock(mut self, clock: OwnClock) -> Self {
        self.clock = clock;
        self
    }

    /// What time it is: by the servers' dates, where they all deny this host's clock. Ends of certificates count by it.
    pub fn now(&self) -> Timestamp {
        self.clock.right(Timestamp::now())
    }

    /// Sends a request and reads its answer. Any status is an answer.
    ///
    /// Each request looks the name up and connects anew.
    ///
    /// # Errors
    /// [`HttpError`] when there is no complete answer within the deadline.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = parse(&request.url)?;
        self.redactor.learn_address(&request.url);
        let until = Instant::now() + request.deadline;
        let answer = match timeout_at(until, self.follow(request, url.clone(), until)).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::late(request.deadline, &target(&url, request.connect_to.as_ref()))),
        };
        answer.map_err(|error| error.told(&self.redactor))
    }

    async fn follow(
        &self,
        request: &HttpRequest,
        mut url: Url,
        until: Instant,
    ) -> Result<HttpResponse, HttpError> {
        let follow = request.follow_redirects && matches!(request.method, Method::GET | Method::HEAD);
        let first = url.origin();
        for _ in 0..=MAX_REDIRECTS {
            let headers = if url.origin() == first { self.headers(request, &url)? } else { HeaderMap::new() };
            let answered = Exchange { http: self, request, url: &url, headers, until }.run().await?;
            if !(follow && is_redirect(answered.response.status())) {
                return self.read(answered, request, &url).await;
            }
            let next = next_url(&answered.response, &url)?;
            if let Some(place) = request.connect_to.as_ref().filter(|_| next.origin() != first) {
                let message =
                    format!("it redirects to {}, which is not the server at {place}", target(&next, None));
                return Err(HttpError::new(HttpErrorKind::Redirects, &target(&url, Some(place)), &message));
            }
            url = next;
        }
        let message = format!("more than {MAX_REDIRECTS} redirects");
        Err(HttpError::new(HttpErrorKind::Redirects, &target(&url, request.connect_to.as_ref()), &message))
    }

    async fn read(
        &self,
        answered: Answered,
        request: &HttpRequest,
        url: &Url,
    ) -> Result<HttpResponse, HttpError> {
        let Answered { mut response, latency, passed_over } = answered;
        let target = target(url, request.connect_to.as_ref());
        let max_body_bytes = request.max_body_bytes;
        let codings = Codings::of(response.headers());
        let wire_limit = codings.wire_limit(max_body_bytes);
        let mut wire = Body { bytes: Vec::new(), cut: false };
        while let Some(chunk) = response.chunk().await.map_err(|error| HttpError::of(error, &target))? {
            let room = wire_limit - wire.bytes.len();
            wire.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                wire.cut = true;
                break;
            }
        }
        let (body, unreadable) = match codings.undo(wire, max_body_bytes) {
            Ok(body) => (body, None),
            Err(why) => (Body { bytes: Vec::new(), cut: false }, Some(why)),
        };
        // One name may be asked for at several places.
        let place = request.connect_to.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        let server = format!("{}{place}", url.origin().ascii_serialization());
        self.clock.hear(&server, response.headers());
        let tls = response.extensions().get::<reqwest::tls::TlsInfo>();
        Ok(HttpResponse {
            status: response.status().as_u16(),
            latency,
            certificate: tls.and_then(|tls| tls.peer_certificate()).and_then(|der| self.certificate(der)),
            headers: std::mem::take(response.headers_mut()),
            body: body.bytes,
            body_cut: body.cut,
            unreadable,
            target: self.redactor.excerpt(&target, TARGET_LIMIT_CHARS),
            connected_to: request.connect_to.clone(),
            passed_over,
        })
    }

    fn certificate(&self, der: &[u8]) -> Option<Certificate> {
        Some(Certificate { path_end: self.ends.of(der), ..Certificate::read(der)? })
    }

    /// The headers of a request; those that show who lifeboat is are kept out of what its answer says.
    fn headers(&self, request: &HttpRequest, url: &Url) -> Result<HeaderMap, HttpError> {
        request.headers.iter().for_each(|(name, value)| self.redactor.learn_header(name, value.expose()));
        headers(request, url)
    }

    /// What TLS trusts, as the library takes it.
    fn tls(&self, profile: &TlsProfile, target: &str) -> Result<ClientConfig, HttpError> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(profile) {
            return Ok(config.clone());
        }
        let config =
            profile.foreseeing_config(&self.ends).map_err(|error| HttpError::tls_setup(target, &error))?;
        configs.insert(profile.clone(), config.clone());
        Ok(config)
    }
}

fn parse(text: &str) -> Result<Url, HttpError> {
    let wrong = |why: &str| HttpError::new(HttpErrorKind::Configuration, "the URL", why);
    // The text itself is not quoted: it may hold a password or a token.
    let url = Url::parse(text).map_err(|error| wrong(&format!("it cannot be read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    Ok(url)
}

/// Scheme, host, port and path, and where that is looked for; a query or a password may be secret. The path may be a
/// server's, and hold one too.
fn target(url: &Url, place: Option<&Place>) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let at = place.map(|place| format!(" at {place}")).unwrap_or_default();
    format!("{}://{host}{port}{}{at}", url.scheme(), url.path())
}

fn headers(request: &HttpRequest, url: &Url) -> Result<HeaderMap, HttpError> {
    let wrong = |name: &str, why: &str| {
        let name = crate::base::text::clean(name, 80);
        HttpError::new(HttpErrorKind::Configuration, &target(url, None), &format!("header {name:?} {why}"))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let header: HeaderName = name.parse().map_err(|_| wrong(name, "is not a header's name"))?;
        let value = HeaderValue::from_str(value.expose());
        let mut value =
            value.map_err(|_| wrong(name, "has a value with characters that no header can have"))?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn next_url(response: &Response, from: &Url) -> Result<Url, HttpError> {
    let nowhere = |why: &str| HttpError::new(HttpErrorKind::Redirects, &target(from, None), why);
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| nowhere("a redirect that does not say where to"))?;
    let next = from.join(location).map_err(|_| nowhere("a redirect to something that is not a URL"))?;
    match next.scheme() {
        "https" => Ok(next),
        "http" if from.scheme() == "http" => Ok(next),
        "http" => Err(nowhere("a redirect from https to http is not followed")),
        _ => Err(nowhere("a redirect to something that is not http")),
    }
}

#[cfg(test)]
mod tests;
