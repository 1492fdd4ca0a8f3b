use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::console::keymap::{self, Action, Context};
use crate::console::theme;

fn with_look(glyphs: Glyphs, check: impl Fn(&Styles<'_>)) {
    let theme = theme::load(&theme::layers(None), theme::DEFAULT).unwrap();
    check(&Styles::new(&theme, glyphs));
}

fn text(line: &Line<'_>) -> String {
    line.spans.iter().map(|span| span.content.as_ref()).collect()
}

#[test]
fn a_sparkline_shows_gaps_and_keeps_the_present_at_the_right() {
    let values = [Some(0.0), Some(7.0), None, Some(f64::NAN), Some(14.0)];
    with_look(Glyphs::Unicode, |styles| {
        assert_eq!(text(&sparkline(styles, &values, 0.0, 7)), "  ▁▅××█");
        assert_eq!(text(&sparkline(styles, &values, 0.0, 2)), "×█");
        assert_eq!(text(&sparkline(styles, &[], 0.0, 3)), "   ");
        assert_eq!(text(&sparkline(styles, &[Some(0.0), Some(0.0)], 0.0, 2)), "▁▁");
        assert_eq!(
            text(&sparkline(styles, &[Some(3.0), Some(4.0)], 200.0, 2)),
            "▁▁",
            "noise far below a bound"
        );
        let line = sparkline(styles, &values, 0.0, 5);
        assert_eq!(line.spans[2].style, styles.style(Role::Unknown));
    });
    with_look(Glyphs::Ascii, |styles| assert_eq!(text(&sparkline(styles, &values, 0.0, 5)), "_=??#"));
}

#[test]
fn the_clock_says_what_is_left_and_how_far_over() {
    let target = SignedDuration::from_mins(15);
    assert_eq!(clock_words(SignedDuration::from_secs(724), target), "12:04 of 15:00, 2:56 left");
    assert_eq!(clock_words(SignedDuration::from_secs(970), target), "16:10 of 15:00, over by 1:10");
    with_look(Glyphs::Ascii, |styles| {
        let line = clock_line(styles, SignedDuration::from_secs(899), target, 10);
        assert_eq!(text(&line), "#########. ! 14:59 of 15:00, 0:01 left");
        let line = clock_line(styles, SignedDuration::from_secs(900), target, 10);
        assert_eq!(text(&line), "########## X 15:00 of 15:00, 0:00 left");
        let line = clock_line(styles, SignedDuration::ZERO, SignedDuration::ZERO, 4);
        assert_eq!(text(&line), "#### X 0:00 of 0:00, 0:00 left");
    });
}

#[test]
fn every_state_has_a_word_of_its_own() {
    with_look(Glyphs::Unicode, |styles| {
        assert_eq!(state_cell(styles, State::Unknown).content, "? unknown");
        assert_eq!(severity_badge(styles, 1).content, " P1 ");
        assert_eq!(drill_or_live(styles, Some("DRILL"), false).content, " ◆ DRILL ");
        assert_ne!(
            drill_or_live(styles, Some("DRILL"), false).style,
            drill_or_live(styles, None, false).style
        );
    });
}

#[test]
fn hints_name_the_keys_of_the_keymap_and_stop_where_the_line_ends() {
    let layers = keymap::layers(None);
    let hints = [(Action::PrepareStep, "prepare"), (Action::Help, "help"), (Action::Quit, "quit")];
    with_look(Glyphs::Ascii, |styles| {
        let vim = keymap::load(&layers, "default").unwrap();
        let line = hint_line(styles, &vim, Context::Decide, &hints, 80);
        assert_eq!(text(&line), "p prepare | ? help | q quit");
        assert_eq!(text(&hint_line(styles, &vim, Context::Decide, &hints, 18)), "p prepare | ? help");
        assert_eq!(text(&hint_line(styles, &vim, Context::Decide, &hints, 17)), "p prepare");
        let emacs = keymap::load(&layers, "emacs").unwrap();
        let line = hint_line(styles, &emacs, Context::Overview, &hints, 80);
        assert_eq!(text(&line), "f1 help | ctrl-x ctrl-c quit");
    });
}

#[test]
fn text_is_cut_by_cells_and_the_cut_is_marked() {
    with_look(Glyphs::Unicode, |styles| {
        assert_eq!(fit(styles, "promote", 7), "promote");
        assert_eq!(fit(styles, "promote", 4), "pro…");
        assert_eq!(fit(styles, "数据库", 4), "数…");
        assert_eq!(fit(styles, "x", 0), "");
        assert_eq!(fit_start(styles, "db-1.example", 8), "…example");
    });
}

#[test]
fn a_row_fills_its_width_exactly() {
    let columns = [
        Column { width: Width::Share(2), right: false },
        Column { width: Width::Fixed(5), right: true },
        Column { width: Width::Share(1), right: false },
    ];
    with_look(Glyphs::Ascii, |styles| {
        let cells = [Span::raw("postgresql-primary"), Span::raw("14 s"), Span::raw("ok")];
        let line = row_line(styles, &columns, &cells, 25);
        assert_eq!(text(&line), "postgresql-~  14 s ok    ");
        for width in 0..40 {
            let line = row_line(styles, &columns, &cells, width);
            assert_eq!(line.width(), usize::from(width).max(2), "{width}");
        }
    });
}

#[test]
fn wrapping_breaks_at_spaces_and_inside_long_words() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    assert_eq!(wrap("", 5), [""]);
    let emoji = "*\u{fe0f}AAA\u{13f8}";
    assert!(
        wrap(&format!("{emoji} x"), 6).iter().all(|line| line.width() <= 6),
        "an asterisk that is an emoji"
    );
}

proptest! {
    #[test]
    fn no_wrapped_line_is_too_wide(text in "\\PC{0,60}", width in 2_usize..20) {
        for line in wrap(&text, width) {
            prop_assert!(line.width() <= width, "{line:?}");
        }
    }

    #[test]
    fn fitted_text_never_overflows(text in "\\PC{0,40}", width in 0_usize..20) {
        with_look(Glyphs::Unicode, |styles| {
            assert!(fit(styles, &text, width).width() <= width);
            assert!(fit_start(styles, &text, width).width() <= width);
        });
    }
}

#[test]
fn a_dialog_covers_what_is_under_it_and_fits_any_screen() {
    with_look(Glyphs::Ascii, |styles| {
        for (width, height) in [(40, 8), (10, 3), (1, 1), (0, 0)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            let dialog = Dialog { title: "Promote", footer: Line::from(" esc back "), danger: true };
            terminal
                .draw(|frame| {
                    let lines = vec![Line::from("Type the name of the target")];
                    dialog.render(styles, frame, frame.area(), 34, lines);
                })
                .unwrap();
        }
        let mut terminal = Terminal::new(TestBackend::new(34, 3)).unwrap();
        let dialog = Dialog { title: "Promote", footer: Line::from(" esc back "), danger: false };
        terminal
            .draw(|frame| dialog.render(styles, frame, frame.area(), 34, vec![Line::from("Type the name")]))
            .unwrap();
        terminal.backend().assert_buffer_lines_text(&[
            "+ Promote -----------------------+",
            "| Type the name                  |",
            "+ esc back ----------------------+",
        ]);
        assert_eq!(centred(Rect::new(0, 0, 80, 24), 40, 10), Rect::new(20, 7, 40, 10));
    });
}

trait AssertText {
    fn assert_buffer_lines_text(&self, expected: &[&str]);
}

impl AssertText for TestBackend {
    fn assert_buffer_lines_text(&self, expected: &[&str]) {
        let area = self.buffer().area;
        let rows: Vec<String> = (0..area.height)
            .map(|y| (0..area.width).map(|x| self.buffer()[(x, y)].symbol().to_owned()).collect())
            .collect();
        assert_eq!(rows, expected);
    }
}
