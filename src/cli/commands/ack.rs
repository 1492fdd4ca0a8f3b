//! `lifeboat ack`: takes the escalation on, without a console.

use crate::base::problem::Problem;
use crate::cli::{Failure, PlanArgs, block_on, reach, say, whose};
use crate::core::decide::current_escalation;
use crate::core::model::Model;
use crate::core::words::command::Ask;
use crate::engine::client::{ANSWER_TIMEOUT, Client, ClientError};
use crate::engine::protocol::ToClient;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `lifeboat ack`.
#[derive(Debug, clap::Args)]
pub struct AckArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// Write this into the timeline as well.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Acknowledges.
///
/// # Errors
/// When no engine runs, it refuses, or it does not answer.
pub fn run(args: &AckArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let note = args.note.as_ref().map(|text| Ask::Note { text: text.clone() });
    let model = put(&args.place, std::iter::once(Ask::Acknowledge).chain(note))?;
    let plan = whose::of(&model.plan.name, &args.place.state_folder()?);
    say(out, &format!("Acknowledged: {}\nof {plan}\n", what(&model)))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks the engine of a plan for some things, one after the other as long as none is refused; the model is as it was
/// before.
pub(in crate::cli) fn put(
    place: &PlanArgs,
    asks: impl IntoIterator<Item = Ask>,
) -> Result<Arc<Model>, Failure> {
    let folder = place.state_folder()?;
    let asked = block_on(async {
        let mut client = Client::connect(&folder.socket()).await?;
        let model = match client.answer().await? {
            ToClient::Welcome { model, .. } => model,
            ToClient::Goodbye { why, next } => return Ok(Err(Problem::new(why, next))),
            _ => return Err(ClientError::Closed),
        };
        if let Err(failure) = place.expect_own(&model.plan.name) {
            return Ok(Err(Problem::new(failure.what, failure.next)));
        }
        let pid = client.pid();
        let (mut sender, mut receiver) = client.split();
        for one in asks {
            if let Err(refusal) = ask(&mut sender, &mut receiver, one, pid).await? {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(model))
    })?;
    match asked {
        Ok(Ok(model)) => Ok(model),
        Ok(Err(refusal)) => Err(Failure::new(refusal.why, refusal.next)),
        Err(error) => Err(reach::failure(&folder, error)),
    }
}

/// What was taken on, as the engine had it.
fn what(model: &Arc<Model>) -> String {
    let (incident, proposal) = (model.durable.incident.as_ref(), model.durable.proposal.as_ref());
    let title = proposal.map(|proposal| &proposal.title).or(incident.map(|incident| &incident.title));
    let id = current_escalation(model).map(|escalation| escalation.incident.to_string());
    format!("{} {}", id.unwrap_or_default(), title.map_or("", String::as_str))
}

async fn ask(
    sender: &mut crate::engine::client::Sender,
    receiver: &mut crate::engine::client::Receiver,
    ask: Ask,
    pid: Option<u32>,
) -> Result<Result<(), Problem>, ClientError> {
    let asked = sender.ask(ask).await?;
    let reply = async {
        loop {
            if let ToClient::Reply { id, result } = receiver.next().await?
                && id == asked
            {
                return Ok(result);
            }
        }
    };
    tokio::time::timeout(ANSWER_TIMEOUT, reply).await.map_err(|_| ClientError::Silent(pid))?
}
