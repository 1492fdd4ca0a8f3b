use super::*;
use crate::aws::{Fault, Match, Times};
use serde_json::json;

const TOPIC: &str = r#"
sns, sqs = client("sns", "us-west-2"), client("sqs", "us-west-2")
topic = sns.create_topic(Name="arka-incidents")["TopicArn"]
queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-west-2:123456789012:inbox")
sns.create_topic(Name="nobody-listens")
"#;

/// What the subscriber has got.
const INBOX: &str = r#"
sqs = client("sqs", "us-west-2")
url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
result([m["Body"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])])
"#;

fn with(topic: &str) -> String {
    format!(
        "region = \"dr\"\ntopic = \"arn:aws:sns:us-west-2:123456789012:{topic}\"\nsubject = \"Failover\"\n\
         message = \"We are failing over to us-west-2.\""
    )
}

#[test]
fn a_message_is_sent_once_and_its_id_is_the_proof() {
    let world = World::new(TOPIC);
    let step = world.step("sns-publish", &with("arka-incidents"));
    let (confirmed, done, proof) = step.works();
    assert!(notes(&confirmed).contains("1 confirmed subscriptions"), "{}", notes(&confirmed));
    assert!(notes(&confirmed).contains("We are failing over"));
    assert_eq!(confirmed.target.name, "arka-incidents");
    let id = done.summary.rsplit(' ').next().unwrap();
    assert!(proof.evidence[0].contains(id) && proof.evidence[1].contains("not proven"), "{proof:?}");
    let inbox = world.emulator.boto(INBOX);
    assert_eq!(inbox.as_array().unwrap().len(), 1, "{inbox}");
    assert!(inbox[0].as_str().unwrap().contains(id), "AWS gave the subscriber the same id: {inbox}");
}

#[test]
fn after_a_crash_nobody_can_tell_and_it_is_not_sent_again() {
    let mut world = World::new(TOPIC);
    let step = world.step("sns-publish", &with("arka-incidents"));
    let confirmed = step.describe();
    step.execute(&confirmed).unwrap();
    drop(step);
    world.after_a_crash();
    let failure = world.step("sns-publish", &with("arka-incidents")).verify(&confirmed).unwrap_err();
    assert!(failure.why.contains("nobody can tell whether it was sent"), "{failure:?}");
    assert_eq!(failure.acted, Acted::Maybe);
    assert_eq!(world.emulator.calls()["sns:Publish@us-west-2"], 1);
}

#[test]
fn a_lost_answer_is_unknown_and_a_throttle_is_not() {
    let world = World::new(TOPIC);
    let step = world.step("sns-publish", &with("arka-incidents"));
    let confirmed = step.describe();
    world.proxy.fault(Match::operation("Publish"), Fault::LoseAnswer, Times::ONCE);
    let failure = step.execute(&confirmed).unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("nobody can tell"), "{failure:?}");
    step.verify(&confirmed).unwrap_err();
    assert_eq!(world.emulator.calls()["sns:Publish@us-west-2"], 1, "not sent again by itself");
    world.proxy.fault(Match::operation("Publish"), Fault::Throttle, Times::ONCE);
    step.refuses(&confirmed, "Rate exceeded");
    world.emulator.control(json!({"deny": ["sns:Publish"]}));
    let failure = step.refuses(&confirmed, "not authorized");
    assert!(failure.next.contains("`sns:Publish`"), "{failure:?}");
}

#[test]
fn a_topic_without_ears_is_said_and_one_that_is_not_there_refused() {
    let world = World::new(TOPIC);
    let confirmed = world.step("sns-publish", &with("nobody-listens")).describe();
    assert!(notes(&confirmed).contains("NOBODY is subscribed"), "{}", notes(&confirmed));
    let step = world.step("sns-publish", &with("no-such-topic"));
    let confirmed = step.describe();
    assert!(!confirmed.target.reachable);
    step.refuses(&confirmed, "no-such-topic");
}
