//! `slack` against chat.postMessage and auth.test as <https://docs.slack.dev/reference/methods> has them.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Intent};
use lifeboat::kinds::channel::Outgoing;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

/// The first message of the thread that the service knows.
const TS: &str = "1503435956.000247";

fn error(word: &str) -> ResponseTemplate {
    json(200, json!({ "ok": false, "error": word }))
}

/// Slack, with a few channels.
fn slack(request: &Request) -> ResponseTemplate {
    if request.method != "POST" || !header(request, "content-type").starts_with("application/json") {
        return error("invalid_post_type");
    }
    if header(request, "authorization") != format!("Bearer {SLACK_TOKEN}") {
        return error("invalid_auth");
    }
    match request.url.path() {
        "/api/chat.postMessage" => post_message(&request.body_json().unwrap()),
        "/api/auth.test" => json(200, json!({
            "ok": true, "url": "https://arka.slack.com/", "team": "ARKA", "user": "lifeboat", "team_id": "T12345678",
            "user_id": "W12345678", "bot_id": "B12345678",
        }))
        .insert_header("x-oauth-scopes", "chat:write,channels:read"),
        _ => error("unknown_method"),
    }
}

fn post_message(body: &Value) -> ResponseTemplate {
    let is_flag = |value: &Value| value.is_boolean();
    let is_ts = |value: &Value| value == TS;
    let checked = check(
        body,
        &[
            ("channel", true, &is_text(80)),
            ("text", true, &is_text(40_000)),
            ("thread_ts", false, &is_ts),
            ("reply_broadcast", false, &is_flag),
            ("mrkdwn", false, &is_flag),
            ("unfurl_links", false, &is_flag),
            ("unfurl_media", false, &is_flag),
        ],
    );
    if let Err(why) = checked {
        return json(200, json!({ "ok": false, "error": "invalid_arguments", "needed": why }));
    }
    let channel = match body["channel"].as_str().unwrap() {
        "#incidents" | "C0INCIDENT" => "C0INCIDENT",
        "U0ANA" => "D0ANA",
        "C0ARCHIVED" => return error("is_archived"),
        "#secret" => return error("not_in_channel"),
        _ => return error("channel_not_found"),
    };
    json(
        200,
        json!({ "ok": true, "channel": channel, "ts": TS, "message": { "type": "message", "text": body["text"] } }),
    )
}

#[tokio::test]
async fn a_page_is_posted_and_begins_the_thread_of_its_incident() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    let receipt = slack.send(&page("slack")).await.unwrap();
    assert_eq!(
        service.body().await,
        json!({
            "channel": "#incidents",
            "text": "[P0] ARKA: Primary region down\nP0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.\n\
                     Journal #42 lusab-babad-gutih-tugad",
            "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
        })
    );
    assert_eq!((&*receipt.id, &*receipt.thread), (TS, "C0INCIDENT/1503435956.000247"));
    assert_eq!(receipt.answer, "200 ok, channel C0INCIDENT");
}

#[tokio::test]
async fn what_follows_is_in_the_thread_and_a_page_is_shown_in_the_channel_too() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    let thread = slack.send(&page("slack")).await.unwrap().thread;
    for (intent, shown) in [(Intent::Page, true), (Intent::Inform, false)] {
        let later = Outgoing { thread: Some(thread.clone()), ..intending("slack", intent) };
        assert_eq!(slack.send(&later).await.unwrap().thread, thread);
        let sent: Value = service.requests().await.last().unwrap().body_json().unwrap();
        assert_eq!((&sent["channel"], &sent["thread_ts"]), (&json!("C0INCIDENT"), &json!(TS)));
        assert_eq!(sent["reply_broadcast"], shown);
    }
}

#[tokio::test]
async fn a_member_is_reached_by_the_id_and_never_by_a_name() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    let to = |address: &str| Outgoing { address: Some(address.into()), ..page("slack") };
    assert_eq!(slack.send(&to("U0ANA")).await.unwrap().thread, format!("D0ANA/{TS}"));
    let failure = slack.send(&to("@ana")).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.next.contains("id"), "{failure:?}");
    assert_eq!(service.requests().await.len(), 1);
}

#[tokio::test]
async fn hostile_text_mentions_nobody_and_links_nowhere() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    slack.send(&hostile("slack")).await.unwrap();
    let body = service.body().await;
    let sent = body["text"].as_str().unwrap();
    assert!(!sent.contains(['<', '>', '\x1b', '\u{202e}', '\r']), "{sent}");
    assert!(sent.contains("&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;https://evil.example|click&gt;"), "{sent}");
}

#[tokio::test]
async fn a_long_message_is_cut_says_so_and_keeps_the_witness() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    let receipt = slack.send(&saying("slack", "[P0] ARKA", &"&".repeat(4_000))).await.unwrap();
    assert_eq!(receipt.cut, "cut from 4046 to 4000 characters");
    let sent = service.body().await["text"].as_str().unwrap().replace("&amp;", "&");
    assert_eq!(sent.chars().count(), 4_000);
    assert!(sent.ends_with("…\nJournal #42 lusab-babad-gutih-tugad"), "{sent}");
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let service = Service::start(slack).await;
    let slack = Rig::new("slack", &service.url()).build();
    for (address, word, advice) in [
        ("C0ARCHIVED", "is_archived", "Unarchive"),
        ("#secret", "not_in_channel", "/invite"),
        ("#gone", "channel_not_found", "correct the contact's `slack` address"),
    ] {
        let to = Outgoing { address: Some(address.into()), ..page("slack") };
        let failure = slack.send(&to).await.unwrap_err();
        assert_eq!((failure.again, &*failure.why), (Again::Never, &*format!("Slack: {word}")));
        assert!(failure.next.contains(advice), "{failure:?}");
    }
    let wrong = Rig::new("slack", &service.url()).secret("token", "xoxb-revoked-0000").build();
    let failure = wrong.send(&page("slack")).await.unwrap_err();
    assert_eq!((failure.again, &*failure.why), (Again::Never, "Slack: invalid_auth"));
    assert!(failure.next.contains("bot token"), "{failure:?}");
}

#[tokio::test]
async fn errors_are_sorted_by_what_another_attempt_would_do() {
    for (word, again) in [
        ("token_revoked", Again::Never),
        ("msg_too_long", Again::Never),
        ("missing_scope", Again::Never),
        ("a_word_of_next_year", Again::Never),
        ("rate_limited", Again::After(Some(SignedDuration::from_secs(30)))),
        ("service_unavailable", Again::After(None)),
        ("fatal_error", Again::Maybe),
    ] {
        let service = Service::saying(error(word).insert_header("retry-after", "30")).await;
        let failure = Rig::new("slack", &service.url()).build().send(&page("slack")).await.unwrap_err();
        assert_eq!((failure.again, &*failure.why), (again, &*format!("Slack: {word}")));
        assert!(failure.next.ends_with('.'), "{failure:?}");
    }
    let limited =
        json(429, json!({ "ok": false, "error": "ratelimited" })).insert_header("retry-after", "30");
    let service = Service::saying(limited).await;
    let failure = Rig::new("slack", &service.url()).build().send(&page("slack")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(30))));
}

#[tokio::test]
async fn the_check_looks_at_token_and_scopes_and_posts_nothing() {
    let service = Service::start(slack).await;
    let seen = Rig::new("slack", &service.url()).build().check().await.unwrap().unwrap();
    assert!(seen.contains("the bot lifeboat of ARKA"), "{seen}");
    assert_eq!(service.requests().await[0].url.path(), "/api/auth.test");
    let poor = json(200, json!({ "ok": true, "team": "ARKA", "user": "lifeboat" }));
    let service = Service::saying(poor.insert_header("x-oauth-scopes", "channels:read")).await;
    let failure = Rig::new("slack", &service.url()).build().check().await.unwrap_err();
    assert!(failure.why.contains("not chat:write"), "{failure:?}");
}
