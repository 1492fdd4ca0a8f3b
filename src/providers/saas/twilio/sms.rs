//! `twilio-sms`: text messages.

use super::{ACCOUNT, API_URL, AUTH_TOKEN, Account, TLS_ROOTS};
use crate::base::phone::e164;
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing, text};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use futures::future::BoxFuture;
use serde_json::Value;

/// The longest `Body`.
const BODY_LIMIT_CHARS: usize = 1_600;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "twilio-sms",
    doc: "Sends a text message through Twilio to a contact's `sms` address, a number with its country's code. Twilio is \
          asked whether the carrier delivered it. Twilio takes 1,600 characters at most.",
    address: Some("sms"),
    capabilities: |_| Capabilities { tracks: true, ..Capabilities::default() },
    keys: &[
        ACCOUNT,
        AUTH_TOKEN,
        Key::required(
            "from",
            Takes::Text,
            "A number of the account (`+14155550123`), or the SID of a messaging service (`MG…`).",
        ),
        API_URL,
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Text message"
kind = "twilio-sms"
account = "AC00000000000000000000000000000000"
auth_token = { secret = "twilio-token" }
from = "+14155550123"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let from = channel.params.require_text("from")?;
    if !is_sender(from) {
        let why = "it takes a number with its country's code (`+14155550123`), a short code, a messaging service's SID \
                   (`MG…`), or a name of up to 11 letters and digits";
        return Err(BuildError::value("from", from, why));
    }
    Ok(Box::new(Sms(Account::of(channel, clients)?)))
}

/// <https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id>
fn is_sender(from: &str) -> bool {
    let digits = from.bytes().all(|byte| byte.is_ascii_digit());
    let service = from.strip_prefix("MG").is_some_and(|digits| digits.len() == 32);
    let name = from.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte))
        && from.bytes().any(|byte| byte.is_ascii_alphabetic());
    e164(from.trim_start_matches("whatsapp:")).is_some()
        || service
        || (digits && (3..=8).contains(&from.len()))
        || (name && from.len() <= 11)
}

struct Sms(Account);

impl Notifier for Sms {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.message(outgoing))
    }

    fn track<'a>(
        &'a self,
        _: &'a Outgoing,
        receipt: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(async { Ok(self.tracked(&self.0.fetch("Messages", receipt).await?)) })
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(self.0.look())
    }
}

impl Sms {
    async fn message(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let to = self.0.number(outgoing.address.as_deref())?;
        let fitted = text::whole(&outgoing.message, BODY_LIMIT_CHARS);
        let from = if self.0.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let form = [("To", &*to), (from, &*self.0.from), ("Body", &*fitted.text)];
        self.0.create("Messages", &form, fitted.cut).await
    }

    fn tracked(&self, message: &Value) -> Tracked {
        match answer::text(message, "/status") {
            "delivered" => Tracked::Delivered("delivered, as the carrier says".into()),
            "read" => Tracked::Delivered("read".into()),
            status @ ("undelivered" | "failed" | "canceled") => {
                let why = message["error_code"].as_u64().map(carrier).unwrap_or_default();
                let said = answer::text(message, "/error_message");
                Tracked::Failed(self.0.api.redacted(format!("Twilio: {status} {why} {said}").trim_end()))
            }
            _ => Tracked::Pending,
        }
    }
}

/// Why a carrier did not deliver.
fn carrier(code: u64) -> String {
    let why = match code {
        30003 => "the handset is off or out of reach",
        30004 => "the recipient blocks the number",
        30005 => "no such number",
        30006 => "a landline, or a carrier out of reach",
        30007 => "the carrier took it for spam",
        30034 => "the sender is not registered with the carriers (A2P 10DLC)",
        _ => return format!("({code})"),
    };
    format!("({code}: {why})")
}
