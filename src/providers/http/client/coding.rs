//! What a server did to a body for the way is undone: content codings (RFC 9110, 8.4.1), also of servers that compress
//! unasked. What comes out is limited, so that a small answer cannot fill the memory.

use std::io::{self, BufRead, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

/// The most codings that one body has.
const MAX_CODINGS: usize = 4;
/// What compressing can add to bytes that do not compress.
const OVERHEAD_BYTES: usize = 64 * 1024;
/// The largest window of zstd that is read (RFC 9659: what a client of HTTP has to take).
const ZSTD_WINDOW_BYTES: u64 = 8 * 1024 * 1024;
const BUFFER_BYTES: usize = 16 * 1024;
/// How a gzip member begins (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A body as it was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// There is more than what was allowed.
    pub(super) cut: bool,
}

/// The codings of a body, in the order in which they were applied.
pub(super) struct Codings(Vec<String>);

impl Codings {
    /// What the headers of an answer say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(CONTENT_ENCODING).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let names =
            lines.iter().flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
        Self(names.filter(|name| !name.is_empty() && name != "identity").collect())
    }

    /// How many bytes are read off the wire for a body of so many.
    pub(super) fn wire_limit(&self, limit: usize) -> usize {
        if self.0.is_empty() { limit } else { limit.saturating_add(OVERHEAD_BYTES) }
    }

    /// Undoes them, the last one first. `wire.cut` says that the wire had more.
    ///
    /// # Errors
    /// Why the body cannot be read, in words.
    pub(super) fn undo(&self, mut wire: Body, limit: usize) -> Result<Body, String> {
        // An answer to HEAD names the coding and has no body; some servers do so for an empty one too.
        if wire.bytes.is_empty() {
            return Ok(wire);
        }
        if self.0.len() > MAX_CODINGS {
            return Err(format!("the body has {} codings, which are not read", self.0.len()));
        }
        for name in self.0.iter().rev() {
            wire = undo(name, &wire, limit)?;
        }
        wire.cut |= wire.bytes.len() > limit;
        wire.bytes.truncate(limit);
        Ok(wire)
    }
}

fn undo(name: &str, coded: &Body, limit: usize) -> Result<Body, String> {
    let mut into = Limited { bytes: Vec::new(), left: limit.saturating_add(OVERHEAD_BYTES) };
    let decoded = match name {
        "gzip" | "x-gzip" => gzip(&coded.bytes, &mut into),
        "deflate" => deflate(&coded.bytes, &mut into),
        "br" => brotli(&coded.bytes, &mut into),
        "zstd" => zstd(&coded.bytes, &mut into),
        _ => return Err(format!("the body is `{}`, which is not read", crate::base::text::clean(name, 40))),
    };
    match decoded {
        Ok(()) => Ok(Body { cut: coded.cut || into.left == 0, bytes: into.bytes }),
        // The rest of a stream is missing where the wire was cut: what came before it is good.
        Err(_) if coded.cut && !into.bytes.is_empty() => Ok(Body { cut: true, bytes: into.bytes }),
        Err(error) => {
            let why = crate::base::text::clean(&error.to_string(), 120);
            Err(format!("the body says {name} and cannot be decoded: {why}"))
        }
    }
}

/// Bytes up to a limit.
struct Limited {
    bytes: Vec<u8>,
    left: usize,
}

impl Limited {
    /// Takes what comes until it ends or the limit is reached; what came before an error stays.
    fn take(&mut self, mut from: impl Read) -> io::Result<()> {
        let mut buffer = [0; BUFFER_BYTES];
        while self.left > 0 {
            let most = self.left.min(BUFFER_BYTES);
            match from.read(&mut buffer[..most]) {
                Ok(0) => break,
                Ok(count) => {
                    self.bytes.extend_from_slice(&buffer[..count]);
                    self.left -= count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// All members; what follows the last one and is none is padding (RFC 1952 leaves it open, every client ignores it).
fn gzip(mut coded: &[u8], into: &mut Limited) -> io::Result<()> {
    loop {
        into.take(GzDecoder::new(&mut coded))?;
        if into.left == 0 || !coded.starts_with(&GZIP_MAGIC) {
            return Ok(());
        }
    }
}

/// With the frame that the standard asks for, or without it, as many servers send it.
fn deflate(coded: &[u8], into: &mut Limited) -> io::Result<()> {
    match coded {
        [first, second, ..]
            if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31) =>
        {
            into.take(ZlibDecoder::new(coded))
        }
        _ => into.take(DeflateDecoder::new(coded)),
    }
}

fn brotli(coded: &[u8], into: &mut Limited) -> io::Result<()> {
    // The mark of the large window, up to 1 GiB of memory, which is no part of RFC 7932.
    if coded.first().is_some_and(|first| first & 0x7f == 0x11) {
        return Err(io::Error::other("its window is larger than the format allows"));
    }
    into.take(brotli_decompressor::Decompressor::new(coded, BUFFER_BYTES))
}

/// All frames (RFC 8878); those that hold no data are passed over.
fn zstd(mut coded: &[u8], into: &mut Limited) -> io::Result<()> {
    while !coded.is_empty() && into.left > 0 {
        match StreamingDecoder::new_with_max_window_size(&mut coded, ZSTD_WINDOW_BYTES) {
            Ok(frame) => into.take(frame)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                coded.consume(coded.len().min(usize::try_from(length).unwrap_or(usize::MAX)));
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    const TEXT: &[u8] = b"{\"status\":\"ok\"}";
    const LIMIT: usize = 1024 * 1024;
    /// `TEXT` and ten million zeros, by the reference encoder.
    const BROTLI: [u8; 19] =
        [11, 7, 128, 123, 34, 115, 116, 97, 116, 117, 115, 34, 58, 34, 111, 107, 34, 125, 3];
    const BROTLI_BOMB: [u8; 27] = [
        203, 255, 255, 63, 248, 39, 0, 226, 177, 64, 32, 247, 254, 47, 255, 44, 49, 240, 79, 0, 196, 97, 17,
        128, 142, 35, 6,
    ];

    fn all(mut from: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        all(GzEncoder::new(bytes, Compression::best()))
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn codings(name: &str) -> Codings {
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_ENCODING, name.parse().unwrap());
        Codings::of(&headers)
    }

    fn decoded(name: &str, bytes: &[u8]) -> Result<Body, String> {
        codings(name).undo(Body { bytes: bytes.to_vec(), cut: false }, LIMIT)
    }

    fn whole(bytes: &[u8]) -> Result<Body, String> {
        Ok(Body { bytes: bytes.to_vec(), cut: false })
    }

    #[test]
    fn every_coding_of_the_web_is_undone() {
        for (name, bytes) in [
            ("gzip", gzipped(TEXT)),
            ("GZip", gzipped(TEXT)),
            ("x-gzip", gzipped(TEXT)),
            ("deflate", all(ZlibEncoder::new(TEXT, Compression::fast()))),
            ("deflate", all(DeflateEncoder::new(TEXT, Compression::fast()))),
            ("br", BROTLI.to_vec()),
            ("zstd", zstandard(TEXT)),
            ("identity", TEXT.to_vec()),
            (" ", TEXT.to_vec()),
            ("gzip, identity, zstd", zstandard(&gzipped(TEXT))),
        ] {
            assert_eq!(decoded(name, &bytes), whole(TEXT), "{name}");
        }
        let (first, second) = TEXT.split_at(5);
        let members = [gzipped(first), gzipped(second), vec![0; 9]].concat();
        assert_eq!(decoded("gzip", &members), whole(TEXT));
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7];
        let frames = [zstandard(first), skippable.to_vec(), zstandard(second)].concat();
        assert_eq!(decoded("zstd", &frames), whole(TEXT));
    }

    #[test]
    fn a_small_body_that_unfolds_to_ten_megabytes_stops_at_the_limit() {
        let zeros = vec![0; 10_000_000];
        for (name, bytes) in [
            ("gzip", gzipped(&zeros)),
            ("deflate", all(ZlibEncoder::new(&zeros[..], Compression::best()))),
            ("br", BROTLI_BOMB.to_vec()),
            ("zstd", zstandard(&zeros)),
            ("gzip, gzip", gzipped(&gzipped(&zeros))),
        ] {
            let body = decoded(name, &bytes).unwrap();
            assert!(body.cut && body.bytes.len() == LIMIT, "{name}: {}", body.bytes.len());
            assert!(body.bytes.capacity() <= 4 * LIMIT, "{name}: {}", body.bytes.capacity());
        }
    }

    #[test]
    fn a_body_that_cannot_be_decoded_says_why() {
        let why = |name: &str, bytes: &[u8]| decoded(name, bytes).unwrap_err();
        assert_eq!(why("compress", b"\x1f\x9d"), "the body is `compress`, which is not read");
        for name in ["gzip", "deflate", "br", "zstd"] {
            let why = why(name, TEXT);
            assert!(why.starts_with(&format!("the body says {name} and cannot be decoded: ")), "{why}");
        }
        let half = gzipped(&[7; 5000]);
        assert!(why("gzip", &half[..half.len() / 2]).contains("cannot be decoded"));
        assert!(why("br", &[0x11, 30]).contains("window"));
        assert!(why("gzip, gzip, gzip, gzip, gzip", TEXT).contains("5 codings"));
    }

    #[test]
    fn what_came_before_the_wire_was_cut_is_kept() {
        let mut noise = 1_u32;
        let text: Vec<u8> = (0..3 * LIMIT)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .collect();
        let mut wire = gzipped(&text);
        wire.truncate(codings("gzip").wire_limit(LIMIT));
        let body = codings("gzip").undo(Body { bytes: wire, cut: true }, LIMIT).unwrap();
        assert!(body.cut && body.bytes == text[..LIMIT]);
    }

    #[test]
    fn no_body_needs_no_decoding() {
        assert_eq!(decoded("gzip", b""), whole(b""));
        assert_eq!(decoded("snappy", b""), whole(b""));
    }
}
