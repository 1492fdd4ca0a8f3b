//! Reads a plan's files, within limits that are checked before anything is read.

use crate::base::toml::{Diagnostic, Report, SourceFile, Sources};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest file of a plan.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Largest plan, over all its files.
const MAX_PLAN_BYTES: u64 = 32 << 20;
/// Most files of a plan.
const MAX_FILES: usize = 200;

/// Reads one file, or the `*.toml` files of a folder in the order of their names. Second is whether all of them were read:
/// else what seems to be missing may stand in the others.
pub(crate) fn read(path: &Path, report: &Report) -> (Sources, bool) {
    let mut sources = Sources::default();
    let Some(files) = list(path, report) else { return (sources, false) };
    let (mut total, mut all) = (0, true);
    for file in files {
        let fault = |(code, message, help): Unread| {
            report.add(Diagnostic::of_file(code, shown(&file), message).help(help));
        };
        match read_file(&file).map(decode) {
            Ok((text, encoding)) => {
                encoding.into_iter().for_each(fault);
                total += text.len() as u64;
                if total > MAX_PLAN_BYTES {
                    let message = format!("the plan is larger than {} MiB", MAX_PLAN_BYTES >> 20);
                    report.add(Diagnostic::of_file("too-large", shown(path), message));
                    return (sources, false);
                }
                sources.0.push(SourceFile { path: shown(&file), text: text.into() });
            }
            Err(unread) => {
                fault(unread);
                all = false;
            }
        }
    }
    (sources, all)
}

fn list(path: &Path, report: &Report) -> Option<Vec<PathBuf>> {
    let problem = |code, message: String, help: &str| {
        report.add(Diagnostic::of_file(code, shown(path), message).help(help));
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            problem("unreadable", why(&error), "give a plan file, or a folder with the plan's .toml files");
            return None;
        }
    };
    if !metadata.is_dir() {
        return Some(vec![path.to_owned()]);
    }
    let listing = fs::read_dir(path).and_then(|entries| {
        entries.take(10_000).map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut files = match listing {
        Ok(files) => files,
        Err(error) => {
            problem("unreadable", why(&error), "check the folder's permissions: reading it needs r and x");
            return None;
        }
    };
    let visible = |file: &Path| file.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml") && visible(file));
    files.sort();
    if files.is_empty() {
        problem(
            "empty",
            "the folder holds no .toml file".into(),
            "put the plan's files here, or name another folder",
        );
        return None;
    }
    if files.len() > MAX_FILES {
        let message = format!("the folder holds {} .toml files, the limit is {MAX_FILES}", files.len());
        problem("too-many-files", message, "is this the folder of one plan?");
        return None;
    }
    Some(files)
}

type Unread = (&'static str, String, &'static str);

fn read_file(path: &Path) -> Result<Vec<u8>, Unread> {
    let unreadable =
        |error: std::io::Error| ("unreadable", why(&error), "check the path and its permissions");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(("unreadable", "it is not a regular file".into(), "a plan is made of plain .toml files"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

fn too_large(bytes: u64) -> Unread {
    let message = format!(
        "the file is {} MB, the limit is {} MiB: it was not read",
        bytes.div_ceil(1_000_000),
        MAX_FILE_BYTES >> 20
    );
    ("too-large", message, "split the plan into several files of one folder; is this a plan?")
}

/// The text, and what is wrong with its encoding: one that can be read all the same shows what else is wrong.
fn decode(bytes: Vec<u8>) -> (String, Option<Unread>) {
    let save = "save it as UTF-8 without a byte-order mark";
    if let Some(text) = utf_16(&bytes) {
        return (text, Some(("encoding", "the file is UTF-16, TOML is UTF-8".into(), save)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), None),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("the file is not UTF-8: the first bad byte is in line {line}");
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            (text, Some(("encoding", message, save)))
        }
    }
}

/// What editors and shells of Windows write: with a mark, or with a zero byte in each pair of the first line.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let little = match bytes {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        [one, 0, two, 0, ..] if *one != 0 && *two != 0 => true,
        [0, one, 0, two, ..] if *one != 0 && *two != 0 => false,
        _ => return None,
    };
    let unit = |pair: &[u8]| match pair {
        [first, second] if little => u16::from_le_bytes([*first, *second]),
        [first, second] => u16::from_be_bytes([*first, *second]),
        _ => 0,
    };
    let units: Vec<u16> = bytes.chunks_exact(2).map(unit).collect();
    let text = String::from_utf16_lossy(&units);
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(crate) fn why(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".into(),
        ErrorKind::PermissionDenied => "this user may not read it".into(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            "its symbolic links lead in a circle".into()
        }
        _ => format!("it cannot be read: {error}"),
    }
}
