//! `lifeboat secret`: put secrets into a keyring or file, take them out, list where they are.
//!
//! A value comes from a prompt without echo or from standard input, never from an argument: arguments are
//! seen by every user of the host and stay in the shell's history.

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use crate::base::text::ended;
use crate::cli::prompt::{PromptError, read_hidden};
use crate::plan::Plan;
use crate::secrets::{
    Keyring, MAX_SECRET_BYTES, Origin, Resolver, Secret, SecretError, SecretName, SecretRef, Store, Stores,
    text_of,
};

/// How long a keyring may take when a person sits at it and can unlock it.
pub const PERSON_DEADLINE: Duration = Duration::from_secs(60);

/// After how many seconds without use the kernel forgets a user's persistent keyring (persistent-keyring(7)).
const KERNEL_EXPIRY: &str = "/proc/sys/kernel/keys/persistent_keyring_expiry";

/// Keep the secrets that plans refer to as `{ secret = "name" }`.
#[derive(Debug, Args)]
pub struct SecretArgs {
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Store a secret: asks for it without echo, or reads standard input when that is not a terminal.
    Set {
        /// The secret's name, as in the plan.
        name: SecretName,
        /// Where to keep it.
        #[arg(long, value_enum, default_value_t = StoreChoice::Auto)]
        store: StoreChoice,
    },
    /// Remove a secret. Exit code 1 when it was nowhere.
    Rm {
        /// The secret's name, as in the plan.
        name: SecretName,
        /// Only there; everywhere by default.
        #[arg(long, value_enum, default_value_t = StoreChoice::Auto)]
        store: StoreChoice,
    },
    /// List the names of all secrets and where each is; never a value.
    List {
        /// A plan, a file or a folder: also list what it names and cannot be had, with exit code 1 where there is some.
        #[arg(long)]
        plan: Option<PathBuf>,
    },
}

impl SecretArgs {
    /// The plan whose secrets are meant.
    pub(in crate::cli) fn plan(&self) -> Option<&Path> {
        match &self.command {
            SecretCommand::List { plan } => plan.as_deref(),
            SecretCommand::Set { .. } | SecretCommand::Rm { .. } => None,
        }
    }
}

/// A place to keep secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreChoice {
    /// The desktop's keyring; where there is none, the kernel's. For `rm`: everywhere.
    Auto,
    /// The desktop's keyring (secret service), and no other.
    Keyring,
    /// The Linux kernel's keyring; it does not survive a reboot.
    Kernel,
    /// A file that only its owner can read, in the configuration folder.
    File,
}

impl StoreChoice {
    fn store(self) -> Option<Store> {
        match self {
            Self::Auto => None,
            Self::Keyring => Some(Store::Keyring(Keyring::SecretService)),
            Self::Kernel => Some(Store::Keyring(Keyring::Kernel)),
            Self::File => Some(Store::File),
        }
    }
}

/// Why `lifeboat secret` did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SecretCommandError {
    /// A store or a value.
    #[error("{0}; next: {next}", next = .0.next_step())]
    Secret(#[from] SecretError),
    /// The prompt.
    #[error("the secret was not read: {0}")]
    Prompt(#[from] PromptError),
    /// Standard input or output.
    #[error("{what}: {why}")]
    Io {
        /// Which of them, and what about it.
        what: &'static str,
        /// Why.
        why: std::io::Error,
    },
}

/// Runs `lifeboat secret` over the resolver's stores and writes what it did to `out`. `plan` is the
/// one that the arguments name.
///
/// # Errors
/// When a value cannot be read, or a store cannot be used.
pub async fn run(
    args: SecretArgs,
    resolver: &Resolver,
    plan: Option<&Plan>,
    out: &mut impl Write,
) -> Result<ExitCode, SecretCommandError> {
    let stores = resolver.stores(PERSON_DEADLINE);
    match args.command {
        SecretCommand::Set { name, store } => {
            let value = read_value(&name).await?;
            set(&stores, resolver, &name, &value, store, out).await
        }
        SecretCommand::Rm { name, store } => remove(&stores, &name, store, out).await,
        SecretCommand::List { plan: _ } => {
            list(&stores, resolver, out).await?;
            match plan {
                Some(plan) => missing(plan, resolver, out).await,
                None => Ok(ExitCode::SUCCESS),
            }
        }
    }
}

/// From the terminal without echo, or all of standard input.
async fn read_value(name: &SecretName) -> Result<Zeroizing<String>, SecretCommandError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
        let terminal =
            terminal.map_err(|why| SecretCommandError::Io { what: "cannot open the terminal", why })?;
        return Ok(read_hidden(terminal, &format!("Value of {name} (not shown): ")).await?);
    }
    let mut value = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 8));
    let limit = MAX_SECRET_BYTES as u64 + 8;
    let what = "cannot read the secret from standard input";
    let failed = |why| SecretCommandError::Io { what, why };
    stdin.lock().take(limit).read_to_end(&mut value).map_err(failed)?;
    text_of(&value).map(Zeroizing::new).map_err(|why| failed(std::io::Error::other(why)))
}

async fn set(
    stores: &Stores<'_>,
    resolver: &Resolver,
    name: &SecretName,
    value: &str,
    choice: StoreChoice,
    out: &mut impl Write,
) -> Result<ExitCode, SecretCommandError> {
    let origin = match choice.store() {
        Some(store) => stores.set(store, name, value).await?,
        None => {
            let (origin, no_desktop) = stores.set_in_a_keyring(name, value).await?;
            if let Some(why) = no_desktop {
                say(out, &format!("The desktop's keyring cannot be used: {}", ended(&why.to_string())))?;
            }
            origin
        }
    };
    let characters = value.chars().count();
    say(out, &format!("Stored {name} ({characters} characters) in: {origin}."))?;
    if origin == Origin::KernelKeyring {
        say(out, &kernel_warning(name))?;
    }
    for remark in Secret::from_plan(value).remarks() {
        say(out, &format!("Note: {}", ended(remark)))?;
    }
    // Another source may come first, or this one may not be configured: say so now, not during an incident.
    match resolver.resolve(&SecretRef { name: name.clone() }).await {
        Ok(found) if found.origin() == &origin => {}
        Ok(found) => say(out, &format!("Note: {} comes first and is what lifeboat uses.", found.origin()))?,
        Err(error) => say(
            out,
            &format!(
                "Note: it does not resolve: {} {}",
                ended(&error.to_string()),
                ended(&error.next_step())
            ),
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

fn kernel_warning(name: &SecretName) -> String {
    let expiry = std::fs::read_to_string(KERNEL_EXPIRY).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let unused = match expiry {
        Some(seconds) => format!(" and is forgotten after about {} h without use", seconds / 3600),
        None => String::new(),
    };
    format!("It does not survive a reboot{unused}. To keep it: `lifeboat secret set {name} --store file`.")
}

async fn remove(
    stores: &Stores<'_>,
    name: &SecretName,
    choice: StoreChoice,
    out: &mut impl Write,
) -> Result<ExitCode, SecretCommandError> {
    let everywhere = [StoreChoice::File, StoreChoice::Keyring, StoreChoice::Kernel];
    let wanted = if choice == StoreChoice::Auto { &everywhere[..] } else { &[choice][..] };
    let mut removed = false;
    for store in wanted.iter().filter_map(|choice| choice.store()) {
        match stores.remove(store, name).await {
            Ok(true) => {
                say(out, &format!("Removed {name} from: {}.", place_of(store)))?;
                removed = true;
            }
            Ok(false) => {}
            Err(error) if choice == StoreChoice::Auto => {
                say(out, &format!("Not searched: {}", ended(&error.to_string())))?
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !removed {
        say(out, &format!("There is no {name} to remove."))?;
    }
    Ok(if removed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn place_of(store: Store) -> String {
    match store {
        Store::Keyring(keyring) => keyring.to_string(),
        Store::File => "file".to_owned(),
    }
}

async fn list(
    stores: &Stores<'_>,
    resolver: &Resolver,
    out: &mut impl Write,
) -> Result<(), SecretCommandError> {
    let (listed, failures) = stores.list().await;
    if listed.is_empty() {
        say(out, "No secret is stored. `lifeboat secret set NAME` stores one.")?;
    }
    for entry in listed {
        let mut places = entry.places.iter().map(ToString::to_string);
        let used = places.next().unwrap_or_default();
        let others: Vec<String> = places.collect();
        let also =
            if others.is_empty() { String::new() } else { format!(" (also in: {})", others.join(", ")) };
        say(out, &format!("{}  {used}{also}", entry.name))?;
        // A keyring may wait for a person who unlocks it, once for each name.
        if matches!(entry.places.first(), Some(Origin::Environment(_) | Origin::File(_)))
            && let Ok(secret) = resolver.resolve(&SecretRef { name: entry.name.clone() }).await
        {
            for remark in secret.remarks() {
                say(out, &format!("  note: {remark}"))?;
            }
        }
    }
    for failure in failures {
        say(out, &format!("Not searched: {}", ended(&failure.to_string())))?;
    }
    Ok(())
}

/// What the plan names and cannot be had from here.
async fn missing(
    plan: &Plan,
    resolver: &Resolver,
    out: &mut impl Write,
) -> Result<ExitCode, SecretCommandError> {
    let named = plan.secrets();
    let missing = resolver.learn_all(named.keys().cloned().collect()).await;
    for (secret, users) in &named {
        if let Some(error) = missing.iter().find(|error| error.name() == Some(&secret.name)) {
            say(out, &format!("Missing: {} (needed by {}): {error}", secret.name, users.join(", ")))?;
            say(out, &format!("  next: {}", error.next_step()))?;
        }
    }
    if missing.is_empty() {
        say(out, &format!("All {} secrets that the plan names can be had.", named.len()))?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(out: &mut impl Write, line: &str) -> Result<(), SecretCommandError> {
    writeln!(out, "{line}").map_err(|why| SecretCommandError::Io { what: "cannot write the answer", why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::environment::Environment;
    use crate::secrets::{SecretsConfig, Source};
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        secret: SecretArgs,
    }

    /// Without keyrings: the developer's own would ask to be unlocked.
    fn resolver_of(folder: &std::path::Path, environment: Environment) -> Resolver {
        let sources = vec![Source::Environment, Source::File];
        let config = SecretsConfig { sources, ..SecretsConfig::default() };
        Resolver::new(config, &folder.join("secrets"), environment)
    }

    async fn run_with(folder: &std::path::Path, line: &[&str]) -> (String, ExitCode) {
        let resolver = resolver_of(folder, Environment::default());
        let cli = Cli::parse_from([&["secret"], line].concat());
        let mut out = Vec::new();
        let code = run(cli.secret, &resolver, None, &mut out).await.unwrap();
        (String::from_utf8(out).unwrap(), code)
    }

    #[tokio::test]
    async fn what_is_stored_in_a_file_is_said_listed_and_removed_without_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let name = "test-cli-file".parse().unwrap();
        let resolver = resolver_of(folder.path(), Environment::default());
        let stores = resolver.stores(PERSON_DEADLINE);
        let mut out = Vec::new();
        set(&stores, &resolver, &name, "hunter22", StoreChoice::File, &mut out).await.unwrap();
        let said = String::from_utf8(out).unwrap();
        let path = folder.path().join("secrets/test-cli-file");
        assert_eq!(said, format!("Stored test-cli-file (8 characters) in: file {}.\n", path.display()));
        let (listed, _) = run_with(folder.path(), &["list"]).await;
        assert!(listed.contains(&format!("test-cli-file  file {}\n", path.display())), "{listed}");
        assert!(!listed.contains("hunter22"));
        let (said, code) = run_with(folder.path(), &["rm", "test-cli-file", "--store", "file"]).await;
        assert_eq!((said.as_str(), code), ("Removed test-cli-file from: file.\n", ExitCode::SUCCESS));
        let (_, code) = run_with(folder.path(), &["rm", "test-cli-file", "--store", "file"]).await;
        assert_eq!(code, ExitCode::FAILURE);
    }

    #[tokio::test]
    async fn a_variable_that_comes_first_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let name = "test-cli-shadow".parse().unwrap();
        let environment = [("LIFEBOAT_SECRET_TEST_CLI_SHADOW", "another-value")].into_iter().collect();
        let resolver = resolver_of(folder.path(), environment);
        let mut out = Vec::new();
        set(&resolver.stores(PERSON_DEADLINE), &resolver, &name, "hunter22", StoreChoice::File, &mut out)
            .await
            .unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains("LIFEBOAT_SECRET_TEST_CLI_SHADOW comes first"), "{said}");
    }

    #[test]
    fn a_value_is_never_an_argument() {
        assert!(Cli::try_parse_from(["secret", "set", "db", "hunter22"]).is_err());
        assert!(Cli::try_parse_from(["secret", "set", "Bad_Name"]).is_err());
    }
}
