//! Servers that say nothing, too much, or what a terminal would obey.

use crate::rig::{Hands, Home};
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::signal::SignalState;
use lifeboat::core::words::status::StepStatus;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most memory that a process ever had (proc(5): `status`).
pub fn peak_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A server; each connection is handled on a thread of its own for as long as the test runs.
fn server(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            std::thread::spawn(move || handle(stream));
        }
    });
    address
}

/// Takes what comes and never answers.
fn silent() -> String {
    server(|mut stream| {
        let mut rest = [0; 4096];
        while stream.read(&mut rest).is_ok_and(|read| read > 0) {}
    })
}

fn probe(name: &str, keys: &str) -> String {
    format!("[probes.{name}]\n{keys}\nevery = \"1s\"\ntimeout = \"800ms\"\n")
}

const PLAN: &str = include_str!("plan.toml");

#[test]
fn servers_that_never_answer_hold_up_nothing_else() {
    let silent = silent();
    let dsn = format!("dsn = \"postgres://u@{silent}/x?sslmode=disable\"");
    let probes = [
        probe("http", &format!("kind = \"http\"\nurl = \"http://{silent}/\"")),
        probe("https", &format!("kind = \"http\"\nurl = \"https://{silent}/\"")),
        probe("pg", &format!("kind = \"postgres\"\n{dsn}")),
        probe("lag", &format!("kind = \"postgres-replication\"\nregion = \"primary\"\n{dsn}")),
        probe("archive", &format!("kind = \"postgres-backup\"\n{dsn}")),
    ];
    let step = |id: &str, action: &str, keys: &str| {
        format!(
            "[[runbooks.mend.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"{action}\"\n{keys}\nneeds = []\n\
             confirm = \"yes\"\ntimeout = \"2s\"\nverify = \"signals['reference'].state != 'ok'\"\nverify_within = \"1s\"\n"
        )
    };
    let steps = [
        step("post", "http-request", &format!("with.method = \"POST\"\nwith.url = \"http://{silent}/\"")),
        step("fence", "postgres-fence", &format!("with.{dsn}")),
    ];
    let home = Home::with(&format!("{PLAN}\n{}\n{}", steps.concat(), probes.concat()));
    let mut console = home.open(100, 40);
    console.wait_for_text("No database takes writes");
    let mut hands = Hands::attach(&home);
    hands.begin_run();
    for name in ["http", "https", "pg", "lag", "archive"] {
        hands.wait(name, |model| model.why(&name.into()).contains(&silent));
        assert_ne!(hands.model.durable.signals[name].state, SignalState::Ok);
    }
    let looks = |hands: &Hands| hands.model.live.recent["reference"].values.len();
    let before = looks(&hands);
    hands.fire("post");
    // While a call hangs, the screen hears keys and the other probes look.
    console.press("3");
    console.wait_for_text("TIMELINE");
    hands.wait_step("post", StepStatus::Unknown);
    assert!(looks(&hands) > before);

    // The fence's own look at its target hangs, and says so.
    let (run, fence) = (hands.run_id(), "fence".into());
    hands.ask(Ask::Prepare { run, step: fence }).unwrap();
    hands.wait("the fence was looked at", |model| {
        let run = model.durable.incident.as_ref().and_then(|incident| incident.runs.last()).unwrap();
        let state = &run.steps["fence"];
        state.obstacle.is_some()
            || state.confirmation.as_ref().is_some_and(|c| !c.description.target.reachable)
    });
}

#[test]
fn a_body_of_a_gigabyte_is_cut_off_and_costs_no_memory() {
    const GIGABYTE: u64 = 1 << 30;
    let most = Arc::new(AtomicU64::new(0));
    let sent = most.clone();
    let giga = server(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
        let mut count = 0;
        let piece = [b'x'; 65_536];
        while count < GIGABYTE && stream.write_all(&piece).is_ok() {
            count += piece.len() as u64;
            sent.fetch_max(count, Ordering::Relaxed);
        }
    });
    let giga = probe("giga", &format!("kind = \"http\"\nurl = \"http://{giga}/\"\nbody_matches = \"end\""));
    let home = Home::with(&format!("{PLAN}\n{giga}"));
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    // What lies behind the cut nobody read: it may match there.
    hands.wait("a verdict", |model| model.why(&"giga".into()).contains("first megabyte"));
    assert_eq!(hands.model.durable.signals["giga"].state, SignalState::Unknown);
    let peak = peak_kib(home.wait_pid());
    assert!(peak < 120_000, "the engine took {peak} KiB");
    assert!(most.load(Ordering::Relaxed) < GIGABYTE / 10);
}

#[test]
fn what_a_terminal_would_obey_reaches_neither_screen_nor_journal() {
    // A title, a cleared screen, a colour in C1, a bell, a right-to-left override.
    const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil";
    let evil = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let body = format!("{{\"status\": \"\\u001b]0;owned\\u0007{EVIL}\"}}");
        let head = format!("HTTP/1.1 200 {EVIL}\r\nServer: {EVIL}\r\nConnection: close\r\n");
        let _ = stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let talk = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let body = "{\"status\": \"\\u001b]0;owned\\u0007 \\u009b31mevil\"}";
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
        let _ = stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let quoted = EVIL.escape_unicode().to_string();
    let print = format!("printf '%b' '{}'", octal(EVIL));
    let toml = print.replace('\\', "\\\\");
    let probes = [
        probe("evil", &format!("kind = \"http\"\nurl = \"http://{evil}/\"")),
        probe(
            "talk",
            &format!(
                "kind = \"http\"\nurl = \"http://{talk}/\"\njson_pointer = \"/status\"\njson_equals = \"ok\""
            ),
        ),
        probe("match", &format!("kind = \"http\"\nurl = \"http://{talk}/\"\nbody_matches = \"nothing\"")),
        probe("program", &format!("kind = \"exec\"\nargv = [\"sh\", \"-c\", \"{toml}; exit 1\"]")),
        probe(
            "number",
            &format!("kind = \"exec\"\nstdout = \"number\"\nargv = [\"sh\", \"-c\", \"{toml}\"]"),
        ),
    ];
    let plan = PLAN.replace("echo ran >> ran;", &format!("{toml}; echo;"));
    let home = Home::with(&format!("{plan}\n{}", probes.concat()));
    let mut console = home.open(100, 40);
    console.wait_for_text("No database takes writes");
    let mut hands = Hands::attach(&home);
    for name in ["talk", "match", "program"] {
        hands.wait(name, |model| model.durable.signals[name].state == SignalState::Critical);
    }
    hands.wait("evil", |model| model.live.recent.get("evil").is_some_and(|recent| recent.latest.is_some()));
    hands.wait("number", |model| model.why(&"number".into()).contains("evil"));
    hands.begin_run();
    hands.fire("work");
    hands.wait("output", |model| model.live.output.iter().any(|output| output.line.contains("evil")));
    console.press("2");
    console.wait_for_text("output");
    for screen in ["3", "1"] {
        console.press(screen);
        console.wait_for_text("evil");
    }
    std::fs::write(home.path().join("go"), "").unwrap();
    hands.wait_step("work", StepStatus::Verified);

    let raw = String::from_utf8_lossy(&console.raw_output()).into_owned();
    for bad in ["\u{1b}]0;owned", "\u{7}", "\u{9b}", "\u{202e}"] {
        assert!(!raw.contains(bad), "{bad:?} of {quoted} reached the terminal");
    }
    let journal = std::fs::read_to_string(home.journal().join("000001.jsonl")).unwrap();
    let raw = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!journal.contains(raw), "the journal holds raw control characters");
    let status = home.status();
    assert!(status.contains("evil") && !status.contains(raw), "{status:?}");
    let log = std::fs::read_to_string(home.state.join("engine.log")).unwrap();
    assert!(!log.contains(raw), "{log:?}");
}

/// Bytes as `printf %b` takes them.
fn octal(text: &str) -> String {
    text.bytes().map(|byte| format!("\\0{byte:03o}")).collect()
}

/// Answers every request with 200.
fn well() -> String {
    server(|mut stream| {
        let mut request = [0; 4096];
        if stream.read(&mut request).is_ok_and(|read| read > 0) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        }
    })
}

/// A stale proxy of the environment once made every service of both regions critical, and paged for it.
#[test]
fn a_proxy_of_the_environment_is_used_only_where_the_plan_says_so_and_its_failure_is_not_the_services() {
    let url = format!("kind = \"http\"\nurl = \"http://{}/\"", well());
    let probes = [probe("direct", &url), probe("proxied", &format!("{url}\nproxy = \"environment\""))];
    let plan = PLAN.replace("@reference", &silent()) + &probes.concat();
    // Nobody listens on the port of discard.
    let proxy = "http://127.0.0.1:9";
    let home = Home::with(&plan).env("HTTP_PROXY", proxy).env("http_proxy", proxy).env("HTTPS_PROXY", proxy);
    let _engine = home.engine();
    let mut hands = Hands::attach(&home);
    let state = |model: &lifeboat::core::model::Model, id: &str| {
        model.durable.signals.get(id).map(|signal| signal.state)
    };
    hands.wait("the direct one is well", |model| state(model, "direct") == Some(SignalState::Ok));
    let status = home.wait_status("through the proxy of the environment");
    let line = status.lines().find(|line| line.contains("through the proxy")).unwrap();
    assert!(line.contains("unknown") && !line.contains("critical"), "{status}");
}
