//! States as glyph and word, so that colour is never the only thing that tells them apart.

use ratatui::text::Span;

use super::Styles;
use crate::console::glyphs::Glyph;
use crate::console::theme::Role;

/// What a cell can say about a signal, a service or a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Known to be well.
    Ok,
    /// Above a warning threshold.
    Warn,
    /// Worse than it counts as, in too few readings to have turned.
    Failing,
    /// Above a critical threshold.
    Critical,
    /// Not known.
    Unknown,
    /// A step that cannot start yet.
    Pending,
    /// A step that can be prepared.
    Ready,
    /// A step whose confirmation is open.
    Confirming,
    /// A step under way.
    Running,
    /// A step that ended well and is not yet proven.
    Finished,
    /// A step that was proven.
    Verified,
    /// A step that failed.
    Failed,
    /// A step that was left out, with a reason.
    Skipped,
    /// A step that a person did and attested.
    Attested,
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        self.parts().2
    }

    /// The role of its colour.
    pub fn role(self) -> Role {
        self.parts().1
    }

    /// Its glyph.
    pub fn glyph(self) -> Glyph {
        self.parts().0
    }

    fn parts(self) -> (Glyph, Role, &'static str) {
        match self {
            State::Ok => (Glyph::Ok, Role::Ok, "ok"),
            State::Warn => (Glyph::Warn, Role::Warn, "warn"),
            State::Failing => (Glyph::Warn, Role::Warn, "failing"),
            State::Critical => (Glyph::Critical, Role::Critical, "critical"),
            State::Unknown => (Glyph::Unknown, Role::Unknown, "unknown"),
            State::Pending => (Glyph::Pending, Role::Muted, "pending"),
            State::Ready => (Glyph::Ready, Role::Accent, "ready"),
            State::Confirming => (Glyph::Ready, Role::Accent, "confirming"),
            State::Running => (Glyph::Running, Role::Running, "running"),
            State::Finished => (Glyph::Running, Role::Running, "finished"),
            State::Verified => (Glyph::Ok, Role::Ok, "verified"),
            State::Failed => (Glyph::Failed, Role::Critical, "failed"),
            State::Skipped => (Glyph::Skipped, Role::Muted, "skipped"),
            State::Attested => (Glyph::Attested, Role::Ok, "attested"),
        }
    }
}

/// Glyph and word of a state: `✓ ok`.
pub fn state_cell(styles: &Styles<'_>, state: State) -> Span<'static> {
    styles.span(state.role(), format!("{} {}", styles.glyph(state.glyph()), state.word()))
}

/// The glyph alone, for cells whose word stands next to it.
pub fn state_glyph(styles: &Styles<'_>, state: State) -> Span<'static> {
    styles.span(state.role(), styles.glyph(state.glyph()))
}

/// The badge of a severity: ` P0 `. `level` is its number, 0 the worst; above 3 it is drawn as P3.
pub fn severity_badge(styles: &Styles<'_>, level: u8) -> Span<'static> {
    let roles = [Role::SeverityP0, Role::SeverityP1, Role::SeverityP2, Role::SeverityP3];
    let role = roles.get(usize::from(level)).copied().unwrap_or(Role::SeverityP3);
    styles.span(role, format!(" P{level} "))
}

/// ` ● LIVE ` or ` ◆ DRILL - … `: words, glyph and colour; a drill that acts has the colour of danger.
pub fn drill_or_live(styles: &Styles<'_>, drill: Option<&'static str>, acts: bool) -> Span<'static> {
    let (role, glyph, word) = match drill {
        Some(words) if acts => (Role::Danger, Glyph::Drill, words),
        Some(words) => (Role::HeaderDrill, Glyph::Drill, words),
        None => (Role::HeaderLive, Glyph::Live, "LIVE"),
    };
    styles.span(role, format!(" {} {word} ", styles.glyph(glyph)))
}
