use super::*;

#[test]
fn codes_of_different_services_mean_the_same() {
    let kinds =
        |codes: &[(&str, u16)]| codes.iter().map(|(code, status)| kind_of(code, *status)).collect::<Vec<_>>();
    let throttled = [
        ("Throttling", 400),
        ("ThrottlingException", 400),
        ("TooManyRequestsException", 429),
        ("SlowDown", 503),
    ];
    assert_eq!(kinds(&throttled), vec![AwsErrorKind::Throttled; 4]);
    let denied = [("AccessDenied", 403), ("AccessDeniedException", 400), ("AuthorizationError", 403)];
    assert_eq!(kinds(&denied), vec![AwsErrorKind::Denied; 3]);
    let absent = [("DBInstanceNotFound", 404), ("NoSuchHostedZone", 404), ("ResourceNotFoundException", 404)];
    assert_eq!(kinds(&absent), vec![AwsErrorKind::NotFound; 3]);
    let conflicts =
        [("InvalidDBInstanceState", 400), ("PriorRequestNotComplete", 400), ("ConflictException", 409)];
    assert_eq!(kinds(&conflicts), vec![AwsErrorKind::Conflict; 3]);
    assert_eq!(
        kinds(&[("InternalFailure", 500), ("InvalidChangeBatch", 400)]),
        [AwsErrorKind::Internal, AwsErrorKind::Refused]
    );
    assert_eq!(
        kinds(&[("ExpiredToken", 403), ("InvalidClientTokenId", 403)]),
        [AwsErrorKind::Expired, AwsErrorKind::Rejected]
    );
}

#[test]
fn only_what_may_have_arrived_is_unknown() {
    let call = Call::new("rds:PromoteReadReplica", "db");
    let acted = |kind| AwsError::new(&call, kind, "x").of_change("promotion of db").acted;
    use crate::core::action::Acted;
    for kind in [AwsErrorKind::Timeout, AwsErrorKind::Broken, AwsErrorKind::NotAws, AwsErrorKind::Internal] {
        assert_eq!(acted(kind), Acted::Maybe, "{kind:?}");
    }
    for kind in [
        AwsErrorKind::Unreachable,
        AwsErrorKind::Denied,
        AwsErrorKind::Throttled,
        AwsErrorKind::NoCredentials,
    ] {
        assert_eq!(acted(kind), Acted::No, "{kind:?}");
    }
}

#[test]
fn a_denial_names_the_permission() {
    let error = AwsError::new(&Call::new("rds:PromoteReadReplica", "db"), AwsErrorKind::Denied, "no");
    assert!(error.next_step().contains("`rds:PromoteReadReplica`"), "{}", error.next_step());
}
