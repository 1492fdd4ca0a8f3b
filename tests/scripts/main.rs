//! Given, when, then: scripted incidents over the demo plan. The whole engine runs, with its journal, over the
//! simulated world, in simulated time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/rig.rs"]
mod rig;
mod script;

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                script::play(concat!(stringify!($name), ".txt"), include_str!(concat!(stringify!($name), ".txt")));
            }
        )*

        #[test]
        fn every_script_is_played() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            let mut found: Vec<String> =
                files.filter_map(|name| name.to_str()?.strip_suffix(".txt").map(str::to_owned)).collect();
            found.sort();
            let mut played = vec![$(stringify!($name).to_owned()),*];
            played.sort();
            assert_eq!(found, played);
        }
    };
}

scripts! {
    abort_after_fence,
    backup_stale,
    bad_promotion,
    both_regions,
    crash_during_promotion,
    failback,
    flapping,
    healthy,
    partial_outage,
    region_down,
    replica_lag,
    single_service,
    split_brain,
    split_brain_answered,
    split_brain_fenced,
    split_brain_rebuilt,
}

/// A leaf or runbook of the demo tree that no script reaches would be one that nobody has walked.
#[test]
fn every_end_of_the_demo_tree_is_reached_by_a_script() {
    let plan = rig::demo_plan();
    let ends =
        plan.tree.questions.values().flat_map(|question| question.answers.values()).filter_map(|answer| {
            match &answer.goto {
                lifeboat::plan::Goto::Runbook(id) => Some(format!("then runbook {id}")),
                lifeboat::plan::Goto::Leaf(id) => Some(format!("then leaf {id}")),
                lifeboat::plan::Goto::Question(_) => None,
            }
        });
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let texts: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for end in ends {
        assert!(texts.lines().any(|line| line == end), "no script says `{end}`");
    }
}
