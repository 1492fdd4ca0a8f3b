//! The transition table of a step, by itself and against every command that a person can give.

use super::fixture::*;
use crate::base::ids::{ConfirmationId, RunId, StepId};
use crate::core::words::command::Ask;
use crate::core::words::status::{Move, StepStatus, table};
use Move::*;
use StepStatus as S;

const STATUSES: [S; 10] = S::ALL;
const MOVES: [Move; 11] = Move::ALL;

#[test]
fn nothing_but_a_persons_retry_leaves_a_settled_step() {
    for status in STATUSES.into_iter().filter(|status| status.is_settled()) {
        for by in MOVES {
            assert_eq!(status.after(by).is_ok(), by == Retry, "{status:?} after {by:?}");
        }
    }
}

#[test]
fn a_step_starts_only_from_its_confirmation_and_never_twice() {
    for status in STATUSES {
        assert_eq!(status.after(Start).is_ok(), status == S::Confirming, "{status:?}");
    }
    // From a start, a person's retry is the only way back to another confirmation.
    let mut reached = vec![S::Started];
    let mut next = 0;
    while next < reached.len() {
        for by in MOVES.into_iter().filter(|by| *by != Retry) {
            if let Ok(status) = reached[next].after(by)
                && !reached.contains(&status)
            {
                reached.push(status);
            }
        }
        next += 1;
    }
    assert!(!reached.contains(&S::Ready) && !reached.contains(&S::Confirming), "{reached:?}");
}

#[test]
fn what_is_unknown_is_settled_only_by_proof_or_a_person() {
    for by in MOVES {
        assert_eq!(S::Unknown.after(by).is_ok(), matches!(by, Verify | Retry | Skip | Attest), "{by:?}");
    }
}

#[test]
fn an_illegal_move_says_so_in_words() {
    let illegal = S::Pending.after(Start).unwrap_err();
    assert_eq!(illegal.to_string(), "a step that is pending cannot be started");
}

/// Everything that a person can ask about a step, on a screen or the command line.
fn asks(run: &RunId, step: &StepId) -> Vec<Ask> {
    let (run, step) = (run.clone(), step.clone());
    let reason = || "because".to_owned();
    vec![
        Ask::Prepare { run: run.clone(), step: step.clone() },
        Ask::Confirm { confirmation: ConfirmationId::from("of another step"), typed: None },
        Ask::Decline { confirmation: ConfirmationId::from("of another step") },
        Ask::Retry { run: run.clone(), step: step.clone(), reason: None },
        Ask::Retry { run: run.clone(), step: step.clone(), reason: Some(reason()) },
        Ask::Recheck { run: run.clone(), step: step.clone() },
        Ask::Skip { run: run.clone(), step: step.clone(), reason: reason() },
        Ask::Override { run: run.clone(), step: step.clone(), guard: 0, reason: reason() },
        Ask::Attest { run: run.clone(), step: step.clone(), how: reason() },
        Ask::Undone { run: run.clone(), step: step.clone(), how: reason(), stays: false },
        Ask::Undone { run, step, how: reason(), stays: true },
        Ask::Abort { reason: reason() },
        Ask::Resolve { how: reason() },
        Ask::Close { reason: reason() },
    ]
}

#[test]
fn every_command_of_a_person_goes_along_the_table_or_is_refused_with_a_way_out() {
    let (mut taken, mut refused) = (0, 0);
    for status in STATUSES {
        let step = StepId::from("promote");
        for place in 0..asks(&RunId::from(""), &step).len() {
            let mut machine = Machine::failing_over();
            let run = machine.run();
            let incident = machine.model.durable.incident.as_mut().unwrap();
            incident.runs.last_mut().unwrap().steps[&step].status = status;
            let ask = asks(&run, &step).swap_remove(place);
            match machine.ask(ask.clone()) {
                Ok(_) => {
                    let after = machine.model.step(&run, &step).map_or(status, |(_, state)| state.status);
                    let edge = table::edges().any(|(from, _, to)| from == status && to == after);
                    assert!(after == status || edge, "{ask:?} moved {status:?} to {after:?}");
                    taken += 1;
                }
                Err(refusal) => {
                    let words = [&refusal.why, &refusal.next];
                    assert!(words.iter().all(|words| words.len() > 3), "{ask:?} in {status:?}: {refusal:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 30 && refused > 50, "{taken} taken, {refused} refused");
}
