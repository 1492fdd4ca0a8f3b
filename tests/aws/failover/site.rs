//! What answers health checks: a small server, and before it what makes each region reachable or not.

use crate::aws::FaultProxy;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Addresses that answer until they refuse.
pub struct Site {
    pub east: FaultProxy,
    pub west: FaultProxy,
    /// Where customers come in.
    pub public: FaultProxy,
    /// Services that are deployed only for the failover.
    pub deployed: FaultProxy,
    /// Outside of the provider, so that the console knows that it can see.
    pub reference: FaultProxy,
}

impl Site {
    pub fn start() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", server.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in server.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK");
            }
        });
        let before = || FaultProxy::before(&endpoint);
        Self { east: before(), west: before(), public: before(), deployed: before(), reference: before() }
    }
}

/// The URL of a health check.
pub fn health(of: &FaultProxy) -> String {
    format!("{}/health", of.endpoint())
}

/// `host:port`.
pub fn address(of: &FaultProxy) -> String {
    of.endpoint().trim_start_matches("http://").to_owned()
}
