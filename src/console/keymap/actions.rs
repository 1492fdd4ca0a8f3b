//! The registry of what a key can do. Parsing, help, key hints and the reference all derive from it.

use crate::console::screens::table::every_screen;

macro_rules! contexts {
    ($({ $screen:ident $goto:ident, $name:literal, $doc:literal, $($rest:tt)* })*) => {
        /// Where a key is pressed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Context {
            /// Every screen, unless the screen binds the key itself.
            Global,
            $(#[doc = $doc] $screen,)*
            /// A dialog with a choice, confirmations of level `yes` among them.
            Dialog,
            /// A line or field of text being typed: reasons, notes, filters, typed confirmations.
            TextEntry,
            /// The command palette.
            Palette,
            /// The help overlay.
            Help,
        }

        impl Context {
            /// Every context, in the order of the help.
            pub const ALL: [Context; Context::Help as usize + 1] = [
                Context::Global,
                $(Context::$screen,)*
                Context::Dialog,
                Context::TextEntry,
                Context::Palette,
                Context::Help,
            ];

            /// Its name in keymap files.
            pub fn name(self) -> &'static str {
                match self {
                    Context::Global => "global",
                    $(Context::$screen => $name,)*
                    Context::Dialog => "dialog",
                    Context::TextEntry => "text-entry",
                    Context::Palette => "palette",
                    Context::Help => "help",
                }
            }

            /// What it covers, for the reference.
            pub fn doc(self) -> &'static str {
                match self {
                    Context::Global => "Every screen, unless the screen binds the key itself.",
                    $(Context::$screen => $doc,)*
                    Context::Dialog => "Dialogs with a choice, and confirmations by one key.",
                    Context::TextEntry => "Typing a reason, a note, a filter or the phrase of a confirmation.",
                    Context::Palette => "The command palette.",
                    Context::Help => "The help.",
                }
            }

            /// Whether keys that the context does not bind fall through to [`Context::Global`]. Overlays do not:
            /// a screen's key pressed into a dialog must do nothing.
            pub fn falls_through(self) -> bool {
                matches!(self, $(Context::$screen)|*)
            }
        }

        const SCREENS: &[Context] = &[Context::Global, $(Context::$screen),*];
        const FILTERED: &[Context] = &[Context::Global, $(Context::$screen,)* Context::Help];
        const LISTS: &[Context] =
            &[Context::Global, $(Context::$screen,)* Context::Dialog, Context::Palette, Context::Help];
        /// Where there are pages: also a confirmation that is typed.
        const PAGES: &[Context] = &[
            Context::Global,
            $(Context::$screen,)*
            Context::Dialog,
            Context::Palette,
            Context::Help,
            Context::TextEntry,
        ];
    };
}
every_screen!(contexts);

impl Context {
    /// Whether plain characters are typed into a field here, so that they cannot be bound.
    pub fn types_text(self) -> bool {
        matches!(self, Context::TextEntry | Context::Palette)
    }
}

macro_rules! actions {
    ($({
        $screen:ident $goto:ident, $name:literal, $doc:literal,
        short: $short:literal, goto: $action:literal, $shows:literal, $($rest:tt)*
    })*) => {
        /// What a key can do.
        /// [`ACTIONS`] documents each, in the words that the user reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            Quit,
            Detach,
            Help,
            Palette,
            Filter,
            Back,
            NextScreen,
            PrevScreen,
            $($goto,)*
            Up,
            Down,
            Left,
            Right,
            PageUp,
            PageDown,
            Top,
            Bottom,
            Select,
            ToggleDetails,
            Copy,
            Refresh,
            DeclareIncident,
            SetSeverity,
            CloseIncident,
            Note,
            RunPreflight,
            Acknowledge,
            Page,
            SendMessage,
            SkipMessage,
            HandOver,
            Resolve,
            Reopen,
            Dismiss,
            AnswerContradiction,
            RecordServing,
            RecordUndone,
            Brief,
            Diagnose,
            AnswerYes,
            AnswerNo,
            AnswerOther,
            PrepareStep,
            RetryStep,
            SkipStep,
            AttestStep,
            OverrideGuard,
            AbortRun,
            ConfirmYes,
            ConfirmTyped,
            NextField,
            PreviewMessage,
            Submit,
        }

        /// The registry: every bindable action once, in the order of the help.
        pub static ACTIONS: [ActionInfo; Action::Submit as usize + 1] = [
            safe(
                Action::Quit,
                "quit",
                "Close this console, asking first while an incident is open.",
                SCREENS,
                GLOBAL,
            ),
            safe(Action::Detach, "detach", "Close this console at once and leave its engine running.", SCREENS, &[]),
            safe(Action::Help, "help", "Show every key that works here.", LISTS, GLOBAL),
            safe(Action::Palette, "palette", "Find a command by its name.", SCREENS, GLOBAL),
            safe(Action::Filter, "filter", "Show only the rows that match a text.", FILTERED, &[]),
            safe(Action::Back, "back", "Close what is open, or go back.", OVERLAYS, OVERLAYS),
            safe(Action::NextScreen, "next-screen", "Go to the next screen.", SCREENS, &[]),
            safe(Action::PrevScreen, "prev-screen", "Go to the previous screen.", SCREENS, &[]),
            $(safe(Action::$goto, $action, $shows, SCREENS, &[]),)*
            safe(Action::Up, "up", "Move up.", LISTS, &[]),
            safe(Action::Down, "down", "Move down.", LISTS, &[]),
            safe(Action::Left, "left", "Move left.", LISTS, &[]),
            safe(Action::Right, "right", "Move right.", LISTS, &[]),
            safe(Action::PageUp, "page-up", "Move up by one page.", PAGES, &[]),
            safe(Action::PageDown, "page-down", "Move down by one page.", PAGES, &[]),
            safe(Action::Top, "top", "Go to the first row.", LISTS, &[]),
            safe(Action::Bottom, "bottom", "Go to the last row.", LISTS, &[]),
            safe(Action::Select, "select", "Open or expand what is selected. It never confirms.", LISTS, &[]),
            safe(
                Action::ToggleDetails,
                "toggle-details",
                "Show or hide the details of what is selected.",
                SCREENS,
                &[],
            ),
            safe(Action::Copy, "copy", "Copy the equivalent command to the clipboard.", LISTS, &[]),
            safe(Action::Refresh, "refresh", "Draw the whole screen again.", SCREENS, &[]),
            safe(Action::DeclareIncident, "declare-incident", "Declare an incident, live or drill.", SCREENS, &[]),
            safe(Action::SetSeverity, "set-severity", "Set the severity by hand, with a reason.", SCREENS, &[]),
            safe(Action::CloseIncident, "close-incident", "Close the incident, after a question.", SCREENS, &[]),
            safe(Action::Note, "note", "Write a note into the journal.", SCREENS, &[]),
            safe(
                Action::RunPreflight,
                "run-preflight",
                "Look whether each step of the plan could be done now.",
                SCREENS,
                &[],
            ),
            destructive_anywhere(
                Action::Acknowledge,
                "acknowledge",
                "Take the escalation on: no further level is paged.",
            ),
            safe(Action::Page, "page", "Page somebody now, whatever the policy says.", SCREENS, &[]),
            safe(Action::SendMessage, "send-message", "Write a message or update, read it, send it.", SCREENS, &[]),
            safe(
                Action::SkipMessage,
                "waive-message",
                "Do without a message that is due, with a reason.",
                SCREENS,
                &[],
            ),
            safe(Action::HandOver, "hand-over", "Let somebody else answer for a role.", SCREENS, &[]),
            safe(Action::Resolve, "resolve", "Say that what was broken is mended, and how.", SCREENS, &[]),
            safe(Action::Reopen, "reopen", "Say that it was not over, and why.", SCREENS, &[]),
            safe(Action::Dismiss, "dismiss", "Say that what is proposed is no incident, and why.", SCREENS, &[]),
            safe(
                Action::AnswerContradiction,
                "answer-contradiction",
                "Answer what cannot be right, with a reason, so that you may go on.",
                SCREENS,
                &[],
            ),
            safe(
                Action::RecordServing,
                "record-serving",
                "Record which region serves: what was done by hand.",
                SCREENS,
                &[],
            ),
            safe(
                Action::RecordUndone,
                "record-undone",
                "Say that what a step did is undone, or stays on purpose.",
                SCREENS,
                &[],
            ),
            safe(Action::Brief, "brief", "Read whole what is cut off, then the brief.", SCREENS, &[]),
            safe(
                Action::Diagnose,
                "diagnose",
                "Read what is behind the selected signal: pods, warnings, log.",
                OVERVIEW,
                &[],
            ),
            safe(Action::AnswerYes, "answer-yes", "Answer the open question with yes.", DECIDE, &[]),
            safe(Action::AnswerNo, "answer-no", "Answer the open question with no.", DECIDE, &[]),
            safe(Action::AnswerOther, "answer-other", "Choose another answer to the open question.", DECIDE, &[]),
            safe(Action::PrepareStep, "prepare-step", "Open the confirmation of the selected step.", DECIDE, DECIDE),
            destructive(
                Action::RetryStep,
                "retry-step",
                "Prepare a failed step once more, or a fence whose server takes writes.",
                DECIDE,
            ),
            destructive(Action::SkipStep, "skip-step", "Skip the selected step, with a reason.", DECIDE),
            destructive(Action::AttestStep, "attest-step", "Attest that the selected step was done by hand.", DECIDE),
            destructive(Action::OverrideGuard, "override-guard", "Go on against a guard, with a reason.", DECIDE),
            destructive(Action::AbortRun, "abort-run", "Abort the run: nothing further starts.", DECIDE),
            destructive(
                Action::ConfirmYes,
                "confirm-yes",
                "Confirm, where the confirmation asks for one key.",
                &[Context::Dialog],
            ),
            destructive(
                Action::ConfirmTyped,
                "confirm-typed",
                "Confirm, once the phrase is typed in full.",
                &[Context::TextEntry],
            ),
            safe(
                Action::NextField,
                "next-field",
                "Go to the other field, or take the next of the names offered.",
                &[Context::TextEntry],
                &[Context::TextEntry],
            ),
            safe(
                Action::PreviewMessage,
                "preview-message",
                "Show the message as it will be sent. It never sends.",
                &[Context::TextEntry],
                &[Context::TextEntry],
            ),
            safe(
                Action::Submit,
                "submit",
                "Finish typing a reason, a note or a filter. It never confirms.",
                &[Context::TextEntry],
                &[Context::TextEntry],
            ),
        ];
    };
}
every_screen!(actions);

/// One entry of the registry.
#[derive(Debug)]
pub struct ActionInfo {
    pub action: Action,
    /// Its name in keymap files and in the palette.
    pub name: &'static str,
    /// What it does, one sentence.
    pub doc: &'static str,
    /// Contexts in which it can be bound.
    pub contexts: &'static [Context],
    /// It fires or ends something that changes the world or the record; Enter and space cannot be bound to it.
    pub destructive: bool,
    /// Contexts that no keymap may leave without a key for it.
    pub required: &'static [Context],
}

const OVERVIEW: &[Context] = &[Context::Overview];
const DECIDE: &[Context] = &[Context::Decide];
const GLOBAL: &[Context] = &[Context::Global];
const OVERLAYS: &[Context] =
    &[Context::Global, Context::Dialog, Context::TextEntry, Context::Palette, Context::Help];

const fn safe(
    action: Action,
    name: &'static str,
    doc: &'static str,
    contexts: &'static [Context],
    required: &'static [Context],
) -> ActionInfo {
    ActionInfo { action, name, doc, contexts, destructive: false, required }
}

const fn destructive(
    action: Action,
    name: &'static str,
    doc: &'static str,
    contexts: &'static [Context],
) -> ActionInfo {
    ActionInfo { action, name, doc, contexts, destructive: true, required: contexts }
}

const fn destructive_anywhere(action: Action, name: &'static str, doc: &'static str) -> ActionInfo {
    ActionInfo { action, name, doc, contexts: SCREENS, destructive: true, required: &[] }
}

impl Action {
    /// Its entry in the registry.
    pub fn info(self) -> &'static ActionInfo {
        // The registry holds every action (a test counts them); the first entry only satisfies the type.
        ACTIONS.iter().find(|info| info.action == self).unwrap_or(&ACTIONS[0])
    }

    /// The action called `name`.
    pub fn by_name(name: &str) -> Option<&'static ActionInfo> {
        ACTIONS.iter().find(|info| info.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_actions_are_unique_and_documented() {
        for (index, info) in ACTIONS.iter().enumerate() {
            assert!(ACTIONS[..index].iter().all(|other| other.name != info.name), "{}", info.name);
            assert!(ACTIONS[..index].iter().all(|other| other.action != info.action), "{}", info.name);
            assert!(info.doc.ends_with('.') && info.doc.len() <= 70, "{}", info.doc);
            assert!(info.required.iter().all(|context| info.contexts.contains(context)), "{}", info.name);
        }
    }

    #[test]
    fn the_registry_holds_every_action_once() {
        // The last variant's number counts the enum, so a new action without an entry fails here.
        assert_eq!(ACTIONS.len(), Action::Submit as usize + 1);
    }
}
