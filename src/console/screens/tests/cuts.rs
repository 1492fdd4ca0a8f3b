//! Nothing is cut in silence: where a text ends before its end, a key on the screen shows all of it.

use super::plan::{plan, seconds};
use super::stage::{RUN, Stage, healthy, region_down};
use super::{screen, text};
use crate::console::glyphs::Glyphs;
use crate::console::pages::Shown;
use crate::console::ui::{Connection, Screen, Toast};
use crate::core::words::command::Ask;

const SIZES: [(u16, u16); 7] = [(80, 24), (80, 23), (60, 16), (40, 10), (100, 30), (120, 40), (200, 50)];

/// Words of a text that is long, so that its end tells whether all of it is there.
fn long(what: &str) -> String {
    let middle = "and goes on and on, as what people and providers write does at three in the morning, ";
    format!("{what} begins here {}{what} ends here", middle.repeat(6))
}

/// A plan whose names are as long as people make them.
fn wordy() -> Stage {
    let mut plan = plan();
    for (id, probe) in &mut plan.probes {
        probe.title = format!("{} of the cluster that serves customers in {id}", probe.title);
    }
    for (id, service) in &mut plan.services {
        service.title = format!("{} for everybody who pays for it ({id})", service.title);
    }
    for runbook in plan.runbooks.values_mut() {
        runbook.title = long("the runbook");
        for step in runbook.steps.values_mut() {
            step.title = long("the step");
        }
    }
    for question in plan.tree.questions.values_mut() {
        question.help = long("the guidance");
    }
    Stage::new(plan)
}

/// The same with its primary gone and an incident declared, as [`region_down`] leads there.
fn wordy_down() -> Stage {
    let mut stage = wordy();
    stage.now += seconds(60);
    stage.all_well();
    stage.pass(3);
    stage.primary_dies();
    stage.declared();
    stage
}

/// Every kind of state that a screen can be in.
fn states() -> Vec<(&'static str, Stage)> {
    let mut down = wordy_down();
    down.critical("primary-db", &long("the reason"));
    let mut failing = wordy_down();
    failing.failing_over();
    let mut aborted = region_down();
    aborted.promoting();
    aborted.ask(Ask::Abort { reason: long("the abort") });
    let mut refused = region_down();
    let at = refused.now;
    refused.ui.toast = Some(Toast { text: long("the toast"), next: long("what is next"), bad: true, at });
    let mut lost = region_down();
    lost.ui.connection = Connection::Lost { since: lost.now, why: long("the loss") };
    let mut broken = healthy();
    broken.model.live.journal_failure = Some(long("the failure"));
    let mut noted = region_down();
    noted.ask(Ask::Note { text: long("the note") });
    let mut dismissed = region_down();
    dismissed.ask(Ask::Close { reason: long("the close") });
    vec![
        ("healthy", healthy()),
        ("long names", wordy()),
        ("an open question", down),
        ("a run", failing),
        ("an aborted run", aborted),
        ("a refusal", refused),
        ("a lost connection", lost),
        ("a failed journal", broken),
        ("a note", noted),
        ("a closed incident", dismissed),
    ]
}

/// The texts that end in a mark on a drawn screen: what stands before each mark.
fn cut_texts(drawn: &str, mark: char) -> Vec<String> {
    let mut found = Vec::new();
    for row in drawn.lines() {
        for (place, _) in row.match_indices(mark) {
            let before: Vec<char> = row[..place].chars().collect();
            let tail: String = before[before.len().saturating_sub(10)..].iter().collect();
            found.push(tail.rsplit(mark).next().unwrap_or_default().trim_start().to_owned());
        }
    }
    found
}

#[test]
fn wherever_a_text_ends_before_its_end_a_key_on_the_screen_shows_all_of_it() {
    let mut silent: Vec<String> = Vec::new();
    for (name, mut stage) in states() {
        for (shows, glyphs, details) in Screen::ALL.into_iter().flat_map(|shows| {
            [(shows, Glyphs::Unicode, false), (shows, Glyphs::Unicode, true), (shows, Glyphs::Ascii, false)]
        }) {
            (stage.ui.screen, stage.glyphs, stage.ui.details) = (shows, glyphs, details);
            let mark = if glyphs == Glyphs::Ascii { '~' } else { '…' };
            for size in SIZES {
                stage.shown = Shown::default();
                let drawn = text(&screen(size, &stage.view()));
                let told = format!("B shows {mark}");
                let (hint, rest): (Vec<&str>, Vec<&str>) = drawn.lines().partition(|row| row.contains(&told));
                let cut = cut_texts(&rest.join("\n"), mark);
                let here = format!("{name}, {shows:?} at {size:?}\n{drawn}");
                if glyphs == Glyphs::Ascii {
                    // A history is drawn with that mark too.
                    if stage.shown.cuts().is_empty() != hint.is_empty() {
                        silent.push(here);
                    }
                    continue;
                }
                let wholes = stage.shown.cuts().wholes();
                let is_whole = |tail: &String| {
                    let words = tail.split_whitespace().last().unwrap_or_default();
                    wholes.iter().any(|whole| whole.contains(words))
                };
                if cut.is_empty() != hint.is_empty() || !cut.iter().all(is_whole) {
                    silent.push(format!("{cut:?} of {wholes:#?} {here}"));
                }
            }
        }
    }
    assert!(silent.is_empty(), "{} screens, as {}", silent.len(), silent[..silent.len().min(4)].join("\n\n"));
}

#[test]
fn what_is_long_is_read_whole_by_the_key() {
    let mut stage = region_down();
    let why = long("the toast");
    let toast = Toast { text: why.clone(), next: String::new(), bad: true, at: stage.now };
    stage.ui.toast = Some(toast);
    for size in [(80, 24), (60, 16)] {
        stage.shown = Shown::default();
        let drawn = text(&screen(size, &stage.view()));
        assert!(!drawn.contains("the toast ends here"), "{drawn}");
        assert!(drawn.contains("B shows …"), "{drawn}");
        let wholes = stage.shown.cuts().wholes();
        assert!(wholes.iter().any(|whole| whole.contains(&why)), "{wholes:#?}");
    }
    assert!(stage.model.run(&RUN.into()).is_none());
}
