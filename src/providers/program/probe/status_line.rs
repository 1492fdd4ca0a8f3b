//! A monitoring plugin's output: the first line is the status, and what follows a `|` is performance data
//! (Monitoring Plugins Development Guidelines, "Plugin Output for Nagios").

use super::number;

/// The first line that says something, without performance data.
pub(super) fn status(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(match line.split_once('|') {
        Some((status, data)) if data.contains('=') && !status.trim().is_empty() => status.trim_end(),
        _ => line,
    })
}

/// A value of the performance data by its label: times in seconds, anything else in the unit that the plugin prints.
pub(super) fn value(text: &str, label: &str) -> Result<f64, String> {
    let found = data(text).into_iter().find(|(known, _)| known == label);
    let (_, printed) = found.ok_or_else(|| format!("its performance data has no `{label}`"))?;
    let first = printed.split(';').next().unwrap_or_default();
    let unit = first.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.,".contains(c));
    // An exponent is part of the number (`1e3s`).
    let (figure, unit) = match unit
        .strip_prefix(['e', 'E'])
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+'))
    {
        Some(rest) => {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
            (&first[..first.len() - after.len()], after)
        }
        None => (&first[..first.len() - unit.len()], unit),
    };
    if first == "U" {
        return Err(format!("its performance data says that `{label}` is undetermined (U)"));
    }
    let number = number::read(figure).map_err(|why| format!("`{label}` of its performance data: {why}"))?;
    Ok(match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        _ => number,
    })
}

/// Labels and what stands behind their `=`, of every line's part after the `|`; once a later line has one, all lines
/// after it are performance data.
fn data(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut only_data = false;
    for (index, line) in text.lines().enumerate() {
        match line.split_once('|') {
            _ if only_data => pairs(line, &mut found),
            Some((_, part)) => {
                pairs(part, &mut found);
                only_data = index > 0;
            }
            None => {}
        }
    }
    found
}

/// `'label with blanks'=1s;2;3 other=4`; a quote within a quoted label is doubled.
fn pairs(text: &str, found: &mut Vec<(String, String)>) {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (label, after) = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let mut label = String::new();
                let mut left = quoted;
                loop {
                    let Some((part, next)) = left.split_once('\'') else { return };
                    label.push_str(part);
                    match next.strip_prefix('\'') {
                        Some(more) => {
                            label.push('\'');
                            left = more;
                        }
                        None => break (label, next.strip_prefix('=')),
                    }
                }
            }
            None => match rest.split_once('=') {
                Some((label, after)) => (label.trim().to_owned(), Some(after)),
                None => return,
            },
        };
        let Some(after) = after else { return };
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        found.push((label, after[..end].to_owned()));
        rest = after[end..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stands_before_the_performance_data() {
        assert_eq!(status("\nCRITICAL: lag 900 s | lag=900s;30;60\nhost a\n"), Some("CRITICAL: lag 900 s"));
        assert_eq!(status("a | b"), Some("a | b"));
        assert_eq!(status(" \n"), None);
    }

    #[test]
    fn a_value_of_the_performance_data_is_found_by_its_label() {
        let text =
            "OK | lag=900s;30;60 'it''s free'=12.5%;;\nmore\nlong | rta=12ms;1\nlost=U bytes=5MB e=1e3s\n";
        assert_eq!(value(text, "lag"), Ok(900.0));
        assert_eq!(value(text, "it's free"), Ok(12.5));
        assert_eq!(value(text, "rta"), Ok(0.012));
        assert_eq!(value(text, "bytes"), Ok(5.0));
        assert_eq!(value(text, "e"), Ok(1000.0));
        assert!(value(text, "lost").unwrap_err().contains("undetermined"));
        assert!(value(text, "gone").unwrap_err().contains("has no `gone`"));
        assert!(value("OK | lag=1,5s", "lag").unwrap_err().contains("comma"));
    }
}
