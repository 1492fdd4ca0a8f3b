//! `lifeboat themes`: list, check and show the themes of the console.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use ratatui::prelude::IntoCrossterm;
use ratatui::style::{Color, Style};

use crate::base::text::Printer;
use crate::base::toml::Report;
use crate::cli::layered;
use crate::console::layers::Layers;
use crate::console::theme::{self, ColourDepth, ColourEnvironment, ROLES, Role, Theme};

/// Arguments of `lifeboat themes`.
#[derive(Debug, Args)]
pub struct ThemesArgs {
    /// Folder of the user's configuration [default: $XDG_CONFIG_HOME/lifeboat].
    #[arg(long, value_name = "FOLDER", env = "LIFEBOAT_CONFIG_DIR", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: ThemesCommand,
}

#[derive(Debug, Subcommand)]
enum ThemesCommand {
    /// List every theme and where it comes from.
    List,
    /// Check a theme file, or every theme, and print all problems; exit code 1 when there are any.
    Check {
        /// The theme file.
        file: Option<PathBuf>,
    },
    /// Print a sample of every role of a theme.
    Show {
        /// The name of the theme.
        #[arg(default_value = theme::DEFAULT)]
        name: String,
        /// Colours to use [default: what the terminal shows].
        #[arg(long)]
        colour: Option<Colours>,
    },
}

/// How many colours to use.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Colours {
    None,
    #[value(name = "16")]
    Sixteen,
    #[value(name = "256")]
    Indexed,
    True,
}

impl From<Colours> for ColourDepth {
    fn from(colours: Colours) -> Self {
        match colours {
            Colours::None => ColourDepth::None,
            Colours::Sixteen => ColourDepth::Ansi16,
            Colours::Indexed => ColourDepth::Indexed256,
            Colours::True => ColourDepth::True,
        }
    }
}

/// Runs `lifeboat themes`.
pub fn run(args: &ThemesArgs) -> ExitCode {
    let layers = theme::layers(layered::user_folder(args.config.as_deref(), "themes").as_deref());
    let mut out = Printer::styled(io::stdout().lock());
    layered::exit_code(match &args.command {
        ThemesCommand::List => layered::list(&mut out, &layers, problems_of),
        ThemesCommand::Check { file } => layered::check(&mut out, layers, file.as_deref(), problems_of),
        ThemesCommand::Show { name, colour } => {
            let depth = colour.map_or_else(detected_depth, |colour| Some(colour.into()));
            show(&mut out, &layers, name, depth)
        }
    })
}

fn problems_of(layers: &Layers, index: usize, report: &Report) {
    theme::check(layers, index, report);
}

/// The depth of standard output; `None` where it is no terminal and wants plain text.
fn detected_depth() -> Option<ColourDepth> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let read = |name| std::env::var(name).ok();
    let (term, colorterm, no_color) = (read("TERM"), read("COLORTERM"), read("NO_COLOR"));
    Some(ColourDepth::detect(ColourEnvironment {
        term: term.as_deref(),
        colorterm: colorterm.as_deref(),
        no_color: no_color.as_deref(),
        choice: None,
    }))
}

fn show(out: &mut impl Write, layers: &Layers, name: &str, depth: Option<ColourDepth>) -> io::Result<bool> {
    let full = match theme::load(layers, name) {
        Ok(theme) => theme,
        Err(problems) => {
            layered::print_problems(out, &problems)?;
            return Ok(false);
        }
    };
    writeln!(out, "{name} ({})", layered::origin_of(layers, name))?;
    let shown = full.at_depth(depth.unwrap_or(ColourDepth::None));
    for info in ROLES {
        let sample = format!(" {:13}", info.name);
        let sample = match depth {
            Some(_) => shown_on_background(&shown, info.role).into_crossterm().apply(sample).to_string(),
            None => sample,
        };
        writeln!(out, "{sample} {:32} {}", words(full.style(info.role)), info.doc)?;
    }
    Ok(true)
}

fn shown_on_background(theme: &Theme, role: Role) -> Style {
    theme.style(Role::Background).patch(theme.style(role))
}

/// A style as its theme spells it.
fn words(style: Style) -> String {
    let spell = |colour: Color| match colour {
        Color::Reset => "default".to_owned(),
        colour => colour.to_string().to_lowercase(),
    };
    let mut words: Vec<String> = Vec::new();
    words.extend(style.fg.map(spell));
    words.extend(style.bg.map(|colour| format!("on {}", spell(colour))));
    words.extend(style.add_modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        ThemesArgs::augment_args(clap::Command::new("lifeboat")).debug_assert();
    }

    fn shown(name: &str, depth: Option<ColourDepth>) -> (bool, String) {
        let mut out = Vec::new();
        let well = show(&mut out, &theme::layers(None), name, depth).unwrap();
        (well, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_role_has_a_sample() {
        let (well, text) = shown("dark", Some(ColourDepth::Indexed256));
        assert!(well);
        assert_eq!(text.lines().count(), ROLES.len() + 1);
        assert!(text.contains("\x1b[38;5;210m"), "{text:?}");
    }

    #[test]
    fn plain_text_has_no_escape_sequences() {
        let (well, text) = shown("dark", None);
        assert!(well && !text.contains('\x1b'));
        assert!(text.contains("210 bold"), "{text}");
    }

    #[test]
    fn without_colours_only_modifiers_are_left() {
        let (_, text) = shown("dark", Some(ColourDepth::None));
        assert!(!text.contains("\x1b[38") && !text.contains("\x1b[48"), "{text:?}");
        assert!(text.contains("\x1b[7m"), "badges are reversed: {text:?}");
    }

    #[test]
    fn an_unknown_name_names_its_near_miss() {
        let (well, text) = shown("drak", None);
        assert!(!well);
        assert!(text.contains("did you mean `dark`?"), "{text}");
    }

    #[test]
    fn listing_marks_the_source_and_checking_finds_the_problem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, "inherits = 'dark'\n[roles]\nokk = 'red'").unwrap();
        let layers = theme::layers(Some(folder.path()));
        let mut out = Vec::new();
        assert!(layered::list(&mut out, &layers, problems_of).unwrap());
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("dark           built in\n"), "{text}");
        assert!(text.contains("mine           user: ") && text.contains("1 problem"), "{text}");

        let mut out = Vec::new();
        assert!(!layered::check(&mut out, theme::layers(None), Some(&file), problems_of).unwrap());
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("mine.toml:3:1: error[unknown-key]: unknown key `okk`"), "{text}");
        assert!(layered::check(&mut Vec::new(), theme::layers(None), None, problems_of).unwrap());
    }
}
