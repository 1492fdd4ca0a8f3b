//! The model is the fold of its durable facts, and unknown is never ok, under random people and worlds.

use crate::core::apply::apply;
use crate::core::model::{Model, Status};
use crate::core::tests::fixture::*;
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::signal::SignalState;
use crate::engine::record;
use crate::journal::Record;
use crate::plan::Severity;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Deed {
    Pass(u8, u8),
    Declare,
    Answer(bool),
    Prepare(u8),
    Confirm(bool),
    Skip(u8),
    Attest(u8),
    Retry(u8),
    Override,
    Abort,
    Close,
    SetSeverity,
    Settle,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (1u8..40, 0u8..5).prop_map(|(span, world)| Deed::Pass(span, world)),
        2 => Just(Deed::Declare),
        2 => any::<bool>().prop_map(Deed::Answer),
        4 => (0u8..5).prop_map(Deed::Prepare),
        4 => any::<bool>().prop_map(Deed::Confirm),
        1 => (0u8..5).prop_map(Deed::Skip),
        1 => (0u8..5).prop_map(Deed::Attest),
        1 => (0u8..5).prop_map(Deed::Retry),
        1 => Just(Deed::Override),
        1 => Just(Deed::Abort),
        1 => Just(Deed::Close),
        1 => Just(Deed::SetSeverity),
        4 => Just(Deed::Settle),
    ]
}

const STEPS: [&str; 5] = ["check", "promote", "scale", "dns", "tell"];

fn does(machine: &mut Machine, deed: &Deed) {
    let incident = machine.model.durable.incident.as_ref();
    let run = incident.and_then(|incident| incident.open_run()).map(|run| run.id.clone());
    let step = |place: u8| STEPS[place as usize].into();
    let ask = match (deed, run) {
        (Deed::Pass(span, world), _) => {
            let readings = match world {
                0 => healthy(),
                1 => down(),
                2 => vec![("dr-lag", blind()), ("reference", good(None))],
                3 => vec![("primary-db", bad())],
                _ => Vec::new(),
            };
            return machine.pass(i64::from(*span), &readings);
        }
        (Deed::Settle, _) => return machine.settle(),
        (Deed::Declare, _) => Ask::Declare { title: "t".into(), mode: Mode::Drill },
        (Deed::Answer(yes), _) => Ask::Answer {
            question: "primary-down".into(),
            answer: if *yes { "yes" } else { "no" }.into(),
            suggested: Some("yes".into()).filter(|_| *yes),
            reason: Some("so".into()),
        },
        (Deed::Close, _) => Ask::Close { reason: "r".into() },
        (Deed::SetSeverity, _) => Ask::SetSeverity { severity: Severity::P2, reason: "r".into() },
        (_, None) => return,
        (Deed::Prepare(place), Some(run)) => Ask::Prepare { run, step: step(*place) },
        (Deed::Skip(place), Some(run)) => Ask::Skip { run, step: step(*place), reason: "r".into() },
        (Deed::Attest(place), Some(run)) => Ask::Attest { run, step: step(*place), how: "h".into() },
        (Deed::Retry(place), Some(run)) => Ask::Retry { run, step: step(*place), reason: Some("r".into()) },
        (Deed::Override, Some(run)) => {
            Ask::Override { run, step: "promote".into(), guard: 0, reason: "r".into() }
        }
        (Deed::Abort, Some(_)) => Ask::Abort { reason: "r".into() },
        (Deed::Confirm(right), Some(run)) => {
            let steps = &machine.model.run(&run).unwrap().steps;
            let open = steps.values().rev().find_map(|state| state.confirmation.as_ref());
            let Some(open) = open else { return };
            let typed = Some(open.description.target.name.clone()).filter(|_| *right);
            Ask::Confirm { confirmation: open.id.clone(), typed }
        }
    };
    let _ = machine.ask(ask);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_fold_of_the_journal_is_the_model(deeds in prop::collection::vec(deed(), 1..40)) {
        let mut machine = Machine::new();
        for deed in &deeds {
            does(&mut machine, deed);
        }
        let mut fold = Model::new(plan());
        let mut before = Model::new(plan());
        for event in &machine.log {
            // Through the journal's own form, as after a restart.
            let entry = record::entry(&before, event).unwrap();
            let place = event.record.clone().unwrap();
            let read = Record {
                seq: place.seq, timestamp: entry.timestamp, incident: entry.incident, operator: entry.operator,
                action: entry.action, source: entry.source, destination: entry.destination, status: entry.status,
                detail: serde_json::from_slice(&serde_json::to_vec(&entry.detail).unwrap()).unwrap(),
                prev: String::new(), checksum: place.checksum,
            };
            let again = record::event(&read).unwrap();
            prop_assert_eq!(&again, event);
            apply(&mut fold, &again);
            apply(&mut before, event);
        }
        prop_assert_eq!(&fold.durable, &machine.model.durable);
    }

    #[test]
    fn what_is_not_known_is_never_ok(deeds in prop::collection::vec(deed(), 1..40)) {
        let mut machine = Machine::new();
        for deed in &deeds {
            does(&mut machine, deed);
            for (id, signal) in &machine.model.durable.signals {
                if signal.state == SignalState::Ok {
                    let latest = machine.model.live.recent.get(id).and_then(|recent| recent.latest.as_ref());
                    let age = latest.map(|reading| machine.now.duration_since(reading.at));
                    prop_assert!(age.is_some_and(|age| age <= seconds(18)), "{} is ok and {:?} old", id, age);
                }
            }
            for (id, standing) in &machine.model.durable.regions {
                if standing.status == Status::Up {
                    let health = &machine.model.plan.regions[id].health;
                    prop_assert!(health.iter().all(|probe| machine.model.state(probe) == SignalState::Ok));
                }
                if standing.status == Status::Down {
                    prop_assert_eq!(machine.model.state(&"reference".into()), SignalState::Ok);
                }
            }
        }
    }

    /// Each execution has its own confirmed start: level `type` only after the phrase was typed.
    #[test]
    fn nothing_irreversible_runs_without_its_phrase(deeds in prop::collection::vec(deed(), 1..60)) {
        use crate::core::words::fact::Fact;
        let mut machine = Machine::failing_over();
        for deed in &deeds {
            does(&mut machine, deed);
        }
        let mut confirmed = std::collections::HashSet::new();
        for event in &machine.log {
            match &event.fact {
                Fact::StepConfirmed { confirmation, typed: Some(_), .. } => {
                    prop_assert!(confirmed.insert(confirmation.clone()), "confirmed twice");
                }
                Fact::StepStarted { step, confirmation, .. } if step.as_str() == "promote" => {
                    prop_assert!(confirmed.remove(confirmation), "started without its own confirmation");
                }
                _ => {}
            }
        }
    }
}
