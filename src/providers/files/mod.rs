//! `file-age`: the newest backup of a series, such as a nightly dump: its age, size, and whether it is odd.

mod content;
mod look;
mod pattern;

use super::{Provider, row};
use crate::base::problem::Problem;
use crate::base::shortage::{OWN_FAULT, is_own_fault};
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::series;
use crate::kinds::probe::series::{Sizes, in_words, judge_age, size};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees};
use crate::plan::params::Params;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use look::Look;
use pattern::Pattern;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Newer ones that may turn out to be still in the making.
const SPARE: usize = 4;

/// Files.
pub(super) static PROVIDER: Provider = Provider { probes: &[row!(self)], ..Provider::NONE };

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "file-age",
    sees: Sees::Files,
    doc: "Looks at the newest file, or folder, that matches a pattern. The value is its age. No match is critical, \
          so is one smaller than `min_size`, and an archive with nothing in it (the 20 bytes that `gzip` makes of a dump \
          that failed, a tar of zeros) or that is cut off: a plain dump of PostgreSQL without its last \
          line, one of `pg_dump -Fc` that ends within its table of contents, a zip or xz file without its end, a gzip file \
          of up to 16 MB that does not decode to its end, or what is in it. Files that the engine's user may not read are \
          known by name, time and size only. One that is much smaller than the median of the ones before it is a warning. \
          What is still being written does not count: names that end as unfinished ones do (`.tmp`, `.part`, \
          `.inprogress`, `~`), and files that grow between two looks; the one before counts then. Nor does what is written \
          beside a backup (`.sha256`, `.asc`, `.json`, `.log`), unless `path` ends so. A date in the name is the backup's \
          time where `path` says where it stands; a file whose name and time are days apart (it was touched or copied) is a warning. A folder \
          that cannot be read makes the signal unknown.",
    unit: Unit::Seconds,
    keys: &[
        Key::required(
            "path",
            Takes::Text,
            "Where they are: `/backup/db/*.dump`, `/backup/*/db-%Y-%m-%d.dump.gz`. In folders and file names `*` and `?` \
             stand for any characters, but not for a leading dot, and `%Y`, `%m`, `%d`, `%j`, `%y`, `%H`, `%M`, `%S` for \
             parts of the time, in this host's zone; a percent sign is written `%%`. Folders are backups (`pg_dump -Fd`, \
             pgBackRest, Barman) where no file matches, or where the path ends with `/`.",
        ),
        Key::optional(
            "also",
            Takes::List(&Takes::Text),
            "Further parts of the same backup, each as `path`: all have to be there, and the whole is as old as its \
             oldest part.",
        ),
        series::DATES_IN_NAMES,
        series::MIN_SIZE,
        series::SIZE_DROP,
        series::PREVIOUS,
    ],
    fields: &[
        ("path", "the newest one"),
        ("size_bytes", "its size"),
        ("median_bytes", "median size of the previous ones"),
        ("count", "how many match"),
        ("unfinished", "a newer one that is still being written"),
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
    check,
};

/// Every path that can be none.
fn check(spec: &ProbeSpec) -> Vec<BuildError> {
    let also = spec.params.texts("also").into_iter().map(|text| ("also", text));
    let paths = spec.params.text("path").map(|text| ("path", text)).into_iter().chain(also);
    paths.filter_map(|(key, text)| Some(BuildError::value(key, text, Pattern::of(text).err()?))).collect()
}

pub(crate) fn build(spec: &ProbeSpec, _clients: &crate::providers::clients::Clients) -> Built {
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
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            if self.looking.swap(true, Ordering::SeqCst) {
                return Err(self.hangs("the look before this one has still not ended"));
            }
            let (series, looking) = (self.series.clone(), self.looking.clone());
            let look = tokio::task::spawn_blocking(move || {
                let measured = series.measure(Timestamp::now());
                looking.store(false, Ordering::SeqCst);
                measured
            });
            match tokio::time::timeout(self.within, look).await {
                Ok(Ok(measured)) => measured,
                Ok(Err(_)) => Err(self.hangs("the look was given up because lifeboat is stopping")),
                Err(_) => Err(self.hangs(&format!("no answer within {:?}", self.within))),
            }
        })
    }
}

impl FileAge {
    fn hangs(&self, why: &str) -> Problem {
        Problem::new(
            format!("cannot read {}: {why}", self.series.parts[0].pattern.base.display()),
            "Check whether its file system still answers (`df FOLDER`); a dead network mount does not.",
        )
    }
}

/// Which backups, and what is odd about one.
struct Series {
    /// At least one; the whole is as old as the oldest.
    parts: Vec<Part>,
    sizes: Sizes,
    dates_in_names: bool,
}

struct Part {
    pattern: Pattern,
    seen: Mutex<look::Sizes>,
    content: content::Seen,
}

impl Series {
    fn of(params: &Params) -> Result<Self, BuildError> {
        let part = |key: &str, text: &str| match Pattern::of(text) {
            Ok(pattern) => Ok(Part { pattern, seen: Mutex::default(), content: content::Seen::default() }),
            Err(why) => Err(BuildError::Value { key: key.into(), value: text.into(), why: why.into() }),
        };
        let mut parts = vec![part("path", params.require_text("path")?)?];
        for text in params.texts("also") {
            parts.push(part("also", text)?);
        }
        let dates_in_names = params.get("dates_in_names").is_none() || params.flag("dates_in_names");
        Ok(Self { parts, sizes: Sizes::of(params), dates_in_names })
    }

    /// Looks at every part; what is measured is that of the oldest, the verdict that of the worst.
    fn measure(&self, now: Timestamp) -> Result<Measurement, Problem> {
        let mut whole: Option<Measurement> = None;
        for part in &self.parts {
            let mut look = look::look(&part.pattern, self.sizes.previous + 1 + SPARE)
                .map_err(|error| unreadable(part, &error))?;
            look.settle(&mut part.seen.lock().unwrap_or_else(PoisonError::into_inner), now);
            let measured = self.judge(part, &look, now);
            whole = Some(match whole {
                None => measured,
                // No age is worse than any.
                Some(before) if age(&measured) > age(&before) => measured.judged(before.verdict),
                Some(before) => before.judged(measured.verdict),
            });
        }
        whole.ok_or_else(|| Problem::new("nothing to look at", "Name a path."))
    }

    fn judge(&self, part: &Part, look: &Look, now: Timestamp) -> Measurement {
        let Some((last, previous)) = look.newest.split_first() else {
            return Measurement::critical(format!("no file matches {}", part.pattern.text))
                .with_number("count", 0.0);
        };
        let age = now.duration_since(last.made);
        let median = series::median(previous.iter().take(self.sizes.previous).map(|file| file.bytes));
        let name = pattern::shown(&last.path, &part.pattern.base);
        let unfinished = look.unfinished.as_ref().map(|path| pattern::shown(path, &part.pattern.base));
        let mut summary =
            format!("{name}, {}, {} old", size(last.bytes), in_words(age.max(SignedDuration::ZERO)));
        if let Some(newer) = unfinished.as_ref().filter(|newer| **newer != name) {
            summary = format!("{summary}; {newer} is being written");
        }
        let mut measured = Measurement::good(crate::base::text::clean(&summary, 200))
            .judged(self.sizes.judge(last.bytes, median))
            .judged(series::judge_content(&name, last.bytes))
            .judged(judge_age(age));
        if self.dates_in_names {
            measured = measured.judged(series::judge_name(&name, last.named, last.modified));
        }
        if unfinished.as_deref() == Some(&*name) {
            let why = "it may still be being written, and there is none before it";
            measured = measured.judged(Verdict::Warn(why.into()));
        } else {
            measured = measured.judged(part.content.judge(last));
        }
        series::with_age(measured, age)
            .with_text("path", crate::base::text::clean(&last.path.to_string_lossy(), 1000))
            .with_text("unfinished", unfinished.map(|path| crate::base::text::clean(&path, 1000)))
            .with_number("size_bytes", last.bytes as f64)
            .with_number("median_bytes", median.map(|bytes| bytes as f64))
            .with_number("count", look.count as f64)
    }
}

fn age(measured: &Measurement) -> f64 {
    measured.value.unwrap_or(f64::INFINITY)
}

fn unreadable(part: &Part, error: &io::Error) -> Problem {
    let folder = part.pattern.base.display();
    let next = match error.kind() {
        _ if is_own_fault(error) => OWN_FAULT,
        io::ErrorKind::NotFound => "Check the folder in the plan, and whether its file system is mounted.",
        io::ErrorKind::PermissionDenied => "Let the user that runs the engine read the folder.",
        _ => "List the folder by hand on this host to see what is wrong.",
    };
    Problem::new(format!("cannot read {folder}: {error}"), next)
}

#[cfg(test)]
mod tests;
