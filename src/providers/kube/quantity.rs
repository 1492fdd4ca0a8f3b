//! Sizes as Kubernetes writes them.
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

const SUFFIXES: [(&str, f64); 16] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("", 1.0),
];

/// The number that a quantity is (`8Gi`, `500M`, `1e9`); none where it is no quantity.
pub fn quantity(text: &str) -> Option<f64> {
    let (number, factor) =
        SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))?;
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && number.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let number = if is_number { number.parse::<f64>().ok()? } else { return None };
    Some(number * factor).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_every_suffix() {
        for (text, number) in [
            ("8Gi", 8_589_934_592.0),
            ("1.5Ki", 1536.0),
            ("500M", 5e8),
            ("1E", 1e18),
            ("1e9", 1e9),
            ("12E6", 12e6),
            ("100m", 0.1),
            ("42", 42.0),
        ] {
            assert_eq!(quantity(text), Some(number), "{text}");
        }
        for bad in ["", "Gi", "a lot", "8 Gi", "infinity", "nan", "8GiB", "8gi"] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
    }
}
