//! The loop: waits for keys, the engine and the clock; draws when something visible changed.

use super::link::{Connect, Link, LinkError, News, Order};
use super::{App, Effect, Message, draw};
use crate::console::input::{EndReason, Event, Input, Received};
use crate::console::pages::Shown;
use crate::console::terminal::{Drawn, Terminal, TerminalError};
use crate::console::widgets::Styles;
use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// The shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(33);
/// How long a change that is only measurements may wait for others, while seconds count and while all is well: a
/// signal that turns is drawn at once in either case.
const MEASUREMENTS: Duration = Duration::from_secs(1);
const CALM_MEASUREMENTS: Duration = Duration::from_secs(10);
/// Events of the terminal that are taken before a frame is drawn.
const TOGETHER: usize = 4096;
/// Between two looks at the time while the first connection is made.
const CONNECTING: Duration = Duration::from_secs(1);
/// Between two looks at the terminal's size: a serial line or a container sets it later, without a signal.
const SIZE: Duration = Duration::from_secs(1);

/// How the console ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The operator left it.
    Quit,
    /// The terminal is gone, or a signal came.
    Input(EndReason),
}

/// Why the console could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The engine could not be reached in the first place.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Runs the console in a terminal until it is left. `plan` names what is being opened.
///
/// # Errors
/// When the terminal does not work, or the engine could not be reached at all.
pub async fn run(
    terminal: &mut Terminal,
    input: &mut Input,
    app: &mut App,
    styles: Styles<'_>,
    plan: &str,
    connect: Connect,
) -> Result<End, ConsoleError> {
    let now = Instant::now();
    let mut console = Console {
        terminal,
        input,
        app,
        styles,
        plan,
        started: now,
        last_drawn: now,
        draw_at: Some(now),
        stalled: false,
        wants_drain: false,
        size: (0, 0),
        sized_at: now,
    };
    // The first frame stands before anything is waited for.
    console.draw()?;
    let mut link = Link::start(connect);
    console.drive(&mut link).await
}

struct Console<'a> {
    terminal: &'a mut Terminal,
    input: &'a mut Input,
    app: &'a mut App,
    styles: Styles<'a>,
    plan: &'a str,
    started: Instant,
    last_drawn: Instant,
    /// When the next frame is due; none while nothing changed.
    draw_at: Option<Instant>,
    /// The line has not taken the last frame yet.
    stalled: bool,
    wants_drain: bool,
    /// Columns and rows of the last frame.
    size: (u16, u16),
    /// When the terminal was last asked for its size.
    sized_at: Instant,
}

/// What the loop woke up for.
enum Woken {
    Input(Received),
    News(Option<News>),
    Due,
    Tick,
    Ready,
    /// The terminal's size may have been set without a signal.
    Size,
}

impl Console<'_> {
    async fn drive(&mut self, link: &mut Link) -> Result<End, ConsoleError> {
        loop {
            if !self.stalled && self.draw_at.is_some_and(|due| due <= Instant::now()) {
                let dos = self.draw()?;
                self.carry_out(dos, link, Instant::now())?;
            }
            let woken = self.wait(link).await;
            let at = Instant::now();
            let dos = match woken {
                Woken::Input(received) => match self.take_input(received, link, at)? {
                    Some(end) => return Ok(end),
                    None => continue,
                },
                Woken::News(Some(news)) => self.take_all(news, link, at)?,
                // The link ends only after it failed, which was an error.
                Woken::News(None) => return Ok(End::Quit),
                Woken::Tick => self.app.update(Message::Tick, at),
                Woken::Due => Vec::new(),
                Woken::Size => self.look_at_size(at)?,
                Woken::Ready => {
                    self.stalled = false;
                    Vec::new()
                }
            };
            if let Some(end) = self.carry_out(dos, link, at)? {
                return Ok(end);
            }
        }
    }

    async fn wait(&mut self, link: &mut Link) -> Woken {
        let due = self.draw_at.filter(|_| !self.stalled);
        let tick = match self.app.model {
            Some(_) => self.app.wakes(self.last_drawn),
            None => Some(self.last_drawn + CONNECTING),
        };
        tokio::select! {
            biased;
            received = self.input.next() => Woken::Input(received),
            () = self.terminal.ready(), if self.stalled => Woken::Ready,
            () = until(due), if due.is_some() => Woken::Due,
            news = link.news.recv() => Woken::News(news),
            () = until(Some(self.sized_at + SIZE)), if !self.stalled => Woken::Size,
            () = until(tick), if tick.is_some() && due.is_none() && !self.stalled => Woken::Tick,
        }
    }

    /// A new size is drawn at once.
    fn look_at_size(&mut self, at: Instant) -> Result<Vec<Effect>, ConsoleError> {
        self.sized_at = at;
        let size = self.terminal.size().map_err(TerminalError::from)?;
        Ok(if size == self.size { Vec::new() } else { vec![Effect::Draw] })
    }

    /// Takes all input that waits, before anything is drawn: a hundred thousand keys are no hundred thousand frames.
    fn take_input(&mut self, first: Received, link: &Link, at: Instant) -> Result<Option<End>, ConsoleError> {
        let mut next = Some(first);
        let mut room = TOGETHER;
        while let Some(received) = next {
            match received.event {
                Event::Ended(reason) => return Ok(Some(End::Input(reason))),
                Event::Resumed => self.terminal.resume()?,
                _ => {}
            }
            let dos = self.app.update(Message::Input(received), at);
            // What the operator did is seen at once.
            if dos.iter().any(|act| matches!(act, Effect::Draw | Effect::DrawSoon)) {
                self.draw_at = Some(at);
            }
            if let Some(end) = self.carry_out(dos, link, at)? {
                return Ok(Some(end));
            }
            room -= 1;
            next = if room > 0 && !self.wants_drain { self.input.waiting() } else { None };
        }
        Ok(None)
    }

    /// Takes all messages that came together, before anything is drawn.
    fn take_all(&mut self, first: News, link: &mut Link, at: Instant) -> Result<Vec<Effect>, ConsoleError> {
        let mut dos = Vec::new();
        let mut next = Some(first);
        let had_data = self.app.model.is_some();
        while let Some(news) = next {
            let message = match news {
                News::Engine(message) => Message::Engine(message),
                News::Silent { since, pid } => Message::Silent { since, pid },
                News::OfAnother(user) => Message::OfAnother(user),
                News::Lost(why) => Message::Lost(why),
                News::NotStarted(why) => Message::NotStarted(why),
                News::Failed(error) => return Err(error.into()),
            };
            dos.extend(self.app.update(message, at));
            next = link.news.try_recv().ok();
        }
        if !had_data && self.app.model.is_some() {
            // What everybody waits for at the start.
            self.draw_at = Some(at);
        }
        Ok(dos)
    }

    fn carry_out(&mut self, dos: Vec<Effect>, link: &Link, at: Instant) -> Result<Option<End>, ConsoleError> {
        for act in dos {
            match act {
                Effect::Draw => self.draw_by(self.last_drawn + FRAME, at),
                Effect::DrawSoon => {
                    let pace = if self.app.counts(at) { MEASUREMENTS } else { CALM_MEASUREMENTS };
                    self.draw_by(self.last_drawn + pace, at);
                }
                // The link says by itself when there is nobody to take it.
                Effect::Ask(ask) => drop(link.orders.send(Order::Ask(ask))),
                Effect::Diagnose(probe) => drop(link.orders.send(Order::Diagnose(probe))),
                Effect::Start => drop(link.orders.send(Order::Start)),
                Effect::Drain => {
                    self.wants_drain = true;
                    self.draw_at = Some(at);
                }
                Effect::Copy(text) => drop(self.terminal.copy(&text)?),
                Effect::Repaint => self.terminal.repaint()?,
                Effect::Quit => return Ok(Some(End::Quit)),
            }
        }
        Ok(None)
    }

    fn draw_by(&mut self, due: Instant, at: Instant) {
        let due = due.max(at);
        self.draw_at = Some(self.draw_at.map_or(due, |earlier| earlier.min(due)));
    }

    /// Draws a frame, and says what follows from its being seen.
    fn draw(&mut self) -> Result<Vec<Effect>, ConsoleError> {
        let at = Instant::now();
        let waited =
            SignedDuration::try_from(at.duration_since(self.started)).unwrap_or(SignedDuration::ZERO);
        let (app, styles, plan) = (&*self.app, self.styles, self.plan);
        let mut shown = Shown::default();
        let drawn = self.terminal.draw(|frame| shown = draw::draw(frame, app, styles, at, plan, waited))?;
        if drawn == Drawn::Later {
            self.stalled = true;
            return Ok(Vec::new());
        }
        self.last_drawn = at;
        self.draw_at = None;
        let drains = std::mem::take(&mut self.wants_drain);
        let drained = if drains { self.input.drain_type_ahead() } else { None };
        let size = self.terminal.size().map_err(TerminalError::from)?;
        self.size = size;
        let painted = Message::Painted {
            size,
            drained,
            text: shown.text(),
            rows: shown.rows(),
            unseen: shown.unseen(),
            cut: shown.cuts().wholes(),
            keys: shown.keys(),
        };
        let dos = self.app.update(painted, Instant::now());
        if !dos.is_empty() {
            self.draw_at = Some(at + FRAME);
        }
        Ok(dos)
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}
