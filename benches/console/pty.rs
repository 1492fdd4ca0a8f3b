//! A program in a pseudo-terminal, with the time of everything that it writes. What the bytes mean is looked at
//! afterwards, so that looking delays nothing.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::Outcome;

/// Bytes, and when they were read.
struct Chunk {
    at: Instant,
    bytes: Vec<u8>,
}

/// The program and what it wrote so far.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Chunk>,
    chunks: Vec<Chunk>,
    size: (u16, u16),
    started: Instant,
    _master: Box<dyn MasterPty + Send>,
}

impl Pty {
    /// Starts a program with only what it needs in its environment.
    pub fn start(program: &Path, args: &[&OsStr], home: &Path, (width, height): (u16, u16)) -> Outcome<Self> {
        let size = PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", home);
        let mut source = pair.master.try_clone_reader()?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let chunk = Chunk { at: Instant::now(), bytes: buffer[..count].to_vec() };
                if sender.send(chunk).is_err() {
                    return;
                }
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        Ok(Self {
            child,
            keys: pair.master.take_writer()?,
            output,
            chunks: Vec::new(),
            size: (width, height),
            started,
            _master: pair.master,
        })
    }

    pub fn pid(&self) -> Outcome<u32> {
        self.child.process_id().ok_or_else(|| "the program has no process".into())
    }

    /// Takes what comes until `span` is over; how many bytes that were.
    pub fn collect(&mut self, span: Duration) -> usize {
        let until = Instant::now() + span;
        let before = self.chunks.len();
        while let Ok(chunk) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.chunks.push(chunk);
        }
        self.chunks[before..].iter().map(|chunk| chunk.bytes.len()).sum()
    }

    /// Presses a key; the time to the first byte after it, none within a second.
    pub fn press(&mut self, key: &[u8]) -> Outcome<Option<Duration>> {
        let pressed = Instant::now();
        self.keys.write_all(key)?;
        self.keys.flush()?;
        match self.output.recv_timeout(Duration::from_secs(1)) {
            Ok(chunk) => {
                let took = chunk.at.saturating_duration_since(pressed);
                self.chunks.push(chunk);
                Ok(Some(took))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("the program ended".into()),
        }
    }

    /// Time from the start to the first byte.
    pub fn first_byte(&self) -> Option<Duration> {
        self.chunks.first().map(|chunk| chunk.at.saturating_duration_since(self.started))
    }

    /// Time from the start to the first screen that met a condition.
    pub fn first_screen(&self, condition: impl Fn(&str) -> bool) -> Option<Duration> {
        let cells = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        let mut parser = vt100::Parser::new(cells(self.size.1), cells(self.size.0), 0);
        let meets = |chunk: &&Chunk| {
            parser.process(&chunk.bytes);
            condition(&parser.screen().contents())
        };
        let mut meets = meets;
        self.chunks
            .iter()
            .find(|chunk| meets(chunk))
            .map(|chunk| chunk.at.saturating_duration_since(self.started))
    }
}

// For other benches that include this file.
#[allow(dead_code)]
impl Pty {
    /// When it started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What it shows now.
    pub fn last_screen(&self) -> String {
        let cells = |count| NonZeroU16::new(count).unwrap_or(NonZeroU16::MIN);
        let mut parser = vt100::Parser::new(cells(self.size.1), cells(self.size.0), 0);
        self.chunks.iter().for_each(|chunk| parser.process(&chunk.bytes));
        parser.screen().contents()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
