//! The confirmation of a step: it holds the very bundle that it shows, and sends its name and nothing else.

use super::field::Field;
use crate::console::keymap::Context;
use crate::console::pages::Pages;
use crate::core::words::command::Ask;
use crate::core::words::confirmation::Confirmation;
use jiff::Timestamp;

/// What is said of a paste, with brackets or without.
pub(in crate::console) const PASTED: &str = "pasted text confirms nothing: type it";

/// An open confirmation.
#[derive(Clone, Debug)]
pub struct Confirming {
    pub confirmation: Confirmation,
    pub typed: Field,
    /// Why it did not go through.
    pub problem: Option<String>,
    /// Its reply is on its way.
    pub sent: bool,
    /// Where somebody is in it, where it does not fit.
    pub pages: Pages,
}

impl Confirming {
    /// Shows a bundle.
    pub fn new(confirmation: Confirmation) -> Self {
        Self { confirmation, typed: Field::default(), problem: None, sent: false, pages: Pages::default() }
    }

    /// Where its keys are.
    pub fn context(&self) -> Context {
        if self.phrase().is_some() { Context::TextEntry } else { Context::Dialog }
    }

    /// What must be typed; none where a key is enough, or nothing can be confirmed.
    pub fn phrase(&self) -> Option<&str> {
        self.confirmation.phrase().filter(|_| self.confirmation.blocking_guard().is_none())
    }

    /// The confirmation as it would be sent, or why it cannot be.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn ask(&self, now: Timestamp) -> Result<Ask, String> {
        let confirmation = &self.confirmation;
        if self.sent {
            return Err("It was sent; the engine has not answered yet.".into());
        }
        if now >= confirmation.expires_at {
            return Err("It expired. Close it and open a new one.".into());
        }
        if let Some((_, guard)) = confirmation.blocking_guard() {
            let how = "Close it, then wait, override the guard or skip the step.";
            return Err(format!("The guard {} does not let it run. {how}", guard.condition));
        }
        let typed = match self.phrase() {
            Some(phrase) if self.typed.text() != phrase => {
                return Err(format!("What you typed is not the target's name. Type exactly: {phrase}"));
            }
            phrase => phrase.map(str::to_owned),
        };
        Ok(Ask::Confirm { confirmation: confirmation.id.clone(), typed })
    }

    /// Nothing of a pasted text stays, nor of what was typed before it: nobody knows where the one ends.
    pub fn refuse_paste(&mut self) {
        self.typed = Field::default();
        self.problem = Some(format!("{PASTED}."));
    }

    /// Shows why it did not go through.
    pub fn refuse(&mut self, problem: String) {
        self.sent = false;
        self.problem = Some(problem);
    }
}
