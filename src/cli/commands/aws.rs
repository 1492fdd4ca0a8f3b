//! `lifeboat aws`: sign in with MFA, and see who AWS takes lifeboat for.

use super::engine;
use crate::base::environment::Environment;
use crate::base::text::clean;
use crate::cli::prompt::read_hidden;
use crate::cli::{Failure, block_on, say};
use crate::providers::aws::client::{Aws, AwsError, Caller, CredentialsInUse};
use clap::{Args, Subcommand};
use futures::future::join_all;
use serde::Serialize;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// How long a code of an MFA device is.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const CODE_DIGITS: usize = 6;

/// Sign in to AWS, and see whose credentials a plan uses.
#[derive(Debug, Args)]
pub struct AwsArgs {
    #[command(subcommand)]
    command: AwsCommand,
}

#[derive(Debug, Subcommand)]
enum AwsCommand {
    /// Open the session that the plan's role asks an MFA code for; a running engine takes it up by itself.
    Login {
        /// The plan: a file, or a folder with its .toml files.
        plan: PathBuf,
    },
    /// Tell for each AWS region of the plan who is calling. Exit code 1 when there is one that does not know.
    Whoami {
        /// The plan: a file, or a folder with its .toml files.
        plan: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs `lifeboat aws`.
///
/// # Errors
/// When the plan cannot be read, or AWS gives no session.
pub fn run(args: &AwsArgs, environment: &Environment, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match &args.command {
        AwsCommand::Login { plan } => login(&open(plan, environment)?, out),
        AwsCommand::Whoami { plan, json } => whoami(&open(plan, environment)?, *json, out),
    }
}

fn open(plan: &std::path::Path, environment: &Environment) -> Result<Aws, Failure> {
    let plan = engine::read_plan(Some(plan))?;
    let operator = crate::engine::name_of(rustix::process::getuid().as_raw());
    Ok(Aws::new(plan.aws, &operator, environment.clone()))
}

fn login(aws: &Aws, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let refused = |error: crate::providers::aws::client::LoginError| Failure::new(&error, error.next_step());
    let serial = aws.settings().mfa_serial.clone();
    let serial = serial.ok_or_else(|| refused(crate::providers::aws::client::LoginError::NoDevice))?;
    let login = block_on(async {
        let code = read_code(&clean(&serial, 200)).await?;
        aws.login(&code).await.map_err(refused)
    })??;
    let who =
        if login.arn.is_empty() { "Signed in".to_owned() } else { format!("Signed in as {}", login.arn) };
    let kept = clean(&login.path.display().to_string(), 300);
    say(out, &format!("{who} until {:.0} (asked in {}).\nKept in {kept}.\n", login.expires, login.region))?;
    Ok(ExitCode::SUCCESS)
}

/// The device's code, from the terminal without echo, or from standard input where that is none.
async fn read_code(serial: &str) -> Result<Zeroizing<String>, Failure> {
    let unread = |why: String| Failure::new(format!("the MFA code was not read: {why}"), "Try again.");
    let mut code = if std::io::stdin().is_terminal() {
        let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
        let terminal = terminal.map_err(|error| unread(error.to_string()))?;
        let asked = read_hidden(terminal, &format!("MFA code of {serial} (not shown): ")).await;
        asked.map_err(|error| unread(error.to_string()))?
    } else {
        let mut text = Zeroizing::new(String::with_capacity(64));
        let read = std::io::stdin().lock().take(64).read_to_string(&mut text);
        read.map_err(|error| unread(error.to_string()))?;
        text
    };
    code = Zeroizing::new(code.trim().to_owned());
    if code.len() != CODE_DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        let next = "Read the code from the device and type it again.";
        return Err(Failure::new(format!("an MFA code has {CODE_DIGITS} digits; nothing was sent"), next));
    }
    Ok(code)
}

/// One region's answer.
#[derive(Serialize)]
struct Answer {
    region: String,
    #[serde(flatten)]
    known: Known,
    /// Where the credentials come from.
    credentials: Option<String>,
    /// When they end (RFC 3339); none for keys without an end.
    expires: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
enum Known {
    Caller { account: String, arn: String },
    Failed { error: String, next: String },
}

impl Answer {
    fn new(region: &str, asked: Result<Caller, AwsError>, used: Option<CredentialsInUse>) -> Self {
        let known = match asked {
            Ok(caller) => Known::Caller { account: caller.account, arn: caller.arn },
            Err(error) => Known::Failed { error: error.to_string(), next: error.next_step() },
        };
        let expires = used.as_ref().and_then(|used| used.expires).map(|at| format!("{at:.0}"));
        Self { region: region.to_owned(), known, credentials: used.map(|used| used.source), expires }
    }

    fn text(&self) -> String {
        let from = self.credentials.as_ref().map(|from| format!("; credentials: {from}")).unwrap_or_default();
        let until = self.expires.as_ref().map(|at| format!(", until {at}")).unwrap_or_default();
        match &self.known {
            Known::Caller { account, arn } => {
                format!("{}: {arn} (account {account}){from}{until}\n", self.region)
            }
            Known::Failed { error, next } => {
                format!("{}: {error}{from}{until}\n  next: {next}\n", self.region)
            }
        }
    }
}

async fn ask(aws: &Aws, region: &str) -> Option<Answer> {
    let connection = aws.place(region).ok()?.reader().await;
    let asked = connection.caller_here().await;
    Some(Answer::new(region, asked, connection.credentials_in_use()))
}

fn whoami(aws: &Aws, json: bool, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let regions = aws.regions();
    if regions.is_empty() {
        let next = "Give its [regions] names that AWS knows (`us-west-2`).";
        return Err(Failure::new("the plan names no AWS region", next));
    }
    let asked = join_all(regions.iter().map(|region| ask(aws, region)));
    let answers: Vec<Answer> = block_on(asked)?.into_iter().flatten().collect();
    let text = match json {
        true => serde_json::to_string_pretty(&answers).map(|text| text + "\n").map_err(|error| {
            Failure::new(format!("the answer cannot be written: {error}"), "Leave `--json` out.")
        })?,
        false => answers.iter().map(Answer::text).collect(),
    };
    say(out, &text)?;
    let all = answers.iter().all(|answer| matches!(answer.known, Known::Caller { .. }));
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
