//! `slack-webhook`: an incoming webhook, which posts to the one channel that it was made for.
//!
//! After <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks> and, for the errors,
//! <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>.

use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, WEBHOOK, require_secret};
use crate::providers::saas::slack::{TEXT_LIMIT_CHARS, plain};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "slack-webhook",
    doc: "Posts to the one Slack channel that an incoming webhook was made for. It needs no bot, but knows no threads \
          and gives no receipt but `ok`: the kind `slack` says more.",
    address: None,
    capabilities: |_| Capabilities::default(),
    keys: &[WEBHOOK, TLS_ROOTS],
    permissions: &["incoming-webhook"],
    example: r##"[channels.example]
title = "Slack #incidents"
kind = "slack-webhook"
webhook = { secret = "slack-webhook" }
"##,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(SlackWebhook {
        webhook: require_secret(&channel.params, "webhook")?,
        api: Api::new("Slack", channel, clients),
    }))
}

struct SlackWebhook {
    webhook: SecretText,
    api: Api,
}

impl Notifier for SlackWebhook {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }
}

impl SlackWebhook {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let fitted = text::whole(&outgoing.message, TEXT_LIMIT_CHARS);
        let call = Call::json(Method::POST, self.webhook.clone(), &plain(&fitted.text));
        let answer = self.api.call(call).await?;
        match (answer.status, answer.text().trim()) {
            (200, "ok") => Ok(Receipt { answer: "200 ok".into(), cut: fitted.cut, ..Receipt::default() }),
            (200..=299, _) => Err(answer::unexpected(&self.api, &answer)),
            (_, word) => Err(self.refusal(&answer, word)),
        }
    }

    fn refusal(&self, answer: &HttpResponse, word: &str) -> Undelivered {
        let next = match word {
            "channel_not_found" | "channel_is_archived" => {
                "The webhook's channel is gone or archived: make a webhook for another one, and store its address \
                 with `lifeboat secret set`."
            }
            "no_service" | "no_service_id" | "no_team" | "team_disabled" | "invalid_token"
            | "no_active_hooks" => {
                "The webhook was revoked: make a new one in the app's settings, and store its address with \
                 `lifeboat secret set`."
            }
            "action_prohibited" | "posting_to_general_channel_denied" | "user_not_found" => {
                "The workspace does not let the webhook post there: ask its administrators."
            }
            "invalid_payload" | "no_text" | "too_many_attachments" => {
                "Slack cannot read the message: post it by hand, and please report this."
            }
            _ => return self.api.refused(answer.status, answer, &self.api.redacted(word)),
        };
        self.api.failed(&format!("answered {} {word}", answer.status), next, Again::Never)
    }
}
