//! A message as an email. All headers go through the encoder: no line break of a subject or a name gets into them.

use crate::base::text::clean;
use crate::core::prose::message::clean_lines;
use crate::core::words::notification::{Again, Intent, Undelivered};
use crate::kinds::channel::{Outgoing, text};
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::SystemTime;

/// The longest subject, in characters.
const SUBJECT_LIMIT_CHARS: usize = 200;
/// The longest text, in characters.
const BODY_LIMIT_CHARS: usize = 100_000;
/// The longest name of a recipient, in characters.
const NAME_LIMIT_CHARS: usize = 80;
/// How much of the key's digest names the message, in bytes.
const ID_BYTES: usize = 16;

/// A message ready to go.
pub(super) struct Composed {
    pub(super) to: Address,
    /// Headers and text, ASCII only.
    pub(super) content: Vec<u8>,
    pub(super) message_id: String,
    /// The Message-ID that the incident's next one refers to.
    pub(super) thread: String,
    /// What was left out.
    pub(super) cut: String,
}

/// Makes the email of a message. The same message gives the same email, whenever it is made.
pub(super) fn compose(
    outgoing: &Outgoing,
    from: &Mailbox,
    reply_to: Option<&Mailbox>,
) -> Result<Composed, Undelivered> {
    let to = recipient(outgoing)?;
    let message_id = message_id(outgoing, from.email.domain());
    let first = outgoing.thread.clone().filter(|thread| is_message_id(thread) && *thread != message_id);
    let fitted = text::body(&outgoing.message, BODY_LIMIT_CHARS);
    let mut mail = Message::builder()
        .from(from.clone())
        .to(to.clone())
        .date(SystemTime::from(outgoing.queued_at))
        .message_id(Some(message_id.clone()))
        .subject(text::line(&clean(&outgoing.message.subject, SUBJECT_LIMIT_CHARS), SUBJECT_LIMIT_CHARS))
        // RFC 3834: nobody's holiday notice shall answer.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if let Some(reply_to) = reply_to {
        mail = mail.reply_to(reply_to.clone());
    }
    if let Some(first) = &first {
        mail = mail.in_reply_to(first.clone()).references(first.clone());
    }
    if outgoing.intent == Intent::Page {
        mail = mail.raw_header(header("X-Priority", "1")).raw_header(header("Importance", "high"));
    }
    // Lines without what could steer a terminal that shows the mail.
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(clean_lines(&fitted.text));
    let mail = mail.singlepart(text).map_err(|error| unfit(&error.to_string()))?;
    let thread = first.unwrap_or_else(|| message_id.clone());
    let mut content = mail.formatted();
    // The end of the last line belongs to what ends the mail.
    if content.ends_with(b"\r\n") {
        content.truncate(content.len() - 2);
    }
    Ok(Composed { to: to.email, content, message_id, thread, cut: fitted.cut })
}

fn recipient(outgoing: &Outgoing) -> Result<Mailbox, Undelivered> {
    let address = outgoing.address.as_deref().unwrap_or_default().trim();
    let email: Address = address.parse().map_err(|error: lettre::address::AddressError| {
        unfit(&format!("{:?} is no address for emails ({error})", clean(address, NAME_LIMIT_CHARS)))
    })?;
    let name = clean(&outgoing.recipient, NAME_LIMIT_CHARS);
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty() && *name != address), email))
}

fn message_id(outgoing: &Outgoing, domain: &str) -> String {
    let mut id = String::from("<lifeboat.");
    for byte in Sha256::digest(outgoing.key.as_bytes()).iter().take(ID_BYTES) {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    format!("{id}@{domain}>")
}

/// Whether a thread is one that this kind began.
fn is_message_id(thread: &str) -> bool {
    let inner = thread.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>'))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn unfit(why: &str) -> Undelivered {
    Undelivered {
        why: why.to_owned(),
        next: "Correct the contact's `email` in the plan, or tell them otherwise.".into(),
        again: Again::Never,
    }
}
