//! Reading keymap files: layers, inheritance, and every problem in them at once.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{ACTIONS, Action, ActionInfo, Binding, Context, Keymap, Sequence};
use crate::console::layers::{Layers, Problem, Source, expect_text, near_miss, reject_unknown_keys};

/// Keymaps embedded in the program, as `(name, TOML)`.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("default", include_str!("../../../keymaps/default.toml")),
    ("emacs", include_str!("../../../keymaps/emacs.toml")),
];

/// The keymap that is used when none is named.
pub const DEFAULT: &str = "default";

/// The built-in keymaps under those of the user's `folder`.
pub fn layers(folder: Option<&Path>) -> Layers {
    Layers::collect("keymap", BUILT_IN, folder)
}

/// The keymap called `name`, or every problem that stands in its way.
pub fn load(layers: &Layers, name: &str) -> Result<Keymap, Vec<Problem>> {
    let index = layers.find(name).map_err(|problem| vec![problem])?;
    let (keymap, problems) = check(layers, index);
    if problems.is_empty() { Ok(keymap) } else { Err(problems) }
}

/// Reads the source at `index` of `layers` with all it inherits, and every problem in them.
pub fn check(layers: &Layers, index: usize) -> (Keymap, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut bindings: Vec<Binding> = Vec::new();
    let lineage = layers.lineage(index, &mut problems);
    for source in lineage.iter().map(|index| &layers.sources()[*index]) {
        let layer = read_layer(source, &mut problems);
        lay_over(&mut bindings, &layer);
    }
    let source = &layers.sources()[index];
    if problems.is_empty() {
        report_unbound(source, &bindings, &mut problems);
    }
    let position = |action: Action| ACTIONS.iter().position(|info| info.action == action);
    bindings.sort_by_key(|binding| position(binding.action));
    (Keymap { name: source.name.clone(), bindings }, problems)
}

/// What one file says: its keys with their places, and the actions whose inherited keys it replaces.
struct Layer {
    bindings: Vec<(Binding, usize)>,
    replaced: Vec<(Context, Action)>,
}

/// Puts a file's keys over the inherited ones: an action named again loses its old keys, and a key bound again
/// leaves the action that had it.
fn lay_over(bindings: &mut Vec<Binding>, layer: &Layer) {
    bindings.retain(|old| {
        let renamed = layer.replaced.contains(&(old.context, old.action));
        let taken = layer
            .bindings
            .iter()
            .any(|(new, _)| new.context == old.context && new.sequence.collides_with(&old.sequence));
        !renamed && !taken
    });
    bindings.extend(layer.bindings.iter().map(|(binding, _)| *binding));
}

fn read_layer(source: &Source, problems: &mut Vec<Problem>) -> Layer {
    let mut layer = Layer { bindings: Vec::new(), replaced: Vec::new() };
    let table = source.parse(problems);
    let mut known = vec!["title", "inherits"];
    known.extend(Context::ALL.iter().map(|context| context.name()));
    reject_unknown_keys(source, &table, &known, problems);
    expect_text(source, &table, "title", problems);
    expect_text(source, &table, "inherits", problems);
    for context in Context::ALL {
        let Some(value) = table.get(context.name()) else { continue };
        match value.get_ref() {
            DeValue::Table(keys) => read_context(source, context, keys, &mut layer, problems),
            _ => problems
                .push(source.problem(value.span().start, format!("`{}` must be a table", context.name()))),
        }
    }
    layer
}

fn read_context(
    source: &Source,
    context: Context,
    table: &DeTable<'_>,
    layer: &mut Layer,
    problems: &mut Vec<Problem>,
) {
    for (key, value) in table {
        let name = key.get_ref();
        let offset = key.span().start;
        let Some(info) = Action::by_name(name) else {
            let problem = source.problem(offset, format!("unknown action `{name}`"));
            let names = ACTIONS.iter().map(|info| info.name);
            problems.push(match near_miss(name, names) {
                Some(help) => problem.with_help(help),
                None => problem.with_help("`lifeboat keys show default` names every action"),
            });
            continue;
        };
        if !info.contexts.contains(&context) {
            let places: Vec<&str> = info.contexts.iter().map(|context| context.name()).collect();
            let message = format!("`{name}` means nothing in `{}`", context.name());
            problems.push(
                source.problem(offset, message).with_help(format!("it works in: {}", places.join(", "))),
            );
            continue;
        }
        layer.replaced.push((context, info.action));
        read_keys(source, context, info, value, layer, problems);
    }
}

fn read_keys(
    source: &Source,
    context: Context,
    info: &ActionInfo,
    value: &toml::Spanned<DeValue<'_>>,
    layer: &mut Layer,
    problems: &mut Vec<Problem>,
) {
    let single = std::slice::from_ref(value);
    let values = match value.get_ref() {
        DeValue::Array(values) => values.iter().as_slice(),
        _ => single,
    };
    for value in values {
        let offset = value.span().start;
        let Some(text) = value.get_ref().as_str() else {
            let message = format!("the keys of `{}` must be text, or a list of texts", info.name);
            problems.push(source.problem(offset, message));
            continue;
        };
        match Sequence::parse(text) {
            Err(message) => {
                let help = "keys look like `q`, `G`, `ctrl-x`, `alt-v`, `shift-tab`, `f1`, `space`, `g g`";
                problems.push(source.problem(offset, message).with_help(help));
            }
            Ok(sequence) => {
                let binding = Binding { context, sequence, action: info.action };
                match refusal(info, &binding, &layer.bindings, source) {
                    Some(message) => problems.push(source.problem(offset, message)),
                    None => layer.bindings.push((binding, offset)),
                }
            }
        }
    }
}

/// Why this key cannot be bound, if it cannot.
fn refusal(
    info: &ActionInfo,
    new: &Binding,
    earlier: &[(Binding, usize)],
    source: &Source,
) -> Option<String> {
    let Sequence { first, second } = new.sequence;
    if info.destructive && (first.is_reflex() || second.is_some_and(super::Chord::is_reflex)) {
        return Some(format!("`{}` is destructive: Enter and space can never be bound to it", info.name));
    }
    if new.context.types_text() && first.typed().is_some() {
        let context = new.context.name();
        return Some(format!(
            "`{}` is typed as text in `{context}`, so it cannot be bound there",
            new.sequence
        ));
    }
    earlier
        .iter()
        .find(|(old, _)| old.context == new.context && old.sequence.collides_with(&new.sequence))
        .map(|(old, offset)| {
            let place = source.problem(*offset, "").place;
            let old_name = old.action.info().name;
            format!("`{}` conflicts with `{}`, bound to `{old_name}` at {place}", new.sequence, old.sequence)
        })
}

/// Reports required actions that no key reaches.
fn report_unbound(source: &Source, bindings: &[Binding], problems: &mut Vec<Problem>) {
    for info in ACTIONS {
        for context in info.required {
            let bound =
                bindings.iter().any(|binding| binding.context == *context && binding.action == info.action);
            if !bound {
                let message = format!("`{}` has no key in `{}`", info.name, context.name());
                let help = "bind one, or add `inherits = \"default\"`";
                problems.push(source.problem(0, message).with_help(help));
            }
        }
    }
}
