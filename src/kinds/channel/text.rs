//! Messages as text within a service's limit. The witness is never cut off.

use crate::core::words::notification::Message;

/// Nothing is looked for below.
const SMALLEST_CHARS: usize = 40;

/// A text and what had to be left out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fitted {
    pub text: String,
    /// `cut from 2,100 to 1,600 characters`; empty where nothing is missing.
    pub cut: String,
}

/// Body and witness within a limit, for services that show the subject apart.
pub fn body(message: &Message, limit_chars: usize) -> Fitted {
    fit(&message.body, &message.witness, limit_chars)
}

/// Subject, body and witness within a limit.
pub fn whole(message: &Message, limit_chars: usize) -> Fitted {
    // A page's first line often says what its subject says.
    let text = match message.body.lines().next() {
        Some(first) if first == message.subject => message.body.clone(),
        _ => format!("{}\n{}", message.subject, message.body),
    };
    fit(&text, &message.witness, limit_chars)
}

/// One line within a limit.
pub fn line(text: &str, limit_chars: usize) -> String {
    let flat = tame(&text.lines().collect::<Vec<_>>().join(" "));
    if flat.chars().count() <= limit_chars {
        return flat;
    }
    let kept: String = flat.chars().take(limit_chars.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// What a service counts otherwise than in characters (bytes of JSON, escapes): the longest that fits, looked for
/// downwards from a limit in characters.
pub fn shrunk<T>(limit_chars: usize, make: impl Fn(usize) -> T, fits: impl Fn(&T) -> bool) -> T {
    let mut limit_chars = limit_chars;
    loop {
        let made = make(limit_chars);
        if limit_chars < SMALLEST_CHARS || fits(&made) {
            return made;
        }
        limit_chars = limit_chars * 4 / 5;
    }
}

/// Lines stay lines, however they end, and nothing else can steer or disguise what is shown.
pub fn tame(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\n' { c } else { crate::base::text::visible(c) })
        .collect()
}

fn fit(text: &str, witness: &str, limit_chars: usize) -> Fitted {
    let (text, witness) = (tame(text), tame(witness));
    let ending = if witness.is_empty() { String::new() } else { format!("\n{witness}") };
    let length = text.chars().count() + ending.chars().count();
    if length <= limit_chars {
        return Fitted { text: format!("{text}{ending}"), cut: String::new() };
    }
    let room = limit_chars.saturating_sub(ending.chars().count() + 1);
    let kept: String = text.chars().take(room).collect();
    let text = format!("{}…{ending}", kept.trim_end());
    Fitted { text, cut: format!("cut from {length} to {limit_chars} characters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_before_the_witness_and_says_so() {
        let fitted = fit(&"a".repeat(200), "Journal #7 lusab-babad", 60);
        assert!(fitted.text.chars().count() <= 60, "{}", fitted.text);
        assert!(fitted.text.ends_with("…\nJournal #7 lusab-babad"), "{}", fitted.text);
        assert_eq!(fitted.cut, "cut from 223 to 60 characters");
        assert_eq!(
            fit("short", "Journal #7", 60),
            Fitted { text: "short\nJournal #7".into(), cut: String::new() }
        );
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("two\nlines", 80), "two lines");
        assert_eq!(line("abcdef", 4), "abc…");
    }
}
