//! Secrets are named in a plan, never written in it.

use super::fields::Fields;
use super::reader::{At, Reader};
use super::value::{Read, Value};
use crate::base::toml::Diagnostic;
use crate::base::toml::node::{Node, NodeValue};
use crate::plan::keys::Takes;
use crate::secrets::{SecretRef, SecretsConfig, Source};
use regex::Regex;
use std::path::PathBuf;
use std::sync::LazyLock;

/// `[secrets]`; what it does not say is as in the default.
pub(crate) fn read_secrets(fields: &Fields) -> SecretsConfig {
    let default = SecretsConfig::default();
    let texts = |key: &str| fields.list(key).iter().filter_map(Read::text).map(str::to_owned).collect();
    let time = |key: &str, default| fields.duration(key).map_or(default, |time| time.unsigned_abs());
    let source = |read: &Read| {
        Some(match read.text()? {
            "environment" => Source::Environment,
            "file" => Source::File,
            "keyring" => Source::Keyring,
            _ => Source::Command,
        })
    };
    SecretsConfig {
        sources: match fields.get("sources") {
            Some(_) => fields.list("sources").iter().filter_map(source).collect(),
            None => default.sources,
        },
        files_folder: fields.get("files_folder").and_then(Read::text).map(PathBuf::from),
        command: texts("command"),
        command_env: texts("command_env"),
        command_deadline: time("command_deadline", default.command_deadline),
        store_deadline: time("store_deadline", default.store_deadline),
        keep: time("keep", default.keep),
    }
}

fn secret_ref(name: &str) -> Option<SecretRef> {
    name.parse().ok().map(|name| SecretRef { name })
}

pub(crate) fn read(reader: &Reader<'_>, takes: Takes, node: &Node, at: &At<'_>) -> Option<Value> {
    match &node.value {
        NodeValue::Table(table) => {
            let name = table.get("secret").filter(|_| table.len() == 1).and_then(|entry| entry.node.text());
            let Some(name) = name else { return reader.wrong_type(takes, node, at) };
            let found = secret_ref(name).map(Value::Secret);
            if found.is_none() {
                let message =
                    format!("`{}` cannot be the name of a secret", crate::base::text::clean(name, 80));
                let help =
                    "use up to 64 lower-case letters, digits and hyphens, beginning with a letter or digit";
                reader.report.add(Diagnostic::error("bad-name", node.place, message).help(help));
            }
            found
        }
        NodeValue::Text(text) if matches!(takes, Takes::TextOrSecret | Takes::ConnectionString) => {
            if has_password(text) {
                return literal(reader, node, at);
            }
            let text = reader.template(node, at)?;
            if matches!(takes, Takes::ConnectionString) {
                check_connection_string(reader, &text, node, at);
            }
            Some(Value::Text(text))
        }
        NodeValue::Text(_) => literal(reader, node, at),
        _ => reader.wrong_type(takes, node, at),
    }
}

/// What cannot be met, before the night on which it is needed. One that comes from a secret is looked at when it is used.
fn check_connection_string(reader: &Reader<'_>, text: &str, node: &Node, at: &At<'_>) {
    if text.contains("{{") {
        return;
    }
    if let Err(why) = (reader.registry.database)(text) {
        let message = format!("`{}` of {} cannot be used: {}", at.key, at.what, why);
        let help = "write `host=… port=5432 dbname=… user=… sslmode=verify-full`, or a postgresql:// URL";
        reader.report.add(Diagnostic::error("connection-string", node.place, message).help(help));
    }
}

fn literal(reader: &Reader<'_>, node: &Node, at: &At<'_>) -> Option<Value> {
    let message = format!("`{}` of {} holds a secret in plain text", at.key, at.what);
    let help = "store it with `lifeboat secret set NAME` and write `{ secret = \"NAME\" }` here";
    reader.report.mask(node.place);
    reader.report.add(Diagnostic::error("literal-secret", node.place, message).help(help));
    None
}

/// A password in an address or in the keyword form of PostgreSQL's connection strings.
fn has_password(text: &str) -> bool {
    matches(&PASSWORD, text)
}

static PASSWORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(://[^/\s:@]*:[^@\s/{]+@)|(\b(ssl)?password\s*=\s*[^\s{])").ok());

static CREDENTIAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let key = r"(?i:\b(password|passwd|secret|token|api[_-]?key)\b\s*[=:]\s*['\x22]?[^\s'\x22{]{6,})";
    let address = r"://[^/\s:@]*:[^@\s/{]+@";
    Regex::new(&format!(r"{key}|{address}|\bAKIA[0-9A-Z]{{16}}\b|-----BEGIN [A-Z ]*PRIVATE KEY")).ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Warns where a text looks as if it held a credential.
pub(crate) fn warn_of_credentials(reader: &Reader<'_>, text: &str, node: &Node, at: &At<'_>) {
    if matches(&CREDENTIAL, text) {
        let message = format!("`{}` of {} looks as if it held a credential", at.key, at.what);
        let help = "name secrets with `{ secret = \"name\" }`: plans are shown, journaled and shared";
        reader.report.mask(node.place);
        reader.report.add(Diagnostic::warning("literal-secret", node.place, message).help(help));
    }
}
