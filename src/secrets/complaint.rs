//! What looks like a credential that nobody told lifeboat of: a program that signs in, or renders with credentials, may say one.
//! Rather a word too few than one too many: what it says is kept for ever.

use regex::Regex;
use std::sync::LazyLock;

const HIDDEN: &str = "[hidden]";

/// A line without what looks like a credential.
fn hidden(line: &str) -> String {
    static CREDENTIALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let quoted = r"(?:\x22[^\x22]*\x22?|'[^']*'?|\S+)";
        let names = "passw|passphrase|pwd|secret|token|api.?key|access.?key|private|credential|cookie|session.?id|authorization";
        let named = format!(r"(?i)[\w-]*(?:{names})[\w-]*[\x22']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?{quoted}");
        let option = format!(r"(?i)--?[\w-]*(?:{names})[\w-]*\s+{quoted}");
        let scheme = r"(?i)\b(?:bearer|basic)\s+\S+";
        let user = r"[a-zA-Z][\w+.-]*://[^\s/@]*@";
        let long = r"[A-Za-z0-9+/_=.-]*(?:[0-9][A-Za-z+/_=-]*){3}[A-Za-z0-9+/_=.-]{12,}";
        Regex::new(&format!("eyJ\\S*|{named}|{option}|{scheme}|{user}|{long}")).ok()
    });
    match &*CREDENTIALS {
        Some(regex) if !line.contains("-----") => regex.replace_all(line, HIDDEN).into_owned(),
        _ => HIDDEN.to_owned(),
    }
}

/// The last line of what such a program said, without what looks like a credential.
pub fn last_line(said: &str) -> String {
    hidden(said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_credential_is_not_shown() {
        for (said, shown) in [
            ("refused for eyJhbGciOi.eyJzdWIi.x-Y_z", "refused for [hidden]"),
            ("aws_secret_access_key=wJalrXUtnFEMI password: hunter2", "[hidden] [hidden]"),
            (r#"{"token": "abc", "password" : "two words"}"#, r#"{"[hidden], "[hidden]}"#),
            ("see https://bob:hunter2pw@idp.corp/x", "see [hidden]idp.corp/x"),
            ("Authorization: Bearer opaque0123456789abcd", "[hidden]"),
            ("got Basic Ym9iOmh1bnRlcjI= back", "got [hidden] back"),
            ("az login --password hunter2pw failed", "az login [hidden] failed"),
            ("passphrase: abc pwd=hunter3 cookie: SESS=abcd", "[hidden] [hidden] [hidden]"),
            ("key\n-----END PRIVATE KEY-----\n", "[hidden]"),
            ("AKIA1234567890ABCDEF is not known", "[hidden] is not known"),
            ("a first line\nthe SSO session is over\n", "the SSO session is over"),
            (
                "oauth: invalid_grant: reauthentication is needed",
                "oauth: invalid_grant: reauthentication is needed",
            ),
        ] {
            assert_eq!(last_line(said), shown);
        }
    }
}
