use super::*;
use crate::core::words::reading::{Field, Verdict};
use crate::plan::params::Param;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

const HOUR: Duration = Duration::from_secs(3600);

fn series(path: &Path) -> Series {
    let text = Param::Text(path.to_string_lossy().into_owned());
    Series::of(&Params([("path".to_owned(), text)].into_iter().collect())).unwrap()
}

fn put(folder: &Path, name: &str, bytes: usize, age: Duration) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, vec![b'x'; bytes]).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

fn measure(series: &Series) -> Measurement {
    series.measure(Timestamp::now()).unwrap()
}

fn hours(measured: &Measurement) -> f64 {
    (measured.value.unwrap_or_else(|| panic!("{measured:?}")) / 3600.0).round()
}

fn why(measured: &Measurement) -> &str {
    measured.verdict.why().unwrap_or_else(|| panic!("{measured:?}"))
}

fn day(age: Duration) -> String {
    let then = Timestamp::now() - SignedDuration::try_from(age).unwrap();
    then.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d").to_string()
}

#[test]
fn the_newest_match_counts() {
    let folder = tempfile::tempdir().unwrap();
    for day in 1..20 {
        put(folder.path(), &format!("db-{day}.dump"), 1000 + day, HOUR * u32::try_from(24 * day).unwrap());
    }
    put(folder.path(), "db-new.dump.partial", 5, Duration::ZERO);
    fs::create_dir(folder.path().join("db-x.dump")).unwrap();
    let measured = measure(&series(&folder.path().join("db-*.dump")));
    assert_eq!(measured.verdict, Verdict::Good);
    assert!((measured.value.unwrap() - 86_400.0).abs() < 60.0, "{measured:?}");
    assert_eq!(measured.fields["count"], Field::Number(19.0));
    assert_eq!(measured.fields["median_bytes"], Field::Number(1005.0));
    assert_eq!(measured.summary, "db-1.dump, 1.0 kB, 24 h old");
}

#[test]
fn an_empty_dump_is_critical_and_a_small_one_warns() {
    let folder = tempfile::tempdir().unwrap();
    let series = series(&folder.path().join("*.dump"));
    let judge = || measure(&series).verdict;
    assert!(judge().why().unwrap().starts_with("no file matches"));
    for day in 1..5 {
        put(folder.path(), &format!("{day}.dump"), 1000, HOUR * 24 * day);
    }
    put(folder.path(), "last.dump", 400, HOUR);
    assert_eq!(judge(), Verdict::Warn("60 % smaller than usual (1.0 kB)".into()));
    put(folder.path(), "last.dump", 0, HOUR);
    measure(&series);
    assert_eq!(judge(), Verdict::Critical("only 0 B, at least 1 B expected".into()));
}

#[test]
fn a_file_from_the_future_is_said_and_has_no_age() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.dump", 10, Duration::ZERO);
    let series = series(&folder.path().join("a.dump"));
    // The words round down, and the file is older than this line by a moment.
    let earlier = Timestamp::now() - SignedDuration::from_hours(5) - SignedDuration::from_mins(2);
    let measured = series.measure(earlier).unwrap();
    assert!(why(&measured).contains("5 h 1 min in the future"), "{measured:?}");
    assert_eq!(measured.value, None, "a condition on the age must not hold");
}

#[test]
fn a_folder_that_is_not_there_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["gone/*.dump", "gone/a.dump"] {
        let failure = series(&folder.path().join(path)).measure(Timestamp::now()).unwrap_err();
        assert!(failure.why.contains("gone") && failure.next.contains("mounted"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_look_that_hangs_is_not_joined_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let series = Arc::new(series(&folder.path().join("*.dump")));
    let looking = Arc::new(AtomicBool::new(true));
    let probe = FileAge { series, within: Duration::from_secs(5), looking };
    let failure = probe.run().await.unwrap_err();
    assert!(failure.why.contains("still not ended"), "{failure:?}");
    probe.looking.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        probe.run().await.unwrap();
    }
}

#[test]
fn a_dump_of_nothing_is_critical_however_many_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let series = series(&folder.path().join("*.gz"));
    for day in 1..9 {
        put(folder.path(), &format!("db-{day}.sql.gz"), 20, HOUR * 24 * day);
        let measured = measure(&series);
        assert!(
            matches!(&measured.verdict, Verdict::Critical(why) if why.contains("nothing in it")),
            "{measured:?}"
        );
    }
    put(folder.path(), "db-9.sql.gz", 5000, HOUR);
    assert_eq!(measure(&series).verdict, Verdict::Good);
}

#[test]
fn a_file_that_grows_does_not_count_before_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let series = series(&folder.path().join("*.dump"));
    for day in 1..4 {
        put(folder.path(), &format!("db-{day}.dump"), 4000, HOUR * 24 * day);
    }
    assert_eq!(hours(&measure(&series)), 24.0);
    for bytes in [1000, 2500, 4000] {
        put(folder.path(), "db-new.dump", bytes, Duration::ZERO);
        let measured = measure(&series);
        assert_eq!((hours(&measured), measured.verdict.clone()), (24.0, Verdict::Good), "{measured:?}");
        assert!(measured.summary.ends_with("; db-new.dump is being written"), "{measured:?}");
        assert_eq!(measured.text("unfinished"), Some("db-new.dump"));
    }
    assert_eq!(hours(&measure(&series)), 0.0, "as it was at the look before");
    // It died before its end: what is left is smaller than usual.
    put(folder.path(), "db-new.dump", 2500, HOUR);
    measure(&series);
    assert!(why(&measure(&series)).contains("38 % smaller than usual"));
}

#[test]
fn the_only_file_while_it_is_written_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first.dump", 400, Duration::ZERO);
    let series = series(&folder.path().join("*.dump"));
    assert!(why(&measure(&series)).contains("may still be being written"));
    assert_eq!(measure(&series).verdict, Verdict::Good);
}

#[test]
fn hidden_and_unfinished_names_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "db-old.dump", 1000, HOUR * 40);
    for name in
        [".db-new.dump.Xy12", "db.dump.tmp", "db.dump.part", "db.dump.partial", "db.dump~", "db.filepart"]
    {
        put(folder.path(), name, 900, HOUR);
    }
    assert_eq!(hours(&measure(&series(&folder.path().join("*")))), 40.0);
    assert_eq!(hours(&measure(&series(&folder.path().join("*.part")))), 1.0, "where the plan names them");
}

#[test]
fn other_programs_unfinished_names_and_what_is_written_beside_a_backup_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "db-old.dump.gz", 1000, HOUR * 40);
    let ends = "inprogress unfinished writing wip new lock aria2 sha256 md5 asc sig json manifest log";
    for end in ends.split(' ') {
        put(folder.path(), &format!("db-new.dump.gz.{end}"), 900, HOUR);
    }
    let more = "tmp.gz partial.gz download uploading copying incoming failed broken corrupt sha sha512sum sig.txt ok done meta";
    for end in more.split(' ') {
        put(folder.path(), &format!("db-newer.dump.{end}"), 900, HOUR);
    }
    put(folder.path(), "db-new.dump_tmp", 900, HOUR);
    put(folder.path(), "db-new.gz.tmp2", 900, HOUR);
    assert_eq!(hours(&measure(&series(&folder.path().join("db*")))), 40.0);
    put(folder.path(), "db-new.dump.gz", 900, HOUR * 2);
    assert_eq!(hours(&measure(&series(&folder.path().join("db*")))), 2.0);
    assert_eq!(hours(&measure(&series(&folder.path().join("db*.json")))), 1.0, "where the plan names them");
}

#[test]
fn a_date_in_the_name_is_the_time_of_the_backup_where_the_plan_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // Copied without its time, as the newest by its own.
    put(folder.path(), "db-2026-10-01.dump", 1000, HOUR);
    put(folder.path(), &format!("db-{}.dump", day(HOUR * 20)), 1000, HOUR * 20);
    let by_name = measure(&series(&folder.path().join("db-%Y-%m-%d.dump")));
    assert_eq!((hours(&by_name), by_name.verdict.clone()), (20.0, Verdict::Good), "{by_name:?}");
    fs::remove_file(folder.path().join(format!("db-{}.dump", day(HOUR * 20)))).unwrap();
    let old = measure(&series(&folder.path().join("db-%Y-%m-%d.dump")));
    assert!(hours(&old) > 1300.0 && why(&old).contains("touched or copied"), "{old:?}");
}

#[test]
fn a_touched_file_is_noticed_where_nothing_says_that_the_name_has_a_date() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["db-2026-10-01.dump", "db_20261001T0230.dump", "2026-10-01/db.dump"] {
        put(folder.path(), name, 1000, HOUR);
        let pattern = if name.contains('/') { "*/db.dump" } else { "db*.dump" };
        let measured = measure(&series(&folder.path().join(pattern)));
        assert!(
            why(&measured).contains("2026-10-01") && why(&measured).contains("touched or copied"),
            "{measured:?}"
        );
        if !name.contains('/') {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    for name in
        [format!("db-{}.dump", day(HOUR * 24)), "db-20261301.dump".into(), "db-1234567890123.dump".into()]
    {
        put(folder.path(), &name, 1000, HOUR);
        assert_eq!(measure(&series(&folder.path().join(&name))).verdict, Verdict::Good, "{name}");
    }
}

#[test]
fn folders_are_backups_where_they_are_what_matches() {
    let folder = tempfile::tempdir().unwrap();
    for (name, age) in [("20260101F", 50), ("20260102F", 26)] {
        put(folder.path(), &format!("{name}/toc.dat"), 1000, HOUR * age);
        put(folder.path(), &format!("{name}/data/1.dat"), 9000, HOUR * (age + 1));
    }
    std::os::unix::fs::symlink(folder.path().join("20260101F"), folder.path().join("latest")).unwrap();
    let without_dates = |pattern: &str| {
        let mut series = series(&folder.path().join(pattern));
        series.dates_in_names = false;
        measure(&series)
    };
    let measured = without_dates("*");
    assert_eq!((hours(&measured), measured.number("size_bytes")), (26.0, Some(10_000.0)), "{measured:?}");
    assert_eq!(measured.number("count"), Some(2.0));
    // Beside files a folder is something else, unless it is asked for.
    put(folder.path(), "backup.info", 10, HOUR * 90);
    assert_eq!(hours(&without_dates("*")), 90.0);
    assert_eq!(hours(&without_dates("*/")), 26.0);
    assert_eq!(hours(&without_dates("*/toc.dat")), 26.0);
}

#[test]
fn a_backup_of_several_parts_is_as_old_as_its_oldest_and_lacks_none() {
    let folder = tempfile::tempdir().unwrap();
    let of = |names: &[&str]| {
        let text = |name: &&str| Param::Text(folder.path().join(name).to_string_lossy().into_owned());
        let also = Param::List(names[1..].iter().map(text).collect());
        let params = [("path".to_owned(), text(&names[0])), ("also".to_owned(), also)];
        measure(&Series::of(&Params(params.into_iter().collect())).unwrap())
    };
    put(folder.path(), "mongo-a.gz", 1000, HOUR);
    put(folder.path(), "influx/a/db.tar", 1000, HOUR * 30);
    let names = ["mongo-*.gz", "influx/*/db.tar"];
    assert_eq!(hours(&of(&names)), 30.0);
    assert_eq!(hours(&of(&[names[1], names[0]])), 30.0);
    let lacking = of(&[names[0], "influx/*/meta.tar", names[1]]);
    assert!(matches!(&lacking.verdict, Verdict::Critical(why) if why.contains("meta.tar")), "{lacking:?}");
    assert_eq!(lacking.value, None);
}
