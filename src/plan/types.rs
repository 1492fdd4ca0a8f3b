//! The resolved plan: what the loader hands to everyone else once every problem is gone.

use crate::base::ids::*;
use crate::base::units::Unit;
use crate::plan::condition::Condition;
use crate::plan::kinds::{Does, Sees};
use crate::plan::params::{Param, Params};
use crate::plan::people::{
    Audience, Channel, Contact, EscalationPolicy, MessageTemplate, NotifySettings, Rotation,
};
use indexmap::IndexMap;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// One system's disaster-recovery plan, complete and consistent. Holds secret references, never secrets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The system's name, as on the header of the console.
    pub name: String,
    /// How the standby side is kept.
    pub strategy: Strategy,
    /// SHA-256 (hex) over the plan's files, to tell which plan a journal was written under.
    pub digest: String,
    /// Plan-wide settings of failover decisions.
    pub policy: Policy,
    /// Regions in the order of the files; the first with role `primary` is the active side.
    pub regions: IndexMap<RegionId, Region>,
    /// Services with their recovery objectives.
    pub services: IndexMap<ServiceId, Service>,
    /// Measurements.
    pub probes: IndexMap<ProbeId, ProbeSpec>,
    /// Backups and what they must satisfy.
    pub backups: IndexMap<BackupId, Backup>,
    /// Severity rules, worst first; the first that holds decides.
    pub severity: Vec<SeverityRule>,
    /// The decision tree.
    pub tree: Tree,
    /// Runbooks that the tree's answers and operators can start.
    pub runbooks: IndexMap<RunbookId, Runbook>,
    /// People and teams.
    pub contacts: IndexMap<ContactId, Contact>,
    /// Ways to send messages.
    pub channels: IndexMap<ChannelId, Channel>,
    /// Who is on call when.
    pub rotations: IndexMap<RotationId, Rotation>,
    /// Who is told how, after which time, until somebody acknowledges.
    pub policies: IndexMap<PolicyId, EscalationPolicy>,
    /// Those whom messages are for.
    pub audiences: IndexMap<AudienceId, Audience>,
    /// Templates of messages.
    pub messages: IndexMap<MessageId, MessageTemplate>,
    /// Plan-wide settings of escalation.
    pub notify: NotifySettings,
    /// Drills and when they are due.
    pub drills: IndexMap<DrillId, Drill>,
    /// Where secrets are looked up.
    pub secrets: crate::secrets::SecretsConfig,
    /// How AWS is reached.
    #[serde(default)]
    pub aws: crate::plan::AwsSettings,
    /// How Kubernetes is reached.
    #[serde(default)]
    pub kube: crate::plan::KubeSettings,
}

/// How the standby side is kept (AWS names, as the plans use them).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Restore from backups.
    BackupRestore,
    /// Data replicated, everything else off.
    PilotLight,
    /// A scaled-down copy runs.
    WarmStandby,
    /// Both sides serve.
    HotStandby,
}

/// Plan-wide settings of failover decisions, `[policy]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Probes that tell "they are down" from "I am blind"; when none of them is ok, the console is blind.
    pub reference: Vec<ProbeId>,
    /// After a region's status changed twice within this time it is flapping and no failover is suggested.
    pub cooldown: SignedDuration,
    /// How long a confirmation stays valid.
    pub confirmation_expiry: SignedDuration,
    /// How long the system is watched after the last step before an incident should be closed.
    pub monitor: SignedDuration,
    /// How long nobody may know what a severity rule asks for, or the console may be blind, before people are told.
    #[serde(default = "unknown_after")]
    pub unknown_after: SignedDuration,
}

/// As in the plan's reference.
fn unknown_after() -> SignedDuration {
    SignedDuration::from_mins(15)
}

/// A region or site.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Region {
    /// The provider's or the site's name (`us-east-1`).
    pub name: String,
    /// Which side it is.
    pub role: RegionRole,
    /// Probes whose signals decide the region's status; the loader fills it with every `tcp`, `http` and
    /// `postgres` probe of the region when the plan does not say.
    pub health: Vec<ProbeId>,
    /// The context of the kubeconfig that reaches its cluster.
    #[serde(default)]
    pub kube_context: Option<String>,
}

/// Which side a region is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionRole {
    /// Serves in normal times.
    Primary,
    /// Takes over.
    Standby,
    /// Holds backups or votes only.
    Other,
}

/// A service with its recovery objectives.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Service {
    /// What people call it.
    pub title: String,
    /// 1 is the most critical.
    pub tier: u8,
    /// Recovery time objective.
    pub rto: SignedDuration,
    /// Recovery point objective; none where the data can be rebuilt.
    pub rpo: Option<SignedDuration>,
    /// Probes whose signals decide its status, by region: one cell of the overview each.
    pub health: IndexMap<RegionId, Vec<ProbeId>>,
}

/// A periodic measurement.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProbeSpec {
    /// Its name in the plan, and the name of its signal.
    pub id: ProbeId,
    /// The kind in the probe registry (`postgres-replication`).
    pub kind: String,
    /// What the kind looks at.
    pub sees: Sees,
    /// What people call it.
    pub title: String,
    /// Where the measured thing lives; none for things outside of every region.
    pub region: Option<RegionId>,
    /// The database that the measured server is a copy of: one copy at most accepts writes. `none` compares it with no
    /// other; where the plan does not say, PostgreSQL servers tell by themselves.
    #[serde(default)]
    pub database: Option<String>,
    /// Time between two runs.
    pub every: SignedDuration,
    /// Deadline of one run.
    pub timeout: SignedDuration,
    /// Bounds on the measured value, in the kind's unit.
    pub thresholds: Thresholds,
    /// Unit of the measured value.
    pub unit: Unit,
    /// Consecutive worse readings before the signal turns worse.
    pub fail_after: u32,
    /// Consecutive better readings before the signal turns better.
    pub recover_after: u32,
    /// A reading older than this makes the signal unknown.
    pub stale_after: SignedDuration,
    /// What the kind needs.
    pub params: Params,
}

/// Bounds on a value, in the unit of the probe's kind.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Thresholds {
    /// The value warns from here on.
    pub warn: Option<f64>,
    /// The value is critical from here on.
    pub critical: Option<f64>,
    /// Lower values are worse (free space) instead of higher ones (lag).
    pub below: bool,
}

impl Thresholds {
    /// Whether there is any bound.
    pub fn exist(&self) -> bool {
        self.warn.is_some() || self.critical.is_some()
    }
}

/// A backup and what it must satisfy; its freshness comes from a probe.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Backup {
    /// What people call it.
    pub title: String,
    /// How it is made (`pg_dump + WAL`).
    pub method: String,
    /// Where it is kept.
    pub location: String,
    /// The probe that sees it.
    pub probe: ProbeId,
    /// The oldest that the last good one may be.
    pub max_age: Option<SignedDuration>,
    /// How often a copy is made, in words (`daily`, `on change`); empty where the plan does not say.
    #[serde(default)]
    pub frequency: String,
    /// How long copies are kept.
    pub retention: Option<SignedDuration>,
    /// What is kept, in words, where `retention` cannot say it (`for ever`, `50 versions`).
    #[serde(default)]
    pub kept: String,
    /// What the encryption that the probe reports must contain, ignoring case; none where any will do.
    #[serde(default)]
    pub encryption: Option<String>,
    /// By how many percent a copy may be smaller than the one before, or that one smaller than it.
    pub size_change_percent: u8,
    /// How often a restore has to be proven.
    #[serde(default)]
    pub test_every: Option<SignedDuration>,
    /// The probe whose value is the age of the last proven restore.
    #[serde(default)]
    pub restore_probe: Option<ProbeId>,
    /// The last restore that was proven, from the plan (a civil date).
    pub last_restore_test: Option<jiff::civil::Date>,
}

/// P0 is the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Severity {
    /// Complete outage, data loss, security breach.
    P0,
    /// Partial outage, degraded.
    P1,
    /// A non-critical feature is gone.
    P2,
    /// Minor.
    P3,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 4] = [Self::P0, Self::P1, Self::P2, Self::P3];

    /// `P0` to `P3`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }
}

/// When the system is that badly off.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SeverityRule {
    /// The severity it gives.
    pub level: Severity,
    /// When it holds.
    pub when: Condition,
    /// What it means, for people.
    pub why: String,
}

/// The decision tree: questions that name each other, runbooks and leaves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tree {
    /// The first question.
    pub root: QuestionId,
    pub questions: IndexMap<QuestionId, Question>,
    /// Outcomes that start nothing ("do not fail over").
    pub leaves: IndexMap<LeafId, Leaf>,
}

/// One question of the tree.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The question itself.
    pub ask: String,
    /// What to consider, for people.
    pub help: String,
    /// Probes shown beside it.
    pub evidence: Vec<ProbeId>,
    /// Answers in order, with where each leads and when it is suggested.
    pub answers: IndexMap<String, Answer>,
}

/// One answer of a question.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Where it leads.
    pub goto: Goto,
    /// When the console suggests it; none is never suggested.
    pub suggest: Option<Condition>,
}

/// Where an answer leads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goto {
    /// Another question.
    Question(QuestionId),
    /// A runbook to run.
    Runbook(RunbookId),
    /// An outcome that starts nothing.
    Leaf(LeafId),
}

/// An outcome of the tree that starts nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Leaf {
    /// What it says ("Do not fail over").
    pub title: String,
    /// What to do instead.
    pub advice: String,
}

/// Ordered steps towards one outcome.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Runbook {
    /// What people call it.
    pub title: String,
    /// Probes that tell what is lost if it runs now (`postgres-replication`).
    pub loss: Vec<ProbeId>,
    /// Services that it brings back, for their clocks.
    pub restores: Vec<ServiceId>,
    /// The region that it is for: it serves once the step that switches is done, or a person records it; none where it
    /// moves nothing.
    pub activates: Option<RegionId>,
    /// The steps, by name, in the order of the file.
    pub steps: IndexMap<StepId, Step>,
}

impl Runbook {
    /// The steps that a step needs, directly or through others.
    pub fn before<'p>(&'p self, step: &'p Step) -> Vec<&'p StepId> {
        let mut needed: Vec<&StepId> = step.needs.iter().collect();
        let mut at = 0;
        while let Some(id) = needed.get(at) {
            let more = self.steps.get(*id).into_iter().flat_map(|step| &step.needs);
            let more: Vec<&StepId> = more.filter(|id| !needed.contains(id)).collect();
            needed.extend(more);
            at += 1;
        }
        needed
    }
}

/// One unit of a runbook.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Its name in the runbook.
    pub id: StepId,
    /// What people call it.
    pub title: String,
    /// The kind in the action registry (`postgres-promote`).
    pub action: String,
    /// What the kind does.
    pub does: Does,
    /// What the kind needs (`with.…`).
    pub params: Params,
    /// Steps that must be settled before; the previous one where the plan does not say.
    pub needs: Vec<StepId>,
    /// What must be true just before it runs.
    pub guard: Vec<Condition>,
    pub confirm: ConfirmLevel,
    /// Whether its kind of action can change the world.
    pub changes: bool,
    /// Nothing brings it back: the point of no return is drawn before it.
    pub irreversible: bool,
    /// Once it is verified or attested the region that the runbook activates serves.
    pub switches: bool,
    /// Services that it moves, and the region that each serves from once it is verified, or attested and its proof holds.
    #[serde(default)]
    pub serves: IndexMap<ServiceId, RegionId>,
    /// The plan says that it may act in a drill that acts only on what is safe.
    pub safe_to_drill: bool,
    /// The probes that watch the server which this step keeps from accepting writes; the loader fills it in for
    /// `postgres-fence` when the plan does not say.
    #[serde(default)]
    pub fences: Vec<ProbeId>,
    /// The probes that watch the server which this step lets accept writes again; as `fences`, for
    /// `postgres-unfence`.
    #[serde(default)]
    pub unfences: Vec<ProbeId>,
    /// How long it usually takes.
    pub estimate: Option<SignedDuration>,
    /// Deadline of its execution.
    pub timeout: SignedDuration,
    /// A condition that proves it, besides what the action itself verifies; watched for up to `verify_within`.
    pub verify: Option<Condition>,
    /// How long the verification may take.
    pub verify_within: SignedDuration,
    /// What a person does when the provider cannot be reached; templated text.
    pub manual: Option<String>,
    /// How it is taken back, for actions that cannot know; templated text.
    pub undo: Option<String>,
    /// Steps that it takes back once it is verified or attested; [`Plan::takes_back`] says of which runbook.
    pub undoes: Vec<StepId>,
}

impl Step {
    /// A person does it and attests it; lifeboat only shows what to do.
    pub fn is_by_hand(&self) -> bool {
        self.does == Does::ByHand
    }

    /// It changes nothing that the services need: people tell, note or look.
    pub fn is_for_people(&self) -> bool {
        self.is_by_hand() || self.does == Does::Notes
    }

    /// It changes something that services may need. Waits and messages change nothing, and what keeps a server out lets no
    /// other one serve.
    pub fn acts(&self) -> bool {
        self.changes && !self.is_for_people() && self.does != Does::Tells && !self.is_fence()
    }

    /// It can leave something behind in the world: what it did is in force until it is taken back. A message that was
    /// sent is not. What a person does by hand is where it fences a server, moves a service, or the plan says how to take
    /// it back.
    pub fn leaves_something(&self) -> bool {
        let by_hand = self.undo.is_some() || self.is_fence() || !self.serves.is_empty();
        (self.changes && self.does != Does::Tells) || by_hand
    }

    /// It keeps a server from accepting writes.
    pub fn is_fence(&self) -> bool {
        !self.fences.is_empty() || self.does == Does::Fences
    }

    /// It makes another server the primary.
    pub fn promotes(&self) -> bool {
        self.does == Does::Promotes
    }

    /// Data may be lost by it: all but the kinds that touch none. What a program, a request or a person does nobody
    /// knows.
    pub fn may_lose_data(&self) -> bool {
        !self.does.keeps_data()
    }

    /// It sends people or programs to another place.
    pub fn moves_traffic(&self) -> bool {
        self.switches || !self.serves.is_empty() || self.does == Does::Routes
    }

    /// The address of the database server that it acts on, where it connects to that server itself.
    pub fn server(&self) -> Option<&Param> {
        self.params.get("dsn")
    }

    /// It needs no confirmation, and no person to do it.
    pub fn runs_by_itself(&self) -> bool {
        self.confirm == ConfirmLevel::None && !self.is_by_hand()
    }
}

/// How a step is confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfirmLevel {
    /// Runs as soon as it is ready and its guards hold.
    None,
    /// One deliberate key.
    Yes,
    /// The target's name is typed.
    Type,
}

/// A drill and when it is due.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Drill {
    /// What people call it.
    pub title: String,
    /// The runbook that it exercises, where it is one.
    pub runbook: Option<RunbookId>,
    /// How often it is due.
    pub every: SignedDuration,
    /// When it was last done, from the plan.
    pub last: Option<jiff::civil::Date>,
}

impl Plan {
    /// The region that serves in normal times.
    pub fn primary(&self) -> Option<(&RegionId, &Region)> {
        self.regions.iter().find(|(_, region)| region.role == RegionRole::Primary)
    }

    /// Whether a step takes back another one. An id in `undoes` means the step of the same runbook, where that has one of
    /// that name, else those of all others.
    pub fn takes_back(&self, (own, step): (&RunbookId, &Step), (of, undone): (&RunbookId, &StepId)) -> bool {
        let has_one = || self.runbooks.get(own).is_some_and(|runbook| runbook.steps.contains_key(undone));
        step.undoes.contains(undone) && (own == of || !has_one())
    }
}
