//! Text messages through SNS.

use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};
use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use lifeboat::base::environment::Environment;
use lifeboat::core::words::notification::{Again, Intent, Message, Receipt, Undelivered};
use lifeboat::kinds::channel::{Notifier, Outgoing};
use lifeboat::plan::params::{Param, Params};
use lifeboat::plan::{AwsSettings, Channel};
use lifeboat::providers::clients::Clients;
use serde_json::json;
use std::path::Path;

struct World {
    emulator: Emulator,
    proxy: FaultProxy,
    notifier: Box<dyn Notifier>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let emulator = Emulator::start();
        let proxy = FaultProxy::before(&emulator.endpoint());
        let settings = AwsSettings {
            endpoint: Some(proxy.endpoint()),
            regions: [("dr".to_owned(), "us-west-2".to_owned())].into_iter().collect(),
            deadline: SignedDuration::from_secs(30),
            ..AwsSettings::default()
        };
        let clients = Clients::new(Default::default(), Path::new("/nonexistent"), Environment::default())
            .with_aws(settings, "ana");
        let kind = lifeboat::providers::channel("sns-sms").unwrap();
        let text = |text: &str| Param::Text(text.to_owned());
        let params: IndexMap<String, Param> =
            [("region".to_owned(), text("dr")), ("sender_id".to_owned(), text("LIFEBOAT"))].into();
        let channel = Channel {
            id: "text".into(),
            title: "Text message".into(),
            kind: kind.name.into(),
            address: kind.address.map(str::to_owned),
            capabilities: (kind.capabilities)(&Params::default()),
            give_up_after: SignedDuration::from_mins(10),
            timeout: SignedDuration::from_secs(20),
            parallel: 4,
            params: Params(params),
        };
        let notifier = (kind.build)(&channel, &clients).unwrap_or_else(|error| panic!("{error}"));
        Self { emulator, proxy, notifier, runtime: tokio::runtime::Runtime::new().unwrap() }
    }

    fn send(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        self.runtime.block_on(self.notifier.send(outgoing))
    }

    fn published(&self) -> u64 {
        self.emulator.calls().get("sns:Publish@us-west-2").copied().unwrap_or_default()
    }
}

fn outgoing(body: &str) -> Outgoing {
    Outgoing {
        message: Message {
            subject: "[P0] ARKA: region down".into(),
            body: body.into(),
            witness: "Journal #7 lusab-babad".into(),
            severity: None,
            drill: false,
            page_status: None,
            component_status: None,
        },
        intent: Intent::Page,
        address: Some("+49 170 1234567".into()),
        recipient: "Ana".into(),
        incident: "inc-1".into(),
        plan: "ARKA".into(),
        key: "arka/inc-1/n1".into(),
        thread: None,
        attempt: 1,
        queued_at: Timestamp::now(),
    }
}

#[test]
fn a_phone_gets_the_message_within_the_limit() {
    let world = World::new();
    let receipt = world.send(&outgoing("Störung.")).unwrap();
    let long = world.send(&outgoing(&"ü".repeat(2000))).unwrap();
    let texts = world.emulator.texts();
    assert_eq!(texts.as_array().unwrap().len(), 2, "{texts}");
    assert_eq!(texts[0]["phone"], "+491701234567");
    assert_eq!(texts[0]["region"], "us-west-2");
    assert_eq!(texts[0]["id"], receipt.id);
    assert_eq!(texts[0]["message"], "[P0] ARKA: region down\nStörung.\nJournal #7 lusab-babad");
    let expected = json!({"AWS.SNS.SMS.SMSType": "Transactional", "AWS.SNS.SMS.SenderID": "LIFEBOAT"});
    assert_eq!(texts[0]["attributes"], expected);
    assert_eq!(receipt.cut, "");
    let message = texts[1]["message"].as_str().unwrap();
    assert!(message.len() <= 1600 && message.ends_with("…\nJournal #7 lusab-babad"), "{}", message.len());
    assert!(long.cut.starts_with("cut from 20"), "{long:?}");
}

#[test]
fn what_was_not_sent_and_what_nobody_knows_are_told_apart() {
    let world = World::new();
    world.proxy.fault(Match::operation("Publish"), Fault::LoseAnswer, Times::ONCE);
    let lost = world.send(&outgoing("Down.")).unwrap_err();
    assert_eq!(lost.again, Again::Maybe, "{lost:?}");
    assert_eq!(world.published(), 1, "not sent again by itself");
    world.proxy.fault(Match::operation("Publish"), Fault::Throttle, Times::ONCE);
    let throttled = world.send(&outgoing("Down.")).unwrap_err();
    assert_eq!(throttled.again, Again::After(None), "{throttled:?}");
    world.emulator.control(json!({"deny": ["sns:Publish"]}));
    let denied = world.send(&outgoing("Down.")).unwrap_err();
    assert_eq!(denied.again, Again::Never, "{denied:?}");
    assert!(denied.next.contains("`sns:Publish`"), "{denied:?}");
    let before = world.published();
    let nowhere = Outgoing { address: Some("0170 1234567".into()), ..outgoing("Down.") };
    assert_eq!(world.send(&nowhere).unwrap_err().again, Again::Never);
    assert_eq!(world.published(), before, "SNS is not asked about what is no number");
}

#[test]
fn a_look_tells_who_would_send_and_sends_nothing() {
    let world = World::new();
    let seen = world.runtime.block_on(world.notifier.check()).unwrap().unwrap();
    assert!(seen.starts_with("SNS in us-west-2 as arn:aws:"), "{seen}");
    assert_eq!(world.published(), 0);
    assert_eq!(world.emulator.texts(), json!([]));
}
