//! A session in use, and whether it is still where it should be.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::role::Wanted;
use crate::clients::Directory;

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
    tls: Option<MakeRustlsConnect>,
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
        tls: Option<MakeRustlsConnect>,
        wanted: Wanted,
        named: Option<(String, IpAddr)>,
    ) -> Self {
        let looked = Mutex::new(Some(Instant::now()));
        Self {
            client,
            target,
            tls,
            driver,
            wanted,
            named,
            looked,
            looking: false.into(),
            moved: false.into(),
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
        let (token, tls, driver) = (self.client.cancel_token(), self.tls.clone(), self.driver.clone());
        tokio::spawn(async move {
            let asked = async {
                match tls {
                    Some(tls) => token.cancel_query(tls).await,
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
