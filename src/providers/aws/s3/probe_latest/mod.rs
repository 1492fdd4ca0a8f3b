//! `s3-latest`: the newest object under a prefix, such as a nightly dump.

mod bucket;
mod checksum;
mod details;
mod listing;
#[cfg(test)]
mod tests;

use crate::base::problem::Problem;
use crate::base::text::{clean, ended};
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::series;
use crate::kinds::probe::series::{Sizes, in_words, judge_age, size};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsError, Place};
use crate::providers::clients::Clients;
use bucket::Setting;
use checksum::{Checked, Checker, Expected};
use details::Details;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use listing::{Found, Listing, Series};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "s3-latest",
    sees: Sees::Objects,
    doc: "Looks at the newest object under a prefix of an S3 bucket. The value is its age. No object is critical, so is \
          one smaller than `min_size` and one whose checksum is not the expected one; one that is much smaller than \
          the median of those before it is a warning, so is one whose replication failed or whose checksum could not \
          be compared. A bucket that is not there or may not be listed makes the signal unknown. At most 20,000 \
          objects are looked through.",
    unit: Unit::Seconds,
    keys: &[
        crate::providers::aws::probe::REGION,
        Key::required("bucket", Takes::Text, "The bucket's name; its region is `aws_region`."),
        Key::optional(
            "prefix",
            Takes::Text,
            "What the keys begin with. `%Y`, `%m`, `%d` and `%j` stand for today's and yesterday's date (UTC): \
             `db/%Y/%m/%d/`; a percent sign is written `%%`.",
        ),
        Key::optional("suffix", Takes::Text, "What the keys end with: `.dump.gz`."),
        series::DATES_IN_NAMES,
        series::MIN_SIZE,
        series::SIZE_DROP,
        series::PREVIOUS,
        Key::default(
            "checksum",
            Takes::Choice(&["none", "s3", "metadata", "digest"]),
            "none",
            "What the object is compared with: `s3` asks that S3 keeps a checksum of it, `metadata` compares its \
             metadata `metadata_key`, `digest` the object of the same name with `digest_suffix`. Both are compared \
             with the SHA-256 that S3 keeps, or with the ETag for an MD5.",
        ),
        Key::default(
            "metadata_key",
            Takes::Text,
            "sha256",
            "The metadata with the checksum, without `x-amz-meta-`.",
        ),
        Key::default(
            "digest_suffix",
            Takes::Text,
            ".sha256",
            "How the names of digests end; they are no backups.",
        ),
        Key::default(
            "download_up_to",
            Takes::Size,
            "0 B",
            "An object up to this size is read once to compute its SHA-256, where S3 keeps none, or for `s3`.",
        ),
        Key::optional(
            "bucket_checks",
            Takes::List(&Takes::Choice(bucket::CHECKS)),
            "Settings of the bucket that are a warning where they are missing: `encryption`, `replication`; `policy` \
             warns where it is public.",
        ),
    ],
    fields: &[
        ("key", "the newest object"),
        ("size_bytes", "its size"),
        ("previous_size_bytes", "size of the one before it"),
        ("median_bytes", "median size of the previous ones"),
        ("count", "how many objects there are"),
        ("encryption", "how it is encrypted: `AES256` (keys of S3) or `aws:kms`"),
        ("kms_key", "the KMS key it is encrypted with"),
        ("storage_class", "its storage class"),
        ("replication_status", "`COMPLETED`, `PENDING`, `FAILED` or `REPLICA`"),
        ("version", "its version"),
        ("checksum", "what was compared, and how it ended"),
        ("checksum_matches", "whether it is what was put there; absent where nothing was compared"),
        ("bucket_encryption", "the bucket's default encryption"),
        ("bucket_replication", "where the bucket is replicated to"),
        ("bucket_policy", "`none`, `not public` or `public`"),
    ],
    permissions: &["s3:ListBucket", "s3:GetObject"],
    example: r#"[probes.example]
kind = "s3-latest"
title = "Nightly dump in S3"
region = "dr"
bucket = "arka-backups-dr"
prefix = "postgresql/"
suffix = ".dump.gz"
min_size = "10 MB"
checksum = "metadata"
bucket_checks = ["encryption", "replication"]
every = "5m"
timeout = "30s"
warn = "25h"
critical = "49h"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let params = &spec.params;
    let text = |key: &str| params.text(key).unwrap_or_default().to_owned();
    let expected = match params.text("checksum") {
        Some("s3") => Expected::S3,
        Some("metadata") => Expected::Metadata(text("metadata_key")),
        Some("digest") => Expected::DigestObject(text("digest_suffix")),
        _ => Expected::Nothing,
    };
    let sizes = Sizes::of(params);
    let bucket = params.require_text("bucket")?.to_owned();
    let series = Series {
        bucket: bucket.clone(),
        prefix: text("prefix"),
        suffix: text("suffix"),
        digest_suffix: match &expected {
            Expected::DigestObject(suffix) => Some(suffix.clone()),
            _ => None,
        },
        keep: sizes.previous + 1,
    };
    series.check()?;
    let download_bytes = params.integer("download_up_to").unwrap_or_default().max(0).unsigned_abs();
    Ok(Box::new(S3Latest {
        place: crate::providers::aws::probe::place(spec, clients)?,
        series,
        sizes,
        dates_in_names: params.flag("dates_in_names"),
        checker: Checker { bucket, expected, download_bytes, read: Mutex::new(None) },
        bucket_checks: params.texts("bucket_checks").into_iter().map(str::to_owned).collect(),
        within: deadline(spec),
    }))
}

struct S3Latest {
    place: Place,
    series: Series,
    sizes: Sizes,
    dates_in_names: bool,
    checker: Checker,
    bucket_checks: Vec<String>,
    within: Duration,
}

impl Probe for S3Latest {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let begun = Instant::now();
            let connection = self.place.reader().await;
            let listing = self.series.list(&connection, Timestamp::now()).await?;
            let Some(last) = listing.newest.first() else {
                return Ok(self.judge(&listing, None, &[], Timestamp::now()));
            };
            let (details, settings) = tokio::join!(
                details::look(&connection, &self.series.bucket, last),
                bucket::look(&connection, &self.series.bucket, &self.bucket_checks),
            );
            let looked = match details {
                Ok(details) => {
                    let left = self.within.saturating_sub(begun.elapsed());
                    let checked = self.checker.check(&connection, last, &details, left).await;
                    Ok((details, checked))
                }
                Err(error) => Err(error),
            };
            Ok(self.judge(&listing, Some(looked), &settings, Timestamp::now()))
        })
    }
}

/// What is known of the newest object besides its size.
type Looked = Result<(Details, Checked), AwsError>;

impl S3Latest {
    fn judge(
        &self,
        listing: &Listing,
        looked: Option<Looked>,
        settings: &[Setting],
        now: Timestamp,
    ) -> Measurement {
        let Some((last, previous)) = listing.newest.split_first() else {
            let why = format!("no object matches {}", self.series.place());
            return Measurement::critical(clean(&why, 300)).with_number("count", 0.0);
        };
        let age = now.duration_since(last.modified);
        let median = series::median(previous.iter().map(|found| found.bytes));
        let mut measured = Measurement::good(summary(last, age, looked.as_ref()))
            .judged(self.sizes.judge(last.bytes, median))
            .judged(series::judge_content(&last.key, last.bytes))
            .judged(judge_age(age));
        if self.dates_in_names {
            measured = measured.judged(series::judge_name(&last.key, None, last.modified));
        }
        measured = series::with_age(measured, age)
            .with_text("key", clean(&last.key, 1000))
            .with_number("size_bytes", last.bytes as f64)
            .with_number("previous_size_bytes", previous.first().map(|found| found.bytes as f64))
            .with_number("median_bytes", median.map(|bytes| bytes as f64))
            .with_number("count", listing.count as f64);
        measured = match looked {
            Some(Ok((details, checked))) => of_details(measured, &details, &checked),
            Some(Err(error)) => {
                let why = format!(
                    "encryption, replication and checksum not seen: {} {}",
                    ended(&error.to_string()),
                    error.next_step()
                );
                measured.judged(Verdict::Warn(why))
            }
            None => measured,
        };
        for setting in settings {
            measured =
                measured.judged(setting.verdict.clone()).with_text(setting.field, setting.value.clone());
        }
        measured
    }
}

fn of_details(measured: Measurement, details: &Details, checked: &Checked) -> Measurement {
    let text = |value: &Option<String>| value.as_ref().map(|value| clean(value, 300));
    let measured = measured
        .judged(checked.verdict())
        .judged(match details.replication.as_deref() {
            Some("FAILED") => Verdict::Warn("its replication failed".into()),
            _ => Verdict::Good,
        })
        .with_text("encryption", text(&details.encryption))
        .with_text("kms_key", text(&details.kms_key))
        .with_text("storage_class", clean(&details.storage_class, 40))
        .with_text("replication_status", text(&details.replication))
        .with_text("version", text(&details.version))
        .with_text("checksum", checked.in_words());
    match checked.matches() {
        Some(matches) => measured.with_flag("checksum_matches", matches),
        None => measured,
    }
}

fn summary(last: &Found, age: SignedDuration, looked: Option<&Looked>) -> String {
    let name = last.key.rsplit('/').next().unwrap_or(&last.key);
    let age = in_words(age.max(SignedDuration::ZERO));
    let how = match looked {
        Some(Ok((details, checked))) => {
            let words = [details.encryption.clone(), details.replication.clone(), checked.in_words()];
            words.into_iter().flatten().map(|word| format!(", {word}")).collect()
        }
        _ => String::new(),
    };
    clean(&format!("{name}, {}, {age} old{how}", size(last.bytes)), 200)
}
