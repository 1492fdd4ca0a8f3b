//! The registry of roles: what a colour means. Screens name roles, never colours.

/// What a piece of the screen means.
/// [`ROLES`] documents each, in the words that the user reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Background,
    Text,
    Muted,
    Title,
    Accent,
    Selection,
    Border,
    BorderFocus,
    Dialog,
    Input,
    Match,
    KeyHint,
    Sparkline,
    Ok,
    Warn,
    Critical,
    Unknown,
    Running,
    Stale,
    Danger,
    SeverityP0,
    SeverityP1,
    SeverityP2,
    SeverityP3,
    HeaderLive,
    HeaderDrill,
    Simulated,
}

/// One entry of the registry.
#[derive(Debug)]
pub struct RoleInfo {
    pub role: Role,
    /// Its name in theme files.
    pub name: &'static str,
    /// What it is used for.
    pub doc: &'static str,
}

const fn entry(role: Role, name: &'static str, doc: &'static str) -> RoleInfo {
    RoleInfo { role, name, doc }
}

/// The registry: every role once, in the order of the enum.
pub const ROLES: &[RoleInfo] = &[
    entry(Role::Background, "background", "everything that has no other background"),
    entry(Role::Text, "text", "plain text"),
    entry(Role::Muted, "muted", "labels, ages, what matters less"),
    entry(Role::Title, "title", "headings"),
    entry(Role::Accent, "accent", "what to look at first"),
    entry(Role::Selection, "selection", "the selected row"),
    entry(Role::Border, "border", "frames"),
    entry(Role::BorderFocus, "border-focus", "the frame that has the keys"),
    entry(Role::Dialog, "dialog", "the inside of a dialog"),
    entry(Role::Input, "input", "text being typed"),
    entry(Role::Match, "match", "letters that match a filter"),
    entry(Role::KeyHint, "key-hint", "keys in hints and help"),
    entry(Role::Sparkline, "sparkline", "history as bars"),
    entry(Role::Ok, "ok", "known to be well"),
    entry(Role::Warn, "warn", "above a warning threshold"),
    entry(Role::Critical, "critical", "above a critical threshold, failed"),
    entry(Role::Unknown, "unknown", "not known: never to be read as well"),
    entry(Role::Running, "running", "under way"),
    entry(Role::Stale, "stale", "a value that is old"),
    entry(Role::Danger, "danger", "irreversible steps, the point of no return"),
    entry(Role::SeverityP0, "severity-p0", "badge of severity P0"),
    entry(Role::SeverityP1, "severity-p1", "badge of severity P1"),
    entry(Role::SeverityP2, "severity-p2", "badge of severity P2"),
    entry(Role::SeverityP3, "severity-p3", "badge of severity P3"),
    entry(Role::HeaderLive, "header-live", "the header of a live incident"),
    entry(Role::HeaderDrill, "header-drill", "the header of a drill"),
    entry(Role::Simulated, "simulated", "the word SIMULATED"),
];

impl Role {
    /// Its entry in the registry.
    pub fn info(self) -> &'static RoleInfo {
        // A test holds the registry to the order of the enum.
        &ROLES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_has_the_order_of_the_enum_and_unique_names() {
        for (index, info) in ROLES.iter().enumerate() {
            assert_eq!(info.role as usize, index, "{}", info.name);
            assert!(ROLES[..index].iter().all(|other| other.name != info.name), "{}", info.name);
        }
        assert_eq!(ROLES.len(), Role::Simulated as usize + 1);
    }
}
