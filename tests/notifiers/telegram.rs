//! `telegram` against the Bot API as documented.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Intent};
use lifeboat::kinds::channel::Outgoing;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const CHAT: &str = "-1001234567890";

fn refused(status: u16, description: &str) -> ResponseTemplate {
    json(status, json!({ "ok": false, "error_code": status, "description": description }))
}

fn telegram(request: &Request) -> ResponseTemplate {
    let Some(method) = request.url.path().strip_prefix(&format!("/bot{TELEGRAM_TOKEN}/")) else {
        return refused(401, "Unauthorized");
    };
    let body: Value = request.body_json().unwrap();
    if body["chat_id"] != CHAT {
        return refused(400, "Bad Request: chat not found");
    }
    let is_flag = |value: &Value| value.is_boolean();
    let fits = |value: &Value| value.as_str().is_some_and(|text| text.encode_utf16().count() <= 4_096);
    let checked = match method {
        "getChat" => return json(200, json!({ "ok": true, "result": { "id": -1, "title": "ops" } })),
        _ => check(
            &body,
            &[
                ("chat_id", true, &|value| value == CHAT),
                ("text", true, &|value| fits(value) && is_text(4_096)(value)),
                ("disable_notification", false, &is_flag),
                ("link_preview_options", false, &|value| value["is_disabled"] == true),
                ("reply_parameters", false, &|value| value["message_id"].is_u64()),
            ],
        ),
    };
    match (method, checked) {
        ("sendMessage", Ok(())) => {
            json(200, json!({ "ok": true, "result": { "message_id": 41, "date": 1 } }))
        }
        (_, why) => refused(400, &format!("Bad Request: {why:?}")),
    }
}

#[tokio::test]
async fn messages_answer_the_first_and_what_informs_is_silent() {
    let service = Service::start(telegram).await;
    let telegram = Rig::new("telegram", &service.url()).build();
    let receipt = telegram.send(&page("telegram")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.thread), ("41", "41"));
    let next = Outgoing { thread: Some("7".into()), ..intending("telegram", Intent::Inform) };
    assert_eq!(telegram.send(&next).await.unwrap().thread, "7");
    let sent: Vec<Value> =
        service.requests().await.iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!(
        (&sent[0]["disable_notification"], &sent[1]["disable_notification"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&sent[0]["reply_parameters"], &sent[1]["reply_parameters"]["message_id"]),
        (&Value::Null, &json!(7))
    );
}

#[tokio::test]
async fn a_long_message_is_counted_as_telegram_counts() {
    let service = Service::start(telegram).await;
    let long = saying("telegram", "[P0] ARKA", &"\u{1f6df}".repeat(4_000));
    let receipt = Rig::new("telegram", &service.url()).build().send(&long).await.unwrap();
    assert!(receipt.cut.starts_with("cut from"), "{receipt:?}");
}

#[tokio::test]
async fn refusals_say_what_to_do_and_a_pause_is_kept() {
    let service = Service::start(telegram).await;
    let seen = Rig::new("telegram", &service.url()).build().check().await.unwrap().unwrap();
    assert_eq!(seen, "the bot sees the chat ops");
    let unknown = Rig::new("telegram", &service.url()).with("chat", text("-5")).build();
    let failure = unknown.send(&page("telegram")).await.unwrap_err();
    assert_eq!(failure.why, "Telegram: answered 400: Bad Request: chat not found");
    assert!(failure.next.contains("correct `chat`"), "{failure:?}");
    let wrong = Rig::new("telegram", &service.url()).secret("token", "1:wrong-token-0000").build();
    assert!(wrong.check().await.unwrap_err().next.contains("@BotFather"));
    let busy = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 9",
                       "parameters": { "retry_after": 9 } });
    let busy = Service::saying(json(429, busy)).await;
    let failure = Rig::new("telegram", &busy.url()).build().send(&page("telegram")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(9))));
}
