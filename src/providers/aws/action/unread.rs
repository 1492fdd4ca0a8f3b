//! What is said of a target that cannot be read: a step is described all the same.

use super::LOOK;
use crate::base::text::ended;
use crate::core::words::action::Failure;
use crate::providers::aws::client::AwsError;

/// Why a target could not be read, and what to do about it.
pub struct Unread {
    why: String,
    next: Option<String>,
}

/// What a look at a target shows, within the time of a look.
///
/// # Errors
/// When it cannot be read, or not in time.
pub async fn read<T, E: Into<Unread>>(look: impl Future<Output = Result<T, E>>) -> Result<T, Unread> {
    match tokio::time::timeout(LOOK, look).await {
        Ok(seen) => seen.map_err(Into::into),
        Err(_) => Err(Unread { why: "no answer in time.".into(), next: None }),
    }
}

impl Unread {
    /// As notes of a description.
    pub fn notes(self) -> Vec<String> {
        [Some(format!("It cannot be read: {}", self.why)), self.next].into_iter().flatten().collect()
    }

    /// As one note.
    pub fn note(self) -> String {
        let next = self.next.map(|next| format!(" {next}")).unwrap_or_default();
        format!("It cannot be read: {}{next}", ended(&self.why))
    }
}

impl From<AwsError> for Unread {
    fn from(error: AwsError) -> Self {
        Self { why: error.to_string(), next: Some(error.next_step()) }
    }
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self { why: failure.why, next: Some(failure.next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_read_in_time_is_said_in_the_same_words_in_both_forms() {
        let late = || async { read(std::future::pending::<Result<(), AwsError>>()).await.unwrap_err() };
        assert_eq!(late().await.notes(), ["It cannot be read: no answer in time."]);
        assert_eq!(late().await.note(), "It cannot be read: no answer in time.");
        let failure = || Failure::not_done("x", "there is no such file", "Make it.");
        let refused = || async { read(async { Err::<(), _>(failure()) }).await.unwrap_err() };
        assert_eq!(refused().await.notes(), ["It cannot be read: there is no such file", "Make it."]);
        assert_eq!(refused().await.note(), "It cannot be read: there is no such file. Make it.");
    }
}
