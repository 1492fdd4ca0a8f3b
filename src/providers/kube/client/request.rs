//! One call: sent once, bounded in time and size.

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::resource::Scope;
use super::session::Session;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The largest answer: a page of 500 pods with long statuses has a few MB.
const MAX_ANSWER_BYTES: usize = 32 << 20;
/// Objects of one page of a list, and of a whole list.
const PAGE: usize = 500;
const MAX_OBJECTS: usize = 20_000;
/// What lifeboat calls itself, in the API server's audit log and as the manager of fields.
pub const MANAGER: &str = "lifeboat";

/// How something is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
    /// A merge patch of some fields (RFC 7386).
    Merge,
    /// A strategic merge patch.
    Strategic,
    /// A JSON patch (RFC 6902).
    Json,
    /// A server-side apply.
    Apply,
}

/// What is sent, and to which place.
pub struct Sent<'a> {
    pub method: Method,
    pub path: String,
    /// Names and values of the query.
    pub query: Vec<(&'static str, String)>,
    pub body: Option<&'a Value>,
}

/// A page of a list, whose objects are not parsed yet: as values they take ten times the memory that they take as text.
#[derive(Deserialize)]
struct Page<'a> {
    /// `PodList`.
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: Option<String>,
    /// Where the next page begins; empty or not there on the last one.
    #[serde(rename = "continue")]
    next: Option<String>,
}

impl Cluster {
    /// Reads one place.
    ///
    /// # Errors
    /// [`KubeError`], also where there is nothing.
    pub async fn get(&self, call: &Call, path: String, within: Duration) -> Result<Value, KubeError> {
        self.send(call, Sent { method: Method::Get, path, query: Vec::new(), body: None }, within).await
    }

    /// Reads a place that answers in words (`/readyz`), whatever its status is.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn raw(&self, call: &Call, path: &str, within: Duration) -> Result<(u16, Bytes), KubeError> {
        let sent = Sent { method: Method::Get, path: path.to_owned(), query: Vec::new(), body: None };
        self.answer(call, &sent, within).await
    }

    /// All objects of a kind, of one namespace or of all, that a selector fits; with the version of the list.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn list(
        &self,
        call: &Call,
        scope: Scope<'_>,
        within: Duration,
    ) -> Result<(Vec<Value>, String), KubeError> {
        self.list_where(call, scope, None, within).await
    }

    /// The same of those whose fields fit as well, by the API server's own judgement (`type=Warning`).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn list_where(
        &self,
        call: &Call,
        scope: Scope<'_>,
        fields: Option<&str>,
        within: Duration,
    ) -> Result<(Vec<Value>, String), KubeError> {
        let mut items = Vec::new();
        let version = self.each(call, scope, fields, within, |object| items.push(object)).await?;
        Ok((items, version))
    }

    /// Hands over each object of such a list by itself, and returns the version of the list: of thousands of objects only one
    /// is in memory as a value.
    ///
    /// # Errors
    /// As [`Self::get`]; some objects may have been handed over then.
    pub async fn each(
        &self,
        call: &Call,
        scope: Scope<'_>,
        fields: Option<&str>,
        within: Duration,
        mut take: impl FnMut(Value) + Send,
    ) -> Result<String, KubeError> {
        let until = Instant::now() + within;
        let (mut taken, mut next) = (0_usize, None::<String>);
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(scope.selector.map(|selector| ("labelSelector", selector.to_owned())));
            query.extend(fields.map(|fields| ("fieldSelector", fields.to_owned())));
            query.extend(next.map(|next| ("continue", next)));
            let sent = Sent { method: Method::Get, path: scope.path(), query, body: None };
            let body = self.taken(call, &sent, until.saturating_duration_since(Instant::now())).await?;
            let page: Page<'_> = self.parsed(call, &body)?;
            // An empty list is one all the same; what is none would pass for "there are none".
            if page.items.is_none() && !page.kind.ends_with("List") {
                let why = "what answered is no API server: the answer is no list";
                return Err(KubeError::new(&self.context, call, KubeErrorKind::NotKubernetes, why));
            }
            for object in page.items.into_iter().flatten() {
                taken += 1;
                take(self.parsed(call, object.get().as_bytes())?);
            }
            next = page.metadata.next.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(page.metadata.resource_version.unwrap_or_default());
            }
            if taken >= MAX_OBJECTS {
                let why = format!("there are more than {MAX_OBJECTS} {}", scope.resource.plural);
                let hint = "Name a namespace or a selector.";
                return Err(KubeError::new(&self.context, call, KubeErrorKind::Refused, why).with_hint(hint));
            }
        }
    }

    /// Sends it, once, and reads the object that comes back.
    ///
    /// # Errors
    /// [`KubeError`], which tells whether it may have been done.
    pub async fn send(&self, call: &Call, sent: Sent<'_>, within: Duration) -> Result<Value, KubeError> {
        let body = self.taken(call, &sent, within).await?;
        self.parsed(call, &body)
    }

    /// The object that came back, or why none did.
    pub(super) fn object(&self, call: &Call, status: u16, body: &[u8]) -> Result<Value, KubeError> {
        match status {
            200..=299 => self.parsed(call, body),
            _ => Err(self.refused(call, status, body)),
        }
    }

    /// What comes back of what the API server took.
    async fn taken(&self, call: &Call, sent: &Sent<'_>, within: Duration) -> Result<Bytes, KubeError> {
        let (status, body) = self.answer(call, sent, within).await?;
        match status {
            200..=299 => Ok(body),
            _ => Err(self.refused(call, status, &body)),
        }
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, call: &Call, text: &'a [u8]) -> Result<T, KubeError> {
        serde_json::from_slice(text).map_err(|error| {
            let why = match error.is_data() {
                true => "what answered is no API server: the answer is another one than was asked for",
                false => "what answered is no API server: the answer is no JSON",
            };
            KubeError::new(&self.context, call, KubeErrorKind::NotKubernetes, why)
        })
    }

    pub(super) async fn answer(
        &self,
        call: &Call,
        sent: &Sent<'_>,
        within: Duration,
    ) -> Result<(u16, Bytes), KubeError> {
        let until = Instant::now() + within;
        let mut renewed = false;
        loop {
            let session = self.session(call, until).await?;
            let answer = timeout_at(until, self.exchange(call, sent, &session)).await;
            let (status, body) = answer.unwrap_or_else(|_| Err(self.late(call, within)))?;
            // Nothing was done; the credentials may be older than their end.
            if status == 401 && !renewed && self.renew(&session) {
                renewed = true;
                continue;
            }
            return Ok((status, body));
        }
    }

    async fn exchange(
        &self,
        call: &Call,
        sent: &Sent<'_>,
        session: &Session,
    ) -> Result<(u16, Bytes), KubeError> {
        let request = self.request(call, sent)?;
        let answer = session.client.send(request).await.map_err(|error| self.unanswered(call, &error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await.map_err(|error| {
            match error.is::<http_body_util::LengthLimitError>() {
                true => {
                    let why = format!("the answer has more than {} MB", MAX_ANSWER_BYTES >> 20);
                    KubeError::new(&self.context, call, KubeErrorKind::Refused, why)
                }
                false => self.unanswered(call, &*error),
            }
        })?;
        Ok((status, body.to_bytes()))
    }

    pub(super) fn request(&self, call: &Call, sent: &Sent<'_>) -> Result<http::Request<Body>, KubeError> {
        let (method, content) = match sent.method {
            Method::Get => (http::Method::GET, None),
            Method::Post => (http::Method::POST, Some("application/json")),
            Method::Put => (http::Method::PUT, Some("application/json")),
            Method::Delete => (http::Method::DELETE, Some("application/json")),
            Method::Merge => (http::Method::PATCH, Some("application/merge-patch+json")),
            Method::Strategic => (http::Method::PATCH, Some("application/strategic-merge-patch+json")),
            Method::Json => (http::Method::PATCH, Some("application/json-patch+json")),
            Method::Apply => (http::Method::PATCH, Some("application/apply-patch+yaml")),
        };
        let mut uri = sent.path.clone();
        let mut query = form(&sent.query);
        if sent.method != Method::Get && sent.method != Method::Delete {
            query.push(format!("fieldManager={MANAGER}"));
        }
        if !query.is_empty() {
            uri = format!("{uri}?{}", query.join("&"));
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("lifeboat/", env!("CARGO_PKG_VERSION")));
        if let Some(content) = content {
            request = request.header(CONTENT_TYPE, content);
        }
        let body = sent.body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        request.body(Body::from(body)).map_err(|_| {
            let why = "its name or query makes no request";
            KubeError::new(&self.context, call, KubeErrorKind::Refused, why)
        })
    }
}

fn form(query: &[(&'static str, String)]) -> Vec<String> {
    let escaped = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect::<String>()
    };
    query.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect()
}
