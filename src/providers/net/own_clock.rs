//! Whether this host's clock can be right: servers say in their answers what time it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AGE, DATE, HeaderMap};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;
use tokio::time::Instant;

use crate::base::units;

/// Clocks that differ by less agree: a certificate is not made to end on the minute.
const AGREE: SignedDuration = SignedDuration::from_mins(5);

/// How long what a server said counts.
const COUNTS: Duration = Duration::from_secs(600);

/// Servers that are remembered, at most.
const MAX_REMEMBERED: usize = 256;

/// What to do about a clock that is wrong.
pub(crate) const NEXT_STEP: &str = "set the clock of this host right, and look at its time service (`timedatectl`, `chronyc tracking`): until then no \
     certificate can be checked, and nothing is known of the servers behind them";

/// What servers said of the time. Clones share it.
#[derive(Clone, Default)]
pub struct OwnClock(Arc<Mutex<HashMap<String, Heard>>>);

/// By how much this host's clock is off, and who says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Off {
    /// How far it is ahead, behind where negative.
    pub ahead: SignedDuration,
    /// How many servers say so.
    pub servers: usize,
}

/// What a server said, and when by the steady clock.
struct Heard {
    said: Timestamp,
    at: Instant,
}

impl OwnClock {
    /// Takes in what a server's answer says of the time: its date, and its age where it was kept on the way.
    pub(crate) fn hear(&self, server: &str, headers: &HeaderMap) {
        let Some(said) = date_of(headers) else { return };
        let mut heard = self.heard();
        if heard.len() >= MAX_REMEMBERED && !heard.contains_key(server) {
            heard.clear();
        }
        heard.insert(server.to_owned(), Heard { said, at: Instant::now() });
    }

    /// How far this host's clock is off, by what servers said lately. None where nobody said anything, or where as many
    /// agree with it as deny it in the same way: then nobody else knows better.
    pub(crate) fn off(&self, now: Timestamp) -> Option<Off> {
        let mut heard = self.heard();
        heard.retain(|_, heard| heard.at.elapsed() < COUNTS);
        let ahead = |heard: &Heard| {
            let passed = SignedDuration::try_from(heard.at.elapsed()).unwrap_or_default();
            now.duration_since(heard.said).saturating_sub(passed)
        };
        let (agreeing, mut denying): (Vec<_>, Vec<_>) =
            heard.values().map(ahead).partition(|ahead| ahead.abs() <= AGREE);
        denying.sort_unstable();
        // Servers whose clocks are wrong each in its own way show nothing.
        let along = |first: usize| {
            let rest = &denying[first..];
            &rest[..rest.partition_point(|ahead| ahead.saturating_sub(rest[0]) <= AGREE)]
        };
        let most = (0..denying.len()).map(along).max_by_key(|alike| alike.len())?;
        (most.len() > agreeing.len()).then(|| Off { ahead: most[most.len() / 2], servers: most.len() })
    }

    /// How far this host's clock is ahead, behind where negative.
    fn ahead(&self, now: Timestamp) -> Option<SignedDuration> {
        self.off(now).map(|off| off.ahead)
    }

    /// What time it is: by the servers, where this host's clock is wrong.
    pub(crate) fn right(&self, now: Timestamp) -> Timestamp {
        self.ahead(now).and_then(|ahead| now.checked_sub(ahead).ok()).unwrap_or(now)
    }

    /// Why a certificate is refused, where it would be good by the time that servers have: nothing is known of it then.
    /// The same words for all that it concerns.
    pub(crate) fn excuse(&self, fault: &rustls::Error, now: Timestamp) -> Option<String> {
        let ahead = self.ahead(now).filter(|ahead| is_explained(fault, now, *ahead))?;
        // To the nearest minute: servers tell whole seconds, so that an hour would often be 59 minutes.
        let by = SignedDuration::from_mins((ahead.abs().as_secs() + 30) / 60);
        let (by, way) = (units::age(by), if ahead.is_positive() { "ahead" } else { "behind" });
        Some(format!(
            "own clock {by} {way}: this host's clock is wrong by what servers say, and no certificate can be checked"
        ))
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<String, Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is the time that a certificate is refused for.
pub(crate) fn is_of_time(fault: &rustls::Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let rustls::Error::InvalidCertificate(fault) = fault else { return false };
    matches!(fault, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
}

/// Whether a certificate would be good by a clock that is not so far ahead.
fn is_explained(fault: &rustls::Error, now: Timestamp, ahead: SignedDuration) -> bool {
    let right = now.saturating_sub(ahead);
    let (Ok(right), rustls::Error::InvalidCertificate(fault)) = (right, fault) else { return false };
    match fault {
        CertificateError::Expired => ahead.is_positive(),
        CertificateError::NotValidYet => ahead.is_negative(),
        CertificateError::ExpiredContext { not_after, .. } => {
            ahead.is_positive() && right <= moment(*not_after)
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            ahead.is_negative() && right >= moment(*not_before)
        }
        _ => false,
    }
}

fn moment(at: UnixTime) -> Timestamp {
    i64::try_from(at.as_secs()).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(Timestamp::MAX)
}

fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?.timestamp();
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    date.checked_add(SignedDuration::from_secs(age.unwrap_or(0))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRED: rustls::Error = rustls::Error::InvalidCertificate(CertificateError::Expired);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn clock(said: &[(&str, &str, &str)]) -> OwnClock {
        let clock = OwnClock::default();
        for (server, date, age) in said {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, date.parse().unwrap());
            headers.insert(AGE, age.parse().unwrap());
            clock.hear(server, &headers);
        }
        clock
    }

    fn expired(now: &str, not_after: &str) -> rustls::Error {
        let unix = |text| UnixTime::since_unix_epoch(Duration::from_secs(at(text).as_second() as u64));
        CertificateError::ExpiredContext { time: unix(now), not_after: unix(not_after) }.into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_every_server_denies_is_wrong_and_one_against_one_shows_nothing() {
        let now = at("2028-11-29T09:00:00Z");
        let clock = clock(&[("a", "Sun, 29 Nov 2026 09:00:00 GMT", "0")]);
        let words = clock.excuse(&EXPIRED, now).unwrap();
        assert_eq!(
            words,
            "own clock 731 d ahead: this host's clock is wrong by what servers say, and no certificate can be checked"
        );
        assert_eq!(clock.ahead(at("2026-11-29T09:04:00Z")), None);
        let other = self::clock(&[("b", "Wed, 29 Nov 2028 08:58:00 GMT", "60")]);
        clock.heard().extend(other.heard().drain());
        assert_eq!(clock.excuse(&EXPIRED, now), None, "the server's own clock is wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn one_server_that_shares_the_wrong_clock_does_not_outvote_those_that_deny_it() {
        let now = at("2026-11-29T11:00:00Z");
        let (right, own) = ("Sun, 29 Nov 2026 09:00:00 GMT", "Sun, 29 Nov 2026 11:00:00 GMT");
        // A server on this host has the same clock.
        let clock = clock(&[("a", right, "0"), ("b", right, "1"), ("c", right, "2"), ("own", own, "0")]);
        let off = clock.off(now).unwrap();
        assert_eq!((off.servers, units::age(off.ahead)), (3, "119 min".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn servers_that_are_wrong_each_in_its_own_way_do_not_outvote_one_that_agrees() {
        let now = at("2026-11-29T11:00:00Z");
        let said = [
            ("a", "Sun, 29 Nov 2026 09:00:00 GMT", "0"),
            ("b", "Fri, 29 Nov 2024 09:00:00 GMT", "0"),
            ("c", "Sun, 29 Nov 2026 11:00:30 GMT", "0"),
        ];
        assert_eq!(clock(&said).off(now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_certificate_that_is_good_by_the_servers_time_is_excused() {
        let clock = clock(&[("a", "Sun, 29 Nov 2026 09:00:00 GMT", "0")]);
        let now = "2026-11-30T09:00:00Z";
        assert!(clock.excuse(&expired(now, "2026-11-29T12:00:00Z"), at(now)).is_some());
        assert_eq!(
            clock.excuse(&expired(now, "2026-11-28T12:00:00Z"), at(now)),
            None,
            "it ended by any clock"
        );
        let behind = "2026-11-01T00:00:00Z";
        assert_eq!(clock.excuse(&expired(behind, "2026-10-28T12:00:00Z"), at(behind)), None);
        let not_yet = rustls::Error::InvalidCertificate(CertificateError::NotValidYet);
        assert!(clock.excuse(&not_yet, at(behind)).unwrap().contains("28 d behind"));
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(clock.excuse(&unknown, at(behind)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_is_carried_on_by_the_steady_clock_and_counts_for_a_while() {
        let clock = clock(&[("a", "Sun, 29 Nov 2026 08:00:00 GMT", "3600")]);
        tokio::time::advance(Duration::from_secs(300)).await;
        assert_eq!(clock.ahead(at("2026-11-29T09:05:00Z")), None, "an answer that was kept for an hour");
        assert_eq!(clock.ahead(at("2026-11-29T10:05:00Z")), Some(SignedDuration::from_hours(1)));
        assert_eq!(clock.right(at("2026-11-29T10:05:00Z")), at("2026-11-29T09:05:00Z"));
        assert_eq!(clock.right(at("2026-11-29T09:06:00Z")), at("2026-11-29T09:06:00Z"), "it agrees");
        tokio::time::advance(Duration::from_secs(301)).await;
        assert_eq!(clock.ahead(at("2026-11-29T10:10:01Z")), None);
    }
}
