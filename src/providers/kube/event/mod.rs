//! What a cluster complains of.

mod judge;
mod named;
pub mod probe;
mod seen;

pub use judge::words_of;
pub use named::Named;
pub use seen::Warning;
