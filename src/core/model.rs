//! The model: the fold of all facts. Engine and clients hold the same one.

use crate::base::ids::*;
use crate::core::ask::contradiction::Open;
use crate::core::ask::divergence::Split;
use crate::core::ask::lifecycle;
use crate::core::ask::loss_reading::LossReading;
use crate::core::ask::oncall::KnownCalendar;
use crate::core::ask::own_clock::ClockOff;
use crate::core::ask::placement::Placement;
use crate::core::ask::roles::expected_of as expected;
use crate::core::words::act::Acts;
use crate::core::words::actor::Actor;
use crate::core::words::escalation::{Dismissal, DueMessage, Escalation, Proposal};
use crate::core::words::fact::Event;
use crate::core::words::incident::{Incident, Mode, Run, StepRun};
use crate::core::words::notification::{Message, Notification};
use crate::core::words::preflight::{Preflight, Tally};
use crate::core::words::signal::{Recent, Signal, SignalState, Streak, failing, judge, recovering};
use crate::core::words::since_boot::Clocks;
use crate::core::words::status::StepStatus;
use crate::journal::Head;
use crate::plan::{Plan, ProbeSpec, Runbook, Severity, Step};
use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How many durable events the timeline keeps in memory; the journal has all of them.
pub const TIMELINE_LENGTH: usize = 1_000;
/// How many lines of a step's output are kept in memory.
pub const OUTPUT_LENGTH: usize = 500;

/// Everything that decisions and screens are made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub plan: Arc<Plan>,
    /// What the journal holds.
    pub durable: Durable,
    /// What only this process knows.
    pub live: Live,
}

/// The part of the model that only durable facts change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Durable {
    /// Judged signals, in the plan's order.
    pub signals: IndexMap<ProbeId, Signal>,
    /// Regions, in the plan's order.
    pub regions: IndexMap<RegionId, Standing>,
    /// Services, each where it serves from, in the plan's order.
    pub services: IndexMap<ServiceId, Standing>,
    /// The region that is recorded to serve: the primary, the one that a completed failover activated, or the one
    /// that a person named.
    pub active: Option<RegionId>,
    /// The region that serves as measured, where that is another one: somebody moved the database.
    #[serde(default)]
    pub measured: Option<RegionId>,
    /// The servers that were measured to be the primary of their database, where that is not as the plan says.
    #[serde(default)]
    pub primaries: Vec<ProbeId>,
    /// By how much the times of the last engine are ahead of the clock, which was set back while it ran.
    #[serde(default)]
    pub clock_ahead: SignedDuration,
    /// What the last engine's time and its host's uptime were at one moment; none where nothing told that.
    #[serde(default)]
    pub clocks: Option<Clocks>,
    /// What was last noted of a loss, by the probe that tells it.
    #[serde(default)]
    pub losses: BTreeMap<ProbeId, LossReading>,
    /// The derived severity, since when, and why; none is healthy.
    pub severity: Option<(Severity, Timestamp, String)>,
    /// Since when it has its present reason.
    #[serde(default)]
    pub reason_since: Option<Timestamp>,
    /// What cannot be right whatever the plan says, in the order in which it was found.
    #[serde(default)]
    pub contradictions: Vec<Open>,
    /// When two servers of one database accepted writes, oldest first, whatever incident was open then.
    #[serde(default)]
    pub splits: Vec<Split>,
    /// The open incident.
    pub incident: Option<Incident>,
    /// Since when the derived severity is at least as bad as each one; only those that it is.
    pub at_least_since: BTreeMap<Severity, Timestamp>,
    /// The incident or proposal that people were told about last.
    pub told: Option<IncidentId>,
    /// How many messages were ever queued: their names are counted on, so that none comes twice.
    pub queued_messages: usize,
    /// What signals or alerts propose and nobody has declared.
    pub proposal: Option<Proposal>,
    /// What a person dismissed, or closed while it was bad: only worse, or another reason, is proposed until all is well.
    pub dismissed: Option<Dismissal>,
    /// Telling people about the incident or the proposal.
    pub escalation: Option<Escalation>,
    /// Messages about the latest incident, in the order of their queueing.
    pub notifications: IndexMap<NotificationId, Notification>,
    /// What they say.
    pub sent_messages: Vec<Message>,
    /// Messages of the plan that have to be sent.
    pub due: Vec<DueMessage>,
    /// How often each message of the plan was due, sent or skipped in this incident, and when last.
    pub message_turns: BTreeMap<MessageId, (u32, Timestamp)>,
    /// Closed incidents, oldest first.
    pub closed: Vec<Incident>,
    /// When another region began to serve, and which, oldest first.
    #[serde(default)]
    pub switches: Vec<Switch>,
    /// What acted on which region serves.
    #[serde(default)]
    pub acts: Acts,
    /// Services that steps moved by themselves, in the order of the moves; one that is not there serves with its region.
    #[serde(default)]
    pub placements: Vec<Placement>,
    /// The latest durable events, oldest first.
    pub timeline: VecDeque<Event>,
    /// The last record.
    pub head: Option<Head>,
    /// When the engine took over.
    pub engine_started_at: Option<Timestamp>,
    /// Digest of the plan that the last engine had.
    pub plan_digest: Option<String>,
    /// When an engine took the open incident over under another plan than it was worked on before.
    pub plan_changed_at: Option<Timestamp>,
    /// When a preflight last ran, and what it came to.
    pub preflight: Option<(Timestamp, Tally)>,
    /// What the calendars of who is on call said when they were last read.
    #[serde(default)]
    pub calendars: BTreeMap<RotationId, KnownCalendar>,
}

/// Another region began to serve.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Switch {
    pub at: Timestamp,
    pub region: RegionId,
    /// The run that moved it, until that is told.
    #[serde(default)]
    pub untold: Option<RunId>,
}

impl Durable {
    /// When another region last began to serve.
    pub fn last_failover(&self) -> Option<Timestamp> {
        self.switches.last().map(|switch| switch.at)
    }
}

/// How a region or service is, since when, and how often that changed lately.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Standing {
    pub status: Status,
    pub since: Timestamp,
    /// Since when it does not work as it should; it goes on while nobody can tell, and ends when all is well.
    pub broken_since: Option<Timestamp>,
    /// The last time that it did not work and that is over.
    #[serde(default)]
    pub outage: Option<Outage>,
    /// The longest of those that are over, of the open incident or since it was closed the last one.
    #[serde(default)]
    pub longest: Option<Outage>,
    /// When it turned from better to worse or back lately, oldest first; unknown does not count.
    pub turns: VecDeque<Timestamp>,
    /// Whether the last turn was to the worse.
    pub worsened: Option<bool>,
    /// The last status that was not unknown.
    pub last_known: Option<Status>,
}

/// A time over which something did not work as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// Since when.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Outage {
    /// How long it was.
    pub fn lasted(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }
}

/// How a region or service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All its signals are ok.
    Up,
    /// Some of it works.
    Degraded,
    /// Nothing of it works, and the console can see.
    Down,
    /// It cannot be told.
    Unknown,
}

impl Status {
    /// `up`, `degraded`, `down`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// The signal state that is drawn for it.
    pub fn as_signal(self) -> SignalState {
        match self {
            Self::Up => SignalState::Ok,
            Self::Degraded => SignalState::Warn,
            Self::Down => SignalState::Critical,
            Self::Unknown => SignalState::Unknown,
        }
    }
}

/// The part of the model that a restart forgets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Live {
    /// What was measured lately.
    pub recent: BTreeMap<ProbeId, Recent>,
    /// Steps whose target is being read.
    pub preparing: BTreeSet<(RunId, StepId)>,
    /// Steps whose effect is being read back.
    pub checking: BTreeSet<(RunId, StepId)>,
    /// What the steps of the open run said.
    pub output: Vec<StepOutput>,
    /// Why the journal cannot be written; none when it can.
    pub journal_failure: Option<String>,
    /// That hardly any room is left for the journal, in words; none while there is enough.
    #[serde(default)]
    pub journal_short: Option<String>,
    /// By how much this host's clock is off, where several servers say so.
    #[serde(default)]
    pub clock_off: Option<ClockOff>,
    /// When the clock was set last, by what it shows since: what it said before is not compared with what it says after.
    #[serde(default)]
    pub clock_set_at: Option<Timestamp>,
    /// Probes whose latest reading is of before that.
    #[serde(default)]
    pub read_before_clock_set: BTreeSet<ProbeId>,
    /// Which protections of the journal are active, in words.
    pub journal_protection: String,
    /// Since when a preflight is under way, and who asked for it.
    pub preflighting: Option<(Timestamp, Actor)>,
    /// What the last preflight of this engine found.
    pub preflight: Option<Box<Preflight>>,
    /// What is simulated; none in the real world.
    pub simulation: Option<crate::core::words::simulation::Simulation>,
}

/// A line that a step said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepOutput {
    pub run: RunId,
    pub step: StepId,
    pub at: Timestamp,
    pub line: String,
}

impl Model {
    /// A model of a plan before any fact.
    pub fn new(plan: Arc<Plan>) -> Self {
        let unseen = |why: &str| {
            let since = Timestamp::UNIX_EPOCH;
            Signal {
                state: SignalState::Unknown,
                since,
                critical_since: None,
                unknown_since: None,
                why: why.into(),
            }
        };
        let standing = || Standing {
            status: Status::Unknown,
            since: Timestamp::UNIX_EPOCH,
            broken_since: None,
            outage: None,
            longest: None,
            turns: VecDeque::new(),
            worsened: None,
            last_known: None,
        };
        let durable = Durable {
            clock_ahead: SignedDuration::ZERO,
            clocks: None,
            signals: plan.probes.keys().map(|id| (id.clone(), unseen("not measured yet"))).collect(),
            regions: plan.regions.keys().map(|id| (id.clone(), standing())).collect(),
            services: plan.services.keys().map(|id| (id.clone(), standing())).collect(),
            active: plan.primary().map(|(id, _)| id.clone()),
            measured: None,
            primaries: Vec::new(),
            losses: BTreeMap::new(),
            severity: None,
            reason_since: None,
            contradictions: Vec::new(),
            splits: Vec::new(),
            incident: None,
            at_least_since: BTreeMap::new(),
            told: None,
            queued_messages: 0,
            proposal: None,
            dismissed: None,
            escalation: None,
            notifications: IndexMap::new(),
            sent_messages: Vec::new(),
            due: Vec::new(),
            message_turns: BTreeMap::new(),
            closed: Vec::new(),
            switches: Vec::new(),
            acts: Acts::default(),
            placements: Vec::new(),
            timeline: VecDeque::new(),
            head: None,
            engine_started_at: None,
            plan_digest: None,
            plan_changed_at: None,
            preflight: None,
            calendars: BTreeMap::new(),
        };
        Self { plan, durable, live: Live::default() }
    }

    /// A signal; unknown ids are unknown signals.
    pub fn state(&self, probe: &ProbeId) -> SignalState {
        self.durable.signals.get(probe).map_or(SignalState::Unknown, |signal| signal.state)
    }

    /// Why a signal is as it is: what was read last where that says the same, else what turned it.
    pub fn why(&self, probe: &ProbeId) -> String {
        let Some(signal) = self.durable.signals.get(probe) else { return String::new() };
        let Some(recent) = self.live.recent.get(probe) else { return signal.why.clone() };
        let latest = recent.latest.as_ref().zip(self.plan.probes.get(probe));
        match latest.map(|(reading, spec)| judge(spec, expected(self, spec, reading.at), reading)) {
            Some((state, why)) if state == signal.state => why,
            Some((_, why)) if signal.state != SignalState::Unknown => {
                let turning = |turns: fn(&ProbeSpec, SignalState, &Recent) -> Option<(u32, u32)>| {
                    latest.and_then(|(_, spec)| turns(spec, signal.state, recent))
                };
                match (turning(failing), turning(recovering)) {
                    (Some((count, of)), _) => format!("failing {count} of {of}: {why}"),
                    (None, Some((count, of))) => {
                        format!("better {count} of {of}: {why}; before: {}", signal.why)
                    }
                    (None, None) => signal.why.clone(),
                }
            }
            // Readings since it became unknown, too few to count.
            Some((_, why)) if signal.state == SignalState::Unknown && recent.streak != Streak::default() => {
                format!("not sure yet: {why}")
            }
            _ => signal.why.clone(),
        }
    }

    /// The region that serves: as it was measured, else as it is recorded.
    pub fn serving(&self) -> Option<&RegionId> {
        self.durable.measured.as_ref().or(self.durable.active.as_ref())
    }

    /// Whether a run is under way that is for moving what serves to a region, and has not done so, nor been overtaken.
    pub fn leads_to(&self, region: &RegionId) -> bool {
        // A switch that a drill of safe steps verified moved nothing, and is not done again.
        let is_spent =
            |run: &Run| run.switch().is_some_and(|state| state.is_shown() && state.moved.is_some());
        let moving = self.moving().filter(|(run, _)| run.switched.is_none() && !is_spent(run));
        moving.is_some_and(|(run, _)| run.aim.region.as_ref() == Some(region))
    }

    /// The region of which the run under way may say itself that it serves: its switch is yet to be done.
    pub fn told_by_run(&self) -> Option<&RegionId> {
        let (run, _) = self.moving()?;
        let region = run.aim.region.as_ref().filter(|region| self.leads_to(region))?;
        // A switch that the plan has no more nobody can do.
        let (_, switch) = self.step(&run.id, run.aim.switch.as_ref()?)?;
        (!switch.status.is_settled()).then_some(region)
    }

    /// Whether a run itself makes another server the primary in a region, or has, and says when that one serves. Before its
    /// promotion began it was somebody else; of a run that has no promotion nobody can tell.
    pub fn is_moving_to(&self, region: &RegionId) -> bool {
        let tells = self.told_by_run() == Some(region);
        let Some((run, runbook)) = self.moving().filter(|_| tells) else { return false };
        let mut promotions = runbook.steps.values().filter(|step| step.promotes()).peekable();
        // What was taken back while nobody had proven it is over: who is promoted after that is so by somebody else.
        let is_over = |state: &StepRun| state.status == StepStatus::Unknown && state.seen.is_some();
        let begun = |step: &Step| {
            let state = run.steps.get(&step.id);
            state.is_some_and(|state| state.status.may_have_acted() && !is_over(state))
        };
        promotions.peek().is_none() || promotions.any(begun)
    }

    /// The open run, where it moves the region that serves: a drill of safe steps moves none.
    pub fn moving(&self) -> Option<(&Run, &Runbook)> {
        let incident = self.durable.incident.as_ref().filter(|incident| incident.mode != Mode::SafeDrill);
        let run = incident?.open_run()?;
        Some((run, self.plan.runbooks.get(&run.runbook).filter(|_| run.aim.region.is_some())?))
    }

    /// A run of the open incident.
    pub fn run(&self, run: &RunId) -> Option<&Run> {
        self.durable.incident.as_ref()?.run(run)
    }

    /// All incidents, oldest first.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.durable.closed.iter().chain(&self.durable.incident)
    }

    /// All incidents but exercises that move nothing, oldest first.
    pub fn real_incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents().filter(|incident| incident.mode != Mode::SafeDrill)
    }

    /// A run of whatever incident.
    pub fn run_of_any(&self, run: &RunId) -> Option<&Run> {
        self.incidents().find_map(|incident| incident.run(run))
    }

    /// A step of a run of the open incident, with its plan.
    pub fn step(&self, run: &RunId, step: &StepId) -> Option<(&Step, &StepRun)> {
        let run = self.run(run)?;
        let plan = self.plan.runbooks.get(&run.runbook)?.steps.get(step)?;
        Some((plan, run.steps.get(step)?))
    }

    /// A step as people know it: its title, or its name where the plan has it no more.
    pub fn step_title(&self, run: &RunId, step: &StepId) -> String {
        self.step(run, step).map_or_else(|| step.to_string(), |(plan, _)| quoted(&plan.title))
    }

    /// A runbook as people know it: its title, or its name where the plan has it no more.
    pub fn runbook_title(&self, id: &RunbookId) -> String {
        self.plan.runbooks.get(id).map_or_else(|| id.to_string(), |runbook| quoted(&runbook.title))
    }

    /// The severity that counts: a person's, or the rules'. What was set for a drill says nothing of real trouble.
    pub fn severity(&self) -> Option<Severity> {
        let incident = lifecycle::open_and_told(self);
        let set = incident.and_then(|incident| incident.severity_override.as_ref());
        set.map(|(severity, _)| *severity).or(self.durable.severity.as_ref().map(|(severity, ..)| *severity))
    }
}

fn quoted(title: &str) -> String {
    const TITLE_CHARS: usize = 80;
    format!("\"{}\"", crate::base::text::clean(title, TITLE_CHARS))
}
