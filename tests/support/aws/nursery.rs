//! The process that emulators and scripts are forked from: what they import takes seconds (see nursery.py).

use super::{PATIENCE, python, support};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// It ends with this program, whose end closes its standard input.
struct Nursery {
    socket: PathBuf,
    _process: Child,
}

static NURSERY: OnceLock<Nursery> = OnceLock::new();

/// Asks for a process; gives the connection that it lives with, and the first line that it said.
pub(super) fn ask(request: &serde_json::Value, within: Duration) -> (UnixStream, String) {
    let nursery = NURSERY.get_or_init(start);
    let mut stream = UnixStream::connect(&nursery.socket).expect("the nursery of the emulators listens");
    stream.write_all(format!("{request}\n").as_bytes()).unwrap();
    stream.set_read_timeout(Some(within)).unwrap();
    let mut line = String::new();
    let _ = BufReader::new(&stream).read_line(&mut line);
    (stream, line)
}

fn start() -> Nursery {
    let mut process = python()
        .arg(support("nursery.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let output = process.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(output).read_line(&mut line);
        let _ = sender.send(line);
    });
    let line = receiver.recv_timeout(PATIENCE).unwrap_or_default();
    assert!(!line.trim().is_empty(), "the nursery of the emulators did not start");
    Nursery { socket: line.trim().into(), _process: process }
}
