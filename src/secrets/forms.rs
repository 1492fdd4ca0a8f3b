//! The forms in which a secret can turn up in text: as it is, line by line, escaped, URL-encoded, in base64.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::value::MIN_SECRET_CHARS;

/// Shortest piece of base64 that is taken for the secret rather than for chance.
const MIN_BASE64_CHARS: usize = 8;

/// A text to look for; overwritten in memory when dropped.
pub(super) type Form = Zeroizing<String>;

/// All forms of `value` and of the passwords inside it when it is a connection string, without duplicates.
pub(super) fn forms_of(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    add_forms(value, &mut forms);
    forms.extend(forms_of_passwords_in(value));
    distinct(forms)
}

/// All forms of the passwords inside a connection string; none when it is not one.
pub(super) fn forms_of_passwords_in(value: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    for password in passwords_in(value) {
        add_forms(&password, &mut forms);
    }
    distinct(forms)
}

fn distinct(mut forms: Vec<Form>) -> Vec<Form> {
    forms.retain(|form| form.chars().count() >= MIN_SECRET_CHARS && !form.trim().is_empty());
    forms.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    forms.dedup_by(|a, b| a.as_str() == b.as_str());
    forms
}

fn add_forms(value: &str, forms: &mut Vec<Form>) {
    forms.push(value.to_owned().into());
    // Output is read line by line, so a secret of several lines (a private key) is known line by line too.
    if value.contains('\n') {
        forms.extend(value.lines().map(|line| line.trim().to_owned().into()));
    }
    for kept in [&b"-._~"[..], b"", b"-._~!$&'()*+,;=", b"*-._"] {
        forms.push(percent_encoded(value, kept, false, false));
        forms.push(percent_encoded(value, kept, true, false));
        forms.push(percent_encoded(value, kept, false, true));
    }
    forms.push(inside_quotes(&serde_json::Value::String(value.to_owned()).to_string()));
    forms.push(inside_quotes(&format!("{value:?}")));
    add_base64(value, forms);
}

fn inside_quotes(quoted: &str) -> Form {
    quoted[1..quoted.len() - 1].to_owned().into()
}

fn percent_encoded(value: &str, kept: &[u8], lower: bool, plus_for_space: bool) -> Form {
    let mut encoded = Zeroizing::new(String::with_capacity(value.len() * 3));
    for byte in value.bytes() {
        match byte {
            b' ' if plus_for_space => encoded.push('+'),
            _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => encoded.push(byte.into()),
            _ if lower => encoded.push_str(&format!("%{byte:02x}")),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Base64 of the value alone, and the characters that do not depend on its neighbours when it stands inside
/// a longer encoded text (`user:password` of HTTP Basic), at each of the three alignments.
fn add_base64(value: &str, forms: &mut Vec<Form>) {
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        let alone = engine.encode(value);
        if alone.len() >= MIN_BASE64_CHARS {
            forms.push(alone.into());
        }
        for bytes_before in 0..3_usize {
            let mut shifted = Zeroizing::new(vec![0_u8; bytes_before]);
            shifted.extend_from_slice(value.as_bytes());
            let encoded = Zeroizing::new(engine.encode(&*shifted));
            let first = (bytes_before * 8).div_ceil(6);
            let last = shifted.len() * 8 / 6;
            if last >= first + MIN_BASE64_CHARS {
                forms.push(encoded[first..last].to_owned().into());
            }
        }
    }
}

/// Passwords inside a connection string: `scheme://user:password@host`, or `password=` of a PostgreSQL DSN.
fn passwords_in(value: &str) -> Vec<Form> {
    let mut passwords = Vec::new();
    if let Some((_, rest)) = value.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        for user_and_host in [authority, rest] {
            if let Some((user_info, _)) = user_and_host.rsplit_once('@')
                && let Some((_, password)) = user_info.split_once(':')
            {
                passwords.push(password.to_owned().into());
                passwords.push(percent_decoded(password));
            }
        }
    }
    if let Ok(config) = value.parse::<tokio_postgres::Config>()
        && let Some(password) = config.get_password()
    {
        passwords.push(String::from_utf8_lossy(password).into_owned().into());
    }
    passwords
}

/// Text with its `%xx` escapes undone; bytes that are not UTF-8 are replaced.
pub(crate) fn percent_decoded(text: &str) -> Form {
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
        forms_of(value).iter().any(|f| f.as_str() == form)
    }

    #[test]
    fn the_password_inside_a_connection_string_is_known() {
        assert!(has("postgres://app:hun%74er2@db/x", "hunter2"));
        assert!(has("postgres://app:hun%74er2@db/x", "hun%74er2"));
        assert!(has("host=db user=app password='hun ter2'", "hun ter2"));
        assert!(has("redis://:hunter2@cache:6379/0", "hunter2"));
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
    fn lines_of_a_key_are_known_one_by_one() {
        assert!(has("-----BEGIN-----\nMIIEpAIB\n-----END-----\n", "MIIEpAIB"));
    }
}
