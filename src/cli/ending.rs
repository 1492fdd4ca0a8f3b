//! What is said when a demo or a rehearsal was left: what was done in how long, what is left of it, and what to try next.

use crate::base::text::clean;
use crate::base::units;
use crate::console::app::App;
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Run, RunEnd};
use crate::core::words::signal::age;
use crate::core::words::status::StepStatus;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Longest title of an incident, a runbook or a service.
const TITLE_CHARS: usize = 100;

/// What was played, and what stays of it.
#[derive(Debug)]
pub(super) struct Ending {
    /// `demo` or `rehearsal`.
    pub what: &'static str,
    /// The command that plays another one.
    pub again: String,
    /// The plan that reads what is kept.
    pub plan: PathBuf,
    /// The folder with what is kept; none where nothing is.
    pub kept: Option<PathBuf>,
}

impl Ending {
    /// The last words about what a console knows.
    pub fn text(&self, app: &App) -> String {
        let now = app.now(Instant::now());
        self.lines(app.model.as_ref(), now).join("\n")
    }

    fn lines(&self, model: Option<&Model>, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        let lasted = model.and_then(|model| model.durable.engine_started_at).map(|at| age(at, now));
        let lasted = lasted
            .map_or_else(String::new, |lasted| format!(" after {} of its time", units::duration(lasted)));
        let what = self.what;
        lines.push(format!("The {what} is over{lasted}."));
        let incidents: Vec<&Incident> = model.map_or_else(Vec::new, |model| {
            model.durable.closed.iter().chain(&model.durable.incident).collect()
        });
        if let Some(model) = model {
            lines.extend(incidents.iter().flat_map(|incident| told(model, incident, now)));
        }
        if incidents.is_empty() {
            lines.push("  No incident was declared.".into());
        }
        match &self.kept {
            Some(folder) => {
                let (plan, state) = (quoted(&self.plan), quoted(folder));
                lines.push(format!("Its journal and state are kept in {state}:"));
                if !incidents.is_empty() {
                    lines.push(format!("  lifeboat postmortem {plan} --state {state}"));
                }
                lines.push(format!("  lifeboat journal verify --state {state}"));
            }
            None => {
                lines.push("Nothing of it is kept; --keep DIR keeps its journal and state.".into());
            }
        }
        // Each command whole in a line of its own, so that it can be copied.
        let again = &self.again;
        let (own, command) = match self.what {
            "demo" => ("your own plan", "lifeboat rehearse PLAN".to_owned()),
            _ => ("the real thing", format!("lifeboat open {}", quoted(&self.plan))),
        };
        lines.push("Next, another story (its help names them):".into());
        lines.push(format!("  {again} --help"));
        lines.push(format!("or {own}:"));
        lines.push(format!("  {command}"));
        lines
    }
}

/// An incident and its runs, a line each.
fn told(model: &Model, incident: &Incident, now: Timestamp) -> Vec<String> {
    let took = |until| units::clock(age(incident.detected_at, until));
    let end = match (&incident.closed, &incident.resolved) {
        (Some((at, _)), _) => format!("closed {} after its detection", took(*at)),
        (None, Some(_)) => format!("resolved and not closed, {} after its detection", took(now)),
        (None, None) => format!("still open, {} after its detection", took(now)),
    };
    let title = clean(&incident.title, TITLE_CHARS);
    let mut lines = vec![format!("  {} \"{title}\": {end}.", incident.id)];
    lines.extend(incident.runs.iter().map(|run| walked(model, run, now)));
    if incident.runs.is_empty() && incident.answers.is_empty() {
        lines.push("    No question of its tree was answered.".into());
    } else if incident.runs.is_empty() {
        lines.push(format!("    Questions answered: {}; no runbook was begun.", incident.answers.len()));
    }
    lines
}

/// `Full region failover: completed in 4:25, 10 of 10 steps settled (8 verified, 1 by hand, 1 skipped).`
fn walked(model: &Model, run: &Run, now: Timestamp) -> String {
    let (until, how) = match &run.ended {
        Some((at, RunEnd::Completed)) => (*at, "completed in"),
        Some((at, RunEnd::Aborted(_))) => (*at, "ABORTED after"),
        None => (now, "not finished after"),
    };
    let count = |wanted| run.steps.values().filter(|step| step.status == wanted).count();
    let parts = [
        (StepStatus::Verified, "verified"),
        (StepStatus::Attested, "by hand"),
        (StepStatus::Skipped, "skipped"),
        (StepStatus::Failed, "failed"),
        (StepStatus::Unknown, "unknown"),
    ];
    let parts = parts.map(|(status, word)| (count(status), word));
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let settled = run.steps.values().filter(|step| step.status.is_settled()).count();
    let title = clean(&model.runbook_title(&run.runbook), TITLE_CHARS);
    let took = units::clock(age(run.started_at, until));
    format!("    {title}: {how} {took}, {settled} of {} steps settled{parts}.", run.steps.len())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(kept: Option<&str>) -> Ending {
        Ending {
            what: "demo",
            again: "lifeboat demo".into(),
            plan: "/tmp/my demo/plan".into(),
            kept: kept.map(PathBuf::from),
        }
    }

    #[test]
    fn what_is_kept_is_named_with_the_commands_that_read_it_and_only_then() {
        let desk = crate::core::ask::escalation_status::tests::Desk::declared();
        let kept = ending(Some("/tmp/my demo")).lines(Some(&desk.model), desk.now).join("\n");
        assert!(kept.contains("lifeboat postmortem '/tmp/my demo/plan' --state '/tmp/my demo'"), "{kept}");
        assert!(kept.contains("lifeboat journal verify --state '/tmp/my demo'"), "{kept}");
        assert!(
            kept.contains("still open") && kept.contains("No question of its tree was answered"),
            "{kept}"
        );
        let gone = ending(None).lines(Some(&desk.model), desk.now).join("\n");
        assert!(gone.contains("Nothing of it is kept") && !gone.contains("postmortem"), "{gone}");
    }

    #[test]
    fn each_command_is_whole_in_a_line_of_its_own() {
        for (what, kept) in [("demo", None), ("demo", Some("/tmp/x")), ("rehearsal", None)] {
            let lines = Ending { what, ..ending(kept) }.lines(None, Timestamp::now());
            for line in lines.iter().filter(|line| line.contains("lifeboat ")) {
                assert!(line.starts_with("  lifeboat ") && !line.ends_with('.'), "{line}");
            }
            assert!(lines.iter().all(|line| line.len() <= 80 || line.starts_with("  ")), "{lines:?}");
        }
    }

    #[test]
    fn where_nothing_was_declared_no_post_mortem_is_offered() {
        let model = Model::new(crate::core::tests::fixture::plan());
        let text =
            ending(Some("/tmp/x")).lines(Some(&model), crate::core::tests::fixture::start()).join("\n");
        assert!(text.contains("No incident was declared") && !text.contains("postmortem"), "{text}");
        assert!(ending(None).lines(None, Timestamp::now())[0].starts_with("The demo is over"));
    }
}
