//! What Linux knows of a process (proc(5)).

use std::fs;
use std::time::Duration;

use super::Outcome;

/// CPU time of all threads so far, to the nanosecond: `utime` and `stime` count in hundredths of a second.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let mut total = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = text.split_whitespace().next().ok_or("schedstat is empty")?;
        total += Duration::from_nanos(on_cpu.parse()?);
    }
    Ok(total)
}

/// The most memory that was resident at a time, in MiB, file pages included.
pub fn peak_memory_mib(pid: u32) -> Outcome<f64> {
    kibibytes(pid, "VmHWM:").map(|kib| kib / 1024.0)
}

/// Resident memory of its own, in MiB: what no file backs.
pub fn own_memory_mib(pid: u32) -> Outcome<f64> {
    kibibytes(pid, "RssAnon:").map(|kib| kib / 1024.0)
}

fn kibibytes(pid: u32, name: &str) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)).ok_or(format!("no {name}"))?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}
