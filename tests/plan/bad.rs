//! Every check, with what its reader sees at 80 columns. Each case is the good plan with one change.

use crate::registry::registry;
use crate::resolve::plans;
use lifeboat::base::toml::render::{Style, graphical};
use lifeboat::plan::{Diagnostics, load_texts};

const NARROW: Style = Style { color: false, unicode: true, width: 80 };

/// The problems of the good plan with one change.
fn problems(change: &[(&str, &str)]) -> Diagnostics {
    let mut text = std::fs::read_to_string(plans().join("good.toml")).unwrap();
    for (from, to) in change {
        assert!(text.contains(from), "the good plan has no {from:?}");
        text = text.replacen(from, to, 1);
    }
    match load_texts(vec![("plan.toml".into(), text)], &registry()) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    }
}

/// Snapshots what is shown for each change, and holds that the expected problem, and no other, is found.
macro_rules! cases {
    ($($name:ident: $code:literal, [$($from:literal => $to:literal),+ $(,)?];)+) => {
        $(#[test]
        fn $name() {
            let problems = problems(&[$(($from, $to)),+]);
            let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
            assert!(!codes.is_empty() && codes.iter().all(|code| *code == $code), "{codes:?}\n{problems}");
            let shown = graphical(&problems, NARROW);
            assert!(shown.lines().filter(|line| !line.contains(['│', '·'])).all(|line| line.chars().count() <= 80), "{shown}");
            insta::assert_snapshot!(shown);
        })+
    };
}

cases! {
    syntax_errors_are_all_shown: "syntax", ["name = \"Demo\"" => "name = Demo", "tier = 1" => "tier = = 1"];
    a_duplicate_key: "syntax", ["tier = 1" => "tier = 1\ntier = 2"];
    an_unknown_table: "unknown-key", ["[policy]" => "[polcy]\nx = 1\n[policy]"];
    an_unknown_key: "unknown-key", ["every = \"10s\"" => "evry = \"10s\""];
    an_unknown_key_of_a_kind: "unknown-key", ["with.argv" => "with.colour = 1\nwith.argv"];
    a_missing_key: "missing-key", ["kind = \"http\"\nurl = \"https://example.org/\"" => "kind = \"http\""];
    a_missing_kind: "missing-key", ["kind = \"http\"\nurl = \"https://example.org/\"" => "fail_after = 1"];
    an_unknown_probe_kind: "unknown-kind", ["kind = \"file-size\"" => "kind = \"file-siz\""];
    an_unknown_action_kind: "unknown-kind", ["action = \"exec\"" => "action = \"shell\""];
    a_wrong_type: "wrong-type", ["tier = 1" => "tier = \"1\""];
    a_number_without_a_unit: "wrong-type", ["rto = \"15m\"" => "rto = 900"];
    a_misspelled_unit: "bad-unit", ["rto = \"15m\"" => "rto = \"15 min\""];
    a_misspelled_size: "bad-unit", ["smallest = \"1 kB\"" => "smallest = \"1 kilobyte\""];
    a_text_for_a_list: "wrong-type", ["needs = [\"promote\"]" => "needs = \"promote\""];
    a_quoted_date: "wrong-type", ["last = 2026-01-15" => "last = \"2026-01-15\""];
    a_number_out_of_range: "out-of-range", ["tier = 1" => "tier = 0"];
    a_bad_choice: "bad-choice", ["strategy = \"warm-standby\"" => "strategy = \"warm-stanby\""];
    a_bad_regular_expression: "bad-regex", ["'\"status\":\\s*\"ok\"'" => "'(open'"];
    a_bad_address: "bad-url", ["url = \"https://dr.example.org/health\"" => "url = \"dr.example.org/health\""];
    a_bad_name: "bad-name", ["[drills.quarterly]" => "[drills.\"every quarter\"]"];
    a_restored_service_that_nothing_watches_there: "restores", ["health.dr = [\"dr-api\"]\n" => "", "restores = [\"api\"]" => "activates = \"dr\"\nrestores = [\"api\"]", "confirm = \"yes\"" => "confirm = \"yes\"\nswitches = true"];
    a_dangling_probe: "unknown-name", ["evidence = [\"dr-api\", \"dr-lag\"]" => "evidence = [\"dr-apo\", \"dr-lag\"]"];
    a_dangling_destination: "unknown-name", ["answers.yes = \"failover\"\nanswers.no" => "answers.yes = \"failover\"\nanswers.later = \"wait\"\nanswers.no"];
    a_dangling_region: "unknown-name", ["health.dr = " => "health.drr = "];
    a_dangling_step: "unknown-name", ["needs = [\"promote\"]" => "needs = [\"promot\"]"];
    a_suggestion_without_its_answer: "unknown-name", ["suggest.no" => "suggest.nope"];
    a_condition_that_is_no_expression: "condition", ["regions.primary.status == 'down' && !console.blind" => "regions.primary.status == && x"];
    a_condition_on_an_unknown_signal: "condition", ["guard = [\"signals['dr-lag']" => "guard = [\"signals['dr-lagg']"];
    a_condition_on_an_unknown_property: "condition", ["signals['dr-lag'].value_s > 60" => "signals['dr-lag'].value_ms > 60"];
    a_condition_on_an_unknown_field: "condition", ["fields.receive_lag_bytes" => "fields.receive_lag"];
    a_condition_with_a_word_that_is_no_state: "condition", ["signals['dr-api'].state == 'ok'" => "signals['dr-api'].state == 'okay'"];
    a_condition_that_asks_for_unknown: "condition", ["signals['dr-api'].state == 'ok'" => "signals['dr-api'].state == 'unknown'"];
    a_condition_of_the_wrong_type: "condition", ["signals['dr-lag'].value_s < 60" => "signals['dr-lag'].value_s < '60'"];
    a_dash_outside_of_brackets: "condition", ["signals['dr-api'].state == 'ok'" => "signals.dr-api.state == 'ok'"];
    a_name_that_is_computed: "condition", ["signals['dr-api'].state == 'ok'" => "signals[incident.mode].state == 'ok'"];
    an_unknown_template_name: "template", ["location = \"{{ vars.bucket }}\"" => "location = \"in {{ vars.bukket }}\""];
    a_run_time_name_in_a_title: "template", ["title = \"Watch\"" => "title = \"Watch {{ incident.idd }}\""];
    a_run_time_name_in_a_probe: "template", ["path = \"/backups/{{ vars.bucket }}\"" => "path = \"/backups/{{ incident.id }}\""];
    a_statement_in_a_template: "template", ["advice = \"Watch {{ services.api.title }}.\"" => "advice = \"{% if x %}no{% endif %}\""];
    a_literal_secret: "literal-secret", ["dsn = { secret = \"dr-db\" }" => "dsn = \"postgres://u:hunter22@db/x\""];
    a_password_in_an_address: "literal-secret", ["url = \"https://dr.example.org" => "url = \"https://u:hunter22@dr.example.org"];
    something_that_looks_like_a_credential: "literal-secret", ["with.argv = [" => "with.argv = [\"--password=hunter22!\", "];
    a_secret_with_a_bad_name: "bad-name", ["secret = \"api-token\"" => "secret = \"API token\""];
    a_name_of_two_things: "duplicate-name", ["[tree.dr-ready]" => "[leaves.failover]\ntitle = \"x\"\nadvice = \"y\"\n\n[tree.dr-ready]"];
    two_steps_of_one_name: "duplicate-name", ["id = \"watch\"" => "id = \"dns\""];
    a_runbook_without_steps: "steps", ["[contacts.alice]" => "[runbooks.empty]\ntitle = \"Empty\"\nsteps = []\n\n[contacts.alice]"];
    a_tree_that_leads_back: "cycle", ["answers.yes = \"failover\"\nanswers.no" => "answers.yes = \"failover\"\nanswers.again = \"primary-down\"\nanswers.no"];
    steps_that_wait_for_each_other: "cycle", ["confirm = \"yes\"\nverify" => "confirm = \"yes\"\nneeds = [\"dns\"]\nverify"];
    an_unreachable_question: "unreachable", ["[leaves.keep-monitoring]" => "[tree.lost]\nask = \"?\"\nevidence = [\"dr-lag\"]\nanswers.a = \"failover\"\nanswers.b = \"keep-monitoring\"\n\n[leaves.keep-monitoring]"];
    an_unreachable_leaf: "unreachable", ["[leaves.keep-monitoring]" => "[leaves.lost]\ntitle = \"x\"\nadvice = \"y\"\n\n[leaves.keep-monitoring]"];
    an_unreachable_runbook: "unreachable", ["answers.yes = \"failover\"" => "answers.yes = \"keep-monitoring\""];
    a_question_without_evidence: "no-evidence", ["evidence = [\"dr-api\", \"dr-lag\"]\n" => ""];
    a_question_with_one_answer: "answers", ["answers.yes = \"failover\"\nanswers.no = \"keep-monitoring\"" => "answers.yes = \"failover\""];
    a_step_without_proof: "no-verification", ["verify = \"services.api.status == 'up'\"\n" => ""];
    a_switch_to_nowhere: "switches", ["confirm = \"type\"" => "confirm = \"type\"\nswitches = true"];
    a_step_that_takes_back_what_no_runbook_has: "undoes", ["confirm = \"yes\"" => "confirm = \"yes\"\nundoes = [\"no-such-step\"]"];
    a_step_that_takes_back_one_of_two_of_that_name: "undoes", ["answers.no = \"keep-monitoring\"" => "answers.no = \"keep-monitoring\"\nanswers.back = \"back\"", "[contacts.alice]" => "[runbooks.back]\ntitle = \"Back\"\nloss = []\n[[runbooks.back.steps]]\nid = \"announce\"\ntitle = \"Wait\"\naction = \"wait-for\"\nwith.until = \"incident.open\"\n[[runbooks.back.steps]]\nid = \"home\"\ntitle = \"Home\"\naction = \"wait-for\"\nwith.until = \"incident.open\"\nundoes = [\"announce\"]\n[contacts.alice]"];
    a_service_moved_to_no_region: "unknown-name", ["verify = \"incident.open\"" => "verify = \"incident.open\"\nserves.api = \"drr\""];
    no_service_moved_to_a_region: "unknown-name", ["verify = \"incident.open\"" => "verify = \"incident.open\"\nserves.apu = \"dr\""];
    a_service_moved_where_nothing_watches_it: "serves", ["health.dr = [\"dr-api\"]\n" => "", "verify = \"incident.open\"" => "verify = \"incident.open\"\nserves.api = \"dr\""];
    a_service_moved_without_a_proof: "serves", ["irreversible = true" => "irreversible = true\nserves.api = \"dr\""];
    a_service_moved_to_two_regions_in_one_run: "serves", ["verify = \"incident.open\"" => "verify = \"incident.open\"\nserves.api = \"dr\"", "irreversible = true" => "irreversible = true\nserves.api = \"primary\""];
    a_region_that_serves_and_nobody_says_by_what: "switches", ["loss = [\"dr-lag\"]\n" => "loss = [\"dr-lag\"]\nactivates = \"dr\"\n", "irreversible = true\n" => ""];
    two_switches: "switches", ["loss = [\"dr-lag\"]\n" => "loss = [\"dr-lag\"]\nactivates = \"dr\"\n", "confirm = \"yes\"" => "confirm = \"yes\"\nswitches = true", "confirm = \"type\"" => "confirm = \"type\"\nswitches = true"];
    an_irreversible_step_that_is_not_typed: "confirmation", ["confirm = \"type\"" => "confirm = \"yes\""];
    a_change_without_confirmation: "confirmation", ["confirm = \"yes\"" => "confirm = \"none\""];
    a_promotion_without_loss: "no-loss", ["loss = [\"dr-lag\"]\n" => ""];
    a_contact_without_a_channel: "contact", ["email = \"alice@example.org\"\nphone = \"+49 30 1234567\"\n" => ""];
    a_malformed_address: "contact", ["alice@example.org" => "alice@example", "+49 30 1234567" => "030 1234567"];
    two_primaries: "primary", ["role = \"standby\"" => "role = \"primary\""];
    no_primary: "primary", ["role = \"primary\"" => "role = \"standby\""];
    a_reference_without_a_name: "reference-by-address", ["url = \"https://example.org/\"" => "url = \"https://192.0.2.1/\""];
    what_is_unknown_is_told_at_once: "out-of-range", ["cooldown = \"300s\"" => "cooldown = \"300s\"\nunknown_after = \"10s\""];
    no_reference_probe: "no-reference", ["reference = [\"internet\"]\n" => ""];
    thresholds_in_the_wrong_order: "thresholds", ["warn = \"30s\"" => "warn = \"2m\""];
    thresholds_from_both_sides: "thresholds", ["warn = \"30s\"" => "warn_below = \"30s\""];
    a_deadline_longer_than_the_interval: "slow-probe", ["kind = \"postgres-replication\"" => "kind = \"postgres-replication\"\ntimeout = \"8s\""];
    a_deadline_of_many_intervals: "out-of-range", ["kind = \"postgres-replication\"" => "kind = \"postgres-replication\"\ntimeout = \"1m\""];
    an_interval_that_is_too_short: "out-of-range", ["every = \"10s\"" => "every = \"100ms\"\ntimeout = \"50ms\""];
    a_signal_that_is_always_stale: "out-of-range", ["every = \"10s\"" => "every = \"10s\"\nstale_after = \"5s\""];
    severity_rules_out_of_order: "severity-order", ["level = \"P0\"" => "level = \"P2\""];
    objectives_that_look_exchanged: "objectives", ["rto = \"15m\"\nrpo = \"1m\"" => "rto = \"1m\"\nrpo = \"15m\""];
    a_proof_that_may_end_before_its_probe_looks: "slow-proof", ["verify = \"incident.open\"" => "verify = \"signals['dump'].state == 'ok'\"\nverify_within = \"10m\""];
    a_probe_slower_than_its_objective: "objectives", ["every = \"10s\"" => "every = \"2m\""];
    an_unknown_kind_of_channel: "unknown-kind", ["kind = \"mail\"" => "kind = \"mial\""];
    an_unknown_key_of_a_channel: "unknown-key", ["host = \"mail." => "hots = 1\nhost = \"mail."];
    a_secret_of_a_channel_in_plain_text: "literal-secret", ["token = { secret = \"voice-token\" }" => "token = \"hunter22\""];
    a_channel_without_time: "out-of-range", ["give_up_after = \"1m\"" => "give_up_after = \"5s\"", "timeout = \"20s\"" => "timeout = \"20m\""];
    a_channel_that_nothing_uses: "unused", ["[channels.mail]" => "[channels.other]\nkind = \"status\"\n\n[channels.mail]"];
    a_channel_to_an_unknown_address: "unknown-name", ["[channels.mail]" => "[channels.other]\nkind = \"command\"\nargv = [\"x\"]\naddress = \"phon\"\n\n[channels.mail]"];
    a_contact_that_its_method_cannot_reach: "unreachable", ["role = \"CTO\"" => "role = \"CTO\"\nmethods = [\"voice\", \"status\"]"];
    a_dangling_channel: "unknown-name", ["methods = [\"voice\", \"text\"]\nnext_after" => "methods = [\"voise\", \"text\"]\nnext_after"];
    a_dangling_contact_of_a_level: "unknown-name", ["who = [\"oncall\"]" => "who = [\"onccall\"]"];
    a_dangling_contact_of_a_rotation: "unknown-name", ["order = [\"bob\", \"carol\"]" => "order = [\"bob\", \"carrol\"]"];
    a_dangling_audience: "unknown-name", ["audience = \"customers\"" => "audience = \"customer\""];
    a_dangling_runbook_of_a_message: "unknown-name", ["runbooks = [\"failover\"]" => "runbooks = [\"fialover\"]"];
    a_contact_and_a_rotation_of_one_name: "duplicate-name", ["[rotations.oncall]" => "[rotations.alice]\nstart = \"2026-01-05 09:00\"\nevery = \"7d\"\norder = [\"bob\"]\n\n[rotations.oncall]"];
    an_unknown_time_zone: "zone", ["zone = \"Europe/Berlin\"" => "zone = \"Europe/Berlln\""];
    a_rotation_that_starts_at_no_time: "bad-time", ["start = \"2026-01-05 09:00\"" => "start = \"Monday\""];
    a_rotation_of_nobody: "rotation", ["order = [\"bob\", \"carol\"]" => "order = []"];
    a_rotation_of_short_turns: "rotation", ["every = \"7d\"" => "every = \"30m\""];
    a_rotation_without_turns: "rotation", ["start = \"2026-01-05 09:00\"\nevery = \"7d\"\norder = [\"bob\", \"carol\"]\n" => ""];
    a_rotation_without_its_start: "rotation", ["start = \"2026-01-05 09:00\"\n" => ""];
    a_rotation_with_turns_and_a_calendar: "rotation", ["every = \"7d\"" => "every = \"7d\"\ncalendar = \"rota.ics\""];
    an_override_that_ends_before_it_begins: "rotation", ["until = \"2026-12-27 09:00\"" => "until = \"2026-12-23 09:00\""];
    a_calendar_of_a_plan_without_files: "calendar", ["start = \"2026-01-05 09:00\"\nevery = \"7d\"\norder = [\"bob\", \"carol\"]\n" => "calendar = \"rota.ics\"\n"];
    two_policies_for_one_severity: "policy", ["severities = [\"P1\", \"P2\"]" => "severities = [\"P1\", \"P2\", \"P0\"]"];
    a_severity_that_nobody_is_told_of: "policy", ["severities = [\"P1\", \"P2\"]" => "severities = [\"P2\"]"];
    a_worst_severity_that_nobody_proposes: "propose", ["propose = \"P0\"\n" => ""];
    a_policy_without_levels: "policy", ["[audiences.customers]" => "[policies.none]\nseverities = [\"P3\"]\nlevels = []\n\n[audiences.customers]"];
    levels_out_of_order: "policy", ["next_after = \"2m\"" => "next_after = \"2m\"\nafter = \"20m\""];
    a_next_method_where_all_are_taken: "policy", ["tries = \"all\"" => "tries = \"all\"\nnext_after = \"2m\""];
    a_level_that_repeats_at_once: "out-of-range", ["repeat = \"15m\"" => "repeat = \"1s\""];
    a_contact_that_no_method_reaches: "unreachable", ["sms = \"+49 171 3456789\"\n" => "", "phone = \"+49 30 3456789\"\n" => ""];
    a_level_for_nobody: "unreachable", ["who = [\"carol\"]\ntries = \"all\"\n" => ""];
    a_policy_that_waits_for_no_morning: "quiet", ["quiet = \"22:00-07:00\"\n" => ""];
    quiet_hours_that_are_no_span: "quiet", ["quiet = \"22:00-07:00\"" => "quiet = \"10pm to 7am\""];
    a_message_that_nothing_makes_due: "message", ["audience = \"customers\"\nsubject" => "audience = \"customers\"\nautomatic = true\nsubject"];
    a_message_that_is_due_all_the_time: "out-of-range", ["every = \"30m\"" => "every = \"1s\"", "within = \"15m\"" => "within = \"0s\""];
    a_message_that_is_due_before_it_had_to_be_sent: "message", ["every = \"30m\"" => "every = \"10m\""];
    a_message_that_repeats_when_all_is_over: "message", ["on = [\"declared\", \"switched\"]" => "on = [\"resolved\", \"closed\"]", "runbooks = [\"failover\"]\n" => ""];
    a_message_of_runbooks_that_no_runbook_makes_due: "message", ["on = [\"declared\", \"switched\"]" => "on = [\"declared\"]"];
    a_message_that_says_nothing: "message", ["body = \"Nothing will be broken.\"" => "body = \"\""];
    an_unknown_name_in_a_message: "template", ["ETA: {{ incident.eta }}" => "ETA: {{ incident.etta }}"];
    a_name_of_a_run_in_a_message: "template", ["ETA: {{ incident.eta }}" => "ETA: {{ run.id }}"];
    a_name_of_messages_in_a_step: "template", ["incident {{ incident.id }}." => "incident {{ incident.doing }}."];
    an_estimate_longer_than_the_deadline: "out-of-range", ["estimate = \"1m\"" => "estimate = \"10m\""];
}

#[test]
fn many_problems_are_shown_at_once_in_the_order_of_the_file() {
    let problems = problems(&[
        ("every = \"5s\"", "every = \"5 seconds\""),
        ("tier = 1", "teir = 1"),
        ("answers.yes = \"failover\"", "answers.yes = \"failoverr\""),
        ("email = \"alice@example.org\"", "email = \"alice\""),
    ]);
    insta::assert_snapshot!(graphical(&problems, Style { unicode: false, ..NARROW }));
}

#[test]
fn a_message_that_is_too_long_is_not_taken() {
    let long = format!("body = \"{}\"", "x".repeat(4_001));
    let found = problems(&[("body = \"Nothing will be broken.\"", &long)]).to_string();
    assert!(
        found.contains("error[too-large]") && found.contains("4001 characters, the limit is 4000"),
        "{found}"
    );
    let long = format!("subject = \"{}\"", "x".repeat(201));
    let found = problems(&[("subject = \"A planned test\"", &long)]).to_string();
    assert!(found.contains("201 characters, the limit is 200"), "{found}");
}

#[test]
fn a_secret_in_a_plan_is_not_shown() {
    for (from, to) in [
        ("dsn = { secret = \"dr-db\" }", "dsn = \"postgres://u:hunter22@db/x\""),
        ("url = \"https://dr.example.org", "url = \"https://u:hunter22@dr.example.org"),
        ("with.argv = [", "with.argv = [\"--password=hunter22!\", "),
        ("with.dsn = { secret = \"dr-db\" }", "with.dsn = \"postgres://u:hunter22@db/x\""),
        ("with.dsn = { secret = \"dr-db\" }", "with.dsn = \"host=db password=hunter22\""),
        ("token = { secret = \"voice-token\" }", "token = \"hunter22\""),
        ("port = 8080", "port = 8080\ntoken = \"password=hunter22\""),
    ] {
        let problems = problems(&[(from, to)]);
        let shown = format!(
            "{}{problems}{:?}",
            graphical(&problems, NARROW),
            lifeboat::base::toml::render::json(&problems)
        );
        assert!(
            problems.iter().any(|problem| problem.code == "literal-secret") && !shown.contains("hunter22"),
            "{shown}"
        );
    }
}

#[test]
fn a_hostile_plan_cannot_steer_the_terminal() {
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J";
    let escaped = r"x\u001B]0;owned\u0007\u202E\u009B2J";
    let problems = problems(&[("[plan]", &format!("[\"{escaped}\"]\ny = 1\n[plan]"))]);
    let direct =
        load_texts(vec![(format!("{hostile}.toml"), format!("# {hostile}\nname = {hostile}"))], &registry());
    for problems in [problems, direct.unwrap_err()] {
        let shown = format!(
            "{}{problems}{}",
            graphical(&problems, NARROW),
            serde_json::json!(lifeboat::base::toml::render::json(&problems))
        );
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{shown:?}");
    }
}

/// With the kinds of this build.
#[test]
fn a_connection_string_that_cannot_be_met_is_found_with_all_that_is_wrong() {
    let codes = |dsn: &str| {
        let text = format!(
            "[plan]\nname = \"Pair\"\n[regions.a]\nrole = \"primary\"\n[probes.a-db]\nkind = \"postgres\"\nregion = \"a\"\n\
             dsn = \"{dsn}\"\n[tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it?\"\nanswers.no = \"stay\"\n\
             [leaves.stay]\ntitle = \"Stay\"\nadvice = \"Watch.\"\n"
        );
        match load_texts(vec![("plan.toml".into(), text)], &lifeboat::providers::registry()) {
            Ok(_) => String::new(),
            Err(problems) => {
                problems.iter().map(|problem| format!("{}: {}\n", problem.code, problem.message)).collect()
            }
        }
    };
    let found = codes("host=db gssencmode=require sslcrl=/crl nonsense=1");
    assert!(found.starts_with("connection-string: `dsn` of probe `a-db` cannot be used"), "{found}");
    for word in ["gssencmode", "sslcrl", "`nonsense`"] {
        assert!(found.contains(word), "{word} in {found}");
    }
    assert!(codes("host=db sslpassword=hunter22").starts_with("literal-secret"));
    for taken in [
        "service=shop",
        "host=/run/postgresql",
        "host=a,b target_session_attrs=standby sslcert=/x.pem sslkey=/x",
    ] {
        assert_eq!(codes(taken), "", "{taken}");
    }
}
