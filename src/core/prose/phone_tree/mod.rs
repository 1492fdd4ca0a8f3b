//! The phone tree: whom to call when nothing else works, as plain text that fits on paper.

use crate::base::ids::{ContactId, RotationId};
use crate::base::units;
use crate::core::ask::oncall;
use crate::core::model::Model;
use crate::plan::oncall::{of_rotation, until};
use crate::plan::{Contact, EscalationLevel, EscalationPolicy, Fallbacks, Rotation, Severity, Who};
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

/// The widest line, in columns.
pub const WIDTH: usize = 80;
/// The longest text of the plan that is taken over, in characters.
const TEXT_LIMIT_CHARS: usize = 400;

/// The whole sheet: its heading with when it was made, then its body.
pub fn lines(model: &Model, now: Timestamp) -> Vec<String> {
    let mut sheet = Sheet::default();
    sheet.line(0, &format!("PHONE TREE: {}", model.plan.name));
    let plan: String = model.plan.digest.chars().take(12).collect();
    let made = now.strftime("%Y-%m-%d %H:%MZ");
    sheet.line(0, &format!("Made {made} from plan {plan}; later others are on call"));
    sheet.lines.extend(body(model, now));
    sheet.lines
}

/// What changes only with the plan and with who is on call.
pub fn body(model: &Model, now: Timestamp) -> Vec<String> {
    let mut sheet = Sheet::default();
    for policy in model.plan.policies.values() {
        sheet.policy(model, policy, now);
    }
    let covered =
        |severity: &Severity| model.plan.policies.values().any(|policy| policy.severities.contains(severity));
    let all = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];
    let nobody: Vec<&str> =
        all.iter().filter(|severity| !covered(severity)).map(|severity| severity.as_str()).collect();
    if !nobody.is_empty() {
        sheet.gap();
        sheet.line(0, &format!("{}: the plan pages nobody", nobody.join(", ")));
    }
    sheet.rotations(model, now);
    sheet.others(model);
    sheet.lines
}

#[derive(Default)]
struct Sheet {
    lines: Vec<String>,
    /// Those whose numbers are on the sheet already.
    listed: Vec<ContactId>,
}

impl Sheet {
    fn policy(&mut self, model: &Model, policy: &EscalationPolicy, now: Timestamp) {
        let severities: Vec<&str> = policy.severities.iter().map(|severity| severity.as_str()).collect();
        self.gap();
        self.line(0, &format!("{}: {}", severities.join(", "), policy.title));
        if policy.quiet && model.plan.notify.quiet.is_some() {
            self.line(2, "waits for the morning during the quiet hours");
        }
        for (place, level) in policy.levels.iter().enumerate() {
            self.level(model, place, level, now);
        }
        if let Some(repeat) = policy.repeat.filter(|_| policy.repeats > 0) {
            let again = format!(
                "nobody acknowledged: from level 1 again after {}, {} at most",
                units::age(repeat),
                times(policy.repeats)
            );
            self.line(2, &again);
        }
    }

    fn level(&mut self, model: &Model, place: usize, level: &EscalationLevel, now: Timestamp) {
        let when = if level.after.is_zero() {
            "at once".into()
        } else {
            format!("after {}", units::age(level.after))
        };
        self.line(2, &format!("{when}: level {}, {}", place + 1, level.title));
        for who in &level.who {
            match who {
                Who::Contact(id) => self.contact(model, id, ""),
                Who::OnCall(rotation) => self.on_call(model, rotation, now),
            }
        }
        let channels = level.methods.iter().filter_map(|id| model.plan.channels.get(id));
        let titles: Vec<&str> = channels.map(|channel| channel.title.as_str()).collect();
        if !titles.is_empty() {
            let how = if level.tries == Fallbacks::InTurn && titles.len() > 1 {
                ", one after the other"
            } else {
                ""
            };
            self.line(4, &format!("lifeboat tells them by {}{how}", titles.join(", ")));
        }
    }

    fn on_call(&mut self, model: &Model, id: &RotationId, now: Timestamp) {
        let until = model.plan.rotations.get(id).map(|rotation| turn(model, id, rotation, now));
        match oncall::at(model, id, now) {
            Ok(people) => {
                for contact in people {
                    self.contact(model, &contact, until.as_deref().unwrap_or_default());
                }
            }
            Err(why) => self.line(4, &format!("NOBODY: {why}{}", until.unwrap_or_default())),
        }
    }

    fn contact(&mut self, model: &Model, id: &ContactId, note: &str) {
        let Some(contact) = model.plan.contacts.get(id) else {
            return self.line(4, &format!("{id}: the plan has no such contact"));
        };
        let role = if contact.role.trim().is_empty() { String::new() } else { format!(", {}", contact.role) };
        self.line(4, &format!("{}{role}{note}", contact.name));
        for (kind, address) in addresses(contact) {
            self.line(8, &format!("{kind:<7} {address}"));
        }
        if !self.listed.contains(id) {
            self.listed.push(id.clone());
        }
    }

    fn rotations(&mut self, model: &Model, now: Timestamp) {
        if model.plan.rotations.is_empty() {
            return;
        }
        self.gap();
        self.line(0, "ON CALL");
        for (id, rotation) in &model.plan.rotations {
            let who =
                oncall::at(model, id, now).map_or_else(|_| "NOBODY".into(), |people| names(model, &people));
            self.line(2, &format!("{}: {who}{}", rotation.title, turn(model, id, rotation, now)));
            if let Some(fault) = oncall::trouble(model, id, rotation) {
                self.line(4, &format!("! {}", fault.text));
            }
        }
    }

    /// Contacts that no policy reaches at the moment.
    fn others(&mut self, model: &Model) {
        let others: Vec<ContactId> =
            model.plan.contacts.keys().filter(|id| !self.listed.contains(id)).cloned().collect();
        if others.is_empty() {
            return;
        }
        self.gap();
        self.line(0, "EVERYBODY ELSE");
        for id in others {
            self.contact(model, &id, "");
        }
    }

    fn gap(&mut self) {
        self.lines.push(String::new());
    }

    /// A text, wrapped where it is too long; what follows its first line is indented a little more.
    fn line(&mut self, indent: usize, text: &str) {
        let text = plain(text);
        let mut line = " ".repeat(indent);
        let mut begun = false;
        for word in text.split_whitespace().flat_map(|word| pieces(word, WIDTH - indent - 2)) {
            if begun && line.width() + 1 + word.width() > WIDTH {
                self.lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
                begun = false;
            }
            if begun {
                line.push(' ');
            }
            line.push_str(&word);
            begun = true;
        }
        self.lines.push(line.trim_end().to_owned());
    }
}

/// `, until Mon 2026-03-02 09:00 CET, then Bob`.
fn turn(model: &Model, id: &RotationId, rotation: &Rotation, now: Timestamp) -> String {
    let read = oncall::calendar(model, id).map(|counting| counting.shifts);
    let Some(until) = until(rotation, read, now) else { return String::new() };
    let at = until.to_zoned(rotation.zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string();
    let then = of_rotation(rotation, read, until);
    let then = if then.is_empty() { "nobody".into() } else { names(model, &then) };
    format!(", until {at}, then {then}")
}

fn names(model: &Model, people: &[ContactId]) -> String {
    let name =
        |id: &ContactId| model.plan.contacts.get(id).map_or(id.to_string(), |found| found.name.clone());
    people.iter().map(name).collect::<Vec<_>>().join(" and ")
}

/// What is called comes first.
fn addresses(contact: &Contact) -> Vec<(&str, &str)> {
    let mut all: Vec<(&str, &str)> =
        contact.addresses.iter().map(|(kind, address)| (kind.as_str(), address.as_str())).collect();
    all.sort_by_key(|(kind, _)| match *kind {
        "phone" => 0,
        "sms" => 1,
        _ => 2,
    });
    all
}

fn times(count: u32) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// The plan's text without anything that a printer or an old terminal may not know; letters of names stay.
fn plain(text: &str) -> String {
    crate::base::text::clean(text, TEXT_LIMIT_CHARS).replace('…', "...").replace('\u{fffd}', "?")
}

/// A word in pieces that fit on a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for character in word.chars() {
        let last = pieces.last().map_or(0, |piece| piece.width());
        if last + 2 > width {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
