//! The environment of this process as a value, taken once at the edge.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Variables that every child process gets when they are set here: enough to find programs, a home folder,
/// and to speak the operator's language. `LC_ALL` and `TZ` because output is read by people and by patterns.
const ALWAYS_PASSED: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The variables by which libraries find a proxy, in lower case.
const PROXY_VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// A snapshot of environment variables. It may hold secrets, so it cannot be printed.
#[derive(Clone, Default)]
pub struct Environment {
    variables: std::sync::Arc<BTreeMap<OsString, OsString>>,
}

impl Environment {
    /// The variables of this process, now.
    pub fn of_this_process() -> Self {
        std::env::vars_os().collect()
    }

    /// One variable's value.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The names of all variables, in order.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.variables.keys().map(OsString::as_os_str)
    }

    /// Whether libraries would find a proxy in it.
    pub fn names_a_proxy(&self) -> bool {
        let mut names = self.names().filter_map(|name| name.to_str());
        names.any(|name| PROXY_VARIABLES.contains(&&*name.to_ascii_lowercase()))
    }

    /// What a child process gets: a few harmless variables and the `allowed` ones, where set. Variables that
    /// hold lifeboat's own secrets are never passed on, whatever is allowed.
    pub fn for_child<'a>(&self, allowed: impl IntoIterator<Item = &'a str>) -> Vec<(OsString, OsString)> {
        let mut names: Vec<&str> = ALWAYS_PASSED.into_iter().chain(allowed).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !name.starts_with("LIFEBOAT_SECRET_"));
        names.into_iter().filter_map(|name| Some((name.into(), self.get(name)?.to_owned()))).collect()
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let variables: BTreeMap<_, _> =
            pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { variables: variables.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_gets_what_is_allowed_and_no_secret() {
        let environment: Environment = [
            ("PATH", "/bin"),
            ("AWS_PROFILE", "dr"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LIFEBOAT_SECRET_DB", "hunter22"),
        ]
        .into_iter()
        .collect();
        let child = environment.for_child(["AWS_PROFILE", "LIFEBOAT_SECRET_DB", "NOT_SET"]);
        assert_eq!(child, [("AWS_PROFILE".into(), "dr".into()), ("PATH".into(), "/bin".into())]);
    }
}
