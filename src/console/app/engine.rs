//! What the engine says: folding it, and what it means for the open dialog.

use super::{App, Asked, Dialog, Effect, answer};
use crate::base::ids::{RunId, StepId};
use crate::base::problem::Problem;
use crate::console::input::PAUSE;
use crate::console::overlays::confirm::Confirming;
use crate::console::overlays::form::Purpose;
use crate::console::screens;
use crate::console::screens::decide::{self, Item};
use crate::console::ui::{Connection, Screen};
use crate::core::apply::apply;
use crate::core::ask::tree::suggest;
use crate::core::decide::REPLACED;
use crate::core::model::Model;
use crate::core::words::confirmation::Confirmation;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Incident, Position};
use crate::core::words::status::StepStatus;
use crate::engine::protocol::ToClient;
use std::sync::Arc;
use std::time::Instant;

use super::clock::EngineClock;
use crate::base::text::ended;

impl App {
    pub(super) fn engine(&mut self, message: ToClient, at: Instant) -> Vec<Effect> {
        let mut dos = Vec::new();
        if let Connection::Silent { .. } = self.ui.connection {
            // The view is another one by it: what was pressed into the silence confirms nothing.
            self.ui.connection = Connection::Attached;
            dos.push(Effect::Draw);
        }
        dos.extend(self.said(message, at));
        dos
    }

    fn said(&mut self, message: ToClient, at: Instant) -> Vec<Effect> {
        match message {
            ToClient::Welcome { operator, now, model, .. } => {
                let model = Arc::unwrap_or_clone(model);
                let speed = model.live.simulation.as_ref().map_or(1.0, |simulation| simulation.speed);
                self.clock = Some(EngineClock::new(now, at, speed));
                self.operator = operator.name;
                self.model = Some(model);
                self.attached(at)
            }
            ToClient::Events(events) => self.events(&events, at),
            ToClient::Beat { now } => {
                if let Some(clock) = &mut self.clock {
                    clock.hear(now, at);
                }
                Vec::new()
            }
            ToClient::Reply { result, .. } => self.reply(result, at),
            ToClient::Diagnosed(found) => self.diagnosed(&found),
            ToClient::Goodbye { why, next } => {
                let mut dos = self.lost(why.clone(), at);
                dos.extend(self.say_gone(why, next, at));
                dos
            }
        }
    }

    /// The engine is there, for the first time or again. What a dialog acts upon may be gone.
    fn attached(&mut self, at: Instant) -> Vec<Effect> {
        self.ui.connection = Connection::Attached;
        self.asked.clear();
        self.awaited = None;
        self.gone = None;
        match &self.dialog {
            Some(Dialog::Form(form)) if matches!(form.purpose, Purpose::Gone { .. }) => self.dialog = None,
            _ => drop(self.shut_what_ended(at)),
        }
        // What is still open was not taken.
        self.mark_sent(false);
        self.unsettled = None;
        self.select_next(at);
        self.renew()
    }

    /// Closes a confirmation that is not open any more, whatever ended it: its run may be over.
    fn shut_what_ended(&mut self, at: Instant) -> Vec<Effect> {
        match &self.dialog {
            Some(Dialog::Confirm(confirming)) if !self.is_open(&confirming.confirmation) => {
                let dos = self.shut();
                let next = "Look at its step, and open it again if it is still to be done.";
                self.toast("the confirmation is not open any more", next, true, at);
                dos
            }
            _ => Vec::new(),
        }
    }

    fn mark_sent(&mut self, sent: bool) {
        if let Some(Dialog::Confirm(open)) = &mut self.dialog {
            open.sent = sent;
        }
    }

    fn is_open(&self, confirmation: &Confirmation) -> bool {
        let step = self.model.as_ref().and_then(|model| model.step(&confirmation.run, &confirmation.step));
        step.is_some_and(|(_, state)| {
            let same = state.confirmation.as_ref().is_some_and(|open| open.id == confirmation.id);
            state.status == StepStatus::Confirming && same
        })
    }

    /// The engine is there and says nothing. What it was asked it may still answer.
    pub(super) fn silent(&mut self, since: Instant, pid: Option<u32>) -> Vec<Effect> {
        if let Connection::Lost { .. } = self.ui.connection {
            return Vec::new();
        }
        self.ui.connection = Connection::Silent { since: self.now(since), pid };
        vec![Effect::Draw]
    }

    /// The engine is out of reach. Whether it took what was asked last is not known.
    pub(super) fn lost(&mut self, why: String, at: Instant) -> Vec<Effect> {
        if let Connection::Lost { .. } = self.ui.connection {
            return Vec::new();
        }
        let since = self.ui.connection.cut_off_since().unwrap_or_else(|| self.now(at));
        self.ui.connection = Connection::Lost { since, why };
        if let Some(Dialog::Diagnosis(open)) = &mut self.dialog {
            open.give_up("The connection was lost before the engine answered.");
        }
        self.awaited = None;
        if !self.asked.is_empty() {
            self.asked.clear();
            let sent = matches!(&self.dialog, Some(Dialog::Confirm(open)) if open.sent);
            let why = "the connection was lost before the engine answered";
            self.report(why, "Look at the timeline before you send it again.", at);
            self.mark_sent(sent);
        }
        vec![Effect::Draw]
    }

    fn events(&mut self, events: &[Event], at: Instant) -> Vec<Effect> {
        let Some(model) = &mut self.model else { return Vec::new() };
        let place = place(model);
        let mut dos = vec![Effect::DrawSoon];
        for event in events {
            apply(model, event);
            if !matches!(event.fact, Fact::ReadingTaken { .. }) {
                dos[0] = Effect::Draw;
            }
        }
        if let (Some(clock), Some(last)) = (&mut self.clock, events.last()) {
            clock.hear(last.at, at);
        }
        let moved = self.model.as_ref().is_some_and(|model| self::place(model) != place);
        for event in events {
            dos.extend(self.notice(event, at));
        }
        dos.extend(self.shut_what_ended(at));
        if moved {
            self.unsettled.get_or_insert(place);
            self.settle_selection(at);
        }
        dos
    }

    /// What an event means for this client, after it was folded.
    fn notice(&mut self, event: &Event, at: Instant) -> Vec<Effect> {
        match &event.fact {
            Fact::StepPrepared { confirmation } => return self.prepared(confirmation, at),
            Fact::StepPreparationFailed { run, step, failure, .. }
                if self.awaited.as_ref().is_some_and(|(r, s)| r == run && s == step) =>
            {
                self.awaited = None;
                self.report(&failure.to_string(), &failure.next, at);
            }
            Fact::ConfirmationWithdrawn { confirmation, run, step, why, .. }
                if self.shows(confirmation.as_str()) =>
            {
                let dos = self.shut();
                // The one that takes its place opens as well; but nobody at this console may have asked for it.
                if why == REPLACED {
                    self.renewed = Some((run.clone(), step.clone()));
                }
                self.toast(format!("the confirmation was closed: {why}"), "Nothing ran.", true, at);
                return dos;
            }
            Fact::StepStarted { confirmation, run, step, .. } if self.shows(confirmation.as_str()) => {
                self.expected = matches!(&self.dialog, Some(Dialog::Confirm(open)) if open.sent);
                let title = self.title(run, step);
                let dos = self.shut();
                if self.expected {
                    self.toast(started(&title), "", false, at);
                } else {
                    let why = format!("{title} was confirmed at another console, and started");
                    self.toast(why, "", true, at);
                }
                return dos;
            }
            // That it began is no news beside how it ended.
            Fact::StepFinished { run, step, .. } => {
                let began = started(&self.title(run, step));
                if self.ui.toast.as_ref().is_some_and(|toast| toast.text == began) {
                    self.drop_toast();
                }
            }
            Fact::EscalationAcknowledged { who, via, .. } => self.acknowledged(who, via, at),
            // What this client declared is what its operator goes on with.
            Fact::IncidentDeclared { .. } => {
                if matches!(&self.dialog, Some(Dialog::Form(form)) if form.sent && form.purpose == Purpose::Declare)
                {
                    self.ui.screen = Screen::Decide;
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn shows(&self, confirmation: &str) -> bool {
        matches!(&self.dialog, Some(Dialog::Confirm(open)) if open.confirmation.id.as_str() == confirmation)
    }

    /// A confirmation was made. It opens only where this client asked for it, or looked at the one that it replaces, and
    /// nothing else is open.
    fn prepared(&mut self, confirmation: &Confirmation, at: Instant) -> Vec<Effect> {
        let of = (confirmation.run.clone(), confirmation.step.clone());
        let ours = self.awaited.as_ref() == Some(&of);
        let renewed = self.renewed.take().as_ref() == Some(&of);
        if !(ours || renewed) || !self.is_open(confirmation) {
            return Vec::new();
        }
        if ours {
            self.awaited = None;
        }
        if self.dialog.is_some() {
            let title = self.title(&confirmation.run, &confirmation.step);
            self.toast(format!("the confirmation of {title} is ready"), "", false, at);
            return Vec::new();
        }
        self.drop_toast();
        self.expected = ours;
        self.open(Dialog::Confirm(Box::new(Confirming::new(confirmation.clone()))))
    }

    fn reply(&mut self, result: Result<(), Problem>, at: Instant) -> Vec<Effect> {
        let Some(asked) = self.asked.pop_front() else { return Vec::new() };
        match (result, asked) {
            (Ok(()), Asked::Form) => match &self.dialog {
                Some(Dialog::Form(form)) if form.sent => {
                    self.expected = true;
                    self.shut()
                }
                _ => Vec::new(),
            },
            (Ok(()), Asked::Message) => self.queued(at),
            (Ok(()), _) => Vec::new(),
            (Err(refusal), asked) => {
                if asked == Asked::Prepare {
                    self.awaited = None;
                }
                let shown = match (&asked, &self.dialog) {
                    (Asked::Form, Some(Dialog::Form(form))) => form.sent,
                    (Asked::Confirm(id), Some(Dialog::Confirm(open))) => open.confirmation.id == *id,
                    (Asked::Message, Some(Dialog::Compose(compose))) => compose.sent,
                    _ => false,
                };
                if shown {
                    self.renew_answer(at);
                    self.report(&refusal.why, &refusal.next, at);
                    // What is still being typed was meant for what the refusal ended.
                    self.deafen(format!("{} {}", ended(&refusal.why), refusal.next), at);
                } else {
                    self.toast(refusal.why, refusal.next, true, at);
                }
                self.expected = true;
                self.renew()
            }
        }
    }

    /// The list of the decide screen is another one, or NEXT names another step: the selection goes where keys mean
    /// something. One that was on the step of NEXT stays with NEXT: a key that NEXT names must not act on another step.
    ///
    /// While a hand moves the selection it waits: the strokes that follow were counted from where it stood.
    pub(super) fn settle_selection(&mut self, at: Instant) {
        let rests = self.settles_at().is_none_or(|from| from <= at);
        let Some(before) = self.unsettled.take_if(|_| rests) else { return };
        let Some(model) = &self.model else { return };
        let after = place(model);
        let selected = self.selected_step();
        let status = selected.as_ref().and_then(|(run, step)| Some(model.step(run, step)?.1.status));
        let needs_nobody = status.is_none_or(|status| status.is_settled() || status == StepStatus::Pending);
        // One that runs is watched: what it says stands below the list.
        let runs = matches!(status, Some(StepStatus::Started | StepStatus::Finished));
        let was_next = !runs && before.next.is_some() && selected == before.next;
        let is_there = decide::items(model).get(self.ui.cursor(Screen::Decide).selected).is_some();
        if after.list != before.list || !is_there || ((needs_nobody || was_next) && after != before) {
            self.select_next(at);
        }
    }

    /// When the selection goes where keys mean something, if it has to.
    pub(super) fn settles_at(&self) -> Option<Instant> {
        self.unsettled.as_ref().and_then(|_| Some(self.moved_at? + PAUSE))
    }

    /// Selects the step that NEXT names, or the answer that is suggested.
    fn select_next(&mut self, at: Instant) {
        let Some(model) = &self.model else { return };
        if let Some(next) = screens::next::step(model) {
            return self.select_step(&next);
        }
        let suggested = answer::open_question(model)
            .and_then(|(_, question)| suggest(model, question, self.now(at)).answer().map(str::to_owned));
        let items = decide::items(model);
        let is_suggested =
            |item: &Item| matches!(item, Item::Answer { answer, .. } if Some(answer) == suggested.as_ref());
        self.ui.cursor_mut(Screen::Decide).selected = items.iter().position(is_suggested).unwrap_or(0);
    }

    pub(super) fn title(&self, run: &RunId, step: &StepId) -> String {
        self.model.as_ref().map_or_else(|| step.to_string(), |model| model.step_title(run, step))
    }
}

/// What is said of a step that this console confirmed.
fn started(title: &str) -> String {
    format!("{title} started")
}

/// Where the incident stands, as far as keys mean something by it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Place {
    /// The question, or the run.
    list: Option<String>,
    /// How many of the run's steps are settled.
    settled: usize,
    /// The step that NEXT names.
    next: Option<(RunId, StepId)>,
}

fn place(model: &Model) -> Place {
    let incident = model.durable.incident.as_ref();
    let run = incident.and_then(Incident::open_run);
    let list = match (run, incident.map(|incident| &incident.position)) {
        (Some(run), _) => Some(run.id.to_string()),
        (None, Some(Position::Question(id))) => Some(id.to_string()),
        _ => None,
    };
    let settled = run.map_or(0, |run| run.steps.values().filter(|step| step.status.is_settled()).count());
    Place { list, settled, next: screens::next::step(model) }
}
