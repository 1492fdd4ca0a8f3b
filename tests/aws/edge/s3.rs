use super::*;
use crate::aws::{Fault, Match, Times};
use serde_json::{Value, json};

const BUCKETS: &str = r#"
client("s3", "us-east-1").create_bucket(Bucket="arka-east")
client("s3", "us-west-2").create_bucket(Bucket="arka-west",
    CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
client("s3", "us-east-1").put_object(Bucket="arka-east", Key="postgres/latest dump+1", Body=b"dump of today",
    Metadata={"sha256": "x"})
"#;

const COPY: &str = "region = \"dr\"\nsource_region = \"us-east-1\"\nsource_bucket = \"arka-east\"\n\
    source_key = \"postgres/latest dump+1\"\nbucket = \"arka-west\"\nkey = \"failover.dump\"\n";

const PUT: &str = "region = \"dr\"\nbucket = \"arka-west\"\nkey = \"status.json\"\ntext = '{\"state\": \"failover\"}'\n\
    content_type = \"application/json\"\n";

/// An object's body and what HeadObject tells of it, or null.
fn object(world: &World, key: &str) -> Value {
    world.emulator.boto(&format!(
        r#"
from botocore.exceptions import ClientError
try:
    found = client("s3", "us-west-2").get_object(Bucket="arka-west", Key="{key}")
    result({{"body": found["Body"].read().decode(), "metadata": found["Metadata"], "type": found["ContentType"],
        "class": found.get("StorageClass"), "sse": found.get("ServerSideEncryption")}})
except ClientError:
    result(None)
"#
    ))
}

fn place(world: &World, bucket: &str, key: &str, body: &str) {
    world
        .emulator
        .boto(&format!(r#"client("s3").put_object(Bucket="{bucket}", Key="{key}", Body=b"{body}")"#));
}

#[test]
fn an_object_is_copied_to_another_region_as_it_was_confirmed() {
    let world = World::new(BUCKETS);
    let step = world.step("s3-copy", &format!("{COPY}storage_class = \"STANDARD_IA\"\nsse = \"AES256\""));
    let (confirmed, _, proof) = step.works();
    assert_eq!(confirmed.target.name, "s3://arka-west/failover.dump");
    assert_eq!(identity(&confirmed, "there now"), "nothing");
    assert!(identity(&confirmed, "content").starts_with("13 bytes, ETag"), "{confirmed:?}");
    assert_eq!(
        confirmed.command,
        "aws s3 cp 's3://arka-east/postgres/latest dump+1' s3://arka-west/failover.dump --source-region us-east-1 \
         --storage-class STANDARD_IA --sse AES256 --region us-west-2"
    );
    assert!(proof.evidence.join("; ").contains("ETag is the source's"), "{proof:?}");
    let there = object(&world, "failover.dump");
    assert_eq!(there["body"], "dump of today");
    assert_eq!((&there["class"], &there["metadata"]["sha256"]), (&json!("STANDARD_IA"), &json!("x")));
    step.refuses(&step.describe(), "already, with this content");
}

#[test]
fn another_object_is_replaced_only_when_the_plan_says_so_and_only_the_one_that_was_confirmed() {
    let world = World::new(BUCKETS);
    place(&world, "arka-west", "failover.dump", "something else");
    let step = world.step("s3-copy", COPY);
    let confirmed = step.describe();
    assert!(
        notes(&confirmed).contains("This step will refuse: another object is there"),
        "{}",
        notes(&confirmed)
    );
    step.refuses(&confirmed, "another object is there");
    assert_eq!(object(&world, "failover.dump")["body"], "something else");

    let step = world.step("s3-copy", &format!("{COPY}overwrite = true\nmetadata.by = \"drill\""));
    let confirmed = step.describe();
    assert!(notes(&confirmed).contains("REPLACES"), "{}", notes(&confirmed));
    place(&world, "arka-west", "failover.dump", "a third one");
    step.refuses(&confirmed, "changed since it was confirmed");
    step.works();
    let there = object(&world, "failover.dump");
    assert_eq!((&there["body"], &there["metadata"]), (&json!("dump of today"), &json!({"by": "drill"})));
}

#[test]
fn what_changes_between_the_look_and_the_call_is_refused_by_s3() {
    let world = World::new(BUCKETS);
    for (action, with, body) in
        [("s3-copy", COPY, "dump of today"), ("s3-put", PUT, "{\"state\": \"failover\"}")]
    {
        let key = if action == "s3-copy" { "failover.dump" } else { "status.json" };
        let step = world.step(action, with);
        let confirmed = step.describe();
        let before = world.proxy.requests().len();
        world.proxy.fault(
            Match::operation("PUT /arka-west/"),
            Fault::Latency(Duration::from_secs(8)),
            Times::ONCE,
        );
        let failure = std::thread::scope(|scope| {
            let running = scope.spawn(|| step.execute(&confirmed));
            let deadline = std::time::Instant::now() + Duration::from_secs(10);
            while !world.proxy.requests()[before..].iter().any(|seen| seen.line.contains("PUT /arka-west/")) {
                assert!(std::time::Instant::now() < deadline, "nothing was sent");
            }
            place(&world, "arka-west", key, "came first");
            running.join().unwrap().unwrap_err()
        });
        assert_eq!(failure.acted, Acted::No, "{failure:?}");
        assert!(failure.next.contains("Somebody wrote this key"), "{failure:?}");
        assert_eq!(object(&world, key)["body"], "came first", "{body}");
    }
}

#[test]
fn a_source_that_is_gone_or_changed_is_refused() {
    let world = World::new(BUCKETS);
    let step = world.step("s3-copy", COPY);
    let confirmed = step.describe();
    place(&world, "arka-east", "postgres/latest dump+1", "dump of tomorrow");
    step.refuses(&confirmed, "content is 16 bytes");
    let step = world.step("s3-copy", &COPY.replace("latest dump+1", "nothing"));
    let confirmed = step.describe();
    assert!(!confirmed.target.reachable);
    step.refuses(&confirmed, "there is no such object");
    let step = world.step("s3-copy", &COPY.replace("arka-west", "no-such-bucket"));
    step.refuses(&step.describe(), "bucket no-such-bucket");
}

#[test]
fn a_lost_answer_is_reconciled_from_the_object() {
    let mut world = World::new(BUCKETS);
    for (action, with) in [("s3-copy", COPY), ("s3-put", PUT)] {
        for (fault, done) in [(Fault::CutBefore, false), (Fault::LoseAnswer, true)] {
            world.proxy.fault(Match::operation("PUT /arka-west/"), fault, Times::ONCE);
            let step = world.step(action, with);
            let confirmed = step.describe();
            assert_eq!(step.execute(&confirmed).unwrap_err().acted, Acted::Maybe);
            drop(step);
            world.after_a_crash();
            let verified = world.step(action, with).verify(&confirmed);
            assert_eq!(verified.is_ok(), done, "{action}: {verified:?}");
        }
    }
}

#[test]
fn a_text_is_put_with_its_checksum_and_the_attempts_mark() {
    let world = World::new(BUCKETS);
    let step = world.step("s3-put", PUT);
    let (confirmed, _, proof) = step.works();
    assert!(identity(&confirmed, "content").starts_with("21 bytes, SHA-256 "), "{confirmed:?}");
    assert!(confirmed.command.starts_with("printf %s "), "{}", confirmed.command);
    let proven = proof.evidence.join("; ");
    assert!(proven.contains("S3's own SHA-256 is the confirmed one") && proven.contains("mark"), "{proven}");
    let there = object(&world, "status.json");
    assert_eq!(
        (&there["body"], &there["type"]),
        (&json!("{\"state\": \"failover\"}"), &json!("application/json"))
    );
    assert_eq!(there["metadata"]["lifeboat-attempt"], "drill-7/step/1");
    assert!(identity(&confirmed, "content").ends_with(there["metadata"]["sha256"].as_str().unwrap()));
}

#[test]
fn a_file_is_streamed_and_one_that_changed_after_the_confirmation_is_refused() {
    let world = World::new(BUCKETS);
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = "0123456789abcdef".repeat(64 * 1024);
    std::fs::write(file.path(), &content).unwrap();
    let with =
        PUT.replace("text = '{\"state\": \"failover\"}'", &format!("file = \"{}\"", file.path().display()));
    let step = world.step("s3-put", &with);
    step.works();
    assert_eq!(object(&world, "status.json")["body"], content);

    let step = world.step("s3-put", &format!("{with}overwrite = true"));
    let confirmed = step.describe();
    std::fs::write(file.path(), "changed").unwrap();
    step.refuses(&confirmed, "content is 7 bytes");
    file.close().unwrap();
    let failure = step.refuses(&confirmed, "cannot be read");
    assert!(failure.next.contains("engine's host"), "{failure:?}");
}

#[test]
fn denied_names_the_permission_and_throttled_is_not_done() {
    let world = World::new(BUCKETS);
    for (action, with) in [("s3-copy", COPY), ("s3-put", PUT)] {
        let step = world.step(action, with);
        let confirmed = step.describe();
        let fault = Fault::AccessDenied { message: "Access Denied".into() };
        world.proxy.fault(Match::operation("PUT /arka-west/"), fault, Times::ONCE);
        let failure = step.refuses(&confirmed, "Access Denied");
        assert!(failure.next.contains("`s3:PutObject`"), "{failure:?}");
        world.proxy.fault(Match::operation("PUT /arka-west/"), Fault::Throttle, Times::ONCE);
        step.refuses(&confirmed, "reduce your request rate");
    }
}
