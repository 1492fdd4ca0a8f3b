//! A head that somebody noted: whole, as `lifeboat journal verify` prints it, or spoken, as messages carry it.

use std::fmt;
use std::str::FromStr;

use super::record::Head;
use crate::journal::spoken;

/// What a witness keeps of a head: its number, and its checksum or the begin of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Sequence number of the record; 0 for an empty journal.
    pub seq: u64,
    /// The checksum's hexadecimal digits as far as they were noted.
    digits: String,
}

impl Noted {
    /// Whether a record is the one that was noted.
    pub fn is(&self, head: &Head) -> bool {
        self.seq == head.seq && head.checksum.starts_with(&self.digits)
    }

    /// How many bits of the checksum were noted, where not all.
    pub fn partial_bits(&self) -> Option<usize> {
        (self.digits.len() < super::line::CHECKSUM_LENGTH).then_some(self.digits.len() * 4)
    }
}

impl From<&Head> for Noted {
    fn from(head: &Head) -> Self {
        Self { seq: head.seq, digits: head.checksum.clone() }
    }
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partial_bits() {
            Some(_) => write!(f, "{}", spoken::spoken(&self.digits)),
            None => f.write_str(&self.digits),
        }
    }
}

impl FromStr for Noted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.trim().trim_start_matches('#');
        let Some((seq, words)) = plain.split_once(char::is_whitespace) else {
            if plain == "0" {
                return Ok(Self { seq: 0, digits: String::new() });
            }
            return plain.parse().map(|head: Head| Self::from(&head));
        };
        let seq = seq.parse().map_err(|_| {
            format!("`{seq}` is not a record's number: write the head as `#1042 lusab-babad-gutih-tugad`")
        })?;
        Ok(Self { seq, digits: spoken::digits(words.trim())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_spoken_heads_name_the_same_record() {
        let head = Head { seq: 1042, checksum: "7f0000013f54dcc1".repeat(4) };
        for text in [
            format!("1042:{}", head.checksum),
            "#1042 lusab-babad-gutih-tugad".into(),
            " 1042  LUSAB-babad-gutih-tugad ".into(),
        ] {
            let noted: Noted = text.parse().unwrap();
            assert!(noted.is(&head), "{text}");
            assert!(!noted.is(&Head { seq: 1041, ..head.clone() }), "{text}");
            assert!(!noted.is(&Head { checksum: "7f0000013f54dcc0".repeat(4), ..head.clone() }), "{text}");
        }
        let spoken: Noted = "#1042 lusab-babad-gutih-tugad".parse().unwrap();
        assert_eq!((spoken.partial_bits(), Noted::from(&head).partial_bits()), (Some(64), None));
        assert!("#0".parse::<Noted>().unwrap().is(&Head::genesis()));
    }

    #[test]
    fn what_is_no_head_says_which_part() {
        let why = |text: &str| text.parse::<Noted>().unwrap_err();
        assert!(
            why("#1042 lusab-babed-gutih-tugad").contains("`babed`"),
            "{}",
            why("#1042 lusab-babed-gutih-tugad")
        );
        assert!(why("#1042 lusab-babad-gutih").contains("four words"));
        assert!(why("ten lusab-babad-gutih-tugad").contains("`ten`"));
        assert!(why("3:xyz").contains("SEQ:CHECKSUM"));
        assert!(why("1042").contains("SEQ:CHECKSUM"));
    }
}
