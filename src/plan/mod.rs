//! Plan files: schema, loading, validation, diagnostics.
//!
//! [`load()`] reads a plan's files, merges them, reads each table against [`sections::SECTIONS`] and the keys of
//! the [`Registry`]'s kinds, and checks the whole. It either gives a complete [`Plan`], or every problem at once.

mod aws;
pub mod calendar;
mod checks;
pub mod condition;
mod files;
mod fingerprint;
pub mod keys;
pub mod kinds;
mod kube;
mod load;
pub mod oncall;
pub mod params;
pub mod people;
pub mod reference;
mod registry;
pub mod schema;
mod secrets;
pub mod sections;
pub mod show;
pub mod template;
mod types;
pub(crate) mod units;
pub mod vocabulary;

pub use crate::base::toml::{Diagnostic, Diagnostics, Level};
pub use aws::AwsSettings;
pub use kube::KubeSettings;
pub use load::{Loaded, load, load_texts};
pub use people::*;
pub(crate) use registry::is_left_out;
pub use registry::{Registry, Trial};
#[cfg(test)]
pub(crate) use registry::{is_aws, is_kube};
pub use types::*;
pub use units::format_duration;
