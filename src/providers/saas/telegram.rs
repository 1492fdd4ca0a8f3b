//! `telegram`: a bot of Telegram that writes to one chat.
//!
//! After <https://core.telegram.org/bots/api#sendmessage> and <https://core.telegram.org/bots/api#making-requests>.

use crate::core::words::notification::{Again, Intent, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

/// The longest text, in UTF-16 units, as Telegram counts.
const TEXT_LIMIT_UNITS: usize = 4_096;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "telegram",
    doc: "Writes to a chat, group or channel of Telegram as a bot. The messages of one incident answer the first. What \
          only informs makes no sound. Telegram tells that it took the message, not that somebody read it.",
    address: None,
    capabilities: |_| Capabilities { threads: true, ..Capabilities::default() },
    keys: &[
        Key::required("token", Takes::Secret, "The bot's token, from @BotFather."),
        Key::required(
            "chat",
            Takes::Text,
            "The chat's id (`-1001234567890`), or a public channel's name (`@example_ops`).",
        ),
        Key::default("api_url", Takes::Url, "https://api.telegram.org", "The Bot API."),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Telegram"
kind = "telegram"
token = { secret = "telegram-token" }
chat = "-1001234567890"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let chat = channel.params.require_text("chat")?;
    let is_name =
        chat.strip_prefix('@').is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    if !is_name && chat.parse::<i64>().is_err() {
        return Err(BuildError::value(
            "chat",
            chat,
            "it is a number (`-1001234567890`) or a name with `@` before it",
        ));
    }
    Ok(Box::new(Telegram {
        token: require_secret(&channel.params, "token")?,
        chat: chat.to_owned(),
        api_url: require_url(&channel.params, "api_url")?,
        api: Api::new("Telegram", channel, clients),
    }))
}

struct Telegram {
    token: SecretText,
    chat: String,
    api_url: String,
    api: Api,
}

impl Notifier for Telegram {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async {
            let (_, found) = self.ask("getChat", &json!({ "chat_id": self.chat })).await?;
            let name = ["/title", "/username", "/first_name"].map(|pointer| answer::text(&found, pointer));
            let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("without a name");
            Ok(Some(self.api.redacted(&format!("the bot sees the chat {name}"))))
        })
    }
}

impl Telegram {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let fits = |made: &text::Fitted| made.text.encode_utf16().count() <= TEXT_LIMIT_UNITS;
        let made = |limit_chars| text::whole(&outgoing.message, limit_chars);
        let fitted = text::shrunk(TEXT_LIMIT_UNITS, made, fits);
        // Without `parse_mode` nothing is markup, whatever stands in it.
        let mut body = json!({
            "chat_id": self.chat,
            "text": fitted.text,
            "disable_notification": outgoing.intent == Intent::Inform,
            "link_preview_options": { "is_disabled": true },
        });
        let first = outgoing.thread.as_deref().and_then(|thread| thread.parse::<u64>().ok());
        if let Some(first) = first {
            body["reply_parameters"] = json!({ "message_id": first, "allow_sending_without_reply": true });
        }
        let (answer, sent) = self.ask("sendMessage", &body).await?;
        let Some(id) = sent["message_id"].as_u64() else {
            return Err(answer::unexpected(&self.api, &answer));
        };
        Ok(Receipt {
            id: id.to_string(),
            thread: first.unwrap_or(id).to_string(),
            answer: format!("{} ok, message {id}", answer.status),
            cut: fitted.cut,
        })
    }

    /// Calls a method and gives its `result`.
    async fn ask(&self, method: &str, body: &Value) -> Result<(HttpResponse, Value), Undelivered> {
        let token = self.api.secret(&self.token).await?;
        let url = SecretText::Plain(format!("{}/bot{}/{method}", self.api_url, token.expose()));
        let answer = self.api.call(Call::json(Method::POST, url, body)).await?;
        if !(200..=299).contains(&answer.status) {
            return Err(self.refusal(&answer));
        }
        let mut said = answer::json(&self.api, &answer)?;
        match said["ok"].as_bool() {
            Some(true) if said["result"].is_object() => Ok((answer, said["result"].take())),
            _ => Err(answer::unexpected(&self.api, &answer)),
        }
    }

    fn refusal(&self, answer: &HttpResponse) -> Undelivered {
        let said = self.api.redacted(&answer::said(answer, &["/description"]));
        let next = match answer.status {
            401 | 404 => {
                "Telegram does not know the bot: take its token from @BotFather, and store it with \
                 `lifeboat secret set`."
            }
            400 => {
                "Telegram does not know the chat: write to the bot once or add it to the group, and correct `chat`; a \
                 group that became a supergroup has a new id."
            }
            403 => "The bot was blocked or removed from the chat: add it again, and let it write there.",
            429 => {
                let next = "It is tried again by itself while there is time.";
                return self.api.failed(&format!("answered 429: {said}"), next, Again::After(pause(answer)));
            }
            status => return self.api.refused(status, answer, &said),
        };
        self.api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
    }
}

/// The pause that Telegram asks for, in its own words or in HTTP's.
fn pause(answer: &HttpResponse) -> Option<SignedDuration> {
    let said = serde_json::from_slice::<Value>(&answer.body).ok();
    let seconds = said.and_then(|said| said.pointer("/parameters/retry_after")?.as_u64());
    let seconds = seconds.map(|seconds| i64::from(u16::try_from(seconds).unwrap_or(u16::MAX)));
    seconds.map(SignedDuration::from_secs).or_else(|| crate::providers::saas::api::retry_after(answer))
}
