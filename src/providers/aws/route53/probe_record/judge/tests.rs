use super::*;
use crate::base::problem::Problem;
use crate::providers::aws::route53::client::Alias;

fn wanted(expect: &[&str]) -> Wanted {
    Wanted {
        name: "API.sparc.com".into(),
        kind: "A".into(),
        set: None,
        expect: expect.iter().map(|place| comparable(place)).collect(),
        elsewhere: Elsewhere::Warn,
    }
}

fn record(values: &[&str]) -> Record {
    Record {
        name: "api.sparc.com.".into(),
        kind: "A".into(),
        set: None,
        routing: Routing::Simple,
        ttl_s: Some(60),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        alias: None,
        health_check: None,
    }
}

fn alias(set: &str, weight: i64, name: &str) -> Record {
    let alias = Alias { zone: "ZALB".into(), name: name.into(), evaluate_target_health: true };
    Record {
        set: Some(set.into()),
        routing: Routing::Weighted(weight),
        ttl_s: None,
        alias: Some(alias),
        ..record(&[])
    }
}

fn answer(values: &[&str], ttl_s: u32) -> Result<Answer, String> {
    Ok(Answer { values: values.iter().map(|value| (*value).to_owned()).collect(), ttl_s })
}

fn heard(resolver: &str, answer: Result<Answer, String>) -> Heard {
    Heard { resolver: resolver.into(), answer, targets: Vec::new() }
}

#[test]
fn all_agree() {
    let heard = [heard("1.1.1.1", answer(&["192.0.2.1", "192.0.2.2"], 30))];
    let measured = judge(&wanted(&[]), "Z1", &[record(&["192.0.2.2", "192.0.2.1"])], &heard);
    assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(0.0)));
    assert_eq!(measured.summary, "192.0.2.2, 192.0.2.1; 1 of 1 resolvers agree");
    assert_eq!(measured.number("ttl_s"), Some(60.0));
    assert_eq!(measured.number("ttl_left_s"), Some(30.0));
    assert_eq!(measured.text("answers"), None);
}

#[test]
fn the_value_is_how_long_the_oldest_other_answer_lives() {
    let heard = [
        heard("1.1.1.1", answer(&["192.0.2.1"], 43)),
        heard("8.8.8.8", answer(&["198.51.100.1"], 60)),
        heard("9.9.9.9", answer(&["192.0.2.1"], 12)),
    ];
    let measured = judge(&wanted(&[]), "Z1", &[record(&["198.51.100.1"])], &heard);
    assert_eq!(measured.value, Some(43.0));
    assert_eq!(measured.summary, "198.51.100.1; 1.1.1.1 answers 192.0.2.1 for 43 s more");
    assert_eq!(
        measured.text("answers"),
        Some(
            "1.1.1.1: 192.0.2.1 (43 s left); 8.8.8.8: 198.51.100.1 (60 s left); 9.9.9.9: 192.0.2.1 (12 s left)"
        )
    );
    assert_eq!((measured.number("resolvers"), measured.number("agree")), (Some(3.0), Some(1.0)));
}

#[test]
fn a_record_that_is_not_there_is_critical_and_the_other_types_are_named() {
    let cname = Record { kind: "CNAME".into(), ..record(&["x.example.com"]) };
    let measured = judge(&wanted(&[]), "Z1", &[cname], &[]);
    assert_eq!(measured.verdict.why(), Some("no record API.sparc.com A in zone Z1; the name has CNAME"));
    assert_eq!(measured.value, None);
    let other = Wanted { set: Some("dr".into()), ..wanted(&[]) };
    let measured = judge(&other, "Z1", &[alias("main", 100, "a.")], &[]);
    assert!(measured.verdict.why().unwrap().contains("A \"dr\" in zone Z1"), "{measured:?}");
}

#[test]
fn an_alias_agrees_when_it_shares_an_address_with_its_target() {
    let records = [alias("main", 0, "old-alb.aws.com."), alias("dr", 100, "Dualstack.DR-alb.aws.com.")];
    let with =
        |answered: &[&str], target| Heard { targets: vec![target], ..heard("1.1.1.1", answer(answered, 50)) };
    let wanted = wanted(&["dr-alb.aws.com"]);
    let good =
        judge(&wanted, "Z1", &records, &[with(&["192.0.2.1"], answer(&["192.0.2.1", "192.0.2.9"], 60))]);
    assert_eq!((&good.verdict, good.value), (&Verdict::Good, Some(0.0)));
    assert_eq!(good.fields.get("as_expected"), Some(&crate::core::words::reading::Field::Flag(true)));
    assert_eq!(good.text("routing"), Some("main: weight 0; dr: weight 100"));
    let old = judge(&wanted, "Z1", &records, &[with(&["203.0.113.5"], answer(&["192.0.2.1"], 60))]);
    assert_eq!(old.value, Some(50.0));
    let untold = judge(&wanted, "Z1", &records, &[with(&["203.0.113.5"], Err("no answer in time".into()))]);
    assert_eq!(untold.value, None);
    assert_eq!(
        untold.verdict.why(),
        Some("no resolver tells what it answers: the alias's target: no answer in time")
    );
}

#[test]
fn pointing_elsewhere_is_as_bad_as_the_plan_says() {
    let heard = [heard("1.1.1.1", answer(&["192.0.2.1"], 30))];
    let records = [record(&["192.0.2.1"])];
    let judged = |elsewhere| {
        let wanted = Wanted { elsewhere, ..wanted(&["198.51.100.1"]) };
        judge(&wanted, "Z1", &records, &heard).verdict
    };
    let why = "points to 192.0.2.1, not as expected".to_owned();
    assert_eq!(judged(Elsewhere::Warn), Verdict::Warn(why.clone()));
    assert_eq!(judged(Elsewhere::Critical), Verdict::Critical(why));
    assert_eq!(judged(Elsewhere::Ok), Verdict::Good);
}

#[test]
fn weights_that_are_all_zero_all_answer() {
    let records = [alias("main", 0, "a."), alias("dr", 0, "b.")];
    assert_eq!(wanted(&[]).live(&records).len(), 2);
}

#[test]
fn no_resolver_is_no_agreement() {
    let measured = judge(
        &wanted(&[]),
        "Z1",
        &[record(&["192.0.2.1"])],
        &[heard("1.1.1.1", Err("no answer in time".into()))],
    );
    assert_eq!(measured.value, None);
    assert!(matches!(measured.verdict, Verdict::Warn(_)), "{measured:?}");
    assert!(matches!(judge(&wanted(&[]), "Z1", &[record(&["192.0.2.1"])], &[]).verdict, Verdict::Warn(_)));
}

#[test]
fn resolvers_still_tell_when_the_control_plane_is_silent() {
    let failure = Problem::new("no answer", "Wait.");
    let told = with_answers(failure.clone(), &[heard("1.1.1.1", answer(&["192.0.2.1"], 30))]);
    assert_eq!(told.why, "no answer; resolvers answer: 1.1.1.1: 192.0.2.1 (30 s left)");
    assert_eq!(with_answers(failure.clone(), &[heard("1.1.1.1", Err("x".into()))]), failure);
}
