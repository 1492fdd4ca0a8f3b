//! `teams` against a workflow's trigger, and the Adaptive Card schema as far as the card uses it.

use crate::rig::*;
use crate::service::*;
use jiff::SignedDuration;
use lifeboat::core::words::notification::Again;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const RUN: &str = "08584656423564843212345678901CU12";

fn is_run(value: &Value) -> bool {
    let weights = is_one_of(&["Lighter", "Default", "Bolder"]);
    let sizes = is_one_of(&["Default", "Small", "Medium", "Large", "ExtraLarge"]);
    check(
        value,
        &[
            ("type", true, &is_one_of(&["TextRun"])),
            ("text", true, &is_text(8_000)),
            ("weight", false, &weights),
            ("size", false, &sizes),
        ],
    )
    .is_ok()
}

fn is_block(value: &Value) -> bool {
    let are_runs = |value: &Value| value.as_array().is_some_and(|runs| runs.iter().all(is_run));
    check(value, &[("type", true, &is_one_of(&["RichTextBlock"])), ("inlines", true, &are_runs)]).is_ok()
}

fn is_card(value: &Value) -> bool {
    let are_blocks = |value: &Value| value.as_array().is_some_and(|blocks| blocks.iter().all(is_block));
    check(
        value,
        &[
            ("$schema", true, &is_one_of(&["http://adaptivecards.io/schemas/adaptive-card.json"])),
            ("type", true, &is_one_of(&["AdaptiveCard"])),
            ("version", true, &is_one_of(&["1.2", "1.3", "1.4", "1.5"])),
            ("fallbackText", false, &is_text(1_000)),
            ("body", true, &are_blocks),
            ("msteams", false, &|value| *value == json!({ "width": "Full" })),
        ],
    )
    .is_ok()
}

/// The trigger "When a Teams webhook request is received".
fn workflow(request: &Request) -> ResponseTemplate {
    let refused =
        |status, code: &str| json(status, json!({ "error": { "code": code, "message": "Refused." } }));
    let query = request.url.query().unwrap_or_default();
    if request.method != "POST" || format!("{}?{query}", request.url.path()) != TEAMS_PATH {
        return refused(401, "DirectApiAuthorizationRequired");
    }
    if request.body.len() > 28 * 1024 {
        return refused(413, "RequestEntityTooLarge");
    }
    let is_attachment = |value: &Value| {
        check(
            value,
            &[
                ("contentType", true, &is_one_of(&["application/vnd.microsoft.card.adaptive"])),
                ("contentUrl", false, &|value| value.is_null()),
                ("content", true, &is_card),
            ],
        )
        .is_ok()
    };
    let is_list =
        |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_attachment));
    let body = request.body_json().unwrap();
    match check(&body, &[("type", true, &is_one_of(&["message"])), ("attachments", true, &is_list)]) {
        Ok(()) => ResponseTemplate::new(202).insert_header("x-ms-workflow-run-id", RUN),
        Err(why) => refused(400, &why),
    }
}

#[tokio::test]
async fn a_message_is_a_card_and_the_receipt_names_the_run() {
    let service = Service::start(workflow).await;
    let receipt = Rig::new("teams", &service.url()).build().send(&page("teams")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.answer), (RUN, "202 accepted: the workflow began"));
    let body = service.body().await;
    let card = &body["attachments"][0]["content"];
    let texts: Vec<&str> = card["body"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["inlines"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "[P0] ARKA: Primary region down",
            "P0 ARKA: Primary region down",
            "Detected 2026-03-31 02:14:00Z, 4m ago.",
            "Journal #42 lusab-babad-gutih-tugad"
        ]
    );
}

#[tokio::test]
async fn hostile_text_is_shown_as_it_is() {
    let service = Service::start(workflow).await;
    Rig::new("teams", &service.url()).build().send(&hostile("teams")).await.unwrap();
    let body = service.body().await;
    let line = body["attachments"][0]["content"]["body"][1]["inlines"][0]["text"].as_str().unwrap();
    assert!(
        line.starts_with(
            "\u{fffd}[31m<!channel> <@U1> & <https://evil.example|click> *b* \u{fffd}\"}], \"x\": 1"
        ),
        "{line}"
    );
}

#[tokio::test]
async fn a_card_that_is_too_large_is_cut_and_says_so() {
    for body in ["𝄞".repeat(8_000), "\"\n".repeat(2_000), "\\".repeat(20_000)] {
        let service = Service::start(workflow).await;
        let receipt =
            Rig::new("teams", &service.url()).build().send(&saying("teams", "[P0]", &body)).await.unwrap();
        assert!(receipt.cut.starts_with("cut from "), "{receipt:?}");
        let sent = String::from_utf8(service.requests().await[0].body.clone()).unwrap();
        assert!(sent.contains("Journal #42 lusab-babad-gutih-tugad"), "{sent}");
    }
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    for (status, code, again, advice) in [
        (401, "DirectApiAuthorizationRequired", Again::Never, "from anyone"),
        (404, "WorkflowNotFound", Again::Never, "gone"),
        (400, "WorkflowTriggerIsNotEnabled", Again::Never, "Turn the workflow on"),
        (413, "RequestEntityTooLarge", Again::Never, "by hand"),
        (429, "WorkflowThrottled", Again::After(Some(SignedDuration::from_secs(9))), "tried again"),
    ] {
        let said = json(status, json!({ "error": { "code": code, "message": "Look." } }))
            .insert_header("retry-after", "9");
        let service = Service::saying(said).await;
        let failure = Rig::new("teams", &service.url()).build().send(&page("teams")).await.unwrap_err();
        assert_eq!(failure.again, again, "{failure:?}");
        assert!(failure.why.contains(&format!("answered {status}: {code}: Look.")), "{failure:?}");
        assert!(failure.next.contains(advice), "{failure:?}");
    }
}

#[tokio::test]
async fn a_failure_that_comes_with_a_good_status_is_one() {
    let said = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x";
    for (said, again) in [(said.to_owned(), Again::After(None)), (said.replace("429", "413"), Again::Never)] {
        let service = Service::saying(ResponseTemplate::new(200).set_body_string(&*said)).await;
        let failure = Rig::new("teams", &service.url()).build().send(&page("teams")).await.unwrap_err();
        assert_eq!(failure.again, again, "{failure:?}");
    }
    let service = Service::saying(json(200, json!({ "error": { "code": "NoResponse" } }))).await;
    let failure = Rig::new("teams", &service.url()).build().send(&page("teams")).await.unwrap_err();
    assert!(failure.why.contains("NoResponse"), "{failure:?}");
}
