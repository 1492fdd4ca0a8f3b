//! The forms in which a secret can turn up in text: as it is, escaped, URL-encoded, in base64, in hexadecimal digits.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;
use zeroize::Zeroizing;

use super::everyday::is_everyday;
use super::inside;
use super::value::MIN_SECRET_CHARS;

/// Shortest piece of base64 or hexadecimal digits that is taken for the secret rather than for chance.
const MIN_ENCODED_CHARS: usize = 8;
/// The same of a whole secret within a longer encoded text: 2^36 of them make chance rare.
const MIN_SHIFTED_CHARS: usize = 6;
/// A secret that is at least as long, and looks like a token, is known by its pieces too.
const TOKEN_CHARS: usize = 24;

/// A text to look for; overwritten in memory when dropped.
#[derive(PartialEq, Eq)]
pub(super) struct Form {
    pub(super) text: Zeroizing<String>,
    /// A piece of it is as telling as the whole: it was made of the secret, or is made up by a machine.
    pub(super) by_pieces: bool,
}

/// All forms of `value` and of what is secret inside it, without duplicates.
pub(super) fn forms_of(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    add_forms(value, &mut forms);
    inside::parts_of(value).iter().for_each(|part| add_forms(part, &mut forms));
    distinct(forms)
}

/// All forms of the passwords inside a connection string; none when it is not one.
pub(super) fn forms_of_passwords_in(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    inside::passwords_in(value).iter().for_each(|password| add_forms(password, &mut forms));
    distinct(forms)
}

fn distinct(mut forms: Vec<Form>) -> Vec<Form> {
    forms.retain(|form| form.text.chars().count() >= MIN_SECRET_CHARS && !form.text.trim().is_empty());
    // Of two equal ones that which is known by its pieces stays.
    forms.sort_by(|a, b| a.text.as_str().cmp(&b.text).then(b.by_pieces.cmp(&a.by_pieces)));
    forms.dedup_by(|a, b| a.text == b.text);
    forms
}

fn add_forms(value: &str, forms: &mut Vec<Form>) {
    let mut add = |text: Zeroizing<String>| forms.push(Form { text, by_pieces: false });
    add(value.to_owned().into());
    // What was cleaned before it was redacted: newlines and controls are gone from it.
    add(crate::base::text::clean(value, usize::MAX).into());
    // For text whose white space is taken out: a line end may stand for a blank.
    add(value.split_whitespace().collect::<String>().into());
    for kept in [&b"-._~"[..], b"", b"-._~!$&'()*+,;=", b"*-._"] {
        add(percent_encoded(value, kept, false, false));
        add(percent_encoded(value, kept, true, false));
        add(percent_encoded(value, kept, false, true));
    }
    let json = json_escaped(value, |_| None);
    // JSON as other writers have it: ASCII only, with `\/`, or safe inside HTML; and JSON inside JSON.
    let ascii = |c: char| (!c.is_ascii()).then(|| units(c, false));
    add(json_escaped(value, ascii));
    add(json_escaped(value, |c| (!c.is_ascii()).then(|| units(c, true))));
    add(json_escaped(value, |c| if c == '/' { Some("\\/".into()) } else { ascii(c) }));
    add(json_escaped(value, |c| (c == '/').then(|| "\\/".into())));
    add(json_escaped(value, |c| "<>&'".contains(c).then(|| units(c, false))));
    add(json_escaped(&json, |_| None));
    add(json);
    add(inside_quotes(&format!("{value:?}")));
    for quote in ["&#39;", "&#x27;", "&apos;"] {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        add(escaped.replace('"', "&quot;").replace('\'', quote).into());
    }
    add(value.replace('\'', r"'\''").into());
    // Python's shlex closes the quotes, and has the quote in others.
    add(value.replace('\'', r#"'"'"'"#).into());
    // What is not ASCII as mail, shells and other languages write it: by bytes, in octal digits, by code points.
    let printed = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    add(bytes_escaped(value, |byte| printed(byte) && byte != b'=', |byte| format!("={byte:02X}")));
    add(bytes_escaped(value, printed, |byte| format!("\\x{byte:02x}")));
    add(bytes_escaped(value, printed, |byte| format!("\\{byte:03o}")));
    for upper in [false, true] {
        let point = |c: char| match upper {
            true => format!("\\U{:08X}", u32::from(c)),
            false => format!("\\U{:08x}", u32::from(c)),
        };
        add(json_escaped(value, |c| (!c.is_ascii()).then(|| point(c))));
        add(value.chars().map(point).collect::<String>().into());
    }
    if is_token(value) {
        forms.push(Form { text: value.to_owned().into(), by_pieces: true });
    }
    add_base64(value.as_bytes(), forms);
    // As PowerShell takes and shows encoded commands.
    let wide: Zeroizing<Vec<u8>> =
        value.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>().into();
    add_base64(&wide, forms);
    add_base32(value.as_bytes(), forms);
    add_hexadecimal(value, forms);
}

/// Long, of the characters of keys and tokens alone, and mixed as only a machine mixes them.
fn is_token(value: &str) -> bool {
    let of_tokens = |c: char| c.is_ascii_alphanumeric() || "+/=_-.".contains(c);
    value.len() >= TOKEN_CHARS
        && value.chars().all(of_tokens)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !value.split(['/', '-', '_', '.']).all(is_everyday)
}

fn inside_quotes(quoted: &str) -> Zeroizing<String> {
    quoted[1..quoted.len() - 1].to_owned().into()
}

/// The inside of a JSON string, in which `special` says how other characters than the usual ones are escaped.
fn json_escaped(value: &str, special: impl Fn(char) -> Option<String>) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(value.len() * 2));
    for c in value.chars() {
        match (special(c), c) {
            (Some(special), _) => escaped.push_str(&special),
            (None, '"' | '\\') => escaped.extend(['\\', c]),
            (None, '\n') => escaped.push_str("\\n"),
            (None, '\r') => escaped.push_str("\\r"),
            (None, '\t') => escaped.push_str("\\t"),
            (None, '\u{8}') => escaped.push_str("\\b"),
            (None, '\u{c}') => escaped.push_str("\\f"),
            (None, c) if c < ' ' => escaped.push_str(&units(c, false)),
            (None, c) => escaped.push(c),
        }
    }
    escaped
}

/// `\u00e9`, as JSON escapes a character.
fn units(c: char, upper: bool) -> String {
    let mut escaped = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = if upper { write!(escaped, "\\u{unit:04X}") } else { write!(escaped, "\\u{unit:04x}") };
    }
    escaped
}

/// The value with the bytes that are not `kept` written in another way.
fn bytes_escaped(value: &str, kept: impl Fn(u8) -> bool, escape: impl Fn(u8) -> String) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(value.len() * 4));
    for byte in value.bytes() {
        match kept(byte) {
            true => escaped.push(byte.into()),
            false => escaped.push_str(&escape(byte)),
        }
    }
    escaped
}

fn percent_encoded(value: &str, kept: &[u8], lower: bool, plus_for_space: bool) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::with_capacity(value.len() * 3));
    for byte in value.bytes() {
        let _ = match byte {
            b' ' if plus_for_space => encoded.write_char('+'),
            _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => encoded.write_char(byte.into()),
            _ if lower => write!(encoded, "%{byte:02x}"),
            _ => write!(encoded, "%{byte:02X}"),
        };
    }
    encoded
}

/// Base64 of the value alone, and the characters that do not depend on its neighbours when it stands inside
/// a longer encoded text (`user:password` of HTTP Basic), at each of the three alignments.
fn add_base64(value: &[u8], forms: &mut Vec<Form>) {
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        let alone = engine.encode(value);
        let by_pieces = alone.len() >= MIN_ENCODED_CHARS;
        forms.push(Form { text: alone.into(), by_pieces });
        for bytes_before in 0..3_usize {
            let mut shifted = Zeroizing::new(vec![0_u8; bytes_before]);
            shifted.extend_from_slice(value);
            let encoded = Zeroizing::new(engine.encode(&*shifted));
            let first = (bytes_before * 8).div_ceil(6);
            let last = shifted.len() * 8 / 6;
            if last >= first + MIN_SHIFTED_CHARS {
                let by_pieces = last >= first + MIN_ENCODED_CHARS;
                forms.push(Form { text: encoded[first..last].to_owned().into(), by_pieces });
            }
        }
    }
}

/// The same in base32 (RFC 4648, 6) in capitals and small letters, at each of the five alignments.
fn add_base32(value: &[u8], forms: &mut Vec<Form>) {
    let mut add = |encoded: &str| {
        if encoded.len() >= MIN_ENCODED_CHARS {
            let both = [encoded.to_owned(), encoded.to_lowercase()];
            forms.extend(both.map(|text| Form { text: text.into(), by_pieces: true }));
        }
    };
    add(&base32(value));
    for bytes_before in 0..5_usize {
        let mut shifted = Zeroizing::new(vec![0_u8; bytes_before]);
        shifted.extend_from_slice(value);
        let first = (bytes_before * 8).div_ceil(5);
        add(base32(&shifted).get(first..shifted.len() * 8 / 5).unwrap_or_default());
    }
}

fn base32(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut encoded = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5 + 1));
    for five in bytes.chunks(5) {
        let bits =
            five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - five.len()));
        let digits = (five.len() * 8).div_ceil(5);
        encoded.extend((0..digits).map(|digit| char::from(DIGITS[(bits >> (35 - 5 * digit)) as usize & 31])));
    }
    encoded
}

fn add_hexadecimal(value: &str, forms: &mut Vec<Form>) {
    let mut digits = Zeroizing::new(String::with_capacity(value.len() * 2));
    for byte in value.bytes() {
        let _ = write!(digits, "{byte:02x}");
    }
    let upper = Zeroizing::new(digits.to_uppercase());
    forms.extend([digits, upper].map(|text| Form { text, by_pieces: true }));
}

/// Text with its `%xx` escapes undone; bytes that are not UTF-8 are replaced.
pub(crate) fn percent_decoded(text: &str) -> Zeroizing<String> {
    let bytes = text.as_bytes();
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        forms_of(value).iter().any(|f| f.text.as_str() == form)
    }

    #[test]
    fn what_is_not_ascii_is_known_as_mail_shells_and_other_languages_write_it() {
        for form in ["p=C3=A4ss", r"p\xc3\xa4ss", r"p\303\244ss", r"p\U000000e4ss", r"p\U000000E4ss"] {
            assert!(has("p\u{e4}ss", form), "{form}");
        }
        assert!(has("j=x1", "j=3Dx1") && has("j=x1", r"\U0000006A\U0000003D\U00000078\U00000031"));
    }

    #[test]
    fn base32_powershell_and_shlex_are_known() {
        assert!(has("foobarba", "MZXW6YTBOJRGC") && has("foobarba", "mzxw6ytbojrgc"), "RFC 4648, 10");
        let inside = base32(b"user:hunter22-of-it and more");
        assert!(
            forms_of("hunter22-of-it").iter().any(|form| inside.contains(form.text.as_str())),
            "{}",
            &*inside
        );
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let command = base64::engine::general_purpose::STANDARD.encode(wide("$p = 'hunter22'; go"));
        assert!(forms_of("hunter22").iter().any(|form| command.contains(form.text.as_str())), "{command}");
        assert!(has("it's-one", r#"it'"'"'s-one"#));
    }

    #[test]
    fn short_secrets_are_known_in_base64_too() {
        assert!(has("q7Z!x", "cTdaIXg"));
        let basic = base64::engine::general_purpose::STANDARD.encode("admin:q7Z!x");
        assert!(forms_of("q7Z!x").iter().any(|form| basic.contains(form.text.as_str())), "{basic}");
        assert!(has("q7Z!", "cTdaIQ"));
    }

    #[test]
    fn urls_json_and_base64_are_known() {
        assert!(has("p@ss wörd", "p%40ss%20w%C3%B6rd"));
        assert!(has("p@ss wörd", "p%40ss+w%C3%B6rd"));
        assert!(has("quo\"te", "quo\\\"te"));
        assert!(has(
            "correct horse",
            &base64::engine::general_purpose::STANDARD_NO_PAD.encode("correct horse")
        ));
    }

    #[test]
    fn json_is_known_as_every_writer_has_it() {
        assert!(has("pässwörd", "p\\u00e4ssw\\u00f6rd"));
        assert!(has("pässwörd", "p\\u00E4ssw\\u00F6rd"));
        assert!(has("a/b/c/d", "a\\/b\\/c\\/d"));
        assert!(has("<a&b>cd", "\\u003ca\\u0026b\\u003ecd"));
        assert!(has("🔑-key", "\\ud83d\\udd11-key"));
        assert!(has("quo\"te", "quo\\\\\\\"te"), "JSON inside JSON");
        assert!(has("a<b&'c", "a&lt;b&amp;&#39;c"));
    }

    #[test]
    fn hexadecimal_digits_are_known() {
        assert!(has("hunter22", "68756e7465723232") && has("hunter2J", "68756E746572324A"));
    }

    #[test]
    fn what_was_cleaned_is_known() {
        assert!(has("line 1 of it\nline 2 of it", "line 1 of it line 2 of it"));
    }
}
