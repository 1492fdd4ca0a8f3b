use super::*;
use crate::base::toml::Diagnostic;
use crate::simulation::simulated::tests::plan;

fn problems(text: &str) -> Vec<String> {
    let head = "name = \"x\"\ntitle = \"x\"\n";
    let problems = Scenario::parse(&format!("{head}{text}"), "x.toml", &plan()).unwrap_err();
    let line = |problem: &Diagnostic| {
        let place = problems.sources().describe(problem.place.as_ref().unwrap().0);
        let help = problem.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        format!("{place}: {}{help}", problem.message)
    };
    problems.iter().map(line).collect()
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_was_meant() {
    let text = r#"stps_take = "6s"
[[at]]
after = "20"
region = "@primry"
is = "down"
[[at]]
probe = "a-wbe"
is = "dwn"
[[on]]
step = "promot"
fails = "frist"
"#;
    assert_eq!(
        problems(text),
        [
            "x.toml:3:1: there is no key `stps_take` here (did you mean `steps_take`?)",
            "x.toml:5:9: `20` is not a duration (did you mean `20s` or `20m`?)",
            "x.toml:6:10: the plan has no region `@primry` (did you mean `@primary`?)",
            "x.toml:9:9: the plan has no probe `a-wbe` (did you mean `a-web`?)",
            "x.toml:12:8: no runbook of the plan has a step `promot` (did you mean `promote`?)",
            "x.toml:13:9: `fails` cannot be `frist` (did you mean `first`?)",
        ]
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (text, part) in [
        ("[[at]]\nafter = \"5s\"", "nothing happens here"),
        ("[[at]]\nregion = \"a\"\nprobe = \"a-web\"\nis = \"down\"", "more than one of"),
        ("[[at]]\nregion = \"a\"", "the key `is` is missing"),
        ("[[at]]\nprobe = \"a-web\"", "how is it?"),
        ("[[at]]\nprobe = \"a-web\"\nis = \"broken\"", "`is` cannot be `broken`"),
        ("[[at]]\nprobe = \"a-web\"\nlag = \"5s\"", "does not measure time"),
        ("[[at]]\nprobe = \"a-web\"\nvalue = \"5\"", "`value` takes a number, not text"),
        ("[[at]]\nprobe = \"a-web\"\nvalue = nan", "`value` takes a number"),
        ("[[at]]\nprobe = \"@backup\"\nis = \"stale\"", "the plan has no probe `@backup`"),
        (
            "[[at]]\nservice = \"web\"\nregion = \"b\"\nis = \"down\"",
            "no probe tells the health of service `web`",
        ),
        ("[[at]]\nservice = \"wbe\"\nis = \"down\"", "did you mean `web`?"),
        ("[[on]]\nstep = \"promote\"", "nothing follows from this"),
        ("[[on]]\ntraffic = \"b\"", "needs either `step` or `action`"),
        ("[[on]]\nstep = \"promote\"\nhow = \"hangs\"", "`how` without `fails`"),
        ("[[on]]\nstep = \"promote\"\nis = \"down\"", "`is` of what?"),
        ("[[on]]\naction = \"postgres-promot\"\ntraffic = \"b\"", "did you mean `postgres-promote`?"),
        ("at = 3", "`at` is a list of tables"),
        ("at = [3]", "`at` is a list of tables"),
        ("[[at]\n", "x.toml:3"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.contains(part)), "{text}: {found:?}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    assert!(problems(&"# x\n".repeat(100_000))[0].contains("larger than"));
}

#[test]
fn parts_and_services_stand_for_what_the_plan_names() {
    let text = "name = \"x\"\ntitle = \"x\"\n[[at]]\nservice = \"web\"\nis = \"down\"\n\
                [[at]]\nprobe = \"@reference\"\nis = \"down\"\n[[at]]\ntraffic = \"@standby\"\n";
    let scenario = Scenario::parse(text, "x.toml", &plan()).unwrap();
    let changes: Vec<Change> = scenario.events.into_iter().flat_map(|event| event.changes).collect();
    assert_eq!(
        changes,
        [
            Change::Probe("a-web".into(), ProbeState::Down),
            Change::Probe("outside".into(), ProbeState::Down),
            Change::Traffic("b".into()),
        ]
    );
}

#[test]
fn the_shipped_scenarios_fit_any_plan_that_has_what_they_are_about() {
    for shipped in GENERIC {
        match shipped.resolve(&plan()) {
            Ok(scenario) => assert_eq!(scenario.name, shipped.name),
            Err(problems) => {
                assert_eq!(shipped.name, "backup-stale", "{problems}");
                assert!(problems.to_string().contains("no probe `@backup`"));
            }
        }
    }
}
