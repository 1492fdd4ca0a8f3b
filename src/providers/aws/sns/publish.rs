//! `sns-publish`: tells a topic's subscribers, once.

use crate::base::text::clean;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, caller, command, place};
use crate::providers::aws::client::{Call, Place};
use crate::providers::clients::Clients;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What an action acts on.
const KIND_OF_TARGET: &str = "SNS topic";

/// Limits of a message. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_SUBJECT_CHARS: usize = 100;
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// How many answers are kept for the proof.
const MAX_KEPT: usize = 1000;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "sns-publish",
    does: Does::Tells,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Publishes one message to an SNS topic and never sends it again by itself. A message cannot be read back: the \
          proof is the message id that AWS answered with, and it tells that AWS has the message, not that anybody read \
          it. When the answer is lost, or the engine ends in between, nobody can tell whether it was sent: the step \
          stays unknown until a person looks into a subscriber's inbox. A topic with order (`.fifo`) gets a token of \
          the attempt, with which AWS drops a second copy within five minutes.",
    keys: &[
        REGION,
        Key::required("topic", Takes::Text, "The topic's ARN."),
        Key::optional("subject", Takes::Text, "The subject of emails, up to 100 characters of ASCII."),
        Key::required("message", Takes::Text, "The message, up to 256 KiB."),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["sns:Publish", "sns:GetTopicAttributes"],
    example: r#"[[runbooks.example.steps]]
id = "tell-customers"
title = "Tell the customers' topic"
action = "sns-publish"
with.region = "us-west-2"
with.topic = "arn:aws:sns:us-west-2:123456789012:arka-incidents"
with.subject = "ARKA Engine: failover to us-west-2"
with.message = "We are failing over to us-west-2. Expect a few minutes without writes."
confirm = "yes"
timeout = "1m"
"#,
    call: |params| format!("sns:Publish TopicArn={}", params.text("topic").unwrap_or_default()),
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let wrong = |key: &str, value: &str, why: &str| BuildError::Value {
        key: key.into(),
        value: value.to_owned(),
        why: why.to_owned(),
    };
    let topic = params.require_text("topic")?.to_owned();
    if !topic.starts_with("arn:") || topic.split(':').count() != 6 || !topic.contains(":sns:") {
        return Err(wrong(
            "topic",
            &topic,
            "it is no ARN of a topic (`arn:aws:sns:us-west-2:123456789012:name`)",
        ));
    }
    let message = params.require_text("message")?.to_owned();
    if message.is_empty() || message.len() > MAX_MESSAGE_BYTES {
        return Err(wrong("message", &clean(&message, 40), "it takes 1 byte to 256 KiB"));
    }
    let subject = params.text("subject").map(str::to_owned);
    // It can hold text of the incident, which is known only when the step runs: what does not fit is cut then.
    let subject = subject.map(|subject| fitting(&subject)).filter(|subject| !subject.is_empty());
    Ok(Box::new(Changing(Publish { place: place(params, clients)?, topic, subject, message })))
}

/// A subject as SNS takes it: printable ASCII, not more than 100 characters.
fn fitting(subject: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    subject.trim().chars().map(plain).take(MAX_SUBJECT_CHARS).collect()
}

struct Publish {
    place: Place,
    topic: String,
    subject: Option<String>,
    message: String,
}

/// What AWS answered, by the attempt's token. It ends with the process: after a crash nothing proves a message.
#[derive(Default)]
struct Sent(Mutex<HashMap<String, String>>);

impl Change for Publish {
    /// How many it reaches, in words.
    type Seen = String;

    fn what(&self, name: &str) -> String {
        format!("the message to {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(self.name(), KIND_OF_TARGET)
    }

    async fn read(&self) -> Result<(Target, String), Unread> {
        let connection = self.place.reader().await;
        let call = Call::new("sns:GetTopicAttributes", &self.topic);
        let send = connection.sns().get_topic_attributes().topic_arn(&self.topic).send();
        let found = connection.call(&call, send).await?.attributes.unwrap_or_default();
        let text = |name: &str| found.get(name).map(|value| clean(value, 300)).unwrap_or_default();
        let mut identity =
            vec![("region".to_owned(), connection.region.clone()), ("arn".into(), text("TopicArn"))];
        let others = [("owner", "Owner"), ("display name", "DisplayName"), ("key", "KmsMasterKeyId")];
        for (name, attribute) in others {
            let value = text(attribute);
            if !value.is_empty() {
                identity.push((name.into(), value));
            }
        }
        identity.push(caller(&connection).await?);
        let subscribers = match text("SubscriptionsConfirmed").as_str() {
            "" => "How many are subscribed is not told.".into(),
            "0" => "NOBODY is subscribed: no person will get this message.".into(),
            count => format!("{count} confirmed subscriptions, {} pending.", text("SubscriptionsPending")),
        };
        let target =
            Target { name: clean(self.name(), 200), kind: KIND_OF_TARGET.into(), identity, reachable: true };
        Ok((target, subscribers))
    }

    fn show(&self, subscribers: Option<&String>) -> Shown {
        let mut notes: Vec<String> = subscribers.cloned().into_iter().collect();
        notes.extend(self.subject.as_ref().map(|subject| format!("Subject: {subject}")));
        notes.push(format!("Message: {}", clean(&self.message, 400)));
        notes.push("It is sent once. A message cannot be called back, nor read back.".into());
        Shown { call: self.call(), command: self.command(), notes, ..Shown::default() }
    }

    async fn send(&self, confirmed: Confirmed<'_, String>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { expected, what, .. } = confirmed;
        let connection = self.place.writer().await;
        let mut send = connection
            .sns()
            .publish()
            .topic_arn(&self.topic)
            .set_subject(self.subject.clone())
            .message(&self.message);
        if self.is_ordered() {
            send = send.message_group_id("lifeboat").message_deduplication_id(&context.token);
        }
        let call = Call::new("sns:Publish", &self.topic);
        let answer = connection.call(&call, send.send()).await;
        let answer = answer.map_err(|error| match error.may_have_acted() {
            true => Failure::maybe_done(
                &*what,
                format!("{error}; nobody can tell whether it was sent"),
                "Look whether it is in a subscriber's inbox before you send it again.",
            ),
            false => error.not_done(&*what),
        })?;
        let id = receipt(answer.message_id.as_deref(), &what)?;
        let sent = connection.kept::<Sent>();
        let mut sent = sent.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= MAX_KEPT {
            sent.clear();
        }
        sent.insert(context.token.clone(), id.clone());
        Ok(Done { summary: format!("{} has the message, id {id}", expected.name) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let connection = self.place.writer().await;
        let sent = connection.kept::<Sent>();
        let id = sent.0.lock().unwrap_or_else(PoisonError::into_inner).get(&context.token).cloned();
        match id {
            Some(id) => Ok(Proof {
                evidence: vec![
                    format!("AWS answered the message with id {id}: it has it"),
                    "that anybody got or read it is not proven".into(),
                ],
            }),
            None => Err(Failure::maybe_done(
                self.what(&expected.name),
                "nobody can tell whether it was sent: no answer of AWS is known, and a message cannot be read back",
                "Look whether it is in a subscriber's inbox. Then attest the step, or retry it with a reason.",
            )),
        }
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command()],
            check: "The command prints a MessageId, and the message is in a subscriber's inbox.".into(),
        }
    }
}

impl Publish {
    /// The topic's own name.
    fn name(&self) -> &str {
        self.topic.rsplit(':').next().unwrap_or(&self.topic)
    }

    fn is_ordered(&self) -> bool {
        self.topic.ends_with(".fifo")
    }

    fn call(&self) -> String {
        let subject = self.subject.as_ref().map(|subject| format!(" Subject={subject}")).unwrap_or_default();
        let token = if self.is_ordered() { " MessageDeduplicationId=(this attempt)" } else { "" };
        format!("sns:Publish TopicArn={}{subject} Message=({} bytes){token}", self.topic, self.message.len())
    }

    fn command(&self) -> String {
        let mut words = vec!["sns", "publish", "--topic-arn", &self.topic];
        if let Some(subject) = &self.subject {
            words.extend(["--subject", subject]);
        }
        words.extend(["--message", &self.message]);
        if self.is_ordered() {
            words.extend(["--message-group-id", "lifeboat", "--message-deduplication-id", "by-hand"]);
        }
        command(Some(&self.place.region), &words)
    }
}

/// The id that AWS gave the message: all that proves it. An answer without one is none of SNS.
fn receipt(id: Option<&str>, what: &str) -> Result<String, Failure> {
    match id.map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Ok(clean(id, 100)),
        None => Err(Failure::maybe_done(
            what,
            "the answer has no message id; nobody can tell whether it was sent",
            "Look whether it is in a subscriber's inbox before you send it again.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::action::Acted;

    #[test]
    fn an_answer_without_a_message_id_proves_nothing() {
        assert_eq!(receipt(Some("94f20ce6-13c5"), "x").unwrap(), "94f20ce6-13c5");
        for id in [None, Some(""), Some(" ")] {
            assert_eq!(receipt(id, "x").unwrap_err().acted, Acted::Maybe);
        }
    }

    #[test]
    fn a_subject_is_made_to_fit() {
        assert_eq!(fitting(" Störung\nin us-east-1 "), "St?rung?in us-east-1");
        assert_eq!(fitting(&"x".repeat(200)).len(), MAX_SUBJECT_CHARS);
    }
}
