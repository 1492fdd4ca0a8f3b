//! From a server's name to its addresses: a port, so that tests can move a name.

use std::io;
use std::net::IpAddr;

use futures::future::BoxFuture;

/// Looks up names.
pub trait Names: Send + Sync {
    /// The addresses that a name has now, in the order in which they are to be tried.
    ///
    /// # Errors
    /// When it has none, or nobody can tell.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// This host's resolver, with its files and its order.
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for found in tokio::net::lookup_host((host, 0)).await? {
                if !addresses.contains(&found.ip()) {
                    addresses.push(found.ip());
                }
            }
            Ok(addresses)
        })
    }
}
