//! What is secret inside a secret: passwords in connection strings, values of JSON and of settings, the parts of an
//! address, the lines of a key. Each turns up alone in what servers and programs say.

use super::everyday::is_everyday;
use super::forms::percent_decoded;
use super::value::MIN_SECRET_CHARS;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

/// A value inside a JSON secret, or a line of one, that is shorter is masked only where its name says that it is secret.
const LEAF_CHARS: usize = 6;
/// A part of a secret address that is at least as long is no ordinary word.
const ADDRESS_PART_CHARS: usize = 8;

/// Names of what stands beside a secret in one document, and is shown: where it leads, and as whom.
const PUBLIC_NAMES: &[&str] = &[
    "account",
    "accountid",
    "authprovidercertxurl",
    "authuri",
    "authurl",
    "clientemail",
    "clientid",
    "clientxcerturl",
    "database",
    "dbclusteridentifier",
    "dbinstanceidentifier",
    "dbname",
    "driver",
    "email",
    "endpoint",
    "engine",
    "host",
    "hostname",
    "kind",
    "masterarn",
    "name",
    "port",
    "projectid",
    "proxy",
    "region",
    "role",
    "scheme",
    "server",
    "sslmode",
    "tokenuri",
    "type",
    "universedomain",
    "url",
    "user",
    "userid",
    "username",
    "version",
];

/// Ends of the names of what is secret.
const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "key",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sas",
    "sharedaccesskey",
    "signature",
    "token",
    "tokens",
];

/// The secret parts of a value, without the value itself.
pub(super) fn parts_of(value: &str) -> Vec<Zeroizing<String>> {
    let mut parts = passwords_in(value);
    if json_values(value, &mut parts) {
        return parts;
    }
    settings(value, &mut parts);
    address_parts(value, &mut parts);
    credentials(value, &mut parts);
    // Output is read line by line, so a secret of several lines (a private key) is known line by line too.
    if value.contains(['\n', '\r']) {
        let lines = value.split(['\n', '\r']).map(str::trim);
        let telling = lines.filter(|line| !line.starts_with("-----") && is_telling(line, MIN_SECRET_CHARS));
        parts.extend(telling.map(|line| line.to_owned().into()));
    }
    parts.retain(|part| part.as_str() != value);
    parts
}

/// Passwords inside a connection string: `scheme://user:password@host`, or `password=` of a PostgreSQL DSN.
pub(super) fn passwords_in(value: &str) -> Vec<Zeroizing<String>> {
    let mut passwords = Vec::new();
    if let Some((_, rest)) = value.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        for user_and_host in [authority, rest] {
            if let Some((user_info, _)) = user_and_host.rsplit_once('@')
                && let Some((user, password)) = user_info.split_once(':')
            {
                passwords.push(password.to_owned().into());
                let password = percent_decoded(password);
                // As HTTP Basic sends them: in base64, where a short password alone could not be found.
                passwords.push(format!("{}:{}", percent_decoded(user).as_str(), password.as_str()).into());
                passwords.push(password);
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

/// Whether something with this name (of a JSON value, a variable, a header) is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = plain(name);
    // A number of a request that is said in logs.
    name != "idempotencykey" && SECRET_NAMES.iter().any(|end| name.ends_with(end))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_telling(text: &str, least_chars: usize) -> bool {
    text.chars().filter(|c| c.is_alphanumeric()).count() >= least_chars && !is_everyday(text)
}

/// The texts at the leaves of a JSON document that are no ordinary words; those with a secret's name in any case. False
/// when it is no such document.
fn json_values(value: &str, parts: &mut Vec<Zeroizing<String>>) -> bool {
    if !value.trim_start().starts_with(['{', '[', '"']) {
        return false;
    }
    let document = serde_json::from_str::<Value>(value);
    document.is_ok_and(|document| {
        leaves(&document, "", parts);
        true
    })
}

fn leaves(value: &Value, name: &str, parts: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(value, name, parts)),
        Value::Array(items) => items.iter().for_each(|value| leaves(value, name, parts)),
        Value::String(text) => named_part(name, text, parts),
        Value::Number(number) if is_secret_name(name) => parts.push(number.to_string().into()),
        _ => {}
    }
}

fn named_part(name: &str, text: &str, parts: &mut Vec<Zeroizing<String>>) {
    let public = PUBLIC_NAMES.contains(&&*plain(name));
    if is_secret_name(name) || !public && is_telling(text, LEAF_CHARS) {
        parts.push(text.to_owned().into());
    }
    // A key in JSON, or an address with a password, is a secret of several parts itself.
    parts.extend(passwords_in(text));
    if text.contains('\n') {
        parts.extend(parts_of(text));
    }
}

/// `Endpoint=…;SharedAccessKey=…`, `KEY=value` on lines: the values whose names say that they are secret.
fn settings(value: &str, parts: &mut Vec<Zeroizing<String>>) {
    for setting in value.split([';', '\n', '&', '?']) {
        let Some((name, text)) = setting.split_once(['=', ':']) else { continue };
        let text = text.trim().trim_matches(['"', '\'', ',']).trim();
        let name = name.trim().trim_matches(['"', '\'']);
        let is_name = name.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
        if is_name && is_secret_name(name) && !text.is_empty() {
            parts.push(text.to_owned().into());
        }
    }
}

/// A server or proxy that refuses a secret address quotes its path or query alone: these are secret too.
fn address_parts(value: &str, parts: &mut Vec<Zeroizing<String>>) {
    let Some(url) = reqwest::Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        return;
    };
    let whole = [url.path(), url.query().unwrap_or_default()].map(str::to_owned);
    let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let all = whole.into_iter().chain(segments).chain(values);
    let telling = all.filter(|part| is_telling(part.trim_matches('/'), ADDRESS_PART_CHARS));
    parts.extend(telling.map(Zeroizing::new));
}

/// What follows the scheme of an `Authorization` header (RFC 9110, 11.4), and what HTTP Basic has in base64.
fn credentials(value: &str, parts: &mut Vec<Zeroizing<String>>) {
    let Some((scheme, rest)) = value.split_once(' ').filter(|(_, rest)| !rest.trim().contains(' ')) else {
        return;
    };
    let rest = rest.trim();
    if scheme.is_empty()
        || !scheme.chars().all(|c| c.is_ascii_alphabetic())
        || !is_telling(rest, MIN_SECRET_CHARS)
    {
        return;
    }
    parts.push(rest.to_owned().into());
    let decoded = if scheme.eq_ignore_ascii_case("basic") { STANDARD.decode(rest).ok() } else { None };
    if let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok())
        && let Some((_, password)) = text.split_once(':')
    {
        parts.extend([password.to_owned().into(), text.clone().into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &str) -> Vec<String> {
        parts_of(value).iter().map(|part| part.to_string()).collect()
    }

    fn has(value: &str, part: &str) -> bool {
        parts(value).iter().any(|known| known == part)
    }

    #[test]
    fn the_password_inside_a_connection_string_is_known() {
        assert!(has("postgres://app:hun%74er2@db/x", "hunter2"));
        assert!(has("postgres://app:hun%74er2@db/x", "hun%74er2"));
        assert!(has("host=db user=app password='hun ter2'", "hun ter2"));
        assert!(has("redis://:hunter2@cache:6379/0", "hunter2"));
        assert!(has("http://proxy:pw1@cache:3128", "proxy:pw1"));
    }

    #[test]
    fn values_inside_a_json_secret_are_known_and_where_it_leads_is_shown() {
        let secret = r#"{"username":"administrator9","password":"hunter2hunter2","host":"db-7.example.com","port":5432,
            "nested":{"api_token":"primary"},"list":["x9y8z7w6"],"pin":123456,"note":"primary","access_key":123456}"#;
        let parts = parts(secret);
        for known in ["hunter2hunter2", "primary", "x9y8z7w6", "123456"] {
            assert!(parts.iter().any(|part| part == known), "{known}: {parts:?}");
        }
        assert!(
            !parts.iter().any(|part| part.contains("db-7") || part == "administrator9" || part == "5432")
        );
        assert!(!has(r#"{"mode":"primary"}"#, "primary"), "an ordinary word without a secret's name");
    }

    #[test]
    fn a_key_inside_json_is_known_line_by_line() {
        let secret = r#"{"private_key":"-----BEGIN PRIVATE KEY-----\nMIIEpAIBxyz9\nrandom7Line\n-----END PRIVATE KEY-----\n"}"#;
        assert!(has(secret, "MIIEpAIBxyz9") && has(secret, "random7Line"));
    }

    #[test]
    fn lines_of_a_key_are_known_one_by_one_and_an_ordinary_word_is_not() {
        let key = "primary\n-----BEGIN KEY-----\nMIIEpAIB\n-----END KEY-----\n";
        assert_eq!(parts(key), ["MIIEpAIB"]);
        assert!(has("one-two-three9\r\nMIIEpAIB\r\n", "MIIEpAIB"));
    }

    #[test]
    fn settings_with_a_secret_name_are_known() {
        let azure = "Endpoint=sb://x.example/;SharedAccessKeyName=root;SharedAccessKey=abc+/def12=";
        assert_eq!(parts(azure), ["abc+/def12="]);
        assert!(has("USER=app\nDB_PASSWORD=\"tiny\"\n", "tiny"));
        assert!(!has("USER=app\nREGION=us-east-1\n", "us-east-1"));
    }

    #[test]
    fn the_token_of_a_header_is_known_without_its_scheme() {
        assert!(has("Bearer x9Y8z7W6", "x9Y8z7W6") && has("GenieKey x9Y8z7W6", "x9Y8z7W6"));
        assert!(has("Basic YXBwOmh1bnRlcjI=", "hunter2"));
        assert_eq!(parts("correct horse battery"), Vec::<String>::new());
    }

    #[test]
    fn the_parts_of_a_secret_address_are_known() {
        let hook = "https://hooks.example.com/services/T0AB12CD3/B0EF45GH6/x9Y8z7W6v5U4?sig=q1w2e3r4t5";
        for part in ["T0AB12CD3", "x9Y8z7W6v5U4", "q1w2e3r4t5", "/services/T0AB12CD3/B0EF45GH6/x9Y8z7W6v5U4"]
        {
            assert!(has(hook, part), "{part}");
        }
        assert!(!has(hook, "services") && !has(hook, "hooks.example.com"));
    }
}
