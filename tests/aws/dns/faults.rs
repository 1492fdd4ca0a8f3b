//! What goes wrong with a change of records, and what it is called.

use std::time::Duration;

use lifeboat::core::words::action::{Acted, Failure};
use lifeboat::kinds::action::Action;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{API, action, changes, clients, context, sets, signed_in, zone};
use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};

const CHANGE: &str = "POST /2013-04-01/hostedzone/";
const LIST: &str = "GET /2013-04-01/hostedzone/";

struct Rig {
    emulator: Emulator,
    proxy: FaultProxy,
    zone: String,
    action: Box<dyn Action>,
}

fn rig() -> Rig {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    let zone = zone(&emulator, API);
    let with = format!("zone = '{zone}'\nname = 'api.sparc.com'\nvalues = ['198.51.100.7']");
    let action = action("route53-upsert", &with, &clients(&proxy.endpoint()));
    Rig { emulator, proxy, zone, action }
}

/// Confirms, then executes with a fault.
async fn fails(rig: &Rig, which: &str, fault: Fault) -> (lifeboat::core::words::action::Target, Failure) {
    let target = rig.action.describe().await.unwrap().target;
    rig.proxy.fault(Match::operation(which), fault, Times::Always);
    let failure = rig.action.execute(&target, &context().0).await.unwrap_err();
    rig.proxy.clear();
    (target, failure)
}

#[test]
fn a_lost_answer_is_unknown_and_reading_back_tells() {
    signed_in(async || {
        let rig = rig();
        let (target, failure) = fails(&rig, CHANGE, Fault::LoseAnswer).await;
        assert_eq!(failure.acted, Acted::Maybe, "{failure:?}");
        rig.action.verify(&target, &context().0).await.unwrap();
        assert_eq!(sets(&rig.emulator, &rig.zone)[0]["ResourceRecords"][0]["Value"], "198.51.100.7");
        assert_eq!(changes(&rig.emulator), 1, "it was sent twice");
    });
}

#[test]
fn a_change_that_never_arrived_is_unknown_and_reading_back_says_no() {
    signed_in(async || {
        let rig = rig();
        let (target, failure) = fails(&rig, CHANGE, Fault::CutBefore).await;
        assert_eq!(failure.acted, Acted::Maybe, "{failure:?}");
        let failure = rig.action.verify(&target, &context().0).await.unwrap_err();
        assert!(
            failure.why.contains("is TTL 5 min, 192.0.2.1, wanted TTL 60 s, 198.51.100.7"),
            "{failure:?}"
        );
        assert_eq!(changes(&rig.emulator), 0);
    });
}

#[test]
fn throttled_and_denied_are_not_done_and_say_why() {
    signed_in(async || {
        let rig = rig();
        let (_, failure) = fails(&rig, CHANGE, Fault::Throttle).await;
        assert_eq!(failure.acted, Acted::No);
        assert!(
            failure.why.contains("Rate exceeded (Throttling)") && failure.next.contains("Wait"),
            "{failure:?}"
        );
        let (_, failure) = fails(&rig, CHANGE, Fault::AccessDenied { message: "no".into() }).await;
        assert_eq!(failure.acted, Acted::No);
        assert!(failure.next.contains("`route53:ChangeResourceRecordSets`"), "{failure:?}");
        assert_eq!(changes(&rig.emulator), 0);
    });
}

#[test]
fn a_page_of_a_proxy_is_never_taken_for_an_answer() {
    signed_in(async || {
        let rig = rig();
        let (_, failure) = fails(&rig, LIST, Fault::Html(200)).await;
        assert_eq!(failure.acted, Acted::No);
        assert!(failure.why.contains("not AWS") && failure.next.contains("HTTPS_PROXY"), "{failure:?}");
        let (_, failure) = fails(&rig, CHANGE, Fault::Html(502)).await;
        assert_eq!(failure.acted, Acted::Maybe, "{failure:?}");
        assert_eq!(changes(&rig.emulator), 0);
    });
}

#[test]
fn a_zone_that_hangs_or_is_not_there_is_described_and_not_changed() {
    signed_in(async || {
        let rig = rig();
        rig.proxy.fault(Match::operation(LIST), Fault::Hang, Times::Always);
        let described =
            tokio::time::timeout(Duration::from_secs(20), rig.action.describe()).await.unwrap().unwrap();
        assert!(!described.target.reachable && described.command.contains("198.51.100.7"), "{described:?}");
        rig.proxy.clear();
        let with = "zone = 'ZNOBODY'\nname = 'api.sparc.com'\nvalues = ['198.51.100.7']";
        let action = action("route53-upsert", with, &clients(&rig.proxy.endpoint()));
        let described = action.describe().await.unwrap();
        assert!(!described.target.reachable && described.notes[0].contains("ZNOBODY"), "{described:?}");
        let failure = action.execute(&described.target, &context().0).await.unwrap_err();
        assert_eq!(failure.acted, Acted::No);
        // What could not be read when it was confirmed is not the same now.
        let target =
            lifeboat::core::words::action::Target { name: "api.sparc.com".into(), ..described.target };
        let failure = rig.action.execute(&target, &context().0).await.unwrap_err();
        assert!(failure.why.contains("could not be read then"), "{failure:?}");
        assert_eq!(changes(&rig.emulator), 0);
    });
}

/// Shapes of https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
async fn refusing(body: &str) -> Failure {
    let server = MockServer::start().await;
    let xml = |body: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/xml");
    let namespace = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";
    Mock::given(method("GET"))
        .and(path("/2013-04-01/hostedzone/Z1"))
        .respond_with(xml(&format!(
            "<GetHostedZoneResponse {namespace}><HostedZone><Id>/hostedzone/Z1</Id><Name>sparc.com.</Name>\
         <CallerReference>1</CallerReference></HostedZone></GetHostedZoneResponse>"
        )))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path_regex("/2013-04-01/hostedzone/Z1/rrset.*"))
        .respond_with(xml(&format!(
            "<ListResourceRecordSetsResponse {namespace}><ResourceRecordSets></ResourceRecordSets>\
         <IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
        )))
        .mount(&server)
        .await;
    let caller = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/ana</Arn>\
                  <UserId>x</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    Mock::given(method("POST")).and(path("/")).respond_with(xml(caller)).mount(&server).await;
    let refused = ResponseTemplate::new(400).set_body_raw(body.to_owned(), "text/xml");
    Mock::given(method("POST"))
        .and(path_regex("/2013-04-01/hostedzone/Z1/rrset.*"))
        .respond_with(refused)
        .expect(1)
        .mount(&server)
        .await;
    let with = "zone = 'Z1'\nname = 'api.sparc.com'\nvalues = ['198.51.100.7']";
    let action = action("route53-upsert", with, &clients(&server.uri()));
    let target = action.describe().await.unwrap().target;
    action.execute(&target, &context().0).await.unwrap_err()
}

#[test]
fn a_refused_batch_gives_the_reasons_of_aws() {
    signed_in(async || {
        let why = "[Tried to create an alias that targets old-alb.aws.com., type A in zone ZALB, but the alias target \
                   name does not lie within the target zone]";
        let wrapped = format!(
            "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
             <Code>InvalidChangeBatch</Code><Message>{why}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        );
        let listed = format!(
            "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>{why}\
             </Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>"
        );
        for body in [wrapped, listed] {
            let failure = refusing(&body).await;
            assert_eq!(failure.acted, Acted::No, "{failure:?}");
            assert!(failure.why.contains("does not lie within the target zone"), "{failure:?}");
            assert!(failure.next.contains("whole or not at all"), "{failure:?}");
        }
        let waiting = "<ErrorResponse><Error><Type>Sender</Type><Code>PriorRequestNotComplete</Code><Message>The \
                       request was rejected because Route 53 was still processing a prior request.</Message></Error>\
                       <RequestId>1</RequestId></ErrorResponse>";
        let failure = refusing(waiting).await;
        assert_eq!(failure.acted, Acted::No, "{failure:?}");
        assert!(failure.next.contains("Wait half a minute"), "{failure:?}");
    });
}
