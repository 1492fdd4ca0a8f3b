use super::*;
use crate::base::problem::Problem;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often it is asked; each answer takes `takes` and is the next of the script, the last one for ever.
#[derive(Debug)]
struct Scripted {
    asked: Arc<AtomicUsize>,
    takes: Duration,
    answers: Vec<Result<Option<SystemTime>, &'static str>>,
}

impl ProvideCredentials for Scripted {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(self.takes).await;
            match self.answers[asked.min(self.answers.len() - 1)] {
                Ok(expiry) => Ok(Credentials::new(format!("key-{asked}"), "secret", None, expiry, "test")),
                Err(why) => Err(CredentialsError::provider_error(why)),
            }
        })
    }
}

fn cache(
    takes_s: u64,
    answers: Vec<Result<Option<SystemTime>, &'static str>>,
) -> (CredentialCache, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let scripted = Scripted { asked: asked.clone(), takes: Duration::from_secs(takes_s), answers };
    (CredentialCache::new(scripted, Duration::from_secs(5)), asked)
}

async fn key(cache: &CredentialCache) -> Result<String, Problem> {
    cache.get().await.map(|credentials| credentials.access_key_id().to_owned())
}

fn in_s(seconds: u64) -> Result<Option<SystemTime>, &'static str> {
    Ok(Some(SystemTime::now() + Duration::from_secs(seconds)))
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_ask_once() {
    let (cache, asked) = cache(1, vec![in_s(3600)]);
    let keys = futures::future::join_all((0..100).map(|_| key(&cache))).await;
    assert!(keys.iter().all(|key| key.as_deref() == Ok("key-0")));
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_and_no_second_attempt_is_begun() {
    let (cache, asked) = cache(20, vec![in_s(3600)]);
    for _ in 0..2 {
        let missing = key(&cache).await.unwrap_err();
        assert_eq!(missing.why, "no answer within 5 s");
        assert!(missing.next.contains("credential_process"), "{missing:?}");
    }
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"), "what took its time is used after all");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_counts_for_a_moment_and_is_then_forgotten() {
    let (cache, asked) = cache(0, vec![Err("no"), in_s(3600)]);
    for _ in 0..10 {
        assert_eq!(key(&cache).await.unwrap_err().why, "no");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::advance(FAILED).await;
    assert_eq!(key(&cache).await.as_deref(), Ok("key-1"));
}

#[tokio::test(start_paused = true)]
async fn old_credentials_are_used_while_new_ones_cannot_be_had() {
    let (cache, asked) = cache(0, vec![in_s(200), Err("STS is down")]);
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"));
    tokio::time::advance(ENDLESS).await;
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    cache.refused();
    assert_eq!(key(&cache).await.unwrap_err().why, "STS is down", "AWS no longer takes the old ones");
}

#[tokio::test(start_paused = true)]
async fn keys_without_an_end_are_read_again_and_refused_ones_at_once() {
    let (cache, _) = cache(0, vec![Ok(None)]);
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"));
    assert_eq!(key(&cache).await.as_deref(), Ok("key-0"));
    cache.refused();
    assert_eq!(key(&cache).await.as_deref(), Ok("key-1"));
    tokio::time::advance(ENDLESS).await;
    assert_eq!(key(&cache).await.as_deref(), Ok("key-2"));
    assert_eq!(cache.in_use().unwrap().expires, None);
}

#[test]
fn what_a_provider_of_ours_says_is_kept_whole() {
    let own = Problem { why: "ended".into(), next: "log in".into() };
    let wrapped = CredentialsError::provider_error(CredentialsError::provider_error(own.clone()));
    assert_eq!(explained(&wrapped), own);
    let none = explained(&CredentialsError::not_loaded("no providers in chain"));
    assert!(none.why.contains("instance metadata") && none.next.contains("aws sso login"), "{none:?}");
}
