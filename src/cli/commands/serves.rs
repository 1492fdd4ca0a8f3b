//! `lifeboat serves`: which region serves, as recorded and as measured; and records it, without a console.

use super::ack;
use crate::base::ids::RegionId;
use crate::cli::{Failure, PlanArgs, say, whose};
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::ask::{attested, contradiction, placement};
use crate::core::model::Model;
use crate::core::words::command::Ask;
use jiff::Timestamp;
use std::io::Write;
use std::process::ExitCode;

/// Arguments of `lifeboat serves`.
#[derive(Debug, clap::Args)]
pub struct ServesArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// Record that this region serves: what was done outside of lifeboat.
    #[arg(long, value_name = "REGION", requires = "reason", conflicts_with = "answer")]
    record: Option<String>,
    /// Answer this contradiction, by the name that is printed.
    #[arg(long, value_name = "NAME", requires = "reason")]
    answer: Option<String>,
    /// What was done, by whom; or why it may be so. It goes into the journal.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Prints, records or answers.
///
/// # Errors
/// When no engine runs, it refuses, or it does not answer.
pub fn run(args: &ServesArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let reason = args.reason.clone().unwrap_or_default();
    let ask = match (&args.record, &args.answer) {
        (Some(region), _) => Some(Ask::RecordServing { region: RegionId::new(region.as_str()), reason }),
        (None, Some(id)) => Some(Ask::AnswerContradiction { id: id.clone(), reason }),
        (None, None) => None,
    };
    let is_asked = ask.is_some();
    let model = ack::put(&args.place, ask)?;
    let plan = whose::of(&model.plan.name, &args.place.state_folder()?);
    match is_asked {
        true => say(out, &format!("Recorded for {plan}.\n"))?,
        false => say(out, &format!("of: {plan}\n{}", text(&model, Timestamp::now())))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(model: &Model, now: Timestamp) -> String {
    let name = |id: Option<&RegionId>| id.map_or("no region".to_owned(), ToString::to_string);
    let mut text = format!("recorded: {} serves\n", name(model.durable.active.as_ref()));
    if let Some(measured) = &model.durable.measured {
        text.push_str(&format!(
            "measured: {measured} serves; `lifeboat serves --record {measured}` records it\n"
        ));
    }
    for said in attested::sentences(model, now) {
        text.push_str(&format!("NOT PROVEN: {said}\n"));
    }
    for placed in placement::other_regions(model) {
        let since = placed.since.strftime("%Y-%m-%d %H:%M:%SZ");
        text.push_str(&format!(
            "{}: {} serves since {since}, moved by step {} of {}\n",
            placed.service, placed.region, placed.step, placed.run
        ));
    }
    for open in contradiction::of(model) {
        let known = &open.contradiction;
        text.push_str(&format!(
            "{} {}: {}\n  name: {}\n",
            known.severity.as_str(),
            known.what,
            known.why,
            known.id
        ));
        text.push_str(&match &open.answered {
            Some(answer) => format!("  answered by {}: {}\n", answer.by, answer.reason),
            None => format!("  next: {}\n", known.next),
        });
    }
    for split in divergence::over(model) {
        text.push_str(&format!("{DIVERGED}: {}\n  name: {}\n", split.sentence(), split.id));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::proving::{closed_by_word, record};

    #[test]
    fn what_is_not_known_of_who_serves_is_named_and_how_it_is_recorded() {
        let mut machine = closed_by_word();
        let told = text(&machine.model, machine.now);
        assert!(told.starts_with("recorded: primary serves\nNOT PROVEN: \"switch\" was attested"), "{told}");
        assert!(told.contains("`lifeboat serves --record` records it"), "{told}");
        record(&mut machine, "dr");
        assert_eq!(text(&machine.model, machine.now), "recorded: dr serves\n");
    }
}
