//! What a good plan comes to.

use crate::registry::registry;
use jiff::SignedDuration;
use lifeboat::base::ids::*;
use lifeboat::base::units::Unit;
use lifeboat::plan::params::Param;
use lifeboat::plan::*;
use std::path::{Path, PathBuf};

pub fn plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan/plans")
}

pub fn good() -> Plan {
    let loaded =
        load(&plans().join("good.toml"), &registry()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.plan
}

#[test]
fn a_good_plan_resolves_to_typed_values() {
    let plan = good();
    assert_eq!(plan.name, "Demo");
    assert_eq!(plan.policy.cooldown, SignedDuration::from_secs(300));
    assert_eq!(plan.policy.confirmation_expiry, SignedDuration::from_secs(120));
    let lag = &plan.probes["dr-lag"];
    assert_eq!((lag.unit, lag.every), (Unit::Seconds, SignedDuration::from_secs(5)));
    assert_eq!(lag.thresholds, Thresholds { warn: Some(30.0), critical: Some(60.0), below: false });
    assert_eq!(lag.stale_after, SignedDuration::from_secs(20));
    assert_eq!((lag.fail_after, lag.recover_after), (3, 2));
    assert!(lag.params.flag("stopped"));
    let api = &plan.probes["primary-api"];
    assert_eq!(api.title, "API in us-east-1");
    assert_eq!(api.params.text("url"), Some("https://us-east-1.example.org:8080/health"));
    assert_eq!(api.params.get("status"), Some(&Param::List(vec![Param::Integer(200), Param::Integer(204)])));
    assert_eq!(api.thresholds.critical, Some(2_000.0));
    let dump = &plan.probes["dump"];
    assert_eq!(dump.thresholds, Thresholds { warn: Some(1e7), critical: Some(1e6), below: true });
    assert_eq!(dump.params.integer("smallest"), Some(1_000));
    assert_eq!(plan.regions["primary"].health, [ProbeId::from("primary-api")]);
    assert_eq!(plan.regions["dr"].health, [ProbeId::from("dr-api")]);
    assert_eq!(plan.backups["nightly"].last_restore_test, Some(jiff::civil::date(2026, 3, 31)));
    assert_eq!(plan.severity[0].level, Severity::P0);
}

#[test]
fn the_tree_and_the_steps_are_in_the_order_of_the_file() {
    let plan = good();
    let root = &plan.tree.questions[&plan.tree.root];
    assert_eq!(root.ask, "Is us-east-1 completely down?");
    assert_eq!(root.answers["yes"].goto, Goto::Question("dr-ready".into()));
    assert_eq!(root.answers["no"].goto, Goto::Leaf("keep-monitoring".into()));
    assert_eq!(root.answers.keys().collect::<Vec<_>>(), ["yes", "no"]);
    let steps = &plan.runbooks["failover"].steps;
    let needs: Vec<(&str, Vec<&str>)> = steps
        .values()
        .map(|step| (step.id.as_str(), step.needs.iter().map(StepId::as_str).collect()))
        .collect();
    assert_eq!(
        needs,
        [
            ("announce", vec![]),
            ("promote", vec!["announce"]),
            ("dns", vec!["promote"]),
            ("watch", vec!["dns"])
        ]
    );
    let confirm: Vec<ConfirmLevel> = steps.values().map(|step| step.confirm).collect();
    assert_eq!(confirm, [ConfirmLevel::Yes, ConfirmLevel::Type, ConfirmLevel::Yes, ConfirmLevel::None]);
    assert_eq!(steps["promote"].timeout, SignedDuration::from_mins(5));
}

#[test]
fn a_fence_names_the_probes_that_connect_as_it_does_and_no_probe_of_a_standby() {
    let server = |port: u16| format!("postgresql://lifeboat@127.0.0.1:{port}/shop");
    let text = format!(
        "[plan]\nname = \"Shop\"\nstrategy = \"warm-standby\"\n[regions.a]\nname = \"a\"\nrole = \"primary\"\n\
         [probes.a-db]\nkind = \"postgres\"\ndsn = \"{a}\"\n\
         [probes.b-db]\nkind = \"postgres\"\ndsn = \"{b}\"\n\
         [probes.to-b]\nkind = \"postgres-replication\"\ndsn = \"{b}\"\nprimary = \"{a}\"\n\
         [probes.to-a]\nkind = \"postgres-replication\"\ndsn = \"{a}\"\nprimary = \"{b}\"\n\
         [tree]\nroot = \"down\"\n[tree.down]\nask = \"Down?\"\nanswers.yes = \"move\"\nanswers.no = \"stay\"\n\
         [leaves.stay]\ntitle = \"Stay\"\nadvice = \"Watch.\"\n\
         [runbooks.move]\ntitle = \"Move\"\nloss = [\"to-b\"]\n\
         [[runbooks.move.steps]]\nid = \"fence\"\ntitle = \"Fence\"\naction = \"postgres-fence\"\nwith.dsn = \"{a}\"\n\
         [[runbooks.move.steps]]\nid = \"power\"\ntitle = \"Power off\"\naction = \"manual\"\n\
         with.instructions = [\"Pull the plug.\"]\nwith.check = \"It is dark.\"\nfences = [\"a-db\"]\n\
         [[runbooks.move.steps]]\nid = \"promote\"\ntitle = \"Promote\"\naction = \"postgres-promote\"\n\
         with.dsn = \"{b}\"\nconfirm = \"type\"\nirreversible = true\n",
        a = server(1),
        b = server(2),
    );
    let read = |text: &str| {
        load_texts(vec![("plan.toml".into(), text.to_owned())], &lifeboat::providers::registry())
            .unwrap_or_else(|problems| panic!("{problems}"))
    };
    let unwatched = read(
        &text.replace(&format!("with.dsn = \"{}\"", server(1)), &format!("with.dsn = \"{}\"", server(3))),
    );
    assert!(unwatched.warnings.iter().any(|problem| problem.code == "no-fence"), "{}", unwatched.warnings);
    let loaded = read(&text);
    assert!(loaded.warnings.iter().all(|problem| problem.code != "no-fence"), "{}", loaded.warnings);
    let steps = &loaded.plan.runbooks["move"].steps;
    assert_eq!(steps["fence"].fences, [ProbeId::from("a-db"), ProbeId::from("to-b")]);
    assert_eq!(steps["power"].fences, [ProbeId::from("a-db")]);
    // Who is promoted accepts writes, fenced before or not.
    assert_eq!(steps["promote"].unfences, [ProbeId::from("b-db"), ProbeId::from("to-a")]);
}

#[test]
fn run_time_names_wait_for_the_run() {
    let plan = good();
    let steps = &plan.runbooks["failover"].steps;
    let scope = serde_json::json!({"incident": {"title": "a \"b\"", "id": "i-1"}, "run": {"id": "r-1"}});
    let dns = steps["dns"].params.render(&scope).unwrap();
    assert_eq!(dns.texts("argv"), ["switch", "--to", "us-west-2", "r-1"]);
    assert_eq!(dns.text("format"), Some("{{ .Status }}"), "text that is not ours stays as it is");
    let announce = steps["announce"].params.render(&scope).unwrap();
    assert_eq!(announce.text("body"), Some(r#"{"text": "a \"b\""}"#));
    let manual = steps["promote"].manual.as_deref().unwrap();
    assert!(template::render_text(manual, &scope).unwrap().ends_with("incident i-1."));
}

#[test]
fn a_plan_survives_the_wire() {
    let plan = good();
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn a_folder_is_one_plan_whatever_the_split() {
    let text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    let (first, second) = text.split_at(text.find("[probes.dump]").unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.toml"), format!("\u{feff}{first}")).unwrap();
    std::fs::write(folder.path().join("2.toml"), second).unwrap();
    std::fs::write(folder.path().join("notes.md"), "not a plan").unwrap();
    std::fs::write(folder.path().join(".hidden.toml"), "not = [a plan").unwrap();
    let split = load(folder.path(), &registry()).unwrap_or_else(|problems| panic!("{problems}")).plan;
    let whole = good();
    assert_ne!(split.digest, whole.digest);
    assert_eq!(Plan { digest: String::new(), ..split }, Plan { digest: String::new(), ..whole });
}
