//! What the console costs: drawing, measured inside this process, and the whole program, measured from outside in a
//! pseudo-terminal. Prints figures and their share of the aim, asserts nothing.
//!
//! `cargo bench --bench console` runs all of it; `-- drawing`, `-- idle` or `-- load` a part.

mod drawing;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod pty;
mod scene;

use std::fmt::Display;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const SIGNALS: [usize; 2] = [200, 5_000];

fn main() -> Outcome {
    // Cargo adds flags of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    if wants("drawing") {
        drawing::run(&SIGNALS)?;
    }
    #[cfg(target_os = "linux")]
    {
        if wants("idle") {
            outside::idle()?;
        }
        if wants("load") {
            outside::load(SIGNALS[1])?;
        }
    }
    Ok(())
}

/// One line: what, the figure with its unit, and its share of the aim where there is one.
fn report(what: impl Display, value: f64, unit: &str, aim: Option<f64>) {
    let share = aim
        .map_or_else(String::new, |aim| format!("{:>7.0} % of the aim, {aim} {unit}", 100.0 * value / aim));
    let value = if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") };
    println!("{what:<58} {value:>10} {unit:<4}{share}");
}

/// The value that a share of the others does not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(place).copied().unwrap_or(f64::NAN)
}
