//! What the kinds of actions and channels of this build refuse of their own keys, found when the plan is loaded.

use lifeboat::plan::{Diagnostic, Level, load_texts};

const PLAN: &str = r#"
[plan]
name = "Pair"
[regions.a]
role = "primary"
name = "us-west-2"
[regions.b]
name = "us-east-1"
role = "standby"
[probes.db]
kind = "postgres"
region = "a"
dsn = "host=db.example.com"
[policy]
reference = ["db"]
[tree]
root = "down"
[tree.down]
ask = "Is it?"
evidence = ["db"]
answers.no = "stay"
answers.yes = "over"
[leaves.stay]
title = "Stay"
advice = "Watch."
[runbooks.over]
title = "Over"
"#;

/// The errors of a plan with one more table.
fn errors(more: &str) -> Vec<Diagnostic> {
    match load_texts(vec![("plan.toml".into(), format!("{PLAN}{more}"))], &lifeboat::providers::registry()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().filter(|problem| problem.level == Level::Error).cloned().collect(),
    }
}

/// The errors of a plan with one step of a kind that has these keys, and something that proves it.
fn of_step(action: &str, keys: &[&str]) -> (String, Vec<Diagnostic>) {
    let keys: String = keys.iter().map(|key| format!("with.{key}\n")).collect();
    let step = format!(
        "[[runbooks.over.steps]]\nid = \"do\"\ntitle = \"Do it\"\naction = \"{action}\"\nverify = \"signals['db'].state == 'ok'\"\n\
         timeout = \"5m\"\n{keys}"
    );
    (format!("{PLAN}{step}"), errors(&step))
}

/// The errors of a plan with one channel of a kind that has these keys.
fn of_channel(kind: &str, keys: &[&str]) -> (String, Vec<Diagnostic>) {
    let note =
        "[[runbooks.over.steps]]\nid = \"do\"\ntitle = \"Do it\"\naction = \"note\"\nwith.text = \"done\"\n";
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    let more = format!("{note}[channels.way]\nkind = \"{kind}\"\n{keys}");
    (format!("{PLAN}{more}"), errors(&more))
}

/// Each row: a kind, keys that do, the keys of them that are put in their place and do not, and a word of what is said.
type Rows<'a> = &'a [(&'a str, &'a [&'a str], &'a [&'a str], &'a str, &'a str)];

#[track_caller]
fn assert_found(rows: Rows<'_>, load: impl Fn(&str, &[&str]) -> (String, Vec<Diagnostic>)) {
    for (kind, good, bad, key, word) in rows {
        let (_, errors) = load(kind, good);
        assert!(errors.is_empty(), "{kind} {good:?}: {errors:?}");
        let (text, errors) = load(kind, bad);
        let found = errors.iter().find(|error| error.code == "bad-value" && error.message.contains(word));
        let error = found.unwrap_or_else(|| panic!("{kind} {bad:?}: {errors:?}"));
        assert!(error.message.contains(&format!("{key}` of")), "{error:?}");
        // Where it stands, or the step where it is missing.
        let (place, _) = error.place.as_ref().expect("a place");
        let at = text[..place.start].rfind('\n').map_or("", |line| &text[line + 1..]);
        let line = at.lines().next().unwrap_or_default();
        assert!(
            bad.iter().any(|bad| line.contains(bad)) || line.contains("id = ") || line.contains("[channels"),
            "{line}"
        );
    }
}

const HTTP: &[&str] = &["url = \"https://example.org/x\"", "status = \"200, 5xx\""];
const EXEC: &[&str] = &["target = \"dr\"", "argv = [\"scale\", \"up\"]"];
const WAIT: &[&str] = &["signal = \"db\"", "sustain = \"30s\""];
const FENCE: &[&str] = &["dsn = \"host=db.example.com\""];
const PROMOTE: &[&str] = &["dsn = \"host=db.example.com\"", "verify_table = \"lifeboat.write_proof\""];

#[test]
fn a_step_that_could_not_be_made_in_the_night_is_found_with_its_place() {
    assert_found(
        &[
            ("http-request", HTTP, &[HTTP[0], "status = \"20O\""], "with.status", "100 to 599"),
            (
                "http-request",
                HTTP,
                &[HTTP[0], "connect_to = \"lb.example.com\""],
                "with.connect_to",
                "host and port",
            ),
            (
                "http-request",
                HTTP,
                &[HTTP[0], "connect_to = \"lb.example.com:0\""],
                "with.connect_to",
                "host and port",
            ),
            (
                "http-request",
                HTTP,
                &[HTTP[0], "headers.\"X Y\" = \"1\""],
                "with.headers",
                "no name of a header",
            ),
            ("http-request", HTTP, &[HTTP[0], "headers.A = \"1\\n2\""], "with.headers", "no header may"),
            (
                "http-request",
                HTTP,
                &[HTTP[0], "verify_matches = \"ok\""],
                "with.verify_matches",
                "verify_url",
            ),
            (
                "http-request",
                HTTP,
                &[HTTP[0], "verify_url = \"https://example.org\"", "verify_status = \"ok\""],
                "with.verify_status",
                "100 to 599",
            ),
            ("exec", EXEC, &[EXEC[0], "argv = [\"\", \"up\"]"], "with.argv", "a program"),
            ("exec", EXEC, &["target = \" \"", EXEC[1]], "with.target", "empty"),
            ("exec", EXEC, &[EXEC[0], EXEC[1], "verify_argv = []"], "with.verify_argv", "a program"),
            ("exec", EXEC, &[EXEC[0], "argv = [\"scale\", \"a\\u0000b\"]"], "with.argv", "zero byte"),
            ("exec", EXEC, &[EXEC[0], EXEC[1], "env.\"A=B\" = \"1\""], "with.env", "no name of a variable"),
            (
                "exec",
                EXEC,
                &[EXEC[0], EXEC[1], "pass_env = [\"\"]"],
                "with.pass_env",
                "no name of a variable",
            ),
            (
                "wait-for",
                WAIT,
                &[WAIT[0], "condition = \"signals['db'].state == 'ok'\""],
                "with.signal",
                "either",
            ),
            ("wait-for", WAIT, &["sustain = \"30s\""], "with.condition", "give `condition`"),
            ("wait-for", WAIT, &[WAIT[0], "sustain = \"5m\""], "with.sustain", "ends after 5m"),
            ("note", &["text = \"done\""], &["text = \"\""], "with.text", "empty"),
            ("postgres-fence", FENCE, &[FENCE[0], "method = \"stop\""], "with.argv", "a program"),
            ("postgres-fence", FENCE, &[FENCE[0], "argv = [\"stop-it\"]"], "with.argv", "method = \"stop\""),
            (
                "postgres-promote",
                PROMOTE,
                &[PROMOTE[0], "verify_table = \"proof; drop\""],
                "with.verify_table",
                "schema and table",
            ),
        ],
        of_step,
    );
}

#[test]
fn what_a_run_fills_in_is_not_judged_before() {
    let status = ["url = \"https://example.org/{{ incident.id }}\"", "status = \"{{ incident.mode }}\""];
    for (kind, keys) in [
        ("exec", &["target = \"{{ incident.id }}\"", "argv = [\"{{ operator.name }}\"]"][..]),
        ("http-request", &status),
        ("note", &["text = \"{{ incident.title }}\""]),
    ] {
        let (_, errors) = of_step(kind, keys);
        assert!(errors.is_empty(), "{kind}: {errors:?}");
    }
}

const TWILIO: [&str; 3] = [
    "account = \"AC00000000000000000000000000000000\"",
    "auth_token = { secret = \"twilio\" }",
    "from = \"+14155550123\"",
];
const SMTP: [&str; 2] = ["host = \"smtp.example.com\"", "from = \"Lifeboat <a@example.com>\""];
const TELEGRAM: [&str; 2] = ["token = { secret = \"telegram\" }", "chat = \"@example_ops\""];
const WEBHOOK: [&str; 2] = ["url = \"https://example.org/hook\"", "secret = { secret = \"hook\" }"];
const OPSGENIE: [&str; 2] = ["api_key = { secret = \"ops\" }", "responders = [\"team:dba\"]"];
const PAGE: [&str; 3] =
    ["api_key = { secret = \"page\" }", "page = \"kctbh9vrtdwd\"", "components = [\"8kbf7d35c070\"]"];

#[test]
fn a_channel_that_could_not_be_made_in_the_night_is_found_with_its_place() {
    assert_found(
        &[
            (
                "twilio-sms",
                &TWILIO,
                &[TWILIO[0], TWILIO[1], "from = \"call me maybe\""],
                "from",
                "country's code",
            ),
            (
                "twilio-voice",
                &TWILIO,
                &[TWILIO[0], TWILIO[1], "from = \"4155550123\""],
                "from",
                "country's code",
            ),
            (
                "twilio-voice",
                &TWILIO,
                &["account = \"AC12\"", TWILIO[1], TWILIO[2]],
                "account",
                "32 hexadecimal",
            ),
            ("smtp", &SMTP, &["host = \"smtp.example.com:587\"", SMTP[1]], "host", "`port`"),
            ("smtp", &SMTP, &["host = \"https://smtp.example.com\"", SMTP[1]], "host", "alone"),
            ("smtp", &SMTP, &[SMTP[0], "from = \"lifeboat\""], "from", "name@example.com"),
            ("smtp", &SMTP, &[SMTP[0], SMTP[1], "reply_to = \"a@b@c\""], "reply_to", "name@example.com"),
            ("smtp", &SMTP, &[SMTP[0], SMTP[1], "username = \"a\""], "username", "`password`"),
            ("smtp", &SMTP, &[SMTP[0], SMTP[1], "hello = \"a b\""], "hello", "host name"),
            ("telegram", &TELEGRAM, &[TELEGRAM[0], "chat = \"example ops\""], "chat", "a number"),
            ("webhook", &WEBHOOK, &["url = \"example.org/hook\"", WEBHOOK[1]], "url", "http"),
            ("webhook", &WEBHOOK, &["url = \"https://example.org:0/\"", WEBHOOK[1]], "url", "http"),
            (
                "webhook",
                &WEBHOOK,
                &[WEBHOOK[0], WEBHOOK[1], "headers.\"A:\" = \"1\""],
                "headers",
                "no name of a header",
            ),
            ("opsgenie", &OPSGENIE, &[OPSGENIE[0], "responders = [\"dba\"]"], "responders", "team:NAME"),
            ("jsm-ops", &OPSGENIE, &[OPSGENIE[0], "cloud_id = \"x\""], "cloud_id", "together"),
            ("statuspage", &PAGE, &[PAGE[0], "page = \"my page\"", PAGE[2]], "page", "letters and digits"),
            ("command", &["argv = [\"page\"]"], &["argv = [\"\"]"], "argv", "a program"),
        ],
        of_channel,
    );
}

#[cfg(feature = "aws")]
#[test]
fn a_step_on_aws_with_names_of_another_form_is_found_with_its_place() {
    const ZONE: [&str; 3] =
        ["zone = \"Z1D633PJN98FT9\"", "name = \"api.example.com\"", "values = [\"192.0.2.1\"]"];
    const SNS: [&str; 3] =
        ["region = \"a\"", "topic = \"arn:aws:sns:us-west-2:123456789012:ops\"", "message = \"Hello\""];
    const MODIFY: [&str; 3] = ["region = \"b\"", "instance = \"db\"", "class = \"db.r6g.large\""];
    const PUT: [&str; 4] = ["region = \"a\"", "bucket = \"arka-status\"", "key = \"x\"", "file = \"/x\""];
    const WAIT: [&str; 2] = ["region = \"a\"", "instance = \"db\""];
    assert_found(
        &[
            ("route53-upsert", &ZONE, &["zone = \"example.com\"", ZONE[1], ZONE[2]], "with.zone", "zone"),
            ("route53-upsert", &ZONE, &[ZONE[0], ZONE[1]], "with.values", "off the net"),
            (
                "route53-upsert",
                &ZONE,
                &[ZONE[0], ZONE[1], ZONE[2], "resolvers = [\"one\"]"],
                "with.resolvers",
                "",
            ),
            ("sns-publish", &SNS, &[SNS[0], "topic = \"ops\"", SNS[2]], "with.topic", "no ARN"),
            ("sns-publish", &SNS, &["region = \"mars\"", SNS[1], SNS[2]], "with.region", "AWS region"),
            ("rds-modify", &MODIFY, &[MODIFY[0], MODIFY[1]], "with.instance", "nothing to change"),
            (
                "rds-modify",
                &MODIFY,
                &[MODIFY[0], "instance = \"my db\"", MODIFY[2]],
                "with.instance",
                "letters",
            ),
            ("s3-put", &PUT, &[PUT[0], PUT[1], PUT[2], "file = \"x\""], "with.file", "absolute"),
            ("s3-put", &PUT, &[PUT[0], "bucket = \"s3://arka\"", PUT[2], PUT[3]], "with.bucket", "bucket"),
            ("rds-wait", &WAIT, &[WAIT[0], WAIT[1], "cluster = \"c\""], "with.cluster", "exactly one"),
        ],
        of_step,
    );
}
