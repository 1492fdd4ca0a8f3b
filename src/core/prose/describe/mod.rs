//! Facts as sentences: one readable line each, for the timeline, the command line and the report.

mod notifications;

pub use notifications::{in_how_long, to_whom};

use crate::base::ids::{ProbeId, QuestionId, RegionId, RunbookId, ServiceId, StepId};
use crate::base::units;
use crate::core::ask::loss_reading::LossReading;
use crate::core::ask::placement;
use crate::core::words::confirmation::{Confirmation, LossEstimate};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{GivenAnswer, Outcome, Position, RunEnd};
use crate::core::words::notification::Tracked;
use crate::core::words::signal::SignalState;
use crate::plan::{Plan, Severity};

/// The longest sentence, in characters: the longest text of a person with its frame.
const SENTENCE_LIMIT_CHARS: usize = 4_400;

/// What happened, in one line of plain words. Names are the plan's titles where it knows them; text from
/// outside is cleaned.
pub fn describe(fact: &Fact, plan: &Plan) -> String {
    crate::base::text::clean(&sentence(fact, plan), SENTENCE_LIMIT_CHARS)
}

/// One list, so that a fact without its sentence does not compile.
fn sentence(fact: &Fact, plan: &Plan) -> String {
    let title = |step| step_title(plan, step);
    match fact {
        Fact::EngineStarted { version, recovery, .. } if recovery.is_empty() => {
            format!("Engine {version} took over; nothing that was measured before counts")
        }
        Fact::EngineStarted { version, recovery, .. } => format!("Engine {version} took over; {recovery}"),
        Fact::EngineStopped { why } => format!("Engine stopped: {why}"),
        Fact::ClockJumped { by, .. } if by.is_negative() => format!(
            "This host's clock was set back by {}; recorded times go on and never back. Check its time service",
            units::duration(by.abs())
        ),
        Fact::ClockJumped { by, not_passed } if not_passed.is_positive() => format!(
            "This host's clock was set ahead by {}: times from here on follow it, and what is told after a while waits as long as before. Check its time service",
            units::duration(*by)
        ),
        Fact::ClockJumped { by, .. } => format!(
            "This host's clock leapt ahead by {}: it slept or was set; times from here on follow it. Check its time service",
            units::duration(*by)
        ),
        Fact::ClockJudged { off: Some(off), .. } => format!(
            "Own clock: {}; recorded times are wrong by that, and certificates may be misjudged. Check its time service",
            off.sentence()
        ),
        Fact::ClockJudged { off: None, .. } => "This host's clock agrees again with what servers say".into(),
        Fact::ReadingTaken { probe, reading, judged } => match &reading.outcome {
            Ok(measured) => {
                format!("{}: {}, {}", probe_title(plan, probe), judged.as_str(), measured.summary)
            }
            Err(failure) => format!("{} could not be measured: {failure}", probe_title(plan, probe)),
        },
        Fact::SignalChanged { probe, from, to, why } => {
            let title = probe_title(plan, probe);
            format!("{title}: {} (was {}), {why}", upper(*to), from.as_str())
        }
        Fact::SeverityChanged { from, to, why } => severity_changed(*from, *to, why),
        Fact::ContradictionFound { contradiction } => {
            format!("{}: {}", contradiction.what, contradiction.why)
        }
        Fact::PrimaryMeasured { probe, before, timeline, serves } => {
            primary_measured(plan, probe, before.as_ref(), *timeline, serves.as_ref())
        }
        Fact::LossNoted { probe, reading } => loss_noted(plan, probe, reading.as_ref()),
        Fact::ServingRecorded { region, reason } => {
            format!("Recorded that {} serves: {reason}", region_name(plan, region))
        }
        Fact::RegionMoved { region, .. } => {
            format!("{} serves from now on, by the runbook", region_name(plan, region))
        }
        Fact::ServicesMoved { services, step, .. } => services_moved(plan, services, step),
        Fact::DivergenceSettled { what, how, .. } => format!("The data that went apart in \"{what}\": {how}"),
        Fact::ContradictionAnswered { what, reason, .. } => format!("Answered \"{what}\": {reason}"),
        Fact::ContradictionEnded { what, why, .. } => format!("Over \"{what}\": {why}"),
        Fact::JournalSpace { short: Some(short) } => format!("The journal's disk is FULL: {short}"),
        Fact::JournalSpace { short: None } => "The journal's disk has room again".into(),
        Fact::JournalChanged { failure: Some(why), .. } => format!("The journal cannot be written: {why}"),
        Fact::JournalChanged { failure: None, protection } => {
            format!("The journal can be written again; protection: {protection}")
        }
        Fact::PagedUnrecorded { page } => {
            let (who, via) = (&page.who, &page.way.channel);
            let at = page.sent_at.strftime("%H:%M:%SZ");
            let result = match &page.result {
                Ok(answer) => format!("accepted ({answer})"),
                Err(why) => format!("DID NOT ARRIVE ({why})"),
            };
            format!("Paged {who} via {via} at {at}, when it could not be recorded ({}): {result}", page.why)
        }
        Fact::NoteAdded { text } => format!("Note: {text}"),
        Fact::PreflightStarted => "Preflight: each step of the plan is being looked at".into(),
        Fact::PreflightFound { .. } => "Preflight: its results are here".into(),
        Fact::PreflightRan { asked_by, tally, failing, simulated } => {
            let failing =
                if failing.is_empty() { String::new() } else { format!("; fails: {}", failing.join(", ")) };
            let world = if *simulated { "SIMULATED preflight" } else { "Preflight" };
            format!("{world}, asked for by {asked_by}: {tally}{failing}")
        }
        Fact::IncidentDeclared { id, title, mode, severity, .. } => {
            let severity = severity.map_or("no severity yet", Severity::as_str);
            format!("Declared {} {id} ({severity}): {title}", mode.as_str().to_uppercase())
        }
        Fact::DrillTurnedLive { id, title, severity, .. } => {
            let severity = severity.map_or("no severity yet", Severity::as_str);
            format!("The drill {id} IS LIVE from here on ({severity}): {title}")
        }
        Fact::SeveritySet { severity, reason } => {
            format!("Severity set to {} by hand: {reason}", severity.as_str())
        }
        Fact::QuestionAnswered { answer, position } => answered(answer, position, plan),
        Fact::QuestionRevisited { question } => format!("Went back to: {}", ask(plan, question)),
        Fact::RunStarted { runbook, .. } => format!("Runbook begun: {}", runbook_title(plan, runbook)),
        Fact::RunEnded { end: RunEnd::Completed, .. } => "Runbook completed: every step is settled".into(),
        Fact::RunEnded { end: RunEnd::Aborted(why), .. } => format!("Runbook ABORTED: {why}"),
        Fact::IncidentClosed { reason } => format!("Incident closed: {reason}"),
        Fact::StepPreparing { step, .. } => format!("{}: its target is being read", title(step)),
        Fact::StepPrepared { confirmation } => prepared(confirmation, title(&confirmation.step)),
        Fact::StepPreparationFailed { step, failure, .. } => {
            format!("{}: cannot be prepared, {failure}", title(step))
        }
        Fact::ConfirmationWithdrawn { step, why, .. } => {
            format!("{}: confirmation withdrawn, {why}", title(step))
        }
        Fact::StepConfirmed { step, typed: Some(typed), .. } => {
            format!("{}: confirmed by typing \"{typed}\"", title(step))
        }
        Fact::StepConfirmed { step, .. } => format!("{}: confirmed", title(step)),
        Fact::StepStarted { step, attempt: 1, .. } => format!("{}: started", title(step)),
        Fact::StepStarted { step, attempt, .. } => format!("{}: started, attempt {attempt}", title(step)),
        Fact::StepOutput { step, line, .. } => format!("{}: {line}", title(step)),
        Fact::StepFinished { step, outcome, .. } => match outcome {
            Outcome::Done(done) => format!("{}: ran, not yet proven; {}", title(step), done.summary),
            Outcome::Failed(failure) if outcome.is_uncertain() => {
                format!("{}: UNKNOWN whether it acted, {failure}", title(step))
            }
            Outcome::Failed(failure) => format!("{}: FAILED, {failure}", title(step)),
        },
        Fact::StepVerified { step, proof, .. } => {
            format!("{}: VERIFIED, {}", title(step), proof.evidence.join("; "))
        }
        Fact::StepHolding { step, proof, found, hold, .. } => format!(
            "{}: its effect is there and has to hold for {}; {} ({})",
            title(step),
            units::duration(*hold),
            found.words(),
            proof.evidence.join("; ")
        ),
        Fact::TargetChanged { step, target, from, to, .. } => format!(
            "{}: {target} CHANGED after it was verified, not by this step: {} (was {})",
            title(step),
            to.words(),
            from.words()
        ),
        Fact::StepVerificationFailed { step, failure, .. } => {
            format!("{}: not proven, {failure}", title(step))
        }
        Fact::StepRetried { step, reason, .. } => match reason {
            Some(reason) => format!("{}: to be tried again, {reason}", title(step)),
            None => format!("{}: to be tried again", title(step)),
        },
        Fact::StepRechecked { step, .. } => format!("{}: the world is read again", title(step)),
        Fact::StepSkipped { step, reason, .. } => format!("{}: SKIPPED, {reason}", title(step)),
        Fact::StepAttested { step, how, unproven, .. } => {
            let unseen = if *unproven { " (its own proof not seen yet)" } else { "" };
            format!("{}: done by hand{unseen}, {how}", title(step))
        }
        Fact::StepUndone { step, how, stays: true, .. } => {
            format!("{}: stays on purpose, {how}", title(step))
        }
        Fact::StepUndone { step, how, .. } => format!("{}: no longer in force, {how}", title(step)),
        Fact::GuardOverridden { step, condition, reason, losses, .. } => {
            let losses: Vec<String> = losses.iter().map(LossEstimate::sentence).collect();
            let loss =
                if losses.is_empty() { String::new() } else { format!(" (loss: {})", losses.join("; ")) };
            format!("{}: guard OVERRIDDEN, {reason}{loss}: {condition}", title(step))
        }
        Fact::IncidentProposed { id, title, severity } => {
            format!("Proposed {id} ({}), nobody has declared it: {title}", severity.as_str())
        }
        Fact::ProposalWithdrawn { id, why } => format!("Proposal {id} withdrawn: {why}"),
        Fact::EscalationStarted { severity, policy, .. } => match policy
            .as_ref()
            .map(|id| plan.policies.get(id))
        {
            Some(Some(policy)) => format!("Escalation {} begins: {}", severity.as_str(), policy.title),
            Some(None) => format!("Escalation {} begins; the plan has its policy no more", severity.as_str()),
            None => format!("Nobody is paged: the plan has no policy for {}", severity.as_str()),
        },
        Fact::EscalationAcknowledged { who, via, .. } => format!("ACKNOWLEDGED by {who} ({via})"),
        Fact::EscalationRenewed { why, .. } => format!("Escalation begins anew: {why}"),
        Fact::NotificationsQueued { cause, intent, to, .. } => {
            notifications::queued(cause, *intent, to, plan)
        }
        Fact::NotificationStarted { to, attempt: 1, .. } => format!("Telling {to}: being sent"),
        Fact::NotificationStarted { to, attempt, .. } => {
            format!("Telling {to}: being sent, attempt {attempt}")
        }
        Fact::NotificationFinished { to, attempted, .. } => notifications::ended(to, attempted),
        Fact::NotificationTracked { to, tracked, .. } => match tracked {
            Tracked::Pending => format!("Telling {to}: nothing new"),
            Tracked::Delivered(how) => format!("Telling {to}: delivered, {how}"),
            Tracked::Acknowledged(who) => format!("Telling {to}: acknowledged by {who}"),
            Tracked::Failed(why) => format!("Telling {to}: NOT DELIVERED, {why}"),
        },
        Fact::MessageDue { due } => {
            let title =
                plan.messages.get(&due.message).map_or(due.message.as_str(), |message| &message.title);
            format!("To be told by {}: {title}", due.by.strftime("%H:%MZ"))
        }
        Fact::MessageSkipped { message, reason, .. } => {
            let title = plan.messages.get(message).map_or(message.as_str(), |message| &message.title);
            format!("{title}: not told, {reason}")
        }
        Fact::RoleAssigned { role, to, .. } => format!("{to} is {} now", role.as_str()),
        Fact::IncidentResolved { how } => format!("Resolved: {how}"),
        Fact::IncidentReopened { why } => format!("REOPENED: {why}"),
        Fact::CalendarRead { rotation, shifts, left_out } => {
            let title = plan.rotations.get(rotation).map_or(rotation.as_str(), |rotation| &rotation.title);
            match shifts {
                Err(why) => {
                    format!("The calendar of {title} CANNOT BE READ; what it said before counts: {why}")
                }
                Ok(shifts) if left_out.is_empty() => {
                    format!("The calendar of {title} was read: {}", notifications::next_shifts(shifts, plan))
                }
                Ok(shifts) => format!(
                    "The calendar of {title} was read, and NOT ALL OF IT COUNTS: {}. {}",
                    notifications::next_shifts(shifts, plan),
                    left_out.join("; ")
                ),
            }
        }
    }
}

fn services_moved(plan: &Plan, services: &[(ServiceId, RegionId)], step: &StepId) -> String {
    let mut by_region: Vec<(&RegionId, Vec<&str>)> = Vec::new();
    for (service, region) in services {
        let title = plan.services.get(service).map_or(service.as_str(), |service| &service.title);
        match by_region.iter_mut().find(|(known, _)| *known == region) {
            Some((_, titles)) => titles.push(title),
            None => by_region.push((region, vec![title])),
        }
    }
    let moved = |(region, titles): &(&RegionId, Vec<&str>)| {
        format!("{} from {} from now on", placement::served(titles), region_name(plan, region))
    };
    if services.is_empty() {
        return format!("{}: done by hand, and its own proof is seen now", step_title(plan, step));
    }
    let moved: Vec<String> = by_region.iter().map(moved).collect();
    format!("{}: {}", step_title(plan, step), moved.join("; "))
}

fn loss_noted(plan: &Plan, probe: &ProbeId, reading: Option<&LossReading>) -> String {
    let title = probe_title(plan, probe);
    match reading {
        Some(reading) => {
            let (at, loss) = (reading.at.strftime("%H:%M:%SZ"), reading.estimate(probe.clone()).sentence());
            format!("{title}: noted what a failover at {at} would have lost: {loss}")
        }
        None => format!("{title}: what was noted of a loss before does not hold any more"),
    }
}

fn primary_measured(
    plan: &Plan,
    probe: &ProbeId,
    before: Option<&ProbeId>,
    timeline: Option<u32>,
    serves: Option<&RegionId>,
) -> String {
    let timeline = timeline.map_or_else(String::new, |timeline| format!(" on timeline {timeline}"));
    let before = before.map_or_else(String::new, |before| format!(", before {}", probe_title(plan, before)));
    let serves = serves.map_or_else(String::new, |region| format!("; {} serves", region_name(plan, region)));
    format!("Measured: {} is the primary{timeline}{before}{serves}", probe_title(plan, probe))
}

fn region_name<'a>(plan: &'a Plan, region: &'a RegionId) -> &'a str {
    plan.regions.get(region).map_or(region.as_str(), |region| &region.name)
}

fn prepared(confirmation: &Confirmation, title: &str) -> String {
    let target = &confirmation.description.target;
    match confirmation.blocking_guard() {
        Some((_, guard)) => format!("{title}: waits, the guard {} does not hold", guard.condition),
        None => format!("{title}: ready to be confirmed, target {} ({})", target.name, target.kind),
    }
}

fn answered(answer: &GivenAnswer, position: &Position, plan: &Plan) -> String {
    let leads = match position {
        Position::Question(question) => format!("next: \"{}\"", ask(plan, question)),
        Position::Leaf(leaf) => {
            format!("outcome: {}", plan.tree.leaves.get(leaf).map_or(leaf.as_str(), |leaf| &leaf.title))
        }
        Position::Runbook(runbook) => format!("runbook: {}", runbook_title(plan, runbook)),
    };
    let reason = answer.reason.as_deref().map_or_else(String::new, |reason| format!(", because {reason}"));
    format!("\"{}\" to \"{}\"{reason}; {leads}", answer.answer, ask(plan, &answer.question))
}

fn severity_changed(from: Option<Severity>, to: Option<Severity>, why: &str) -> String {
    match (from, to) {
        (_, None) => format!("Severity: none ({why})"),
        (None, Some(to)) => format!("Severity {}: {why}", to.as_str()),
        (Some(from), Some(to)) if from == to => format!("Severity still {}, now because: {why}", to.as_str()),
        (Some(from), Some(to)) => format!("Severity {} (was {}): {why}", to.as_str(), from.as_str()),
    }
}

fn upper(state: SignalState) -> &'static str {
    match state {
        SignalState::Ok => "ok",
        SignalState::Warn => "WARN",
        SignalState::Critical => "CRITICAL",
        SignalState::Unknown => "UNKNOWN",
    }
}

fn probe_title<'a>(plan: &'a Plan, probe: &'a ProbeId) -> &'a str {
    plan.probes.get(probe).map_or(probe.as_str(), |spec| &spec.title)
}

fn ask<'a>(plan: &'a Plan, question: &'a QuestionId) -> &'a str {
    plan.tree.questions.get(question).map_or(question.as_str(), |question| &question.ask)
}

fn runbook_title<'a>(plan: &'a Plan, runbook: &'a RunbookId) -> &'a str {
    plan.runbooks.get(runbook).map_or(runbook.as_str(), |runbook| &runbook.title)
}

/// A fact names the run, not the runbook; the title is used only where no other runbook gives the step's name
/// another one.
fn step_title<'a>(plan: &'a Plan, step: &'a StepId) -> &'a str {
    let mut titles =
        plan.runbooks.values().filter_map(|runbook| runbook.steps.get(step)).map(|step| step.title.as_str());
    match titles.next() {
        Some(title) if titles.all(|other| other == title) => title,
        _ => step.as_str(),
    }
}
