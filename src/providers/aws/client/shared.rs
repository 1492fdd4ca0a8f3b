//! One answer for many askers: an interface that lists a hundred things in one call is called once.

use super::AwsError;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// What is asked for together: each asker enrols its key once, and whoever asks first after the answer grew old
/// fetches for all.
pub struct Shared<K, V> {
    keys: PlainMutex<BTreeSet<K>>,
    last: Mutex<Option<Fetched<K, V>>>,
}

struct Fetched<K, V> {
    at: Instant,
    asked: BTreeSet<K>,
    answer: Result<Arc<HashMap<K, V>>, AwsError>,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self { keys: PlainMutex::new(BTreeSet::new()), last: Mutex::new(None) }
    }
}

impl<K: Ord + Hash + Clone, V: Clone> Shared<K, V> {
    /// From now on this key is asked for with the others.
    pub fn enrol(&self, key: K) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// What is known of a key, not older than `fresh`; none where the answer does not have it. `fetch` gets every
    /// enrolled key. A failure counts as long as an answer does: a hundred askers of a dead region cost one call.
    ///
    /// # Errors
    /// What `fetch` failed with, for everyone who asked.
    pub async fn get<F>(
        &self,
        key: &K,
        fresh: Duration,
        fetch: impl FnOnce(Vec<K>) -> F,
    ) -> Result<Option<V>, AwsError>
    where
        F: Future<Output = Result<HashMap<K, V>, AwsError>>,
    {
        // Before the wait, so that whoever fetches meanwhile asks for this key too.
        self.enrol(key.clone());
        let mut last = self.last.lock().await;
        let usable =
            last.as_ref().is_some_and(|fetched| fetched.asked.contains(key) && fetched.at.elapsed() < fresh);
        if !usable {
            let asked = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // It tells of the world as it was when it was asked for: one that was long on its way is no younger for that.
            // A failure counts from its end, or those who waited for it would each wait for another one.
            let begun = Instant::now();
            let answer = fetch(asked.iter().cloned().collect()).await.map(Arc::new);
            let at = if answer.is_ok() { begun } else { Instant::now() };
            *last = Some(Fetched { at, asked, answer });
        }
        match last.as_ref().map(|fetched| &fetched.answer) {
            Some(Ok(answer)) => Ok(answer.get(key).cloned()),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::aws::client::{AwsErrorKind, Call};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const FRESH: Duration = Duration::from_secs(9);

    async fn ask(shared: &Shared<u8, usize>, key: u8, calls: &AtomicUsize) -> Option<usize> {
        let fetch = async |keys: Vec<u8>| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            Ok(keys.into_iter().map(|key| (key, call)).collect())
        };
        shared.get(&key, FRESH, fetch).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn many_askers_cost_one_call_until_the_answer_is_old() {
        let (shared, calls) = (Shared::default(), AtomicUsize::new(0));
        (0..100).for_each(|key| shared.enrol(key));
        let asked = futures::future::join_all((0..100).map(|key| ask(&shared, key, &calls))).await;
        assert_eq!(asked, vec![Some(0); 100]);
        tokio::time::advance(FRESH).await;
        assert_eq!(ask(&shared, 7, &calls).await, Some(1));
        assert_eq!(ask(&shared, 8, &calls).await, Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn askers_that_enrol_by_asking_at_once_cost_two_calls_at_most() {
        let shared: Shared<u8, u8> = Shared::default();
        let calls = AtomicUsize::new(0);
        let fetch = async |keys: Vec<u8>| {
            calls.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(keys.into_iter().map(|key| (key, key)).collect())
        };
        let asked = futures::future::join_all((0..100).map(|key| {
            let (shared, fetch) = (&shared, &fetch);
            async move { shared.get(&key, FRESH, fetch).await.unwrap() }
        }));
        assert_eq!(asked.await, (0..100).map(Some).collect::<Vec<_>>());
        assert!(calls.load(Ordering::SeqCst) <= 2, "{calls:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_as_old_as_its_question() {
        let (shared, calls) = (Shared::default(), AtomicUsize::new(0));
        let slow = async |keys: Vec<u8>| {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(keys.into_iter().map(|key| (key, calls.fetch_add(1, Ordering::SeqCst))).collect())
        };
        assert_eq!(shared.get(&1, FRESH, slow).await.unwrap(), Some(0));
        tokio::time::advance(Duration::from_secs(8)).await;
        assert_eq!(
            shared.get(&1, FRESH, slow).await.unwrap(),
            Some(1),
            "ten seconds after the first question"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_key_is_fetched_at_once() {
        let (shared, calls) = (Shared::default(), AtomicUsize::new(0));
        assert_eq!(ask(&shared, 1, &calls).await, Some(0));
        assert_eq!(ask(&shared, 2, &calls).await, Some(1));
        assert_eq!(ask(&shared, 1, &calls).await, Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_and_forgotten_like_an_answer() {
        let shared: Shared<u8, usize> = Shared::default();
        shared.enrol(1);
        let calls = AtomicUsize::new(0);
        let error =
            AwsError::new(&Call::new("rds:DescribeDBInstances", "us-east-1"), AwsErrorKind::Timeout, "late");
        let fail = async |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            Err(error.clone())
        };
        for _ in 0..3 {
            assert_eq!(shared.get(&1, FRESH, fail).await.unwrap_err().kind, AwsErrorKind::Timeout);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        tokio::time::advance(FRESH).await;
        assert_eq!(ask(&shared, 1, &calls).await, Some(1));
    }
}
