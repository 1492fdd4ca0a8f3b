//! Keys, by where they are pressed.

use super::form::{Form, Outcome, Purpose, Stage};
use super::{App, Asked, Dialog, Do};
use crate::console::input::{GRACE, Gate, Received};
use crate::console::keymap::{Action, Chord, Context, Resolution};
use crate::console::ui::Connection;
use crate::core::command::Ask;
use crate::core::incident::Incident;
use crossterm::event::KeyCode;
use std::time::{Duration, Instant};

/// How long it is said that a key does nothing; it is no news.
const UNHEARD: Duration = Duration::from_secs(3);
/// Rows that a page leaves out: header, footer, frames, and one row that stays in view.
const NOT_A_PAGE: u16 = 8;

impl App {
    pub(super) fn key(&mut self, received: &Received, chord: Chord, at: Instant) -> Vec<Do> {
        let context = self.context();
        let mut pending = self.chord;
        let resolution = self.keymap.resolve(context, &mut pending, chord);
        self.chord = pending;
        let action = match resolution {
            Resolution::Action(action) => Some(action),
            Resolution::Unbound => None,
            Resolution::Pending => return vec![Do::Draw],
        };
        match self.dialog {
            None => match action {
                Some(action) => self.act(action, received, at),
                None => self.unheard(&format!("{chord} does nothing here"), at),
            },
            Some(Dialog::Form(_)) => self.key_in_form(action, received, chord, at),
            Some(Dialog::Confirm(_)) => self.key_in_confirmation(action, received, chord, at),
            Some(Dialog::Compose(_)) => self.key_in_compose(action, received, chord, at),
            Some(Dialog::Palette(_)) => self.key_in_palette(action, received, chord, at),
            Some(Dialog::Filter { .. }) => self.key_in_filter(action, chord, at),
            Some(Dialog::Help(_) | Dialog::Preview(_)) => self.key_in_help(action, chord, context, at),
        }
    }

    /// Pastes are typing in fields, and nothing in confirmations.
    pub(super) fn paste(&mut self, text: &str, at: Instant) -> Vec<Do> {
        match &mut self.dialog {
            Some(Dialog::Form(form)) if form.stage == Stage::Write && !form.sent => form.text.paste(text),
            Some(Dialog::Filter { field, .. }) => {
                field.paste(text);
                self.ui.filter = field.text().to_owned();
            }
            Some(Dialog::Palette(palette)) => palette.paste(text),
            Some(Dialog::Compose(compose)) => compose.paste(text),
            Some(Dialog::Confirm(confirming)) => {
                confirming.problem = Some("A paste does not count here: type it.".into());
            }
            None => return self.unheard("a paste does nothing here", at),
            _ => return Vec::new(),
        }
        vec![Do::Draw]
    }

    /// Says why a key did nothing: silence reads as a console that hangs.
    pub(super) fn unheard(&mut self, why: &str, at: Instant) -> Vec<Do> {
        let help = self.keymap.keys(self.context(), Action::Help);
        let next = help.first().map_or_else(String::new, |key| format!("{key} shows every key that works."));
        self.toast(why, next, true, at);
        self.toast_until = Some(at + UNHEARD);
        vec![Do::Draw]
    }

    /// A key that answers was pressed too early to have been meant for what is on the screen.
    pub(super) fn too_soon(&mut self, at: Instant) -> Vec<Do> {
        self.complain("that key came too soon or was held down", "Press it once more.", at);
        vec![Do::Draw]
    }

    /// A page of a list.
    pub(super) fn page(&self) -> isize {
        isize::try_from(self.rows.saturating_sub(NOT_A_PAGE).max(1)).unwrap_or(1)
    }

    /// Whether a key that says yes by itself counts now.
    pub(super) fn admits(&mut self, received: &Received) -> bool {
        self.gate.as_mut().is_some_and(|gate| gate.admits_key(received))
    }

    /// Opens a dialog; where it asks for a yes, keys that were pressed before do not count.
    pub(super) fn open(&mut self, dialog: Dialog, at: Instant) -> Vec<Do> {
        self.dialog = Some(dialog);
        self.renew(at)
    }

    /// Closes the dialog. What follows on the screen below is as new to the eye as a dialog is.
    pub(super) fn shut(&mut self, at: Instant) -> Vec<Do> {
        let gone = self.gone.take();
        self.dialog = gone.map(|(why, next)| Dialog::Form(Form::gone(why, next)));
        self.renew(at)
    }

    /// What a key means has changed: a yes counts only when it was pressed with that in view. A confirmation
    /// also drops what was typed ahead; a field keeps it, it may be its text.
    pub(super) fn renew(&mut self, at: Instant) -> Vec<Do> {
        self.chord.clear();
        self.gate = Some(Gate::new(self.last_sequence, at, GRACE, self.last_key));
        let drains = match &self.dialog {
            Some(Dialog::Confirm(_)) => true,
            Some(Dialog::Form(form)) => form.stage == Stage::Sure,
            Some(Dialog::Compose(compose)) => compose.preview.is_some(),
            _ => false,
        };
        if drains {
            self.gate = None;
            return vec![Do::Draw, Do::Gate];
        }
        vec![Do::Draw]
    }

    fn key_in_form(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Do> {
        let sure = action == Some(Action::ConfirmYes)
            && matches!(&self.dialog, Some(Dialog::Form(form)) if form.stage == Stage::Sure)
            && self.admits(received);
        let page = self.page();
        let Some(Dialog::Form(form)) = &mut self.dialog else { return Vec::new() };
        if action == Some(Action::Back) {
            form.problem = None;
            return match form.previous().filter(|_| !form.sent) {
                Some(stage) => {
                    form.stage = stage;
                    vec![Do::Draw]
                }
                None => self.shut(at),
            };
        }
        if form.sent {
            return Vec::new();
        }
        form.problem = None;
        match (form.stage, action) {
            (Stage::Choose, Some(Action::Up | Action::Left)) => form.step(-1),
            (Stage::Choose, Some(Action::Down | Action::Right)) => form.step(1),
            (Stage::Choose, Some(Action::PageUp)) => form.step(-page),
            (Stage::Choose, Some(Action::PageDown)) => form.step(page),
            (Stage::Choose, Some(Action::Select)) => return self.advance(at),
            (Stage::Choose, _) => {
                if chord.typed().is_some_and(|key| form.choose(key)) {
                    return self.advance(at);
                }
                form.problem = Some("Choose with the keys before the lines, or with the arrows.".into());
            }
            (Stage::Write, Some(Action::Submit)) => return self.advance(at),
            (Stage::Write, Some(Action::NextField)) => form.offer(1),
            (Stage::Write, None) => {
                if !form.text.press(chord) {
                    match chord.code {
                        KeyCode::Up => form.offer(-1),
                        KeyCode::Down => form.offer(1),
                        _ => {}
                    }
                }
            }
            (Stage::Sure, Some(Action::ConfirmYes)) if sure => return self.finish(at),
            (Stage::Sure, Some(Action::ConfirmYes)) => {
                form.problem = Some("That was too soon or held down: press the key once more.".into());
            }
            (Stage::Sure, Some(Action::Select)) => {
                form.problem = Some("Enter does not confirm.".into());
            }
            _ => return Vec::new(),
        }
        vec![Do::Draw]
    }

    /// The present stage is done.
    fn advance(&mut self, at: Instant) -> Vec<Do> {
        let Some(Dialog::Form(form)) = &mut self.dialog else { return Vec::new() };
        if let Some(missing) = form.missing() {
            form.problem = Some(missing.into());
            return vec![Do::Draw];
        }
        match form.next() {
            Some(stage) => {
                form.stage = stage;
                self.renew(at)
            }
            None => self.finish(at),
        }
    }

    fn finish(&mut self, at: Instant) -> Vec<Do> {
        let Some(Dialog::Form(form)) = &self.dialog else { return Vec::new() };
        match form.outcome() {
            Outcome::Ask(ask) => {
                if let Some(moved) = self.moved_on(&form.purpose) {
                    self.complain(moved, "", at);
                    return vec![Do::Draw];
                }
                let dos = self.ask(ask, Asked::Form, at);
                if self.ui.connection == Connection::Attached
                    && let Some(Dialog::Form(form)) = &mut self.dialog
                {
                    form.sent = true;
                }
                dos
            }
            Outcome::Compose(message, audience) => self.compose(message, audience, at),
            Outcome::Quit => vec![Do::Quit],
            Outcome::Start => {
                let mut dos = self.shut(at);
                self.toast("starting the engine", "", false, at);
                dos.push(Do::Start);
                dos
            }
            Outcome::Stay => self.shut(at),
        }
    }

    /// Asks for the open run or incident carry no name, so what was on the screen must still be the open one.
    fn moved_on(&self, purpose: &Purpose) -> Option<&'static str> {
        let incident = self.model.as_ref().and_then(|model| model.durable.incident.as_ref());
        match purpose {
            Purpose::Abort(run) => {
                let open = incident.and_then(Incident::open_run).is_some_and(|open| open.id == *run);
                (!open).then_some("This run ended meanwhile")
            }
            Purpose::Close(id) => {
                let open = incident.is_some_and(|open| open.id.as_str() == id);
                (!open).then_some("This incident was closed meanwhile")
            }
            Purpose::Resolve(id) | Purpose::Reopen(id) => {
                let open = incident.is_some_and(|open| open.id == *id);
                (!open).then_some("This incident was closed meanwhile")
            }
            Purpose::Dismiss(id) => {
                let proposal = self.model.as_ref().and_then(|model| model.durable.proposal.as_ref());
                let open = proposal.is_some_and(|open| open.id == *id);
                (!open).then_some("This is not proposed any more")
            }
            _ => None,
        }
    }

    fn key_in_confirmation(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Do> {
        let now = self.now(at);
        let fires = matches!(action, Some(Action::ConfirmYes | Action::ConfirmTyped));
        let admitted = fires && self.admits(received);
        let typing = self.gate.as_ref().is_some_and(|gate| gate.admits_typing(received));
        let Some(Dialog::Confirm(confirming)) = &mut self.dialog else { return Vec::new() };
        confirming.problem = None;
        match action {
            Some(Action::Back) if confirming.sent => return self.shut(at),
            Some(Action::Back) => {
                let decline = Ask::Decline { confirmation: confirming.confirmation.id.clone() };
                let mut dos = self.shut(at);
                dos.extend(self.ask(decline, Asked::Plain, at));
                return dos;
            }
            Some(Action::PageDown) => confirming.page += 1,
            Some(Action::PageUp) => confirming.page -= 1,
            Some(Action::Copy) => return vec![Do::Copy(confirming.confirmation.description.command.clone())],
            Some(Action::Submit | Action::Select) => {
                confirming.problem = Some("Enter never confirms.".into());
            }
            Some(Action::ConfirmYes | Action::ConfirmTyped) if !admitted => {
                confirming.problem = Some("That was too soon or held down: press the key once more.".into());
            }
            Some(Action::ConfirmYes | Action::ConfirmTyped) => match confirming.ask(now) {
                Ok(ask) => {
                    let id = confirming.confirmation.id.clone();
                    confirming.sent = self.ui.connection == Connection::Attached;
                    return self.ask(ask, Asked::Confirm(id), at);
                }
                Err(problem) => confirming.refuse(problem),
            },
            None if confirming.phrase().is_some() && typing && !confirming.sent => {
                confirming.typed.press(chord);
            }
            None if confirming.phrase().is_some() && !confirming.sent => {
                confirming.problem = Some("That was too soon or held down: type it once more.".into());
            }
            _ => return Vec::new(),
        }
        vec![Do::Draw]
    }

    fn key_in_filter(&mut self, action: Option<Action>, chord: Chord, at: Instant) -> Vec<Do> {
        let Some(Dialog::Filter { field, before }) = &mut self.dialog else { return Vec::new() };
        match action {
            Some(Action::Back) => {
                self.ui.filter = std::mem::take(before);
                return self.shut(at);
            }
            Some(Action::Submit) => return self.shut(at),
            _ => drop(field.press(chord)),
        }
        self.ui.filter = field.text().to_owned();
        self.select_first();
        vec![Do::Draw]
    }

    fn key_in_palette(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Do> {
        let page = self.page();
        let Some(Dialog::Palette(palette)) = &mut self.dialog else { return Vec::new() };
        match action {
            Some(Action::Back) => return self.shut(at),
            Some(Action::Select) => {
                let Some(entry) = palette.chosen().cloned() else { return Vec::new() };
                let mut dos = self.shut(at);
                dos.extend(self.follow(&entry, received, at));
                return dos;
            }
            Some(Action::Up) => palette.step(-1),
            Some(Action::Down) => palette.step(1),
            Some(Action::PageUp) => palette.step(-page),
            Some(Action::PageDown) => palette.step(page),
            _ => palette.press(chord),
        }
        vec![Do::Draw]
    }

    fn key_in_help(
        &mut self,
        action: Option<Action>,
        chord: Chord,
        context: Context,
        at: Instant,
    ) -> Vec<Do> {
        let page = self.page();
        let reading = match &mut self.dialog {
            Some(Dialog::Help(help)) if context == Context::TextEntry => {
                match (action, &mut help.search) {
                    (Some(Action::Back), _) => help.end_search(false),
                    (Some(Action::Submit), _) => help.end_search(true),
                    (_, Some(field)) => drop(field.press(chord)),
                    _ => {}
                }
                help.reading.top();
                return vec![Do::Draw];
            }
            Some(Dialog::Help(help)) => {
                if action == Some(Action::Filter) {
                    help.begin_search();
                    return vec![Do::Draw];
                }
                &mut help.reading
            }
            Some(Dialog::Preview(reading)) => reading,
            _ => return Vec::new(),
        };
        match action {
            Some(Action::Back) => return self.shut(at),
            Some(Action::Up) => reading.scroll(-1),
            Some(Action::Down) => reading.scroll(1),
            Some(Action::PageUp) => reading.scroll(-page),
            Some(Action::PageDown) => reading.scroll(page),
            Some(Action::Top) => reading.top(),
            Some(Action::Bottom) => reading.scroll(isize::MAX),
            _ => return Vec::new(),
        }
        vec![Do::Draw]
    }
}
