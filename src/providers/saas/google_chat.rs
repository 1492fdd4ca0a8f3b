//! `google-chat`: an incoming webhook of a space of Google Chat.
//!
//! After <https://developers.google.com/workspace/chat/quickstart/webhooks> and, for threads and limits,
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>.

use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, dedup, text};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, WEBHOOK, require_secret};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::json;

/// The longest text, which stays below the 32,000 bytes of a message in any script.
const TEXT_LIMIT_CHARS: usize = 4_000;
/// The longest `threadKey`.
const THREAD_LIMIT_BYTES: usize = 4_000;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "google-chat",
    doc: "Posts to the space of Google Chat that an incoming webhook was made for. The messages of one incident make a \
          thread. Google tells nothing of who read it.",
    address: None,
    capabilities: |_| Capabilities::default(),
    keys: &[WEBHOOK, TLS_ROOTS],
    permissions: &[],
    example: r#"[channels.example]
title = "Google Chat"
kind = "google-chat"
webhook = { secret = "google-chat-webhook" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(GoogleChat {
        webhook: require_secret(&channel.params, "webhook")?,
        api: Api::new("Google Chat", channel, clients),
    }))
}

struct GoogleChat {
    webhook: SecretText,
    api: Api,
}

impl Notifier for GoogleChat {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }
}

impl GoogleChat {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let fitted = text::whole(&outgoing.message, TEXT_LIMIT_CHARS);
        let thread = dedup::within(&format!("{}/{}", outgoing.plan, outgoing.incident), THREAD_LIMIT_BYTES);
        let body = json!({ "text": harmless(&fitted.text), "thread": { "threadKey": thread } });
        let webhook = self.api.secret(&self.webhook).await?;
        let joint = if webhook.expose().contains('?') { '&' } else { '?' };
        let option = "messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
        let url = SecretText::Plain(format!("{}{joint}{option}", webhook.expose()));
        let answer = self.api.call(Call::json(Method::POST, url, &body)).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(self.refusal(&answer));
        }
        let said = answer::json(&self.api, &answer)?;
        let name = answer::text(&said, "/name");
        if name.is_empty() {
            return Err(answer::unexpected(&self.api, &answer));
        }
        let id = self.api.redacted(name);
        Ok(Receipt { answer: format!("{} posted", answer.status), id, cut: fitted.cut, ..Receipt::default() })
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let said = self.api.redacted(&answer::said(answer, &["/error/status", "/error/message"]));
        let next = match answer.status {
            400 => "Google Chat cannot read the message: post it by hand, and please report this.",
            401 | 403 | 404 => {
                "The webhook was removed, or the space does not allow it: make one in the space's settings (\"Apps & \
                 integrations\"), and store its address with `lifeboat secret set`."
            }
            status => return self.api.refused(status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
    }
}

/// A text in which nobody is mentioned and nothing is linked under another name: both begin with `<`, for which Chat knows
/// no escape.
fn harmless(text: &str) -> String {
    text.replace('<', "\u{2039}").replace('>', "\u{203a}")
}
