//! The core under random people, random worlds and crashes.

mod confirmations;
mod crashes;
pub(crate) mod fixture;
mod invariants;
mod judging;
mod oncall;
mod readiness;
mod transitions;
mod walking;
