//! `file-age`: the newest file of a series, such as a nightly dump: its age, size, and whether it is odd.

use crate::core::reading::{Measurement, ProbeFailure};
use crate::plan::keys::{Key, Takes};
use crate::plan::params::Params;
use crate::plan::{ProbeSpec, Unit};
use crate::probes::series::{self, Sizes, in_words, judge_age, size};
use crate::probes::{BuildError, Built, Probe, ProbeKind, deadline};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use std::collections::BinaryHeap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "file-age",
    doc: "Looks at the newest file that matches a pattern. The value is its age. No matching file is critical, \
          so is one smaller than `min_size` (an empty dump); one that is much smaller than the median of the \
          ones before it is a warning. A folder that cannot be read makes the signal unknown.",
    unit: Unit::Seconds,
    keys: &[
        Key::required(
            "path",
            Takes::Text,
            "Folder and file name; `*` and `?` stand for any characters in the file name, not in the folder: \
             `/backup/db/*.dump`.",
        ),
        series::MIN_SIZE,
        series::SIZE_DROP,
        series::PREVIOUS,
    ],
    fields: &[
        ("path", "the newest file"),
        ("size_bytes", "its size"),
        ("median_bytes", "median size of the previous files"),
        ("count", "how many files match"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "file-age"
title = "Nightly dump"
path = "/backup/postgresql/*.dump"
min_size = "1 MB"
size_drop = 30
every = "5m"
timeout = "20s"
warn = "25h"
critical = "49h"
"#,
    build,
};

fn build(spec: &ProbeSpec, _clients: &crate::clients::Clients) -> Built {
    let series = Series::of(&spec.params)?;
    Ok(Box::new(FileAge { series: Arc::new(series), within: deadline(spec), looking: Arc::default() }))
}

struct FileAge {
    series: Arc<Series>,
    within: Duration,
    /// A look that a dead file system still holds. Another one would only take one more thread.
    looking: Arc<AtomicBool>,
}

impl Probe for FileAge {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, ProbeFailure>> {
        Box::pin(async move {
            if self.looking.swap(true, Ordering::SeqCst) {
                return Err(self.hangs("the look before this one has still not ended"));
            }
            let (series, looking) = (self.series.clone(), self.looking.clone());
            let look = tokio::task::spawn_blocking(move || {
                let found = series.look();
                looking.store(false, Ordering::SeqCst);
                found
            });
            match tokio::time::timeout(self.within, look).await {
                Ok(Ok(Ok(found))) => Ok(self.series.judge(&found, Timestamp::now())),
                Ok(Ok(Err(error))) => Err(self.series.unreadable(&error)),
                Ok(Err(_)) => Err(self.hangs("the look was given up because lifeboat is stopping")),
                Err(_) => Err(self.hangs(&format!("no answer within {:?}", self.within))),
            }
        })
    }
}

impl FileAge {
    fn hangs(&self, why: &str) -> ProbeFailure {
        ProbeFailure::new(
            format!("cannot read {}: {why}", self.series.folder.display()),
            "Check whether its file system still answers (`df FOLDER`); a dead network mount does not.",
        )
    }
}

/// Which files, and what is odd about one.
struct Series {
    folder: PathBuf,
    name: Regex,
    pattern: String,
    sizes: Sizes,
}

/// One file of the series; the order is by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Found {
    modified: Timestamp,
    path: PathBuf,
    bytes: u64,
}

/// What a look found: the newest files, newest first, and how many there are.
#[derive(Debug, Default)]
struct Look {
    newest: Vec<Found>,
    count: usize,
}

impl Series {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let pattern = params.require_text("path")?;
        let wrong =
            |why: &str| BuildError::Value { key: "path".into(), value: pattern.into(), why: why.into() };
        let path = Path::new(pattern);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Err(wrong("it takes a folder and a file name (`/backup/*.dump`)"));
        };
        if !path.is_absolute() || folder.to_string_lossy().contains(['*', '?']) {
            return Err(wrong("the folder must be absolute and without `*` and `?`"));
        }
        Ok(Self {
            folder: folder.to_owned(),
            name: name_pattern(name).map_err(|_| wrong("the file name is too long"))?,
            pattern: pattern.to_owned(),
            sizes: Sizes::of(params),
        })
    }

    /// Reads the folder. Files that vanish meanwhile (rotation) are passed over.
    fn look(&self) -> io::Result<Look> {
        // The smallest on top, so that only the newest few of a million files are kept.
        let mut newest = BinaryHeap::new();
        let mut count = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| self.name.is_match(name)) {
                continue;
            }
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if !metadata.is_file() {
                continue;
            }
            let Ok(modified) = Timestamp::try_from(metadata.modified()?) else { continue };
            count += 1;
            newest.push(std::cmp::Reverse(Found { modified, path: entry.path(), bytes: metadata.len() }));
            if newest.len() > self.sizes.previous + 1 {
                newest.pop();
            }
        }
        let newest = newest.into_sorted_vec().into_iter().map(|found| found.0).collect();
        Ok(Look { newest, count })
    }

    fn judge(&self, look: &Look, now: Timestamp) -> Measurement {
        let Some((last, previous)) = look.newest.split_first() else {
            return Measurement::critical(format!("no file matches {}", self.pattern))
                .with_number("count", 0.0);
        };
        let age = now.duration_since(last.modified);
        let median = series::median(previous.iter().map(|file| file.bytes));
        let name = last.path.file_name().unwrap_or_default().to_string_lossy();
        let summary =
            format!("{name}, {}, {} old", size(last.bytes), in_words(age.max(SignedDuration::ZERO)));
        Measurement::good(crate::text::clean(&summary, 200))
            .judged(self.sizes.judge(last.bytes, median))
            .judged(judge_age(age))
            .with_value(age.as_secs_f64().max(0.0))
            .with_text("path", crate::text::clean(&last.path.to_string_lossy(), 1000))
            .with_number("size_bytes", last.bytes as f64)
            .with_number("median_bytes", median.map(|bytes| bytes as f64))
            .with_number("count", look.count as f64)
    }

    fn unreadable(&self, error: &io::Error) -> ProbeFailure {
        let folder = self.folder.display();
        let next = match error.kind() {
            io::ErrorKind::NotFound => {
                "Check the folder in the plan, and whether its file system is mounted."
            }
            io::ErrorKind::PermissionDenied => "Let the user that runs the engine read the folder.",
            _ => "List the folder by hand on this host to see what is wrong.",
        };
        ProbeFailure::new(format!("cannot read {folder}: {error}"), next)
    }
}

/// A regular expression of a file name with `*` and `?`. Only an enormous name fails to compile.
fn name_pattern(name: &str) -> Result<Regex, regex::Error> {
    let mut pattern = String::from(r"(?s)\A");
    for character in name.chars() {
        match character {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push_str(r"\z");
    Regex::new(&pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reading::Verdict;
    use crate::plan::params::Param;
    use std::time::SystemTime;

    fn series(path: &Path) -> Series {
        let text = Param::Text(path.to_string_lossy().into_owned());
        Series::of(&Params([("path".to_owned(), text)].into_iter().collect())).unwrap()
    }

    fn put(folder: &Path, name: &str, bytes: usize, age: Duration) {
        let path = folder.join(name);
        fs::write(&path, vec![b'x'; bytes]).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_newest_match_counts() {
        let folder = tempfile::tempdir().unwrap();
        for day in 1..20 {
            put(
                folder.path(),
                &format!("db-{day}.dump"),
                1000 + day,
                HOUR * u32::try_from(24 * day).unwrap(),
            );
        }
        put(folder.path(), "db-new.dump.partial", 5, Duration::ZERO);
        fs::create_dir(folder.path().join("x.dump")).unwrap();
        let series = series(&folder.path().join("db-*.dump"));
        let measured = series.judge(&series.look().unwrap(), Timestamp::now());
        assert_eq!(measured.verdict, Verdict::Good);
        assert!((measured.value.unwrap() - 86_400.0).abs() < 60.0, "{measured:?}");
        assert_eq!(measured.fields["count"], crate::core::reading::Field::Number(19.0));
        assert_eq!(measured.fields["median_bytes"], crate::core::reading::Field::Number(1005.0));
        assert_eq!(measured.summary, "db-1.dump, 1.0 kB, 24 h old");
    }

    #[test]
    fn an_empty_dump_is_critical_and_a_small_one_warns() {
        let folder = tempfile::tempdir().unwrap();
        let series = series(&folder.path().join("*.dump"));
        let judge = || series.judge(&series.look().unwrap(), Timestamp::now()).verdict;
        assert!(judge().why().unwrap().starts_with("no file matches"));
        for day in 1..5 {
            put(folder.path(), &format!("{day}.dump"), 1000, HOUR * 24 * day);
        }
        put(folder.path(), "last.dump", 400, HOUR);
        assert_eq!(judge(), Verdict::Warn("60 % smaller than usual (1.0 kB)".into()));
        put(folder.path(), "last.dump", 0, HOUR);
        assert_eq!(judge(), Verdict::Critical("only 0 B, at least 1 B expected".into()));
    }

    #[test]
    fn a_file_from_the_future_is_said() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.dump", 10, Duration::ZERO);
        let series = series(&folder.path().join("a.dump"));
        // The words round down, and the file is older than this line by a moment.
        let earlier = Timestamp::now() - SignedDuration::from_hours(5) - SignedDuration::from_mins(2);
        let measured = series.judge(&series.look().unwrap(), earlier);
        assert!(measured.verdict.why().unwrap().contains("5 h 1 min in the future"), "{measured:?}");
        assert_eq!(measured.value, Some(0.0));
    }

    #[test]
    fn a_folder_that_is_not_there_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let series = series(&folder.path().join("gone/*.dump"));
        let failure = series.unreadable(&series.look().unwrap_err());
        assert!(failure.why.contains("gone") && failure.next.contains("mounted"), "{failure:?}");
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_not_joined_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let series = Arc::new(series(&folder.path().join("*.dump")));
        let looking = Arc::new(AtomicBool::new(true));
        let probe = FileAge { series, within: Duration::from_secs(5), looking };
        let failure = probe.run().await.unwrap_err();
        assert!(failure.why.contains("still not ended"), "{failure:?}");
        probe.looking.store(false, Ordering::SeqCst);
        for _ in 0..2 {
            probe.run().await.unwrap();
        }
    }

    #[test]
    fn patterns_stay_within_the_file_name() {
        let text = |path: &str| Params([("path".to_owned(), Param::Text(path.into()))].into_iter().collect());
        for bad in ["*.dump", "/a/*/b.dump", "/", "relative/x"] {
            assert!(Series::of(&text(bad)).is_err(), "{bad}");
        }
        assert!(name_pattern("a.b?[x]*").unwrap().is_match("a.bc[x]yz"));
        assert!(!name_pattern("a.b").unwrap().is_match("aXb"));
    }
}
