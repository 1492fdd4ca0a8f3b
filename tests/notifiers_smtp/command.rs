//! `command` with real programs.

use crate::channel::{channel, notifier, outgoing, text};
use lifeboat::core::words::notification::{Again, Receipt, Undelivered};
use lifeboat::plan::params::Param;
use std::time::{Duration, Instant};

const PATIENT: Duration = Duration::from_secs(30);

async fn run(script: &str, timeout: Duration) -> Result<Receipt, Undelivered> {
    let argv = Param::List(["/bin/sh", "-c", script].map(text).into());
    let channel = channel("command", timeout, &[("argv", argv), ("address", text("phone"))]);
    assert_eq!(channel.address.as_deref(), Some("phone"));
    notifier(&channel, &[("LIFEBOAT_SECRET_OTHER", "hidden"), ("HOME", "/nowhere")])
        .send(&outgoing(Some("+491701234567")))
        .await
}

#[tokio::test]
async fn the_message_comes_on_standard_input_and_in_variables_and_not_in_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let (input, rest) = (folder.path().join("input"), folder.path().join("rest"));
    let script = format!(
        "cat >{}; {{ env; echo \"arguments: $*\"; }} >{}; echo sent as 17",
        input.display(),
        rest.display()
    );
    let receipt = run(&script, PATIENT).await.unwrap();
    assert_eq!(receipt.answer, "sent as 17");
    let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(input).unwrap()).unwrap();
    let outgoing = outgoing(None);
    assert_eq!(told["subject"], outgoing.message.subject);
    assert_eq!(told["body"], outgoing.message.body);
    assert_eq!(told["witness"], outgoing.message.witness);
    assert_eq!(told["to"], "+491701234567");
    assert_eq!(told["queued_at"], "2026-11-28T13:00:05Z");
    let rest = std::fs::read_to_string(rest).unwrap();
    for expected in [
        "LIFEBOAT_SUBJECT=[P0] ARKA: Störung in us-east-1\n",
        "LIFEBOAT_TO=+491701234567\n",
        "LIFEBOAT_INTENT=page\n",
        "LIFEBOAT_KEY=arka/inc-1/n1\n",
        "LIFEBOAT_ATTEMPT=1\n",
        "arguments: \n",
    ] {
        assert!(rest.contains(expected), "{expected:?} in {rest}");
    }
    assert!(!rest.contains("hidden"), "{rest}");
}

#[tokio::test]
async fn exit_codes_say_whether_another_attempt_helps() {
    let busy = run("echo the modem is busy >&2; exit 75", PATIENT).await.unwrap_err();
    assert_eq!(busy.again, Again::After(None));
    assert!(busy.why.ends_with("(exit code 75): the modem is busy"), "{busy:?}");
    let wrong = run("printf 'no credit\\033[31m\\n'; exit 3", PATIENT).await.unwrap_err();
    assert_eq!(wrong.again, Again::Never);
    assert!(wrong.why.contains("exit code 3: no credit\u{fffd}"), "{wrong:?}");
    let killed = run("kill -9 $$", PATIENT).await.unwrap_err();
    assert_eq!(killed.again, Again::Maybe, "{killed:?}");
    assert_eq!(run("exit 0", PATIENT).await.unwrap().answer, "exit code 0");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_and_may_have_sent() {
    let began = Instant::now();
    let late = run("trap '' TERM; while :; do sleep 1; done", Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(late.again, Again::Maybe);
    assert!(late.why.contains("did not end within 300 ms"), "{late:?}");
    // The engine waits two seconds beyond the time-out.
    assert!(began.elapsed() < Duration::from_millis(2200), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_seen_before_it_is_needed() {
    let argv = Param::List(vec![text("/nowhere/send-sms")]);
    let missing = notifier(&channel("command", PATIENT, &[("argv", argv)]), &[]);
    let failure = missing.send(&outgoing(None)).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("/nowhere/send-sms"), "{failure:?}");
    let seen = missing.check().await.unwrap_err();
    assert!(seen.why.contains("/nowhere/send-sms"), "{seen:?}");
    let argv = Param::List(vec![text("sh")]);
    let there =
        notifier(&channel("command", PATIENT, &[("argv", argv)]), &[]).check().await.unwrap().unwrap();
    assert!(there.ends_with("/sh is there; it was not run"), "{there}");
}

#[test]
fn the_plan_says_whether_it_may_be_run_again_and_which_address_it_takes() {
    let with = |params: &[(&str, Param)]| channel("command", PATIENT, params);
    assert!(!with(&[]).capabilities.repeatable);
    assert!(with(&[("repeatable", Param::Flag(true))]).capabilities.repeatable);
    assert_eq!(with(&[]).address, None);
}
