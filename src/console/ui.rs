//! The client's own small state: what is looked at, not what is. The model says what is.

use super::pages::Pages;
use jiff::Timestamp;

macro_rules! screens {
    ($({ $screen:ident $goto:ident, $name:literal, $doc:literal, $($rest:tt)* })*) => {
        /// The screens, in the order of the tab keys.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Screen {
            $(#[doc = $doc] $screen,)*
        }

        impl Screen {
            /// All of them, in that order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$screen),*];
        }
    };
}
crate::console::screens::table::every_screen!(screens);

impl Default for Screen {
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// A list's cursor; what is in view follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// The selected row of the filtered list.
    pub selected: usize,
}

/// What the operator looks at.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ui {
    pub screen: Screen,
    /// Cursors of the screens' lists, in the order of the screens.
    pub cursors: [Cursor; Screen::ALL.len()],
    /// Rows that do not match are hidden; empty shows all.
    pub filter: String,
    /// Whether the details of the selected row are shown.
    pub details: bool,
    /// Where somebody is in the details, where they do not fit.
    pub pages: Pages,
    /// A short message of the last moments: a refusal, a reply.
    pub toast: Option<Toast>,
    /// The connection to the engine.
    pub connection: Connection,
    /// What is left when this console is.
    pub remains: Remains,
}

impl Ui {
    /// The cursor of a screen's list: signals, answers or steps, backups, checks; events and messages from the newest.
    pub fn cursor(&self, screen: Screen) -> Cursor {
        self.cursors[screen as usize]
    }

    /// The same, to move it.
    pub fn cursor_mut(&mut self, screen: Screen) -> &mut Cursor {
        &mut self.cursors[screen as usize]
    }
}

/// What is left when a console is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Remains {
    /// Its engine, which goes on.
    #[default]
    Engine,
    /// The journal and the state of a demo or rehearsal, whose engine ends.
    Journal,
    /// Nothing: the demo or rehearsal is thrown away.
    Nothing,
}

/// A short message.
#[derive(Clone, PartialEq, Debug)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// What to do next; empty when nothing.
    pub next: String,
    /// Whether it is bad news.
    pub bad: bool,
    /// When it came, in the engine's time.
    pub at: Timestamp,
}

/// The connection to the engine.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Connection {
    /// Not yet there.
    #[default]
    Connecting,
    /// Events come.
    Attached,
    /// The engine is there and has said nothing since then: it hangs, or its disk does.
    Silent {
        /// Since when, in the engine's time as the client reckons it.
        since: Timestamp,
        /// Its process, where the system says it.
        pid: Option<u32>,
    },
    /// Lost since then; what is shown is as old.
    Lost {
        /// Since when, in the engine's time as the client reckons it.
        since: Timestamp,
        why: String,
    },
}

impl Connection {
    /// Since when nothing is heard of an engine that was heard before; none while it is.
    pub fn cut_off_since(&self) -> Option<Timestamp> {
        match self {
            Self::Silent { since, .. } | Self::Lost { since, .. } => Some(*since),
            Self::Connecting | Self::Attached => None,
        }
    }
}
