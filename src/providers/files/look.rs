//! One look at a series: its newest files or folders.

use super::pattern::{Dated, Pattern};
use crate::base::shortage::is_own_fault;
use crate::kinds::probe::series;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BinaryHeap, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Most entries of one folder that is a backup whose sizes are added up.
const MAX_ENTRIES: usize = 20_000;

/// How long a file must have been left alone, where it was not seen before, to count as written to its end.
const LEFT_ALONE: SignedDuration = SignedDuration::from_secs(60);

/// One backup of the series; the order is by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Found {
    /// When it was made: by its name where the pattern has a date and the file's own time does not fit it.
    pub made: Timestamp,
    pub path: PathBuf,
    /// Its size; of a folder that of all files in it.
    pub bytes: u64,
    /// When it was last written to.
    pub modified: Timestamp,
    /// The date in its name, where the pattern has one.
    pub named: Option<Timestamp>,
}

/// What a look found: the newest backups, newest first, and how many there are.
#[derive(Debug, Default)]
pub struct Look {
    pub newest: Vec<Found>,
    /// How many match.
    pub count: usize,
    /// A newer one that is still being written.
    pub unfinished: Option<PathBuf>,
}

/// What is kept of a walk.
struct Walk<'a> {
    pattern: &'a Pattern,
    keep: usize,
    files: Newest,
    /// Looked into only where they are what counts: one may hold a great many files.
    folders: Vec<(PathBuf, Dated)>,
}

/// The newest few, the oldest of them on top: of a million files only these are kept.
#[derive(Default)]
struct Newest {
    kept: BinaryHeap<std::cmp::Reverse<Found>>,
    count: usize,
}

/// Looks at all that matches. What vanishes meanwhile (rotation) is passed over.
///
/// # Errors
/// When the folder that the pattern begins with cannot be read.
pub fn look(pattern: &Pattern, keep: usize) -> io::Result<Look> {
    let mut walk = Walk { pattern, keep, files: Newest::default(), folders: Vec::new() };
    walk.folder(&pattern.base, 0, Dated::default())?;
    // Beside files a folder is something else; alone, or asked for, it is a backup.
    if walk.files.count == 0 {
        for (path, dated) in walk.folders {
            if let Some((bytes, modified)) = inside(&path)? {
                walk.files.push(found(path, bytes, modified, dated), keep);
            }
        }
    }
    let Newest { kept, count } = walk.files;
    Ok(Look {
        newest: kept.into_sorted_vec().into_iter().map(|found| found.0).collect(),
        count,
        unfinished: None,
    })
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize, dated: Dated) -> io::Result<()> {
        let part = &self.pattern.parts[depth];
        if let Some(name) = part.literal() {
            // A folder that is not there is told where it is the only one.
            return match self.entry(folder.join(name), depth, dated) {
                Err(error) if depth > 0 && error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            };
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if series::is_no_backup(name) && !series::is_no_backup(&self.pattern.text) {
                continue;
            }
            if let Some(dated) = part.fits(name, dated) {
                // One of many folders that cannot be read hides none of the others.
                match self.entry(entry.path(), depth, dated) {
                    Err(error) if is_own_fault(&error) => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: PathBuf, depth: usize, dated: Dated) -> io::Result<()> {
        let last = depth + 1 == self.pattern.parts.len();
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(_) if last => return fs::read_dir(path.parent().unwrap_or(&path)).map(|_| ()),
            Err(error) => return Err(error),
        };
        if !last {
            return if metadata.is_dir() { self.folder(&path, depth + 1, dated) } else { Ok(()) };
        }
        if metadata.is_file() && !self.pattern.folders_only {
            let found = found(path, metadata.len(), modified(&metadata)?, dated);
            self.files.push(found, self.keep);
        } else if metadata.is_dir() && !fs::symlink_metadata(&path)?.is_symlink() {
            self.folders.push((path, dated));
        }
        Ok(())
    }
}

impl Newest {
    fn push(&mut self, found: Found, keep: usize) {
        self.count += 1;
        self.kept.push(std::cmp::Reverse(found));
        if self.kept.len() > keep {
            self.kept.pop();
        }
    }
}

fn found(path: PathBuf, bytes: u64, modified: Timestamp, dated: Dated) -> Found {
    let named = dated.moment();
    // The file's own time tells the end of what its name tells the day of, unless it was touched or copied since.
    let made = named.filter(|named| !series::is_of_day(*named, modified)).unwrap_or(modified);
    Found { made, path, bytes, modified, named }
}

fn modified(metadata: &Metadata) -> io::Result<Timestamp> {
    Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)
}

/// The size of all files of a folder, and when the newest of them was written; none where it has no file, or cannot be
/// read.
///
/// # Errors
/// Where this host has no open files left to look.
fn inside(folder: &Path) -> io::Result<Option<(u64, Timestamp)>> {
    let mut open = vec![folder.to_owned()];
    let (mut bytes, mut newest, mut entries) = (0_u64, None, 0);
    while let Some(folder) = open.pop() {
        let inside = match fs::read_dir(folder) {
            Ok(inside) => inside,
            Err(error) if is_own_fault(&error) => return Err(error),
            Err(_) => return Ok(None),
        };
        for entry in inside.flatten() {
            entries += 1;
            if entries > MAX_ENTRIES {
                return Ok(newest.map(|newest| (bytes, newest)));
            }
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
            if metadata.is_dir() {
                open.push(entry.path());
            } else if metadata.is_file() {
                bytes = bytes.saturating_add(metadata.len());
                newest = newest.max(modified(&metadata).ok());
            }
        }
    }
    Ok(newest.map(|newest| (bytes, newest)))
}

/// Sizes of the look before.
pub type Sizes = HashMap<PathBuf, u64>;

impl Look {
    /// Takes those off its head that are still being written: they grew since the look before, or were not seen then and
    /// were written to a moment ago. The only one stays.
    pub fn settle(&mut self, before: &mut Sizes, now: Timestamp) {
        let sizes = self.newest.iter().map(|found| (found.path.clone(), found.bytes)).collect();
        let before = std::mem::replace(before, sizes);
        let grows = |found: &Found| match before.get(&found.path) {
            Some(bytes) => *bytes != found.bytes,
            None => now.duration_since(found.modified).abs() < LEFT_ALONE,
        };
        let unfinished = self.newest.iter().take_while(|found| grows(found)).count();
        self.unfinished = self.newest.first().filter(|_| unfinished > 0).map(|found| found.path.clone());
        if unfinished < self.newest.len() {
            self.newest.drain(..unfinished);
        }
    }
}
