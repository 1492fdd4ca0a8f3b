mod apart;
mod cuts;
mod left;
mod loss;
mod numbers;
mod people;
mod plan;
mod safety;
mod sentences;
mod snapshots;
mod split;
mod stage;
mod unproven;

use super::View;
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// The cells that a drawing function leaves on a terminal of that size.
fn drawn(size: (u16, u16), draw: impl FnOnce(&mut Frame<'_>)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(draw).unwrap().buffer.clone()
}

fn screen(size: (u16, u16), view: &View<'_>) -> Buffer {
    drawn(size, |frame| super::doubt::believed(view, |view| super::frame_screen(frame, view)))
}

/// The text of a buffer, without what is blank at the right.
fn text(buffer: &Buffer) -> String {
    let row = |y| {
        let mut row = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).unwrap();
        }
        row.trim_end().to_owned()
    };
    let rows: Vec<String> = (0..buffer.area.height).map(row).collect();
    rows.join("\n")
}
