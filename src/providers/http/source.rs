//! An HTTP request of a plan, and the statuses that it may answer with.

use crate::kinds::source::secret_texts;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::kinds::keys::headers;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::http::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, Place};
use crate::providers::net::tls::TlsProfile;
use crate::secrets::{SecretError, SecretText};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The key that says where to connect to.
pub(crate) const CONNECT_TO: Key = Key::optional(
    "connect_to",
    Takes::Text,
    "Host and port to connect to instead of those of `url`, `lb.dr.example.com:443`: asks one server for the name that \
     points at another one. `Host`, the name that TLS asks for and the check of the certificate stay those of `url`.",
);

/// A request whose secrets are not resolved yet.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: reqwest::Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, SecretText)>,
    pub(crate) body: Option<String>,
    pub(crate) follow: bool,
    /// The plan wants the proxy of the environment.
    pub(crate) proxied: bool,
    /// Where to connect to instead.
    pub(crate) connect_to: Option<Place>,
    tls: TlsProfile,
}

/// What does not do among the keys of a request: its method, and the names and values of its headers as far as they stand
/// in the plan.
pub(crate) fn faults_of(params: &Params, url: &str) -> Vec<BuildError> {
    let method = Request::of(params, url, params.text("method").unwrap_or("GET")).err();
    method.into_iter().chain(headers(params)).collect()
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// A header is a secret that is not to be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret's source does not answer.
    #[error("a secret of the headers was not to be had in time")]
    SecretTimeout,
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl RequestError {
    /// What the operator can do now.
    pub(crate) fn next_step(&self) -> String {
        match self {
            Self::Secret(error) => error.next_step(),
            Self::SecretTimeout => "Check the source of the secret (`lifeboat secret list`).".into(),
            Self::Http(error) => error.next_step(),
        }
    }

    /// Nothing was sent, or no server was there to take it.
    pub(crate) fn not_sent(&self) -> bool {
        use HttpErrorKind::{Configuration, NameGone, NoSuchHost, OwnClock, Refused, ThisHost};
        match self {
            Self::Secret(_) | Self::SecretTimeout => true,
            Self::Http(error) => {
                matches!(error.kind, Configuration | NameGone | NoSuchHost | OwnClock | Refused | ThisHost)
            }
        }
    }

    /// The fault is, or may be, on this side: it says nothing about the server.
    pub(crate) fn is_ours(&self) -> bool {
        use HttpErrorKind::{Configuration, NoSuchHost, OwnClock, ThisHost};
        match self {
            Self::Secret(_) | Self::SecretTimeout => true,
            Self::Http(error) => matches!(error.kind, Configuration | NoSuchHost | OwnClock | ThisHost),
        }
    }
}

impl Request {
    /// The request of the keys `method`, `headers`, `body`, `follow_redirects`, `proxy`, `tls_roots` and the given
    /// URL's key.
    pub(crate) fn of(params: &Params, url: &str, method: &str) -> Result<Self, BuildError> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|_| BuildError::Value {
            key: "method".into(),
            value: method.into(),
            why: "it is not an HTTP method".into(),
        })?;
        let roots = params.text("tls_roots").map(Into::into);
        Ok(Self {
            method,
            url: params.require_text(url)?.to_owned(),
            headers: secret_texts(params, "headers"),
            body: params.text("body").map(str::to_owned),
            follow: params.flag("follow_redirects"),
            proxied: params.text("proxy") == Some("environment"),
            connect_to: None,
            tls: TlsProfile { roots, ..TlsProfile::default() },
        })
    }

    /// The same request, connecting to what `connect_to` says.
    pub(crate) fn connecting(self, params: &Params) -> Result<Self, BuildError> {
        Ok(Self { connect_to: connect_to(params, &self)?, ..self })
    }

    /// The URL, and where the connection goes instead.
    pub(crate) fn place(&self) -> String {
        match &self.connect_to {
            Some(place) => format!("{} at {place}", self.url),
            None => self.url.clone(),
        }
    }

    /// The same request with other headers.
    pub(crate) fn with_headers(&self, headers: Vec<(String, SecretText)>) -> Self {
        Self { headers, ..self.clone() }
    }

    /// The same request to another URL.
    #[cfg(feature = "kube")]
    pub(crate) fn to(&self, url: String) -> Self {
        Self { url, ..self.clone() }
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(
        &self,
        clients: &Clients,
        within: Duration,
    ) -> Result<HttpResponse, RequestError> {
        let until = Instant::now() + within;
        let resolving = async {
            let mut headers = Vec::with_capacity(self.headers.len());
            for (name, value) in &self.headers {
                headers.push((name.clone(), clients.secrets.resolve_text(value).await?));
            }
            Ok::<_, SecretError>(headers)
        };
        let headers = timeout_at(until, resolving).await.map_err(|_| RequestError::SecretTimeout)??;
        let request = HttpRequest {
            method: self.method.clone(),
            headers,
            body: self.body.clone().map(String::into_bytes),
            follow_redirects: self.follow,
            proxy_of_environment: self.proxied,
            connect_to: self.connect_to.clone(),
            tls: self.tls.clone(),
            ..HttpRequest::get(self.url.clone(), until - Instant::now())
        };
        Ok(clients.http.send(&request).await?)
    }
}

/// What `connect_to` says, where that can work.
fn connect_to(params: &Params, request: &Request) -> Result<Option<Place>, BuildError> {
    let Some(text) = params.text(CONNECT_TO.name) else { return Ok(None) };
    let wrong = |why: String| BuildError::Value { key: CONNECT_TO.name.into(), value: text.into(), why };
    let place = Place::parse(text)
        .ok_or_else(|| wrong("it takes host and port (`lb.dr.example.com:443`, `[::1]:8443`)".into()))?;
    if let Some(why) = crate::base::host::host_fault(place.host()) {
        return Err(wrong(why));
    }
    if request.proxied {
        return Err(wrong("a proxy makes its own connection: leave `proxy` out".into()));
    }
    let url = reqwest::Url::parse(&request.url).ok();
    match url.filter(|url| url.domain().is_none()) {
        Some(url) => Err(wrong(format!(
            "the URL names an address, {}, and no name: write the other address there",
            url.host_str().unwrap_or_default()
        ))),
        None => Ok(Some(place)),
    }
}

/// Statuses: `200-299, 401, 5xx`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Reads what a key says.
    pub(crate) fn of(params: &Params, key: &str) -> Result<Self, BuildError> {
        let text = params.text(key).unwrap_or("200-299");
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges.map(Self).ok_or_else(|| BuildError::Value {
            key: key.to_owned(),
            value: text.to_owned(),
            why: "it takes statuses from 100 to 599 and ranges, `200-299, 401, 5xx`".into(),
        })
    }

    /// The first status that both name.
    pub(crate) fn shared(&self, other: &Self) -> Option<u16> {
        let pairs = self.0.iter().flat_map(|one| other.0.iter().map(move |two| (one, two)));
        pairs.filter_map(|(one, two)| Some(one.0.max(two.0)).filter(|from| *from <= one.1.min(two.1))).min()
    }

    /// Is it one of them?
    pub(crate) fn accept(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (from, to)) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            if from == to { write!(f, "{from}")? } else { write!(f, "{from}-{to}")? }
        }
        Ok(())
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = match text.trim().strip_suffix("xx") {
        Some(class) => (format!("{class}00"), format!("{class}99")),
        None => {
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            (from.trim().to_owned(), to.trim().to_owned())
        }
    };
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (100 <= from && from <= to && to <= 599).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn statuses(text: &str) -> Option<Statuses> {
        let params = [("status".to_owned(), Param::Text(text.into()))].into_iter().collect();
        Statuses::of(&Params(params), "status").ok()
    }

    #[test]
    fn statuses_are_lists_of_ranges() {
        let some = statuses("200-299, 401").unwrap();
        assert!(some.accept(204) && some.accept(401) && !some.accept(302) && !some.accept(404));
        assert_eq!(some.to_string(), "200-299, 401");
        assert_eq!(statuses("4xx, 503").unwrap().to_string(), "400-499, 503");
        for bad in ["", "ok", "200-", "299-200", "2000", "99", "xx", "6xx", "-1xx", "5xx-599", "200,"] {
            assert_eq!(statuses(bad), None, "{bad}");
        }
    }
}
