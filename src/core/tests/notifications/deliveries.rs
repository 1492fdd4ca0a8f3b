//! What becomes of a message: attempts, ways, receipts, alerts that providers keep.

use super::*;

#[test]
fn a_failed_way_gives_place_to_the_next_at_once() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match channel {
        "phone" => refused("21211: not a number", Again::Never),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(seconds(1));
    assert_eq!(telling.asked, ["+0:00 page Alice by phone", "+0:00 page Alice by email"]);
    assert_eq!(
        (status(&telling, 1), status(&telling, 2)),
        (DeliveryStatus::Failed, DeliveryStatus::Accepted)
    );
}

#[test]
fn attempts_back_off_follow_the_provider_and_end_with_the_patience_of_the_channel() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match (channel, attempt) {
        ("phone", 1) => refused("no connection", Again::After(None)),
        ("phone", 2) => refused("429", Again::After(Some(seconds(60)))),
        ("phone", _) => refused("503", Again::After(None)),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(minutes(4));
    let phone: Vec<&String> = telling.asked.iter().filter(|line| line.ends_with("phone")).collect();
    assert_eq!(
        phone[..3],
        ["+0:00 page Alice by phone", "+0:02 page Alice by phone", "+1:02 page Alice by phone"]
    );
    let email = telling.asked.iter().position(|line| line.ends_with("email")).unwrap();
    assert_eq!(
        email,
        telling.asked.len() - 1,
        "the next way comes after the last attempt: {:?}",
        telling.asked
    );
    assert!(telling.asked[email].starts_with("+2:"), "within its three minutes: {}", telling.asked[email]);
}

#[test]
fn what_may_have_arrived_is_only_sent_again_where_the_provider_knows_it() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|channel, name, attempt| match attempt {
        1 => refused("no answer", Again::Maybe),
        _ => accepted()(channel, name, attempt),
    });
    telling.declare(Severity::P1, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.take_asked(), ["+0:00 page PAGER by pager", "+0:02 page PAGER by pager"]);
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|_, _, _| refused("no answer", Again::Maybe));
    telling.declare(Severity::P0, Mode::Live);
    telling.pass(seconds(5));
    assert_eq!(telling.take_asked(), ["+0:00 page Alice by phone", "+0:00 page Alice by email"]);
    assert_eq!(
        (status(&telling, 1), status(&telling, 2)),
        (DeliveryStatus::Unknown, DeliveryStatus::Unknown)
    );
}

#[test]
fn an_attempt_that_nobody_saw_the_end_of_is_unknown_or_made_again_under_its_key() {
    for (severity, after) in [(Severity::P0, DeliveryStatus::Unknown), (Severity::P1, DeliveryStatus::Queued)]
    {
        let mut telling = Telling::new(plan());
        telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
        telling.machine.ask(Ask::SetSeverity { severity, reason: "seen".into() }).unwrap();
        while !matches!(telling.machine.log.last().unwrap().fact, Fact::NotificationStarted { .. }) {
            telling.machine.effects.clear();
            telling.machine.report(Report::Tick).unwrap();
        }
        let key = telling.machine.model.durable.notifications[0].queued.key.clone();
        let log = std::mem::take(&mut telling.machine.log);
        let now = telling.machine.now;
        telling.machine = crate::core::tests::fixture::Machine::resumed_under(telling.plan.clone(), log, now);
        assert_eq!(status(&telling, 1), after);
        telling.pass(seconds(3));
        let told = telling.take_asked();
        match severity {
            Severity::P0 => assert!(told[0].ends_with("Alice by email"), "the next way: {told:?}"),
            _ => assert!(told[0].ends_with("PAGER by pager") && told.len() == 1, "{told:?}"),
        }
        assert_eq!(telling.machine.model.durable.notifications[0].queued.key, key);
    }
}

#[test]
fn somebody_acknowledges_at_the_provider() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    assert_eq!(telling.tracking.len(), 1, "the pager is asked");
    let first = id(&telling, 1);
    telling.heard(&first, Tracked::Acknowledged("Carol".into()));
    let taken = decide::current_escalation(&telling.machine.model).unwrap().acknowledged.clone().unwrap();
    assert_eq!((taken.who.as_str(), taken.via.as_str()), ("Carol", "PAGER"));
    assert_eq!(status(&telling, 1), DeliveryStatus::Acknowledged);
    telling.pass(minutes(5));
    assert_eq!(telling.asked.len(), 1, "its own alert needs no acknowledgement: {:?}", telling.asked);
    // After a crash it is not asked again.
    telling.crash(seconds(1));
    assert!(telling.tracking.is_empty());
}

#[test]
fn a_call_that_was_not_answered_gives_place_to_the_next_way() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P0, Mode::Live);
    let first = id(&telling, 1);
    telling.heard(&first, Tracked::Failed("nobody picked up".into()));
    telling.pass(seconds(1));
    assert_eq!(telling.asked.last().unwrap(), "+0:00 page Alice by email");
}

#[test]
fn pages_that_nobody_needs_any_more_are_not_sent() {
    let mut plan = plan();
    plan.channels["phone"].parallel = 1;
    plan.policies["path"].levels[0].who = vec![who("alice"), who("bob"), who("lead")];
    plan.policies["path"].levels[0].tries = Fallbacks::All;
    let mut telling = Telling::new(plan);
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "seen".into() }).unwrap();
    for _ in 0..3 {
        telling.machine.report(Report::Tick).unwrap();
    }
    let sent = |telling: &Telling| {
        let known = telling.machine.model.durable.notifications.values();
        known
            .filter(|known| {
                known.status == DeliveryStatus::Sent && known.queued.way.channel.as_str() == "phone"
            })
            .count()
    };
    assert_eq!(sent(&telling), 1, "the channel takes one at a time");
    telling.acknowledge();
    telling.pass(seconds(2));
    let phones = telling.asked.iter().filter(|line| line.ends_with("by phone")).count();
    assert_eq!(phones, 1, "{:?}", telling.asked);
    let reason = telling.machine.log.iter().find_map(|event| match &event.fact {
        Fact::NotificationFinished { attempted: Attempted::Failed { failure, .. }, .. } => {
            Some(failure.why.clone())
        }
        _ => None,
    });
    assert_eq!(reason.unwrap(), "alice acknowledged before this was sent");
}

#[test]
fn a_resolved_incident_closes_its_alerts_and_a_new_problem_reopens_it() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.take_asked();
    telling.machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:01 resolve PAGER by pager"]);
    telling.machine.ask(Ask::Reopen { reason: "it came back".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:03 page PAGER by pager"]);
    let keys: HashSet<&str> =
        telling.machine.model.durable.notifications.values().map(|known| known.queued.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "a new alert, since the first one is closed: {keys:?}");
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(telling.take_asked(), ["+0:05 resolve PAGER by pager"]);
}

#[test]
fn a_thousand_messages_are_started_as_their_channel_takes_them() {
    let mut plan = plan();
    let many: Vec<String> = (0..1_000).map(|number| format!("c{number}")).collect();
    let model = plan.contacts["cto"].clone();
    for id in &many {
        plan.contacts.insert(
            id.as_str().into(),
            Contact {
                name: id.clone(),
                addresses: [("email".to_owned(), id.clone())].into(),
                ..model.clone()
            },
        );
    }
    plan.policies["path"].levels[0].who = many.iter().map(|id| who(id)).collect();
    plan.policies["path"].levels[0].methods = vec!["email".into()];
    plan.channels["email"].parallel = 20;
    let mut telling = Telling::new(plan);
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    telling.machine.ask(Ask::SetSeverity { severity: Severity::P0, reason: "seen".into() }).unwrap();
    for _ in 0..3 {
        telling.machine.report(Report::Tick).unwrap();
    }
    let under_way = |telling: &Telling| {
        telling
            .machine
            .model
            .durable
            .notifications
            .values()
            .filter(|known| known.status == DeliveryStatus::Sent)
            .count()
    };
    assert_eq!(under_way(&telling), 20);
    telling.answer();
    telling.pass(seconds(1));
    assert_eq!(telling.asked.len(), 1_000);
}

#[test]
fn a_page_by_hand_has_an_alert_of_its_own_that_stays_until_it_is_over() {
    let mut telling = Telling::new(Plan { policies: Default::default(), ..plan() });
    telling.machine.ask(Ask::Declare { title: "It is gone".into(), mode: Mode::Live }).unwrap();
    let page = || Ask::Page { who: who("lead"), methods: vec!["pager".into()], text: "look".into() };
    telling.machine.ask(page()).unwrap();
    telling.pass(seconds(5));
    let told = |telling: &mut Telling| -> Vec<String> {
        telling.take_asked().iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    assert_eq!(told(&mut telling), ["page PAGER by pager"], "and no end of it a second later");
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.pass(seconds(2));
    assert_eq!(told(&mut telling), ["resolve PAGER by pager"]);

    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.machine.ask(page()).unwrap();
    telling.pass(seconds(2));
    let keys: HashSet<&str> =
        telling.machine.model.durable.notifications.values().map(|known| known.queued.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "what is acknowledged already would wake nobody: {keys:?}");
}

#[test]
fn an_acknowledgement_cut_off_behind_its_first_record_is_asked_for_again() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    let first = id(&telling, 1);
    let before = telling.machine.log.len();
    telling
        .machine
        .report(Report::Tracked { id: first.as_str().into(), tracked: Tracked::Acknowledged("Carol".into()) })
        .unwrap();
    assert_eq!(telling.machine.log.len(), before + 2);
    telling.machine.log.truncate(before + 1);
    telling.crash(seconds(1));
    let taken = decide::current_escalation(&telling.machine.model).unwrap().acknowledged.is_some();
    assert!(taken && telling.tracking == [NotificationId::from(first.as_str())]);
}

#[test]
fn a_new_incident_does_not_forget_the_alerts_of_the_one_before() {
    let mut telling = Telling::new(plan());
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.take_asked();
    telling.machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    telling.machine.now = telling.machine.now.checked_add(seconds(1)).unwrap();
    telling.machine.ask(Ask::Declare { title: "Another one".into(), mode: Mode::Live }).unwrap();
    telling.pass(seconds(3));
    let told: Vec<&str> = telling.asked.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(told, ["resolve PAGER by pager"]);
    let mut names: Vec<String> = telling
        .machine
        .log
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::NotificationsQueued { to, .. } => {
                Some(to.iter().map(|queued| queued.id.to_string()).collect::<Vec<_>>())
            }
            _ => None,
        })
        .flatten()
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "no name comes twice: {names:?}");
}

#[test]
fn what_may_have_arrived_is_never_called_failed_and_its_alert_is_closed() {
    let mut telling = Telling::new(plan());
    telling.provider = Box::new(|_, _, _| refused("no answer", Again::Maybe));
    telling.declare(Severity::P1, Mode::Live);
    telling.acknowledge();
    telling.pass(seconds(4));
    assert_eq!(status(&telling, 1), DeliveryStatus::Unknown);
    telling.provider = accepted();
    telling.machine.ask(Ask::Resolve { how: "mended".into() }).unwrap();
    telling.pass(seconds(2));
    assert!(telling.asked.iter().any(|line| line.ends_with("resolve PAGER by pager")), "{:?}", telling.asked);
}
