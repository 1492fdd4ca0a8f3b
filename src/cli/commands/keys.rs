//! `lifeboat keys`: list, check and show the keymaps of the console.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::base::text::Printer;
use crate::base::toml::Report;
use crate::cli::layered;
use crate::console::keymap::{self, Context, Keymap};
use crate::console::layers::Layers;

/// Arguments of `lifeboat keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// Folder of the user's configuration [default: $XDG_CONFIG_HOME/lifeboat].
    #[arg(long, value_name = "FOLDER", env = "LIFEBOAT_CONFIG_DIR", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List every keymap and where it comes from.
    List,
    /// Check a keymap file, or every keymap, and print all problems; exit code 1 when there are any.
    Check {
        /// The keymap file.
        file: Option<PathBuf>,
    },
    /// Print every key of a keymap.
    Show {
        /// The name of the keymap.
        #[arg(default_value = keymap::DEFAULT)]
        name: String,
        /// As a page of Markdown.
        #[arg(long)]
        markdown: bool,
    },
}

/// Runs `lifeboat keys`.
pub fn run(args: &KeysArgs) -> ExitCode {
    let layers = keymap::layers(layered::user_folder(args.config.as_deref(), "keymaps").as_deref());
    let mut out = Printer::new(io::stdout().lock());
    layered::exit_code(match &args.command {
        KeysCommand::List => layered::list(&mut out, &layers, problems_of),
        KeysCommand::Check { file } => layered::check(&mut out, layers, file.as_deref(), problems_of),
        KeysCommand::Show { name, markdown } => show(&mut out, &layers, name, *markdown),
    })
}

fn problems_of(layers: &Layers, index: usize, report: &Report) {
    keymap::check(layers, index, report);
}

fn show(out: &mut impl Write, layers: &Layers, name: &str, markdown: bool) -> io::Result<bool> {
    match keymap::load(layers, name) {
        Ok(keymap) if markdown => write!(out, "{}", keymap::markdown(&keymap))?,
        Ok(keymap) => {
            writeln!(out, "{name} ({})", layered::origin_of(layers, name))?;
            print_keys(out, &keymap)?;
        }
        Err(problems) => {
            layered::print_problems(out, &problems)?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn print_keys(out: &mut impl Write, keymap: &Keymap) -> io::Result<()> {
    for context in Context::ALL {
        writeln!(out, "\n{}: {}", context.name(), context.doc())?;
        for binding in keymap.bindings(context) {
            let info = binding.action.info();
            let mark = if info.destructive { '!' } else { ' ' };
            writeln!(out, "  {:15} {mark} {:16} {}", binding.sequence.to_string(), info.name, info.doc)?;
        }
    }
    writeln!(out, "\n! changes the world or the record: Enter and space can never be bound to it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        KeysArgs::augment_args(clap::Command::new("lifeboat")).debug_assert();
    }

    fn shown(name: &str, markdown: bool) -> (bool, String) {
        let mut out = Vec::new();
        let well = show(&mut out, &keymap::layers(None), name, markdown).unwrap();
        (well, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_binding_is_printed() {
        let (well, text) = shown("emacs", false);
        assert!(well);
        assert!(text.contains("ctrl-x ctrl-c     quit"), "{text}");
        assert!(text.contains("y               ! confirm-yes"), "{text}");
    }

    #[test]
    fn markdown_is_the_page_of_the_reference() {
        let (well, text) = shown("default", true);
        assert!(well && text.starts_with("# Keys\n"));
        assert!(!text.lines().any(|line| line.ends_with(' ')));
    }

    #[test]
    fn an_unknown_name_is_a_problem() {
        assert_eq!(
            shown("emcas", false),
            (
                false,
                "emcas: error[unknown-name]: no keymap called `emcas`\n  help: did you mean `emacs`?\n"
                    .into()
            )
        );
    }
}
