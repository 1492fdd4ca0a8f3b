//! `twilio-sms` and `twilio-voice` against the Message and Call resources of the 2010-04-01 API.

use crate::rig::*;
use crate::service::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use lifeboat::core::words::notification::{Again, Receipt, Tracked};
use lifeboat::kinds::channel::Outgoing;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

const MESSAGE: &str = "SM1f0e8ae6ade43cb3c0ce4525424e404f";
const CALL: &str = "CAbf1e8ae6ade43cb3c0ce4525424e404f";

fn error(status: u16, code: u32, message: &str) -> ResponseTemplate {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    json(status, json!({ "code": code, "message": message, "more_info": more, "status": status }))
}

/// Twilio, with one account; `resource` is what it shows of the message or call.
fn twilio(request: &Request, resource: &Value) -> ResponseTemplate {
    let basic = STANDARD.encode(format!("{TWILIO_ACCOUNT}:{TWILIO_TOKEN}"));
    if header(request, "authorization") != format!("Basic {basic}") {
        return error(401, 20003, "Authenticate");
    }
    let account = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}");
    let path = request.url.path().strip_prefix(&*account).unwrap_or_default();
    if request.method == "GET" {
        return match path {
            ".json" => {
                json(200, json!({ "sid": TWILIO_ACCOUNT, "friendly_name": "ARKA", "status": "active" }))
            }
            path if path == format!("/Messages/{MESSAGE}.json") || path == format!("/Calls/{CALL}.json") => {
                json(200, resource.clone())
            }
            _ => error(404, 20404, "The requested resource was not found"),
        };
    }
    if header(request, "content-type") != "application/x-www-form-urlencoded" {
        return error(400, 20001, "Unknown parameters");
    }
    let fields = form(request);
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
    let is_e164 = |number: &str| {
        number
            .strip_prefix('+')
            .is_some_and(|digits| digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_voice = path == "/Calls.json";
    let known: &[&str] =
        if is_voice { &["To", "From", "Twiml"] } else { &["To", "From", "MessagingServiceSid", "Body"] };
    if let Some((name, _)) = fields.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return error(400, 20001, &format!("Unknown parameter {name}"));
    }
    match field("To") {
        to if !is_e164(to) => return error(400, 21211, &format!("Invalid 'To' Phone Number: {to}")),
        "+15005550001" => return error(400, 21211, "Invalid 'To' Phone Number"),
        "+15005550004" => return error(400, 21610, "Attempt to send to unsubscribed recipient"),
        "+15005550008" => {
            return error(
                429,
                21611,
                "This 'From' number has exceeded the maximum number of queued messages",
            );
        }
        _ => {}
    }
    if !is_e164(field("From")) && !field("MessagingServiceSid").starts_with("MG") {
        return error(400, 21212, "The 'From' number is not a valid phone number");
    }
    match path {
        "/Messages.json" if (1..=1600).contains(&field("Body").chars().count()) => {
            json(201, json!({ "sid": MESSAGE, "status": "queued", "to": field("To"), "error_code": null }))
        }
        "/Messages.json" => {
            error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        }
        "/Calls.json" if is_twiml(field("Twiml")) => {
            json(201, json!({ "sid": CALL, "status": "queued", "to": field("To"), "duration": null }))
        }
        "/Calls.json" => error(400, 21205, "Url is not a valid URL"),
        _ => error(404, 20404, "The requested resource was not found"),
    }
}

/// A response of `Say` and `Pause` alone, read as XML.
fn is_twiml(twiml: &str) -> bool {
    let Some(inner) = twiml.strip_prefix("<Response>").and_then(|rest| rest.strip_suffix("</Response>"))
    else {
        return false;
    };
    let mut rest = inner;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("<Pause length=\"1\"/>") {
            rest = after;
            continue;
        }
        let Some((text, after)) =
            rest.strip_prefix("<Say language=\"en-US\">").and_then(|said| said.split_once("</Say>"))
        else {
            return false;
        };
        let unescaped = ["&lt;", "&gt;", "&amp;", "&quot;"]
            .iter()
            .fold(text.to_owned(), |text, one| text.replace(one, ""));
        if unescaped.contains(['<', '>', '&']) || unescaped.chars().any(|c| c.is_control()) {
            return false;
        }
        rest = after;
    }
    twiml.chars().count() <= 4_000
}

async fn service() -> Service {
    Service::start(|request| twilio(request, &Value::Null)).await
}

fn to(kind: &str, address: &str) -> Outgoing {
    Outgoing { address: Some(address.into()), ..page(kind) }
}

#[tokio::test]
async fn a_text_message_is_sent() {
    let service = service().await;
    let receipt = Rig::new("twilio-sms", &service.url()).build().send(&page("twilio-sms")).await.unwrap();
    let request = &service.requests().await[0];
    assert_eq!(request.url.path(), format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json"));
    let body = "[P0] ARKA: Primary region down\nP0 ARKA: Primary region down\nDetected 2026-03-31 02:14:00Z, 4m ago.\n\
                Journal #42 lusab-babad-gutih-tugad";
    let fields = [("To", "+14155550123"), ("From", "+15005550006"), ("Body", body)];
    assert_eq!(form(request), fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((&*receipt.id, &*receipt.answer), (MESSAGE, "201 queued"));
}

#[tokio::test]
async fn a_messaging_service_can_be_the_sender() {
    let service = service().await;
    let rig = Rig::new("twilio-sms", &service.url()).with("from", text("MG9752274e9e519418a7406176694466fa"));
    rig.build().send(&page("twilio-sms")).await.unwrap();
    let fields = form(&service.requests().await[0]);
    assert_eq!(
        fields[1],
        ("MessagingServiceSid".to_owned(), "MG9752274e9e519418a7406176694466fa".to_owned())
    );
}

#[tokio::test]
async fn a_call_reads_the_message_twice_and_the_head_word_by_word() {
    let service = service().await;
    let receipt = Rig::new("twilio-voice", &service.url()).build().send(&page("twilio-voice")).await.unwrap();
    assert_eq!((&*receipt.id, &*receipt.answer), (CALL, "201 queued"));
    let fields = form(&service.requests().await[0]);
    let said = "[P0] ARKA: Primary region down. P0 ARKA: Primary region down. Detected 2026-03-31 02:14:00Z, 4m ago.";
    let once = format!("<Say language=\"en-US\">{said}</Say><Pause length=\"1\"/>");
    let word = |word: &str| format!("<Say language=\"en-US\">{word}</Say><Pause length=\"1\"/>");
    let head = ["Journal", "#42", "lusab", "babad", "gutih", "tugad"].map(word).concat();
    assert_eq!(fields[2], ("Twiml".to_owned(), format!("<Response>{once}{once}{head}</Response>")));
}

#[tokio::test]
async fn hostile_text_is_read_out_and_does_nothing() {
    let service = service().await;
    for kind in ["twilio-sms", "twilio-voice"] {
        let hostile = hostile(kind);
        Rig::new(kind, &service.url()).build().send(&hostile).await.unwrap();
        let fields = form(service.requests().await.last().unwrap());
        assert_eq!(fields.len(), 3, "{fields:?}");
        assert_eq!(fields[0].1, "+14155550123");
        assert!(!fields[2].1.contains(['\x1b', '\u{202e}', '\r']), "{fields:?}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_says_so() {
    let service = service().await;
    let long = |kind: &str| saying(kind, "[P0] ARKA", &"<down> ".repeat(600));
    let receipt = Rig::new("twilio-sms", &service.url()).build().send(&long("twilio-sms")).await.unwrap();
    assert!(receipt.cut.contains("to 1600 characters"), "{receipt:?}");
    let receipt = Rig::new("twilio-voice", &service.url()).build().send(&long("twilio-voice")).await.unwrap();
    assert!(receipt.cut.starts_with("cut from "), "{receipt:?}");
}

#[tokio::test]
async fn errors_are_told_by_their_code() {
    let service = service().await;
    let sms = Rig::new("twilio-sms", &service.url()).build();
    for (number, code, again, advice) in [
        ("+15005550001", 21211, Again::Never, "correct the contact's address"),
        ("+15005550004", 21610, Again::Never, "START"),
        ("+15005550008", 21611, Again::After(None), "tried again"),
    ] {
        let failure = sms.send(&to("twilio-sms", number)).await.unwrap_err();
        assert_eq!(failure.again, again, "{failure:?}");
        assert!(failure.why.contains(&format!(": {code}: ")) && failure.next.contains(advice), "{failure:?}");
    }
    for kind in ["twilio-sms", "twilio-voice"] {
        let wrong = Rig::new(kind, &service.url()).secret("auth_token", "wrong-token-0000").build();
        for failure in [wrong.send(&page(kind)).await.unwrap_err(), wrong.check().await.unwrap_err()] {
            assert_eq!(
                (failure.again, &*failure.why),
                (Again::Never, "Twilio: answered 401: 20003: Authenticate")
            );
            assert!(failure.next.contains("auth token"), "{failure:?}");
        }
    }
    let limited =
        Service::saying(error(429, 20429, "Too Many Requests").insert_header("retry-after", "1")).await;
    let failure = Rig::new("twilio-sms", &limited.url()).build().send(&page("twilio-sms")).await.unwrap_err();
    assert_eq!(failure.again, Again::After(Some(SignedDuration::from_secs(1))));
}

#[tokio::test]
async fn a_number_that_is_none_never_leaves() {
    let service = service().await;
    for kind in ["twilio-sms", "twilio-voice"] {
        for number in ["0171 5550123", "ana@example.com", ""] {
            let failure = Rig::new(kind, &service.url()).build().send(&to(kind, number)).await.unwrap_err();
            assert_eq!(failure.again, Again::Never);
            assert!(failure.next.contains("+14155550123"), "{failure:?}");
        }
    }
    assert!(service.requests().await.is_empty());
}

async fn tracked(kind: &str, id: &str, resource: Value) -> Tracked {
    let service = Service::start(move |request| twilio(request, &resource)).await;
    let receipt = Receipt { id: id.into(), ..Receipt::default() };
    Rig::new(kind, &service.url()).build().track(&page(kind), &receipt).await.unwrap()
}

#[tokio::test]
async fn it_is_known_what_became_of_a_text_message() {
    for status in ["accepted", "queued", "sending", "sent", "a_word_of_next_year"] {
        let seen =
            tracked("twilio-sms", MESSAGE, json!({ "sid": MESSAGE, "status": status, "error_code": null }))
                .await;
        assert_eq!(seen, Tracked::Pending, "{status}");
    }
    let seen = tracked("twilio-sms", MESSAGE, json!({ "sid": MESSAGE, "status": "delivered" })).await;
    assert_eq!(seen, Tracked::Delivered("delivered, as the carrier says".into()));
    let lost = json!({ "sid": MESSAGE, "status": "undelivered", "error_code": 30003, "error_message": null });
    let why = "Twilio: undelivered (30003: the handset is off or out of reach)";
    assert_eq!(tracked("twilio-sms", MESSAGE, lost).await, Tracked::Failed(why.into()));
}

#[tokio::test]
async fn it_is_known_what_became_of_a_call() {
    for status in ["queued", "ringing", "in-progress"] {
        assert_eq!(
            tracked("twilio-voice", CALL, json!({ "sid": CALL, "status": status })).await,
            Tracked::Pending
        );
    }
    let answered = json!({ "sid": CALL, "status": "completed", "duration": "37" });
    let said = "answered by somebody or by voicemail, 37 s";
    assert_eq!(tracked("twilio-voice", CALL, answered).await, Tracked::Delivered(said.into()));
    for (status, why) in
        [("busy", "busy"), ("no-answer", "nobody"), ("failed", "put through"), ("canceled", "cancelled")]
    {
        let Tracked::Failed(said) =
            tracked("twilio-voice", CALL, json!({ "sid": CALL, "status": status })).await
        else {
            panic!("{status}");
        };
        assert!(said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn the_check_looks_at_the_account_and_costs_nothing() {
    let service = service().await;
    let seen = Rig::new("twilio-voice", &service.url()).build().check().await.unwrap().unwrap();
    assert!(seen.contains("ARKA is active"), "{seen}");
    let closed = json(200, json!({ "sid": TWILIO_ACCOUNT, "friendly_name": "ARKA", "status": "suspended" }));
    let service = Service::saying(closed).await;
    let failure = Rig::new("twilio-sms", &service.url()).build().check().await.unwrap_err();
    assert!(failure.why.contains("suspended"), "{failure:?}");
}
