//! A question to a name server and what its answer comes to (RFC 1035, section 4).

use std::fmt;

/// Bytes of a message before its question.
const HEADER: usize = 12;
/// The type of a start of authority.
const SOA: u16 = 6;

/// The kinds of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// IPv4.
    A = 1,
    /// IPv6.
    Aaaa = 28,
}

/// What an answer comes to, for a name of which no address is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// NXDOMAIN.
    NoSuchName,
    /// The name is there, and no such record; whoever has the authority says so (RFC 2308, section 2.2).
    NoneOfIt,
    /// The same without anybody's authority, as a server answers that only points on.
    Empty,
    /// There is such a record.
    Some,
    /// It did not fit.
    Cut,
    /// SERVFAIL.
    Failed,
    /// NOTIMP.
    NotImplemented,
    /// REFUSED.
    Refused,
    /// Another response code.
    Other(u8),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::NoSuchName => "NXDOMAIN, there is no such name",
            Self::NoneOfIt => "that it has no address",
            Self::Empty => "nothing, empty and not authoritative",
            Self::Some => "with an address",
            Self::Cut => "what did not fit and was cut",
            Self::Failed => "SERVFAIL, it failed itself",
            Self::NotImplemented => "NOTIMP, it does not do that",
            Self::Refused => "REFUSED, it does not serve this host",
            Self::Other(1) => "FORMERR, it cannot read the question",
            Self::Other(6) => "YXDOMAIN, which is none to a question",
            Self::Other(7) => "YXRRSET, which is none to a question",
            Self::Other(8) => "NXRRSET, which is none to a question",
            Self::Other(9) => "NOTAUTH, it is not in charge",
            Self::Other(10) => "NOTZONE, which is none to a question",
            Self::Other(code) => return write!(f, "with response code {code}"),
        };
        f.write_str(words)
    }
}

/// A question for the addresses of one kind, with the wish that it be answered for good (recursion).
///
/// # Errors
/// When it is no DNS name, in words.
pub(super) fn question(id: u16, name: &str, kind: Kind) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::from(id.to_be_bytes());
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        match u8::try_from(label.len()) {
            Ok(length @ 1..=63) if label.is_ascii() => bytes.push(length),
            _ => return Err("it is no name that name servers can be asked for".to_owned()),
        }
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, kind as u8, 0, 1]);
    Ok(bytes)
}

/// What `bytes` answer to the question; none where they answer another one, or are no answer.
pub(super) fn answer(bytes: &[u8], question: &[u8]) -> Option<Said> {
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let [flags, questions, answers, authorities] = [number(2)?, number(4)?, number(6)?, number(8)?];
    let asked = bytes.get(HEADER..question.len());
    let is_same = asked.is_some_and(|asked| asked.eq_ignore_ascii_case(&question[HEADER..]));
    // A server that cannot read the question need not repeat it.
    let is_answer = bytes[..2] == question[..2] && flags & 0x8000 != 0 && (questions == 0 || is_same);
    if !is_answer {
        return None;
    }
    let is_authoritative = flags & 0x0400 != 0;
    Some(match flags & 0xf {
        0 if flags & 0x0200 != 0 => Said::Cut,
        0 if !is_same => Said::Empty,
        0 => {
            let asked_for = u16::from(question[question.len() - 3]);
            let kinds = kinds(bytes, question.len(), usize::from(answers) + usize::from(authorities))?;
            let (answers, authorities) = kinds.split_at(usize::from(answers));
            match (answers.contains(&asked_for), authorities.contains(&SOA)) {
                (true, _) => Said::Some,
                (false, with_authority) if is_authoritative || with_authority => Said::NoneOfIt,
                _ => Said::Empty,
            }
        }
        2 => Said::Failed,
        3 => Said::NoSuchName,
        4 => Said::NotImplemented,
        5 => Said::Refused,
        // Four bits.
        code => Said::Other(code as u8),
    })
}

/// The types of so many records from `at` on; none where they are not all there.
fn kinds(bytes: &[u8], mut at: usize, count: usize) -> Option<Vec<u16>> {
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let mut found = Vec::new();
    for _ in 0..count {
        at = after_name(bytes, at)?;
        found.push(number(at)?);
        // Type, class, time to live, length, and what it is long.
        at += 10 + usize::from(number(at + 8)?);
        if at > bytes.len() {
            return None;
        }
    }
    Some(found)
}

/// Where a name ends: at its last label, or at a pointer to labels elsewhere.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(flags: u16, answers: u8, authorities: u8, records: &[u8]) -> Option<Said> {
        let question = question(7, "api.example.com", Kind::A).unwrap();
        let mut bytes = question.clone();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        (bytes[7], bytes[9]) = (answers, authorities);
        bytes.extend(records);
        answer(&bytes, &question)
    }

    const ALIAS: &[u8] = &[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 1, b'x', 0];
    const ADDRESS: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
    const AUTHORITY: &[u8] = &[0xc0, 16, 0, 6, 0, 1, 0, 0, 0, 60, 0, 0];

    #[test]
    fn an_alias_without_an_address_is_none_by_authority_only() {
        assert_eq!(answered(0x8180, 1, 0, ALIAS), Some(Said::Empty));
        assert_eq!(answered(0x8180, 1, 1, &[ALIAS, AUTHORITY].concat()), Some(Said::NoneOfIt));
        assert_eq!(answered(0x8180, 2, 0, &[ALIAS, ADDRESS].concat()), Some(Said::Some));
        assert_eq!(answered(0x8183, 1, 0, ALIAS), Some(Said::NoSuchName), "what it points at is gone");
    }

    #[test]
    fn what_is_no_answer_or_ends_early_says_nothing() {
        assert_eq!(answered(0x0183, 0, 0, &[]), None, "a question");
        assert_eq!(answered(0x8180, 1, 0, &ADDRESS[..9]), None);
        assert_eq!(answered(0x8180, 1, 0, &[0x80]), None);
        let question = question(7, "api.example.com", Kind::A).unwrap();
        for length in 0..question.len() {
            assert_eq!(answer(&question[..length], &question), None);
        }
        for name in ["", "a..b", "bücher.example", &"x".repeat(64)] {
            assert!(super::question(7, name, Kind::A).is_err(), "{name}");
        }
    }
}
