//! Phone numbers (ITU-T E.164).

/// Digits of a number after its `+`.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What is wrong with what is none.
pub const NO_NUMBER: &str = "write the number with its country's code, as in `+49 30 1234567`";

/// What is wrong with a number that has a zero which is dialled at home only.
const OF_HOME: &str = "leave the `(0)` out: it is dialled within the country only, as in `+49 30 1234567`";

/// Why a number cannot be called, with what to write instead; none where it can.
pub fn fault(written: &str) -> Option<&'static str> {
    e164(written).is_none().then_some(if is_of_home(written) { OF_HOME } else { NO_NUMBER })
}

/// Whether it shows in brackets the zero before a number within a country.
fn is_of_home(written: &str) -> bool {
    let bare: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    bare.contains("(0)")
}

/// A number as `+` and digits; spaces and what groups digits is left out. None where it is no number with its
/// country's code.
pub fn e164(written: &str) -> Option<String> {
    let number: String = written.chars().filter(|c| !c.is_whitespace() && !"-().".contains(*c)).collect();
    let digits = number.strip_prefix('+')?;
    // No country's code begins with a zero.
    let right = DIGITS.contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
        && !is_of_home(written);
    right.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{e164, fault};

    #[test]
    fn a_number_has_its_country_and_loses_what_groups_it() {
        for written in ["+14155550123", "+1 (415) 555-0123", "+1.415.555.0123"] {
            assert_eq!(e164(written).as_deref(), Some("+14155550123"));
        }
        for wrong in ["", "4155550123", "+1 call me", "+123", "+1415555012345678", "++14155550123"] {
            assert_eq!(e164(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_zero_that_is_dialled_at_home_only_is_no_part_of_a_number() {
        for wrong in ["+49 (0)30 1234567", "+49(0) 30 1234567", "+44 ( 0 ) 20 7946 0000"] {
            assert_eq!(e164(wrong), None, "{wrong}");
            assert!(fault(wrong).unwrap().contains("leave the `(0)` out"), "{wrong}");
        }
        assert_eq!(fault("+049 30 1234567"), Some(super::NO_NUMBER), "no country's code begins with a zero");
        assert_eq!(e164("+39 06 1234567").as_deref(), Some("+39061234567"), "Italy dials it from abroad too");
    }
}
