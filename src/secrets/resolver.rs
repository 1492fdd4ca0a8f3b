//! Finds the value of a secret in the configured sources.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::{SecretError, Tried};
use super::file::{self, FileError};
use super::keyring::{Gate, Keyring};
use super::name::{SecretName, SecretRef, SecretText};
use super::redactor::Redactor;
use super::store::Stores;
use super::value::{MAX_SECRET_BYTES, MIN_SECRET_CHARS, Origin, Secret};
use super::{command, keyring};
use crate::base::environment::Environment;

/// So many secrets are looked up at once where all of a plan's are.
const TOGETHER: usize = 8;

/// A kind of place that secrets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The variable `LIFEBOAT_SECRET_<NAME>`.
    Environment,
    /// The file `<name>` in the secrets folder.
    File,
    /// The secret service, then the kernel's keyring.
    Keyring,
    /// What a command prints.
    Command,
}

/// Where to look for secrets, in which order, and how long to wait: `[secrets]` of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretsConfig {
    /// The sources, in the order in which they are tried; the first that has the secret wins.
    pub sources: Vec<Source>,
    /// The folder of secret files, where it is not the user's own.
    pub files_folder: Option<PathBuf>,
    /// Program and arguments of the command source; `{name}` becomes the secret's name. No shell reads it.
    pub command: Vec<String>,
    /// Environment variables that the command gets besides `PATH`, `HOME` and the like.
    pub command_env: Vec<String>,
    /// How long the command may take.
    pub command_deadline: Duration,
    /// How long a file or one keyring may take.
    pub store_deadline: Duration,
    /// How long a value is used before its source is asked again.
    pub keep: Duration,
}

impl Default for SecretsConfig {
    /// Environment, the user's own files, keyrings; no command. 15 s for a command, 5 s for a file or keyring,
    /// 5 min before a value is looked up again.
    fn default() -> Self {
        Self {
            sources: vec![Source::Environment, Source::File, Source::Keyring, Source::Command],
            files_folder: None,
            command: Vec::new(),
            command_env: Vec::new(),
            command_deadline: Duration::from_secs(15),
            store_deadline: Duration::from_secs(5),
            keep: Duration::from_secs(300),
        }
    }
}

/// Finds secrets, keeps them for a while, and tells the [`Redactor`] about each. Clones share what they know.
#[derive(Clone)]
pub struct Resolver {
    inner: Arc<Inner>,
}

struct Inner {
    config: SecretsConfig,
    files_folder: PathBuf,
    environment: Environment,
    redactor: Redactor,
    /// One for each keyring, in the order of [`Keyring::ALL`].
    gates: [Gate; 2],
    known: StdMutex<HashMap<SecretName, Arc<Mutex<Option<Known>>>>>,
}

#[derive(Clone)]
struct Known {
    secret: Secret,
    since: Instant,
}

/// What one source said.
enum Answer {
    Found(Secret),
    Nothing(Vec<Tried>),
}

impl Resolver {
    /// A resolver over these sources. `own_files` is the user's own folder of secret files (`secrets` in the
    /// configuration folder), `environment` a snapshot of the process's variables.
    pub fn new(config: SecretsConfig, own_files: &Path, environment: Environment) -> Self {
        let files_folder = config.files_folder.clone().unwrap_or_else(|| own_files.to_owned());
        let (redactor, known) = (Redactor::new(), StdMutex::default());
        Self {
            inner: Arc::new(Inner {
                config,
                files_folder,
                environment,
                redactor,
                gates: Default::default(),
                known,
            }),
        }
    }

    /// The redactor that knows every secret resolved here.
    pub fn redactor(&self) -> Redactor {
        self.inner.redactor.clone()
    }

    /// The stores that secrets are read from, for setting, removing and listing. `deadline` is for each keyring:
    /// give a person time to unlock one.
    pub fn stores(&self, deadline: Duration) -> Stores<'_> {
        let Inner { config, files_folder, environment, .. } = &*self.inner;
        Stores { sources: &config.sources, files_folder, environment, deadline }
    }

    /// The value of a secret, from memory when it is fresh enough, else from the first source that has it.
    ///
    /// A value that was known stays in use when no source answers any more: a keyring that was locked by a
    /// logout must not stop a failover that is under way. A source that has the secret and cannot give it
    /// (a file with the wrong mode) is always an error.
    ///
    /// # Errors
    /// [`SecretError::NotFound`] with every place that was tried, or [`SecretError::Unusable`].
    pub async fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let name = &reference.name;
        let slot = self.slot(name);
        // Held while looking up, so that ten probes that need one secret ask its source once.
        let mut known = slot.lock().await;
        if let Some(fresh) = known.as_ref().filter(|known| known.since.elapsed() < self.inner.config.keep) {
            return Ok(fresh.secret.clone());
        }
        match (self.look_up(name).await, &mut *known) {
            (Ok(secret), _) => {
                self.inner.redactor.learn(&secret);
                *known = Some(Known { secret: secret.clone(), since: Instant::now() });
                Ok(secret)
            }
            (Err(SecretError::NotFound { .. }), Some(known)) => {
                // Asked again only after the same time: a keyring that hangs must not slow every probe down.
                known.since = Instant::now();
                Ok(known.secret.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Looks all of these up, so that the redactor knows them before a peer says one of them. What could not be had,
    /// and why.
    pub async fn learn_all(&self, references: Vec<SecretRef>) -> Vec<SecretError> {
        let mut missing = Vec::new();
        for some in references.chunks(TOGETHER) {
            let looks = some.iter().map(|reference| self.resolve(reference));
            missing.extend(futures::future::join_all(looks).await.into_iter().filter_map(Result::err));
        }
        missing
    }

    /// A text that a plan gives as it is, or the secret that it refers to. Passwords inside a plain connection
    /// string are redacted too.
    ///
    /// # Errors
    /// As [`Resolver::resolve`].
    pub async fn resolve_text(&self, text: &SecretText) -> Result<Secret, SecretError> {
        match text {
            SecretText::Secret(reference) => self.resolve(reference).await,
            SecretText::Plain(text) => {
                self.inner.redactor.learn_passwords_of(text);
                Ok(Secret::from_plan(text))
            }
        }
    }

    /// Forgets a value, so that the next [`Resolver::resolve`] asks the source: call it when a server refused
    /// the secret, which may have been changed. What was known stays redacted.
    pub async fn forget(&self, reference: &SecretRef) {
        *self.slot(&reference.name).lock().await = None;
    }

    fn slot(&self, name: &SecretName) -> Arc<Mutex<Option<Known>>> {
        let mut known = self.inner.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.clone()).or_default().clone()
    }

    /// Asks the sources in their order.
    pub(super) async fn look_up(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let mut tried = Vec::new();
        for source in &self.inner.config.sources {
            match self.ask(*source, name).await? {
                Answer::Found(secret) => return Ok(secret),
                Answer::Nothing(places) => tried.extend(places),
            }
        }
        Err(SecretError::NotFound { name: name.clone(), tried })
    }

    async fn ask(&self, source: Source, name: &SecretName) -> Result<Answer, SecretError> {
        match source {
            Source::Environment => self.ask_environment(name),
            Source::File => self.ask_file(name).await,
            Source::Keyring => self.ask_keyrings(name).await,
            Source::Command => self.ask_command(name).await,
        }
    }

    fn ask_environment(&self, name: &SecretName) -> Result<Answer, SecretError> {
        let variable = name.environment_variable();
        match self.inner.environment.get(&variable).map(|value| value.to_str()) {
            None => Ok(nothing("environment", format!("{variable} is not set"))),
            Some(Some(value)) => {
                accept(name, file::without_ends(value).to_owned(), Origin::Environment(variable))
            }
            Some(None) => Err(unusable(name, &Origin::Environment(variable), "it is not UTF-8 text")),
        }
    }

    async fn ask_file(&self, name: &SecretName) -> Result<Answer, SecretError> {
        let path = file::path_of(&self.inner.files_folder, name);
        let read = {
            let path = path.clone();
            blocking_read(self.inner.config.store_deadline, move || file::read(&path)).await
        };
        match read {
            Ok(value) => accept(name, value.as_str().to_owned(), Origin::File(path)),
            Err(FileError::Absent) => Ok(nothing("file", format!("{} does not exist", path.display()))),
            Err(FileError::Unusable { why, next_step }) => Err(SecretError::Unusable {
                name: name.clone(),
                place: Origin::File(path).to_string(),
                why,
                next_step,
            }),
        }
    }

    async fn ask_keyrings(&self, name: &SecretName) -> Result<Answer, SecretError> {
        let mut tried = Vec::new();
        for (keyring, gate) in Keyring::ALL.into_iter().zip(&self.inner.gates) {
            let why = match gate.get(keyring, name, self.inner.config.store_deadline).await {
                Ok(Some(value)) => return accept(name, value.as_str().to_owned(), keyring.origin()),
                Ok(None) => "no such entry".to_owned(),
                Err(error) => error.to_string(),
            };
            tried.push(Tried { place: keyring.to_string(), why });
        }
        Ok(Answer::Nothing(tried))
    }

    async fn ask_command(&self, name: &SecretName) -> Result<Answer, SecretError> {
        let config = &self.inner.config;
        let Some(program) = config.command.first() else {
            return Ok(Answer::Nothing(Vec::new()));
        };
        let deadline = config.command_deadline;
        let read = command::read(
            &config.command,
            name,
            &self.inner.environment,
            &config.command_env,
            deadline,
            &self.inner.redactor,
        );
        match read.await {
            Ok(value) => accept(name, value.as_str().to_owned(), Origin::Command(program.clone())),
            Err(why) => Ok(nothing(&Origin::Command(program.clone()).to_string(), why)),
        }
    }
}

fn nothing(place: &str, why: String) -> Answer {
    Answer::Nothing(vec![Tried { place: place.to_owned(), why }])
}

fn accept(name: &SecretName, value: String, origin: Origin) -> Result<Answer, SecretError> {
    match unfit(&value) {
        None => Ok(Answer::Found(Secret::new(name, value, origin))),
        Some(why) => Err(unusable(name, &origin, why)),
    }
}

/// Why a value cannot be a secret, if it cannot.
pub(super) fn unfit(value: &str) -> Option<&'static str> {
    const { assert!(MIN_SECRET_CHARS == 4 && MAX_SECRET_BYTES == 65536) };
    if value.trim().is_empty() {
        Some("it is empty")
    } else if value.trim().chars().count() < MIN_SECRET_CHARS {
        Some("it is shorter than 4 characters and could not be kept out of records and screens")
    } else if value.len() > MAX_SECRET_BYTES {
        Some("it is longer than 65536 bytes")
    } else {
        None
    }
}

fn unusable(name: &SecretName, origin: &Origin, why: &str) -> SecretError {
    SecretError::Unusable {
        name: name.clone(),
        place: origin.to_string(),
        why: why.to_owned(),
        next_step: format!("correct or remove it there, then set it again with `lifeboat secret set {name}`"),
    }
}

/// Reads a file away from the runtime: its folder may be a network mount that hangs.
async fn blocking_read<T: Send + 'static>(
    deadline: Duration,
    read: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    match keyring::on_own_thread(deadline, read).await {
        Some(result) => result,
        None => Err(FileError::Unusable {
            why: format!("reading it took longer than {} s", deadline.as_secs()),
            next_step: "check the file system that it is on with `df`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn reference(name: &str) -> SecretRef {
        SecretRef { name: name.parse().unwrap() }
    }

    fn config(sources: &[Source]) -> SecretsConfig {
        SecretsConfig { sources: sources.to_vec(), ..SecretsConfig::default() }
    }

    fn resolver_of(config: SecretsConfig, folder: &Path, environment: Environment) -> Resolver {
        Resolver::new(config, &folder.join("secrets"), environment)
    }

    fn put(folder: &Path, name: &str, value: &str) {
        file::write(&folder.join("secrets"), &name.parse().unwrap(), value).unwrap();
    }

    #[tokio::test]
    async fn the_environment_comes_before_a_file() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "db", "from-file");
        put(folder.path(), "api", "api-from-file");
        let environment = [("LIFEBOAT_SECRET_DB", "from-environment")].into_iter().collect();
        let both = config(&[Source::Environment, Source::File]);
        let resolver = resolver_of(both, folder.path(), environment);
        let secret = resolver.resolve(&reference("db")).await.unwrap();
        assert_eq!(secret.expose(), "from-environment");
        assert_eq!(secret.origin().to_string(), "environment variable LIFEBOAT_SECRET_DB");
        assert_eq!(resolver.resolve(&reference("api")).await.unwrap().expose(), "api-from-file");
        assert_eq!(resolver.redactor().redact("x from-environment"), "x [secret db]");
    }

    #[tokio::test]
    async fn what_is_nowhere_names_every_place_and_a_way_that_works() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = config(&[Source::Environment, Source::File, Source::Command]);
        all.command = ["/bin/sh", "-c", "echo no such key >&2; exit 1"].map(str::to_owned).to_vec();
        let error = resolver_of(all, folder.path(), Environment::default())
            .resolve(&reference("dr-db"))
            .await
            .unwrap_err();
        let text = error.to_string();
        for part in ["LIFEBOAT_SECRET_DR_DB is not set", "dr-db does not exist", "exit code 1: no such key"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(error.next_step().contains("lifeboat secret set dr-db --store file"));
    }

    #[tokio::test]
    async fn a_bad_file_ends_the_search() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "db", "from-file");
        let path = folder.path().join("secrets/db");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut both = config(&[Source::File, Source::Command]);
        both.command = ["/bin/echo", "from-command"].map(str::to_owned).to_vec();
        let error = resolver_of(both, folder.path(), Environment::default())
            .resolve(&reference("db"))
            .await
            .unwrap_err();
        assert!(error.next_step().contains("chmod 600"), "{error}");
    }

    #[tokio::test]
    async fn values_that_cannot_be_redacted_are_refused() {
        for value in ["", "   ", "abc", " abc "] {
            let environment = [("LIFEBOAT_SECRET_DB", value)].into_iter().collect();
            let only = config(&[Source::Environment]);
            let error = resolver_of(only, Path::new("/nonexistent"), environment)
                .resolve(&reference("db"))
                .await
                .unwrap_err();
            assert!(matches!(error, SecretError::Unusable { .. }), "{value:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_known_value_outlives_its_source_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "db", "from-file");
        let mut files = config(&[Source::File]);
        files.keep = Duration::ZERO;
        let resolver = resolver_of(files, folder.path(), Environment::default());
        assert!(resolver.resolve(&reference("db")).await.is_ok());
        std::fs::remove_file(folder.path().join("secrets/db")).unwrap();
        assert_eq!(resolver.resolve(&reference("db")).await.unwrap().expose(), "from-file");
        resolver.forget(&reference("db")).await;
        assert!(resolver.resolve(&reference("db")).await.is_err());
    }

    #[tokio::test]
    async fn one_look_up_serves_all_who_ask_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let script = format!("echo asked >> {}; echo from-command", count.display());
        let mut commands = config(&[Source::Command]);
        commands.command = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        let resolver = resolver_of(commands, folder.path(), Environment::of_this_process());
        let wanted = reference("db");
        let all = futures::future::join_all((0..10).map(|_| resolver.resolve(&wanted))).await;
        assert!(all.iter().all(|result| result.as_ref().is_ok_and(|s| s.expose() == "from-command")));
        assert_eq!(std::fs::read_to_string(count).unwrap(), "asked\n");
    }

    #[tokio::test]
    async fn a_password_in_a_plain_connection_string_is_redacted_too() {
        let resolver = resolver_of(config(&[]), Path::new("/nonexistent"), Environment::default());
        let plain = SecretText::Plain("postgres://app:hunter22@db/x".into());
        assert_eq!(resolver.resolve_text(&plain).await.unwrap().expose(), "postgres://app:hunter22@db/x");
        assert_eq!(resolver.redactor().redact("for hunter22 at db"), "for [secret plan] at db");
        assert_eq!(resolver.redactor().redact("host=db"), "host=db");
    }
}
