//! Telling people: acknowledging, the forms of the rest, what there is to read.

use super::{App, Dialog, Effect};
use crate::console::keymap::Action;
use crate::console::overlays::help::{Line, Reading};
use crate::console::overlays::people;
use crate::console::screens::escalation;
use crate::console::ui::Screen;
use crate::console::widgets::wrap;
use crate::core::decide::current_escalation;
use crate::core::prose::{brief, describe};
use std::time::Instant;

/// The width to which texts to read are broken; the smallest terminal shows it.
const READING_WIDTH: usize = 70;

impl App {
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
            let silence = crate::base::units::duration(silence);
            format!("{key} notes what you do: after {silence} of silence people are paged anew.")
        });
        self.toast("you took it on, no further level is paged", next, false, at);
    }

    /// Opens the form of what is to be done for people.
    pub(super) fn act_on_people(&mut self, action: Action, at: Instant) -> Vec<Effect> {
        let now = self.now(at);
        let Some(model) = &self.model else {
            self.complain("the engine was not reached yet", "Wait a moment.", at);
            return vec![Effect::Draw];
        };
        match people::form_for(action, model, now) {
            Ok(form) => self.open_form(form, at),
            Err((why, next)) => self.refuse_form(why, next, at),
        }
    }

    /// Shows what somebody who takes over has to know.
    pub(super) fn brief(&mut self, at: Instant) -> Vec<Effect> {
        let now = self.now(at);
        let Some(model) = &self.model else {
            self.complain("the engine was not reached yet", "Wait a moment.", at);
            return vec![Effect::Draw];
        };
        let mut brief = reading("Brief".into(), brief::lines(model, now));
        if !self.cut.is_empty() {
            let mut lines = vec![Line::Heading("WHOLE, what is cut off on the screen:".into())];
            for text in &self.cut {
                lines.extend(reading(String::new(), vec![text.clone(), String::new()]).lines);
            }
            lines.push(Line::Heading("THE BRIEF:".into()));
            brief.lines.splice(0..0, lines);
        }
        self.open(Dialog::Preview(brief))
    }

    /// Shows all that is known of the selected message, and its whole text.
    pub(super) fn read_notification(&mut self, at: Instant) -> Vec<Effect> {
        let now = self.now(at);
        let found = self.model.as_ref().and_then(|model| {
            let rows = escalation::rows(model, &self.ui.filter);
            let known =
                *rows.get(self.ui.cursor(Screen::Escalation).selected.min(rows.len().checked_sub(1)?))?;
            let about = escalation::paragraphs(model, known, now);
            let mut lines: Vec<String> =
                about.into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
            lines.push(String::new());
            lines.extend(escalation::texts(model, known));
            Some(reading(describe::to_whom(&known.queued, &model.plan), lines))
        });
        match found {
            Some(reading) => self.open(Dialog::Preview(reading)),
            None => self.unheard("no message is selected", at),
        }
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
