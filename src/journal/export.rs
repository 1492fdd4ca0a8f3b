//! The journal for people and for other programs: one readable line a record, CSV, JSON.

use std::io::{self, Write};
use std::path::Path;

use super::error::JournalError;
use super::reader::{Reader, read};
use super::record::Record;
use crate::base::text::clean;

/// Longest text, in characters, that a readable line shows of one field.
const SHOWN_CHARS: usize = 200;

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal could not be read to its end, or has a bad record.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What reads the export went away or cannot take it.
    #[error("cannot write the export: {0}")]
    Output(#[from] io::Error),
}

/// Writes all records as CSV (RFC 4180): a header, one row a record, every field quoted. Control characters are
/// replaced, and a field that a spreadsheet would take for a formula gets a leading apostrophe; the exact bytes are
/// in the JSON export.
pub fn csv(dir: &Path, out: &mut dyn Write) -> Result<(), ExportError> {
    const NAMES: [&str; 11] = [
        "seq",
        "timestamp",
        "incident",
        "operator",
        "action",
        "source",
        "destination",
        "status",
        "detail",
        "prev",
        "checksum",
    ];
    csv_row(&NAMES, out)?;
    let mut reader = read(dir)?;
    for record in &mut reader {
        let record = record?;
        csv_row(
            &[
                &record.seq.to_string(),
                &record.timestamp.to_string(),
                record.incident.as_deref().unwrap_or_default(),
                &record.operator,
                &record.action,
                &record.source,
                &record.destination,
                &record.status,
                &record.detail.to_string(),
                &record.prev,
                &record.checksum,
            ],
            out,
        )?;
    }
    Ok(reader.finish()?)
}

fn csv_row(fields: &[&str; 11], out: &mut dyn Write) -> io::Result<()> {
    for (position, field) in fields.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let text = clean(field, usize::MAX).replace('"', "\"\"");
        let guard = if is_formula(&text) { "'" } else { "" };
        write!(out, "{comma}\"{guard}{text}\"")?;
    }
    out.write_all(b"\r\n")
}

/// Whether a spreadsheet may take the text for a formula, also after white space and in full width.
fn is_formula(text: &str) -> bool {
    let first = text.trim_start().chars().next();
    first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{fffd}'))
}

/// Writes all records as one JSON array. Each record keeps its exact bytes, so that its checksum can still be
/// computed from the export.
pub fn json(dir: &Path, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut reader: Reader = read(dir)?;
    let mut separator = "[\n";
    while let Some(line) = reader.next_line()? {
        write!(out, "{separator}{}", line.json)?;
        separator = ",\n";
    }
    out.write_all(if separator == "[\n" { b"[]\n" } else { b"\n]\n" })?;
    Ok(reader.finish()?)
}

/// One record as one line for a terminal: nothing in it can act on the terminal, long fields are cut.
pub fn show(record: &Record) -> String {
    let show = |text: &str| if text.is_empty() { "-".to_owned() } else { clean(text, SHOWN_CHARS) };
    let mut line = format!(
        "#{} {} {} {} {} {} -> {} [{}]",
        record.seq,
        record.timestamp.strftime("%Y-%m-%d %H:%M:%S.%3fZ"),
        show(record.incident.as_deref().unwrap_or_default()),
        show(&record.operator),
        show(&record.action),
        show(&record.source),
        show(&record.destination),
        show(&record.status),
    );
    if !record.detail.is_null() {
        line.push(' ');
        line.push_str(&show(&record.detail.to_string()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_quotes_doubled() {
        let mut out = Vec::new();
        let mut fields = [""; 11];
        fields[..6].copy_from_slice(&["=1+1", " @SUM(A1)", "say \"hi\"", "a,b", "\t-2", "\u{1b}[31m"]);
        csv_row(&fields, &mut out).unwrap();
        let expected = "\"'=1+1\",\"' @SUM(A1)\",\"say \"\"hi\"\"\",\"a,b\",\"' -2\",\"'\u{fffd}[31m\",\"\",\"\",\"\",\"\",\"\"\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
