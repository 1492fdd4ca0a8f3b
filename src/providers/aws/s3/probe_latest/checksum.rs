//! Whether an object is what was put there, as far as that can be told without reading gigabytes.

use super::details::Details;
use super::listing::Found;
use crate::base::text::clean;
use crate::core::words::reading::Verdict;
use crate::kinds::probe::series::size;
use crate::providers::aws::client::{AwsErrorKind, Call, Connection};
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most that is read of a digest object.
const DIGEST_BYTES: usize = 4096;

/// A checksum in small hexadecimal letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Digest {
    Sha256(String),
    Md5(String),
}

impl Digest {
    /// The first checksum in a text: bare, in hexadecimal or base64, or as `sha256sum` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::of_word)
    }

    fn of_word(word: &str) -> Option<Self> {
        let hex = word.trim_start_matches('\\').to_ascii_lowercase();
        if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return match hex.len() {
                64 => Some(Self::Sha256(hex)),
                32 => Some(Self::Md5(hex)),
                _ => None,
            };
        }
        let bytes = STANDARD.decode(word).ok().filter(|bytes| bytes.len() == 32)?;
        Some(Self::Sha256(in_hex(&bytes)))
    }
}

fn in_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the checksum is that an object must have.
#[derive(Clone, PartialEq, Debug)]
pub enum Expected {
    /// Nothing is compared.
    Nothing,
    /// S3 must keep one.
    S3,
    /// In the object's metadata under this name.
    Metadata(String),
    /// In an object of the same name with this end.
    DigestObject(String),
}

/// What was compared.
#[derive(Clone, PartialEq, Debug)]
pub enum Checked {
    NotAsked,
    /// S3 keeps a checksum of its own; nothing was compared with it.
    Kept(String),
    Matches(String),
    Differs(String),
    NotCompared(String),
}

impl Checked {
    /// What the comparison comes to.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Differs(how) => Verdict::Critical(format!("damaged or not what was put there: {how}")),
            Self::NotCompared(why) => Verdict::Warn(format!("its checksum was not compared: {why}")),
            Self::NotAsked | Self::Kept(_) | Self::Matches(_) => Verdict::Good,
        }
    }

    /// In words, for the field.
    pub fn in_words(&self) -> Option<String> {
        match self {
            Self::NotAsked => None,
            Self::Kept(how) => Some(format!("kept: {how}")),
            Self::Matches(how) => Some(format!("matches: {how}")),
            Self::Differs(how) => Some(format!("differs: {how}")),
            Self::NotCompared(why) => Some(format!("not compared: {why}")),
        }
    }

    /// Whether it was compared, and fits.
    pub fn matches(&self) -> Option<bool> {
        match self {
            Self::Matches(_) => Some(true),
            Self::Differs(_) => Some(false),
            _ => None,
        }
    }
}

/// Compares the newest object, and remembers what it read: an object of the same ETag is not read twice.
pub struct Checker {
    pub bucket: String,
    pub expected: Expected,
    /// An object up to this size may be read where S3 keeps no SHA-256.
    pub download_bytes: u64,
    pub read: Mutex<Option<(Found, String)>>,
}

impl Checker {
    /// Compares an object with the sum that is kept of it.
    pub async fn check(
        &self,
        connection: &Connection,
        found: &Found,
        details: &Details,
        within: Duration,
    ) -> Checked {
        let expected = match &self.expected {
            Expected::Nothing => return Checked::NotAsked,
            Expected::S3 => return self.kept_by_s3(connection, found, details, within).await,
            Expected::Metadata(name) => match details.metadata.get(&name.to_ascii_lowercase()) {
                Some(text) => {
                    Digest::parse(text).ok_or(format!("its metadata `{name}` is neither SHA-256 nor MD5"))
                }
                None => Err(format!("it has no metadata `{name}`")),
            },
            Expected::DigestObject(suffix) => {
                self.digest_object(connection, &format!("{}{suffix}", found.key)).await
            }
        };
        match expected {
            Ok(expected) => self.compare(connection, found, details, &expected, within).await,
            Err(why) => Checked::NotCompared(why),
        }
    }

    async fn kept_by_s3(
        &self,
        connection: &Connection,
        found: &Found,
        details: &Details,
        within: Duration,
    ) -> Checked {
        match &details.sha256 {
            Some(Digest::Sha256(expected)) if self.may_read(found) => {
                self.read_and_compare(connection, found, expected, within).await
            }
            _ if details.kept.is_empty() => Checked::NotCompared("S3 keeps no checksum of it".into()),
            _ => Checked::Kept(details.kept.join(", ")),
        }
    }

    async fn compare(
        &self,
        connection: &Connection,
        found: &Found,
        details: &Details,
        expected: &Digest,
        within: Duration,
    ) -> Checked {
        match (expected, &details.sha256, &details.md5) {
            (Digest::Sha256(expected), Some(Digest::Sha256(kept)), _) => {
                outcome("S3's SHA-256", expected, kept)
            }
            (Digest::Md5(expected), _, Some(Digest::Md5(etag))) => outcome("its ETag", expected, etag),
            (Digest::Sha256(expected), ..) if self.may_read(found) => {
                self.read_and_compare(connection, found, expected, within).await
            }
            (Digest::Sha256(_), ..) => Checked::NotCompared(format!(
                "S3 keeps no SHA-256 of the whole object, and its {} are more than `download_up_to`",
                size(found.bytes)
            )),
            (Digest::Md5(_), ..) => Checked::NotCompared("its ETag is no MD5".into()),
        }
    }

    fn may_read(&self, found: &Found) -> bool {
        found.bytes <= self.download_bytes
    }

    async fn read_and_compare(
        &self,
        connection: &Connection,
        found: &Found,
        expected: &str,
        within: Duration,
    ) -> Checked {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sum = match known.filter(|(read, _)| read == found) {
            Some((_, sum)) => Ok(sum),
            None => match tokio::time::timeout(within, self.download(connection, found)).await {
                Ok(read) => read,
                Err(_) => Err("reading it took longer than the probe's `timeout`".into()),
            },
        };
        match sum {
            Ok(sum) => {
                let checked = outcome("the SHA-256 of what is there", expected, &sum);
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((found.clone(), sum));
                checked
            }
            Err(why) => Checked::NotCompared(why),
        }
    }

    async fn download(&self, connection: &Connection, found: &Found) -> Result<String, String> {
        let call = Call::new("s3:GetObject", format!("s3://{}/{}", self.bucket, found.key));
        let request = connection.s3().get_object().bucket(&self.bucket).key(&found.key);
        // Another object of that name is another backup.
        let request = request.set_if_match(Some(found.etag.clone()).filter(|etag| !etag.is_empty()));
        let answer = connection.call(&call, request.send()).await.map_err(|error| error.to_string())?;
        let mut body = answer.body;
        let mut hash = Sha256::new();
        loop {
            match body.next().await {
                Some(Ok(part)) => hash.update(&part),
                Some(Err(_)) => return Err("the connection broke while it was read".into()),
                None => return Ok(in_hex(&hash.finalize())),
            }
        }
    }

    async fn digest_object(&self, connection: &Connection, key: &str) -> Result<Digest, String> {
        let call = Call::new("s3:GetObject", format!("s3://{}/{key}", self.bucket));
        let request = connection.s3().get_object().bucket(&self.bucket).key(key);
        let answer = connection.call(&call, request.send()).await.map_err(|error| match error.kind {
            AwsErrorKind::NotFound => format!("there is no {}", clean(key, 200)),
            _ => error.to_string(),
        })?;
        let text = tokio::time::timeout(connection.deadline, begin_of(answer.body)).await.unwrap_or_default();
        Digest::parse(&text).ok_or_else(|| format!("{} has no SHA-256 or MD5 in it", clean(key, 200)))
    }
}

async fn begin_of(mut body: ByteStream) -> String {
    let mut begin = Vec::new();
    while let Some(Ok(part)) = body.next().await {
        begin.extend_from_slice(&part);
        if begin.len() >= DIGEST_BYTES {
            break;
        }
    }
    begin.truncate(DIGEST_BYTES);
    String::from_utf8_lossy(&begin).into_owned()
}

fn outcome(what: &str, expected: &str, found: &str) -> Checked {
    match expected == found {
        true => Checked::Matches(what.into()),
        false => Checked::Differs(format!("{what} is {}…, {}… expected", begin(found), begin(expected))),
    }
}

fn begin(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}
