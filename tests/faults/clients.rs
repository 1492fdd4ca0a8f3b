//! Clients that ask for more than their share, or do not read: the others are served, and the memory stays bounded.

use crate::pty::wait_for;
use crate::rig::{Hands, Home};
use lifeboat::core::model::Model;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::fact::Fact;
use lifeboat::engine::protocol::{PROTOCOL_VERSION, ToEngine};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// What an engine may take in these tests; an idle one takes a tenth of it.
const MEMORY_LIMIT_KIB: u64 = 300 * 1024;
/// How long anybody may wait for a reply beside a flood. It is a tenth of it even on a busy host.
const REPLY_LIMIT: Duration = Duration::from_secs(2);

fn frame(message: &ToEngine) -> Vec<u8> {
    let json = serde_json::to_vec(message).unwrap();
    [&u32::try_from(json.len()).unwrap().to_be_bytes()[..], &json].concat()
}

fn note(id: u64, text: &str) -> Vec<u8> {
    frame(&ToEngine::Ask { id, ask: Ask::Note { text: text.into() } })
}

/// A client that writes whatever it likes.
fn raw(home: &Home) -> UnixStream {
    let mut stream = wait_for(|| UnixStream::connect(home.state.join("engine.sock")).ok()).unwrap();
    stream.write_all(&frame(&ToEngine::Hello { version: PROTOCOL_VERSION })).unwrap();
    stream
}

/// The most memory that the engine ever had, in KiB.
fn peak_memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Reads until the end, away from the test.
fn drain(stream: &UnixStream) {
    let mut stream = stream.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
}

#[test]
fn a_client_that_floods_the_engine_holds_up_nobody_and_fills_no_memory() {
    let home = Home::new();
    let engine = home.engine();
    let mut flood = raw(&home);
    drain(&flood);
    let switch = flood.try_clone().unwrap();
    let mut good = Hands::attach(&home);
    let (mut worst, mut asked) = (Duration::ZERO, 0_u64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let fifty: Vec<u8> = (0..50).flat_map(|id| note(id, "flood")).collect();
            while flood.write_all(&fifty).is_ok() {}
        });
        let until = Instant::now() + Duration::from_secs(4);
        while Instant::now() < until {
            let began = Instant::now();
            good.ask(Ask::Note { text: "good".into() }).unwrap();
            worst = worst.max(began.elapsed());
            asked += 1;
        }
        let readings = |model: &Model| model.live.recent["reference"].values.len();
        let before = readings(&good.model);
        good.wait("a reading beside the flood", |model| readings(model) > before);
        switch.shutdown(Shutdown::Both).unwrap();
    });
    assert!(worst < REPLY_LIMIT, "{worst:?} for one of {asked} replies");
    let peak = peak_memory(i32::try_from(engine.0.id()).unwrap());
    assert!(peak < MEMORY_LIMIT_KIB, "{peak} KiB");
}

#[test]
fn a_thousand_asks_of_the_largest_size_are_taken_one_by_one() {
    let home = Home::new();
    let engine = home.engine();
    let mut flood = raw(&home);
    drain(&flood);
    let large = note(1, &"x".repeat(250_000));
    for _ in 0..1_080 {
        flood.write_all(&large).unwrap();
    }
    Hands::attach(&home).ask(Ask::Note { text: "good".into() }).unwrap();
    let peak = peak_memory(i32::try_from(engine.0.id()).unwrap());
    assert!(peak < MEMORY_LIMIT_KIB, "{peak} KiB");
}

#[test]
fn a_client_that_does_not_read_is_let_go_and_nothing_of_it_is_processed_afterwards() {
    let home = Home::new();
    let _engine = home.engine();
    let mut deaf = raw(&home);
    deaf.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut sent = 0_u64;
    let ended = loop {
        match deaf.write_all(&note(sent, &format!("deaf {}", "x".repeat(3_000)))) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 200_000, "it was never let go");
    };
    assert!(matches!(ended.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{ended}");
    let deaf_notes = || {
        let is_deaf = |fact: &Fact| matches!(fact, Fact::NoteAdded { text } if text.starts_with("deaf"));
        home.facts().iter().filter(|fact| is_deaf(fact)).count() as u64
    };
    let before = deaf_notes();
    assert!(before < sent, "{before} of {sent} were recorded");
    let mut good = Hands::attach(&home);
    for _ in 0..3 {
        good.ask(Ask::Note { text: "good".into() }).unwrap();
    }
    assert_eq!(deaf_notes(), before);
}

#[test]
fn idle_connections_lock_nobody_out_and_the_longest_idle_gives_way_in_words() {
    let home = Home::new();
    let mut engine = home.engine();
    let mut good = Hands::attach(&home);
    good.ask(Ask::Note { text: "before".into() }).unwrap();
    let mut oldest = raw(&home);
    oldest.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It is attached: of a crowd that has not said yet what it is only some are told why they are let go.
    oldest.read_exact(&mut [0]).unwrap();
    let idle: Vec<UnixStream> = (0..40).map(|_| raw(&home)).collect();
    let mute = || UnixStream::connect(home.state.join("engine.sock")).unwrap();
    let silent: Vec<UnixStream> = (0..40).map(|_| mute()).collect();
    home.wait_status("P0");
    let began = Instant::now();
    assert!(home.status().contains("P0"));
    assert!(home.run("ack", &["--note", "mine"]).status.code().is_some());
    assert!(began.elapsed() < REPLY_LIMIT * 2, "{:?}", began.elapsed());
    good.ask(Ask::Note { text: "who asks keeps the place".into() }).unwrap();
    let mut said = Vec::new();
    oldest.read_to_end(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("this one was the longest idle") && said.contains("32 connections"), "{said}");
    let stopped = home.run("stop", &[]);
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(wait_for(|| engine.0.try_wait().unwrap()).unwrap().success());
    drop((idle, silent));
}
