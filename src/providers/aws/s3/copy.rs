//! `s3-copy`: copies an object within S3.

use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, command, place};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Place};
use crate::providers::aws::probe::find;
use crate::providers::aws::s3::object;
use crate::providers::aws::s3::object::{MAX_SINGLE_BYTES, Object, Place as At, Storing};
use crate::providers::clients::Clients;
use aws_sdk_s3::types::MetadataDirective;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "s3-copy",
    does: Does::Changes,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Copies one object of up to 5 GB within S3, also to another region, without passing it through this host. The \
          source must be the one that was confirmed (its ETag), and what is at the target is not replaced unless \
          `overwrite` says so. It proves the copy by reading size, checksum or ETag, encryption and time back. A larger \
          object needs a copy in parts: the step refuses it and shows the `aws s3 cp` that does it.",
    keys: &[
        REGION,
        Key::required("source_bucket", Takes::Text, "The bucket that is read."),
        Key::required("source_key", Takes::Text, "The key of the object that is read."),
        Key::optional(
            "source_region",
            Takes::Text,
            "The source's region, where it is another one than the target's `region`.",
        ),
        object::BUCKET,
        object::KEY,
        object::CLASS,
        object::SSE,
        object::KMS,
        Key::optional(
            "metadata",
            Takes::Table(&Takes::Text),
            "Metadata of the copy, instead of the source's.",
        ),
        object::OVERWRITE,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
    example: r#"[[runbooks.example.steps]]
id = "copy-dump"
title = "Bring the last dump to the DR region"
action = "s3-copy"
with.region = "us-west-2"
with.source_region = "us-east-1"
with.source_bucket = "arka-backups-us-east-1"
with.source_key = "postgres/latest.dump"
with.bucket = "arka-backups-us-west-2"
with.key = "postgres/failover.dump"
with.sse = "aws:kms"
confirm = "yes"
timeout = "15m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        format!(
            "s3:CopyObject CopySource={}/{} Bucket={} Key={}",
            text("source_bucket"),
            text("source_key"),
            text("bucket"),
            text("key")
        )
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let to = place(params, clients)?;
    let text = |key: &str| params.require_text(key).map(str::to_owned);
    Ok(Box::new(Changing(Copy {
        from: match params.text("source_region") {
            Some(region) => find(region, "source_region", clients)?,
            None => to.clone(),
        },
        to,
        source: At { bucket: object::bucket_of(params, "source_bucket")?, key: text("source_key")? },
        target: At { bucket: object::bucket_of(params, "bucket")?, key: text("key")? },
        storing: Storing::of(params),
        metadata: params
            .table("metadata")
            .filter_map(|(name, value)| Some((name.to_owned(), value.as_text()?.to_owned())))
            .collect(),
    })))
}

struct Copy {
    from: Place,
    to: Place,
    source: At,
    target: At,
    storing: Storing,
    /// Empty to take over the source's.
    metadata: Vec<(String, String)>,
}

/// Both ends as they are now.
struct Seen {
    source: Object,
    there: Option<Object>,
}

impl Change for Copy {
    type Seen = Seen;

    fn what(&self, name: &str) -> String {
        format!("copy to {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.target.url(), object::KIND)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let (from, to) = (self.from.reader().await, self.to.reader().await);
        let (source, there) =
            tokio::join!(object::head(&from, &self.source), object::head(&to, &self.target));
        let source = source?.ok_or_else(|| {
            let call = Call::new("s3:GetObject", self.source.url());
            AwsError::new(&call, AwsErrorKind::NotFound, "there is no such object")
        })?;
        let there = there?;
        let content = [("source", self.source.url()), ("content", source.words())];
        let target = object::target(&to, &self.target, there.as_ref(), &content).await?;
        Ok((target, Seen { source, there }))
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        Shown {
            call: self.call(),
            command: self.command(),
            notes: seen.map(|seen| self.notes(seen)).unwrap_or_default(),
            undo: object::undo(&self.target, seen.map(|seen| seen.there.as_ref())),
            ..Shown::default()
        }
    }

    fn refuses(&self, seen: &Seen, _: &Context) -> Option<Problem> {
        self.refusal(seen).err()
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let Confirmed { seen, what, .. } = confirmed;
        (context.output)(&format!("copying {} bytes", seen.source.bytes));
        let connection = self.to.writer().await;
        let mut send = connection
            .s3()
            .copy_object()
            .copy_source(self.copy_source())
            .copy_source_if_match(&seen.source.etag)
            .bucket(&self.target.bucket)
            .key(&self.target.key)
            .set_storage_class(self.storing.class.clone())
            .set_server_side_encryption(self.storing.sse.clone())
            .set_ssekms_key_id(self.storing.kms_key.clone());
        send = match &seen.there {
            Some(there) => send.if_match(&there.etag),
            None => send.if_none_match("*"),
        };
        if !self.metadata.is_empty() {
            send = send
                .metadata_directive(MetadataDirective::Replace)
                .set_metadata(Some(self.metadata.iter().cloned().collect()));
        }
        let call = Call::new("s3:PutObject", self.target.url());
        // S3 copies before it answers: a gigabyte takes longer than a call does.
        let within = context.timeout.unsigned_abs();
        let sent = connection.call_within(&call, within, send.send()).await;
        sent.map_err(|error| object::of_write(&what, &error))?;
        Ok(Done { summary: format!("{} is at {}", self.source.url(), self.target.url()) })
    }

    async fn prove(&self, expected: &Target, _: &Context) -> Result<Proof, Failure> {
        let what = format!("copy at {}", expected.name);
        let (_, seen) = self.read().await.map_err(|unread| unread.not_done(&*what))?;
        let not_yet = |why: String, next: &str| Err(Failure::not_done(&*what, why, next));
        let Some(there) = &seen.there else { return not_yet("nothing is there".into(), "Retry the step.") };
        let Some(before) = expected.property("there now") else {
            return not_yet(
                "what was there before is not known".into(),
                "Compare by hand, then attest the step.",
            );
        };
        if before == there.words() {
            return not_yet(format!("what is there was there before ({before})"), "Retry the step.");
        }
        if expected.property("content") != Some(&seen.source.words()) {
            return not_yet(
                format!("the source changed since: it is {} now", seen.source.words()),
                "Compare by hand, then attest the step.",
            );
        }
        let compared = match there.same_content(&seen.source) {
            Some(true) => "checksum or ETag is the source's",
            Some(false) => {
                return not_yet(format!("it is another object: {}", there.words()), "Find out who wrote it.");
            }
            None => "its size is the source's; S3 has no checksum of both to compare",
        };
        let mut evidence = vec![format!("HeadObject: {}", there.words()), compared.to_owned()];
        evidence.extend(there.encryption.as_ref().map(|sse| format!("encryption is {sse}")));
        evidence.extend(there.class.as_ref().map(|class| format!("storage class is {class}")));
        evidence.push(format!("there before: {before}"));
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command()],
            check: format!(
                "`{}` shows the size of the source.",
                command(Some(&self.to.region), &["s3", "ls", &self.target.url()])
            ),
        }
    }
}

impl Copy {
    fn call(&self) -> String {
        let metadata = if self.metadata.is_empty() { "COPY" } else { "REPLACE" };
        let only = if self.storing.overwrite { "If-Match=(what is there)" } else { "If-None-Match=*" };
        format!(
            "s3:CopyObject CopySource={}/{} Bucket={} Key={}{} MetadataDirective={metadata} {only}",
            self.source.bucket,
            self.source.key,
            self.target.bucket,
            self.target.key,
            self.storing.words()
        )
    }

    /// `aws s3 cp` copies in parts where it has to.
    fn command(&self) -> String {
        let (source, target) = (self.source.url(), self.target.url());
        let mut words = vec!["s3", "cp", &*source, &*target, "--source-region", &*self.from.region];
        let options = self.storing.options();
        words.extend(options.iter().map(String::as_str));
        let metadata: Vec<String> =
            self.metadata.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let metadata = metadata.join(",");
        if !metadata.is_empty() {
            words.extend(["--metadata-directive", "REPLACE", "--metadata", &metadata]);
        }
        command(Some(&self.to.region), &words)
    }

    fn notes(&self, seen: &Seen) -> Vec<String> {
        let mut notes = vec![format!("Source: {}", seen.source.words())];
        notes.push(match &seen.there {
            None => "Nothing is at the target.".into(),
            Some(there) => format!("At the target: {}", there.words()),
        });
        notes.extend(
            self.refusal(seen).err().map(|refusal| format!("This step will refuse: {}", ended(&refusal.why))),
        );
        if self.storing.overwrite && seen.there.is_some() {
            notes.push("It REPLACES what is there; only a bucket with versions keeps the old one.".into());
        }
        notes
    }

    /// Why it cannot be copied as it is now.
    fn refusal(&self, seen: &Seen) -> Result<(), Problem> {
        if seen.source.bytes > MAX_SINGLE_BYTES {
            return Err(Problem::new(
                format!("{} bytes are more than the 5 GB that S3 copies in one call", seen.source.bytes),
                format!("Copy it in parts by hand, then attest the step: {}", self.command()),
            ));
        }
        object::may_write(seen.there.as_ref(), &seen.source, self.storing.overwrite)
    }

    /// Bucket and key as the header takes them: each part of the path percent-encoded.
    fn copy_source(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
        let encoded = self.source.key.bytes().map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        });
        format!("{}/{}", self.source.bucket, encoded.collect::<String>())
    }
}
