//! Phone numbers (ITU-T E.164).

/// Digits of a number after its `+`.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What is wrong with what is none.
pub const NO_NUMBER: &str = "write the number with its country's code, as in `+49 30 1234567`";

/// A number as `+` and digits; spaces and what groups digits is left out. None where it is no number with its
/// country's code.
pub fn e164(written: &str) -> Option<String> {
    let number: String = written.chars().filter(|c| !c.is_whitespace() && !"-().".contains(*c)).collect();
    let digits = number.strip_prefix('+')?;
    let right = DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    right.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::e164;

    #[test]
    fn a_number_has_its_country_and_loses_what_groups_it() {
        for written in ["+14155550123", "+1 (415) 555-0123", "+1.415.555.0123"] {
            assert_eq!(e164(written).as_deref(), Some("+14155550123"));
        }
        for wrong in ["", "4155550123", "+1 call me", "+123", "+1415555012345678", "++14155550123"] {
            assert_eq!(e164(wrong), None, "{wrong}");
        }
    }
}
