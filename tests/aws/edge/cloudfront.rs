use super::*;
use crate::aws::{Fault, Match, Times};
use serde_json::{Value, json};

const DISTRIBUTION: &str = r#"
origin = lambda name: {"Id": name, "DomainName": name + ".example.com", "CustomOriginConfig":
    {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}
made = client("cloudfront").create_distribution(DistributionConfig={"CallerReference": "1", "Comment": "", "Enabled": True,
    "Aliases": {"Quantity": 1, "Items": ["www.arka.example.com"]},
    "Origins": {"Quantity": 2, "Items": [origin("api"), origin("api-dr")]},
    "DefaultCacheBehavior": {"TargetOriginId": "api", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}})
result(made["Distribution"]["Id"])
"#;

const UPDATE: &str = "PUT /2020-05-31/distribution/";

struct Edge {
    world: World,
    id: String,
}

fn edge() -> Edge {
    let world = World::new("");
    let id = world.emulator.set_up(DISTRIBUTION).as_str().unwrap().to_owned();
    Edge { world, id }
}

impl Edge {
    fn step(&self, more: &str) -> Step<'_> {
        self.world.step("cloudfront-origin", &format!("distribution = \"{}\"\n{more}", self.id))
    }

    fn config(&self) -> Value {
        let script = format!(
            r#"result(client("cloudfront").get_distribution(Id="{}")["Distribution"]["DistributionConfig"])"#,
            self.id
        );
        self.world.emulator.boto(&script)
    }

    /// Somebody else changes the comment.
    fn change(&self) {
        self.world.emulator.boto(&format!(
            r#"
cdn = client("cloudfront")
found = cdn.get_distribution_config(Id="{id}")
cdn.update_distribution(Id="{id}", IfMatch=found["ETag"],
    DistributionConfig={{**found["DistributionConfig"], "Comment": "changed by hand"}})
"#,
            id = self.id
        ));
    }
}

const TO_DR: &str = "origin = \"api\"\ndomain = \"west.example.com\"";

#[test]
fn an_origin_gets_another_domain_and_nothing_else_changes() {
    let edge = edge();
    let before = edge.config();
    let step = edge.step(&format!("{TO_DR}\nwait_deployed = true"));
    let (confirmed, done, proof) = step.works();
    assert!(
        notes(&confirmed).contains("origin api: api.example.com -> west.example.com"),
        "{}",
        notes(&confirmed)
    );
    assert_eq!(identity(&confirmed, "names"), "www.arka.example.com");
    assert_eq!(identity(&confirmed, "origin api"), "api.example.com");
    assert!(
        confirmed.call.contains(&format!("If-Match={}", identity(&confirmed, "etag"))),
        "{}",
        confirmed.call
    );
    assert!(done.summary.contains("west.example.com"));
    assert!(proof.evidence.contains(&"origin api is west.example.com".to_owned()), "{proof:?}");
    assert!(proof.evidence.contains(&"status is Deployed".to_owned()), "{proof:?}");
    let mut wished = before;
    wished["Origins"]["Items"][0]["DomainName"] = "west.example.com".into();
    assert_eq!(edge.config(), wished);
    assert!(step.lines.lock().unwrap().iter().any(|line| line.contains("InProgress")), "progress is said");
    step.refuses(&step.describe(), "it is so already");
}

#[test]
fn the_default_behaviour_moves_to_an_origin_that_is_there() {
    let edge = edge();
    edge.step("default_origin = \"api-dr\"").works();
    assert_eq!(edge.config()["DefaultCacheBehavior"]["TargetOriginId"], "api-dr");
    let step = edge.step("default_origin = \"west\"");
    let confirmed = step.describe();
    assert!(notes(&confirmed).contains("no origin west"), "{}", notes(&confirmed));
    step.refuses(&confirmed, "no origin west");
}

#[test]
fn a_change_by_somebody_else_is_never_overwritten() {
    let edge = edge();
    let step = edge.step(TO_DR);
    let confirmed = step.describe();
    edge.change();
    step.refuses(&confirmed, "changed since it was confirmed");
    assert_eq!(edge.config()["Comment"], "changed by hand");
    let failure = step.verify(&confirmed).unwrap_err();
    assert!(failure.why.contains("not to this"), "{failure:?}");
}

#[test]
fn what_was_so_before_is_no_proof_whatever_else_changed_since() {
    let edge = edge();
    for more in ["default_origin = \"api\"", "origin = \"api\"\ndomain = \"api.example.com\""] {
        let step = edge.step(more);
        let confirmed = step.describe();
        step.refuses(&confirmed, "it is so already");
        edge.change();
        let failure = step.verify(&confirmed).unwrap_err();
        assert!(failure.why.contains("so before the step"), "{failure:?}");
    }
}

#[test]
fn an_etag_that_is_old_when_it_arrives_is_refused_by_aws_and_nothing_was_done() {
    let edge = edge();
    let step = edge.step(TO_DR);
    let confirmed = step.describe();
    // The world changes between the last look and the call.
    edge.world.proxy.fault(Match::operation(UPDATE), Fault::Latency(Duration::from_secs(8)), Times::ONCE);
    let failure = std::thread::scope(|scope| {
        let running = scope.spawn(|| step.execute(&confirmed));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !edge.world.proxy.requests().iter().any(|seen| seen.line.contains(UPDATE)) {
            assert!(std::time::Instant::now() < deadline, "the change was not sent");
        }
        edge.change();
        running.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.acted, Acted::No, "{failure:?}");
    assert!(failure.next.contains("Somebody changed the distribution"), "{failure:?}");
    assert_eq!(edge.config()["Origins"]["Items"][0]["DomainName"], "api.example.com");
}

#[test]
fn an_answer_that_is_lost_is_reconciled_by_the_etag() {
    let mut edge = edge();
    for (fault, done) in [(Fault::CutBefore, false), (Fault::LoseAnswer, true)] {
        edge.world.proxy.fault(Match::operation(UPDATE), fault, Times::ONCE);
        let step = edge.step(TO_DR);
        let confirmed = step.describe();
        assert_eq!(step.execute(&confirmed).unwrap_err().acted, Acted::Maybe);
        drop(step);
        edge.world.after_a_crash();
        let verified = edge.step(TO_DR).verify(&confirmed);
        assert_eq!(verified.is_ok(), done, "{verified:?}");
        if let Err(failure) = verified {
            assert!(failure.why.contains("nothing was changed"), "{failure:?}");
        }
    }
}

#[test]
fn denied_absent_and_html_are_told_apart() {
    let edge = edge();
    let step = edge.step(TO_DR);
    let confirmed = step.describe();
    edge.world.emulator.control(json!({"deny": ["cloudfront:UpdateDistribution"]}));
    let failure = step.refuses(&confirmed, "not authorized");
    assert!(failure.next.contains("`cloudfront:UpdateDistribution`"), "{failure:?}");
    edge.world.proxy.fault(Match::operation(UPDATE), Fault::Html(502), Times::ONCE);
    let failure = step.execute(&confirmed).unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe, "who knows what the proxy did: {failure:?}");
    let absent = edge.world.step("cloudfront-origin", &format!("distribution = \"E000\"\n{TO_DR}"));
    let confirmed = absent.describe();
    assert!(!confirmed.target.reachable);
    absent.refuses(&confirmed, "E000");
}
