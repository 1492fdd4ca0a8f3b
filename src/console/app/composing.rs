//! Writing a message, reading it as it will be sent, sending it.

use super::{App, Asked, Dialog, Effect};
use crate::base::ids::{AudienceId, MessageId};
use crate::console::input::Received;
use crate::console::keymap::{Action, Chord};
use crate::console::overlays::compose::Compose;
use crate::console::screens;
use crate::console::ui::Connection;
use crate::core::ask::lifecycle;
use crate::core::prose::message::{self, Draft};
use std::time::Instant;

/// How many texts that were left are kept.
const KEPT: usize = 8;

impl App {
    /// Opens the message that was chosen, with the text that was left before where there is one.
    pub(super) fn compose(
        &mut self,
        message: Option<MessageId>,
        audience: AudienceId,
        at: Instant,
    ) -> Vec<Effect> {
        let now = self.now(at);
        let Some(model) = &self.model else { return Vec::new() };
        let Some(incident) = lifecycle::told_about(model) else {
            self.complain("no incident is open", "Declare one first.", at);
            return vec![Effect::Draw];
        };
        let id = incident.id.clone();
        if let Some(place) = self.kept.iter().position(|kept| kept.is_for(&message, &audience, &id)) {
            let mut kept = self.kept.remove(place);
            kept.problem = Some("This is your text from before.".into());
            return self.open(Dialog::Compose(Box::new(kept)));
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
        self.open(Dialog::Compose(Box::new(compose)))
    }

    pub(super) fn key_in_compose(
        &mut self,
        action: Option<Action>,
        received: &Received,
        chord: Chord,
        at: Instant,
    ) -> Vec<Effect> {
        let previewing = matches!(&self.dialog, Some(Dialog::Compose(open)) if open.preview.is_some());
        let sure = previewing && action == Some(Action::ConfirmYes) && self.admits(received, at);
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
                    return self.renew();
                }
                Some(Action::Up) => preview.scroll(-1),
                Some(Action::Down) => preview.scroll(1),
                Some(Action::PageUp) => preview.scroll(-page),
                Some(Action::PageDown) => preview.scroll(page),
                Some(Action::ConfirmYes) if self.unseen => {
                    compose.problem = Some(screens::too_small_to_act());
                }
                Some(Action::ConfirmYes) if sure => return self.send_message(at),
                Some(Action::ConfirmYes) => {
                    compose.problem = Some("That was too soon or held down: press the key once more.".into());
                }
                Some(Action::Select) => compose.problem = Some("Enter does not send.".into()),
                _ => return Vec::new(),
            }
            return vec![Effect::Draw];
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
        vec![Effect::Draw]
    }

    /// What a person wrote is not lost by leaving it.
    fn leave_compose(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Dialog::Compose(compose)) = self.dialog.take() else { return Vec::new() };
        let changed = compose.is_changed();
        if changed {
            self.kept.push(compose.put_aside());
            self.kept.drain(..self.kept.len().saturating_sub(KEPT));
        }
        let dos = self.shut();
        if changed {
            let keys = self.keymap.keys(self.context(), Action::SendMessage);
            let key = keys.first().map_or_else(|| ":send-message".to_owned(), ToString::to_string);
            let next = format!("{key} and the same choice bring it back, until this console is closed.");
            self.toast("nothing was sent, your text is kept", next, false, at);
        }
        dos
    }

    fn preview_message(&mut self, at: Instant) -> Vec<Effect> {
        let now = self.now(at);
        let (Some(model), Some(Dialog::Compose(compose))) = (&self.model, &mut self.dialog) else {
            return Vec::new();
        };
        match compose.look_ahead(model, now) {
            Ok(preview) => {
                compose.preview = Some(preview);
                self.renew()
            }
            Err(problem) => {
                compose.problem = Some(problem);
                vec![Effect::Draw]
            }
        }
    }

    fn send_message(&mut self, at: Instant) -> Vec<Effect> {
        let now = self.now(at);
        let (Some(model), Some(Dialog::Compose(compose))) = (&self.model, &mut self.dialog) else {
            return Vec::new();
        };
        if lifecycle::told_about(model).is_none_or(|incident| incident.id != compose.incident) {
            compose.refuse("This incident was closed meanwhile.".into());
            return vec![Effect::Draw];
        }
        if let Err(problem) = compose.still_holds(model, now) {
            compose.problem = Some(problem);
            return self.renew();
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
    pub(super) fn queued(&mut self, at: Instant) -> Vec<Effect> {
        let Some(Dialog::Compose(compose)) = &self.dialog else { return Vec::new() };
        if !compose.sent {
            return Vec::new();
        }
        let count = compose.preview.as_ref().map_or(0, |preview| preview.to.len());
        let dos = self.shut();
        let keys = self.keymap.keys(self.context(), Action::GotoEscalation);
        let key = keys.first().map_or_else(|| ":goto-escalation".to_owned(), ToString::to_string);
        let ways = if count == 1 { "1 way".to_owned() } else { format!("{count} ways") };
        self.toast(format!("queued on {ways}"), format!("{key} shows whether it arrives."), false, at);
        dos
    }
}
