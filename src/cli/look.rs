//! How the console looks and which keys it has: flags over the configuration file over what the terminal says.

use super::Failure;
use crate::base::environment::Environment;
use crate::base::toml::Diagnostics;
use crate::console::glyphs::Glyphs;
use crate::console::keymap::{self, Keymap};
use crate::console::theme::{self, ColourDepth, ColourEnvironment, Theme};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Largest configuration file that is read, in bytes.
const MAX_CONFIG_BYTES: u64 = 64 * 1024;

/// How the console looks.
#[derive(Clone, Debug, clap::Args)]
pub struct LookArgs {
    /// Theme of the console; `lifeboat themes list` names them.
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Keymap of the console; `lifeboat keys list` names them.
    #[arg(long, value_name = "NAME")]
    keymap: Option<String>,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
    /// Draw without colours, as NO_COLOR does.
    #[arg(long)]
    no_color: bool,
    /// Folder of the user's configuration [default: $XDG_CONFIG_HOME/lifeboat].
    #[arg(long, value_name = "FOLDER", env = "LIFEBOAT_CONFIG_DIR")]
    config: Option<PathBuf>,
}

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    theme: Option<String>,
    keymap: Option<String>,
    #[serde(default)]
    ascii: bool,
}

/// All that drawing and keys need.
pub struct Outfit {
    /// The theme, at the terminal's colours.
    pub theme: Theme,
    /// The glyphs.
    pub glyphs: Glyphs,
    /// The keys.
    pub keymap: Keymap,
    /// What of the user's files could not be used; the built-in ones stand in.
    pub trouble: Option<String>,
}

impl LookArgs {
    /// Reads themes and keymaps. What a flag names must be there; what is wrong with a file in the configuration
    /// folder keeps nobody from the console.
    ///
    /// # Errors
    /// When a flag names what is not there or has problems.
    pub fn outfit(&self, environment: &Environment) -> Result<Outfit, Failure> {
        let folder = config_folder(self.config.as_deref()).ok();
        let (config, mut trouble) = read_config(folder.as_deref());
        let themes = theme::layers(folder.as_ref().map(|folder| folder.join("themes")).as_deref());
        let keymaps = keymap::layers(folder.as_ref().map(|folder| folder.join("keymaps")).as_deref());
        let theme = choose(
            (self.theme.as_deref(), config.theme.as_deref(), theme::DEFAULT),
            |name| theme::load(&themes, name),
            &mut trouble,
        )?;
        let keymap = choose(
            (self.keymap.as_deref(), config.keymap.as_deref(), keymap::DEFAULT),
            |name| keymap::load(&keymaps, name),
            &mut trouble,
        )?;
        let read = |name| environment.get(name).and_then(|value| value.to_str());
        let depth = ColourDepth::detect(ColourEnvironment {
            term: read("TERM"),
            colorterm: read("COLORTERM"),
            no_color: read("NO_COLOR"),
            choice: self.no_color.then_some(ColourDepth::None),
        });
        let glyphs = if self.ascii || config.ascii {
            Glyphs::Ascii
        } else {
            Glyphs::detect(read("LC_ALL"), read("LC_CTYPE"), read("LANG"))
        };
        Ok(Outfit { theme: theme.at_depth(depth), glyphs, keymap, trouble })
    }
}

/// The user's configuration folder.
///
/// # Errors
/// When none is named and the user has no home folder.
pub(super) fn config_folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let folders = directories::ProjectDirs::from("", "", "lifeboat");
    folders
        .map(|folders| folders.config_dir().to_owned())
        .ok_or_else(|| Failure::new("there is no home folder to read the configuration from", "Set HOME."))
}

fn read_config(folder: Option<&Path>) -> (Config, Option<String>) {
    let Some(path) = folder.map(|folder| folder.join("config.toml")) else { return Default::default() };
    let text = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Ok(metadata) if metadata.len() > MAX_CONFIG_BYTES => Err("it is too large".to_owned()),
        _ => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
    };
    match text.and_then(|text| toml::from_str(&text).map_err(|error| error.message().to_owned())) {
        Ok(config) => (config, None),
        Err(why) => (Config::default(), Some(format!("{} cannot be used: {why}", path.display()))),
    }
}

/// The one that a flag names, or the configuration, or the default.
fn choose<T>(
    (flag, configured, default): (Option<&str>, Option<&str>, &str),
    load: impl Fn(&str) -> Result<T, Diagnostics>,
    trouble: &mut Option<String>,
) -> Result<T, Failure> {
    let lines = |problems: Diagnostics| problems.to_string();
    if let Some(flag) = flag {
        return load(flag).map_err(|problems| Failure::new(lines(problems), ""));
    }
    if let Some(configured) = configured {
        match load(configured) {
            Ok(loaded) => return Ok(loaded),
            Err(problems) => *trouble = trouble.take().or_else(|| Some(lines(problems))),
        }
    }
    load(default).map_err(|problems| Failure::new(lines(problems), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(config: &Path) -> LookArgs {
        LookArgs { theme: None, keymap: None, ascii: false, no_color: false, config: Some(config.to_owned()) }
    }

    fn environment() -> Environment {
        [("TERM", "xterm"), ("LANG", "C.UTF-8")].into_iter().collect()
    }

    #[test]
    fn flags_go_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), "theme = \"light\"\nascii = true").unwrap();
        let outfit = args(folder.path()).outfit(&environment()).unwrap();
        assert_eq!((outfit.theme.name(), outfit.glyphs), ("light", Glyphs::Ascii));
        assert_eq!((outfit.keymap.name(), outfit.trouble), ("default", None));
        let flagged = LookArgs { theme: Some("ansi16".into()), ..args(folder.path()) };
        assert_eq!(flagged.outfit(&environment()).unwrap().theme.name(), "ansi16");
    }

    #[test]
    fn a_broken_file_keeps_nobody_from_the_console_but_a_wrong_flag_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), "colour = 1").unwrap();
        let outfit = args(folder.path()).outfit(&environment()).unwrap();
        assert!(outfit.trouble.unwrap().contains("config.toml"));
        let flagged = LookArgs { keymap: Some("emcas".into()), ..args(folder.path()) };
        assert!(flagged.outfit(&environment()).err().unwrap().to_string().contains("emacs"));
    }
}
