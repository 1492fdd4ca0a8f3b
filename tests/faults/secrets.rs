//! Secrets stay where they belong, and say why they cannot be had.

use crate::rig::{Hands, Home};
use lifeboat::core::words::status::StepStatus;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const PLAN: &str = include_str!("plan.toml");
const PASSWORD: &str = "hunter22-of-the-database";
const TOKEN: &str = "s3cr3t-of-the-program";

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found)
        } else if path.is_file() {
            found.push(path)
        }
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn no_secret_reaches_a_record_a_log_a_screen_or_an_argument() {
    let steps = "[[runbooks.mend.steps]]\nid = \"say\"\ntitle = \"Say it\"\naction = \"exec\"\nneeds = []\n\
        with.target = \"db\"\nwith.env.TOKEN = { secret = \"token\" }\nwith.folder = \"@folder\"\n\
        with.argv = [\"sh\", \"-c\", \"echo it is $TOKEN; echo \\\"$TOKEN\\\" >&2; while [ ! -e seen ] && [ -e plan.toml ]; do sleep 0.05; done; echo \\\"$TOKEN\\\"; exit 3\"]\n\
        with.verify_argv = [\"false\"]\nconfirm = \"yes\"\ntimeout = \"60s\"\n";
    let probes = "[probes.said]\nkind = \"exec\"\nargv = [\"sh\", \"-c\", \"echo $TOKEN; exit 1\"]\n\
        env.TOKEN = { secret = \"token\" }\nevery = \"1s\"\ntimeout = \"900ms\"\n\
        [probes.pg]\nkind = \"postgres\"\ndsn = { secret = \"db\" }\nevery = \"1s\"\ntimeout = \"900ms\"\n";
    let plan = format!("{PLAN}\n{steps}\n{probes}\n[secrets]\nsources = [\"environment\"]\n");
    // Nothing listens there; the failure's words are what could give the password away.
    let dsn = format!("postgres://app:{PASSWORD}@127.0.0.1:1/x?sslmode=disable");
    let home = Home::with(&plan).env("LIFEBOAT_SECRET_TOKEN", TOKEN).env("LIFEBOAT_SECRET_DB", &dsn);
    let mut console = home.open(120, 40);
    console.wait_for_text("No database takes writes");
    let mut hands = Hands::attach(&home);
    hands.wait("the database failed", |model| model.why(&"pg".into()).contains("127.0.0.1"));
    hands.wait("the program failed", |model| model.why(&"said".into()).contains("exit code 1"));
    hands.begin_run();
    hands.fire("say");
    hands.wait("output", |model| model.live.output.len() >= 2);
    console.press("2");
    console.press("j");
    console.wait_for_text("[secret token]");

    let mut looked = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(arguments) = std::fs::read(process.path().join("cmdline")) {
            looked += 1;
            assert!(!holds(&arguments, PASSWORD) && !holds(&arguments, TOKEN), "{:?}", process.path());
        }
    }
    assert!(looked > 2);
    std::fs::write(home.path().join("seen"), "").unwrap();
    hands.wait_step("say", StepStatus::Unknown);
    for screen in ["v", "v", "3", "v", "v", "1", "v", "v"] {
        console.press(screen);
    }
    console.press("?");
    console.wait_for_text("esc");
    let status = home.run("status", &["--json"]);
    let stopped = home.run("stop", &[]);
    assert!(stopped.status.success());

    let mut found = Vec::new();
    files(&home.state, &mut found);
    assert!(found.iter().any(|path| path.ends_with("engine.log")) && found.len() >= 3, "{found:?}");
    let places = found.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap()));
    let seen = [("the screen".to_owned(), console.raw_output()), ("status".to_owned(), status.stdout)];
    for (place, bytes) in places.chain(seen) {
        assert!(!holds(&bytes, PASSWORD) && !holds(&bytes, TOKEN), "{place} holds a secret");
    }
}

#[test]
fn a_secret_file_that_cannot_be_used_says_why_and_what_to_do() {
    let probes =
        "[probes.pg]\nkind = \"postgres\"\ndsn = { secret = \"db\" }\nevery = \"1s\"\ntimeout = \"900ms\"\n";
    let plan =
        format!("{PLAN}\n{probes}\n[secrets]\nsources = [\"file\"]\nfiles_folder = \"@folder/secrets\"\n");
    let home = Home::with(&plan);
    let folder = home.path().join("secrets");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("db");
    std::fs::write(&file, "postgres://app:x@127.0.0.1:1/x?sslmode=disable").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _engine = home.engine();
    let status = home.wait_status("others than its owner can use it");
    assert!(status.contains("mode 0644"), "{status}");
    // What it says to do is enough; nothing has to be started again.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.wait_status("127.0.0.1:1");
}
