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
    use crate::core::words::action::Acted;
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

#[test]
fn a_copy_that_broke_off_within_an_answer_of_status_200_may_have_acted() {
    use aws_sdk_s3::operation::copy_object::CopyObjectError;
    let call = Call::new("s3:PutObject", "s3://arka-west/dump");
    for code in ["InternalError", "ServiceUnavailable"] {
        let meta = aws_smithy_types::error::ErrorMetadata::builder().code(code).message("We failed.").build();
        let raw =
            HttpResponse::new(200.try_into().unwrap(), aws_smithy_types::body::SdkBody::from("<Error>"));
        let error = SdkError::service_error(CopyObjectError::generic(meta), raw);
        let failure = AwsError::of(&call, "us-west-2", &error).of_change("copy");
        assert_eq!(failure.acted, crate::core::words::action::Acted::Maybe, "{failure:?}");
    }
}

/// As the query and JSON services of AWS answer.
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
    Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for \
    this request should have been\n'POST\n/\n\nhost:rds.us-west-2.amazonaws.com\nx-amz-date:20260301T120000Z\n\
    x-amz-security-token:IQoJb3JpZ2luX2VjEHUNTER22\n\nhost;x-amz-date'";

#[test]
fn a_signature_that_does_not_match_tells_no_session_token() {
    use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
    let call = Call::new("rds:DescribeDBInstances", "db");
    let meta =
        aws_smithy_types::error::ErrorMetadata::builder().code("SignatureDoesNotMatch").message(MISMATCH);
    let raw =
        HttpResponse::new(403.try_into().unwrap(), aws_smithy_types::body::SdkBody::from("<ErrorResponse>"));
    let error = SdkError::service_error(DescribeDBInstancesError::generic(meta.build()), raw);
    let error = AwsError::of(&call, "us-west-2", &error);
    assert_eq!(error.kind, AwsErrorKind::Rejected);
    assert!(!error.message.contains("IQoJ"), "{}", error.message);
    assert!(
        error.message.starts_with("The request signature we calculated does not match"),
        "{}",
        error.message
    );
}

#[test]
fn a_request_that_could_not_be_made_was_not_sent() {
    use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
    let error: SdkError<DescribeDBInstancesError, HttpResponse> =
        SdkError::construction_failure("no such parameter");
    let error = AwsError::of(&Call::new("rds:PromoteReadReplica", "db"), "us-west-2", &error);
    assert_eq!((error.kind, error.may_have_acted()), (AwsErrorKind::Refused, false), "{error}");
}

/// As the HTTP client words it (`hyper_util::client::legacy::Error`).
#[derive(Debug, thiserror::Error)]
#[error("client error ({phase})")]
struct Http {
    phase: &'static str,
    source: std::io::Error,
}

#[test]
fn a_way_that_ends_is_nothing_sent_only_where_no_connection_was_made() {
    use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    let kind = |phase| {
        let source = std::io::Error::from(IoKind::HostUnreachable);
        let error = ConnectorError::io(Box::new(Http { phase, source }));
        let error: SdkError<DescribeDBInstancesError, HttpResponse> = SdkError::dispatch_failure(error);
        AwsError::of(&Call::new("s3:PutObject", "s3://arka-west/dump"), "us-west-2", &error).kind
    };
    assert_eq!(kind("Connect"), AwsErrorKind::Unreachable);
    assert_eq!(kind("SendRequest"), AwsErrorKind::Broken);
}
