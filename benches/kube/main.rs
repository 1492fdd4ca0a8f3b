//! What a plan costs that watches 3,000 pods in two real clusters, some of them made anew each second: bytes, CPU and memory
//! against polling with `kubectl`, how long a change takes to the screen, and all of that while one of the two is silent.
//! Prints figures; fails where the silent cluster slows the other one.
//!
//! `cargo bench --bench kube`, or `-- 600` for another number of pods. Needs Linux and what `tests/all.sh --setup-only` installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share fails by panicking"
)]

#[path = "../../tests/support/forward.rs"]
mod forward;
#[path = "../../tests/support/home.rs"]
mod home;
#[path = "../../tests/support/kube/mod.rs"]
mod kube;
#[cfg(target_os = "linux")]
mod outages;
#[cfg(target_os = "linux")]
mod polling;
#[path = "../../tests/support/port.rs"]
mod port;
#[cfg(target_os = "linux")]
#[path = "../console/process.rs"]
mod process;
#[path = "../../tests/support/pty.rs"]
mod pty;
#[cfg(target_os = "linux")]
mod readings;
#[cfg(target_os = "linux")]
mod run;
mod scene;
#[cfg(target_os = "linux")]
#[path = "../console/pty.rs"]
#[allow(dead_code)]
mod timed;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Of both clusters.
const PODS: usize = 3_000;

fn main() -> Outcome {
    // Cargo adds flags of its own.
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok());
    #[cfg(target_os = "linux")]
    run::all(wanted.unwrap_or(PODS))?;
    Ok(())
}

/// One line: what, and the figure with its unit.
fn report(what: impl std::fmt::Display, value: f64, unit: &str) {
    let value = if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") };
    println!("{what:<66} {value:>10} {unit}");
}

/// The value that a share of the others does not exceed.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let place = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(place).copied().unwrap_or(f64::NAN)
}
