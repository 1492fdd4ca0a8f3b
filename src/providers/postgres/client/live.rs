//! A session in use, and whether it is still where it should be.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, NoTls};

use super::error::{PostgresError, PostgresErrorKind};
use super::role::Wanted;
use super::wire::Wire;
use crate::providers::net::names::Directory;
use crate::secrets::Redactor;

/// A name is looked up anew before a call, at most so often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How much of a call's time that may take at most. A slow answer counts for the next call.
const SHARE: u32 = 4;

/// How long a request to cancel a statement may take after its deadline.
const CANCEL: Duration = Duration::from_secs(2);

/// A connection in use.
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) target: String,
    /// How it is connected; none over a socket of this host.
    wire: Option<Wire>,
    driver: AbortHandle,
    wanted: Wanted,
    /// The name by which it was reached, and its address then.
    named: Option<(String, IpAddr)>,
    looked: Mutex<Option<Instant>>,
    looking: AtomicBool,
    moved: AtomicBool,
}

impl Live {
    pub(super) fn new(
        client: Client,
        driver: AbortHandle,
        target: String,
        wire: Option<Wire>,
        wanted: Wanted,
        named: Option<(String, IpAddr)>,
    ) -> Self {
        let looked = Mutex::new(Some(Instant::now()));
        Self {
            client,
            target,
            wire,
            driver,
            wanted,
            named,
            looked,
            looking: false.into(),
            moved: false.into(),
        }
    }

    /// Sorts an error of the driver, which keeps to itself what was refused on this side.
    pub(super) fn failed(&self, error: &tokio_postgres::Error, redactor: &Redactor) -> PostgresError {
        match self.wire.as_ref().and_then(Wire::refusal) {
            Some(why) => PostgresError::new(PostgresErrorKind::Protocol, &self.target, why),
            None => PostgresError::of(error, &self.target, redactor),
        }
    }

    /// Whether it can still be used.
    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.moved.load(Ordering::SeqCst)
    }

    /// Whether it is still what the connection string asks for: its name has its address, and its server its role. What
    /// cannot be told changes nothing: a name server that is silent ends no session.
    pub(super) async fn is_right(self: &Arc<Self>, names: &Directory, within: Duration) -> bool {
        if self.is_due() {
            self.follow_name(names, within / SHARE).await;
            let met = timeout(within / SHARE, self.wanted.is_met(&self.client)).await;
            if matches!(met, Ok(Ok(false))) {
                self.moved.store(true, Ordering::SeqCst);
            }
        }
        self.is_usable()
    }

    fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN);
        if due {
            *looked = Some(Instant::now());
        }
        due
    }

    /// Looks the name up anew; an answer that does not come in time counts when it comes.
    async fn follow_name(self: &Arc<Self>, names: &Directory, within: Duration) {
        // One question at a time: a dead name server would hold a thread for each.
        if self.named.is_none() || self.looking.swap(true, Ordering::SeqCst) {
            return;
        }
        let (live, names) = (self.clone(), names.clone());
        let look = tokio::spawn(async move {
            if let Some((host, address)) = &live.named
                && let Ok(addresses) = names.addresses(host).await
                && !addresses.is_empty()
                && !addresses.contains(address)
            {
                live.moved.store(true, Ordering::SeqCst);
            }
            live.looking.store(false, Ordering::SeqCst);
        });
        let _ = timeout(within, look).await;
    }

    /// Asks the server to end the statement, then lets go of the socket, whatever the server does.
    pub(super) fn cancel(&self) {
        let (token, wire, driver) = (self.client.cancel_token(), self.wire.clone(), self.driver.clone());
        tokio::spawn(async move {
            let asked = async {
                match wire {
                    Some(wire) => token.cancel_query(wire).await,
                    None => token.cancel_query(NoTls).await,
                }
            };
            // A server that is out of reach cannot be asked; the timeout was already reported.
            let _ = timeout(CANCEL, asked).await;
            driver.abort();
        });
    }
}

/// Moves bytes between the socket and the client until one of them is gone. How it ended shows in the client.
pub(super) fn drive<C>(connection: C) -> AbortHandle
where
    C: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(connection).abort_handle()
}
