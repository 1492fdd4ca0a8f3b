//! A region's things of one type, listed once for everybody who asks after one of them.

use super::{AwsError, AwsErrorKind, Shared};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a caller who may not list is believed to be still not allowed to.
const DENIED: Duration = Duration::from_secs(600);

/// Kept on a [`super::Connection`]: as long as the listing is fresh, finding costs no call. A caller who may see
/// certain things only is denied the list; each is then asked for by name.
pub struct Listing<T> {
    shared: Shared<(), Arc<Vec<T>>>,
    denied: Mutex<Option<Instant>>,
}

/// What was answered; none where AWS says that there is no such thing.
///
/// # Errors
/// Any other one than that.
pub fn present<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { shared: Shared::default(), denied: Mutex::new(None) }
    }
}

impl<T: Clone> Listing<T> {
    /// The thing that `is` meant, not older than `fresh`; none where the region has none. `list` gets all of them,
    /// `one` that one.
    ///
    /// # Errors
    /// What `list` failed with; what `one` failed with where the caller may not list.
    pub async fn find<L, O>(
        &self,
        fresh: Duration,
        list: impl FnOnce() -> L,
        is: impl Fn(&T) -> bool,
        one: impl FnOnce() -> O,
    ) -> Result<Option<T>, AwsError>
    where
        L: Future<Output = Result<Vec<T>, AwsError>>,
        O: Future<Output = Result<Option<T>, AwsError>>,
    {
        if self.is_denied() {
            return one().await;
        }
        match self.all(fresh, list).await {
            Ok(all) => Ok(all.iter().find(|thing| is(thing)).cloned()),
            Err(error) if error.kind == AwsErrorKind::Denied => {
                *self.denied.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                one().await
            }
            Err(error) => Err(error),
        }
    }

    /// All of them, not older than `fresh`.
    ///
    /// # Errors
    /// What `list` failed with.
    pub async fn all<L>(&self, fresh: Duration, list: impl FnOnce() -> L) -> Result<Arc<Vec<T>>, AwsError>
    where
        L: Future<Output = Result<Vec<T>, AwsError>>,
    {
        let fetch = |_| async { Ok(std::iter::once(((), Arc::new(list().await?))).collect()) };
        Ok(self.shared.get(&(), fresh, fetch).await?.unwrap_or_default())
    }

    fn is_denied(&self) -> bool {
        let denied = *self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.is_some_and(|at| at.elapsed() < DENIED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::aws::client::Call;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const FRESH: Duration = Duration::from_secs(9);

    #[tokio::test(start_paused = true)]
    async fn many_late_askers_cost_one_listing() {
        let (listing, lists) = (Listing::<u8>::default(), AtomicUsize::new(0));
        for wanted in 0..150 {
            let list = async || {
                lists.fetch_add(1, Ordering::SeqCst);
                Ok((0..100).collect())
            };
            let found = listing.find(FRESH, list, |thing| *thing == wanted, async || unreachable!()).await;
            assert_eq!(found.unwrap(), Some(wanted).filter(|wanted| *wanted < 100));
        }
        assert_eq!(lists.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_denied_list_is_remembered_and_tried_again_later() {
        let (listing, lists) = (Listing::<u8>::default(), AtomicUsize::new(0));
        let call = Call::new("rds:DescribeDBInstances", "us-west-2");
        let ask = async || {
            let list = async || {
                lists.fetch_add(1, Ordering::SeqCst);
                Err(AwsError::new(&call, AwsErrorKind::Denied, "no"))
            };
            listing.find(FRESH, list, |_| false, async || Ok(Some(7))).await.unwrap()
        };
        for _ in 0..20 {
            assert_eq!(ask().await, Some(7));
            tokio::time::advance(FRESH).await;
        }
        assert_eq!(lists.load(Ordering::SeqCst), 1);
        tokio::time::advance(DENIED).await;
        assert_eq!(ask().await, Some(7));
        assert_eq!(lists.load(Ordering::SeqCst), 2);
    }
}
