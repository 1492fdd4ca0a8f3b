//! `twilio-voice`: calls.

use super::{ACCOUNT, API_URL, AUTH_TOKEN, Account, TLS_ROOTS, spoken};
use crate::base::phone::{NO_NUMBER, e164};
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::saas::answer;
use futures::future::BoxFuture;
use serde_json::Value;

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "twilio-voice",
    doc: "Calls a contact's `phone` address, a number with its country's code, through Twilio and reads the message out \
          twice, and the journal's head slowly. Twilio is asked whether the call was answered, by a person or by \
          voicemail; answering acknowledges nothing.",
    address: Some("phone"),
    capabilities: |_| Capabilities { tracks: true, ..Capabilities::default() },
    keys: &[
        ACCOUNT,
        AUTH_TOKEN,
        Key::required(
            "from",
            Takes::Text,
            "A number of the account, or one that it verified (`+14155550123`).",
        ),
        Key::default("language", Takes::Text, "en-US", "The language of the voice that reads it out."),
        API_URL,
        TLS_ROOTS,
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Call"
kind = "twilio-voice"
account = "AC00000000000000000000000000000000"
auth_token = { secret = "twilio-token" }
from = "+14155550123"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let language = channel.params.require_text("language")?.to_owned();
    let from = channel.params.require_text("from")?;
    if e164(from).is_none() {
        return Err(BuildError::value("from", from, NO_NUMBER));
    }
    Ok(Box::new(Voice { account: Account::of(channel, clients)?, language }))
}

struct Voice {
    account: Account,
    language: String,
}

impl Notifier for Voice {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.call(outgoing))
    }

    fn track<'a>(
        &'a self,
        _: &'a Outgoing,
        receipt: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(async { Ok(self.tracked(&self.account.fetch("Calls", receipt).await?)) })
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(self.account.look())
    }
}

impl Voice {
    async fn call(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let to = self.account.number(outgoing.address.as_deref())?;
        let (twiml, cut) = spoken::twiml(&outgoing.message, &self.language);
        let form = [("To", &*to), ("From", &*self.account.from), ("Twiml", &*twiml)];
        self.account.create("Calls", &form, cut).await
    }

    fn tracked(&self, call: &Value) -> Tracked {
        match answer::text(call, "/status") {
            "completed" => {
                let seconds = answer::text(call, "/duration");
                let said = format!("answered by somebody or by voicemail, {seconds} s");
                Tracked::Delivered(self.account.api.redacted(&said))
            }
            "busy" => Tracked::Failed("the line was busy".into()),
            "no-answer" => Tracked::Failed("nobody answered".into()),
            "canceled" => Tracked::Failed("the call was cancelled".into()),
            "failed" => Tracked::Failed("the call could not be put through: look at the number".into()),
            _ => Tracked::Pending,
        }
    }
}
