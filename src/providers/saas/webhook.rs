//! `webhook`: a signed request to an interface of one's own.
//!
//! After Standard Webhooks 1.0.0,
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, dedup, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::NotifierKind;
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::api::{Api, Call, TLS_ROOTS, http_url, require_secret, secret_text};
use crate::secrets::SecretText;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

/// The longest `webhook-id`.
const ID_LIMIT_BYTES: usize = 200;
/// How long a signing key is (Standard Webhooks: 192 to 512 bits).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "webhook",
    doc: "Sends a signed JSON document to an interface of your own with POST, as Standard Webhooks says \
          (`webhook-id`, `webhook-timestamp`, `webhook-signature`). A request of which nobody knows whether it arrived \
          is sent again with the same `webhook-id`: the receiver takes each id once. Any 2xx means that it was taken.",
    address: None,
    capabilities: |_| Capabilities { repeatable: true, ..Capabilities::default() },
    keys: &[
        Key::required(
            "url",
            Takes::TextOrSecret,
            "Where to; a secret where the address itself grants access.",
        ),
        Key::required(
            "secret",
            Takes::Secret,
            "The signing key: `whsec_` and 24 to 64 random bytes in base64.",
        ),
        Key::default("headers", Takes::Table(&Takes::TextOrSecret), "{}", "Further headers to send."),
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Incident bot"
kind = "webhook"
url = "https://hooks.example.com/lifeboat"
secret = { secret = "incident-bot-key" }
headers.X-Team = "sre"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let params = &channel.params;
    let headers = params.table("headers");
    if let Some(url) = params.text("url") {
        http_url("url", url)?;
    }
    Ok(Box::new(Webhook {
        url: require_secret(params, "url")?,
        secret: require_secret(params, "secret")?,
        headers: headers.filter_map(|(name, value)| Some((name.to_owned(), secret_text(value)?))).collect(),
        api: Api::new("The webhook", channel, clients),
    }))
}

struct Webhook {
    url: SecretText,
    secret: SecretText,
    headers: Vec<(String, SecretText)>,
    api: Api,
}

impl Notifier for Webhook {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.post(outgoing))
    }
}

impl Webhook {
    async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let key = self.key().await?;
        let id = dedup::plain(&outgoing.key, ID_LIMIT_BYTES);
        // The attempt's own time: a receiver refuses what is old, so that nobody can send it again later.
        let at = Timestamp::now().as_second().to_string();
        let mut call = Call::json(Method::POST, self.url.clone(), &document(outgoing));
        let body = call.body.as_deref().unwrap_or_default();
        let signature = signature(&key, &[id.as_bytes(), at.as_bytes(), body]);
        call.headers.extend(self.headers.iter().map(|(name, value)| (&**name, value.clone())));
        let own = [("webhook-id", id.clone()), ("webhook-timestamp", at), ("webhook-signature", signature)];
        call.headers.extend(own.map(|(name, value)| (name, SecretText::Plain(value))));
        let answer = self.api.accepted(self.api.call(call).await?)?;
        let said = self.api.redacted(&answer.text());
        Ok(Receipt {
            id,
            answer: format!("{} {said}", answer.status).trim_end().to_owned(),
            ..Receipt::default()
        })
    }

    async fn key(&self) -> Result<Vec<u8>, Undelivered> {
        let secret = self.api.secret(&self.secret).await?;
        let written = secret.expose().trim();
        let bytes = STANDARD.decode(written.strip_prefix("whsec_").unwrap_or(written)).ok();
        bytes.filter(|bytes| KEY_BYTES.contains(&bytes.len())).ok_or_else(|| {
            let why = format!("the secret {} is no signing key", secret.label());
            let next = "Store `whsec_` and 24 to 64 random bytes in base64 with `lifeboat secret set`, here and at the \
                        receiver.";
            self.api.failed(&why, next, Again::Never)
        })
    }
}

/// The signature over `id.timestamp.body`.
fn signature(key: &[u8], parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(&parts.join(&b'.'));
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// What is sent. It is the same for every attempt.
fn document(outgoing: &Outgoing) -> Value {
    let message = &outgoing.message;
    json!({
        "type": format!("lifeboat.{}", outgoing.intent.as_str()),
        "timestamp": outgoing.queued_at.to_string(),
        "data": {
            "plan": text::tame(&outgoing.plan),
            "incident": text::tame(&outgoing.incident),
            "key": text::tame(&outgoing.key),
            "recipient": text::tame(&outgoing.recipient),
            "severity": message.severity.map(|severity| severity.as_str()),
            "drill": message.drill,
            "subject": text::tame(&message.subject),
            "body": text::tame(&message.body),
            "witness": text::tame(&message.witness),
            "page_status": message.page_status,
            "component_status": message.component_status,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // From the reference implementations' tests.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let parts: [&[u8]; 3] = [b"msg_p5jXN8AQM9LWM0D4loKWxJek", b"1614265330", br#"{"test": 2432232314}"#];
        assert_eq!(signature(&key, &parts), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
