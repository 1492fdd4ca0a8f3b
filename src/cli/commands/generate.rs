//! `lifeboat generate`: shell completions and the man page, made from the command line's own definition.

use std::io::{self, Write};

use clap::{Args, Command, Subcommand};
use clap_complete::Shell;

/// Write shell completions or the man page, as install.sh does.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(subcommand)]
    what: GenerateCommand,
}

#[derive(Debug, Subcommand)]
enum GenerateCommand {
    /// Completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// The man page, in roff.
    Man,
}

/// Arguments of `lifeboat completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Arguments of `lifeboat man`.
#[derive(Debug, Args)]
pub struct ManArgs {}

impl From<CompletionsArgs> for GenerateArgs {
    fn from(CompletionsArgs { shell }: CompletionsArgs) -> Self {
        Self { what: GenerateCommand::Completions { shell } }
    }
}

impl GenerateArgs {
    /// Asks for the man page.
    pub fn man() -> Self {
        Self { what: GenerateCommand::Man }
    }
}

/// Writes what was asked for, made from `command`, to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(args: &GenerateArgs, mut command: Command, out: &mut impl Write) -> io::Result<()> {
    match args.what {
        GenerateCommand::Completions { shell } => {
            let name = command.get_name().to_owned();
            // Through memory: the generator panics when a write fails, as on a closed pipe.
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut text);
            out.write_all(&text)
        }
        GenerateCommand::Man => man(command, out),
    }
}

/// One page: the program, then each subcommand in a section of its own, so that one file documents all.
fn man(mut command: Command, out: &mut impl Write) -> io::Result<()> {
    command.build();
    let subcommands: Vec<Command> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
        .cloned()
        .collect();
    let name = command.get_name().to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    // The pages that it refers to are sections of this one.
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for subcommand in subcommands.iter().map(Command::get_name).chain(["help"]) {
        let escaped = subcommand.replace('-', "\\-");
        page = page.replace(&format!("{name}\\-{escaped}(1)"), &format!("{name} {escaped}"));
    }
    out.write_all(page.as_bytes())?;
    for subcommand in subcommands {
        let title = format!("{name} {}", subcommand.get_name());
        let page = clap_mangen::Man::new(subcommand);
        writeln!(out, ".SH \"{}\"", title.to_uppercase())?;
        page.render_description_section(out)?;
        page.render_synopsis_section(out)?;
        page.render_options_section(out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, CommandFactory, Parser, ValueEnum};

    #[derive(Parser)]
    #[command(name = "generate")]
    struct Cli {
        #[command(flatten)]
        generate: GenerateArgs,
    }

    fn generated(line: &[&str]) -> String {
        let cli = Cli::parse_from([&["generate"], line].concat());
        let sample = Command::new("lifeboat")
            .about("Sample")
            .subcommand(Command::new("open").about("Open a plan").arg(Arg::new("plan").long("plan-file")))
            .subcommand(Command::new("secretly").hide(true));
        let mut out = Vec::new();
        run(&cli.generate, sample, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_shell_gets_completions_of_the_options() {
        for shell in Shell::value_variants() {
            let text = generated(&["completions", &shell.to_string()]);
            assert!(text.contains("plan-file"), "{shell}");
        }
    }

    #[test]
    fn the_man_page_has_a_section_for_each_subcommand_that_is_not_hidden() {
        let page = generated(&["man"]);
        assert!(
            !page.contains("(1)\n") && page.contains("lifeboat open"),
            "it refers to no other page: {page}"
        );
        assert!(page.contains(".SH \"LIFEBOAT OPEN\"") && page.contains("plan\\-file"), "{page}");
        assert!(!page.contains("LIFEBOAT SECRETLY"));
        assert!(Cli::command().find_subcommand("man").is_some());
    }
}
