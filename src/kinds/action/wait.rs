//! Waiting until the world is as an action wants it.

use super::Context;
use crate::core::words::action::Failure;
use jiff::SignedDuration;

/// What a look at something that takes its time shows.
pub enum Progress<T> {
    /// Not there yet, in words for the operator.
    Waiting(String),
    /// There.
    Reached(T),
    /// It will not get there by waiting.
    Lost(Failure),
}

/// Why a look showed nothing.
pub type Unseen = Box<dyn std::error::Error + Send + Sync>;

/// Looks again and again until the world is there or the action's time is over. Says each change as output, and goes
/// on over failed looks: a region that answers again is believed.
///
/// # Errors
/// [`Progress::Lost`], or `late` with what was seen last.
pub async fn wait<T, F>(
    context: &Context,
    every: SignedDuration,
    late: impl FnOnce(String) -> Failure,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Progress<T>, Unseen>> + Send,
{
    let mut left = context.timeout;
    let mut said = String::new();
    loop {
        let begun = tokio::time::Instant::now();
        let seen = match look().await {
            Ok(Progress::Reached(value)) => return Ok(value),
            Ok(Progress::Lost(failure)) => return Err(failure),
            Ok(Progress::Waiting(seen)) => seen,
            Err(error) => format!("not seen: {error}"),
        };
        if seen != said {
            (context.output)(&seen);
            said = seen;
        }
        let took = SignedDuration::try_from(begun.elapsed()).unwrap_or_default();
        left = left.saturating_sub(took).saturating_sub(every);
        if left <= SignedDuration::ZERO {
            return Err(late(said));
        }
        context.conditions.sleep(every).await;
    }
}
