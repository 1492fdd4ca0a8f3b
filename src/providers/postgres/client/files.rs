//! The files that libpq reads beside a connection string: service files, password files, the folder `~/.postgresql`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::PostgresError;
use super::words::{Words, malformed};
use crate::base::environment::Environment;

/// Debian's `PGSYSCONFDIR`.
const SYSTEM_FOLDER: &str = "/etc/postgresql-common";

/// Where the files of the engine's user and of the system are.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    home: Option<PathBuf>,
    services: Vec<PathBuf>,
    passwords: Option<PathBuf>,
}

impl Files {
    /// As `HOME`, `PGSERVICEFILE`, `PGSYSCONFDIR` and `PGPASSFILE` say.
    pub(super) fn of(environment: &Environment) -> Self {
        let path = |name: &str| environment.get(name).map(PathBuf::from);
        let home = path("HOME");
        let own = |name: &str| home.as_ref().map(|home| home.join(name));
        let system = path("PGSYSCONFDIR").unwrap_or_else(|| SYSTEM_FOLDER.into()).join("pg_service.conf");
        Self {
            services: path("PGSERVICEFILE")
                .or_else(|| own(".pg_service.conf"))
                .into_iter()
                .chain([system])
                .collect(),
            passwords: path("PGPASSFILE").or_else(|| own(".pgpass")),
            home,
        }
    }

    /// A file of `~/.postgresql`, where it exists.
    pub(super) fn own(&self, name: &str) -> Option<PathBuf> {
        let path = self.home.as_ref()?.join(".postgresql").join(name);
        path.exists().then_some(path)
    }

    /// What a service stands for: its section in the first file that has it.
    ///
    /// # Errors
    /// When no file has it.
    pub(super) fn service(&self, name: &str, file: Option<&str>) -> Result<Words, PostgresError> {
        let files = match file {
            Some(file) => vec![PathBuf::from(file)],
            None => self.services.clone(),
        };
        for text in files.iter().filter_map(|file| std::fs::read_to_string(file).ok()) {
            if let Some(words) = section(&text, name) {
                return Ok(words);
            }
        }
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        Err(malformed(&format!("no service `{name}` in {} (see PGSERVICEFILE)", files.join(" or "))))
    }

    /// The password of a server, by its name as the connection string has it; and why a file that was named is not read.
    pub(super) fn password(&self, file: Option<&Path>, of: &Login<'_>) -> (Option<String>, Option<String>) {
        let Some(path) = file.or(self.passwords.as_deref()) else { return (None, None) };
        match readable_for_us_alone(path) {
            Ok(text) => (text.lines().find_map(|line| password_in(line, of)), None),
            Err(why) => {
                (None, file.map(|file| format!("the passfile {} is not read: {why}", file.display())))
            }
        }
    }
}

/// Who logs in where, as a line of a password file names it.
pub(super) struct Login<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// libpq passes over a file with passwords that others may read.
fn readable_for_us_alone(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err("others may read it (`chmod 600`)".into());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// `host:port:database:user:password`; `*` stands for anything, a backslash before `:` and `\` takes them as they are.
fn password_in(line: &str, of: &Login<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => field.extend(characters.next()),
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    let [host, port, database, user, password] = fields.try_into().ok()?;
    let wanted = [
        (host, of.host.to_owned()),
        (port, of.port.to_string()),
        (database, of.database.to_owned()),
        (user, of.user.to_owned()),
    ];
    wanted.iter().all(|(field, value)| field == "*" || field == value).then_some(password)
}

fn section(text: &str, name: &str) -> Option<Words> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(name))?;
    let own = lines.take_while(|line| !line.starts_with('['));
    let pairs = own.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    Some(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login<'a>() -> Login<'a> {
        Login { host: "db1", port: 5433, database: "orders", user: "app" }
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        for (line, password) in [
            ("db1:5433:orders:app:hunter22", Some("hunter22")),
            ("*:*:*:app:a\\:b\\\\c:d", Some("a:b\\c:d")),
            ("db2:5433:orders:app:hunter22", None),
            ("# db1:5433:orders:app:hunter22", None),
            ("db1:5433:orders:app", None),
            ("", None),
        ] {
            assert_eq!(password_in(line, &login()).as_deref(), password, "{line}");
        }
    }

    #[test]
    fn a_password_file_that_others_may_read_is_said_not_to_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        std::fs::write(&path, "db1:*:*:*:hunter22\n").unwrap();
        let files = Files::default();
        for (mode, password) in [(0o600, Some("hunter22")), (0o640, None)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let (found, why) = files.password(Some(&path), &login());
            assert_eq!((found.as_deref(), why.is_some()), (password, password.is_none()), "{why:?}");
        }
    }

    #[test]
    fn a_service_is_its_section() {
        let text = "# x\n[a]\nhost=1\n\n[shop]\nhost = db1\n# port=1\nport=5433\n[b]\nhost=2\n";
        let words = section(text, "shop").unwrap();
        assert_eq!(words, [("host".into(), "db1".into()), ("port".into(), "5433".into())]);
        assert!(section(text, "other").is_none());
    }
}
