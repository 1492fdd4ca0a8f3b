use crate::core::words::notification::{Again, Intent, Message, Receipt};
use crate::kinds::channel::*;
use crate::plan::keys::{Need, Takes};
use crate::plan::params::Param;
use crate::plan::{Channel, Severity};
use crate::providers::{ChannelRow, channels};
use crate::testing::{SECRET, channel, clients, dead_address, silent_address};
use jiff::SignedDuration;
use std::collections::HashSet;
use std::time::Duration;

/// Keys that hold the address of a service.
const ADDRESSES: &[&str] = &["api_url", "events_url", "url", "webhook"];

/// Kinds that speak HTTP.
fn over_http() -> impl Iterator<Item = &'static ChannelRow> {
    channels().filter(|kind| kind.keys.iter().any(|key| ADDRESSES.contains(&key.name)))
}

/// The example towards another address. Its secrets are all the same text: an address is written out.
fn aimed(kind: &ChannelRow, address: &str) -> Channel {
    let mut channel = channel(kind.example);
    channel.timeout = SignedDuration::from_millis(700);
    for key in ADDRESSES {
        if let Some(value) = channel.params.0.get_mut(*key) {
            *value = Param::Text(format!("http://{address}/x"));
        }
    }
    if let Some(secret) = channel.params.0.get_mut("secret") {
        *secret = Param::Text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
    }
    channel
}

fn secrets(kind: &ChannelRow) -> Vec<String> {
    let params = channel(kind.example).params;
    let named = params.0.into_values().filter_map(|value| match value {
        Param::Secret(reference) => Some(reference.name.to_string()),
        _ => None,
    });
    named.collect()
}

fn build(kind: &ChannelRow, channel: &Channel) -> Box<dyn Notifier> {
    let secrets = secrets(kind);
    let names: Vec<&str> = secrets.iter().map(String::as_str).collect();
    (kind.build)(channel, &clients(&names)).unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

fn outgoing(kind: &ChannelRow) -> Outgoing {
    Outgoing {
        message: Message {
            subject: "[P0] Test".into(),
            body: "Down.".into(),
            witness: "Journal #1 lusab-babad".into(),
            severity: Some(Severity::P0),
            drill: false,
            page_status: None,
            component_status: None,
        },
        intent: Intent::Page,
        address: kind.address.map(|address| match address {
            "sms" | "phone" => "+14155550123".to_owned(),
            "email" => "ana@example.com".to_owned(),
            _ => "C0123456789".to_owned(),
        }),
        recipient: "Ana".into(),
        incident: "INC-1".into(),
        plan: "Test".into(),
        key: "lifeboat/Test/INC-1/0".into(),
        thread: None,
        attempt: 1,
        queued_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn kinds_are_unique_and_documented() {
    let mut names = HashSet::new();
    for kind in channels() {
        assert!(names.insert(kind.name), "{} twice", kind.name);
        assert!(kind.doc.len() > 80 && kind.doc.ends_with('.'), "{}: {}", kind.name, kind.doc);
        let mut keys = HashSet::new();
        for key in kind.keys {
            assert!(keys.insert(key.name), "{}: {} twice", kind.name, key.name);
            assert!(key.doc.ends_with('.'), "{}: {}", kind.name, key.doc);
        }
        let addresses = ["email", "phone", "sms", "slack"];
        assert!(kind.address.is_none_or(|address| addresses.contains(&address)), "{}", kind.name);
    }
}

#[test]
fn examples_are_complete_and_build() {
    for kind in channels() {
        let example = channel(kind.example);
        assert_eq!(example.kind, kind.name);
        assert_eq!(example.address.as_deref(), kind.address_of(&example.params), "{}", kind.name);
        build(kind, &example);
        let required = kind.keys.iter().filter(|key| key.need == Need::Required);
        for key in required.filter(|key| !matches!(key.takes, Takes::List(_))) {
            let mut channel = example.clone();
            channel.params.0.shift_remove(key.name);
            assert!((kind.build)(&channel, &clients(&[])).is_err(), "{} without {}", kind.name, key.name);
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrived_and_no_secret_is_told() {
    for kind in over_http() {
        let notifier = build(kind, &aimed(kind, &dead_address()));
        let failure = notifier.send(&outgoing(kind)).await.unwrap_err();
        assert_eq!(failure.again, Again::After(None), "{}: {failure:?}", kind.name);
        assert!(!failure.next.is_empty() && !format!("{failure:?}").contains(SECRET), "{failure:?}");
    }
}

#[tokio::test]
async fn what_never_answers_is_given_up_in_time() {
    for kind in over_http() {
        let channel = aimed(kind, &silent_address().await);
        let notifier = build(kind, &channel);
        let (outgoing, receipt) = (outgoing(kind), Receipt { id: "x1".into(), ..Receipt::default() });
        let limit = Duration::from_secs(4);
        let sent = tokio::time::timeout(limit, notifier.send(&outgoing)).await;
        let failure = sent.unwrap_or_else(|_| panic!("{} hangs", kind.name)).unwrap_err();
        assert_eq!(failure.again, Again::Maybe, "{}: {failure:?}", kind.name);
        if channel.capabilities.tracks {
            let tracked = tokio::time::timeout(limit, notifier.track(&outgoing, &receipt)).await;
            assert!(tracked.unwrap_or_else(|_| panic!("{} hangs", kind.name)).is_err(), "{}", kind.name);
        }
        let checked = tokio::time::timeout(limit, notifier.check()).await;
        let checked = checked.unwrap_or_else(|_| panic!("{} hangs", kind.name));
        assert!(matches!(checked, Ok(None) | Err(_)), "{}: {checked:?}", kind.name);
    }
}

#[test]
fn what_takes_over_from_a_service_that_ends_is_a_kind() {
    let endings: Vec<_> = channels().filter_map(|kind| kind.ends).collect();
    assert!(!endings.is_empty());
    for ending in endings {
        assert!(crate::providers::channel(ending.successor).is_some(), "{}", ending.successor);
    }
}
