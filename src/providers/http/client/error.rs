//! What can go wrong with an HTTP request, told apart so that the operator knows what it means.

use crate::base::problem::Problem;
use std::error::Error;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::shortage::{OWN_FAULT, is_own_fault};
use crate::providers::net::names::NameError;
use crate::providers::net::own_clock;
use crate::providers::net::tls::{explain, tls_error_in};
use crate::secrets::Redactor;

/// The longest message, in characters.
const MESSAGE_LIMIT_CHARS: usize = 500;

/// What went wrong, as far as it makes a difference to the operator. An HTTP status is never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpErrorKind {
    /// The URL, a header or this host's TLS set-up is wrong; nothing was sent.
    Configuration,
    /// This host has no open files, memory or ports left; nothing was sent.
    ThisHost,
    /// This host's clock is wrong, so that no certificate can be checked.
    OwnClock,
    /// The host's name has no address, and whose fault that is cannot be told.
    NoSuchHost,
    /// The host's name is gone: its name servers say so, and answer for other names.
    NameGone,
    /// The host is there and nothing listens on the port.
    Refused,
    /// The host or its network cannot be reached.
    Unreachable,
    /// No complete answer within the deadline.
    Timeout,
    /// TLS failed; the message says what is wrong with the certificate.
    Tls,
    /// More redirects than are followed, or one that leads nowhere.
    Redirects,
    /// The server closed the connection before its answer was complete.
    Closed,
    /// The answer is not HTTP.
    Protocol,
}

/// A request without an answer. Its text is redacted and cleaned; the URL in it has no query and no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct HttpError {
    /// What went wrong.
    pub kind: HttpErrorKind,
    /// Scheme, host, port and path.
    pub target: String,
    /// What happened, in words.
    pub message: String,
    next_step: Option<String>,
}

impl HttpError {
    pub(super) fn new(kind: HttpErrorKind, target: &str, message: &str) -> Self {
        Self { kind, target: target.to_owned(), message: message.to_owned(), next_step: None }
    }

    /// What is wrong with this host comes before the URL, which may be long.
    fn words(&self) -> String {
        match self.kind {
            HttpErrorKind::OwnClock => format!("{} ({})", self.message, self.target),
            _ => format!("{}: {}", self.target, self.message),
        }
    }

    pub(super) fn tls_setup(target: &str, error: &Problem) -> Self {
        let mut failed =
            Self::new(HttpErrorKind::Configuration, target, &format!("TLS cannot be set up: {error}"));
        failed.next_step = Some(error.next.clone());
        failed
    }

    /// Why a name has no address.
    pub(super) fn of_name(error: &NameError, target: &str) -> Self {
        let kind = match error {
            NameError::Gone { .. } => HttpErrorKind::NameGone,
            NameError::NoAddress { .. } | NameError::Silent { .. } => HttpErrorKind::NoSuchHost,
            NameError::ThisHost { .. } => HttpErrorKind::ThisHost,
        };
        let mut failed = Self::new(kind, target, &error.to_string());
        failed.next_step = Some(error.next_step().to_owned());
        failed
    }

    /// No answer before the deadline.
    pub(super) fn late(deadline: Duration, target: &str) -> Self {
        let message = format!("no complete answer within {:.1} s", deadline.as_secs_f64());
        Self::new(HttpErrorKind::Timeout, target, &message)
    }

    /// Whether another address of the same name may do better: this one gave no connection.
    pub(super) fn is_of_one_address(&self) -> bool {
        use HttpErrorKind::{Closed, Protocol, Refused, ThisHost, Timeout, Unreachable};
        matches!(self.kind, Refused | Unreachable | Timeout | Closed | Protocol | ThisHost)
    }

    /// The same, where there was no connection to other addresses of the name.
    pub(super) fn after(mut self, passed_over: Vec<IpAddr>) -> Self {
        if !passed_over.is_empty() {
            self.message = format!("{}; no connection to {} either", self.message, listed(&passed_over));
        }
        self
    }

    /// Of the addresses that gave no connection the one that says most: what this host lacks (IPv6, for instance) says
    /// less than a refusal, and less than silence.
    pub(super) fn most_telling(mut failed: Vec<(IpAddr, Self)>) -> Option<Self> {
        let rank = |kind| match kind {
            HttpErrorKind::ThisHost => 0,
            HttpErrorKind::Unreachable => 1,
            HttpErrorKind::Timeout => 2,
            _ => 3,
        };
        let (best, _) = failed.iter().enumerate().max_by_key(|(_, (_, error))| rank(error.kind))?;
        let (_, error) = failed.remove(best);
        Some(error.after(failed.into_iter().map(|(address, _)| address).collect()))
    }

    /// As it may be told: redacted, clean, cut.
    pub(super) fn told(self, redactor: &Redactor) -> Self {
        Self {
            target: redactor.excerpt(&self.target, super::TARGET_LIMIT_CHARS),
            message: redactor.excerpt(&self.message, MESSAGE_LIMIT_CHARS),
            ..self
        }
    }

    /// Sorts an error of the HTTP library.
    pub(super) fn of(error: reqwest::Error, target: &str) -> Self {
        // The library's text names the URL with its query, which may hold a token.
        let error = error.without_url();
        if let Some(fault) = cause_in::<NameError>(&error) {
            return Self::of_name(fault, target);
        }
        if let Some(fault) = tls_error_in(&error) {
            let (why, next_step) = explain(fault);
            let mut failed = Self::new(HttpErrorKind::Tls, target, &format!("TLS failed: {why}"));
            failed.next_step = Some(next_step);
            return failed;
        }
        let text = innermost(&error);
        let io = cause_in::<std::io::Error>(&error);
        let (kind, message) = match io.map(std::io::Error::kind) {
            _ if io.is_some_and(is_own_fault) => (HttpErrorKind::ThisHost, text.as_str()),
            Some(ErrorKind::ConnectionRefused) => (HttpErrorKind::Refused, "connection refused"),
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown) => {
                (HttpErrorKind::Unreachable, text.as_str())
            }
            Some(ErrorKind::TimedOut) => (HttpErrorKind::Timeout, "the connection timed out"),
            Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
                (HttpErrorKind::Closed, "the server closed the connection")
            }
            _ if text.contains("closed before message completed") => {
                (HttpErrorKind::Closed, "the server closed the connection before its answer was complete")
            }
            _ if error.is_builder() => (HttpErrorKind::Configuration, text.as_str()),
            _ if error.is_timeout() => (HttpErrorKind::Timeout, "no answer in time"),
            _ => (HttpErrorKind::Protocol, text.as_str()),
        };
        Self::new(kind, target, message)
    }

    /// What the operator can do now.
    pub fn next_step(&self) -> String {
        if let Some(next_step) = &self.next_step {
            return next_step.clone();
        }
        match self.kind {
            HttpErrorKind::Configuration => "correct the URL or header in the plan",
            HttpErrorKind::ThisHost => OWN_FAULT,
            HttpErrorKind::OwnClock => own_clock::NEXT_STEP,
            HttpErrorKind::NoSuchHost | HttpErrorKind::NameGone => {
                "check the host's name in the plan, and this host's DNS with `getent hosts NAME`"
            }
            HttpErrorKind::Refused => {
                "the host answers and nothing listens on the port: check the service there"
            }
            HttpErrorKind::Unreachable => "check the route, the security group and the VPN from this host",
            HttpErrorKind::Timeout => {
                "check from another network whether it is down or only out of reach from here"
            }
            HttpErrorKind::Tls => "look at the server with `openssl s_client -connect HOST:PORT -showcerts`",
            HttpErrorKind::Redirects => {
                "follow it by hand with `curl -svL`, and put the final URL into the plan"
            }
            HttpErrorKind::Closed => "check the server's and the load balancer's log",
            HttpErrorKind::Protocol => "check with `curl -v` what answers there",
        }
        .to_owned()
    }
}

/// Addresses in words; of many the first few.
pub(super) fn listed(addresses: &[IpAddr]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = addresses.iter().take(SHOWN).map(IpAddr::to_string).collect();
    match addresses.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The cause at the end of the chain: the outer texts only say that a request failed.
fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The innermost cause of a type.
fn cause_in<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.filter_map(|error| error.downcast_ref()).last()
}
