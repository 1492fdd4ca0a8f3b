//! Connection strings as libpq reads them: a URL or `key=value` pairs, taken apart into keys and values.

use super::error::{PostgresError, PostgresErrorKind};
use crate::secrets::percent_decoded;

/// Keys and values in the order in which they stand. May hold a password.
pub(super) type Words = Vec<(String, String)>;

/// A connection string that cannot be read; the message never quotes it, since it may hold a password.
pub(super) fn malformed(why: &str) -> PostgresError {
    PostgresError::new(
        PostgresErrorKind::Configuration,
        "the connection string",
        if why.is_empty() { "it cannot be read" } else { why },
    )
}

/// Takes a connection string apart.
///
/// # Errors
/// When it has neither form.
pub(super) fn of(text: &str) -> Result<Words, PostgresError> {
    let url = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"));
    match url {
        Some(rest) => of_url(rest),
        None => of_pairs(text),
    }
}

/// `[user[:password]@][host[:port],…][/database][?key=value&…]`.
fn of_url(rest: &str) -> Result<Words, PostgresError> {
    let mut words = Words::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            words.push((key.to_owned(), percent_decoded(value).to_string()));
        }
    };
    let (credentials, rest) = credentials(rest);
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        put("user", user);
        put("password", password);
    }
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = before_query.split_once('/').unwrap_or((before_query, ""));
    let (names, ports): (Vec<&str>, Vec<&str>) = hosts.split(',').map(host_and_port).unzip();
    put("host", &names.join(","));
    if ports.iter().any(|port| !port.is_empty()) {
        put("port", &ports.join(","));
    }
    put("dbname", database);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            // As JDBC writes it, which libpq takes too.
            Some(("ssl", "true")) => put("sslmode", "require"),
            Some((key, value)) => put(&percent_decoded(key), value),
            None => return Err(malformed("a key has no value")),
        }
    }
    Ok(words)
}

/// A password may hold a question mark or a slash; an `@` of the query ends no credentials.
fn credentials(rest: &str) -> (Option<&str>, &str) {
    match rest.split_once('@') {
        Some((before, after)) if !(before.contains('/') && before.contains('?')) => (Some(before), after),
        _ => (None, rest),
    }
}

fn host_and_port(text: &str) -> (&str, &str) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (host, rest.strip_prefix(':').unwrap_or(rest));
    }
    text.split_once(':').unwrap_or((text, ""))
}

fn of_pairs(text: &str) -> Result<Words, PostgresError> {
    let mut words = Words::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((key, after_key)) = rest.split_once('=') else {
            return Err(malformed("a key has no value"));
        };
        let value_start = after_key.trim_start();
        let (value, length) = value_of(value_start).ok_or_else(|| malformed("a quote is not closed"))?;
        words.push((key.trim().to_owned(), value));
        rest = value_start[length..].trim_start();
    }
    Ok(words)
}

/// The value at the start of the text, and how many bytes it takes; `None` when its quote is not closed.
fn value_of(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            '\'' if quoted => return Some((value, at + 1)),
            _ if !quoted && character.is_whitespace() => return Some((value, at)),
            _ => value.push(character),
        }
    }
    (!quoted).then_some((value, text.len()))
}
