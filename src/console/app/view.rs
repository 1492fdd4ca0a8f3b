//! What a key means something by: the screen, the dialog, the question, the step. A key counts for the view that was
//! painted when it was pressed, and for no other.

use super::{App, Dialog, Effect, Message, answer};
use crate::base::ids::IncidentId;
use crate::base::text::ended;
use crate::console::input::{Event, GRACE, PAUSE};
use crate::console::screens::{self, decide};
use crate::console::ui::{Connection, Screen};
use crate::core::ask::tree::suggest;
use std::time::Instant;

/// Two views are equal where every key means the same.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum View {
    /// The terminal is too small to show anything.
    Hidden,
    /// A dialog at one of its stages, by a number that no other one has, and whether the engine is heard.
    Dialog(u64, bool),
    /// A screen.
    Screen {
        screen: Screen,
        attached: bool,
        /// The open incident or the proposal, and whether somebody took it on.
        incident: Option<(IncidentId, bool)>,
        /// The selected answer or step with its status, and the step that NEXT names.
        selected: Option<String>,
        next: Option<String>,
        /// The answer that a key would give without a reason.
        suggested: Option<String>,
    },
}

impl View {
    /// Whether both show the same thing to be read; a dialog hides it.
    fn reads_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Screen { incident, selected, .. },
                Self::Screen { incident: of_other, selected: other, .. },
            ) => (incident, selected) == (of_other, other),
            (Self::Screen { .. }, _) | (_, Self::Screen { .. }) => false,
            _ => true,
        }
    }
}

impl App {
    /// The present view.
    pub(super) fn view(&self, at: Instant) -> View {
        if self.is_hidden() {
            return View::Hidden;
        }
        let attached = self.ui.connection == Connection::Attached;
        if self.dialog.is_some() {
            return View::Dialog(self.serial, attached);
        }
        let durable = self.model.as_ref().map(|model| &model.durable);
        let taken = durable.and_then(|durable| durable.escalation.as_ref());
        let taken = taken.is_some_and(|escalation| escalation.acknowledged.is_some());
        let incident = durable.and_then(|durable| {
            let open = durable.incident.as_ref().map(|incident| &incident.id);
            open.or(durable.proposal.as_ref().map(|proposal| &proposal.id))
        });
        let on_decide = self.ui.screen == Screen::Decide;
        let model = self.model.as_ref().filter(|_| on_decide);
        let item = model
            .and_then(|model| decide::items(model).into_iter().nth(self.ui.cursor(Screen::Decide).selected));
        let selected = item.map(|item| match &item {
            decide::Item::Answer { .. } => format!("{item:?}"),
            decide::Item::Step { run, step } => {
                let status = model.and_then(|model| model.step(run, step)).map(|(_, state)| state.status);
                format!("{item:?} {status:?}")
            }
        });
        let next = model.and_then(screens::next::step).map(|(run, step)| format!("{run} {step}"));
        let suggested = model.and_then(|model| {
            let (_, question) = answer::open_question(model)?;
            suggest(model, question, self.now(at)).answer().map(str::to_owned)
        });
        View::Screen {
            screen: self.ui.screen,
            attached,
            incident: incident.map(|id| (id.clone(), taken)),
            selected,
            next,
            suggested,
        }
    }

    /// Whether the terminal is too small for the screens, so that no key may act.
    pub(super) fn is_hidden(&self) -> bool {
        let (width, height) = screens::SMALLEST;
        self.model.is_some() && (self.size.0 < width || self.size.1 < height)
    }

    /// Takes a message that came at `at`; what it returns is to be done in its order.
    pub fn update(&mut self, message: Message, at: Instant) -> Vec<Effect> {
        if let Message::Painted { size, drained, text, rows, unseen, cut, keys } = message {
            self.pages().see(text);
            self.rows = rows.unwrap_or(0);
            (self.unseen, self.keys) = (unseen, keys);
            if self.dialog.is_none() {
                self.cut = cut;
            }
            let dos = if size == self.size { Vec::new() } else { self.resized(size, at) };
            self.gate.painted(self.view(at), at, drained);
            return dos;
        }
        let before = self.view(at);
        let by_hand = matches!(&message, Message::Input(received)
            if matches!(received.event, Event::Key { .. } | Event::Paste(_)));
        self.expected = false;
        let dos = self.take(message, at);
        let after = self.view(at);
        if self.toast_of.as_ref().is_some_and(|view| *view != after) {
            self.drop_toast();
        }
        if before != after {
            self.view_changed(&before, &after, by_hand, at);
        }
        dos
    }

    fn view_changed(&mut self, before: &View, after: &View, by_hand: bool, at: Instant) {
        let dialog = |view: &View| match view {
            View::Dialog(serial, _) => Some(*serial),
            _ => None,
        };
        let screen = |view: &View| match view {
            View::Screen { screen, .. } => Some(*screen),
            _ => None,
        };
        if (dialog(before), screen(before)) != (dialog(after), screen(after)) {
            self.chord.clear();
        }
        if !before.reads_as(after) {
            self.ui.pages.clear();
        }
        let opened = dialog(after).is_some();
        let asked_for = by_hand || (self.expected && opened);
        self.gate.changed(if asked_for { GRACE } else { PAUSE });
        if dialog(before) != dialog(after) && !by_hand && !self.expected {
            let why = match &self.ui.toast {
                Some(toast) if toast.bad && self.dialog.is_none() => toast.text.clone(),
                _ if opened => "this came by itself".to_owned(),
                _ => "what was open closed by itself".to_owned(),
            };
            self.deafen(why, at);
        }
    }

    /// Nothing counts until the hand has rested; `why` is said with what was dropped.
    pub(super) fn deafen(&mut self, why: String, at: Instant) {
        self.deaf_for = why;
        self.gate.deafen(at);
    }

    /// The same for letters alone: the rest of a text that was typed where it means nothing.
    pub(super) fn deafen_to_letters(&mut self, why: String, at: Instant) {
        self.deaf_for = why;
        self.gate.deafen_to_letters(at);
    }

    /// Says what was dropped.
    pub(super) fn dropped(&mut self, count: usize, at: Instant) -> Vec<Effect> {
        let keys = if count == 1 { "1 key was".to_owned() } else { format!("{count} keys were") };
        let next = format!("{keys} dropped: not meant for this. Wait a second, then go on.");
        let why = self.deaf_for.clone();
        match self.problem() {
            Some(problem) => *problem = Some(format!("{} {next}", ended(&why))),
            None => self.toast(why, next, true, at),
        }
        vec![Effect::Draw]
    }

    /// Where the open dialog says what is wrong; none where it has no place for it.
    pub(super) fn problem(&mut self) -> Option<&mut Option<String>> {
        match &mut self.dialog {
            Some(Dialog::Form(form)) => Some(&mut form.problem),
            Some(Dialog::Confirm(confirming)) => Some(&mut confirming.problem),
            Some(Dialog::Compose(compose)) => Some(&mut compose.problem),
            _ => None,
        }
    }
}
