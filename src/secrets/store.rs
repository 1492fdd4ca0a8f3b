//! Puts secrets into stores, takes them out, and lists where each is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::error::SecretError;
use super::file;
use super::keyring::{Keyring, KeyringError};
use super::name::{ENVIRONMENT_PREFIX, SecretName};
use super::resolver::{Source, unfit};
use super::value::Origin;
use crate::base::environment::Environment;

/// A place that `lifeboat secret` can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// One of the keyrings.
    Keyring(Keyring),
    /// A file in the secrets folder.
    File,
}

/// One secret and every place that has it; the first is the one that is used. Values are never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: SecretName,
    /// Where it is, in the order of the sources.
    pub places: Vec<Origin>,
}

/// The stores that a [`super::Resolver`] reads from, to set, remove and list.
pub struct Stores<'a> {
    pub(super) sources: &'a [Source],
    pub(super) files_folder: &'a Path,
    pub(super) environment: &'a Environment,
    pub(super) deadline: Duration,
}

impl Stores<'_> {
    /// Stores a secret and reads it back.
    ///
    /// # Errors
    /// When the value cannot be a secret, or the store cannot take it or does not give it back.
    pub async fn set(&self, store: Store, name: &SecretName, value: &str) -> Result<Origin, SecretError> {
        if let Some(why) = unfit(value) {
            return Err(SecretError::Store {
                store: format!("secret {:?}", name.as_str()),
                why: why.to_owned(),
                next_step: "give the secret's value at the prompt or on standard input".to_owned(),
            });
        }
        match store {
            Store::Keyring(keyring) => {
                let set = keyring.set(name, value, self.deadline).await;
                set.map_err(|error| no_keyring(keyring, name, &error))?;
                let back = keyring.get(name, self.deadline).await;
                let back = back.map_err(|error| no_keyring(keyring, name, &error))?;
                if back.as_ref().map(|back| back.as_str()) != Some(value) {
                    return Err(SecretError::Store {
                        store: keyring.to_string(),
                        why: "it did not give back what was stored".to_owned(),
                        next_step: instead(name),
                    });
                }
                Ok(keyring.origin())
            }
            Store::File => {
                let folder = self.files_folder;
                let path = file::write(folder, name, value).map_err(|error| self.no_file(&error))?;
                Ok(Origin::File(path))
            }
        }
    }

    /// Stores a secret in the first keyring that takes it: the secret service, else the kernel's. The second
    /// part of the answer says why the first did not.
    ///
    /// # Errors
    /// When neither takes it.
    pub async fn set_in_a_keyring(
        &self,
        name: &SecretName,
        value: &str,
    ) -> Result<(Origin, Option<SecretError>), SecretError> {
        match self.set(Store::Keyring(Keyring::SecretService), name, value).await {
            Ok(origin) => Ok((origin, None)),
            Err(first) => {
                let origin = self.set(Store::Keyring(Keyring::Kernel), name, value).await?;
                Ok((origin, Some(first)))
            }
        }
    }

    /// Removes a secret from one store; false when it was not there.
    ///
    /// # Errors
    /// When the store cannot be reached or does not allow it.
    pub async fn remove(&self, store: Store, name: &SecretName) -> Result<bool, SecretError> {
        match store {
            Store::Keyring(keyring) => {
                let removed = keyring.remove(name, self.deadline).await;
                removed.map_err(|error| no_keyring(keyring, name, &error))
            }
            Store::File => file::remove(self.files_folder, name).map_err(|error| self.no_file(&error)),
        }
    }

    /// All secrets that the environment, the files and, where they are a source, the keyrings have, and what
    /// could not be searched. A command has no list, so what only it knows is missing.
    pub async fn list(&self) -> (Vec<Listed>, Vec<SecretError>) {
        let mut found: BTreeMap<SecretName, Vec<Origin>> = BTreeMap::new();
        let mut failures = Vec::new();
        for variable in self.environment.names().filter_map(|name| name.to_str()) {
            if let Some(name) = name_of_variable(variable) {
                found.entry(name).or_default().push(Origin::Environment(variable.to_owned()));
            }
        }
        match file::names(self.files_folder) {
            Ok(names) => {
                for name in names {
                    let path = file::path_of(self.files_folder, &name);
                    found.entry(name).or_default().push(Origin::File(path));
                }
            }
            Err(error) => failures.push(self.no_file(&error)),
        }
        let keyrings = if self.sources.contains(&Source::Keyring) { &Keyring::ALL[..] } else { &[] };
        for &keyring in keyrings {
            match keyring.names(self.deadline).await {
                Ok(names) => {
                    for name in names {
                        found.entry(name).or_default().push(keyring.origin());
                    }
                }
                Err(error) => failures.push(SecretError::Store {
                    store: keyring.to_string(),
                    why: error.to_string(),
                    next_step: "unlock it, or keep secrets in files (`--store file`)".to_owned(),
                }),
            }
        }
        let mut listed: Vec<_> = found.into_iter().map(|(name, places)| Listed { name, places }).collect();
        for entry in &mut listed {
            entry.places.dedup();
            entry.places.sort_by_key(|place| self.rank(place));
        }
        (listed, failures)
    }

    /// The place of an origin in the order of the sources; last when its source is not configured.
    fn rank(&self, origin: &Origin) -> usize {
        let source = match origin {
            Origin::Plan | Origin::Command(_) => Source::Command,
            Origin::Environment(_) => Source::Environment,
            Origin::File(_) => Source::File,
            Origin::SecretService | Origin::KernelKeyring => Source::Keyring,
        };
        self.sources.iter().position(|configured| *configured == source).unwrap_or(self.sources.len())
    }

    fn no_file(&self, error: &std::io::Error) -> SecretError {
        let folder = self.files_folder.display();
        SecretError::Store {
            store: format!("folder {folder}"),
            why: error.to_string(),
            next_step: format!("check its owner and mode with `ls -ld {folder}`"),
        }
    }
}

/// The secret that a variable is for; `LIFEBOAT_SECRET_A_B` is `a-b`.
fn name_of_variable(variable: &str) -> Option<SecretName> {
    let name = variable.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase().replace('_', "-");
    let name: SecretName = name.parse().ok()?;
    (name.environment_variable() == variable).then_some(name)
}

fn no_keyring(keyring: Keyring, name: &SecretName, error: &KeyringError) -> SecretError {
    SecretError::Store { store: keyring.to_string(), why: error.to_string(), next_step: instead(name) }
}

/// What works on every host.
fn instead(name: &SecretName) -> String {
    format!(
        "keep it in a file instead: `lifeboat secret set {name} --store file`, or start lifeboat with {} set",
        name.environment_variable()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Resolver, SecretsConfig};

    #[test]
    fn variables_name_secrets() {
        assert_eq!(name_of_variable("LIFEBOAT_SECRET_DR_DB"), Some("dr-db".parse().unwrap()));
        assert_eq!(name_of_variable("LIFEBOAT_SECRET_dr"), None);
        assert_eq!(name_of_variable("LIFEBOAT_SECRET_"), None);
        assert_eq!(name_of_variable("PATH"), None);
    }

    fn resolver(folder: &Path, environment: Environment) -> Resolver {
        // No keyrings: the developer's own would ask to be unlocked.
        let sources = vec![Source::Environment, Source::File];
        let config = SecretsConfig { sources, ..SecretsConfig::default() };
        Resolver::new(config, &folder.join("secrets"), environment)
    }

    #[tokio::test]
    async fn files_are_set_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let name: SecretName = "test-listed-in-file".parse().unwrap();
        let variable = name.environment_variable();
        let resolver = resolver(folder.path(), [(variable.clone(), "other")].into_iter().collect());
        let stores = resolver.stores(Duration::from_secs(5));
        let origin = stores.set(Store::File, &name, "hunter22").await.unwrap();
        assert_eq!(origin, Origin::File(folder.path().join("secrets/test-listed-in-file")));
        let (listed, _) = stores.list().await;
        let entry = listed.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!(entry.places, [Origin::Environment(variable), origin]);
        assert!(stores.remove(Store::File, &name).await.unwrap());
        assert!(!stores.remove(Store::File, &name).await.unwrap());
    }

    #[tokio::test]
    async fn a_value_that_could_not_be_used_is_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let resolver = resolver(folder.path(), Environment::default());
        let stores = resolver.stores(Duration::from_secs(5));
        for value in ["", "abc", &"x".repeat(70_000)] {
            assert!(stores.set(Store::File, &"db".parse().unwrap(), value).await.is_err());
        }
        assert!(!folder.path().join("secrets").exists());
    }
}
