//! What is put: a file or a text, and its checksum.

use crate::base::text::clean;
use crate::providers::aws::s3::object::{MAX_SINGLE_BYTES, Object};
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where the content comes from.
pub enum Source {
    File(PathBuf),
    Text(String),
}

/// A content, as it was read just now.
pub struct Content {
    pub bytes: i64,
    sha256: Vec<u8>,
}

impl Source {
    /// The file, or how long the text is.
    pub fn words(&self) -> String {
        match self {
            Self::File(path) => clean(&path.display().to_string(), 300),
            Self::Text(text) => format!("{} bytes of the plan", text.len()),
        }
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Text(_) => None,
        }
    }

    /// Reads it once for its size and checksum.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub async fn content(&self) -> Result<Content, String> {
        match self {
            Self::Text(text) => {
                Ok(Content { bytes: length(text.len() as u64), sha256: Sha256::digest(text).to_vec() })
            }
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || sum(&path)).await;
                read.unwrap_or_else(|_| Err("reading the file broke off".into()))
            }
        }
    }

    /// The content as it is sent.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub async fn stream(&self) -> Result<ByteStream, String> {
        match self {
            Self::Text(text) => Ok(ByteStream::from(text.clone().into_bytes())),
            Self::File(path) => {
                let stream = ByteStream::from_path(path).await;
                stream.map_err(|error| format!("{} cannot be read: {error}", self.words()))
            }
        }
    }
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn sum(path: &Path) -> Result<Content, String> {
    let unread = |error: std::io::Error| {
        format!("{} cannot be read: {error}", clean(&path.display().to_string(), 300))
    };
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(format!("{} is no file", clean(&path.display().to_string(), 300)));
    }
    // What is too large is not read for minutes only to be refused.
    if length(metadata.len()) > MAX_SINGLE_BYTES {
        return Ok(Content { bytes: length(metadata.len()), sha256: Vec::new() });
    }
    let mut file = File::open(path).map_err(unread)?;
    let (mut digest, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer).map_err(unread)?;
        if read == 0 {
            return Ok(Content { bytes: length(bytes), sha256: digest.finalize().to_vec() });
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
}

impl Content {
    /// Its SHA-256 in hex.
    pub fn hex(&self) -> String {
        hex(&self.sha256)
    }

    /// Its SHA-256 as S3 takes it.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.sha256)
    }

    /// Its size and sum.
    pub fn words(&self) -> String {
        format!("{} bytes, SHA-256 {}", self.bytes, self.hex())
    }

    /// As an object, to compare it with what is there.
    pub fn object(&self) -> Object {
        Object {
            bytes: self.bytes,
            etag: String::new(),
            modified: None,
            sha256: Some(self.base64()),
            crc64: None,
            attempt: None,
            // What has no ETag of its own is not told apart by it.
            encryption: Some("aws:kms".into()),
            class: None,
        }
    }

    /// Whether S3 takes it in one call.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn fits(&self) -> Result<(), String> {
        match self.bytes > MAX_SINGLE_BYTES {
            true => Err(format!("{} bytes are more than the 5 GB that S3 takes in one call", self.bytes)),
            false => Ok(()),
        }
    }
}

/// The hexadecimal digits of a checksum that S3 tells in base64; empty where it is none.
pub fn hex_of(base64: &str) -> String {
    STANDARD.decode(base64).map(|bytes| hex(&bytes)).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn a_file_and_a_text_have_the_same_checksum() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for source in [Source::File(file.path().to_owned()), Source::Text("abc".into())] {
            let content = source.content().await.unwrap();
            assert_eq!((content.bytes, content.hex().as_str()), (3, known));
            assert_eq!(hex_of(&content.base64()), known);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_or_is_too_large_is_said() {
        let gone = Source::File("/nonexistent/file".into()).content().await.err().unwrap();
        assert!(gone.contains("/nonexistent/file"), "{gone}");
        assert!(Source::File("/".into()).content().await.err().unwrap().ends_with("is no file"));
        let file = tempfile::NamedTempFile::new().unwrap();
        // Sparse: it takes no room.
        file.as_file().set_len(MAX_SINGLE_BYTES as u64 + 1).unwrap();
        let large = Source::File(file.path().to_owned()).content().await.unwrap();
        assert!(large.fits().unwrap_err().contains("5 GB"));
    }
}
