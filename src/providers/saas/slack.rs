//! `slack`: a bot that posts to channels and people, one thread for an incident and destination.
//!
//! After <https://docs.slack.dev/reference/methods/chat.postMessage>, <https://docs.slack.dev/reference/methods/auth.test>,
//! <https://docs.slack.dev/apis/web-api/rate-limits> and
//! <https://docs.slack.dev/messaging/formatting-message-text> (escaping).

use crate::core::words::notification::{Again, Intent, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url, retry_after};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};

/// Slack recommends no more for one message, and cuts what is far longer.
pub(crate) const TEXT_LIMIT_CHARS: usize = 4_000;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "slack",
    doc: "Posts to Slack as a bot (`chat.postMessage`). It goes to a contact's `slack` address: `#channel`, or the id \
          of a channel or member (`C…`, `G…`, `D…`, `U…`). Slack takes no `@names`: a member's id is in their profile. \
          The messages of one incident to one destination make a thread; a page in it is shown in the channel too.",
    address: Some("slack"),
    capabilities: |_| Capabilities { threads: true, ..Capabilities::default() },
    keys: &[
        Key::required("token", Takes::Secret, "The bot's token (`xoxb-…`) with the scope `chat:write`."),
        Key::default("api_url", Takes::Url, "https://slack.com/api", "Slack's Web API."),
        TLS_ROOTS,
    ],
    permissions: &["chat:write"],
    example: r##"[channels.example]
title = "Slack"
kind = "slack"
token = { secret = "slack-token" }
"##,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(Slack {
        token: require_secret(&channel.params, "token")?,
        api_url: require_url(&channel.params, "api_url")?,
        api: Api::new("Slack", channel, clients),
    }))
}

struct Slack {
    token: SecretText,
    api_url: String,
    api: Api,
}

impl Notifier for Slack {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(self.test())
    }
}

impl Slack {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let (body, cut) = self.body(outgoing)?;
        let (answer, said) = self.ask("chat.postMessage", &body).await?;
        let (channel, ts) = (answer::text(&said, "/channel"), answer::text(&said, "/ts"));
        let thread = match &outgoing.thread {
            Some(thread) => thread.clone(),
            None if channel.is_empty() || ts.is_empty() => String::new(),
            None => format!("{channel}/{ts}"),
        };
        Ok(Receipt {
            id: self.api.redacted(ts),
            thread: self.api.redacted(&thread),
            answer: self.api.redacted(&format!("{} ok, channel {channel}", answer.status)),
            cut,
        })
    }

    fn body(&self, outgoing: &Outgoing) -> Result<(Value, String), Undelivered> {
        let thread = outgoing.thread.as_deref().and_then(|thread| thread.split_once('/'));
        let channel = match (thread, outgoing.address.as_deref()) {
            (Some((channel, _)), _) => channel,
            (None, Some(address)) => self.destination(address)?,
            (None, None) => {
                return Err(self.never("the message has no address", "Give the contact a `slack` address."));
            }
        };
        let fitted = text::whole(&outgoing.message, TEXT_LIMIT_CHARS);
        let mut body = plain(&fitted.text);
        body["channel"] = channel.into();
        if let Some((_, ts)) = thread {
            body["thread_ts"] = ts.into();
            body["reply_broadcast"] = (outgoing.intent == Intent::Page).into();
        }
        Ok((body, fitted.cut))
    }

    /// An address as Slack takes it.
    fn destination<'a>(&self, address: &'a str) -> Result<&'a str, Undelivered> {
        let address = address.trim();
        if address.starts_with('@') {
            let why = format!("{address} is a member's name, and Slack posts to members by their id only");
            let next =
                "Write the id into the contact's `slack` address: it is in the member's profile (`U…`).";
            return Err(self.never(&why, next));
        }
        Ok(address)
    }

    fn never(&self, why: &str, next: &str) -> Undelivered {
        self.api.failed(why, next, Again::Never)
    }

    /// Calls a method; any answer but `ok` is a failure.
    async fn ask(&self, method: &str, body: &Value) -> Result<(HttpResponse, Value), Undelivered> {
        let token = self.api.secret(&self.token).await?;
        let url = SecretText::Plain(format!("{}/{method}", self.api_url));
        let call = Call::json(Method::POST, url, body).authorized(format!("Bearer {}", token.expose()));
        let answer = self.api.accepted(self.api.call(call).await?)?;
        let said = answer::json(&self.api, &answer)?;
        match said["ok"].as_bool() {
            Some(true) => Ok((answer, said)),
            Some(false) => Err(self.refusal(&answer, &said)),
            None => Err(answer::unexpected(&self.api, &answer)),
        }
    }

    async fn test(&self) -> Result<Option<String>, Undelivered> {
        let (answer, said) = self.ask("auth.test", &json!({})).await?;
        let scopes = answer.headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        if let Some(scopes) = scopes.filter(|scopes| !scopes.split(',').any(|one| one.trim() == "chat:write"))
        {
            let next = "Add the scope `chat:write` to the app, then install it into the workspace again.";
            return Err(self.never(&format!("the token may only {scopes}, not chat:write"), next));
        }
        let (user, team) = (answer::text(&said, "/user"), answer::text(&said, "/team"));
        Ok(Some(self.api.redacted(&format!(
            "the bot {user} of {team}; whether it is in a channel is seen when it posts"
        ))))
    }

    fn refusal(&self, answer: &HttpResponse, said: &Value) -> Undelivered {
        let error = answer::text(said, "/error");
        let needed = answer::text(said, "/needed");
        let (again, next) = sorted(error, retry_after(answer));
        let why = if needed.is_empty() { error.to_owned() } else { format!("{error}: {needed}") };
        self.api.failed(&why, next, again)
    }
}

/// A message in which nothing is marked up, mentioned or unfolded, whatever stands in it.
pub(crate) fn plain(text: &str) -> Value {
    json!({ "text": escaped(text), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false })
}

/// The three characters that begin links, mentions and entities.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What an error of Slack means for another attempt, and for a person.
fn sorted(error: &str, pause: Option<jiff::SignedDuration>) -> (Again, &'static str) {
    let again = match error {
        "ratelimited" | "rate_limited" => Again::After(pause),
        "service_unavailable" | "request_timeout" | "team_added_to_org" => Again::After(None),
        // Slack says of these that a part of the operation may have succeeded.
        "internal_error" | "fatal_error" => Again::Maybe,
        _ => Again::Never,
    };
    let next = match error {
        "ratelimited" | "rate_limited" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            "It is tried again by itself while there is time."
        }
        "internal_error" | "fatal_error" => {
            "Look into the channel whether it arrived; post it by hand otherwise."
        }
        "channel_not_found" => {
            "The channel is gone, or private and without the bot: correct the contact's `slack` address, or invite \
             the bot there (`/invite`)."
        }
        "not_in_channel" => {
            "Invite the bot into the channel (`/invite`), or give it the scope `chat:write.public`."
        }
        "is_archived" => "Unarchive the channel, or write another one into the contact's `slack` address.",
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
            "Make a new bot token in the app's settings, store it with `lifeboat secret set`, and test the channel."
        }
        "missing_scope" | "no_permission" | "not_allowed_token_type" => {
            "Give the app's bot token the scope `chat:write`, install it into the workspace again, and test the channel."
        }
        "msg_too_long" | "no_text" => "Shorten the message's text in the plan; post it by hand meanwhile.",
        "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_non_threadable_channel"
        | "ekm_access_denied"
        | "team_access_not_granted"
        | "access_denied" => {
            "The workspace does not let the bot post there: ask its administrators, or use another channel."
        }
        _ => "Look the word up under chat.postMessage in Slack's reference; post it by hand meanwhile.",
    };
    (again, next)
}
