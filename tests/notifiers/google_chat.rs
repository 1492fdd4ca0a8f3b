//! `google-chat` against webhooks of a space as Google documents them.

use crate::rig::*;
use crate::service::*;
use lifeboat::core::words::notification::Again;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

fn chat(request: &Request) -> ResponseTemplate {
    let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let asked = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
    let known = request.url.path() == "/v1/spaces/AAAAq8/messages" && asked("token") == Some("kT0kEn9xZq");
    if request.method != "POST" || !known {
        let error = json!({ "code": 401, "message": "The request is not authenticated", "status": "UNAUTHENTICATED" });
        return json(401, json!({ "error": error }));
    }
    assert_eq!(asked("messageReplyOption"), Some("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"));
    let body: Value = request.body_json().unwrap();
    let is_thread = |value: &Value| check(value, &[("threadKey", true, &is_text(4_000))]).is_ok();
    match check(&body, &[("text", true, &is_text(4_096)), ("thread", true, &is_thread)]) {
        Ok(()) => json(
            200,
            json!({ "name": "spaces/AAAAq8/messages/x.y", "thread": { "name": "spaces/AAAAq8/threads/x" } }),
        ),
        Err(why) => {
            json(400, json!({ "error": { "code": 400, "message": why, "status": "INVALID_ARGUMENT" } }))
        }
    }
}

#[tokio::test]
async fn messages_of_one_incident_share_a_thread_and_mention_nobody() {
    let service = Service::start(chat).await;
    let chat = Rig::new("google-chat", &service.url()).build();
    let receipt = chat.send(&page("google-chat")).await.unwrap();
    // The space is a part of the secret address.
    assert!(receipt.id.ends_with("/x.y") && !receipt.id.contains("AAAAq8"), "{receipt:?}");
    assert_eq!(receipt.answer, "200 posted");
    chat.send(&saying("google-chat", "<users/all> [P0]", "<https://evil.example|the runbook>"))
        .await
        .unwrap();
    let sent: Vec<Value> =
        service.requests().await.iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!(sent[0]["thread"], sent[1]["thread"]);
    assert!(!sent[1]["text"].as_str().unwrap().contains('<'), "{}", sent[1]);
}

#[tokio::test]
async fn a_long_message_fits_in_any_script_and_a_removed_webhook_says_what_to_do() {
    let service = Service::start(chat).await;
    let long = saying("google-chat", "[P0] ARKA", &"\u{1f6df}".repeat(9_000));
    let receipt = Rig::new("google-chat", &service.url()).build().send(&long).await.unwrap();
    assert!(receipt.cut.contains("to 4000 characters"), "{receipt:?}");
    let sent = service.requests().await.remove(0);
    assert!(sent.body.len() < 32_000, "{}", sent.body.len());
    let gone = format!("{}/v1/spaces/AAAAq8/messages?key=AIza&token=other", service.url());
    let failure =
        Rig::new("google-chat", "").secret("webhook", gone).build().send(&page("google-chat")).await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(
        failure.why.contains("UNAUTHENTICATED") && failure.next.contains("space's settings"),
        "{failure:?}"
    );
}
