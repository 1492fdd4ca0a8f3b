//! Where text from outside stands in what the world answers: one exhaustive walk, so that no way in is forgotten. A
//! new field does not compile before somebody says here whether it is such a text.

use crate::base::problem::Problem;
use crate::core::ask::unrecorded::UnrecordedPage;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::command::{Ask, Report};
use crate::core::words::diagnosis::{Diagnosis, Section};
use crate::core::words::incident::Outcome;
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::core::words::preflight::{Check, Checked, Preflight, RegionChecks, StepChecks};
use crate::core::words::reading::{Field, Measurement, Reading, Verdict};
use crate::plan::{CalendarTrouble, Shift};

/// How many entries of one list from outside are kept.
const LIST_LIMIT: usize = 500;
/// How many parts of what is behind a signal are kept.
const SECTIONS_LIMIT: usize = 20;

/// What a text is, for how much of it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// What somebody said: a line.
    Line,
    /// What will be run, or a person has to type: whole, as far as it can be.
    Call,
}

/// Takes the texts one after the other, and may change each.
pub type Visit<'v> = dyn FnMut(&mut String, Extent) + 'v;

/// Something that holds texts from outside.
pub trait Outside {
    /// Visits each of them.
    fn texts(&mut self, visit: &mut Visit<'_>);
}

impl<T: Outside, E: Outside> Outside for Result<T, E> {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Ok(value) => value.texts(visit),
            Err(error) => error.texts(visit),
        }
    }
}

impl<T: Outside> Outside for Option<T> {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        self.iter_mut().for_each(|value| value.texts(visit));
    }
}

impl Outside for String {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        visit(self, Extent::Line);
    }
}

fn lines(list: &mut Vec<String>, extent: Extent, visit: &mut Visit<'_>) {
    let over = list.len().saturating_sub(LIST_LIMIT);
    if over > 0 {
        list.truncate(LIST_LIMIT - 1);
        list.push(format!("… and {} more", over + 1));
    }
    list.iter_mut().for_each(|text| visit(text, extent));
}

impl Outside for Reading {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { at: _, took: _, outcome } = self;
        outcome.texts(visit);
    }
}

impl Outside for Measurement {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { verdict, value: _, fields, summary } = self;
        verdict.texts(visit);
        // Names can be a plan's or a server's.
        let named = std::mem::take(fields).into_iter().take(LIST_LIMIT).map(|(mut name, mut field)| {
            visit(&mut name, Extent::Line);
            if let Field::Text(text) = &mut field {
                visit(text, Extent::Line);
            }
            (name, field)
        });
        *fields = named.collect();
        visit(summary, Extent::Line);
    }
}

impl Outside for Verdict {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Good => {}
            Self::Warn(why) | Self::Critical(why) => visit(why, Extent::Line),
        }
    }
}

impl Outside for Problem {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { why, next } = self;
        [why, next].into_iter().for_each(|text| visit(text, Extent::Line));
    }
}

impl Outside for Diagnosis {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { probe: _, at: _, sections } = self;
        sections.truncate(SECTIONS_LIMIT);
        for Section { title, lines: told, unread } in sections {
            visit(title, Extent::Line);
            lines(told, Extent::Line, visit);
            unread.texts(visit);
        }
    }
}

impl Outside for Description {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { call, command, target, notes, undo, sets } = self;
        [call, command].into_iter().for_each(|text| visit(text, Extent::Call));
        target.texts(visit);
        lines(notes, Extent::Line, visit);
        lines(undo, Extent::Call, visit);
        sets.truncate(LIST_LIMIT);
        for (name, value) in sets {
            [name, value].into_iter().for_each(|text| visit(text, Extent::Call));
        }
    }
}

impl Outside for Target {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { name, kind, identity, reachable: _ } = self;
        [name, kind].into_iter().for_each(|text| visit(text, Extent::Line));
        identity.truncate(LIST_LIMIT);
        for (name, value) in identity {
            [name, value].into_iter().for_each(|text| visit(text, Extent::Line));
        }
    }
}

impl Outside for Done {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { summary } = self;
        visit(summary, Extent::Line);
    }
}

impl Outside for Proof {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { evidence } = self;
        lines(evidence, Extent::Line, visit);
    }
}

impl Outside for Found {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Primary { timeline: _, writable: _, system } | Self::Standby { timeline: _, system } => {
                visit(system, Extent::Line);
            }
            Self::Stopped => {}
            Self::Unread { why } => visit(why, Extent::Line),
        }
    }
}

impl Outside for Failure {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { what, why, next, acted: _ } = self;
        [what, why, next].into_iter().for_each(|text| visit(text, Extent::Line));
    }
}

impl Outside for ManualCard {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { instructions, check } = self;
        lines(instructions, Extent::Call, visit);
        visit(check, Extent::Call);
    }
}

impl Outside for Outcome {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Done(done) => done.texts(visit),
            Self::Failed(failure) => failure.texts(visit),
        }
    }
}

impl Outside for Receipt {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { id, thread, answer, cut } = self;
        [id, thread, answer, cut].into_iter().for_each(|text| visit(text, Extent::Line));
    }
}

impl Outside for Undelivered {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { why, next, again: _ } = self;
        [why, next].into_iter().for_each(|text| visit(text, Extent::Line));
    }
}

impl Outside for Tracked {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Pending => {}
            Self::Delivered(text) | Self::Acknowledged(text) | Self::Failed(text) => {
                visit(text, Extent::Line)
            }
        }
    }
}

impl Outside for Check {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { what, result, next } = self;
        [what, next].into_iter().for_each(|text| visit(text, Extent::Line));
        result.texts(visit);
    }
}

impl Outside for Checked {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Pass(seen) | Self::Warn(seen) | Self::Fail(seen) | Self::NotCheckable(seen) => {
                visit(seen, Extent::Line);
            }
        }
    }
}

impl Outside for Preflight {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let Self { at: _, took: _, simulated: _, regions, steps } = self;
        for RegionChecks { region, checks } in regions {
            visit(region, Extent::Line);
            checks.iter_mut().for_each(|check| check.texts(visit));
        }
        for StepChecks { runbook: _, step: _, title, action, checks } in steps {
            [title, action].into_iter().for_each(|text| visit(text, Extent::Line));
            checks.iter_mut().for_each(|check| check.texts(visit));
        }
    }
}

impl Outside for UnrecordedPage {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        // Whom and how is the plan's.
        let Self { sent_at: _, why, who: _, way: _, result } = self;
        let (Ok(told) | Err(told)) = result;
        [why, told].into_iter().for_each(|text| visit(text, Extent::Line));
    }
}

impl Outside for Report {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::EngineStarted { version: _, recovery, since_boot: _ } => visit(recovery, Extent::Line),
            Self::EngineStopping { why } => visit(why, Extent::Line),
            Self::Observed(readings) => readings.iter_mut().for_each(|(_, reading)| reading.texts(visit)),
            Self::Tick | Self::ClockJumped { .. } | Self::ClockCompared(_) => {}
            Self::Described { run: _, step: _, result, manual } => {
                result.texts(visit);
                manual.texts(visit);
            }
            Self::Preflighted(found) => found.texts(visit),
            Self::PagedUnrecorded(pages) => pages.iter_mut().for_each(|page| page.texts(visit)),
            Self::Output { run: _, step: _, line } => visit(line, Extent::Line),
            Self::Executed { run: _, step: _, attempt: _, outcome } => outcome.texts(visit),
            Self::Checked { run: _, step: _, attempt: _, result } => result.texts(visit),
            Self::Holding { run: _, step: _, attempt: _, proof, found, hold: _ } => {
                proof.texts(visit);
                found.texts(visit);
            }
            Self::Watched { run: _, step: _, found } => found.texts(visit),
            Self::Notified { id: _, attempt: _, result } => result.texts(visit),
            Self::Tracked { id: _, tracked } => tracked.texts(visit),
            Self::Calendar { rotation: _, shifts, trouble } => {
                shifts.iter().for_each(|Shift { from: _, until: _, contact: _ }| {});
                match trouble {
                    Some(CalendarTrouble::Unread(why)) => visit(why, Extent::Line),
                    Some(CalendarTrouble::LeftOut(events)) => {
                        events.iter_mut().for_each(|event| visit(event, Extent::Line));
                    }
                    None => {}
                }
            }
        }
    }
}

/// What a person writes; what they choose from what is shown is compared with it, and stays as it is.
impl Outside for Ask {
    fn texts(&mut self, visit: &mut Visit<'_>) {
        let mut texts: Vec<&mut String> = Vec::new();
        match self {
            Self::Declare { title, mode: _ } => texts.push(title),
            Self::SetSeverity { severity: _, reason } => texts.push(reason),
            Self::AnswerContradiction { id: _, reason } | Self::RecordServing { region: _, reason } => {
                texts.push(reason);
            }
            Self::Answer { question: _, answer: _, suggested: _, reason } => texts.extend(reason),
            Self::Retry { run: _, step: _, reason } => texts.extend(reason),
            Self::Skip { run: _, step: _, reason } => texts.push(reason),
            Self::Override { run: _, step: _, guard: _, reason } => texts.push(reason),
            Self::Attest { run: _, step: _, how }
            | Self::Undone { run: _, step: _, how, stays: _ }
            | Self::Resolve { how } => {
                texts.push(how);
            }
            Self::Abort { reason }
            | Self::Reopen { reason }
            | Self::Dismiss { reason }
            | Self::Close { reason }
            | Self::SkipMessage { message: _, reason } => texts.push(reason),
            Self::Note { text } | Self::Page { who: _, methods: _, text } => texts.push(text),
            Self::Send { message: _, audience: _, subject, body } => texts.extend([subject, body]),
            Self::HandOver { role: _, to } => texts.push(to),
            Self::Revisit { question: _ }
            | Self::Prepare { run: _, step: _ }
            | Self::Confirm { confirmation: _, typed: _ }
            | Self::Decline { confirmation: _ }
            | Self::Recheck { run: _, step: _ }
            | Self::Acknowledge
            | Self::Preflight => {}
        }
        texts.into_iter().for_each(|text| visit(text, Extent::Call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_entries_is_cut_and_counted() {
        let mut proof = Proof { evidence: (0..2_000).map(|number| number.to_string()).collect() };
        let mut seen = 0;
        proof.texts(&mut |_, _| seen += 1);
        assert_eq!((proof.evidence.len(), seen), (LIST_LIMIT, LIST_LIMIT));
        assert_eq!(proof.evidence.last().map(String::as_str), Some("… and 1501 more"));
    }
}
