//! Forms: a choice, then a text, as far as each purpose needs them, then a deliberate yes. All of them end alike:
//! Enter goes to the question, and only its own key sends.

use super::confirm::PASTED;
use super::declare;
use super::field::Field;
use super::left::Undo;
use crate::base::ids::{AudienceId, IncidentId, MessageId, QuestionId, RegionId, RunId, StepId};
use crate::console::keymap::{Chord, Context};
use crate::console::pages::Pages;
use crate::console::ui::Remains;
use crate::core::words::command::Ask;
use crate::core::words::escalation::IncidentRole;
use crate::plan::{Severity, Who};

/// What a form is for, with all that it acts upon.
#[derive(Clone, PartialEq, Debug)]
pub enum Purpose {
    /// Opens an incident.
    Declare,
    /// Sets the severity.
    SetSeverity,
    /// Answers a question, otherwise than suggested.
    Answer {
        /// The question that was on the screen.
        question: QuestionId,
        ask: String,
        /// The suggestion that was on the screen.
        suggested: Option<String>,
    },
    /// Goes back to a question.
    Revisit,
    /// Tries a step again, or does one again that is settled and that the world denies.
    Retry(RunId, StepId),
    /// Leaves a step out.
    Skip(RunId, StepId),
    /// Lets a step run against a guard.
    Override {
        run: RunId,
        step: StepId,
        /// The guards' places in the plan, in the order of the choices.
        guards: Vec<usize>,
        /// What is lost by it.
        losses: Vec<String>,
    },
    /// States that a step was done by hand.
    Attest(RunId, StepId),
    /// Stops the open run.
    Abort(RunId),
    /// Writes into the timeline.
    Note,
    /// Pages somebody: whom, in the order of the choices.
    Page(Vec<Who>),
    /// Chooses what is written: the message of the plan, where it is one, and whom it is for.
    Send(Vec<(Option<MessageId>, AudienceId)>),
    /// Does without a message that is due.
    SkipMessage,
    /// Lets somebody else answer for something.
    HandOver,
    /// Calls the incident resolved.
    Resolve(IncidentId),
    /// Says that the incident was not over.
    Reopen(IncidentId),
    /// Says that what is proposed is no incident.
    Dismiss(IncidentId),
    /// Answers a contradiction: which, in the order of the choices.
    AnswerContradiction(Vec<String>),
    /// Records that a region serves: which, in the order of the choices.
    RecordServing(Vec<RegionId>),
    /// Takes something off the list of what is in force: what, in the order of the choices.
    Undone(Vec<Undo>),
    /// Closes the incident.
    Close(String),
    /// Takes the escalation on, from the palette: on the screens it is one key.
    Acknowledge,
    /// Closes this client while an incident is open.
    Quit {
        /// The open run.
        run: Option<RunId>,
        /// What is left then.
        remains: Remains,
    },
    /// The engine ended.
    Gone {
        why: String,
        /// What can be done.
        next: String,
    },
}

/// One of several.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// The key that takes it.
    pub key: char,
    /// Its name, as it is sent.
    pub name: String,
    /// What it means, for people.
    pub label: String,
}

/// What a form asks for at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// A choice.
    Choose,
    /// A text.
    Write,
    /// A deliberate yes.
    Sure,
}

/// What a finished form comes to.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Something to ask the engine for.
    Ask(Ask),
    /// A message is written.
    Compose(Option<MessageId>, AudienceId),
    /// The client ends.
    Quit,
    /// An engine is started.
    Start,
    /// Nothing.
    Stay,
}

/// An open form.
#[derive(Clone, Debug)]
pub struct Form {
    pub purpose: Purpose,
    /// What it asks for.
    pub stage: Stage,
    /// What there is to choose from; empty where there is no choice.
    pub choices: Vec<Choice>,
    pub chosen: usize,
    pub text: Field,
    /// What was typed of the word that takes the place of a yes.
    pub typed: Field,
    /// Texts that are offered, to be taken one after the other; empty for none.
    pub offers: Vec<String>,
    /// What was typed before one of the offers took its place.
    begun: Option<String>,
    /// The text is a proposal that nobody has touched: what is typed takes its place.
    pub proposed: bool,
    /// The stage that it opened at.
    entry: Stage,
    /// Why it did not go through.
    pub problem: Option<String>,
    /// Its reply is on its way.
    pub sent: bool,
    /// Where somebody is in what it says, where it does not fit.
    pub pages: Pages,
}

impl Form {
    /// A form that asks for a text at once.
    pub fn writing(purpose: Purpose) -> Self {
        Self::new(purpose, Stage::Write, Vec::new(), "")
    }

    /// It asks for a text at once, and nobody has typed any.
    pub fn is_untouched(&self) -> bool {
        self.entry == Stage::Write && (self.text.text().is_empty() || self.proposed)
    }

    /// A form that begins with a choice.
    pub fn choosing(purpose: Purpose, choices: Vec<Choice>) -> Self {
        Self::new(purpose, Stage::Choose, choices, "")
    }

    fn new(purpose: Purpose, stage: Stage, choices: Vec<Choice>, text: &str) -> Self {
        Self {
            purpose,
            stage,
            choices,
            chosen: 0,
            text: Field::new(text),
            typed: Field::default(),
            offers: Vec::new(),
            begun: None,
            proposed: false,
            entry: stage,
            problem: None,
            sent: false,
            pages: Pages::default(),
        }
    }

    /// A form that only asks for a deliberate yes.
    pub fn asking(purpose: Purpose) -> Self {
        Self::new(purpose, Stage::Sure, Vec::new(), "")
    }

    /// Goes on from the choice, which was made where the form was opened.
    pub fn skip_choice(&mut self) {
        self.stage = if self.writes() { Stage::Write } else { Stage::Sure };
        self.entry = self.stage;
    }

    /// Opens an incident; `title` is a proposal.
    pub fn declare(choices: Vec<Choice>, title: &str) -> Self {
        let proposed = !title.is_empty();
        Self { proposed, ..Self::new(Purpose::Declare, Stage::Choose, choices, title) }
    }

    /// Sets the severity; begins at the one that counts now.
    pub fn severity(now: Option<Severity>) -> Self {
        let level = |(key, severity, label): (char, Severity, &str)| Choice {
            key,
            name: severity.as_str().into(),
            label: format!("{} {label}", severity.as_str()),
        };
        let choices = [
            ('0', Severity::P0, "complete outage, data loss, security breach"),
            ('1', Severity::P1, "partial outage, degraded"),
            ('2', Severity::P2, "a non-critical feature is gone"),
            ('3', Severity::P3, "minor"),
        ];
        let mut form = Self::choosing(Purpose::SetSeverity, choices.into_iter().map(level).collect());
        form.chosen = now.map_or(0, |severity| severity as usize);
        form
    }

    /// Lets somebody else answer for something; `names` are offered.
    pub fn hand_over(choices: Vec<Choice>, names: Vec<String>) -> Self {
        Self { offers: names, ..Self::choosing(Purpose::HandOver, choices) }
    }

    /// Offers a text that what is typed takes the place of.
    pub fn propose(&mut self, text: &str) {
        self.proposed = !text.is_empty();
        self.text = Field::new(text);
    }

    /// Takes a key into the text; false when it means nothing in a text.
    pub fn press(&mut self, chord: Chord) -> bool {
        if self.proposed && chord.typed().is_some() {
            self.text = Field::default();
        }
        let taken = self.text.press(chord);
        if taken {
            (self.begun, self.proposed) = (None, false);
        }
        taken
    }

    /// Takes a pasted text, as [`press`](Self::press) takes a key.
    pub fn paste(&mut self, text: &str) {
        if std::mem::take(&mut self.proposed) {
            self.text = Field::default();
        }
        self.text.paste(text);
    }

    /// Completes what was typed with the next or previous of the texts that are offered and have a word that begins
    /// so.
    pub fn offer(&mut self, by: isize) {
        let begun = self.begun.get_or_insert_with(|| self.text.text().trim().to_lowercase()).clone();
        let fits = |offer: &&String| {
            let offer = offer.to_lowercase();
            offer.starts_with(&begun) || offer.split_whitespace().any(|word| word.starts_with(&begun))
        };
        let fitting: Vec<&String> = self.offers.iter().filter(fits).collect();
        let count = fitting.len();
        if count == 0 {
            if !self.offers.is_empty() {
                self.problem = Some("No known name begins so; it is taken as you write it.".into());
            }
            return;
        }
        let here = fitting.iter().position(|offer| *offer == self.text.text());
        let place = match (here, by < 0) {
            (Some(here), true) => (here + count - 1) % count,
            (Some(here), false) => (here + 1) % count,
            (None, true) => count - 1,
            (None, false) => 0,
        };
        self.text = Field::new(fitting[place]);
    }

    /// Leaves the console while an incident is open.
    pub fn quit(run: Option<RunId>, remains: Remains) -> Self {
        Self::asking(Purpose::Quit { run, remains })
    }

    /// The engine ended.
    pub fn gone(why: String, next: String) -> Self {
        let choices = choices([
            ("start", "start the engine again"),
            ("stay", "stay, and look at the last state"),
            ("quit", "close this console"),
        ]);
        Self::choosing(Purpose::Gone { why, next }, choices)
    }

    /// Where its keys are.
    pub fn context(&self) -> Context {
        match self.stage {
            Stage::Sure if self.takes_word() => Context::TextEntry,
            Stage::Choose | Stage::Sure => Context::Dialog,
            Stage::Write => Context::TextEntry,
        }
    }

    /// What is typed instead of a yes. Whatever everybody goes by from then on, pages included, no stray key may
    /// change; nor may a text that was written for one form end another one as well. None where a key is enough.
    pub fn word(&self) -> Option<&str> {
        match &self.purpose {
            Purpose::SetSeverity => self.choice(),
            Purpose::Dismiss(_) => Some("dismiss"),
            Purpose::Undone(_) => Some("undone"),
            Purpose::Skip(..) => Some("skip"),
            Purpose::Attest(..) => Some("done"),
            Purpose::Abort(_) => Some("abort"),
            Purpose::AnswerContradiction(_) => Some("answer"),
            Purpose::RecordServing(regions) => regions.get(self.chosen).map(RegionId::as_str),
            Purpose::Resolve(_) => Some("resolve"),
            Purpose::Close(_) => Some("close"),
            Purpose::Override { .. } => Some("override"),
            // Against the suggestion, with a reason.
            Purpose::Answer { .. } if self.writes() => self.choice(),
            _ => None,
        }
    }

    /// Whether it waits for that word.
    pub fn takes_word(&self) -> bool {
        self.stage == Stage::Sure && self.word().is_some()
    }

    /// Goes to a stage.
    pub fn go(&mut self, stage: Stage) {
        self.stage = stage;
        self.typed = Field::default();
        self.pages.clear();
    }

    /// Why the word does not stand for a yes; none where it does, or none is asked for.
    pub fn word_missing(&self) -> Option<String> {
        let word = self.word()?;
        (self.typed.text() != word).then(|| format!("That is not the word. Type exactly: {word}"))
    }

    /// Nothing of a pasted text stays, nor of what was typed before it.
    pub fn refuse_paste(&mut self) {
        self.typed = Field::default();
        self.problem = Some(format!("{PASTED}."));
    }

    /// Moves the choice.
    pub fn step(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.choices.len().saturating_sub(1));
    }

    /// Takes the choice of a key; false when there is none.
    pub fn choose(&mut self, key: char) -> bool {
        let found = self.choices.iter().position(|choice| choice.key == key);
        self.chosen = found.unwrap_or(self.chosen);
        found.is_some()
    }

    /// The name of what is chosen.
    pub fn choice(&self) -> Option<&str> {
        self.choices.get(self.chosen).map(|choice| choice.name.as_str())
    }

    /// What comes after the present stage; none when the form is complete. Whatever changes the record or the world
    /// ends with a yes of its own.
    pub fn next(&self) -> Option<Stage> {
        match (self.stage, &self.purpose) {
            (Stage::Choose, Purpose::Send(_) | Purpose::Gone { .. }) | (Stage::Sure, _) => None,
            (Stage::Choose, _) if self.writes() => Some(Stage::Write),
            (Stage::Choose | Stage::Write, _) => Some(Stage::Sure),
        }
    }

    /// Whether it asks for a text, with what is chosen now.
    pub(in crate::console) fn writes(&self) -> bool {
        match &self.purpose {
            Purpose::Answer { suggested, .. } => self.choice() != suggested.as_deref(),
            Purpose::Retry(..) if self.choices.is_empty() => self.entry == Stage::Write,
            Purpose::Retry(..) => self.choice() == Some("retry"),
            Purpose::Revisit | Purpose::Acknowledge | Purpose::Quit { .. } => false,
            Purpose::Send(_) | Purpose::Gone { .. } => false,
            _ => true,
        }
    }

    /// What comes before the present stage; none when the form is left then.
    pub fn previous(&self) -> Option<Stage> {
        if self.stage == self.entry && self.stage != Stage::Write {
            return None;
        }
        match self.stage {
            Stage::Choose => None,
            Stage::Sure if self.writes() => Some(Stage::Write),
            Stage::Write | Stage::Sure => (!self.choices.is_empty()).then_some(Stage::Choose),
        }
    }

    /// What it would ask for with any text: whether the engine would take it can be told before one is written.
    /// None where that depends on what is chosen or written.
    pub fn trial(&self) -> Option<Ask> {
        use Purpose::{Answer, Gone, Page, Quit, Revisit, Send};
        if matches!(self.purpose, Answer { .. } | Gone { .. } | Page(_) | Quit { .. } | Revisit | Send(_)) {
            return None;
        }
        let text = if self.text.text().trim().is_empty() { Field::new("x") } else { self.text.clone() };
        match (Self { text, ..self.clone() }).outcome() {
            Outcome::Ask(ask) => Some(ask),
            _ => None,
        }
    }

    /// Whether it ends or passes over something, so that it is drawn as dangerous.
    pub fn is_grave(&self) -> bool {
        use Purpose::*;
        let of_a_step = matches!(self.purpose, Skip(..) | Override { .. } | Attest(..) | Abort(_));
        // These wake somebody, or let nobody be told.
        let of_people = matches!(self.purpose, Page(_) | SkipMessage | Resolve(_) | Dismiss(_));
        let of_the_world = matches!(self.purpose, AnswerContradiction(_) | RecordServing(_) | Undone(_));
        let acts = matches!(self.purpose, Declare) && self.choice() == Some(declare::ACTING_DRILL);
        of_a_step || of_people || of_the_world || acts || matches!(self.purpose, Close(_) | Quit { .. })
    }

    /// Whether its end is something that the engine is asked for.
    pub fn is_for_engine(&self) -> bool {
        !matches!(self.purpose, Purpose::Gone { .. } | Purpose::Quit { .. })
    }

    /// What the text must be; none where it may be empty.
    pub fn missing(&self) -> Option<&'static str> {
        let may_be_empty = matches!(self.purpose, Purpose::Page(_));
        let writes = self.stage == Stage::Write && !may_be_empty && self.text.text().trim().is_empty();
        writes.then_some(match self.purpose {
            Purpose::Declare => "Give it a title; everybody will read it.",
            Purpose::Note => "Write the note.",
            Purpose::HandOver => "Write the name.",
            Purpose::Resolve(_) => "Write how it was mended.",
            Purpose::Attest(..) | Purpose::Undone(_) => "Write what was done and how it was checked.",
            _ => "Write the reason; it goes into the journal.",
        })
    }

    /// Shows why it did not go through, where the text can be changed.
    pub fn refuse(&mut self, problem: String) {
        self.sent = false;
        self.problem = Some(problem);
        if self.stage == Stage::Sure {
            self.go(self.previous().unwrap_or(self.stage));
        }
    }

    /// What the complete form comes to.
    pub fn outcome(&self) -> Outcome {
        let text = self.text.text().trim().to_owned();
        let choice = self.choice().unwrap_or_default().to_owned();
        let ask = match &self.purpose {
            Purpose::Declare => Ask::Declare { title: text, mode: declare::mode(self) },
            Purpose::SetSeverity => {
                let all = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];
                let severity = all.into_iter().find(|severity| severity.as_str() == choice);
                Ask::SetSeverity { severity: severity.unwrap_or(Severity::P0), reason: text }
            }
            Purpose::Answer { question, suggested, .. } => {
                let reason = (Some(&choice) != suggested.as_ref()).then_some(text);
                Ask::Answer {
                    question: question.clone(),
                    answer: choice,
                    suggested: suggested.clone(),
                    reason,
                }
            }
            Purpose::Revisit => Ask::Revisit { question: QuestionId::new(choice) },
            Purpose::Retry(run, step) if choice == "recheck" => {
                Ask::Recheck { run: run.clone(), step: step.clone() }
            }
            Purpose::Retry(run, step) => {
                let reason = (!text.is_empty()).then_some(text);
                Ask::Retry { run: run.clone(), step: step.clone(), reason }
            }
            Purpose::Skip(run, step) => Ask::Skip { run: run.clone(), step: step.clone(), reason: text },
            Purpose::Override { run, step, guards, .. } => {
                let guard = guards.get(self.chosen).copied().unwrap_or(0);
                Ask::Override { run: run.clone(), step: step.clone(), guard, reason: text }
            }
            Purpose::Attest(run, step) => Ask::Attest { run: run.clone(), step: step.clone(), how: text },
            Purpose::Abort(_) => Ask::Abort { reason: text },
            Purpose::Note => Ask::Note { text },
            Purpose::Page(whom) => match whom.get(self.chosen) {
                Some(who) => Ask::Page { who: who.clone(), methods: Vec::new(), text },
                None => return Outcome::Stay,
            },
            Purpose::Send(what) => {
                return match what.get(self.chosen) {
                    Some((message, audience)) => Outcome::Compose(message.clone(), audience.clone()),
                    None => Outcome::Stay,
                };
            }
            Purpose::SkipMessage => Ask::SkipMessage { message: MessageId::new(choice), reason: text },
            Purpose::HandOver => {
                let role = IncidentRole::ALL.into_iter().find(|role| role.as_str() == choice);
                Ask::HandOver { role: role.unwrap_or(IncidentRole::Commander), to: text }
            }
            Purpose::Resolve(_) => Ask::Resolve { how: text },
            Purpose::Reopen(_) => Ask::Reopen { reason: text },
            Purpose::Dismiss(_) => Ask::Dismiss { reason: text },
            Purpose::AnswerContradiction(ids) => match ids.get(self.chosen) {
                Some(id) => Ask::AnswerContradiction { id: id.clone(), reason: text },
                None => return Outcome::Stay,
            },
            Purpose::RecordServing(regions) => match regions.get(self.chosen) {
                Some(region) => Ask::RecordServing { region: region.clone(), reason: text },
                None => return Outcome::Stay,
            },
            Purpose::Undone(what) => match what.get(self.chosen) {
                Some(Undo { run, step, stays }) => {
                    Ask::Undone { run: run.clone(), step: step.clone(), how: text, stays: *stays }
                }
                None => return Outcome::Stay,
            },
            Purpose::Close(_) => Ask::Close { reason: text },
            Purpose::Acknowledge => Ask::Acknowledge,
            Purpose::Quit { .. } => return Outcome::Quit,
            Purpose::Gone { .. } => {
                return match choice.as_str() {
                    "start" => Outcome::Start,
                    "quit" => Outcome::Quit,
                    _ => Outcome::Stay,
                };
            }
        };
        Outcome::Ask(ask)
    }
}

/// Choices by name and label, with the keys 1 to 9.
pub fn choices<'a>(named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Choice> {
    let keys = ('1'..='9').chain(std::iter::repeat('\0'));
    let make = |((name, label), key): ((&str, &str), char)| Choice {
        key,
        name: name.to_owned(),
        label: label.to_owned(),
    };
    named.into_iter().zip(keys).map(make).collect()
}
