//! What runs once, or by the clock: jobs and cron jobs.

mod ahead;
pub mod create;
mod cron;
mod cron_judge;
pub mod cron_probe;
mod judge;
mod named;
pub mod probe;
mod seen;
mod served;

pub use cron::CronJob;
pub use seen::{Job, State};
