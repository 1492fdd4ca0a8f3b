//! Whatever a file holds, loading it ends, without a panic.

use crate::registry::registry;
use crate::resolve::plans;
use lifeboat::base::toml::render::{Style, graphical};
use lifeboat::plan::{load_texts, show};
use proptest::prelude::*;

/// Loads a text and draws what comes of it.
fn survive(text: String) {
    match load_texts(vec![("plan.toml".into(), text)], &registry()) {
        Ok(loaded) => drop(show::show(&loaded.plan, &registry(), true)),
        Err(problems) => {
            graphical(&problems, Style { color: true, unicode: true, width: 80 });
            drop(problems.to_string());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        survive(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[test]
    fn any_tables(lines in proptest::collection::vec("(\\[|\\[\\[)?(plan|tree|probes|runbooks|severity|vars|secrets|contacts)(\\.[a-z]{1,3}){0,3}(\\]|\\]\\])?( = ([0-9]+|\"[^\"\\\\]{0,9}\"|\\[\\]|\\{\\}|true))?", 0..40)) {
        survive(lines.join("\n"));
    }

    #[test]
    fn a_good_plan_with_changed_bytes(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = std::fs::read(plans().join("good.toml")).unwrap();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        survive(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[test]
    fn a_good_plan_with_moved_lines(moves in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        for (from, to) in moves {
            let line = lines.remove(from.index(lines.len()));
            lines.insert(to.index(lines.len()), line);
        }
        survive(lines.join("\n"));
    }
}

#[test]
fn deep_nesting_and_long_chains_end() {
    survive(format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    survive(format!("{} = 1", vec!["a"; 20_000].join(".")));
    survive(format!("[{}]\nx = 1", vec!["tree"; 20_000].join(".")));
    let chain: String = (0..1_500)
        .map(|n| format!("[tree.q{n}]\nask = \"?\"\nanswers.a = \"q{}\"\nanswers.b = \"l\"\n", n + 1))
        .collect();
    survive(format!(
        "[plan]\nname = \"x\"\n[tree]\nroot = \"q0\"\n{chain}[tree.q1500]\nask = \"?\"\nanswers.a = \"l\"\n[leaves.l]\ntitle = \"l\"\nadvice = \"l\""
    ));
}

#[test]
fn twenty_thousand_probes_load() {
    let good = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    let probe = |n: usize| {
        format!(
            "[probes.p{n}]\nkind = \"http\"\nregion = \"dr\"\nurl = \"https://p{n}.example.org/{{{{ vars.bucket }}}}\"\n"
        )
    };
    let many: String = (0..20_000).map(probe).collect();
    let files = vec![("a.toml".into(), good), ("b.toml".into(), many)];
    let loaded = load_texts(files, &registry()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.plan.probes.len(), 20_005);
    assert_eq!(
        loaded.plan.probes["p19999"].params.text("url"),
        Some("https://p19999.example.org/demo-backups")
    );
}
