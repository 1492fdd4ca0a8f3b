//! The real keyrings: GNOME Keyring on a D-Bus session of its own, and the Linux kernel's in a session of its own.
//! Needs the Debian packages `gnome-keyring`, `dbus` and `keyutils`; without them these tests fail.
//!
//! Each test runs itself again inside the session that it needs: a session is a property of a process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use lifeboat::base::environment::Environment;
use lifeboat::secrets::{
    Keyring, Origin, Resolver, SecretError, SecretName, SecretRef, SecretsConfig, Source, Store,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs one of the tests marked `ignore` below in a session that `wrapper` makes, with a home of its own.
fn run_inside(wrapper: &[&str], test: &str, home: &Path) -> Output {
    let this = std::env::current_exe().unwrap();
    let (program, arguments) = wrapper.split_first().unwrap();
    Command::new(program)
        .args(arguments)
        .arg(this)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_CACHE_HOME", home)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run {program}: {error}; install gnome-keyring, dbus and keyutils")
        })
}

fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

fn keyring_only(keyring_deadline: Duration) -> Resolver {
    let config = SecretsConfig {
        sources: vec![Source::Keyring],
        store_deadline: keyring_deadline,
        keep: Duration::ZERO,
        ..SecretsConfig::default()
    };
    Resolver::new(config, Path::new("/nonexistent"), Environment::default())
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

async fn round_trip(keyring: Keyring, secret: &str) {
    let resolver = keyring_only(DEADLINE);
    let stores = resolver.stores(DEADLINE);
    let store = Store::Keyring(keyring);
    let name = name(secret);
    assert_eq!(stores.set(store, &name, "hunter22 ü").await.unwrap(), keyring.origin());
    assert_eq!(stores.set(store, &name, "hunter33 ü").await.unwrap(), keyring.origin(), "replaced");
    let found = resolver.resolve(&SecretRef { name: name.clone() }).await.unwrap();
    assert_eq!((found.expose(), found.origin()), ("hunter33 ü", &keyring.origin()));
    let (listed, _) = stores.list().await;
    let entry = listed.iter().find(|entry| entry.name == name).expect("it is not listed");
    assert_eq!(entry.places, [keyring.origin()]);
    assert!(stores.remove(store, &name).await.unwrap());
    assert!(!stores.remove(store, &name).await.unwrap(), "it was removed twice");
    resolver.forget(&SecretRef { name: name.clone() }).await;
    let gone = resolver.resolve(&SecretRef { name }).await.unwrap_err();
    assert!(matches!(gone, SecretError::NotFound { .. }), "{gone}");
}

#[test]
fn the_secret_service_keeps_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let unlock = "echo test | gnome-keyring-daemon --unlock --components=secrets >&2 && exec \"$0\" \"$@\"";
    let inside = ["dbus-run-session", "--", "sh", "-c", unlock];
    assert_passed(&run_inside(&inside, "inside_an_unlocked_secret_service", home.path()));
}

#[tokio::test]
#[ignore = "run by the_secret_service_keeps_a_secret, in its session"]
async fn inside_an_unlocked_secret_service() {
    round_trip(Keyring::SecretService, "test-secret-service").await;
    let resolver = keyring_only(DEADLINE);
    let stores = resolver.stores(DEADLINE);
    let name = name("test-auto");
    let (origin, no_desktop) = stores.set_in_a_keyring(&name, "hunter22").await.unwrap();
    assert_eq!((origin, no_desktop), (Origin::SecretService, None), "the desktop's keyring comes first");
}

#[test]
fn the_kernel_keeps_a_secret() {
    let home = tempfile::tempdir().unwrap();
    assert_passed(&run_inside(&["keyctl", "session", "-"], "inside_a_kernel_session", home.path()));
}

#[tokio::test]
#[ignore = "run by the_kernel_keeps_a_secret, in its session"]
async fn inside_a_kernel_session() {
    round_trip(Keyring::Kernel, &format!("test-kernel-{}", std::process::id())).await;
}

/// Cron, a container: no login made a session, and the secret must still be found by the next process.
#[test]
fn the_kernel_keeps_a_secret_between_processes_without_a_session() {
    let home = tempfile::tempdir().unwrap();
    assert_passed(&run_inside(&["env"], "inside_no_session", home.path()));
    assert_passed(&run_inside(&["env"], "inside_no_session_later", home.path()));
}

/// A name of this very test run: both processes have the same parent.
fn name_between_processes() -> SecretName {
    name(&format!("test-between-{}", rustix::process::getppid().unwrap().as_raw_nonzero()))
}

#[tokio::test]
#[ignore = "run by the_kernel_keeps_a_secret_between_processes_without_a_session"]
async fn inside_no_session() {
    let resolver = keyring_only(DEADLINE);
    let stores = resolver.stores(DEADLINE);
    stores.set(Store::Keyring(Keyring::Kernel), &name_between_processes(), "hunter22").await.unwrap();
}

#[tokio::test]
#[ignore = "run by the_kernel_keeps_a_secret_between_processes_without_a_session"]
async fn inside_no_session_later() {
    let resolver = keyring_only(DEADLINE);
    let reference = SecretRef { name: name_between_processes() };
    assert_eq!(resolver.resolve(&reference).await.unwrap().expose(), "hunter22");
    assert!(
        resolver.stores(DEADLINE).remove(Store::Keyring(Keyring::Kernel), &reference.name).await.unwrap()
    );
}

/// A bastion: no D-Bus, no desktop. What is missing is said, and the kernel's keyring takes the secret.
#[test]
fn without_a_desktop_the_answer_is_clear_and_something_works() {
    let home = tempfile::tempdir().unwrap();
    assert_passed(&run_inside(
        &["keyctl", "session", "-"],
        "inside_a_session_without_a_desktop",
        home.path(),
    ));
}

#[tokio::test]
#[ignore = "run by without_a_desktop_the_answer_is_clear_and_something_works, in its session"]
async fn inside_a_session_without_a_desktop() {
    let resolver = keyring_only(DEADLINE);
    let stores = resolver.stores(DEADLINE);
    let name = name(&format!("test-bastion-{}", std::process::id()));
    let refused = stores.set(Store::Keyring(Keyring::SecretService), &name, "hunter22").await.unwrap_err();
    assert!(refused.to_string().starts_with("secret service: not available here"), "{refused}");
    assert!(refused.next_step().contains("--store file"), "{}", refused.next_step());
    let reference = SecretRef { name: name.clone() };
    let missing = resolver.resolve(&reference).await.unwrap_err();
    let text = missing.to_string();
    assert!(
        text.contains("secret service: not available") && text.contains("kernel keyring: no such"),
        "{text}"
    );
    assert!(missing.next_step().contains(&name.environment_variable()), "{}", missing.next_step());
    let (origin, why) = stores.set_in_a_keyring(&name, "hunter22").await.unwrap();
    assert!(origin == Origin::KernelKeyring && why.is_some());
    assert_eq!(resolver.resolve(&reference).await.unwrap().expose(), "hunter22");
    assert!(stores.remove(Store::Keyring(Keyring::Kernel), &name).await.unwrap());
}

/// A keyring that nobody unlocks gives up at the deadline, and the search goes on.
#[test]
fn a_locked_secret_service_does_not_hold_anybody_up() {
    let home = tempfile::tempdir().unwrap();
    let create = "echo test | gnome-keyring-daemon --unlock --components=secrets >&2";
    let lock = "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
                org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >&2";
    let script = format!("{create} && {lock} && exec \"$0\" \"$@\"");
    let inside = ["dbus-run-session", "--", "sh", "-c", &script];
    assert_passed(&run_inside(&inside, "inside_a_locked_secret_service", home.path()));
}

#[tokio::test]
#[ignore = "run by a_locked_secret_service_does_not_hold_anybody_up, in its session"]
async fn inside_a_locked_secret_service() {
    let resolver = keyring_only(Duration::from_secs(2));
    let started = std::time::Instant::now();
    let stores = resolver.stores(Duration::from_secs(2));
    let name = name("test-locked");
    let refused = stores.set(Store::Keyring(Keyring::SecretService), &name, "hunter22").await.unwrap_err();
    assert!(started.elapsed() < DEADLINE, "{:?}", started.elapsed());
    assert!(refused.next_step().contains("--store file"), "{refused}");
    let missing = resolver.resolve(&SecretRef { name }).await.unwrap_err();
    assert!(missing.to_string().contains("kernel keyring"), "{missing}");
}
