//! `statuspage` against its API as <https://developer.statuspage.io/> has it.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Intent};
use lifeboat::kinds::channel::Outgoing;
use lifeboat::plan::params::Param;
use lifeboat::plan::{ComponentStatus, PageStatus};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const INCIDENT: &str = "p31zjtct2jer";
const COMPONENTS: [&str; 2] = ["8kbf7d35c070", "vtnh60py4yd7"];

fn is_component(value: &Value) -> bool {
    value.as_str().is_some_and(|id| COMPONENTS.contains(&id))
}

/// Statuspage, with one page, two components and, once it was opened, one incident.
fn statuspage(request: &Request) -> ResponseTemplate {
    if header(request, "authorization") != format!("OAuth {STATUSPAGE_KEY}") {
        return json(401, json!({ "error": "Could not authenticate" }));
    }
    let page = format!("/v1/pages/{PAGE}");
    let path = request.url.path().strip_prefix(&*page).unwrap_or_default();
    let is_new = match (request.method.as_str(), path) {
        ("GET", "/components") => {
            let components = COMPONENTS.map(|id| json!({ "id": id, "name": id, "status": "operational" }));
            return json(200, json!(components));
        }
        ("POST", "/incidents") => true,
        ("PATCH", path) if path == format!("/incidents/{INCIDENT}") => false,
        _ => return json(404, json!({ "error": "not found" })),
    };
    let body: Value = request.body_json().unwrap();
    let words =
        ["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"];
    let of_components = |value: &Value| {
        let right = |(id, status): (&String, &Value)| {
            COMPONENTS.contains(&id.as_str()) && words.iter().any(|word| status == word)
        };
        value.as_object().is_some_and(|all| all.iter().all(right))
    };
    let is_incident = |value: &Value| {
        check(
            value,
            &[
                ("name", is_new, &is_text(255)),
                ("status", false, &is_one_of(&["investigating", "identified", "monitoring", "resolved"])),
                ("body", false, &is_text(25_000)),
                ("deliver_notifications", false, &|value| value.is_boolean()),
                ("component_ids", false, &|value| {
                    value.as_array().is_some_and(|ids| ids.iter().all(is_component))
                }),
                ("components", false, &of_components),
            ],
        )
        .is_ok()
    };
    if let Err(why) = check(&body, &[("incident", true, &is_incident)]) {
        return json(422, json!({ "error": [why] }));
    }
    let status = body["incident"]["status"].as_str().unwrap_or("investigating");
    let incident =
        json!({ "id": INCIDENT, "status": status, "shortlink": "http://stspg.io/Qbz", "page_id": PAGE });
    json(if is_new { 201 } else { 200 }, incident)
}

fn rig(service: &Service) -> Rig {
    Rig::new("statuspage", &service.url()).with("components", list(&COMPONENTS))
}

fn telling(page: Option<PageStatus>, component: Option<ComponentStatus>, thread: Option<&str>) -> Outgoing {
    let mut outgoing = intending("statuspage", Intent::Inform);
    outgoing.message.page_status = page;
    outgoing.message.component_status = component;
    Outgoing { thread: thread.map(str::to_owned), ..outgoing }
}

#[tokio::test]
async fn the_first_message_opens_an_incident_as_the_message_says() {
    let service = Service::start(statuspage).await;
    let first = telling(Some(PageStatus::Identified), Some(ComponentStatus::MajorOutage), None);
    let receipt = rig(&service).build().send(&first).await.unwrap();
    assert_eq!(
        service.body().await,
        json!({ "incident": {
            "name": "[P0] ARKA: Primary region down", "status": "identified",
            "body": "P0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.\nJournal #42 lusab-babad-gutih-tugad",
            "deliver_notifications": true, "component_ids": COMPONENTS,
            "components": { "8kbf7d35c070": "major_outage", "vtnh60py4yd7": "major_outage" },
        } })
    );
    assert_eq!((&*receipt.id, &*receipt.thread), (INCIDENT, INCIDENT));
    assert_eq!(receipt.answer, "201 identified http://stspg.io/Qbz");
}

#[tokio::test]
async fn later_messages_update_it_and_change_only_what_they_say() {
    let service = Service::start(statuspage).await;
    let page = rig(&service).with("notify_subscribers", Param::Flag(false)).build();
    let receipt = page.send(&telling(None, None, Some(INCIDENT))).await.unwrap();
    assert_eq!(receipt.thread, INCIDENT);
    let sent = service.body().await["incident"].clone();
    assert_eq!(
        (&sent["status"], &sent["components"], &sent["name"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(sent["deliver_notifications"], false);
    assert_eq!(service.requests().await[0].method, "PATCH");
}

#[tokio::test]
async fn a_new_incident_of_a_message_that_says_nothing_is_investigating() {
    let service = Service::start(statuspage).await;
    rig(&service).build().send(&telling(None, None, None)).await.unwrap();
    assert_eq!(service.body().await["incident"]["status"], "investigating");
}

#[tokio::test]
async fn what_was_begun_is_resolved_and_what_was_not_is_left_alone() {
    let service = Service::start(statuspage).await;
    let page = rig(&service).build();
    let resolve = intending("statuspage", Intent::Resolve);
    assert_eq!(page.send(&resolve).await.unwrap().answer, "no incident is open on the page");
    assert!(service.requests().await.is_empty());
    page.send(&Outgoing { thread: Some(INCIDENT.into()), ..resolve }).await.unwrap();
    let sent = service.body().await["incident"].clone();
    assert_eq!(sent["status"], "resolved");
    assert_eq!(sent["components"], json!({ "8kbf7d35c070": "operational", "vtnh60py4yd7": "operational" }));
}

#[tokio::test]
async fn hostile_and_long_text_is_tame_and_cut() {
    let service = Service::start(statuspage).await;
    let mut long = telling(None, None, None);
    long.message.subject = format!("{HOSTILE}{}", "s".repeat(400));
    long.message.body = format!("{HOSTILE}{}", "x".repeat(30_000));
    let receipt = rig(&service).build().send(&long).await.unwrap();
    assert!(receipt.cut.contains("to 25000 characters"), "{receipt:?}");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let service = Service::start(statuspage).await;
    let first = telling(None, None, None);
    let wrong = rig(&service).secret("api_key", "wrong-key-0000").build();
    let failure = wrong.send(&first).await.unwrap_err();
    assert_eq!(
        (failure.again, &*failure.why),
        (Again::Never, "Statuspage: answered 401: Could not authenticate")
    );
    let strange = Rig::new("statuspage", &service.url()).with("components", list(&["nosuchid"])).build();
    let failure = strange.send(&first).await.unwrap_err();
    assert!(failure.why.contains("answered 422") && failure.next.contains("`components`"), "{failure:?}");
    let failure = strange.check().await.unwrap_err();
    assert!(failure.why.contains("no component nosuchid"), "{failure:?}");
    let gone = telling(None, None, Some("deleted0incident"));
    let failure = rig(&service).build().send(&gone).await.unwrap_err();
    assert!(failure.why.contains("404") && failure.next.contains("gone"), "{failure:?}");
    for status in [420, 429] {
        let limited = json(status, json!({ "error": "rate limit" })).insert_header("retry-after", "60");
        let service = Service::saying(limited).await;
        let failure = rig(&service).build().send(&first).await.unwrap_err();
        assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(60))));
    }
}

#[tokio::test]
async fn the_check_sees_page_and_components() {
    let service = Service::start(statuspage).await;
    let seen = rig(&service).build().check().await.unwrap().unwrap();
    assert!(seen.contains("2 components"), "{seen}");
}
