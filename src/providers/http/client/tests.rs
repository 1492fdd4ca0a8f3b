use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::providers::net::testing::{Authority, NamesOfTest, closed_port, deaf, listen, listen_in_silence};

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
async fn the_path_to_the_servers_certificate_ends_with_its_intermediate() {
    let authority = Authority::new();
    let port = https_with(authority.acceptor_behind("localhost", 2100, 2099)).await;
    let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let http = http();
    // Each connection is verified, none is resumed.
    for _ in 0..2 {
        let request =
            HttpRequest { tls: tls.clone(), ..HttpRequest::get(format!("https://localhost:{port}"), LONG) };
        let certificate = http.send(&request).await.unwrap().certificate.unwrap();
        assert_eq!(certificate.not_after.to_string(), "2100-01-01T00:00:00Z");
        let end = certificate.path_end.as_ref().unwrap();
        assert!(end.subject.contains("CN=Between"), "{end:?}");
        assert_eq!(certificate.ends_at().to_string(), "2099-01-01T00:00:00Z");
    }
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

/// An https server whose certificate ended in 2021, and which answers with this date; counts what it is sent.
async fn expired_and_dated(authority: &Authority, date: &'static str, seen: Arc<Mutex<Vec<String>>>) -> u16 {
    let acceptor = authority.acceptor("localhost", 2021);
    listen(move |socket| {
        let (acceptor, seen) = (acceptor.clone(), seen.clone());
        async move {
            if let Ok(mut tls) = acceptor.accept(socket).await {
                let mut buffer = [0; 4096];
                let read = tls.read(&mut buffer).await.unwrap_or(0);
                seen.lock().unwrap().push(String::from_utf8_lossy(&buffer[..read]).into_owned());
                let answer = format!("HTTP/1.1 200 OK\r\n{date}content-length: 0\r\n\r\n");
                let _ = tls.write_all(answer.as_bytes()).await;
                let _ = tls.shutdown().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_certificate_that_is_good_by_the_servers_clock_is_this_hosts_fault() {
    let authority = Authority::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let past = expired_and_dated(&authority, "date: Sun, 01 Nov 2020 09:00:00 GMT\r\n", seen.clone()).await;
    let silent = expired_and_dated(&authority, "", Arc::default()).await;
    let request = |port: u16| {
        let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
        let headers = vec![("authorization".to_owned(), Secret::from_plan("Bearer hunter22"))];
        HttpRequest {
            tls,
            headers,
            ..HttpRequest::get(format!("https://localhost:{port}/path?token=hunter22"), LONG)
        }
    };
    let http = http();
    assert_eq!(http.send(&request(silent)).await.unwrap_err().kind, HttpErrorKind::Tls);
    let error = http.send(&request(past)).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::OwnClock, "{error}");
    assert!(
        error.to_string().contains("this host's clock is wrong") && error.next_step().contains("timedatectl")
    );
    let asked = seen.lock().unwrap().join("");
    assert!(asked.starts_with("HEAD / ") && !asked.contains("hunter22"), "{asked}");
    // Once the clock is known to be wrong that concerns all certificates.
    assert_eq!(http.send(&request(silent)).await.unwrap_err().kind, HttpErrorKind::OwnClock);
    // One server that agrees shows that it is the others' clock.
    let now =
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()).unwrap();
    let date: &'static str = format!("date: {now}\r\n").leak();
    let agrees = expired_and_dated(&authority, date, Arc::default()).await;
    for port in [agrees, past, silent] {
        assert_eq!(http.send(&request(port)).await.unwrap_err().kind, HttpErrorKind::Tls);
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

/// Answers with the `Host` that it was asked for.
async fn tells_host(mut socket: impl AsyncReadExt + AsyncWriteExt + Unpin) {
    let mut asked = vec![0; 4096];
    let read = socket.read(&mut asked).await.unwrap_or_default();
    let asked = String::from_utf8_lossy(&asked[..read]).to_lowercase();
    let hosts: Vec<&str> = asked.lines().filter_map(|line| line.strip_prefix("host: ")).collect();
    let body = hosts.join("|");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await;
    let _ = socket.shutdown().await;
}

fn at(port: u16) -> Option<Place> {
    Place::parse(&format!("127.0.0.1:{port}"))
}

#[tokio::test]
async fn one_address_is_asked_for_another_name() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("api.kit.example", 2100);
    let port = listen(move |socket| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(tls) = acceptor.accept(socket).await {
                tells_host(tls).await;
            }
        }
    })
    .await;
    let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let ask =
        |url: &str| HttpRequest { tls: tls.clone(), connect_to: at(port), ..HttpRequest::get(url, LONG) };
    for (url, host) in [
        ("https://api.kit.example/x", "api.kit.example"),
        ("https://api.kit.example:9444/x", "api.kit.example:9444"),
        // The port that the connection goes to anyhow.
        (&*format!("https://api.kit.example:{port}/x"), &*format!("api.kit.example:{port}")),
    ] {
        let response = http().send(&ask(url)).await.unwrap();
        assert_eq!(response.text(), host);
        assert_eq!(response.target, format!("{url} at 127.0.0.1:{port}"));
        assert_eq!(response.detour().unwrap(), format!("at 127.0.0.1:{port}"));
        assert!(response.certificate.is_some());
    }
    let other = failure(ask("https://other.kit.example/")).await;
    assert_eq!(other.kind, HttpErrorKind::Tls, "{other}");
    assert!(
        other.to_string().starts_with(&format!("https://other.kit.example/ at 127.0.0.1:{port}: ")),
        "{other}"
    );
    // A proxy of the environment makes no such connection, so none is used.
    let response =
        http().send(&HttpRequest { proxy_of_environment: true, ..ask("https://api.kit.example/") }).await;
    assert_eq!(response.unwrap().text(), "api.kit.example");
}

#[tokio::test]
async fn the_place_to_connect_to_may_be_a_name_and_is_named_when_it_fails() {
    let port = listen(tells_host).await;
    let names = NamesOfTest::default();
    names.answer("lb.dr.example.com", Ok("127.0.0.1"));
    let http = http().with_names(names.directory());
    let ask = |place: String| HttpRequest {
        connect_to: Place::parse(&place),
        ..HttpRequest::get("http://api.example.com/", Duration::from_secs(5))
    };
    let response = http.send(&ask(format!("lb.dr.example.com:{port}"))).await.unwrap();
    assert_eq!(response.text(), "api.example.com");
    let closed = closed_port();
    let refused = http.send(&ask(format!("lb.dr.example.com:{closed}"))).await.unwrap_err();
    let words = format!("http://api.example.com/ at lb.dr.example.com:{closed}: connection refused");
    assert_eq!(refused.to_string(), words);
    let silent = HttpRequest {
        connect_to: at(listen_in_silence().await),
        ..HttpRequest::get("http://api.example.com/", Duration::from_millis(200))
    };
    let silent = http.send(&silent).await.unwrap_err();
    assert!(silent.to_string().contains("http://api.example.com/ at 127.0.0.1:"), "{silent}");
}

#[tokio::test]
async fn a_redirect_away_from_the_place_to_connect_to_is_not_followed() {
    let elsewhere = MockServer::start().await;
    let server = MockServer::start().await;
    let to = |url: String| ResponseTemplate::new(302).insert_header("location", url);
    Mock::given(path("/away")).respond_with(to(elsewhere.uri())).mount(&server).await;
    Mock::given(path("/here")).respond_with(to("/ok".into())).mount(&server).await;
    Mock::given(path("/ok")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let ask = |path: &str| HttpRequest {
        connect_to: at(server.address().port()),
        ..HttpRequest::get(format!("http://api.example.com{path}"), LONG)
    };
    assert_eq!(http().send(&ask("/here")).await.unwrap().status, 200);
    let away = failure(ask("/away")).await;
    assert_eq!(away.kind, HttpErrorKind::Redirects);
    let place = format!("127.0.0.1:{}", server.address().port());
    assert!(away.to_string().starts_with(&format!("http://api.example.com/away at {place}: ")), "{away}");
    assert!(away.to_string().contains(&elsewhere.uri()), "{away}");
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

/// A client for which `api.example.com` has these addresses.
fn with_addresses(addresses: &str) -> Http {
    let names = NamesOfTest::default();
    names.answer("api.example.com", Ok(addresses));
    http().with_names(names.directory())
}

#[tokio::test]
async fn a_silent_address_leaves_time_for_the_next_and_is_named() {
    let port = listen(tells_host).await;
    let _deaf = deaf(format!("127.0.0.9:{port}").parse().unwrap()).await;
    let http = with_addresses("127.0.0.9, 127.0.0.1");
    let request = HttpRequest::get(format!("http://api.example.com:{port}/"), Duration::from_secs(6));
    let response = http.send(&request).await.unwrap();
    assert_eq!(response.text(), format!("api.example.com:{port}"));
    assert_eq!(response.detour().unwrap(), "no connection to 127.0.0.9");
    // The value is that of the server that answered.
    assert!(response.latency < Duration::from_secs(2), "{:?}", response.latency);
    // It is sent once: nothing was sent to the silent one.
    let post = HttpRequest { method: Method::POST, body: Some(b"{}".to_vec()), ..request };
    assert_eq!(http.send(&post).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_address_that_accepts_and_speaks_no_tls_leaves_time_for_the_next() {
    let authority = Authority::new();
    let port = https(&authority, "api.example.com", 2100).await;
    let silent = tokio::net::TcpListener::bind(format!("127.0.0.9:{port}")).await.unwrap();
    let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let url = format!("https://api.example.com:{port}/");
    let request = HttpRequest { tls, ..HttpRequest::get(url, Duration::from_secs(6)) };
    let response = with_addresses("127.0.0.9, 127.0.0.1").send(&request).await.unwrap();
    assert_eq!((response.status, response.passed_over), (200, vec!["127.0.0.9".parse().unwrap()]));
    drop(silent);
}

#[tokio::test]
async fn a_refusing_address_is_passed_over_and_a_certificate_that_will_not_do_is_not() {
    let port = listen(tells_host).await;
    let request = HttpRequest::get(format!("http://api.example.com:{port}/"), LONG);
    let begun = Instant::now();
    let response = with_addresses("127.0.0.9, 127.0.0.8, 127.0.0.1").send(&request).await.unwrap();
    assert_eq!(response.detour().unwrap(), "no connection to 127.0.0.9, 127.0.0.8");
    assert!(begun.elapsed() < Duration::from_secs(5), "refusals cost no share of the time");
    let all = with_addresses("127.0.0.9, 127.0.0.8").send(&request).await.unwrap_err();
    assert_eq!(all.kind, HttpErrorKind::Refused);
    assert!(all.to_string().ends_with("connection refused; no connection to 127.0.0.9 either"), "{all}");
    let authority = Authority::new();
    let expired = https(&authority, "api.example.com", 2021).await;
    let tls = TlsProfile { roots: Some(authority.roots()), ..TlsProfile::default() };
    let request =
        HttpRequest { tls, ..HttpRequest::get(format!("https://api.example.com:{expired}/"), LONG) };
    // A server that answers wrongly is told of, whatever the next one would say.
    let error = with_addresses("127.0.0.1, 127.0.0.9").send(&request).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn addresses_that_are_all_silent_end_within_the_deadline() {
    let port = closed_port();
    let one = deaf(format!("127.0.0.9:{port}").parse().unwrap()).await;
    let two = deaf(format!("127.0.0.8:{port}").parse().unwrap()).await;
    let request = HttpRequest::get(format!("http://api.example.com:{port}/"), Duration::from_millis(900));
    let begun = Instant::now();
    let error = with_addresses("127.0.0.9, 127.0.0.8").send(&request).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Timeout, "{error}");
    assert!(error.to_string().ends_with("within 0.9 s; no connection to 127.0.0.9 either"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    drop((one, two));
}

#[tokio::test]
async fn a_request_follows_its_name_at_once() {
    let first = listen(tells_host).await;
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.9:{first}")).await.unwrap();
    let moved = tokio::spawn(async move { tells_host(listener.accept().await.unwrap().0).await });
    let names = NamesOfTest::default();
    let http = http().with_names(names.directory());
    let request = HttpRequest::get(format!("http://api.example.com:{first}/"), LONG);
    names.answer("api.example.com", Ok("127.0.0.1"));
    http.send(&request).await.unwrap();
    names.answer("api.example.com", Ok("127.0.0.9"));
    http.send(&request).await.unwrap();
    // The new server was asked, though the old one is still there.
    moved.await.unwrap();
}

#[test]
fn what_this_host_lacks_hides_no_refusal_of_another_address() {
    let failed = |address: &str, kind, message: &str| {
        (address.parse().unwrap(), HttpError::new(kind, "http://api.example.com/", message))
    };
    let told = |failed: Vec<(IpAddr, HttpError)>| {
        let error = HttpError::most_telling(failed).unwrap();
        (error.kind, error.message)
    };
    let lacking = || failed("::1", HttpErrorKind::ThisHost, "cannot assign requested address");
    let refused = || failed("127.0.0.1", HttpErrorKind::Refused, "connection refused");
    let silent = || failed("127.0.0.9", HttpErrorKind::Timeout, "no answer in time");
    let words = "connection refused; no connection to ::1 either".to_owned();
    assert_eq!(told(vec![refused(), lacking()]), (HttpErrorKind::Refused, words.clone()));
    assert_eq!(told(vec![lacking(), refused()]), (HttpErrorKind::Refused, words));
    assert_eq!(told(vec![lacking(), silent()]).0, HttpErrorKind::Timeout);
    assert_eq!(told(vec![silent(), refused()]).0, HttpErrorKind::Refused);
    assert_eq!(told(vec![lacking()]).0, HttpErrorKind::ThisHost);
    assert_eq!(HttpError::most_telling(Vec::new()), None);
}

#[tokio::test]
async fn a_message_without_a_proxy_shares_its_time_among_addresses_too() {
    let port = listen(tells_host).await;
    let http = with_addresses("127.0.0.9, 127.0.0.1").with_proxies(&Environment::default());
    let request = HttpRequest {
        method: Method::POST,
        proxy_of_environment: true,
        ..HttpRequest::get(format!("http://api.example.com:{port}/"), LONG)
    };
    assert_eq!(http.send(&request).await.unwrap().detour().unwrap(), "no connection to 127.0.0.9");
}

#[tokio::test]
async fn a_request_that_was_sent_is_sent_to_nobody_else() {
    let asked = Arc::new(Mutex::new(0));
    let counting = asked.clone();
    let port = listen(move |mut socket| {
        *counting.lock().unwrap() += 1;
        async move {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.read(&mut [0; 4096]).await;
        }
    })
    .await;
    let other = tokio::net::TcpListener::bind(format!("127.0.0.9:{port}")).await.unwrap();
    let http = with_addresses("127.0.0.1, 127.0.0.9");
    let url = format!("http://api.example.com:{port}/");
    // On a busy machine the first time may be over before the server hears of it.
    for within in [Duration::from_millis(700), Duration::from_secs(5), Duration::from_secs(30)] {
        let request = HttpRequest { method: Method::POST, ..HttpRequest::get(url.clone(), within) };
        let error = http.send(&request).await.unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Timeout, "{error}");
        if *asked.lock().unwrap() > 0 {
            break;
        }
    }
    assert_ne!(*asked.lock().unwrap(), 0);
    let nobody = tokio::time::timeout(Duration::from_millis(100), other.accept()).await;
    assert!(nobody.is_err(), "the request went to a second server");
}
