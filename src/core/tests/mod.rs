//! The core under random people, random worlds and crashes.

mod aims;
pub(crate) mod carried_out;
mod confirmations;
mod crashes;
pub(crate) mod desk;
mod diverged;
mod drills;
pub(crate) mod exercised;
mod fencing;
pub(crate) mod fixture;
pub(crate) mod in_force;
mod judging;
mod losses;
mod notifications;
mod oncall;
pub(crate) mod people;
pub(crate) mod placement;
pub(crate) mod proving;
mod readiness;
mod recovery;
pub(crate) mod serving;
mod taken_back;
mod transitions;
mod unsaid;
mod untold;
mod walking;
mod watching;
