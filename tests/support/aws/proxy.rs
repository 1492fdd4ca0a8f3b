//! A proxy before an emulator that does to chosen requests what networks and services do on a bad day.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::http::{self, Request};
use super::shapes;

const TICK: Duration = Duration::from_millis(5);

/// Which requests a fault is for.
#[derive(Clone, Default)]
pub struct Match {
    operation: Option<String>,
    region: Option<String>,
}

impl Match {
    /// Every request.
    pub fn all() -> Self {
        Self::default()
    }

    /// An operation by its name, such as `PromoteReadReplica`; or, for services with paths, a part of `METHOD /path`,
    /// such as `POST /2013-04-01/hostedzone/` or `/node-groups/`.
    pub fn operation(text: &str) -> Self {
        Self { operation: Some(text.to_owned()), region: None }
    }

    /// Requests that are signed for a region.
    pub fn region(name: &str) -> Self {
        Self { operation: None, region: Some(name.to_owned()) }
    }

    /// Only those of a region.
    pub fn in_region(self, name: &str) -> Self {
        Self { region: Some(name.to_owned()), ..self }
    }

    fn fits(&self, seen: &Seen) -> bool {
        let operation = self.operation.as_ref().is_none_or(|wanted| {
            if wanted.contains('/') { seen.line.contains(wanted) } else { seen.operation == *wanted }
        });
        operation && self.region.as_ref().is_none_or(|wanted| seen.region == *wanted)
    }
}

/// What happens to a request.
#[derive(Clone)]
pub enum Fault {
    /// It is forwarded this much later.
    Latency(Duration),
    /// Not forwarded; an error of this status in the service's shape.
    Status(u16),
    /// Not forwarded; the service's throttling error.
    Throttle,
    /// Not forwarded; access denied with this message.
    AccessDenied { message: String },
    /// Not forwarded; the session's credentials have expired.
    ExpiredToken,
    /// Not forwarded; the connection is closed.
    CutBefore,
    /// Forwarded, so that the world has changed; the connection is closed instead of the answer.
    LoseAnswer,
    /// Not forwarded; no answer ever, until [`FaultProxy::clear`].
    Hang,
    /// Not forwarded; a page of a corporate proxy with this status, for example 200 or 502.
    Html(u16),
}

/// How often a fault happens.
#[derive(Clone, Copy, PartialEq)]
pub enum Times {
    Always,
    /// That often, then no more.
    Count(u32),
}

impl Times {
    pub const ONCE: Self = Self::Count(1);
}

/// A request that came, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its operation, where the protocol names it, else empty.
    pub operation: String,
    /// The region that it is signed for.
    pub region: String,
    /// Method and target.
    pub line: String,
}

/// The proxy. Faults that were added first win.
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    upstream: u16,
    faults: Mutex<Vec<(Match, Fault, Times)>>,
    seen: Mutex<Vec<Seen>>,
    open: Mutex<Vec<TcpStream>>,
    listen: AtomicBool,
    /// Counts calls of `clear`; a request that hangs ends when it changes.
    cleared: AtomicU64,
}

impl FaultProxy {
    /// Listens on a port of its own and forwards to an endpoint such as `http://127.0.0.1:4566`.
    pub fn before(endpoint: &str) -> Self {
        let shared = Arc::new(Shared {
            upstream: endpoint.rsplit_once(':').unwrap().1.parse().unwrap(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            open: Mutex::default(),
            listen: AtomicBool::new(true),
            cleared: AtomicU64::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = serve(listener, Arc::clone(&shared));
        Self { port, shared, listening: Mutex::new(Some(thread)) }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds a fault.
    pub fn fault(&self, which: Match, fault: Fault, times: Times) {
        self.shared.faults.lock().unwrap().push((which, fault, times));
    }

    /// Takes all faults away and ends requests that hang.
    pub fn clear(&self) {
        self.shared.faults.lock().unwrap().clear();
        self.shared.cleared.fetch_add(1, Ordering::SeqCst);
    }

    /// All requests that came, in their order.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Stops listening and closes what is open: connections are refused until [`FaultProxy::restore`].
    pub fn refuse(&self) {
        self.shared.listen.store(false, Ordering::SeqCst);
        if let Some(thread) = self.listening.lock().unwrap().take() {
            thread.join().unwrap();
        }
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Listens again, on the same port.
    pub fn restore(&self) {
        let mut listening = self.listening.lock().unwrap();
        if listening.is_none() {
            self.shared.listen.store(true, Ordering::SeqCst);
            let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
            *listening = Some(serve(listener, Arc::clone(&self.shared)));
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.clear();
        self.refuse();
    }
}

fn serve(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        while shared.listen.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.handle(&stream));
                }
                Err(_) => thread::sleep(TICK),
            }
        }
    })
}

impl Shared {
    fn handle(&self, stream: &TcpStream) {
        if stream.set_nonblocking(false).is_err() {
            return;
        }
        if let Ok(copy) = stream.try_clone() {
            self.open.lock().unwrap().push(copy);
        }
        if let Ok(Some(request)) = Request::read(stream) {
            let seen = Seen::of(&request);
            let fault = self.fault_for(&seen);
            self.seen.lock().unwrap().push(seen);
            if let Some(answer) = self.answer(&request, fault, stream) {
                http::send(stream, &answer);
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn fault_for(&self, seen: &Seen) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let index = faults.iter().position(|(which, _, _)| which.fits(seen))?;
        let fault = faults[index].1.clone();
        match &mut faults[index].2 {
            Times::Count(1) => drop(faults.remove(index)),
            Times::Count(left) => *left -= 1,
            Times::Always => {}
        }
        Some(fault)
    }

    /// What the client gets; `None` when its connection is closed instead.
    fn answer(&self, request: &Request, fault: Option<Fault>, stream: &TcpStream) -> Option<Vec<u8>> {
        match fault {
            None => request.forward(self.upstream).ok(),
            Some(Fault::Latency(time)) => {
                thread::sleep(time);
                request.forward(self.upstream).ok()
            }
            Some(Fault::Status(status)) => Some(shapes::status(request, status)),
            Some(Fault::Throttle) => Some(shapes::throttled(request)),
            Some(Fault::AccessDenied { message }) => Some(shapes::denied(request, &message)),
            Some(Fault::ExpiredToken) => Some(shapes::expired(request)),
            Some(Fault::CutBefore) => None,
            Some(Fault::LoseAnswer) => {
                let _ = request.forward(self.upstream);
                None
            }
            Some(Fault::Hang) => {
                self.hang(stream);
                None
            }
            Some(Fault::Html(status)) => {
                let page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Corporate proxy</body></html>";
                Some(http::answer(status, &[("Content-Type", "text/html")], page.as_bytes()))
            }
        }
    }

    /// Returns when all faults are cleared, or when the client or `refuse` has closed the connection.
    fn hang(&self, mut stream: &TcpStream) {
        let before = self.cleared.load(Ordering::SeqCst);
        let _ = stream.set_read_timeout(Some(TICK));
        while self.cleared.load(Ordering::SeqCst) == before {
            match stream.read(&mut [0; 64]) {
                Ok(0) => return,
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
                _ => {}
            }
        }
    }
}

impl Seen {
    fn of(request: &Request) -> Self {
        let body = String::from_utf8_lossy(&request.body);
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
        let target = request.header("x-amz-target").and_then(|text| text.rsplit('.').next());
        let rpc = request.line().split_once("/operation/").map(|it| it.1);
        Self {
            operation: rpc.or(target).or(action).unwrap_or_default().to_owned(),
            region: shapes::scope(request).0,
            line: request.line().to_owned(),
        }
    }
}
