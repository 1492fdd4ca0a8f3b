//! YAML as `kubectl` reads it: `0644` is octal and `yes` is true.

use serde_json::Value;

/// The documents of a text; empty ones are left out. JSON is YAML.
///
/// # Errors
/// What is wrong, and in which line.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    serde_saphyr::from_multiple_with_options::<Value>(text, options).map_err(|error| {
        let line = error.location().map(|place| format!("line {}: ", place.line())).unwrap_or_default();
        let said = error.to_string();
        let said = said.lines().next().unwrap_or_default();
        crate::base::text::clean(&format!("{line}{said}"), 200)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_read_as_kubectl_reads_it() {
        let read = |text: &str| documents(text).unwrap();
        let one = read("mode: 0644\nother: 0o17\nyes: no\nn: 12\nt: '0644'\nd: 2026-01-01\ne: ~\n");
        let as_json = json!({"mode": 420, "other": 15, "yes": false, "n": 12, "t": "0644", "d": "2026-01-01", "e": null});
        assert_eq!(one, [as_json]);
        assert_eq!(read("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n"), [json!({"a": 1}), json!({"b": 2})]);
        assert_eq!(read("{\n\t\"a\": [1, \"x\\u00e4\"]\n}\n"), [json!({"a": [1, "xä"]})]);
        assert_eq!(
            read("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n"),
            [json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1}})]
        );
        assert_eq!(read("a: |\n  two\n  lines\n"), [json!({"a": "two\nlines\n"})]);
        assert_eq!(read(""), [] as [Value; 0]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = documents("a: 1\nb: [\n").unwrap_err();
        assert!(wrong.starts_with("line "), "{wrong}");
        let twice = documents("a: 1\na: 2\n").unwrap_err();
        assert!(twice.contains("line 2"), "{twice}");
        let evil = documents("a: 1\n\u{1b}[2J: x: y\n").unwrap_err();
        assert!(!evil.contains('\u{1b}'), "{evil}");
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                    g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        documents(bomb).unwrap_err();
    }
}
