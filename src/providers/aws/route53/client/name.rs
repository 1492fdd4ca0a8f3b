//! Names as Route 53 writes them.

/// A name for comparing: lower case, with its trailing dot, and without Route 53's octal escapes (`\052` is `*`):
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
pub fn canonical(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 1);
    let mut rest = name.trim();
    while let Some(character) = rest.chars().next() {
        let escaped = (character == '\\').then(|| rest.get(1..4)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = &rest[4..];
            }
            None => {
                plain.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    let mut plain = plain.to_lowercase();
    if !plain.ends_with('.') {
        plain.push('.');
    }
    plain
}

/// The order in which Route 53 lists names: label by label from the right.
pub(super) fn order(canonical: &str) -> String {
    canonical.trim_end_matches('.').rsplit('.').collect::<Vec<_>>().join(".")
}

/// A name for people: without the trailing dot.
pub(super) fn shown(name: &str) -> String {
    let canonical = canonical(name);
    let name = canonical.strip_suffix('.').unwrap_or(&canonical);
    crate::base::text::clean(name, 260)
}
