//! Simple Notification Service.

pub mod publish;
pub mod sms;
