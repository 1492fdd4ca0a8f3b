//! The reference of keys, written from the registry and a keymap.

use std::fmt::Write;

use super::{ACTIONS, Context, Keymap, Sequence};

/// The keys of `keymap` as a Markdown page.
pub fn markdown(keymap: &Keymap) -> String {
    let mut page = String::from("# Keys\n\n");
    let _ = writeln!(
        page,
        "Written by `lifeboat keys show {} --markdown`; do not edit. A key of a screen goes before a global one.\n\
         Actions marked `!` change the world or the record: Enter and space can never be bound to them.",
        keymap.name()
    );
    for context in Context::ALL {
        if keymap.bindings(context).next().is_none() {
            continue;
        }
        let _ = write!(page, "\n## {}\n\n{}\n\n", context.name(), context.doc());
        page.push_str("| keys | action | |\n|---|---|---|\n");
        for info in &ACTIONS {
            let keys: Vec<Sequence> = keymap
                .bindings(context)
                .filter(|binding| binding.action == info.action)
                .map(|binding| binding.sequence)
                .collect();
            if keys.is_empty() {
                continue;
            }
            let keys: Vec<String> = keys.iter().map(|keys| format!("`{}`", escape(*keys))).collect();
            let mark = if info.destructive { " `!`" } else { "" };
            let _ = writeln!(page, "| {} | `{}`{mark} | {} |", keys.join(", "), info.name, info.doc);
        }
    }
    page
}

/// A table cell ends at a bar, even inside code.
fn escape(keys: Sequence) -> String {
    keys.to_string().replace('|', "\\|")
}
