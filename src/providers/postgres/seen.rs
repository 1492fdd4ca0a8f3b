//! What the changes of a PostgreSQL server have in common.

use crate::base::problem::Problem;
use crate::core::words::action::{Failure, Target};
use crate::kinds::action::unread::Unread;
use crate::providers::postgres::manager::{self, Management, Meddling};
use crate::providers::postgres::server::{LOOK, Server, same_target};
use crate::providers::postgres::source::{Database, DatabaseError};

/// A server as it is before a change.
pub(crate) struct Seen {
    pub(crate) server: Server,
    pub(crate) management: Management,
    /// Why its manager has to do it instead.
    pub(crate) forbidden: Option<Problem>,
}

impl Seen {
    /// Looks at a server, and at who manages it.
    pub(crate) async fn read(
        database: &Database,
        meddling: Meddling,
        ignores_manager: bool,
    ) -> Result<(Target, Self), DatabaseError> {
        let server = Server::look(database).await?;
        let name = server.called(database.name(LOOK).await);
        let managed = manager::allowed(&server.session, &name, meddling, ignores_manager).await;
        let (management, forbidden) = match managed {
            Ok(management) => (management, None),
            Err(failure) => (Management::NotSeen, Some(Problem::new(failure.why, failure.next))),
        };
        let target = server.target(name, &management);
        Ok((target, Self { server, management, forbidden }))
    }

    /// Fails when it is not the one that was confirmed.
    pub(crate) fn same(&self, expected: &Target) -> Result<(), Failure> {
        same_target(expected, &self.server, &self.management)
    }
}

impl From<DatabaseError> for Unread {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(Problem::new(error.to_string(), error.next_step()))
    }
}
