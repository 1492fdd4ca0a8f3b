//! Keyrings: the desktop's secret service, and the Linux kernel's.
//!
//! The stores are used directly, not through a process-wide default, because which one is used is decided at
//! run time and told to the operator. Both block, and a secret service may wait for a person to unlock it, so
//! each call runs on a thread of its own with a deadline. It is not a pool's thread: the runtime would wait for
//! those when the program ends.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keyring_core::{CredentialStore, Entry, Error};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::name::SecretName;
use super::value::Origin;

/// The name under which lifeboat's entries stand in a keyring.
const SERVICE: &str = "lifeboat";

/// How long a keyring that refused is not asked again.
const AFTER_REFUSAL: Duration = Duration::from_secs(300);

/// What the kernel store puts before an entry's name, and between it and the service.
const KERNEL_PREFIX: &str = "keyring:";
const KERNEL_SUFFIX: &str = "@lifeboat";

/// One of the two keyrings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// The desktop's secret service, over D-Bus.
    SecretService,
    /// The Linux kernel's keyring. It works without a desktop and does not survive a reboot.
    Kernel,
}

impl Keyring {
    /// Both, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::SecretService, Self::Kernel];

    /// Where a secret from this keyring comes from.
    pub fn origin(self) -> Origin {
        match self {
            Self::SecretService => Origin::SecretService,
            Self::Kernel => Origin::KernelKeyring,
        }
    }

    /// The value of a secret; `None` when it has no such entry.
    pub(super) async fn get(
        self,
        name: &SecretName,
        deadline: Duration,
    ) -> Result<Option<Zeroizing<String>>, KeyringError> {
        // Asked by a person, who may be asked as often.
        Gate::default().get(self, name, deadline).await
    }

    /// Stores a secret, replacing an older value.
    pub(super) async fn set(
        self,
        name: &SecretName,
        value: &str,
        deadline: Duration,
    ) -> Result<(), KeyringError> {
        let name = name.clone();
        let value = Zeroizing::new(value.to_owned());
        blocking(deadline, move || self.entry(&name)?.set_password(&value)).await
    }

    /// Removes a secret; false when there was none.
    pub(super) async fn remove(self, name: &SecretName, deadline: Duration) -> Result<bool, KeyringError> {
        let name = name.clone();
        let removed = blocking(deadline, move || self.entry(&name)?.delete_credential()).await;
        Ok(absent_is_none(removed)?.is_some())
    }

    /// The names of lifeboat's secrets in this keyring.
    pub(super) async fn names(self, deadline: Duration) -> Result<Vec<SecretName>, KeyringError> {
        match self {
            Self::SecretService => blocking(deadline, secret_service_names).await,
            Self::Kernel => blocking(deadline, kernel_keys).await,
        }
    }

    fn entry(self, name: &SecretName) -> Result<Entry, Error> {
        // A new connection each time: one that waits for a person would block the others.
        let store: Arc<CredentialStore> = match self {
            Self::SecretService => zbus_secret_service_keyring_store::Store::new()?,
            Self::Kernel => kernel_store()?,
        };
        store.build(SERVICE, name.as_str(), None)
    }
}

impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretService => "secret service",
            Self::Kernel => "kernel keyring",
        })
    }
}

/// Keeps a keyring from asking a person again and again: one call at a time, none while an earlier one still waits for
/// somebody, and none for a while after somebody refused.
#[derive(Default)]
pub(super) struct Gate {
    /// When it may be asked again.
    shut_until: Mutex<Option<Instant>>,
    /// A call was given up that has not ended.
    waits: Arc<AtomicBool>,
}

impl Gate {
    /// The value of a secret; `None` when it has no such entry.
    pub(super) async fn get(
        &self,
        keyring: Keyring,
        name: &SecretName,
        deadline: Duration,
    ) -> Result<Option<Zeroizing<String>>, KeyringError> {
        let name = name.clone();
        let found = self.ask(deadline, move || keyring.entry(&name)?.get_password()).await;
        absent_is_none(found.map(Zeroizing::new))
    }

    async fn ask<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let mut shut_until = self.shut_until.lock().await;
        if self.waits.load(Ordering::Acquire) {
            return Err(KeyringError::Waits);
        }
        if shut_until.is_some_and(|until| Instant::now() < until) {
            return Err(KeyringError::Refused);
        }
        let waits = self.waits.clone();
        let answer = blocking(deadline, move || {
            waits.store(true, Ordering::Release);
            let answer = call();
            waits.store(false, Ordering::Release);
            answer
        });
        let answer = answer.await;
        if matches!(answer, Err(KeyringError::Failed(Error::NoStorageAccess(_)))) {
            *shut_until = Some(Instant::now() + AFTER_REFUSAL);
        }
        answer
    }
}

/// Why a keyring gave no answer.
#[derive(Debug)]
pub(super) enum KeyringError {
    TimedOut(Duration),
    Failed(Error),
    /// An earlier call still waits for a person.
    Waits,
    /// A person, or the system, refused a moment ago.
    Refused,
}

impl fmt::Display for KeyringError {
    /// What a keyring holds is never part of it, also where the crate's own error carries the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => {
                write!(
                    f,
                    "no answer within {} s; it may be waiting for somebody to unlock it",
                    limit.as_secs()
                )
            }
            Self::Waits => f.write_str("it still waits for somebody to unlock it"),
            Self::Refused => write!(
                f,
                "it was locked or did not allow it less than {} min ago, and is not asked again so soon",
                AFTER_REFUSAL.as_secs() / 60
            ),
            Self::Failed(Error::PlatformFailure(why)) => write!(f, "not available here ({})", cleaned(why)),
            Self::Failed(Error::NoStorageAccess(why)) => {
                write!(f, "locked or not allowed ({})", cleaned(why))
            }
            Self::Failed(Error::BadEncoding(_) | Error::BadDataFormat(..)) => {
                f.write_str("its entry is not text")
            }
            Self::Failed(Error::Ambiguous(entries)) => {
                write!(f, "it has {} entries of that name", entries.len())
            }
            Self::Failed(other) => f.write_str(&cleaned(other)),
        }
    }
}

fn cleaned(why: &impl fmt::Display) -> String {
    crate::base::text::clean(&why.to_string(), 200)
}

fn absent_is_none<T>(result: Result<T, KeyringError>) -> Result<Option<T>, KeyringError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(KeyringError::Failed(Error::NoEntry)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    deadline: Duration,
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, KeyringError> {
    match on_own_thread(deadline, call).await {
        Some(result) => result.map_err(KeyringError::Failed),
        None => Err(KeyringError::TimedOut(deadline)),
    }
}

/// Runs a blocking call on a thread of its own; `None` after the deadline, when the thread is left to itself.
pub(super) async fn on_own_thread<T: Send + 'static>(
    deadline: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let work = move || {
        // Nobody listens any more after the deadline.
        let _ = answer.send(call());
    };
    std::thread::Builder::new().name("secrets".into()).spawn(work).ok()?;
    tokio::time::timeout(deadline, answered).await.ok()?.ok()
}

/// The kernel's keyring, for this thread. Its login may have made no session keyring (cron, a container): without
/// one the store would put a key where it may not be read again; with one it reaches the user's persistent
/// keyring through it.
#[cfg(target_os = "linux")]
fn kernel_store() -> Result<Arc<CredentialStore>, Error> {
    use linux_keyutils::{KeyRing, KeyRingIdentifier};
    // A kernel without keyrings fails again, with its reason, as soon as the store is used.
    let _ = KeyRing::from_special_id(KeyRingIdentifier::Session, true);
    Ok(linux_keyutils_keyring_store::Store::new()?)
}

#[cfg(not(target_os = "linux"))]
fn kernel_store() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::PlatformFailure("only Linux has a keyring in its kernel".into()))
}

fn secret_service_names() -> Result<Vec<SecretName>, Error> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    let mut names = Vec::new();
    for entry in store.search(&HashMap::from([("service", SERVICE)]))? {
        names.extend(entry.get_attributes()?.get("username").and_then(|name| name.parse().ok()));
    }
    Ok(names)
}

/// The kernel's keys that can be read: its list also shows keys of sessions that this process is no part of.
fn kernel_keys() -> Result<Vec<SecretName>, Error> {
    let list = std::fs::read_to_string("/proc/keys").map_err(|error| Error::PlatformFailure(error.into()))?;
    let readable = |name: &SecretName| {
        let value = Keyring::Kernel.entry(name).and_then(|entry| entry.get_secret());
        value.map(Zeroizing::new).is_ok()
    };
    let mut names = kernel_names(&list);
    names.retain(readable);
    names.dedup();
    Ok(names)
}

/// Names out of the kernel's own list of the keys that this user can see (proc(5), `/proc/keys`); the store
/// has no search. A line ends with the key's description and, after a colon, its size.
fn kernel_names(proc_keys: &str) -> Vec<SecretName> {
    let named = |line: &str| {
        let (_, description) = line.split_once(KERNEL_PREFIX)?;
        let (name, _) = description.split_once(KERNEL_SUFFIX)?;
        let usable = !line.split_whitespace().nth(1)?.contains(['R', 'D', 'i']);
        usable.then(|| name.parse().ok())?
    };
    proc_keys.lines().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_kernels_list() {
        let list = "\
009a2028 I--Q---     1 perm 3f010000  1000  1000 user      keyring:arka-dr-db@lifeboat: 12
1be3d2a0 I--Q---     1 perm 3f010000  1000  1000 user      keyring:arka@other: 12
2c5d1f3b I-R----     1 perm 3f010000  1000  1000 user      keyring:revoked@lifeboat: 12
3fb4f1c2 I--Q---     4 perm 1f3f0000  1000 65534 keyring   _uid.1000: empty\n";
        assert_eq!(kernel_names(list), ["arka-dr-db".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_keyring_that_waits_for_a_person_is_given_up() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let waiting = blocking(Duration::from_millis(20), move || {
            // Ends when the test drops the other side.
            let _ = held.recv();
            Ok(())
        });
        let error = waiting.await.unwrap_err();
        assert!(error.to_string().contains("unlock"), "{error}");
        drop(hold);
    }

    #[tokio::test]
    async fn a_keyring_that_waits_or_refused_asks_nobody_again() {
        let gate = Gate::default();
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let waiting = gate.ask(Duration::from_millis(20), move || {
            let _ = held.recv();
            Ok(())
        });
        assert!(matches!(waiting.await, Err(KeyringError::TimedOut(_))));
        let soon = Duration::from_secs(5);
        let again = gate.ask(soon, || -> Result<(), Error> { panic!("somebody is asked twice") }).await;
        assert!(matches!(again, Err(KeyringError::Waits)), "{again:?}");
        drop(hold);
        // Somebody answered: it is asked as ever.
        while gate.waits.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert!(gate.ask(soon, || Ok(())).await.is_ok());
        let refused = gate.ask(soon, || Err::<(), _>(Error::NoStorageAccess("dismissed".into()))).await;
        assert!(matches!(refused, Err(KeyringError::Failed(_))));
        let again = gate.ask(soon, || -> Result<(), Error> { panic!("somebody is asked twice") }).await;
        assert!(matches!(again, Err(KeyringError::Refused)), "{again:?}");
    }

    #[test]
    fn the_bytes_of_an_entry_are_never_shown() {
        let error = KeyringError::Failed(Error::BadEncoding(b"hunter22".to_vec()));
        assert_eq!(error.to_string(), "its entry is not text");
    }
}
