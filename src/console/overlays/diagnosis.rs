//! What is behind a signal: the engine reads it while everything else goes on, and here it is shown.

use super::help::{Line, Reading};
use crate::base::ids::ProbeId;
use crate::console::screens::words::clock_time;
use crate::core::ask::{names, naming};
use crate::core::model::Model;
use crate::core::words::diagnosis::{Diagnosis, Section, WITHIN};
use crate::plan::ProbeSpec;
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// How much longer than the engine's own limit is waited for its answer.
const GRACE: Duration = Duration::from_secs(5);
/// Lines of one section that are shown.
const SECTION_LINES: usize = 500;

/// The open diagnosis of a signal.
#[derive(Clone, Debug)]
pub struct Diagnosing {
    pub probe: ProbeId,
    pub reading: Reading,
    /// What people call the signal.
    name: String,
    /// What the plan itself tells of it.
    runbooks: Vec<Line>,
    /// When it was asked for, while no answer came.
    asked_at: Option<Instant>,
    /// When the look began that is shown, in the engine's time.
    shown: Option<Timestamp>,
}

impl Diagnosing {
    /// One that was asked for just now.
    pub fn new(model: &Model, spec: &ProbeSpec, asked_at: Instant) -> Self {
        let name = names::title(model, spec);
        let runbooks = runbooks(model, spec);
        let reading = Reading { title: format!("Behind {name}"), lines: Vec::new(), offset: 0 };
        let mut open =
            Self { probe: spec.id.clone(), reading, name, runbooks, asked_at: Some(asked_at), shown: None };
        let seconds = WITHIN.as_secs();
        open.show(vec![
            Line::Heading("READING".into()),
            text(&format!(
                "The engine looks, for {seconds} s at most. Nothing waits for it: close this when you like."
            )),
            Line::Text(String::new()),
        ]);
        open
    }

    /// Takes what the engine found; not for another signal, nor an older look than the one that is shown.
    pub fn answer(&mut self, found: &Diagnosis) {
        if found.probe != self.probe || self.shown.is_some_and(|at| found.at <= at) {
            return;
        }
        (self.asked_at, self.shown) = (None, Some(found.at));
        self.reading.title = format!("Behind {}, as of {}", self.name, clock_time(found.at));
        self.show(found.sections.iter().flat_map(lines).collect());
    }

    /// No answer will come any more, while one is waited for.
    pub fn give_up(&mut self, why: &str) {
        if self.asked_at.take().is_some() {
            self.show(vec![
                Line::Heading("NOTHING WAS READ".into()),
                text(why),
                text("Next: close this, and ask again once the engine answers."),
                Line::Text(String::new()),
            ]);
        }
    }

    /// Time passed.
    pub fn tick(&mut self, at: Instant) {
        let wait = WITHIN + GRACE;
        if self.asked_at.is_some_and(|asked| asked + wait <= at) {
            self.give_up(&format!("The engine has not answered within {} s.", wait.as_secs()));
        }
    }

    fn show(&mut self, mut lines: Vec<Line>) {
        lines.extend(self.runbooks.iter().cloned());
        self.reading.lines = lines;
        self.reading.top();
    }
}

fn text(text: &str) -> Line {
    Line::Text(format!("  {text}"))
}

fn lines(section: &Section) -> Vec<Line> {
    let state = if section.unread.is_some() { ": NOT READ" } else { "" };
    let mut lines = vec![Line::Heading(format!("{}{state}", section.title))];
    lines.extend(section.lines.iter().take(SECTION_LINES).map(|line| text(line)));
    if let Some(problem) = &section.unread {
        lines.extend([text(&problem.why), text(&format!("Next: {}", problem.next))]);
    }
    lines.push(Line::Text(String::new()));
    lines
}

fn runbooks(model: &Model, spec: &ProbeSpec) -> Vec<Line> {
    let mut lines = vec![Line::Heading("RUNBOOKS THAT NAME IT".into())];
    let all = naming::runbooks(&model.plan, spec);
    if all.is_empty() {
        lines.push(text("no step of the plan names it, in its namespace and cluster"));
    }
    for runbook in all {
        lines.push(text(&format!("{}, :runbook {}", runbook.title, runbook.id)));
        lines.extend(runbook.steps.iter().map(|(number, title)| text(&format!("  step {number}: {title}"))));
    }
    lines
}
