//! `teams`: a workflow of Microsoft Teams (Power Automate) that posts an Adaptive Card.
//!
//! After <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
//! (the message with its card), <https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook> (the trigger,
//! and the limit of 28 KB) and <https://adaptivecards.io/explorer/RichTextBlock.html>.

use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, retry_after};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};

/// The largest message that Teams posts.
const SIZE_LIMIT_BYTES: usize = 28 * 1024;
/// No message of lifeboat is longer.
const TEXT_LIMIT_CHARS: usize = 8_000;

/// The longest line in bold.
const SUBJECT_LIMIT_CHARS: usize = 300;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "teams",
    doc: "Posts an Adaptive Card through a workflow of Microsoft Teams (\"Post to a channel when a webhook request is \
          received\"). Teams answers that the workflow began, not that it posted: a failed run is seen in Power \
          Automate only.",
    address: None,
    capabilities: |_| Capabilities::default(),
    keys: &[
        Key::required(
            "webhook",
            Takes::Secret,
            "The workflow's address; whoever has it can post, so it is a secret.",
        ),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Teams"
kind = "teams"
webhook = { secret = "teams-webhook" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(Teams {
        webhook: require_secret(&channel.params, "webhook")?,
        api: Api::new("Teams", channel, clients),
    }))
}

struct Teams {
    webhook: SecretText,
    api: Api,
}

impl Notifier for Teams {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }
}

impl Teams {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let fits = |made: &(Value, String)| made.0.to_string().len() <= SIZE_LIMIT_BYTES;
        let (body, cut) = text::shrunk(TEXT_LIMIT_CHARS, |limit_chars| message(outgoing, limit_chars), fits);
        let answer = self.api.call(Call::json(Method::POST, self.webhook.clone(), &body)).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(self.refusal(&answer));
        }
        self.taken(&answer)?;
        let run = answer.headers.get("x-ms-workflow-run-id").and_then(|id| id.to_str().ok());
        Ok(Receipt {
            id: self.api.redacted(run.unwrap_or_default()),
            thread: String::new(),
            answer: format!("{} accepted: the workflow began", answer.status),
            cut,
        })
    }

    /// A workflow answers with nothing, or with what its last step made. A connector of the old kind answers a
    /// failure with a good status.
    fn taken(&self, answer: &HttpResponse) -> Result<(), Undelivered> {
        let text = answer.text();
        let text = text.trim();
        if let Some((_, status)) = text.split_once("HTTP error ") {
            let again =
                if status.starts_with("429") { Again::After(retry_after(answer)) } else { Again::Never };
            return Err(self.api.failed(text, "Post it by hand; look at the connector in Teams.", again));
        }
        let value = serde_json::from_str::<Value>(text).ok();
        match value {
            Some(value) if value.get("error").is_some() => Err(self.refusal(answer)),
            Some(_) => Ok(()),
            None if text.is_empty() => Ok(()),
            None => Err(answer::unexpected(&self.api, answer)),
        }
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let said = self.api.redacted(&answer::said(answer, &["/error/code", "/error/message"]));
        let next = match answer.status {
            400 if said.contains("TriggerIsNotEnabled") => {
                "Turn the workflow on in Power Automate: it goes off when its owner leaves or it fails too often."
            }
            200..=299 | 400 | 413 => {
                "Look at the workflow's runs in Power Automate; post the message by hand meanwhile."
            }
            401 | 403 => {
                "Let the workflow's trigger take requests from anyone, copy its address again, and store it with \
                 `lifeboat secret set`."
            }
            404 | 410 => {
                "The workflow is gone: make a new one, and store its address with `lifeboat secret set`."
            }
            status => return self.api.refused(status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
    }
}

/// The message with its card, and what had to be left out. Text runs know no Markdown: nothing has to be escaped.
fn message(outgoing: &Outgoing, limit_chars: usize) -> (Value, String) {
    let fitted = text::body(&outgoing.message, limit_chars);
    let subject = text::line(&outgoing.message.subject, SUBJECT_LIMIT_CHARS);
    let title = json!({ "type": "TextRun", "text": subject, "weight": "Bolder", "size": "Medium" });
    let lines = fitted.text.lines().filter(|line| !line.trim().is_empty());
    let runs = lines.map(|line| json!({ "type": "TextRun", "text": line }));
    let blocks: Vec<Value> = std::iter::once(title)
        .chain(runs)
        .map(|run| json!({ "type": "RichTextBlock", "inlines": [run] }))
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": subject,
        "body": blocks,
        "msteams": { "width": "Full" },
    });
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": card,
    });
    (json!({ "type": "message", "attachments": [attachment] }), fitted.cut)
}
