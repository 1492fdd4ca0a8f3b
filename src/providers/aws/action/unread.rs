//! What a look at a target shows, for the actions that bound it by themselves.

use super::LOOK;
use crate::core::words::action::Failure;
use crate::kinds::action::{Refusal, Unread};

/// What a look at a target shows, within the time of a look.
///
/// # Errors
/// When it cannot be read, or not in time.
pub async fn read<T, E: Into<Unread>>(look: impl Future<Output = Result<T, E>>) -> Result<T, Unread> {
    match tokio::time::timeout(LOOK, look).await {
        Ok(seen) => seen.map_err(Into::into),
        Err(_) => Err(Unread::Late),
    }
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failed(Refusal::new(failure.why, failure.next))
    }
}
