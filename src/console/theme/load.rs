//! Reading theme files: layers, inheritance, and every problem in them at once.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

use super::{ROLES, Role, Theme, colour};
use crate::base::text::clean;
use crate::base::toml::near::near_miss;
use crate::base::toml::node::{Node, NodeValue, Table};
use crate::base::toml::{Diagnostic, Diagnostics, Report, Span};
use crate::console::layers::{self, Layers, expect_text, reject_unknown_keys};

/// Themes embedded in the program, as `(name, TOML)`.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("ansi16", include_str!("../../../themes/ansi16.toml")),
];

/// Longest colour that is quoted in a problem.
const MAX_COLOUR_CHARS: usize = 60;

/// The theme that is used when none is named.
pub const DEFAULT: &str = "dark";

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// The built-in themes under those of the user's `folder`.
pub fn layers(folder: Option<&Path>) -> Layers {
    Layers::collect("theme", BUILT_IN, folder)
}

/// The theme called `name` in all its colours, or every problem that stands in its way.
///
/// # Errors
/// All that is wrong with it and with what it inherits.
pub fn load(layers: &Layers, name: &str) -> Result<Theme, Diagnostics> {
    let report = Report::default();
    let theme = layers.find(name).map(|index| check(layers, index, &report));
    let theme = theme.map_err(|problem| report.add(*problem)).ok();
    layers::finish(layers, report, theme)
}

/// Reads the source at `index` of `layers` with all it inherits; every problem in them is reported.
pub(crate) fn check(layers: &Layers, index: usize, report: &Report) -> Theme {
    let mut styles = [None; ROLES.len()];
    for index in layers.lineage(index, report) {
        read_layer(&layers.parse(index, report), &mut styles, report);
    }
    let missing: Vec<&str> =
        ROLES.iter().zip(&styles).filter(|(_, style)| style.is_none()).map(|(info, _)| info.name).collect();
    if !missing.is_empty() {
        let message = format!("no style for: {}", missing.join(", "));
        let help = "add them under [roles], or add `inherits = \"dark\"`";
        report.add(Diagnostic::error("missing-key", Span::new(index, 0..0), message).help(help));
    }
    let styles = styles.map(Option::unwrap_or_default);
    Theme { name: layers.sources()[index].name.clone(), styles }
}

fn read_layer(table: &Table, styles: &mut [Option<Style>; ROLES.len()], report: &Report) {
    reject_unknown_keys(table, &["title", "inherits", "roles"], report);
    expect_text(table, "title", report);
    expect_text(table, "inherits", report);
    let Some(roles) = table.get("roles").map(|entry| &entry.node) else { return };
    let Some(roles) = roles.table() else {
        return report.add(Diagnostic::error("wrong-type", roles.place, "`roles` must be a table"));
    };
    let names: Vec<&str> = ROLES.iter().map(|info| info.name).collect();
    reject_unknown_keys(roles, &names, report);
    for (info, slot) in ROLES.iter().zip(styles) {
        if let Some(entry) = roles.get(info.name) {
            // A role with a problem counts as given, so that one mistake is reported once.
            *slot = Some(read_style(info.role, &entry.node, report));
        }
    }
}

fn read_style(role: Role, value: &Node, report: &Report) -> Style {
    let Some(table) = value.table() else {
        if role == Role::Background {
            let message = "`background` needs `{ bg = ... }`: a bare colour would be that of the text";
            report.add(Diagnostic::error("wrong-type", value.place, message));
        }
        return Style { fg: read_colour(value, report), ..Style::new() };
    };
    let known: Vec<&str> = ["fg", "bg"].into_iter().chain(MODIFIERS.iter().map(|(name, _)| *name)).collect();
    reject_unknown_keys(table, &known, report);
    let colour = |key: &str| table.get(key).and_then(|entry| read_colour(&entry.node, report));
    let mut style = Style { fg: colour("fg"), bg: colour("bg"), ..Style::new() };
    for (name, modifier) in MODIFIERS {
        if read_flag(table, name, report) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn read_flag(table: &Table, name: &str, report: &Report) -> bool {
    match table.get(name).map(|entry| (&entry.node.value, entry.node.place)) {
        None => false,
        Some((NodeValue::Flag(flag), _)) => *flag,
        Some((_, place)) => {
            report.add(Diagnostic::error("wrong-type", place, format!("`{name}` must be true or false")));
            false
        }
    }
}

fn read_colour(value: &Node, report: &Report) -> Option<Color> {
    let text = match &value.value {
        NodeValue::Text(text) => text.clone(),
        NodeValue::Integer(number) => number.to_string(),
        _ => String::new(),
    };
    let colour = colour::parse(&text);
    if colour.is_none() {
        let message = match &*text {
            "" => "a colour must be a text or a number from 0 to 255".to_owned(),
            text => format!("`{}` is not a colour", clean(text, MAX_COLOUR_CHARS)),
        };
        let help = near_miss(&text, colour::names()).unwrap_or_else(|| {
            "colours are names (`red`, `bright-blue`, `default`), 0 to 255, or `#rrggbb`".into()
        });
        report.add(Diagnostic::error("bad-colour", value.place, message).help(help));
    }
    colour
}
