//! `goalert`: an alert of a GoAlert service, by its generic interface.
//!
//! After <https://github.com/target/goalert/blob/master/genericapi/handler.go> and its `alert/alert.go`.

use crate::core::words::notification::{Intent, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, dedup, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, require_secret, require_url};
use crate::secrets::SecretText;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::json;

/// The longest `summary`; GoAlert cuts what is longer without a word.
const SUMMARY_LIMIT_CHARS: usize = 118;
/// The longest `details`, which are cut in the same way.
const DETAILS_LIMIT_CHARS: usize = 6 * 1024;
/// The longest `dedup`.
const DEDUP_LIMIT_BYTES: usize = 512;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "goalert",
    doc: "Triggers an alert of a GoAlert service and closes it with the incident. All pages of one escalation on a \
          channel are one alert. GoAlert's interface for keys takes no acknowledgement and tells of none: who took it on \
          is seen there only. Everything that GoAlert is sent pages somebody: a message that only informs is an alert of \
          its own, so give it to another channel.",
    address: None,
    capabilities: |_| Capabilities { repeatable: true, has_alerts: true, threads: false, tracks: false },
    keys: &[
        Key::required("url", Takes::Url, "Where GoAlert runs (`https://goalert.example.com`)."),
        Key::required(
            "token",
            Takes::Secret,
            "The token of a \"Generic API\" integration key of the service.",
        ),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "GoAlert"
kind = "goalert"
url = "https://goalert.example.com"
token = { secret = "goalert-token" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    Ok(Box::new(GoAlert {
        channel: channel.id.to_string(),
        url: require_url(&channel.params, "url")?,
        token: require_secret(&channel.params, "token")?,
        api: Api::new("GoAlert", channel, clients),
    }))
}

struct GoAlert {
    channel: String,
    url: String,
    token: SecretText,
    api: Api,
}

impl Notifier for GoAlert {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(async {
            match outgoing.intent {
                Intent::Page | Intent::Inform => self.trigger(outgoing).await,
                Intent::Resolve => self.close(outgoing).await,
                Intent::Acknowledge => Ok(Receipt {
                    answer: "not sent: GoAlert takes no acknowledgement from outside; it goes on there until somebody takes it on"
                        .into(),
                    ..Receipt::default()
                }),
            }
        })
    }
}

impl GoAlert {
    fn dedup(&self, outgoing: &Outgoing) -> String {
        dedup::plain(&dedup::alert(outgoing, &self.channel), DEDUP_LIMIT_BYTES)
    }

    async fn trigger(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let dedup = self.dedup(outgoing);
        let details = text::whole(&outgoing.message, DETAILS_LIMIT_CHARS);
        let body = json!({
            "summary": text::line(&outgoing.message.subject, SUMMARY_LIMIT_CHARS),
            "details": details.text,
            "dedup": dedup,
        });
        let answer = self.post(&body, "application/json").await?;
        let said = answer::json(&self.api, &answer)?;
        let Some(id) = said["_id"].as_u64() else { return Err(answer::unexpected(&self.api, &answer)) };
        let status = answer::text(&said, "/status");
        Ok(Receipt {
            id: id.to_string(),
            answer: self.api.redacted(&format!("{} alert {id} {status}", answer.status)),
            cut: details.cut,
            ..Receipt::default()
        })
    }

    /// Where there is no open alert, GoAlert answers the same, and with nothing: it has none to show.
    async fn close(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let body = json!({
            "summary": text::line(&outgoing.message.subject, SUMMARY_LIMIT_CHARS),
            "dedup": self.dedup(outgoing),
            "action": "close",
        });
        let answer = self.post(&body, "*/*").await?;
        match answer.status {
            204 => Ok(Receipt { answer: "204 closed".into(), ..Receipt::default() }),
            _ => Err(answer::unexpected(&self.api, &answer)),
        }
    }

    async fn post(
        &self,
        body: &serde_json::Value,
        accept: &'static str,
    ) -> Result<crate::providers::http::client::HttpResponse, Undelivered> {
        let token = self.api.secret(&self.token).await?;
        let url = SecretText::Plain(format!("{}/api/v2/generic/incoming", self.url));
        let mut call = Call::json(Method::POST, url, body);
        call.headers.retain(|(name, _)| *name != "Accept");
        call.headers.push(("Accept", SecretText::Plain(accept.into())));
        self.api.accepted(self.api.call(call.authorized(format!("Bearer {}", token.expose()))).await?)
    }
}
