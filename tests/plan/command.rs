//! `lifeboat check` and `lifeboat plan`, as their arguments are parsed.

use crate::resolve::plans;
use clap::Parser;
use lifeboat::base::toml::render::Style;
use lifeboat::cli::commands::check::{self, CheckArgs};
use lifeboat::cli::commands::plan::{self, Drawing, PlanArgs};
use std::process::ExitCode;

#[derive(Parser)]
struct Check {
    #[command(flatten)]
    args: CheckArgs,
}

#[derive(Parser)]
struct Plan {
    #[command(flatten)]
    args: PlanArgs,
}

/// A plan that needs none but built-in kinds.
const SMALL: &str = "[plan]\nname = \"Small\"\n\
    [regions.primary]\nrole = \"primary\"\n\
    [probes.db]\nkind = \"tcp\"\nregion = \"primary\"\naddress = \"127.0.0.1:5432\"\n\
    [tree]\nroot = \"q\"\n\
    [tree.q]\nask = \"Down?\"\nevidence = [\"db\"]\nanswers.yes = \"tell\"\nanswers.no = \"watch\"\n\
    [leaves.watch]\ntitle = \"Watch\"\nadvice = \"Keep watching.\"\n\
    [runbooks.tell]\ntitle = \"Tell\"\n\
    [[runbooks.tell.steps]]\nid = \"note\"\ntitle = \"Note it\"\naction = \"note\"\nwith.text = \"It is down.\"\n";

fn run_check(arguments: &[&str], style: Option<Style>) -> (ExitCode, String) {
    let args = Check::try_parse_from([&["check"], arguments].concat()).unwrap().args;
    let mut out = Vec::new();
    let code = check::run(&args, style, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

fn run(arguments: &[&str]) -> (ExitCode, String, String) {
    let args = Plan::try_parse_from([&["plan"], arguments].concat()).unwrap().args;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = plan::run(&args, Drawing { problems: None, unicode: false }, &mut out, &mut err).unwrap();
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn small(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_plan_that_can_be_used_ends_with_zero_and_warnings_only_fail_when_denied() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(&folder, SMALL);
    let (code, out) = run_check(&[&path], None);
    assert_eq!(code, ExitCode::SUCCESS, "{out}");
    assert!(out.contains("warning[no-reference]") && out.contains("1 runbook"), "{out}");
    assert_eq!(run_check(&[&path, "--deny-warnings"], None).0, ExitCode::FAILURE);
}

#[test]
fn every_plan_is_checked_and_one_bad_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(&folder, &SMALL.replace("kind = \"tcp\"", "kind = \"tpc\""));
    let absent = folder.path().join("absent");
    let (code, out) = run_check(&[&path, absent.to_str().unwrap()], None);
    assert_eq!(code, ExitCode::from(2));
    assert!(
        out.contains("plan.toml:6:8: error[unknown-kind]") && out.contains("did you mean `tcp`?"),
        "{out}"
    );
    assert!(out.contains("absent: 1 error"), "{out}");
}

#[test]
fn a_calendar_that_is_not_there_is_an_error_of_check_and_the_plan_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = "[rotations.oncall]\ncalendar = \"rota.ics\"\n";
    let path = small(&folder, &format!("{SMALL}\n{rotation}"));
    let (code, out) = run_check(&[&path], None);
    assert_eq!(code, ExitCode::FAILURE);
    assert!(out.contains("error[calendar]") && out.contains("there is no such file"), "{out}");
    assert!(
        out.contains("1 error") && out.contains("the plan can be used, without what is left out"),
        "{out}"
    );
}

#[test]
fn editors_get_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(&folder, &SMALL.replace("kind = \"tcp\"", "kind = \"tpc\""));
    let (code, out) = run_check(&["--json", &path], None);
    assert_eq!(code, ExitCode::FAILURE);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let problem = json.as_array().unwrap().iter().find(|problem| problem["severity"] == "error").unwrap();
    assert_eq!(problem["code"], "unknown-kind");
    assert_eq!((&problem["line"], &problem["column"]), (&6.into(), &8.into()));
    assert_eq!((&problem["end_line"], &problem["end_column"]), (&6.into(), &13.into()));
    assert_eq!(problem["file"], path);
}

#[test]
fn a_terminal_gets_marked_lines_and_ascii_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(&folder, &SMALL.replace("kind = \"tcp\"", "kind = \"tpc\""));
    let style = Style { color: true, unicode: true, width: 80 };
    let (_, drawn) = run_check(&[&path], Some(style));
    assert!(drawn.contains('\u{1b}') && drawn.contains('│'), "{drawn}");
    let (_, ascii) = run_check(&[&path, "--ascii"], Some(Style { color: false, ..style }));
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn a_plan_is_shown_with_its_calls() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(&folder, SMALL);
    let (code, out, _) = run(&["show", &path]);
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(out.contains("[q] Down?") && out.contains("note: "), "{out}");
    let (_, out, _) = run(&["show", "--json", &path]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["plan"]["name"], "Small");
    assert!(json["calls"]["tell"]["note"].is_string());
    let (code, out, err) = run(&["show", plans().join("absent.toml").to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (ExitCode::from(2), ""));
    assert!(err.contains("no such file"), "{err}");
    let (_, out, _) = run(&["schema"]);
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
    let target = folder.path().join("reference.md");
    run(&["reference", "--output", target.to_str().unwrap()]);
    assert!(std::fs::read_to_string(target).unwrap().starts_with("# Plan reference"));
}

#[test]
fn a_step_around_a_manager_that_the_plan_speaks_to_is_warned_of_and_its_override_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let step = |kind: &str, dsn: &str, more: &str| {
        format!(
            "[[runbooks.tell.steps]]\nid = \"act\"\ntitle = \"Act\"\naction = \"{kind}\"\nwith.dsn = \"host={dsn} user=u\"\n{more}\n"
        )
    };
    let patroni = "[probes.ha]\nkind = \"http\"\nurl = \"http://10.0.0.1:8008/primary\"\n";
    let typed = "confirm = \"type\"";
    let check = |text: String| run_check(&[&small(&folder, &format!("{SMALL}{text}"))], None).1;
    for kind in ["postgres-promote", "postgres-fence"] {
        let out = check(step(kind, "db.example.com", typed));
        assert!(!out.contains("[managed]"), "{out}");
        let out = check(step(kind, "db.example.com", typed) + patroni);
        assert!(out.contains("warning[managed]") && out.contains("probe `ha` speaks to Patroni"), "{out}");
        let out = check(step(kind, "x.eu-west-1.rds.amazonaws.com", typed));
        assert!(out.contains("warning[managed]") && out.contains("Amazon RDS manages"), "{out}");

        let ignore = "with.managed = \"ignore\"\n";
        let out = check(step(kind, "x.rds.amazonaws.com", &format!("{ignore}{typed}")) + patroni);
        assert!(!out.contains("managed]") && !out.contains("error"), "{out}");
        let out = check(step(kind, "x.rds.amazonaws.com", &format!("{ignore}confirm = \"yes\"")));
        assert!(out.contains("error[confirmation]") && out.contains("acts around a manager"), "{out}");
    }
}

#[test]
fn a_channel_whose_service_ends_is_warned_of_with_the_day_and_what_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let channel =
        |kind: &str| format!("[channels.duty]\nkind = \"{kind}\"\napi_key = {{ secret = \"the-key\" }}\n");
    let check = |kind: &str| run_check(&[&small(&folder, &format!("{SMALL}{}", channel(kind)))], None).1;
    let out = check("opsgenie");
    assert!(out.contains("warning[ending]") && out.contains("from 5 April 2027 on"), "{out}");
    assert!(out.contains("jsm-ops"), "{out}");
    let out = check("jsm-ops");
    assert!(!out.contains("[ending]") && !out.contains("error"), "{out}");
}

#[test]
fn what_proves_a_step_and_where_the_region_switches_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let step = "[[runbooks.tell.steps]]\nid = \"move\"\ntitle = \"Move it\"\naction = \"exec\"\nconfirm = \"yes\"\n\
        switches = true\nwith.argv = [\"move\"]\nwith.target = \"it\"\nwith.verify_argv = [\"moved\", \"--to\", \"dr\"]\n";
    let text = format!("{SMALL}{step}").replace("title = \"Tell\"", "title = \"Tell\"\nactivates = \"dr\"");
    let path = small(&folder, &format!("{text}[regions.dr]\nrole = \"standby\"\n"));
    let (_, out, err) = run(&["show", &path]);
    assert!(out.contains("verify_argv: moved --to dr") && out.contains("switches: "), "{out}{err}");
}

#[test]
fn a_program_that_signs_in_by_what_it_finds_is_told_what_that_is_and_how_to_say_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let probe = "[probes.pods]\nkind = \"exec\"\nargv = [\"kubectl\", \"get\", \"pods\"]\n[tree]\n";
    let path = small(&folder, &SMALL.replacen("[tree]\n", probe, 1));
    let (code, out) = run_check(&[&path], None);
    assert_eq!(code, ExitCode::SUCCESS, "{out}");
    let told = "signs in by ~/.kube/config of the engine's user: KUBECONFIG is not passed on";
    assert!(out.contains(&format!("`kubectl` of probe `pods` {told}")), "{out}");
    assert!(out.contains("pass_env") && out.contains("--kubeconfig"), "{out}");
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_plan_for_aws_in_a_build_without_it_is_told_so_once_with_what_to_do() {
    let plan = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/arka");
    let (code, out) = run_check(&[plan.to_str().unwrap()], None);
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(out.matches("unknown-kind").count(), 1, "{out}");
    assert!(out.contains("this plan uses AWS in") && out.contains("more kinds"), "{out}");
    assert!(out.contains("./install.sh"), "{out}");
}
