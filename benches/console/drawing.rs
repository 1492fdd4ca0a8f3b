//! Time and bytes of a frame, and what stands before it: the whole model at the start, a second's readings after.

use lifeboat::console::ui::Screen;
use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use lifeboat::console::glyphs::Glyphs;
use lifeboat::console::keymap::{self, Keymap};
use lifeboat::console::pages::Shown;
use lifeboat::console::screens::{View, frame_screen};
use lifeboat::console::theme::{self, ColourDepth, Theme};
use lifeboat::console::ui::{Connection, Ui};
use lifeboat::console::widgets::Styles;
use lifeboat::core::apply::apply;
use lifeboat::core::model::Model;
use lifeboat::core::words::fact::Event;
use lifeboat::engine::protocol::ToClient;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::{Outcome, quantile, report, scene};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];
const FRAMES: usize = 200;

/// Counts what is written.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Stage {
    model: Model,
    ui: Ui,
    theme: Theme,
    keymap: Keymap,
    now: Timestamp,
    terminal: Terminal<CrosstermBackend<Counter>>,
    written: Counter,
}

impl Stage {
    fn new(model: Model, (width, height): (u16, u16), now: Timestamp) -> Outcome<Self> {
        let written = Counter::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let backend = CrosstermBackend::new(written.clone());
        let theme =
            theme::load(&theme::layers(None), theme::DEFAULT).map_err(|problems| format!("{problems:?}"))?;
        Ok(Self {
            model,
            ui: Ui { connection: Connection::Attached, ..Ui::default() },
            theme: theme.at_depth(ColourDepth::Indexed256),
            keymap: keymap::load(&keymap::layers(None), keymap::DEFAULT)
                .map_err(|problems| format!("{problems:?}"))?,
            now,
            terminal: Terminal::with_options(backend, TerminalOptions { viewport })?,
            written,
        })
    }

    /// Draws one frame; its time, and its size in bytes.
    fn draw(&mut self) -> Outcome<(Duration, usize)> {
        let before = self.written.0.get();
        let start = Instant::now();
        let shown = Shown::default();
        let view = View {
            model: &self.model,
            ui: &self.ui,
            styles: Styles::new(&self.theme, Glyphs::Unicode),
            now: self.now,
            operator: "ana",
            keymap: &self.keymap,
            shown: &shown,
        };
        self.terminal.draw(|frame| frame_screen(frame, &view))?;
        Ok((start.elapsed(), self.written.0.get() - before))
    }
}

/// Draws the overview at several sizes, and folds what the engine sends.
pub fn run(counts: &[usize]) -> Outcome {
    let now: Timestamp = "2026-01-31T12:00:00Z".parse()?;
    for &count in counts {
        let model = scene::model(count, now)?;
        for size in SIZES {
            frames(count, size, Stage::new(model.clone(), size, now)?)?;
        }
        welcome(count, &model)?;
        fold(count, model, now)?;
    }
    Ok(())
}

fn frames(count: usize, (width, height): (u16, u16), mut stage: Stage) -> Outcome {
    let what = |frame: &str| format!("{count} signals, {width}x{height}, {frame}");
    let (time, bytes) = stage.draw()?;
    line(&what("first frame"), vec![time], vec![bytes]);

    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for round in 0..FRAMES {
        // The worst comes first, so this one is in view.
        apply(&mut stage.model, &scene::reading(0, stage.now, round as f64));
        let (time, size) = stage.draw()?;
        times.push(time);
        bytes.push(size);
    }
    line(&what("one reading"), times, bytes);

    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        stage.ui.cursor_mut(Screen::Overview).selected += 1;
        let (time, size) = stage.draw()?;
        times.push(time);
        bytes.push(size);
    }
    line(&what("cursor down"), times, bytes);

    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        stage.now += SignedDuration::from_secs(1);
        for number in 0..count {
            apply(&mut stage.model, &scene::reading(number, stage.now, 0.3));
        }
        let (time, size) = stage.draw()?;
        times.push(time);
        bytes.push(size);
    }
    line(&what("a second later"), times, bytes);
    Ok(())
}

fn line(what: &str, times: Vec<Duration>, sizes: Vec<usize>) {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    let mut sizes: Vec<f64> = sizes.into_iter().map(|size| size as f64).collect();
    let (median, late) = (quantile(&mut times, 0.5), quantile(&mut times, 0.95));
    println!("{what:<58} {median:>7.3} ms, 95 % within {late:.3} ms, {:.0} bytes", quantile(&mut sizes, 0.5));
}

/// The first message of the engine.
fn welcome(count: usize, model: &Model) -> Outcome {
    let start = Instant::now();
    let bytes = serde_json::to_vec(model)?;
    let written = start.elapsed();
    let start = Instant::now();
    black_box(serde_json::from_slice::<Model>(&bytes)?);
    report(format!("{count} signals, whole model, size"), bytes.len() as f64 / 1024.0, "KiB", None);
    report(format!("{count} signals, whole model, written"), written.as_secs_f64() * 1e3, "ms", None);
    report(format!("{count} signals, whole model, read"), start.elapsed().as_secs_f64() * 1e3, "ms", None);
    Ok(())
}

/// A reading of each signal, from the engine's bytes into the client's model.
fn fold(count: usize, mut model: Model, now: Timestamp) -> Outcome {
    let events: Vec<Event> = (0..count).map(|number| scene::reading(number, now, 0.3)).collect();
    let frames = events
        .into_iter()
        .map(|event| serde_json::to_vec(&ToClient::Events(vec![event])))
        .collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    for frame in &frames {
        if let ToClient::Events(events) = serde_json::from_slice(frame)? {
            events.iter().for_each(|event| apply(&mut model, event));
        }
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / count as f64;
    report(format!("{count} signals, one reading, read and folded"), each, "us", None);
    let bytes: usize = frames.iter().map(Vec::len).sum();
    report(format!("{count} signals, one reading, size"), bytes as f64 / count as f64, "B", None);
    Ok(())
}
