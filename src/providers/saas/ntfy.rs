//! `ntfy`: a push message to a topic of ntfy.sh or of a server of one's own.
//!
//! After <https://docs.ntfy.sh/publish/#publish-as-json>.

use crate::core::words::notification::{Again, Intent, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel, Severity};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url, secret_text};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::json;

/// The longest message; a longer one becomes a file that a phone does not show.
const MESSAGE_LIMIT_BYTES: usize = 4_096;
/// The longest title that a phone shows a use of.
const TITLE_LIMIT_CHARS: usize = 200;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "ntfy",
    doc: "Sends a push message to everybody who subscribed to a topic of ntfy, at ntfy.sh or on a server of your own. \
          P0 has the highest priority, which rings through \"do not disturb\" where the phone allows it. ntfy tells \
          that it took the message, not that a phone has it.",
    address: None,
    capabilities: |_| Capabilities::default(),
    keys: &[
        Key::required(
            "topic",
            Takes::Secret,
            "The topic. Without an account whoever knows its name reads and writes it, so it is a secret.",
        ),
        Key::optional("token", Takes::Secret, "An access token (`tk_…`), where the topic is protected."),
        Key::default("url", Takes::Url, "https://ntfy.sh", "The server."),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Push"
kind = "ntfy"
url = "https://ntfy.example.com"
topic = { secret = "ntfy-topic" }
token = { secret = "ntfy-token" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(Ntfy {
        url: require_url(&channel.params, "url")?,
        topic: require_secret(&channel.params, "topic")?,
        token: channel.params.get("token").and_then(secret_text),
        api: Api::new("ntfy", channel, clients),
    }))
}

struct Ntfy {
    url: String,
    topic: SecretText,
    token: Option<SecretText>,
    api: Api,
}

impl Notifier for Ntfy {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.publish(outgoing))
    }
}

impl Ntfy {
    async fn publish(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let topic = self.api.secret(&self.topic).await?;
        let fits = |made: &text::Fitted| made.text.len() <= MESSAGE_LIMIT_BYTES;
        let made = |limit_chars| text::body(&outgoing.message, limit_chars);
        let fitted = text::shrunk(MESSAGE_LIMIT_BYTES, made, fits);
        let body = json!({
            "topic": topic.expose(),
            "title": text::line(&outgoing.message.subject, TITLE_LIMIT_CHARS),
            "message": fitted.text,
            "priority": priority(outgoing),
        });
        let mut call = Call::json(Method::POST, SecretText::Plain(format!("{}/", self.url)), &body);
        if let Some(token) = &self.token {
            let token = self.api.secret(token).await?;
            call = call.authorized(format!("Bearer {}", token.expose()));
        }
        let answer = self.api.call(call).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(self.refusal(&answer));
        }
        let said = answer::json(&self.api, &answer)?;
        let id = answer::text(&said, "/id");
        if id.is_empty() || said["event"] != "message" {
            return Err(answer::unexpected(&self.api, &answer));
        }
        let id = self.api.redacted(id);
        Ok(Receipt {
            answer: format!("{} published", answer.status),
            id,
            cut: fitted.cut,
            ..Receipt::default()
        })
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let said = self.api.redacted(&answer::said(answer, &["/code", "/error"]));
        let next = match answer.status {
            401 | 403 => {
                "Give the channel the token of an account that may write to the topic, and store it with \
                 `lifeboat secret set`."
            }
            400 | 404 => {
                "Topics have letters, digits, `_` and `-` only, and `url` is the server's: correct the channel, then \
                 `lifeboat notify test`."
            }
            status => return self.api.refused(status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
    }
}

/// From 1 to 5; 3 is ntfy's default.
fn priority(outgoing: &Outgoing) -> u8 {
    match (outgoing.intent, outgoing.message.severity) {
        (Intent::Page, Some(Severity::P0) | None) => 5,
        (Intent::Page, Some(_)) => 4,
        _ => 3,
    }
}
