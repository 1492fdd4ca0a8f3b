//! A prompt that does not show what is typed, and leaves the terminal as it was, whatever ends it.

use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::sync::Arc;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::base::text::Printer;

/// Longest line that is read, in bytes.
const MAX_BYTES: usize = crate::secrets::MAX_SECRET_BYTES;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Ctrl-C, Ctrl-D on an empty line, or a signal.
    #[error("interrupted")]
    Interrupted,
    /// The terminal is gone or cannot be set.
    #[error("the terminal cannot be used ({0})")]
    Terminal(#[from] std::io::Error),
    /// More than a secret can hold.
    #[error("more than {MAX_BYTES} bytes were typed")]
    TooLong,
}

/// Asks on a terminal and reads one line without showing it. Backspace and Ctrl-U work.
///
/// # Errors
/// When the person interrupts it, a signal ends it, or the terminal is gone.
pub async fn read_hidden(terminal: File, question: &str) -> Result<Zeroizing<String>, PromptError> {
    // They would otherwise end the program with the echo still off.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut user1 = signal(SignalKind::user_defined1())?;
    let mut user2 = signal(SignalKind::user_defined2())?;
    let terminal = Arc::new(terminal);
    let hidden = Hidden::begin(terminal.clone())?;
    (&*terminal).write_all(question.as_bytes())?;
    let (answer, answered) = tokio::sync::oneshot::channel();
    let reader = terminal.clone();
    // A thread of its own: a read of a terminal cannot be given up, and the runtime would wait for its own.
    std::thread::Builder::new().name("prompt".into()).spawn(move || {
        // Nobody listens any more after a signal.
        let _ = answer.send(read_line(&*reader));
    })?;
    let line = tokio::select! {
        line = answered => line.unwrap_or(Err(PromptError::Interrupted)),
        _ = interrupt.recv() => Err(PromptError::Interrupted),
        _ = terminate.recv() => Err(PromptError::Interrupted),
        _ = hang_up.recv() => Err(PromptError::Interrupted),
        _ = quit.recv() => Err(PromptError::Interrupted),
        _ = user1.recv() => Err(PromptError::Interrupted),
        _ = user2.recv() => Err(PromptError::Interrupted),
    };
    drop(hidden);
    // The newline that was typed was not shown either. A terminal that is gone needs none.
    let _ = (&*terminal).write_all(b"\r\n");
    line
}

/// Asks a question on the terminal (standard error, so that standard output stays clean) and reads one line from
/// standard input. Only `y` and `yes` agree.
///
/// # Errors
/// When the terminal is gone.
pub fn agrees(question: &str) -> Result<bool, PromptError> {
    asked(question, std::io::stdin().lock(), Printer::new(std::io::stderr()))
}

fn asked(question: &str, mut answers: impl BufRead, mut screen: impl Write) -> Result<bool, PromptError> {
    screen.write_all(question.as_bytes())?;
    screen.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Keeps the terminal's settings and gives them back when dropped.
struct Hidden {
    terminal: Arc<File>,
    before: Termios,
}

impl Hidden {
    /// No echo, and bytes as they are typed: what Ctrl-C and the like mean is decided here, so that nothing ends
    /// or stops the program while the echo is off.
    fn begin(terminal: Arc<File>) -> Result<Self, PromptError> {
        let before = tcgetattr(&*terminal).map_err(std::io::Error::from)?;
        let mut hidden = before.clone();
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Flush: what was typed before the question is not its answer.
        tcsetattr(&*terminal, OptionalActions::Flush, &hidden).map_err(std::io::Error::from)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone cannot be restored.
        let _ = tcsetattr(&*self.terminal, OptionalActions::Now, &self.before);
    }
}

fn read_line(mut terminal: impl Read) -> Result<Zeroizing<String>, PromptError> {
    // Full room at once: growing would leave copies in freed memory.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        if terminal.read(&mut *byte)? == 0 {
            return Err(PromptError::Interrupted);
        }
        match byte[0] {
            b'\r' | b'\n' => break,
            // Ctrl-C, Ctrl-\ and Ctrl-Z; Ctrl-D ends the line, and interrupts an empty one.
            0x03 | 0x1c | 0x1a => return Err(PromptError::Interrupted),
            0x04 if line.is_empty() => return Err(PromptError::Interrupted),
            0x04 => break,
            0x08 | 0x7f => remove_character(&mut line),
            0x15 => line.clear(),
            _ if line.len() == MAX_BYTES => return Err(PromptError::TooLong),
            other => line.push(other),
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| {
        PromptError::Terminal(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "what was typed is not UTF-8",
        ))
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Removes the last character, which may be several bytes.
fn remove_character(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0xc0 != 0x80 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portable_pty::{MasterPty, PtySize, native_pty_system};

    #[test]
    fn a_line_is_edited_as_on_any_terminal() {
        let line = |typed: &str| read_line(typed.as_bytes()).map(|line| line.to_string());
        assert_eq!(line("hunter2\x7f22\r").unwrap(), "hunter22");
        assert_eq!(line("aé\x7fb\n").unwrap(), "ab");
        assert_eq!(line("wrong\x15right\r").unwrap(), "right");
        assert_eq!(line("all\x04").unwrap(), "all");
        for typed in ["half\x03", "\x04", "half", "\x1a"] {
            assert!(matches!(line(typed), Err(PromptError::Interrupted)), "{typed:?}");
        }
        assert!(matches!(line(&"x".repeat(MAX_BYTES + 1)), Err(PromptError::TooLong)));
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        let agrees = |typed: &str| {
            let mut screen = Vec::new();
            let agreed = asked("Send? ", typed.as_bytes(), &mut screen).unwrap();
            assert_eq!(screen, b"Send? ");
            agreed
        };
        assert!(agrees("y\n") && agrees("Yes\n") && agrees(" YES "));
        assert!(!agrees("\n") && !agrees("") && !agrees("n\n") && !agrees("yy\n") && !agrees("no\nyes\n"));
    }

    struct Pty {
        master: Box<dyn MasterPty + Send>,
        terminal: File,
        _slave: Box<dyn portable_pty::SlavePty + Send>,
    }

    fn pty() -> Pty {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let name = pair.master.tty_name().unwrap();
        // NOCTTY: the test must not get this terminal as its own.
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let terminal = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).unwrap().into();
        Pty { master: pair.master, terminal, _slave: pair.slave }
    }

    /// Reads what the terminal shows until `end` is part of it.
    fn shown_until(reader: &mut impl Read, end: &str) -> String {
        let mut shown = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&shown).contains(end) {
            assert_eq!(reader.read(&mut byte).unwrap(), 1);
            shown.push(byte[0]);
        }
        String::from_utf8(shown).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_typed_is_not_shown_and_the_terminal_is_given_back() {
        for (typed, answer) in [("hunter22\r", Some("hunter22")), ("hunter\x03", None)] {
            let pty = pty();
            let before = tcgetattr(&pty.terminal).unwrap();
            let mut screen = pty.master.try_clone_reader().unwrap();
            let mut keys = pty.master.take_writer().unwrap();
            let prompt = tokio::spawn(read_hidden(pty.terminal.try_clone().unwrap(), "Value: "));
            let shown = tokio::task::spawn_blocking(move || {
                let asked = shown_until(&mut screen, "Value: ");
                keys.write_all(typed.as_bytes()).unwrap();
                asked + &shown_until(&mut screen, "\r\n")
            });
            let result = prompt.await.unwrap();
            assert_eq!(result.ok().as_ref().map(|value| value.as_str()), answer);
            assert!(!shown.await.unwrap().contains("hunter"));
            let after = tcgetattr(&pty.terminal).unwrap();
            assert_eq!(after.local_modes, before.local_modes);
            assert!(after.local_modes.contains(LocalModes::ECHO));
        }
    }
}
