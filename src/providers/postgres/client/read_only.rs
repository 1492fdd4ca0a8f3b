//! Whether a server makes new transactions read-only, told apart from what a session has set for itself.

/// The sources of a setting that hold for the whole server (`pg_settings.source`); `global` is `alter role all`.
const OF_THE_SERVER: [&str; 5] =
    ["default", "configuration file", "command line", "environment variable", "global"];

/// `default_transaction_read_only`, as one session can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadOnly {
    /// The server's own value.
    Known(bool),
    /// The session has a value of its own, which hides the server's.
    Hidden {
        /// The session's value.
        on: bool,
        /// What gave it to the session.
        by: &'static str,
    },
}

impl ReadOnly {
    /// From `source:setting`, as `pg_settings` has them for the session.
    pub fn of(column: &str) -> Self {
        let (source, setting) = column.rsplit_once(':').unwrap_or((column, ""));
        let on = setting == "on";
        if OF_THE_SERVER.contains(&source) {
            return Self::Known(on);
        }
        let by = match source {
            "user" => "`alter role … set`",
            "database" => "`alter database … set`",
            "database user" => "`alter role … in database … set`",
            "client" => "`options` of the connection string, or a pooler",
            _ => "the session itself, as a pooler leaves it",
        };
        Self::Hidden { on, by }
    }

    /// The server's value; none where the session hides it.
    pub fn known(&self) -> Option<bool> {
        match self {
            Self::Known(on) => Some(*on),
            Self::Hidden { .. } => None,
        }
    }

    /// Whether a primary may accept writes, as far as can be told.
    pub fn may_write(&self) -> bool {
        self.known() != Some(true)
    }

    /// Why the server's value is not known; none where it is.
    pub fn hidden(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Hidden { on, by } => {
                let value = if *on { "on" } else { "off" };
                Some(format!(
                    "its session's own default_transaction_read_only = {value}, by {by}, hides the server's"
                ))
            }
        }
    }

    /// What makes it known.
    pub const NEXT: &str = "Take it away there (`alter role … reset default_transaction_read_only`): what the role may not \
                            write, its grants say.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_of_the_server_tells_of_the_server() {
        for source in ["default", "configuration file", "command line", "environment variable", "global"] {
            assert_eq!(ReadOnly::of(&format!("{source}:on")), ReadOnly::Known(true), "{source}");
            assert!(ReadOnly::of(&format!("{source}:off")).may_write(), "{source}");
        }
        for source in ["user", "database", "database user", "client", "session", "what comes one day"] {
            for value in ["on", "off"] {
                let read = ReadOnly::of(&format!("{source}:{value}"));
                assert_eq!((read.known(), read.may_write()), (None, true), "{source}");
                assert!(read.hidden().is_some_and(|why| why.contains(value)), "{read:?}");
            }
        }
    }
}
