//! The core under random people, random worlds and crashes.

mod confirmations;
mod crashes;
pub(crate) mod desk;
mod diverged;
mod drills;
mod fencing;
pub(crate) mod fixture;
pub(crate) mod in_force;
mod judging;
mod losses;
mod oncall;
pub(crate) mod people;
pub(crate) mod placement;
pub(crate) mod proving;
mod readiness;
mod recovery;
pub(crate) mod serving;
mod telling;
mod transitions;
mod untold;
mod walking;
mod watching;
