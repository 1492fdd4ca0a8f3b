//! The journal read back as events: for an engine that takes over, and for commands that need none. Takes no lock.

use crate::core::apply::apply;
use crate::core::fact::Event;
use crate::core::model::Model;
use crate::engine::ledger::LedgerError;
use crate::engine::record;
use crate::journal::{self, TORN_TAIL};
use crate::plan::Plan;
use std::path::Path;
use std::sync::Arc;

/// The events of the journal in `folder`, oldest first.
///
/// # Errors
/// When the journal cannot be read; each item, when its record is bad or not known to this version.
pub fn events(folder: &Path) -> Result<impl Iterator<Item = Result<Event, LedgerError>>, LedgerError> {
    let records = journal::read(folder)?;
    Ok(records.filter_map(|record| match record {
        // It accounts for bytes of the journal itself and tells nothing of the system.
        Ok(record) if record.action == TORN_TAIL => None,
        Ok(record) => Some(record::event(&record).map_err(LedgerError::from)),
        Err(error) => Some(Err(error.into())),
    }))
}

/// The model that the journal in `folder` comes to under a plan.
///
/// # Errors
/// As [`events`].
pub fn model(plan: Arc<Plan>, folder: &Path) -> Result<Model, LedgerError> {
    let mut model = Model::new(plan);
    for event in events(folder)? {
        apply(&mut model, &event?);
    }
    Ok(model)
}
