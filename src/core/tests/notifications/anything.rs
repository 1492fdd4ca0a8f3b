//! Whatever happens when.

use super::*;

#[derive(Clone, Debug)]
enum Deed {
    Pass(i64),
    Crash(i64),
    Acknowledge,
    Severity(Severity),
    Resolve,
    Reopen,
    Provider(u8),
    Heard(usize, bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (1..1_200_i64).prop_map(Deed::Pass),
        (1..600_i64).prop_map(Deed::Crash),
        Just(Deed::Acknowledge),
        prop_oneof![Just(Severity::P0), Just(Severity::P1)].prop_map(Deed::Severity),
        Just(Deed::Resolve),
        Just(Deed::Reopen),
        (0..4_u8).prop_map(Deed::Provider),
        (0..20_usize, any::<bool>()).prop_map(|(place, taken)| Deed::Heard(place, taken)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens when: the fold is the model, no attempt is repeated without cause, and what the provider has
    /// is not sent again.
    #[test]
    fn telling_is_a_fold_and_nothing_is_sent_twice(deeds in proptest::collection::vec(deed(), 1..14)) {
        let mut telling = Telling::new(plan());
        telling.declare(Severity::P1, Mode::Live);
        for deed in deeds {
            match deed {
                Deed::Pass(span) => telling.pass(seconds(span)),
                Deed::Crash(span) => telling.crash(seconds(span)),
                Deed::Acknowledge => drop(telling.machine.ask(Ask::Acknowledge)),
                Deed::Severity(severity) => {
                    telling.machine.ask(Ask::SetSeverity { severity, reason: "so".into() }).unwrap();
                }
                Deed::Resolve => drop(telling.machine.ask(Ask::Resolve { how: "so".into() })),
                Deed::Reopen => drop(telling.machine.ask(Ask::Reopen { reason: "so".into() })),
                Deed::Provider(0) => telling.provider = accepted(),
                Deed::Provider(1) => telling.provider = Box::new(|_, _, _| refused("no", Again::Never)),
                Deed::Provider(2) => telling.provider = Box::new(|_, _, _| refused("later", Again::After(None))),
                Deed::Provider(_) => telling.provider = Box::new(|_, _, _| refused("silence", Again::Maybe)),
                Deed::Heard(place, taken) => {
                    let known = telling.machine.model.durable.notifications.keys().nth(place).cloned();
                    let tracked = if taken { Tracked::Acknowledged("Carol".into()) } else { Tracked::Failed("no".into()) };
                    if let Some(id) = known {
                        drop(telling.machine.report(Report::Tracked { id, tracked }));
                    }
                }
            }
            telling.answer();
        }
        let mut folded = Model::new(telling.plan.clone());
        for event in &telling.machine.log {
            apply(&mut folded, event);
        }
        prop_assert_eq!(&folded.durable, &telling.machine.model.durable);
        let mut taken: HashSet<NotificationId> = HashSet::new();
        let mut attempts: HashSet<(NotificationId, u32)> = HashSet::new();
        let mut pages: HashSet<String> = HashSet::new();
        for event in &telling.machine.log {
            match &event.fact {
                Fact::NotificationsQueued { cause, intent, to, .. } => {
                    for queued in to {
                        let same = format!("{cause:?} {intent:?} {:?} {}", queued.way, queued.key);
                        prop_assert!(pages.insert(same), "queued twice: {:?}", event.fact);
                    }
                    prop_assert!(*intent != Intent::Page || !matches!(cause, crate::core::words::notification::Cause::Follow(_)));
                }
                Fact::NotificationStarted { id, attempt, .. } => {
                    prop_assert!(!taken.contains(id), "{} was with its provider", id);
                    prop_assert!(attempts.insert((id.clone(), *attempt)), "one attempt, twice: {} {}", id, attempt);
                }
                Fact::NotificationFinished { id, attempted: Attempted::Accepted(_), .. } => {
                    taken.insert(id.clone());
                }
                _ => {}
            }
        }
    }
}
