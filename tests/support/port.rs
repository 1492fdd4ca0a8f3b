//! Ports for servers that tests start: `#[path = "../support/port.rs"] mod port;`.

use std::fs::File;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that this host gives to clients and to whoever asks for any.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port of this host on which nobody listens. No other test, of whatever process, is given it while this process lives.
pub fn free() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let folder = std::env::temp_dir().join(format!("lifeboat-ports-{}", rustix::process::geteuid().as_raw()));
    std::fs::create_dir_all(&folder).unwrap();
    let begin = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let nth = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed).into());
        let port = PORTS.start + u16::try_from(nth % u32::from(PORTS.end - PORTS.start)).unwrap();
        let lock = File::create(folder.join(port.to_string())).unwrap();
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            // The lock goes with the process.
            std::mem::forget(lock);
            return port;
        }
    }
    panic!("all of {PORTS:?} are taken");
}
