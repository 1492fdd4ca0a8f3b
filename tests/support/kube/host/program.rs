//! The programs that containers of the host have. They do what their name says, and nothing real:
//!
//! | program | what it does |
//! |---|---|
//! | `echo WORDS…` | says the words, ends with 0 |
//! | `complain CODE WORDS…` | says the words on standard error, ends with that code |
//! | `set NAME VALUE` | keeps a value of its namespace, ends with 0 |
//! | `is NAME VALUE` | ends with 0 where that is what is kept, else with 1 |
//! | `hang` | says `begun`, and never ends |
//! | `flood` | says 3 MB, ends with 0 |
//! | `break` | says `begun`; then the connection breaks |
//! | `leave` | says `begun`; then the connection is closed in order, without a word of how it ended |
//! | `end STATUS` | how it ended is told by this text instead |
//!
//! Another one is not there.

use super::{Asked, Host};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

const OUT: u8 = 1;
const ERR: u8 = 2;
const STATUS: u8 = 3;

/// How a program came to its end.
enum Ends {
    With(i32),
    Never,
    Broken,
    Closed,
    Said(String),
}

/// Runs what is asked for.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    host: &Host,
    asked: &Asked,
    socket: &mut WebSocketStream<S>,
) -> Result<(), Error> {
    host.ran.lock().unwrap().push(asked.clone());
    // The API server's own sign that the channels are there.
    for channel in [OUT, ERR, STATUS] {
        say(socket, channel, b"").await?;
    }
    let status = match work(host, asked, socket).await? {
        Ends::With(0) => json!({"metadata": {}, "status": "Success"}).to_string(),
        Ends::With(code) => failed(
            "NonZeroExitCode",
            &format!("command terminated with non-zero exit code: exit status {code}"),
            json!({"causes": [{"reason": "ExitCode", "message": code.to_string()}]}),
        ),
        Ends::Said(text) => text,
        Ends::Broken => return Ok(()),
        Ends::Closed => return socket.close(None).await,
        Ends::Never => {
            // Pings are answered as long as somebody is there.
            while let Some(heard) = socket.next().await {
                heard?;
            }
            return Ok(());
        }
    };
    say(socket, STATUS, status.as_bytes()).await?;
    socket.close(None).await?;
    // The other side closes as well before the connection goes.
    while let Some(Ok(_)) = socket.next().await {}
    Ok(())
}

async fn work<S: AsyncRead + AsyncWrite + Unpin>(
    host: &Host,
    asked: &Asked,
    socket: &mut WebSocketStream<S>,
) -> Result<Ends, Error> {
    let words: Vec<&str> = asked.argv.iter().map(String::as_str).collect();
    let place = |name: &str| (asked.namespace.clone(), name.to_owned());
    Ok(match words[..] {
        ["echo", ref words @ ..] => {
            say(socket, OUT, format!("{}\n", words.join(" ")).as_bytes()).await?;
            Ends::With(0)
        }
        ["complain", code, ref words @ ..] => {
            say(socket, ERR, format!("{}\n", words.join(" ")).as_bytes()).await?;
            Ends::With(code.parse().unwrap())
        }
        ["set", name, value] => {
            host.kept.lock().unwrap().insert(place(name), value.to_owned());
            Ends::With(0)
        }
        ["is", name, value] => {
            let kept = host.kept.lock().unwrap().get(&place(name)).cloned();
            say(socket, OUT, format!("{name} is {}\n", kept.as_deref().unwrap_or("not set")).as_bytes())
                .await?;
            Ends::With(i32::from(kept.as_deref() != Some(value)))
        }
        ["hang"] => begun(socket, Ends::Never).await?,
        ["break"] => begun(socket, Ends::Broken).await?,
        ["leave"] => begun(socket, Ends::Closed).await?,
        ["flood"] => {
            let lines = "flood flood flood\n".repeat(1000);
            for _ in 0..(3 << 20) / lines.len() {
                say(socket, OUT, lines.as_bytes()).await?;
            }
            Ends::With(0)
        }
        ["end", status] => Ends::Said(status.to_owned()),
        _ => Ends::Said(failed(
            "InternalError",
            &format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: {:?}: \
                 executable file not found in $PATH: unknown",
                words.first().unwrap_or(&"")
            ),
            json!({}),
        )),
    })
}

async fn begun<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    ends: Ends,
) -> Result<Ends, Error> {
    say(socket, OUT, b"begun\n").await?;
    Ok(ends)
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    channel: u8,
    text: &[u8],
) -> Result<(), Error> {
    socket.send(Message::binary([&[channel], text].concat())).await
}

fn failed(reason: &str, message: &str, details: Value) -> String {
    json!({"metadata": {}, "status": "Failure", "reason": reason, "message": message, "details": details})
        .to_string()
}
