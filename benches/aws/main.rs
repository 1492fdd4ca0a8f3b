//! What a plan of 500 CloudWatch metrics and 200 resources in two regions costs, measured every 10 seconds against the
//! tests' emulator: calls a minute, CPU and memory of the engine, and how long a changed status takes to the screen.
//! Prints figures, asserts nothing.
//!
//! `cargo bench --bench aws`; needs Linux and the emulator (`tests/all.sh --setup-only`).

#[path = "../../tests/support/aws/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod aws;
#[path = "../../tests/support/port.rs"]
#[allow(clippy::unwrap_used, clippy::panic)]
mod port;
#[cfg(target_os = "linux")]
#[path = "../console/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "../console/pty.rs"]
#[allow(dead_code)]
mod pty;
#[cfg(target_os = "linux")]
mod run;
mod scene;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    aws::isolate();
    #[cfg(target_os = "linux")]
    run::all()?;
    Ok(())
}

/// One line: what, and the figure with its unit.
fn report(what: impl std::fmt::Display, value: f64, unit: &str) {
    let value = if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") };
    println!("{what:<66} {value:>10} {unit}");
}
