//! `statuspage`: an incident of an Atlassian Statuspage that is opened, updated and resolved.
//!
//! After <https://developer.statuspage.io/> (`POST /pages/{page_id}/incidents`,
//! `PATCH /pages/{page_id}/incidents/{incident_id}`, `GET /pages/{page_id}/components`).

use crate::core::words::notification::{Again, Intent, Message, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel, ComponentStatus, PageStatus};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The longest name of an incident.
const NAME_LIMIT_CHARS: usize = 255;
/// The longest text of an update.
const BODY_LIMIT_CHARS: usize = 25_000;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "statuspage",
    doc: "Publishes on an Atlassian Statuspage: the first message of an incident opens one there, later messages update \
          it. What the page says of the incident and of the channel's components stands in the plan's message \
          (`page_status`, `component_status`); without it a new incident is `investigating` and an update changes \
          nothing but the text.",
    address: None,
    capabilities: |_| Capabilities { threads: true, ..Capabilities::default() },
    keys: &[
        Key::required("api_key", Takes::Secret, "An API key of the organisation (\"API info\")."),
        Key::required("page", Takes::Text, "The page's id (\"API info\")."),
        Key::default(
            "components",
            Takes::List(&Takes::Text),
            "[]",
            "The ids of the components that the incident is about.",
        ),
        Key::default("notify_subscribers", Takes::Flag, "true", "Subscribers of the page are told."),
        Key::default("api_url", Takes::Url, "https://api.statuspage.io/v1", "Statuspage's API."),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Status page"
kind = "statuspage"
api_key = { secret = "statuspage-key" }
page = "kctbh9vrtdwd"
components = ["8kbf7d35c070", "vtnh60py4yd7"]
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let params = &channel.params;
    let page = params.require_text("page")?;
    let components = params.texts("components").into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (key, id) in std::iter::once(("page", page)).chain(components.iter().map(|id| ("components", &**id)))
    {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let why = "an id has letters and digits only; it stands under \"API info\" of the page".into();
            return Err(BuildError::Value { key: key.into(), value: id.into(), why });
        }
    }
    Ok(Box::new(Statuspage {
        api_key: require_secret(params, "api_key")?,
        url: format!("{}/pages/{page}", require_url(params, "api_url")?),
        components,
        notify_subscribers: params.flag("notify_subscribers"),
        api: Api::new("Statuspage", channel, clients),
    }))
}

struct Statuspage {
    api_key: SecretText,
    url: String,
    components: Vec<String>,
    notify_subscribers: bool,
    api: Api,
}

impl Notifier for Statuspage {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.publish(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(self.look())
    }
}

impl Statuspage {
    async fn publish(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let resolves = outgoing.intent == Intent::Resolve;
        if resolves && outgoing.thread.is_none() {
            return Ok(Receipt { answer: "no incident is open on the page".into(), ..Receipt::default() });
        }
        let (incident, cut) = self.incident(&outgoing.message, outgoing.thread.is_none(), resolves);
        let (method, path) = match &outgoing.thread {
            None => (Method::POST, "incidents".to_owned()),
            Some(id) => (Method::PATCH, format!("incidents/{id}")),
        };
        let call = Call::json(method, self.at(&path), &json!({ "incident": incident }));
        let answer = self.call(call).await?;
        let said = answer::json(&self.api, &answer)?;
        let (id, status) = (answer::text(&said, "/id"), answer::text(&said, "/status"));
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(answer::unexpected(&self.api, &answer));
        }
        let (id, link) = (self.api.redacted(id), answer::text(&said, "/shortlink"));
        let answer = self.api.redacted(&format!("{} {status} {link}", answer.status));
        Ok(Receipt { thread: id.clone(), id, answer, cut })
    }

    fn incident(&self, message: &Message, is_new: bool, resolves: bool) -> (Map<String, Value>, String) {
        let fitted = text::body(message, BODY_LIMIT_CHARS);
        let mut incident = Map::new();
        let mut put = |name: &str, value: Value| incident.insert(name.to_owned(), value);
        put("body", fitted.text.into());
        put("deliver_notifications", self.notify_subscribers.into());
        let status = if resolves { Some(PageStatus::Resolved) } else { message.page_status };
        let status = status.or(is_new.then_some(PageStatus::Investigating));
        if let Some(status) = status {
            put("status", page_word(status).into());
        }
        if is_new {
            put("name", text::line(&message.subject, NAME_LIMIT_CHARS).into());
        }
        if !self.components.is_empty() {
            put("component_ids", self.components.clone().into());
            let works = resolves.then_some(ComponentStatus::Operational);
            if let Some(status) = works.or(message.component_status) {
                let of_each = self.components.iter().map(|id| (id.clone(), component_word(status).into()));
                put("components", Value::Object(of_each.collect()));
            }
        }
        (incident, fitted.cut)
    }

    async fn look(&self) -> Result<Option<String>, Undelivered> {
        let answer = self.call(Call::get(self.at("components"))).await?;
        let found = answer::json(&self.api, &answer)?;
        let Some(known) = found.as_array() else { return Err(answer::unexpected(&self.api, &answer)) };
        let is_known = |id: &&String| known.iter().any(|component| component["id"] == ***id);
        let missing: Vec<&str> = self.components.iter().filter(|id| !is_known(id)).map(|id| &**id).collect();
        if !missing.is_empty() {
            let next = "Copy the ids of the components from the page's \"API info\" into `components`.";
            let why = format!("the page has no component {}", missing.join(", "));
            return Err(self.api.failed(&why, next, Again::Never));
        }
        Ok(Some(format!("the key is taken, the page has {} components, the plan's among them", known.len())))
    }

    fn at(&self, path: &str) -> SecretText {
        SecretText::Plain(format!("{}/{path}", self.url))
    }

    async fn call(&self, call: Call<'_>) -> Result<HttpResponse, Undelivered> {
        let key = self.api.secret(&self.api_key).await?;
        let answer = self.api.call(call.authorized(format!("OAuth {}", key.expose()))).await?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(self.refusal(&answer)),
        }
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let said = self.api.redacted(&answer::said(answer, &["/error", "/errors", "/message"]));
        let next = match answer.status {
            401 | 403 => {
                "Copy an API key of the organisation (\"API info\"), and store it with `lifeboat secret set`; publish by \
                 hand meanwhile."
            }
            404 => {
                "The page or its incident is gone: look at `page` in the plan and at the page itself; publish by hand."
            }
            400 | 422 => {
                "Statuspage does not take the incident: look at `components` in the plan; publish by hand."
            }
            status => return self.api.refused(status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
    }
}

fn page_word(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Investigating => "investigating",
        PageStatus::Identified => "identified",
        PageStatus::Monitoring => "monitoring",
        PageStatus::Resolved => "resolved",
    }
}

fn component_word(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "operational",
        ComponentStatus::DegradedPerformance => "degraded_performance",
        ComponentStatus::PartialOutage => "partial_outage",
        ComponentStatus::MajorOutage => "major_outage",
        ComponentStatus::UnderMaintenance => "under_maintenance",
    }
}
