use crate::core::status::{Move, StepStatus};
use Move::*;
use StepStatus as S;

const STATUSES: [S; 10] = [
    S::Pending,
    S::Ready,
    S::Confirming,
    S::Started,
    S::Finished,
    S::Failed,
    S::Unknown,
    S::Verified,
    S::Skipped,
    S::Attested,
];
const MOVES: [Move; 11] = [Unblock, Prepare, Void, Start, Finish, Fail, Lose, Verify, Retry, Skip, Attest];

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
