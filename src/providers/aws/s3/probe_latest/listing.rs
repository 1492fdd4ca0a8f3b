//! The newest objects under a prefix.
use crate::base::problem::Problem;
use crate::kinds::probe::series;
use crate::plan::kinds::BuildError;
use crate::providers::aws::client::{AwsError, Call, Connection, timestamp};
use aws_sdk_s3::types::Object;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Of 1,000 objects each: a larger prefix costs more than its newest object is worth.
pub const PAGES: usize = 20;

/// Which objects of a bucket are the series.
pub struct Series {
    pub bucket: String,
    /// May have `%Y`, `%m`, `%d` and `%j`.
    pub prefix: String,
    pub suffix: String,
    /// The end of the names of digests, which are no backups.
    pub digest_suffix: Option<String>,
    /// How many of the newest are kept.
    pub keep: usize,
}

/// One object of the series; the order is by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Found {
    pub modified: Timestamp,
    pub key: String,
    pub bytes: u64,
    pub etag: String,
}

/// The newest, newest first, and how many there are.
#[derive(Default, Debug)]
pub struct Listing {
    pub newest: Vec<Found>,
    pub count: usize,
}

impl Series {
    /// # Errors
    /// When the prefix has other date parts than those that are looked up.
    pub fn check(&self) -> Result<(), BuildError> {
        let known = Regex::new(r"\A([^%]|%[Ymdj%])*\z");
        match known.is_ok_and(|known| known.is_match(&self.prefix)) {
            true => Ok(()),
            false => Err(BuildError::Value {
                key: "prefix".into(),
                value: self.prefix.clone(),
                why: "of dates it takes %Y, %m, %d and %j; a percent sign is written %%".into(),
            }),
        }
    }

    /// The prefix of today and, where it has a date, of yesterday: just after midnight (UTC) today's is empty.
    pub fn prefixes(&self, now: Timestamp) -> Vec<String> {
        let of = |time: Timestamp| time.strftime(&self.prefix).to_string();
        let mut prefixes = vec![of(now)];
        let yesterday = now.checked_sub(SignedDuration::from_hours(24)).map_or_else(|_| of(now), of);
        if !prefixes.contains(&yesterday) {
            prefixes.push(yesterday);
        }
        prefixes
    }

    /// Where it looks, in words.
    pub fn place(&self) -> String {
        format!("s3://{}/{}*{}", self.bucket, self.prefix, self.suffix)
    }

    /// Lists all of it.
    ///
    /// # Errors
    /// When S3 does not list it, or it is too large for that.
    pub async fn list(&self, connection: &Connection, now: Timestamp) -> Result<Listing, Problem> {
        let mut newest = BinaryHeap::new();
        let mut count = 0;
        let mut pages = 0;
        for prefix in self.prefixes(now) {
            let mut token = None;
            loop {
                if pages == PAGES {
                    return Err(self.too_large());
                }
                pages += 1;
                let page = self.page(connection, &prefix, token.take()).await?;
                for found in page.contents().iter().filter_map(|object| self.found(object)) {
                    count += 1;
                    newest.push(Reverse(found));
                    if newest.len() > self.keep {
                        newest.pop();
                    }
                }
                match page.next_continuation_token() {
                    Some(next) => token = Some(next.to_owned()),
                    None => break,
                }
            }
        }
        let newest = newest.into_sorted_vec().into_iter().map(|found| found.0).collect();
        Ok(Listing { newest, count })
    }

    async fn page(
        &self,
        connection: &Connection,
        prefix: &str,
        token: Option<String>,
    ) -> Result<aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output, Problem> {
        let call = Call::new("s3:ListBucket", format!("s3://{}/{prefix}", self.bucket));
        let request = connection.s3().list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let answer = connection.call(&call, request.set_continuation_token(token).send()).await;
        answer.map_err(|error| unlisted(&error))
    }

    fn found(&self, object: &Object) -> Option<Found> {
        let key = object.key()?;
        let is_digest = self.digest_suffix.as_ref().is_some_and(|suffix| key.ends_with(suffix));
        // A console's "folder" is an object whose name ends with a slash.
        if is_digest || key.ends_with('/') || !key.ends_with(&self.suffix) {
            return None;
        }
        if series::is_no_backup(key) && !series::is_no_backup(&self.suffix) {
            return None;
        }
        Some(Found {
            modified: timestamp(object.last_modified()?)?,
            key: key.to_owned(),
            bytes: object.size().unwrap_or_default().max(0).unsigned_abs(),
            etag: object.e_tag().unwrap_or_default().trim_matches('"').to_owned(),
        })
    }

    fn too_large(&self) -> Problem {
        Problem::new(
            format!(
                "more than {} objects under {}",
                PAGES * 1000,
                crate::base::text::clean(&self.place(), 200)
            ),
            "Narrow the prefix, with a date where the keys have one: `prefix = \"db/%Y/%m/%d/\"`.",
        )
    }
}

fn unlisted(error: &AwsError) -> Problem {
    let failure = error.unmeasured();
    // S3 tells a bucket of another region so; which one it is only the console and the owner know.
    if matches!(
        &*error.code,
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
    ) {
        let next =
            "The bucket is in another region: set `aws_region` to it (`aws s3api get-bucket-location`).";
        return Problem::new(failure.why, next);
    }
    failure
}
