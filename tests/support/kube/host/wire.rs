//! What an API server sends a kubelet, and what it answers: `containerLogs` in plain HTTP, `exec` over a WebSocket.

use super::program;
use super::{Asked, Host, Log};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// The protocols of programs that it speaks, the newest first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// What a flood has.
const FLOOD_BYTES: usize = 100 << 20;

/// Answers one request.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(host: &Host, mut stream: S) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let Some((what, asked)) = asked(target) else {
        return answer(&mut stream, 404, "404 page not found").await;
    };
    match what.as_str() {
        "containerLogs" => log(host, &mut stream, &asked).await,
        "exec" => match header(&head, "sec-websocket-key") {
            Some(key) => {
                let offered = header(&head, "sec-websocket-protocol").unwrap_or_default();
                let protocol = PROTOCOLS.iter().find(|one| offered.contains(**one)).unwrap();
                let accept = derive_accept_key(key.as_bytes());
                let switch = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
                );
                stream.write_all(switch.as_bytes()).await?;
                let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                // One that goes away in the middle is none of the host's business.
                let _ = program::run(host, &asked, &mut socket).await;
                Ok(())
            }
            None => answer(&mut stream, 400, "no WebSocket").await,
        },
        _ => answer(&mut stream, 404, "404 page not found").await,
    }
}

/// The head of a request. What comes after it nobody needs.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

/// Of `/containerLogs/NAMESPACE/POD/CONTAINER?tailLines=…` and `/exec/…?command=…`.
fn asked(target: &str) -> Option<(String, Asked)> {
    let url = reqwest::Url::parse("https://host").ok()?.join(target).ok()?;
    let parts: Vec<&str> = url.path_segments()?.collect();
    let [what, namespace, pod, container] = parts[..] else { return None };
    let of =
        |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let number = |name: &str| of(name).and_then(|number| number.parse().ok());
    let argv = url.query_pairs().filter(|(name, _)| name == "command").map(|(_, value)| value.into_owned());
    let asked = Asked {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        previous: of("previous").as_deref() == Some("true"),
        lines: number("tailLines"),
        bytes: number("limitBytes"),
        argv: argv.collect(),
    };
    Some((what.to_owned(), asked))
}

async fn log(host: &Host, stream: &mut (impl AsyncWrite + Unpin), asked: &Asked) -> std::io::Result<()> {
    match host.log(asked) {
        Log::Refused(status, why) => answer(stream, status, &why).await,
        Log::Hangs => std::future::pending().await,
        Log::Floods => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {FLOOD_BYTES}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            let lines = "flood flood flood\n".repeat(4096);
            for _ in 0..FLOOD_BYTES / lines.len() {
                stream.write_all(lines.as_bytes()).await?;
            }
            Ok(())
        }
        Log::Text(text) => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let from = lines.len().saturating_sub(asked.lines.unwrap_or(usize::MAX));
            let kept = lines[from..].concat();
            let kept = &kept.as_bytes()[..kept.len().min(asked.bytes.unwrap_or(usize::MAX))];
            answer(stream, 200, &String::from_utf8_lossy(kept)).await
        }
    }
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), status: u16, text: &str) -> std::io::Result<()> {
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await
}
