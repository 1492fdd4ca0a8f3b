//! `jsm-ops`: the operations part of Jira Service Management, where Opsgenie's alerts live on.
//!
//! Alerts are made by an integration's own interface, which is Opsgenie's; who took them on is asked of the site's, with
//! an account of its own. After <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-integration-events/>
//! and <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-alerts/>.

use super::{RESPONDERS, Requests, TAGS, alert};
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use crate::providers::saas::api::{Call, TLS_ROOTS, require_url, secret_text};
use crate::secrets::SecretText;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;

const PROVIDER: &str = "Jira Service Management";

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "jsm-ops",
    doc: "Creates an alert in Jira Service Management (Operations), the successor of Opsgenie, and acknowledges and \
          closes it with the escalation. All pages of one escalation on a channel are one alert. With `cloud_id`, \
          `email` and `api_token`, Jira is asked who acknowledged it. A message that only informs is an alert of its \
          own with priority P5, which lifeboat does not close.",
    address: None,
    capabilities: |_| Capabilities { repeatable: true, has_alerts: true, threads: false, tracks: true },
    keys: &[
        Key::required(
            "api_key",
            Takes::Secret,
            "The key of an \"API\" integration of the team's operations.",
        ),
        RESPONDERS,
        TAGS,
        Key::optional(
            "cloud_id",
            Takes::Text,
            "The site's id, from `https://YOUR-SITE.atlassian.net/_edge/tenant_info`: with it, `email` and `api_token`, \
             acknowledgements in Jira are seen.",
        ),
        Key::optional("email", Takes::Text, "The account that `api_token` belongs to."),
        Key::optional("api_token", Takes::Secret, "An API token of that account; it may read alerts."),
        Key::default(
            "api_url",
            Takes::Url,
            "https://api.atlassian.com",
            "Atlassian's interfaces, the same everywhere.",
        ),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Jira Service Management"
kind = "jsm-ops"
api_key = { secret = "jsm-integration-key" }
responders = ["team:SRE"]
cloud_id = "11111111-2222-3333-4444-555555555555"
email = "lifeboat@example.com"
api_token = { secret = "jsm-api-token" }
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let api_url = require_url(&channel.params, "api_url")?;
    Ok(Box::new(JsmOps {
        site: Site::of(channel, &api_url)?,
        requests: Requests::of(channel, clients, PROVIDER, format!("{api_url}/jsm/ops/integration"))?,
    }))
}

struct JsmOps {
    requests: Requests,
    /// None where the plan gives no account to ask with.
    site: Option<Site>,
}

/// The site, as an account sees it.
struct Site {
    url: String,
    email: String,
    api_token: SecretText,
}

impl Site {
    fn of(channel: &Channel, api_url: &str) -> Result<Option<Self>, BuildError> {
        let params = &channel.params;
        let token = params.get("api_token").and_then(secret_text);
        match (params.text("cloud_id"), params.text("email"), token) {
            (Some(id), Some(email), Some(api_token)) => {
                let url = format!("{api_url}/jsm/ops/api/{id}/v1");
                Ok(Some(Self { url, email: email.to_owned(), api_token }))
            }
            (None, None, None) => Ok(None),
            (id, ..) => Err(BuildError::Value {
                key: "cloud_id".into(),
                value: id.unwrap_or_default().into(),
                why: "give `cloud_id`, `email` and `api_token` together, or none of them".into(),
            }),
        }
    }
}

impl Notifier for JsmOps {
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
            let Some(site) = &self.site else { return Ok(None) };
            self.ask(site, "alerts?size=1").await?;
            let seen = "the account may read alerts; the integration's key is proven by a message only";
            Ok(Some(seen.into()))
        })
    }
}

impl JsmOps {
    async fn look(&self, outgoing: &Outgoing, receipt: &Receipt) -> Result<Tracked, Undelivered> {
        if let Some(site) = &self.site {
            let path = format!("alerts/alias?alias={}", self.requests.alias(outgoing));
            if let Some(found) = self.ask(site, &path).await? {
                return Ok(alert::tracked(&self.requests.api, PROVIDER, &found));
            }
        }
        self.requests.fate(receipt).await
    }

    async fn ask(&self, site: &Site, path: &str) -> Result<Option<serde_json::Value>, Undelivered> {
        let api = &self.requests.api;
        let token = api.secret(&site.api_token).await?;
        let account = STANDARD.encode(format!("{}:{}", site.email, token.expose()));
        let call = Call::get(SecretText::Plain(format!("{}/{path}", site.url)));
        let answer = api.call(call.authorized(format!("Basic {account}"))).await?;
        match answer.status {
            200..=299 => answer::json(api, &answer).map(Some),
            404 => Ok(None),
            _ => {
                let said = api.redacted(&answer::said(&answer, &["/message", "/errors"]));
                Err(api.refused(answer.status, &answer, &said))
            }
        }
    }
}
