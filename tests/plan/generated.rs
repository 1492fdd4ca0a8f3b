//! What is generated from the schema: the reference, the JSON schema, and the plan as it is shown.

use crate::registry::registry;
use crate::resolve::good;
use lifeboat::plan::keys::{Key, Need};
use lifeboat::plan::{Diagnostics, load_texts, reference, schema, sections, show};
use std::collections::HashSet;
use std::path::Path;

#[test]
#[cfg_attr(not(feature = "aws"), ignore = "the reference is that of a build with AWS")]
fn the_reference_in_the_book_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan-reference.md");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == reference::reference(&lifeboat::providers::registry()),
        "docs/plan-reference.md is out of date: run `cargo run -- plan reference --output docs/plan-reference.md`"
    );
}

#[test]
fn the_states_of_a_step_in_the_book_are_those_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/step-states.md");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == lifeboat::core::words::status::table::markdown(),
        "docs/step-states.md is out of date: run `cargo run -- plan table --output docs/step-states.md`"
    );
}

#[test]
fn the_plan_in_the_book_is_a_good_one() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.md")).unwrap();
    // The blocks of one page are one plan; that of a server with a manager says on purpose what `check` warns of.
    let with = |heads: &[&str]| {
        let blocks = page.split("```toml").skip(1).filter_map(|block| {
            let (head, block) = block.split_once('\n')?;
            heads.contains(&head.trim()).then(|| block.split("```").next().unwrap())
        });
        let file = ("plan.md".to_owned(), blocks.collect::<Vec<_>>().join("\n"));
        load_texts(vec![file], &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"))
    };
    let loaded = with(&[""]);
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let warnings = with(&["", "managed"]).warnings.to_string();
    assert!(warnings.contains("warning[managed]"), "{warnings}");
    // Besides, it is started by hand.
    assert!(warnings.contains("warning[unreachable]"), "{warnings}");
    assert_eq!(warnings.matches("warning[").count(), 2, "{warnings}");
}

#[test]
fn a_plan_is_warned_of_sessions_that_hide_whether_their_server_is_read_only() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/plan.toml")).unwrap();
    let warnings = |standby: &str| {
        let text = page.replace("@primary", "host=a user=x dbname=x").replace("@standby", standby);
        let files = vec![("plan.toml".to_owned(), text.replace("@reference", "b:1"))];
        let loaded = load_texts(files, &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"));
        loaded.warnings.to_string()
    };
    assert!(!warnings("host=b user=x dbname=x").contains("hidden-read-only"));
    for options in ["-c default_transaction_read_only=on", "--default-transaction-read-only=on"] {
        let hidden = warnings(&format!("host=b user=x dbname=x options='{options}'"));
        for whose in ["probe `dr-db`", "probe `dr-lag`", "step `promote`"] {
            let says = format!("`dsn` of {whose} sets default_transaction_read_only for its own session");
            assert!(hidden.contains(&says), "{options}: {hidden}");
        }
    }
}

#[test]
fn a_plan_is_warned_of_connection_strings_that_leave_open_which_server_is_promoted() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/plan.toml")).unwrap();
    let text = |standby: &str| {
        page.replace("@primary", "host=a user=x dbname=x")
            .replace("@standby", standby)
            .replace("@reference", "b:1")
    };
    let warnings = |standby: &str| {
        let files = vec![("plan.toml".to_owned(), text(standby))];
        let loaded = load_texts(files, &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"));
        loaded.warnings.to_string()
    };
    assert!(!warnings("host=b user=x dbname=x").contains("several"));
    let several = warnings("host=b,c port=5432,5433 user=x dbname=x");
    for whose in ["probe `dr-lag`", "step `promote`"] {
        assert!(
            several.contains(&format!("`dsn` of {whose} names several servers: b:5432,c:5433/x")),
            "{several}"
        );
    }
    assert_eq!(several.matches("warning[several-servers]").count(), 2, "{several}");
}

#[test]
fn a_plan_is_shown() {
    insta::assert_snapshot!(show::show(&good(), &registry(), true));
}

#[test]
fn a_plan_is_shown_in_ascii() {
    let shown = show::show(&good(), &registry(), false);
    assert!(shown.is_ascii(), "{shown}");
    assert!(shown.contains("`- no -> Do not fail over"), "{shown}");
}

#[test]
fn the_reference_has_a_chapter_for_each_kind_of_channel_and_the_names_of_messages() {
    let reference = reference::reference(&registry());
    for kind in registry().notifiers {
        assert!(reference.contains(&format!("### `kind = \"{}\"` of a channel", kind.name)), "{}", kind.name);
    }
    for part in ["Goes to a contact's `phone`.", "Permissions: `page:Write`.", "`[[policies.<name>.levels]]`"]
    {
        assert!(reference.contains(part), "{part}");
    }
    for (name, _) in lifeboat::plan::template::MESSAGE_NAMES {
        assert!(reference.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_schema_knows_every_section_and_kind() {
    let schema = schema::schema(&registry());
    for section in sections::SECTIONS {
        let properties = &schema["properties"][section.name];
        assert!(properties["description"].is_string(), "{}", section.name);
    }
    let probe = &schema["properties"]["probes"]["additionalProperties"];
    assert_eq!(
        probe["properties"]["kind"]["enum"],
        serde_json::json!(["http", "postgres-replication", "file-size"])
    );
    assert_eq!(probe["allOf"][0]["then"]["required"], serde_json::json!(["kind", "url"]));
    let channel = &schema["properties"]["channels"]["additionalProperties"];
    assert_eq!(
        channel["properties"]["kind"]["enum"],
        serde_json::json!(["voice", "text", "mail", "status", "command"])
    );
    assert_eq!(channel["allOf"][0]["if"]["properties"]["kind"]["const"], "voice");
    assert_eq!(channel["allOf"][0]["then"]["required"], serde_json::json!(["kind", "from", "token"]));
    let level = &schema["properties"]["policies"]["additionalProperties"]["properties"]["levels"]["items"];
    assert_eq!(level["properties"]["tries"]["enum"], serde_json::json!(["in-turn", "all"]));
    let step = &schema["properties"]["runbooks"]["additionalProperties"]["properties"]["steps"]["items"];
    assert_eq!(step["properties"]["action"]["enum"][0], "postgres-promote");
}

/// A plan around the example of a kind, in which everything that an example can name exists.
fn around(example: &str) -> Diagnostics {
    let plan = "[plan]\nname = \"x\"\n[regions.primary]\nrole = \"primary\"\n[regions.dr]\nrole = \"standby\"\n\
                [tree]\nroot = \"q\"\n[tree.q]\nask = \"?\"\nanswers.a = \"example\"\nanswers.b = \"l\"\n\
                [leaves.l]\ntitle = \"l\"\nadvice = \"l\"\n";
    let steps = match example.contains("[[runbooks.example.steps]]") {
        true => format!("[runbooks.example]\ntitle = \"Example\"\n{example}"),
        false => {
            format!(
                "[runbooks.example]\ntitle = \"Example\"\n[[runbooks.example.steps]]\nid = \"s\"\ntitle = \"s\"\naction = \"note\"\nwith.text = \"x\"\n{example}"
            )
        }
    };
    let file = ("example.toml".to_owned(), format!("{plan}{steps}"));
    match load_texts(vec![file], &lifeboat::providers::registry()) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    }
}

#[test]
fn the_examples_of_all_kinds_load() {
    let registry = lifeboat::providers::registry();
    let probes = registry.probes.iter().map(|kind| (kind.name, kind.example));
    let actions = registry.actions.iter().map(|kind| (kind.name, kind.example));
    let channels = registry.notifiers.iter().map(|kind| (kind.name, kind.example));
    for (name, example) in probes.chain(actions).chain(channels) {
        let problems = around(example);
        // An example stands alone: the signals and secrets of a whole plan are not there.
        let wrong: Vec<_> = problems
            .iter()
            .filter(|problem| {
                problem.code.ends_with("-key") || problem.code == "wrong-type" || problem.code == "bad-unit"
            })
            .collect();
        assert!(wrong.is_empty(), "{name}: {problems}");
    }
}

#[test]
fn the_defaults_of_all_kinds_can_be_read() {
    let registry = lifeboat::providers::registry();
    let probes = registry.probes.iter().map(|kind| format!("[probes.example]\nkind = \"{}\"\n", kind.name));
    let actions = registry.actions.iter().map(|kind| {
        let head = "[[runbooks.example.steps]]\nid = \"example\"\ntitle = \"x\"";
        format!("{head}\naction = \"{}\"\n", kind.name)
    });
    let channels =
        registry.notifiers.iter().map(|kind| format!("[channels.example]\nkind = \"{}\"\n", kind.name));
    let defaults: HashSet<&str> = registry
        .probes
        .iter()
        .flat_map(|kind| kind.keys)
        .filter(|key| matches!(key.need, Need::Default(_)))
        .map(|key| key.name)
        .collect();
    for example in probes.chain(actions).chain(channels) {
        let problems = around(&example);
        // Which of several keys is missing a kind says itself.
        let is_missing = |code: &str, message: &str| {
            let key = message.split('`').nth(1).unwrap_or_default();
            code == "missing-key" || (code == "bad-value" && !defaults.contains(key))
        };
        let wrong: Vec<_> =
            problems.iter().filter(|problem| !is_missing(problem.code, &problem.message)).collect();
        let known = [
            "no-reference",
            "no-severity",
            "no-contacts",
            "no-health",
            "no-verification",
            "no-evidence",
            "unused",
        ];
        assert!(wrong.iter().all(|problem| known.contains(&problem.code)), "{example}{problems}");
    }
}

#[test]
fn no_kind_declares_a_key_twice_or_one_of_every_probe() {
    let registry = lifeboat::providers::registry();
    let common = sections::find("probes").unwrap().keys;
    for kind in registry.probes {
        unique(kind.name, common.iter().chain(kind.keys));
    }
    for kind in registry.actions {
        unique(kind.name, kind.keys.iter());
    }
    let common = sections::find("channels").unwrap().keys;
    for kind in registry.notifiers {
        unique(kind.name, common.iter().chain(kind.keys));
    }
    for section in sections::SECTIONS {
        unique(section.name, section.keys.iter());
    }
}

fn unique<'a>(what: &str, keys: impl Iterator<Item = &'a Key>) {
    let mut seen = HashSet::new();
    for key in keys {
        assert!(seen.insert(key.name), "{what} has two keys `{}`", key.name);
        assert!(!key.doc.is_empty(), "`{}` of {what} says nothing", key.name);
        assert!(key.need != Need::Default(""), "`{}` of {what}", key.name);
    }
}
