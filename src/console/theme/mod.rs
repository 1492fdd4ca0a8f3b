//! Themes: which colours the roles have. Layered TOML files, brought down to what the terminal can show.

mod colour;
mod load;
mod roles;

pub use colour::{ColourDepth, ColourEnvironment, contrast, fixed_rgb};
pub(crate) use load::check;
pub use load::{BUILT_IN, DEFAULT, layers, load};
pub use roles::{ROLES, Role, RoleInfo};

use ratatui::style::{Modifier, Style};

/// A complete theme at the depth of one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    name: String,
    styles: [Style; ROLES.len()],
}

impl Theme {
    /// The name it was loaded by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The same theme for a terminal with fewer colours. Where a background is lost, what stood on it is
    /// reversed, so that badges and the selection stay visible.
    pub fn at_depth(&self, depth: ColourDepth) -> Self {
        let mut theme = self.clone();
        for (style, info) in theme.styles.iter_mut().zip(ROLES) {
            let lost_background = style.bg.is_some() && depth == ColourDepth::None;
            let fills_the_screen = matches!(info.role, Role::Background | Role::Dialog | Role::Input);
            style.fg = style.fg.and_then(|colour| depth.degrade(colour));
            style.bg = style.bg.and_then(|colour| depth.degrade(colour));
            if lost_background && !fills_the_screen {
                *style = style.add_modifier(Modifier::REVERSED);
            }
        }
        theme
    }
}

#[cfg(test)]
mod tests;
