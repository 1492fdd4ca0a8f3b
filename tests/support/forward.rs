//! A line to a server that counts what comes back, and can go silent: what is sent is held, connections stay open, new ones
//! are taken.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Forwards connections to a port of this host, for as long as the test runs.
pub struct Forwarder {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    silent: AtomicBool,
    received: AtomicU64,
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
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || connect(client, server, &shared));
            }
        });
        Self { port, state }
    }

    /// From now on nothing gets through in either direction.
    pub fn go_silent(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }

    /// Bytes that the server has sent so far, over all connections.
    #[allow(dead_code)]
    pub fn received_bytes(&self) -> u64 {
        self.state.received.load(Ordering::Relaxed)
    }
}

impl State {
    fn wait_while_silent(&self) {
        while self.silent.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn connect(client: TcpStream, server: u16, state: &Arc<State>) {
    state.wait_while_silent();
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
    // A buffer's rest would wait for the other side's acknowledgement.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let shared = state.clone();
    std::thread::spawn(move || pass(from, to, &shared, |_| {}));
    pass(server, client, state, |read| _ = state.received.fetch_add(read, Ordering::Relaxed));
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State, count: impl Fn(u64)) {
    let mut buffer = [0; 16_384];
    while let Ok(read) = from.read(&mut buffer) {
        state.wait_while_silent();
        count(read as u64);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
