//! AWS: who is calling in each region and until when, and what IAM would say to a permission.

mod callers;
mod iam;

pub use callers::{callers, places};
pub use iam::Iam;
