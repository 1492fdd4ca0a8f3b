//! Every outside text of every kind through every output: peers that say back whatever they were sent, in each form that
//! a tool gives it, among what a terminal would obey or a reader cannot see.

use crate::liars::{self, Said};
use crate::rig::{Hands, Home};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use lifeboat::base::text::is_hostile;
use lifeboat::core::words::command::Ask;
use lifeboat::core::words::status::StepStatus;
use std::path::{Path, PathBuf};

const PLAN: &str = include_str!("plan.toml");

/// Long, with letters that JSON, addresses and shells escape.
const TOKEN: &str =
    "Zx7-kQ4pé/8\"v'W2 m9Lr3&Tn5<cYb6>Hd1#Jf0%Gs7+Ua4=Pe8;Ri2,Ow6:Kz3!Xv9?Bq5@Nj1*Ml7(Sg4)Dt8Ey2";
/// A part of a JSON document that is the secret.
const INNER: &str = "hunter2-in-the-document";
const PASSWORD: &str = "pa55-of-the-database";
const SESSION: &str = "FwoGZXIvYXdzEJr1234567890AbCdEfGhIjKlMnOpQrStUvWxYz9876543210session";
/// The longest part of a secret that may be seen by chance.
const CHANCE: usize = 12;

/// A title, a clipboard, a cleared screen, a colour in C1, directions, blanks that are none, tags.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}live\u{200b}\u{2800}\u{3164}\u{115f}\u{e0041}\u{fff9}\r";

/// Kinds whose peers are hosted services; `tests/notifiers` has each of them say back what it was sent.
const HOSTED: &[&str] = &[
    "slack",
    "teams",
    "google-chat",
    "telegram",
    "ntfy",
    "pagerduty",
    "jsm-ops",
    "opsgenie",
    "goalert",
    "twilio-voice",
    "twilio-sms",
    "statuspage",
];

/// Kinds of Kubernetes, with the keys that they need besides the context.
const KUBE_PROBES: &[(&str, &str)] = &[
    ("cnpg-cluster", "namespace = \"shop\"\nname = \"web\""),
    ("kube-api", ""),
    ("kube-cronjob", "namespace = \"shop\"\nname = \"web\""),
    ("kube-events", "namespace = \"shop\"\nwithin = \"87600h\""),
    ("kube-job", "namespace = \"shop\"\nname = \"web\""),
    ("kube-nodes", ""),
    ("kube-pvc", "namespace = \"shop\""),
    ("kube-workloads", "namespace = \"shop\""),
    ("velero-backup", "schedule = \"web\""),
];
const KUBE_STEPS: &[(&str, &str)] = &[
    (
        "cnpg-demote",
        "with.namespace = \"shop\"\nwith.name = \"web\"\nwith.to = \"web\"\nwith.to_context = \"liar\"",
    ),
    (
        "cnpg-promote",
        "with.namespace = \"shop\"\nwith.name = \"web\"\nwith.from = \"web\"\nwith.from_context = \"liar\"",
    ),
    ("kube-scale", "with.namespace = \"shop\"\nwith.names = [\"web\"]\nwith.replicas = 3"),
    (
        "kube-set-env",
        "with.namespace = \"shop\"\nwith.names = [\"web\"]\nwith.env.HOST = \"db\"\nwith.env.PASSWORD = { secret = \"token\" }",
    ),
    ("kube-rollout-undo", "with.namespace = \"shop\"\nwith.names = [\"web\"]"),
    ("kube-rollout-restart", "with.namespace = \"shop\"\nwith.names = [\"web\"]"),
    (
        "kube-exec",
        "with.namespace = \"shop\"\nwith.target = \"pod/web\"\nwith.argv = [\"true\"]\nwith.verify_argv = [\"true\"]",
    ),
    ("kube-apply", "with.namespace = \"shop\"\nwith.files = [\"@folder/manifest.yaml\"]"),
    ("kube-patch", "with.object = \"configmap/web\"\nwith.patch = '{\"data\": {\"a\": \"1\"}}'"),
    ("kube-delete", "with.object = \"configmap/web\""),
    ("kube-create-job-from", "with.namespace = \"shop\"\nwith.cronjob = \"web\""),
    ("kube-cordon", "with.nodes = [\"web\"]"),
    (
        "kube-wait",
        "with.namespace = \"shop\"\nwith.kind = \"pod\"\nwith.names = [\"web\"]\nwith.for = \"Ready\"",
    ),
    ("gitops-suspend", "with.application = \"argocd/web\""),
    ("gitops-resume", "with.kustomization = \"flux/web\""),
    ("velero-restore", "with.backup = \"web\""),
];

/// A kubeconfig whose API server is a liar, and whose token is a secret.
fn kubeconfig(said: &Said) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: liar, cluster: {{server: 'http://{}'}}}}]\n\
         users: [{{name: liar, user: {{token: '{SESSION}'}}}}]\n\
         contexts: [{{name: liar, context: {{cluster: liar, user: liar}}}}]\n",
        liars::kubernetes(said)
    )
}

fn document() -> String {
    format!("{{\"username\": \"app\", \"password\": \"{INNER}\", \"host\": \"127.0.0.1\"}}")
}

/// A text as tools write it.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let wrapped = |text: &str, width: usize| {
        let lines: Vec<&str> =
            text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join("\n")
    };
    let ascii: String = secret
        .chars()
        .flat_map(|c| if c.is_ascii() { vec![c] } else { format!("\\u{:04x}", c as u32).chars().collect() })
        .collect();
    vec![
        secret.to_owned(),
        secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        wrapped(&STANDARD.encode(secret), 76),
        wrapped(&STANDARD.encode(format!("user:{secret}")), 64),
        wrapped(&hex, 60),
        serde_json::to_string(secret).unwrap(),
        ascii.replace('/', "\\/"),
        format!("{} {secret}", "x".repeat(190)),
        serde_json::to_string(&serde_json::to_string(secret).unwrap()).unwrap(),
        broken(secret, "\u{1b}[1;31m"),
        broken(secret, "\u{200b}"),
        broken(secret, "\n"),
        broken(secret, "\r\n"),
        broken(&STANDARD.encode(format!("user:{secret}")), "\u{1b}[0m\n\u{1b}[32m"),
        broken(&hex, "\u{9b}0m"),
    ]
}

/// Its halves with something between them.
fn broken(text: &str, between: &str) -> String {
    let middle = (text.len() / 2..).find(|at| text.is_char_boundary(*at)).unwrap();
    format!("{}{between}{}", &text[..middle], &text[middle..])
}

fn secrets() -> Vec<&'static str> {
    vec![TOKEN, INNER, PASSWORD, SESSION]
}

/// What no output may hold: every part of a secret that is no chance, in every form.
fn traces() -> Vec<(String, Vec<String>)> {
    let pieces = |text: &str, length: usize| -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        chars.windows(length).map(|window| window.iter().collect()).collect()
    };
    let of = |secret: &str| {
        let mut found = pieces(secret, CHANCE);
        for before in ["", "a", "ab"] {
            let encoded = STANDARD.encode(format!("{before}{secret}"));
            let encoded = &encoded[4..encoded.trim_end_matches('=').len() - 2];
            found.extend(pieces(encoded, CHANCE + 4));
            found.extend(pieces(&encoded.replace('+', "-").replace('/', "_"), CHANCE + 4));
        }
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        found.extend(pieces(&hex, 2 * CHANCE));
        found.sort_unstable();
        found.dedup();
        (secret[..6].to_owned(), found)
    };
    secrets().into_iter().map(of).collect()
}

/// The plan: one of each kind, all of whose peers are liars.
fn plan(said: &Said) -> String {
    let (http, smtp) = (liars::http(said), liars::smtp(said));
    let headers = "headers.Authorization = { secret = \"token-bearer\" }\nheaders.X-Document = { secret = \"document\" }\n";
    let probe =
        |name: &str, keys: &str| format!("[probes.{name}]\n{keys}\nevery = \"4s\"\ntimeout = \"3s\"\n");
    let dsn = "dsn = { secret = \"db\" }";
    let mut plan = PLAN
        .replace("name = \"Faults\"", &format!("name = \"Faults {}\"", toml_escaped("\u{202e}\u{9b}31m")));
    let env = "env.TOKEN = { secret = \"token\" }\nenv.DOCUMENT = { secret = \"document\" }\npass_env = [\"AWS_SESSION_TOKEN\"]";
    let mut probes = vec![
        probe(
            "echo",
            &format!(
                "kind = \"http\"\nurl = \"http://{http}/echo\"\n{headers}json_pointer = \"/said\"\njson_equals = \"x\""
            ),
        ),
        probe(
            "away",
            &format!("kind = \"http\"\nurl = \"http://{http}/away\"\nfollow_redirects = true\n{headers}"),
        ),
        probe(
            "host",
            &format!("kind = \"http\"\nurl = \"http://{http}/host\"\nfollow_redirects = true\n{headers}"),
        ),
        probe("alerts", &format!("kind = \"alertmanager\"\nurl = \"http://{http}\"\n{headers}")),
        probe("refused", &format!("kind = \"alertmanager\"\nurl = \"http://{http}/no\"\n{headers}")),
        probe("pg", &format!("kind = \"postgres\"\n{dsn}")),
        probe("lag", &format!("kind = \"postgres-replication\"\nregion = \"primary\"\n{dsn}")),
        probe("archive", &format!("kind = \"postgres-backup\"\n{dsn}")),
        probe("port", &format!("kind = \"tcp\"\naddress = \"{http}\"")),
        probe("dump", "kind = \"file-age\"\npath = \"@folder/dumps/*\""),
    ];
    probes.extend(
        KUBE_PROBES
            .iter()
            .map(|(kind, keys)| probe(kind, &format!("kind = \"{kind}\"\ncontext = \"liar\"\n{keys}"))),
    );
    for number in 0..said.texts().len() {
        let read = format!("argv = [\"sh\", \"-c\", \"cat said-{number}\"]\nfolder = \"@folder\"\n{env}");
        probes.push(probe(
            &format!("number-{number}"),
            &format!("kind = \"exec\"\nstdout = \"number\"\n{read}"),
        ));
        let json = format!("argv = [\"sh\", \"-c\", \"cat json-{number}\"]\nfolder = \"@folder\"\n{env}");
        let fields = "stdout = \"json\"\nfields.said = \"/said\"";
        probes.push(probe(&format!("json-{number}"), &format!("kind = \"exec\"\n{fields}\n{json}")));
    }
    let step = |id: &str, action: &str, keys: &str| {
        format!(
            "[[runbooks.mend.steps]]\nid = \"{id}\"\ntitle = \"{id} {}\"\naction = \"{action}\"\n{keys}\nneeds = []\n\
             confirm = \"yes\"\ntimeout = \"10s\"\n",
            toml_escaped("\u{202e}")
        )
    };
    let proof = "verify = \"signals['reference'].state != 'ok'\"\nverify_within = \"1s\"";
    let with_env = env.replace("env.", "with.env.").replace("pass_env", "with.pass_env");
    let steps = [
        step(
            "say",
            "exec",
            &format!(
                "with.target = \"db\"\nwith.folder = \"@folder\"\nwith.argv = [\"sh\", \"-c\", \"cat said-*; echo bad >&2; exit 3\"]\n{with_env}\nwith.verify_argv = [\"false\"]"
            ),
        ),
        step(
            "post",
            "http-request",
            &format!(
                "with.method = \"POST\"\nwith.url = \"http://{http}/no\"\n{}\n{proof}",
                headers.replace("headers.", "with.headers.")
            ),
        ),
        step("fence", "postgres-fence", &format!("with.{dsn}")),
        step("promote", "postgres-promote", &format!("with.{dsn}")),
        step("wait", "wait-for", "with.condition = \"signals['reference'].state != 'ok'\""),
        KUBE_STEPS
            .iter()
            .map(|(kind, keys)| step(kind, kind, &format!("with.context = \"liar\"\n{keys}")))
            .collect::<String>(),
        step("hand", "manual", "with.instructions = [\"Do it.\"]\nwith.check = \"See it.\""),
    ];
    let people = format!(
        "[contacts.ana]\nname = \"Ana {}\"\nemail = \"ana@example.com\"\n\
         [channels.hook]\ntitle = \"Hook {}\"\nkind = \"webhook\"\nurl = \"http://{http}/no/s3cr3t-Pa7h-0f-hook\"\nsecret = {{ secret = \"token\" }}\n{headers}\n\
         [channels.chat]\nkind = \"slack-webhook\"\nwebhook = {{ secret = \"hook\" }}\n\
         [channels.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"l@example.com\"\n\
         [channels.program]\nkind = \"command\"\nargv = [\"sh\", \"-c\", \"cat said-*; exit 3\"]\nfolder = \"@folder\"\n{env}\n",
        toml_escaped("\u{202e}"),
        toml_escaped("\u{9b}"),
        smtp.rsplit(':').next().unwrap(),
    );
    plan.push_str(&format!(
        "\n{}\n{}\n{people}\n[secrets]\nsources = [\"environment\"]\n\
         [kube]\nkubeconfig = [\"@folder/kubeconfig\"]\n",
        steps.concat(),
        probes.concat()
    ));
    plan
}

fn toml_escaped(text: &str) -> String {
    text.chars().map(|c| format!("\\U{:08x}", c as u32)).collect()
}

fn home() -> Home {
    let mut texts: Vec<String> =
        secrets().into_iter().flat_map(forms).map(|form| format!("{EVIL} {form} {EVIL}")).collect();
    texts.push(format!("e{} {}", "\u{301}".repeat(240), "A".repeat(300_000)));
    let said = Said::new(texts);
    let plan = plan(&said);
    let probes = lifeboat::providers::probes().map(|row| (row.name, row.permissions));
    let channels = lifeboat::providers::channels().map(|row| (row.name, row.permissions));
    for (kind, permissions) in probes.chain(channels) {
        let here = plan.contains(&format!("kind = \"{kind}\""));
        assert!(here || HOSTED.contains(&kind) || is_of_aws(permissions), "no {kind} here");
    }
    for row in lifeboat::providers::actions() {
        // Of the actions upon databases these two stand for all: they reach them in one way.
        let here = plan.contains(&format!("action = \"{}\"", row.name)) || row.name.starts_with("postgres-");
        assert!(here || is_of_aws(row.permissions), "no {} here", row.name);
    }
    let home = Home::with(&plan)
        .env("LIFEBOAT_SECRET_TOKEN", TOKEN)
        .env(
            "LIFEBOAT_SECRET_DB",
            &format!("postgres://app:{PASSWORD}@{}/x?sslmode=disable", liars::postgres(&said)),
        )
        .env("LIFEBOAT_SECRET_TOKEN_BEARER", &format!("Bearer {SESSION}"))
        .env("LIFEBOAT_SECRET_DOCUMENT", &document())
        .env("LIFEBOAT_SECRET_HOOK", "http://127.0.0.1:1/T0AB12CD3/x9Y8z7W6v5U4t3S2")
        .env("AWS_SESSION_TOKEN", SESSION)
        .env("LIFEBOAT_LOG", "trace");
    for (number, text) in said.texts().iter().enumerate() {
        std::fs::write(home.path().join(format!("said-{number}")), text).unwrap();
        let json = serde_json::json!({ "said": text }).to_string();
        std::fs::write(home.path().join(format!("json-{number}")), json).unwrap();
    }
    std::fs::write(home.path().join("kubeconfig"), kubeconfig(&said)).unwrap();
    let manifest =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {\"a\\e[2J\": \"\\e]0;x\\a\"}\n";
    std::fs::write(home.path().join("manifest.yaml"), manifest).unwrap();
    std::fs::create_dir(home.path().join("dumps")).unwrap();
    std::fs::write(home.path().join(format!("dumps/{}", EVIL.replace('/', ""))), "x").unwrap();
    home
}

/// It needs an account of AWS, as what it is granted there says: `tests/aws` has its services lie.
fn is_of_aws(permissions: &[&str]) -> bool {
    permissions.iter().any(|permission| permission.contains(':'))
}

/// No secret in any form, and nothing that could act on a terminal; line ends and tabs are left.
fn assert_clean(place: &str, bytes: &[u8], traces: &[(String, Vec<String>)], is_screen: bool) {
    let text = String::from_utf8_lossy(bytes);
    for (secret, pieces) in traces {
        let found = pieces.iter().find(|piece| text.contains(&**piece));
        if let Some(piece) = found {
            let at = text.find(&**piece).unwrap();
            let around: String =
                text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{place} holds {piece:?} of the secret {secret}… after {around:?}");
        }
    }
    assert!(!text.contains("]52;") || !text.contains("\u{1b}]52;c;ZXZpbA"), "{place} sets the clipboard");
    let harmless = |c: &char| matches!(c, '\n' | '\t' | '\r') || is_screen && *c < '\u{80}';
    if let Some(at) = text.char_indices().find(|(_, c)| is_hostile(*c) && !harmless(c)).map(|(at, _)| at) {
        let around: String = text[at..].chars().take(80).collect();
        panic!("{place} holds {around:?}");
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false if path.is_file() => found.push(path),
            false => {}
        }
    }
}

#[test]
fn no_outside_text_of_any_kind_brings_a_secret_or_a_raw_character_to_any_output() {
    let home = home();
    let traces = traces();
    let mut console = home.open(120, 40);
    console.wait_for_text("RTO");
    let mut hands = Hands::attach(&home);
    let own = ["echo", "away", "host", "alerts", "refused", "pg", "lag", "archive", "number-0", "json-0"];
    for probe in own.into_iter().chain(KUBE_PROBES.iter().map(|(kind, _)| *kind)) {
        hands.wait(probe, |model| model.live.recent.get(probe).is_some_and(|recent| recent.latest.is_some()));
    }
    hands.ask(Ask::Note { text: format!("somebody pasted {TOKEN}{EVIL}") }).unwrap();
    hands.begin_run();
    for step in ["say", "post"] {
        hands.fire(step);
        hands.wait(step, |model| {
            let run = model.durable.incident.as_ref().and_then(|incident| incident.runs.last()).unwrap();
            !matches!(
                run.steps[step].status,
                StepStatus::Pending | StepStatus::Ready | StepStatus::Confirming | StepStatus::Started
            )
        });
    }
    for step in ["fence", "promote"].into_iter().chain(KUBE_STEPS.iter().map(|(kind, _)| *kind)) {
        let (run, id) = (hands.run_id(), step.into());
        // Refused or described: its words are in the model either way.
        let _ = hands.ask(Ask::Prepare { run, step: id });
    }
    for key in ["1", "2", "j", "v", "3", "v", "4", "5", "6", "\r", "\u{1b}", "7", "1"] {
        console.press(key);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    // What was read before is closed, or nothing is open.
    console.decide("\u{1b}");
    console.decide("1");
    console.wait_for_text("[overview]");
    console.decide("/");
    console.types("kube-workloads");
    console.decide("\r");
    // Keys that a busy machine reads together are taken for a paste: a hand presses again.
    let asked = std::time::Instant::now();
    while !console.screen().contains("NEWEST WARNINGS") {
        assert!(asked.elapsed() < std::time::Duration::from_secs(120), "{}", console.screen());
        console.decide("i");
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    console.decide("\u{1b}[6~");
    console.decide("\u{1b}");
    console.press("?");
    console.wait_for_text("esc");

    let plan = home.plan();
    let plan = plan.to_str().unwrap();
    let journal = home.journal();
    let journal = journal.to_str().unwrap();
    let evil_path = format!("/nonexistent/{EVIL}");
    let commands: Vec<Vec<&str>> = vec![
        vec!["preflight", plan],
        vec!["preflight", plan, "--json"],
        vec!["notify", "test", plan, "--yes"],
        vec!["notify", "test", plan, "--yes", "--json"],
        vec!["notify", "test", plan],
        vec!["notify", "check", plan],
        vec!["notify", "check", plan, "--json"],
        vec!["notify", "tree", plan],
        vec!["check", plan],
        vec!["plan", "show", plan],
        vec!["journal", "show", "--journal", journal],
        vec!["journal", "export", "--journal", journal],
        vec!["journal", "export", "--format", "json", "--journal", journal],
        vec!["status", &evil_path],
        vec!["check", &evil_path],
        vec!["journal", "show", "--journal", &evil_path],
        vec!["themes", "check", &evil_path],
        vec!["keys", "show", EVIL],
        vec![EVIL],
        vec!["status", plan, EVIL],
    ];
    let mut seen = vec![("the screen".to_owned(), console.raw_output(), true)];
    for (subcommand, flags) in
        [("status", &[][..]), ("status", &["--json"]), ("brief", &[]), ("postmortem", &[])]
    {
        let output = home.run(subcommand, flags);
        assert!(output.stdout.len() > 100, "{subcommand}: {}", String::from_utf8_lossy(&output.stderr));
        seen.push((format!("{subcommand} {flags:?}"), [output.stdout, output.stderr].concat(), false));
    }
    for arguments in &commands {
        let output = home.run_bare(arguments);
        let bytes = [output.stdout, output.stderr].concat();
        assert!(!bytes.is_empty(), "{arguments:?} says nothing");
        seen.push((format!("{arguments:?}"), bytes, false));
    }
    let preflight = seen.iter().find(|(place, ..)| place.starts_with("[\"preflight\"")).unwrap();
    assert!(
        String::from_utf8_lossy(&preflight.1).contains("fence"),
        "{}",
        String::from_utf8_lossy(&preflight.1)
    );
    assert!(home.run("stop", &["--force"]).status.success());
    let mut found = Vec::new();
    files(&home.state, &mut found);
    assert!(found.iter().any(|path| path.ends_with("engine.log")) && found.len() >= 3, "{found:?}");
    seen.extend(found.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap(), false)));
    for (place, bytes, is_screen) in &seen {
        assert_clean(place, bytes, &traces, *is_screen);
    }
    let records = std::fs::metadata(journal).unwrap();
    assert!(records.is_dir());
    let size: u64 = found
        .iter()
        .filter(|path| path.starts_with(journal))
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(size < 3_000_000, "a flood fills the journal: {size} bytes");
    home.assert_journal_good();
}
