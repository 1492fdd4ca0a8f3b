//! A process's output: split into lines, redacted, cleaned, and kept within bounds.

use std::collections::VecDeque;

use crate::secrets::Redactor;
use crate::text::clean;

/// Longest line kept, in characters.
pub const MAX_LINE_CHARS: usize = 8 * 1024;

/// How much of each stream's beginning is kept, and how much of its end, in bytes.
pub const MAX_KEPT_BYTES: usize = 512 * 1024;

/// Bytes of one line that are looked at. More than a line's cap, so that a secret that lies across the cap
/// is seen whole and redacted before the cut.
const MAX_LINE_BYTES: usize = 4 * MAX_LINE_CHARS + 16 * 1024;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What is kept of one stream: its beginning and its end, redacted and cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    head: Vec<String>,
    head_bytes: usize,
    tail: VecDeque<String>,
    tail_bytes: usize,
    omitted_lines: u64,
}

impl Kept {
    /// Lines between beginning and end that were not kept.
    pub fn omitted_lines(&self) -> u64 {
        self.omitted_lines
    }

    /// The kept lines, joined by newlines, with a line that says how many are missing.
    pub fn text(&self) -> String {
        let mut lines = self.head.clone();
        if self.omitted_lines > 0 {
            lines.push(format!("[{} lines not kept]", self.omitted_lines));
        }
        lines.extend(self.tail.iter().cloned());
        lines.join("\n")
    }

    /// The last line that is not blank: usually why a command failed.
    pub fn last_line(&self) -> Option<&str> {
        let mut lines = self.tail.iter().rev().chain(self.head.iter().rev());
        lines.find(|line| !line.trim().is_empty()).map(String::as_str)
    }

    /// Keeps a line; true while the beginning is still being filled.
    fn push(&mut self, line: &str) -> bool {
        if self.tail.is_empty() && self.head_bytes + line.len() <= MAX_KEPT_BYTES {
            self.head_bytes += line.len() + 1;
            self.head.push(line.to_owned());
            return true;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line.to_owned());
        while self.tail_bytes > MAX_KEPT_BYTES
            && let Some(dropped) = self.tail.pop_front()
        {
            self.tail_bytes -= dropped.len() + 1;
            self.omitted_lines += 1;
        }
        false
    }
}

/// Turns the chunks of one stream into lines.
pub(super) struct Lines<'a> {
    redactor: &'a Redactor,
    line: Vec<u8>,
    /// The line before, as it came: a secret can begin in it.
    before: String,
    overlong: bool,
    streaming: bool,
    pub(super) kept: Kept,
}

impl<'a> Lines<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self {
            redactor,
            line: Vec::new(),
            before: String::new(),
            overlong: false,
            streaming: true,
            kept: Kept::default(),
        }
    }

    /// Takes a chunk and hands complete lines to `on_line`, until the cap; later lines are only kept.
    pub(super) fn take(&mut self, chunk: &[u8], on_line: &mut dyn FnMut(&str)) {
        // A carriage return ends a line too: progress displays write nothing else for minutes.
        for piece in chunk.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let ends = matches!(piece.last(), Some(b'\n' | b'\r'));
            let text = &piece[..piece.len() - usize::from(ends)];
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.overlong |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line(on_line);
            }
        }
    }

    /// Hands over what is left when the stream ends without a newline.
    pub(super) fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        self.end_line(on_line);
    }

    fn end_line(&mut self, on_line: &mut dyn FnMut(&str)) {
        if self.line.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.line).into_owned();
        let redacted = self.redactor.redact_after(&self.before, &text);
        self.before = text;
        self.before.push('\n');
        let mut line = clean(&redacted, MAX_LINE_CHARS);
        if self.overlong && !line.ends_with('…') {
            line.push('…');
        }
        self.line.clear();
        self.overlong = false;
        let in_head = self.kept.push(&line);
        if self.streaming && in_head {
            on_line(&line);
        } else if self.streaming {
            self.streaming = false;
            on_line("[more output follows and is not shown; its end is kept]");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let redactor = Redactor::new();
        redactor.learn(&crate::secrets::Secret::from_plan("hunter22"));
        let mut lines = Lines::new(&redactor);
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.take(chunk, &mut |line| seen.push(line.to_owned()));
        }
        lines.finish(&mut |line| seen.push(line.to_owned()));
        seen
    }

    #[test]
    fn lines_are_whole_redacted_and_clean() {
        let seen = lines_of(&[b"one\ntw", b"o hunt", b"er22\r\nthree\x1b[31m\r50%\r", b"end"]);
        assert_eq!(seen, ["one", "two [secret plan]", "three\u{fffd}[31m", "50%", "end"]);
    }

    #[test]
    fn a_secret_across_the_cap_of_a_line_is_not_cut_in_half() {
        let long = format!("{}hunter22 and more", "x".repeat(MAX_LINE_CHARS - 4));
        let seen = lines_of(&[long.as_bytes()]);
        assert!(!seen[0].contains("hunt"), "{}", &seen[0][MAX_LINE_CHARS - 10..]);
        assert!(seen[0].ends_with('…'));
    }

    #[test]
    fn beginning_and_end_are_kept_and_the_middle_is_counted() {
        let redactor = Redactor::new();
        let mut lines = Lines::new(&redactor);
        let mut streamed = 0;
        for number in 0..400_000 {
            lines.take(format!("line {number}\n").as_bytes(), &mut |_| streamed += 1);
        }
        let text = lines.kept.text();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 399999"));
        assert!(text.len() < 2 * MAX_KEPT_BYTES + 100);
        let kept = text.lines().count() as u64 - 1;
        assert_eq!(kept + lines.kept.omitted_lines(), 400_000);
        assert!(streamed < 60_000, "{streamed}");
    }
}
