//! What a server may send at a time. The driver keeps a message until it is whole, and rows until the last one: a server
//! that announces gigabytes, or that has no last row, would take this host's memory.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The longest message.
const MAX_MESSAGE_BYTES: u64 = 16 << 20;
/// The longest answer to one question.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Asks for TLS (PostgreSQL protocol, `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Type and length, which counts itself.
const HEADER: usize = 5;

type Fault = Box<dyn Error + Send + Sync>;
type ByRustls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// Makes connections that are looked at. It asks for TLS itself, in place of the driver, which lets nobody see what
/// comes without TLS.
#[derive(Clone)]
pub(super) struct Wire {
    tls: Option<MakeRustlsConnect>,
    mode: SslMode,
    is_direct: bool,
    refused: Arc<OnceLock<String>>,
}

impl Wire {
    /// For connections by `config`, which is told to leave TLS to it.
    pub(super) fn new(config: &mut Config, tls: Option<MakeRustlsConnect>) -> Self {
        let is_direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let mode = if tls.is_some() { config.get_ssl_mode() } else { SslMode::Disable };
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        Self { tls, mode, is_direct, refused: Arc::default() }
    }

    /// Why the connection was ended from this side.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refused.get().map(String::as_str)
    }
}

impl MakeTlsConnect<Socket> for Wire {
    type Stream = Watched;
    type TlsConnect = Opening;
    type Error = Fault;

    fn make_tls_connect(&mut self, host: &str) -> Result<Opening, Fault> {
        let tls = self.tls.as_mut().map(|tls| MakeTlsConnect::<Socket>::make_tls_connect(tls, host));
        Ok(Opening { tls: tls.transpose()?, wire: self.clone() })
    }
}

/// A connection that is about to be opened.
pub(super) struct Opening {
    tls: Option<ByRustls>,
    wire: Wire,
}

impl Opening {
    async fn open(self, mut socket: Socket) -> Result<Watched, Fault> {
        let tls = match (self.tls, self.wire.mode, self.wire.is_direct) {
            (None, ..) | (_, SslMode::Disable, _) => None,
            (_, SslMode::Prefer, true) => {
                return Err(
                    "sslmode=prefer does not go with sslnegotiation=direct: use sslmode=require".into()
                );
            }
            (tls, _, true) => tls,
            (tls, mode, false) => {
                socket.write_all(&SSL_REQUEST).await?;
                match (socket.read_u8().await?, mode) {
                    (b'S', _) => tls,
                    (_, SslMode::Prefer) => None,
                    _ => return Err("server does not support TLS".into()),
                }
            }
        };
        let channel = match tls {
            Some(tls) => Channel::Tls(Box::new(tls.connect(socket).await?)),
            None => Channel::Plain(socket),
        };
        Ok(Watched { channel, scan: Scan::default(), refused: self.wire.refused })
    }
}

impl TlsConnect<Socket> for Opening {
    type Stream = Watched;
    type Error = Fault;
    type Future = BoxFuture<'static, Result<Watched, Fault>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.open(socket))
    }
}

/// What bytes come over.
enum Channel {
    Plain(Socket),
    Tls(Box<<MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>),
}

trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

impl Channel {
    fn bytes(&mut self) -> Pin<&mut dyn Bytes> {
        Pin::new(match self {
            Self::Plain(socket) => socket as &mut dyn Bytes,
            Self::Tls(stream) => &mut **stream,
        })
    }
}

/// A connection that is looked at.
pub(super) struct Watched {
    channel: Channel,
    scan: Scan,
    refused: Arc<OnceLock<String>>,
}

impl TlsStream for Watched {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.channel {
            Channel::Plain(_) => ChannelBinding::none(),
            Channel::Tls(stream) => stream.channel_binding(),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.channel.bytes().poll_read(context, buffer))?;
        let scanned = self.scan.read(&buffer.filled()[before..]);
        Poll::Ready(scanned.map_err(|why| {
            // The driver tells those who wait only that the connection is closed.
            let _ = self.refused.set(why.clone());
            io::Error::new(io::ErrorKind::InvalidData, why)
        }))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.channel.bytes().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.bytes().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.bytes().poll_shutdown(context)
    }
}

/// Where in the server's messages the bytes are.
#[derive(Default)]
struct Scan {
    header: Vec<u8>,
    left_of_message: u64,
    answer: u64,
}

impl Scan {
    fn read(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left_of_message > 0 {
                let passed =
                    usize::try_from(self.left_of_message).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.left_of_message -= passed as u64;
                bytes = &bytes[passed..];
                continue;
            }
            self.header.push(*first);
            bytes = rest;
            if let [kind, length @ ..] = &*self.header
                && let Ok(length) = <[u8; HEADER - 1]>::try_from(length)
            {
                let (kind, length) = (*kind, u64::from(u32::from_be_bytes(length)));
                self.header.clear();
                self.begin(kind, length)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, kind: u8, length: u64) -> Result<(), String> {
        self.left_of_message = length.saturating_sub(4);
        if length > MAX_MESSAGE_BYTES {
            return Err(format!("the server announced a message of {}", binary(length)));
        }
        match kind {
            // It is ready for the next question.
            b'Z' => self.answer = 0,
            // Notices, notifications and settings are no part of an answer, and are not kept.
            b'N' | b'A' | b'S' => {}
            _ => self.answer += length,
        }
        match self.answer > MAX_ANSWER_BYTES {
            true => Err(format!("the server sent more than {} in one answer", binary(MAX_ANSWER_BYTES))),
            false => Ok(()),
        }
    }
}

/// A size in binary units (`2 GiB`), as programs write limits.
fn binary(bytes: u64) -> String {
    let (unit, size) = if bytes >= 1 << 29 { ("GiB", 30) } else { ("MiB", 20) };
    let text = format!("{:.1}", bytes as f64 / f64::from(1_u32 << size));
    format!("{} {unit}", text.trim_end_matches(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, content: usize) -> Vec<u8> {
        let length = u32::try_from(content + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, &vec![0; content]].concat()
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_by_its_announcement_however_it_is_cut() {
        for (length, words) in [(u32::MAX >> 1, "2 GiB"), (u32::MAX, "4 GiB"), ((16 << 20) + 1, "16 MiB")] {
            let bytes =
                [message(b'R', 8), message(b'Z', 1), [&[b'D'][..], &length.to_be_bytes()].concat()].concat();
            for cut in 0..bytes.len() {
                let mut scan = Scan::default();
                let read = scan.read(&bytes[..cut]).and_then(|()| scan.read(&bytes[cut..]));
                assert_eq!(read, Err(format!("the server announced a message of {words}")), "{cut}");
            }
        }
    }

    #[test]
    fn rows_without_end_are_refused_and_many_answers_are_not() {
        let mut scan = Scan::default();
        let (row, ready) = (message(b'D', 1 << 20), message(b'Z', 1));
        for _ in 0..200 {
            scan.read(&row).unwrap();
            scan.read(&ready).unwrap();
            scan.read(&message(b'N', 1 << 20)).unwrap();
        }
        let refused = (0..100).find_map(|_| scan.read(&row).err()).unwrap();
        assert_eq!(refused, "the server sent more than 64 MiB in one answer");
    }
}
