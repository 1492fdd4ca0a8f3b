//! Facts become durable, then part of the model, in that order.

use crate::base::problem::Problem;
use crate::core::apply::apply;
use crate::core::model::Model;
use crate::core::react::react;
use crate::core::words::actor::Actor;
use crate::core::words::effect::Effect;
use crate::core::words::fact::{Event, Fact};
use crate::engine::record::{self, UnknownRecord};
use crate::engine::replay;
use crate::engine::shared::SharedModel;
use crate::journal::{self, Entry, Head, Journal, JournalError, Lock, Options, Recovery, TORN_TAIL};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// The most observations that wait in memory for a journal that cannot be written.
const WAITING_LIMIT: usize = 10_000;
/// The room that a journal must have again after it failed. With less a short record fits where the next one does not,
/// and the engine would go on and fail by turns.
const ROOM_BYTES: u64 = 64 << 10;

/// With less room than this the journal's disk is as good as full: what is set aside for the journal is all that is left.
const SHORT_BYTES: u64 = 1 << 20;
/// With as much again it is not any more.
const ENOUGH_BYTES: u64 = 2 << 20;

/// Why a journal cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The journal itself.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record that this version does not know.
    #[error(
        "{0}: it was written by another version of lifeboat; use that version, or give this plan a new state folder with --state"
    )]
    Unknown(#[from] UnknownRecord),
}

/// The model and the journal that it is the fold of.
pub struct Ledger {
    model: SharedModel,
    folder: PathBuf,
    options: Options,
    journal: Option<Journal>,
    /// Held whether or not the journal can be written: nobody else takes it over meanwhile.
    lock: Lock,
    head: Head,
    /// Observations that happened while the journal could not be written, in their order.
    waiting: Vec<Event>,
    /// What happened to the journal itself and was not told yet.
    news: Vec<Event>,
}

/// What a commit led to.
#[derive(Default)]
pub struct Committed {
    /// The events, applied.
    pub events: Vec<Event>,
    /// What the engine has to do next.
    pub effects: Vec<Effect>,
}

impl Ledger {
    /// Takes the journal in `folder` over and folds it into `model`.
    ///
    /// # Errors
    /// When the journal cannot be opened or read, or holds what this version does not know.
    pub fn open(mut model: Model, folder: &Path, options: Options) -> Result<(Self, Recovery), LedgerError> {
        let (journal, recovery) = Journal::open(folder, &options)?;
        if recovery.records > 0 {
            for event in replay::events(folder)? {
                apply(&mut model, &event?);
            }
        }
        let head = journal.head().clone();
        model.live.journal_protection = journal.protection().to_string();
        let model = SharedModel::new(model);
        let folder = folder.to_owned();
        Ok((
            Self {
                model,
                folder,
                options,
                lock: journal.lock(),
                journal: Some(journal),
                head,
                waiting: Vec::new(),
                news: Vec::new(),
            },
            recovery,
        ))
    }

    /// The model, for readers.
    pub fn model(&self) -> &SharedModel {
        &self.model
    }

    /// Makes facts durable, applies them and asks what follows. While the journal cannot be written,
    /// observations still reach the model, so that the screen stays true, and wait to be recorded; anything
    /// that somebody or something would act upon is refused.
    ///
    /// # Errors
    /// A refusal when the journal cannot be written; nothing happened then.
    pub fn commit(&mut self, at: Timestamp, by: &Actor, facts: Vec<Fact>) -> Result<Committed, Problem> {
        let mut events: Vec<Event> =
            facts.into_iter().map(|fact| Event { at, by: by.clone(), fact, record: None }).collect();
        let Err(failure) = self.record(&mut events) else { return Ok(self.absorb(events)) };
        self.fail(at, &failure);
        let full = self.waiting.len() >= WAITING_LIMIT && !events.iter().any(|event| comes_once(&event.fact));
        if full || !events.iter().all(|event| may_wait(&event.fact)) {
            let next = "Nothing was done. Make the journal writable; the engine tries again by itself. \
                        Only `lifeboat stop --force` ends a running step before that.";
            return Err(Problem::new(failure, next));
        }
        self.waiting.extend(events.iter().filter(|event| event.fact.is_durable()).cloned());
        Ok(self.absorb(events))
    }

    /// Notices that the journal was deleted, moved, replaced or written to by somebody else, before the next record
    /// would.
    pub fn look(&mut self, at: Timestamp) {
        let well = self.model.read(|model| model.live.journal_failure.is_none());
        if let (true, Some(journal)) = (well, &self.journal)
            && let Err(error) = journal.look()
        {
            self.fail(at, &error.to_string());
        }
        self.look_at_room(at);
    }

    /// Says that the disk is full while the journal still finds room in what was set aside for it, and when that is over.
    fn look_at_room(&mut self, at: Timestamp) {
        let Some(room) = self.journal.as_ref().and_then(Journal::room_bytes) else { return };
        let was_short = self.model.read(|model| model.live.journal_short.is_some());
        let is_short = room < if was_short { ENOUGH_BYTES } else { SHORT_BYTES };
        if is_short == was_short {
            return;
        }
        let short = is_short.then(|| {
            let folder = self.folder.display();
            tracing::warn!(room, "the journal's disk is full, or its file size limit is near");
            format!(
                "{room} bytes can still be written to {folder}, beside what was set aside for the journal"
            )
        });
        let told = self.absorb(vec![Event {
            at,
            by: Actor::Engine,
            fact: Fact::JournalSpace { short },
            record: None,
        }]);
        self.news.extend(told.events);
    }

    /// Tries to open a failed journal again and to record what waited.
    pub fn repair(&mut self, at: Timestamp) {
        if self.model.read(|model| model.live.journal_failure.is_none()) {
            return;
        }
        match self.reopen(at) {
            Ok(resumed) => {
                tracing::info!("the journal can be written again");
                let told = self.absorb(vec![resumed]);
                self.news.extend(told.events);
            }
            Err(error) => self.fail(at, &error.to_string()),
        }
    }

    /// What happened to the journal itself since it was last asked, for the clients.
    pub fn take_news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.news)
    }

    /// Opens the journal again and writes what waited and that it goes on: only a record proves that it can, and only
    /// room for more that it will.
    fn reopen(&mut self, at: Timestamp) -> Result<Event, JournalError> {
        let (mut journal, _) = Journal::reopen(&self.folder, &self.options, self.lock.clone(), &self.head)?;
        if *journal.head() != self.head && !self.is_own_torn_tail(&journal) {
            let why = format!("ends at record {} instead of {}", journal.head().seq, self.head.seq);
            return Err(JournalError::Interfered { path: self.folder.clone(), why });
        }
        (self.lock, self.head) = (journal.lock(), journal.head().clone());
        let fact = Fact::JournalChanged { failure: None, protection: journal.protection().to_string() };
        let mut resumed = Event { at, by: Actor::Engine, fact, record: None };
        let entries = self
            .entries(self.waiting.iter().chain([&resumed]))
            .map_err(|why| JournalError::Entry { action: "waiting".into(), why })?;
        journal.expect_room(ROOM_BYTES)?;
        let mut heads = journal.append(&entries)?;
        resumed.record = heads.pop().map(|head| Head { seq: head.seq, checksum: head.checksum });
        let waited = std::mem::take(&mut self.waiting);
        self.model.write(|model| note_places(model, &waited, heads));
        self.head = journal.head().clone();
        self.journal = Some(journal);
        Ok(resumed)
    }

    /// Reopening may itself have added one record, which accounts for bytes of a write that failed half way.
    fn is_own_torn_tail(&self, journal: &Journal) -> bool {
        let last = journal::read(&self.folder).ok().and_then(|records| records.filter_map(Result::ok).last());
        let one_more = journal.head().seq == self.head.seq + 1;
        one_more && last.is_some_and(|last| last.action == TORN_TAIL && last.prev == self.head.checksum)
    }

    /// Records the durable ones and notes their places.
    fn record(&mut self, events: &mut [Event]) -> Result<(), String> {
        let durable: Vec<usize> =
            (0..events.len()).filter(|&place| events[place].fact.is_durable()).collect();
        if durable.is_empty() {
            return Ok(());
        }
        let Some(journal) = self.journal.as_mut() else {
            let known = self.model.read(|model| model.live.journal_failure.clone());
            return Err(known.unwrap_or_else(|| "the journal is not open".into()));
        };
        let entries = self.model.read(|model| {
            durable.iter().map(|&place| record::entry(model, &events[place])).collect::<Result<Vec<_>, _>>()
        });
        let heads = journal
            .append(&entries.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        for (place, head) in durable.into_iter().zip(heads) {
            events[place].record = Some(Head { seq: head.seq, checksum: head.checksum });
        }
        self.head = journal.head().clone();
        Ok(())
    }

    fn entries<'e>(&self, events: impl Iterator<Item = &'e Event>) -> Result<Vec<Entry>, String> {
        self.model
            .read(|model| events.map(|event| record::entry(model, event)).collect::<Result<Vec<_>, _>>())
            .map_err(|error| error.to_string())
    }

    fn absorb(&mut self, events: Vec<Event>) -> Committed {
        let effects = self.model.write(|model| {
            let mut effects = Vec::new();
            for event in &events {
                apply(model, event);
                effects.extend(react(model, event));
            }
            effects
        });
        Committed { events, effects }
    }

    /// Says once that the journal cannot be written.
    fn fail(&mut self, at: Timestamp, why: &str) {
        if self.model.read(|model| model.live.journal_failure.is_some()) {
            return;
        }
        tracing::error!(why, "the journal cannot be written; nothing runs until it can be");
        // Nothing is written before what waits: it is opened again first.
        self.journal = None;
        let fact = Fact::JournalChanged { failure: Some(why.to_owned()), protection: String::new() };
        let told = self.absorb(vec![Event { at, by: Actor::Engine, fact, record: None }]);
        self.news.extend(told.events);
    }
}

/// Events that waited have their places in the journal now.
fn note_places(model: &mut Model, waited: &[Event], heads: Vec<Head>) {
    for (event, head) in waited.iter().zip(heads) {
        let place = Some(Head { seq: head.seq, checksum: head.checksum });
        model.durable.head.clone_from(&place);
        if let Some(kept) = model.durable.timeline.iter_mut().find(|kept| *kept == event) {
            kept.record = place;
        }
    }
}

/// What nothing would say again: as many as there are steps.
fn comes_once(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::EngineStarted { .. }
            | Fact::StepFinished { .. }
            | Fact::StepVerified { .. }
            | Fact::StepVerificationFailed { .. }
            | Fact::NotificationFinished { .. }
    )
}

/// What happened in the world whether or not it can be recorded, and leads to nothing but looking.
fn may_wait(fact: &Fact) -> bool {
    !fact.is_durable()
        || matches!(
            fact,
            Fact::EngineStarted { .. }
                | Fact::SignalChanged { .. }
                | Fact::SeverityChanged { .. }
                | Fact::LossNoted { .. }
                | Fact::CalendarRead { .. }
                | Fact::ClockJumped { .. }
                | Fact::ClockJudged { .. }
                | Fact::ConfirmationWithdrawn { .. }
                | Fact::PreflightRan { .. }
                | Fact::StepPreparationFailed { .. }
                | Fact::StepFinished { .. }
                | Fact::StepVerified { .. }
                | Fact::StepVerificationFailed { .. }
                | Fact::StepHolding { .. }
                | Fact::TargetChanged { .. }
                | Fact::NotificationFinished { .. }
                | Fact::PagedUnrecorded { .. }
        )
}
