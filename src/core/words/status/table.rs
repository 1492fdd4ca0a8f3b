//! The transition table of a step, drawn for people: a diagram (Mermaid), and where each move leads.

use super::{Move, StepStatus};
use std::fmt::{self, Write};

/// The whole page, as Markdown.
pub fn markdown() -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out);
    out
}

fn write(out: &mut String) -> fmt::Result {
    writeln!(out, "# The states of a step\n")?;
    writeln!(out, "<!-- Written by `lifeboat plan table --output docs/step-states.md`. -->\n")?;
    writeln!(
        out,
        "A step is in one of these states. What is not drawn cannot happen: the command is refused, with what to do\n\
         instead. A crash moves a step that runs to *unknown*, which only its proof or a person ends.\n"
    )?;
    writeln!(out, "```mermaid\nstateDiagram-v2\n    [*] --> pending")?;
    for (from, by, to) in edges() {
        writeln!(out, "    {} --> {}: {}", from.as_str(), to.as_str(), by.as_str())?;
    }
    writeln!(out, "```\n")?;
    writeln!(out, "| a step that is | can | and is then |\n|---|---|---|")?;
    for (from, by, to) in edges() {
        writeln!(out, "| {} | {} | {} |", from.as_str(), by.as_str(), to.as_str())?;
    }
    Ok(())
}

/// Every edge of the table.
pub fn edges() -> impl Iterator<Item = (StepStatus, Move, StepStatus)> {
    let moves =
        |from: StepStatus| Move::ALL.into_iter().filter_map(move |by| Some((from, by, from.after(by).ok()?)));
    StepStatus::ALL.into_iter().flat_map(moves)
}
