//! Why a name has no address, and whose fault that is.

use std::io;

use crate::base::shortage::{OWN_FAULT, is_own_fault, own_shortage};
use crate::base::text::clean;

/// How C libraries say that name servers answered, and that there is no such name or no address of it: EAI_NONAME and
/// EAI_NODATA of glibc, musl and macOS. Rust keeps the text of getaddrinfo's error and not its number; the text is
/// never translated, because nothing here sets a locale.
const NO_ADDRESS: &[&str] = &[
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
];

/// A name without an address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// The name servers know no such name, and answer for another one: whoever uses the name fails.
    #[error(
        "the name {host} is gone: the name servers know no address of it, and answer for {other}{}",
        if *before { "" } else { " (it never had one since the engine began: a misspelt name looks the same)" }
    )]
    Gone {
        host: String,
        /// Which name they answer for.
        other: String,
        /// It had an address before.
        before: bool,
    },
    /// There is no such name, and nothing shows that whoever says so answers rightly.
    #[error(
        "this host finds no address of {host}, and no other name that would show that its name servers answer"
    )]
    NoAddress { host: String },
    /// No name server answers, or with a failure of its own.
    #[error("the name servers of this host do not answer for {host}: {why}")]
    Silent {
        host: String,
        /// What the system says.
        why: String,
    },
    /// This host has no open files, memory or ports left to ask.
    #[error("this host cannot ask for {host}: {why}")]
    ThisHost {
        host: String,
        /// What it lacks.
        why: String,
    },
}

impl NameError {
    /// Sorts an error of the system.
    pub(super) fn of(error: &io::Error, host: &str) -> Self {
        let (host, text) = (host.to_owned(), error.to_string());
        let own = is_own_fault(error).then(|| text.clone());
        if let Some(why) = own.or_else(own_shortage) {
            return Self::ThisHost { host, why };
        }
        if NO_ADDRESS.iter().any(|words| text.contains(words)) {
            return Self::NoAddress { host };
        }
        let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        Self::Silent { host, why: clean(why, 200) }
    }

    /// What is said where the deadline came before the answer.
    pub(crate) fn late(host: &str) -> Self {
        Self::Silent { host: host.to_owned(), why: "no answer in time".to_owned() }
    }

    /// What the operator can do now.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Gone { .. } => {
                "Look at the record and its zone (`dig NAME`, `whois DOMAIN`), and at the name in the plan. Where only a \
                 network of your own knows it, see that /etc/resolv.conf asks the name servers of that network."
            }
            Self::NoAddress { .. } => {
                "Check the name in the plan, and this host's DNS with `getent hosts NAME`. A probe of a host by its name \
                 in `[policy] reference` tells a name that is gone from name servers that fail."
            }
            Self::Silent { .. } => {
                "Check this host's name servers: /etc/resolv.conf, and `getent hosts NAME`. It says nothing of the service."
            }
            Self::ThisHost { .. } => OWN_FAULT,
        }
    }
}
