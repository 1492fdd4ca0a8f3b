//! `install.sh`, run as a user would: into a folder of its own, with the program that was just built.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FILES: [&str; 6] = [
    "bin/lifeboat",
    "share/bash-completion/completions/lifeboat",
    "share/fish/vendor_completions.d/lifeboat.fish",
    "share/lifeboat/install-manifest",
    "share/man/man1/lifeboat.1",
    "share/zsh/site-functions/_lifeboat",
];

fn install(home: &Path, arguments: &[&str]) -> Output {
    Command::new("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh"))
        .args(arguments)
        .env("HOME", home)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

/// Every file and folder below `folder`, with the bytes of files.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_dir() {
                found.insert(name, None);
                open.push(path);
            } else {
                found.insert(name, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// A stand-in for the program: a script that answers as told.
fn program(folder: &Path, script: &str) -> String {
    let path = folder.join("program");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn the_built_program_is_installed_for_one_user_and_removed_without_a_trace() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".profile"), "mine").unwrap();
    // Folders that were there before, one of them empty, must be there afterwards.
    std::fs::create_dir_all(home.path().join(".local/bin")).unwrap();
    let before = tree(home.path());
    let built = env!("CARGO_BIN_EXE_lifeboat");

    let installed = install(home.path(), &["--from", built]);
    assert_done(&installed);
    let prefix = home.path().join(".local");
    for file in FILES {
        assert!(prefix.join(file).is_file(), "{file} is missing: {}", text(&installed));
        assert!(text(&installed).contains(&prefix.join(file).display().to_string()), "{file} is not told");
    }
    assert_eq!(std::fs::read(prefix.join("bin/lifeboat")).unwrap(), std::fs::read(built).unwrap());
    assert_eq!(prefix.join("bin/lifeboat").metadata().unwrap().permissions().mode() & 0o777, 0o755);
    let version = Command::new(prefix.join("bin/lifeboat")).arg("--version").output().unwrap();
    assert_eq!(version.stdout, format!("lifeboat {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    assert_eq!(tree(home.path())[Path::new(".profile")], Some(b"mine".to_vec()), "a profile was changed");
    for (file, content) in
        [(FILES[1], "complete"), (FILES[2], "complete -c lifeboat"), (FILES[5], "#compdef lifeboat")]
    {
        assert!(std::fs::read_to_string(prefix.join(file)).unwrap().contains(content), "{file}");
    }
    assert!(std::fs::read_to_string(prefix.join(FILES[4])).unwrap().contains(".TH lifeboat 1"));

    let with_it = tree(home.path());
    assert_done(&install(home.path(), &["--from", built]));
    let again = tree(home.path());
    assert_eq!(
        with_it.keys().collect::<Vec<_>>(),
        again.keys().collect::<Vec<_>>(),
        "installing again leaves more"
    );

    assert_done(&install(home.path(), &["--uninstall"]));
    assert_eq!(tree(home.path()), before);
}

#[test]
fn a_dry_run_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let told = install(home.path(), &["--from", "/bin/sh", "--dry-run"]);
    assert_done(&told);
    assert!(text(&told).contains(".local/bin/lifeboat"));
    assert!(tree(home.path()).is_empty());
}

#[test]
fn it_is_built_with_aws_unless_told_otherwise() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, without) in [(&["--dry-run"][..], false), (&["--without-aws", "--dry-run"], true)] {
        let told = install(home.path(), arguments);
        assert_done(&told);
        let told = text(&told);
        let build = told.lines().find(|line| line.starts_with("would build")).unwrap();
        assert_eq!(build.contains("--no-default-features --features kube"), without, "{build}");
    }
    assert!(tree(home.path()).is_empty());
}

#[test]
fn a_program_that_is_not_lifeboat_or_does_not_run_is_not_installed() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for (script, why) in [
        ("echo other 1.0", "is not lifeboat"),
        ("exit 3", "does not run on this host"),
        ("case $1 in --version) echo lifeboat 0.0.0;; *) exit 1;; esac", "cannot generate"),
        ("case $1 in --version) echo lifeboat 0.0.0;; esac", "generated nothing"),
    ] {
        let refused = install(home.path(), &["--from", &program(elsewhere.path(), script)]);
        assert!(!refused.status.success() && text(&refused).contains(why), "{}", text(&refused));
    }
    let missing = install(home.path(), &["--from", "/no/such/program"]);
    assert!(!missing.status.success() && text(&missing).contains("does not exist"));
    assert!(tree(home.path()).is_empty(), "something was installed");
}

#[test]
fn a_folder_for_temporary_files_that_runs_nothing_is_named_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let script = "case $1 in --version) echo lifeboat 0.0.0;; generate) echo \"$@\";; esac";
    let from = program(elsewhere.path(), script);
    let noexec = home.path().join("tmp");
    std::fs::create_dir(&noexec).unwrap();
    let installer = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
    // In a mount namespace of its own: the folder is mounted for this one run.
    let run = "mount -t tmpfs -o noexec none \"$1\" || exit 99; TMPDIR=$1 exec sh \"$2\" --from \"$3\"";
    let refused = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", run, "sh"])
        .args([noexec.as_os_str(), installer.as_os_str(), from.as_ref()])
        .env("HOME", home.path())
        .output()
        .unwrap();
    let told = text(&refused);
    assert_ne!(refused.status.code(), Some(99), "no folder could be mounted: {told}");
    assert!(!refused.status.success(), "{told}");
    for part in [noexec.to_str().unwrap(), "noexec", "set TMPDIR"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("does not run on this host"), "the program is not at fault: {told}");
    assert!(!home.path().join(".local").exists(), "something was installed");
}

#[test]
fn what_was_changed_or_is_not_ours_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let prefix = home.path().join("a prefix");
    let script = "case $1 in --version) echo lifeboat 0.0.0;; generate) echo \"$@\";; esac";
    let options = ["--prefix", prefix.to_str().unwrap()];
    let from = program(elsewhere.path(), script);
    assert_done(&install(home.path(), &[&options[..], &["--from", &from]].concat()));
    std::fs::write(prefix.join(FILES[1]), "changed").unwrap();
    std::fs::write(prefix.join("bin/other"), "other").unwrap();
    let removed = install(home.path(), &[&options[..], &["--uninstall"]].concat());
    assert_done(&removed);
    assert!(text(&removed).contains("changed since it was installed"));
    let files: Vec<_> =
        tree(&prefix).into_iter().filter(|(_, bytes)| bytes.is_some()).map(|(path, _)| path).collect();
    assert_eq!(files, [Path::new("bin/other"), Path::new(FILES[1])]);
    let again = install(home.path(), &[&options[..], &["--uninstall"]].concat());
    assert!(!again.status.success() && text(&again).contains("nothing is installed"));
}
