//! A process's output: split into lines, redacted, cleaned, and kept within bounds.

use std::collections::VecDeque;

use crate::base::text::{clean, tail};

/// Longest line kept, in characters.
pub const MAX_LINE_CHARS: usize = 8 * 1024;

/// How much of each stream's beginning is kept, and how much of its end, in bytes.
pub const MAX_KEPT_BYTES: usize = 512 * 1024;

/// Bytes of one line that are looked at. More than a line's cap, so that a secret that lies across the cap
/// is seen whole and redacted before the cut.
pub(crate) const MAX_LINE_BYTES: usize = 4 * MAX_LINE_CHARS + 16 * 1024;

/// So much waits for the rest of a secret that begins at its end, in bytes.
pub(crate) const MAX_WAITING_BYTES: usize = 32 * 1024;
/// So much of what went out is looked at again with what follows, in bytes: a secret can begin in it.
const MAX_BEFORE_BYTES: usize = 8 * 1024;

/// Clears text of what nobody may read.
pub trait Redact: Sync {
    /// The text without secrets; one may begin in what came before it.
    fn redact_after(&self, before: &str, text: &str) -> String;

    /// Whether the text ends within what may be a secret.
    fn is_begun(&self, text: &str) -> bool;
}

/// Where there is nothing to clear.
#[cfg(test)]
pub(crate) struct NoSecrets;

#[cfg(test)]
impl Redact for NoSecrets {
    fn redact_after(&self, _: &str, text: &str) -> String {
        text.into()
    }

    fn is_begun(&self, _: &str) -> bool {
        false
    }
}

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

/// Turns the chunks of one stream into lines. Where a secret begins at the end of a chunk's lines, they wait for the next
/// chunk: a part that went out could not be taken back.
pub(crate) struct Lines<'a> {
    redactor: &'a dyn Redact,
    line: Vec<u8>,
    /// What went out last, as it came.
    before: String,
    /// Lines that wait, as they came.
    pub(crate) waiting: String,
    overlong: bool,
    streaming: bool,
    pub(crate) kept: Kept,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(redactor: &'a dyn Redact) -> Self {
        Self {
            redactor,
            line: Vec::new(),
            before: String::new(),
            waiting: String::new(),
            overlong: false,
            streaming: true,
            kept: Kept::default(),
        }
    }

    /// Takes a chunk and hands complete lines to `on_line`, until the cap; later lines are only kept.
    pub(crate) fn take(&mut self, chunk: &[u8], on_line: &mut dyn FnMut(&str)) {
        // A carriage return ends a line too: progress displays write nothing else for minutes.
        for piece in chunk.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let ends = matches!(piece.last(), Some(b'\n' | b'\r'));
            let text = &piece[..piece.len() - usize::from(ends)];
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.overlong |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line();
            }
        }
        if self.waiting.len() > MAX_WAITING_BYTES || !self.redactor.is_begun(&self.waiting) {
            self.let_out(on_line);
        }
    }

    /// Hands over what is left when the stream ends.
    pub(crate) fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        let unfinished = !self.line.is_empty();
        self.end_line();
        // A program that was ended in the middle of a line may have been about to say the rest.
        if unfinished && self.redactor.is_begun(&self.waiting) {
            self.waiting.push('…');
        }
        self.let_out(on_line);
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        if !self.waiting.is_empty() {
            self.waiting.push('\n');
        }
        self.waiting.push_str(&String::from_utf8_lossy(&self.line));
        if self.overlong {
            self.waiting.push('…');
        }
        self.line.clear();
        self.overlong = false;
    }

    fn let_out(&mut self, on_line: &mut dyn FnMut(&str)) {
        if self.waiting.is_empty() {
            return;
        }
        let waited = std::mem::take(&mut self.waiting);
        for line in self.redactor.redact_after(&self.before, &waited).split('\n') {
            self.keep(&clean(line, MAX_LINE_CHARS), on_line);
        }
        self.before = format!("{}\n", tail(&waited, MAX_BEFORE_BYTES));
    }

    fn keep(&mut self, line: &str, on_line: &mut dyn FnMut(&str)) {
        let in_head = self.kept.push(line);
        if self.streaming && in_head {
            on_line(line);
        } else if self.streaming {
            self.streaming = false;
            on_line("[more output follows and is not shown; its end is kept]");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept_and_the_middle_is_counted() {
        let mut lines = Lines::new(&NoSecrets);
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
