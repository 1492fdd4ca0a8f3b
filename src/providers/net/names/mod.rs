//! From a host's name to its addresses, and whose fault it is when there are none: a name that is gone is the other
//! side's, name servers that do not answer are ours or nobody's.

mod denial;
mod error;
mod message;
mod system;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::time::Instant;

pub use error::NameError;
pub use system::SystemNames;

/// Looks up names: a port, so that tests can move a name.
pub trait Names: Send + Sync {
    /// The addresses that a name has now, in the order in which they are to be tried.
    ///
    /// # Errors
    /// When it has none, or nobody can tell. Texts of getaddrinfo tell the two apart.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// Whether the name servers deny that the name has an address, as far as it can be asked for.
    ///
    /// # Errors
    /// What they say instead, in words.
    fn denied<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    /// Whether this host answers for the name without any name server: then its answer says nothing of them.
    fn is_own<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }
}

/// Names that are remembered, at most: a server's redirects can name any number.
const MAX_REMEMBERED: usize = 256;

/// Other names that are asked for when one has no address, at most.
const MAX_OTHERS: usize = 3;

/// The names of this process: what was asked for before tells what a missing answer means. Clones share it.
#[derive(Clone)]
pub struct Directory {
    names: Arc<dyn Names>,
    /// The last time that a name had addresses.
    answered: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Directory {
    /// Nothing was asked for yet.
    pub fn new(names: Arc<dyn Names>) -> Self {
        Self { names, answered: Arc::default() }
    }

    /// The addresses that a name has now; it is asked for each time. An address stands for itself.
    ///
    /// # Errors
    /// [`NameError`], which says whose fault it is. It may take two more questions to find out.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NameError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        match self.ask(host).await {
            Err(NameError::NoAddress { host }) => self.sure(host).await,
            answer => answer,
        }
    }

    /// A name without an address is gone where the servers answer for another one, say the same again afterwards, and
    /// deny it in so many words.
    async fn sure(&self, host: String) -> Result<Vec<IpAddr>, NameError> {
        for other in self.others(&host) {
            if self.names.is_own(&other).await || self.ask(&other).await.is_err() {
                continue;
            }
            let before = self.answered().contains_key(&host);
            return match self.ask(&host).await {
                Err(NameError::NoAddress { host }) => match self.names.denied(&host).await {
                    Ok(()) => Err(NameError::Gone { host, other, before }),
                    Err(why) => Err(NameError::Silent { host, why }),
                },
                answer => answer,
            };
        }
        Err(NameError::NoAddress { host })
    }

    async fn ask(&self, host: &str) -> Result<Vec<IpAddr>, NameError> {
        match self.names.addresses(host).await {
            Ok(addresses) if addresses.is_empty() => Err(NameError::NoAddress { host: host.to_owned() }),
            Ok(addresses) => {
                self.remember(host);
                Ok(addresses)
            }
            Err(error) => Err(NameError::of(&error, host)),
        }
    }

    fn remember(&self, host: &str) {
        let mut answered = self.answered();
        if answered.len() >= MAX_REMEMBERED && !answered.contains_key(host) {
            let oldest = answered.iter().min_by_key(|(_, at)| **at).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| answered.remove(&oldest));
        }
        answered.insert(host.to_owned(), Instant::now());
    }

    /// Other names that had addresses, the latest first: those of a zone that is gone soon come last.
    fn others(&self, host: &str) -> Vec<String> {
        let answered = self.answered();
        let mut others: Vec<_> = answered.iter().filter(|(name, _)| *name != host).collect();
        others.sort_by_key(|(_, at)| std::cmp::Reverse(**at));
        others.into_iter().map(|(name, _)| name.clone()).take(MAX_OTHERS).collect()
    }

    fn answered(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
