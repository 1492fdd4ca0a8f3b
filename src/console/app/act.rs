//! What the keys of the screens do.

use super::{App, Asked, Dialog, Effect, answer};
use crate::base::ids::{RunId, StepId};
use crate::console::input::Received;
use crate::console::keymap::Action;
use crate::console::overlays::form::{self, Form, Purpose, Stage};
use crate::console::overlays::help;
use crate::console::overlays::palette::{Entry, Palette, Target};
use crate::console::overlays::{declare, left, people};
use crate::console::screens::decide::Item;
use crate::console::screens::table;
use crate::console::screens::{self, decide, overview};
use crate::console::ui::{Cursor, Remains, Screen};
use crate::core::ask::divergence::{self, DIVERGED};
use crate::core::ask::{contradiction, promoting};
use crate::core::decide::{self as deciding, serving_choices};
use crate::core::model::{Model, Status};
use crate::core::words::command::Ask;
use crate::core::words::incident::{Incident, StepRun};
use crate::core::words::signal::{SignalState, failing};
use crate::core::words::status::StepStatus;
use crate::plan::Step;
use crate::plan::condition::Truth;
use jiff::Timestamp;
use std::time::Instant;

/// A key cannot be taken by the step that was selected, and can by the one that is selected now.
struct Elsewhere {
    from: String,
    to: String,
}

impl App {
    pub(super) fn act(&mut self, action: Action, received: &Received, at: Instant) -> Vec<Effect> {
        use Action::*;
        if let Some(screen) = table::shown_by(action) {
            return self.show(screen);
        }
        match action {
            Quit => return self.quit(),
            Detach if !self.admits(received, at) => return self.too_soon(at),
            Detach => return self.detach(),
            Help => {
                let help = help::Help::new(&self.keymap, self.screen_context(), &self.keys);
                return self.open(Dialog::Help(help));
            }
            Palette => {
                let palette = palette(self, at);
                return self.open(Dialog::Palette(palette));
            }
            Filter => {
                let before = self.ui.filter.clone();
                let field = crate::console::overlays::field::Field::new(&before);
                return self.open(Dialog::Filter { field, before });
            }
            Back => self.back(),
            NextScreen => return self.show(self.turned(1)),
            PrevScreen => return self.show(self.turned(Screen::ALL.len() - 1)),
            RunPreflight => return self.run_preflight(at),
            Up => self.move_by(-1, at),
            Down => self.move_by(1, at),
            PageUp if self.ui.details => self.ui.pages.back(),
            PageDown if self.ui.details => self.ui.pages.forward(),
            PageUp => self.move_by(-self.page(), at),
            PageDown => self.move_by(self.page(), at),
            Top => {
                self.moved_at = Some(at);
                self.select_first();
            }
            Bottom => self.move_by(isize::MAX, at),
            Select => return self.select(received, at),
            ToggleDetails => self.toggle_details(),
            Refresh => return vec![Effect::Repaint, Effect::Draw],
            Copy => return self.copy(at),
            Brief => return self.brief(at),
            Diagnose => return self.diagnose(at),
            Acknowledge if !self.admits(received, at) => return self.too_soon(at),
            Acknowledge => return self.ask_alone(received, Ask::Acknowledge, "takes it on", at),
            Left | Right => return self.unheard("there is nothing to the left or right here", at),
            Page | SendMessage | SkipMessage | HandOver | Resolve | Reopen | Dismiss => {
                return self.act_on_people(action, at);
            }
            _ => return self.act_on_incident(action, received, at),
        }
        vec![Effect::Draw]
    }

    /// Actions that ask the engine for something, most of them through a form.
    fn act_on_incident(&mut self, action: Action, received: &Received, at: Instant) -> Vec<Effect> {
        let Some(model) = &self.model else {
            self.complain("the engine was not reached yet", "Wait a moment.", at);
            return vec![Effect::Draw];
        };
        match (action, self.incident_form(action, model, at)) {
            (_, Some(Ok(form))) => self.open_form(form, at),
            (_, Some(Err((why, next)))) => self.refuse_form(&why, next, at),
            (Action::AnswerYes | Action::AnswerNo, None) => self.answer_by_key(action, received, at),
            (Action::AnswerOther, None) => self.answer_other(at),
            (_, None) => self.act_on_step(action, received, at),
        }
    }

    /// Why an action cannot be done now; none where it can, or where nothing but its own key tells.
    pub(super) fn why_not(&self, action: Action, at: Instant) -> Option<String> {
        use Action::*;
        let model = self.model.as_ref()?;
        let refused =
            |form: Form| form.trial().and_then(|ask| self.refusal(&ask, at)).map(|refusal| refusal.why);
        match action {
            Acknowledge => self.refusal(&Ask::Acknowledge, at).map(|refusal| refusal.why),
            Diagnose => self.to_diagnose().err().map(|(why, _)| why.to_owned()),
            Page | SendMessage | SkipMessage | HandOver | Resolve | Reopen | Dismiss => {
                match people::form_for(action, model, self.now(at)) {
                    Ok(form) => refused(form),
                    Err((why, _)) => Some(why.to_owned()),
                }
            }
            PrepareStep | RetryStep | SkipStep | AttestStep | OverrideGuard => {
                let incident = model.durable.incident.as_ref();
                if incident.and_then(Incident::open_run).is_none() {
                    return Some("no runbook is running".into());
                }
                if self.ui.screen != Screen::Decide {
                    return Some("a step is chosen on the decide screen".into());
                }
                let next = screens::next::step(model);
                let mut steps = self.selected_step().into_iter().chain(next);
                (!steps.any(|step| self.takes(action, &step, at))).then(|| "no step can take it now".into())
            }
            _ => match self.incident_form(action, model, at)? {
                Ok(form) => refused(form),
                Err((why, _)) => Some(why),
            },
        }
    }

    /// The form of an action on the incident, or why there is none; none for other actions.
    fn incident_form(
        &self,
        action: Action,
        model: &Model,
        at: Instant,
    ) -> Option<Result<Form, (String, &'static str)>> {
        let incident = model.durable.incident.as_ref();
        Some(match action {
            Action::DeclareIncident => match incident {
                None => Ok(declare::form(model, &proposed_title(model))),
                Some(open) if open.mode.is_drill() => Ok(declare::form(model, &proposed_title(model))),
                Some(open) => {
                    Err((format!("incident {} is open already", open.id), "Go on in it, or close it first."))
                }
            },
            Action::RecordUndone => match left::form(model) {
                Some(form) => Ok(form),
                None => Err((
                    "nothing is in force that would have to be undone".into(),
                    "There is nothing to record.",
                )),
            },
            Action::Note => Ok(Form::writing(Purpose::Note)),
            Action::SetSeverity => match incident {
                Some(_) => Ok(Form::severity(model.severity())),
                None => Err(no_incident()),
            },
            Action::CloseIncident => match (incident, incident.and_then(Incident::open_run)) {
                (_, Some(run)) => Err((
                    format!("the runbook {} is still running", model.runbook_title(&run.runbook)),
                    "Settle its steps, or abort it with a reason.",
                )),
                (Some(open), None) => Ok(Form::writing(Purpose::Close(open.id.to_string()))),
                (None, None) => Err(no_incident()),
            },
            Action::AnswerContradiction => contradiction_form(model),
            Action::RecordServing => serving_form(model, self.now(at)),
            Action::AbortRun => match incident.and_then(Incident::open_run) {
                Some(run) => Ok(Form::writing(Purpose::Abort(run.id.clone()))),
                None => Err(("no runbook is running".into(), "There is nothing to abort.")),
            },
            _ => return None,
        })
    }

    /// Gives a declaration the title that the signals propose by now, unless somebody wrote one.
    pub(super) fn propose_title(&mut self) {
        let title = self.model.as_ref().map(proposed_title).unwrap_or_default();
        if let Some(Dialog::Form(form)) = &mut self.dialog
            && form.purpose == Purpose::Declare
            && form.stage == Stage::Write
            && (form.proposed || form.text.text().is_empty())
        {
            form.propose(&title);
        }
    }

    /// Answers by a key of the answer: yes or no.
    fn answer_by_key(&mut self, action: Action, received: &Received, at: Instant) -> Vec<Effect> {
        let open = self.model.as_ref().and_then(answer::open_question).map(|(id, _)| id.clone());
        let Some(question) = open else {
            self.complain("no question is open", "", at);
            return vec![Effect::Draw];
        };
        if self.unseen {
            self.complain(&screens::too_small_to_act(), "", at);
            return vec![Effect::Draw];
        }
        if !self.admits(received, at) {
            return self.too_soon(at);
        }
        let answer = if action == Action::AnswerYes { "yes" } else { "no" };
        self.answer(&question, answer, received, at)
    }

    fn act_on_step(&mut self, action: Action, received: &Received, at: Instant) -> Vec<Effect> {
        let (run, step) = match self.step_for(action, at) {
            Ok(Some(found)) => found,
            Ok(None) => {
                return self.refuse_form("no step is selected", "Choose one on the decide screen.", at);
            }
            Err(Elsewhere { from, to }) => {
                let next = format!("{to} can: it is selected now. Wait a second, then press the key again.");
                return self.refuse_form(&format!("{from} cannot take that key"), &next, at);
            }
        };
        let Some((plan, state)) = self.model.as_ref().and_then(|model| model.step(&run, &step)) else {
            return Vec::new();
        };
        let form = match action {
            // A person does it: there is nothing to run, only to state.
            Action::PrepareStep if plan.is_by_hand() => Form::writing(Purpose::Attest(run, step)),
            Action::PrepareStep => return self.prepare(run, step, at),
            Action::RetryStep if state.status == StepStatus::Unknown => {
                let choices = form::choices([
                    ("recheck", "read the world again, and see whether it acted"),
                    ("retry", "try it again, with the reason why that is safe"),
                ]);
                Form::choosing(Purpose::Retry(run, step), choices)
            }
            Action::RetryStep if state.status.is_settled() => Form::writing(Purpose::Retry(run, step)),
            Action::RetryStep => {
                if !self.admits(received, at) {
                    return self.too_soon(at);
                }
                let what = format!("makes {} ready again", self.title(&run, &step));
                return self.ask_alone(received, Ask::Retry { run, step, reason: None }, &what, at);
            }
            Action::SkipStep => Form::writing(Purpose::Skip(run, step)),
            Action::AttestStep => Form::writing(Purpose::Attest(run, step)),
            Action::OverrideGuard => {
                let form = self
                    .model
                    .as_ref()
                    .and_then(|model| override_form(model, (&run, &step), plan, state, self.now(at)));
                match form {
                    Some(form) => form,
                    None => return self.refuse_form("every guard of this step holds", "Prepare it.", at),
                }
            }
            _ => return Vec::new(),
        };
        self.open_form(form, at)
    }

    /// Asks for the confirmation of a step; it opens when the engine has read the target.
    fn prepare(&mut self, run: RunId, step: StepId, at: Instant) -> Vec<Effect> {
        let ask = Ask::Prepare { run: run.clone(), step: step.clone() };
        let dos = self.ask(ask, Asked::Prepare, at);
        if dos.iter().any(|act| matches!(act, Effect::Ask(_))) {
            let title = self.title(&run, &step);
            self.toast(format!("reading the target of {title}"), "", false, at);
            self.awaited = Some((run, step));
        }
        dos
    }

    /// The selected step of the decide screen.
    pub(super) fn selected_step(&self) -> Option<(RunId, StepId)> {
        if self.ui.screen != Screen::Decide {
            return None;
        }
        match decide::items(self.model.as_ref()?).into_iter().nth(self.ui.cursor(Screen::Decide).selected)? {
            Item::Step { run, step } => Some((run, step)),
            Item::Answer { .. } => None,
        }
    }

    /// The step that a key acts on: the selected one, or the one that NEXT names where the selected one cannot take
    /// the key. The selection goes there with it. What is stated about a step is stated about the selected one: there
    /// the key only selects.
    fn step_for(&mut self, action: Action, at: Instant) -> Result<Option<(RunId, StepId)>, Elsewhere> {
        let selected = self.selected_step();
        if selected.as_ref().is_some_and(|step| self.takes(action, step, at)) {
            return Ok(selected);
        }
        let on_decide = self.ui.screen == Screen::Decide;
        let next = self.model.as_ref().filter(|_| on_decide).and_then(screens::next::step);
        let Some(next) = next.filter(|step| self.takes(action, step, at)) else { return Ok(selected) };
        self.select_step(&next);
        let called = |(run, step): &(RunId, StepId)| self.title(run, step);
        match selected {
            Some(selected) if self.states(action, &next) => {
                Err(Elsewhere { from: called(&selected), to: called(&next) })
            }
            _ => Ok(Some(next)),
        }
    }

    /// Whether a key opens a form in which a person states something about a step.
    fn states(&self, action: Action, (run, step): &(RunId, StepId)) -> bool {
        let by_hand = || {
            self.model
                .as_ref()
                .and_then(|model| model.step(run, step))
                .is_some_and(|(plan, _)| plan.is_by_hand())
        };
        match action {
            Action::AttestStep | Action::SkipStep | Action::OverrideGuard => true,
            Action::PrepareStep => by_hand(),
            _ => false,
        }
    }

    /// Whether a step can take a key now, as the engine would decide it.
    fn takes(&self, action: Action, (run, step): &(RunId, StepId), at: Instant) -> bool {
        let Some(model) = &self.model else { return false };
        let Some((plan, state)) = model.step(run, step) else { return false };
        let (run, step, reason) = (run.clone(), step.clone(), "x".to_owned());
        let ask = match action {
            Action::PrepareStep if !plan.is_by_hand() => Ask::Prepare { run, step },
            Action::PrepareStep | Action::AttestStep => Ask::Attest { run, step, how: reason },
            Action::RetryStep => Ask::Retry { run, step, reason: Some(reason) },
            Action::SkipStep => Ask::Skip { run, step, reason },
            Action::OverrideGuard => {
                return override_form(model, (&run, &step), plan, state, self.now(at))
                    .and_then(|form| form.trial())
                    .is_some_and(|ask| self.refusal(&ask, at).is_none());
            }
            _ => return true,
        };
        self.refusal(&ask, at).is_none()
    }

    /// A step that is tried again without a reason.
    fn has_failed(&self, run: &RunId, step: &StepId) -> bool {
        let step = self.model.as_ref().and_then(|model| model.step(run, step));
        step.is_some_and(|(_, state)| matches!(state.status, StepStatus::Failed | StepStatus::Ready))
    }

    /// Selects a step of the run that is shown.
    pub(super) fn select_step(&mut self, (run, step): &(RunId, StepId)) {
        let items = self.model.as_ref().map_or_else(Vec::new, decide::items);
        let here = |item: &Item| matches!(item, Item::Step { run: r, step: s } if r == run && s == step);
        if let Some(place) = items.iter().position(here) {
            self.ui.cursor_mut(Screen::Decide).selected = place;
        }
    }

    fn select(&mut self, received: &Received, at: Instant) -> Vec<Effect> {
        if self.ui.screen == Screen::Escalation {
            return self.read_notification(at);
        }
        let items = match (&self.model, self.ui.screen) {
            (Some(model), Screen::Decide) => decide::items(model),
            _ => Vec::new(),
        };
        match items.into_iter().nth(self.ui.cursor(Screen::Decide).selected) {
            // Enter opens what is selected; it never answers.
            Some(Item::Answer { question, answer }) => {
                if self.admits(received, at) {
                    self.offer_answer(&question, &answer, at)
                } else {
                    self.too_soon(at)
                }
            }
            _ => {
                self.toggle_details();
                vec![Effect::Draw]
            }
        }
    }

    fn toggle_details(&mut self) {
        self.ui.details = !self.ui.details;
        self.ui.pages.clear();
    }

    fn copy(&mut self, at: Instant) -> Vec<Effect> {
        let step = self.selected_step();
        let found = step.and_then(|(run, step)| {
            let (_, state) = self.model.as_ref()?.step(&run, &step)?;
            let described = state.confirmation.as_ref().map(|open| open.description.command.clone());
            described.or_else(|| state.obstacle.as_ref().map(|(_, manual)| manual.instructions.join("\n")))
        });
        match found {
            Some(text) => {
                self.toast("copied, if the terminal allows it", "", false, at);
                vec![Effect::Draw, Effect::Copy(text)]
            }
            None => {
                self.complain("there is no command to copy", "Prepare a step first.", at);
                vec![Effect::Draw]
            }
        }
    }

    fn quit(&mut self) -> Vec<Effect> {
        let incident = self.model.as_ref().and_then(|model| model.durable.incident.as_ref());
        match incident.map(|incident| incident.open_run().map(|run| run.id.clone())) {
            Some(run) => self.open(Dialog::Form(Box::new(Form::quit(run, self.ui.remains)))),
            None => vec![Effect::Quit],
        }
    }

    /// Leaves the console at once. What ends with its console cannot be left running: that is said, and asked.
    fn detach(&mut self) -> Vec<Effect> {
        if self.ui.remains == Remains::Engine {
            return vec![Effect::Quit];
        }
        let incident = self.model.as_ref().and_then(|model| model.durable.incident.as_ref());
        let run = incident.and_then(Incident::open_run).map(|run| run.id.clone());
        self.open(Dialog::Form(Box::new(Form::quit(run, self.ui.remains))))
    }

    fn back(&mut self) {
        if self.ui.toast.is_some() {
            self.drop_toast();
        } else if self.ui.details {
            self.ui.details = false;
        } else if !self.ui.filter.is_empty() {
            self.ui.filter.clear();
        } else {
            self.ui.screen = Screen::Overview;
        }
    }

    fn turned(&self, by: usize) -> Screen {
        let here = Screen::ALL.iter().position(|screen| *screen == self.ui.screen).unwrap_or(0);
        Screen::ALL[(here + by) % Screen::ALL.len()]
    }

    /// Shows a screen; its questions hear no key that was meant for another one.
    fn show(&mut self, screen: Screen) -> Vec<Effect> {
        if self.ui.screen == screen {
            return Vec::new();
        }
        self.ui.screen = screen;
        self.ui.pages.clear();
        self.ui.filter.clear();
        self.renew()
    }

    fn cursor(&mut self) -> &mut Cursor {
        self.ui.cursor_mut(self.ui.screen)
    }

    /// Asks the engine to look at every step; the results come to every client.
    fn run_preflight(&mut self, at: Instant) -> Vec<Effect> {
        let dos = self.ask(Ask::Preflight, Asked::Plain, at);
        if dos.iter().any(|act| matches!(act, Effect::Ask(_))) {
            self.ui.screen = Screen::Readiness;
        }
        dos
    }

    fn move_by(&mut self, by: isize, at: Instant) {
        self.moved_at = Some(at);
        let row = table::row(self.ui.screen);
        let rows = self.model.as_ref().map_or(0, |model| (row.count)(model, &self.ui.filter));
        self.ui.pages.clear();
        let cursor = self.cursor();
        cursor.selected = cursor.selected.saturating_add_signed(by).min(rows.saturating_sub(1));
    }

    /// Selects the first row.
    pub(super) fn select_first(&mut self) {
        *self.cursor() = Cursor::default();
    }

    /// Does what was chosen in the palette.
    pub(super) fn follow(&mut self, entry: &Entry, received: &Received, at: Instant) -> Vec<Effect> {
        match &entry.target {
            // What is found by its name in a list is asked once more, whatever one key does elsewhere.
            Target::Action(Action::Acknowledge) => self.open_form(Form::asking(Purpose::Acknowledge), at),
            Target::Action(Action::RetryStep) => match self.step_for(Action::RetryStep, at) {
                Ok(Some((run, step))) if self.has_failed(&run, &step) => {
                    self.open_form(Form::asking(Purpose::Retry(run, step)), at)
                }
                _ => self.act_on_step(Action::RetryStep, received, at),
            },
            Target::Action(Action::Quit | Action::Detach) => self.quit(),
            Target::Action(action) => self.act(*action, received, at),
            Target::Told(how) => {
                self.toast("this is done on the command line", *how, false, at);
                vec![Effect::Draw]
            }
            Target::Runbook(id) => {
                let reading = self.model.as_ref().and_then(|model| help::preview(&model.plan, id));
                reading.map_or_else(Vec::new, |reading| self.open(Dialog::Preview(reading)))
            }
            Target::Question(id) => {
                self.ui.screen = Screen::Decide;
                let ask = self.model.as_ref().and_then(|model| model.plan.tree.questions.get(id));
                let label = ask.map_or(id.as_str(), |question| question.ask.as_str());
                let choices = form::choices([(id.as_str(), label)]);
                let mut form = Form::asking(Purpose::Revisit);
                form.choices = choices;
                self.open_form(form, at)
            }
        }
    }
}

fn no_incident() -> (String, &'static str) {
    ("no incident is open".into(), "Declare one first; everything that follows is recorded under it.")
}

/// What is proposed, what the severity rule says, or the first service that does not work.
fn proposed_title(model: &Model) -> String {
    if let Some(proposal) = &model.durable.proposal {
        return proposal.title.clone();
    }
    if let Some((_, _, why)) = &model.durable.severity {
        return why.clone();
    }
    let worst = |status| model.durable.services.iter().find(|(_, standing)| standing.status == status);
    if let Some((id, standing)) = worst(Status::Down).or_else(|| worst(Status::Degraded)) {
        let title = model.plan.services.get(id).map_or(id.as_str(), |service| &service.title);
        return format!("{title} is {}", standing.status.as_str());
    }
    // Before a service counts as broken its signals fail, the first of them in too few readings to have turned.
    let signals = overview::rows(model, "");
    let bad = signals.iter().find(|row| matches!(row.state, SignalState::Critical | SignalState::Warn));
    let begins = |row: &&overview::Row<'_>| {
        let (spec, recent) = (model.plan.probes.get(row.probe), model.live.recent.get(row.probe));
        row.state == SignalState::Ok
            && spec.zip(recent).is_some_and(|(spec, recent)| failing(spec, row.state, recent).is_some())
    };
    let told =
        bad.map(|row| (row, row.state.as_str())).or_else(|| Some((signals.iter().find(begins)?, "failing")));
    told.map_or_else(String::new, |(row, word)| {
        let title = model.plan.probes.get(row.probe).map_or(row.probe.as_str(), |spec| &spec.title);
        format!("{title} is {word}")
    })
}

fn palette(app: &App, at: Instant) -> Palette {
    Palette::new(app.model.as_ref(), app.screen_context(), &app.keymap, |action| app.why_not(action, at))
}

/// The guards of a step that do not hold now, with what is lost by going on against them.
fn override_form(
    model: &Model,
    (run, step): (&RunId, &StepId),
    plan: &Step,
    state: &StepRun,
    now: jiff::Timestamp,
) -> Option<Form> {
    let guards = deciding::guards(model, plan, state, now).into_iter().enumerate();
    let (guards, labels): (Vec<usize>, Vec<String>) = guards
        .filter(|(_, guard)| !guard.allows())
        .map(|(place, guard)| {
            let how = match guard.truth {
                Truth::Unknown(why) => format!("cannot be told: {why}"),
                _ => "does not hold".to_owned(),
            };
            (place, format!("{} ({how})", guard.condition))
        })
        .unzip();
    if guards.is_empty() {
        return None;
    }
    let runbook = model.run(run).and_then(|run| model.plan.runbooks.get(&run.runbook))?;
    let losses = promoting::losses(model, runbook, plan, deciding::target_of(state), now);
    let losses = losses.iter().map(|loss| loss.sentence()).collect();
    let choices = form::choices(labels.iter().map(|label| (label.as_str(), label.as_str())));
    Some(Form::choosing(Purpose::Override { run: run.clone(), step: step.clone(), guards, losses }, choices))
}

/// The contradictions that nobody has answered, and the data that went apart by those that are over, to choose from
/// where there are several.
fn contradiction_form(model: &Model) -> Result<Form, (String, &'static str)> {
    let open = contradiction::of(model).iter().filter(|open| open.answered.is_none());
    let open = open.map(|open| (open.contradiction.id.clone(), open.contradiction.what.clone()));
    let apart = divergence::over(model).into_iter();
    let apart = apart.map(|split| (split.id.clone(), format!("{DIVERGED}, seen from {}", split.window())));
    let mut named: Vec<(String, String)> = Vec::new();
    for (id, label) in open.chain(apart) {
        if named.iter().all(|(known, _)| *known != id) {
            named.push((id, label));
        }
    }
    let purpose = Purpose::AnswerContradiction(named.iter().map(|(id, _)| id.clone()).collect());
    match named.len() {
        0 => Err(("there is no contradiction to answer".into(), "")),
        1 => Ok(Form::writing(purpose)),
        _ => {
            let named = named.iter().map(|(id, label)| (id.as_str(), label.as_str()));
            Ok(Form::choosing(purpose, form::choices(named)))
        }
    }
}

/// The regions that may be recorded to serve, each with what the readings say against it.
fn serving_form(model: &Model, now: Timestamp) -> Result<Form, (String, &'static str)> {
    let choices = serving_choices(model, now);
    let ids = choices.iter().map(|choice| choice.region.clone()).collect();
    let named = choices.iter().map(|choice| (choice.region.as_str(), choice.sentence.as_str()));
    match &*choices {
        [] => Err(("no other region can serve by the readings".into(), "What is measured decides.")),
        [only] if !only.is_doubtful => Ok(Form::writing(Purpose::RecordServing(ids))),
        _ => Ok(Form::choosing(Purpose::RecordServing(ids), form::choices(named))),
    }
}
