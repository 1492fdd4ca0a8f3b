//! The journal read back as events: for an engine that takes over, and for commands that need none. Takes no lock.

use crate::core::apply::apply;
use crate::core::model::Model;
use crate::core::words::fact::Event;
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

/// The name of the plan whose engine last took the journal in `folder` over; none where there is no journal, or it
/// cannot be read.
pub fn plan_name(folder: &Path) -> Option<String> {
    let records = journal::read(folder).ok()?.filter_map(Result::ok);
    records.filter(|record| record.action == ENGINE_STARTED).last().map(|record| record.destination)
}

/// The action of an engine's start, whose destination is its plan.
const ENGINE_STARTED: &str = "engine-started";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::{fixture, people};
    use crate::core::words::command::Ask;
    use crate::core::words::incident::Mode;
    use crate::journal::{Journal, Options};

    /// A journal of what the machine did, each record made under the model of that moment as the engine does.
    fn written(folder: &Path, log: &[Event]) {
        let options = Options { append_only: false, ..Options::default() };
        let (mut journal, _) = Journal::open(folder, &options).unwrap();
        let mut model = Model::new(people::plan());
        for event in log {
            journal.append(&[record::entry(&model, event).unwrap()]).unwrap();
            apply(&mut model, event);
        }
    }

    #[test]
    fn what_was_told_is_read_back_from_the_journal_as_it_was() {
        let mut machine = people::with_people(fixture::Machine::primary_down());
        machine.pass(70, &fixture::down());
        machine.settle();
        machine.ask(Ask::Declare { title: "gone".into(), mode: Mode::Live }).unwrap();
        machine.ask(Ask::Acknowledge).unwrap();
        machine.pass(5, &fixture::down());
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &machine.log);
        let read: Vec<Event> = events(folder.path()).unwrap().map(Result::unwrap).collect();
        let bare = |event: &Event| (event.at, event.by.clone(), event.fact.clone());
        assert_eq!(
            read.iter().map(bare).collect::<Vec<_>>(),
            machine.log.iter().map(bare).collect::<Vec<_>>()
        );
        let folded = model(people::plan(), folder.path()).unwrap();
        assert_eq!(folded.durable.notifications, machine.model.durable.notifications);
        assert_eq!(folded.durable.escalation, machine.model.durable.escalation);
    }
}
