//! `opsgenie` against the Alert API as <https://docs.opsgenie.com/docs/alert-api> has it.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Intent, Receipt, Tracked};
use lifeboat::kinds::channel::Outgoing;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const REQUEST: &str = "43a29c5c-3dbf-4fa4-9c26-f4f71023e120";

fn is_responder(value: &Value) -> bool {
    let user = value["type"] == "user";
    check(
        value,
        &[
            ("type", true, &is_one_of(&["team", "user", "escalation", "schedule"])),
            ("name", !user, &is_text(200)),
            ("username", user, &is_text(200)),
        ],
    )
    .is_ok()
}

fn all(right: impl Fn(&Value) -> bool) -> impl Fn(&Value) -> bool {
    move |value| value.as_array().is_some_and(|values| values.iter().all(&right))
}

fn refused(status: u16, message: &str) -> ResponseTemplate {
    json(status, json!({ "message": message, "took": 0.001, "requestId": REQUEST }))
}

/// Opsgenie, where requests are taken. `found` is what it shows of the alert.
fn opsgenie(request: &Request, found: &Value) -> ResponseTemplate {
    if header(request, "authorization") != format!("GenieKey {OPSGENIE_KEY}") {
        return refused(401, "Key format is not valid!");
    }
    let path = request.url.path();
    let by_alias = request.url.query() == Some("identifierType=alias");
    match request.method.as_str() {
        "POST" => {
            let body: Value = request.body_json().unwrap();
            let checked = match path {
                "/v2/alerts" => check(
                    &body,
                    &[
                        ("message", true, &is_text(130)),
                        ("alias", false, &is_text(512)),
                        ("description", false, &is_text(15_000)),
                        ("responders", false, &all(is_responder)),
                        ("tags", false, &all(is_text(50))),
                        ("details", false, &|value| {
                            value.as_object().is_some_and(|all| all.values().all(is_text(8_000)))
                        }),
                        ("entity", false, &is_text(512)),
                        ("source", false, &is_text(100)),
                        ("user", false, &is_text(100)),
                        ("priority", false, &is_one_of(&["P1", "P2", "P3", "P4", "P5"])),
                    ],
                ),
                path if by_alias && (path.ends_with("/acknowledge") || path.ends_with("/close")) => check(
                    &body,
                    &[
                        ("user", false, &is_text(100)),
                        ("source", false, &is_text(100)),
                        ("note", false, &is_text(25_000)),
                    ],
                ),
                _ => return refused(404, "Not found"),
            };
            match checked {
                Ok(()) => json(
                    202,
                    json!({ "result": "Request will be processed", "took": 0.302, "requestId": REQUEST }),
                ),
                Err(why) => refused(422, &why),
            }
        }
        _ if path == format!("/v2/alerts/requests/{REQUEST}") => json(
            200,
            json!({ "data": {
            "success": false, "isSuccess": false, "action": "Create", "status": "Responder does not exist",
        }, "took": 0.02, "requestId": REQUEST }),
        ),
        _ if path == "/v2/alerts" => json(200, json!({ "data": [{}], "took": 0.02, "requestId": REQUEST })),
        _ if by_alias && !found.is_null() => {
            json(200, json!({ "data": found, "took": 0.02, "requestId": REQUEST }))
        }
        _ => refused(404, "Alert with alias does not exist"),
    }
}

async fn service(found: Value) -> Service {
    Service::start(move |request| opsgenie(request, &found)).await
}

#[tokio::test]
async fn a_page_creates_an_alert_for_its_responders() {
    let service = service(Value::Null).await;
    let responders = list(&["team:SRE", "user: ana@example.com", "schedule:DB on call", "escalation:Night"]);
    let rig = Rig::new("opsgenie", &service.url()).with("responders", responders).with("tags", list(&["dr"]));
    let receipt = rig.build().send(&page("opsgenie")).await.unwrap();
    let sent = service.body().await;
    let alias = sent["alias"].as_str().unwrap();
    assert!(alias.starts_with("lifeboat-ARKA-Engine-v1-2-INC-20260331-1-0-duty-"), "{alias}");
    assert_eq!(
        sent,
        json!({
            "message": "[P0] ARKA: Primary region down", "alias": alias,
            "description": "[P0] ARKA: Primary region down\nP0 ARKA: Primary region down\n\
                            Detected 2026-03-31 02:14:00Z, 4m ago.\nJournal #42 lusab-babad-gutih-tugad",
            "responders": [
                { "type": "team", "name": "SRE" }, { "type": "user", "username": "ana@example.com" },
                { "type": "schedule", "name": "DB on call" }, { "type": "escalation", "name": "Night" },
            ],
            "tags": ["dr"], "entity": "ARKA Engine v1.2", "source": "lifeboat", "user": "lifeboat", "priority": "P1",
            "details": { "incident": "INC-20260331-1", "for": "Ana Torres", "drill": "no" },
        })
    );
    assert_eq!((&*receipt.id, &*receipt.answer), (REQUEST, "202 Request will be processed"));
}

#[tokio::test]
async fn the_alert_is_acknowledged_and_closed_by_its_alias() {
    let service = service(Value::Null).await;
    let opsgenie = Rig::new("opsgenie", &service.url()).build();
    opsgenie.send(&page("opsgenie")).await.unwrap();
    let created: Value = service.requests().await[0].body_json().unwrap();
    let alias = created["alias"].as_str().unwrap();
    for (intent, action) in [(Intent::Acknowledge, "acknowledge"), (Intent::Resolve, "close")] {
        opsgenie.send(&intending("opsgenie", intent)).await.unwrap();
        let request = service.requests().await.pop().unwrap();
        assert_eq!(request.url.path(), format!("/v2/alerts/{alias}/{action}"));
        assert_eq!(request.body_json::<Value>().unwrap()["user"], "lifeboat");
    }
}

#[tokio::test]
async fn what_informs_is_an_alert_of_its_own_of_the_lowest_priority() {
    let service = service(Value::Null).await;
    Rig::new("opsgenie", &service.url()).build().send(&intending("opsgenie", Intent::Inform)).await.unwrap();
    let sent = service.body().await;
    assert_eq!(sent["priority"], "P5");
    assert!(sent["alias"].as_str().unwrap().contains("-inform-"), "{sent}");
}

#[tokio::test]
async fn what_is_too_long_or_hostile_fits_and_is_tame() {
    let service = service(Value::Null).await;
    let long = Outgoing {
        key: "/ü?#".repeat(400),
        plan: format!("ARKA {HOSTILE}"),
        recipient: format!("Ana {HOSTILE}"),
        ..saying(
            "opsgenie",
            &format!("{HOSTILE}{}", "s".repeat(300)),
            &format!("{HOSTILE}{}", "x".repeat(20_000)),
        )
    };
    let receipt = Rig::new("opsgenie", &service.url()).build().send(&long).await.unwrap();
    assert!(receipt.cut.contains("to 15000 characters"), "{receipt:?}");
    let sent = service.body().await;
    assert!(sent["description"].as_str().unwrap().ends_with("\nJournal #42 lusab-babad-gutih-tugad"));
    assert!(sent["message"].as_str().unwrap().ends_with('…'), "{sent}");
}

#[tokio::test]
async fn who_acknowledged_or_closed_it_is_told_unless_it_was_lifeboat() {
    let alert = |status: &str, acknowledged: bool, by: &str| {
        json!({ "id": "70413a06", "tinyId": "1791", "status": status, "acknowledged": acknowledged, "owner": by,
                "report": { "ackTime": 15702, "acknowledgedBy": by, "closedBy": if status == "closed" { by } else { "" } } })
    };
    for (found, expected) in [
        (alert("open", false, ""), Tracked::Pending),
        (alert("open", true, "ana@example.com"), Tracked::Acknowledged("ana@example.com".into())),
        (alert("closed", false, "ben@example.com"), Tracked::Acknowledged("ben@example.com".into())),
        (alert("open", true, "lifeboat"), Tracked::Pending),
        (alert("open", true, ""), Tracked::Acknowledged("somebody in Opsgenie".into())),
        (Value::Null, Tracked::Failed("Opsgenie: Responder does not exist".into())),
    ] {
        let service = service(found.clone()).await;
        let opsgenie = Rig::new("opsgenie", &service.url()).build();
        let receipt = Receipt { id: REQUEST.into(), ..Receipt::default() };
        assert_eq!(opsgenie.track(&page("opsgenie"), &receipt).await.unwrap(), expected, "{found}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let service = service(Value::Null).await;
    let wrong = Rig::new("opsgenie", &service.url()).secret("api_key", "not-a-key-0000").build();
    for failure in [wrong.send(&page("opsgenie")).await.unwrap_err(), wrong.check().await.unwrap_err()] {
        assert_eq!(
            (failure.again, &*failure.why),
            (Again::Never, "Opsgenie: answered 401: Key format is not valid!")
        );
        assert!(failure.next.contains("API integration"), "{failure:?}");
    }
    let limited = refused(429, "You are making too many requests!").insert_header("retry-after", "3");
    let limited = Service::saying(limited).await;
    let failure = Rig::new("opsgenie", &limited.url()).build().send(&page("opsgenie")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(3))));
    let seen = Rig::new("opsgenie", &service.url()).build().check().await.unwrap().unwrap();
    assert!(seen.contains("may read alerts"), "{seen}");
}

#[tokio::test]
async fn a_responder_that_is_none_is_refused_before_the_night() {
    for wrong in ["SRE", "group:SRE", "team:", ""] {
        let rig = Rig::new("opsgenie", "http://127.0.0.1:1").with("responders", list(&[wrong]));
        let error = rig.try_build().err().unwrap().to_string();
        assert!(error.contains("write `team:NAME`"), "{error}");
    }
}
