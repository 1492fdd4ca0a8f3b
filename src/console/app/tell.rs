//! Telling people: acknowledging, paging, writing messages, handing over, resolving.

use super::compose::Compose;
use super::form::{self, Form, Purpose};
use super::help::{Line, Reading};
use super::{App, Asked, Dialog, Do};
use crate::console::input::Received;
use crate::console::keymap::{Action, Chord};
use crate::console::screens::escalation;
use crate::console::ui::Connection;
use crate::console::widgets::wrap;
use crate::core::awareness;
use crate::core::command::Ask;
use crate::core::decide::current_escalation;
use crate::core::escalation::IncidentRole;
use crate::core::message::{self, Draft};
use crate::core::model::Model;
use crate::core::{brief, describe, lifecycle, oncall, recipients};
use crate::ids::{AudienceId, MessageId};
use crate::plan::Who;
use jiff::Timestamp;
use std::time::Instant;

/// How many texts that were left are kept.
const KEPT: usize = 8;
/// The width to which texts to read are broken; the smallest terminal shows it.
const READING_WIDTH: usize = 70;

impl App {
    /// Takes the escalation on.
    pub(super) fn acknowledge(&mut self, at: Instant) -> Vec<Do> {
        self.ask(Ask::Acknowledge, Asked::Plain, at)
    }

    /// Somebody took it on, perhaps whoever sits here.
    pub(super) fn acknowledged(&mut self, who: &str, via: &str, at: Instant) {
        if who != self.operator {
            return self.toast(format!("{who} acknowledged ({via})"), "", false, at);
        }
        let escalation = self.model.as_ref().and_then(|model| Some((model, current_escalation(model)?)));
        let policy = escalation.and_then(|(model, now)| model.plan.policies.get(now.policy.as_ref()?));
        let next = policy.and_then(|policy| policy.repage).map_or_else(String::new, |silence| {
            let keys = self.keymap.keys(self.screen_context(), Action::Note);
            let key = keys.first().map_or_else(|| ":note".to_owned(), ToString::to_string);
            let silence = crate::units::duration(silence);
            format!("{key} notes what you do: after {silence} of silence people are paged anew.")
        });
        self.toast("you took it on, no further level is paged", next, false, at);
    }

    /// Opens the form of what is to be done for people.
    pub(super) fn act_on_people(&mut self, action: Action, at: Instant) -> Vec<Do> {
        let now = self.now(at);
        let Some(model) = &self.model else {
            self.complain("the engine was not reached yet", "Wait a moment.", at);
            return vec![Do::Draw];
        };
        match form_for(action, model, now) {
            Ok(form) => self.open(Dialog::Form(form), at),
            Err((why, next)) => {
                self.complain(why, next, at);
                vec![Do::Draw]
            }
        }
    }

    /// Shows what somebody who takes over has to know.
    pub(super) fn brief(&mut self, at: Instant) -> Vec<Do> {
        let now = self.now(at);
        let Some(model) = &self.model else {
            self.complain("the engine was not reached yet", "Wait a moment.", at);
            return vec![Do::Draw];
        };
        let reading = reading("Brief".into(), brief::lines(model, now));
        self.open(Dialog::Preview(reading), at)
    }

    /// Shows all that is known of the selected message, and its whole text.
    pub(super) fn read_notification(&mut self, at: Instant) -> Vec<Do> {
        let now = self.now(at);
        let found = self.model.as_ref().and_then(|model| {
            let rows = escalation::rows(model, &self.ui.filter);
            let known = *rows.get(self.ui.escalation.selected.min(rows.len().checked_sub(1)?))?;
            let about = escalation::paragraphs(model, known, now);
            let mut lines: Vec<String> =
                about.into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
            lines.push(String::new());
            lines.extend(escalation::texts(model, known));
            Some(reading(describe::to_whom(&known.queued, &model.plan), lines))
        });
        match found {
            Some(reading) => self.open(Dialog::Preview(reading), at),
            None => self.unheard("no message is selected", at),
        }
    }

    /// Opens the message that was chosen, with the text that was left before where there is one.
    pub(super) fn compose(
        &mut self,
        message: Option<MessageId>,
        audience: AudienceId,
        at: Instant,
    ) -> Vec<Do> {
        let now = self.now(at);
        let Some(model) = &self.model else { return Vec::new() };
        let Some(incident) = lifecycle::told_about(model) else {
            self.complain("no incident is open", "Declare one first.", at);
            return vec![Do::Draw];
        };
        let id = incident.id.clone();
        if let Some(place) = self.kept.iter().position(|kept| kept.is_for(&message, &audience, &id)) {
            let mut kept = self.kept.remove(place);
            kept.problem = Some("This is your text from before.".into());
            return self.open(Dialog::Compose(Box::new(kept)), at);
        }
        let (draft, problem) = match &message {
            None => {
                let severity = model.severity().map_or("incident", |severity| severity.as_str());
                let subject = format!("[{severity}] {}: {}", model.plan.name, incident.title);
                (Draft { subject, body: String::new() }, None)
            }
            Some(message) => match message::draft(model, message, now) {
                Ok(draft) => (draft, None),
                Err(why) => {
                    let problem = format!("The plan's text cannot be filled in ({why}): write it.");
                    (Draft { subject: incident.title.clone(), body: String::new() }, Some(problem))
                }
            },
        };
        let mut compose = Compose::new(message, audience, id, &draft);
        compose.problem = problem;
        self.open(Dialog::Compose(Box::new(compose)), at)
    }

    pub(super) fn key_in_compose(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Do> {
        let previewing = matches!(&self.dialog, Some(Dialog::Compose(open)) if open.preview.is_some());
        let sure = previewing && action == Some(Action::ConfirmYes) && self.admits(received);
        let page = self.page();
        let Some(Dialog::Compose(compose)) = &mut self.dialog else { return Vec::new() };
        // Its answer comes, or the connection is called lost; before that it could only be sent twice.
        if compose.sent {
            return Vec::new();
        }
        compose.problem = None;
        if let Some(preview) = &mut compose.preview {
            match action {
                Some(Action::Back) => {
                    compose.preview = None;
                    return self.renew(at);
                }
                Some(Action::Up) => preview.scroll(-1),
                Some(Action::Down) => preview.scroll(1),
                Some(Action::PageUp) => preview.scroll(-page),
                Some(Action::PageDown) => preview.scroll(page),
                Some(Action::ConfirmYes) if sure => return self.send_message(at),
                Some(Action::ConfirmYes) => {
                    compose.problem = Some("That was too soon or held down: press the key once more.".into());
                }
                Some(Action::Select) => compose.problem = Some("Enter does not send.".into()),
                _ => return Vec::new(),
            }
            return vec![Do::Draw];
        }
        match action {
            Some(Action::Back) => return self.leave_compose(at),
            Some(Action::PreviewMessage) => return self.preview_message(at),
            Some(Action::NextField) => compose.in_body = !compose.in_body,
            Some(Action::Submit) if compose.in_body => compose.body.break_line(),
            Some(Action::Submit) => compose.in_body = true,
            Some(Action::PageUp) if compose.in_body => compose.body.step(-page / 2),
            Some(Action::PageDown) if compose.in_body => compose.body.step(page / 2),
            None if compose.in_body => drop(compose.body.press(chord)),
            None => drop(compose.subject.press(chord)),
            _ => return Vec::new(),
        }
        vec![Do::Draw]
    }

    /// What a person wrote is not lost by leaving it.
    fn leave_compose(&mut self, at: Instant) -> Vec<Do> {
        let Some(Dialog::Compose(compose)) = self.dialog.take() else { return Vec::new() };
        let changed = compose.is_changed();
        if changed {
            self.kept.push(compose.put_aside());
            self.kept.drain(..self.kept.len().saturating_sub(KEPT));
        }
        let dos = self.shut(at);
        if changed {
            let keys = self.keymap.keys(self.context(), Action::SendMessage);
            let key = keys.first().map_or_else(|| ":send-message".to_owned(), ToString::to_string);
            let next = format!("{key} and the same choice bring it back, until this console is closed.");
            self.toast("nothing was sent, your text is kept", next, false, at);
        }
        dos
    }

    fn preview_message(&mut self, at: Instant) -> Vec<Do> {
        let now = self.now(at);
        let (Some(model), Some(Dialog::Compose(compose))) = (&self.model, &mut self.dialog) else {
            return Vec::new();
        };
        match compose.look_ahead(model, now) {
            Ok(preview) => {
                compose.preview = Some(preview);
                self.renew(at)
            }
            Err(problem) => {
                compose.problem = Some(problem);
                vec![Do::Draw]
            }
        }
    }

    fn send_message(&mut self, at: Instant) -> Vec<Do> {
        let now = self.now(at);
        let (Some(model), Some(Dialog::Compose(compose))) = (&self.model, &mut self.dialog) else {
            return Vec::new();
        };
        if lifecycle::told_about(model).is_none_or(|incident| incident.id != compose.incident) {
            compose.refuse("This incident was closed meanwhile.".into());
            return vec![Do::Draw];
        }
        if let Err(problem) = compose.still_holds(model, now) {
            compose.problem = Some(problem);
            return self.renew(at);
        }
        let ask = compose.ask();
        let dos = self.ask(ask, Asked::Message, at);
        if self.ui.connection == Connection::Attached
            && let Some(Dialog::Compose(compose)) = &mut self.dialog
        {
            compose.sent = true;
        }
        dos
    }

    /// The engine has the message; what becomes of it is on the screen of the escalation.
    pub(super) fn queued(&mut self, at: Instant) -> Vec<Do> {
        let Some(Dialog::Compose(compose)) = &self.dialog else { return Vec::new() };
        if !compose.sent {
            return Vec::new();
        }
        let count = compose.preview.as_ref().map_or(0, |preview| preview.to.len());
        let dos = self.shut(at);
        let keys = self.keymap.keys(self.context(), Action::GotoEscalation);
        let key = keys.first().map_or_else(|| ":goto-escalation".to_owned(), ToString::to_string);
        let ways = if count == 1 { "1 way".to_owned() } else { format!("{count} ways") };
        self.toast(format!("queued on {ways}"), format!("{key} shows whether it arrives."), false, at);
        dos
    }
}

/// Lines to read, broken to the width of the smallest terminal.
fn reading(title: String, lines: Vec<String>) -> Reading {
    let broken = lines.iter().flat_map(|line| match line.trim().is_empty() {
        true => vec![String::new()],
        false => wrap(line, READING_WIDTH),
    });
    Reading { title, lines: broken.map(Line::Text).collect(), offset: 0 }
}

type Why = (&'static str, &'static str);

const NO_INCIDENT: Why =
    ("no incident is open", "Declare one first; everything that follows is recorded under it.");

fn form_for(action: Action, model: &Model, now: Timestamp) -> Result<Form, Why> {
    let durable = &model.durable;
    let incident = durable.incident.as_ref().ok_or(NO_INCIDENT);
    match action {
        Action::Page if durable.incident.is_none() && durable.proposal.is_none() => Err(NO_INCIDENT),
        Action::Page => page(model, now),
        Action::SendMessage => send(model, now),
        Action::WaiveMessage => waive(model, now),
        Action::HandOver => incident.map(|_| hand_over(model)),
        Action::Resolve => match incident? {
            open if open.resolved.is_some() => {
                Err(("it is resolved already", "Watch the system, then close the incident."))
            }
            open if open.open_run().is_some() => {
                Err(("a runbook is still running", "Settle its steps, or abort it with a reason."))
            }
            open => Ok(Form::writing(Purpose::Resolve(open.id.clone()))),
        },
        Action::Reopen => match incident? {
            open if open.resolved.is_none() => {
                Err(("the incident was not resolved", "There is nothing to reopen: go on."))
            }
            open => Ok(Form::writing(Purpose::Reopen(open.id.clone()))),
        },
        _ => match &durable.proposal {
            Some(proposal) => Ok(Form::writing(Purpose::Dismiss(proposal.id.clone()))),
            None => Err(("nothing is proposed", "An incident is closed instead.")),
        },
    }
}

/// Rotations with who is on call now, then the contacts, each with the ways to them.
fn page(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let rotations = model.plan.rotations.iter().map(|(id, rotation)| {
        let who = match oncall::at(model, id, now) {
            Ok(contact) => model.plan.contacts.get(&contact).map_or(contact.to_string(), |c| c.name.clone()),
            Err(_) => "NOBODY".into(),
        };
        (Who::OnCall(id.clone()), format!("on call, {}: {who}", rotation.title))
    });
    let contacts = model.plan.contacts.iter().map(|(id, contact)| {
        let role = if contact.role.is_empty() { String::new() } else { format!(", {}", contact.role) };
        (Who::Contact(id.clone()), format!("{}{role}", contact.name))
    });
    let (whom, labels): (Vec<Who>, Vec<String>) = rotations
        .chain(contacts)
        .map(|(who, label)| (who.clone(), label_ways(model, &who, &label, now)))
        .unzip();
    if whom.is_empty() {
        return Err(("the plan has no contacts", "Call people, then note whom you told."));
    }
    let choices = form::choices(labels.iter().map(|label| ("", label.as_str())));
    Ok(Form::choosing(Purpose::Page(whom), choices))
}

fn label_ways(model: &Model, who: &Who, label: &str, now: Timestamp) -> String {
    let found = recipients::resolve(model, std::slice::from_ref(who), &[], false, now);
    let ways = found.people.iter().flat_map(|recipient| &recipient.ways).map(|way| {
        model.plan.channels.get(&way.channel).map_or_else(|| way.channel.to_string(), |c| c.title.clone())
    });
    let mut ways: Vec<String> = ways.collect();
    ways.dedup();
    match ways.is_empty() {
        true => format!("{label} (NO WAY leads there)"),
        false => format!("{label} ({})", ways.join(", ")),
    }
}

/// What is due first, then the plan's other messages, then a text of one's own to each audience.
fn send(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let owed = awareness::owed(model);
    if model.durable.incident.is_none() && owed.is_empty() {
        return Err(NO_INCIDENT);
    }
    let whom = |audience: &AudienceId| match model.plan.audiences.get(audience) {
        Some(audience) if audience.public => format!("{} (PUBLIC)", audience.title),
        Some(audience) => audience.title.clone(),
        None => format!("{audience}, which the plan has no more"),
    };
    let mut what: Vec<(Option<MessageId>, AudienceId)> = Vec::new();
    let mut labels = Vec::new();
    for due in &owed {
        let Some(template) = model.plan.messages.get(&due.message) else { continue };
        let clock = crate::units::clock(due.left(now));
        let when =
            if due.is_overdue(now) { format!("OVERDUE by {clock}") } else { format!("due in {clock}") };
        labels.push(format!("{when}: {}, to {}", due.title, whom(&template.audience)));
        what.push((Some(due.message.clone()), template.audience.clone()));
    }
    // After the close only what is due can be sent.
    if model.durable.incident.is_some() {
        for (id, template) in &model.plan.messages {
            if !owed.iter().any(|due| due.message == *id) {
                labels.push(format!("{}, to {}", template.title, whom(&template.audience)));
                what.push((Some(id.clone()), template.audience.clone()));
            }
        }
        for id in model.plan.audiences.keys() {
            labels.push(format!("your own text, to {}", whom(id)));
            what.push((None, id.clone()));
        }
    }
    if what.is_empty() {
        return Err(("the plan has no audiences", "Tell people otherwise, then note whom you told."));
    }
    let choices = form::choices(labels.iter().map(|label| ("", label.as_str())));
    Ok(Form::choosing(Purpose::Send(what), choices))
}

fn waive(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let owed = awareness::owed(model);
    let labels = owed.iter().map(|due| {
        let clock = crate::units::clock(due.left(now));
        let when =
            if due.is_overdue(now) { format!("OVERDUE by {clock}") } else { format!("due in {clock}") };
        (due.message.as_str(), format!("{}, to {}: {when}", due.title, due.audience))
    });
    let labels: Vec<(&str, String)> = labels.collect();
    if labels.is_empty() {
        return Err(("no message is due", "There is nothing to do without."));
    }
    let choices = form::choices(labels.iter().map(|(id, label)| (*id, label.as_str())));
    Ok(Form::choosing(Purpose::Waive, choices))
}

fn hand_over(model: &Model) -> Form {
    let holder = |role| {
        let incident = model.durable.incident.as_ref();
        incident.and_then(|incident| incident.holder(role)).unwrap_or_else(|| "nobody".into())
    };
    let does = |role| match role {
        IncidentRole::Commander => "decides",
        IncidentRole::Communications => "tells people",
        IncidentRole::Operations => "acts",
        IncidentRole::Scribe => "writes down",
    };
    let labels = IncidentRole::ALL
        .map(|role| (role.as_str(), format!("{}, who {}: {} now", role.as_str(), does(role), holder(role))));
    let choices = form::choices(labels.iter().map(|(name, label)| (*name, label.as_str())));
    let names = model.plan.contacts.values().map(|contact| crate::text::clean(&contact.name, 80));
    Form::hand_over(choices, names.collect())
}
