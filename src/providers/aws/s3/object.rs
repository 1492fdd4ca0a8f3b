//! An S3 object as the target of an action, and how one is written.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::{Failure, Target};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::action::caller;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, timestamp};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption, StorageClass};
use jiff::Timestamp;

/// What an action acts on.
pub const KIND: &str = "S3 object";

/// What S3 takes in one call. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
pub const MAX_SINGLE_BYTES: i64 = 5 * 1024 * 1024 * 1024;

/// Metadata with the token of the attempt that wrote an object.
pub const ATTEMPT: &str = "lifeboat-attempt";

/// Keys of actions that write an object.
pub const BUCKET: Key = Key::required("bucket", Takes::Text, "The bucket that is written to.");
pub const KEY: Key = Key::required("key", Takes::Text, "The key of the object that is written.");
pub const CLASS: Key = Key::optional(
    "storage_class",
    Takes::Text,
    "Storage class (`STANDARD_IA`); the bucket's own way where absent.",
);
pub const SSE: Key = Key::optional(
    "sse",
    Takes::Choice(&["AES256", "aws:kms", "aws:kms:dsse"]),
    "Server-side encryption; the bucket's default where absent.",
);
pub const KMS: Key =
    Key::optional("kms_key", Takes::Text, "The KMS key's ARN or id, with `sse = \"aws:kms\"`.");
pub const OVERWRITE: Key = Key::default(
    "overwrite",
    Takes::Flag,
    "false",
    "Whether an object with other content may be replaced. The one that was confirmed, and no other, is.",
);

/// Where an object is, or shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub bucket: String,
    pub key: String,
}

impl Place {
    /// `s3://bucket/key`.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// The bucket that a key names: its name, or the ARN or alias of an access point.
///
/// # Errors
/// When no bucket can be called so. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub fn bucket_of(params: &Params, key: &str) -> Result<String, BuildError> {
    let name = params.require_text(key)?;
    let fits = (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c));
    let why = "the name of a bucket has 3 to 63 small letters, digits, dots and hyphens, without `s3://`";
    match fits || name.starts_with("arn:") {
        true => Ok(name.to_owned()),
        false => Err(BuildError::value(key, name, why)),
    }
}

/// How it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storing {
    pub class: Option<StorageClass>,
    pub sse: Option<ServerSideEncryption>,
    pub kms_key: Option<String>,
    pub overwrite: bool,
}

impl Storing {
    /// As a step wants it.
    pub fn of(params: &Params) -> Self {
        Self {
            class: params.text("storage_class").map(StorageClass::from),
            sse: params.text("sse").map(ServerSideEncryption::from),
            kms_key: params.text("kms_key").map(str::to_owned),
            overwrite: params.flag("overwrite"),
        }
    }

    /// The options of `aws s3 cp`.
    pub fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let mut add = |name: &str, value: Option<&str>| {
            options.extend(value.into_iter().flat_map(|value| [name.to_owned(), value.to_owned()]));
        };
        add("--storage-class", self.class.as_ref().map(StorageClass::as_str));
        add("--sse", self.sse.as_ref().map(ServerSideEncryption::as_str));
        add("--sse-kms-key-id", self.kms_key.as_deref());
        options
    }

    /// The parameters of the call.
    pub fn words(&self) -> String {
        let mut words = String::new();
        let mut add = |name: &str, value: Option<&str>| {
            words.extend(value.map(|value| format!(" {name}={value}")));
        };
        add("StorageClass", self.class.as_ref().map(StorageClass::as_str));
        add("ServerSideEncryption", self.sse.as_ref().map(ServerSideEncryption::as_str));
        add("SSEKMSKeyId", self.kms_key.as_deref());
        words
    }
}

/// An object as S3 tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    pub bytes: i64,
    pub etag: String,
    pub modified: Option<Timestamp>,
    /// SHA-256 that S3 itself computed or checked, base64.
    pub sha256: Option<String>,
    /// CRC-64/NVME of the whole content, base64: what S3 keeps of each object that came without another checksum, and
    /// takes along when it copies.
    pub crc64: Option<String>,
    /// The attempt that wrote it, where lifeboat did.
    pub attempt: Option<String>,
    pub encryption: Option<String>,
    pub class: Option<String>,
}

impl Object {
    fn of(found: &HeadObjectOutput) -> Self {
        let modified = found.last_modified().and_then(timestamp);
        let attempt = found.metadata().and_then(|metadata| metadata.get(ATTEMPT));
        Self {
            bytes: found.content_length().unwrap_or_default(),
            etag: clean(found.e_tag().unwrap_or_default(), 100),
            modified,
            sha256: found.checksum_sha256().map(|sum| clean(sum, 100)),
            crc64: found.checksum_crc64_nvme().map(|sum| clean(sum, 100)),
            attempt: attempt.map(|token| clean(token, 300)),
            encryption: found.server_side_encryption().map(|sse| clean(sse.as_str(), 40)),
            class: found.storage_class().map(|class| clean(class.as_str(), 40)),
        }
    }

    /// In one line.
    pub fn words(&self) -> String {
        let at = self.modified.map(|at| format!(", written {at:.0}")).unwrap_or_default();
        format!("{} bytes, ETag {}{at}", self.bytes, self.etag)
    }

    /// Whether two objects certainly have the same content, certainly not, or nobody can tell: ETags of uploads in
    /// parts and of encrypted objects are no checksums.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
    pub fn same_content(&self, other: &Self) -> Option<bool> {
        if self.bytes != other.bytes {
            return Some(false);
        }
        if let (Some(one), Some(two)) = (&self.crc64, &other.crc64) {
            return Some(one == two);
        }
        match (&self.sha256, &other.sha256) {
            // A composite checksum ends with the count of parts.
            (Some(one), Some(two)) if !one.contains('-') && !two.contains('-') => return Some(one == two),
            _ if self.etag == other.etag => return Some(true),
            _ => {}
        }
        let is_md5 = |object: &Self| {
            let kms = object.encryption.as_ref().is_some_and(|sse| sse.starts_with("aws:kms"));
            !kms && !object.etag.contains('-')
        };
        (is_md5(self) && is_md5(other)).then_some(false)
    }
}

/// The object there; none where there is none.
///
/// # Errors
/// When it cannot be told. S3 says "not found" as "forbidden" to who may not list the bucket.
pub async fn head(connection: &Connection, place: &Place) -> Result<Option<Object>, AwsError> {
    let call = Call::new("s3:GetObject", place.url());
    let send = connection
        .s3()
        .head_object()
        .bucket(&place.bucket)
        .key(&place.key)
        .checksum_mode(ChecksumMode::Enabled)
        .send();
    match connection.call(&call, send).await {
        Ok(found) => Ok(Some(Object::of(&found))),
        Err(error) if error.kind == AwsErrorKind::NotFound => {
            bucket(connection, &place.bucket).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether the bucket is there: a key that is not found in a bucket that is not there is no free place.
async fn bucket(connection: &Connection, name: &str) -> Result<(), AwsError> {
    let call = Call::new("s3:ListBucket", format!("bucket {name}"));
    connection.call(&call, connection.s3().head_bucket().bucket(name).send()).await.map(|_| ())
}

/// The place as a target, with what is there now, and with what shall be put there.
///
/// # Errors
/// When AWS does not say who is calling.
pub async fn target(
    connection: &Connection,
    place: &Place,
    there: Option<&Object>,
    content: &[(&str, String)],
) -> Result<Target, AwsError> {
    let mut identity =
        vec![("region".to_owned(), connection.region.clone()), ("url".into(), clean(&place.url(), 1200))];
    identity.push(("there now".into(), there.map_or("nothing".into(), Object::words)));
    identity.extend(content.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    identity.push(caller(connection).await?);
    Ok(Target { name: clean(&place.url(), 200), kind: KIND.into(), identity, reachable: true })
}

/// What takes a new object back, once it was looked whether one is there; none where it replaces another.
pub fn undo(at: &Place, there: Option<Option<&Object>>) -> Vec<String> {
    match there {
        Some(None) => vec![format!("aws s3 rm {}", at.url())],
        _ => Vec::new(),
    }
}

/// Fails when another object is there and may not be replaced.
///
/// # Errors
/// With what is there.
pub fn may_write(there: Option<&Object>, content: &Object, overwrite: bool) -> Result<(), Problem> {
    let Some(there) = there.filter(|_| !overwrite) else { return Ok(()) };
    let (why, next) = match there.same_content(content) {
        Some(true) => {
            ("the object is there already, with this content", "Skip the step with this as the reason.")
        }
        Some(false) => (
            "another object is there",
            "Choose another key, or write `with.overwrite = true` when it shall be replaced.",
        ),
        None => (
            "an object of this size is there, and its content cannot be compared",
            "Compare by hand; choose another key, or write `with.overwrite = true` when it shall be replaced.",
        ),
    };
    Err(Problem::new(format!("{why} ({}): nothing was sent", there.words()), next))
}

/// What came of a write: that something else came first is certain not to have changed anything.
pub fn of_write(what: &str, error: &AwsError) -> Failure {
    match error.kind {
        AwsErrorKind::Conflict => Failure::not_done(
            what,
            error.to_string(),
            "Somebody wrote this key, or changed the source, in between; nothing was done. Confirm the step again.",
        ),
        _ => error.of_change(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bytes: i64, etag: &str, sha256: Option<&str>, encryption: Option<&str>) -> Object {
        Object {
            bytes,
            etag: etag.into(),
            modified: None,
            sha256: sha256.map(str::to_owned),
            crc64: None,
            attempt: None,
            encryption: encryption.map(str::to_owned),
            class: None,
        }
    }

    #[test]
    fn contents_are_compared_only_by_what_tells_them_apart() {
        let plain = object(3, "\"a\"", None, Some("AES256"));
        assert_eq!(plain.same_content(&object(4, "\"a\"", None, None)), Some(false));
        assert_eq!(plain.same_content(&object(3, "\"a\"", None, None)), Some(true));
        assert_eq!(plain.same_content(&object(3, "\"b\"", None, None)), Some(false));
        assert_eq!(plain.same_content(&object(3, "\"b-2\"", None, None)), None, "an upload in parts");
        assert_eq!(plain.same_content(&object(3, "\"b\"", None, Some("aws:kms"))), None);
        let crc = |sum: &str, etag: &str| Object {
            crc64: Some(sum.into()),
            ..object(3, etag, None, Some("aws:kms"))
        };
        assert_eq!(crc("one", "\"x\"").same_content(&crc("one", "\"y-2\"")), Some(true));
        assert_eq!(
            crc("one", "\"x\"").same_content(&crc("two", "\"y\"")),
            Some(false),
            "also with a KMS key"
        );
        let summed = object(3, "\"x-2\"", Some("sum"), Some("aws:kms"));
        assert_eq!(summed.same_content(&object(3, "\"y\"", Some("sum"), None)), Some(true));
        assert_eq!(summed.same_content(&object(3, "\"x-2\"", Some("other"), None)), Some(false));
    }

    #[test]
    fn what_is_there_is_replaced_only_when_the_plan_says_so() {
        let content = object(3, "\"a\"", None, None);
        let other = object(9, "\"b\"", None, None);
        assert!(may_write(None, &content, false).is_ok());
        assert!(may_write(Some(&other), &content, true).is_ok());
        let refused = |there: &Object| may_write(Some(there), &content, false).unwrap_err();
        assert!(refused(&other).why.starts_with("another object is there"));
        assert!(refused(&content.clone()).why.contains("already, with this content"));
    }
}
