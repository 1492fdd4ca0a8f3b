//! This host's own resolver.

use std::io;
use std::net::IpAddr;

use futures::future::BoxFuture;

use super::Names;
use super::denial::Setup;

/// The names that this host answers itself, and its own.
const FILES: [&str; 2] = ["/etc/hosts", "/etc/hostname"];

/// Which name servers are asked; where it is missing, the one of this host.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// This host's resolver, with its files and its order.
pub struct SystemNames;

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

    fn denied<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let file = tokio::fs::read_to_string(RESOLV_CONF).await.unwrap_or_default();
            Setup::of(&file).denied(host).await
        })
    }

    fn is_own<'a>(&'a self, host: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // Where a file is missing it answered nothing.
            let [hosts, hostname] = FILES.map(tokio::fs::read_to_string);
            let own = hostname.await.unwrap_or_default();
            is_localhost(host)
                || host.eq_ignore_ascii_case(own.trim())
                || is_in(&hosts.await.unwrap_or_default(), host)
        })
    }
}

fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a file as `hosts(5)` has it names the host.
fn is_in(file: &str, host: &str) -> bool {
    let entries = file.lines().map(|line| line.split('#').next().unwrap_or_default());
    entries.flat_map(|entry| entry.split_whitespace().skip(1)).any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_hosts_file_answers_says_nothing_of_name_servers() {
        let file = "127.0.0.1 localhost\n10.0.0.7\tdb.example.com db # spare.example.com\n# 10.0.0.8 old\n";
        assert!(is_in(file, "DB.example.com") && is_in(file, "db"));
        assert!(!is_in(file, "spare.example.com") && !is_in(file, "old") && !is_in(file, "10.0.0.7"));
        assert!(
            is_localhost("LOCALHOST.") && is_localhost("api.localhost") && !is_localhost("localhost.example")
        );
    }
}
