//! A message that a person writes: a subject, a text, and before it is sent exactly what is sent and to whom.

use super::body::Body;
use super::field::Field;
use crate::base::ids::{AudienceId, IncidentId, MessageId};
use crate::base::text::ended;
use crate::console::keymap::Context;
use crate::core::ask::recipients;
use crate::core::decide::decide;
use crate::core::model::Model;
use crate::core::prose::message::Draft;
use crate::core::words::actor::Actor;
use crate::core::words::command::{Ask, Command, Request};
use crate::core::words::fact::Fact;
use crate::core::words::notification::{Message, Queued};
use jiff::Timestamp;

/// What would be sent, as the engine would send it.
#[derive(Clone, PartialEq, Debug)]
pub struct Preview {
    pub message: Message,
    /// To whom, on which ways.
    pub to: Vec<Queued>,
    /// Why somebody is missing.
    pub missing: Vec<String>,
    /// The first line in view.
    pub offset: usize,
}

impl Preview {
    /// Moves; drawing never goes past the end.
    pub fn scroll(&mut self, by: isize) {
        // No screen wraps to less than this, so that no line is out of reach.
        let wrapped = |line: &str| 1 + line.chars().count() / 40;
        let text: usize = self.message.body.lines().map(wrapped).sum();
        let most = text + 2 * self.to.len() + self.missing.len() + 12;
        self.offset = self.offset.saturating_add_signed(by).min(most);
    }

    fn is_same(&self, other: &Self) -> bool {
        let ways = |preview: &Self| -> Vec<_> {
            preview.to.iter().map(|queued| (queued.name.clone(), queued.way.clone())).collect()
        };
        // The journal's head goes on with every record; the rest is what was read.
        let said = |preview: &Self| (preview.message.subject.clone(), preview.message.body.clone());
        ways(self) == ways(other) && said(self) == said(other) && self.missing == other.missing
    }
}

/// A message that is written.
#[derive(Clone, Debug)]
pub struct Compose {
    /// The plan's message that it is; none for one of the person's own.
    pub message: Option<MessageId>,
    pub audience: AudienceId,
    /// What it is about.
    pub incident: IncidentId,
    /// One line.
    pub subject: Field,
    /// The text.
    pub body: Body,
    /// The text has the keys, not the subject.
    pub in_body: bool,
    /// What would be sent, while it is shown.
    pub preview: Option<Preview>,
    /// Why it did not go through.
    pub problem: Option<String>,
    /// Its reply is on its way.
    pub sent: bool,
    drafted: (String, String),
}

impl Compose {
    /// Begins with a draft.
    pub fn new(
        message: Option<MessageId>,
        audience: AudienceId,
        incident: IncidentId,
        draft: &Draft,
    ) -> Self {
        let (subject, body) = (Field::new(&draft.subject), Body::new(&draft.body));
        let drafted = (subject.text().to_owned(), body.text());
        let in_body = !draft.subject.is_empty();
        let (preview, problem, sent) = (None, None, false);
        Self { message, audience, incident, subject, body, in_body, preview, problem, sent, drafted }
    }

    /// Where its keys are.
    pub fn context(&self) -> Context {
        if self.preview.is_some() { Context::Dialog } else { Context::TextEntry }
    }

    /// Whether a person changed what was drafted.
    pub fn is_changed(&self) -> bool {
        (self.subject.text(), self.body.text()) != (self.drafted.0.as_str(), self.drafted.1.clone())
    }

    /// Whether it is about the same thing, for the same people.
    pub fn is_for(&self, message: &Option<MessageId>, audience: &AudienceId, incident: &IncidentId) -> bool {
        (&self.message, &self.audience, &self.incident) == (message, audience, incident)
    }

    /// Takes pasted text where the cursor is; a preview takes none.
    pub fn paste(&mut self, text: &str) {
        match (self.preview.is_some() || self.sent, self.in_body) {
            (true, _) => self.problem = Some("A paste does not count here.".into()),
            (false, true) => self.body.paste(text),
            (false, false) => self.subject.paste(text),
        }
    }

    /// What the engine is asked for.
    pub fn ask(&self) -> Ask {
        Ask::Send {
            message: self.message.clone(),
            audience: self.audience.clone(),
            subject: self.subject.text().trim().to_owned(),
            body: self.body.text().trim().to_owned(),
        }
    }

    /// What would be sent now: the engine's own decision, made here to be read.
    ///
    /// # Errors
    /// In words for the operator, when it would be refused.
    pub fn look_ahead(&self, model: &Model, now: Timestamp) -> Result<Preview, String> {
        let request = Request { at: now, by: Actor::Engine, command: Command::Ask(self.ask()) };
        let facts =
            decide(model, &request).map_err(|refusal| format!("{} {}", ended(&refusal.why), refusal.next))?;
        let queued = facts.into_iter().find_map(|fact| match fact {
            Fact::NotificationsQueued { message, to, .. } => Some((message, to)),
            _ => None,
        });
        let (message, to) = queued.ok_or("nothing would be sent")?;
        let audience = model.plan.audiences.get(&self.audience);
        let missing = audience.map_or_else(Vec::new, |audience| {
            recipients::resolve(model, &audience.who, &audience.methods, audience.public, now).missing
        });
        Ok(Preview { message, to, missing, offset: 0 })
    }

    /// Whether what is shown is still what would be sent; else shows that.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn still_holds(&mut self, model: &Model, now: Timestamp) -> Result<(), String> {
        let latest = self.look_ahead(model, now)?;
        match self.preview.replace(latest.clone()) {
            Some(shown) if shown.is_same(&latest) => Ok(()),
            _ => Err("What would be sent, or to whom, changed meanwhile: read it again.".into()),
        }
    }

    /// The text alone, to go on with later.
    pub fn put_aside(self) -> Self {
        Self { sent: false, preview: None, problem: None, ..self }
    }

    /// Shows why it did not go through, where the text can be changed.
    pub fn refuse(&mut self, problem: String) {
        self.sent = false;
        self.preview = None;
        self.problem = Some(problem);
    }
}
