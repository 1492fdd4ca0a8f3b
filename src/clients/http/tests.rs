use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::clients::testing::{Authority, NamesOfTest, closed_port, listen, listen_in_silence};

const LONG: Duration = Duration::from_secs(20);

fn http() -> Http {
    Http::new(Redactor::new())
}

async fn failure(request: HttpRequest) -> HttpError {
    http().send(&request).await.expect_err("an answer came")
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = MockServer::start().await;
    let answer =
        ResponseTemplate::new(503).set_body_string("{\"status\":\"down\"}").insert_header("x-a", "b");
    Mock::given(method("GET")).and(path("/health")).respond_with(answer).mount(&server).await;
    let response = http().send(&HttpRequest::get(format!("{}/health", server.uri()), LONG)).await.unwrap();
    assert_eq!((response.status, response.text().as_str()), (503, "{\"status\":\"down\"}"));
    assert_eq!(response.headers["x-a"], "b");
    assert!(!response.body_cut && response.certificate.is_none());
    assert!(response.latency > Duration::ZERO && response.latency < LONG);
}

#[tokio::test]
async fn a_post_carries_body_and_headers() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("authorization", "Bearer hunter22"))
        .and(body_string("{}"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    let request = HttpRequest {
        method: Method::POST,
        headers: vec![("Authorization".into(), Secret::from_plan("Bearer hunter22"))],
        body: Some(b"{}".to_vec()),
        ..HttpRequest::get(server.uri(), LONG)
    };
    assert_eq!(http().send(&request).await.unwrap().status, 204);
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_meets_the_deadline() {
    let port = listen_in_silence().await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://127.0.0.1:{port}/x?token=hunter22");
        let error = failure(HttpRequest::get(url, Duration::from_millis(200))).await;
        assert_eq!(error.kind, HttpErrorKind::Timeout, "{error}");
        assert!(
            error.to_string().contains(&format!("{scheme}://127.0.0.1:{port}/x: no complete")),
            "{error}"
        );
        assert!(!error.to_string().contains("hunter22"));
    }
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_cap() {
    let port = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
        while socket.write_all(&[b'x'; 65536]).await.is_ok() {}
    })
    .await;
    let response = http().send(&HttpRequest::get(format!("http://127.0.0.1:{port}"), LONG)).await.unwrap();
    assert!(response.body_cut);
    assert_eq!(response.body.len(), DEFAULT_MAX_BODY_BYTES);
}

#[tokio::test]
async fn a_body_that_drips_meets_the_deadline_and_one_that_breaks_off_is_told() {
    let drips = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while socket.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let request = HttpRequest::get(format!("http://127.0.0.1:{drips}"), Duration::from_millis(300));
    assert_eq!(failure(request).await.kind, HttpErrorKind::Timeout);
    let breaks = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await;
    })
    .await;
    let error = failure(HttpRequest::get(format!("http://127.0.0.1:{breaks}"), LONG)).await;
    assert_eq!(error.kind, HttpErrorKind::Closed, "{error}");
}

#[tokio::test]
async fn a_name_that_is_gone_is_told_from_name_servers_that_do_not_answer() {
    let port = listen_in_plain().await;
    let names = NamesOfTest::default();
    names.answer("status.example.net", Ok("127.0.0.1"));
    names.answer("api.example.com", Err("Name or service not known"));
    let http = http().with_names(names.directory());
    let ask = async |host: &str, deadline| {
        let request = HttpRequest::get(format!("http://{host}:{port}/"), deadline);
        http.send(&request).await.map(|answer| answer.status).map_err(|error| (error.kind, error.to_string()))
    };
    assert_eq!(ask("api.example.com", LONG).await.unwrap_err().0, HttpErrorKind::NoSuchHost);
    assert_eq!(ask("status.example.net", LONG).await, Ok(400));
    let (kind, words) = ask("api.example.com", LONG).await.unwrap_err();
    assert_eq!(kind, HttpErrorKind::NameGone, "{words}");
    assert!(words.contains("answer for status.example.net (it never had one"), "{words}");
    // Silence of name servers is none of the server's, also where the deadline ends it.
    names.answer("api.example.com", Err("hangs"));
    let (kind, words) = ask("api.example.com", Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(kind, HttpErrorKind::NoSuchHost, "{words}");
    names.answer("api.example.com", Ok("127.0.0.1"));
    assert_eq!(ask("api.example.com", LONG).await, Ok(400));
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let refused = failure(HttpRequest::get(format!("http://127.0.0.1:{}", closed_port()), LONG)).await;
    assert_eq!(refused.kind, HttpErrorKind::Refused, "{refused}");
    let nameless = failure(HttpRequest::get("http://no-such-host.invalid/", LONG)).await;
    assert_eq!(nameless.kind, HttpErrorKind::NoSuchHost, "{nameless}");
    let garbage = listen(|mut socket| async move {
        let _ = socket.write_all(b"220 mail.example ESMTP\x1b[31m\r\n").await;
        let _ = socket.read(&mut [0; 4096]).await;
    })
    .await;
    let garbage = failure(HttpRequest::get(format!("http://127.0.0.1:{garbage}"), LONG)).await;
    assert_eq!(garbage.kind, HttpErrorKind::Protocol, "{garbage}");
    let closes = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
    })
    .await;
    let closes = failure(HttpRequest::get(format!("http://127.0.0.1:{closes}"), LONG)).await;
    assert_eq!(closes.kind, HttpErrorKind::Closed, "{closes}");
    for url in ["ftp://a/", "not a url", "http://", "http://user:hunter22@[bad"] {
        let error = failure(HttpRequest::get(url, LONG)).await;
        assert_eq!(error.kind, HttpErrorKind::Configuration, "{url}: {error}");
        assert!(!error.to_string().contains("hunter22"));
    }
}

#[tokio::test]
async fn redirects_are_counted_and_lead_no_secret_to_another_host() {
    let elsewhere = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(200)).mount(&elsewhere).await;
    let server = MockServer::start().await;
    let to = |url: String| ResponseTemplate::new(302).insert_header("location", url);
    Mock::given(path("/loop")).respond_with(to("/loop".into())).expect(6).mount(&server).await;
    Mock::given(path("/away")).respond_with(to(elsewhere.uri())).mount(&server).await;
    let request = |path: &str| HttpRequest {
        headers: vec![("x-api-key".into(), Secret::from_plan("hunter22"))],
        ..HttpRequest::get(format!("{}{path}", server.uri()), LONG)
    };
    assert_eq!(failure(request("/loop")).await.kind, HttpErrorKind::Redirects);
    assert_eq!(http().send(&request("/away")).await.unwrap().status, 200);
    let received = elsewhere.received_requests().await.unwrap();
    assert!(received.len() == 1 && !received[0].headers.contains_key("x-api-key"));
    let stay = HttpRequest { follow_redirects: false, ..request("/away") };
    assert_eq!(http().send(&stay).await.unwrap().status, 302);
    let post = HttpRequest { method: Method::POST, ..request("/away") };
    assert_eq!(http().send(&post).await.unwrap().status, 302);
}

/// An https server whose certificate is for `name` and ends in `until_year`.
async fn https(authority: &Authority, name: &str, until_year: i32) -> u16 {
    https_with(authority.acceptor(name, until_year)).await
}

async fn https_with(acceptor: tokio_rustls::TlsAcceptor) -> u16 {
    listen(move |socket| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(socket).await {
                let _ = tls.read(&mut [0; 4096]).await;
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _ = tls.shutdown().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn the_servers_certificate_is_read() {
    let authority = Authority::new();
    let port = https(&authority, "localhost", 2100).await;
    let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let request = HttpRequest { tls, ..HttpRequest::get(format!("https://localhost:{port}"), LONG) };
    let response = http().send(&request).await.unwrap();
    let certificate = response.certificate.expect("no certificate");
    assert_eq!(certificate.not_after.to_string(), "2100-01-01T00:00:00Z");
    let day_before = "2099-12-31T00:00:00Z".parse().unwrap();
    assert_eq!(certificate.valid_for(day_before).as_hours(), 24);
    assert!(certificate.valid_for("2100-01-02T00:00:00Z".parse().unwrap()).is_negative());
}

#[tokio::test]
async fn a_certificate_that_will_not_do_says_why() {
    let authority = Authority::new();
    let trusting = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let unknown_issuer = https(&authority, "localhost", 2100).await;
    let expired = https(&authority, "localhost", 2021).await;
    let other_name = https(&authority, "other.example", 2100).await;
    let plain = listen_in_plain().await;
    let authority_itself = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_itself = https_with(authority.acceptor_as("localhost", 2100, authority_itself)).await;
    for (port, tls, words) in [
        (unknown_issuer, TlsProfile::default(), "UnknownIssuer"),
        (expired, trusting.clone(), "expired"),
        (other_name, trusting.clone(), "not valid for"),
        (authority_itself, trusting.clone(), "authority's certificate as its own"),
        (plain, trusting, "corrupt message"),
    ] {
        let request = HttpRequest { tls, ..HttpRequest::get(format!("https://localhost:{port}"), LONG) };
        let error = failure(request).await;
        assert_eq!(error.kind, HttpErrorKind::Tls, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.next_step().is_empty());
    }
}

async fn listen_in_plain() -> u16 {
    listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await
}

#[tokio::test]
async fn roots_that_cannot_be_read_are_named() {
    let roots = Some("/no/such/roots.pem".into());
    let tls = TlsProfile { roots, ..TlsProfile::default() };
    let error = failure(HttpRequest { tls, ..HttpRequest::get("https://localhost", LONG) }).await;
    assert_eq!(error.kind, HttpErrorKind::Configuration);
    assert!(error.to_string().contains("/no/such/roots.pem"), "{error}");
    assert!(error.next_step().contains("PEM"));
}

/// Answers with this body and this header, whatever was asked for.
async fn encoded(coding: &'static str, body: Vec<u8>) -> u16 {
    listen(move |mut socket| {
        let body = body.clone();
        async move {
            let _ = socket.read(&mut [0; 4096]).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(&[head.into_bytes(), body].concat()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_compresses_unasked_is_read() {
    let text = vec![b'7'; 5000];
    let packed = ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest);
    let port = encoded("zstd", packed).await;
    let response = http().send(&HttpRequest::get(format!("http://127.0.0.1:{port}"), LONG)).await.unwrap();
    assert!(response.body == text && !response.body_cut && response.unreadable.is_none());
    assert_eq!(response.headers["content-encoding"], "zstd");
}

#[tokio::test]
async fn a_body_in_a_coding_that_nobody_knows_is_told_and_is_no_text() {
    let port = encoded("snappy", b"\xff\x06\x00\x00sNaPpY".to_vec()).await;
    let response = http().send(&HttpRequest::get(format!("http://127.0.0.1:{port}"), LONG)).await.unwrap();
    assert_eq!(response.unreadable.as_deref(), Some("the body is `snappy`, which is not read"));
    assert_eq!((response.status, response.text().as_str()), (200, ""));
}
