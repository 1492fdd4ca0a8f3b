//! AWS Backup.

pub mod probe;
