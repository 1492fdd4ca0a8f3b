use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::process::Command;

fn of(name: &str, bytes: &[u8]) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    of_file(&path).unwrap()
}

#[track_caller]
fn assert_critical(verdict: &Verdict, words: &str) {
    assert!(matches!(verdict, Verdict::Critical(why) if why.contains(words)), "{verdict:?}");
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What tar itself makes of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    let mut tar = Command::new("tar");
    tar.args(["-cf", "-", "-C"]).arg(folder.path()).args(["--files-from", "/dev/null"]);
    let made = tar.args(files.iter().map(|(name, _)| name)).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    made.stdout
}

const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\nSET statement_timeout = 0;\nCREATE TABLE t (a int);\n\
    --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n\n";

#[test]
fn a_tar_archive_with_nothing_in_it_is_critical() {
    assert_critical(&of("db.tar", &tar(&[])), "a tar archive with nothing in it");
    assert_critical(&of("db.tar.gz", &gzipped(&tar(&[]))), "a tar archive with nothing in it");
    let good = tar(&[("a", b"abc")]);
    assert_eq!(of("db.tar", &good), Verdict::Good);
    assert_eq!(of("db.tgz", &gzipped(&good)), Verdict::Good);
    assert_eq!(of("db.raw", &[0; 4096]), Verdict::Good, "another file may hold zeros");
}

#[test]
fn a_tar_archive_without_its_end_warns() {
    let whole = tar(&[("a", &[b'x'; 5000])]);
    assert!(matches!(of("db.tar", &whole[..4096]), Verdict::Warn(why) if why.contains("cut off")));
}

#[test]
fn a_plain_dump_without_its_last_line_is_critical() {
    let cluster = PLAIN.replace("database dump", "database cluster dump");
    let mysql =
        "-- MySQL dump 10.13  Distrib 8.0.36\n--\nCREATE TABLE t (a int);\n-- Dump completed on 2026-11-03\n";
    let mariadb =
        "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\nSELECT 1;\n-- Dump completed\n";
    let globals_first = format!("{cluster}{PLAIN}");
    for whole in [PLAIN, &cluster, &globals_first, mysql, mariadb] {
        assert_eq!(of("db.sql", whole.as_bytes()), Verdict::Good, "{whole}");
        assert_eq!(of("db.sql.gz", &gzipped(whole.as_bytes())), Verdict::Good, "{whole}");
        let cut = &whole.as_bytes()[..whole.find("CREATE").or(whole.find("SELECT")).unwrap()];
        if whole.contains("Dump completed") {
            assert!(matches!(of("db.sql", cut), Verdict::Warn(why) if why.contains("cut off")));
            continue;
        }
        assert_critical(&of("db.sql", cut), "the dump is cut off");
        // The program failed, and what it was piped into did not.
        assert_critical(&of("db.sql.gz", &gzipped(cut)), "the dump is cut off");
    }
    assert_eq!(of("notes.txt", b"-- some SQL\nselect 1;\n"), Verdict::Good);
}

#[test]
fn a_gzip_file_that_is_cut_anywhere_is_critical() {
    let noise: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let whole = gzipped(&noise);
    assert_eq!(of("db.gz", &whole), Verdict::Good);
    assert_eq!(of("db.gz", &[whole.clone(), whole.clone(), vec![0; 512]].concat()), Verdict::Good);
    for length in [3, 10, 11, 500, whole.len() / 2, whole.len() - 1] {
        assert_critical(&of("db.gz", &whole[..length]), "the gzip file is cut off");
    }
    let mut damaged = whole.clone();
    damaged[whole.len() - 6] ^= 1;
    assert_critical(&of("db.gz", &damaged), "damaged");
    assert_critical(&of("db.gz", &gzipped(b"")), "nothing in it");
}

/// The head of `pg_dump -Fc` (format 1.16), and so many entries of its table of contents.
fn custom(count: u8, entries: usize) -> Vec<u8> {
    let int = |number: u8| [0, number, 0, 0, 0];
    let text = |text: &str| [&int(text.len() as u8)[..], text.as_bytes()].concat();
    let mut dump = b"PGDMP\x01\x10\x00\x04\x08\x01\x01".to_vec();
    (0..7).for_each(|number| dump.extend(int(number)));
    ["shop", "17.2", "17.2"].iter().for_each(|part| dump.extend(text(part)));
    dump.extend(int(count));
    dump.extend(std::iter::repeat_n(b'x', entries * 120));
    dump
}

#[test]
fn a_custom_dump_that_is_cut_in_its_head_or_its_table_of_contents_is_critical() {
    assert_eq!(of("db.dump", &custom(9, 9)), Verdict::Good);
    for cut in [custom(9, 0), custom(9, 2), custom(9, 9)[..30].to_vec(), b"PGDMP".to_vec()] {
        assert_critical(&of("db.dump", &cut), "the dump is cut off");
    }
    assert_critical(&of("db.dump", &custom(0, 0)), "a dump with nothing in it");
    let mut later = custom(9, 0);
    later[6] = 99;
    assert_eq!(of("db.dump", &later), Verdict::Good, "a format that is not known says nothing");
}

#[test]
fn other_archives_without_their_end_are_critical() {
    let xz = b"\xfd7zXZ\0 blocks YZ\0\0\0\0".to_vec();
    let zip = b"PK\x03\x04 files PK\x05\x06 and the rest".to_vec();
    for (name, whole, cut) in [("db.xz", xz, 12), ("db.zip", zip, 10)] {
        assert_eq!(of(name, &whole), Verdict::Good, "{name}");
        assert_critical(&of(name, &whole[..cut]), "cut off");
    }
}

#[test]
fn what_may_not_be_read_says_nothing_and_what_was_read_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sql");
    std::fs::write(&path, &PLAIN[..60]).unwrap();
    let found = |path: &Path, bytes| Found {
        made: Timestamp::UNIX_EPOCH,
        path: path.to_owned(),
        bytes,
        modified: Timestamp::UNIX_EPOCH,
        named: None,
    };
    let seen = Seen::default();
    assert_eq!(seen.judge(&found(&folder.path().join("gone"), 1)), Verdict::Good);
    assert_critical(&seen.judge(&found(&path, 60)), "cut off");
    std::fs::write(&path, PLAIN).unwrap();
    assert_critical(&seen.judge(&found(&path, 60)), "cut off");
    assert_eq!(seen.judge(&found(&path, PLAIN.len() as u64)), Verdict::Good);
}
