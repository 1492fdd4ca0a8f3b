//! What a person's `watch kubectl get` costs.

use super::{Outcome, report};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(5);

/// Reads pods and deployments of both clusters again and again for a time, as `kubectl` does; how often.
pub fn poll(configs: &[PathBuf; 2], span: Duration) -> Outcome<usize> {
    let (begun, cpu) = (Instant::now(), cpu_of_children()?);
    let (mut polls, mut bytes) = (0, 0);
    while begun.elapsed() < span {
        let next = Instant::now() + EVERY;
        for config in configs {
            let mut command = Command::new("kubectl");
            command
                .args(["get", "pods,deployments", "--all-namespaces", "-o", "json"])
                .env("KUBECONFIG", config);
            let output = command.stderr(Stdio::inherit()).output()?;
            if !output.status.success() {
                return Err("kubectl failed".into());
            }
            bytes += output.stdout.len();
        }
        polls += 1;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let used = cpu_of_children()?.saturating_sub(cpu);
    report("  kubectl, JSON of one poll of both", bytes as f64 / polls as f64 / 1e6, "MB");
    report("  kubectl, CPU", 100.0 * used.as_secs_f64() / begun.elapsed().as_secs_f64(), "% of one core");
    Ok(polls)
}

/// CPU time of programs that this process started and that have ended (proc(5): `cutime`, `cstime`).
fn cpu_of_children() -> Outcome<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
    let fields = fields.ok_or("stat has no name")?;
    let ticks = |field: usize| -> Outcome<u32> { Ok(fields.get(field - 3).ok_or("stat is short")?.parse()?) };
    Ok(TICK * (ticks(16)? + ticks(17)?))
}
