//! Reading keymap files: layers, inheritance, and every problem in them at once.

use std::path::Path;

use super::{ACTIONS, Action, ActionInfo, Binding, Context, Keymap, Sequence};
use crate::base::text::clean;
use crate::base::toml::near::near_miss;
use crate::base::toml::node::{Node, NodeValue, Table};
use crate::base::toml::{Diagnostic, Diagnostics, Report, Sources, Span};
use crate::console::layers::{self, Layers, expect_text, reject_unknown_keys};

/// Keymaps embedded in the program, as `(name, TOML)`.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("default", include_str!("../../../keymaps/default.toml")),
    ("emacs", include_str!("../../../keymaps/emacs.toml")),
];

/// Longest name that is quoted in a problem.
const MAX_NAME_CHARS: usize = 100;

/// The keymap that is used when none is named.
pub const DEFAULT: &str = "default";

/// The built-in keymaps under those of the user's `folder`.
pub fn layers(folder: Option<&Path>) -> Layers {
    Layers::collect("keymap", BUILT_IN, folder)
}

/// The keymap called `name`, or every problem that stands in its way.
///
/// # Errors
/// All that is wrong with it and with what it inherits.
pub fn load(layers: &Layers, name: &str) -> Result<Keymap, Diagnostics> {
    let report = Report::default();
    let keymap = layers.find(name).map(|index| check(layers, index, &report));
    let keymap = keymap.map_err(|problem| report.add(*problem)).ok();
    layers::finish(layers, report, keymap)
}

/// Reads the source at `index` of `layers` with all it inherits; every problem in them is reported.
pub(crate) fn check(layers: &Layers, index: usize, report: &Report) -> Keymap {
    let before = report.errors();
    let mut bindings: Vec<Binding> = Vec::new();
    let texts = layers.texts();
    for index in layers.lineage(index, report) {
        let layer = read_layer(&layers.parse(index, report), &texts, report);
        lay_over(&mut bindings, &layer);
    }
    if report.errors() == before {
        report_unbound(Span::new(index, 0..0), &bindings, report);
    }
    let position = |action: Action| ACTIONS.iter().position(|info| info.action == action);
    bindings.sort_by_key(|binding| position(binding.action));
    Keymap { name: layers.sources()[index].name.clone(), bindings }
}

/// What one file says: its keys with their places, and the actions whose inherited keys it replaces.
struct Layer {
    bindings: Vec<(Binding, Span)>,
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

fn read_layer(table: &Table, texts: &Sources, report: &Report) -> Layer {
    let mut layer = Layer { bindings: Vec::new(), replaced: Vec::new() };
    let mut known = vec!["title", "inherits"];
    known.extend(Context::ALL.iter().map(|context| context.name()));
    reject_unknown_keys(table, &known, report);
    expect_text(table, "title", report);
    expect_text(table, "inherits", report);
    for context in Context::ALL {
        let Some(value) = table.get(context.name()).map(|entry| &entry.node) else { continue };
        match value.table() {
            Some(keys) => read_context(context, keys, &mut layer, texts, report),
            None => {
                let message = format!("`{}` must be a table", context.name());
                report.add(Diagnostic::error("wrong-type", value.place, message));
            }
        }
    }
    layer
}

fn read_context(context: Context, table: &Table, layer: &mut Layer, texts: &Sources, report: &Report) {
    for (name, entry) in table {
        let Some(info) = Action::by_name(name) else {
            let message = format!("unknown action `{}`", clean(name, MAX_NAME_CHARS));
            let help = near_miss(name, ACTIONS.iter().map(|info| info.name))
                .unwrap_or_else(|| "`lifeboat keys show default` names every action".into());
            report.add(Diagnostic::error("unknown-name", entry.key_place, message).help(help));
            continue;
        };
        if !info.contexts.contains(&context) {
            let places: Vec<&str> = info.contexts.iter().map(|context| context.name()).collect();
            let message = format!("`{name}` means nothing in `{}`", context.name());
            let problem = Diagnostic::error("wrong-context", entry.key_place, message);
            report.add(problem.help(format!("it works in: {}", places.join(", "))));
            continue;
        }
        layer.replaced.push((context, info.action));
        read_keys(context, info, &entry.node, layer, texts, report);
    }
}

fn read_keys(
    context: Context,
    info: &ActionInfo,
    value: &Node,
    layer: &mut Layer,
    texts: &Sources,
    report: &Report,
) {
    let values = match &value.value {
        NodeValue::List(values) => values.as_slice(),
        _ => std::slice::from_ref(value),
    };
    for value in values {
        let Some(text) = value.text() else {
            let message = format!("the keys of `{}` must be text, or a list of texts", info.name);
            report.add(Diagnostic::error("wrong-type", value.place, message));
            continue;
        };
        match Sequence::parse(text) {
            Err(message) => {
                let help = "keys look like `q`, `G`, `ctrl-x`, `alt-v`, `shift-tab`, `f1`, `space`, `g g`";
                report.add(Diagnostic::error("bad-key", value.place, message).help(help));
            }
            Ok(sequence) => {
                let binding = Binding { context, sequence, action: info.action };
                match refusal(info, &binding, &layer.bindings, texts) {
                    Some(message) => report.add(Diagnostic::error("bad-key", value.place, message)),
                    None => layer.bindings.push((binding, value.place)),
                }
            }
        }
    }
}

/// Why this key cannot be bound, if it cannot.
fn refusal(info: &ActionInfo, new: &Binding, earlier: &[(Binding, Span)], texts: &Sources) -> Option<String> {
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
        .map(|(old, place)| {
            let place = texts.describe(*place);
            let old_name = old.action.info().name;
            format!("`{}` conflicts with `{}`, bound to `{old_name}` at {place}", new.sequence, old.sequence)
        })
}

/// Reports required actions that no key reaches.
fn report_unbound(head: Span, bindings: &[Binding], report: &Report) {
    for info in &ACTIONS {
        for context in info.required {
            let bound =
                bindings.iter().any(|binding| binding.context == *context && binding.action == info.action);
            if !bound {
                let message = format!("`{}` has no key in `{}`", info.name, context.name());
                let help = "bind one, or add `inherits = \"default\"`";
                report.add(Diagnostic::error("unbound", head, message).help(help));
            }
        }
    }
}
