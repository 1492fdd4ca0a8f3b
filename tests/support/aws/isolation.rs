//! No test may reach a real account, and the SDK finds credentials in its process's environment, which safe Rust cannot
//! change. So the test program begins anew, once, with an environment that has emulated credentials and nothing else
//! of AWS.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// The emulated credentials' owner, as the emulators see it.
const KEYS: [(&str, &str); 6] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "testing"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("LIFEBOAT_TESTS_ISOLATED", "yes"),
];

/// Returns when the process is isolated; else the program begins again, so call it before anything is made.
/// [`super::Emulator::start`] and [`super::Ministack::start`] do.
pub fn isolate() {
    if std::env::var_os("LIFEBOAT_TESTS_ISOLATED").is_some() {
        return;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(std::env::args_os().skip(1));
    clean(&mut again);
    let error = again.envs(KEYS).exec();
    panic!("the test program could not begin again: {error}");
}

/// Takes away what whoever runs the tests has of AWS and proxies.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("AWS_") || text.ends_with("_PROXY") {
            command.env_remove(&name);
        }
    }
}
