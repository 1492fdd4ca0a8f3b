//! What can be wrong with the keys of requests and JSON, found before anything is asked.

use crate::plan::params::{Param, Params};
use crate::probes::BuildError;
use reqwest::header::{HeaderName, HeaderValue};

/// The keys of a request: its method, and the names and values of its headers as far as they stand in the plan.
pub(crate) fn request(params: &Params, url: &str) -> Vec<BuildError> {
    let method = super::Request::of(params, url, params.text("method").unwrap_or("GET")).err();
    method.into_iter().chain(headers(params)).collect()
}

/// Headers that cannot be sent.
pub(crate) fn headers(params: &Params) -> impl Iterator<Item = BuildError> {
    params.table("headers").filter_map(|(name, value)| header(name, value))
}

/// What no program can be given: arguments with a zero byte under `argv` and the like, and names that no environment
/// has.
pub(crate) fn program(params: &Params, argv: &[&str]) -> Vec<BuildError> {
    let arguments = argv.iter().filter_map(|key| {
        let argument = params.texts(key).into_iter().find(|argument| argument.contains('\0'))?;
        let why = "an argument holds a zero byte, which ends it for every program";
        Some(BuildError::value(key, argument, why))
    });
    let variable = |key: &str, name: &str| {
        let fits = !name.is_empty() && !name.contains(['=', '\0']);
        let why = format!("`{}` is no name of a variable", crate::text::clean(name, 60));
        (!fits).then(|| BuildError::value(key, name, why))
    };
    let set = params.table("env").filter_map(|(name, _)| variable("env", name));
    let passed = params.texts("pass_env").into_iter().filter_map(|name| variable("pass_env", name));
    arguments.chain(set).chain(passed).collect()
}

fn header(name: &str, value: &Param) -> Option<BuildError> {
    if name.parse::<HeaderName>().is_err() {
        return Some(BuildError::value(
            "headers",
            name,
            format!("`{}` is no name of a header", crate::text::clean(name, 60)),
        ));
    }
    let literal = value.as_text()?;
    let why = format!("the value of `{name}` holds what no header may: a line end or a control character");
    HeaderValue::from_str(literal).is_err().then(|| BuildError::value("headers", name, why))
}

/// A place in JSON.
pub(crate) fn pointer(params: &Params, key: &str) -> Option<BuildError> {
    params.text(key).and_then(|pointer| place(key, pointer))
}

/// A place in JSON under a key.
pub(crate) fn place(key: &str, pointer: &str) -> Option<BuildError> {
    let fits = pointer.is_empty() || pointer.starts_with('/');
    let why = "a JSON pointer begins with a slash (`/lag/seconds`)";
    (!fits).then(|| BuildError::value(key, pointer, why))
}
