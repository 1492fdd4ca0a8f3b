//! `lifeboat preflight` as scripts call it.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const TOKEN: &str = "hunter22-never-shown";

/// A plan of two steps: a promotion of a server where nothing listens, and a program.
fn plan(folder: &Path, promotion: bool, program: &str) -> String {
    let free = crate::port::free();
    let promote = format!(
        "[[runbooks.failover.steps]]\nid = \"promote\"\ntitle = \"Promote\"\naction = \"postgres-promote\"\n\
         with.dsn = \"host=127.0.0.1 port={free} user=u sslmode=disable\"\nconfirm = \"type\"\n"
    );
    let text = format!(
        "[plan]\nname = \"Small\"\n[regions.primary]\nrole = \"primary\"\n\
         [probes.db]\nkind = \"tcp\"\nregion = \"primary\"\naddress = \"127.0.0.1:5432\"\n\
         [secrets]\nsources = [\"environment\"]\n\
         [tree]\nroot = \"q\"\n\
         [tree.q]\nask = \"Down?\"\nevidence = [\"db\"]\nanswers.yes = \"failover\"\nanswers.no = \"watch\"\n\
         [leaves.watch]\ntitle = \"Watch\"\nadvice = \"Keep watching.\"\n\
         [runbooks.failover]\ntitle = \"Fail over\"\n{}\
         [[runbooks.failover.steps]]\nid = \"scale\"\ntitle = \"Scale up\"\naction = \"exec\"\n\
         with.target = \"workers\"\nwith.argv = [\"{program}\"]\nwith.verify_argv = [\"true\"]\n\
         with.env.TOKEN = {{ secret = \"scaler-token\" }}\nconfirm = \"yes\"\n",
        if promotion { &promote } else { "" },
    );
    let path = folder.join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn preflight(home: &Path, token: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.arg("preflight").args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    if let Some(token) = token {
        command.env("LIFEBOAT_SECRET_SCALER_TOKEN", token);
    }
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains(TOKEN), "{said}");
    output
}

fn rows(output: &Output) -> Vec<(String, String, String, String)> {
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = json["steps"].as_array().unwrap();
    let checks = steps.iter().flat_map(|step| {
        let of = text(&step["step"]);
        step["checks"].as_array().unwrap().iter().map(move |check| (of.clone(), check))
    });
    checks.map(|(of, c)| (of, text(&c["what"]), text(&c["result"]), text(&c["next"]))).collect()
}

#[test]
fn what_is_missing_fails_by_row_and_by_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path(), true, "/nonexistent/scale");
    let output = preflight(folder.path(), None, &[&path, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let rows = rows(&output);
    for (step, what) in
        [("promote", "target"), ("scale", "secret scaler-token"), ("scale", "program /nonexistent/scale")]
    {
        let row =
            rows.iter().find(|row| row.0 == step && row.1 == what).unwrap_or_else(|| panic!("{rows:?}"));
        assert!(row.2 == "fail" && !row.3.is_empty(), "{row:?}");
    }
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["failing"], serde_json::json!(["failover/promote", "failover/scale"]));
    assert_eq!((&json["plan"], &json["simulated"]), (&Value::from("Small"), &Value::Null));
    assert_eq!(json["tally"]["fail"], 3);
    assert!(json["not_seen"].as_array().is_some_and(|said| !said.is_empty()));

    let output = preflight(folder.path(), None, &[&path, "--ascii"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.is_ascii() && text.contains("failover: Fail over"), "{text}");
    let begin = text.find("x fail").unwrap_or_else(|| panic!("{text}"));
    assert!(text[begin..].contains("next: "), "{text}");
    assert!(text.contains("3 fail, 0 warn, 1 not checkable, 1 pass"), "{text}");
}

#[test]
fn what_is_there_passes_and_strict_asks_for_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path(), false, "true");
    let output = preflight(folder.path(), Some(TOKEN), &[&path, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found = rows(&output);
    let result = |what: &str| found.iter().find(|row| row.1 == what).map(|row| &*row.2);
    assert_eq!((result("secret scaler-token"), result("program true")), (Some("pass"), Some("pass")));
    assert_eq!(result("target"), Some("not-checkable"), "{found:?}");
    assert_eq!(preflight(folder.path(), Some(TOKEN), &[&path, "--strict"]).status.code(), Some(1));
}

#[test]
fn a_plan_that_cannot_be_used_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = plan(folder.path(), false, "true").replace("plan.toml", "absent.toml");
    let output = preflight(folder.path(), None, &[&path]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("next: "));
}
