use ratatui::style::Color;

use super::*;
use crate::base::toml::Report;
use crate::console::layers::tests::Told;

fn theme(name: &str) -> Theme {
    load(&layers(None), name).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

fn problems_of(text: &str) -> Vec<Told> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    let layers = layers(Some(folder.path()));
    let report = Report::default();
    check(&layers, layers.find("mine").unwrap(), &report);
    Told::all(&report.finish(layers.texts(), |_| None))
}

/// The colours a role is read in: its own background, or that of the screen.
fn read_in(theme: &Theme, role: Role) -> (Color, Color) {
    let style = theme.style(role);
    let under = theme.style(Role::Background).bg.unwrap();
    (style.fg.unwrap_or(theme.style(Role::Text).fg.unwrap()), style.bg.unwrap_or(under))
}

#[test]
fn every_text_of_a_shipped_theme_reads_well() {
    for (name, _) in BUILT_IN.iter().filter(|(name, _)| *name != "ansi16") {
        let theme = theme(name);
        let least = if *name == "high-contrast" { 7.0 } else { 4.5 };
        // Frames carry no words: WCAG asks 3:1 of them, or nothing where they only decorate.
        for info in ROLES.iter().filter(|info| !matches!(info.role, Role::Background | Role::Border)) {
            let (fg, bg) = read_in(&theme, info.role);
            let ratio = contrast(fixed_rgb(fg).unwrap(), fixed_rgb(bg).unwrap());
            assert!(ratio >= least, "{name}: {} has {ratio:.2}", info.name);
        }
    }
}

#[test]
fn states_read_well_inside_dialogs_too() {
    for (name, _) in BUILT_IN.iter().filter(|(name, _)| *name != "ansi16") {
        let theme = theme(name);
        let dialog = fixed_rgb(theme.style(Role::Dialog).bg.unwrap()).unwrap();
        for role in [Role::Ok, Role::Warn, Role::Critical, Role::Unknown, Role::Muted, Role::KeyHint] {
            let ratio = contrast(fixed_rgb(theme.style(role).fg.unwrap()).unwrap(), dialog);
            assert!(ratio >= 4.5, "{name}: {role:?} has {ratio:.2} in a dialog");
        }
    }
}

#[test]
fn the_four_states_differ_in_every_theme_at_every_colour_depth() {
    let states = [Role::Ok, Role::Warn, Role::Critical, Role::Unknown];
    for (name, _) in BUILT_IN {
        for depth in [ColourDepth::True, ColourDepth::Indexed256] {
            let theme = theme(name).at_depth(depth);
            for (index, one) in states.iter().enumerate() {
                for other in &states[index + 1..] {
                    assert_ne!(
                        theme.style(*one).fg,
                        theme.style(*other).fg,
                        "{name} {depth:?} {one:?} {other:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_text_vanishes_into_its_background_at_any_depth() {
    for (name, _) in BUILT_IN {
        for depth in [ColourDepth::Ansi16, ColourDepth::Indexed256, ColourDepth::True] {
            let theme = theme(name).at_depth(depth);
            for info in ROLES.iter().filter(|info| info.role != Role::Background) {
                let (fg, bg) = read_in(&theme, info.role);
                assert!(
                    fg != bg || fg == Color::Reset,
                    "{name} {depth:?}: {} is {fg:?} on {bg:?}",
                    info.name
                );
            }
        }
    }
}

#[test]
fn without_colours_nothing_but_modifiers_is_left_and_badges_are_reversed() {
    for (name, _) in BUILT_IN {
        let theme = theme(name).at_depth(ColourDepth::None);
        for info in ROLES {
            let style = theme.style(info.role);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {}", info.name);
        }
        for role in [Role::Selection, Role::HeaderLive, Role::SeverityP0, Role::Danger] {
            assert!(theme.style(role).add_modifier.contains(Modifier::REVERSED), "{name} {role:?}");
        }
        assert!(!theme.style(Role::Background).add_modifier.contains(Modifier::REVERSED));
    }
}

#[test]
fn shipped_themes_use_indexed_or_named_colours_only() {
    for (name, _) in BUILT_IN {
        let theme = theme(name);
        for info in ROLES {
            let style = theme.style(info.role);
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert!(!matches!(colour, Color::Rgb(..)), "{name} {}", info.name);
            }
        }
    }
}

#[test]
fn a_theme_inherits_what_it_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dark.toml"), "inherits = 'dark'\n[roles]\nok = '#00ff00'").unwrap();
    let mine = load(&layers(Some(folder.path())), "dark").unwrap();
    assert_eq!(mine.style(Role::Ok).fg, Some(Color::Rgb(0, 255, 0)));
    assert_eq!(mine.style(Role::Warn), theme("dark").style(Role::Warn));
}

#[test]
fn every_problem_is_reported_at_once_with_its_line() {
    let problems = problems_of(
        "inherits = 'dark'\nnmae = 1\n[roles]\ncritcal = 'red'\nok = 'gren'\nwarn = { fg = 300, bold = 'yes' }\n\
         background = 'black'\ntext = true\n",
    );
    let lines: Vec<(&str, &str, &str)> = problems
        .iter()
        .map(|problem| {
            let line = problem.place.rsplit_once(':').unwrap().1;
            (line, problem.message.as_str(), problem.help.as_deref().unwrap_or_default())
        })
        .collect();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    for (line, message, help) in [
        ("2", "unknown key `nmae`", ""),
        ("4", "unknown key `critcal`", "did you mean `critical`?"),
        ("5", "`gren` is not a colour", "did you mean `green`?"),
        ("6", "`300` is not a colour", "0 to 255"),
        ("6", "`bold` must be true or false", ""),
        ("7", "`background` needs `{ bg = ... }`", ""),
        ("8", "a colour must be", ""),
    ] {
        let found = lines.iter().any(|(l, m, h)| *l == line && m.contains(message) && h.contains(help));
        assert!(found, "{message}: {lines:#?}");
    }
}

#[test]
fn a_theme_that_inherits_nothing_must_say_everything() {
    let problems = problems_of("[roles]\nok = 'green'");
    assert!(problems[0].message.starts_with("no style for: background, text"), "{:?}", problems[0]);
}

#[test]
fn text_that_is_not_toml_is_named_with_its_line() {
    let problems = problems_of("inherits = 'dark'\n[roles\nok = 'green'\n");
    assert!(problems.iter().any(|problem| problem.message.starts_with("TOML: ")), "{problems:?}");
}

#[test]
fn the_example_in_the_book_has_no_problems() {
    let book = include_str!("../../../docs/console.md");
    let blocks = book.split("```").filter_map(|block| block.strip_prefix("toml\n"));
    let examples: Vec<&str> = blocks.filter(|block| block.contains("[roles]")).collect();
    assert_eq!(examples.len(), 1);
    assert_eq!(problems_of(examples[0]), []);
}
