//! `opsgenie`: an alert that is created, acknowledged and closed by its alias, and asked after.
//!
//! After <https://docs.opsgenie.com/docs/alert-api>. What Jira Service Management kept of that interface is in [`jsm`].

mod alert;
pub mod jsm;

use crate::core::words::notification::{Intent, Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, dedup, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, Ending, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};

const PROVIDER: &str = "Opsgenie";
/// The longest alias.
const ALIAS_LIMIT_BYTES: usize = 512;

const RESPONDERS: Key = Key::default(
    "responders",
    Takes::List(&Takes::Text),
    "[]",
    "Who is told: `team:NAME`, `user:EMAIL`, `schedule:NAME`, `escalation:NAME`; the integration's own when empty.",
);
const TAGS: Key = Key::default("tags", Takes::List(&Takes::Text), "[]", "Tags of the alert.");

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "opsgenie",
    doc: "Creates an Opsgenie alert, acknowledges and closes it with the escalation, and asks who acknowledged it. All \
          pages of one escalation on a channel are one alert. A message that only informs is an alert of its own with \
          priority P5, which lifeboat does not close.",
    address: None,
    capabilities: |_| Capabilities { repeatable: true, has_alerts: true, threads: false, tracks: true },
    keys: &[
        Key::required(
            "api_key",
            Takes::Secret,
            "The key of an API integration that may read, create and update.",
        ),
        RESPONDERS,
        TAGS,
        Key::default(
            "api_url",
            Takes::Url,
            "https://api.opsgenie.com",
            "Opsgenie; `https://api.eu.opsgenie.com` in the EU.",
        ),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Opsgenie"
kind = "opsgenie"
api_key = { secret = "opsgenie-key" }
responders = ["team:SRE", "schedule:Database on call"]
"#,
    ends: Some(&Ending {
        service: "Opsgenie with its Alert API",
        on: jiff::civil::date(2027, 4, 5),
        successor: "jsm-ops",
    }),
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let api_url = require_url(&channel.params, "api_url")?;
    Ok(Box::new(Opsgenie { requests: Requests::of(channel, clients, PROVIDER, api_url)? }))
}

struct Opsgenie {
    requests: Requests,
}

/// The requests that Opsgenie and its successor take alike.
struct Requests {
    channel: String,
    api_key: SecretText,
    responders: Vec<Value>,
    tags: Vec<String>,
    /// Up to the version (`https://api.opsgenie.com`).
    api_url: String,
    api: Api,
}

impl Notifier for Opsgenie {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.requests.send(outgoing))
    }

    fn track<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        receipt: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(self.look(outgoing, receipt))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async {
            let found = self.requests.ask("alerts?limit=1").await?;
            let seen = found.map_or_else(
                || "none".into(),
                |found| found["data"].as_array().map_or(0, Vec::len).to_string(),
            );
            Ok(Some(format!("the key is taken and may read alerts ({seen} seen)")))
        })
    }
}

impl Opsgenie {
    async fn look(&self, outgoing: &Outgoing, receipt: &Receipt) -> Result<Tracked, Undelivered> {
        let path = format!("alerts/{}?identifierType=alias", self.requests.alias(outgoing));
        match self.requests.ask(&path).await? {
            Some(found) => Ok(alert::tracked(&self.requests.api, PROVIDER, &found["data"])),
            None => self.requests.fate(receipt).await,
        }
    }
}

impl Requests {
    fn of(
        channel: &Channel,
        clients: &Clients,
        provider: &'static str,
        api_url: String,
    ) -> Result<Self, BuildError> {
        let params = &channel.params;
        let responders = params.texts("responders").into_iter().map(alert::responder);
        Ok(Self {
            channel: channel.id.to_string(),
            api_key: require_secret(params, "api_key")?,
            responders: responders.collect::<Result<_, _>>()?,
            tags: params.texts("tags").into_iter().map(str::to_owned).collect(),
            api_url,
            api: Api::new(provider, channel, clients),
        })
    }

    fn alias(&self, outgoing: &Outgoing) -> String {
        dedup::plain(&dedup::alert(outgoing, &self.channel), ALIAS_LIMIT_BYTES)
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let alias = self.alias(outgoing);
        let (path, body, cut) = match outgoing.intent {
            Intent::Page | Intent::Inform => {
                let (mut body, cut) = alert::alert(outgoing, &alias);
                body["responders"] = self.responders.clone().into();
                body["tags"] = self.tags.clone().into();
                ("alerts".to_owned(), body, cut)
            }
            Intent::Acknowledge => {
                (format!("alerts/{alias}/acknowledge?identifierType=alias"), note(outgoing), String::new())
            }
            Intent::Resolve => {
                (format!("alerts/{alias}/close?identifierType=alias"), note(outgoing), String::new())
            }
        };
        let answer = self.call(Call::json(Method::POST, self.url(&path), &body)).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(alert::refusal(&self.api, &answer));
        }
        let said = answer::json(&self.api, &answer)?;
        let id = answer::text(&said, "/requestId");
        if id.is_empty() {
            return Err(answer::unexpected(&self.api, &answer));
        }
        Ok(Receipt {
            id: self.api.redacted(id),
            thread: String::new(),
            answer: self.api.redacted(&format!("{} {}", answer.status, answer::text(&said, "/result"))),
            cut,
        })
    }

    /// What became of a request: it is taken first and acted on later, and where there is no alert it says why.
    async fn fate(&self, receipt: &Receipt) -> Result<Tracked, Undelivered> {
        Ok(match self.ask(&format!("alerts/requests/{}", receipt.id)).await? {
            Some(found) if found["data"]["success"] == false => {
                let why = format!("{}: {}", self.api.provider(), answer::text(&found, "/data/status"));
                Tracked::Failed(self.api.redacted(&why))
            }
            _ => Tracked::Pending,
        })
    }

    fn url(&self, path: &str) -> SecretText {
        SecretText::Plain(format!("{}/v2/{path}", self.api_url))
    }

    /// Asks; nothing where it is not known (yet).
    async fn ask(&self, path: &str) -> Result<Option<Value>, Undelivered> {
        let answer = self.call(Call::get(self.url(path))).await?;
        match answer.status {
            200..=299 => answer::json(&self.api, &answer).map(Some),
            404 => Ok(None),
            _ => Err(alert::refusal(&self.api, &answer)),
        }
    }

    async fn call(
        &self,
        call: Call<'_>,
    ) -> Result<crate::providers::http::client::HttpResponse, Undelivered> {
        let key = self.api.secret(&self.api_key).await?;
        self.api.call(call.authorized(format!("GenieKey {}", key.expose()))).await
    }
}

/// What goes along with an acknowledgement or a close.
fn note(outgoing: &Outgoing) -> Value {
    let note = text::body(&outgoing.message, alert::NOTE_LIMIT_CHARS).text;
    json!({ "user": alert::OWN_NAME, "source": alert::OWN_NAME, "note": note })
}
