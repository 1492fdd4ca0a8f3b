//! Every command line of the book is one that the program takes. They are parsed, not run.

use crate::page::{Page, all};
use clap::CommandFactory;
use clap::error::ErrorKind;
use lifeboat::cli::Cli;

/// What of a shell's line the program would be called with, for each time that it is called.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = line.trim_start().trim_start_matches("$ ");
    let mut calls = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for word in words_of(line) {
        match word.as_str() {
            "|" | "||" | "&&" | ";" | "&" => calls.push(std::mem::take(&mut words)),
            _ => words.push(word),
        }
    }
    calls.push(words);
    calls.into_iter().filter_map(|words| arguments(&words)).collect()
}

/// The arguments of a call of the program: by its name, or through `cargo run`.
fn arguments(words: &[String]) -> Option<Vec<String>> {
    let is_assignment = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let words: Vec<String> = words.iter().skip_while(|word| is_assignment(word)).cloned().collect();
    let redirected = words.iter().position(|word| word.starts_with(['>', '<']) || word.starts_with("2>"));
    let words = &words[..redirected.unwrap_or(words.len())];
    match words {
        [name, rest @ ..] if name == "lifeboat" => Some(rest.to_vec()),
        [cargo, run, rest @ ..] if cargo == "cargo" && run == "run" => {
            rest.iter().position(|word| word == "--").map(|place| rest[place + 1..].to_vec())
        }
        _ => None,
    }
}

/// The words of a line, with quotes and comments as a shell takes them.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Why the program would not take these arguments.
fn refusal(arguments: &[String]) -> Option<String> {
    let line = std::iter::once("lifeboat").chain(arguments.iter().map(String::as_str));
    let error = Cli::command().try_get_matches_from(line).err()?;
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    (!asked).then(|| error.to_string())
}

fn refused(page: &Page) -> Vec<String> {
    let shell = page.blocks.iter().filter(|block| matches!(block.language.as_str(), "sh" | "bash"));
    let calls = shell.flat_map(|block| &block.lines).flat_map(|line| calls(line));
    calls
        .filter_map(|call| refusal(&call).map(|why| format!("{}: {call:?}: {why}", page.path.display())))
        .collect()
}

/// The subcommands that a code span names: its words up to the first that is no lower-case word.
fn unknown_subcommand(span: &str) -> Option<String> {
    let mut words = span.split_whitespace();
    if words.next() != Some("lifeboat") {
        return None;
    }
    let mut command = Cli::command();
    command.build();
    for word in words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase())) {
        if !command.has_subcommands() {
            break;
        }
        match command.find_subcommand(word) {
            Some(found) => command = found.clone(),
            None => return Some(format!("`{span}`: {} has no {word}", command.get_name())),
        }
    }
    None
}

#[test]
#[cfg_attr(not(feature = "aws"), ignore = "the book has commands that only a build with AWS takes")]
fn every_command_line_of_the_book_is_taken() {
    let refused: Vec<String> = all().iter().flat_map(refused).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
#[cfg_attr(not(feature = "aws"), ignore = "the book has commands that only a build with AWS takes")]
fn every_subcommand_named_in_the_text_exists() {
    let unknown: Vec<String> = all()
        .iter()
        .flat_map(|page| {
            let spans = page.code_spans().into_iter().filter_map(unknown_subcommand);
            spans.map(|why| format!("{}: {why}", page.path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn a_wrong_command_line_is_found() {
    let text = "```sh\nNO_COLOR=1 lifeboat demo --scenrio x  # c\necho y | lifeboat secret set a && lifeboat opn p\n```";
    let page = Page::parse("docs/x.md".as_ref(), text);
    let found = refused(&page);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("scenrio") && found[1].contains("opn"), "{found:#?}");
    assert!(unknown_subcommand("lifeboat journal verfy").is_some());
    assert_eq!(unknown_subcommand("lifeboat journal verify --journal FOLDER"), None);
}
