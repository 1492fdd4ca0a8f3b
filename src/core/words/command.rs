//! What people ask for, and what comes back from the world.

use crate::base::ids::*;
use crate::core::ask::own_clock::ClockOff;
use crate::core::ask::unrecorded::UnrecordedPage;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Description, Failure, ManualCard, Proof};
use crate::core::words::actor::Actor;
use crate::core::words::escalation::IncidentRole;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::core::words::preflight::Preflight;
use crate::core::words::reading::Reading;
use crate::core::words::since_boot::SinceBoot;
use crate::plan::{CalendarTrouble, Severity, Shift, Who};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A command with who asked and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// When it reached the engine.
    pub at: Timestamp,
    /// Who asked.
    pub by: Actor,
    /// What is asked.
    pub command: Command,
}

/// What is asked, by a person or by the engine.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// A person asks.
    Ask(Ask),
    /// The world answers.
    Report(Report),
}

/// What a person can ask for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Opens an incident.
    Declare {
        /// What it is about.
        title: String,
        /// Real, or an exercise.
        mode: Mode,
    },
    /// Overrides the derived severity.
    SetSeverity {
        severity: Severity,
        /// Why.
        reason: String,
    },
    /// Records that a region serves: what was done outside of lifeboat.
    RecordServing {
        region: RegionId,
        /// What was done, by whom.
        reason: String,
    },
    /// Answers a contradiction, so that what it blocks may go on.
    AnswerContradiction {
        /// Which instance.
        id: String,
        /// Why it may be so, or what was done about it.
        reason: String,
    },
    /// Answers the open question.
    Answer {
        question: QuestionId,
        answer: String,
        /// The suggestion that was on the screen.
        suggested: Option<String>,
        /// Why; needed where the answer differs from the suggestion.
        reason: Option<String>,
    },
    /// Goes back to a question, while no run is open.
    Revisit { question: QuestionId },
    /// Opens the confirmation of a step.
    Prepare { run: RunId, step: StepId },
    /// Confirms what the bundle shows.
    Confirm {
        /// The bundle.
        confirmation: ConfirmationId,
        /// What was typed, where the level asks for it.
        typed: Option<String>,
    },
    /// Closes a confirmation without confirming.
    Decline {
        /// The bundle.
        confirmation: ConfirmationId,
    },
    /// Tries a failed or unknown step again.
    Retry {
        run: RunId,
        step: StepId,
        /// Why; needed where nobody knows whether the step acted.
        reason: Option<String>,
    },
    /// Reads the world again for a step whose effect is not known.
    Recheck { run: RunId, step: StepId },
    /// Leaves a step out.
    Skip {
        run: RunId,
        step: StepId,
        /// Why.
        reason: String,
    },
    /// Lets a step run although a guard does not hold.
    Override {
        run: RunId,
        step: StepId,
        /// The guard's place in the plan, from 0.
        guard: usize,
        /// Why.
        reason: String,
    },
    /// States that a step was done by hand.
    Attest {
        run: RunId,
        step: StepId,
        /// What was done and how it was checked.
        how: String,
    },
    /// States that what a step did is not in force any more, or stays on purpose; also after its incident was closed.
    Undone {
        run: RunId,
        step: StepId,
        /// What was done and how it was checked.
        how: String,
        /// It stays on purpose; else it was taken back.
        #[serde(default)]
        stays: bool,
    },
    /// Stops the open run.
    Abort {
        /// Why.
        reason: String,
    },
    /// Writes into the timeline.
    Note { text: String },
    /// Takes the escalation on.
    Acknowledge,
    /// Pages somebody now, whatever the policy says.
    Page {
        who: Who,
        /// On which ways; none for all that they have.
        methods: Vec<ChannelId>,
        /// What to tell them besides the state of things; may be empty.
        text: String,
    },
    /// Sends a message that a person has read, and perhaps changed.
    Send {
        /// The plan's message that it is; none for one of the person's own.
        message: Option<MessageId>,
        audience: AudienceId,
        /// One line.
        subject: String,
        /// The text.
        body: String,
    },
    /// Does without a message that is due.
    SkipMessage {
        message: MessageId,
        /// Why.
        reason: String,
    },
    /// Lets somebody else answer for something.
    HandOver {
        role: IncidentRole,
        /// Who, by name.
        to: String,
    },
    /// Says that what had to be mended is mended.
    Resolve { how: String },
    /// Says that it was not over.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Says that what is proposed is no incident.
    Dismiss {
        /// Why.
        reason: String,
    },
    /// Looks whether each step of the plan could be done now.
    Preflight,
    /// Closes the incident.
    Close {
        /// How it ended.
        reason: String,
    },
}

/// What comes back from the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Report {
    /// The engine took over the journal.
    EngineStarted {
        /// The program's version.
        version: String,
        /// What the journal needed at its opening; empty when nothing.
        recovery: String,
        /// How long its host has been up; none where the host does not tell.
        since_boot: Option<SinceBoot>,
    },
    /// The engine ends because it was asked to.
    EngineStopping { why: String },
    /// Probes ran.
    Observed(Vec<(ProbeId, Reading)>),
    /// Time passed: staleness, expiry, what runs by itself.
    Tick,
    /// The wall clock moved against the machine's steady clock.
    ClockJumped {
        /// By how much, positive for forward.
        by: SignedDuration,
        /// How far lifeboat's time followed without time passing.
        not_passed: SignedDuration,
    },
    /// What servers say of this host's clock; none where it is not off.
    ClockCompared(Option<ClockOff>),
    /// A step's description came back.
    Described {
        run: RunId,
        step: StepId,
        /// What it would do, or why it cannot be told.
        result: Result<Description, Failure>,
        /// What a person would do instead.
        manual: ManualCard,
    },
    /// Pages went out while the journal could not be written.
    PagedUnrecorded(Vec<UnrecordedPage>),
    /// A preflight ended.
    Preflighted(Box<Preflight>),
    /// A line of live output.
    Output {
        run: RunId,
        step: StepId,
        /// The line, cleaned and redacted.
        line: String,
    },
    /// A step's execution ended.
    Executed { run: RunId, step: StepId, attempt: u32, outcome: Outcome },
    /// A step's verification ended.
    Checked {
        run: RunId,
        step: StepId,
        attempt: u32,
        /// What the world showed.
        result: Result<Proof, Failure>,
    },
    /// A verification found the effect, which has to hold.
    Holding {
        run: RunId,
        step: StepId,
        attempt: u32,
        /// What was read.
        proof: Proof,
        /// What the step made of its target.
        found: Found,
        /// How long it has to stay so.
        hold: SignedDuration,
    },
    /// The target of a verified step was looked at again.
    Watched { run: RunId, step: StepId, found: Found },
    /// An attempt to send a message ended.
    Notified {
        /// The message.
        id: NotificationId,
        attempt: u32,
        result: Result<Receipt, Undelivered>,
    },
    /// More is known of a message.
    Tracked {
        /// The message.
        id: NotificationId,
        tracked: Tracked,
    },
    /// A calendar of who is on call was read, or could not be.
    Calendar {
        rotation: RotationId,
        /// Its shifts; none where it cannot be read.
        shifts: Vec<Shift>,
        /// What of it does not count.
        trouble: Option<CalendarTrouble>,
    },
}
