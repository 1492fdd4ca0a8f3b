//! Who knows, in words.

use super::{Awareness, NextLevel, Paging, Unreached};
use crate::base::units;
use crate::core::model::Model;
use crate::core::prose::describe::in_how_long;
use jiff::Timestamp;

/// The state in one or two sentences.
pub fn sentence(model: &Model, escalation_status: &Awareness, now: Timestamp) -> String {
    match escalation_status {
        Awareness::Acknowledged(taken) => {
            let ago = units::age(now.duration_since(taken.at));
            format!("ACKNOWLEDGED by {} {ago} ago ({})", taken.who, taken.via)
        }
        Awareness::Resolved => "Resolved before anybody acknowledged; nobody further is paged".into(),
        Awareness::NoPolicy(severity) => {
            format!("NOBODY IS PAGED: the plan has no policy for {}", severity.as_str())
        }
        Awareness::NotBegun if model.plan.policies.is_empty() => {
            "Nobody is paged: the plan has no escalation policies".into()
        }
        Awareness::NotBegun => "Nobody is paged yet: there is no severity".into(),
        Awareness::Paging(paging) => paging_sentence(model, paging, now),
    }
}

fn paging_sentence(model: &Model, paging: &Paging, now: Timestamp) -> String {
    let next = match &paging.next {
        Some(next) => next_words(model, next, now),
        None => "every level was told, no further one is".into(),
    };
    if let Some(unreached) = &paging.unreached {
        return format!("{}; {next}", unreached.sentence());
    }
    let round = if paging.round > 0 { format!(" in round {}", paging.round + 1) } else { String::new() };
    match paging.told {
        0 => format!("PAGING begins{round}, nobody was told yet; {next}"),
        told => format!("PAGING level {told} of {}{round}, nobody has acknowledged; {next}", paging.levels),
    }
}

/// `next: Engineering manager (Grace) in 12:04 by Slack, e-mail`.
fn next_words(model: &Model, next: &NextLevel, now: Timestamp) -> String {
    let names = next.people.join(", ");
    let who = match names.as_str() {
        "" => String::new(),
        names if names == next.title => String::new(),
        names => format!(" ({names})"),
    };
    let left = in_how_long(next.at.duration_since(now));
    let when = match next.quiet {
        true => {
            let wall = model.plan.notify.zone.to_datetime(next.at);
            format!("waits for {} ({left}: quiet hours)", wall.strftime("%H:%M"))
        }
        false => left,
    };
    let ways = match next.ways.as_slice() {
        [] => ", BUT NO WAY LEADS TO ANYBODY".to_owned(),
        ways => format!(" by {}", ways.join(", ")),
    };
    let missing = match next.missing.as_slice() {
        [] => String::new(),
        missing => format!("; not told: {}", missing.join("; ")),
    };
    format!("next: {}{who} {when}{ways}{missing}", next.title)
}

impl Unreached {
    /// `NOBODY COULD BE TOLD: every way to level 1 (On-call) failed. CALL THEM: Dana +1 555 0100`.
    pub fn sentence(&self) -> String {
        let (level, title) = (self.level + 1, &self.title);
        let what = match self.nobody {
            true => format!("NOBODY COULD BE TOLD: every way to level {level} ({title}) failed"),
            false => format!("LEVEL {level} ({title}) COULD NOT BE TOLD: every way failed"),
        };
        format!("{what}. CALL THEM: {}", self.numbers(usize::MAX))
    }

    /// `NOBODY COULD BE TOLD, call Dana +1 555 0100`: as many numbers as have room, each of them whole.
    pub fn alarm(&self, room_chars: usize) -> String {
        let what = match self.nobody {
            true => "NOBODY COULD BE TOLD, call".to_owned(),
            false => format!("LEVEL {} COULD NOT BE TOLD, call", self.level + 1),
        };
        let room = room_chars.saturating_sub(what.chars().count() + 1);
        format!("{what} {}", self.numbers(room))
    }

    /// The first number always, the others while there is room.
    fn numbers(&self, room_chars: usize) -> String {
        let Some(((name, number), others)) = self.call.split_first() else {
            return "people: the plan has no phone numbers".into();
        };
        let mut text = format!("{name} {number}");
        for (name, number) in others {
            let more = format!(", {name} {number}");
            if text.chars().count() + more.chars().count() > room_chars {
                break;
            }
            text.push_str(&more);
        }
        text
    }
}

/// As short as a corner of the header: `ack dana 3 min`, `PAGING 2/4, next 12:04`, `NOBODY TOLD`; none where the
/// plan pages nobody at all.
pub fn badge(model: &Model, escalation_status: &Awareness, now: Timestamp) -> Option<String> {
    if model.plan.policies.is_empty() && !matches!(escalation_status, Awareness::Acknowledged(_)) {
        return None;
    }
    Some(match escalation_status {
        Awareness::Acknowledged(taken) => {
            let who = crate::base::text::clean(&taken.who, 12);
            format!("ack {who} {}", units::age(now.duration_since(taken.at)))
        }
        Awareness::Paging(paging) if paging.unreached.as_ref().is_some_and(|u| u.nobody) => {
            "NOBODY TOLD".into()
        }
        Awareness::Paging(paging) => {
            let next = match &paging.next {
                None => "no next".to_owned(),
                Some(next) if next.quiet => {
                    let wall = model.plan.notify.zone.to_datetime(next.at);
                    format!("waits for {}", wall.strftime("%H:%M"))
                }
                Some(next) => match next.at.duration_since(now) {
                    left if left.is_positive() => format!("next {}", units::clock(left)),
                    _ => "next now".to_owned(),
                },
            };
            format!("PAGING {}/{}, {next}", paging.told, paging.levels)
        }
        Awareness::NoPolicy(_) => "NOBODY PAGED".into(),
        Awareness::Resolved | Awareness::NotBegun => return None,
    })
}
