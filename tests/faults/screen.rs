//! Terminals that are tiny, and that change while somebody types.

use crate::rig::{Hands, Home};
use lifeboat::core::words::fact::Fact;

#[test]
fn a_terminal_of_20x5_says_what_it_needs_and_becomes_the_console_when_it_grows() {
    let home = Home::new();
    let mut console = home.open(20, 5);
    let screen = console.wait_for_text("20x5");
    assert!(screen.contains("40x10"), "{screen}");
    // Nothing that is not on the screen can be answered by keys that are pressed blindly.
    console.press("D1\r\r");
    console.resize(80, 24);
    console.wait_for_text("No database takes writes");
    for (columns, rows) in [(1, 1), (2, 50), (300, 2), (80, 24)] {
        console.resize(columns, rows);
    }
    console.wait_for_text("No database takes writes");
    assert!(!console.has_ended());
    assert!(Hands::attach(&home).model.durable.incident.is_none(), "nothing was declared unseen");
}

#[test]
fn a_resize_in_the_middle_of_typing_loses_nothing() {
    let home = Home::new();
    let mut console = home.open(80, 24);
    console.wait_for_text("No database takes writes");
    console.press("N");
    console.wait_for_text("Note");
    console.press("half a sen");
    console.wait_for_text("half a sen");
    console.resize(20, 5);
    console.wait_for_text("20x5");
    console.press("tence, ");
    console.resize(120, 40);
    console.wait_for_text("half a sen");
    // What is typed blind is not taken.
    console.decide("and the rest");
    let screen = console.wait_for_text("and the rest");
    assert!(screen.contains("half a sen"), "{screen}");
    assert!(!screen.contains("tence"), "{screen}");
    console.press("\r");
    console.wait_for_text("Write this note?");
    console.decide("y");
    crate::pty::wait_for(|| {
        let noted = |fact: &Fact| matches!(fact, Fact::NoteAdded { text } if text.starts_with("half a sen") && text.ends_with("and the rest"));
        home.facts().iter().any(noted).then_some(())
    })
    .expect("the note is recorded");
}
