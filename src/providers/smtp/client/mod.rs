//! A conversation with a mail server: one mail, or only a look, within a deadline.

mod fault;
mod link;

use std::path::PathBuf;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

pub use fault::{Fault, SmtpError, Stage};

use crate::secrets::Secret;
use link::Link;

/// How long a server has for its good-bye; nobody waits for it longer.
const QUIT: Duration = Duration::from_millis(500);

/// How a conversation is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// It begins in clear text and turns to TLS before anything is said; without TLS it ends.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// A mail server and how to talk to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpServer {
    /// Its name, which its certificate has to be for.
    pub host: String,
    pub port: u16,
    /// How the conversation is protected.
    pub security: Security,
    /// PEM file of the trusted roots; the platform's when absent.
    pub roots: Option<PathBuf>,
    /// What this host calls itself (RFC 5321, 4.1.1.1); its own name when absent.
    pub hello: Option<String>,
}

/// User name and password.
pub struct Login {
    /// The user name.
    pub username: String,
    pub password: Secret,
}

/// A mail as it goes over the wire.
pub struct Mailing<'a> {
    /// Whom errors about it go to.
    pub from: &'a Address,
    pub to: &'a Address,
    /// Headers and text, ASCII only.
    pub content: &'a [u8],
}

impl SmtpServer {
    /// Its name and port, for people.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn client_id(&self) -> ClientId {
        self.hello.clone().map_or_else(ClientId::default, ClientId::Domain)
    }

    /// Hands over a mail once; gives the server's answer.
    ///
    /// # Errors
    /// With the stage: from [`Stage::Content`] on, the mail may have arrived.
    pub async fn deliver(
        &self,
        login: Option<&Login>,
        mail: &Mailing<'_>,
        within: Duration,
    ) -> Result<String, SmtpError> {
        self.converse(login, Some(mail), within).await
    }

    /// Connects, gets TLS, logs in and leaves.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    pub async fn look(&self, login: Option<&Login>, within: Duration) -> Result<(), SmtpError> {
        self.converse(login, None, within).await.map(drop)
    }

    async fn converse(
        &self,
        login: Option<&Login>,
        mail: Option<&Mailing<'_>>,
        within: Duration,
    ) -> Result<String, SmtpError> {
        let (mut stage, mut open) = (Stage::Connect, None);
        let ended = timeout(within, self.talk(&mut stage, &mut open, login, mail, within)).await;
        let late = ended.is_err();
        if let Some(mut connection) = open.filter(|_| !late) {
            // The answer is there; whether the good-bye is heard changes nothing.
            let _ = timeout(QUIT, connection.quit()).await;
        }
        ended.unwrap_or(Err(Fault::Late(within))).map_err(|fault| SmtpError { stage, fault })
    }

    async fn talk(
        &self,
        stage: &mut Stage,
        open: &mut Option<AsyncSmtpConnection>,
        login: Option<&Login>,
        mail: Option<&Mailing<'_>>,
        within: Duration,
    ) -> Result<String, Fault> {
        let link = Link::open(self, stage, within).await?;
        if self.security == Security::StartTls {
            *stage = Stage::Hello;
        }
        let connected = AsyncSmtpConnection::connect_with_transport(Box::new(link), &self.client_id()).await;
        let connection = open.insert(connected.map_err(|error| Fault::of(&error))?);
        if let Some(login) = login {
            *stage = Stage::Login;
            log_in(connection, login).await?;
        }
        match mail {
            Some(mail) => hand_over(connection, mail, stage).await,
            None => Ok(String::new()),
        }
    }
}

async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), Fault> {
    let known = [Mechanism::Plain, Mechanism::Login];
    if connection.server_info().get_auth_mechanism(&known).is_none() {
        return Err(Fault::NoLogin);
    }
    let credentials = Credentials::new(login.username.clone(), login.password.expose().to_owned());
    connection.auth(&known, &credentials).await.map_err(|error| Fault::of(&error))?;
    Ok(())
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    mail: &Mailing<'_>,
    stage: &mut Stage,
) -> Result<String, Fault> {
    let refused = |error: lettre::transport::smtp::Error| Fault::of(&error);
    *stage = Stage::Sender;
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    let parameters = match is_ascii(mail.from) && is_ascii(mail.to) {
        true => Vec::new(),
        false if connection.server_info().supports_feature(Extension::SmtpUtfEight) => {
            vec![MailParameter::SmtpUtfEight]
        }
        false => return Err(Fault::NoUnicode),
    };
    connection.command(Mail::new(Some(mail.from.clone()), parameters)).await.map_err(refused)?;
    *stage = Stage::Recipient;
    connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await.map_err(refused)?;
    *stage = Stage::Data;
    connection.command(Data).await.map_err(refused)?;
    *stage = Stage::Content;
    let answer = connection.message(mail.content).await.map_err(refused)?;
    let words: Vec<&str> = answer.message().collect();
    Ok(fault::shown(&format!("{} {}", answer.code(), words.join(" "))))
}
