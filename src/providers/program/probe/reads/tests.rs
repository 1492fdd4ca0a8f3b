use super::*;
use crate::testing::probe_params;

fn reads(keys: &[(&str, Param)]) -> Reads {
    let params = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Reads::of(&Params(params)).unwrap_or_else(|error| panic!("{error}"))
}

fn text(text: &str) -> Param {
    Param::Text(text.to_owned())
}

fn output(code: i32, stdout: &str) -> Output {
    outputs(code, stdout, "")
}

fn outputs(code: i32, stdout: &str, stderr: &str) -> Output {
    Output { code, stdout: stdout.into(), out: stdout.into(), err: stderr.into() }
}

fn judged(keys: &str, output: &Output) -> Result<Measurement, String> {
    loaded(keys).judge(output, &Redactor::new())
}

#[test]
fn the_exit_code_decides() {
    let plain = reads(&[]);
    assert_eq!(plain.judge(&output(0, ""), &Redactor::new()).unwrap().verdict, Verdict::Good);
    let failed = plain.judge(&output(1, "disk full\n"), &Redactor::new()).unwrap();
    assert_eq!(failed.verdict, Verdict::Critical("exit code 1: disk full".into()));
    let nagios = reads(&[("nagios", Param::Flag(true))]);
    assert!(matches!(nagios.judge(&output(1, ""), &Redactor::new()).unwrap().verdict, Verdict::Warn(_)));
    assert!(matches!(nagios.judge(&output(2, ""), &Redactor::new()).unwrap().verdict, Verdict::Critical(_)));
    assert!(nagios.judge(&output(3, ""), &Redactor::new()).is_err());
}

#[test]
fn a_number_is_the_value_and_garbage_is_unknown() {
    let number = reads(&[("stdout", text("number"))]);
    assert_eq!(number.judge(&output(0, " 12.5\n"), &Redactor::new()).unwrap().value, Some(12.5));
    for garbage in ["", "12 apples", "NaN", "1\n2"] {
        assert!(number.judge(&output(0, garbage), &Redactor::new()).is_err(), "{garbage}");
    }
    assert!(matches!(
        number.judge(&output(1, "boom"), &Redactor::new()).unwrap().verdict,
        Verdict::Critical(_)
    ));
}

/// As the loader reads it.
fn loaded(keys: &str) -> Reads {
    let params = probe_params("exec", &format!("argv = [\"true\"]\n{keys}"));
    Reads::of(&params).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn json_gives_the_value_and_the_fields_that_the_plan_names() {
    let json = loaded(
        "stdout = \"json\"\nvalue = \"/lag/0\"\nfields.topic = \"/topic\"\nfields.up = \"/up\"\nfields.exposure_s = \"/s\"",
    );
    let measured =
        json.judge(&output(0, r#"{"lag":[7],"topic":"a","up":true,"s":1.5}"#), &Redactor::new()).unwrap();
    assert_eq!((measured.value, measured.text("topic")), (Some(7.0), Some("a")));
    assert_eq!(measured.fields["up"], Field::Flag(true));
    assert_eq!(measured.number("exposure_s"), Some(1.5));
    assert_eq!(json.judge(&output(0, "{}"), &Redactor::new()).unwrap_err(), "its JSON has no /lag/0");
    assert!(
        json.judge(&output(0, r#"{"lag":["x"]}"#), &Redactor::new())
            .unwrap_err()
            .contains("instead of a number")
    );
    assert_eq!(
        json.judge(&output(0, r#"{"lag":[7]}"#), &Redactor::new()).unwrap_err(),
        "its JSON has no /topic"
    );
}

#[test]
fn pointers_need_json() {
    let params = Params([("value".to_owned(), text("/a"))].into_iter().collect());
    assert!(Reads::of(&params).is_err());
}

#[test]
fn a_count_of_zero_that_kubectl_leaves_out_is_zero_and_not_unknown() {
    let keys = "stdout = \"number\"\nempty = 0";
    for nothing in ["", "\n", "<none>\n", "<no value>", "null\n"] {
        assert_eq!(judged(keys, &output(0, nothing)).unwrap().value, Some(0.0), "{nothing:?}");
    }
    assert_eq!(judged(keys, &output(0, "3\n")).unwrap().value, Some(3.0));
    let noticed = outputs(0, "", "Warning: v1 ComponentStatus is deprecated in v1.19+\n");
    assert_eq!(judged(keys, &noticed).unwrap().value, Some(0.0));
    let absent = judged(
        "stdout = \"json\"\nvalue = \"/status/readyReplicas\"\nempty = 0",
        &output(0, "{\"status\":{}}"),
    );
    assert_eq!(absent.unwrap().value, Some(0.0));
}

#[test]
fn nothing_from_a_program_that_failed_is_no_zero() {
    let keys = "stdout = \"number\"\nempty = 0";
    let failed = judged(keys, &outputs(1, "", "connection refused")).unwrap();
    assert_eq!((failed.value, failed.verdict.why()), (None, Some("exit code 1: connection refused")));
    let hidden = judged(keys, &outputs(0, "", "error: You must be logged in (Unauthorized)")).unwrap_err();
    assert!(hidden.contains("Unauthorized"), "{hidden}");
    assert!(judged("stdout = \"number\"", &output(0, "")).unwrap_err().contains("`empty`"));
}

#[test]
fn an_expired_sign_in_is_unknown_where_the_plan_says_how_it_shows() {
    let said = outputs(1, "", "error: You must be logged in to the server (Unauthorized)\n");
    for keys in [
        "unknown_codes = [1]",
        "unknown_when = \"Unauthorized\"",
        "unknown_when = \"(?i)logged in|i/o timeout\"",
    ] {
        let why = judged(keys, &said).unwrap_err();
        assert!(why.contains("Unauthorized"), "{keys}: {why}");
    }
    assert!(matches!(judged("unknown_when = \"i/o timeout\"", &said).unwrap().verdict, Verdict::Critical(_)));
    // Also where a pipe hides the exit code.
    assert!(judged("unknown_when = \"Unauthorized\"", &outputs(0, "0", "Unauthorized")).is_err());
}

#[test]
fn exit_codes_and_patterns_map_to_each_verdict() {
    let verdict = |keys: &str, output: &Output| judged(keys, output).unwrap().verdict;
    assert_eq!(verdict("good_codes = [3]", &output(3, "")), Verdict::Good);
    assert!(matches!(verdict("warn_codes = [3, 4]", &output(4, "")), Verdict::Warn(_)));
    assert!(matches!(verdict("critical_codes = [0]", &output(0, "")), Verdict::Critical(_)));
    assert!(matches!(verdict("nagios = true\ncritical_codes = [3]", &output(3, "")), Verdict::Critical(_)));
    assert!(matches!(verdict("warn_when = \"^degraded\"", &output(0, "a\ndegraded: 1\n")), Verdict::Warn(_)));
    assert!(matches!(verdict("warn_when = \"degraded\"", &output(1, "degraded")), Verdict::Critical(_)));
    assert!(matches!(
        verdict("critical_when = \"FATAL\"", &outputs(0, "", "FATAL: x")),
        Verdict::Critical(_)
    ));
    assert!(judged("unknown_when = \"a\"\ncritical_when = \"b\"", &output(2, "a b")).is_err());
}

#[test]
fn a_program_that_a_shell_does_not_find_is_unknown() {
    let why = judged("", &outputs(127, "", "sh: 1: kubectl: not found\n")).unwrap_err();
    assert!(why.contains("kubectl: not found") && why.contains("missing"), "{why}");
    assert!(judged("", &output(126, "")).is_err());
    assert!(matches!(
        judged("critical_codes = [127]", &output(127, "")).unwrap().verdict,
        Verdict::Critical(_)
    ));
}

#[test]
fn the_first_line_is_the_status_and_its_performance_data_can_be_the_value() {
    let plugin = outputs(2, "CRITICAL: lag 900 s | lag=900s;30;60\nhost a: 900\n", "DeprecationWarning: x\n");
    let measured = judged("nagios = true\nstdout = \"perfdata\"\nvalue = \"lag\"", &plugin).unwrap();
    assert_eq!(measured.value, Some(900.0));
    assert_eq!(measured.summary, "CRITICAL: lag 900 s");
    assert_eq!(measured.verdict.why(), Some("exit code 2: CRITICAL: lag 900 s"));
    assert_eq!(judged("nagios = true", &plugin).unwrap().summary, "CRITICAL: lag 900 s");
    assert_eq!(judged("", &outputs(0, "fine\nmore\n", "noise\n")).unwrap().summary, "fine");
    let gone = judged("stdout = \"perfdata\"\nvalue = \"rta\"", &outputs(0, "OK | lag=1s", ""));
    assert!(gone.unwrap_err().contains("`rta`"));
}

#[test]
fn a_number_that_json_writes_as_text_is_a_number() {
    let keys = "stdout = \"json\"\nvalue = \"/lag\"";
    assert_eq!(judged(keys, &output(0, "{\"lag\":\"12.5\"}")).unwrap().value, Some(12.5));
    for (document, part) in
        [("{\"lag\":\"NaN\"}", "NaN"), ("{\"lag\":\"1,5\"}", "comma"), ("{\"lag\":true}", "no number")]
    {
        assert!(judged(keys, &output(0, document)).unwrap_err().contains(part), "{document}");
    }
}

#[test]
fn a_deployment_that_was_deleted_is_critical_and_a_cluster_that_is_not_reached_is_unknown() {
    let keys =
        "stdout = \"number\"\nempty = 0\nunknown_codes = [1]\ncritical_when = '\\(NotFound\\): deployments'";
    let said = |text: &str| judged(keys, &outputs(1, "", text));
    let gone = said("Error from server (NotFound): deployments.apps \"arka-api\" not found\n").unwrap();
    assert!(matches!(&gone.verdict, Verdict::Critical(why) if why.contains("not found")), "{gone:?}");
    assert_eq!(gone.value, None);
    for unseen in [
        "error: context \"dr\" does not exist",
        "Unable to connect to the server: dial tcp: lookup x: no such host",
        "error: You must be logged in to the server (Unauthorized)",
        "Error from server (Forbidden): deployments.apps \"arka-api\" is forbidden",
    ] {
        assert!(said(unseen).is_err(), "{unseen}");
    }
    assert_eq!(judged(keys, &outputs(0, "", "")).unwrap().value, Some(0.0));
}
