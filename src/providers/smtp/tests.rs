use super::mail::compose;
use super::*;
use crate::core::words::notification::{Intent, Message};
use crate::plan::params::Param;
use crate::providers::smtp::client::Fault;

fn outgoing() -> Outgoing {
    Outgoing {
        message: Message {
            subject: "[P0] ARKA: Störung".into(),
            body: "First line.\n.\nZweite Zeile: größer.".into(),
            witness: "Journal #7 lusab-babad".into(),
            severity: None,
            drill: false,
            page_status: None,
            component_status: None,
        },
        intent: Intent::Page,
        address: Some("ana@example.org".into()),
        recipient: "Ana".into(),
        incident: "inc-1".into(),
        plan: "ARKA".into(),
        key: "arka/inc-1/n1".into(),
        thread: None,
        attempt: 1,
        queued_at: "2026-11-28T13:00:00Z".parse().unwrap(),
    }
}

fn from() -> Mailbox {
    "Lifeboat <lifeboat@example.com>".parse().unwrap()
}

fn text_of(outgoing: &Outgoing) -> String {
    let content = compose(outgoing, &from(), None).unwrap().content;
    assert!(content.is_ascii());
    String::from_utf8(content).unwrap()
}

/// The names of the headers.
fn headers(mail: &str) -> Vec<&str> {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    head.split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|l| l.split(':').next().unwrap())
        .collect()
}

#[test]
fn no_line_break_of_a_text_becomes_a_header() {
    let plain = text_of(&outgoing());
    let mut hostile = outgoing();
    hostile.message.subject = "Down\r\nBcc: eve@example.org\r\n\r\nbody".into();
    hostile.recipient = "Ana\r\nBcc: eve@example.org".into();
    hostile.thread = Some("<a@b>\r\nBcc: eve@example.org".into());
    let mail = text_of(&hostile);
    assert_eq!(headers(&mail), headers(&plain), "{mail}");
    hostile.address = Some("ana@example.org\r\nBcc: eve@example.org".into());
    let failure = compose(&hostile, &from(), None).err().unwrap();
    assert_eq!(failure.again, Again::Never);
    assert!(!failure.why.contains('\n'), "{failure:?}");
}

#[test]
fn the_same_message_is_the_same_mail_and_others_refer_to_it() {
    let first = compose(&outgoing(), &from(), None).unwrap();
    let again = compose(&Outgoing { attempt: 2, ..outgoing() }, &from(), None).unwrap();
    assert_eq!(first.content, again.content);
    assert_eq!(first.thread, first.message_id);
    let key = "arka/inc-1/n2".to_owned();
    let next = Outgoing { key, thread: Some(first.thread.clone()), intent: Intent::Inform, ..outgoing() };
    let next = compose(&next, &from(), None).unwrap();
    assert_ne!(next.message_id, first.message_id);
    assert_eq!(next.thread, first.message_id);
    let text = String::from_utf8(next.content).unwrap();
    for header in ["In-Reply-To", "References"] {
        assert!(text.contains(&format!("{header}: {}\r\n", first.message_id)), "{text}");
    }
    assert!(!text.contains("X-Priority"), "{text}");
}

#[test]
fn queue_ids_are_found_where_servers_put_them() {
    assert_eq!(queue_id("250 2.0.0 Ok: queued as 4F3KQ1"), Some("4F3KQ1"));
    assert_eq!(queue_id("250 OK id=1sXyZ-0001-Ab"), Some("1sXyZ-0001-Ab"));
    assert_eq!(queue_id("250 2.0.0 OK"), None);
    assert_eq!(queue_id("250 queued as "), None);
}

fn channel(params: &[(&str, Param)]) -> Channel {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Channel {
        id: "mail".into(),
        title: "Email".into(),
        kind: "smtp".into(),
        address: Some("email".into()),
        capabilities: Capabilities::default(),
        give_up_after: jiff::SignedDuration::from_mins(10),
        timeout: jiff::SignedDuration::from_secs(5),
        parallel: 4,
        params: Params(params),
    }
}

fn built(params: &[(&str, Param)]) -> Result<(), String> {
    let clients = Clients::new(Default::default(), std::path::Path::new("/nonexistent"), Default::default());
    build(&channel(params), &clients).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_password_never_goes_over_a_network_in_clear_text() {
    let text = |text: &str| Param::Text(text.into());
    let password = Param::Secret(SecretRef { name: "smtp-password".parse().unwrap() });
    let with = |host: &str, tls: &str| {
        built(&[
            ("host", text(host)),
            ("tls", text(tls)),
            ("from", text("a@example.com")),
            ("username", text("a")),
            ("password", password.clone()),
        ])
    };
    assert_eq!(with("mail.example.com", "starttls"), Ok(()));
    for host in ["localhost", "127.0.0.1", "::1"] {
        assert_eq!(with(host, "none"), Ok(()));
    }
    assert!(with("mail.example.com", "none").unwrap_err().contains("clear text"));
    assert!(with("localhost.example.com", "none").is_err());
    let half = built(&[("host", text("h")), ("from", text("a@example.com")), ("username", text("a"))]);
    assert!(half.unwrap_err().contains("password"));
    let from = built(&[("host", text("h")), ("from", text("nobody"))]);
    assert!(from.unwrap_err().contains("from = \"nobody\""));
}

#[test]
fn after_the_text_went_out_only_a_refusal_is_certain() {
    let arrived = |stage, fault| SmtpError { stage, fault }.may_have_arrived();
    assert!(arrived(Stage::Content, Fault::Cut(String::new())));
    assert!(arrived(Stage::Content, Fault::NotSmtp("?".into())));
    assert!(!arrived(Stage::Content, Fault::Refused(451, String::new())));
    assert!(!arrived(Stage::Data, Fault::Late(Duration::from_secs(1))));
}
