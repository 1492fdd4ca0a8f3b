use super::checksum::Digest;
use super::*;
use crate::providers::aws::client::{AwsErrorKind, Call};
use crate::testing::{clients, probe, spec};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    ChecksumType, Destination, ReplicationRule, ReplicationRuleStatus, ReplicationStatus,
    ServerSideEncryption, StorageClass,
};

const NOW: i64 = 1_800_000_000;
const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const BASE64: &str = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn latest() -> S3Latest {
    S3Latest {
        place: clients(&[]).aws.place("us-west-2").unwrap_or_else(|error| panic!("{error}")),
        series: Series {
            bucket: "b".into(),
            prefix: "db/".into(),
            suffix: String::new(),
            digest_suffix: None,
            keep: 8,
        },
        sizes: Sizes::of(&probe(KIND.example).params),
        dates_in_names: true,
        checker: Checker {
            bucket: "b".into(),
            expected: Expected::Nothing,
            download_bytes: 0,
            read: Mutex::new(None),
        },
        bucket_checks: Vec::new(),
        within: Duration::from_secs(1),
    }
}

fn listing(megabytes: &[u64]) -> Listing {
    let found = |(hours, size): (i64, &u64)| Found {
        modified: now() - SignedDuration::from_hours(hours),
        key: format!("db/{hours}.dump"),
        bytes: size * 1_000_000,
        etag: String::new(),
    };
    Listing { newest: (1..).zip(megabytes).map(found).collect(), count: megabytes.len() }
}

fn judge(listing: &Listing, looked: Option<Looked>) -> Measurement {
    latest().judge(listing, looked, &[], now())
}

fn details() -> Details {
    let answer = HeadObjectOutput::builder()
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id("arn:aws:kms:us-west-2:1:key/k")
        .storage_class(StorageClass::StandardIa)
        .replication_status(ReplicationStatus::Completed)
        .checksum_sha256(BASE64)
        .e_tag("\"d41d8cd98f00b204e9800998ecf8427e\"");
    Details::of(&answer.build())
}

#[test]
fn age_and_size_are_judged_as_for_files() {
    let measured = judge(&listing(&[100, 110, 90]), Some(Ok((details(), Checked::NotAsked))));
    assert_eq!(measured.verdict, Verdict::Good);
    assert_eq!(measured.value, Some(3600.0));
    assert_eq!(measured.number("previous_size_bytes"), Some(110e6));
    assert_eq!(measured.text("kms_key"), Some("arn:aws:kms:us-west-2:1:key/k"));
    assert_eq!(measured.text("storage_class"), Some("STANDARD_IA"));
    assert_eq!(measured.summary, "1.dump, 100.0 MB, 60 min old, aws:kms, COMPLETED");
    let small = judge(&listing(&[30, 100, 110]), None);
    assert_eq!(small.verdict, Verdict::Warn("73 % smaller than usual (110.0 MB)".into()));
    let tiny = judge(&listing(&[1, 100, 110]), None);
    assert_eq!(tiny.verdict, Verdict::Critical("only 1.0 MB, at least 10.0 MB expected".into()));
    let nothing = judge(&listing(&[]), None);
    assert_eq!(nothing.verdict, Verdict::Critical("no object matches s3://b/db/*".into()));
    assert_eq!(nothing.value, None);
}

#[test]
fn an_object_that_was_copied_onto_itself_and_an_archive_of_nothing_are_said() {
    let mut copied = listing(&[100]);
    copied.newest[0].key = "db/2026-10-01/shop.dump".into();
    let measured = judge(&copied, None);
    assert!(measured.verdict.why().unwrap().contains("touched or copied"), "{measured:?}");
    let mut empty = listing(&[100]);
    (empty.newest[0].key, empty.newest[0].bytes) = ("db/shop.sql.gz".into(), 20);
    // Without a `min_size` that would say so as well.
    let bare = S3Latest { sizes: Sizes::of(&crate::plan::params::Params(Default::default())), ..latest() };
    let measured = bare.judge(&empty, None, &[], now());
    assert!(
        matches!(&measured.verdict, Verdict::Critical(why) if why.contains("nothing in it")),
        "{measured:?}"
    );
}

#[test]
fn a_failed_replication_and_an_unseen_object_are_warnings() {
    let failed = Details { replication: Some("FAILED".into()), ..details() };
    let measured = judge(&listing(&[100]), Some(Ok((failed, Checked::NotAsked))));
    assert_eq!(measured.verdict, Verdict::Warn("its replication failed".into()));
    let denied = AwsError::new(&Call::new("s3:GetObject", "s3://b/db/1.dump"), AwsErrorKind::Denied, "no");
    let measured = judge(&listing(&[100]), Some(Err(denied)));
    assert!(measured.verdict.why().unwrap().contains("Grant `s3:GetObject`"), "{measured:?}");
    assert_eq!(measured.value, Some(3600.0), "the age was seen all the same");
}

#[test]
fn a_checksum_that_differs_is_critical_and_one_that_is_not_compared_a_warning() {
    let of = |checked| judge(&listing(&[100]), Some(Ok((details(), checked))));
    let differs = of(Checked::Differs("x".into()));
    assert!(matches!(&differs.verdict, Verdict::Critical(why) if why.starts_with("damaged")));
    assert_eq!(differs.fields["checksum_matches"], crate::core::words::reading::Field::Flag(false));
    assert!(matches!(of(Checked::NotCompared("x".into())).verdict, Verdict::Warn(_)));
    assert!(!of(Checked::Kept("SHA-256".into())).fields.contains_key("checksum_matches"));
}

#[test]
fn digests_are_read_as_programs_write_them() {
    let sha = Some(Digest::Sha256(HEX.into()));
    for text in [
        HEX.to_owned(),
        HEX.to_uppercase(),
        BASE64.into(),
        format!("{HEX}  db.dump\n"),
        format!("\\{HEX} *odd\\nname"),
        format!("SHA256 (db.dump) = {HEX}"),
    ] {
        assert_eq!(Digest::parse(&text), sha, "{text}");
    }
    assert_eq!(
        Digest::parse("d41d8cd98f00b204e9800998ecf8427e"),
        Some(Digest::Md5("d41d8cd98f00b204e9800998ecf8427e".into()))
    );
    for text in ["", "deadbeef", &HEX[1..], "<!DOCTYPE html>"] {
        assert_eq!(Digest::parse(text), None, "{text}");
    }
}

#[test]
fn only_a_checksum_of_the_whole_object_counts() {
    assert_eq!(details().sha256, Some(Digest::Sha256(HEX.into())));
    assert_eq!(details().md5, None, "with a KMS key the ETag is no MD5");
    let parts = HeadObjectOutput::builder()
        .checksum_sha256(BASE64)
        .checksum_type(ChecksumType::Composite)
        .e_tag("\"d41d8cd98f00b204e9800998ecf8427e-12\"");
    let parts = Details::of(&parts.build());
    assert_eq!((parts.sha256, parts.md5), (None, None));
    assert_eq!((parts.kept, &*parts.storage_class), (vec!["SHA-256"], "STANDARD"));
    let plain = HeadObjectOutput::builder().e_tag("\"d41d8cd98f00b204e9800998ecf8427e\"");
    assert!(Details::of(&plain.build()).md5.is_some());
}

#[test]
fn dates_in_a_prefix_are_those_of_today_and_yesterday() {
    let prefixes = |prefix: &str| {
        let series = Series { prefix: prefix.into(), ..latest().series };
        series.check().map(|()| series.prefixes("2026-11-01T00:10:00Z".parse().unwrap()))
    };
    assert_eq!(prefixes("db/%Y/%m/%d/").unwrap(), ["db/2026/11/01/", "db/2026/10/31/"]);
    assert_eq!(prefixes("db/%Y/").unwrap(), ["db/2026/"]);
    assert_eq!(prefixes("100%%/").unwrap(), ["100%/"]);
    for bad in ["db/%H/", "50%", "%q"] {
        assert!(prefixes(bad).is_err(), "{bad}");
    }
}

#[test]
fn replication_counts_when_a_rule_is_on() {
    let rule = |status| {
        let to = Destination::builder().bucket("arn:aws:s3:::copy").build().unwrap();
        ReplicationRule::builder().status(status).destination(to).build().unwrap()
    };
    let of = |rules: &[ReplicationRule]| {
        let setting = bucket::replicated(rules);
        (setting.value.unwrap(), setting.verdict == Verdict::Good)
    };
    assert_eq!(of(&[rule(ReplicationRuleStatus::Enabled)]), ("to arn:aws:s3:::copy".into(), true));
    assert_eq!(of(&[rule(ReplicationRuleStatus::Disabled)]), ("disabled".into(), false));
    assert_eq!(of(&[]), ("none".into(), false));
}

#[test]
fn a_prefix_that_is_wrong_is_told_when_the_probe_is_made() {
    let mut wrong = probe(KIND.example);
    wrong.params.0.insert("prefix".into(), crate::plan::params::Param::Text("%s".into()));
    let built = super::build(&spec(KIND.name, wrong.params, 1000), &clients(&[]));
    assert!(built.is_err_and(|error| error.to_string().contains("%Y")));
}
