//! `ntfy` against its interface for JSON.

use crate::rig::*;
use crate::service::*;
use lifeboat::core::words::notification::{Again, Intent};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

fn ntfy(request: &Request) -> ResponseTemplate {
    let refused = |status: u16, code: u32, error: &str| {
        json(status, json!({ "code": code, "http": status, "error": error, "link": "https://ntfy.sh/docs" }))
    };
    if request.method != "POST" || request.url.path() != "/" {
        return refused(404, 40401, "page not found");
    }
    if header(request, "authorization") == "Bearer tk_wrong00000000" {
        return refused(401, 40101, "unauthorized");
    }
    let body: Value = request.body_json().unwrap();
    let is_priority = |value: &Value| value.as_u64().is_some_and(|priority| (1..=5).contains(&priority));
    let fits = |value: &Value| value.as_str().is_some_and(|text| text.len() <= 4_096);
    let checked = check(
        &body,
        &[
            ("topic", true, &|value| value == NTFY_TOPIC),
            ("title", false, &is_text(200)),
            ("message", true, &|value| fits(value) && is_text(4_096)(value)),
            ("priority", false, &is_priority),
        ],
    );
    match checked {
        Ok(()) => {
            json(200, json!({ "id": "xE73Iyuabi", "time": 1_774_923_240, "event": "message", "topic": "t" }))
        }
        Err(why) => refused(400, 40009, &why),
    }
}

#[tokio::test]
async fn a_page_rings_and_what_informs_does_not() {
    let service = Service::start(ntfy).await;
    let ntfy = Rig::new("ntfy", &service.url()).build();
    let receipt = ntfy.send(&page("ntfy")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.answer), ("xE73Iyuabi", "200 published"));
    ntfy.send(&intending("ntfy", Intent::Inform)).await.unwrap();
    let sent: Vec<Value> =
        service.requests().await.iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!((&sent[0]["priority"], &sent[1]["priority"]), (&json!(5), &json!(3)));
    assert_eq!(sent[0]["title"], "[P0] ARKA: Primary region down");
}

#[tokio::test]
async fn a_message_in_a_script_of_long_letters_stays_a_message() {
    let service = Service::start(ntfy).await;
    let long = saying("ntfy", "[P0] ARKA", &"\u{4e8b}".repeat(4_000));
    let receipt = Rig::new("ntfy", &service.url()).build().send(&long).await.unwrap();
    assert!(receipt.cut.starts_with("cut from"), "{receipt:?}");
}

#[tokio::test]
async fn a_token_that_is_not_taken_says_what_to_do() {
    let service = Service::start(ntfy).await;
    let wrong = Rig::new("ntfy", &service.url()).secret("token", "tk_wrong00000000").build();
    let failure = wrong.send(&page("ntfy")).await.unwrap_err();
    assert_eq!((failure.again, &*failure.why), (Again::Never, "ntfy: answered 401: 40101: unauthorized"));
    assert!(failure.next.contains("may write to the topic"), "{failure:?}");
}
