use super::*;
use crate::testing::clients;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

fn cluster() -> Cluster {
    clients(&[]).kube.cluster("dr")
}

fn of(status: Value) -> Ended {
    cluster().ending(status.to_string().as_bytes())
}

/// Hears what a server says, and how it ended.
async fn heard<F: Future<Output = ()> + Send + 'static>(
    server: impl FnOnce(WebSocketStream<DuplexStream>) -> F,
) -> (Ended, String) {
    let (here, there) = tokio::io::duplex(1 << 16);
    let task = tokio::spawn(server(WebSocketStream::from_raw_socket(there, Role::Server, None).await));
    let until = Instant::now() + Duration::from_secs(600);
    let mut output = String::new();
    let take = |stream, chunk: &[u8]| output += &format!("{stream:?} {}|", String::from_utf8_lossy(chunk));
    let ended = cluster().hear(here, until, take).await;
    task.abort();
    (ended, output)
}

fn message(channel: u8, text: &str) -> Message {
    Message::binary([&[channel], text.as_bytes()].concat())
}

#[test]
fn only_a_word_of_success_is_success() {
    assert_eq!(of(json!({"status": "Success"})), Ended::Exited(0));
    let failed = |causes: Value| {
        of(
            json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "no", "details": {"causes": causes}}),
        )
    };
    assert_eq!(failed(json!([{"reason": "ExitCode", "message": "3"}])), Ended::Exited(3));
    for odd in [json!([]), json!([{"reason": "ExitCode", "message": "0"}]), json!([{"reason": "ExitCode"}])] {
        assert_eq!(failed(odd.clone()), Ended::Failed("no".into()), "{odd}");
    }
    for odd in [json!({}), json!({"status": "success"}), json!({"status": true}), json!([]), json!("Success")]
    {
        assert!(matches!(of(odd.clone()), Ended::Failed(_)), "{odd}");
    }
    assert!(matches!(cluster().ending(b"<html>"), Ended::Failed(_)));
}

#[test]
fn what_did_not_begin_is_told_from_what_failed() {
    let said =
        |message: &str| of(json!({"status": "Failure", "reason": "InternalError", "message": message}));
    for words in [
        "error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused",
        "Internal error occurred: failed to start exec: exec: \"psql\": executable file not found in $PATH",
    ] {
        assert_eq!(said(words), Ended::NotBegun(words.into()));
    }
    // The host was reached there: what it did is not known.
    for words in ["error dialing backend: EOF", "Timeout occurred", "a\u{1b}[2Jb"] {
        assert!(matches!(said(words), Ended::Failed(shown) if !shown.contains('\u{1b}')), "{words}");
    }
}

#[test]
fn an_answer_to_somebody_else_or_without_a_protocol_is_no_switch() {
    let with = |status: u16, accept: &str, protocol: Option<&str>| {
        let answer = http::Response::builder().status(status).header(SEC_WEBSOCKET_ACCEPT, accept);
        let answer = protocol.into_iter().fold(answer, |all, one| all.header(SEC_WEBSOCKET_PROTOCOL, one));
        is_switched(&answer.body(()).unwrap(), "key")
    };
    let right = derive_accept_key(b"key");
    assert!(with(101, &right, Some("v4.channel.k8s.io")) && with(101, &right, Some("v5.channel.k8s.io")));
    assert!(!with(200, &right, Some("v4.channel.k8s.io")));
    assert!(!with(101, "other", Some("v4.channel.k8s.io")));
    assert!(!with(101, &right, None) && !with(101, &right, Some("channel.k8s.io")));
}

#[tokio::test]
async fn output_that_comes_after_the_last_word_is_heard() {
    let (ended, output) = heard(|mut socket| async move {
        for (channel, text) in
            [(1, ""), (3, ""), (1, "a"), (2, "b"), (3, r#"{"status":"Success"}"#), (1, "c")]
        {
            socket.send(message(channel, text)).await.unwrap();
        }
        // It is not closed: nobody waits for that.
        std::future::pending().await
    })
    .await;
    assert_eq!((ended, &*output), (Ended::Exited(0), "Stdout |Stdout a|Stderr b|Stdout c|"));
}

#[tokio::test]
async fn a_line_that_ends_before_the_last_word_tells_nothing() {
    let (closed, output) = heard(|mut socket| async move {
        socket.send(message(1, "begun")).await.unwrap();
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    assert!(matches!(&closed, Ended::Lost(why) if why.contains("without a word")), "{closed:?}");
    assert_eq!(output, "Stdout begun|");
    let (broken, _) = heard(|socket| async move { drop(socket) }).await;
    assert!(matches!(&broken, Ended::Lost(why) if why.contains("the connection broke")), "{broken:?}");
    let (huge, _) = heard(|mut socket| async move {
        let _ = socket.send(message(1, &"x".repeat(2 << 20))).await;
        std::future::pending().await
    })
    .await;
    assert!(matches!(&huge, Ended::Lost(why) if why.contains("too long")), "{huge:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_answers_pings_is_waited_for_and_a_dead_one_is_not() {
    let begun = Instant::now();
    let (dead, _) = heard(|socket| async move {
        let _held = socket;
        std::future::pending().await
    })
    .await;
    assert!(
        matches!(&dead, Ended::Lost(why) if why.contains("nothing was heard of it for 60 s")),
        "{dead:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(75), "{:?}", begun.elapsed());
    let (late, _) = heard(|mut socket| async move { while socket.next().await.is_some() {} }).await;
    assert_eq!(late, Ended::Late);
}
