//! A line to a server that can go silent: what is sent is held, connections stay open, new ones are taken.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Forwards connections to a port of this host, for as long as the test runs.
pub struct Forwarder {
    pub port: u16,
    silent: Arc<AtomicBool>,
}

impl Forwarder {
    /// Listens on a port of its own.
    pub fn to(server: u16) -> Self {
        Self::at("127.0.0.1:0", server)
    }

    /// Listens at an address of this host.
    pub fn at(address: &str, server: u16) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = Arc::new(AtomicBool::new(false));
        let flag = silent.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let flag = flag.clone();
                std::thread::spawn(move || connect(client, server, &flag));
            }
        });
        Self { port, silent }
    }

    /// From now on nothing gets through in either direction.
    pub fn go_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

fn connect(client: TcpStream, server: u16, silent: &Arc<AtomicBool>) {
    while silent.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
    let flag = silent.clone();
    std::thread::spawn(move || pass(from, to, &flag));
    pass(server, client, silent);
}

fn pass(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while let Ok(read) = from.read(&mut buffer) {
        while silent.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
