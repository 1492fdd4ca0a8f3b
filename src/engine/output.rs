//! How much of a step's live output passes: a program can print faster than anyone reads, and every line goes
//! through the loop and to every client.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of one step that pass in a second.
const LINES_PER_SECOND: u32 = 200;

/// Lets a bounded number of lines pass.
pub struct RateLimit {
    /// When the running second began, and how many lines passed in it.
    window: Mutex<(Instant, u32)>,
}

impl RateLimit {
    /// Open.
    pub fn new() -> Self {
        Self { window: Mutex::new((Instant::now(), 0)) }
    }

    /// Passes a line on; says once in a second that more came than is shown.
    pub fn take(&self, line: &str, pass: impl FnOnce(&str)) {
        let passed = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            if window.0.elapsed() >= Duration::from_secs(1) {
                *window = (Instant::now(), 0);
            }
            window.1 = window.1.saturating_add(1);
            window.1
        };
        match passed.cmp(&(LINES_PER_SECOND + 1)) {
            std::cmp::Ordering::Less => pass(line),
            std::cmp::Ordering::Equal => pass("… it prints faster than this shows: lines are left out"),
            std::cmp::Ordering::Greater => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_said() {
        let limited = RateLimit::new();
        let mut lines = Vec::new();
        let begun = Instant::now();
        for number in 0..1_000_000 {
            limited.take(&number.to_string(), |line| lines.push(line.to_owned()));
        }
        let most = (begun.elapsed().as_secs() as usize + 1) * 201;
        assert!(lines.len() <= most, "{} of at most {most}", lines.len());
        assert_eq!(lines[199], "199");
        assert!(lines[200].contains("left out"), "{}", lines[200]);
    }
}
