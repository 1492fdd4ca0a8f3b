//! What can go wrong with a mail server, and how far it had come.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use super::link::WithoutEnd;
use crate::base::text::clean;
use crate::providers::net::tls::{explain, tls_error_in};

/// The longest answer of a server that is shown, in characters.
const WORDS_LIMIT_CHARS: usize = 400;

/// How far a conversation had come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The name is looked up and the connection made.
    Connect,
    /// The server has to greet.
    Greeting,
    /// The connection gets TLS.
    Tls,
    /// Both tell who they are.
    Hello,
    /// User name and password.
    Login,
    /// Whom the mail is from.
    Sender,
    /// Whom it is for.
    Recipient,
    /// The server has to say that it is ready for the mail.
    Data,
    /// The mail is on its way: from here on nobody knows without the server's answer.
    Content,
}

impl Stage {
    fn what(self) -> &'static str {
        match self {
            Self::Connect | Self::Greeting => "the connection",
            Self::Tls => "TLS",
            Self::Hello => "EHLO",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data => "DATA",
            Self::Content => "the message",
        }
    }
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The server said no: its code and words.
    Refused(u16, String),
    /// There is no connection.
    Unreachable(String),
    /// The connection ended in the middle.
    Cut(String),
    /// No answer within this time.
    Late(Duration),
    /// TLS cannot be had: why, and what to do.
    NoTls(String, String),
    /// The server offers no STARTTLS, or not in earnest.
    NoStartTls(String),
    /// The server offers no way to log in that lifeboat knows.
    NoLogin,
    /// The server takes no addresses beyond ASCII.
    NoUnicode,
    /// What answers is no mail server.
    NotSmtp(String),
}

/// A conversation that did not end well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpError {
    /// How far it had come.
    pub stage: Stage,
    /// What went wrong.
    pub fault: Fault,
}

impl Fault {
    /// An error of the mail library.
    pub(super) fn of(error: &lettre::transport::smtp::Error) -> Self {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        if let Some(code) = error.status() {
            return Self::Refused(code.into(), shown(&words));
        }
        if let Some(fault) = tls_error_in(error) {
            let (why, next) = explain(fault);
            return Self::NoTls(why, next);
        }
        if is_without_end(error) {
            return Self::NotSmtp(WithoutEnd.to_string());
        }
        match error.is_response() && words != "incomplete response" {
            true => Self::NotSmtp(shown(&words)),
            false => Self::Cut(shown(&words)),
        }
    }

    /// An error of the connection itself.
    pub(super) fn of_io(error: &std::io::Error) -> Self {
        match tls_error_in(error) {
            Some(fault) => {
                let (why, next) = explain(fault);
                Self::NoTls(why, next)
            }
            None if error.kind() == ErrorKind::UnexpectedEof => Self::Cut("end of the connection".into()),
            None => Self::Cut(shown(&error.to_string())),
        }
    }
}

fn is_without_end(error: &lettre::transport::smtp::Error) -> bool {
    let of_connection = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    of_connection.and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<WithoutEnd>())
}

/// A server's words, made safe.
pub(super) fn shown(words: &str) -> String {
    clean(words.trim(), WORDS_LIMIT_CHARS)
}

impl SmtpError {
    /// Whether the mail may have arrived although this came back.
    pub fn may_have_arrived(&self) -> bool {
        // A refusal is an answer; everything else after the first byte of the mail leaves it open.
        self.stage == Stage::Content && !matches!(self.fault, Fault::Refused(..))
    }

    /// Whether the same can work later.
    pub fn can_pass(&self) -> bool {
        match &self.fault {
            Fault::Refused(code, _) => *code < 500,
            Fault::Unreachable(_) | Fault::Cut(_) | Fault::Late(_) => true,
            _ => false,
        }
    }

    /// Why, on a server (`mail.example.com:587`).
    pub fn why(&self, server: &str) -> String {
        let what = self.stage.what();
        match &self.fault {
            Fault::Refused(code, words) => format!("{server} refused {what}: {code} {words}"),
            Fault::Unreachable(why) => format!("{server} cannot be reached: {why}"),
            Fault::Cut(why) if self.stage == Stage::Greeting => {
                format!("{server} ended the connection without a greeting ({why})")
            }
            Fault::Cut(why) => format!("{server} ended the connection at {what} ({why})"),
            Fault::Late(limit) => {
                let limit = crate::base::words::seconds(limit.as_secs_f64());
                format!("{server} gave no answer to {what} within {limit}")
            }
            Fault::NoTls(why, _) => format!("no TLS with {server}: {why}"),
            Fault::NoStartTls(why) => format!("{server} gives no TLS: {why}; nothing was sent in clear text"),
            Fault::NoLogin => format!("{server} offers no login by user name and password (PLAIN or LOGIN)"),
            Fault::NoUnicode => {
                format!("{server} takes no addresses with letters beyond ASCII (it offers no SMTPUTF8)")
            }
            Fault::NotSmtp(said) => format!("what answers at {server} is no mail server: {said}"),
        }
    }

    /// What an operator can do.
    pub fn next_step(&self) -> String {
        if self.may_have_arrived() {
            return "Ask the recipient whether it arrived, or tell them otherwise.".into();
        }
        match (&self.fault, self.stage) {
            (Fault::Refused(code, _), _) if *code < 500 => {
                "It is tried again by itself while there is time; the server asks for later.".into()
            }
            (Fault::Refused(_, words), _) if is_about_our_name(words) => {
                "Set the channel's `hello` to this host's full name, as in `bastion.example.com`.".into()
            }
            (Fault::Refused(..), Stage::Login) => {
                "Renew `password` (`lifeboat secret set`) or correct `username`, then `lifeboat notify check`."
                    .into()
            }
            (Fault::Refused(530, _), _) => "The server wants a login: give `username` and `password`.".into(),
            (Fault::Refused(552, _), _) => "Make the message shorter; the server takes no more.".into(),
            (Fault::Refused(..), Stage::Sender) => {
                "Correct `from`, or have the server allow it for this login.".into()
            }
            (Fault::Refused(..), Stage::Recipient) => {
                "Correct the contact's address in the plan, or tell them otherwise.".into()
            }
            (Fault::Refused(..), _) => "Ask who runs the mail server; tell them otherwise meanwhile.".into(),
            (Fault::Unreachable(_), _) => {
                "Check `host` and `port`, DNS and firewall from this host; it is tried again by itself.".into()
            }
            (Fault::Cut(_) | Fault::Late(_), _) => {
                "The server has trouble, or something in between; it is tried again by itself.".into()
            }
            (Fault::NoTls(_, next), _) => next.clone(),
            (Fault::NoStartTls(_), _) => {
                "Have the server offer STARTTLS, or set `tls = \"tls\"` with the port for it (465).".into()
            }
            (Fault::NoLogin, _) => {
                "Have the server allow PLAIN or LOGIN for this account (an app password), or use another server."
                    .into()
            }
            (Fault::NoUnicode, _) => "Give an address of ASCII letters, or use another server.".into(),
            (Fault::NotSmtp(_), _) => {
                "Check `host`, `port` and `tls`: 587 goes with `starttls`, 465 with `tls`.".into()
            }
        }
    }
}

/// Whether a refusal speaks of what this host calls itself, as Postfix and others word it.
fn is_about_our_name(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["helo command", "ehlo command", "fully-qualified hostname", "fully qualified hostname"]
        .iter()
        .any(|part| words.contains(part))
}
