//! `lifeboat notify test`: a message to everybody that shows that it arrives.

use super::row::Row;
use super::targets::{Selection, Target, select};
use super::{EXIT_USAGE, Failure, block_on, notifier, open, say, within};
use crate::base::environment::Environment;
use crate::base::ids::ChannelId;
use crate::base::pool::{Outside, Pool};
use crate::cli::{prompt, too_few};
use crate::core::words::notification::{Again, Intent, Message, Receipt, Undelivered};
use crate::kinds::channel::{Notifier, Outgoing};
use crate::plan::{Channel, Plan};
use crate::world::World;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;

/// Send a TEST message on every channel, or on one, or to one contact. Exit code 1 when one is not accepted.
///
/// Those outside of the company, and what the public sees, get a test only when they are named.
#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    /// The plan: a file, or a folder with its .toml files.
    plan: PathBuf,
    /// A channel, or a contact; everybody when absent.
    name: Option<String>,
    /// Send without asking.
    #[arg(long)]
    yes: bool,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

/// Lists, asks and sends.
pub(super) fn run(
    args: &TestArgs,
    environment: &Environment,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let plan = open(&args.plan)?;
    let selection = select(&plan, args.name.as_deref())?;
    if !args.yes && !agreed(&plan, &selection)? {
        say(out, "Nothing was sent.\n")?;
        return Ok(ExitCode::FAILURE);
    }
    let tester = crate::engine::name_of(rustix::process::getuid().as_raw());
    let rows = block_on(async {
        let world = crate::cli::commands::engine::real_world(&plan, environment)?;
        super::learn_secrets(&plan, &world).await;
        let outside = Outside::start().map_err(too_few)?;
        Ok::<_, Failure>(send(&plan, &world, &outside.probes, &selection.targets, &tester).await)
    })??;
    let text = if args.json { as_json(&plan, &selection, &rows) } else { as_text(&selection, &rows) };
    say(out, &text)?;
    let accepted = rows.iter().all(|row| row.result.is_ok());
    Ok(if accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows on the terminal what would be sent, and asks.
fn agreed(plan: &Plan, selection: &Selection) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let next = "Run it in a terminal, or with --yes when all of this shall be sent.";
        let what = format!("nobody can be asked whether to send this:\n{}", listing(plan, selection));
        return Err(Failure::new(what.trim_end(), next).with_code(EXIT_USAGE));
    }
    let question =
        format!("{}Send these {} messages? [y/N] ", listing(plan, selection), selection.targets.len());
    prompt::agrees(&question).map_err(|error| Failure::new(error, "").with_code(EXIT_USAGE))
}

pub(super) fn listing(plan: &Plan, selection: &Selection) -> String {
    let mut text = String::from("A TEST message would go to\n");
    for target in &selection.targets {
        let channel = plan.channels.get(&target.channel);
        let alert = channel.is_some_and(|channel| channel.capabilities.has_alerts);
        let alert = if alert { ", which opens an alert and closes it again" } else { "" };
        let address = target.address.as_ref().map(|address| format!(" {address}")).unwrap_or_default();
        let _ = writeln!(text, "  {}: {}{address}{alert}", target.who, target.channel);
    }
    selection.skipped.iter().for_each(|why| {
        let _ = writeln!(text, "and not to {why}");
    });
    text
}

/// Sends to all at once, as many on each channel as it takes.
pub(super) async fn send(
    plan: &Plan,
    world: &dyn World,
    pool: &Pool,
    targets: &[Target],
    tester: &str,
) -> Vec<Row> {
    let permits: HashMap<&ChannelId, Semaphore> = plan
        .channels
        .iter()
        .map(|(id, channel)| (id, Semaphore::new(channel.parallel.max(1) as usize)))
        .collect();
    let now = world.clock().now();
    let sent = targets.iter().enumerate().filter_map(|(number, target)| {
        let channel = plan.channels.get(&target.channel)?;
        let permits = permits.get(&target.channel)?;
        let outgoing = outgoing(plan, channel, target, tester, now, number);
        Some(async move {
            // It is never closed; without a permit the provider would only be hurried.
            let _permit = permits.acquire().await.ok();
            to_one(world, channel, pool, outgoing).await
        })
    });
    join_all(sent).await.into_iter().flatten().collect()
}

/// One message; where it opens an alert, the alert is closed again.
async fn to_one(world: &dyn World, channel: &Channel, pool: &Pool, outgoing: Outgoing) -> Vec<Row> {
    let notifier: Arc<dyn Notifier> = match notifier(world, channel) {
        Ok(notifier) => notifier.into(),
        Err(failure) => return vec![row(channel, &outgoing, Err(failure), Instant::now())],
    };
    let first = one(world, &notifier, channel, pool, &outgoing).await;
    // What may be there has to be closed as well.
    let opened = match &first.result {
        Ok(_) => true,
        Err(failure) => failure.again == Again::Maybe,
    };
    let mut rows = vec![first];
    if channel.capabilities.has_alerts && opened {
        let close = Outgoing { intent: Intent::Resolve, ..outgoing };
        rows.push(one(world, &notifier, channel, pool, &close).await);
    }
    rows
}

async fn one(
    world: &dyn World,
    notifier: &Arc<dyn Notifier>,
    channel: &Channel,
    pool: &Pool,
    outgoing: &Outgoing,
) -> Row {
    let began = Instant::now();
    let (sending, sent) = (notifier.clone(), outgoing.clone());
    let result = within(world, channel, pool, async move { sending.send(&sent).await }).await;
    row(channel, outgoing, result, began)
}

fn row(channel: &Channel, outgoing: &Outgoing, result: Result<Receipt, Undelivered>, began: Instant) -> Row {
    Row {
        channel: channel.id.to_string(),
        kind: channel.kind.clone(),
        who: outgoing.recipient.clone(),
        address: outgoing.address.clone(),
        intent: outgoing.intent,
        result,
        took: began.elapsed(),
    }
}

fn outgoing(
    plan: &Plan,
    channel: &Channel,
    target: &Target,
    tester: &str,
    now: Timestamp,
    number: usize,
) -> Outgoing {
    let second = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    Outgoing {
        message: Message {
            subject: format!("[TEST] {}: nothing is broken", plan.name),
            body: format!(
                "TEST of lifeboat's channel \"{}\" for {}, by {tester} at {second}.\n\
                 Nothing is broken and nobody has to do anything: this shows that {} can be reached.",
                channel.title, plan.name, target.who
            ),
            witness: String::new(),
            severity: None,
            drill: false,
            page_status: None,
            component_status: None,
        },
        intent: if channel.capabilities.has_alerts { Intent::Page } else { Intent::Inform },
        address: target.address.clone(),
        recipient: target.who.clone(),
        incident: "test".into(),
        plan: plan.name.clone(),
        // No provider takes two tests for one.
        key: format!("lifeboat-test/{}/{}/{number}", plan.name, now.as_millisecond()),
        thread: None,
        attempt: 1,
        queued_at: now,
    }
}

fn as_text(selection: &Selection, rows: &[Row]) -> String {
    let mut text = String::new();
    rows.iter().for_each(|row| row.write(&mut text));
    selection.skipped.iter().for_each(|why| {
        let _ = writeln!(text, "not sent  {why}");
    });
    let accepted = rows.iter().filter(|row| row.result.is_ok()).count();
    let _ = writeln!(text, "{accepted} of {} accepted", rows.len());
    text
}

fn as_json(plan: &Plan, selection: &Selection, rows: &[Row]) -> String {
    let sent: Vec<_> = rows.iter().map(Row::as_json).collect();
    format!("{:#}\n", json!({ "plan": plan.name, "sent": sent, "not_sent": selection.skipped }))
}
