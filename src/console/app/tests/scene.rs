//! A client over the core itself: what it asks is decided, folded on both sides and answered, without a socket.

use super::super::{App, Dialog, Effect, Message};
use crate::console::glyphs::Glyphs;
use crate::console::input::{Event, Manner, Received};
use crate::console::keymap::{self, Chord};
use crate::console::pages::Shown;
use crate::console::theme::{self, ColourDepth};
use crate::console::widgets::Styles;
use crate::core::apply::apply;
use crate::core::ask::contradiction::{Blocked, Contradiction, Kind};
use crate::core::ask::escalation_status::tests::with_people;
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::react::react;
use crate::core::words::action::{Description, ManualCard, Target};
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::effect;
use crate::core::words::fact::{self, Fact};
use crate::core::words::reading::{Field, Measurement, Reading, Verdict};
use crate::core::words::signal::SignalState;
use crate::engine::protocol::ToClient;
use crate::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use ratatui::backend::TestBackend;
use ratatui::{Frame, Terminal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The terminal.
const SIZE: (u16, u16) = (80, 40);
/// Between two key presses: no burst, nothing held, past every gate.
const CALM: Duration = Duration::from_secs(2);
/// Between two keys of a hand that types.
const BETWEEN_STROKES: Duration = Duration::from_millis(60);

pub struct Scene {
    pub app: App,
    /// The engine's side.
    pub model: Model,
    /// What was asked so far.
    pub asked: Vec<Ask>,
    /// What the loop was told to do besides drawing, asking and gates.
    pub done: Vec<Effect>,
    pub at: Instant,
    /// Replies and events are kept back, as on a slow line.
    pub slow: bool,
    /// Of the terminal.
    pub size: (u16, u16),
    /// Frames are really drawn, for what turns pages: thousands of keys are pressed elsewhere.
    pub reads: bool,
    /// Rows of what is looked at.
    pub height: u16,
    pub now: Timestamp,
    sequence: u64,
}

impl Scene {
    /// An attached client; the primary region is down.
    pub fn new() -> Self {
        Self::of(|plan| plan)
    }

    /// As [`Scene::new`], with people in the plan.
    pub fn with_people() -> Self {
        Self::of(with_people)
    }

    /// As [`Scene::new`], with another plan.
    pub fn of(change: impl FnOnce(Plan) -> Plan) -> Self {
        let keymap = keymap::load(&keymap::layers(None), keymap::DEFAULT).unwrap();
        let mut scene = Self {
            app: App::new(keymap, SIZE),
            model: Model::new(Arc::new(change(crate::testing::demo()))),
            asked: Vec::new(),
            done: Vec::new(),
            at: Instant::now(),
            slow: false,
            size: SIZE,
            height: 24,
            reads: false,
            now: "2026-01-31T03:00:00Z".parse().unwrap(),
            sequence: 0,
        };
        scene.break_primary();
        scene.attach();
        scene
    }

    /// The engine welcomes the client.
    pub fn attach(&mut self) {
        let welcome = ToClient::Welcome {
            operator: Operator { name: "ann".into(), uid: 1000 },
            pid: 7,
            now: self.now,
            model: Arc::new(self.model.clone()),
        };
        self.tell(Message::Engine(welcome));
    }

    fn break_primary(&mut self) {
        let plan = self.model.plan.clone();
        for (probe, spec) in &plan.probes {
            let primary = spec.region.as_ref().is_some_and(|region| region.as_str() == "primary");
            let to = if primary { SignalState::Critical } else { SignalState::Ok };
            self.fact(Fact::SignalChanged {
                probe: probe.clone(),
                from: SignalState::Unknown,
                to,
                why: "as the test wants it".into(),
            });
        }
    }

    fn fact(&mut self, fact: Fact) -> fact::Event {
        let event = fact::Event { at: self.now, by: Actor::Engine, fact, record: None };
        apply(&mut self.model, &event);
        event
    }

    /// Presses keys, calmly: spellings of chords, with spaces between.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.press_as(key, Manner::Single, CALM);
            self.rest();
        }
    }

    /// Types a text into a field, as a hand does once the field was seen.
    pub fn write(&mut self, text: &str) {
        self.at += CALM;
        self.now += SignedDuration::try_from(CALM).unwrap();
        self.write_as(text, Manner::Single, BETWEEN_STROKES);
    }

    /// Gives the deliberate yes that the open form asks for: its word, or its key.
    pub fn sure(&mut self) {
        let word = match &self.app.dialog {
            Some(Dialog::Form(form)) if form.takes_word() => form.word().map(str::to_owned),
            _ => None,
        };
        match word {
            Some(word) => {
                self.write(&word);
                self.press("ctrl-y");
            }
            None => self.press("y"),
        }
    }

    /// Types on, without a look at the screen.
    pub fn type_on(&mut self, text: &str, between_ms: u64) {
        self.write_as(text, Manner::Single, Duration::from_millis(between_ms));
    }

    pub fn write_as(&mut self, text: &str, manner: Manner, after: Duration) {
        for character in text.chars() {
            let key = if character == ' ' { "space".to_owned() } else { character.to_string() };
            self.press_as(&key, manner, after);
        }
    }

    pub fn press_as(&mut self, key: &str, manner: Manner, after: Duration) {
        self.stroke(Chord::parse(key).unwrap(), manner, after);
    }

    /// Presses one key some time after the one before.
    pub fn stroke(&mut self, chord: Chord, manner: Manner, after: Duration) {
        self.at += after;
        self.now += SignedDuration::try_from(after).unwrap();
        self.input(Event::Key { chord, manner });
    }

    pub fn input(&mut self, event: Event) {
        if let Event::Resize { width, height } = event {
            self.size = (width, height);
        }
        self.sequence += 1;
        self.tell(Message::Input(Received { event, sequence: self.sequence, read_at: self.at }));
    }

    pub fn tell(&mut self, message: Message) {
        self.tell_at(message, self.at);
    }

    /// No further key comes, and the loop wakes the client while it waits for that.
    pub fn rest(&mut self) {
        self.tell_at(Message::Tick, self.at + Duration::from_secs(1));
    }

    fn tell_at(&mut self, message: Message, at: Instant) {
        let dos = self.app.update(message, at);
        self.paint();
        for act in dos {
            match act {
                Effect::Ask(ask) => self.ask(ask),
                Effect::Drain | Effect::Draw | Effect::DrawSoon => {}
                other => self.done.push(other),
            }
        }
    }

    /// A frame is drawn.
    fn paint(&mut self) {
        let shown = if self.reads { self.drawn().1 } else { Shown::default() };
        let (text, rows, unseen) = (shown.text(), shown.rows(), shown.unseen());
        let (cut, keys) = (shown.cuts().wholes(), shown.keys());
        let painted = Message::Painted { size: self.size, drained: None, text, rows, unseen, cut, keys };
        self.app.update(painted, self.at);
    }

    /// What the engine does with an ask.
    fn ask(&mut self, ask: Ask) {
        self.asked.push(ask.clone());
        if self.slow {
            return;
        }
        let by = Actor::Operator(Operator { name: "ann".into(), uid: 1000 });
        let result = self.decide(by, Command::Ask(ask));
        self.tell(Message::Engine(ToClient::Reply { id: 0, result }));
    }

    /// Somebody else asks for something, from another console.
    pub fn by_another(&mut self, ask: Ask) {
        let by = Actor::Operator(Operator { name: "ben".into(), uid: 1001 });
        self.decide(by, Command::Ask(ask)).unwrap();
    }

    /// The same, where it may be refused.
    pub fn perhaps_by_another(&mut self, ask: Ask) {
        let by = Actor::Operator(Operator { name: "ben".into(), uid: 1001 });
        let _ = self.decide(by, Command::Ask(ask));
    }

    /// The signals propose an incident.
    pub fn propose(&mut self, title: &str) {
        let id = "INC-20260131-030001".into();
        let fact = Fact::IncidentProposed { id, title: title.into(), severity: crate::plan::Severity::P0 };
        let event = self.fact(fact);
        self.tell(Message::Engine(ToClient::Events(vec![event])));
    }

    /// A contradiction is found that nothing but an answer takes away.
    pub fn contradict(&mut self, what: &str, blocks: Vec<Blocked>) {
        let contradiction = Contradiction {
            id: "nobody-writes:test".into(),
            kind: Kind::NobodyWrites,
            servers: Vec::new(),
            severity: crate::plan::Severity::P0,
            what: what.into(),
            why: "as the test wants it".into(),
            next: "Let one write.".into(),
            blocks,
            to_fence: None,
            is_last: false,
            serves: None,
        };
        let event = self.fact(Fact::ContradictionFound { contradiction: Box::new(contradiction) });
        self.tell(Message::Engine(ToClient::Events(vec![event])));
    }

    /// Two servers took writes, and one of them does no more.
    pub fn split_brain_that_is_over(&mut self) {
        let what = "SPLIT BRAIN: a and b accept writes".to_owned();
        let contradiction = Contradiction {
            id: "two-primaries:primary-db@1,dr-db@2".into(),
            kind: Kind::TwoPrimaries,
            servers: vec!["primary-db".into(), "dr-db".into()],
            severity: crate::plan::Severity::P0,
            what: what.clone(),
            why: "as the test wants it".into(),
            next: "Fence one.".into(),
            blocks: Vec::new(),
            to_fence: None,
            is_last: false,
            serves: None,
        };
        let id = contradiction.id.clone();
        let found = self.fact(Fact::ContradictionFound { contradiction: Box::new(contradiction) });
        let ended = Fact::ContradictionEnded { id, what, why: "a was stopped".into(), unseen: false };
        let ended = self.fact(ended);
        self.tell(Message::Engine(ToClient::Events(vec![found, ended])));
    }

    /// The engine reports something to itself.
    pub fn report(&mut self, report: Report) {
        let _ = self.decide(Actor::Engine, Command::Report(report));
    }

    fn decide(&mut self, by: Actor, command: Command) -> Result<(), crate::base::problem::Problem> {
        let request = Request { at: self.now, by: by.clone(), command };
        let facts = decide(&self.model, &request)?;
        let mut events = Vec::new();
        let mut effects = Vec::new();
        for fact in facts {
            let event = fact::Event { at: self.now, by: by.clone(), fact, record: None };
            apply(&mut self.model, &event);
            effects.extend(react(&self.model, &event));
            events.push(event);
        }
        self.tell(Message::Engine(ToClient::Events(events)));
        for effect in effects {
            if let effect::Effect::Describe { run, step } = effect {
                let manual = ManualCard { instructions: vec!["by hand".into()], check: "look".into() };
                let result = Ok(description());
                self.report(Report::Described { run, step, result, manual });
            }
        }
        Ok(())
    }

    /// A probe measures what a failover would lose: at least and at most, in seconds.
    pub fn exposed(&mut self, probe: &str, least_s: f64, most_s: f64) {
        let numbers = [("exposure_min_s", least_s), ("exposure_s", most_s)];
        let fields = numbers.map(|(name, number)| (name.to_owned(), Field::Number(number)));
        let verdict = Verdict::Critical("not streaming".into());
        let summary = "not streaming".to_owned();
        let measured = Measurement { verdict, value: None, summary, fields: fields.into_iter().collect() };
        let reading = Reading { at: self.now, took: SignedDuration::ZERO, outcome: Ok(measured) };
        self.report(Report::Observed(vec![(probe.into(), reading)]));
    }

    /// A probe reads something good, told in these words.
    pub fn measured(&mut self, probe: &str, summary: &str) {
        self.observe(probe, summary, &[]);
    }

    /// Servers of one database are read in these roles.
    pub fn servers(&mut self, roles: &[(&str, &str)]) {
        for (probe, role) in roles {
            let is_standby = *role == "standby";
            let fields = [
                ("role", Field::Text((*role).into())),
                ("in_recovery", Field::Flag(is_standby)),
                ("read_only", Field::Flag(is_standby)),
                ("system_identifier", Field::Text("77".into())),
                ("timeline", Field::Number(1.0)),
            ];
            self.observe(probe, role, &fields);
        }
    }

    fn observe(&mut self, probe: &str, summary: &str, fields: &[(&str, Field)]) {
        let fields = fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect();
        let summary = summary.to_owned();
        let measured = Measurement { verdict: Verdict::Good, value: None, summary, fields };
        let reading = Reading { at: self.now, took: SignedDuration::ZERO, outcome: Ok(measured) };
        self.report(Report::Observed(vec![(probe.into(), reading)]));
    }

    /// Time passes at the engine.
    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.at += Duration::from_secs(seconds.unsigned_abs());
        self.report(Report::Tick);
    }

    pub fn last(&self) -> &Ask {
        self.asked.last().expect("something was asked")
    }

    /// What a terminal of 80 columns at most shows, in ASCII and without colours.
    pub fn seen(&self) -> String {
        self.drawn().0
    }

    fn drawn(&self) -> (String, Shown) {
        let theme = theme::load(&theme::layers(None), theme::DEFAULT).unwrap().at_depth(ColourDepth::None);
        let styles = Styles::new(&theme, Glyphs::Ascii);
        let (width, height) = (self.size.0.min(80), self.size.1.min(self.height));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut shown = Shown::default();
        let draw = |frame: &mut Frame<'_>| {
            shown = super::super::draw::draw(frame, &self.app, styles, self.at, "plan", SignedDuration::ZERO);
        };
        let buffer = terminal.draw(draw).unwrap().buffer.clone();
        let row = |y| {
            (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>().trim_end().to_owned()
        };
        ((0..height).map(row).collect::<Vec<_>>().join("\n"), shown)
    }

    /// The same as one line: dialogs break texts as they have room.
    pub fn words(&self) -> String {
        let words = |c: char| c.is_whitespace() || c == '|';
        self.seen().split(words).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    pub fn toast(&self) -> &str {
        self.app.ui.toast.as_ref().map_or("", |toast| &toast.text)
    }
}

pub fn description() -> Description {
    Description {
        call: "select pg_promote()".into(),
        command: "psql -c 'select pg_promote()'".into(),
        target: Target {
            name: "db-2".into(),
            kind: "PostgreSQL server".into(),
            identity: Vec::new(),
            reachable: true,
        },
        notes: Vec::new(),
        undo: Vec::new(),
        sets: Vec::new(),
    }
}
