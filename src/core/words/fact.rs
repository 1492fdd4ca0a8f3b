//! Past tense: what happened. Durable facts are journal records; the model is their fold.

use crate::base::ids::*;
use crate::core::ask::contradiction::Contradiction;
use crate::core::ask::loss_reading::LossReading;
use crate::core::ask::own_clock::ClockOff;
use crate::core::ask::unrecorded::UnrecordedPage;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Failure, ManualCard, Proof};
use crate::core::words::actor::Actor;
use crate::core::words::confirmation::{Confirmation, LossEstimate};
use crate::core::words::escalation::{DueMessage, IncidentRole};
use crate::core::words::incident::{Aim, GivenAnswer, Mode, Noted, Outcome, Position, RunEnd};
use crate::core::words::notification::{Attempted, Cause, Intent, Message, Queued, Tracked};
use crate::core::words::preflight::{Preflight, Tally};
use crate::core::words::reading::Reading;
use crate::core::words::signal::SignalState;
use crate::core::words::since_boot::SinceBoot;
use crate::journal::Head;
use crate::plan::{Severity, Shift};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many failing steps a preflight's record names.
pub const PREFLIGHT_NAMES: usize = 20;

/// A fact with when, whose doing, and its place in the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// Whose doing it was.
    pub by: Actor,
    /// What happened.
    pub fact: Fact,
    /// Its journal record; none for ephemeral facts.
    pub record: Option<Head>,
}

/// What happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// An engine took over: nothing that was measured before counts any more.
    EngineStarted {
        /// The program's version.
        version: String,
        /// Digest of the plan's files.
        plan: String,
        /// What the journal needed at its opening; empty when nothing.
        recovery: String,
        /// How long its host had been up then; none where the host does not tell, and in older journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since_boot: Option<SinceBoot>,
        /// Where runs lead that began when that was not recorded yet; none where an engine before told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        noted: Option<Box<Noted>>,
    },
    /// The engine ended because it was asked to.
    EngineStopped { why: String },
    /// The wall clock moved against the machine's steady clock.
    ClockJumped {
        /// By how much, positive for forward.
        by: SignedDuration,
        /// How far recorded times followed it without time passing: what is to come after a while does not come earlier
        /// for that. Zero where the machine slept, and in older journals.
        #[serde(default)]
        not_passed: SignedDuration,
    },
    /// Several servers deny this host's clock, or do not any more.
    ClockJudged {
        /// By how much it is off; none where it is not.
        off: Option<ClockOff>,
        /// It turned; else only how many say so did, which is not worth a record (ephemeral).
        recorded: bool,
    },
    /// A probe ran (ephemeral).
    ReadingTaken {
        probe: ProbeId,
        /// What it returned.
        reading: Reading,
        /// How the plan judges it.
        judged: SignalState,
    },
    /// A signal turned.
    SignalChanged {
        probe: ProbeId,
        /// Before.
        from: SignalState,
        /// Now.
        to: SignalState,
        why: String,
    },
    /// The derived severity changed.
    SeverityChanged {
        /// Before; none is healthy.
        from: Option<Severity>,
        /// Now; none is healthy.
        to: Option<Severity>,
        /// Which rule, in words.
        why: String,
    },
    /// Something cannot be right, whatever the plan says.
    ContradictionFound { contradiction: Box<Contradiction> },
    /// Another server is the primary of its database than before, as its readings show.
    PrimaryMeasured {
        /// The probe that watches it.
        probe: ProbeId,
        /// The one that watches the primary of before; none where the region is all that is new.
        before: Option<ProbeId>,
        /// The timeline that it writes.
        timeline: Option<u32>,
        /// The region that serves from now on; none where that is the same.
        serves: Option<RegionId>,
    },
    /// What a probe tells of a loss, at a moment after which it may not be measured again.
    LossNoted {
        probe: ProbeId,
        /// Its reading; none once what was noted before is not so any more.
        reading: Option<LossReading>,
    },
    /// A step moved services by themselves: they serve from these regions from now on.
    ServicesMoved { run: RunId, step: StepId, services: Vec<(ServiceId, RegionId)> },
    /// A run moved the region that serves: told after the fact that brought it about.
    RegionMoved { run: RunId, region: RegionId },
    /// A person recorded which region serves.
    ServingRecorded {
        region: RegionId,
        /// What was done, by whom.
        reason: String,
    },
    /// A person says why a contradiction may be, or what was done about it.
    ContradictionAnswered {
        /// Which instance.
        id: String,
        /// What was wrong, one line.
        what: String,
        /// The answer.
        reason: String,
    },
    /// A contradiction is over.
    ContradictionEnded {
        /// Which instance.
        id: String,
        /// What was wrong, one line.
        what: String,
        /// What shows that it is over.
        why: String,
        /// Nothing shows it: a person answered it, and it cannot be seen any more.
        #[serde(default)]
        unseen: bool,
    },
    /// Nobody has to be told any more that the data of two servers went apart: a person says what became of it, or the
    /// server that lost was rebuilt.
    DivergenceSettled {
        /// Which split brain: the instance of its contradiction.
        id: String,
        /// What it was, one line.
        what: String,
        how: String,
    },
    /// An incident was opened.
    IncidentDeclared {
        /// Its name.
        id: IncidentId,
        /// What it is about.
        title: String,
        /// Real, or an exercise.
        mode: Mode,
        /// When the first signal behind it turned.
        detected_at: Timestamp,
        /// The derived severity at that time.
        severity: Option<Severity>,
    },
    /// A person says that it is no exercise any more: the open drill is the live incident from here on.
    DrillTurnedLive {
        /// Its name, which it keeps.
        id: IncidentId,
        /// What it is about.
        title: String,
        /// When the first signal behind it turned.
        detected_at: Timestamp,
        /// The derived severity at that time.
        severity: Option<Severity>,
        /// The proposal that it takes the place of; people who were told about that are not told anew.
        proposal: Option<IncidentId>,
    },
    /// A person set the severity.
    SeveritySet {
        severity: Severity,
        /// Why.
        reason: String,
    },
    /// A question was answered.
    QuestionAnswered {
        /// The answer with what was on the screen.
        answer: GivenAnswer,
        /// Where it leads.
        position: Position,
    },
    /// The incident went back to a question.
    QuestionRevisited { question: QuestionId },
    /// A runbook was begun.
    RunStarted {
        run: RunId,
        runbook: RunbookId,
        /// Its steps as the plan had them at that moment, in order: a later plan adds and forgets none.
        steps: Vec<StepId>,
        /// Where it leads, as the plan said then; none in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aim: Option<Aim>,
    },
    /// A step's target is being read (ephemeral).
    StepPreparing { run: RunId, step: StepId },
    /// A step's confirmation was made.
    StepPrepared {
        /// The frozen bundle.
        confirmation: Box<Confirmation>,
    },
    /// A step could not be prepared.
    #[serde(rename = "step-obstructed")]
    StepPreparationFailed {
        run: RunId,
        step: StepId,
        /// Why.
        failure: Failure,
        /// What a person can do instead.
        manual: ManualCard,
    },
    /// A confirmation can no longer be used.
    #[serde(rename = "confirmation-voided")]
    ConfirmationWithdrawn {
        run: RunId,
        step: StepId,
        /// The bundle.
        confirmation: ConfirmationId,
        /// Why: declined, expired, or what changed.
        why: String,
    },
    /// A person confirmed a step.
    StepConfirmed {
        run: RunId,
        step: StepId,
        /// The bundle.
        confirmation: ConfirmationId,
        typed: Option<String>,
    },
    /// A step's execution begins, once this is durable.
    StepStarted {
        run: RunId,
        step: StepId,
        /// The attempt, from 1.
        attempt: u32,
        /// The bundle that it runs under.
        confirmation: ConfirmationId,
        /// What the plan said then that it does and what proves it; none in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
    /// A step said something (ephemeral).
    StepOutput { run: RunId, step: StepId, line: String },
    /// A step's execution ended.
    StepFinished { run: RunId, step: StepId, attempt: u32, outcome: Outcome },
    /// The world shows the step's effect.
    StepVerified {
        run: RunId,
        step: StepId,
        /// What was read.
        proof: Proof,
    },
    /// The world shows the step's effect, which has to hold before the step counts as verified.
    StepHolding {
        run: RunId,
        step: StepId,
        /// What was read.
        proof: Proof,
        /// What the step made of its target.
        found: Found,
        /// How long it has to stay so.
        hold: SignedDuration,
    },
    /// The target of a verified step is not any more what it was.
    TargetChanged {
        run: RunId,
        step: StepId,
        /// What the target is called.
        target: String,
        /// Before.
        from: Found,
        /// Now.
        to: Found,
    },
    /// The world does not show the step's effect, or could not be read.
    #[serde(rename = "step-doubted")]
    StepVerificationFailed {
        run: RunId,
        step: StepId,
        /// Why.
        failure: Failure,
    },
    /// A person wants a step tried again.
    StepRetried {
        run: RunId,
        step: StepId,
        /// Why.
        reason: Option<String>,
    },
    /// A person wants the world read again (ephemeral).
    StepRechecked { run: RunId, step: StepId },
    /// A person left a step out.
    StepSkipped {
        run: RunId,
        step: StepId,
        /// Why.
        reason: String,
    },
    /// A person lets a step run although a guard does not hold.
    GuardOverridden {
        run: RunId,
        step: StepId,
        /// The guard's place in the plan.
        guard: usize,
        /// The guard.
        condition: String,
        /// Why.
        reason: String,
        /// What is lost by it, as estimated at that moment.
        losses: Vec<LossEstimate>,
    },
    /// A person did a step by hand.
    StepAttested {
        run: RunId,
        step: StepId,
        /// What was done and how it was checked.
        how: String,
        /// What the plan wants as its proof was not seen: whom it lets serve counts once that is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unproven: bool,
        /// What the plan said then that it does and what proves it; none in journals of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
    /// A person states that what a step did is not in force any more, or stays on purpose.
    StepUndone {
        /// The run, of the open incident or of a closed one.
        run: RunId,
        step: StepId,
        /// What was done and how it was checked.
        how: String,
        /// It stays on purpose; else it is taken back.
        #[serde(default)]
        stays: bool,
    },
    /// A run ended.
    RunEnded { run: RunId, end: RunEnd },
    /// A person wrote into the timeline.
    NoteAdded { text: String },
    /// Somebody wants to know whether each step of the plan could be done now (ephemeral).
    PreflightStarted,
    /// It is known how many steps of the plan could be done.
    PreflightRan {
        asked_by: Actor,
        /// How many checks came to what.
        tally: Tally,
        /// What fails, at most [`PREFLIGHT_NAMES`] of them.
        failing: Vec<String>,
        /// The world was simulated.
        simulated: bool,
    },
    /// All that a preflight found (ephemeral).
    PreflightFound { preflight: Box<Preflight> },
    /// Signals or alerts propose an incident that nobody has declared.
    IncidentProposed {
        /// The name that it gets when it is declared.
        id: IncidentId,
        /// What it is about.
        title: String,
        /// How bad it is.
        severity: Severity,
    },
    /// A proposed incident is none: a person says so, or the signals are well again.
    ProposalWithdrawn {
        /// Its name.
        id: IncidentId,
        why: String,
    },
    /// Telling people begins, or begins anew because the severity rose.
    EscalationStarted {
        /// The incident, or the proposal of one.
        incident: IncidentId,
        /// The severity that it follows.
        severity: Severity,
        /// The policy; none where the plan has none for the severity.
        policy: Option<PolicyId>,
        /// The titles of its levels at that moment.
        #[serde(default)]
        levels: Vec<String>,
    },
    /// Somebody took it on: no further level is told.
    EscalationAcknowledged {
        incident: IncidentId,
        /// Who, as the console or the provider names them.
        who: String,
        /// How: `console`, or the channel's title.
        via: String,
    },
    /// Nobody gave a sign of life for too long: telling people begins anew.
    EscalationRenewed {
        incident: IncidentId,
        /// Who had taken it on, and since when there was no sign of them.
        why: String,
    },
    /// Messages wait to be sent. All of one cause in one record, so that none is lost in a crash.
    NotificationsQueued {
        /// The incident, or the proposal of one.
        incident: IncidentId,
        /// Why.
        cause: Cause,
        /// What they want.
        intent: Intent,
        /// What they say.
        message: Message,
        /// To whom, on which ways; empty where there is nobody left to tell.
        to: Vec<Queued>,
    },
    /// An attempt to send a message begins, once this is durable.
    NotificationStarted {
        /// The message.
        id: NotificationId,
        /// To whom and how, in words.
        to: String,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An attempt ended.
    NotificationFinished {
        /// The message.
        id: NotificationId,
        /// To whom and how, in words.
        to: String,
        attempt: u32,
        attempted: Attempted,
    },
    /// More is known of a message that was sent.
    NotificationTracked {
        /// The message.
        id: NotificationId,
        /// To whom and how, in words.
        to: String,
        tracked: Tracked,
    },
    /// A page went out while the journal could not be written, and is recorded now.
    PagedUnrecorded { page: UnrecordedPage },
    /// A message of the plan has to be sent.
    MessageDue {
        /// Which, and until when.
        due: DueMessage,
    },
    /// A person decided that a message is not sent.
    #[serde(rename = "message-waived")]
    MessageSkipped {
        message: MessageId,
        /// Which time.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Somebody else answers for something.
    RoleAssigned {
        role: IncidentRole,
        /// Who, by name.
        to: String,
        /// What they were told.
        brief: Vec<String>,
    },
    /// What had to be mended is mended; the system is watched.
    IncidentResolved { how: String },
    /// It was not over.
    IncidentReopened { why: String },
    /// A calendar of who is on call says something else than before, or cannot be read any more.
    CalendarRead {
        rotation: RotationId,
        /// The next shifts, or why they cannot be told; those before count on then.
        shifts: Result<Vec<Shift>, String>,
        /// Events that do not count, and why.
        #[serde(default)]
        left_out: Vec<String>,
    },
    /// The incident was closed.
    IncidentClosed {
        /// How it ended.
        reason: String,
    },
    /// The journal cannot be written (ephemeral, there is nowhere to write it), or can be again, of which this
    /// record is the proof.
    JournalChanged {
        /// Why it cannot be written; none when it can.
        failure: Option<String>,
        /// Which protections are active, in words.
        protection: String,
    },
    /// The journal's disk became full, or is not any more (ephemeral: it would take of what is left).
    JournalSpace {
        /// How little is left, in words; none when there is enough.
        short: Option<String>,
    },
}
