//! Reads a calendar's file, within its limit.

use super::{MAX_BYTES, Said};
use crate::plan::{CalendarTrouble, Shift};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// The text of a calendar's file.
///
/// # Errors
/// In words, when it is not there, may not be read, is too large, or a time in it is no text.
pub fn read(path: &Path) -> Result<String, String> {
    let why = |error: std::io::Error| crate::plan::files::why(&error);
    let metadata = fs::metadata(path).map_err(why)?;
    // A pipe would be waited for.
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)).map_err(why)?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is larger than {} MiB: export fewer days", MAX_BYTES >> 20));
    }
    super::text::decode(bytes)
}

/// The shifts that a calendar's file gave, and what of it does not count, with the file's name.
pub fn told(path: &Path, said: Result<Said, String>) -> (Vec<Shift>, Option<CalendarTrouble>) {
    let named = |why: String| format!("{}: {why}", crate::base::text::clean(&path.to_string_lossy(), 200));
    match said {
        Err(why) => (Vec::new(), Some(CalendarTrouble::Unread(named(why)))),
        Ok(said) if said.left_out.is_empty() => (said.shifts, None),
        Ok(said) => {
            let mut events = said.left_out;
            if let Some(first) = events.first_mut() {
                *first = named(std::mem::take(first));
            }
            (said.shifts, Some(CalendarTrouble::LeftOut(events)))
        }
    }
}
