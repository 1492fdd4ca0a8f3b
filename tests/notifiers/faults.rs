//! Bad days that every service can have, and every kind must tell apart.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Undelivered};
use serde_json::json;
use std::time::{Duration, Instant};
use wiremock::ResponseTemplate;

const PAGE_OF_A_PROXY: &str = "<html><head><title>502</title></head>\x1b[31m<body>Bad Gateway</body></html>";

/// Kinds whose service answers a success with JSON (or a word) of its own.
fn with_a_receipt() -> impl Iterator<Item = &'static str> {
    KINDS.iter().copied().filter(|kind| !["teams", "webhook"].contains(kind))
}

async fn failure(kind: &str, answer: ResponseTemplate) -> Undelivered {
    let service = Service::saying(answer).await;
    let rig = Rig::new(kind, &service.url());
    let failure = rig.build().send(&page(kind)).await.unwrap_err();
    is_fit_to_be_shown(kind, &rig, &failure);
    failure
}

fn is_fit_to_be_shown(kind: &str, rig: &Rig, failure: &Undelivered) {
    let shown = format!("{} {}", failure.why, failure.next);
    for hidden in rig.hidden() {
        assert!(!shown.contains(&hidden), "{kind} shows {hidden}: {shown}");
    }
    assert!(!shown.chars().any(lifeboat::base::text::is_hostile), "{kind}: {shown:?}");
    assert!(failure.why.len() > 10 && failure.next.ends_with('.'), "{kind}: {failure:?}");
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_in_time_and_nobody_knows() {
    for kind in KINDS {
        let service = Service::saying(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
        let rig = Rig::new(kind, &service.url()).timeout_ms(300);
        let began = Instant::now();
        let failure = rig.build().send(&page(kind)).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5), "{kind}: {:?}", began.elapsed());
        assert_eq!(failure.again, Again::Maybe, "{kind}: {failure:?}");
        is_fit_to_be_shown(kind, &rig, &failure);
    }
}

#[tokio::test]
async fn where_nobody_listens_it_certainly_did_not_arrive() {
    for kind in KINDS {
        let port = crate::port::free();
        let rig = Rig::new(kind, &format!("http://127.0.0.1:{port}"));
        let failure = rig.build().send(&page(kind)).await.unwrap_err();
        assert_eq!(failure.again, Again::After(None), "{kind}: {failure:?}");
        assert!(failure.why.contains("connection refused"), "{kind}: {failure:?}");
        is_fit_to_be_shown(kind, &rig, &failure);
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_leaves_it_open() {
    for kind in KINDS {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Read, so that the client has sent something, then closed.
                let _ = socket.readable().await;
                let _ = socket.try_read(&mut [0; 4096]);
            }
        });
        let failure = Rig::new(kind, &base).build().send(&page(kind)).await.unwrap_err();
        assert_eq!(failure.again, Again::Maybe, "{kind}: {failure:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_overloaded_is_tried_again_after_the_time_that_it_names() {
    for kind in KINDS {
        for status in [429, 503] {
            let answer =
                ResponseTemplate::new(status).insert_header("retry-after", "7").set_body_string("slow down");
            let failure = failure(kind, answer).await;
            let after = Again::After(Some(SignedDuration::from_secs(7)));
            assert_eq!(failure.again, after, "{kind} {status}: {failure:?}");
        }
        let unnamed = failure(kind, ResponseTemplate::new(503)).await;
        assert_eq!(unnamed.again, Again::After(None), "{kind}: {unnamed:?}");
    }
}

#[tokio::test]
async fn a_service_in_trouble_leaves_it_open() {
    for kind in KINDS {
        for answer in [
            ResponseTemplate::new(500).set_body_json(json!({ "message": "Internal error" })),
            ResponseTemplate::new(502).set_body_string(PAGE_OF_A_PROXY),
            ResponseTemplate::new(504),
        ] {
            let failure = failure(kind, answer).await;
            assert_eq!(failure.again, Again::Maybe, "{kind}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_services_is_no_receipt() {
    for kind in with_a_receipt() {
        for answer in [
            ResponseTemplate::new(200).set_body_string(PAGE_OF_A_PROXY),
            ResponseTemplate::new(200),
            ResponseTemplate::new(202).set_body_json(json!({ "hello": "world" })),
            ResponseTemplate::new(200).set_body_json(json!([1, 2])),
            ResponseTemplate::new(200)
                .set_body_json(json!({ "id": 7, "sid": ["x"], "ok": "yes", "status": null })),
        ] {
            let failure = failure(kind, answer).await;
            assert_eq!(failure.again, Again::Maybe, "{kind}: {failure:?}");
            assert!(failure.next.contains("proxy"), "{kind}: {failure:?}");
        }
    }
    let page = failure("teams", ResponseTemplate::new(200).set_body_string(PAGE_OF_A_PROXY)).await;
    assert_eq!(page.again, Again::Maybe);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for kind in KINDS {
        let answer = ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:1/");
        let failure = failure(kind, answer).await;
        assert_eq!(failure.again, Again::Never, "{kind}: {failure:?}");
        assert!(failure.why.contains("302"), "{kind}: {failure:?}");
    }
}

#[tokio::test]
async fn no_secret_that_a_service_echoes_is_shown() {
    for kind in KINDS {
        for status in [200, 400, 401, 403, 404, 500] {
            let service = Service::start(move |request| {
                let headers: Vec<String> =
                    request.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                let body = String::from_utf8_lossy(&request.body);
                let target = format!("{}?{}", request.url.path(), request.url.query().unwrap_or_default());
                let echo = format!("{} {target} {} {body}", request.method, headers.join(" "));
                let said =
                    json!({ "ok": false, "error": echo, "message": echo, "errors": [echo], "code": 7 });
                json(status, said)
            })
            .await;
            let rig = Rig::new(kind, &service.url());
            match rig.build().send(&page(kind)).await {
                Err(failure) => is_fit_to_be_shown(kind, &rig, &failure),
                Ok(receipt) => {
                    let shown = format!("{receipt:?}");
                    assert!(rig.hidden().iter().all(|hidden| !shown.contains(hidden)), "{kind}: {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_said_and_nothing_is_sent() {
    for kind in KINDS {
        let service = Service::saying(ResponseTemplate::new(200)).await;
        let rig = Rig::new(kind, &service.url()).without_secrets();
        let failure = rig.build().send(&page(kind)).await.unwrap_err();
        assert_eq!(failure.again, Again::Never, "{kind}: {failure:?}");
        assert!(
            failure.why.contains("the-") && failure.next.contains("lifeboat secret set"),
            "{kind}: {failure:?}"
        );
        assert!(service.requests().await.is_empty(), "{kind}");
    }
}
