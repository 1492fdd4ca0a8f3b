//! What runs once, or by the clock: jobs and cron jobs.

mod cron;
mod cron_judge;
pub mod cron_probe;
mod judge;
pub mod probe;
mod seen;
mod served;

pub use cron::CronJob;
pub use seen::{Job, State};
