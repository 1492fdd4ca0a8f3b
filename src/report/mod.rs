//! Reports for people after the night: the post-mortem of an incident, as Markdown, from the journal alone.
//!
//! [`story`] takes the events of one incident out of the journal; each section of the report is a file of its own.
//! What only people know (causes, lessons, action items) is left for them to fill in.

mod impact;
mod left;
mod markdown;
pub mod story;
mod summary;
mod telling;
mod timeline;
mod troubles;

pub use story::{NoStory, Story};

use crate::base::text::ended;
use crate::journal::{Head, Verification, spoken};
use markdown::{section, text};

/// The post-mortem of an incident, with what the verification of its journal found.
pub fn postmortem(story: &Story, verification: &Verification) -> String {
    let mut sections = vec![
        summary::head(story),
        section("Summary", summary::summary(story)),
        section("Times", summary::times(story)),
        section("Severity", summary::severity(story)),
        section("Impact", impact::impact(story)),
        section("Timeline", timeline::timeline(story)),
        section("Decisions", timeline::decisions(story)),
        section("Steps", timeline::steps(story)),
        section("Still in force", left::in_force(story)),
        section("Not proven", left::unproven(story)),
        section("Guards that were overridden", timeline::overrides(story)),
        section("Who was told", telling::told(story)),
        section("Messages, word for word", telling::messages(story)),
        section("What did not go as planned", troubles::troubles(story)),
    ];
    sections.extend(OPEN_SECTIONS.iter().map(|(title, hint)| section(title, vec![format!("_{hint}_")])));
    sections.push(section("Action items", action_items()));
    sections.push(section("The journal behind this", journal(story, verification)));
    sections.join("\n")
}

/// What people have to write.
const OPEN_SECTIONS: [(&str, &str); 4] = [
    ("Root cause", "Why it happened, and why it could."),
    ("Resolution", "What mended it, and what keeps it mended."),
    ("What went well", "What shall be done the same way again."),
    ("Where we were lucky", "What would have been worse on another day."),
];

fn action_items() -> Vec<String> {
    let row = || vec![String::new(); 4];
    markdown::table(&["done", "what", "owner", "until"], &[row(), row(), row()])
}

fn journal(story: &Story, found: &Verification) -> Vec<String> {
    let head = Head { seq: found.head.seq, checksum: found.head.checksum.clone() };
    let mut lines = vec![match &found.bad {
        None => format!(
            "`lifeboat journal verify`: GOOD, {} records, none changed. Head: `{}` ({}).",
            found.records,
            spoken::words(Some(&head).filter(|head| head.seq > 0)),
            text(&found.head.to_string())
        ),
        Some(bad) => format!(
            "`lifeboat journal verify`: **BAD**: {} {} records before it are good. This report is made of what \
             can be read and proves nothing about the rest.",
            text(&ended(&bad.to_string())),
            found.records
        ),
    }];
    if !found.set_aside.is_empty() {
        let names: Vec<String> = found.set_aside.iter().map(|name| text(name)).collect();
        lines.push(format!(
            "A damaged end of the journal was set aside in {}: whether a record in it had been acknowledged cannot be \
             told from the journal.",
            names.join(", ")
        ));
    }
    if let (Some(first), Some(last)) = (story.first_record(), story.last_record()) {
        lines.push(format!("This report is made of records {first} to {last}."));
    }
    lines.push(
        "Whether records are missing after the last one shows only against a head that somebody noted: each message \
         above ends with one, `lifeboat journal verify --head` takes it."
            .into(),
    );
    if story.plan_changed {
        lines.push(
            "The plan changed since these records were written: titles here are those of the plan of today."
                .into(),
        );
    }
    markdown::items(lines)
}

#[cfg(test)]
mod tests;
