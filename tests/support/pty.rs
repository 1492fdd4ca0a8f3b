//! A program in a pseudo-terminal: spawn it, press keys, wait for what the screen must show, resize, signal,
//! hang up, and look at what it leaves behind. Include it with `#[path = "../support/pty.rs"] mod pty;`.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal};

/// How long a test waits for what must happen; reached only by a failure.
const DEADLINE: Duration = Duration::from_secs(20);
/// Between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What a person takes to read a question; the console asks for a second.
const A_BREATH: Duration = Duration::from_millis(1_300);
/// Between two keys of a quick hand: more than what the console takes as together, by far more than what a machine
/// types.
const BETWEEN_STROKES: Duration = Duration::from_millis(60);
/// The same of one that types a name that it knows.
const BETWEEN_LETTERS: Duration = Duration::from_millis(40);

/// What the program's output made of the terminal.
struct Display {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

/// A program in a pseudo-terminal of its own, with itself as session leader.
pub struct Pty {
    display: Arc<Mutex<Display>>,
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    /// Kept open so that the terminal's attributes outlive the program.
    slave: Option<Box<dyn SlavePty + Send>>,
    tty: PathBuf,
    hanging_up: Arc<AtomicBool>,
    stalled: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// What to run.
pub struct Program {
    command: CommandBuilder,
    rows: u16,
    columns: u16,
}

impl Program {
    /// A program with an environment of only what a test sets, and TERM and LANG of a usual terminal.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let mut command = CommandBuilder::new(program.as_ref());
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Self { command, rows: 24, columns: 80 }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the working folder.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.cwd(folder);
        self
    }

    /// Sets the size of the terminal.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// Starts it.
    pub fn spawn(self) -> Pty {
        let size = PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let tty = pair.master.tty_name().unwrap();
        let display = Arc::new(Mutex::new(Display {
            parser: vt100::Parser::new(shown(self.rows, 40), shown(self.columns, 120), 0),
            raw: Vec::new(),
        }));
        let hanging_up = Arc::new(AtomicBool::new(false));
        let stalled = Arc::new(AtomicBool::new(false));
        let reader = {
            let (display, hanging_up, stalled) =
                (Arc::clone(&display), Arc::clone(&hanging_up), Arc::clone(&stalled));
            let source = pair.master.try_clone_reader().unwrap();
            std::thread::spawn(move || read_output(source, &display, &hanging_up, &stalled))
        };
        let keys = pair.master.take_writer().unwrap();
        let child = pair.slave.spawn_command(self.command).unwrap();
        Pty {
            display,
            child,
            master: Some(pair.master),
            keys: Some(keys),
            slave: Some(pair.slave),
            tty,
            hanging_up,
            stalled,
            reader: Some(reader),
        }
    }
}

/// What is looked at of a terminal that tells no size: all that the program may take it for.
fn shown(count: u16, without: u16) -> NonZeroU16 {
    cells(if count == 0 { without } else { count })
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has rows and columns")
}

fn read_output(
    mut source: Box<dyn Read + Send>,
    display: &Mutex<Display>,
    hanging_up: &AtomicBool,
    stalled: &AtomicBool,
) {
    let mut buffer = [0; 4096];
    while let Ok(count) = source.read(&mut buffer) {
        while stalled.load(Ordering::SeqCst) {
            std::thread::park();
        }
        if count == 0 || hanging_up.load(Ordering::SeqCst) {
            return;
        }
        let mut display = display.lock().unwrap();
        display.parser.process(&buffer[..count]);
        display.raw.extend_from_slice(&buffer[..count]);
    }
}

impl Pty {
    fn display(&self) -> MutexGuard<'_, Display> {
        self.display.lock().unwrap()
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.display().parser.screen().contents()
    }

    /// Looks at the screen with its attributes.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.display().parser.screen())
    }

    /// Every byte that the program wrote.
    pub fn raw_output(&self) -> Vec<u8> {
        self.display().raw.clone()
    }

    /// Waits until the screen meets a condition and returns it.
    pub fn wait_until(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        wait_for(|| Some(self.screen()).filter(|screen| condition(screen)))
            .unwrap_or_else(|| panic!("never saw {what}; the screen is:\n{}", self.screen()))
    }

    /// Waits until the screen shows a text.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_until(&format!("`{text}`"), |screen| screen.contains(text))
    }

    /// Presses keys, given as the bytes that a terminal sends for them.
    pub fn press(&mut self, bytes: impl AsRef<[u8]>) {
        let keys = self.keys.as_mut().expect("the terminal was hung up");
        keys.write_all(bytes.as_ref()).unwrap();
        keys.flush().unwrap();
    }

    /// Presses a key that acts, as somebody does who has read what it does: before that the console takes no key
    /// for what has just opened.
    pub fn decide(&mut self, key: &str) {
        std::thread::sleep(A_BREATH);
        self.press(key);
    }

    /// The same for bytes that are no text.
    pub fn decide_bytes(&mut self, bytes: &[u8]) {
        std::thread::sleep(A_BREATH);
        self.press(bytes);
    }

    /// Presses keys one after the other, as a hand does: what comes at once is taken for a paste.
    pub fn strokes(&mut self, keys: &[&str]) {
        for key in keys {
            self.press(key);
            std::thread::sleep(BETWEEN_STROKES);
        }
    }

    /// Types a text as a hand does, letter by letter: a typed confirmation takes nothing else.
    pub fn types(&mut self, text: &str) {
        let mut letter = [0; 4];
        for character in text.chars() {
            self.press(character.encode_utf8(&mut letter));
            std::thread::sleep(BETWEEN_LETTERS);
        }
    }

    /// Types a text until the screen shows that it arrived: a busy machine may bring its letters together, and what
    /// comes together is taken for a paste.
    pub fn types_until(&mut self, text: &str, shown: &str) {
        let deadline = Instant::now() + DEADLINE * 3;
        while Instant::now() < deadline {
            std::thread::sleep(A_BREATH);
            self.types(&format!("\x15{text}"));
            std::thread::sleep(BETWEEN_STROKES * 5);
            if self.screen().contains(shown) {
                return;
            }
        }
        panic!("{text} was not typed; the screen is:\n{}", self.screen());
    }

    /// Gives the word that a form asks for instead of a yes, until it has closed.
    pub fn gives_word(&mut self, word: &str) {
        const TRIES: usize = 5;
        for _ in 0..TRIES {
            std::thread::sleep(A_BREATH);
            self.types(&format!("\x15{word}"));
            self.decide("\x19");
            let decided = Instant::now();
            while decided.elapsed() < A_BREATH * 3 {
                if !self.screen().contains("Type it here") {
                    return;
                }
                std::thread::sleep(BETWEEN_STROKES);
            }
        }
        panic!("{word} was not taken; the screen is:\n{}", self.screen());
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.display().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.as_ref().expect("the terminal was hung up").resize(size).unwrap();
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Takes no further output, as a line that has died without a word. Lasts for the rest of the test.
    pub fn stall(&self) {
        self.stalled.store(true, Ordering::SeqCst);
    }

    /// Bytes that the process has written so far, to whatever (proc(5): `io`).
    pub fn written_bytes(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.pid())).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
        line.and_then(|count| count.parse().ok()).unwrap()
    }

    /// Waits until the process has taken every key that was pressed.
    pub fn wait_until_read(&self) {
        let tty = std::fs::File::open(&self.tty).unwrap();
        let taken = wait_for(|| (rustix::io::ioctl_fionread(&tty).unwrap() == 0).then_some(()));
        taken.expect("keys were pressed, and nobody reads them");
    }

    /// Waits until a program that writes all the time can write no more.
    pub fn wait_until_blocked(&self) {
        const STILL: Duration = Duration::from_millis(300);
        let mut last = (self.written_bytes(), Instant::now());
        let blocked = wait_for(|| {
            let written = self.written_bytes();
            if written != last.0 {
                last = (written, Instant::now());
            }
            (last.1.elapsed() > STILL).then_some(())
        });
        blocked.expect("the line never filled up");
    }

    /// Closes the terminal, as a dropped SSH connection does.
    pub fn hang_up(&mut self) {
        self.hanging_up.store(true, Ordering::SeqCst);
        // The reading thread holds the master too; one byte through the terminal lets it look up and let go.
        std::fs::OpenOptions::new().write(true).open(&self.tty).unwrap().write_all(b"\0").unwrap();
        self.reader.take().expect("hung up once").join().unwrap();
        self.keys = None;
        self.slave = None;
        self.master = None;
    }

    /// Waits for the process to end.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let ended = wait_for(|| self.child.try_wait().unwrap());
        ended.unwrap_or_else(|| panic!("pid {} did not end; the screen is:\n{}", self.pid(), self.screen()))
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// CPU time that the process has used so far, in clock ticks (a hundred a second on Linux).
    pub fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // The name may hold spaces; the fields after it are counted from its closing bracket (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |field: usize| fields[field - 3].parse::<u64>().unwrap();
        ticks(14) + ticks(15)
    }

    /// The terminal's attributes, as `stty -a` prints them.
    pub fn attributes(&self) -> String {
        let tty = std::fs::File::open(&self.tty).unwrap();
        let output = std::process::Command::new("stty").arg("-a").stdin(tty).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // The size is none of the program's doing.
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once(';').map(|(_, rest)| rest.to_owned()).unwrap()
    }

    /// Changes the terminal's attributes, as `stty` does with these words.
    pub fn set_attributes(&self, words: &str) {
        let tty = std::fs::File::open(&self.tty).unwrap();
        assert!(std::process::Command::new("stty").arg(words).stdin(tty).status().unwrap().success());
    }

    /// Checks that the program left the terminal as it found it; `before` are the attributes from its start.
    pub fn assert_restored(&self, before: &str) {
        // Output of the ended process may still be on its way through the terminal.
        let left = wait_for(|| {
            self.with_screen(|screen| !screen.alternate_screen() && !screen.hide_cursor()).then_some(())
        });
        assert!(left.is_some(), "alternate screen or hidden cursor left behind");
        self.with_screen(|screen| {
            assert!(!screen.bracketed_paste(), "bracketed paste left on");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
            assert_eq!((screen.fgcolor(), screen.bgcolor()), (vt100::Color::Default, vt100::Color::Default));
        });
        assert_eq!(self.attributes(), before, "terminal attributes changed");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only this test's own process, and only if it is still there.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Looks until there is a value, or the deadline passes.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
