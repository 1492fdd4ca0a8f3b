//! The pipe that a program writes its output to.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use zeroize::Zeroizing;

/// What a program that outlives its reader can write before it has to wait, in bytes: what an unprivileged user may have
/// by default, see pipe(7).
#[cfg(target_os = "linux")]
const ROOM_BYTES: usize = 1 << 20;

/// The end that is read.
pub(crate) struct Pipe {
    reader: Option<Receiver>,
    buffer: Zeroizing<Vec<u8>>,
}

impl Pipe {
    /// A pipe, and what the program gets of it. A program that writes when the reader is gone is ended by SIGPIPE.
    pub(crate) fn plain() -> io::Result<(Self, Stdio)> {
        let (read, write) = io::pipe()?;
        Ok((Self::new(Receiver::from_owned_fd(read.into())?), write.into()))
    }

    /// A pipe of which the program has both ends: it goes on writing when the reader is gone, while there is room.
    #[cfg(target_os = "linux")]
    pub(crate) fn lasting() -> io::Result<(Self, Stdio)> {
        use std::os::fd::AsRawFd;
        let (read, write) = io::pipe()?;
        // Without the system's leave there is less room.
        let _ = rustix::pipe::fcntl_setpipe_size(&write, ROOM_BYTES);
        let path = format!("/proc/self/fd/{}", write.as_raw_fd());
        let both = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        Ok((Self::new(Receiver::from_owned_fd(read.into())?), both.into()))
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn lasting() -> io::Result<(Self, Stdio)> {
        Self::plain()
    }

    fn new(reader: Receiver) -> Self {
        Self { reader: Some(reader), buffer: Zeroizing::new(vec![0; 16 * 1024]) }
    }

    pub(crate) fn open(&self) -> bool {
        self.reader.is_some()
    }

    /// The next bytes; none at the end, after which the pipe is closed.
    pub(crate) async fn read(&mut self) -> &[u8] {
        let read = match &mut self.reader {
            Some(reader) => reader.read(&mut self.buffer).await.unwrap_or(0),
            None => 0,
        };
        if read == 0 {
            self.reader = None;
        }
        &self.buffer[..read]
    }
}
