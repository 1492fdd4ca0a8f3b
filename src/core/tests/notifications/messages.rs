//! Messages of the plan: due, sent, waived, due again.

use super::*;

#[test]
fn a_message_of_the_plan_is_due_until_a_person_sends_or_waives_it() {
    let mut telling = Telling::new(with_message(template("customers", &[Occasion::Declared])));
    telling.declare(Severity::P0, Mode::Live);
    let due = telling.machine.model.durable.due[0].clone();
    assert_eq!(due.by, telling.machine.now.checked_add(minutes(15)).unwrap());
    let draft =
        crate::core::prose::message::draft(&telling.machine.model, &"failover".into(), telling.machine.now)
            .unwrap();
    assert_eq!(draft.subject, "[P0] It is gone");
    telling.take_asked();
    let send = Ask::Send {
        message: Some("failover".into()),
        audience: "customers".into(),
        subject: draft.subject,
        body: "We are looking into it.".into(),
    };
    telling.machine.ask(send).unwrap();
    telling.answer();
    assert_eq!(telling.take_asked(), ["+0:00 inform PAGE by page"]);
    assert!(telling.machine.model.durable.due.is_empty());
    telling.pass(minutes(40));
    assert!(telling.machine.model.durable.due.is_empty(), "once");
    let mut sent = telling.machine.model.durable.sent_messages.iter();
    let sent = sent.find(|message| message.body.starts_with("We are looking")).unwrap();
    assert_eq!(sent.page_status, Some(PageStatus::Investigating));
    assert!(sent.witness.starts_with("Journal #"), "{}", sent.witness);
}

#[test]
fn updates_are_due_again_after_their_time_until_it_is_resolved() {
    let message = MessageTemplate {
        every: Some(minutes(30)),
        automatic: true,
        ..template("internal", &[Occasion::Declared])
    };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(minutes(65));
    telling.machine.ask(Ask::Resolve { how: "mended".into() }).unwrap();
    telling.pass(minutes(60));
    let informed: Vec<&String> =
        telling.asked.iter().filter(|line| line.contains("inform Team lead")).collect();
    assert_eq!(informed.len(), 3, "at 0, 30 and 60 minutes: {:?}", telling.asked);
}

#[test]
fn a_waived_message_needs_a_reason_and_is_not_sent() {
    let mut telling = Telling::new(with_message(template("customers", &[Occasion::Declared])));
    telling.declare(Severity::P0, Mode::Live);
    let skip_message = |reason: &str| Ask::SkipMessage { message: "failover".into(), reason: reason.into() };
    assert!(telling.machine.ask(skip_message(" ")).is_err());
    telling.machine.ask(skip_message("no customer saw it")).unwrap();
    telling.pass(minutes(30));
    assert!(telling.machine.model.durable.due.is_empty());
    assert!(!telling.asked.iter().any(|line| line.contains("inform")));
}

#[test]
fn a_drill_sends_customers_nothing() {
    let message = MessageTemplate { automatic: true, ..template("customers", &[Occasion::Declared]) };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P0, Mode::Drill);
    telling.pass(minutes(2));
    assert!(!telling.asked.iter().any(|line| line.contains("inform")), "{:?}", telling.asked);
    assert!(telling.machine.model.durable.due.is_empty(), "it is recorded and done");
}

#[test]
fn an_information_that_somebody_has_read_stops_no_page() {
    let message = MessageTemplate { automatic: true, ..template("internal", &[Occasion::Declared]) };
    let mut plan = with_message(message);
    plan.channels["email"].capabilities.tracks = true;
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(2));
    let inform = telling.machine.model.durable.notifications.iter();
    let id = inform
        .filter(|(_, known)| known.intent == Intent::Inform)
        .map(|(id, _)| id.to_string())
        .next()
        .unwrap();
    telling.heard(&id, Tracked::Acknowledged("A reader".into()));
    assert!(decide::current_escalation(&telling.machine.model).unwrap().acknowledged.is_none());
}

#[test]
fn an_automatic_message_that_reaches_nobody_stays_due() {
    let mut plan =
        with_message(MessageTemplate { automatic: true, ..template("internal", &[Occasion::Declared]) });
    for contact in plan.contacts.values_mut() {
        contact.addresses.shift_remove("email");
    }
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
}

#[test]
fn the_end_is_due_to_be_told_also_where_nobody_was_paged() {
    let message = template("internal", &[Occasion::Closed]);
    let mut telling = Telling::new(Plan { policies: Default::default(), ..with_message(message) });
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
}

#[test]
fn a_second_resolution_is_told_again() {
    let message = MessageTemplate { automatic: true, ..template("internal", &[Occasion::Resolved]) };
    let mut telling = Telling::new(with_message(message));
    telling.declare(Severity::P1, Mode::Live);
    for how in ["first", "second"] {
        telling.machine.ask(Ask::Resolve { how: how.into() }).unwrap();
        telling.pass(seconds(3));
        telling.machine.ask(Ask::Reopen { reason: "not over".into() }).unwrap();
        telling.pass(seconds(3));
    }
    let told = telling.asked.iter().filter(|line| line.contains("inform Team lead")).count();
    assert_eq!(told, 2, "{:?}", telling.asked);
}

#[test]
fn a_silence_is_no_change_of_severity() {
    let mut plan = with_message(template("internal", &[Occasion::Severity]));
    plan.policies["pager"].repage = Some(minutes(5));
    let mut telling = Telling::new(plan);
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(minutes(6));
    assert!(telling.machine.model.durable.due.is_empty());
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "worse".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.machine.model.durable.due.len(), 1);
}

#[test]
fn the_end_of_an_incident_is_told_by_the_severity_that_it_had() {
    for (severity, count) in [(Severity::P1, 1), (Severity::P0, 0)] {
        let message =
            MessageTemplate { severities: vec![severity], ..template("internal", &[Occasion::Closed]) };
        let mut telling = Telling::new(with_message(message));
        telling.declare(Severity::P1, Mode::Live);
        telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
        telling.pass(seconds(2));
        assert_eq!(telling.machine.model.durable.due.len(), count, "{severity:?}");
    }
}
