//! The terminal guard and the input, driven through the smallest program that uses them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::pty::{Program, Pty, wait_for};

/// The example, which cargo builds beside the tests.
fn example() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let example = deps.parent().unwrap().parent().unwrap().join("examples/terminal_guard");
    assert!(example.exists(), "{} is missing: cargo build --example terminal_guard", example.display());
    example
}

fn started(argument: &str) -> (Pty, String) {
    // The shell keeps the terminal's attributes from before the program readable.
    let pty = Program::new(example()).arg(argument).spawn();
    let before = plain_attributes();
    pty.wait_for_text("started");
    (pty, before)
}

/// The attributes of a terminal that nothing has touched.
pub fn plain_attributes() -> String {
    let mut untouched = Program::new("/bin/true").spawn();
    untouched.wait_for_end();
    untouched.attributes()
}

#[test]
fn quitting_restores_the_terminal() {
    let (mut pty, before) = started("");
    assert!(pty.with_screen(|screen| screen.alternate_screen() && screen.hide_cursor()));
    assert!(pty.with_screen(vt100::Screen::bracketed_paste));
    assert_ne!(pty.attributes(), before, "raw mode is on while it runs");
    pty.press("q");
    assert_eq!(pty.wait_for_end().exit_code(), 0);
    pty.assert_restored(&before);
    assert_eq!(pty.wait_for_text("quit").trim(), "quit", "nothing else is printed");
}

#[test]
fn an_error_restores_the_terminal() {
    let (mut pty, before) = started("");
    pty.press("e");
    assert_eq!(pty.wait_for_end().exit_code(), 1);
    pty.assert_restored(&before);
}

#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    let (mut pty, before) = started("");
    pty.press("x");
    assert_eq!(pty.wait_for_end().exit_code(), 101);
    pty.assert_restored(&before);
    // On the main screen, and not in the alternate one that is gone.
    pty.wait_for_text("on purpose");
}

#[test]
fn a_panic_of_a_task_ends_the_drawing_and_restores_the_terminal() {
    let (mut pty, before) = started("");
    pty.press("t");
    pty.wait_for_text("on purpose");
    assert_eq!(pty.wait_for_end().exit_code(), 3);
    pty.assert_restored(&before);
}

#[test]
fn signals_end_it_and_restore_the_terminal() {
    for (signal, reason) in
        [(Signal::TERM, "Terminated"), (Signal::HUP, "Hangup"), (Signal::INT, "Interrupted")]
    {
        let (mut pty, before) = started("");
        pty.signal(signal);
        assert_eq!(pty.wait_for_end().exit_code(), 3, "{reason}");
        pty.assert_restored(&before);
        pty.wait_for_text(reason);
    }
}

#[test]
fn a_lost_terminal_ends_it_at_once_without_spinning() {
    let (mut pty, _) = started("");
    let before = pty.cpu_ticks();
    let since = Instant::now();
    pty.hang_up();
    // The last reading while the process still exists; a spin of a second would show as a hundred ticks.
    let mut after = before;
    wait_for(|| {
        after = pty.has_ended().then_some(()).map_or_else(|| pty.cpu_ticks(), |()| after);
        pty.has_ended().then_some(())
    })
    .expect("it ends");
    assert!(since.elapsed() < Duration::from_secs(2), "took {:?}", since.elapsed());
    assert!(after - before < 20, "used {} ticks", after - before);
}

#[test]
fn a_lost_terminal_ends_it_even_when_the_hangup_signal_is_ignored() {
    // As under nohup: only the reads and writes tell.
    let mut pty = Program::new("/bin/sh")
        .arg("-c")
        .arg(format!("trap '' HUP; exec env {}", example().display()))
        .spawn();
    pty.wait_for_text("started");
    pty.hang_up();
    pty.wait_for_end();
}

#[test]
fn a_terminal_lost_in_the_middle_of_drawing_ends_it() {
    let (mut pty, _) = started("");
    pty.press("f");
    pty.wait_until("a flood", |screen| screen.lines().count() > 20);
    pty.hang_up();
    pty.wait_for_end();
}

#[test]
fn a_stalled_line_does_not_keep_it_from_ending() {
    let (mut pty, _) = started("");
    pty.press("f");
    pty.wait_until("a flood", |screen| screen.lines().count() > 20);
    pty.stall();
    pty.wait_until_blocked();
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_for_end().exit_code(), 3);
}

#[test]
fn it_uses_no_time_while_nothing_happens() {
    let (pty, _) = started("");
    // Its start has settled once it sleeps without using time between two looks.
    let before = pty.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    assert!(pty.cpu_ticks() - before <= 1, "used {} ticks in a second of rest", pty.cpu_ticks() - before);
    let written = pty.raw_output().len();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(pty.raw_output().len(), written, "it wrote without a reason");
}

#[test]
fn the_terminal_is_asked_nothing() {
    let (mut pty, _) = started("");
    pty.press("r");
    pty.wait_for_text("key r");
    let output = pty.raw_output();
    for question in [&b"\x1b[6n"[..], b"\x1b[c", b"\x1b[?u", b"\x1b[>q"] {
        let asked = output.windows(question.len()).any(|window| window == question);
        assert!(!asked, "{:?} was asked", String::from_utf8_lossy(question));
    }
}

#[test]
fn a_resize_is_heard_and_drawn() {
    let (pty, _) = started("");
    pty.resize(100, 30);
    pty.wait_for_text("size 100x30");
}

#[test]
fn a_paste_is_one_event() {
    let (mut pty, _) = started("");
    pty.press("\x1b[200~q\ry\x1b[201~");
    pty.wait_for_text("paste \"q\\ry\"");
    assert!(!pty.has_ended());
}

#[test]
fn a_sequence_torn_by_a_slow_line_is_one_key() {
    let (mut pty, _) = started("");
    pty.press("\x1b[1;");
    std::thread::sleep(Duration::from_millis(100));
    pty.press("5C");
    pty.wait_for_text("key ctrl-right");
    pty.press("\x1b");
    pty.wait_for_text("key esc");
}

#[test]
fn type_ahead_confirms_nothing_and_a_later_press_does() {
    let (mut pty, _) = started("");
    // The program is busy for half a second; the confirmation opens after it, and `y` was typed before.
    pty.press("b");
    std::thread::sleep(Duration::from_millis(100));
    pty.press("oyyy");
    pty.wait_for_text("confirm?");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(!pty.screen().contains("key y true"), "{}", pty.screen());
    pty.press("y");
    pty.wait_for_text("key y true");
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let output = std::process::Command::new(example()).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("lifeboat status"));
    assert!(output.stdout.is_empty());

    let mut pty = Program::new(example()).env("TERM", "dumb").spawn();
    pty.wait_for_text("lifeboat status");
    assert_eq!(pty.wait_for_end().exit_code(), 2);
    assert!(!pty.raw_output().contains(&0x1b));
}

#[test]
fn signals_that_nobody_expects_leave_the_terminal_as_it_was() {
    for signal in [Signal::QUIT, Signal::USR1, Signal::USR2, Signal::ALARM, Signal::ABORT] {
        let (mut pty, before) = started("");
        pty.signal(signal);
        assert_eq!(pty.wait_for_end().exit_code(), 3, "{signal:?}");
        pty.assert_restored(&before);
        pty.wait_for_text(&format!("Killed({})", signal.as_raw()));
    }
}

#[test]
fn after_a_stop_the_terminal_is_raw_again_and_everything_is_drawn() {
    let (mut pty, cooked) = started("");
    let is_raw =
        |pty: &Pty| ["-icanon", "-echo ", "-isig"].iter().all(|flag| pty.attributes().contains(flag));
    assert!(is_raw(&pty));
    pty.signal(Signal::STOP);
    // As a shell, or `reset`, does while the process is stopped.
    pty.set_attributes("sane");
    assert!(!is_raw(&pty));
    pty.press("y\r");
    let drawn = pty.raw_output().len();
    pty.signal(Signal::CONT);
    pty.wait_for_text("resumed");
    assert!(is_raw(&pty), "{}", pty.attributes());
    assert!(
        pty.raw_output()[drawn..].windows(4).any(|bytes| bytes == b"\x1b[2J"),
        "the screen is drawn anew"
    );
    assert!(!pty.screen().contains("key y"), "what was typed meanwhile is dropped:\n{}", pty.screen());
    pty.press("q");
    assert_eq!(pty.wait_for_end().exit_code(), 0);
    pty.assert_restored(&cooked);
}

#[test]
fn an_escape_sequence_split_by_200_ms_is_one_key() {
    let (mut pty, _) = started("");
    for (rest, name) in [("[A", "up"), ("OB", "down")] {
        pty.press("\x1b");
        std::thread::sleep(Duration::from_millis(200));
        pty.press(rest);
        pty.wait_for_text(&format!("key {name}"));
    }
    assert!(!pty.screen().contains("key A") && !pty.screen().contains("key esc"), "{}", pty.screen());
}

#[test]
fn a_paste_that_the_line_holds_up_confirms_nothing() {
    let (mut pty, _) = started("");
    pty.press("o");
    pty.wait_for_text("confirm?");
    pty.press("\x1b[200~my laz");
    pty.wait_for_text("unfinished");
    pty.press("y");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!pty.screen().contains("key y"), "{}", pty.screen());
    pty.press("\x1b[201~");
    pty.wait_for_text("paste \"my lazy\"");
    // A control character of 8 bits takes what follows it along.
    pty.decide_bytes(b"\x9by");
    pty.press("r");
    pty.wait_for_text("key r");
    assert!(!pty.screen().contains("key y"), "{}", pty.screen());
}
