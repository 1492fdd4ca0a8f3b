//! An HTTP request of a plan, and the statuses that it may answer with.

use super::secret_texts;
use crate::clients::Clients;
use crate::clients::TlsProfile;
use crate::clients::http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::plan::params::Params;
use crate::probes::BuildError;
use crate::secrets::{SecretError, SecretText};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A request whose secrets are not resolved yet.
pub(crate) struct Request {
    pub(crate) method: reqwest::Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, SecretText)>,
    pub(crate) body: Option<String>,
    pub(crate) follow: bool,
    /// The plan wants the proxy of the environment.
    pub(crate) proxied: bool,
    tls: TlsProfile,
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
        use HttpErrorKind::{Configuration, NameGone, NoSuchHost, Refused, ThisHost};
        match self {
            Self::Secret(_) | Self::SecretTimeout => true,
            Self::Http(error) => {
                matches!(error.kind, Configuration | NameGone | NoSuchHost | Refused | ThisHost)
            }
        }
    }

    /// The fault is, or may be, on this side: it says nothing about the server.
    pub(crate) fn is_ours(&self) -> bool {
        use HttpErrorKind::{Configuration, NoSuchHost, ThisHost};
        match self {
            Self::Secret(_) | Self::SecretTimeout => true,
            Self::Http(error) => matches!(error.kind, Configuration | NoSuchHost | ThisHost),
        }
    }
}

impl Request {
    /// The request of the keys `method`, `headers`, `body`, `follow_redirects`, `tls_roots` and the given URL's key.
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
            tls: TlsProfile { roots, ..TlsProfile::default() },
        })
    }

    /// The same request with other headers.
    pub(crate) fn with_headers(&self, headers: Vec<(String, SecretText)>) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body: self.body.clone(),
            follow: self.follow,
            proxied: self.proxied,
            tls: self.tls.clone(),
        }
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
            tls: self.tls.clone(),
            ..HttpRequest::get(self.url.clone(), until - Instant::now())
        };
        Ok(clients.http.send(&request).await?)
    }
}

/// Accepted statuses: `200-299, 401`.
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
            why: "it takes statuses and ranges, `200-299, 401`".into(),
        })
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
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
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
        for bad in ["", "ok", "200-", "299-200", "2000", "99"] {
            assert_eq!(statuses(bad), None, "{bad}");
        }
    }
}
