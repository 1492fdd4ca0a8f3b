//! Asking the engine what is behind a signal, and showing what it finds.

use super::{App, Dialog, Effect};
use crate::console::overlays::diagnosis::Diagnosing;
use crate::console::screens::overview;
use crate::console::ui::Screen;
use crate::core::model::Model;
use crate::core::words::diagnosis::Diagnosis;
use crate::plan::ProbeSpec;
use std::time::Instant;

impl App {
    /// Opens what is behind the selected signal, and asks the engine for it. It is read anew each time.
    pub(super) fn diagnose(&mut self, at: Instant) -> Vec<Effect> {
        let opened = self.to_diagnose().and_then(|(model, spec)| match self.out_of_reach() {
            None => Ok(Diagnosing::new(model, spec, at)),
            Some(refused) => Err(refused),
        });
        match opened {
            Ok(open) => {
                let ask = Effect::Diagnose(open.probe.clone());
                let mut dos = self.open(Dialog::Diagnosis(Box::new(open)));
                dos.push(ask);
                dos
            }
            Err((why, next)) => {
                self.complain(why, next, at);
                vec![Effect::Draw]
            }
        }
    }

    /// The selected signal, where more can be read of it; why not, and what to do.
    pub(super) fn to_diagnose(&self) -> Result<(&Model, &ProbeSpec), (&'static str, &'static str)> {
        let not_reached = ("the engine was not reached yet", "Wait a moment.");
        let model = self.model.as_ref().ok_or(not_reached)?;
        if self.ui.screen != Screen::Overview {
            return Err(("a signal is chosen on the overview", "Go there and select one."));
        }
        let rows = overview::rows(model, &self.ui.filter);
        let last = rows.len().saturating_sub(1);
        let row = rows.get(self.ui.cursor(Screen::Overview).selected.min(last));
        let spec = row.and_then(|row| model.plan.probes.get(row.probe));
        let spec = spec.ok_or(("no signal is selected", "Choose one in the list."))?;
        match spec.sees.has_diagnosis() {
            true => Ok((model, spec)),
            false => Err((
                "there is no more behind this signal than its details say",
                "Signals of Kubernetes workloads have pods, warnings and logs behind them.",
            )),
        }
    }

    /// The engine found something; it is shown where it is waited for.
    pub(super) fn diagnosed(&mut self, found: &Diagnosis) -> Vec<Effect> {
        match &mut self.dialog {
            Some(Dialog::Diagnosis(open)) => {
                open.answer(found);
                vec![Effect::Draw]
            }
            _ => Vec::new(),
        }
    }
}
