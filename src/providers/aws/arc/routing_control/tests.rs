use super::*;
use crate::core::words::action::Acted;
use crate::providers::aws::client::{AwsError, Call};

fn refused(kind: AwsErrorKind, message: &str, may_have_acted: bool) -> Refused {
    let call = Call::new("route53-recovery-cluster:UpdateRoutingControlStates", "arn");
    Refused { error: AwsError::new(&call, kind, message), may_have_acted }
}

#[test]
fn a_safety_rule_is_explained_and_a_lost_answer_before_it_is_not_forgotten() {
    let said = "Failed to meet safety rule: at least one cell is on";
    let failure = super::failure(&refused(AwsErrorKind::Conflict, said, false), "x".into());
    assert_eq!((failure.acted, failure.why.contains(said)), (Acted::No, true));
    assert!(failure.next.contains("override_safety_rules"));
    let failure = super::failure(&refused(AwsErrorKind::Conflict, said, true), "x".into());
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.next.starts_with("Verify"));
}
