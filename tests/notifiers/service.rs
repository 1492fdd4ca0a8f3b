//! A service of the tests' own.

use serde_json::Value;
use std::sync::Arc;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A running service; it ends with the test.
pub struct Service {
    server: MockServer,
}

struct Answers<F>(Arc<F>);

impl<F: Fn(&Request) -> ResponseTemplate + Send + Sync> Respond for Answers<F> {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        (self.0)(request)
    }
}

impl Service {
    /// Answers every request with what `answer` makes of it.
    pub async fn start(answer: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> Self {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Answers(Arc::new(answer))).mount(&server).await;
        Self { server }
    }

    /// Answers every request the same.
    pub async fn saying(answer: ResponseTemplate) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    /// The JSON of the only request.
    pub async fn body(&self) -> Value {
        let requests = self.requests().await;
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests[0].body_json().unwrap()
    }
}

/// An answer with JSON.
pub fn json(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// A header; empty where it is not there.
pub fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// A field of a schema: its name, whether it must be there, and what it must be.
pub type Field<'a> = (&'a str, bool, &'a dyn Fn(&Value) -> bool);

/// Holds JSON against a schema: each field with its check, and whether it must be there. No other field may be there.
pub fn check(value: &Value, fields: &[Field<'_>]) -> Result<(), String> {
    let object = value.as_object().ok_or("not an object")?;
    for name in object.keys() {
        if !fields.iter().any(|(known, ..)| known == name) {
            return Err(format!("unknown field {name}"));
        }
    }
    for (name, required, right) in fields {
        match object.get(*name) {
            Some(value) if !right(value) => return Err(format!("field {name} is wrong: {value}")),
            None if *required => return Err(format!("field {name} is missing")),
            _ => {}
        }
    }
    Ok(())
}

/// A text of at most so many characters, without what could steer a terminal.
pub fn is_text(limit_chars: usize) -> impl Fn(&Value) -> bool {
    move |value| {
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= limit_chars;
        let tame = |text: &str| text.chars().all(|c| c == '\n' || !lifeboat::base::text::is_hostile(c));
        value.as_str().is_some_and(|text| fits(text) && tame(text))
    }
}

/// One of these words.
pub fn is_one_of(words: &'static [&'static str]) -> impl Fn(&Value) -> bool {
    move |value| value.as_str().is_some_and(|text| words.contains(&text))
}

/// The fields of a form.
pub fn form(request: &Request) -> Vec<(String, String)> {
    let body = String::from_utf8(request.body.clone()).unwrap();
    let url = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
