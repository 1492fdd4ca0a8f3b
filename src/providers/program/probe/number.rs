//! Numbers as programs print them. What could be read in two ways is refused, and the reason names both.

/// What tools print for a value that is not there: kubectl's columns, Go templates, jq.
const NOTHING: [&str; 5] = ["", "<none>", "<no value>", "null", "''"];

/// Is it nothing at all, as programs print that?
pub(super) fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&bare(text))
}

/// The number, or why there is none, in words that do not repeat the text.
pub(super) fn read(text: &str) -> Result<f64, &'static str> {
    let text = bare(text);
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(number) if number.is_nan() => Err("it is not a number (NaN)"),
        Ok(_) => Err("it is infinite, or larger than any number"),
        Err(_) => Err(why_none(text)),
    }
}

fn bare(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn why_none(text: &str) -> &'static str {
    let digits = text.trim_start_matches(['+', '-']);
    if is_nothing(text) {
        return "it is nothing: the key `empty` says what that means (`empty = 0`)";
    }
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return "it is hexadecimal: let the program print a decimal number";
    }
    if text.lines().filter(|line| !line.trim().is_empty()).count() > 1 {
        return "it is more than one line: let the program print the number alone";
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return "it does not begin with a digit";
    }
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit() || ".,'_ \u{a0}\u{202f}".contains(c));
    if !rest.is_empty() {
        return "more than a number stands there: let the program print it without a unit or words";
    }
    if text.contains(',') {
        return "the comma may part thousands or decimals: let the program print `1234.5` (`env.LC_ALL = \"C\"`)";
    }
    "it is no plain number: let the program print it as `1234.5`"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_programs_print_them() {
        for (text, number) in [
            (" 7 ", 7.0),
            ("+5\r\n", 5.0),
            ("1e3", 1000.0),
            ("-.5", -0.5),
            ("007", 7.0),
            ("\u{feff}12.5\n", 12.5),
            ("6.", 6.0),
            ("1E-2", 0.01),
        ] {
            assert_eq!(read(text), Ok(number), "{text:?}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_and_named() {
        for (text, part) in [
            ("1,234", "comma"),
            ("12,5", "comma"),
            ("1.234,5", "comma"),
            ("12 ms", "unit"),
            ("12.5s", "unit"),
            ("85%", "unit"),
            ("5 of 6", "unit"),
            ("1 234", "plain number"),
            ("1'234", "plain number"),
            ("NaN", "NaN"),
            ("inf", "infinite"),
            ("-Infinity", "infinite"),
            ("1e999", "infinite"),
            ("0x1f", "hexadecimal"),
            ("-0X1F", "hexadecimal"),
            ("1\n2", "more than one line"),
            ("apples", "digit"),
            ("", "empty"),
            ("<none>", "empty"),
        ] {
            let why = read(text).expect_err(text);
            assert!(why.contains(part), "{text:?}: {why}");
        }
    }
}
