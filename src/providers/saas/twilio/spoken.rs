//! A message to be read out, as TwiML (<https://www.twilio.com/docs/voice/twiml/say>).

use crate::core::words::notification::Message;
use crate::kinds::channel::text;

/// The longest `Twiml` of a call.
const TWIML_LIMIT_CHARS: usize = 4_000;
/// Nobody listens to more, twice.
const SPOKEN_LIMIT_CHARS: usize = 700;

/// What is said, and what had to be left out.
pub fn twiml(message: &Message, language: &str) -> (String, String) {
    let fits = |made: &(String, String)| made.0.chars().count() <= TWIML_LIMIT_CHARS;
    text::shrunk(SPOKEN_LIMIT_CHARS, |limit_chars| twice(message, language, limit_chars), fits)
}

fn twice(message: &Message, language: &str, limit_chars: usize) -> (String, String) {
    let unwitnessed = Message { witness: String::new(), ..message.clone() };
    let fitted = text::whole(&unwitnessed, limit_chars);
    let once = say(&fitted.text.lines().collect::<Vec<_>>().join(". "), language);
    let pause = r#"<Pause length="1"/>"#;
    // A word for itself each, so that it can be written down.
    let slow: String =
        words(&message.witness).map(|word| format!("{}{pause}", say(word, language))).collect();
    (format!("<Response>{once}{pause}{once}{pause}{slow}</Response>"), fitted.cut)
}

/// `Journal #1042 lusab-babad` in four parts.
fn words(witness: &str) -> impl Iterator<Item = &str> {
    witness.split([' ', '-']).filter(|word| !word.is_empty())
}

fn say(text: &str, language: &str) -> String {
    format!(r#"<Say language="{}">{}</Say>"#, escaped(language), escaped(text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if crate::base::text::is_hostile(c) => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message {
            subject: "[P0] ARKA: down".into(),
            body: body.into(),
            witness: "Journal #1042 lusab-babad".into(),
            severity: None,
            drill: false,
            page_status: None,
            component_status: None,
        }
    }

    #[test]
    fn it_is_said_twice_and_the_head_word_by_word() {
        let (twiml, cut) = twiml(&message("It is <down> & \"out\"."), "en-US");
        let said = "[P0] ARKA: down. It is &lt;down&gt; &amp; &quot;out&quot;.";
        assert_eq!(twiml.matches(said).count(), 2, "{twiml}");
        for word in ["Journal", "#1042", "lusab", "babad"] {
            assert_eq!(twiml.matches(&format!(">{word}</Say><Pause")).count(), 1, "{word}: {twiml}");
        }
        assert_eq!(cut, "");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_the_head_is_not() {
        for body in ["words ".repeat(600), "\"".repeat(4_000)] {
            let (twiml, cut) = twiml(&message(&body), "en-US");
            assert!(twiml.chars().count() <= TWIML_LIMIT_CHARS, "{}", twiml.len());
            assert!(cut.starts_with("cut from ") && twiml.contains(">babad</Say>"), "{cut}: {twiml}");
        }
    }
}
