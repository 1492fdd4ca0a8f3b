//! Keys, by where they are pressed.

use super::draw::reading_width;
use super::{App, Asked, Dialog, Effect};
use crate::base::problem::Problem;
use crate::console::input::{Event, Manner, Received};
use crate::console::keymap::{Action, Chord, Context, Resolution};
use crate::console::overlays::form::{Form, Outcome, Purpose, Stage};
use crate::console::screens;
use crate::console::ui::Connection;
use crate::core::ask::contradiction;
use crate::core::decide::decide;
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Request};
use crate::core::words::incident::Incident;
use crossterm::event::KeyCode;
use std::time::{Duration, Instant};

/// How long it is said that a key does nothing; it is no news.
const UNHEARD: Duration = Duration::from_secs(3);

/// Where the keys of a dialog are told.
const IN_THE_FRAME: &str = "The keys that work here stand in the bottom line of this frame.";

const CHOOSE: &str = "Choose with the keys before the lines, or with the arrows.";

/// Said of letters where nothing is typed.
const NO_TEXT: &str = "Nothing is typed here: that letter means nothing.";

/// Whether a key only moves the choice.
fn moves(action: Option<Action>) -> bool {
    use Action::{Down, Help, Left, PageDown, PageUp, Right, Up};
    matches!(action, Some(Up | Down | Left | Right | PageUp | PageDown | Help))
}

/// Whether a key came on its own.
fn alone(received: &Received) -> bool {
    matches!(received.event, Event::Key { manner: Manner::Single | Manner::Quick, .. })
}

impl App {
    pub(super) fn key(&mut self, received: &Received, chord: Chord, at: Instant) -> Vec<Effect> {
        let context = self.context();
        let mut pending = self.chord;
        let resolution = self.keymap.resolve(context, &mut pending, chord);
        self.chord = pending;
        let action = match resolution {
            Resolution::Action(action) => Some(action),
            Resolution::Unbound => None,
            Resolution::Pending => {
                self.moved_at = Some(at);
                return vec![Effect::Draw];
            }
        };
        let typing = self.is_typed_into() && self.gate.is_typing(received);
        let dos = self.key_where_it_goes(received, (action, chord), context, at);
        // A slip of the hand closed what it types into: the rest of the text is none of the screen's keys.
        if typing && action == Some(Action::Back) && !self.is_typed_into() {
            self.deafen_to_letters("what was being typed was closed".to_owned(), at);
        }
        dos
    }

    /// Whether letters are text where the operator is.
    fn is_typed_into(&self) -> bool {
        match &self.dialog {
            Some(Dialog::Confirm(confirming)) => confirming.phrase().is_some(),
            _ => self.context().types_text(),
        }
    }

    fn key_where_it_goes(
        &mut self,
        received: &Received,
        (action, chord): (Option<Action>, Chord),
        context: Context,
        at: Instant,
    ) -> Vec<Effect> {
        match self.dialog {
            None => match action {
                Some(action) => self.act(action, received, at),
                None => self.unbound(chord, at),
            },
            Some(Dialog::Form(_)) => self.key_in_form(action, received, chord, at),
            Some(Dialog::Confirm(_)) => self.key_in_confirmation(action, received, chord, at),
            Some(Dialog::Compose(_)) => self.key_in_compose(action, received, chord, at),
            Some(Dialog::Palette(_)) => self.key_in_palette(action, received, chord, at),
            Some(Dialog::Filter { .. }) => self.key_in_filter(action, chord),
            Some(Dialog::Help(_) | Dialog::Preview(_) | Dialog::Diagnosis(_)) => {
                self.key_in_help(action, chord, context, at)
            }
        }
    }

    /// Pastes are typing in fields, and nothing in confirmations.
    pub(super) fn paste(&mut self, text: &str, at: Instant) -> Vec<Effect> {
        match &mut self.dialog {
            Some(Dialog::Form(form)) if form.stage == Stage::Write && !form.sent => form.paste(text),
            Some(Dialog::Filter { field, .. }) => {
                field.paste(text);
                self.ui.filter = field.text().to_owned();
            }
            Some(Dialog::Palette(palette)) => palette.paste(text),
            Some(Dialog::Compose(compose)) => compose.paste(text),
            Some(Dialog::Confirm(confirming)) => confirming.refuse_paste(),
            Some(Dialog::Form(form)) if form.takes_word() => {
                form.refuse_paste();
            }
            None => return self.unheard("a paste does nothing here", at),
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
    }

    /// A key that means nothing here. A letter may be the first of a text that is typed on the wrong screen: what
    /// follows it must not become commands.
    fn unbound(&mut self, chord: Chord, at: Instant) -> Vec<Effect> {
        let why = format!("{chord} does nothing here");
        let dos = self.unheard(&why, at);
        self.stray(chord, &why, at);
        dos
    }

    /// A letter that means nothing where it was typed: the rest of its text shall mean nothing either.
    fn stray(&mut self, chord: Chord, why: &str, at: Instant) {
        if chord.typed().is_some() {
            self.deafen_to_letters(why.to_owned(), at);
        }
    }

    /// Says why a key did nothing: silence reads as a console that hangs.
    pub(super) fn unheard(&mut self, why: &str, at: Instant) -> Vec<Effect> {
        let help = self.keymap.keys(self.context(), Action::Help);
        let next = help.first().map_or_else(String::new, |key| format!("{key} shows every key that works."));
        self.toast_here(why, &next, at);
        self.toast_until = Some(at + UNHEARD);
        vec![Effect::Draw]
    }

    /// A key that answers was pressed too early to have been meant for what is on the screen.
    pub(super) fn too_soon(&mut self, at: Instant) -> Vec<Effect> {
        self.toast_here("that key came too soon or was held down", "Press it once more.", at);
        vec![Effect::Draw]
    }

    /// A page of a list: what of it is in sight, but for one row that stays.
    pub(super) fn page(&self) -> isize {
        isize::try_from(self.rows.saturating_sub(1).max(1)).unwrap_or(1)
    }

    /// Whether a key that acts by itself counts now.
    pub(super) fn admits(&mut self, received: &Received, at: Instant) -> bool {
        let view = self.view(at);
        self.gate.admits_key(&view, received)
    }

    /// The terminal shows nothing: only leaving works, and not by a letter that may be part of a text.
    pub(super) fn key_while_hidden(&mut self, received: &Received, chord: Chord, at: Instant) -> Vec<Effect> {
        let mut pending = self.chord;
        let resolution = self.keymap.resolve(Context::Overview, &mut pending, chord);
        self.chord = pending;
        let is_text = self.context().types_text() && chord.typed().is_some();
        let leaves = resolution == Resolution::Action(Action::Quit) && !is_text;
        if leaves && self.admits(received, at) { vec![Effect::Quit] } else { Vec::new() }
    }

    /// Opens a dialog; where it asks for a yes, keys that were pressed before do not count.
    pub(super) fn open(&mut self, dialog: Dialog) -> Vec<Effect> {
        self.dialog = Some(dialog);
        self.renew()
    }

    /// Opens a form, unless what it asks for would be refused anyway: that is said before anything is typed.
    pub(super) fn open_form(&mut self, form: Form, at: Instant) -> Vec<Effect> {
        let refusal = form.trial().and_then(|ask| self.refusal(&ask, at));
        match refusal {
            Some(refusal) => {
                let next = self.with_key(&refusal).unwrap_or(refusal.next);
                self.refuse_form(&refusal.why, &next, at)
            }
            None => self.open(Dialog::Form(Box::new(form))),
        }
    }

    /// How to go on where a contradiction is why, with the key that answers it.
    fn with_key(&self, refusal: &Problem) -> Option<String> {
        let model = self.model.as_ref()?;
        let open = contradiction::of(model).iter().find(|open| open.contradiction.what == refusal.why)?;
        let keys = self.keymap.keys(self.context(), Action::AnswerContradiction);
        let key = keys.first().map_or_else(|| ":answer-contradiction".to_owned(), ToString::to_string);
        Some(format!("{} Or {key} answers it with a reason: then you may go on.", open.contradiction.next))
    }

    /// Says why a form does not open. A hand that meant it types on: nothing counts until it has rested, or the text
    /// becomes commands.
    pub(super) fn refuse_form(&mut self, why: &str, next: &str, at: Instant) -> Vec<Effect> {
        self.complain(why, next, at);
        self.deafen(why.to_owned(), at);
        vec![Effect::Draw]
    }

    /// Why the engine would refuse an ask now, by its own decision made here; none when it would take it.
    pub(super) fn refusal(&self, ask: &Ask, at: Instant) -> Option<Problem> {
        let model = self.model.as_ref()?;
        let by = Actor::Operator(Operator { name: self.operator.clone(), uid: 0 });
        let request = Request { at: self.now(at), by, command: Command::Ask(ask.clone()) };
        decide(model, &request).err()
    }

    /// Closes the dialog. What follows on the screen below is as new to the eye as a dialog is.
    pub(super) fn shut(&mut self) -> Vec<Effect> {
        let gone = self.gone.take();
        self.dialog = gone.map(|(why, next)| Dialog::Form(Box::new(Form::gone(why, next))));
        self.renew()
    }

    /// Says that the engine is gone. Nothing that is being typed is lost: the form waits for another dialog to close.
    pub(super) fn say_gone(&mut self, why: String, next: String, at: Instant) -> Vec<Effect> {
        let replaces =
            matches!(&self.dialog, Some(Dialog::Form(form)) if matches!(form.purpose, Purpose::Gone { .. }));
        if self.dialog.is_none() || replaces {
            return self.open(Dialog::Form(Box::new(Form::gone(why, next))));
        }
        self.note_trouble(&why, "", at);
        self.gone = Some((why, next));
        vec![Effect::Draw]
    }

    /// What a key means has changed. A dialog that confirms also drops what was typed ahead; a field keeps it, it may
    /// be its text.
    pub(super) fn renew(&mut self) -> Vec<Effect> {
        self.serial += 1;
        let drains = match &self.dialog {
            Some(Dialog::Confirm(_)) => true,
            Some(Dialog::Form(form)) => form.stage == Stage::Sure,
            Some(Dialog::Compose(compose)) => compose.preview.is_some(),
            _ => false,
        };
        if drains { vec![Effect::Draw, Effect::Drain] } else { vec![Effect::Draw] }
    }

    /// Closes the confirmation and tells the engine, so that nothing waits for it.
    pub(super) fn decline(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Dialog::Confirm(confirming)) = &self.dialog else { return Vec::new() };
        let decline = Ask::Decline { confirmation: confirming.confirmation.id.clone() };
        let mut dos = self.shut();
        dos.extend(self.ask(decline, Asked::Plain, at));
        dos
    }

    fn key_in_form(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Effect> {
        let asks = matches!(&self.dialog, Some(Dialog::Form(form)) if form.stage == Stage::Sure);
        let view = self.view(at);
        let sure = asks
            && match action {
                Some(Action::ConfirmYes) => self.gate.admits_key(&view, received),
                Some(Action::ConfirmTyped) => self.gate.admits_end_of_typing(&view, received),
                _ => false,
            };
        let typing = asks && self.gate.admits_typing(&view, received);
        let starts =
            matches!(&self.dialog, Some(Dialog::Form(form)) if matches!(form.purpose, Purpose::Gone { .. }));
        if starts && action != Some(Action::Back) && !moves(action) && !self.admits(received, at) {
            return self.too_soon(at);
        }
        let page = self.page();
        let Some(Dialog::Form(form)) = &mut self.dialog else { return Vec::new() };
        if action == Some(Action::Back) {
            form.problem = None;
            return match form.previous().filter(|_| !form.sent) {
                Some(stage) => {
                    form.go(stage);
                    self.renew()
                }
                None => self.shut(),
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
                form.problem = Some(match action {
                    Some(Action::Help) => IN_THE_FRAME.into(),
                    _ => CHOOSE.into(),
                });
                if action != Some(Action::Help) {
                    self.stray(chord, CHOOSE, at);
                }
            }
            (Stage::Write, None) if form.is_untouched() && self.gate.is_typed_on(received) => {
                let dos = self.shut();
                let why = "a form was opened by a letter in the middle of a text, and closed";
                self.deafen_to_letters(why.to_owned(), at);
                self.toast_here(why, "Press its key, look at it, then type.", at);
                return dos;
            }
            (_, Some(Action::PageUp)) => form.pages.back(),
            (_, Some(Action::PageDown)) => form.pages.forward(),
            (Stage::Write, Some(Action::Submit)) => return self.advance(at),
            (Stage::Write, Some(Action::NextField)) => form.offer(1),
            (Stage::Write, None) if form.press(chord) => {}
            (Stage::Write, None) => match chord.code {
                KeyCode::Up => form.offer(-1),
                KeyCode::Down => form.offer(1),
                _ => {}
            },
            (Stage::Sure, Some(Action::ConfirmYes | Action::ConfirmTyped)) if self.unseen => {
                form.problem = Some(screens::too_small_to_act());
            }
            (Stage::Sure, Some(Action::ConfirmYes | Action::ConfirmTyped)) if sure => {
                match form.word_missing() {
                    None => return self.finish(at),
                    Some(missing) => form.problem = Some(missing),
                }
            }
            (Stage::Sure, Some(Action::ConfirmYes | Action::ConfirmTyped)) => {
                form.problem = Some("That was too soon or held down: press the key once more.".into());
            }
            (Stage::Sure, Some(Action::Select | Action::Submit)) => {
                form.problem = Some("Enter does not confirm.".into());
            }
            (Stage::Sure, None) if form.takes_word() && typing => drop(form.typed.press(chord)),
            (Stage::Sure, None) if form.takes_word() => {
                form.problem = Some("That was too soon or held down: type it once more.".into());
            }
            (Stage::Sure, Some(Action::Help)) => form.problem = Some(IN_THE_FRAME.into()),
            (Stage::Sure, _) if chord.typed().is_some() => {
                form.problem = Some(NO_TEXT.into());
                self.stray(chord, NO_TEXT, at);
            }
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
    }

    /// The present stage is done.
    fn advance(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Dialog::Form(form)) = &mut self.dialog else { return Vec::new() };
        if let Some(missing) = form.missing() {
            form.problem = Some(missing.into());
            return vec![Effect::Draw];
        }
        match form.next() {
            Some(stage) => {
                form.go(stage);
                self.propose_title();
                self.renew()
            }
            None => self.finish(at),
        }
    }

    fn finish(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Dialog::Form(form)) = &self.dialog else { return Vec::new() };
        match form.outcome() {
            Outcome::Ask(ask) => {
                if let Some(moved) = self.moved_on(&form.purpose) {
                    self.complain(moved, "", at);
                    return vec![Effect::Draw];
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
            Outcome::Quit => vec![Effect::Quit],
            Outcome::Start => {
                let mut dos = self.shut();
                self.toast("starting the engine", "", false, at);
                dos.push(Effect::Start);
                dos
            }
            Outcome::Stay => self.shut(),
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
    ) -> Vec<Effect> {
        let now = self.now(at);
        let fires = matches!(action, Some(Action::ConfirmYes | Action::ConfirmTyped));
        let view = self.view(at);
        let admitted = match action {
            Some(Action::ConfirmTyped) => self.gate.admits_end_of_typing(&view, received),
            _ => fires && self.gate.admits_key(&view, received),
        };
        let typing = self.gate.admits_typing(&view, received);
        let Some(Dialog::Confirm(confirming)) = &mut self.dialog else { return Vec::new() };
        confirming.problem = None;
        match action {
            Some(Action::Back) if confirming.sent => {
                let dos = self.shut();
                let next = "Look at its step and at the timeline when the engine answers.";
                self.toast("what you confirmed was sent: it may run", next, true, at);
                return dos;
            }
            Some(Action::Back) => return self.decline(at),
            Some(Action::PageDown) => confirming.pages.forward(),
            Some(Action::PageUp) => confirming.pages.back(),
            Some(Action::Copy) => {
                confirming.problem = Some("The command was copied, if the terminal allows it.".into());
                return vec![Effect::Draw, Effect::Copy(confirming.confirmation.description.command.clone())];
            }
            Some(Action::Help) => confirming.problem = Some(IN_THE_FRAME.into()),
            Some(Action::Submit | Action::Select) => {
                confirming.problem = Some("Enter never confirms.".into());
            }
            Some(Action::ConfirmYes | Action::ConfirmTyped) if self.unseen => {
                confirming.problem = Some(screens::too_small_to_act());
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
            _ if chord.typed().is_some() => {
                confirming.problem = Some(NO_TEXT.into());
                self.stray(chord, NO_TEXT, at);
            }
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
    }

    fn key_in_filter(&mut self, action: Option<Action>, chord: Chord) -> Vec<Effect> {
        let Some(Dialog::Filter { field, before }) = &mut self.dialog else { return Vec::new() };
        match action {
            Some(Action::Back) => {
                self.ui.filter = std::mem::take(before);
                return self.shut();
            }
            Some(Action::Submit) => return self.shut(),
            _ => drop(field.press(chord)),
        }
        self.ui.filter = field.text().to_owned();
        self.select_first();
        vec![Effect::Draw]
    }

    fn key_in_palette(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Effect> {
        let page = self.page();
        let Some(Dialog::Palette(palette)) = &mut self.dialog else { return Vec::new() };
        match action {
            Some(Action::Back) => return self.shut(),
            // Enter that comes with other keys is the line end of a paste.
            Some(Action::Select) if !alone(received) => return Vec::new(),
            Some(Action::Select) => {
                let Some(entry) = palette.chosen().cloned() else { return Vec::new() };
                let mut dos = self.shut();
                dos.extend(self.follow(&entry, received, at));
                return dos;
            }
            Some(Action::Up) => palette.step(-1),
            Some(Action::Down) => palette.step(1),
            Some(Action::PageUp) => palette.step(-page),
            Some(Action::PageDown) => palette.step(page),
            _ => palette.press(chord),
        }
        vec![Effect::Draw]
    }

    fn key_in_help(
        &mut self,
        action: Option<Action>,
        chord: Chord,
        context: Context,
        at: Instant,
    ) -> Vec<Effect> {
        let page = self.page();
        let width = reading_width(self.size.0);
        let reading = match &mut self.dialog {
            Some(Dialog::Help(help)) if context == Context::TextEntry => {
                match (action, &mut help.search) {
                    (Some(Action::Back), _) => help.end_search(false),
                    (Some(Action::Submit), _) => help.end_search(true),
                    (_, Some(field)) => drop(field.press(chord)),
                    _ => {}
                }
                help.reading.top();
                return vec![Effect::Draw];
            }
            Some(Dialog::Help(help)) => {
                if action == Some(Action::Filter) {
                    help.begin_search();
                    return vec![Effect::Draw];
                }
                &mut help.reading
            }
            Some(Dialog::Preview(reading)) => reading,
            // One letter opened it, which may be the first of a text that is typed on the wrong screen.
            Some(Dialog::Diagnosis(_)) if action.is_none() => {
                self.stray(chord, NO_TEXT, at);
                return Vec::new();
            }
            Some(Dialog::Diagnosis(open)) => &mut open.reading,
            _ => return Vec::new(),
        };
        match action {
            Some(Action::Back) => return self.shut(),
            Some(Action::Up) => reading.scroll(-1, width),
            Some(Action::Down) => reading.scroll(1, width),
            Some(Action::PageUp) => reading.scroll(-page, width),
            Some(Action::PageDown) => reading.scroll(page, width),
            Some(Action::Top) => reading.top(),
            Some(Action::Bottom) => reading.scroll(isize::MAX, width),
            _ => return Vec::new(),
        }
        vec![Effect::Draw]
    }
}
