//! `s3-latest` against the emulator.

use crate::aws::{Emulator, Fault, FaultProxy, Match, Times};
use crate::probing::{Site, number, text};
use lifeboat::core::words::reading::{Field, Verdict};
use serde_json::json;

const BUCKET: &str = "s3 = client('s3', 'us-west-2')\n\
    s3.create_bucket(Bucket='backups', CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})\n";
const PROBE: &str = "kind = \"s3-latest\"\nregion = \"dr\"\nbucket = \"backups\"\nprefix = \"db/\"\n";
const SHA_OF_TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An emulator with a bucket and what a script puts there with `s3`.
fn emulator(script: &str) -> Emulator {
    let emulator = Emulator::start();
    emulator.boto(&format!("{BUCKET}{script}"));
    emulator
}

fn measure(emulator: &Emulator, keys: &str) -> lifeboat::core::words::reading::Measurement {
    Site::of(&emulator.endpoint()).measure(&format!("{PROBE}{keys}"))
}

#[test]
fn the_newest_object_counts_and_is_measured_against_those_before_it() {
    let emulator = emulator(
        "for n in range(1, 5): s3.put_object(Bucket='backups', Key=f'db/{n}.dump', Body=b'x' * 1000 * n)\n\
         s3.put_object(Bucket='backups', Key='db/', Body=b'')\n\
         s3.put_object(Bucket='backups', Key='db/new.log', Body=b'x')\n\
         s3.put_object(Bucket='backups', Key='other/new.dump', Body=b'x')\n",
    );
    let ages = json!({"s3://backups/db/1.dump": 90_000, "s3://backups/db/2.dump": 3 * 86_400,
        "s3://backups/db/3.dump": 4 * 86_400, "s3://backups/db/4.dump": 5 * 86_400});
    emulator.control(json!({"ages": ages}));
    let measured = measure(&emulator, "suffix = \".dump\"\n");
    assert_eq!(text(&measured, "key"), "db/1.dump");
    assert!((90_000.0..90_100.0).contains(&measured.value.unwrap()), "{measured:?}");
    assert_eq!(measured.verdict, Verdict::Warn("67 % smaller than usual (3.0 kB)".into()));
    assert_eq!([number(&measured, "size_bytes"), number(&measured, "previous_size_bytes")], [1000.0, 2000.0]);
    assert_eq!(number(&measured, "count"), 4.0);
    assert_eq!(measure(&emulator, "suffix = \".dump\"\nsize_drop = 80\n").verdict, Verdict::Good);
    let small = measure(&emulator, "suffix = \".dump\"\nmin_size = \"2 kB\"\n");
    assert_eq!(small.verdict, Verdict::Critical("only 1.0 kB, at least 2.0 kB expected".into()));
}

#[test]
fn nothing_under_the_prefix_is_critical_and_no_bucket_is_unknown() {
    let emulator = emulator("");
    let nothing = measure(&emulator, "");
    assert_eq!(nothing.verdict, Verdict::Critical("no object matches s3://backups/db/*".into()));
    assert_eq!(nothing.value, None);
    let elsewhere = PROBE.replace("\"backups\"", "\"nobodys-backups\"");
    let failure = Site::of(&emulator.endpoint()).fail(&elsewhere);
    assert!(
        failure.why.contains("s3://nobodys-backups/db/") && failure.why.contains("NoSuchBucket"),
        "{failure:?}"
    );
    emulator.control(json!({"deny": ["s3:ListObjectsV2"]}));
    let failure = Site::of(&emulator.endpoint()).fail(PROBE);
    assert!(failure.next.contains("Grant `s3:ListBucket`"), "{failure:?}");
}

#[test]
fn an_object_that_may_not_be_read_still_has_an_age() {
    let emulator = emulator("s3.put_object(Bucket='backups', Key='db/a', Body=b'x')\n");
    emulator.control(json!({"deny": ["s3:HeadObject"]}));
    let measured = measure(&emulator, "");
    let why = measured.verdict.why().unwrap();
    assert!(matches!(measured.verdict, Verdict::Warn(_)) && why.contains("Grant `s3:GetObject`"), "{why}");
    assert!(measured.value.is_some_and(|age_s| age_s < 100.0));
}

#[test]
fn encryption_class_and_replication_are_read() {
    let emulator = emulator(
        "s3.create_bucket(Bucket='copies', CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})\n\
         for b in ('backups', 'copies'):\n    s3.put_bucket_versioning(Bucket=b, VersioningConfiguration={'Status': 'Enabled'})\n\
         rule = {'ID': 'all', 'Status': 'Enabled', 'Priority': 1, 'Filter': {'Prefix': 'db/'}, \
         'DeleteMarkerReplication': {'Status': 'Disabled'}, 'Destination': {'Bucket': 'arn:aws:s3:::copies'}}\n\
         s3.put_bucket_replication(Bucket='backups', ReplicationConfiguration={'Role': 'arn:aws:iam::1:role/r', 'Rules': [rule]})\n",
    );
    emulator.set_up(
        "s3 = client('s3', 'us-west-2')\n\
         s3.put_object(Bucket='backups', Key='db/a', Body=b'x', ServerSideEncryption='aws:kms', \
         SSEKMSKeyId='arn:aws:kms:us-west-2:123456789012:key/k', StorageClass='STANDARD_IA')\n",
    );
    let measured = measure(&emulator, "");
    assert_eq!(measured.verdict, Verdict::Good);
    assert_eq!(text(&measured, "encryption"), "aws:kms");
    assert!(text(&measured, "kms_key").ends_with("key/k"));
    assert_eq!(
        [text(&measured, "storage_class"), text(&measured, "replication_status")],
        ["STANDARD_IA", "COMPLETED"]
    );
    assert!(!text(&measured, "version").is_empty());
    let checks = "bucket_checks = [\"replication\", \"policy\", \"encryption\"]\n";
    let measured = measure(&emulator, checks);
    assert_eq!(text(&measured, "bucket_replication"), "to arn:aws:s3:::copies");
    assert_eq!(text(&measured, "bucket_policy"), "none");

    emulator.boto(
        "s3 = client('s3', 'us-west-2')\n\
         for v in s3.list_object_versions(Bucket='copies').get('Versions', []):\n    \
         s3.delete_object(Bucket='copies', Key=v['Key'], VersionId=v['VersionId'])\n\
         s3.delete_bucket(Bucket='copies')\n",
    );
    emulator.set_up("client('s3', 'us-west-2').put_object(Bucket='backups', Key='db/b', Body=b'x')\n");
    let failed = measure(&emulator, "");
    assert_eq!((text(&failed, "key"), text(&failed, "replication_status")), ("db/b", "FAILED"));
    assert_eq!(failed.verdict, Verdict::Warn("its replication failed".into()));
}

#[test]
fn missing_settings_of_the_bucket_are_warnings_and_denied_ones_name_the_permission() {
    let emulator = emulator("s3.put_object(Bucket='backups', Key='db/a', Body=b'x')\n");
    let replication = measure(&emulator, "bucket_checks = [\"replication\"]\n");
    assert_eq!(replication.verdict, Verdict::Warn("the bucket is not replicated".into()));
    assert_eq!(text(&replication, "bucket_replication"), "none");
    emulator.boto(
        "client('s3', 'us-west-2').put_bucket_encryption(Bucket='backups', ServerSideEncryptionConfiguration={'Rules': [\
         {'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': 'k-1'}}]})",
    );
    let encrypted = measure(&emulator, "bucket_checks = [\"encryption\"]\n");
    assert_eq!(
        (text(&encrypted, "bucket_encryption"), encrypted.verdict.clone()),
        ("aws:kms k-1", Verdict::Good)
    );
    emulator.control(json!({"deny": ["s3:GetBucketEncryption"]}));
    let denied = measure(&emulator, "bucket_checks = [\"encryption\"]\n");
    assert!(denied.verdict.why().unwrap().contains("s3:GetEncryptionConfiguration"), "{denied:?}");
}

#[test]
fn metadata_is_compared_with_what_s3_computed() {
    let put = |key: &str, sha: &str| {
        format!(
            "s3.put_object(Bucket='backups', Key='db/{key}', Body=b'test', ChecksumAlgorithm='SHA256', Metadata={{'sha256': '{sha}'}})\n"
        )
    };
    let emulator = emulator(&put("good", SHA_OF_TEST));
    let good = measure(&emulator, "checksum = \"metadata\"\n");
    assert_eq!((good.verdict.clone(), text(&good, "checksum")), (Verdict::Good, "matches: S3's SHA-256"));
    // S3 tells the time of an object in whole seconds.
    emulator.control(serde_json::json!({"ages": {"s3://backups/db/good": 60}}));
    emulator.boto(&format!("s3 = client('s3', 'us-west-2')\n{}", put("bad", &SHA_OF_TEST.replace('9', "8"))));
    let bad = measure(&emulator, "checksum = \"metadata\"\n");
    assert_eq!(text(&bad, "key"), "db/bad");
    assert!(
        matches!(&bad.verdict, Verdict::Critical(why) if why.contains("damaged or not what was put there"))
    );
    assert_eq!(bad.fields["checksum_matches"], Field::Flag(false));
    let lacking = measure(&emulator, "checksum = \"metadata\"\nmetadata_key = \"digest\"\n");
    assert!(
        matches!(&lacking.verdict, Verdict::Warn(why) if why.contains("no metadata `digest`")),
        "{lacking:?}"
    );
    assert_eq!(text(&measure(&emulator, "checksum = \"s3\"\n"), "checksum"), "kept: SHA-256");
}

#[test]
fn a_digest_object_is_compared_and_is_no_backup_itself() {
    let emulator = emulator(&format!(
        "s3.put_object(Bucket='backups', Key='db/a.dump', Body=b'test', ChecksumAlgorithm='SHA256')\n\
         s3.put_object(Bucket='backups', Key='db/a.dump.sha256', Body=b'{SHA_OF_TEST}  a.dump\\n')\n"
    ));
    let good = measure(&emulator, "checksum = \"digest\"\n");
    assert_eq!((text(&good, "key"), number(&good, "count")), ("db/a.dump", 1.0));
    assert_eq!((good.verdict.clone(), text(&good, "checksum")), (Verdict::Good, "matches: S3's SHA-256"));
    emulator.boto(
        "client('s3', 'us-west-2').put_object(Bucket='backups', Key='db/a.dump.sha256', Body=b'0' * 64)",
    );
    let bad = measure(&emulator, "checksum = \"digest\"\n");
    assert!(matches!(bad.verdict, Verdict::Critical(_)), "{bad:?}");
    emulator.boto("client('s3', 'us-west-2').delete_object(Bucket='backups', Key='db/a.dump.sha256')");
    let lacking = measure(&emulator, "checksum = \"digest\"\n");
    let why = lacking.verdict.why().unwrap();
    assert!(why.contains("not compared: there is no db/a.dump.sha256"), "{why}");
}

#[test]
fn a_small_object_is_read_once_where_s3_keeps_no_sha256() {
    let emulator = emulator(&format!(
        "s3.put_object(Bucket='backups', Key='db/a', Body=b'test', Metadata={{'sha256': '{SHA_OF_TEST}'}})\n"
    ));
    let never = measure(&emulator, "checksum = \"metadata\"\n");
    assert!(matches!(&never.verdict, Verdict::Warn(why) if why.contains("download_up_to")), "{never:?}");
    emulator.forget_calls();
    let site = Site::of(&emulator.endpoint());
    let probes = site.probes(&[&format!("{PROBE}checksum = \"metadata\"\ndownload_up_to = \"1 kB\"\n")]);
    for _ in 0..2 {
        let read = site.run(&*probes[0]).unwrap();
        assert_eq!(text(&read, "checksum"), "matches: the SHA-256 of what is there");
        assert_eq!(read.verdict, Verdict::Good);
    }
    assert_eq!(emulator.calls()["s3:GetObject@us-west-2"], 1, "{:?}", emulator.calls());
    emulator.boto(&format!(
        "client('s3', 'us-west-2').put_object(Bucket='backups', Key='db/a', Body=b'tset', Metadata={{'sha256': '{SHA_OF_TEST}'}})"
    ));
    let changed = site.run(&*probes[0]).unwrap();
    assert!(matches!(changed.verdict, Verdict::Critical(_)), "another object is read again: {changed:?}");
}

#[test]
fn an_md5_is_compared_with_the_etag() {
    let emulator = emulator(
        "s3.put_object(Bucket='backups', Key='db/a', Body=b'test', Metadata={'md5': '098f6bcd4621d373cade4e832627b4f6'})\n",
    );
    let good = measure(&emulator, "checksum = \"metadata\"\nmetadata_key = \"md5\"\n");
    assert_eq!(text(&good, "checksum"), "matches: its ETag");
}

#[test]
fn a_prefix_of_more_than_a_page_is_walked_to_its_end() {
    let fill = "for n in range({FROM}, {TO}): s3.put_object(Bucket='backups', Key=f'db/{n:05}', Body=b'x')\n";
    let emulator = emulator(&fill.replace("{FROM}", "0").replace("{TO}", "1100"));
    emulator.control(json!({"ages": {"s3://backups/db/00007": -30}}));
    emulator.forget_calls();
    let measured = measure(&emulator, "");
    assert_eq!((number(&measured, "count"), text(&measured, "key")), (1100.0, "db/00007"));
    assert_eq!(emulator.calls()["s3:ListObjectsV2@us-west-2"], 2);
}

#[test]
fn a_throttle_and_a_cut_are_unknown_with_a_next_step() {
    let emulator = emulator("s3.put_object(Bucket='backups', Key='db/a', Body=b'x')\n");
    let proxy = FaultProxy::before(&emulator.endpoint());
    proxy.fault(Match::all(), Fault::Throttle, Times::Always);
    let failure = Site::of(&proxy.endpoint()).fail(PROBE);
    assert!(failure.next.contains("Wait half a minute"), "{failure:?}");
    proxy.clear();
    proxy.fault(Match::all(), Fault::CutBefore, Times::ONCE);
    let measured = Site::of(&proxy.endpoint()).measure(PROBE);
    assert_eq!(text(&measured, "key"), "db/a", "a read is tried twice");
    proxy.fault(Match::all(), Fault::Hang, Times::Always);
    let begun = std::time::Instant::now();
    let failure = Site::of(&proxy.endpoint()).fail(PROBE);
    assert!(begun.elapsed().as_secs() < 12 && failure.why.contains("no answer"), "{failure:?}");
}
