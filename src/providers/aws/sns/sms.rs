//! `sns-sms`: text messages to phones through Amazon SNS.

use crate::base::phone;
use crate::base::text::clean;
use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::text;
use crate::kinds::channel::text::Fitted;
use crate::kinds::channel::{Built, Notifier, Outgoing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::{Capabilities, Channel};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, Place};
use crate::providers::clients::Clients;
use aws_sdk_sns::types::MessageAttributeValue;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The most that one Publish sends to a phone, in parts that the phone puts together; AWS refuses more.
/// <https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html>
const LIMIT_BYTES: usize = 1600;

const PUBLISH: &str = "sns:Publish";

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "sns-sms",
    doc: "Sends text messages with Amazon SNS, as transactional ones. A phone number is written as `+491701234567`. \
          What is longer than 1600 bytes is cut before the journal's head. SNS tells only that it took the message; \
          whether it came to the phone stands in CloudWatch Logs. AWS does not know a message that comes twice, so \
          that one whose answer was lost is not sent again. An account in the SMS sandbox reaches verified numbers \
          only; `lifeboat notify check` says so where the caller may ask (`sns:GetSMSSandboxAccountStatus`, \
          `sns:GetSMSAttributes`).",
    address: Some("sms"),
    capabilities: |_| Capabilities { repeatable: false, has_alerts: false, threads: false, tracks: false },
    keys: &[
        Key::required("region", Takes::Text, "A region of the plan, or an AWS region's name (`us-west-2`)."),
        Key::optional(
            "sender_id",
            Takes::Text,
            "The name that phones show as the sender, 1 to 11 letters and digits; not every country allows one.",
        ),
        Key::optional(
            "origination_number",
            Takes::Text,
            "The number that it comes from, where the account has several.",
        ),
    ],
    permissions: &[PUBLISH],
    example: r#"[channels.example]
title = "Text message"
kind = "sns-sms"
region = "us-west-2"
sender_id = "LIFEBOAT"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let sender_id = channel.params.text("sender_id").map(str::to_owned);
    if let Some(name) = sender_id.as_ref().filter(|name| !is_sender_id(name)) {
        return Err(BuildError::Value {
            key: "sender_id".into(),
            value: clean(name, 40),
            why: "it takes 1 to 11 letters and digits, at least one of them a letter".into(),
        });
    }
    if let Some(number) = channel.params.text("origination_number") {
        let is_short = (3..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_short && crate::base::phone::e164(number).is_none() {
            return Err(BuildError::value(
                "origination_number",
                &clean(number, 40),
                crate::base::phone::NO_NUMBER,
            ));
        }
    }
    Ok(Box::new(SnsSms {
        place: crate::providers::aws::probe::find(channel.params.require_text("region")?, "region", clients)?,
        sender_id,
        origination_number: channel.params.text("origination_number").map(str::to_owned),
        timeout: channel.timeout.unsigned_abs(),
        clients: clients.clone(),
    }))
}

fn is_sender_id(name: &str) -> bool {
    (1..=11).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && name.chars().any(|c| c.is_ascii_alphabetic())
}

struct SnsSms {
    place: Place,
    sender_id: Option<String>,
    origination_number: Option<String>,
    timeout: Duration,
    clients: Clients,
}

impl Notifier for SnsSms {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.publish(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async {
            let begun = Instant::now();
            let connection = self.connection().await?;
            let look = async {
                let caller = connection.caller().await.map_err(|error| self.undelivered(&error))?;
                let seen = sandbox(&connection).await;
                Ok(Some(format!("SNS in {} as {}; {seen}", connection.region, caller.arn)))
            };
            let left = self.timeout.saturating_sub(begun.elapsed());
            timeout(left, look).await.unwrap_or_else(|_| Err(self.late(Again::After(None))))
        })
    }
}

impl SnsSms {
    async fn publish(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let begun = Instant::now();
        let phone = number(outgoing.address.as_deref().unwrap_or_default())?;
        let Fitted { text, cut } = fitted(outgoing);
        let connection = self.connection().await?;
        let publish = connection.sns().publish().phone_number(&phone).message(text);
        let send = publish.set_message_attributes(Some(self.attributes()));
        let call = Call::new(PUBLISH, &phone);
        let left = self.timeout.saturating_sub(begun.elapsed());
        let answer = connection.call_within(&call, left, send.send()).await;
        let answer = answer.map_err(|error| self.undelivered(&error))?;
        match answer.message_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => Ok(Receipt {
                id: clean(id, 100),
                thread: String::new(),
                answer: format!("SNS in {} took it for {phone}", connection.region),
                cut,
            }),
            None => Err(Undelivered {
                why: format!("SNS answered without a message id for {phone}"),
                next: "Ask the recipient whether it arrived, or tell them otherwise.".into(),
                again: Again::Maybe,
            }),
        }
    }

    fn attributes(&self) -> HashMap<String, MessageAttributeValue> {
        let values = [
            ("AWS.SNS.SMS.SMSType", Some("Transactional")),
            ("AWS.SNS.SMS.SenderID", self.sender_id.as_deref()),
            ("AWS.MM.SMS.OriginationNumber", self.origination_number.as_deref()),
        ];
        let attribute = |(name, value): (&str, Option<&str>)| {
            let built = MessageAttributeValue::builder().data_type("String").string_value(value?).build();
            // Only a missing type is an error.
            Some((name.to_owned(), built.ok()?))
        };
        values.into_iter().filter_map(attribute).collect()
    }

    /// The connection; getting credentials for it can take its time.
    async fn connection(&self) -> Result<std::sync::Arc<Connection>, Undelivered> {
        // Nothing was sent yet.
        timeout(self.timeout, self.place.writer()).await.map_err(|_| self.late(Again::After(None)))
    }

    fn late(&self, again: Again) -> Undelivered {
        let limit = crate::base::words::seconds(self.timeout.as_secs_f64());
        Undelivered {
            why: format!("SNS in {} gave no answer within {limit}", self.place.region),
            next: "See whether the region works at all (`lifeboat aws whoami PLAN`); tell them otherwise."
                .into(),
            again,
        }
    }

    fn undelivered(&self, error: &AwsError) -> Undelivered {
        use AwsErrorKind as K;
        let again = match error.kind {
            _ if error.may_have_acted() => Again::Maybe,
            // The next call fetches credentials anew.
            K::Throttled | K::Unreachable | K::Expired => Again::After(None),
            _ => Again::Never,
        };
        let next = match &*error.code {
            "OptedOut" => {
                "They answered STOP to an earlier message: opt them in again in the SNS console (once in 30 \
                           days), or tell them otherwise."
                    .into()
            }
            "InvalidParameter" | "InvalidParameterValue" => {
                "Correct the contact's `sms` number in the plan (`+491701234567`), or the channel's keys."
                    .into()
            }
            _ if error.may_have_acted() => {
                "Ask the recipient whether it arrived, or tell them otherwise.".into()
            }
            _ => error.next_step(),
        };
        Undelivered { why: self.clients.redactor.redact(&error.to_string()), next, again }
    }
}

/// What the account may send, as far as the caller may ask.
async fn sandbox(connection: &Connection) -> String {
    let call = Call::new("sns:GetSMSSandboxAccountStatus", "the account");
    let asked = connection.call(&call, connection.sns().get_sms_sandbox_account_status().send()).await;
    let sandbox = match asked {
        Ok(found) if found.is_in_sandbox => {
            "IN THE SMS SANDBOX: only verified numbers are reached".to_owned()
        }
        Ok(_) => "not in the SMS sandbox".to_owned(),
        Err(error) => format!("whether it is in the SMS sandbox is not told ({})", error.message),
    };
    let call = Call::new("sns:GetSMSAttributes", "the account");
    let asked = connection.call(&call, connection.sns().get_sms_attributes().send()).await;
    let limit = asked.ok().and_then(|found| found.attributes?.remove("MonthlySpendLimit"));
    let limit = limit.map(|dollars| format!(", limit of {} USD a month", clean(&dollars, 20)));
    format!("{sandbox}{}", limit.unwrap_or_default())
}

/// The number as SNS takes it: `+` and digits.
fn number(address: &str) -> Result<String, Undelivered> {
    phone::e164(address).ok_or_else(|| Undelivered {
        why: format!("{:?} is no phone number with its country (`+491701234567`)", clean(address, 40)),
        next: "Correct the contact's `sms` number in the plan, or tell them otherwise.".into(),
        again: Again::Never,
    })
}

/// The whole message within the limit, which counts bytes.
fn fitted(outgoing: &Outgoing) -> Fitted {
    let mut limit_chars = LIMIT_BYTES;
    loop {
        let fitted = text::whole(&outgoing.message, limit_chars);
        let over = fitted.text.len().saturating_sub(LIMIT_BYTES);
        if over == 0 || limit_chars == 0 {
            return fitted;
        }
        // No character has more than four bytes, so that this never takes away too much.
        let chars = fitted.text.chars().count().min(limit_chars);
        limit_chars = chars.saturating_sub(over.div_ceil(4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::notification::{Intent, Message};

    fn outgoing(body: &str) -> Outgoing {
        Outgoing {
            message: Message {
                subject: "[P0] ARKA".into(),
                body: body.into(),
                witness: "Journal #7 lusab-babad".into(),
                severity: None,
                drill: false,
                page_status: None,
                component_status: None,
            },
            intent: Intent::Page,
            address: None,
            recipient: "Ana".into(),
            incident: "inc-1".into(),
            plan: "ARKA".into(),
            key: "k".into(),
            thread: None,
            attempt: 1,
            queued_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_limit_counts_bytes_and_the_witness_stays() {
        for letter in ["a", "ö", "€", "🚒"] {
            let fitted = fitted(&outgoing(&letter.repeat(3000)));
            assert!(fitted.text.len() <= LIMIT_BYTES, "{}", fitted.text.len());
            assert!(fitted.text.len() > LIMIT_BYTES - 8, "{letter} {}", fitted.text.len());
            assert!(fitted.text.ends_with("\nJournal #7 lusab-babad"));
            assert!(fitted.cut.starts_with("cut from 30"), "{}", fitted.cut);
        }
        assert_eq!(fitted(&outgoing("short")).cut, "");
    }

    #[test]
    fn numbers_have_their_country() {
        assert_eq!(number("+49 (170) 123-45.67").unwrap(), "+491701234567");
        for wrong in ["", "0170 1234567", "+49", "+49170123456789012", "+49x701234567", "++491701234567"] {
            assert_eq!(number(wrong).unwrap_err().again, Again::Never, "{wrong}");
        }
    }

    #[test]
    fn a_sender_has_a_letter() {
        assert!(is_sender_id("LIFEBOAT") && is_sender_id("Ops1"));
        assert!(
            !is_sender_id("")
                && !is_sender_id("12345")
                && !is_sender_id("TWELVELETTER")
                && !is_sender_id("a b")
        );
    }
}
