//! The terminal: taken when the console starts, and given back as it was found on quit, error, panic and signals.

mod outlet;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Attribute, SetAttribute};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use tokio::sync::Notify;

use outlet::{Buffered, Outlet};

/// How long the end of the console waits for a slow line to take the rest of a frame.
const FLUSH_PATIENCE: Duration = Duration::from_millis(500);
/// Largest text that is put on the clipboard, in bytes; terminals drop more than about 100 kB.
const MAX_COPY_BYTES: usize = 64 * 1024;

/// Why the console cannot run where it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Standard input or output is a file or a pipe.
    #[error(
        "{0} is not a terminal, and the console needs one; `lifeboat status` prints the state as text instead"
    )]
    NotATerminal(&'static str),
    /// TERM says that the terminal cannot place text.
    #[error(
        "the terminal cannot place text on the screen (TERM is `dumb` or not set); set TERM to what it is, \
         or use `lifeboat status`, which prints the state as text"
    )]
    Dumb,
}

impl Unusable {
    /// The exit code for it.
    pub const EXIT_CODE: u8 = 2;
}

/// What went wrong with the terminal.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// The console cannot run here at all.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The terminal is gone or was already given back; end without drawing.
    #[error("the terminal is gone")]
    Gone,
    /// Anything else.
    #[error("the terminal does not work: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for TerminalError {
    fn from(error: io::Error) -> Self {
        use rustix::io::Errno;
        let gone = [Errno::IO, Errno::PIPE, Errno::NXIO, Errno::BADF].map(Errno::raw_os_error);
        match error.raw_os_error() {
            Some(code) if gone.contains(&code) => TerminalError::Gone,
            None if error.kind() == io::ErrorKind::BrokenPipe => TerminalError::Gone,
            _ => TerminalError::Io(error),
        }
    }
}

/// Whether the console can run here; `term` is the value of TERM.
pub fn usable(term: Option<&str>) -> Result<(), Unusable> {
    if !io::stdin().is_terminal() {
        Err(Unusable::NotATerminal("standard input"))
    } else if !io::stdout().is_terminal() {
        Err(Unusable::NotATerminal("standard output"))
    } else if matches!(term, None | Some("" | "dumb")) {
        Err(Unusable::Dumb)
    } else {
        Ok(())
    }
}

/// Columns and rows of a terminal that says that it has none: serial lines and some containers do.
const UNKNOWN_SIZE: (u16, u16) = (80, 24);
/// Most columns and rows that are drawn; a terminal that claims more would cost memory without end.
const LARGEST: (u16, u16) = (1_000, 500);

/// Columns and rows of the terminal; 80x24 where it knows of none.
pub fn size() -> io::Result<(u16, u16)> {
    Ok(told_size()?.unwrap_or(UNKNOWN_SIZE))
}

/// Columns and rows as the terminal tells them; none where it knows of none.
fn told_size() -> io::Result<Option<(u16, u16)>> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout())?;
    Ok(match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => None,
        (width, height) => Some((width.min(LARGEST.0), height.min(LARGEST.1))),
    })
}

/// What is taken for a terminal that tells no size: the values of COLUMNS and LINES, where they are numbers, else 80x24.
pub fn assumed_size(columns: Option<&str>, lines: Option<&str>) -> (u16, u16) {
    let number = |text: Option<&str>, largest: u16, usual: u16| {
        let number = text.and_then(|text| text.trim().parse::<u16>().ok()).filter(|number| *number > 0);
        number.map_or(usual, |number| number.min(largest))
    };
    (number(columns, LARGEST.0, UNKNOWN_SIZE.0), number(lines, LARGEST.1, UNKNOWN_SIZE.1))
}

/// Prints a line to standard error once the terminal was given back, unless the line is stalled: a program that
/// has heard SIGTERM must end, and not wait for somebody to read its last words.
pub fn say(message: &str) {
    let line = format!("{}\n", crate::base::text::escaped(message));
    let _ = outlet::write_soon(rustix::stdio::stderr(), line.as_bytes(), FLUSH_PATIENCE);
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// It is on its way.
    Now,
    /// The line has not taken the frame before it; draw again after [`Terminal::ready`].
    Later,
}

/// The terminal while the console has it. Dropping it gives it back.
#[derive(Debug)]
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Buffered>>,
    /// Its size while it tells none.
    assumed: (u16, u16),
    session: Arc<Session>,
}

/// What has to be undone, shared with the panic hook.
#[derive(Debug)]
struct Session {
    outlet: Arc<Outlet>,
    entered: AtomicBool,
    panicked: Arc<Notify>,
}

impl Session {
    /// Gives the terminal back, once. Nothing here waits for long: a stalled line loses the rest of its frame.
    fn restore(&self) {
        if !self.entered.swap(false, Ordering::SeqCst) {
            return;
        }
        self.outlet.close(FLUSH_PATIENCE);
        let mut bytes = Vec::new();
        let leave =
            queue!(bytes, SetAttribute(Attribute::Reset), DisableBracketedPaste, Show, LeaveAlternateScreen);
        if leave.is_ok() {
            let _ = self.outlet.write_last(&bytes, FLUSH_PATIENCE);
        }
        let _ = disable_raw_mode();
    }
}

impl Drop for Session {
    /// For the way out of a failed [`Terminal::enter`].
    fn drop(&mut self) {
        self.restore();
    }
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste, hidden cursor. `term` is the value of
    /// TERM. The terminal is asked nothing, so a slow line costs no round trip.
    ///
    /// From here on a panic gives the terminal back before its message is printed.
    pub fn enter(term: Option<&str>) -> Result<Self, TerminalError> {
        usable(term)?;
        let outlet = Outlet::start()?;
        let session = Arc::new(Session {
            outlet: Arc::clone(&outlet),
            entered: AtomicBool::new(false),
            panicked: Arc::default(),
        });
        enable_raw_mode()?;
        session.entered.store(true, Ordering::SeqCst);
        restore_on_panic(&session);
        let mut writer = Buffered::new(outlet);
        take_screen(&mut writer)?;
        // Fixed, because ratatui would ask elsewhere for the size and believe a terminal that says 0x0.
        let (width, height) = size()?;
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, width, height)) };
        let inner = ratatui::Terminal::with_options(CrosstermBackend::new(writer), options)?;
        Ok(Self { inner, assumed: UNKNOWN_SIZE, session })
    }

    /// Takes `size` for the terminal's while it tells none.
    #[must_use]
    pub fn assuming(mut self, size: (u16, u16)) -> Self {
        self.assumed = size;
        self
    }

    /// Columns and rows that are drawn.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        Ok(told_size()?.unwrap_or(self.assumed))
    }

    fn whole(&self) -> io::Result<Rect> {
        let (width, height) = self.size()?;
        Ok(Rect::new(0, 0, width, height))
    }

    /// Takes the terminal again after the process was stopped: the shell that had it meanwhile made it cooked, and
    /// wrote on it. What was typed then was typed for the shell, or blind.
    pub fn resume(&mut self) -> Result<(), TerminalError> {
        let tty = rustix::stdio::stdin();
        // Not `enable_raw_mode`: that remembers that it is on already.
        let mut attributes = tcgetattr(tty).map_err(io::Error::from)?;
        attributes.make_raw();
        tcsetattr(tty, OptionalActions::Flush, &attributes).map_err(io::Error::from)?;
        take_screen(self.inner.backend_mut())?;
        self.repaint()
    }

    /// Draws one frame: what differs from the frame before is sent. Never waits for the line.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Result<Drawn, TerminalError> {
        if !self.session.entered.load(Ordering::SeqCst) {
            return Err(TerminalError::Gone);
        }
        if !self.session.outlet.is_idle()? {
            return Ok(Drawn::Later);
        }
        // Asked with every frame: a size that is set later may come without a signal.
        let area = self.whole()?;
        if area != self.inner.get_frame().area() {
            self.inner.resize(area)?;
        }
        self.inner.draw(render)?;
        Ok(Drawn::Now)
    }

    /// Waits until the line has taken everything drawn so far. Safe to cancel.
    pub async fn ready(&self) {
        self.session.outlet.idle().await;
    }

    /// Makes the next frame draw every cell again, for a screen that something else wrote on.
    pub fn repaint(&mut self) -> Result<(), TerminalError> {
        queue!(self.inner.backend_mut(), Clear(ClearType::All))?;
        // Not `clear`: that asks the terminal where its cursor is, and waits for the answer.
        let area = self.whole()?;
        self.inner.resize(area)?;
        Ok(())
    }

    /// Asks the terminal to put `text` on the clipboard (OSC 52). Terminals that do not know it ignore it, so
    /// the text must stay readable on the screen as well. False when the text is too long for it.
    pub fn copy(&mut self, text: &str) -> Result<bool, TerminalError> {
        if text.len() > MAX_COPY_BYTES {
            return Ok(false);
        }
        let backend = self.inner.backend_mut();
        queue!(backend, CopyToClipboard::to_clipboard_from(text))?;
        Write::flush(backend)?;
        Ok(true)
    }

    /// Notified after a panic anywhere has given the terminal back: the console cannot go on without it.
    pub(super) fn panicked(&self) -> Arc<Notify> {
        Arc::clone(&self.session.panicked)
    }

    /// Gives the terminal back now, before something is printed; dropping it does the same.
    pub fn leave(self) {
        drop(self);
    }
}

impl Drop for Terminal {
    /// Goes before ratatui's own end, which prints an error, and panics, when the terminal is lost.
    fn drop(&mut self) {
        self.session.restore();
    }
}

fn take_screen(writer: &mut impl Write) -> io::Result<()> {
    // Terminals without an alternate screen need the clearing.
    queue!(writer, EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All), MoveTo(0, 0))?;
    writer.flush()
}

fn restore_on_panic(session: &Arc<Session>) {
    let session = Arc::downgrade(session);
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(session) = session.upgrade() {
            session.restore();
            session.panicked.notify_one();
        }
        earlier(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_line_is_told_from_other_errors() {
        for errno in [rustix::io::Errno::IO, rustix::io::Errno::PIPE] {
            assert!(matches!(TerminalError::from(io::Error::from(errno)), TerminalError::Gone));
        }
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(matches!(TerminalError::from(closed), TerminalError::Gone));
        let other = io::Error::from(rustix::io::Errno::NOMEM);
        assert!(matches!(TerminalError::from(other), TerminalError::Io(_)));
    }

    #[test]
    fn what_is_taken_for_no_size_is_what_the_environment_says_or_80x24() {
        assert_eq!(assumed_size(None, None), (80, 24));
        assert_eq!(assumed_size(Some("132"), Some("43")), (132, 43));
        assert_eq!(assumed_size(Some("0"), Some("many")), (80, 24));
        assert_eq!(assumed_size(Some("65000"), Some("-1")), (LARGEST.0, 24));
    }

    #[test]
    fn the_message_names_the_alternative() {
        for unusable in [Unusable::NotATerminal("standard output"), Unusable::Dumb] {
            assert!(unusable.to_string().contains("lifeboat status"));
        }
    }
}
