//! The client: keys and the engine's messages in, asks and drawings out.
//!
//! - [`App`] is all that the client knows: the folded model, what is looked at, the open dialog.
//! - [`App::update`] is pure: it takes a [`Message`] and returns what the [`run`](run::run) loop has to [`Effect`].
//! - [`overlays`](crate::console::overlays) are the dialogs. Each owns what it acts upon: nothing is
//!   looked up again when the operator says yes.
//! - [`link`] holds the connection to the engine and finds it again when it is lost.

mod act;
mod answer;
pub mod clock;
mod composing;
mod diagnosing;
mod draw;
mod draw_compose;
mod engine;
mod keys;
pub mod link;
mod lone;
pub mod run;
mod tell;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use run::run;

use crate::base::ids::{ConfirmationId, ProbeId, RunId, StepId};
use crate::base::text::ended;
use crate::console::input::{Event, Gate, Manner, Received, Verdict};
use crate::console::keymap::{Action, Chord, Context, Keymap, Pending};
use crate::console::overlays::compose::Compose;
use crate::console::overlays::confirm::Confirming;
use crate::console::overlays::diagnosis::Diagnosing;
use crate::console::overlays::field::Field;
use crate::console::overlays::form::Form;
use crate::console::overlays::palette::Palette;
use crate::console::overlays::{
    confirm,
    help::{self, Help},
};
use crate::console::pages::{Pages, Stretch};
use crate::console::screens;
use crate::console::screens::table;
use crate::console::ui::{Connection, Remains, Screen, Toast, Ui};
use crate::core::ask::objectives;
use crate::core::model::Model;
use crate::core::words::command::Ask;
use crate::core::words::signal::{Recent, Signal, age};
use crate::engine::protocol::ToClient;
use clock::EngineClock;
use engine::Place;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long good and bad news stay on the screen.
const TOAST: Duration = Duration::from_secs(6);
const BAD_TOAST: Duration = Duration::from_secs(15);

/// Between two frames that only the time asks for: while seconds count, while an age in seconds stands on the screen,
/// and while nothing on it changes with the time.
const COUNTING: Duration = Duration::from_secs(1);
const AGEING: Duration = Duration::from_secs(3);
const CALM: Duration = Duration::from_secs(10);

/// What happened.
#[derive(Debug)]
pub enum Message {
    /// At the terminal.
    Input(Received),
    /// The engine said something.
    Engine(ToClient),
    /// The engine is there and says nothing.
    Silent {
        /// When it was last heard.
        since: Instant,
        /// Its process, where the system says it.
        pid: Option<u32>,
    },
    /// The engine runs as this user, who is another one.
    OfAnother(String),
    /// The engine is out of reach, and why.
    Lost(String),
    /// An engine could not be started again, and why.
    NotStarted(String),
    /// What there is to see was painted.
    Painted {
        /// Columns and rows of the terminal.
        size: (u16, u16),
        /// The last of the keys that [`Effect::Drain`] threw away, and when it was read.
        drained: Option<(Chord, Instant)>,
        /// What of a text that does not fit is in sight; none where all of it is.
        text: Option<Stretch>,
        /// Rows of the list in sight; none where there is no list.
        rows: Option<usize>,
        /// What a key would act on is not in sight whole.
        unseen: bool,
        /// The whole texts of what is cut off.
        cut: Vec<String>,
        /// What the keys do that matter on the screen.
        keys: Vec<Action>,
    },
    /// Time passed.
    Tick,
}

/// What the loop has to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Draw at once.
    Draw,
    /// Draw with the next frame: only measurements changed.
    DrawSoon,
    /// Send to the engine.
    Ask(Ask),
    /// Ask the engine what is behind a signal.
    Diagnose(ProbeId),
    /// A dialog that confirms has opened: draw it, and drop what was typed before.
    Drain,
    /// Put on the clipboard.
    Copy(String),
    /// Draw every cell again.
    Repaint,
    /// Start an engine.
    Start,
    /// End this client; the engine goes on.
    Quit,
}

/// The dialog over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// Choices, a text, a yes.
    Form(Box<Form>),
    /// The confirmation of a step.
    Confirm(Box<Confirming>),
    /// A message that is written.
    Compose(Box<Compose>),
    /// Commands by name.
    Palette(Palette),
    /// The keys.
    Help(Help),
    /// The filter, while it is typed.
    Filter {
        /// What was typed.
        field: Field,
        /// The filter before.
        before: String,
    },
    /// The steps of a runbook, to read.
    Preview(help::Reading),
    /// What is behind a signal.
    Diagnosis(Box<Diagnosing>),
}

/// An ask whose reply is on its way.
#[derive(Clone, PartialEq, Debug)]
enum Asked {
    /// The open form's.
    Form,
    /// A confirmation's.
    Confirm(ConfirmationId),
    /// A message that was written.
    Message,
    /// The preparation of a step.
    Prepare,
    /// Another one.
    Plain,
}

/// All that the client knows.
#[derive(Debug)]
pub struct App {
    /// The folded model; none before the engine was reached for the first time.
    pub model: Option<Model>,
    /// What is looked at.
    pub ui: Ui,
    /// Whom the engine takes this client for.
    pub operator: String,
    /// The keys.
    pub keymap: Keymap,
    /// The dialog over the screen.
    pub dialog: Option<Dialog>,
    clock: Option<EngineClock>,
    chord: Pending,
    gate: Gate<view::View>,
    /// Grows with each dialog and each of its stages.
    serial: u64,
    /// What the present message changes is what the operator asked for.
    expected: bool,
    /// Why nothing counts at the moment.
    deaf_for: String,
    gone: Option<(String, String)>,
    asked: VecDeque<Asked>,
    awaited: Option<(RunId, StepId)>,
    /// The step whose confirmation was open here, and was replaced by a new one that is yet to come.
    renewed: Option<(RunId, StepId)>,
    /// Where the incident stood when the selection was last where keys mean something, while it has to be looked at.
    unsettled: Option<Place>,
    /// What one letter asks for, until it is plain that it does not begin a text.
    lone: Option<lone::Lone>,
    /// When the operator last moved a selection.
    moved_at: Option<Instant>,
    /// Messages that were left before they were sent, the latest last.
    kept: Vec<Compose>,
    toast_until: Option<Instant>,
    /// The view that the toast speaks of, with which it goes; none for news.
    toast_of: Option<view::View>,
    /// Columns and rows of the terminal.
    size: (u16, u16),
    /// Rows of the list that the last frame showed.
    rows: usize,
    /// What a key would act on was not in sight whole in the last frame.
    unseen: bool,
    /// What the keys do that mattered on the screen in the last frame.
    keys: Vec<Action>,
    /// What was cut off on the screen when it was last drawn without a dialog over it.
    cut: Vec<String>,
}

impl App {
    /// A client that is not connected yet.
    pub fn new(keymap: Keymap, size: (u16, u16)) -> Self {
        Self {
            model: None,
            ui: Ui::default(),
            operator: String::new(),
            keymap,
            dialog: None,
            clock: None,
            chord: Pending::default(),
            gate: Gate::default(),
            serial: 0,
            expected: false,
            deaf_for: String::new(),
            gone: None,
            asked: VecDeque::new(),
            awaited: None,
            renewed: None,
            unsettled: None,
            lone: None,
            moved_at: None,
            kept: Vec::new(),
            toast_until: None,
            toast_of: None,
            size,
            rows: 0,
            unseen: false,
            keys: Vec::new(),
            cut: Vec::new(),
        }
    }

    /// A client whose engine ends with it, a demo's or a rehearsal's; `kept` where its journal and state stay.
    pub fn ending_with_it(mut self, kept: bool) -> Self {
        self.ui.remains = if kept { Remains::Journal } else { Remains::Nothing };
        self
    }

    /// Says what of the user's own files could not be used.
    pub fn warn(&mut self, trouble: String, at: Instant) {
        self.toast(trouble, "The built-in one stands in for it.", true, at);
    }

    fn take(&mut self, message: Message, at: Instant) -> Vec<Effect> {
        match message {
            Message::Input(received) => self.input(&received, at),
            Message::Engine(message) => self.engine(message, at),
            Message::Silent { since, pid } => self.silent(since, pid),
            Message::OfAnother(user) => {
                let text =
                    format!("This engine runs as {}, not as you.", crate::base::text::clean(&user, 40));
                self.toast(text, "What you do in it is recorded under your own name.", false, at);
                vec![Effect::Draw]
            }
            Message::Lost(why) => self.lost(why, at),
            Message::NotStarted(why) => self.say_gone(why, "Mend that, then start it again.".into(), at),
            Message::Painted { .. } => Vec::new(),
            Message::Tick => {
                self.drop_old_toast(at);
                self.settle_selection(at);
                if let Some(Dialog::Diagnosis(open)) = &mut self.dialog {
                    open.tick(at);
                }
                let mut dos = self.ask_lone(Some(at));
                dos.push(Effect::Draw);
                dos
            }
        }
    }

    fn input(&mut self, received: &Received, at: Instant) -> Vec<Effect> {
        match &received.event {
            Event::Key { chord, manner } => self.key_heard(received, *chord, *manner, at),
            Event::Paste(text) => match self.gate.hear(received) {
                Verdict::Dropped(count) => self.dropped(count, at),
                Verdict::Heard if self.is_hidden() => Vec::new(),
                Verdict::Heard => self.paste(text, at),
            },
            Event::Resize { width, height } => self.resized((*width, *height), at),
            Event::Unfinished => {
                let why = "a paste or a key began to arrive and has not ended: no key counts until it does";
                self.note_trouble(why, "If it never ends: let go for 6 seconds, then press a key twice.", at)
            }
            Event::GivenUp => {
                self.deafen("what began to arrive never ended".into(), at);
                self.dropped(1, at)
            }
            Event::Resumed => {
                let why = "this console was stopped and goes on";
                self.deafen(why.into(), at);
                let mut dos = self.note_trouble(why, "What was typed meanwhile was dropped.", at);
                dos.extend(self.renew());
                dos
            }
            Event::Ended(_) => vec![Effect::Quit],
        }
    }

    /// A key, if it is one that counts at all.
    fn key_heard(&mut self, received: &Received, chord: Chord, manner: Manner, at: Instant) -> Vec<Effect> {
        if let Verdict::Dropped(count) = self.gate.hear(received) {
            return self.dropped(count, at);
        }
        if self.lone.is_some() {
            let is_early = self.lone.as_ref().is_some_and(|lone| at < lone.due());
            if is_early && self.is_lone(chord) {
                return Vec::new();
            }
            if is_early && chord.typed().is_some() {
                return self.drop_lone(at);
            }
            let mut dos = self.ask_lone(None);
            dos.extend(self.key_alone(received, chord, manner, at));
            return dos;
        }
        self.key_alone(received, chord, manner, at)
    }

    fn key_alone(&mut self, received: &Received, chord: Chord, manner: Manner, at: Instant) -> Vec<Effect> {
        if self.is_hidden() {
            return self.key_while_hidden(received, chord, at);
        }
        let takes_pastes = self.context().types_text();
        let pasted = match &mut self.dialog {
            Some(Dialog::Confirm(confirming)) if !self.gate.is_by_hand(received) => {
                confirming.refuse_paste();
                Some(confirm::PASTED)
            }
            Some(Dialog::Form(form)) if form.takes_word() && !self.gate.is_by_hand(received) => {
                form.refuse_paste();
                Some(confirm::PASTED)
            }
            _ if manner == Manner::Burst && !takes_pastes => {
                Some("several keys came at once, as a paste brings them, or a slow line")
            }
            _ => None,
        };
        let Some(why) = pasted else { return self.key(received, chord, at) };
        self.deafen(why.into(), at);
        let Verdict::Dropped(count) = self.gate.hear(received) else { return Vec::new() };
        self.dropped(count, at)
    }

    /// The terminal has another size. A confirmation that cannot be seen any more is none.
    fn resized(&mut self, size: (u16, u16), at: Instant) -> Vec<Effect> {
        if size.0 != self.size.0 {
            // Other lines: what was read of them is not known any more.
            self.ui.pages.clear();
            self.pages().clear();
        }
        self.size = size;
        // What was in sight whole may not be any more.
        self.gate.sent();
        if let Some(problem) = self.problem()
            && *problem == Some(screens::too_small_to_act())
        {
            *problem = None;
        }
        if !self.is_hidden() {
            return vec![Effect::Draw];
        }
        match &self.dialog {
            Some(Dialog::Confirm(open)) if !open.sent => {
                let mut dos = self.decline(at);
                let why = "the confirmation was closed: the terminal became too small to show it";
                self.toast(why, "Nothing ran.", true, at);
                dos.push(Effect::Draw);
                dos
            }
            _ => vec![Effect::Draw],
        }
    }

    /// Where somebody is in the text that does not fit: that of the dialog, or that of the screen.
    fn pages(&mut self) -> &mut Pages {
        match &mut self.dialog {
            Some(Dialog::Form(form)) => &mut form.pages,
            Some(Dialog::Confirm(confirming)) => &mut confirming.pages,
            _ => &mut self.ui.pages,
        }
    }

    /// Says trouble with the line where the operator looks.
    fn note_trouble(&mut self, why: &str, next: &str, at: Instant) -> Vec<Effect> {
        match self.problem() {
            Some(problem) => *problem = Some(format!("{} {next}", ended(why))),
            None => self.toast(why, next, true, at),
        }
        vec![Effect::Draw]
    }

    /// The engine's time at `at`; this host's until the engine was reached.
    pub fn now(&self, at: Instant) -> Timestamp {
        self.clock.as_ref().map_or_else(Timestamp::now, |clock| clock.at(at))
    }

    /// Where keys are pressed.
    pub fn context(&self) -> Context {
        match &self.dialog {
            None => self.screen_context(),
            Some(Dialog::Form(form)) => form.context(),
            Some(Dialog::Confirm(confirming)) => confirming.context(),
            Some(Dialog::Compose(compose)) => compose.context(),
            Some(Dialog::Palette(_)) => Context::Palette,
            Some(Dialog::Help(help)) if help.search.is_some() => Context::TextEntry,
            Some(Dialog::Help(_) | Dialog::Preview(_) | Dialog::Diagnosis(_)) => Context::Help,
            Some(Dialog::Filter { .. }) => Context::TextEntry,
        }
    }

    /// The context of the screen below any dialog.
    pub fn screen_context(&self) -> Context {
        table::row(self.ui.screen).context
    }

    /// Whether seconds count: an incident is open, a clock runs, or the engine is out of reach.
    pub fn counts(&self, at: Instant) -> bool {
        let trouble = self.model.as_ref().is_some_and(|model| {
            model.durable.incident.is_some()
                || model.durable.proposal.is_some()
                || !model.durable.due.is_empty()
                || model.durable.severity.is_some()
                || objectives::overall_clock(model, self.now(at)).is_some()
        });
        trouble || self.ui.connection.cut_off_since().is_some()
    }

    /// When the screen is next drawn although nothing happened: ages and clocks go on.
    pub fn wakes(&self, last_drawn: Instant) -> Option<Instant> {
        let every = match () {
            () if self.counts(last_drawn) => COUNTING,
            () if self.shows_ages(last_drawn) => AGEING,
            () => CALM,
        };
        let due = self.lone.as_ref().map(lone::Lone::due);
        [Some(last_drawn + every), self.toast_until, self.settles_at(), due].into_iter().flatten().min()
    }

    /// Whether something on the screen is as old as it says only for seconds: details, and what was not measured when
    /// it should have been.
    fn shows_ages(&self, at: Instant) -> bool {
        let Some(model) = &self.model else { return false };
        let now = self.now(at);
        let is_old = |(id, recent): (&ProbeId, &Recent)| {
            let (spec, latest) = (model.plan.probes.get(id), recent.latest.as_ref());
            spec.zip(latest)
                .is_some_and(|(spec, reading)| age(reading.at, now) > spec.every.saturating_mul(2))
        };
        let turned_lately = |signal: &Signal| age(signal.since, now) < SignedDuration::from_mins(2);
        self.ui.details
            || self.ui.screen != Screen::Overview
            || model.live.recent.iter().any(is_old)
            || model.durable.signals.values().any(turned_lately)
    }

    fn toast(&mut self, text: impl Into<String>, next: impl Into<String>, bad: bool, at: Instant) {
        let toast = Toast { text: text.into(), next: next.into(), bad, at: self.now(at) };
        self.ui.toast = Some(toast);
        self.toast_until = Some(at + if bad { BAD_TOAST } else { TOAST });
        self.toast_of = None;
    }

    /// Says why a key did nothing here; it means nothing any more where keys mean something else.
    fn toast_here(&mut self, why: &str, next: &str, at: Instant) {
        self.toast(why, next, true, at);
        self.toast_of = Some(self.view(at));
    }

    fn drop_old_toast(&mut self, at: Instant) {
        if self.toast_until.is_some_and(|until| until <= at) {
            self.drop_toast();
        }
    }

    fn drop_toast(&mut self) {
        self.ui.toast = None;
        self.toast_until = None;
        self.toast_of = None;
    }

    /// Sends an ask while there is somebody to hear it.
    fn ask(&mut self, ask: Ask, asked: Asked, at: Instant) -> Vec<Effect> {
        if let Some((why, next)) = self.out_of_reach() {
            self.complain(why, next, at);
            return vec![Effect::Draw];
        }
        self.asked.push_back(asked);
        vec![Effect::Draw, Effect::Ask(ask)]
    }

    /// Why nothing can be sent to the engine now, and what to do; none where it can.
    fn out_of_reach(&self) -> Option<(&'static str, &'static str)> {
        match &self.ui.connection {
            Connection::Attached => None,
            Connection::Silent { .. } => {
                Some(("the engine does not answer", "Nothing was sent. Ask again when it does."))
            }
            Connection::Connecting | Connection::Lost { .. } => {
                Some(("the engine is out of reach", "Nothing was sent. Ask again when the engine is there."))
            }
        }
    }

    /// Says why a key did nothing where the operator looks: in the open dialog, or as a toast.
    fn complain(&mut self, why: &str, next: &str, at: Instant) {
        if !self.refused_in_dialog(why, next) {
            self.toast_here(why, next, at);
        }
        // The key may have been a letter of a text.
        self.deafen_to_letters(why.to_owned(), at);
    }

    /// Says bad news where the operator looks.
    fn report(&mut self, why: &str, next: &str, at: Instant) {
        if !self.refused_in_dialog(why, next) {
            self.toast(why, next, true, at);
        }
    }

    fn refused_in_dialog(&mut self, why: &str, next: &str) -> bool {
        let problem = if next.is_empty() { why.to_owned() } else { format!("{} {next}", ended(why)) };
        match &mut self.dialog {
            Some(Dialog::Form(form)) => form.refuse(problem),
            Some(Dialog::Confirm(confirming)) => confirming.refuse(problem),
            Some(Dialog::Compose(compose)) => compose.refuse(problem),
            _ => return false,
        }
        true
    }
}
