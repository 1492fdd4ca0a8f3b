//! `route53-upsert` and `route53-switch`.

use serde_json::json;

use lifeboat::core::words::action::Acted;
use lifeboat::core::words::preflight::Checked;

use super::{API, action, changes, clients, context, run, sets, signed_in, zone};
use crate::aws::Emulator;

const PAIR: &str = "[{'Name': 'api.sparc.com', 'Type': 'A', 'SetIdentifier': id, 'Weight': weight, 'AliasTarget': \
                    {'HostedZoneId': 'ZALB', 'DNSName': id + '-alb.aws.com', 'EvaluateTargetHealth': True}} \
                    for id, weight in (('main', 100), ('dr', 0))]";

#[test]
fn a_record_is_shown_as_a_diff_changed_waited_for_and_proven() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, API);
        emulator.control(json!({"transition_ms": 1500}));
        let with =
            format!("zone = '{zone}'\nname = 'API.sparc.com.'\nvalues = ['198.51.100.7']\nttl = '30s'");
        let action = action("route53-upsert", &with, &clients(&emulator.endpoint()));
        let described = action.describe().await.unwrap();
        assert_eq!(
            described.notes[..2],
            [
                "- api.sparc.com A TTL 5 min, 192.0.2.1".to_owned(),
                "+ api.sparc.com A TTL 30 s, 198.51.100.7".to_owned(),
            ]
        );
        assert_eq!(described.target.name, "api.sparc.com");
        assert!(
            described.command.starts_with("aws route53 change-resource-record-sets --hosted-zone-id")
                && described.command.contains(r#""Value":"198.51.100.7""#),
            "{}",
            described.command
        );
        let (context, lines) = context();
        let done = action.execute(&described.target, &context).await.unwrap();
        assert!(done.summary.ends_with("is INSYNC"), "{done:?}");
        let lines = lines.lock().unwrap().join("\n");
        assert!(lines.contains("is PENDING"), "{lines}");
        let found = sets(&emulator, &zone);
        assert_eq!((found.len(), &found[0]["TTL"]), (1, &json!(30)));
        assert_eq!(found[0]["ResourceRecords"], json!([{"Value": "198.51.100.7"}]));
        let proof = action.verify(&described.target, &context).await.unwrap();
        assert_eq!(proof.evidence, ["api.sparc.com A is TTL 30 s, 198.51.100.7"]);
        // Once it is there it is not sent again, and proves nothing that was so before.
        let (now, failed) = run(&*action).await;
        assert_eq!(failed.unwrap_err().acted, Acted::No);
        assert!(now.notes.iter().any(|note| note.contains("will refuse")), "{now:?}");
        action.verify(&now.target, &context).await.unwrap_err();
        assert_eq!(changes(&emulator), 1);
    });
}

#[test]
fn alias_weighted_failover_and_text_go_in_one_batch() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, "[]");
        let with = format!(
            r#"zone = "{zone}"
            [[runbooks.example.steps.with.records]]
            name = "api.sparc.com"
            alias = "dr-alb.aws.com"
            alias_zone = "ZALB"
            [[runbooks.example.steps.with.records]]
            name = "web.sparc.com"
            values = ["192.0.2.1", "192.0.2.2"]
            set_identifier = "dr"
            weight = 10
            [[runbooks.example.steps.with.records]]
            name = "db.sparc.com"
            type = "CNAME"
            values = ["db.us-west-2.rds.amazonaws.com"]
            set_identifier = "main"
            failover = "SECONDARY"
            [[runbooks.example.steps.with.records]]
            name = "note.sparc.com"
            type = "TXT"
            values = ["failed over"]"#
        );
        let action = action("route53-upsert", &with, &clients(&emulator.endpoint()));
        let (described, done) = run(&*action).await;
        done.unwrap();
        assert!(described.notes[0].starts_with("+ api.sparc.com A alias dr-alb.aws.com"), "{described:?}");
        action.verify(&described.target, &context().0).await.unwrap();
        let found = sets(&emulator, &zone);
        let of = |name: &str| found.iter().find(|set| set["Name"] == format!("{name}.sparc.com.")).unwrap();
        assert_eq!(of("api")["AliasTarget"]["EvaluateTargetHealth"], json!(true));
        assert_eq!((&of("web")["Weight"], &of("web")["SetIdentifier"]), (&json!(10), &json!("dr")));
        assert_eq!(of("db")["Failover"], json!("SECONDARY"));
        assert_eq!(of("note")["ResourceRecords"][0]["Value"], json!("\"failed over\""));
        assert_eq!(changes(&emulator), 1);
    });
}

#[test]
fn a_record_that_changed_since_the_confirmation_is_not_touched() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, API);
        let with = format!("zone = '{zone}'\nname = 'api.sparc.com'\nvalues = ['198.51.100.7']");
        let action = action("route53-upsert", &with, &clients(&emulator.endpoint()));
        let confirmed = action.describe().await.unwrap().target;
        emulator.boto(&format!(
            "client('route53').change_resource_record_sets(HostedZoneId='{zone}', ChangeBatch={{'Changes': \
             [{{'Action': 'UPSERT', 'ResourceRecordSet': s}} for s in {}]}})",
            API.replace("192.0.2.1", "203.0.113.9")
        ));
        let failure = action.execute(&confirmed, &context().0).await.unwrap_err();
        assert_eq!(failure.acted, Acted::No);
        assert!(failure.why.contains("203.0.113.9, was TTL 5 min, 192.0.2.1"), "{failure:?}");
        assert_eq!(changes(&emulator), 0);
    });
}

#[test]
fn what_route_53_would_refuse_is_refused_with_words_and_not_sent() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(
            &emulator,
            &format!(
                "[{{'Name': 'db.sparc.com', 'Type': 'CNAME', 'TTL': 60, 'ResourceRecords': [{{'Value': 'x.y'}}]}}] + {API}"
            ),
        );
        let clients = clients(&emulator.endpoint());
        for (keys, said) in [
            ("name = 'db.sparc.com'\nvalues = ['192.0.2.1']", "a name with a CNAME can have no other type"),
            (
                "name = 'api.sparc.com'\ntype = 'CNAME'\nvalues = ['x.y']",
                "a name with a CNAME can have no other type",
            ),
            ("name = 'sparc.com'\ntype = 'CNAME'\nvalues = ['x.y']", "the zone's own name"),
            ("name = 'api.other.com'\nvalues = ['192.0.2.1']", "is not in the zone sparc.com"),
            (
                "name = 'api.sparc.com'\nvalues = ['192.0.2.1']\nset_identifier = 'dr'\nweight = 1",
                "api.sparc.com A is simple, and this one would be weight 1",
            ),
        ] {
            let action = action("route53-upsert", &format!("zone = '{zone}'\n{keys}"), &clients);
            let (described, failed) = run(&*action).await;
            let failure = failed.unwrap_err();
            assert_eq!(failure.acted, Acted::No);
            assert!(failure.why.contains(said), "{failure:?}");
            assert!(described.notes.iter().any(|note| note.contains("WILL REFUSE")), "{described:?}");
        }
        assert_eq!(changes(&emulator), 0);
    });
}

#[test]
fn weights_are_switched_and_nothing_else() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, PAIR);
        let clients = clients(&emulator.endpoint());
        let with = format!("zone = '{zone}'\nname = 'api.sparc.com'\nto = 'dr'");
        let action = action("route53-switch", &with, &clients);
        let (described, done) = run(&*action).await;
        done.unwrap();
        assert!(described.notes.contains(&"+ api.sparc.com A \"dr\" weight 100, alias dr-alb.aws.com (zone ZALB, evaluates its health)".to_owned()), "{described:?}");
        action.verify(&described.target, &context().0).await.unwrap();
        for set in sets(&emulator, &zone) {
            let id = set["SetIdentifier"].as_str().unwrap();
            assert_eq!(set["Weight"], json!(if id == "dr" { 100 } else { 0 }));
            assert_eq!(
                set["AliasTarget"]["DNSName"].as_str().unwrap().trim_end_matches('.'),
                format!("{id}-alb.aws.com")
            );
        }
        let missing = super::action("route53-switch", &with.replace("'dr'", "'west'"), &clients);
        let (described, failed) = run(&*missing).await;
        assert!(failed.unwrap_err().why.contains("has no record \"west\""));
        assert!(described.notes[0].contains("WILL REFUSE"), "{described:?}");
    });
}

#[test]
fn preflight_tells_of_the_zone_the_record_and_a_ttl_that_is_too_long() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, API);
        let clients = clients(&emulator.endpoint());
        let with = format!("zone = '{zone}'\nname = 'api.sparc.com'\nvalues = ['198.51.100.7']");
        let checks = action("route53-upsert", &with, &clients).preflight().await;
        assert!(matches!(&checks[0].result, Checked::Pass(seen) if seen == "it is sparc.com"), "{checks:?}");
        assert!(matches!(&checks[1].result, Checked::Pass(seen) if seen.contains("192.0.2.1")), "{checks:?}");
        assert!(
            matches!(&checks[2].result, Checked::Warn(seen) if seen == "5 min, more than 60 s"),
            "{checks:?}"
        );
        let checks =
            action("route53-upsert", &format!("{with}\nmax_ttl = '10m'"), &clients).preflight().await;
        assert!(matches!(checks[2].result, Checked::Pass(_)), "{checks:?}");
        let checks = action("route53-upsert", &with.replace(&zone, "ZNOBODY"), &clients).preflight().await;
        assert!(matches!(&checks[0].result, Checked::Fail(_)) && checks.len() == 1, "{checks:?}");
    });
}
