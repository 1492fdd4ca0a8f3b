//! `pagerduty` against the published schema of the Events API v2 (PagerDuty/api-schema, `createV2Event`), its documented
//! limits, and `GET /incidents` of the REST API.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Intent, Receipt, Tracked};
use lifeboat::kinds::channel::Outgoing;
use lifeboat::plan::Severity;
use lifeboat::plan::params::Params;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const KEY: &str = "lifeboat/ARKA Engine v1.2/INC-20260331-1/0/duty";

fn is_payload(value: &Value) -> bool {
    let is_time = |value: &Value| value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
    check(
        value,
        &[
            ("summary", true, &is_text(1_024)),
            ("source", true, &is_text(1_024)),
            ("severity", true, &is_one_of(&["critical", "error", "warning", "info"])),
            ("timestamp", false, &is_time),
            ("component", false, &is_text(1_024)),
            ("group", false, &is_text(1_024)),
            ("class", false, &is_text(1_024)),
            ("custom_details", false, &|value| {
                value.as_object().is_some_and(|all| all.values().all(is_text(25_000)))
            }),
        ],
    )
    .is_ok()
}

fn are_links(value: &Value) -> bool {
    let is_link = |value: &Value| {
        check(value, &[("href", true, &is_text(2_000)), ("text", false, &is_text(200))]).is_ok()
    };
    value.as_array().is_some_and(|links| links.iter().all(is_link))
}

/// The Events API.
fn events(request: &Request) -> ResponseTemplate {
    let refused = |why: &str| {
        let body =
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [why] });
        json(400, body)
    };
    if request.method != "POST" || request.url.path() != "/v2/enqueue" {
        return ResponseTemplate::new(404);
    }
    let event: Value = request.body_json().unwrap();
    let is_trigger = event["event_action"] == "trigger";
    let checked = check(
        &event,
        &[
            ("routing_key", true, &is_text(32)),
            ("event_action", true, &is_one_of(&["trigger", "acknowledge", "resolve"])),
            ("dedup_key", !is_trigger, &|value| value.as_str().is_some_and(|key| key.len() <= 255)),
            ("payload", is_trigger, &is_payload),
            ("client", false, &is_text(200)),
            ("links", false, &are_links),
        ],
    );
    match checked {
        Err(why) => refused(&why),
        Ok(()) if event["routing_key"] != ROUTING_KEY => {
            refused("Length of 'routing_key' is incorrect (should be 32 characters)")
        }
        Ok(()) => json(
            202,
            json!({ "status": "success", "message": "Event processed", "dedup_key": event["dedup_key"] }),
        ),
    }
}

/// The REST API, which knows one incident.
fn rest(request: &Request, incident: &Value) -> ResponseTemplate {
    if header(request, "authorization") != format!("Token token={PAGERDUTY_TOKEN}") {
        return ResponseTemplate::new(401);
    }
    if header(request, "accept") != "application/vnd.pagerduty+json;version=2" {
        return ResponseTemplate::new(406);
    }
    match request.url.path() {
        "/abilities" => json(200, json!({ "abilities": ["sso", "teams"] })),
        "/incidents" => {
            let asked: Vec<_> = request.url.query_pairs().collect();
            let known = asked.iter().any(|(name, value)| name == "incident_key" && value == KEY);
            let incidents = if known && !incident.is_null() { vec![incident] } else { Vec::new() };
            json(
                200,
                json!({ "incidents": incidents, "limit": 1, "offset": 0, "total": null, "more": false }),
            )
        }
        _ => ResponseTemplate::new(404),
    }
}

async fn tracked(incident: Value) -> Tracked {
    let service = Service::start(move |request| rest(request, &incident)).await;
    let pagerduty = Rig::new("pagerduty", &service.url()).secret("api_token", PAGERDUTY_TOKEN).build();
    pagerduty.track(&page("pagerduty"), &Receipt::default()).await.unwrap()
}

#[tokio::test]
async fn a_page_triggers_an_alert() {
    let service = Service::start(events).await;
    let rig = Rig::new("pagerduty", &service.url()).with("link", text("https://wiki.example.com/arka"));
    let receipt = rig.build().send(&page("pagerduty")).await.unwrap();
    assert_eq!(
        service.body().await,
        json!({
            "routing_key": ROUTING_KEY, "event_action": "trigger", "dedup_key": KEY, "client": "lifeboat",
            "links": [{ "href": "https://wiki.example.com/arka", "text": "From the plan" }],
            "payload": {
                "summary": "[P0] ARKA: Primary region down", "source": "ARKA Engine v1.2", "severity": "critical",
                "timestamp": "2026-03-31T02:18:00Z", "component": "INC-20260331-1", "group": "ARKA Engine v1.2",
                "class": "incident",
                "custom_details": {
                    "text": "P0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.\n\
                             Journal #42 lusab-babad-gutih-tugad",
                    "incident": "INC-20260331-1", "for": "Ana Torres",
                },
            },
        })
    );
    assert_eq!((&*receipt.id, &*receipt.answer), (KEY, "202 success: Event processed"));
}

#[tokio::test]
async fn the_alert_is_acknowledged_and_resolved_by_its_key() {
    let service = Service::start(events).await;
    let pagerduty = Rig::new("pagerduty", &service.url()).build();
    for (intent, action) in [(Intent::Acknowledge, "acknowledge"), (Intent::Resolve, "resolve")] {
        pagerduty.send(&intending("pagerduty", intent)).await.unwrap();
        let sent: Value = service.requests().await.last().unwrap().body_json().unwrap();
        assert_eq!(sent, json!({ "routing_key": ROUTING_KEY, "event_action": action, "dedup_key": KEY }));
    }
}

#[tokio::test]
async fn what_informs_is_an_alert_of_its_own_that_wakes_nobody() {
    let service = Service::start(events).await;
    let pagerduty = Rig::new("pagerduty", &service.url()).build();
    let first = pagerduty.send(&intending("pagerduty", Intent::Inform)).await.unwrap();
    let again = pagerduty.send(&intending("pagerduty", Intent::Inform)).await.unwrap();
    assert!(first.id.starts_with(&format!("{KEY}/inform-")), "{first:?}");
    assert_eq!(first.id, again.id);
    let sent: Value = service.requests().await[0].body_json().unwrap();
    assert_eq!(sent["payload"]["severity"], "info");
}

#[tokio::test]
async fn severities_are_those_of_the_interface() {
    let service = Service::start(events).await;
    let pagerduty = Rig::new("pagerduty", &service.url()).build();
    for (severity, word) in [
        (Some(Severity::P1), "error"),
        (Some(Severity::P2), "warning"),
        (Some(Severity::P3), "info"),
        (None, "critical"),
    ] {
        let mut page = page("pagerduty");
        page.message.severity = severity;
        pagerduty.send(&page).await.unwrap();
        let sent: Value = service.requests().await.last().unwrap().body_json().unwrap();
        assert_eq!(sent["payload"]["severity"], word);
    }
}

#[tokio::test]
async fn what_is_too_long_or_hostile_fits_and_is_tame() {
    let service = Service::start(events).await;
    let pagerduty = Rig::new("pagerduty", &service.url()).build();
    let long = Outgoing {
        key: "ü".repeat(400),
        plan: format!("ARKA {HOSTILE}"),
        recipient: format!("Ana {HOSTILE}"),
        ..saying("pagerduty", &"s".repeat(2_000), &format!("{HOSTILE}{}", "x".repeat(30_000)))
    };
    let receipt = pagerduty.send(&long).await.unwrap();
    assert!(receipt.cut.starts_with("cut from 30"), "{receipt:?}");
    assert!(receipt.id.len() <= 255);
    let details = service.body().await["payload"]["custom_details"]["text"].as_str().unwrap().to_owned();
    assert!(
        !details.contains(['\x1b', '\u{202e}']) && details.ends_with("\nJournal #42 lusab-babad-gutih-tugad")
    );
}

#[tokio::test]
async fn a_wrong_key_and_a_limit_say_what_to_do() {
    let service = Service::start(events).await;
    let wrong = Rig::new("pagerduty", &service.url()).secret("routing_key", "too-short").build();
    let failure = wrong.send(&page("pagerduty")).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("Length of 'routing_key' is incorrect"), "{failure:?}");
    assert!(failure.next.contains("integration key"), "{failure:?}");
    let service = Service::saying(ResponseTemplate::new(429)).await;
    let failure = Rig::new("pagerduty", &service.url()).build().send(&page("pagerduty")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(None));
    let inside = json(202, json!({ "status": "invalid event", "message": "Event object is invalid" }));
    let service = Service::saying(inside).await;
    let failure = Rig::new("pagerduty", &service.url()).build().send(&page("pagerduty")).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "12");
    let service = Service::saying(limited).await;
    let failure = Rig::new("pagerduty", &service.url()).build().send(&page("pagerduty")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(12))));
}

#[tokio::test]
async fn only_a_person_acknowledges() {
    let user = json!({ "id": "PXPGF42", "type": "user_reference", "summary": "Earline\u{1b}[1m Greenholt" });
    let service = json!({ "id": "PIJ90N7", "type": "service_reference", "summary": "ARKA" });
    let taken = |by: &Value| json!([{ "at": "2026-03-31T02:19:00Z", "acknowledger": by }]);
    let incident = |status: &str, taken: Value, by: &Value| {
        json!({ "id": "PT4KHLK", "type": "incident", "status": status, "incident_key": KEY, "acknowledgements": taken,
                "last_status_change_by": by })
    };
    let by_earline = Tracked::Acknowledged("Earline\u{fffd}[1m Greenholt".into());
    assert_eq!(tracked(Value::Null).await, Tracked::Pending);
    assert_eq!(tracked(incident("triggered", json!([]), &service)).await, Tracked::Pending);
    assert_eq!(tracked(incident("acknowledged", taken(&service), &service)).await, Tracked::Pending);
    assert_eq!(tracked(incident("acknowledged", taken(&user), &user)).await, by_earline);
    assert_eq!(tracked(incident("resolved", json!([]), &user)).await, by_earline);
    assert_eq!(tracked(incident("resolved", json!([]), &service)).await, Tracked::Pending);
}

#[tokio::test]
async fn it_is_asked_after_only_with_a_token_and_a_wrong_one_is_said() {
    let kind = lifeboat::providers::channel("pagerduty").unwrap();
    assert!(!(kind.capabilities)(&Params::default()).tracks);
    let service = Service::start(|request| rest(request, &Value::Null)).await;
    assert_eq!(Rig::new("pagerduty", &service.url()).build().check().await.unwrap(), None);
    assert!(service.requests().await.is_empty());
    let with = |token: &str| Rig::new("pagerduty", &service.url()).secret("api_token", token).build();
    let seen = with(PAGERDUTY_TOKEN).check().await.unwrap().unwrap();
    assert!(seen.contains("2 abilities"), "{seen}");
    let failure = with("wrong-token").check().await.unwrap_err();
    assert!(failure.next.contains("REST API key"), "{failure:?}");
}
