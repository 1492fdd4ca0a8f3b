//! `s3-put`: puts a local file or a text into S3.

mod content;

use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, BuildError, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, command, place};
use crate::providers::aws::client::{Call, Place};
use crate::providers::aws::s3::object;
use crate::providers::aws::s3::object::{ATTEMPT, Object, Place as At, Storing};
use crate::providers::clients::Clients;
use aws_sdk_s3::types::ChecksumAlgorithm;
use content::{Content, Source};
use std::path::PathBuf;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "s3-put",
    does: Does::Changes,
    simulated_target: "simulated target",
    sets: &[],
    doc: "Puts a local file or a text of the plan into S3, up to 5 GB, streamed. Its SHA-256 is computed first, shown at \
          the confirmation, checked by S3 as it arrives, and kept as the object's metadata `sha256`; a file that \
          changed after the confirmation is refused. What is there is not replaced unless `overwrite` says so. It \
          proves the object by reading size, checksum and the attempt's mark back, so that after a crash it is known \
          whether this step wrote it.",
    keys: &[
        REGION,
        object::BUCKET,
        object::KEY,
        Key::optional("file", Takes::Text, "A file on the engine's host, by its absolute path."),
        Key::optional("text", Takes::Text, "Instead of a file: the object's content."),
        Key::optional("content_type", Takes::Text, "Its media type (`application/json`)."),
        object::CLASS,
        object::SSE,
        object::KMS,
        object::OVERWRITE,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
    example: r#"[[runbooks.example.steps]]
id = "maintenance-flag"
title = "Tell the static site that we fail over"
action = "s3-put"
with.region = "us-west-2"
with.bucket = "arka-status-us-west-2"
with.key = "status.json"
with.text = '{"state": "failover"}'
with.content_type = "application/json"
with.overwrite = true
confirm = "yes"
timeout = "2m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let from = params.text("file").map_or("the plan's text".to_owned(), str::to_owned);
        format!("s3:PutObject Bucket={} Key={} Body=({from})", text("bucket"), text("key"))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let wrong = |why: &str| BuildError::Value {
        key: "file".into(),
        value: params.text("file").unwrap_or_default().into(),
        why: why.into(),
    };
    let source = match (params.text("file"), params.text("text")) {
        (Some(path), None) if path.starts_with('/') => Source::File(PathBuf::from(path)),
        (Some(_), None) => return Err(wrong("it is no absolute path")),
        (None, Some(text)) => Source::Text(text.to_owned()),
        _ => return Err(wrong("it takes either `file` or `text`")),
    };
    let text = |key: &str| params.require_text(key).map(str::to_owned);
    Ok(Box::new(Changing(Put {
        place: place(params, clients)?,
        target: At { bucket: object::bucket_of(params, "bucket")?, key: text("key")? },
        source,
        content_type: params.text("content_type").map(str::to_owned),
        storing: Storing::of(params),
    })))
}

struct Put {
    place: Place,
    target: At,
    source: Source,
    content_type: Option<String>,
    storing: Storing,
}

/// The place and the content as they are now.
struct Seen {
    there: Option<Object>,
    content: Content,
}

impl Change for Put {
    type Seen = Seen;

    fn what(&self, name: &str) -> String {
        format!("put of {name}")
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.target.url(), object::KIND)
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        let content = self.source.content().await.map_err(|why| {
            let next =
                "See that the engine's user can read the file, on the engine's host. Nothing was sent.";
            Unread::Failed(Problem::new(why, next))
        })?;
        let connection = self.place.reader().await;
        let there = object::head(&connection, &self.target).await?;
        let identity = [("content", content.words())];
        let target = object::target(&connection, &self.target, there.as_ref(), &identity).await?;
        Ok((target, Seen { there, content }))
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
        let body = self.source.stream().await.map_err(|why| {
            Failure::not_done(&*what, why, "See that the file is still there. Nothing was sent.")
        })?;
        (context.output)(&format!("sending {}", seen.content.words()));
        let connection = self.place.writer().await;
        let send = connection
            .s3()
            .put_object()
            .bucket(&self.target.bucket)
            .key(&self.target.key)
            .body(body)
            .content_length(seen.content.bytes)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(seen.content.base64())
            .metadata("sha256", seen.content.hex())
            .metadata(ATTEMPT, &context.token)
            .set_content_type(self.content_type.clone())
            .set_storage_class(self.storing.class.clone())
            .set_server_side_encryption(self.storing.sse.clone())
            .set_ssekms_key_id(self.storing.kms_key.clone());
        let send = match &seen.there {
            Some(there) => send.if_match(&there.etag),
            None => send.if_none_match("*"),
        };
        let call = Call::new("s3:PutObject", self.target.url());
        let within = context.timeout.unsigned_abs();
        let sent = connection.call_within(&call, within, send.send()).await;
        sent.map_err(|error| object::of_write(&what, &error))?;
        Ok(Done { summary: format!("{} has {}", self.target.url(), seen.content.words()) })
    }

    async fn prove(&self, expected: &Target, context: &Context) -> Result<Proof, Failure> {
        let what = format!("object {}", expected.name);
        let connection = self.place.reader().await;
        let there = object::head(&connection, &self.target).await.map_err(|error| error.not_done(&*what))?;
        let not_yet = |why: String, next: &str| Err(Failure::not_done(&*what, why, next));
        let Some(there) = there else { return not_yet("nothing is there".into(), "Retry the step.") };
        if there.attempt.as_deref() != Some(&*context.token) {
            let why = format!("what is there was not written by this attempt ({})", there.words());
            return not_yet(
                why,
                "It was not done, or somebody replaced it since: look at it, then retry or attest.",
            );
        }
        // What was confirmed, not what the file is now.
        let confirmed = expected.property("content").unwrap_or_default();
        let size_differs = !confirmed.starts_with(&format!("{} bytes", there.bytes));
        let sum_differs = there.sha256.as_ref().is_some_and(|sum| !confirmed.contains(&content::hex_of(sum)));
        if size_differs || sum_differs {
            return not_yet(
                format!("it is {}, confirmed was {confirmed}", there.words()),
                "Find out who wrote it.",
            );
        }
        let sum = match &there.sha256 {
            Some(_) => "S3's own SHA-256 is the confirmed one",
            None => "S3 tells no checksum; it checked the SHA-256 as the object arrived",
        };
        let mut evidence = vec![format!("HeadObject: {}", there.words()), sum.to_owned()];
        evidence.push("it carries this attempt's mark".into());
        evidence.extend(there.encryption.as_ref().map(|sse| format!("encryption is {sse}")));
        Ok(Proof { evidence })
    }

    fn manual(&self) -> ManualCard {
        ManualCard {
            instructions: vec![self.command()],
            check: format!(
                "`{}` shows its size and the time of now.",
                command(Some(&self.place.region), &["s3", "ls", &self.target.url()])
            ),
        }
    }
}

impl Put {
    fn call(&self) -> String {
        let only = if self.storing.overwrite { "If-Match=(what is there)" } else { "If-None-Match=*" };
        format!(
            "s3:PutObject Bucket={} Key={} Body=({}){} {only}",
            self.target.bucket,
            self.target.key,
            self.source.words(),
            self.storing.words()
        )
    }

    fn command(&self) -> String {
        let target = self.target.url();
        let file = self.source.path().map(|path| path.display().to_string());
        let mut words = vec!["s3", "cp", file.as_deref().unwrap_or("-"), &*target];
        let options = self.storing.options();
        words.extend(options.iter().map(String::as_str));
        if let Some(content_type) = &self.content_type {
            words.extend(["--content-type", content_type]);
        }
        let copy = command(Some(&self.place.region), &words);
        match &self.source {
            Source::File(_) => copy,
            Source::Text(text) => {
                let print = ["printf".to_owned(), "%s".to_owned(), text.clone()];
                format!("{} | {copy}", crate::providers::program::source::quoted(&print))
            }
        }
    }

    fn notes(&self, seen: &Seen) -> Vec<String> {
        let mut notes = vec![format!("Content: {}", seen.content.words())];
        notes.push(match &seen.there {
            None => "Nothing is at the target.".into(),
            Some(there) => format!("At the target: {}", there.words()),
        });
        let refused = self.refusal(seen).err();
        notes.extend(refused.map(|refusal| format!("This step will refuse: {}", ended(&refusal.why))));
        if self.storing.overwrite && seen.there.is_some() {
            notes.push("It REPLACES what is there; only a bucket with versions keeps the old one.".into());
        }
        notes
    }

    fn refusal(&self, seen: &Seen) -> Result<(), Problem> {
        seen.content.fits().map_err(|why| {
            let next = format!("Put it in parts by hand, then attest the step: {}", self.command());
            Problem::new(why, next)
        })?;
        object::may_write(seen.there.as_ref(), &seen.content.object(), self.storing.overwrite)
    }
}
