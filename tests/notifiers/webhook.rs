//! `webhook` against Standard Webhooks: a receiver that verifies as the specification says.

use crate::rig::*;
use crate::service::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lifeboat::core::words::notification::{Again, Intent};
use lifeboat::plan::params::Param;
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::{Request, ResponseTemplate};

/// Takes what is signed with the key, new, and of the documented shape.
fn receiver(request: &Request) -> ResponseTemplate {
    match verified(request) {
        Ok(()) => ResponseTemplate::new(204),
        Err(why) => ResponseTemplate::new(401).set_body_string(why),
    }
}

fn verified(request: &Request) -> Result<(), String> {
    if request.method != "POST" || request.url.path() != HOOK_PATH {
        return Err("another address".into());
    }
    let (id, at) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    if id.is_empty() || id.contains('.') {
        return Err(format!("webhook-id {id}"));
    }
    let age = jiff::Timestamp::now().as_second()
        - at.parse::<i64>().map_err(|_| format!("webhook-timestamp {at}"))?;
    if age.abs() > 300 {
        return Err(format!("{age} s old"));
    }
    let key = STANDARD.decode(SIGNING_KEY.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&request.body);
    let mut signatures =
        header(request, "webhook-signature").split(' ').filter_map(|one| one.strip_prefix("v1,"));
    if !signatures.any(|one| STANDARD.decode(one).is_ok_and(|one| mac.clone().verify_slice(&one).is_ok())) {
        return Err("webhook-signature".into());
    }
    let body: Value = request.body_json().map_err(|error| error.to_string())?;
    let types = is_one_of(&["lifeboat.page", "lifeboat.inform", "lifeboat.acknowledge", "lifeboat.resolve"]);
    let is_any = |_: &Value| true;
    check(&body, &[("type", true, &types), ("timestamp", true, &is_text(40)), ("data", true, &is_any)])
}

#[tokio::test]
async fn a_message_is_signed_and_says_everything() {
    let service = Service::start(receiver).await;
    let headers = Param::Table([("X-Team".to_owned(), text("sre"))].into_iter().collect());
    let receipt = Rig::new("webhook", &service.url())
        .with("headers", headers)
        .build()
        .send(&page("webhook"))
        .await
        .unwrap();
    assert_eq!(
        service.body().await,
        json!({
            "type": "lifeboat.page", "timestamp": "2026-03-31T02:18:00Z",
            "data": {
                "plan": "ARKA Engine v1.2", "incident": "INC-20260331-1",
                "key": "lifeboat/ARKA Engine v1.2/INC-20260331-1/0", "recipient": "Ana Torres", "severity": "P0",
                "drill": false, "subject": "[P0] ARKA: Primary region down",
                "body": "P0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.",
                "witness": "Journal #42 lusab-babad-gutih-tugad", "page_status": null, "component_status": null,
            },
        })
    );
    let request = &service.requests().await[0];
    assert_eq!(header(request, "x-team"), "sre");
    assert_eq!(header(request, "webhook-id"), receipt.id);
    assert_eq!(receipt.answer, "204");
}

#[tokio::test]
async fn a_repeated_request_has_the_same_id_and_body() {
    let service = Service::start(receiver).await;
    let webhook = Rig::new("webhook", &service.url()).build();
    let mut again = page("webhook");
    webhook.send(&again).await.unwrap();
    again.attempt = 2;
    webhook.send(&again).await.unwrap();
    again.key.push('1');
    webhook.send(&again).await.unwrap();
    let requests = service.requests().await;
    let ids: Vec<&str> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!((ids[0], &requests[0].body), (ids[1], &requests[1].body));
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn hostile_text_stays_within_its_field_and_its_header() {
    let service = Service::start(receiver).await;
    let mut hostile = hostile("webhook");
    hostile.key = "lifeboat/ü\r\nX-Evil: 1/n1".into();
    hostile.intent = Intent::Inform;
    Rig::new("webhook", &service.url()).build().send(&hostile).await.unwrap();
    let sent = service.body().await;
    assert_eq!(sent["type"], "lifeboat.inform");
    let is_tame = |text: &str| text.chars().all(|c| c == '\n' || !lifeboat::base::text::is_hostile(c));
    for (name, value) in sent["data"].as_object().unwrap() {
        assert!(value.as_str().is_none_or(is_tame), "{name}: {value:?}");
    }
    assert_eq!(sent["x"], Value::Null);
    assert_eq!(header(&service.requests().await[0], "x-evil"), "");
}

#[tokio::test]
async fn another_key_is_refused_and_one_that_is_none_never_leaves() {
    let service = Service::start(receiver).await;
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    let failure = Rig::new("webhook", &service.url())
        .secret("secret", other)
        .build()
        .send(&page("webhook"))
        .await
        .unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("answered 401: webhook-signature"), "{failure:?}");
    for short in ["whsec_dG9vIHNob3J0", "not base64 at all!", "whsec_"] {
        let failure = Rig::new("webhook", &service.url())
            .secret("secret", short)
            .build()
            .send(&page("webhook"))
            .await
            .unwrap_err();
        assert!(failure.why.contains("no signing key") && failure.next.contains("whsec_"), "{failure:?}");
        assert_eq!(failure.again, Again::Never);
    }
    assert_eq!(service.requests().await.len(), 1);
}
