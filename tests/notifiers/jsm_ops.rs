//! `jsm-ops` against the interfaces of Jira Service Management: an integration's, and the site's for an account.

use crate::rig::*;
use crate::service::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifeboat::core::words::notification::{Again, Intent, Receipt, Tracked};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const REQUEST: &str = "43a29c5c-3dbf-4fa4-9c26-f4f71023e120";
const INTEGRATION: &str = "/jsm/ops/integration/v2/alerts";
const SITE: &str = "/jsm/ops/api/11111111-2222-3333-4444-555555555555/v1/alerts";
const ACCOUNT: &str = "lifeboat@example.com";
const TOKEN: &str = "ATATT3xFfGF0kQ9mXbW2";

/// Jira, where requests are taken. `found` is what the site shows of the alert.
fn jira(request: &Request, found: &Value) -> ResponseTemplate {
    let path = request.url.path();
    let refused = |status: u16, message: &str| json(status, json!({ "message": message, "took": 0.0 }));
    if let Some(rest) = path.strip_prefix(SITE) {
        let account = STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
        if header(request, "authorization") != format!("Basic {account}") {
            return refused(401, "Unauthorized; scope does not match");
        }
        let by_alias = request.url.query().is_some_and(|query| query.starts_with("alias=lifeboat-"));
        return match rest {
            "" => json(200, json!({ "values": [found], "count": 1 })),
            "/alias" if by_alias && !found.is_null() => json(200, found.clone()),
            _ => refused(404, "Alert does not exist"),
        };
    }
    if header(request, "authorization") != format!("GenieKey {OPSGENIE_KEY}") {
        return refused(401, "Key format is not valid!");
    }
    match (request.method.as_str(), path.strip_prefix(INTEGRATION)) {
        ("POST", Some(_)) => {
            json(202, json!({ "result": "Request will be processed", "took": 0.1, "requestId": REQUEST }))
        }
        (_, Some(rest)) if rest == format!("/requests/{REQUEST}") => {
            let failed =
                json!({ "success": false, "action": "Create", "status": "Responder does not exist" });
            json(200, json!({ "data": failed, "requestId": REQUEST }))
        }
        _ => refused(404, "Not found"),
    }
}

async fn service(found: Value) -> Service {
    Service::start(move |request| jira(request, &found)).await
}

fn with_account(base: &str) -> Rig {
    Rig::new("jsm-ops", base)
        .with("cloud_id", text("11111111-2222-3333-4444-555555555555"))
        .with("email", text(ACCOUNT))
        .secret("api_token", TOKEN)
}

#[tokio::test]
async fn an_alert_is_made_acknowledged_and_closed_at_the_integrations_interface() {
    let service = service(Value::Null).await;
    let jira = Rig::new("jsm-ops", &service.url()).with("responders", list(&["team:SRE"])).build();
    let receipt = jira.send(&page("jsm-ops")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.answer), (REQUEST, "202 Request will be processed"));
    let made = service.requests().await.remove(0);
    assert_eq!(made.url.path(), INTEGRATION);
    let made: Value = made.body_json().unwrap();
    assert_eq!((&made["priority"], &made["responders"][0]["name"]), (&json!("P1"), &json!("SRE")));
    let alias = made["alias"].as_str().unwrap();
    for (intent, action) in [(Intent::Acknowledge, "acknowledge"), (Intent::Resolve, "close")] {
        jira.send(&intending("jsm-ops", intent)).await.unwrap();
        let request = service.requests().await.pop().unwrap();
        assert_eq!(request.url.path(), format!("{INTEGRATION}/{alias}/{action}"));
        assert_eq!(request.url.query(), Some("identifierType=alias"));
    }
}

#[tokio::test]
async fn who_took_the_alert_on_is_asked_of_the_site() {
    let alert = |status: &str, acknowledged: bool, by: &str| {
        json!({ "id": "70413a06", "status": status, "acknowledged": acknowledged, "owner": by,
                "report": { "acknowledgedBy": by, "closedBy": if status == "closed" { by } else { "" } } })
    };
    for (found, expected) in [
        (alert("open", false, ""), Tracked::Pending),
        (alert("open", true, "ana@example.com"), Tracked::Acknowledged("ana@example.com".into())),
        (alert("closed", false, "ben@example.com"), Tracked::Acknowledged("ben@example.com".into())),
        (alert("open", true, "lifeboat"), Tracked::Pending),
        (alert("open", true, ""), Tracked::Acknowledged("somebody in Jira Service Management".into())),
        (Value::Null, Tracked::Failed("Jira Service Management: Responder does not exist".into())),
    ] {
        let service = service(found.clone()).await;
        let receipt = Receipt { id: REQUEST.into(), ..Receipt::default() };
        let jira = with_account(&service.url()).build();
        assert_eq!(jira.track(&page("jsm-ops"), &receipt).await.unwrap(), expected, "{found}");
        // Without an account only the request's own fate is known.
        let jira = Rig::new("jsm-ops", &service.url()).build();
        let told = Tracked::Failed("Jira Service Management: Responder does not exist".into());
        assert_eq!(jira.track(&page("jsm-ops"), &receipt).await.unwrap(), told);
    }
}

#[tokio::test]
async fn a_wrong_account_is_told_and_half_an_account_is_refused_before_the_night() {
    let service = service(json!({})).await;
    let seen = with_account(&service.url()).build().check().await.unwrap().unwrap();
    assert!(seen.contains("may read alerts"), "{seen}");
    assert_eq!(Rig::new("jsm-ops", &service.url()).build().check().await.unwrap(), None);
    let wrong = with_account(&service.url()).secret("api_token", "ATATT-wrong-00000").build();
    let failure = wrong.check().await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.starts_with("Jira Service Management answered 401"), "{failure:?}");
    let half = Rig::new("jsm-ops", &service.url()).with("email", text(ACCOUNT));
    let error = half.try_build().err().unwrap().to_string();
    assert!(error.contains("`cloud_id`, `email` and `api_token` together"), "{error}");
}
