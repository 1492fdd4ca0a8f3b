//! The program from outside while it watches the clusters.

use super::forward::Forwarder;
use super::home::Home;
use super::kube::{Cluster, Crowd, cluster};
use super::outages::Watchers;
use super::pty::Pty;
use super::readings::Readings;
use super::scene::{self, SIGNALS};
use super::{Outcome, polling, process, quantile, report, timed};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lifeboat");
/// How long it is watched.
const WATCH: Duration = Duration::from_secs(60);
/// Until what a change of the scene brings is over.
const SETTLE: Duration = Duration::from_secs(10);
/// Pods that each cluster makes anew each second.
const CHURN: usize = 3;
const OUTAGES: usize = 20;
const PRESSES: usize = 100;
/// Between two presses, and how much longer each time, so that they fall in step with nothing.
const PAUSE: Duration = Duration::from_millis(40);
const DRIFT: Duration = Duration::from_micros(137);
/// How long anything may take.
const READY: Duration = Duration::from_secs(180);
/// So much later than before may an outage be on the screen while the other cluster is silent.
const SLOWER_S: f64 = 2.0;

/// All figures, of so many pods.
pub fn all(pods: usize) -> Outcome {
    let runtime = Runtime::new()?;
    let clusters = [cluster(0), cluster(1)];
    let crowds = gather(clusters, pods, runtime.handle());
    let lines = clusters.map(|cluster| Forwarder::to(cluster.port));
    let polled = clusters.map(|cluster| Forwarder::to(cluster.port));
    let through = |of: &[Forwarder; 2]| [0, 1].map(|place| clusters[place].admin_through(of[place].port));
    let home = Home::new("plan.toml");
    let [east, west] = through(&lines);
    let text = scene::plan([&east, &west], [&crowds[0].namespaces, &crowds[1].namespaces]);
    std::fs::write(home.plan(), text)?;

    let (console, engine) = first_look(&home, &lines)?;
    let meter = Meter { engine, lines: &lines, polled: &polled, configs: through(&polled) };
    println!("At rest, {} s", WATCH.as_secs());
    meter.cost(true)?;
    let churn = crowds.each_ref().map(|crowd| crowd.churn(CHURN));
    println!("{CHURN} pods of each cluster made anew each second, {} s", WATCH.as_secs());
    meter.cost(true)?;
    let readings = Readings::of(&home.folder.path().join("state/engine.sock"), runtime.handle())?;
    let watchers = Watchers {
        shape: scene::shape(pods),
        console: &console,
        readings: &readings,
        runtime: runtime.handle(),
    };
    let before = watchers.see(&crowds.each_ref(), OUTAGES)?;
    before.report();
    keys(&home)?;

    println!("The same while the second cluster takes connections and never answers, {} s", WATCH.as_secs());
    lines[1].go_silent();
    std::thread::sleep(SETTLE);
    meter.cost(false)?;
    let while_silent = watchers.see(&[&crowds[0]], OUTAGES)?;
    while_silent.report();
    keys(&home)?;
    drop(churn);
    let slower = while_silent.late() - before.late();
    if slower > SLOWER_S {
        return Err(format!("a silent cluster slows the other one by {slower:.1} s").into());
    }
    Ok(())
}

fn gather(clusters: [&'static Cluster; 2], pods: usize, runtime: &Handle) -> [Crowd; 2] {
    let begun = Instant::now();
    let shape = scene::shape(pods);
    let crowds = std::thread::scope(|scope| {
        let begin = |cluster: &'static Cluster| {
            scope.spawn(move || {
                scene::register_nodes(cluster);
                runtime.block_on(Crowd::gather(cluster, shape))
            })
        };
        clusters.map(begin).map(|thread| thread.join().unwrap())
    });
    println!(
        "{} pods of two clusters ready after {:.0} s",
        2 * shape.all_pods(),
        begun.elapsed().as_secs_f64()
    );
    crowds
}

/// Starts the engine by a console, and waits until all was measured.
fn first_look(home: &Home, lines: &[Forwarder; 2]) -> Outcome<(Pty, u32)> {
    let (begun, console) = (Instant::now(), home.open(&[]));
    wait_for_all(&console)?;
    let engine: u32 = home.engine().ok_or("no engine serves")?.try_into()?;
    println!("The first look");
    report("  from the start until all signals were measured", begun.elapsed().as_secs_f64(), "s");
    report("  received", megabytes(lines), "MB");
    report("  engine, peak memory until then", process::peak_memory_mib(engine)?, "MiB");
    std::thread::sleep(SETTLE);
    Ok((console, engine))
}

fn wait_for_all(console: &Pty) -> Outcome {
    let (begun, wanted) = (Instant::now(), format!("SIGNALS {SIGNALS} ok"));
    while !console.screen().contains(&wanted) {
        if begun.elapsed() > READY {
            return Err(format!("no screen had \"{wanted}\"; the last one:\n{}", console.screen()).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn megabytes(lines: &[Forwarder; 2]) -> f64 {
    lines.iter().map(Forwarder::received_bytes).sum::<u64>() as f64 / 1e6
}

/// Reads what is used.
struct Meter<'a> {
    engine: u32,
    lines: &'a [Forwarder; 2],
    polled: &'a [Forwarder; 2],
    configs: [PathBuf; 2],
}

impl Meter<'_> {
    /// Of the engine, and where both clusters answer of `kubectl` in the same time.
    fn cost(&self, polls: bool) -> Outcome {
        let before = (process::cpu(self.engine)?, megabytes(self.lines), megabytes(self.polled));
        let begun = Instant::now();
        let count = if polls { polling::poll(&self.configs, WATCH)? } else { 0 };
        std::thread::sleep(WATCH.saturating_sub(begun.elapsed()));
        let seconds = begun.elapsed().as_secs_f64();
        let used = process::cpu(self.engine)? - before.0;
        if polls {
            let received = (megabytes(self.polled) - before.2) * 60.0 / seconds;
            report(format!("  kubectl, {count} polls of both, received in a minute"), received, "MB");
        }
        report("  engine, received in a minute", (megabytes(self.lines) - before.1) * 60.0 / seconds, "MB");
        report("  engine, CPU", 100.0 * used.as_secs_f64() / seconds, "% of one core");
        report("  engine, memory of its own", process::own_memory_mib(self.engine)?, "MiB");
        report("  engine, peak memory", process::peak_memory_mib(self.engine)?, "MiB");
        Ok(())
    }
}

/// From a key to the first byte after it, in a console of its own.
fn keys(home: &Home) -> Outcome {
    let (plan, state) = (home.plan(), home.folder.path().join("state"));
    let args = [OsStr::new("open"), plan.as_os_str(), OsStr::new("--state"), state.as_os_str()];
    let mut console = timed::Pty::start(Path::new(PROGRAM), &args, home.folder.path(), (80, 24))?;
    console.collect(SETTLE);
    let mut times = Vec::with_capacity(PRESSES);
    for press in 0..PRESSES {
        let key: &[u8] = if press < PRESSES / 2 { b"j" } else { b"k" };
        times.extend(console.press(key)?.map(|time| time.as_secs_f64() * 1e3));
        console.collect(PAUSE + DRIFT * u32::try_from(press)?);
    }
    report("  from a key to the first byte, median", quantile(&times, 0.5), "ms");
    report("  from a key to the first byte, 95 %", quantile(&times, 0.95), "ms");
    Ok(())
}
