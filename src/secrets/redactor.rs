//! Clears text of every secret that was resolved or sent so far.

use std::sync::{Arc, PoisonError, RwLock};

use super::forms::{Form, forms_of, forms_of_passwords_in, percent_decoded};
use super::inside::is_secret_name;
use super::matcher::{Found, Matcher};
use super::value::{MIN_SECRET_CHARS, Secret};
use crate::base::environment::Environment;
use crate::base::output::Redact;
use crate::base::text::clean;

/// What stands for a secret when its own label would show part of another secret.
const PLAIN_MARK: &str = "[redacted]";
/// So many values are known by one label: what is renewed every hour is not kept for ever.
const VALUES_OF_A_LABEL: usize = 256;
/// Variables of the environment with a secret's name and a shorter value hold a setting.
const MIN_VARIABLE_CHARS: usize = 8;
/// Variables that can hold the address of a proxy with its password.
const PROXY_VARIABLES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "ftp_proxy"];

/// Replaces every known secret in outgoing text by `[secret NAME]`, also where it is URL-encoded, escaped, in base64 or
/// hexadecimal digits, broken by line ends, colours or what shows nothing, or cut off, and also the password alone when
/// the secret is a connection string. Clones share what they know.
///
/// Run it before [`crate::base::text::clean`], which cuts: a part that is left may be too short to be found.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

#[derive(Default)]
struct Known {
    forms: Vec<Form>,
    /// For each form the value that it is one of.
    owners: Vec<Owner>,
    /// Made when it is needed first after something was learnt.
    matcher: Option<Matcher>,
}

/// A value that was learnt.
#[derive(Clone)]
struct Owner {
    /// Later ones have higher numbers.
    number: usize,
    label: Arc<str>,
}

impl Redactor {
    /// A redactor that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret; the same value a second time is free.
    pub fn learn(&self, secret: &Secret) {
        self.learn_value(secret.label(), secret.expose());
    }

    /// Remembers what lifeboat sends to show who it is, under a name that says what it is
    /// (`AWS session token`).
    pub fn learn_value(&self, label: &str, value: &str) {
        if !self.knows(value) {
            self.remember(label, forms_of(value));
        }
    }

    /// Remembers only the passwords inside a connection string that stands in the plan: the rest of it, host
    /// and user, is no secret and is shown.
    pub fn learn_passwords_of(&self, connection_string: &str) {
        let mut forms = forms_of_passwords_in(connection_string);
        forms.retain(|form| !self.knows(&form.text));
        self.remember("plan", forms);
    }

    /// Remembers the credentials in the environment: keys and tokens of AWS and others, passwords of proxies.
    pub fn learn_environment(&self, environment: &Environment) {
        // Secrets of the plan are learnt by their own names, when they are resolved.
        let names = environment.names().filter_map(|name| name.to_str());
        for name in names.filter(|name| !name.starts_with("LIFEBOAT_SECRET_")) {
            let Some(value) = environment.get(name).and_then(|value| value.to_str()) else { continue };
            if PROXY_VARIABLES.contains(&&*name.to_lowercase()) {
                let forms = forms_of_passwords_in(value);
                self.remember(name, forms);
            } else if is_secret_name(name)
                && value.chars().count() >= MIN_VARIABLE_CHARS
                && !value.starts_with('/')
            {
                self.learn_value(name, value);
            }
        }
    }

    /// Remembers what an address of the plan shows a server: its password, and keys and tokens in its query.
    pub fn learn_address(&self, address: &str) {
        self.learn_passwords_of(address);
        for (name, value) in address
            .split_once('?')
            .into_iter()
            .flat_map(|(_, query)| query.split(['&', '#']).filter_map(|pair| pair.split_once('=')))
        {
            self.learn_header(name, value);
            self.learn_header(name, &percent_decoded(value));
        }
    }

    /// Remembers the value of a header that shows who lifeboat is (`Authorization`, `X-Api-Key`).
    pub fn learn_header(&self, name: &str, value: &str) {
        if is_secret_name(name) && value.chars().count() >= MIN_SECRET_CHARS {
            self.learn_value("plan", value);
        }
    }

    /// The text without any known secret.
    pub fn redact(&self, text: &str) -> String {
        self.redact_after("", text)
    }

    /// Asks what is known; none while nothing is.
    fn with_matcher<T>(&self, ask: impl FnOnce(&Known) -> T) -> Option<T> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.forms.is_empty() {
            return None;
        }
        if known.matcher.is_some() {
            return Some(ask(&known));
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.matcher.is_none() {
            known.matcher = Some(Matcher::new(&known.forms));
        }
        Some(ask(&known))
    }

    /// A part of an outside text for a line: without secrets, clean, and then cut, in this order.
    pub fn excerpt(&self, text: &str, max_chars: usize) -> String {
        clean(&self.redact(text), max_chars)
    }

    fn knows(&self, value: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.forms.iter().any(|form| form.text.as_str() == value)
    }

    fn remember(&self, label: &str, forms: Vec<Form>) {
        if forms.is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut same: Vec<usize> =
            known.owners.iter().filter(|owner| *owner.label == *label).map(|owner| owner.number).collect();
        same.dedup();
        if same.len() >= VALUES_OF_A_LABEL {
            known.forget(same[0]);
        }
        let number = known.owners.last().map_or(0, |owner| owner.number + 1);
        let owner = Owner { number, label: label.into() };
        known.owners.extend(std::iter::repeat_n(owner, forms.len()));
        known.forms.extend(forms);
        known.matcher = None;
    }
}

impl Redact for Redactor {
    fn redact_after(&self, before: &str, text: &str) -> String {
        self.with_matcher(|known| known.redact(before, text)).unwrap_or_else(|| text.to_owned())
    }

    fn is_begun(&self, text: &str) -> bool {
        let begun = self
            .with_matcher(|known| known.matcher.as_ref().is_some_and(|of| of.is_begun(&known.forms, text)));
        begun.unwrap_or_default()
    }
}

impl Known {
    /// All forms of a value stand beside each other.
    fn forget(&mut self, number: usize) {
        let from = self.owners.partition_point(|owner| owner.number < number);
        let until = self.owners.partition_point(|owner| owner.number <= number);
        self.owners.drain(from..until);
        self.forms.drain(from..until);
    }

    fn redact(&self, before: &str, text: &str) -> String {
        let whole = [before, text].concat();
        let Some(spans) = self.spans(&whole) else { return String::new() };
        let mut spans: Vec<Span<'_>> = spans.into_iter().filter(|span| span.end > before.len()).collect();
        if spans.is_empty() {
            return text.to_owned();
        }
        for span in &mut spans {
            (span.start, span.end) = (span.start.saturating_sub(before.len()), span.end - before.len());
        }
        for mark_with_label in [true, false] {
            let redacted = replace(text, &spans, mark_with_label);
            if self.spans(&redacted).is_some_and(|spans| spans.is_empty()) {
                return redacted;
            }
        }
        // The mark and its neighbours spell a secret again: keep nothing.
        String::new()
    }

    /// Where secrets stand in the text; overlapping ones are joined, so that no end of one is left over. None when that
    /// cannot be told.
    fn spans(&self, text: &str) -> Option<Vec<Span<'_>>> {
        let mut found = self.matcher.as_ref()?.find(&self.forms, text)?;
        // The longest first at the same place: its label names the whole.
        found.sort_by_key(|found| (found.bytes.start, std::cmp::Reverse(found.bytes.end)));
        let mut joined: Vec<Span<'_>> = Vec::new();
        for Found { bytes, form } in found {
            match joined.last_mut() {
                Some(last) if bytes.start < last.end => last.end = last.end.max(bytes.end),
                _ => {
                    let label = &self.owners[form].label;
                    joined.push(Span { start: bytes.start, end: bytes.end, label });
                }
            }
        }
        Some(joined)
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

struct Span<'a> {
    start: usize,
    end: usize,
    label: &'a str,
}

fn replace(text: &str, spans: &[Span<'_>], mark_with_label: bool) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut kept_until = 0;
    for span in spans {
        redacted.push_str(&text[kept_until..span.start]);
        match mark_with_label {
            true => {
                redacted.push_str("[secret ");
                redacted.push_str(span.label);
                redacted.push(']');
            }
            false => redacted.push_str(PLAIN_MARK),
        }
        kept_until = span.end;
    }
    redacted.push_str(&text[kept_until..]);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Origin;
    use proptest::prelude::*;

    fn redactor_of(secrets: &[(&str, &str)]) -> Redactor {
        let redactor = Redactor::new();
        for (name, value) in secrets {
            let name = name.parse().unwrap();
            redactor.learn(&Secret::new(&name, (*value).to_owned(), Origin::KernelKeyring));
        }
        redactor
    }

    #[test]
    fn the_name_stands_for_the_value() {
        let redactor = redactor_of(&[("db", "hunter22"), ("dsn", "postgres://app:s3cr%21t@db/x")]);
        assert_eq!(redactor.redact("password=hunter22;"), "password=[secret db];");
        assert_eq!(redactor.redact("auth s3cr!t failed"), "auth [secret dsn] failed");
        assert_eq!(redactor.redact("at postgres://app:s3cr%21t@db/x"), "at [secret dsn]");
        assert_eq!(redactor.redact("nothing here"), "nothing here");
    }

    #[test]
    fn basic_authentication_hides_the_password_at_every_alignment() {
        use base64::Engine;
        let redactor = redactor_of(&[("api", "correct horse battery")]);
        for user in ["", "a", "ab", "abc"] {
            let header =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:correct horse battery"));
            let redacted = redactor.redact(&format!("Basic {header}"));
            assert!(redacted.contains("[secret api]"), "{user:?}: {redacted}");
        }
    }

    #[test]
    fn a_secret_that_looks_like_its_own_mark_does_not_survive() {
        let redactor = redactor_of(&[("odd", "secret"), ("mark", "[redacted]")]);
        assert!(!redactor.redact("my secret [redacted] here").contains("secret"));
        assert!(!redactor.redact("my secret [redacted] here").contains("[redacted]"));
    }

    #[test]
    fn clones_learn_together() {
        let redactor = Redactor::new();
        let clone = redactor.clone();
        let name = "late".parse().unwrap();
        redactor.learn(&Secret::new(&name, "hunter22".into(), Origin::KernelKeyring));
        assert_eq!(clone.redact("hunter22"), "[secret late]");
    }

    #[test]
    fn what_tools_do_with_a_long_secret_does_not_hide_it() {
        use base64::Engine;
        let secret =
            "Zq7-".repeat(5) + "the quick brown fox jumps over the lazy dog 0123456789 and runs away x9";
        let redactor = redactor_of(&[("long", &secret)]);
        let engine = &base64::engine::general_purpose::STANDARD;
        for before in ["", "a", "ab"] {
            let encoded = engine.encode(format!("{before}{secret}"));
            for width in [60, 64, 76] {
                for end in ["\n", "\r\n", " ", "\\n"] {
                    let lines: Vec<&str> =
                        encoded.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
                    let redacted = redactor.redact(&lines.join(end));
                    assert!(redacted.len() < 40, "{width} {end:?}: {redacted}");
                }
                // Line by line, as output is read.
                let mut before = String::new();
                for line in encoded.as_bytes().chunks(width) {
                    let line = std::str::from_utf8(line).unwrap();
                    let redacted = redactor.redact_after(&format!("{before}\n"), line);
                    assert!(redacted.len() < 40, "{width}: {redacted}");
                    before = line.to_owned();
                }
            }
        }
        let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(redactor.redact(&digits[10..50]).contains("[secret long]"));
    }

    #[test]
    fn what_is_left_of_a_secret_where_text_was_cut_is_masked() {
        let redactor = redactor_of(&[("api", "x9Y8z7W6v5U4t3S2"), ("short", "hunter22")]);
        assert_eq!(redactor.redact("token x9Y8z7W6… is wrong"), "token [secret api]… is wrong");
        assert_eq!(redactor.redact("token hunte..."), "token [secret short]...");
        assert_eq!(redactor.redact("x9Y and more…"), "x9Y and more…");
        redactor.learn_value("dsn", "postgres://app:s3cr3t-9@db.example.com:5432/ledger");
        assert_eq!(redactor.redact("starting postgres..."), "starting postgres...");
        assert_eq!(redactor.redact("at postgres://app:s3c…"), "at [secret dsn]…");
    }

    #[test]
    fn a_secret_in_a_dump_in_entities_or_on_two_lines_of_a_shell_is_found() {
        let redactor = redactor_of(&[("short", "hunter22"), ("blanks", "my pass 1")]);
        for text in [
            "68:75:6e:74:65:72:32:32",
            "68 75 6E 74 65 72 32 32",
            "0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32, 0x32",
            "6875 6e74 6572 3232",
            "&#104;&#117;&#110;&#116;&#101;&#114;&#50;&#50;",
            "&#x68;&#x75;&#x6E;&#x74;&#x65;&#x72;&#x32;&#x32;",
            "&amp;#104;&amp;#117;&amp;#110;&amp;#116;&amp;#101;&amp;#114;&amp;#50;&amp;#50;",
            "hun\\\n  ter22",
            "h&#117;nter22",
        ] {
            let redacted = redactor.redact(&format!("it is {text}."));
            assert!(redacted.contains("[secret short]"), "{text}: {redacted}");
            assert!(redacted.len() < 40, "{text}: {redacted}");
        }
    }

    #[test]
    fn a_secret_with_blanks_is_found_where_a_line_was_broken_at_one_of_them() {
        let redactor = redactor_of(&[("blanks", "my pass 1"), ("phrase", "correct horse battery staple 9")]);
        for text in ["my\npass 1", "my pass\n1", "my\r\n    pass 1", "my pass\\\n  1", "my\npass\n1"] {
            assert_eq!(redactor.redact(&format!("it is {text}.")), "it is [secret blanks].", "{text:?}");
        }
        for text in ["correct horse\nbattery staple 9", "correct\nhorse battery\nstaple 9"] {
            assert_eq!(redactor.redact(text), "[secret phrase]", "{text:?}");
        }
        assert_eq!(redactor.redact_after("it is my\n", "pass 1."), "[secret blanks].", "line by line");
        for text in ["my\npassport 1", "this is my\npass", "a correct\nhorse"] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn a_column_that_is_too_narrow_for_a_secret_shows_none_of_it() {
        let redactor = redactor_of(&[("token", "x9Y8z7W6v5U4t3S2"), ("word", "P@ss-w0rd!2026xyz")]);
        assert_eq!(redactor.redact("x9Y8z7W6v5U4 | ok"), "[secret token] | ok");
        assert_eq!(redactor.redact("P@ss-w0rd!202 | ok"), "[secret word] | ok");
        let named =
            redactor_of(&[("host", "arka-production-db"), ("dsn", "postgres://app@db.example.com/ledger")]);
        for text in ["arka-production-web is up", "postgres://app@db.example.com/other"] {
            assert_eq!(named.redact(text), text);
        }
    }

    #[test]
    fn what_a_terminal_does_not_show_hides_no_secret() {
        let redactor = redactor_of(&[("short", "hunter22"), ("phrase", "correct horse battery staple 9")]);
        for between in [
            "\u{1b}[31m",
            "\u{9b}1;31m",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]8;;http://x.example\u{1b}\\",
            "\u{1b}(B",
            "\u{200b}",
            "\u{202e}\u{2060}",
            "\u{ad}",
            "\u{301}",
            "\u{0}",
            "x\u{8}",
            "^[[31m",
            "\\u001b[31m",
            "\\x1b[0;1m",
            "\\e[m",
            "\\033[31m",
            "\n",
            "\r\n    ",
            "\\n",
            "\u{1b}[0m\n\u{1b}[31m",
        ] {
            for (cut, secret, name) in
                [(3, "hunter22", "short"), (7, "correct horse battery staple 9", "phrase")]
            {
                let broken = format!("it is {}{between}{}.", &secret[..cut], &secret[cut..]);
                assert_eq!(redactor.redact(&broken), format!("it is [secret {name}]."), "{broken:?}");
            }
        }
        // What was cleaned before, each character on its own, and an encoding.
        assert_eq!(redactor.redact(&clean("hun\u{1b}[1mter\u{200b}22", 80)), "[secret short]");
        let dotted: String = "hunter22".chars().map(|c| format!("{c}\u{200d}")).collect();
        assert_eq!(redactor.redact(&dotted), "[secret short]\u{200d}");
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode("user:hunter22");
        let coloured = format!("{}\u{1b}[0m\n\u{1b}[32m{}", &encoded[..9], &encoded[9..]);
        assert!(!redactor.redact(&coloured).contains(&encoded[9..16]), "{}", redactor.redact(&coloured));
        assert_eq!(redactor.redact("hun\u{1b}[31mte… r"), "[secret short]… r", "cut in a coloured text");
    }

    #[test]
    fn no_spelling_of_mail_html_terminals_or_other_languages_hides_a_secret() {
        let redactor = redactor_of(&[("one", "pw12W0rd!xZ"), ("accent", "p\u{e4}ss-w\u{f6}rd9!")]);
        for spelt in [
            "pw12W0rd=21xZ",
            "=?UTF-8?Q?pw12W0rd=21xZ?=",
            "=70=77=31=32=57=30=72=64=21=78=5A",
            "pw12W=\n0rd!xZ",
            "pw12W=\r\n0rd!xZ",
            "pw12W0rd&excl;xZ",
            "pw12W0rd&#33xZ",
            "&#112&#119&#49&#50&#87&#48&#114&#100&#33&#120&#90",
            r"\0160\0167\061\062\0127\060\0162\0144\041\0170\0132",
            "%u0070%u0077%u0031%u0032%u0057%u0030%u0072%u0064%u0021%u0078%u005A",
        ] {
            let told = redactor.redact(&format!("it is {spelt} here"));
            assert!(
                told.contains("[secret one]") && !told.contains("pw12") && !told.contains("rd"),
                "{spelt}: {told}"
            );
        }
        for spelt in [
            r"p\xe4ss-w\xf6rd9!",
            r"p\344ss-w\366rd9!",
            "p%E4ss-w%F6rd9%21",
            "p=E4ss-w=F6rd9!",
            "p&auml;ss-w&ouml;rd9&excl;",
            "pM-CM-$ss-wM-CM-6rd9!",
        ] {
            let told = redactor.redact(&format!("it is {spelt} here"));
            assert!(told.contains("[secret accent]") && !told.contains("ss-w"), "{spelt}: {told}");
        }
        for text in ["lag=21 s, a=b", "M-x and A&B; 50%", "x &copy; 2026 &#169;", r"C:\0100\x"] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn ordinary_words_stay_although_they_are_coloured_or_broken() {
        let redactor =
            redactor_of(&[("short", "hunter22"), ("dsn", "postgres://app:s3cr3t-9@db.example.com/x")]);
        for text in [
            "a hunter \u{1b}[31mand 22 others",
            "postgres:\n//comment",
            "hunter\n 2 of 2",
            "C:\\new\\table 50% of it",
            "e\u{301}t\u{e9} \u{1b}[1mprimary\u{1b}[0m",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn a_secret_that_begins_at_the_end_is_known_to_be_begun() {
        let redactor = redactor_of(&[("api", "x9Y8z7W6v5U4t3S2")]);
        for text in ["it is x9Y8z7", "x9Y8z7W6v5U4t3S", "x9Y8z7\u{1b}[0m", "a x9Y\n  8z7\n"] {
            assert!(redactor.is_begun(text), "{text:?}");
        }
        for text in ["x9Y8z7W6v5U4t3S2", "x9Y8z and more", "x9Y", ""] {
            assert!(!redactor.is_begun(text), "{text:?}");
        }
    }

    #[test]
    fn a_piece_of_a_token_is_masked() {
        let token = "IQoJb3JpZ2luX2VjEHkaCXVzLWVhc3QtMSJHMEUCIQDx7m3Kq0example9Token8";
        let redactor = redactor_of(&[("aws", token)]);
        assert_eq!(redactor.redact(&format!("x {} y", &token[7..40])), "x [secret aws] y");
    }

    #[test]
    fn credentials_of_the_environment_are_known_and_its_settings_are_not() {
        let redactor = Redactor::new();
        let environment = [
            ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENG"),
            ("HTTPS_PROXY", "http://proxy:pr0xy-pass@cache.example:3128"),
            ("PGPASSWORD", "short-pg-pass"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token"),
            ("SSH_KEY", "/home/ana/.ssh/id"),
            ("AWS_REGION", "us-east-1"),
        ];
        redactor.learn_environment(&environment.into_iter().collect());
        for secret in [
            "FwoGZXIvYXdzEXAMPLE",
            "wJalrXUtnFEMIK7MDENG",
            "pr0xy-pass",
            "short-pg-pass",
            "cHJveHk6cHIweHktcGFzcw==",
        ] {
            assert!(!redactor.redact(&format!("it is {secret}.")).contains(&secret[..6]), "{secret}");
        }
        for shown in ["us-east-1", "/var/run/secrets/token", "cache.example:3128", "/home/ana/.ssh/id"] {
            assert_eq!(redactor.redact(shown), shown);
        }
    }

    #[test]
    fn ordinary_words_inside_a_secret_are_not_masked_everywhere() {
        let redactor = redactor_of(&[
            ("commonline", "primary\nx9Y8z7W6\n"),
            ("json", r#"{"engine":"postgres","mode":"primary","password":"hunter2hunter2"}"#),
        ]);
        assert_eq!(redactor.redact("the primary postgres is fine"), "the primary postgres is fine");
        assert_eq!(redactor.redact("it says hunter2hunter2"), "it says [secret json]");
        assert_eq!(redactor.redact("line x9Y8z7W6"), "line [secret commonline]");
    }

    #[test]
    fn values_that_are_renewed_for_ever_are_not_kept_for_ever() {
        let redactor = Redactor::new();
        for number in 0..VALUES_OF_A_LABEL + 20 {
            redactor.learn_value("AWS session token", &format!("tok-{number:06}-x"));
        }
        let known = redactor.known.read().unwrap();
        assert_eq!(known.owners.last().unwrap().number - known.owners[0].number + 1, VALUES_OF_A_LABEL);
        drop(known);
        assert_eq!(redactor.redact("tok-000275-x"), "[secret AWS session token]");
    }

    /// What this thread has used of a processor, see proc(5); elsewhere the time that passed.
    fn spent() -> std::time::Duration {
        static BEGUN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        let begun = *BEGUN;
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanos = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
        nanos.map_or_else(|| begun.elapsed(), std::time::Duration::from_nanos)
    }

    #[test]
    fn a_secret_as_long_as_they_may_be_is_looked_for_in_little_time() {
        let secret: String =
            (0..super::super::value::MAX_SECRET_BYTES / 8).map(|n| format!("{n:07x}z")).collect();
        let redactor = redactor_of(&[("huge", &secret)]);
        let begun = spent();
        let redacted = redactor.redact(&format!("a {secret} b"));
        let took = spent() - begun;
        assert!(redacted.len() < 60 && took.as_secs() < 20, "{took:?}");
    }

    proptest! {
        /// No secret survives, whatever stands around it and however it overlaps with others.
        #[test]
        fn no_secret_survives(
            secrets in proptest::collection::vec("[ab\\[\\]c-e%@:/ \"\\\\é\n]{4,12}", 1..4),
            around in "[ab\\[\\]c-e%@:/ \"\\\\é\n]{0,12}",
            picks in proptest::collection::vec((0usize..4, 0u8..5), 1..6),
        ) {
            use base64::Engine;
            prop_assume!(secrets.iter().all(|secret| !secret.trim().is_empty()));
            let names = ["one", "two", "three", "four"];
            let named: Vec<_> = names.iter().copied().zip(secrets.iter().map(String::as_str)).collect();
            let redactor = redactor_of(&named);
            let mut text = around.clone();
            let mut hidden = secrets.clone();
            for (pick, form) in picks {
                let secret = &secrets[pick % secrets.len()];
                let written = match form {
                    0 => secret.clone(),
                    1 => serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
                    2 => base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
                    3 => secret.bytes().map(|b| format!("%{b:02X}")).collect(),
                    _ => secret[..secret.char_indices().nth(2).unwrap().0].to_owned(),
                };
                if form == 0 || (form == 2 && written.len() >= 8) {
                    hidden.push(written.clone());
                }
                text.push_str(&written);
                if form % 2 == 0 {
                    text.push_str(&around);
                }
            }
            let redacted = redactor.redact(&text);
            for value in hidden {
                prop_assert!(!redacted.contains(&value), "{value:?} survives in {redacted:?}");
            }
        }
    }
}
