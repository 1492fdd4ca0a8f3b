use super::*;
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};

fn simple(values: &[&str]) -> Record {
    Record {
        name: "api.sparc.com".into(),
        kind: "A".into(),
        set: None,
        routing: Routing::Simple,
        ttl_s: Some(60),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        alias: None,
        health_check: None,
    }
}

fn alias(name: &str) -> Record {
    let alias = Alias { zone: "Z1H1FL5HABSF5".into(), name: name.into(), evaluate_target_health: true };
    Record { ttl_s: None, values: Vec::new(), alias: Some(alias), ..simple(&[]) }
}

#[test]
fn names_compare_whatever_case_dot_and_escape() {
    assert_eq!(canonical("API.Sparc.com"), canonical("api.sparc.com."));
    assert_eq!(canonical(r"\052.sparc.com."), canonical("*.sparc.com"));
    assert_ne!(canonical("a.sparc.com"), canonical("b.sparc.com"));
    assert_eq!(canonical(r"bad\9.com"), r"bad\9.com.");
}

#[test]
fn what_aws_gives_goes_back_as_it_was() {
    let weighted = Record { set: Some("dr".into()), routing: Routing::Weighted(0), ..alias("Alb.aws.com.") };
    let failover = Record {
        set: Some("main".into()),
        routing: Routing::Failover("PRIMARY".into()),
        health_check: Some("abc".into()),
        ..simple(&["192.0.2.1", "192.0.2.2"])
    };
    let latency = Record {
        set: Some("w".into()),
        routing: Routing::Latency("us-west-2".into()),
        ..simple(&["1.1.1.1"])
    };
    for record in [simple(&["192.0.2.1"]), alias("alb.aws.com"), weighted, failover, latency] {
        assert_eq!(Record::from(&record.to_sdk().unwrap()), record);
    }
}

#[test]
fn values_compare_in_any_order_and_names_in_any_case() {
    assert!(simple(&["192.0.2.1", "192.0.2.2"]).says_the_same(&simple(&["192.0.2.2", "192.0.2.1"])));
    assert!(alias("ALB.aws.com.").says_the_same(&alias("alb.aws.com")));
    assert!(!alias("alb.aws.com").says_the_same(&alias("other.aws.com")));
    assert!(!simple(&["192.0.2.1"]).says_the_same(&Record { ttl_s: Some(300), ..simple(&["192.0.2.1"]) }));
    let other = Record { set: Some("dr".into()), ..simple(&["192.0.2.1"]) };
    assert!(!simple(&["192.0.2.1"]).says_the_same(&other));
}

#[test]
fn an_empty_set_is_seen() {
    assert!(simple(&[]).is_empty() && simple(&["192.0.2.1", " "]).is_empty() && alias("").is_empty());
    assert!(!simple(&["192.0.2.1"]).is_empty() && !alias("alb.aws.com").is_empty());
}

#[test]
fn a_record_is_shown_and_written_as_the_command_takes_it() {
    let record =
        Record { set: Some("dr".into()), routing: Routing::Weighted(100), ..alias("dr-alb.aws.com") };
    assert_eq!(record.key_words(), "api.sparc.com A \"dr\"");
    assert_eq!(
        record.content_words(),
        "weight 100, alias dr-alb.aws.com (zone Z1H1FL5HABSF5, evaluates its health)"
    );
    let alias = serde_json::json!({
        "HostedZoneId": "Z1H1FL5HABSF5", "DNSName": "dr-alb.aws.com", "EvaluateTargetHealth": true,
    });
    let written = serde_json::json!({
        "Name": "api.sparc.com", "Type": "A", "SetIdentifier": "dr", "Weight": 100, "AliasTarget": alias,
    });
    assert_eq!(record.to_json(), written);
    assert_eq!(simple(&["192.0.2.1"]).content_words(), "TTL 60 s, 192.0.2.1");
}

#[test]
fn text_of_aws_is_cleaned() {
    let value = ResourceRecord::builder().value("\"\u{1b}[31mred\"").build().unwrap();
    let set = ResourceRecordSet::builder().name("t.sparc.com.").r#type(RrType::Txt).resource_records(value);
    let record = Record::from(&set.build().unwrap());
    assert!(!record.values[0].contains('\u{1b}'), "{:?}", record.values);
}

#[test]
fn record_sets_that_say_something_else_have_other_words() {
    let many = |last: &str| {
        let values: Vec<String> = (0..80).map(|number| format!("198.51.100.{number}")).collect();
        let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
        values.push(last);
        simple(&values).content_words()
    };
    assert_ne!(many("192.0.2.1"), many("192.0.2.2"), "what a confirmation does not show counts as well");
    let ttl = |ttl_s| Record { ttl_s: Some(ttl_s), ..simple(&["192.0.2.1"]) }.content_words();
    for (one, other) in [(300, 330), (3600, 3630), (86_400, 86_399), (172_800, 180_000), (7200, 7230)] {
        assert_ne!(ttl(one), ttl(other));
    }
    assert_eq!(ttl(300), "TTL 5 min, 192.0.2.1");
    assert_eq!(ttl(330), "TTL 330 s, 192.0.2.1");
    let zone = |health| match alias("alb.aws.com").alias {
        Some(known) => {
            Record { alias: Some(Alias { evaluate_target_health: health, ..known }), ..alias("x") }
        }
        None => alias("x"),
    };
    assert_ne!(zone(true).content_words(), zone(false).content_words());
}
