//! What steps did to the world and nothing has taken back. It outlives an abort, a failure, a crash and the close of
//! its incident, and ends only with a step that undoes it or with a person's word.

use crate::base::ids::{IncidentId, ProbeId, RunId, RunbookId, StepId};
use crate::core::ask::{left_running, servers};
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Mode, Run, RunEnd, StepRun};
use crate::core::words::reading::Field;
use crate::core::words::signal::SignalState;
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Sees;
use crate::plan::{Plan, ProbeSpec, Runbook, Step};
use jiff::Timestamp;

/// Something that a step did and nothing has taken back.
#[derive(Clone, PartialEq, Debug)]
pub struct InForce {
    /// The incident of the run.
    pub incident: IncidentId,
    /// The run that did it last.
    pub run: RunId,
    /// The runbook of the run.
    pub runbook: RunbookId,
    pub step: StepId,
    /// What people call the step.
    pub title: String,
    /// What it acted on, as it was confirmed; none where it never was.
    pub target: Option<String>,
    /// Since when, at the earliest.
    pub since: Timestamp,
    pub how: Known,
    /// The exact commands that take it back, in order; empty where nobody knows any.
    pub undo: Vec<String>,
    /// Nothing takes it back.
    pub irreversible: bool,
    /// It keeps a server from accepting writes: the probes that watch it, as far as the plan says.
    pub fences: Vec<ProbeId>,
    /// It is a fence, whether or not a probe watches its server.
    pub is_fence: bool,
    /// It keeps a server out whose region serves no more: taken back before that server is rebuilt, it makes two primaries.
    pub guards_failover: bool,
    /// The runbook ran to its end and this is what it is for: the normal state from then on.
    pub intended: bool,
    /// A program of it that outlived its engine and is not known to have ended.
    pub program: Option<String>,
    /// When a person recorded that it is undone or stays on purpose, although its server is read as fenced since.
    pub recorded: Option<Timestamp>,
}

/// How it is known that a step is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// The world showed it.
    Verified,
    /// A person says that they did it.
    Attested,
    /// Nobody knows whether the step acted.
    Maybe,
    /// It was verified or attested, and its server accepts writes all the same.
    Denied,
}

/// What everything begins with that is told of what is in force.
pub const STILL: &str = "STILL IN FORCE";
/// The same of a fence that does not hold any more.
pub const NO_LONGER: &str = "FENCE DOES NOT HOLD, its server takes writes";

impl InForce {
    /// Whether it is in force, in capitals.
    pub fn heading(&self) -> &'static str {
        if self.how == Known::Denied { NO_LONGER } else { STILL }
    }

    /// What is told first: what does not hold, then fences.
    pub fn order(&self) -> (bool, bool) {
        (self.how != Known::Denied, !self.is_fence)
    }

    /// How it is taken back, in one line: the commands, or why there are none.
    pub fn undo_words(&self) -> String {
        let how = match (self.undo.as_slice(), self.irreversible) {
            _ if self.how == Known::Denied => return "nothing to undo, fence it again".into(),
            ([], true) => return "none, it cannot be undone".into(),
            ([], false) if self.how == Known::Attested => "by hand, as it was done".into(),
            ([], false) => return "none is known".into(),
            (commands, _) => commands.join("; "),
        };
        match self.guards_failover {
            true => format!("ONLY ONCE IT FOLLOWS the server that serves, or there are two primaries: {how}"),
            false => how,
        }
    }

    /// What is in force, since when, and how it is taken back.
    pub fn sentence(&self) -> String {
        let target = self.target.as_ref().map_or_else(String::new, |target| format!(" on {target}"));
        let since = self.since.strftime("%Y-%m-%d %H:%M:%SZ");
        format!("{}{target}, since {since}. Undo: {}", self.words(), self.undo_words())
    }

    /// `Stop writes on the old primary`, with a word where it is not certain.
    pub fn words(&self) -> String {
        if let Some(at) = self.recorded {
            let at = at.strftime("%H:%M:%SZ");
            return format!(
                "{} (recorded at {at} as undone or to stay; its server IS READ-ONLY NOW)",
                self.title
            );
        }
        let how = match self.how {
            Known::Verified | Known::Denied => None,
            Known::Attested => Some("done by hand"),
            Known::Maybe => Some("MAY BE: nobody knows whether it acted"),
        };
        // Where it does not fit, what has to be ended is read first.
        let said: Vec<&str> = self.program.as_deref().into_iter().chain(how).collect();
        match said.as_slice() {
            [] => self.title.clone(),
            said => format!("{} ({})", self.title, said.join("; ")),
        }
    }
}

/// All that is in force, oldest first; what was done twice is listed once, with how it was before the first time.
pub fn of(model: &Model) -> Vec<InForce> {
    let undoings = undoings(model);
    let mut list: Vec<InForce> = Vec::new();
    for (incident, run) in runs(model) {
        for (id, state) in &run.steps {
            let Some((since, mut found)) = left(model, incident, run, id, state) else { continue };
            let mut undone =
                undoings.iter().filter(|undoing| undoing.covers(&model.plan, &found, since)).peekable();
            if undone.peek().is_some() {
                // A word does not lift a fence that its server still shows.
                let Some(word) = undone.map(|undoing| undoing.by_word()).collect::<Option<Vec<_>>>() else {
                    continue;
                };
                found.recorded = word.into_iter().max();
                if !found.recorded.is_some_and(|at| holds_since(model, &found.fences, at)) {
                    continue;
                }
            }
            match list.iter_mut().find(|known| known.runbook == found.runbook && known.step == found.step) {
                Some(before) => repeat(before, found),
                None => list.push(found),
            }
        }
    }
    list
}

/// What has to be looked at: all but what a runbook that ran to its end is for.
pub fn pending(model: &Model) -> Vec<InForce> {
    of(model).into_iter().filter(|left| !left.intended).collect()
}

/// What runs that ended left behind and somebody has to look at. An open run goes on to work with what it did.
pub fn left_behind(model: &Model) -> Vec<InForce> {
    let open = model.durable.incident.as_ref().and_then(Incident::open_run).map(|run| &run.id);
    pending(model).into_iter().filter(|left| Some(&left.run) != open).collect()
}

/// What a brief tells of: what runs that ended left behind, and of the open one the fences and what goes on by itself.
pub fn to_tell(model: &Model) -> Vec<InForce> {
    let left = left_behind(model);
    let is_told = |found: &InForce| found.is_fence || found.program.is_some();
    let of_open = pending(model).into_iter().filter(|found| is_told(found) && !left.contains(found));
    let mut told: Vec<InForce> = left.iter().cloned().chain(of_open).collect();
    told.sort_by_key(InForce::order);
    told
}

/// What one run did so far and nothing has taken back.
pub fn of_run(model: &Model, run: &RunId) -> Vec<InForce> {
    of(model).into_iter().filter(|left| left.run == *run).collect()
}

fn runs(model: &Model) -> impl Iterator<Item = (&Incident, &Run)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    incidents.flat_map(|incident| incident.runs.iter().map(move |run| (incident, run)))
}

/// The same step again: how it was before is what the first time read, the rest is what the latest one says.
fn repeat(before: &mut InForce, again: InForce) {
    let undo = if before.undo.is_empty() { again.undo.clone() } else { before.undo.clone() };
    *before = InForce { since: before.since, undo, ..again };
}

/// What a step of a run did, with when it is known to have done it by.
fn left(
    model: &Model,
    incident: &Incident,
    run: &Run,
    id: &StepId,
    state: &StepRun,
) -> Option<(Timestamp, InForce)> {
    let how = known(state)?;
    // In a drill that runs safe steps only, a person says what they would do.
    if incident.mode == Mode::SafeDrill && how == Known::Attested {
        return None;
    }
    let runbook = model.plan.runbooks.get(&run.runbook);
    let plan = runbook.and_then(|runbook| runbook.steps.get(id));
    // Of a step that the plan has no more only what it did itself is known.
    if plan.map_or(state.attempt == 0, |step| !step.leaves_something()) {
        return None;
    }
    let done = state.acted_at().unwrap_or(run.started_at);
    let description = state.confirmation.as_ref().map(|confirmation| &confirmation.description);
    // What a person did in the place of the step is not taken back by what takes the step back.
    let own = description.filter(|_| how != Known::Attested || state.may_have_acted);
    let mut undo = own.map_or_else(Vec::new, |description| description.undo.clone());
    if let Some(text) = plan.and_then(|step| step.undo.as_ref()).filter(|_| undo.is_empty()) {
        undo = text.lines().map(str::to_owned).collect();
    }
    let completed = run.ended.as_ref().is_some_and(|(_, end)| *end == RunEnd::Completed);
    let for_a_while = plan.zip(runbook).is_some_and(|(step, runbook)| is_for_a_while(step, runbook));
    let program = left_running::of(state).map(|left| left.words());
    let found = InForce {
        incident: incident.id.clone(),
        run: run.id.clone(),
        runbook: run.runbook.clone(),
        step: id.clone(),
        title: plan.map_or_else(|| id.to_string(), |step| step.title.clone()),
        target: description.map(|description| description.target.name.clone()),
        since: state.started_at.or(state.ended_at).unwrap_or(run.started_at),
        how,
        undo,
        irreversible: plan.is_some_and(|step| step.irreversible),
        fences: plan.map_or_else(Vec::new, |step| step.fences.clone()),
        is_fence: plan.is_some_and(Step::is_fence),
        guards_failover: plan.is_some_and(|step| guards_failover(model, run, step)),
        intended: completed && how != Known::Maybe && !for_a_while && program.is_none(),
        program,
        recorded: None,
    };
    Some((done, found))
}

/// Whether a server is read as a read-only primary, by a reading that began after `at` and is not too old.
fn holds_since(model: &Model, servers: &[ProbeId], at: Timestamp) -> bool {
    servers.iter().any(|probe| {
        let Some(spec) = model.plan.probes.get(probe).filter(|spec| servers::is_server(spec)) else {
            return false;
        };
        let reading = model.live.recent.get(probe).and_then(|recent| recent.measured());
        let is_new = reading.is_some_and(|reading| reading.at.duration_since(at) > spec.timeout);
        is_new && model.state(probe) != SignalState::Unknown && is_read_only_primary(model, probe)
    })
}

/// Whether the last reading of a server says that it is a primary on which nobody can write by default.
pub fn is_read_only_primary(model: &Model, probe: &ProbeId) -> bool {
    let recent = model.live.recent.get(probe);
    let read = recent.and_then(|recent| recent.measured()?.outcome.as_ref().ok());
    read.is_some_and(|read| {
        let is_standby = read.text("role") == Some("standby")
            || read.fields.get("in_recovery") == Some(&Field::Flag(true));
        !is_standby && read.fields.get("read_only") == Some(&Field::Flag(true))
    })
}

/// Whether a step did something, as far as that is known. One that was left out or failed after an attempt whose end
/// nobody saw may still have.
fn known(state: &StepRun) -> Option<Known> {
    match state.status {
        StepStatus::Attested if state.exercise => None,
        StepStatus::Verified | StepStatus::Attested if state.denied.is_some() => Some(Known::Denied),
        StepStatus::Verified => Some(Known::Verified),
        StepStatus::Attested => Some(Known::Attested),
        StepStatus::Started | StepStatus::Finished | StepStatus::Unknown => Some(Known::Maybe),
        _ => state.may_have_acted.then_some(Known::Maybe),
    }
}

/// Whether a step fences a server whose place another one has taken: its region does not serve, or its run promoted
/// somebody.
fn guards_failover(model: &Model, run: &Run, step: &Step) -> bool {
    // A replication probe watches the primary from the standby's region.
    let watches_it = |spec: &&ProbeSpec| spec.sees != Sees::Standby;
    let spec = |probe: &ProbeId| model.plan.probes.get(probe).filter(watches_it);
    let region = |probe: &ProbeId| spec(probe).and_then(|spec| spec.region.as_ref());
    let serves_elsewhere = |of| model.serving().is_some_and(|serving| serving != of);
    let mut begun = run.promotions(&model.plan);
    step.is_fence()
        && (step.fences.iter().filter_map(region).any(serves_elsewhere)
            || begun.any(|state| state.status.may_have_acted()))
}

/// A fence holds only until its server is rebuilt; and what the same runbook takes back was never meant to stay.
fn is_for_a_while(step: &Step, runbook: &Runbook) -> bool {
    step.is_fence() || runbook.steps.values().any(|other| other.undoes.contains(&step.id))
}

/// Something was taken back.
struct Undoing<'m> {
    at: Timestamp,
    what: Undone<'m>,
    /// Only a person says so.
    is_word: bool,
}

/// What was taken back.
enum Undone<'m> {
    /// This step, as a person says.
    Step(&'m RunbookId, &'m StepId),
    /// What this step of this runbook takes back, as the plan says.
    By(&'m RunbookId, &'m Step),
    /// The fence around these servers, by the probes that watch them.
    Fence(&'m [ProbeId]),
}

impl Undoing<'_> {
    /// When a person said so; none where a step showed it.
    fn by_word(&self) -> Option<Timestamp> {
        self.is_word.then_some(self.at)
    }

    fn covers(&self, plan: &Plan, found: &InForce, done: Timestamp) -> bool {
        self.at >= done
            && match self.what {
                Undone::Step(runbook, step) => *runbook == found.runbook && *step == found.step,
                Undone::By(runbook, step) => plan.takes_back((runbook, step), (&found.runbook, &found.step)),
                Undone::Fence(servers) => is_let_go(plan, &found.fences, servers),
            }
    }
}

/// Whether the servers of a fence are among those that were let go. A probe of the lag looks at both servers: which of them
/// that was it does not say, where another probe of the fence does.
fn is_let_go(plan: &Plan, fences: &[ProbeId], let_go: &[ProbeId]) -> bool {
    let sees_both = |probe: &ProbeId| plan.probes.get(probe).is_some_and(|spec| spec.sees == Sees::Standby);
    let is_told_by_others = fences.iter().any(|probe| !sees_both(probe));
    fences.iter().any(|probe| let_go.contains(probe) && !(is_told_by_others && sees_both(probe)))
}

fn undoings(model: &Model) -> Vec<Undoing<'_>> {
    let mut found = Vec::new();
    for (_, run) in runs(model) {
        let runbook = model.plan.runbooks.get(&run.runbook);
        for (id, state) in &run.steps {
            if let Some((at, _)) = &state.undone {
                found.push(Undoing { at: *at, what: Undone::Step(&run.runbook, id), is_word: true });
            }
            let settled = state.status.is_done() && !state.exercise && !state.is_taken_back();
            let plan = runbook.and_then(|runbook| runbook.steps.get(id)).filter(|_| settled);
            let Some(plan) = plan else { continue };
            let at = state.acted_at().unwrap_or(run.started_at);
            let is_word = state.status == StepStatus::Attested;
            found.push(Undoing { at, what: Undone::By(&run.runbook, plan), is_word });
            found.push(Undoing { at, what: Undone::Fence(&plan.unfences), is_word });
        }
    }
    found
}
