//! Colours: how themes spell them, what a terminal can show of them, and how well they read on each other.

use ratatui::style::Color;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// None: bold, underline and reverse only.
    None,
    /// The sixteen named colours.
    Ansi16,
    /// The 256 indexed colours.
    Indexed256,
    /// 24-bit colours.
    True,
}

/// What decides the colour depth. The caller reads the environment; this code does not.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColourEnvironment<'e> {
    /// `TERM`.
    pub term: Option<&'e str>,
    /// `COLORTERM`.
    pub colorterm: Option<&'e str>,
    /// `NO_COLOR`: set and not empty means none, see <https://no-color.org>.
    pub no_color: Option<&'e str>,
    /// A choice of the user (`--colour`), which goes before everything else.
    pub choice: Option<ColourDepth>,
}

impl ColourDepth {
    /// The depth for an environment. A terminal that says nothing about itself gets 16 colours.
    pub fn detect(environment: ColourEnvironment<'_>) -> Self {
        let term = environment.term.unwrap_or_default();
        let colorterm = environment.colorterm.unwrap_or_default();
        if let Some(choice) = environment.choice {
            choice
        } else if environment.no_color.is_some_and(|value| !value.is_empty()) || matches!(term, "dumb" | "") {
            ColourDepth::None
        } else if matches!(colorterm, "truecolor" | "24bit") || term.ends_with("-direct") {
            ColourDepth::True
        } else if term.contains("256color") || !colorterm.is_empty() {
            ColourDepth::Indexed256
        } else if term.ends_with("-m") || term.starts_with("vt") && term != "vt340" {
            ColourDepth::None
        } else {
            ColourDepth::Ansi16
        }
    }

    /// The depth called `none`, `16`, `256` or `true`.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(ColourDepth::None),
            "16" => Some(ColourDepth::Ansi16),
            "256" => Some(ColourDepth::Indexed256),
            "true" => Some(ColourDepth::True),
            _ => None,
        }
    }

    /// The nearest colour that this depth can show; `None` when it shows none.
    pub fn degrade(self, colour: Color) -> Option<Color> {
        match self {
            ColourDepth::None => None,
            ColourDepth::True => Some(colour),
            ColourDepth::Indexed256 => Some(match colour {
                Color::Rgb(r, g, b) => Color::Indexed(nearest([r, g, b], 16, 255)),
                other => other,
            }),
            ColourDepth::Ansi16 => Some(match colour {
                Color::Rgb(r, g, b) => NAMED_COLOURS[usize::from(nearest([r, g, b], 0, 15))].1,
                Color::Indexed(index) if index < 16 => NAMED_COLOURS[usize::from(index)].1,
                Color::Indexed(index) => NAMED_COLOURS[usize::from(nearest(rgb_of_index(index), 0, 15))].1,
                other => other,
            }),
        }
    }
}

/// The sixteen colours with a name, in the order of their ANSI numbers.
const NAMED_COLOURS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// Reads a colour as themes spell it: a name, `0` to `255`, `#rrggbb`, or `default`.
pub(super) fn parse(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Some((_, colour)) = NAMED_COLOURS.iter().find(|(name, _)| *name == text) {
        return Some(*colour);
    }
    if let Some(hex) = text.strip_prefix('#') {
        let digits = hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u32::from_str_radix(hex, 16).ok().filter(|_| digits)?;
        let [_, r, g, b] = value.to_be_bytes();
        return Some(Color::Rgb(r, g, b));
    }
    text.parse().ok().map(Color::Indexed)
}

/// Names that [`parse`] knows, for near misses.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMED_COLOURS.iter().map(|(name, _)| *name).chain(["default"])
}

/// xterm's own values of the first sixteen colours. Terminals choose their own, so these serve only to find
/// a near colour.
const XTERM_FIRST_16: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The value of an indexed colour: 16 to 231 are a cube of six levels, 232 to 255 a ramp of grey.
fn rgb_of_index(index: u8) -> [u8; 3] {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..=15 => XTERM_FIRST_16[usize::from(index)],
        16..=231 => {
            let cube = usize::from(index - 16);
            [LEVELS[cube / 36], LEVELS[cube / 6 % 6], LEVELS[cube % 6]]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

/// The index between `from` and `to` whose colour is nearest, by the "redmean" weighting of the eye's
/// sensitivity (Riemersma, "Colour metric").
fn nearest(rgb: [u8; 3], from: u8, to: u8) -> u8 {
    let distance = |index: &u8| {
        let other = rgb_of_index(*index);
        let mean_red = (i64::from(rgb[0]) + i64::from(other[0])) / 2;
        let [dr, dg, db] = [0, 1, 2].map(|channel| i64::from(rgb[channel]) - i64::from(other[channel]));
        (512 + mean_red) * dr * dr + 1024 * dg * dg + (767 - mean_red) * db * db
    };
    (from..=to).min_by_key(distance).unwrap_or(from)
}

/// The red, green and blue of a colour whose value does not depend on the terminal: 24-bit and indexed from 16.
pub fn fixed_rgb(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) if index >= 16 => Some(rgb_of_index(index)),
        _ => None,
    }
}

/// Contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it.
pub fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = rgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(term: &str, colorterm: &str, no_color: &str) -> ColourDepth {
        ColourDepth::detect(ColourEnvironment {
            term: Some(term),
            colorterm: Some(colorterm),
            no_color: Some(no_color),
            choice: None,
        })
    }

    #[test]
    fn the_environment_decides_the_depth() {
        assert_eq!(detect("xterm-256color", "", ""), ColourDepth::Indexed256);
        assert_eq!(detect("xterm-256color", "truecolor", ""), ColourDepth::True);
        assert_eq!(detect("linux", "", ""), ColourDepth::Ansi16);
        assert_eq!(detect("vt100", "", ""), ColourDepth::None);
        assert_eq!(detect("dumb", "truecolor", ""), ColourDepth::None);
        assert_eq!(detect("xterm-256color", "truecolor", "1"), ColourDepth::None);
    }

    #[test]
    fn a_choice_goes_before_the_environment() {
        let environment = ColourEnvironment {
            no_color: Some("1"),
            choice: Some(ColourDepth::Ansi16),
            ..Default::default()
        };
        assert_eq!(ColourDepth::detect(environment), ColourDepth::Ansi16);
    }

    #[test]
    fn colours_are_read_strictly() {
        assert_eq!(parse("#ff8700"), Some(Color::Rgb(255, 135, 0)));
        assert_eq!(parse("208"), Some(Color::Indexed(208)));
        assert_eq!(parse("bright-red"), Some(Color::LightRed));
        for bad in ["#ff87", "#gggggg", "#+12345", "256", "-1", "redd", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn degrading_finds_the_same_colour_where_there_is_one() {
        assert_eq!(ColourDepth::Indexed256.degrade(Color::Rgb(255, 135, 0)), Some(Color::Indexed(208)));
        assert_eq!(ColourDepth::Ansi16.degrade(Color::Rgb(255, 0, 0)), Some(Color::LightRed));
        assert_eq!(ColourDepth::Ansi16.degrade(Color::Indexed(234)), Some(Color::Black));
        assert_eq!(ColourDepth::None.degrade(Color::Red), None);
        for index in 16..=231 {
            let [r, g, b] = rgb_of_index(index);
            let found = ColourDepth::Indexed256.degrade(Color::Rgb(r, g, b));
            assert_eq!(found.and_then(fixed_rgb), Some([r, g, b]));
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([119; 3], [255; 3]) - 4.48).abs() < 0.01);
    }
}
