//! The connection below a conversation, with TLS before anything worth protecting is said.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::io::{BufReader, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::fault::{Fault, Stage, shown};
use super::{Security, SmtpServer};
use crate::providers::net::share::share;
use crate::providers::net::tls::TlsProfile;

/// The longest line of an answer, in bytes, and the most lines (RFC 5321, 4.5.3.1.5: 512 bytes, which servers exceed).
const MAX_LINE_BYTES: u64 = 4 * 1024;
const MAX_LINES: usize = 100;
/// The most bytes between two commands.
const MAX_BYTES: usize = 64 * 1024;

/// After STARTTLS a server does not greet again, but the mail library waits for a greeting.
const GREETED: &[u8] = b"220 greeted before TLS\r\n";

trait Bytes: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Bytes for T {}

/// The server says more than an answer has.
#[derive(Debug, thiserror::Error)]
#[error("an answer without end")]
pub(super) struct WithoutEnd;

/// A connection as the mail library takes it. It ends an answer that has no end: the library would read it for ever.
pub(super) struct Link {
    bytes: Box<dyn Bytes>,
    /// Lines and bytes that came since the last command.
    came: (usize, usize),
    /// What is read before anything of the server.
    before: &'static [u8],
    peer: SocketAddr,
}

impl Link {
    /// Connects to a server, up to the point where EHLO is due within TLS.
    pub(super) async fn open(
        server: &SmtpServer,
        stage: &mut Stage,
        within: Duration,
    ) -> Result<Self, Fault> {
        let mut tcp =
            connected(server, within).await.map_err(|error| Fault::Unreachable(shown(&error.to_string())))?;
        let peer = tcp.peer_addr().map_err(|error| Fault::of_io(&error))?;
        // Commands are short, and each waits for its answer.
        let _ = tcp.set_nodelay(true);
        *stage = Stage::Greeting;
        match server.security {
            Security::None => Ok(Self { bytes: Box::new(tcp), came: (0, 0), before: b"", peer }),
            Security::Tls => {
                *stage = Stage::Tls;
                let bytes = Box::new(encrypted(tcp, server).await?);
                *stage = Stage::Greeting;
                Ok(Self { bytes, came: (0, 0), before: b"", peer })
            }
            Security::StartTls => {
                start_tls(&mut tcp, server, stage).await?;
                let bytes = Box::new(encrypted(tcp, server).await?);
                Ok(Self { bytes, came: (0, 0), before: GREETED, peer })
            }
        }
    }
}

/// A connection to the first of the name's addresses that takes one. Each has its share of the deadline: a silent one leaves
/// time for the others.
async fn connected(server: &SmtpServer, within: Duration) -> io::Result<TcpStream> {
    let found: Vec<SocketAddr> = lookup_host((server.host.as_str(), server.port)).await?.collect();
    let until = Instant::now() + within;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (tried, address) in found.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        if tried + 1 == found.len() {
            return connecting.await;
        }
        // One share more: the conversation takes its time as well.
        match timeout_at(share(until, found.len() - tried + 1), connecting).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn encrypted(
    tcp: TcpStream,
    server: &SmtpServer,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Fault> {
    let profile = TlsProfile { roots: server.roots.clone(), ..TlsProfile::default() };
    let config = profile.client_config().map_err(|error| Fault::NoTls(error.why, error.next))?;
    let name = ServerName::try_from(server.host.clone()).map_err(|_| {
        Fault::NoTls(format!("{} is no host name", server.host), "correct `host` in the plan".into())
    })?;
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(|error| Fault::of_io(&error))
}

/// The part of a conversation that is in clear text: greeting, EHLO, STARTTLS.
async fn start_tls(tcp: &mut TcpStream, server: &SmtpServer, stage: &mut Stage) -> Result<(), Fault> {
    let mut reader = BufReader::new(tcp);
    positive(reply(&mut reader).await?)?;
    *stage = Stage::Hello;
    let hello = format!("EHLO {}\r\n", server.client_id());
    let offers = positive(ask(&mut reader, &hello).await?)?;
    *stage = Stage::Tls;
    let offered = |line: &String| line.trim().eq_ignore_ascii_case("STARTTLS");
    if !offers.lines.iter().skip(1).any(offered) {
        return Err(Fault::NoStartTls("it offers no STARTTLS".into()));
    }
    positive(ask(&mut reader, "STARTTLS\r\n").await?)?;
    // What comes in clear text after the answer would be taken for something said within TLS (CVE-2011-0411).
    match reader.buffer().is_empty() {
        true => Ok(()),
        false => Err(Fault::NoStartTls("somebody put text between its answer and TLS".into())),
    }
}

/// A server's answer.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

fn positive(reply: Reply) -> Result<Reply, Fault> {
    match reply.code {
        200..=399 => Ok(reply),
        code => Err(Fault::Refused(code, shown(&reply.lines.join(" ")))),
    }
}

async fn ask(reader: &mut BufReader<&mut TcpStream>, command: &str) -> Result<Reply, Fault> {
    reader.get_mut().write_all(command.as_bytes()).await.map_err(|error| Fault::of_io(&error))?;
    reply(reader).await
}

async fn reply(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, Fault> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = (&mut *reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await;
        if read.map_err(|error| Fault::of_io(&error))? == 0 {
            return Err(Fault::Cut("end of the connection".into()));
        }
        let text = String::from_utf8_lossy(&line);
        let parts = text.trim_end().split_at_checked(3);
        let parsed = parts.and_then(|(code, rest)| Some((code.parse::<u16>().ok()?, rest)));
        let Some((code, rest)) = parsed.filter(|(code, _)| (200..600).contains(code)) else {
            return Err(Fault::NotSmtp(shown(&text)));
        };
        let more = rest.starts_with('-');
        lines.push(rest.trim_start_matches(['-', ' ']).to_owned());
        if !more {
            return Ok(Reply { code, lines });
        }
        if lines.len() > MAX_LINES {
            return Err(Fault::NotSmtp(WithoutEnd.to_string()));
        }
    }
}

impl AsyncTokioStream for Link {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.peer)
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            let before = into.filled().len();
            std::task::ready!(Pin::new(&mut self.bytes).poll_read(context, into))?;
            let came = into.filled().get(before..).unwrap_or_default();
            let lines = came.iter().filter(|byte| **byte == b'\n').count();
            self.came = (self.came.0 + lines, self.came.1 + came.len());
            return Poll::Ready(match self.came {
                (lines, bytes) if lines > MAX_LINES || bytes > MAX_BYTES => Err(io::Error::other(WithoutEnd)),
                _ => Ok(()),
            });
        }
        let (now, later) = self.before.split_at(self.before.len().min(into.remaining()));
        into.put_slice(now);
        self.before = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.came = (0, 0);
        Pin::new(&mut self.bytes).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(context)
    }
}
