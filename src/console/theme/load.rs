//! Reading theme files: layers, inheritance, and every problem in them at once.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ROLES, Role, Theme, colour};
use crate::console::layers::{Layers, Problem, Source, expect_text, near_miss, reject_unknown_keys};

/// Themes embedded in the program, as `(name, TOML)`.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("ansi16", include_str!("../../../themes/ansi16.toml")),
];

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
pub fn load(layers: &Layers, name: &str) -> Result<Theme, Vec<Problem>> {
    let index = layers.find(name).map_err(|problem| vec![problem])?;
    let (theme, problems) = check(layers, index);
    if problems.is_empty() { Ok(theme) } else { Err(problems) }
}

/// Reads the source at `index` of `layers` with all it inherits, and every problem in them.
pub fn check(layers: &Layers, index: usize) -> (Theme, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut styles = [None; ROLES.len()];
    for index in layers.lineage(index, &mut problems) {
        read_layer(&layers.sources()[index], &mut styles, &mut problems);
    }
    let source = &layers.sources()[index];
    let missing: Vec<&str> =
        ROLES.iter().zip(&styles).filter(|(_, style)| style.is_none()).map(|(info, _)| info.name).collect();
    if !missing.is_empty() {
        let message = format!("no style for: {}", missing.join(", "));
        let help = "add them under [roles], or add `inherits = \"dark\"`";
        problems.push(source.problem(0, message).with_help(help));
    }
    let styles = styles.map(Option::unwrap_or_default);
    (Theme { name: source.name.clone(), styles }, problems)
}

fn read_layer(source: &Source, styles: &mut [Option<Style>; ROLES.len()], problems: &mut Vec<Problem>) {
    let table = source.parse(problems);
    reject_unknown_keys(source, &table, &["title", "inherits", "roles"], problems);
    expect_text(source, &table, "title", problems);
    expect_text(source, &table, "inherits", problems);
    let Some(roles) = table.get("roles") else { return };
    let DeValue::Table(roles) = roles.get_ref() else {
        problems.push(source.problem(roles.span().start, "`roles` must be a table"));
        return;
    };
    let names: Vec<&str> = ROLES.iter().map(|info| info.name).collect();
    reject_unknown_keys(source, roles, &names, problems);
    for (info, slot) in ROLES.iter().zip(styles) {
        if let Some(value) = roles.get(info.name) {
            // A role with a problem counts as given, so that one mistake is reported once.
            *slot = Some(read_style(source, info.role, value, problems));
        }
    }
}

fn read_style(
    source: &Source,
    role: Role,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Style {
    let DeValue::Table(table) = value.get_ref() else {
        if role == Role::Background {
            let message = "`background` needs `{ bg = ... }`: a bare colour would be that of the text";
            problems.push(source.problem(value.span().start, message));
        }
        return Style { fg: read_colour(source, value, problems), ..Style::new() };
    };
    let known: Vec<&str> = ["fg", "bg"].into_iter().chain(MODIFIERS.iter().map(|(name, _)| *name)).collect();
    reject_unknown_keys(source, table, &known, problems);
    let mut style = Style::new();
    style.fg = table.get("fg").and_then(|colour| read_colour(source, colour, problems));
    style.bg = table.get("bg").and_then(|colour| read_colour(source, colour, problems));
    for (name, modifier) in MODIFIERS {
        if read_flag(source, table, name, problems) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn read_flag(source: &Source, table: &DeTable<'_>, name: &str, problems: &mut Vec<Problem>) -> bool {
    let Some(value) = table.get(name) else { return false };
    value.get_ref().as_bool().unwrap_or_else(|| {
        problems.push(source.problem(value.span().start, format!("`{name}` must be true or false")));
        false
    })
}

fn read_colour(source: &Source, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<Color> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        _ => "",
    };
    let colour = colour::parse(text);
    if colour.is_none() {
        let message = match text {
            "" => "a colour must be a text or a number from 0 to 255".to_owned(),
            text => format!("`{text}` is not a colour"),
        };
        let help = near_miss(text, colour::names()).unwrap_or_else(|| {
            "colours are names (`red`, `bright-blue`, `default`), 0 to 255, or `#rrggbb`".into()
        });
        problems.push(source.problem(value.span().start, message).with_help(help));
    }
    colour
}
