//! What a fact is besides its sentence and its effect. Each has its row here, so that one without does not compile.

use super::fact::Fact;
use super::incident::{Outcome, RunEnd};

/// What those ask who choose among facts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nature {
    /// What it is about, in the words that a filter of the timeline may ask for.
    pub topics: &'static str,
    /// It must be in the journal before anything acts on it.
    pub is_durable: bool,
    /// Messages that say what happened lately tell it.
    pub is_told: bool,
    /// The report counts it among what did not go as planned.
    pub is_trouble: bool,
}

impl Nature {
    const fn ephemeral(self) -> Self {
        Self { is_durable: false, ..self }
    }

    const fn told(self) -> Self {
        Self { is_told: true, ..self }
    }

    const fn trouble(self) -> Self {
        Self { is_trouble: true, ..self }
    }
}

/// Of a fact that is recorded, and that nobody is told beside the timeline.
const fn about(topics: &'static str) -> Nature {
    Nature { topics, is_durable: true, is_told: false, is_trouble: false }
}

impl Fact {
    /// What it is.
    pub fn nature(&self) -> Nature {
        use Fact::*;
        match self {
            EngineStarted { .. } | EngineStopped { .. } | PreflightRan { .. } => about("engine"),
            PreflightStarted | PreflightFound { .. } => about("engine").ephemeral(),
            ClockJumped { .. } | ClockJudged { recorded: true, .. } => about("engine").trouble(),
            ClockJudged { recorded: false, .. } => about("engine").trouble().ephemeral(),
            JournalChanged { failure: None, .. } => about("engine").trouble(),
            // There is nowhere to write it.
            JournalChanged { failure: Some(_), .. } => about("engine").trouble().ephemeral(),
            // It would take of what is left.
            JournalSpace { .. } => about("engine").ephemeral(),
            ReadingTaken { .. } => about("signals").ephemeral(),
            SignalChanged { .. } | LossNoted { .. } => about("signals"),
            PrimaryMeasured { .. } => about("signals").told().trouble(),
            SeverityChanged { .. } => about("severity").told(),
            SeveritySet { .. } => about("severity decisions").told(),
            ContradictionFound { .. } | ContradictionEnded { .. } => about("contradictions").told().trouble(),
            ContradictionAnswered { .. } | DivergenceSettled { .. } => {
                about("contradictions decisions").told().trouble()
            }
            ServingRecorded { .. } | QuestionAnswered { .. } => about("decisions").told(),
            QuestionRevisited { .. } => about("decisions"),
            ServicesMoved { .. } | RegionMoved { .. } => about("services").told(),
            IncidentProposed { .. } | IncidentDeclared { .. } => about("incident decisions").told(),
            DrillTurnedLive { .. } | IncidentResolved { .. } => about("incident decisions").told(),
            IncidentReopened { .. } => about("incident decisions").told().trouble(),
            ProposalWithdrawn { .. } | IncidentClosed { .. } => about("incident decisions"),
            RunStarted { .. } | RunEnded { end: RunEnd::Completed, .. } => about("steps").told(),
            RunEnded { end: RunEnd::Aborted(_), .. } => about("steps").told().trouble(),
            StepPreparing { .. } | StepOutput { .. } | StepRechecked { .. } => about("steps").ephemeral(),
            StepPrepared { .. } | ConfirmationWithdrawn { .. } => about("steps"),
            StepStarted { .. } | StepHolding { .. } => about("steps"),
            StepVerified { .. } | TargetChanged { .. } => about("steps").told(),
            StepPreparationFailed { .. } | StepVerificationFailed { .. } => about("steps").trouble(),
            StepFinished { outcome: Outcome::Failed(_), .. } => about("steps").told().trouble(),
            StepFinished { .. } => about("steps"),
            StepConfirmed { .. } | StepRetried { .. } | GuardOverridden { .. } => about("steps decisions"),
            StepAttested { .. } | StepUndone { .. } => about("steps decisions").told(),
            StepSkipped { .. } => about("steps decisions").told().trouble(),
            NoteAdded { .. } => about("notes").told(),
            EscalationStarted { .. } | EscalationAcknowledged { .. } => about("people"),
            EscalationRenewed { .. } | PagedUnrecorded { .. } => about("people").trouble(),
            NotificationsQueued { to, .. } if to.is_empty() => about("people").trouble(),
            NotificationsQueued { .. } | NotificationStarted { .. } => about("people"),
            NotificationFinished { .. } | NotificationTracked { .. } => about("people"),
            MessageDue { .. } | RoleAssigned { .. } => about("people"),
            MessageSkipped { .. } => about("people decisions").trouble(),
            CalendarRead { shifts: Ok(_), left_out, .. } if left_out.is_empty() => about("people"),
            CalendarRead { .. } => about("people").trouble(),
        }
    }

    /// Whether it must be in the journal before anything acts on it.
    pub fn is_durable(&self) -> bool {
        self.nature().is_durable
    }
}
