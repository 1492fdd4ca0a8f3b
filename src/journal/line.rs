//! One line: how an entry becomes bytes, and how bytes are taken apart again without changing one of them.
//!
//! The checksum covers the exact bytes of the line up to, not including, `,"checksum":"`. What follows has a fixed
//! length, so it is found from the end of the line and never by searching.

use std::fmt;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::ser::Formatter;
use sha2::{Digest, Sha256};

use super::record::{Entry, Head, Record};
use crate::base::text::is_invisible;

/// Longest line, in bytes, with its newline. A longer record is refused, a longer line is bad.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Length of a checksum: SHA-256 in hexadecimal.
pub const CHECKSUM_LENGTH: usize = 64;

/// The longest name of an action that is read from an unfinished line.
const BEGUN_CHARS: usize = 60;

const CHECKSUM_FIELD: &str = ",\"checksum\":\"";
const PREV_FIELD: &str = ",\"prev\":\"";

/// SHA-256 as lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; CHECKSUM_LENGTH];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha256::digest(bytes)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}

/// SHA-256 as text.
pub(super) fn sha256_text(bytes: &[u8]) -> String {
    sha256(bytes).into_iter().map(char::from).collect()
}

pub(super) fn is_checksum(bytes: &[u8]) -> bool {
    bytes.len() == CHECKSUM_LENGTH && bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Appends the line of `entry`, with its newline, to `bytes` and returns the new head. The line is taken apart
/// again before it counts: what could not be read back is never written.
pub(super) fn encode(entry: &Entry, previous: &Head, bytes: &mut Vec<u8>) -> Result<Head, String> {
    let start = bytes.len();
    let seq = previous.seq + 1;
    write_fields(entry, seq, &previous.checksum, bytes).map_err(|error| error.to_string())?;
    let checksum = sha256_text(&bytes[start..]);
    bytes.extend_from_slice(CHECKSUM_FIELD.as_bytes());
    bytes.extend_from_slice(checksum.as_bytes());
    bytes.extend_from_slice(b"\"}\n");

    let line = &bytes[start..];
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("it takes {} bytes, the limit is {MAX_LINE_BYTES}", line.len()));
    }
    Line::parse(line)
        .and_then(|line| line.record())
        .map_err(|reason| format!("it could not be read back: {reason}"))?;
    Ok(Head { seq, checksum })
}

fn write_fields(entry: &Entry, seq: u64, prev: &str, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{{\"seq\":{seq},\"timestamp\":\"{}\",\"incident\":", entry.timestamp)?;
    write_json(&entry.incident, out)?;
    for (name, value) in [
        ("operator", &entry.operator),
        ("action", &entry.action),
        ("source", &entry.source),
        ("destination", &entry.destination),
        ("status", &entry.status),
    ] {
        write!(out, ",\"{name}\":")?;
        write_json(value, out)?;
    }
    out.extend_from_slice(b",\"detail\":");
    write_json(&entry.detail, out)?;
    write!(out, "{PREV_FIELD}{prev}\"")
}

fn write_json(value: &impl Serialize, out: &mut Vec<u8>) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Printable))?;
    Ok(())
}

/// Compact JSON in which control and invisible characters are escaped, so that a journal printed to a terminal
/// cannot act on it.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut printed = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| c.is_control() || is_invisible(*c)) {
            out.write_all(&fragment.as_bytes()[printed..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            printed = at + c.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[printed..])
    }
}

/// A line taken apart. Strings are still JSON, with their quotes; nothing is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The whole record, without the newline.
    pub(super) json: &'a str,
    pub(super) seq: u64,
    pub(super) timestamp: Timestamp,
    incident: &'a str,
    operator: &'a str,
    pub(super) action: &'a str,
    source: &'a str,
    destination: &'a str,
    status: &'a str,
    pub(super) detail: &'a str,
    pub(super) prev: &'a str,
    pub(super) checksum: &'a str,
}

/// The bytes that the checksum covers, and the checksum that the line claims; `None` if the line does not end in
/// a checksum field.
pub(super) fn seal(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_suffix(b"\"}\n")?;
    let (rest, checksum) = rest.split_at_checked(rest.len().checked_sub(CHECKSUM_LENGTH)?)?;
    let sealed = rest.strip_suffix(CHECKSUM_FIELD.as_bytes())?;
    is_checksum(checksum).then_some((sealed, checksum))
}

impl<'a> Line<'a> {
    /// Takes a complete line apart: exactly the documented fields, in order, as compact JSON.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        let (sealed, checksum) = seal(line).ok_or("it does not end in a checksum field and a newline")?;
        let sealed = &text[..sealed.len()];
        let checksum = &text[sealed.len() + CHECKSUM_FIELD.len()..][..checksum.len()];
        let (rest, prev) = split_prev(sealed).ok_or("the field `prev` is missing before the checksum")?;

        let mut fields = Fields { rest };
        let seq = fields.number("{\"seq\":")?;
        let timestamp = fields.string(",\"timestamp\":")?;
        Ok(Self {
            json: &text[..text.len() - 1],
            seq,
            timestamp: parse_timestamp(timestamp)?,
            incident: fields.string_or_null(",\"incident\":")?,
            operator: fields.string(",\"operator\":")?,
            action: fields.string(",\"action\":")?,
            source: fields.string(",\"source\":")?,
            destination: fields.string(",\"destination\":")?,
            status: fields.string(",\"status\":")?,
            detail: fields.last(",\"detail\":")?,
            prev,
            checksum,
        })
    }

    /// The record, with its strings decoded.
    pub(super) fn record(&self) -> Result<Record, String> {
        fn decode<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, String> {
            serde_json::from_str(json).map_err(|error| format!("it is not JSON: {error}"))
        }
        Ok(Record {
            seq: self.seq,
            timestamp: self.timestamp,
            incident: decode(self.incident)?,
            operator: decode(self.operator)?,
            action: decode(self.action)?,
            source: decode(self.source)?,
            destination: decode(self.destination)?,
            status: decode(self.status)?,
            detail: decode(self.detail)?,
            prev: self.prev.to_owned(),
            checksum: self.checksum.to_owned(),
        })
    }
}

/// What an unfinished line was going to record, as far as it tells: its action.
pub(super) fn begun(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes)
        .or_else(|error| std::str::from_utf8(&bytes[..error.valid_up_to()]))
        .ok()?;
    let mut fields = Fields { rest: text };
    fields.number("{\"seq\":").ok()?;
    fields.string(",\"timestamp\":").ok()?;
    fields.string_or_null(",\"incident\":").ok()?;
    fields.string(",\"operator\":").ok()?;
    let action: String = serde_json::from_str(fields.string(",\"action\":").ok()?).ok()?;
    Some(format!("`{}`", crate::base::text::clean(&action, BEGUN_CHARS)))
}

fn split_prev(sealed: &str) -> Option<(&str, &str)> {
    let rest = sealed.strip_suffix('"')?;
    let (rest, prev) = rest.split_at_checked(rest.len().checked_sub(CHECKSUM_LENGTH)?)?;
    let rest = rest.strip_suffix(PREV_FIELD)?;
    is_checksum(prev.as_bytes()).then_some((rest, prev))
}

/// Whether a time is written as `2026-01-31T03:00:00.5Z`: the library reads more than the format has.
fn is_rfc_3339(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let (whole, rest) = text.as_bytes().split_at(text.len().min(SHAPE.len()));
    let has_shape = whole.len() == SHAPE.len()
        && whole.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let fraction = match rest.strip_suffix(b"Z") {
        Some([b'.', digits @ ..]) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        Some(rest) => rest.is_empty(),
        None => false,
    };
    has_shape && fraction && !whole.ends_with(b":60")
}

fn parse_timestamp(json: &str) -> Result<Timestamp, String> {
    let text = json.trim_matches('"');
    match text.parse() {
        Ok(timestamp) if is_rfc_3339(text) => Ok(timestamp),
        _ => Err("its timestamp is not RFC 3339 in UTC".to_owned()),
    }
}

/// Walks over the fields of a line from the front.
struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    fn name(&mut self, name: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(name).ok_or_else(|| {
            format!("the field `{}` is not where it belongs", name.trim_matches(|c: char| !c.is_alphabetic()))
        })?;
        Ok(())
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn number(&mut self, name: &str) -> Result<u64, String> {
        self.name(name)?;
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.take(length);
        match digits.parse() {
            Ok(number) if !digits.starts_with('0') => Ok(number),
            _ => Err("its sequence number is not a whole number".to_owned()),
        }
    }

    fn string(&mut self, name: &str) -> Result<&'a str, String> {
        self.name(name)?;
        let length = string_length(self.rest.as_bytes())
            .ok_or_else(|| format!("a string is not closed after `{name}`"))?;
        let json = self.take(length);
        let plain = json.bytes().all(|byte| byte >= b' ' && byte != b'\\');
        if !plain {
            check_json(json)?;
        }
        Ok(json)
    }

    fn string_or_null(&mut self, name: &str) -> Result<&'a str, String> {
        let value = self.rest.strip_prefix(name).unwrap_or_default();
        if !value.starts_with("null") {
            return self.string(name);
        }
        self.name(name)?;
        Ok(self.take("null".len()))
    }

    fn last(&mut self, name: &str) -> Result<&'a str, String> {
        self.name(name)?;
        check_json(self.rest)?;
        Ok(self.rest)
    }
}

/// Length of the JSON string at the start of `bytes`, with its quotes.
fn string_length(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Checks what reading the value would check too: what verifies can be read.
fn check_json(json: &str) -> Result<(), String> {
    serde_json::from_str::<Readable>(json).map_err(|error| format!("it is not JSON: {error}"))?;
    if has_white_space(json) {
        return Err("it has white space between the parts of a value".to_owned());
    }
    Ok(())
}

/// Whether there is white space outside of strings.
fn has_white_space(json: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    json.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        !in_string && byte.is_ascii_whitespace()
    })
}

/// Any JSON value, looked at as a reader does and not kept: escapes that are no characters, numbers beyond all bounds
/// and nesting beyond serde_json's limit are errors, which [`serde::de::IgnoredAny`] lets pass.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
