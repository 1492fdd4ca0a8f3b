//! Deployments of which no pod is ready any more, one after another: how long that takes to the measurement and to the
//! screen, from when the API server itself counts it so.

use super::kube::{Crowd, Shape};
use super::pty::Pty;
use super::readings::Readings;
use super::{Outcome, quantile, report};
use lifeboat::core::words::signal::SignalState;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(5);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Outages fall in step with nothing: each waits so much longer than the one before, and the eighth not at all.
const DRIFT: Duration = Duration::from_millis(137);

/// Who sees an outage.
pub struct Watchers<'a> {
    pub shape: Shape,
    pub console: &'a Pty,
    pub readings: &'a Readings,
    pub runtime: &'a Handle,
}

/// Seconds from the change on, of each outage.
#[derive(Default)]
pub struct Delays {
    measured: Vec<f64>,
    shown: Vec<f64>,
}

impl Watchers<'_> {
    /// So many outages, in turn in these clusters.
    pub fn see(&self, crowds: &[&Crowd], count: usize) -> Outcome<Delays> {
        let mut delays = Delays::default();
        for (nth, crowd) in crowds.iter().cycle().take(count).enumerate() {
            std::thread::sleep(DRIFT * (u32::try_from(nth)? % 7));
            let namespace = &crowd.namespaces[nth % crowd.namespaces.len()];
            let (measured, shown) = self.outage(crowd, namespace)?;
            delays.measured.push(measured.as_secs_f64());
            delays.shown.push(shown.as_secs_f64());
        }
        Ok(delays)
    }

    fn outage(&self, crowd: &Crowd, namespace: &str) -> Outcome<(Duration, Duration)> {
        let failing = self.shape.failing();
        let is_critical = |state| state == SignalState::Critical;
        let begun = Instant::now();
        self.runtime.block_on(crowd.say(namespace, &failing, false));
        let changed = Instant::now();
        let shown = self.wait(namespace, || self.shows_critical(namespace).then(Instant::now))?;
        let measured = self.wait(namespace, || self.readings.first(begun, namespace, is_critical))?;
        let begun = Instant::now();
        self.runtime.block_on(crowd.say(namespace, &failing, true));
        self.wait(namespace, || self.readings.first(begun, namespace, |state| !is_critical(state)))?;
        self.wait(namespace, || (!self.shows_critical(namespace)).then_some(changed))?;
        Ok((measured.saturating_duration_since(changed), shown.saturating_duration_since(changed)))
    }

    /// Whether the row of the namespace's pods says so.
    fn shows_critical(&self, namespace: &str) -> bool {
        let title = format!("Pods of {namespace} ");
        let screen = self.console.screen();
        screen.lines().any(|line| line.contains(&title) && line.contains("critical"))
    }

    fn wait(&self, namespace: &str, met: impl Fn() -> Option<Instant>) -> Outcome<Instant> {
        let begun = Instant::now();
        loop {
            if let Some(at) = met() {
                return Ok(at);
            }
            if begun.elapsed() > PATIENCE {
                let screen = self.console.screen();
                return Err(format!("the outage in {namespace} is not seen; the screen is:\n{screen}").into());
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Delays {
    /// Prints them.
    pub fn report(&self) {
        for (what, values) in [("to the measurement", &self.measured), ("to the screen", &self.shown)] {
            for (share, name) in [(0.5, "median"), (0.95, "95 %"), (1.0, "slowest")] {
                report(format!("  from an outage {what}, {name}"), quantile(values, share), "s");
            }
        }
    }

    /// When nearly all were on the screen.
    pub fn late(&self) -> f64 {
        quantile(&self.shown, 0.95)
    }
}
