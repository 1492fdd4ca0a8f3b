//! `goalert` against the generic interface as GoAlert's own handler has it.

use crate::rig::*;
use crate::service::*;
use lifeboat::core::words::notification::{Again, Intent};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

fn goalert(request: &Request) -> ResponseTemplate {
    if request.method != "POST" || request.url.path() != "/api/v2/generic/incoming" {
        return ResponseTemplate::new(404).set_body_string("404 page not found");
    }
    if header(request, "authorization") != format!("Bearer {GOALERT_TOKEN}") {
        return ResponseTemplate::new(401).set_body_string("Unauthorized");
    }
    let body: Value = request.body_json().unwrap();
    let checked = check(
        &body,
        &[
            ("summary", true, &is_text(118)),
            ("details", false, &is_text(6 * 1024)),
            ("dedup", false, &is_text(512)),
            ("action", false, &is_one_of(&["close"])),
        ],
    );
    if let Err(why) = checked {
        return ResponseTemplate::new(400).set_body_string(why);
    }
    match header(request, "accept") {
        "application/json" if body["action"] == "close" => panic!("GoAlert has no alert to show"),
        "application/json" => json(
            200,
            json!({ "_id": 73, "status": "triggered", "summary": body["summary"], "dedup": body["dedup"] }),
        ),
        _ => ResponseTemplate::new(204),
    }
}

#[tokio::test]
async fn an_alert_is_triggered_once_and_closed_with_the_incident() {
    let service = Service::start(goalert).await;
    let goalert = Rig::new("goalert", &service.url()).build();
    let receipt = goalert.send(&page("goalert")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.answer), ("73", "200 alert 73 triggered"));
    let closed = goalert.send(&intending("goalert", Intent::Resolve)).await.unwrap();
    assert_eq!(closed.answer, "204 closed");
    let sent: Vec<Value> =
        service.requests().await.iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!(sent[0]["summary"], "[P0] ARKA: Primary region down");
    assert_eq!((&sent[0]["dedup"], &sent[1]["action"]), (&sent[1]["dedup"], &json!("close")));
}

#[tokio::test]
async fn an_acknowledgement_is_not_sent_and_the_receipt_says_so() {
    let service = Service::start(goalert).await;
    let goalert = Rig::new("goalert", &service.url()).build();
    let receipt = goalert.send(&intending("goalert", Intent::Acknowledge)).await.unwrap();
    assert!(receipt.answer.starts_with("not sent: GoAlert takes no acknowledgement"), "{receipt:?}");
    assert!(service.requests().await.is_empty());
}

#[tokio::test]
async fn what_is_too_long_is_cut_by_lifeboat_and_a_wrong_token_says_what_to_do() {
    let service = Service::start(goalert).await;
    let long = saying("goalert", &"s".repeat(300), &format!("{HOSTILE}{}", "x".repeat(9_000)));
    let receipt = Rig::new("goalert", &service.url()).build().send(&long).await.unwrap();
    assert!(receipt.cut.contains("to 6144 characters"), "{receipt:?}");
    let wrong = Rig::new("goalert", &service.url()).secret("token", "0b6d3a52-wrong").build();
    let failure = wrong.send(&page("goalert")).await.unwrap_err();
    assert_eq!((failure.again, &*failure.why), (Again::Never, "GoAlert answered 401: Unauthorized"));
}
