//! How lifeboat signs in: what is missing, old, wrong or stuck is told with a next step, and nothing hangs.

mod host;

use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};
use host::Host;
use lifeboat::base::environment::Environment;
use lifeboat::plan::AwsSettings;
use lifeboat::providers::aws::client::{Aws, AwsErrorKind};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const ROLE: &str = "arn:aws:iam::123456789012:role/Failover";
const DEVICE: &str = "arn:aws:iam::123456789012:mfa/ana";

fn deadline_4s(emulator: &Emulator) -> String {
    format!("endpoint = \"{}\"\ndeadline = \"4s\"", emulator.endpoint())
}

/// Within the plan's deadline, with what a start of the program takes on a busy host.
const IN_TIME: Duration = Duration::from_secs(7);

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// A port where nothing listens.
fn dead_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn who_calls_is_told_for_each_region_with_source_and_end() {
    let emulator = Emulator::start();
    let (answers, code, _) = Host::new(&deadline_4s(&emulator)).with_keys().whoami();
    assert_eq!(code, Some(0));
    let regions: Vec<_> = answers.iter().map(|answer| answer["region"].as_str().unwrap()).collect();
    assert_eq!(regions, ["us-east-1", "us-west-2"]);
    for answer in &answers {
        assert_eq!(answer["account"], "123456789012");
        contains(answer["arn"].as_str().unwrap(), &["arn:aws:sts::123456789012:"]);
        assert_eq!(answer["credentials"], "environment variables");
        assert_eq!(answer["expires"], Value::Null);
    }
    let calls = emulator.calls();
    assert_eq!(calls["sts:GetCallerIdentity@us-west-2"], 1, "each region asks its own STS: {calls:?}");
}

#[test]
fn a_role_is_assumed_at_each_regions_own_sts_under_the_operators_name() {
    let emulator = Emulator::start();
    let host = Host::new(&format!("{}\nrole = \"{ROLE}\"", deadline_4s(&emulator))).with_keys();
    let (answers, code, _) = host.whoami();
    assert_eq!(code, Some(0), "{answers:?}");
    for answer in &answers {
        contains(answer["arn"].as_str().unwrap(), &["assumed-role/Failover/lifeboat-"]);
        assert_eq!(answer["credentials"], "an assumed role");
        assert!(answer["expires"].is_string());
    }
    let calls = emulator.calls();
    for region in ["us-east-1", "us-west-2"] {
        assert_eq!(calls[&format!("sts:AssumeRole@{region}")], 1, "{calls:?}");
    }
}

#[test]
fn without_any_credentials_it_says_how_to_sign_in_and_asks_nobody() {
    let emulator = Emulator::start();
    let host = Host::new(&deadline_4s(&emulator));
    let (error, next) = host.failure(Duration::from_secs(3));
    contains(&error, &["no credentials", "none in the environment"]);
    contains(&next, &["aws sso login", "lifeboat aws login PLAN"]);
    assert!(emulator.calls().is_empty());
    let shown = host.run(&["aws", "whoami"], "");
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    contains(&text, &["us-east-1: GetCallerIdentity", "next: Sign in"]);
}

#[test]
fn instance_metadata_that_is_not_there_delays_the_first_call_by_little() {
    let emulator = Emulator::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_endpoint = format!("http://{}", silent.local_addr().unwrap());
    // The last is the real address: on a host outside of AWS it is unreachable or silent.
    for endpoint in [Some(dead_endpoint()), Some(silent_endpoint), None] {
        let mut host = Host::new(&deadline_4s(&emulator)).with("AWS_EC2_METADATA_DISABLED", "false");
        if let Some(endpoint) = &endpoint {
            host = host.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint);
        }
        let begun = Instant::now();
        let (error, next) = host.failure(Duration::from_secs(5));
        println!("metadata at {endpoint:?}: {:?}: {error}", begun.elapsed());
        contains(&error, &["no credentials"]);
        assert!(!next.is_empty());
    }
}

#[test]
fn expired_and_denied_and_foreign_answers_are_told_apart() {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    let host = Host::new(&format!("endpoint = \"{}\"\ndeadline = \"4s\"", proxy.endpoint())).with_keys();
    for (fault, said, next_step) in [
        (Fault::ExpiredToken, "expired", "Sign in again"),
        (
            Fault::AccessDenied { message: "a policy forbids it".into() },
            "a policy forbids it",
            "sts:GetCallerIdentity",
        ),
        (Fault::Html(200), "not AWS", "HTTPS_PROXY"),
        (Fault::Html(502), "not AWS", "HTTPS_PROXY"),
        (Fault::Throttle, "Rate exceeded", "Wait half a minute"),
        (Fault::Hang, "no answer", "whether us-east-1 works"),
        (Fault::CutBefore, "connection", "whether us-east-1 works"),
    ] {
        proxy.clear();
        proxy.fault(Match::all(), fault, Times::Always);
        let (error, next) = host.failure(IN_TIME);
        contains(&error, &[said]);
        contains(&next, &[next_step]);
    }
}

#[test]
fn a_key_that_aws_does_not_know_points_at_the_credentials_and_the_clock() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-cant-connect.html; moto takes every key.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security \
                        token included in the request is invalid.</Message></Error></ErrorResponse>";
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let host = Host::new(&format!("endpoint = \"{endpoint}\"\ndeadline = \"4s\"")).with_keys();
    let (error, next) = host.failure(IN_TIME);
    contains(&error, &["InvalidClientTokenId"]);
    contains(&next, &["credentials", "clock"]);
}

#[test]
fn a_credential_process_is_used_and_its_failures_are_its_own() {
    let emulator = Emulator::start();
    let aws = deadline_4s(&emulator);
    let good = "echo '{\"Version\": 1, \"AccessKeyId\": \"testing\", \"SecretAccessKey\": \"testing\"}'";
    let (answers, code, _) = Host::new(&aws).with_process(good).whoami();
    assert_eq!((code, answers[0]["credentials"].as_str()), (Some(0), Some("a credential process")));

    let (error, next) =
        Host::new(&aws).with_process("echo 'the vault is sealed' >&2; exit 1").failure(IN_TIME);
    contains(&error, &["no credentials", "the vault is sealed"]);
    contains(&next, &["Mend what gives the credentials"]);

    let (error, next) = Host::new(&aws).with_process("echo 'Welcome!'").failure(IN_TIME);
    contains(&error, &["no credentials"]);
    assert!(!next.is_empty());

    let (error, next) = Host::new(&aws).with_process("exec sleep 20").failure(IN_TIME);
    contains(&error, &["no credentials", "no answer within 2 s"]);
    contains(&next, &["credential_process", "Nothing was sent"]);
}

#[test]
fn a_profile_that_is_not_there_and_a_missing_token_file_are_named() {
    let emulator = Emulator::start();
    let aws = deadline_4s(&emulator);
    let (error, next) = Host::new(&format!("{aws}\nprofile = \"dr-admin\"")).failure(IN_TIME);
    contains(&error, &["no credentials", "dr-admin"]);
    contains(&next, &["profile"]);
    let host =
        Host::new(&aws).with("AWS_ROLE_ARN", ROLE).with("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token");
    let (error, next) = host.failure(IN_TIME);
    contains(&error, &["no credentials", "a file on the way to them cannot be read"]);
    contains(&next, &["AWS_WEB_IDENTITY_TOKEN_FILE"]);
}

#[test]
fn a_region_that_is_down_with_its_sts_does_not_touch_the_other_one() {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    for (down, said) in [(dead_endpoint(), "refused"), (proxy.endpoint(), "no answer")] {
        proxy.fault(Match::all(), Fault::Hang, Times::Always);
        let aws = format!("{}\nrole = \"{ROLE}\"\nendpoints.primary = \"{down}\"", deadline_4s(&emulator));
        let (answers, code, took) = Host::new(&aws).with_keys().whoami();
        assert_eq!(code, Some(1));
        assert!(took < IN_TIME, "{took:?}");
        // The role is assumed elsewhere: Route 53, by way of us-east-1, can still be changed.
        contains(answers[0]["error"].as_str().unwrap(), &["GetCallerIdentity on us-east-1", said]);
        assert!(!answers[0]["next"].as_str().unwrap().is_empty());
        contains(answers[1]["arn"].as_str().unwrap(), &["assumed-role/Failover"]);
    }
}

#[test]
fn a_role_that_may_not_be_assumed_says_what_to_allow() {
    let emulator = Emulator::start();
    emulator.control(serde_json::json!({"deny": ["sts:AssumeRole"]}));
    let host = Host::new(&format!("{}\nrole = \"{ROLE}\"", deadline_4s(&emulator))).with_keys();
    let (error, next) = host.failure(IN_TIME);
    contains(&error, &["no credentials", "AssumeRole", ROLE]);
    contains(&next, &["sts:AssumeRole", "trust policy"]);
}

#[test]
fn a_session_is_opened_with_a_code_kept_for_its_owner_and_used() {
    let emulator = Emulator::start();
    let aws = format!("{}\nrole = \"{ROLE}\"\nmfa_serial = \"{DEVICE}\"", deadline_4s(&emulator));
    let host = Host::new(&aws).with_keys();
    let (error, next) = host.failure(IN_TIME);
    contains(&error, &["no credentials", "nobody logged in with MFA yet"]);
    contains(&next, &["lifeboat aws login PLAN"]);
    assert!(emulator.calls().is_empty(), "nothing is assumed without a code");

    let wrong = host.run(&["aws", "login"], "12345\n");
    assert!(!wrong.status.success() && emulator.calls().is_empty());
    contains(&String::from_utf8_lossy(&wrong.stderr), &["6 digits"]);

    let login = host.run(&["aws", "login"], "123456\n");
    let said = String::from_utf8_lossy(&login.stdout).into_owned();
    assert!(login.status.success(), "{}", String::from_utf8_lossy(&login.stderr));
    contains(
        &said,
        &["assumed-role/Failover/lifeboat-", "(asked in us-east-1)", ".local/state/lifeboat/aws/mfa-"],
    );
    assert_eq!(emulator.calls()["sts:AssumeRole@us-east-1"], 1);
    assert!(!said.contains("123456\n") && !said.to_lowercase().contains("secret"));
    let folder = host.path(".local/state/lifeboat/aws");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);

    let (answers, code, _) = host.whoami();
    assert_eq!(code, Some(0), "{answers:?}");
    assert_eq!(answers[1]["credentials"], "an MFA session");
    contains(answers[1]["arn"].as_str().unwrap(), &["assumed-role/Failover/lifeboat-"]);
    assert_eq!(emulator.calls()["sts:AssumeRole@us-east-1"], 1, "the session is used, not opened again");

    let text = fs::read_to_string(&files[0]).unwrap();
    let mut kept: Value = serde_json::from_str(&text).unwrap();
    kept["expires"] = "2026-01-01T00:00:00Z".into();
    fs::write(&files[0], kept.to_string()).unwrap();
    let (error, next) = host.failure(IN_TIME);
    contains(&error, &["the MFA session ended at 2026-01-01T00:00:00Z"]);
    contains(&next, &["lifeboat aws login PLAN"]);
    fs::write(&files[0], "{").unwrap();
    contains(&host.failure(IN_TIME).0, &["damaged"]);
    fs::set_permissions(&files[0], fs::Permissions::from_mode(0o644)).unwrap();
    contains(&host.failure(IN_TIME).0, &["cannot be used", "mode 0644"]);
}

#[test]
fn a_login_asks_another_region_when_the_first_is_down_but_not_when_the_code_is_wrong() {
    let emulator = Emulator::start();
    let base = format!("{}\nrole = \"{ROLE}\"\nmfa_serial = \"{DEVICE}\"", deadline_4s(&emulator));
    let host = Host::new(&format!("{base}\nendpoints.primary = \"{}\"", dead_endpoint())).with_keys();
    let login = host.run(&["aws", "login"], "123456\n");
    contains(&String::from_utf8_lossy(&login.stdout), &["(asked in us-west-2)"]);

    emulator.forget_calls();
    emulator.control(serde_json::json!({"deny": ["sts:AssumeRole"]}));
    let refused = Host::new(&base).with_keys().run(&["aws", "login"], "123456\n");
    assert!(!refused.status.success());
    contains(&String::from_utf8_lossy(&refused.stderr), &["AssumeRole", "A code works once"]);
    assert_eq!(emulator.calls().len(), 1, "{:?}", emulator.calls());

    let none = Host::new(&deadline_4s(&emulator)).run(&["aws", "login"], "123456\n");
    contains(&String::from_utf8_lossy(&none.stderr), &["names no MFA device", "aws sso login"]);
}

#[test]
fn an_engine_that_runs_takes_a_login_up_by_itself() {
    let emulator = Emulator::start();
    let home = tempfile::tempdir().unwrap();
    let environment: Environment = [("HOME", home.path().to_str().unwrap())].into_iter().collect();
    let settings = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        role: Some(ROLE.into()),
        mfa_serial: Some(DEVICE.into()),
        regions: [("dr".to_owned(), "us-west-2".to_owned())].into_iter().collect(),
        ..AwsSettings::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = Aws::new(settings.clone(), "ana", environment.clone());
        let connection = running.place("dr").unwrap().reader().await;
        assert_eq!(connection.caller().await.unwrap_err().kind, AwsErrorKind::NoCredentials);
        Aws::new(settings, "ana", environment).login("123456").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let caller = loop {
            match connection.caller().await {
                Ok(caller) => break caller,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert!(caller.arn.ends_with("assumed-role/Failover/lifeboat-ana"), "{}", caller.arn);
    });
}
