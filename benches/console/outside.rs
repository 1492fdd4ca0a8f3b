//! The program from outside: start, rest, memory, keys while thousands of signals are measured.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::pty::Pty;
use super::{Outcome, process, quantile, report, scene};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lifeboat");
const DEMO_PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/demo");
const SIZE: (u16, u16) = (120, 40);

const STARTS: usize = 30;
/// How long a start is watched.
const START: Duration = Duration::from_millis(300);
/// How long a console at rest is left alone before it is watched, and for how long.
const SETTLE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
const BUSY: Duration = Duration::from_secs(10);
const PRESSES: usize = 200;
/// Between two presses, and how much longer each time, so that they fall in step with nothing.
const PAUSE: Duration = Duration::from_millis(40);
const DRIFT: Duration = Duration::from_micros(137);
/// How long an engine may take until everything was measured once.
const READY: Duration = Duration::from_secs(60);
/// The listeners of the load: more addresses than one, or the system runs out of ports.
const LISTENERS: usize = 8;

/// A healthy system, with the overview on the screen and nobody at the keyboard.
pub fn idle() -> Outcome {
    let folder = tempfile::tempdir()?;
    let engine = Engine::start(folder.path(), &["--demo", "--simulate", "healthy"].map(OsStr::new))?;
    let plan = Path::new(DEMO_PLAN);
    starts("healthy demo", plan, &engine)?;

    let mut console = engine.console(plan)?;
    console.collect(SETTLE);
    let (client, seconds) = (console.pid()?, IDLE.as_secs_f64());
    let before = [process::cpu(client)?, process::cpu(engine.pid())?];
    let bytes = console.collect(IDLE);
    let used = [process::cpu(client)? - before[0], process::cpu(engine.pid())? - before[1]];
    let percent = |used: Duration| 100.0 * used.as_secs_f64() / seconds;
    report("idle, client, CPU", percent(used[0]), "%", Some(0.15));
    report("idle, client, written to the terminal", bytes as f64 / seconds, "B/s", Some(100.0));
    report("idle, engine, CPU", percent(used[1]), "%", None);
    echo(folder.path())?;
    keys("healthy demo", &mut console)?;
    memory("healthy demo", client, &engine)
}

/// What the system itself takes for a key and its byte: a program that only hands back what it reads.
fn echo(home: &Path) -> Outcome {
    let script = ["-c", "stty raw -echo; printf ready; exec cat"].map(OsStr::new);
    let mut cat = Pty::start(Path::new("/bin/sh"), &script, home, SIZE)?;
    let begin = Instant::now();
    while cat.first_screen(|screen| screen.contains("ready")).is_none() && begin.elapsed() < READY {
        cat.collect(PAUSE);
    }
    keys("only an echo", &mut cat)
}

/// Thousands of signals, each measured every second, and an operator who moves about.
pub fn load(count: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let addresses = (0..LISTENERS).map(|_| listen()).collect::<Outcome<Vec<_>>>()?;
    let plan = folder.path().join("plan.toml");
    fs::write(&plan, scene::plan_text(count, &addresses))?;
    let engine = Engine::start(folder.path(), &[plan.as_os_str(), OsStr::new("--no-append-only")])?;
    let name = format!("{count} signals");

    let mut console = engine.console(&plan)?;
    let begin = Instant::now();
    let measured = format!("SIGNALS {count} ok");
    while console.first_screen(|screen| screen.contains(&measured)).is_none() {
        if begin.elapsed() > READY {
            return Err("the engine did not measure everything in time".into());
        }
        console.collect(Duration::from_secs(1));
    }
    console.collect(SETTLE);

    let client = console.pid()?;
    let before = [process::cpu(client)?, process::cpu(engine.pid())?];
    let bytes = console.collect(BUSY);
    let used = [process::cpu(client)? - before[0], process::cpu(engine.pid())? - before[1]];
    let percent = |used: Duration| 100.0 * used.as_secs_f64() / BUSY.as_secs_f64();
    report(format!("{name}, client, CPU"), percent(used[0]), "%", None);
    report(
        format!("{name}, client, written to the terminal"),
        bytes as f64 / BUSY.as_secs_f64(),
        "B/s",
        None,
    );
    report(format!("{name}, engine, CPU"), percent(used[1]), "%", None);
    keys(&name, &mut console)?;
    memory(&name, client, &engine)?;
    drop(console);
    starts(&name, &plan, &engine)
}

fn starts(name: &str, plan: &Path, engine: &Engine) -> Outcome {
    let (mut bytes, mut screens, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut console = engine.console(plan)?;
        console.collect(START);
        let ms = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
        bytes.push(ms(console.first_byte()));
        screens.push(ms(console.first_screen(|screen| !screen.trim().is_empty())));
        data.push(ms(console.first_screen(|screen| screen.contains("SIGNALS"))));
    }
    report(format!("{name}, start to first byte"), quantile(&mut bytes, 0.5), "ms", None);
    report(format!("{name}, start to first screen"), quantile(&mut screens, 0.5), "ms", Some(10.0));
    report(format!("{name}, start to data, engine running"), quantile(&mut data, 0.5), "ms", Some(50.0));
    Ok(())
}

fn keys(name: &str, console: &mut Pty) -> Outcome {
    let mut times = Vec::with_capacity(PRESSES);
    let mut lost = 0;
    for press in 0..PRESSES {
        let key: &[u8] = if press < PRESSES / 2 { b"j" } else { b"k" };
        match console.press(key)? {
            Some(time) => times.push(time.as_secs_f64() * 1e3),
            None => lost += 1,
        }
        console.collect(PAUSE + DRIFT * u32::try_from(press)?);
    }
    report(format!("{name}, key to first byte, median"), quantile(&mut times, 0.5), "ms", None);
    report(format!("{name}, key to first byte, 95 %"), quantile(&mut times, 0.95), "ms", Some(0.5));
    report(format!("{name}, key to first byte, slowest"), quantile(&mut times, 1.0), "ms", None);
    if lost > 0 {
        println!("{lost} presses changed nothing");
    }
    Ok(())
}

fn memory(name: &str, client: u32, engine: &Engine) -> Outcome {
    report(format!("{name}, client, peak memory"), process::peak_memory_mib(client)?, "MiB", Some(7.0));
    report(format!("{name}, client, memory of its own"), process::own_memory_mib(client)?, "MiB", None);
    report(
        format!("{name}, engine, peak memory"),
        process::peak_memory_mib(engine.pid())?,
        "MiB",
        Some(25.0),
    );
    report(format!("{name}, engine, memory of its own"), process::own_memory_mib(engine.pid())?, "MiB", None);
    Ok(())
}

/// An address of this host that takes every connection and closes it.
fn listen() -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    Ok(address)
}

/// An engine of this benchmark's own.
struct Engine {
    child: Child,
    home: PathBuf,
}

impl Engine {
    /// Starts it and waits for its socket.
    fn start(home: &Path, plan: &[&OsStr]) -> Outcome<Self> {
        let mut command = Command::new(PROGRAM);
        command.arg("engine").args(plan).arg("--state").arg(home.join("state"));
        command.env_clear().env("HOME", home).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(File::create(home.join("log"))?).spawn()?;
        let mut engine = Self { child, home: home.to_owned() };
        let begin = Instant::now();
        while !engine.home.join("state/engine.sock").exists() {
            if engine.child.try_wait()?.is_some() || begin.elapsed() > READY {
                return Err(format!("no engine: {}", fs::read_to_string(home.join("log"))?).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(engine)
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn console(&self, plan: &Path) -> Outcome<Pty> {
        let state = self.home.join("state");
        let args = [OsStr::new("open"), plan.as_os_str(), OsStr::new("--state"), state.as_os_str()];
        Pty::start(Path::new(PROGRAM), &args, &self.home, SIZE)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
