//! Telling people, as sentences.

use crate::base::ids::ContactId;
use crate::base::units;
use crate::core::words::fact::Fact;
use crate::core::words::notification::{Again, Attempted, Cause, Intent, Queued, Tracked};
use crate::plan::{Plan, Shift};

pub(super) fn sentence(fact: &Fact, plan: &Plan) -> String {
    match fact {
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
        Fact::NotificationsQueued { cause, intent, to, .. } => queued(cause, *intent, to, plan),
        Fact::NotificationStarted { to, attempt: 1, .. } => format!("Telling {to}: being sent"),
        Fact::NotificationStarted { to, attempt, .. } => {
            format!("Telling {to}: being sent, attempt {attempt}")
        }
        Fact::NotificationFinished { to, attempted, .. } => match attempted {
            Attempted::Accepted(receipt) => {
                let cut = if receipt.cut.is_empty() { String::new() } else { format!("; {}", receipt.cut) };
                format!("Telling {to}: accepted, {}{cut}", receipt.answer)
            }
            Attempted::Failed { failure, retry_at: Some(at) } => {
                format!("Telling {to}: not sent, {}; again at {}", failure.why, at.strftime("%H:%M:%SZ"))
            }
            Attempted::Failed { failure, .. } if failure.again == Again::Maybe => {
                format!("Telling {to}: UNKNOWN whether it arrived, {}", failure.why)
            }
            Attempted::Failed { failure, .. } => format!("Telling {to}: NOT SENT, {}", failure.why),
        },
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
                    format!("The calendar of {title} was read: {}", next_shifts(shifts, plan))
                }
                Ok(shifts) => format!(
                    "The calendar of {title} was read, and NOT ALL OF IT COUNTS: {}. {}",
                    next_shifts(shifts, plan),
                    left_out.join("; ")
                ),
            }
        }
        // Told before this is asked.
        Fact::EngineStarted { .. }
        | Fact::EngineStopped { .. }
        | Fact::ClockJumped { .. }
        | Fact::ClockJudged { .. }
        | Fact::ReadingTaken { .. }
        | Fact::SignalChanged { .. }
        | Fact::SeverityChanged { .. }
        | Fact::ContradictionFound { .. }
        | Fact::PrimaryMeasured { .. }
        | Fact::LossNoted { .. }
        | Fact::ServicesMoved { .. }
        | Fact::RegionMoved { .. }
        | Fact::ServingRecorded { .. }
        | Fact::ContradictionAnswered { .. }
        | Fact::ContradictionEnded { .. }
        | Fact::DivergenceSettled { .. }
        | Fact::IncidentDeclared { .. }
        | Fact::DrillTurnedLive { .. }
        | Fact::SeveritySet { .. }
        | Fact::QuestionAnswered { .. }
        | Fact::QuestionRevisited { .. }
        | Fact::RunStarted { .. }
        | Fact::StepPreparing { .. }
        | Fact::StepPrepared { .. }
        | Fact::StepPreparationFailed { .. }
        | Fact::ConfirmationWithdrawn { .. }
        | Fact::StepConfirmed { .. }
        | Fact::StepStarted { .. }
        | Fact::StepOutput { .. }
        | Fact::StepFinished { .. }
        | Fact::StepVerified { .. }
        | Fact::StepHolding { .. }
        | Fact::TargetChanged { .. }
        | Fact::StepVerificationFailed { .. }
        | Fact::StepRetried { .. }
        | Fact::StepRechecked { .. }
        | Fact::StepSkipped { .. }
        | Fact::GuardOverridden { .. }
        | Fact::StepAttested { .. }
        | Fact::StepUndone { .. }
        | Fact::RunEnded { .. }
        | Fact::NoteAdded { .. }
        | Fact::PreflightStarted
        | Fact::PreflightRan { .. }
        | Fact::PreflightFound { .. }
        | Fact::PagedUnrecorded { .. }
        | Fact::IncidentClosed { .. }
        | Fact::JournalChanged { .. }
        | Fact::JournalSpace { .. } => String::new(),
    }
}

/// `Ana until 2026-03-09 08:00Z, then Bob until 2026-03-16 08:00Z`, and how many more.
fn next_shifts(shifts: &[Shift], plan: &Plan) -> String {
    const TOLD: usize = 2;
    let name =
        |id: &ContactId| plan.contacts.get(id).map_or_else(|| id.to_string(), |contact| contact.name.clone());
    let told = shifts
        .iter()
        .take(TOLD)
        .map(|shift| format!("{} until {}", name(&shift.contact), shift.until.strftime("%Y-%m-%d %H:%MZ")));
    let told = told.collect::<Vec<_>>().join(", then ");
    match shifts.len() {
        0 => "nobody is on call by it from now on".into(),
        count if count > TOLD => format!("{told}, and {} more shifts", count - TOLD),
        _ => told,
    }
}

fn queued(cause: &Cause, intent: Intent, to: &[Queued], plan: &Plan) -> String {
    let names: Vec<String> = to.iter().map(|queued| to_whom(queued, plan)).collect();
    let names =
        if names.is_empty() { "NOBODY: no way leads to anybody".to_owned() } else { names.join(", ") };
    let message = |id| plan.messages.get(id).map_or_else(|| format!("{id}"), |message| message.title.clone());
    match cause {
        Cause::Level { level, round: 0, .. } => format!("Paging level {}: {names}", level + 1),
        Cause::Level { level, round, .. } => {
            format!("Paging level {}, round {}: {names}", level + 1, round + 1)
        }
        Cause::Fallback { .. } => format!("The way before failed or was not answered; now {names}"),
        Cause::Message { message: id, number: 1 } => format!("{} goes to {names}", message(id)),
        Cause::Message { message: id, number } => {
            format!("{}, number {number}, goes to {names}", message(id))
        }
        Cause::ByHand => format!("Paging by hand: {names}"),
        Cause::Written => format!("A message goes to {names}"),
        Cause::Follow(_) => format!("To be {}d there too: {names}", intent.as_str()),
    }
}

/// `CTO by phone`; the channel alone where it has one destination of its own.
pub fn to_whom(queued: &Queued, plan: &Plan) -> String {
    let channel = plan.channels.get(&queued.way.channel);
    let title = channel.map_or_else(|| queued.way.channel.to_string(), |channel| channel.title.clone());
    match &queued.contact {
        Some(_) => format!("{} by {title}", queued.name),
        None => title,
    }
}

/// In how long something is due: `in 4 min`, or `now`.
pub fn in_how_long(left: jiff::SignedDuration) -> String {
    if left.is_positive() { format!("in {}", units::clock(left)) } else { "now".into() }
}
