//! Secrets from a command: a password manager's or cloud's own program prints the value.

use std::ops::ControlFlow;
use std::time::Duration;

use zeroize::Zeroizing;

use super::file::text_of;
use super::name::SecretName;
use super::redactor::Redactor;
use super::value::MAX_SECRET_BYTES;
use crate::base::environment::Environment;
use crate::base::output::Stream;
use crate::base::process;
use crate::base::process::{Ending, ProcessSpec};

/// Stands for the secret's name in the command.
const NAME_PLACE: &str = "{name}";

/// How much of what the command wrote to standard error is shown when it fails, in characters.
const MAX_COMPLAINT_CHARS: usize = 400;

/// Runs the command and reads the value from its standard output.
///
/// # Errors
/// In words: it could not run, took too long, failed, or printed no usable value. What it wrote to standard
/// error is shown, without secrets that are known and without what it wrote to standard output, which never is.
pub(super) async fn read(
    template: &[String],
    name: &SecretName,
    environment: &Environment,
    allowed: &[String],
    deadline: Duration,
    redactor: &Redactor,
) -> Result<Zeroizing<String>, String> {
    let argv = template.iter().map(|argument| argument.replace(NAME_PLACE, name.as_str())).collect();
    let env = environment.for_child(allowed.iter().map(String::as_str));
    let spec = ProcessSpec { grace: Duration::from_secs(1), ..ProcessSpec::new(argv, env, deadline) };
    // Both get their full room at once: growing would leave copies of the value in freed memory.
    let mut value = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    let mut complaint = Vec::new();
    let ended = process::run_raw(&spec, |stream, chunk| {
        let (kept, limit) = match stream {
            Stream::Stdout => (&mut *value, MAX_SECRET_BYTES + 1),
            Stream::Stderr => (&mut complaint, MAX_SECRET_BYTES),
        };
        kept.extend_from_slice(&chunk[..chunk.len().min(limit.saturating_sub(kept.len()))]);
        let too_long = stream == Stream::Stdout && kept.len() > MAX_SECRET_BYTES;
        if too_long { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await
    .map_err(|error| format!("{error}; {}", error.next_step))?;
    let complaint = complained(&String::from_utf8_lossy(&complaint), &value, redactor);
    let said = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
    match ended.ending {
        Ending::Exited(0) | Ending::Stopped => text_of(&value).map(Zeroizing::new),
        Ending::Exited(code) => Err(format!("it ended with exit code {code}{said}")),
        Ending::Signalled(signal) => Err(format!("it was ended by signal {signal}{said}")),
        Ending::TimedOut => Err(format!("it gave no answer within {} s{said}", deadline.as_secs())),
    }
}

/// What a command said on standard error. A shell that traces its commands, or a program that says what it got, says the
/// value there too.
fn complained(said: &str, value: &[u8], redactor: &Redactor) -> String {
    let own = Redactor::new();
    let value = Zeroizing::new(String::from_utf8_lossy(value).into_owned());
    for part in std::iter::once(&**value).chain(value.lines()).map(str::trim) {
        own.learn_value("value", part);
    }
    redactor.excerpt(own.redact(said).trim(), MAX_COMPLAINT_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_from(script: &str, deadline: Duration) -> Result<String, String> {
        let template = ["/bin/sh", "-c", script, "sh", "{name}"].map(str::to_owned);
        let environment = Environment::of_this_process();
        let name = "db".parse().unwrap();
        read(&template, &name, &environment, &[], deadline, &Redactor::new())
            .await
            .map(|value| value.to_string())
    }

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn the_name_is_an_argument_and_the_value_is_what_it_prints() {
        assert_eq!(read_from("echo value-of-$1", SOON).await.unwrap(), "value-of-db");
    }

    #[tokio::test]
    async fn a_failure_shows_standard_error_and_never_standard_output() {
        let error = read_from("echo hunter22; echo vault is sealed >&2; exit 3", SOON).await.unwrap_err();
        assert_eq!(error, "it ended with exit code 3: vault is sealed");
    }

    #[tokio::test]
    async fn a_command_that_says_the_value_on_standard_error_does_not_give_it_away() {
        let error = read_from("echo got hunter22 >&2; echo hunter22; exit 3", SOON).await.unwrap_err();
        assert_eq!(error, "it ended with exit code 3: got [secret value]");
    }

    #[tokio::test]
    async fn a_command_that_hangs_or_never_stops_is_ended() {
        let error = read_from("sleep 600", Duration::from_millis(100)).await.unwrap_err();
        assert!(error.contains("no answer"), "{error}");
        let error = read_from("cat /dev/zero", SOON).await.unwrap_err();
        assert!(error.contains("65536 bytes"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let name = "db".parse().unwrap();
        let template = ["no-such-vault".to_owned()];
        let error =
            read(&template, &name, &Environment::default(), &[], SOON, &Redactor::new()).await.unwrap_err();
        assert!(error.contains("\"no-such-vault\": there is no such program"), "{error}");
    }
}
