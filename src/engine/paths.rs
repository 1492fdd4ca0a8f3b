//! Where a plan's engine keeps its state.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The name of the file with the phone tree.
pub(super) const PHONE_TREE: &str = "phone-tree.txt";

/// The state folder of one plan's engine: one engine, one journal, one socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// The folder that the user named, or the plan's own under `base`: the plan's file name, and a digest of
    /// its absolute path, so that two plans of the same name keep apart.
    pub fn of_plan(named: Option<&Path>, base: &Path, plan: &Path) -> Self {
        if let Some(named) = named {
            // Made absolute, so that every spelling of it leads to the same socket.
            return Self(std::path::absolute(named).unwrap_or_else(|_| named.to_owned()));
        }
        // One that is not there any more is found by where it was.
        let absolute = plan.canonicalize().or_else(|_| std::path::absolute(plan));
        let absolute = absolute.unwrap_or_else(|_| plan.to_owned());
        let name =
            absolute.file_stem().map_or_else(|| "plan".into(), |name| name.to_string_lossy().into_owned());
        Self(base.join(format!("{name}-{}", short_digest(&absolute))))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal's folder.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    /// The engine's own log, for what is not a fact.
    pub fn log(&self) -> PathBuf {
        self.0.join("engine.log")
    }

    /// The phone tree, for when nothing else works.
    pub fn phone_tree(&self) -> PathBuf {
        self.0.join(PHONE_TREE)
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.0.join("engine.sock")
    }
}

fn short_digest(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
