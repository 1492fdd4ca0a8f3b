//! Servers that are dead or silent.

use super::SECRET;
use crate::plan::keys::Key;
use crate::plan::params::{Param, Params};
use tokio::net::TcpListener;

/// An address where nothing listens.
pub fn dead_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that takes connections and never answers.
pub async fn silent_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
        }
    });
    address
}

/// Puts an address into every parameter that reaches out: connection strings, addresses, URLs.
pub fn aim(params: &mut Params, keys: &[Key], address: &str) {
    let (host, port) = address.split_once(':').unwrap();
    for key in keys {
        let value = match key.name {
            "dsn" | "primary" => format!("host={host} port={port} user=u password={SECRET} sslmode=disable"),
            "address" => address.to_owned(),
            "url" | "verify_url" => format!("http://{address}/x"),
            _ => continue,
        };
        if let Some(known) = params.0.get_mut(key.name) {
            *known = Param::Text(value);
        }
    }
}
