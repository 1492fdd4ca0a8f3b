//! `smtp`: emails through a mail server.

pub mod client;
mod mail;
#[cfg(test)]
mod tests;

use super::{Provider, row};
use crate::base::host::host_fault;
use crate::base::text::clean;
use crate::core::words::notification::{Again, Receipt, Undelivered};
use crate::kinds::channel::{Built, Notifier, Outgoing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, NotifierKind};
use crate::plan::params::{Param, Params};
use crate::plan::{Capabilities, Channel};
use crate::providers::clients::Clients;
use crate::providers::smtp::client::{Login, Mailing, Security, SmtpError, SmtpServer, Stage};
use crate::secrets::SecretRef;
use futures::future::BoxFuture;
use lettre::message::Mailbox;
use std::net::IpAddr;
use std::time::Duration;

/// Mail.
pub(super) static PROVIDER: Provider = Provider { channels: &[row!(self)], ..Provider::NONE };

/// The kind.
pub static KIND: NotifierKind = NotifierKind {
    name: "smtp",
    doc: "Sends each recipient an email of their own through a mail server, as plain text. TLS comes before anything \
          else: a server that offers none, or whose certificate is not trusted, gets neither password nor message. \
          A repeated message has the same Message-ID, so that mail programs can drop the second one; messages of one \
          incident to one address refer to its first. Greylisting and other answers with 4xx are tried again; with \
          5xx, and when the connection breaks after the text went out, they are not.",
    address: Some("email"),
    // Not `threads`: that would have a page wait for the answer to the one before. The reference to the first message
    // is there whenever its receipt is.
    capabilities: |_| Capabilities { repeatable: false, has_alerts: false, threads: false, tracks: false },
    keys: &[
        Key::required("host", Takes::Text, "The mail server; its certificate has to be for this name."),
        Key::optional(
            "port",
            Takes::Integer(1, 65535),
            "Its port; 587 with `starttls`, 465 with `tls`, 25 with `none` when absent.",
        ),
        Key::default(
            "tls",
            Takes::Choice(&["starttls", "tls", "none"]),
            "starttls",
            "How the connection is protected. With `none` messages go out in clear text, and each receipt says so; \
             a password is then sent to this host itself only (`localhost`, `127.0.0.1`).",
        ),
        Key::optional("username", Takes::Text, "The user name, where the server wants a login."),
        Key::optional("password", Takes::Secret, "Its password."),
        Key::required(
            "from",
            Takes::Text,
            "The sender: `lifeboat@example.com` or `Lifeboat <lifeboat@example.com>`.",
        ),
        Key::optional(
            "hello",
            Takes::Text,
            "What lifeboat calls itself towards the server (EHLO), as in `bastion.example.com`: some take a full host name only. \
             This host's own name when absent.",
        ),
        Key::optional("reply_to", Takes::Text, "Where answers go, when not to the sender."),
        Key::optional("tls_roots", Takes::Text, "PEM file of the trusted roots instead of the platform's."),
    ],
    permissions: &[],
    example: r#"[channels.example]
title = "Email"
kind = "smtp"
host = "smtp.example.com"
username = "lifeboat@example.com"
password = { secret = "smtp-password" }
from = "Lifeboat <lifeboat@example.com>"
"#,
    ends: None,
};

pub(crate) fn build(channel: &Channel, clients: &Clients) -> Built {
    let params = &channel.params;
    let host = params.require_text("host")?.trim().to_owned();
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if !is_address && (host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/:@[]".contains(c))) {
        let why = "it takes the name or address of the mail server alone (`smtp.example.com`); the port stands in `port`";
        return Err(BuildError::value("host", &clean(&host, 80), why));
    }
    if let Some(why) = host_fault(&host) {
        return Err(BuildError::value("host", &clean(&host, 80), why));
    }
    let security = match params.text("tls") {
        Some("tls") => Security::Tls,
        Some("none") => Security::None,
        _ => Security::StartTls,
    };
    let login = login(params, &host, security)?;
    let port = params.integer("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(match security {
        Security::StartTls => 587,
        Security::Tls => 465,
        Security::None => 25,
    });
    let roots = params.text("tls_roots").map(Into::into);
    Ok(Box::new(Smtp {
        server: SmtpServer { host, port, security, roots, hello: hello(params)? },
        login,
        from: mailbox(params.require_text("from")?, "from")?,
        reply_to: params.text("reply_to").map(|text| mailbox(text, "reply_to")).transpose()?,
        timeout: channel.timeout.unsigned_abs(),
        clients: clients.clone(),
    }))
}

fn login(params: &Params, host: &str, security: Security) -> Result<Option<(String, SecretRef)>, BuildError> {
    let wrong = |key: &str, value: &str, why: &str| BuildError::Value {
        key: key.into(),
        value: clean(value, 80),
        why: why.into(),
    };
    let password = match params.get("password") {
        Some(Param::Secret(reference)) => Some(reference.clone()),
        _ => None,
    };
    match (params.text("username"), password) {
        (None, None) => Ok(None),
        (Some(name), None) => Err(wrong("username", name, "a user name goes with a `password`")),
        (None, Some(_)) => Err(wrong("password", "…", "a password goes with a `username`")),
        (Some(_), Some(_)) if security == Security::None && !is_loopback(host) => Err(wrong(
            "tls",
            "none",
            "the password would cross the network in clear text: use `starttls` or `tls`, or leave out the login",
        )),
        (Some(name), Some(password)) => Ok(Some((name.to_owned(), password))),
    }
}

/// A name as EHLO takes it: labels of letters, digits and hyphens.
fn hello(params: &Params) -> Result<Option<String>, BuildError> {
    let Some(name) = params.text("hello").map(str::trim) else { return Ok(None) };
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match name.split('.').all(label) {
        true => Ok(Some(name.to_owned())),
        false => Err(BuildError::Value {
            key: "hello".into(),
            value: clean(name, 80),
            why: "write a host name, as in `bastion.example.com`".into(),
        }),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn mailbox(text: &str, key: &str) -> Result<Mailbox, BuildError> {
    text.trim().parse().map_err(|error: lettre::address::AddressError| BuildError::Value {
        key: key.into(),
        value: clean(text, 80),
        why: format!(
            "{error}; write `name@example.com` or `Name <name@example.com>`, a name with a comma in quotes"
        ),
    })
}

struct Smtp {
    server: SmtpServer,
    login: Option<(String, SecretRef)>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    timeout: Duration,
    clients: Clients,
}

impl Notifier for Smtp {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(self.deliver(outgoing))
    }

    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async {
            let login = self.resolved().await?;
            if let Err(error) = self.server.look(login.as_ref(), self.timeout).await {
                return Err(self.undelivered(&error).await);
            }
            let who = login
                .map_or("without a login".to_owned(), |login| format!("logged in as {}", login.username));
            Ok(Some(format!("{} answers, {who}{}", self.server.name(), self.in_clear())))
        })
    }
}

impl Smtp {
    async fn deliver(&self, outgoing: &Outgoing) -> Result<Receipt, Undelivered> {
        let mail = mail::compose(outgoing, &self.from, self.reply_to.as_ref())?;
        let login = self.resolved().await?;
        let mailing = Mailing { from: &self.from.email, to: &mail.to, content: &mail.content };
        let answer = match self.server.deliver(login.as_ref(), &mailing, self.timeout).await {
            Ok(answer) => self.redacted(&answer),
            Err(error) => return Err(self.undelivered(&error).await),
        };
        Ok(Receipt {
            id: queue_id(&answer).map_or_else(|| mail.message_id.clone(), str::to_owned),
            thread: mail.thread,
            answer: format!("{answer}{}", self.in_clear()),
            cut: mail.cut,
        })
    }

    fn in_clear(&self) -> &'static str {
        match self.server.security {
            Security::None => "; IN CLEAR TEXT, without TLS",
            _ => "",
        }
    }

    async fn resolved(&self) -> Result<Option<Login>, Undelivered> {
        let Some((username, password)) = &self.login else { return Ok(None) };
        let password = self.clients.secrets.resolve(password).await.map_err(|error| Undelivered {
            why: self.redacted(&error.to_string()),
            next: "Store it with `lifeboat secret set`, or correct its name in the plan.".into(),
            again: Again::Never,
        })?;
        Ok(Some(Login { username: username.clone(), password }))
    }

    fn redacted(&self, text: &str) -> String {
        self.clients.redactor.redact(text)
    }

    async fn undelivered(&self, error: &SmtpError) -> Undelivered {
        if let (Stage::Login, Some((_, password))) = (error.stage, &self.login) {
            // It may have been renewed: the next attempt looks it up again.
            self.clients.secrets.forget(password).await;
        }
        let again = match (error.may_have_arrived(), error.can_pass()) {
            (true, _) => Again::Maybe,
            (false, true) => Again::After(None),
            (false, false) => Again::Never,
        };
        Undelivered { why: self.redacted(&error.why(&self.server.name())), next: error.next_step(), again }
    }
}

/// The name that the server gave the mail, where its words have one: Postfix (`queued as 4F3K…`),
/// Exim (`id=1sXyZ-…`).
fn queue_id(answer: &str) -> Option<&str> {
    let word = |rest: &str| -> Option<usize> {
        let end = rest.find(|c: char| c.is_whitespace() || c == ',' || c == ')').unwrap_or(rest.len());
        (end > 0).then_some(end)
    };
    ["queued as ", "id="].into_iter().find_map(|mark| {
        let rest = answer.split_once(mark)?.1;
        Some(&rest[..word(rest)?])
    })
}
