//! An incident, its answers and its runs: the durable course of events.

use crate::base::ids::*;
use crate::core::words::act::{Acts, Places};
use crate::core::words::action::{Acted, Done, Failure, ManualCard, Proof};
use crate::core::words::actor::Actor;
use crate::core::words::confirmation::{Confirmation, Evidence};
use crate::core::words::escalation::IncidentRole;
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Runbook, Severity, Step};
use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From declaration to close.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its name.
    pub id: IncidentId,
    /// What it is about.
    pub title: String,
    /// Real, or an exercise.
    pub mode: Mode,
    /// Who declared it, and commands it.
    pub commander: Actor,
    pub declared_at: Timestamp,
    /// When the first signal behind it turned; the RTO clock runs from here.
    pub detected_at: Timestamp,
    /// A severity set by a person, and why; it wins over the rules.
    pub severity_override: Option<(Severity, String)>,
    /// Answers in the order in which they were given.
    pub answers: Vec<GivenAnswer>,
    /// Where the incident stands in the decision tree.
    pub position: Position,
    /// Runs in the order in which they were started; at most the last is open.
    pub runs: Vec<Run>,
    /// Who answers for what, by name, where it is not the commander who declared it.
    pub roles: BTreeMap<IncidentRole, String>,
    /// When it was called resolved, and how.
    pub resolved: Option<(Timestamp, String)>,
    /// When and why it was closed.
    pub closed: Option<(Timestamp, String)>,
}

impl Incident {
    /// The run that has not ended.
    pub fn open_run(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.ended.is_none())
    }

    /// Who answers for something, by name; nobody where only the commander is known.
    pub fn holder(&self, role: IncidentRole) -> Option<String> {
        let commander = || (role == IncidentRole::Commander).then(|| self.commander.to_string());
        self.roles.get(&role).cloned().or_else(commander)
    }

    /// Who leads it.
    pub fn leader(&self) -> String {
        self.holder(IncidentRole::Commander).unwrap_or_else(|| self.commander.to_string())
    }

    /// A run by its name.
    pub fn run(&self, id: &RunId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == *id)
    }
}

/// Real, or an exercise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Real.
    Live,
    /// An exercise whose steps act for real; only messages and reports differ.
    Drill,
    /// An exercise in which only what the plan marks as safe acts.
    SafeDrill,
}

impl Mode {
    /// `live`, `drill`, `safe-drill`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Drill => "drill",
            Self::SafeDrill => "safe-drill",
        }
    }

    /// An exercise, of either kind.
    pub fn is_drill(self) -> bool {
        self != Self::Live
    }
}

/// Where an incident stands in the decision tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// A question is open.
    Question(QuestionId),
    /// The tree ended without a runbook.
    Leaf(LeafId),
    /// The tree ended in a runbook.
    Runbook(RunbookId),
}

/// An answer, with what was on the screen when it was given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GivenAnswer {
    pub question: QuestionId,
    pub answer: String,
    /// What the console suggested.
    pub suggested: Option<String>,
    /// Why, where the answer differs from the suggestion or there was none.
    pub reason: Option<String>,
    /// The evidence beside the question.
    pub evidence: Vec<Evidence>,
    pub by: Actor,
    pub at: Timestamp,
}

/// One execution of a runbook.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    pub runbook: RunbookId,
    /// When it began.
    pub started_at: Timestamp,
    pub ended: Option<(Timestamp, RunEnd)>,
    /// Where it leads.
    #[serde(default)]
    pub aim: Aim,
    /// When it let its region serve, or something later said which one serves instead: either happens once.
    #[serde(default)]
    pub switched: Option<Timestamp>,
    /// It has let its region serve, whatever came after that.
    #[serde(default)]
    pub has_moved: bool,
    /// Its steps, in the runbook's order.
    pub steps: IndexMap<StepId, StepRun>,
}

impl Run {
    /// Whether a step lets the region serve that the run is for.
    pub fn is_switch(&self, step: &StepId) -> bool {
        self.aim.switch.as_ref() == Some(step)
    }

    /// How the step stands that does.
    pub fn switch(&self) -> Option<&StepRun> {
        self.steps.get(self.aim.switch.as_ref()?)
    }

    /// Whether a step of it takes back a step of a runbook. A name means the step of the same runbook, where that has one,
    /// else those of all others.
    pub fn takes_back(&self, plan: &Plan, step: &StepId, (of, other): (&RunbookId, &StepId)) -> bool {
        match &self.aim.undoes {
            Some(undoes) => {
                let is_meant = self.runbook == *of || !self.steps.contains_key(other);
                is_meant && undoes.get(step).is_some_and(|undone| undone.contains(other))
            }
            None => {
                let planned = plan.runbooks.get(&self.runbook).and_then(|runbook| runbook.steps.get(step));
                planned.is_some_and(|planned| plan.takes_back((&self.runbook, planned), (of, other)))
            }
        }
    }

    /// Whether a step of it takes anything back.
    pub fn undoes_any(&self, plan: &Plan, step: &StepId) -> bool {
        match &self.aim.undoes {
            Some(undoes) => undoes.contains_key(step),
            None => {
                let planned = plan.runbooks.get(&self.runbook).and_then(|runbook| runbook.steps.get(step));
                planned.is_some_and(|planned| !planned.undoes.is_empty())
            }
        }
    }

    /// A person stopped it.
    pub fn is_aborted(&self) -> bool {
        matches!(self.ended, Some((_, RunEnd::Aborted(_))))
    }

    /// How its steps stand that make another server the primary, in the runbook's order.
    pub fn promotions<'r>(&'r self, plan: &'r Plan) -> impl Iterator<Item = &'r StepRun> {
        let steps = plan.runbooks.get(&self.runbook).into_iter().flat_map(|runbook| runbook.steps.values());
        steps.filter(|step| step.promotes()).filter_map(|step| self.steps.get(&step.id))
    }
}

/// Where a run leads, as the plan said when it began: what the plan says later changes nothing of it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Aim {
    /// The region that it is for; none where it moves nothing.
    pub region: Option<RegionId>,
    /// The step that lets that one serve; none where only a person says so.
    pub switch: Option<StepId>,
    /// The region that served when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RegionId>,
    /// It was recorded when the run began, or the first engine that records such things had the plan of then. Otherwise it
    /// is what another plan said, by which nothing moves.
    #[serde(default)]
    pub is_recorded: bool,
    /// It is in the journal, so that no plan of later changes it.
    #[serde(default)]
    pub is_noted: bool,
    /// What its steps take back, by their names in `undoes`; none where it was not recorded, and the plan of now says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<BTreeMap<StepId, Vec<StepId>>>,
}

impl Aim {
    /// That of a runbook.
    pub fn of(runbook: &Runbook) -> Self {
        let switch = runbook.steps.values().find(|step| step.switches).map(|step| step.id.clone());
        let switch = switch.filter(|_| runbook.activates.is_some());
        let undoes = runbook.steps.values().filter(|step| !step.undoes.is_empty());
        let undoes = undoes.map(|step| (step.id.clone(), step.undoes.clone())).collect();
        let region = runbook.activates.clone();
        Self { region, switch, from: None, is_recorded: true, is_noted: true, undoes: Some(undoes) }
    }
}

/// What was made of runs of which nobody recorded where they lead, by the first engine that records it: what follows from
/// its plan stands under every plan of later.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Noted {
    pub runs: Vec<NotedRun>,
    /// What had acted on which region serves; none where the engine that noted it kept no such list.
    #[serde(default)]
    pub acts: Option<Acts>,
}

/// What was made of one of them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NotedRun {
    pub run: RunId,
    pub aim: Aim,
    /// As in [`Run::switched`].
    pub switched: Option<Timestamp>,
    /// As in [`Run::has_moved`].
    pub has_moved: bool,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// Every step is settled.
    Completed,
    /// A person stopped it, and why.
    Aborted(String),
}

/// One step of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepRun {
    pub status: StepStatus,
    /// How often it was started.
    pub attempt: u32,
    /// How many confirmations were made for it.
    pub prepared: u32,
    /// The confirmation that is open, or that the last attempt ran under.
    pub confirmation: Option<Confirmation>,
    /// Guards that a person overrode, by their place in the plan, and why.
    pub overrides: Vec<(usize, String)>,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it came to rest.
    pub ended_at: Option<Timestamp>,
    /// When the last attempt, or a person's word of it, was over: its proof comes later.
    #[serde(default)]
    pub acted: Option<Timestamp>,
    /// How far this host's clock was set since it came to rest, forward where that is positive.
    #[serde(default)]
    pub clock_moved: SignedDuration,
    /// What the plan said that it does and what proves it, when it was done or said last; none in journals of before.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// When it was done and taken back, in the order of all steps: times can be set.
    #[serde(default)]
    pub places: Places,
    /// What the last attempt said.
    pub outcome: Option<Outcome>,
    /// What the world showed.
    pub proof: Option<Proof>,
    /// Why it was skipped, or how it was done by hand.
    pub reason: Option<String>,
    /// Why it could not be prepared, with what a person can do instead.
    pub obstacle: Option<(Failure, ManualCard)>,
    /// Since when its effect is proven and has to hold, or had to; none for effects that need not.
    #[serde(default)]
    pub holding: Option<crate::core::ask::watch::Holding>,
    /// What its target was found to be when it last changed after the step was verified, and when.
    #[serde(default)]
    pub seen: Option<(Timestamp, crate::core::ask::watch::Found)>,
    /// Why the last verification did not succeed.
    pub doubt: Option<Failure>,
    /// When that was found.
    #[serde(default)]
    pub doubted_at: Option<Timestamp>,
    /// When the world was seen to deny it although it was settled: its server accepts writes. None once that is shown to
    /// be over, or the step is settled anew.
    #[serde(default)]
    pub denied: Option<Timestamp>,
    /// An attempt ended so that nobody knew whether it had acted; whatever became of the step later.
    #[serde(default)]
    pub may_have_acted: bool,
    /// When what it says of where services serve was taken in, or a region that began to serve overtook it.
    #[serde(default)]
    pub moved: Option<Timestamp>,
    /// It was said in an exercise that moves nothing, also where that turned live: nobody did it.
    #[serde(default)]
    pub exercise: bool,
    /// Who said that it is done, where a person's word stands for its verification.
    #[serde(default)]
    pub attested_by: Option<String>,
    /// A person says that it is done, and what the plan wants as its proof was not seen then.
    #[serde(default)]
    pub unproven: bool,
    /// When that proof was seen, by readings of after the word.
    #[serde(default)]
    pub proven: Option<Timestamp>,
    /// When a person stated that what it did is taken back, or stays on purpose, and how.
    #[serde(default)]
    pub undone: Option<(Timestamp, String)>,
    /// What was stated then is that it stays.
    #[serde(default)]
    pub stays: bool,
}

impl StepRun {
    /// A step that nothing happened to yet.
    pub fn new() -> Self {
        Self {
            status: StepStatus::Pending,
            attempt: 0,
            prepared: 0,
            confirmation: None,
            overrides: Vec::new(),
            started_at: None,
            ended_at: None,
            acted: None,
            clock_moved: SignedDuration::ZERO,
            fingerprint: None,
            places: Places::default(),
            outcome: None,
            proof: None,
            reason: None,
            obstacle: None,
            holding: None,
            seen: None,
            doubt: None,
            doubted_at: None,
            denied: None,
            may_have_acted: false,
            moved: None,
            attested_by: None,
            exercise: false,
            unproven: false,
            proven: None,
            undone: None,
            stays: false,
        }
    }

    /// A person says that it is done, and nothing has shown it yet.
    pub fn is_mere_word(&self) -> bool {
        self.status == StepStatus::Attested && self.unproven && self.proven.is_none()
    }

    /// It is done, and what is on a person's word was shown.
    pub fn is_shown(&self) -> bool {
        self.status.is_done() && !self.is_mere_word()
    }

    /// Nobody knows whether it acted: it was begun and is not proven, also where it was left out since.
    pub fn is_in_doubt(&self) -> bool {
        match self.status {
            StepStatus::Started | StepStatus::Finished | StepStatus::Unknown => true,
            StepStatus::Verified | StepStatus::Attested => false,
            _ => self.may_have_acted,
        }
    }

    /// Whether the plan has the step as it was when it was done or said last. What another one does and proves says
    /// nothing of it.
    pub fn is_of(&self, step: &Step) -> bool {
        self.fingerprint.as_ref().is_none_or(|known| *known == step.fingerprint())
    }

    /// When it had done that, whenever it was proven.
    pub fn acted_at(&self) -> Option<Timestamp> {
        self.acted.or(self.ended_at).or(self.started_at)
    }

    /// What a clock that was ahead put into the future was before this moment all the same.
    pub fn clamp(&mut self, at: Timestamp) {
        self.started_at = self.started_at.map(|time| time.min(at));
        self.acted = self.acted.map(|time| time.min(at));
        if let Some(undone) = &mut self.undone {
            undone.0 = undone.0.min(at);
        }
        if let Some(ended) = self.ended_at.filter(|ended| *ended > at) {
            // By the clock of now it stays when it was.
            let ahead = ended.duration_since(at);
            (self.ended_at, self.clock_moved) = (Some(at), self.clock_moved.saturating_add(ahead));
        }
    }

    /// A person stated that what it did, when it was done last, is taken back.
    pub fn is_taken_back(&self) -> bool {
        self.undone.is_some() && !self.stays && self.places.undone >= self.places.done()
    }

    /// A step that waits for nothing.
    pub fn ready() -> Self {
        Self { status: StepStatus::Ready, ..Self::new() }
    }
}

impl Default for StepRun {
    fn default() -> Self {
        Self::new()
    }
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It says that it did it; the verification follows.
    Done(Done),
    /// It failed; [`Failure::acted`] tells whether the world may have changed.
    Failed(Failure),
}

impl Outcome {
    /// The step's next status.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.acted == Acted::Maybe)
    }
}
