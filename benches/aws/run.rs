//! The program from outside while it watches the emulated world.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::aws::Emulator;
use super::pty::Pty;
use super::scene::{self, CLUSTERS, SIGNALS};
use super::{Outcome, process, report};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lifeboat");
const SIZE: (u16, u16) = (120, 40);
/// How long it is watched.
const WATCH: Duration = Duration::from_secs(60);
/// How many statuses change, one after another.
const CHANGES: usize = 10;
/// How often the emulator is asked whether the engine has read.
const LOOK: Duration = Duration::from_millis(20);
/// How long anything may take.
const READY: Duration = Duration::from_secs(180);

/// All figures.
pub fn all() -> Outcome {
    let emulator = Emulator::start();
    emulator.set_up(&scene::world());
    emulator.control(serde_json::json!({"transition_ms": 0}));
    let folder = tempfile::tempdir()?;
    let plan = folder.path().join("plan.toml");
    fs::write(&plan, scene::plan(&emulator.endpoint()))?;
    emulator.forget_calls();
    let begun = Instant::now();
    let engine = Engine::start(folder.path(), &plan)?;
    let mut console = engine.console(&plan)?;
    wait(&mut console, SIGNALS)?;
    report(format!("start until all {SIGNALS} signals were measured"), begun.elapsed().as_secs_f64(), "s");
    calls("calls until then", &emulator, None);
    cost(&emulator, &engine, &mut console)?;
    changes(&emulator, &mut console)
}

/// A minute at rest.
fn cost(emulator: &Emulator, engine: &Engine, console: &mut Pty) -> Outcome {
    emulator.forget_calls();
    let before = process::cpu(engine.pid())?;
    console.collect(WATCH);
    let used = process::cpu(engine.pid())? - before;
    calls("calls a minute", emulator, Some(WATCH));
    report("engine, CPU", 100.0 * used.as_secs_f64() / WATCH.as_secs_f64(), "% of one core");
    report("engine, peak memory", process::peak_memory_mib(engine.pid())?, "MiB");
    report("engine, memory of its own", process::own_memory_mib(engine.pid())?, "MiB");
    Ok(())
}

/// Each operation by region, and all together; a rate where a span is given.
fn calls(what: &str, emulator: &Emulator, span: Option<Duration>) {
    let minutes = span.map_or(1.0, |span| span.as_secs_f64() / 60.0);
    let calls = emulator.calls();
    for (operation, count) in &calls {
        report(format!("{what}, {operation}"), *count as f64 / minutes, "");
    }
    report(format!("{what}, all"), calls.values().sum::<u64>() as f64 / minutes, "");
}

/// Databases stop, and their signals turn on the screen.
fn changes(emulator: &Emulator, console: &mut Pty) -> Outcome {
    let (mut whole, mut beyond) = (Vec::new(), Vec::new());
    for change in 0..CHANGES {
        let before = reads(emulator);
        let stop = format!(
            "client('rds', 'us-west-2').stop_db_instance(DBInstanceIdentifier='i{}')",
            CLUSTERS + change
        );
        emulator.boto(&stop);
        let stopped = Instant::now();
        // The engine may have read while the database stopped; the next read is one that sees it.
        let seen = before.max(reads(emulator)) + 1;
        while reads(emulator) < seen {
            if stopped.elapsed() > READY {
                return Err("the engine reads nothing".into());
            }
            console.collect(LOOK);
        }
        let read = stopped.elapsed();
        let shown = wait(console, SIGNALS - change - 1)?.saturating_duration_since(stopped);
        whole.push(shown.as_secs_f64());
        beyond.push(shown.saturating_sub(read).as_secs_f64());
    }
    for (what, values) in
        [("from a changed status to the screen", whole), ("of that, after the call that saw it", beyond)]
    {
        let mut values = values;
        values.sort_unstable_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        report(format!("{what}, median"), at(CHANGES / 2), "s");
        report(format!("{what}, slowest"), at(CHANGES - 1), "s");
    }
    Ok(())
}

fn reads(emulator: &Emulator) -> u64 {
    emulator.calls().get("rds:DescribeDBInstances@us-west-2").copied().unwrap_or_default()
}

/// Waits until that many signals are well on the screen, to about a tenth of a second; when that was.
fn wait(console: &mut Pty, well: usize) -> Outcome<Instant> {
    let begun = Instant::now();
    let wanted = match SIGNALS - well {
        0 => format!("SIGNALS {well} ok"),
        stopped => format!("SIGNALS {stopped} critical, {well} ok"),
    };
    while console.first_screen(|screen| screen.contains(&wanted)).is_none() {
        if begun.elapsed() > READY {
            return Err(
                format!("no screen had \"{wanted}\"; the last one:\n{}", console.last_screen()).into()
            );
        }
        console.collect(Duration::from_millis(100));
    }
    Ok(console.started() + console.first_screen(|screen| screen.contains(&wanted)).unwrap_or_default())
}

/// An engine of this benchmark's own.
struct Engine {
    child: Child,
    home: PathBuf,
}

impl Engine {
    /// Starts it and waits for its socket.
    fn start(home: &Path, plan: &Path) -> Outcome<Self> {
        let mut command = Command::new(PROGRAM);
        command.arg("engine").arg(plan).arg("--no-append-only").arg("--state").arg(home.join("state"));
        command.env_clear().env("HOME", home).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"] {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        let child = command.stderr(File::create(home.join("log"))?).spawn()?;
        let mut engine = Self { child, home: home.to_owned() };
        let begun = Instant::now();
        while !engine.home.join("state/engine.sock").exists() {
            if engine.child.try_wait()?.is_some() || begun.elapsed() > READY {
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
