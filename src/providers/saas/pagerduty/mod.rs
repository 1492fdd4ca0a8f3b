//! `pagerduty`: an alert that is triggered, acknowledged and resolved; asked after when there is an API token.
//!
//! After <https://developer.pagerduty.com/docs/send-alert-event> (Events API v2, its schema at
//! <https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json>) and
//! <https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents>.

mod events;
mod incidents;

use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, dedup};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url, secret_text};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;

/// The longest `dedup_key`.
const KEY_LIMIT_BYTES: usize = 255;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "pagerduty",
    doc: "Triggers an alert of a PagerDuty service (Events API v2) and acknowledges and resolves it with the \
          escalation. All pages of one escalation on a channel are one alert. With `api_token`, PagerDuty is asked \
          who acknowledged it. A message that only informs is an alert of its own with severity `info`, which \
          lifeboat does not close.",
    address: None,
    capabilities: |params| Capabilities {
        repeatable: true,
        has_alerts: true,
        threads: false,
        tracks: params.get("api_token").is_some(),
    },
    keys: &[
        Key::required(
            "routing_key",
            Takes::Secret,
            "The integration key of an \"Events API V2\" integration of the service.",
        ),
        Key::optional(
            "api_token",
            Takes::Secret,
            "A read-only REST API key: with it, acknowledgements in PagerDuty are seen.",
        ),
        Key::optional("link", Takes::Url, "A page to show with the alert: the runbook, a dashboard."),
        Key::default(
            "events_url",
            Takes::Url,
            "https://events.pagerduty.com/v2/enqueue",
            "The Events API; `https://events.eu.pagerduty.com/v2/enqueue` in the EU.",
        ),
        Key::default(
            "api_url",
            Takes::Url,
            "https://api.pagerduty.com",
            "The REST API; `https://api.eu.pagerduty.com` in the EU.",
        ),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "PagerDuty"
kind = "pagerduty"
routing_key = { secret = "pagerduty-routing-key" }
api_token = { secret = "pagerduty-api-token" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(PagerDuty {
        channel: channel.id.to_string(),
        routing_key: require_secret(&channel.params, "routing_key")?,
        api_token: channel.params.get("api_token").and_then(secret_text),
        link: channel.params.text("link").map(str::to_owned),
        events_url: require_url(&channel.params, "events_url")?,
        api_url: require_url(&channel.params, "api_url")?,
        api: Api::new("PagerDuty", channel, clients),
    }))
}

struct PagerDuty {
    channel: String,
    routing_key: SecretText,
    api_token: Option<SecretText>,
    link: Option<String>,
    events_url: String,
    api_url: String,
    api: Api,
}

impl Notifier for PagerDuty {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.enqueue(outgoing))
    }

    fn track<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        _: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(self.look(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(self.abilities())
    }
}

impl PagerDuty {
    fn dedup_key(&self, outgoing: &Outgoing) -> String {
        dedup::within(&dedup::alert(outgoing, &self.channel), KEY_LIMIT_BYTES)
    }

    async fn enqueue(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let routing_key = self.api.secret(&self.routing_key).await?;
        let key = self.dedup_key(outgoing);
        let (mut event, cut) = events::event(outgoing, &key, self.link.as_deref());
        event["routing_key"] = routing_key.expose().into();
        let call = Call::json(Method::POST, SecretText::Plain(self.events_url.clone()), &event);
        let answer = self.api.call(call).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(events::refusal(&self.api, &answer));
        }
        let said = answer::json(&self.api, &answer)?;
        let (status, message) = (answer::text(&said, "/status"), answer::text(&said, "/message"));
        match status {
            "success" => Ok(Receipt {
                id: key,
                thread: String::new(),
                answer: self.api.redacted(&format!("{} success: {message}", answer.status)),
                cut,
            }),
            "" => Err(answer::unexpected(&self.api, &answer)),
            _ => Err(events::refusal(&self.api, &answer)),
        }
    }

    async fn look(&self, outgoing: &Outgoing) -> Result<Tracked, Undelivered> {
        let key = incidents::encoded(&self.dedup_key(outgoing));
        let path = format!("incidents?incident_key={key}&sort_by=created_at%3Adesc&limit=1&date_range=all");
        Ok(match self.rest(&path).await? {
            Some(found) => incidents::tracked(&self.api, &found),
            None => Tracked::Pending,
        })
    }

    async fn abilities(&self) -> Result<Option<String>, Undelivered> {
        let Some(found) = self.rest("abilities").await? else { return Ok(None) };
        let count = found["abilities"].as_array().map_or(0, Vec::len);
        Ok(Some(format!(
            "the REST API key is taken, the account has {count} abilities; the integration key is proven by a message only"
        )))
    }

    /// Asks the REST API; nothing where the plan gives no token for it.
    async fn rest(&self, path: &str) -> Result<Option<serde_json::Value>, Undelivered> {
        let Some(token) = &self.api_token else { return Ok(None) };
        let token = self.api.secret(token).await?;
        let mut call = Call::get(SecretText::Plain(format!("{}/{path}", self.api_url)));
        call.headers = vec![("Accept", SecretText::Plain("application/vnd.pagerduty+json;version=2".into()))];
        let call = call.authorized(format!("Token token={}", token.expose()));
        let answer = self.api.call(call).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(incidents::refusal(&self.api, &answer));
        }
        answer::json(&self.api, &answer).map(Some)
    }
}
