use super::*;
use crate::base::toml::Report;
use crate::console::layers::Layers;
use crate::console::layers::tests::Told;

fn keymap(name: &str) -> Keymap {
    load(&layers(None), name).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

fn press(keymap: &Keymap, context: Context, keys: &str) -> Resolution {
    let mut pending = Pending::default();
    keys.split(' ')
        .map(|key| keymap.resolve(context, &mut pending, Chord::parse(key).unwrap()))
        .last()
        .unwrap()
}

fn problems_of(text: &str) -> Vec<Told> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    let layers: Layers = layers(Some(folder.path()));
    let report = Report::default();
    check(&layers, layers.find("mine").unwrap(), &report);
    Told::all(&report.finish(layers.texts(), |_| None))
}

#[test]
fn every_action_is_bound_in_every_shipped_keymap() {
    for (name, _) in BUILT_IN {
        let keymap = keymap(name);
        for info in &ACTIONS {
            let bound = info.contexts.iter().any(|context| !keymap.keys(*context, info.action).is_empty());
            assert!(bound, "{} has no key in {name}", info.name);
        }
    }
}

#[test]
fn no_destructive_action_hears_enter_or_space_in_a_shipped_keymap() {
    for (name, _) in BUILT_IN {
        let keymap = keymap(name);
        for context in Context::ALL {
            for binding in keymap.effective(context).iter().filter(|b| b.action.info().destructive) {
                let Sequence { first, second } = binding.sequence;
                assert!(!first.is_reflex() && !second.is_some_and(Chord::is_reflex), "{name}: {binding:?}");
            }
        }
    }
}

#[test]
fn a_user_keymap_cannot_bind_enter_or_space_to_something_destructive() {
    for keys in ["enter", "space", "alt-enter", "g enter", "ctrl-space"] {
        let problems = problems_of(&format!("inherits = 'default'\n[dialog]\nconfirm-yes = '{keys}'"));
        assert!(problems[0].message.contains("destructive"), "{keys}: {problems:?}");
        assert!(problems[0].place.ends_with("mine.toml:3"));
    }
}

#[test]
fn a_sequence_waits_for_its_second_chord() {
    let keymap = keymap("default");
    assert_eq!(press(&keymap, Context::Overview, "g"), Resolution::Pending);
    assert_eq!(press(&keymap, Context::Overview, "g g"), Resolution::Action(Action::Top));
    assert_eq!(press(&keymap, Context::Overview, "g y"), Resolution::Unbound);
    assert_eq!(press(&keymap, Context::Overview, "g y q"), Resolution::Action(Action::Quit));
}

#[test]
fn a_screen_goes_before_the_global_keys_and_overlays_do_not_fall_through() {
    let keymap = keymap("default");
    assert_eq!(press(&keymap, Context::Decide, "y"), Resolution::Action(Action::AnswerYes));
    assert_eq!(press(&keymap, Context::Decide, "q"), Resolution::Action(Action::Quit));
    assert_eq!(press(&keymap, Context::Overview, "y"), Resolution::Unbound);
    assert_eq!(press(&keymap, Context::Dialog, "q"), Resolution::Unbound);
    assert_eq!(press(&keymap, Context::TextEntry, "q"), Resolution::Unbound);
    assert_eq!(press(&keymap, Context::Dialog, "y"), Resolution::Action(Action::ConfirmYes));
}

#[test]
fn the_reverse_map_names_only_keys_that_work() {
    let keymap = keymap("default");
    let quit: Vec<String> =
        keymap.keys(Context::Decide, Action::Quit).iter().map(Sequence::to_string).collect();
    assert_eq!(quit, ["q", "ctrl-c"]);
    for context in Context::ALL {
        for binding in keymap.effective(context) {
            let keys = binding.sequence.to_string();
            assert_eq!(
                press(&keymap, context, &keys),
                Resolution::Action(binding.action),
                "{keys} in {context:?}"
            );
        }
    }
}

#[test]
fn emacs_keys_work_and_replace_the_vim_ones() {
    let keymap = keymap("emacs");
    assert_eq!(press(&keymap, Context::Overview, "ctrl-x ctrl-c"), Resolution::Action(Action::Quit));
    assert_eq!(press(&keymap, Context::Overview, "alt-v"), Resolution::Action(Action::PageUp));
    assert_eq!(press(&keymap, Context::Overview, "j"), Resolution::Unbound);
    assert_eq!(press(&keymap, Context::Overview, "q"), Resolution::Unbound);
}

#[test]
fn every_problem_is_reported_at_once_with_its_line() {
    let problems = problems_of(
        "inherits = 'default'\ntitel = 'x'\n[global]\nquitt = 'q'\nhelp = 'hyper-x'\nup = ['i', 'i']\n\
         confirm-yes = 'y'\ntop = 5\n[palette]\nup = 'x'\n",
    );
    let lines: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.place.rsplit_once(':').unwrap().1, problem.message.as_str()))
        .collect();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    for (line, part) in [
        ("2", "unknown key `titel`"),
        ("4", "unknown action `quitt`"),
        ("5", "`hyper-x` is not a key"),
        ("6", "conflicts with `i`"),
        ("7", "means nothing in `global`"),
        ("8", "must be text"),
        ("10", "typed as text"),
    ] {
        assert!(
            lines.iter().any(|(at, message)| *at == line && message.contains(part)),
            "{part}: {lines:#?}"
        );
    }
}

#[test]
fn a_key_and_a_sequence_that_starts_with_it_conflict() {
    let problems = problems_of("inherits = 'default'\n[global]\nup = 'x'\ntop = 'x x'");
    assert!(problems[0].message.contains("conflicts"), "{problems:?}");
}

#[test]
fn taking_the_only_key_of_a_required_action_is_a_problem() {
    let problems = problems_of("inherits = 'default'\n[global]\nquit = []");
    assert_eq!(problems[0].message, "`quit` has no key in `global`");
    let problems = problems_of("inherits = 'default'\n[global]\nup = ':'");
    assert_eq!(problems[0].message, "`palette` has no key in `global`");
}

#[test]
fn the_key_reference_is_current() {
    let page = include_str!("../../../docs/keys.md");
    let generated = markdown(&keymap(DEFAULT));
    assert_eq!(page, generated, "write it again: lifeboat keys show default --markdown > docs/keys.md");
}

#[test]
fn the_example_in_the_book_has_no_problems() {
    let book = include_str!("../../../docs/console.md");
    let blocks = book.split("```").filter_map(|block| block.strip_prefix("toml\n"));
    let examples: Vec<&str> = blocks.filter(|block| block.contains("[global]")).collect();
    assert_eq!(examples.len(), 1);
    assert_eq!(problems_of(examples[0]), []);
}
