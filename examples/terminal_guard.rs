//! The smallest console: shows each event, and ends in the way its argument or a key says. The tests in a
//! pseudo-terminal drive it.

use std::process::ExitCode;
use std::time::Instant;

use lifeboat::console::input::{EndReason, Event, Gate, Input};
use lifeboat::console::terminal::{self, Drawn, Terminal, TerminalError, Unusable};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

/// Why the example ended.
enum End {
    Quit,
    Failed,
    Input(EndReason),
}

fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let (code, message) = match runtime.block_on(run()) {
        Ok(End::Quit) => (0, "quit".to_owned()),
        Ok(End::Failed) => (1, "failed".to_owned()),
        Ok(End::Input(reason)) => (3, format!("ended: {reason:?}")),
        Err(TerminalError::Unusable(unusable)) => (Unusable::EXIT_CODE, unusable.to_string()),
        Err(error) => (4, error.to_string()),
    };
    terminal::say(&message);
    ExitCode::from(code)
}

async fn run() -> Result<End, TerminalError> {
    let term = std::env::var("TERM").ok();
    let mut terminal = Terminal::enter(term.as_deref())?;
    let mut input = Input::start(&terminal)?;
    let mut log = vec!["started".to_owned()];
    // The view is whether a confirmation is open.
    let mut gate: Gate<bool> = Gate::default();
    let mut open = false;
    let mut drains = false;
    let mut flood = std::env::args().nth(1).as_deref() == Some("flood");
    loop {
        if flood {
            log = (0..200).map(|row| format!("{row} {:?}", Instant::now()).repeat(20)).collect();
        }
        let text: Vec<Line<'_>> = log.iter().rev().map(|line| Line::from(line.as_str())).collect();
        let drawn = terminal.draw(|frame| frame.render_widget(Paragraph::new(text), frame.area()))?;
        let drained = if std::mem::take(&mut drains) { input.drain_type_ahead() } else { None };
        gate.painted(open, Instant::now(), drained);
        let received = tokio::select! {
            biased;
            received = input.next() => received,
            () = terminal.ready(), if flood || drawn == Drawn::Later => continue,
        };
        match &received.event {
            Event::Ended(reason) => return Ok(End::Input(*reason)),
            Event::Resize { width, height } => log.push(format!("size {width}x{height}")),
            Event::Paste(text) => log.push(format!("paste {text:?}")),
            Event::Unfinished => log.push("unfinished".to_owned()),
            Event::GivenUp => log.push("given up".to_owned()),
            Event::Resumed => {
                terminal.resume()?;
                log.push("resumed".to_owned());
            }
            Event::Key { chord, .. } => {
                gate.hear(&received);
                let confirmed = open && gate.admits_key(&true, &received);
                log.push(format!("key {chord} {confirmed}"));
                match chord.to_string().as_str() {
                    "q" => return Ok(End::Quit),
                    "e" => return Ok(End::Failed),
                    "x" => panic_now(),
                    "t" => {
                        tokio::spawn(async { panic_now() });
                    }
                    "r" => terminal.repaint()?,
                    "f" => flood = true,
                    "b" => std::thread::sleep(std::time::Duration::from_millis(500)),
                    "o" => {
                        open = true;
                        log.push("confirm?".to_owned());
                        drains = true;
                    }
                    _ => {}
                }
            }
        }
    }
}

#[allow(clippy::panic)] // What a panic leaves behind is what the tests look at.
fn panic_now() {
    panic!("on purpose");
}
