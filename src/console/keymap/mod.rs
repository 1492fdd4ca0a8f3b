//! Keymaps: which chord does what, where. Layered TOML files over one registry of actions.

mod actions;
mod chord;
mod document;
mod load;

pub use actions::{ACTIONS, Action, ActionInfo, Context};
pub use chord::Chord;
pub use document::markdown;
pub(crate) use load::check;
pub use load::{BUILT_IN, DEFAULT, layers, load};

use std::fmt;

/// One chord, or two pressed one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sequence {
    pub first: Chord,
    /// The second, where there is one.
    pub second: Option<Chord>,
}

impl Sequence {
    /// Reads `g g`, `ctrl-x ctrl-c` or a single chord.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chords = text.split_whitespace().map(Chord::parse);
        let first = chords.next().ok_or("an empty key")??;
        let second = chords.next().transpose()?;
        if chords.next().is_some() {
            return Err(format!("`{text}` is longer than two chords"));
        }
        Ok(Self { first, second })
    }

    /// Whether pressing one of them in full starts or completes the other.
    fn collides_with(&self, other: &Sequence) -> bool {
        self.first == other.first
            && (self.second.is_none() || other.second.is_none() || self.second == other.second)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.first)?;
        self.second.map_or(Ok(()), |second| write!(formatter, " {second}"))
    }
}

/// One key of one context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Where it works.
    pub context: Context,
    /// What is pressed.
    pub sequence: Sequence,
    pub action: Action,
}

/// The first chord of a sequence that waits for its second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending(Option<Chord>);

impl Pending {
    /// The chord that was pressed, to show that the console waits for another.
    pub fn chord(self) -> Option<Chord> {
        self.0
    }

    /// Forgets it: the context changed, or something else happened.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}

/// What a chord came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// An action.
    Action(Action),
    /// The first half of a sequence; the next chord decides.
    Pending,
    /// Nothing is bound to it; a text field may take it as typing.
    Unbound,
}

/// A complete, checked keymap.
#[derive(Debug, Clone)]
pub struct Keymap {
    name: String,
    bindings: Vec<Binding>,
}

impl Keymap {
    /// The name it was loaded by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `chord` does in `context`. The context's own keys go before the global ones.
    pub fn resolve(&self, context: Context, pending: &mut Pending, chord: Chord) -> Resolution {
        let first = pending.0.take();
        for context in [context, Context::Global].into_iter().take(1 + usize::from(context.falls_through())) {
            let mut in_context = self.bindings.iter().filter(|binding| binding.context == context);
            let found = in_context.find(|binding| match first {
                Some(first) => binding.sequence == Sequence { first, second: Some(chord) },
                None => binding.sequence.first == chord,
            });
            match found {
                Some(binding) if first.is_some() || binding.sequence.second.is_none() => {
                    return Resolution::Action(binding.action);
                }
                Some(_) => {
                    *pending = Pending(Some(chord));
                    return Resolution::Pending;
                }
                None => {}
            }
        }
        Resolution::Unbound
    }

    /// The keys that do `action` in `context`, the one to show first. Global keys that the context takes for
    /// something else are left out.
    pub fn keys(&self, context: Context, action: Action) -> Vec<Sequence> {
        self.effective(context)
            .into_iter()
            .filter(|binding| binding.action == action)
            .map(|binding| binding.sequence)
            .collect()
    }

    /// Every key that works in `context`: its own first, then the global ones it leaves free.
    pub fn effective(&self, context: Context) -> Vec<Binding> {
        let mut own: Vec<Binding> =
            self.bindings.iter().filter(|binding| binding.context == context).copied().collect();
        if context.falls_through() {
            let global = self.bindings.iter().filter(|binding| binding.context == Context::Global);
            let free = global
                .filter(|binding| !own.iter().any(|taken| taken.sequence.collides_with(&binding.sequence)));
            let free: Vec<Binding> = free.copied().collect();
            own.extend(free);
        }
        own
    }

    /// The keys bound in `context` itself, in the order of the registry.
    pub fn bindings(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.context == context)
    }
}

#[cfg(test)]
mod tests;
