//! Channels and messages as the engine hands them to notifiers.

use jiff::{SignedDuration, Timestamp};
use lifeboat::base::environment::Environment;
use lifeboat::core::words::notification::{Intent, Message};
use lifeboat::kinds::channel::{Notifier, Outgoing};
use lifeboat::plan::Channel;
use lifeboat::plan::params::{Param, Params};
use lifeboat::providers::clients::Clients;
use std::path::Path;
use std::time::Duration;

/// A text of a plan.
pub fn text(text: impl AsRef<str>) -> Param {
    Param::Text(text.as_ref().to_owned())
}

/// A channel of a kind with these keys, as the plan's loader makes it.
pub fn channel(name: &str, timeout: Duration, params: &[(&str, Param)]) -> Channel {
    let kind = lifeboat::providers::channel(name).unwrap();
    let params = Params(params.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect());
    Channel {
        id: "example".into(),
        title: "Example".into(),
        kind: name.into(),
        address: kind.address_of(&params).map(str::to_owned),
        capabilities: (kind.capabilities)(&params),
        give_up_after: SignedDuration::from_mins(10),
        timeout: timeout.try_into().unwrap(),
        parallel: 4,
        params,
    }
}

/// Its notifier, with these variables in lifeboat's environment.
pub fn notifier(channel: &Channel, variables: &[(&str, &str)]) -> Box<dyn Notifier> {
    let path = std::env::var("PATH").unwrap();
    let variables = variables.iter().copied().chain([("PATH", &*path)]);
    let environment: Environment = variables.collect();
    let clients = Clients::new(Default::default(), Path::new("/nonexistent"), environment);
    let built = (lifeboat::providers::channel(&channel.kind).unwrap().build)(channel, &clients);
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// A page to Ana.
pub fn outgoing(address: Option<&str>) -> Outgoing {
    Outgoing {
        message: Message {
            subject: "[P0] ARKA: Störung in us-east-1".into(),
            body: "Region down.\n.\n..dots stay\nŁódź größer than ever.".into(),
            witness: "Journal #7 lusab-babad".into(),
            severity: None,
            drill: false,
            page_status: None,
            component_status: None,
        },
        intent: Intent::Page,
        address: address.map(str::to_owned),
        recipient: "Ana Žižka, on call".into(),
        incident: "inc-1".into(),
        plan: "ARKA".into(),
        key: "arka/inc-1/n1".into(),
        thread: None,
        attempt: 1,
        queued_at: "2026-11-28T13:00:05Z".parse::<Timestamp>().unwrap(),
    }
}
