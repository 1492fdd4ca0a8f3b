//! Peers that send without end: the engine answers, measures everybody else, tells people, and ends when it is told to.

use crate::pty::wait_for;
use crate::rig::{Engine, Home};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Within this time `lifeboat status` has to answer, also on a busy host: an engine that is held up never does.
const ANSWERS: Duration = Duration::from_secs(10);
/// Within this time a server that is silent has to have been called down again and again.
const CALLED_DOWN: Duration = Duration::from_secs(150);
/// Within this time an engine that is stopped has to have ended.
const ENDS: Duration = Duration::from_secs(20);

/// Says the same to every client again and again, after it read a head where `after_head`.
fn endless(text: &'static str, after_head: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let talk = move |mut stream: TcpStream| -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        while after_head && reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let block = text.repeat(1_000);
        loop {
            stream.write_all(block.as_bytes())?;
        }
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The engine cuts the connection off.
            std::thread::spawn(move || drop(talk(stream)));
        }
    });
    address
}

/// The signals that are not ok, each with its state; the time that the answer took is bounded.
fn signals(home: &Home) -> Vec<(String, String)> {
    let asked = Instant::now();
    let output = home.run("status", &["--json"]);
    assert!(asked.elapsed() < ANSWERS, "status took {:?}", asked.elapsed());
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let signals = status["signals_not_ok"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    let text = |signal: &serde_json::Value, key: &str| signal[key].as_str().unwrap().to_owned();
    signals.iter().map(|signal| (text(signal, "probe"), text(signal, "state"))).collect()
}

fn assert_stops(home: &Home, mut engine: Engine) {
    let asked = Instant::now();
    let stopped = home.run("stop", &[]);
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    wait_for(|| engine.0.try_wait().unwrap()).expect("it has ended");
    assert!(asked.elapsed() < ENDS, "{:?}", asked.elapsed());
    home.assert_journal_good();
}

#[test]
fn servers_that_announce_an_answer_without_end_keep_neither_the_engine_nor_other_probes() {
    let mut plan = include_str!("plan.toml").to_owned();
    for (number, text) in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let address = endless(text, true);
        plan += &format!(
            "\n[probes.endless-{number}]\nkind = \"http\"\nurl = \"http://{address}/\"\nevery = \"2s\"\ntimeout = \"1s\"\n"
        );
    }
    let home = Home::with(&plan);
    let engine = home.engine();
    home.wait_pid();
    let mut seen = 0;
    let unknown = wait_for(|| {
        let signals = signals(&home);
        let of = |probe: &str| signals.iter().find(|(of, _)| of == probe).map(|(_, state)| state.clone());
        // Right, or unknown: never what it is not.
        assert!(of("reference").is_none_or(|state| state == "unknown"), "{signals:?}");
        assert!(of("db").is_none_or(|state| ["critical", "unknown"].contains(&&*state)), "{signals:?}");
        let endless = ["endless-0", "endless-1", "endless-2"].map(of);
        assert!(endless.iter().flatten().all(|state| state == "unknown"), "{signals:?}");
        let right = of("reference").is_none() && of("db").as_deref() == Some("critical");
        seen += usize::from(right && endless.iter().all(Option::is_some));
        (seen >= 5).then_some(())
    });
    unknown.expect("the endless ones are unknown, the others are measured");
    assert_stops(&home, engine);
}

#[test]
fn a_server_that_falls_silent_is_critical_also_beside_servers_that_send_without_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut plan = include_str!("plan.toml").to_owned();
    let endless = ["HTTP/1.1 100 Continue\r\n\r\n"; 4].map(|text| endless(text, true));
    let silent = silent.local_addr().unwrap().to_string();
    for (name, address) in ["e0", "e1", "e2", "e3"].iter().zip(&endless).chain([(&"silent", &silent)]) {
        plan += &format!(
            "\n[probes.{name}]\nkind = \"http\"\nurl = \"http://{address}/\"\nevery = \"2s\"\ntimeout = \"1s\"\n"
        );
    }
    let home = Home::with(&plan);
    let engine = home.engine();
    home.wait_pid();
    // On a busy host a look takes seconds, and what was not measured in time is unknown then.
    let deadline = Instant::now() + CALLED_DOWN;
    let (mut critical, mut looks) = (0, 0);
    // It stays so.
    while critical < 10 {
        let signals = signals(&home);
        looks += 1;
        critical += usize::from(signals.iter().any(|(of, state)| of == "silent" && state == "critical"));
        let last = format!("{critical} of {looks} looks called it down; now {signals:?}");
        assert!(Instant::now() < deadline, "what is silent is called down: {last}");
    }
    assert_stops(&home, engine);
}

fn mail_server_without_end(security: &str) {
    let address = endless("220-hello\r\n", false);
    let port = address.rsplit(':').next().unwrap();
    let people = format!(
        r#"
[contacts.ada]
name = "Ada"
phone = "+491701234567"
email = "ada@example.org"

[channels.mail]
kind = "smtp"
host = "127.0.0.1"
port = {port}
tls = "{security}"
from = "lifeboat@example.org"
timeout = "5s"

[channels.pager]
kind = "command"
argv = ["sh", "-c", "cat >> pages; echo >> pages"]
folder = "@folder"
address = "phone"

[policies.all]
severities = ["P0"]

[[policies.all.levels]]
who = ["ada"]
methods = ["mail", "pager"]

[notify]
propose = "P0"
propose_after = "1s"
"#
    );
    let home = Home::with(&(include_str!("plan.toml").to_owned() + &people));
    let engine = home.engine();
    home.wait_pid();
    wait_for(|| std::fs::read_to_string(home.path().join("pages")).ok().filter(|pages| !pages.is_empty()))
        .expect("the other channel is told");
    let failed = wait_for(|| {
        assert!(signals(&home).iter().all(|(probe, _)| probe != "reference"));
        let facts = format!("{:?}", home.facts());
        facts.contains("an answer without end").then_some(())
    });
    failed.expect("that the mail did not go out is recorded, and why");
    assert_stops(&home, engine);
}

#[test]
fn a_mail_server_that_greets_without_end_fails_and_the_other_channel_is_told() {
    mail_server_without_end("none");
}

#[test]
fn a_mail_server_that_greets_without_end_before_starttls_fails_and_the_other_channel_is_told() {
    mail_server_without_end("starttls");
}

#[test]
fn notify_check_and_preflight_end_by_their_deadline_and_name_the_peer_that_sends_without_end() {
    let address = endless("HTTP/1.1 100 Continue\r\n\r\n", true);
    let more = format!(
        r##"
[contacts.ada]
name = "Ada"
slack = "#oncall"

[channels.chat]
kind = "slack"
token = {{ secret = "bot" }}
api_url = "http://{address}/api"
timeout = "2s"

[channels.pager]
kind = "command"
argv = ["true"]
address = "slack"

[policies.all]
severities = ["P0"]

[[policies.all.levels]]
who = ["ada"]
methods = ["chat", "pager"]

[probes.endless]
kind = "http"
url = "http://{address}/"
every = "60s"
timeout = "30s"

[[runbooks.mend.steps]]
id = "drop"
title = "Drop what is left"
action = "exec"
with.target = "db"
with.argv = ["true"]
with.verify_argv = ["true"]
guard = ["signals['endless'].state == 'ok'"]
confirm = "type"
irreversible = true
"##
    );
    let home = Home::with(&(include_str!("plan.toml").to_owned() + &more))
        .env("LIFEBOAT_SECRET_BOT", "xoxb-1234-of-the-bot");
    let said = |arguments: &[&str]| {
        let plan = home.plan();
        let output = home.run_bare(&[arguments, &[plan.to_str().unwrap()]].concat());
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let asked = Instant::now();
    let (code, text) = said(&["notify", "check"]);
    let chat = text.lines().find(|line| line.contains("chat (slack): ")).unwrap_or_default();
    // By its own deadline, or by the one that cuts it off.
    let late = ["no complete answer within 2", "no answer from http://"];
    assert!(code == Some(1) && late.iter().any(|late| chat.contains(late)), "{code:?}: {text}");
    assert!(text.contains("pager (command)"), "the other one is looked at: {text}");
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    let (code, text) = said(&["preflight"]);
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {text}");
    assert!(text.contains(&format!("no answer from http://{address}/ within 15 s")), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(75), "{:?}", asked.elapsed());
}
