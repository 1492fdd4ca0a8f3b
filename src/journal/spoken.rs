//! The journal's head in words that can be read aloud over a phone.
//!
//! The first 64 bits of the checksum as four proquints (Wilkerson, "A proposal for proquints", arXiv:0901.4016):
//! five letters for 16 bits, consonants and vowels in turn. Whoever has such a line in their inbox is a witness:
//! `lifeboat journal verify --head` finds a journal that was written anew.

use super::Head;

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aiou";
/// Hexadecimal digits of the checksum that are spoken.
const SPOKEN_DIGITS: usize = 16;

/// `#1042 lusab-babad-gutih-tugad`; `#0` for an empty journal.
pub fn words(head: Option<&Head>) -> String {
    match head {
        Some(head) => format!("#{} {}", head.seq, spoken(&head.checksum)),
        None => "#0".into(),
    }
}

/// A checksum's begin as proquints; what is no hexadecimal number is left out.
pub fn spoken(checksum: &str) -> String {
    let digits: Vec<u32> = checksum.chars().take(SPOKEN_DIGITS).filter_map(|c| c.to_digit(16)).collect();
    let quint = |four: &[u32]| -> String {
        let value = four.iter().fold(0, |value, digit| value << 4 | *digit) as usize;
        let consonant = |shift: usize| char::from(CONSONANTS[value >> shift & 15]);
        let vowel = |shift: usize| char::from(VOWELS[value >> shift & 3]);
        [consonant(12), vowel(10), consonant(6), vowel(4), consonant(0)].iter().collect()
    };
    digits.chunks_exact(4).map(quint).collect::<Vec<_>>().join("-")
}

/// The hexadecimal digits that four proquints say; the case of letters does not matter.
///
/// # Errors
/// Which part is no proquint.
pub fn digits(words: &str) -> Result<String, String> {
    let lower = words.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split('-').collect();
    let digits = parts.iter().map(|part| {
        value(part).map(|value| format!("{value:04x}")).ok_or_else(|| {
            format!(
                "`{}` is no word of a head: each has five letters, as `lusab`",
                crate::base::text::clean(part, 20)
            )
        })
    });
    let digits = digits.collect::<Result<String, String>>()?;
    match digits.len() {
        SPOKEN_DIGITS => Ok(digits),
        _ => Err(format!("a head has four words, as `lusab-babad-gutih-tugad`; these are {}", parts.len())),
    }
}

/// The 16 bits of a proquint.
fn value(part: &str) -> Option<u16> {
    let consonant = |letter: &u8| CONSONANTS.iter().position(|known| known == letter);
    let vowel = |letter: &u8| VOWELS.iter().position(|known| known == letter);
    let [a, b, c, d, e] = part.as_bytes() else { return None };
    let value = consonant(a)? << 12 | vowel(b)? << 10 | consonant(c)? << 6 | vowel(d)? << 4 | consonant(e)?;
    u16::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quints_are_those_of_the_proposal() {
        // 127.0.0.1 and 63.84.220.193 of the proposal's own table.
        assert_eq!(spoken("7f0000013f54dcc1"), "lusab-babad-gutih-tugad");
    }

    #[test]
    fn words_say_the_digits_that_they_were_made_of() {
        for checksum in ["7f0000013f54dcc1", "0000000000000000", "ffffffffffffffff", "0123456789abcdef"] {
            assert_eq!(digits(&spoken(checksum)).unwrap(), checksum);
        }
    }

    #[test]
    fn a_head_is_short_and_names_its_record() {
        let head = Head { seq: 1042, checksum: "7f0000013f54dcc1".repeat(4) };
        assert_eq!(words(Some(&head)), "#1042 lusab-babad-gutih-tugad");
        assert_eq!(words(None), "#0");
    }
}
