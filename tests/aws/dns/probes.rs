//! `route53-record` and `route53-health-check`.

use lifeboat::base::problem::Problem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode};
use hickory_resolver::proto::rr::{RData, Record};
use lifeboat::core::words::reading::{Field, Measurement, Verdict};
use lifeboat::kinds::probe::Probe;
use lifeboat::providers::clients::Clients;
use serde_json::json;
use tokio::net::UdpSocket;

use super::{API, clients, plan, signed_in, zone};
use crate::aws::Emulator;

fn probe(kind: &str, keys: &str, clients: &Clients) -> Box<dyn Probe> {
    let text = format!("[probes.example]\nkind = \"{kind}\"\nevery = \"5s\"\ntimeout = \"4s\"\n{keys}");
    let spec = plan(&text).probes["example"].clone();
    (lifeboat::providers::probe(kind).unwrap().build)(&spec, clients).unwrap()
}

async fn measure(kind: &str, keys: &str, clients: &Clients) -> Result<Measurement, Problem> {
    let measured = probe(kind, keys, clients).run().await;
    if let Ok(measured) = &measured {
        let declared = lifeboat::providers::probe(kind).unwrap().fields;
        for field in measured.fields.keys() {
            assert!(declared.iter().any(|(name, _)| name == field), "{kind}: {field} is not declared");
        }
    }
    measured
}

/// A resolver that has these answers, `(name, address, TTL left)`, and that the test can change.
type Answers = Arc<Mutex<Vec<(&'static str, &'static str, u32)>>>;

async fn resolver(answers: Vec<(&'static str, &'static str, u32)>) -> (SocketAddr, Answers) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let answers: Answers = Arc::new(Mutex::new(answers));
    let known = answers.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut answer = Message::response(asked.metadata.id, OpCode::Query);
            for (name, value, ttl) in known.lock().unwrap().iter() {
                if query.name().to_string().eq_ignore_ascii_case(name) {
                    let data = RData::try_from_str(query.query_type(), value).unwrap();
                    answer.add_answer(Record::from_rdata(query.name().clone(), *ttl, data));
                }
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    (address, answers)
}

#[test]
fn the_value_shows_how_long_the_old_answer_lives() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, API);
        let clients = clients(&emulator.endpoint());
        let (old, answers) = resolver(vec![("api.sparc.com.", "203.0.113.9", 43)]).await;
        let (new, _) = resolver(vec![("api.sparc.com.", "192.0.2.1", 60)]).await;
        let keys = format!(
            "zone = '{zone}'\nname = 'API.sparc.com'\nexpect = ['192.0.2.1']\nresolvers = ['{old}', '{new}']"
        );
        let measured = measure("route53-record", &keys, &clients).await.unwrap();
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(43.0)), "{measured:?}");
        assert_eq!(measured.summary, format!("192.0.2.1; {old} answers 203.0.113.9 for 43 s more"));
        assert_eq!(measured.number("ttl_s"), Some(300.0));
        assert_eq!(measured.fields["as_expected"], Field::Flag(true));
        *answers.lock().unwrap() = vec![("api.sparc.com.", "192.0.2.1", 60)];
        let measured = measure("route53-record", &keys, &clients).await.unwrap();
        assert_eq!((measured.value, &*measured.summary), (Some(0.0), "192.0.2.1; 2 of 2 resolvers agree"));
        let measured =
            measure("route53-record", &keys.replace("['192.0.2.1']", "['198.51.100.1']"), &clients).await;
        assert_eq!(measured.unwrap().verdict.why(), Some("points to 192.0.2.1, not as expected"));
    });
}

#[test]
fn an_alias_is_compared_with_its_target_and_a_wildcard_is_found() {
    signed_in(async || {
        let emulator = Emulator::start();
        let alias = "[{'Name': '*.sparc.com', 'Type': 'A', 'AliasTarget': {'HostedZoneId': 'ZALB', 'DNSName': \
                     'dr-alb.aws.com', 'EvaluateTargetHealth': True}}]";
        let zone = zone(&emulator, alias);
        let clients = clients(&emulator.endpoint());
        let addresses = vec![
            ("*.sparc.com.", "192.0.2.1", 50),
            ("dr-alb.aws.com.", "192.0.2.1", 60),
            ("dr-alb.aws.com.", "192.0.2.2", 60),
        ];
        let (address, answers) = resolver(addresses).await;
        let keys = format!(
            "zone = '{zone}'\nname = '*.sparc.com'\nexpect = ['DR-alb.aws.com.']\nresolvers = ['{address}']"
        );
        let measured = measure("route53-record", &keys, &clients).await.unwrap();
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(0.0)), "{measured:?}");
        assert_eq!(measured.text("points_to"), Some("dr-alb.aws.com"));
        answers.lock().unwrap()[0] = ("*.sparc.com.", "203.0.113.9", 21);
        let measured = measure("route53-record", &keys, &clients).await.unwrap();
        assert_eq!(measured.value, Some(21.0), "{measured:?}");
    });
}

#[test]
fn a_record_that_is_not_there_is_critical_and_a_zone_that_is_not_there_is_unknown() {
    signed_in(async || {
        let emulator = Emulator::start();
        let zone = zone(&emulator, API);
        let clients = clients(&emulator.endpoint());
        let (address, _) = resolver(vec![("api.sparc.com.", "192.0.2.1", 33)]).await;
        let keys = format!("zone = '{zone}'\nname = 'nobody.sparc.com'\nresolvers = ['{address}']");
        let measured = measure("route53-record", &keys, &clients).await.unwrap();
        assert!(matches!(measured.verdict, Verdict::Critical(_)), "{measured:?}");
        let keys = format!("zone = 'ZNOBODY'\nname = 'api.sparc.com'\nresolvers = ['{address}']");
        let failure = measure("route53-record", &keys, &clients).await.unwrap_err();
        assert!(failure.why.contains("no hosted zone ZNOBODY"), "{failure:?}");
        assert!(
            failure.why.contains("resolvers answer: ") && failure.why.contains("192.0.2.1"),
            "{failure:?}"
        );
    });
}

#[test]
fn the_probes_of_a_zone_share_one_call_and_a_long_zone_is_not_read_through() {
    signed_in(async || {
        let emulator = Emulator::start();
        let many = "[{'Name': f'h{i:04}.sparc.com', 'Type': 'A', 'TTL': 60, 'ResourceRecords': [{'Value': '192.0.2.1'}]} \
                    for i in range(900)]";
        let zone = zone(&emulator, many);
        let clients = clients(&emulator.endpoint());
        let keys =
            |host: &str| format!("zone = '{zone}'\nname = '{host}.sparc.com'\nresolvers = ['127.0.0.1:9']");
        let hosts = ["h0003", "h0100", "h0250"];
        let probes: Vec<_> =
            hosts.iter().map(|host| probe("route53-record", &keys(host), &clients)).collect();
        for probe in &probes {
            probe.run().await.unwrap();
        }
        emulator.forget_calls();
        tokio::time::sleep(std::time::Duration::from_millis(4600)).await;
        for measured in futures::future::join_all(probes.iter().map(|probe| probe.run())).await {
            assert_eq!(measured.unwrap().text("points_to"), Some("192.0.2.1"));
        }
        assert_eq!(emulator.calls()["route53:ListResourceRecordSets@us-east-1"], 1);
        // One that stands two pages later costs one call more, not two.
        emulator.forget_calls();
        let late = measure("route53-record", &keys("h0899"), &clients).await.unwrap();
        assert_eq!(late.text("points_to"), Some("192.0.2.1"));
        assert_eq!(emulator.calls()["route53:ListResourceRecordSets@us-east-1"], 2);
    });
}

#[test]
fn checkers_are_counted_with_their_reasons() {
    signed_in(async || {
        let emulator = Emulator::start();
        let id = emulator.boto(
            "result(client('route53').create_health_check(CallerReference='1', HealthCheckConfig={'Type': 'HTTPS', \
             'FullyQualifiedDomainName': 'api.sparc.com', 'Port': 443})['HealthCheck']['Id'])",
        );
        let id = id.as_str().unwrap();
        let clients = clients(&emulator.endpoint());
        let keys = format!("health_check = '{id}'");
        let measured = measure("route53-health-check", &keys, &clients).await.unwrap();
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(100.0)), "{measured:?}");
        emulator.control(json!({"health_checks": {id: "Failure: Connection timed out."}}));
        let measured = measure("route53-health-check", &keys, &clients).await.unwrap();
        assert_eq!(measured.value, Some(0.0));
        assert_eq!(measured.summary, "0 of 3 checkers reach it; 3x Failure: Connection timed out.");
        assert!(matches!(measured.verdict, Verdict::Critical(_)));
        let failure = measure("route53-health-check", "health_check = 'nobody'", &clients).await.unwrap_err();
        assert!(failure.why.contains("health check nobody"), "{failure:?}");
    });
}
