//! Keeps the phone tree as a file in the state folder, so that it is there when nothing else is.

use crate::core::prose::phone_tree;
use crate::engine::shared::SharedModel;
use crate::world::Clock;
use jiff::SignedDuration;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Between two looks whether somebody else is on call.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Writes the file now and whenever it says something else: another calendar, another turn. A failure is logged
/// once and tried again; it keeps nothing else from working.
pub async fn keep(path: PathBuf, model: SharedModel, clock: Arc<dyn Clock>) {
    let mut written = None;
    let mut failure = None;
    loop {
        let now = clock.now();
        let body = model.read(|model| phone_tree::body(model, now));
        if written.as_ref() != Some(&body) {
            let text = model.read(|model| phone_tree::lines(model, now)).join("\n") + "\n";
            match write(path.clone(), text).await {
                Ok(()) => (written, failure) = (Some(body), None),
                Err(error) => {
                    let why = error.to_string();
                    if failure.as_ref() != Some(&why) {
                        tracing::warn!(why, path = %path.display(), "the phone tree cannot be written");
                    }
                    failure = Some(why);
                }
            }
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

/// Away from the tasks: a disk may hang.
async fn write(path: PathBuf, text: String) -> io::Result<()> {
    tokio::task::spawn_blocking(move || replace(&path, &text)).await.map_err(io::Error::other)?
}

/// Whoever reads it sees the old file or the new one, whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        // Half of a phone tree helps nobody; on a full disk nothing else may find room for want of it.
        let _ = fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::Model;
    use crate::core::tests::{fixture, people};
    use crate::world::ManualClock;
    use std::os::unix::fs::PermissionsExt;

    /// Lets time pass look by look until the file says it.
    async fn until(path: &Path, clock: &ManualClock, what: &str) {
        for _ in 0..20_000 {
            if fs::read_to_string(path).is_ok_and(|text| text.contains(what)) {
                return;
            }
            clock.advance(LOOK_EVERY);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        panic!("the phone tree does not say {what}: {:?}", fs::read_to_string(path));
    }

    #[tokio::test]
    async fn it_is_written_for_its_owner_alone_and_again_with_the_next_turn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone-tree.txt");
        let clock = Arc::new(ManualClock::new(fixture::start()));
        let model = SharedModel::new(Model::new(people::plan()));
        let task = tokio::spawn(keep(path.clone(), model, clock.clone()));
        until(&path, &clock, "Primary: Bob Berg").await;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        until(&path, &clock, "Primary: Ana Alba").await;
        assert!(!path.with_extension("new").exists());
        task.abort();
    }

    #[tokio::test]
    async fn a_failure_leaves_the_file_as_it_was_and_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone-tree.txt");
        replace(&path, "before").unwrap();
        let obstacle = path.with_extension("new");
        fs::create_dir(&obstacle).unwrap();
        assert!(replace(&path, "after").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        let clock = Arc::new(ManualClock::new(fixture::start()));
        let model = SharedModel::new(Model::new(people::plan()));
        let task = tokio::spawn(keep(path.clone(), model, clock.clone()));
        tokio::task::yield_now().await;
        fs::remove_dir(&obstacle).unwrap();
        until(&path, &clock, "PHONE TREE").await;
        task.abort();
    }
}
