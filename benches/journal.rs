//! The journal against its yardsticks: appends against a bare write and fdatasync of the same bytes to a file in
//! the same folder, verification against `sha256sum` of the same file. Prints ratios, asserts nothing.
//!
//! `cargo bench --bench journal`; the folder is made in `TMPDIR`, so point that at the disk in question.

use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lifeboat::journal::{Entry, Journal, Options, verify};
use serde_json::json;

const ROUNDS: usize = 12;
const APPENDS_PER_ROUND: usize = 300;
const BATCH: usize = 16;
const BIG_RECORDS: usize = 1_000_000;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    appends(folder.path(), 1)?;
    appends(folder.path(), BATCH)?;
    verification(folder.path())
}

fn options() -> Options {
    Options { append_only: false, segment_bytes: 1 << 40, ..Options::default() }
}

/// Makes a line of about 320 bytes with its chain.
fn entry() -> Entry {
    Entry {
        timestamp: Timestamp::now(),
        incident: Some("INC-0001".to_owned()),
        operator: "ana".to_owned(),
        action: "StepStarted".to_owned(),
        source: "console".to_owned(),
        destination: "db".to_owned(),
        status: "ok".to_owned(),
        detail: json!({ "step": "promote" }),
    }
}

/// Journal and bare file take turns, so that what the disk does meanwhile meets both. The ratio is of the medians.
fn appends(dir: &Path, batch: usize) -> Outcome {
    let journal_dir = dir.join(format!("journal-{batch}"));
    let (mut journal, _) = Journal::open(&journal_dir, &options())?;
    let entries = vec![entry(); batch];
    journal.append(&entries)?;
    let bytes = fs::read(journal_dir.join("000001.jsonl"))?;
    let mut bare =
        OpenOptions::new().create_new(true).append(true).open(dir.join(format!("bare-{batch}")))?;

    let (mut journal_times, mut bare_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..APPENDS_PER_ROUND {
            journal_times.push(time(|| Ok(black_box(journal.append(&entries)?).len()))?);
            bare_times.push(time(|| bare_append(&mut bare, &bytes))?);
        }
    }
    let (journal_median, bare_median) = (median(journal_times), median(bare_times));
    println!(
        "append of {batch:>2} records, {:>5} bytes: journal {journal_median:>8.1?} ({:>6.0} records/s), bare write and \
         fdatasync {bare_median:>8.1?}: the journal reaches {:.1} %",
        bytes.len(),
        batch as f64 / journal_median.as_secs_f64(),
        100.0 * bare_median.as_secs_f64() / journal_median.as_secs_f64(),
    );
    Ok(())
}

fn bare_append(file: &mut File, bytes: &[u8]) -> Outcome<usize> {
    file.write_all(bytes)?;
    file.sync_data()?;
    Ok(bytes.len())
}

fn verification(dir: &Path) -> Outcome {
    let journal_dir = dir.join("big");
    let (mut journal, _) = Journal::open(&journal_dir, &options())?;
    let entries = vec![entry(); 1000];
    for _ in 0..BIG_RECORDS / entries.len() {
        journal.append(&entries)?;
    }
    let file = journal_dir.join("000001.jsonl");
    let mebibytes = fs::metadata(&file)?.len() as f64 / f64::from(1 << 20);

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(time(|| Ok(usize::from(verify(&journal_dir)?.is_good())))?);
        theirs.push(time(|| Ok(Command::new("sha256sum").arg(&file).output()?.stdout.len()))?);
    }
    let (ours, theirs) = (median(ours).as_secs_f64(), median(theirs).as_secs_f64());
    println!(
        "verification of {BIG_RECORDS} records, {mebibytes:.0} MiB: journal {:.0} MiB/s, sha256sum {:.0} MiB/s: \
         the journal is {:.2} times as fast",
        mebibytes / ours,
        mebibytes / theirs,
        theirs / ours,
    );
    Ok(())
}

fn time(work: impl FnOnce() -> Outcome<usize>) -> Outcome<Duration> {
    let start = Instant::now();
    black_box(work()?);
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
