//! What actions get while a test runs them.

use futures::future::BoxFuture;
use jiff::SignedDuration;
use lifeboat::kinds::action::Conditions;
use lifeboat::plan::condition::{Condition, Truth};
use std::time::Duration;

/// Waits are as short as the emulator's changes, and nothing is measured.
pub struct Quick;

impl Conditions for Quick {
    fn evaluate(&self, _: &Condition) -> Truth {
        Truth::Unknown("nothing is measured".into())
    }
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration.unsigned_abs().min(Duration::from_millis(40))))
    }
}
