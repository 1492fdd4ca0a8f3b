//! Channels that lead to a service of the tests' own, and messages to send on them.

use indexmap::IndexMap;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Intent, Message};
use lifeboat::kinds;
use lifeboat::kinds::channel::{Notifier, Outgoing};
use lifeboat::plan::keys::{Need, Takes};
use lifeboat::plan::params::{Param, Params};
use lifeboat::plan::{Channel, Severity};
use lifeboat::providers::clients::Clients;
use std::path::Path;

/// Kinds that speak HTTP.
pub const KINDS: &[&str] = &[
    "slack",
    "slack-webhook",
    "teams",
    "pagerduty",
    "opsgenie",
    "twilio-voice",
    "twilio-sms",
    "statuspage",
    "webhook",
    "jsm-ops",
    "goalert",
    "google-chat",
    "ntfy",
    "telegram",
];

pub const SLACK_TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy";
pub const ROUTING_KEY: &str = "e93facc04764012d7bfb002500d5d1a6";
pub const PAGERDUTY_TOKEN: &str = "y_NbAkKc66ryYTWUXYEu";
pub const OPSGENIE_KEY: &str = "eb243592-faa2-4ba2-a551-1afdf565c889";
pub const STATUSPAGE_KEY: &str = "89a229ce1a8dbcf9ff30430fbe35eb4c0426574bca932061892cefd2138aa4b1";
pub const TWILIO_ACCOUNT: &str = "AC2fb0e1b0c7bd4b6aa0f2ddd5d0d1d5b9";
pub const TWILIO_TOKEN: &str = "8b5f0f7f9d2e4b0f8c1d6a7e5c3b2a19";
pub const SIGNING_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const GOALERT_TOKEN: &str = "0b6d3a52-7d1c-4a89-9a7e-3f2f1f3f6d0e";
pub const NTFY_TOPIC: &str = "lb_9fK2mQx7vT";
pub const TELEGRAM_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub const CHAT_PATH: &str = "/v1/spaces/AAAAq8/messages?key=AIzaSyB1x9Qz&token=kT0kEn9xZq";
pub const SLACK_PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
pub const TEAMS_PATH: &str = "/workflows/0b1f8c1d6a7e5c3b/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=Zm9vYmFyYmF6cXV4cXV1eA";
pub const HOOK_PATH: &str = "/lifeboat/in/4f6ac8b2d90e";
pub const PAGE: &str = "kctbh9vrtdwd";

/// A channel under way of being written.
pub struct Rig {
    kind: &'static str,
    params: IndexMap<String, Param>,
    secrets: Vec<(&'static str, String)>,
    timeout_ms: i64,
}

pub fn text(text: impl Into<String>) -> Param {
    Param::Text(text.into())
}

pub fn list(texts: &[&str]) -> Param {
    Param::List(texts.iter().map(|one| text(*one)).collect())
}

impl Rig {
    /// A channel of a kind with what it needs, towards a server (`http://127.0.0.1:1234`).
    pub fn new(kind: &str, base: &str) -> Self {
        let kind = KINDS.iter().copied().find(|known| *known == kind).unwrap();
        let rig = Self { kind, params: IndexMap::new(), secrets: Vec::new(), timeout_ms: 10_000 };
        match kind {
            "slack" => rig.secret("token", SLACK_TOKEN).with("api_url", text(format!("{base}/api"))),
            "slack-webhook" => rig.secret("webhook", format!("{base}{SLACK_PATH}")),
            "teams" => rig.secret("webhook", format!("{base}{TEAMS_PATH}")),
            "pagerduty" => rig
                .secret("routing_key", ROUTING_KEY)
                .with("events_url", text(format!("{base}/v2/enqueue")))
                .with("api_url", text(base)),
            "opsgenie" => rig.secret("api_key", OPSGENIE_KEY).with("api_url", text(base)),
            "twilio-voice" | "twilio-sms" => rig
                .secret("auth_token", TWILIO_TOKEN)
                .with("account", text(TWILIO_ACCOUNT))
                .with("from", text("+15005550006"))
                .with("api_url", text(base)),
            "statuspage" => rig
                .secret("api_key", STATUSPAGE_KEY)
                .with("page", text(PAGE))
                .with("api_url", text(format!("{base}/v1"))),
            "webhook" => rig.secret("secret", SIGNING_KEY).secret("url", format!("{base}{HOOK_PATH}")),
            "jsm-ops" => rig.secret("api_key", OPSGENIE_KEY).with("api_url", text(base)),
            "goalert" => rig.secret("token", GOALERT_TOKEN).with("url", text(base)),
            "google-chat" => rig.secret("webhook", format!("{base}{CHAT_PATH}")),
            "ntfy" => rig.secret("topic", NTFY_TOPIC).with("url", text(base)),
            "telegram" => rig
                .secret("token", TELEGRAM_TOKEN)
                .with("chat", text("-1001234567890"))
                .with("api_url", text(base)),
            other => panic!("{other}"),
        }
    }

    pub fn with(mut self, key: &str, value: Param) -> Self {
        self.params.insert(key.to_owned(), value);
        self
    }

    pub fn secret(mut self, key: &'static str, value: impl Into<String>) -> Self {
        let name = format!("the-{}", key.replace('_', "-"));
        self.params.insert(key.to_owned(), Param::Secret(reference(&name)));
        self.secrets.retain(|(known, _)| *known != key);
        self.secrets.push((key, value.into()));
        self
    }

    /// No secret can be had.
    pub fn without_secrets(mut self) -> Self {
        self.secrets.clear();
        self
    }

    pub fn timeout_ms(mut self, timeout_ms: i64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    fn channel(&self) -> Channel {
        let kind = lifeboat::providers::channel(self.kind).unwrap();
        let mut params = self.params.clone();
        for key in kind.keys.iter().filter(|key| !self.params.contains_key(key.name)) {
            if let Need::Default(value) = key.need {
                params.insert(key.name.to_owned(), default(key.takes, value));
            }
        }
        let params = Params(params);
        Channel {
            id: "duty".into(),
            title: "Duty".into(),
            kind: self.kind.into(),
            address: kind.address.map(str::to_owned),
            capabilities: (kind.capabilities)(&params),
            give_up_after: SignedDuration::from_mins(3),
            timeout: SignedDuration::from_millis(self.timeout_ms),
            parallel: 4,
            params,
        }
    }

    pub fn try_build(&self) -> kinds::channel::Built {
        let variable = |key: &str| format!("LIFEBOAT_SECRET_THE_{}", key.to_uppercase());
        let environment = self.secrets.iter().map(|(key, value)| (variable(key), value.clone())).collect();
        let clients = Clients::new(Default::default(), Path::new("/nonexistent"), environment);
        (lifeboat::providers::channel(self.kind).unwrap().build)(&self.channel(), &clients)
    }

    pub fn build(&self) -> Box<dyn Notifier> {
        self.try_build().unwrap_or_else(|error| panic!("{}: {error}", self.kind))
    }

    /// Whatever must not be seen: secrets, and what of a secret address would do as well.
    pub fn hidden(&self) -> Vec<String> {
        let parts =
            [SLACK_PATH, TEAMS_PATH, HOOK_PATH, "XXXXXXXXXXXX", "Zm9vYmFy", "4f6ac8b2d90e", "kT0kEn9xZq"];
        self.secrets.iter().map(|(_, value)| value.clone()).chain(parts.map(str::to_owned)).collect()
    }
}

fn reference(name: &str) -> lifeboat::secrets::SecretRef {
    lifeboat::secrets::SecretRef { name: name.parse().unwrap() }
}

fn default(takes: Takes, value: &str) -> Param {
    match takes {
        Takes::List(_) => Param::List(Vec::new()),
        Takes::Table(_) => Param::Table(IndexMap::new()),
        Takes::Flag => Param::Flag(value == "true"),
        _ => text(value),
    }
}

pub fn message() -> Message {
    Message {
        subject: "[P0] ARKA: Primary region down".into(),
        body: "P0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.".into(),
        witness: "Journal #42 lusab-babad-gutih-tugad".into(),
        severity: Some(Severity::P0),
        drill: false,
        page_status: None,
        component_status: None,
    }
}

/// A page on its way, to the address that the kind takes.
pub fn page(kind: &str) -> Outgoing {
    let address = match kind {
        "slack" => Some("#incidents"),
        "twilio-sms" | "twilio-voice" => Some("+1 415 555-0123"),
        _ => None,
    };
    Outgoing {
        message: message(),
        intent: Intent::Page,
        address: address.map(str::to_owned),
        recipient: "Ana Torres".into(),
        incident: "INC-20260331-1".into(),
        plan: "ARKA Engine v1.2".into(),
        key: "lifeboat/ARKA Engine v1.2/INC-20260331-1/0".into(),
        thread: None,
        attempt: 1,
        queued_at: "2026-03-31T02:18:00Z".parse().unwrap(),
    }
}

/// The same with another text.
pub fn saying(kind: &str, subject: &str, body: &str) -> Outgoing {
    let page = page(kind);
    let message = Message { subject: subject.into(), body: body.into(), ..page.message };
    Outgoing { message, ..page }
}

/// The same with another intent.
pub fn intending(kind: &str, intent: Intent) -> Outgoing {
    Outgoing { intent, ..page(kind) }
}

/// What somebody could write who wants to be read as something else.
pub const HOSTILE: &str = "\x1b[31m<!channel> <@U1> & <https://evil.example|click> *b* \u{202e}\"}], \"x\": 1 </Say><Hangup/> %s {{x}}\r\nBcc: x";

/// A message of which every part that a person or a plan writes is hostile.
pub fn hostile(kind: &str) -> Outgoing {
    let (recipient, plan) = (format!("Ana {HOSTILE}"), format!("ARKA {HOSTILE}"));
    Outgoing { recipient, plan, ..saying(kind, &format!("[P0] {HOSTILE}"), HOSTILE) }
}
