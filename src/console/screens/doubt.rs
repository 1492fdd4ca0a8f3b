//! What may be believed of an engine that is not heard.

use crate::base::ids::ProbeId;
use crate::console::screens::View;
use crate::console::ui::Connection;
use crate::core::model::{Model, Status};
use crate::core::words::signal::{Signal, SignalState, Streak};

/// Draws what the view shows, or what may be believed of it.
pub fn believed<T>(view: &View<'_>, draw: impl FnOnce(&View<'_>) -> T) -> T {
    match doubted(view.model, &view.ui.connection) {
        Some(model) => draw(&View { model: &model, styles: view.styles.doubting(), ..*view }),
        None => draw(view),
    }
}

/// The model while the engine hangs or is out of reach: what it measured last may be wrong by now, so every signal,
/// region and service is unknown since then, and says what it was. What was recorded stays. None while the engine is heard.
fn doubted(model: &Model, connection: &Connection) -> Option<Model> {
    let since = connection.cut_off_since()?;
    let mut model = model.clone();
    let known: Vec<(ProbeId, String)> = model
        .durable
        .signals
        .iter()
        .filter(|(_, signal)| signal.state != SignalState::Unknown)
        .map(|(id, signal)| (id.clone(), format!("was {}: {}", signal.state.as_str(), model.why(id))))
        .collect();
    for (id, was) in known {
        if let Some(signal) = model.durable.signals.get_mut(&id) {
            let critical_since = signal.critical_since;
            let unknown_since = Some(since);
            *signal = Signal { state: SignalState::Unknown, since, critical_since, unknown_since, why: was };
        }
        if let Some(recent) = model.live.recent.get_mut(&id) {
            // Nothing is under way that could make it sure.
            recent.streak = Streak::default();
        }
    }
    let durable = &mut model.durable;
    for standing in durable.regions.values_mut().chain(durable.services.values_mut()) {
        standing.status = Status::Unknown;
        standing.since = since;
    }
    Some(model)
}
