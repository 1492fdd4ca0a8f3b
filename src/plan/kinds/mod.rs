//! What a plan must know of the kinds that it can name: their keys, their words, their permissions. How one is made is
//! known to its provider.

mod action;
mod channel;
mod error;
pub(crate) mod keys;
mod probe;

pub use action::{ActionKind, Does};
pub use channel::{Ending, NotifierKind};
pub use error::BuildError;
pub(crate) use probe::faults;
pub use probe::{ANY_FIELD, ProbeKind, Sees, unchecked};
