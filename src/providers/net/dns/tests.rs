use super::*;
use hickory_resolver::proto::op::{Message, OpCode};
use hickory_resolver::proto::rr::{Record, rdata::SOA};
use tokio::net::UdpSocket;

/// A resolver of the test's own that answers every question for the name with these values.
async fn server(
    name: &'static str,
    kind: &'static str,
    values: &'static [&'static str],
    ttl: u32,
) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut answer = Message::response(asked.metadata.id, OpCode::Query);
            answer.metadata.recursion_available = true;
            let known = query.name().to_string().eq_ignore_ascii_case(name);
            if known && query.query_type().to_string() == kind {
                for value in values {
                    let data = RData::try_from_str(query.query_type(), value).unwrap();
                    answer.add_answer(Record::from_rdata(query.name().clone(), ttl, data));
                }
            } else {
                answer.metadata.response_code = ResponseCode::NXDomain;
                let zone = Name::from_ascii("sparc.com.").unwrap();
                let soa = SOA::new(zone.clone(), zone.clone(), 1, 1, 1, 1, 77);
                answer.add_authority(Record::from_rdata(zone, 900, RData::SOA(soa)));
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn resolver(address: SocketAddr) -> Resolver {
    Resolver::at(address, Duration::from_secs(2)).unwrap()
}

#[tokio::test]
async fn an_answer_has_the_ttl_that_the_resolver_has_left_and_is_never_kept() {
    let resolver = resolver(server("api.sparc.com.", "A", &["192.0.2.2", "192.0.2.1"], 43).await);
    for _ in 0..2 {
        let answer = resolver.ask("API.sparc.com", "A").await.unwrap();
        assert_eq!(answer, Answer { values: vec!["192.0.2.1".into(), "192.0.2.2".into()], ttl_s: 43 });
    }
}

#[tokio::test]
async fn names_and_texts_are_answered_in_the_form_in_which_they_are_compared() {
    let resolver = resolver(server("db.sparc.com.", "CNAME", &["Old-DB.example.com."], 9).await);
    let answer = resolver.ask("db.sparc.com", "CNAME").await.unwrap();
    assert_eq!(answer.values, [canonical_value("CNAME", "old-db.EXAMPLE.com")]);
    let resolver = self::resolver(server("t.sparc.com.", "TXT", &["\"v=spf1 -all\""], 9).await);
    let answer = resolver.ask("t.sparc.com", "TXT").await.unwrap();
    assert_eq!(answer.values, [canonical_value("TXT", "\"v=spf1 -all\"")]);
}

#[tokio::test]
async fn no_such_name_is_an_answer_with_its_own_life() {
    let resolver = resolver(server("api.sparc.com.", "A", &["192.0.2.1"], 43).await);
    let answer = resolver.ask("nobody.sparc.com", "A").await.unwrap();
    assert_eq!(answer, Answer { values: Vec::new(), ttl_s: 77 });
}

#[tokio::test]
async fn a_resolver_that_never_answers_fails_within_the_deadline() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let begun = std::time::Instant::now();
    let resolver = Resolver::at(silent.local_addr().unwrap(), Duration::from_millis(500)).unwrap();
    resolver.ask("api.sparc.com", "A").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn an_address_has_port_53_where_it_names_none() {
    assert_eq!(address("1.1.1.1").unwrap().to_string(), "1.1.1.1:53");
    assert_eq!(address("127.0.0.1:5353").unwrap().port(), 5353);
    assert_eq!(address("2606:4700::1111").unwrap().port(), 53);
    assert_eq!(address("dns.example.com"), None);
}
