//! `slack-webhook` against incoming webhooks as Slack documents them.

use crate::rig::*;
use crate::service::*;
use lifeboat::core::words::notification::Again;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

fn hook(request: &Request) -> ResponseTemplate {
    let is_flag = |value: &serde_json::Value| value.is_boolean();
    if request.method != "POST" || request.url.path() != SLACK_PATH {
        return ResponseTemplate::new(404).set_body_string("no_service");
    }
    let body = request.body_json().unwrap();
    let checked = check(
        &body,
        &[
            ("text", true, &is_text(40_000)),
            ("mrkdwn", false, &is_flag),
            ("unfurl_links", false, &is_flag),
            ("unfurl_media", false, &is_flag),
        ],
    );
    match checked {
        Ok(()) if header(request, "content-type").starts_with("application/json") => {
            ResponseTemplate::new(200).set_body_string("ok")
        }
        _ => ResponseTemplate::new(400).set_body_string("invalid_payload"),
    }
}

#[tokio::test]
async fn a_message_is_posted_escaped() {
    let service = Service::start(hook).await;
    let slack = Rig::new("slack-webhook", &service.url()).build();
    let receipt = slack.send(&hostile("slack-webhook")).await.unwrap();
    assert_eq!((&*receipt.answer, &*receipt.thread, &*receipt.cut), ("200 ok", "", ""));
    let body = service.body().await;
    assert!(body["text"].as_str().unwrap().contains("&lt;!channel&gt;"), "{body}");
    assert_eq!(body["mrkdwn"], json!(false));
}

#[tokio::test]
async fn a_long_message_is_cut_and_says_so() {
    let service = Service::start(hook).await;
    let slack = Rig::new("slack-webhook", &service.url()).build();
    let receipt = slack.send(&saying("slack-webhook", "[P0] ARKA", &"x".repeat(4_000))).await.unwrap();
    assert!(receipt.cut.starts_with("cut from 4046"), "{}", receipt.cut);
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    for (status, word, advice) in [
        (404, "no_service", "revoked"),
        (404, "channel_not_found", "gone or archived"),
        (410, "channel_is_archived", "gone or archived"),
        (403, "invalid_token", "revoked"),
        (403, "action_prohibited", "administrators"),
        (400, "invalid_payload", "by hand"),
    ] {
        let service = Service::saying(ResponseTemplate::new(status).set_body_string(word)).await;
        let slack = Rig::new("slack-webhook", &service.url()).build();
        let failure = slack.send(&page("slack-webhook")).await.unwrap_err();
        assert_eq!(
            (failure.again, &*failure.why),
            (Again::Never, &*format!("Slack: answered {status} {word}"))
        );
        assert!(failure.next.contains(advice), "{failure:?}");
    }
}
