//! Characters of HTML and XML by name or number (HTML Standard, "Named character references"): those of ASCII and Latin-1.

/// The longest of them: `&#x1f511;`, with zeros before.
const LONGEST_BYTES: usize = 14;

/// Names of what is punctuation or white space in ASCII.
const PUNCTUATION: &[(&str, char)] = &[
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("amp", '&'),
    ("AMP", '&'),
    ("apos", '\''),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("lt", '<'),
    ("LT", '<'),
    ("equals", '='),
    ("gt", '>'),
    ("GT", '>'),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
];

/// The names of Latin-1 from U+00A0 on.
const LATIN_1: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// The character of a reference at the beginning of a text, and the reference's length in bytes. Browsers take a number
/// without its semicolon too.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
        let length = digits.bytes().take_while(|digit| char::from(*digit).is_digit(radix)).count();
        let c =
            u32::from_str_radix(&digits[..length.min(LONGEST_BYTES)], radix).ok().and_then(char::from_u32)?;
        let end = &digits[length..];
        let after = end.strip_prefix(';').unwrap_or(end);
        return Some((c, text.len() - after.len()));
    }
    let (name, _) = rest.split_once(';').filter(|(name, _)| name.len() <= LONGEST_BYTES)?;
    let of_ascii = PUNCTUATION.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    let of_latin = || {
        let place = LATIN_1.iter().position(|known| *known == name)?;
        u8::try_from(0xa0 + place).ok().map(char::from)
    };
    of_ascii.or_else(of_latin).map(|c| (c, name.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn references_by_name_and_number_are_known() {
        for (text, c, length) in [
            ("&excl;x", '!', 6),
            ("&auml;", '\u{e4}', 6),
            ("&Uuml;", '\u{dc}', 6),
            ("&yuml;", '\u{ff}', 6),
            ("&nbsp;", '\u{a0}', 6),
            ("&#112&#119", 'p', 5),
            ("&#33xZ", '!', 4),
            ("&#x21;", '!', 6),
            ("&#x1F511;", '\u{1f511}', 9),
        ] {
            assert_eq!(reference(text), Some((c, length)), "{text}");
        }
        for text in
            ["&", "&;", "&#;", "&#x;", "&nothing;", "&#1114112;", "& b;", "&amp", "&#99999999999999999;"]
        {
            assert_eq!(reference(text), None, "{text}");
        }
    }
}
