//! What S3 says of one object besides its size.

use super::checksum::Digest;
use super::listing::Found;
use crate::providers::aws::client::{AwsError, Call, Connection};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use std::collections::HashMap;

/// What `HeadObject` says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Details {
    /// `AES256`, `aws:kms`, …; none where S3 says nothing of it.
    pub encryption: Option<String>,
    pub kms_key: Option<String>,
    pub storage_class: String,
    /// `COMPLETED`, `PENDING`, `FAILED` or `REPLICA`; none where no rule is for it.
    pub replication: Option<String>,
    pub version: Option<String>,
    pub metadata: HashMap<String, String>,
    /// S3's own SHA-256 of the whole object.
    pub sha256: Option<Digest>,
    /// The ETag, where it is an MD5.
    pub md5: Option<Digest>,
    /// Algorithms of which S3 keeps a checksum.
    pub kept: Vec<&'static str>,
}

/// Asks for them.
///
/// # Errors
/// When S3 does not tell, or the object has gone since it was listed.
pub async fn look(connection: &Connection, bucket: &str, found: &Found) -> Result<Details, AwsError> {
    // S3 asks for the permission to read an object also where only its properties are read.
    let call = Call::new("s3:GetObject", format!("s3://{bucket}/{}", found.key));
    let request = connection.s3().head_object().bucket(bucket).key(&found.key);
    let answer = connection.call(&call, request.checksum_mode(ChecksumMode::Enabled).send()).await?;
    Ok(Details::of(&answer))
}

impl Details {
    /// As S3 tells them.
    pub fn of(answer: &HeadObjectOutput) -> Self {
        let encryption = answer.server_side_encryption().map(|it| it.as_str().to_owned());
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html: with KMS keys or in parts it is no MD5.
        let is_md5 = encryption.as_deref().is_none_or(|it| it == "AES256")
            && answer.sse_customer_algorithm().is_none();
        let etag = answer.e_tag().map(|etag| etag.trim_matches('"'));
        let md5 =
            etag.filter(|_| is_md5).and_then(Digest::parse).filter(|digest| matches!(digest, Digest::Md5(_)));
        let whole = answer.checksum_type() != Some(&ChecksumType::Composite);
        let kept = [
            ("SHA-256", answer.checksum_sha256()),
            ("SHA-1", answer.checksum_sha1()),
            ("CRC-64/NVME", answer.checksum_crc64_nvme()),
            ("CRC-32C", answer.checksum_crc32_c()),
            ("CRC-32", answer.checksum_crc32()),
        ];
        Self {
            encryption,
            kms_key: answer.ssekms_key_id().map(str::to_owned),
            // S3 leaves the usual class out.
            storage_class: answer.storage_class().map_or("STANDARD", |class| class.as_str()).to_owned(),
            replication: answer.replication_status().map(|status| status.as_str().to_owned()),
            version: answer.version_id().map(str::to_owned),
            metadata: answer.metadata().cloned().unwrap_or_default(),
            sha256: answer.checksum_sha256().filter(|_| whole).and_then(Digest::parse),
            md5,
            kept: kept.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect(),
        }
    }
}
