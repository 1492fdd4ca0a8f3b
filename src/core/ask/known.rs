//! Which region is known to serve, by what acted since that was known: what acted later, or at the same time, leaves it open.
//! No record, no proof and no run under way answers for what acts after it.

use crate::base::ids::{RegionId, RunId, StepId};
use crate::core::ask::attested::Why;
use crate::core::model::Model;
use crate::core::words::act::{Act, Kind, Known, Order};
use crate::core::words::incident::{Incident, Mode, Run, StepRun};
use crate::core::words::status::StepStatus;

/// Why it is not known whether a region serves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Doubt<'m> {
    /// The run that leads there.
    pub run: &'m Run,
    /// Its region.
    pub region: &'m RegionId,
    /// Its step that switches.
    pub step: &'m StepId,
    pub why: Why,
}

/// What says which region serves, and what leaves that open.
pub struct View<'m> {
    model: &'m Model,
    /// The switch that says it; none where it is recorded, measured, or the plan's.
    by: Option<&'m Act>,
    since: Order,
    region: Option<&'m RegionId>,
}

impl<'m> View<'m> {
    /// By what is known now: the last switch that is shown, or what was recorded or measured after it had acted. Of a
    /// switch during which another region was recorded nobody knows which of both came first.
    pub fn of(model: &'m Model) -> Self {
        let acts = &model.durable.acts;
        let recorded = acts.region.as_ref().or_else(|| model.plan.primary().map(|(id, _)| id));
        let is_later = |act: &Act| {
            act.began > acts.recorded || (act.is_after(acts.recorded) && region(model, act) == recorded)
        };
        let shown = self::acts(model).filter(|act| is_certain(model, act) && is_later(act));
        match shown.max_by_key(|act| act.ended) {
            Some(act) => Self { model, by: Some(act), since: act.began, region: region(model, act) },
            None => Self { model, by: None, since: acts.recorded, region: recorded },
        }
    }

    /// The switch that lets its region serve: nothing leaves that open but another one that began after it and runs.
    pub fn standing(&self) -> Option<&'m Act> {
        let by = self.by?;
        let runs = |act: &Act| act.known == Known::Running && !by.is_after(act.began);
        (self.switches().all(runs) && self.undoing().next().is_none()).then_some(by)
    }

    /// Whether nothing leaves open which region serves.
    pub fn is_closed(&self) -> bool {
        self.switches().next().is_none() && self.undoing().next().is_none()
    }

    /// Since when what acted matters.
    pub fn since(&self) -> Order {
        self.since
    }

    /// Whether the last attempt at a step, or the word of it, may have let another region serve.
    pub fn is_open(&self, run: &RunId, step: &StepId) -> bool {
        self.switches().any(|act| act.run == *run && act.step == *step)
    }

    /// Why it is not known which region serves, one for each switch, the latest last.
    pub fn doubts(&self) -> Vec<Doubt<'m>> {
        let mut doubts: Vec<Doubt<'m>> = Vec::new();
        let of_now = self.undoing().filter_map(|act| self.taken_back(act));
        let switches = self.switches().flat_map(|switch| self.of_switch(switch));
        for doubt in of_now.chain(switches) {
            let is_same = |known: &Doubt<'_>| (&known.run.id, known.step) == (&doubt.run.id, doubt.step);
            match doubts.iter().position(is_same) {
                Some(place) if says_more(doubt.why) >= says_more(doubts[place].why) => {
                    doubts.remove(place);
                    doubts.push(doubt);
                }
                Some(_) => {}
                None => doubts.push(doubt),
            }
        }
        doubts
    }

    /// What may have acted since.
    fn later(&self) -> impl Iterator<Item = &'m Act> + '_ {
        acts(self.model)
            .filter(|act| self.by.is_none_or(|by| !std::ptr::eq(by, *act)) && act.is_after(self.since))
    }

    /// Switches to another region that may have acted since.
    fn switches(&self) -> impl Iterator<Item = &'m Act> + '_ {
        let is_other = |act: &&Act| region(self.model, act).is_some_and(|region| Some(region) != self.region);
        self.later().filter(is_other)
    }

    /// What may have taken back since that the region serves.
    fn undoing(&self) -> impl Iterator<Item = &'m Act> + '_ {
        self.later().filter(|act| self.is_reopened(act) || self.of_now(act).is_some())
    }

    /// The last run for the region that serves, and whose switch an act takes back. Where a person recorded that one, it
    /// may be another one's hand that did what the run's steps did not.
    fn of_now(&self, act: &Act) -> Option<&'m Run> {
        let by_hand = self.by.is_none() && self.model.durable.acts.region.is_some();
        let is_for_it =
            |run: &&Run| run.aim.region.as_ref() == self.region && (by_hand || may_have_moved(run));
        let runs = self.model.real_incidents().flat_map(|incident| &incident.runs);
        runs.filter(is_for_it).filter(|run| takes_back(self.model, act, run)).last()
    }

    /// The switch to the region that serves was taken up again: it may have been undone for that.
    fn is_reopened(&self, act: &Act) -> bool {
        act.known == Known::Reopened && region(self.model, act) == self.region
    }

    fn is_held_up(&self) -> bool {
        self.by.is_some_and(|by| !by.has_moved)
    }

    fn taken_back(&self, act: &Act) -> Option<Doubt<'m>> {
        match self.is_reopened(act) {
            true => doubt(self.model.run_of_any(&act.run)?, Why::Reopened),
            false => doubt(self.of_now(act)?, self.undone(act)),
        }
    }

    /// What is asked of a switch that may have acted. Of one that goes its way its run says itself what becomes of it.
    fn of_switch(&self, switch: &'m Act) -> Vec<Doubt<'m>> {
        let Some(run) = self.model.run_of_any(&switch.run) else { return Vec::new() };
        let undoing =
            || acts(self.model).filter(|act| act.is_after(switch.began) && takes_back(self.model, act, run));
        let is_said_back = || undoing().any(|act| act.kind == Kind::TakenBack);
        let own = match switch.known {
            Known::Maybe if switch.ended.is_none() => doubt(run, self.runs_on(switch, Why::StillRuns)),
            // What a person says of it now does not answer for what it does yet.
            Known::Running if is_said_back() => doubt(run, Why::StillRuns),
            Known::Maybe => doubt(run, Why::Doubt),
            Known::Reopened => doubt(run, Why::Reopened),
            Known::Drilled => doubt(run, Why::Drilled),
            // Another switch is shown, and did not move its region for this one.
            Known::Shown if self.is_held_up() => doubt(run, Why::Shown),
            _ if self.is_held_up() => doubt(run, Why::Doubt),
            Known::Shown if self.by.is_none() => doubt(run, Why::Overlaps),
            _ => None,
        };
        own.into_iter().chain(undoing().filter_map(|act| doubt(run, self.undone(act)))).collect()
    }

    /// What became of a switch that an act takes back.
    fn undone(&self, act: &Act) -> Why {
        match (act.kind, act.known) {
            (Kind::OtherPlan, _) => Why::OtherPlan,
            (Kind::TakenBack, _) | (_, Known::Shown | Known::Reopened | Known::Drilled) => Why::TakenBack,
            (_, Known::Running) => Why::BeingTakenBack,
            (_, Known::Maybe) if act.ended.is_none() => self.runs_on(act, Why::UndoStillRuns),
            (_, Known::Finished | Known::Word | Known::Maybe) => Why::MayBeTakenBack,
        }
    }

    /// Of a step that the plan has no more, that was to be done again in a run that is over, or whose run is not on the
    /// screen any more, nobody can look whether its program still runs.
    fn runs_on(&self, act: &Act, why: Why) -> Why {
        let Some(run) = self.model.run_of_any(&act.run) else { return Why::Gone };
        let runbook = self.model.plan.runbooks.get(&run.runbook);
        let is_there = runbook.is_some_and(|runbook| runbook.steps.contains_key(&act.step));
        let is_unknown = |state: &StepRun| state.status == StepStatus::Unknown;
        let last = self.model.durable.incident.as_ref().and_then(|incident| incident.runs.last());
        let is_last = last.is_some_and(|last| last.id == run.id);
        let may_be_looked_at =
            run.ended.is_none() || (is_last && run.steps.get(&act.step).is_some_and(is_unknown));
        if is_there && may_be_looked_at { why } else { Why::Gone }
    }
}

/// Whether the switch of a run may have acted, is said to be done, or was answered for by a record.
fn may_have_moved(run: &Run) -> bool {
    let is_begun = |switch: &StepRun| (switch.status.is_done() && !switch.exercise) || switch.is_in_doubt();
    run.has_moved || run.switched.is_some() || run.switch().is_some_and(is_begun)
}

fn doubt(run: &Run, why: Why) -> Option<Doubt<'_>> {
    Some(Doubt { run, region: run.aim.region.as_ref()?, step: run.aim.switch.as_ref()?, why })
}

/// What is under way may still come to nothing, that nobody knows whether a switch acted says less than what took it back
/// since, and what no record answers says most.
fn says_more(why: Why) -> u8 {
    match why {
        Why::BeingTakenBack => 0,
        Why::Doubt | Why::Shown => 1,
        why if why.outlasts_records() => 3,
        _ => 2,
    }
}

/// All acts but those of exercises that move nothing.
fn acts(model: &Model) -> impl Iterator<Item = &Act> {
    let drills: Vec<&Incident> =
        model.incidents().filter(|incident| incident.mode == Mode::SafeDrill).collect();
    let is_drill = move |act: &Act| {
        act.kind == Kind::Done && drills.iter().any(|incident| incident.run(&act.run).is_some())
    };
    model.durable.acts.list.iter().filter(move |act| !is_drill(act))
}

/// The region that an act lets serve.
fn region<'m>(model: &'m Model, act: &Act) -> Option<&'m RegionId> {
    let run = model.run_of_any(&act.run).filter(|_| act.kind == Kind::Done)?;
    run.aim.region.as_ref().filter(|_| run.is_switch(&act.step))
}

/// It acted, and its region serves because of it. Nothing gives effect to a run that was aborted, to an incident that was
/// closed, nor to a run of which nobody recorded where it leads.
fn is_certain(model: &Model, act: &Act) -> bool {
    let Some(run) = model.run_of_any(&act.run) else { return false };
    let is_open = || model.durable.incident.iter().any(|incident| incident.run(&act.run).is_some());
    let has_effect = || is_open() && !run.is_aborted() && run.aim.is_recorded;
    act.known == Known::Shown && region(model, act).is_some() && (act.has_moved || has_effect())
}

/// Whether an act takes back the switch of a run. Of one that switches itself its own run says what became of that, unless
/// nobody recorded where that leads.
fn takes_back(model: &Model, act: &Act, run: &Run) -> bool {
    let Some(switch) = &run.aim.switch else { return false };
    if act.kind != Kind::Done {
        return act.run == run.id && act.step == *switch;
    }
    let by = model.run_of_any(&act.run);
    by.is_some_and(|by| {
        let says_itself = by.is_switch(&act.step) && by.aim.is_recorded;
        !says_itself && by.takes_back(&model.plan, &act.step, (&run.runbook, switch))
    })
}
