//! CloudNativePG: a PostgreSQL cluster that an operator runs, and the change of the primary between two of them.

mod aftermath;
pub mod demote;
mod guard;
mod judge;
mod named;
mod other;
pub mod probe;
pub mod promote;
mod seen;
mod shut;
mod stage;
#[cfg(test)]
mod testing;
mod token;

use seen::{Postgres, Role};
