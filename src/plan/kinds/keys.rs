//! What can be wrong with keys that many kinds have, found before anything is asked: headers, programs, paths, places
//! in JSON.

use crate::plan::kinds::BuildError;
use crate::plan::params::{Param, Params};
use reqwest::header::{HeaderName, HeaderValue};

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
        let why = format!("`{}` is no name of a variable", crate::base::text::clean(name, 60));
        (!fits).then(|| BuildError::value(key, name, why))
    };
    let set = params.table("env").filter_map(|(name, _)| variable("env", name));
    let passed = params.texts("pass_env").into_iter().filter_map(|name| variable("pass_env", name));
    let patterns = params.texts("pass_env").into_iter().filter_map(unpassed);
    let folder = params.text("folder").and_then(|folder| home("folder", folder));
    let unread = argv.iter().filter_map(|key| unread(key, &params.texts(key), params.flag("shell")));
    arguments.chain(set).chain(passed).chain(patterns).chain(folder).chain(unread).collect()
}

/// A name of `pass_env` that is never one of a variable that is passed on.
fn unpassed(name: &str) -> Option<BuildError> {
    let shown = crate::base::text::clean(name, 60);
    let why = if name.contains(['*', '?', '[', '{']) {
        format!(
            "`{shown}` is taken as it stands, and no variable is called so: name each variable for itself"
        )
    } else if name.contains(|c: char| c.is_whitespace() || "$%,;:".contains(c)) {
        format!(
            "`{shown}` is no name of a variable: write it bare and each for itself, as in `[\"KUBECONFIG\", \"TZ\"]`"
        )
    } else if name.starts_with("LIFEBOAT_SECRET_") {
        "lifeboat's own secrets are never passed on: write `env.NAME = { secret = \"…\" }`".to_owned()
    } else {
        return None;
    };
    Some(BuildError::value("pass_env", name, why))
}

/// A path below `~`, which only shells know.
pub(crate) fn home(key: &str, path: &str) -> Option<BuildError> {
    let why = "no shell reads it, and only a shell knows `~`: write the whole path, as in `/home/ops/…`";
    (path == "~" || path.starts_with("~/")).then(|| BuildError::value(key, path, why))
}

/// The same of the path under a key.
pub(crate) fn home_of(params: &Params, key: &str) -> Option<BuildError> {
    params.text(key).and_then(|path| home(key, path))
}

/// Programs that give their arguments to a shell, here or on another host.
const SHELLS: [&str; 14] = [
    "sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "ssh", "autossh", "mosh", "su", "sudo", "eval",
    "parallel",
];
/// Programs for which such a word is an argument of their own.
const TAKES_SIGNS: [&str; 5] = ["expr", "test", "[", "find", "rsync"];
/// What joins commands or turns output away, in a shell.
const SIGNS: [&str; 10] =
    ["|", "||", "&&", ">", ">>", "2>&1", ">/dev/null", "2>/dev/null", "&>/dev/null", "|&"];

/// An argument that means something to a shell only, where none reads it.
fn unread(key: &str, argv: &[&str], shell: bool) -> Option<BuildError> {
    let is = |word: &str, names: &[&str]| names.contains(&word.rsplit('/').next().unwrap_or(word));
    // A shell may also be what another program starts.
    if shell || argv.iter().any(|word| is(word, &SHELLS)) {
        return None;
    }
    if let Some(error) = argv.iter().find_map(|argument| home(key, argument)) {
        return Some(error);
    }
    let signs = argv.first().is_some_and(|first| is(first, &TAKES_SIGNS));
    let is_sign = |word: &&&str| !signs && SIGNS.contains(*word);
    let is_variable = |word: &&&str| {
        ["$HOME", "${HOME}", "$USER", "${USER}", "$PWD"].iter().any(|name| word.starts_with(name))
    };
    let word = argv.iter().find(|word| is_sign(word) || is_variable(word))?;
    let shown = crate::base::text::clean(word, 60);
    let why = format!(
        "no shell reads it, so that the program gets `{shown}` as it stands: write `[\"sh\", \"-c\", \"…\"]`, or what \
         the shell would make of it"
    );
    Some(BuildError::value(key, word, why))
}

fn header(name: &str, value: &Param) -> Option<BuildError> {
    if name.parse::<HeaderName>().is_err() {
        return Some(BuildError::value(
            "headers",
            name,
            format!("`{}` is no name of a header", crate::base::text::clean(name, 60)),
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
    let begins = pointer.is_empty() || pointer.starts_with('/');
    let is_escaped = pointer.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    let why = match (begins, is_escaped) {
        (true, true) => return None,
        (false, _) => "a JSON pointer begins with a slash (`/lag/seconds`)",
        (true, false) => {
            "in a JSON pointer `~` begins `~0`, which is a `~`, or `~1`, which is a `/` within a name (RFC 6901)"
        }
    };
    Some(BuildError::value(key, pointer, why))
}
