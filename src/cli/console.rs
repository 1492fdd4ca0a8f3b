//! The console in this terminal, from first frame to last.

use super::{EXIT_USAGE, Failure, LookArgs, block_on};
use crate::base::environment::Environment;
use crate::console::app::link::{Connect, How, LinkError};
use crate::console::app::run::{ConsoleError, End};
use crate::console::app::{App, run};
use crate::console::input::{EndReason, Input};
use crate::console::terminal::{self, Terminal, TerminalError, Unusable};
use crate::console::widgets::Styles;
use crate::engine::client::Client;
use crate::engine::paths::StateFolder;
use crate::engine::spawn::{self, SpawnError};
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// What ends when the operator leaves the console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leaving {
    /// The console: its engine goes on.
    Console,
    /// A demo or a rehearsal: its engine too.
    Simulation {
        /// Its journal and state stay.
        kept: bool,
    },
}

/// Runs the console. `title` names what is opened; `parting` makes what is said when the operator leaves.
///
/// # Errors
/// When the terminal does not do, or the engine cannot be reached.
pub(super) fn console(
    styles: &LookArgs,
    environment: &Environment,
    title: &str,
    (leaving, parting): (Leaving, &dyn Fn(&App) -> String),
    connect: Connect,
) -> Result<ExitCode, Failure> {
    let term = environment.get("TERM").and_then(|term| term.to_str());
    terminal::usable(term).map_err(unusable)?;
    let outfit = styles.outfit(environment)?;
    let text = |name| environment.get(name).and_then(|value| value.to_str());
    let assumed = terminal::assumed_size(text("COLUMNS"), text("LINES"));
    let mut app = App::new(outfit.keymap, terminal::size().unwrap_or(assumed));
    if let Leaving::Simulation { kept } = leaving {
        app = app.ending_with_it(kept);
    }
    if let Some(trouble) = outfit.trouble {
        app.warn(trouble, Instant::now());
    }
    let styles = Styles::new(&outfit.theme, outfit.glyphs);
    let ended = block_on(async {
        let mut terminal = Terminal::enter(term)?.assuming(assumed);
        let mut input = Input::start(&terminal).map_err(TerminalError::from)?;
        let ended = run(&mut terminal, &mut input, &mut app, styles, title, connect).await;
        drop(input);
        terminal.leave();
        ended
    })?;
    match ended {
        Ok(End::Quit) => {
            terminal::say(&parting(&app));
            Ok(ExitCode::SUCCESS)
        }
        // As the shell counts them: 128 and the signal's number.
        Ok(End::Input(EndReason::Hangup | EndReason::TerminalLost)) => Ok(ExitCode::from(129)),
        Ok(End::Input(EndReason::Interrupted)) => Ok(ExitCode::from(130)),
        Ok(End::Input(EndReason::Terminated)) => Ok(ExitCode::from(143)),
        Ok(End::Input(EndReason::Killed(number))) => {
            Ok(ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX)))
        }
        Ok(End::Input(EndReason::Panicked)) => Err(Failure::new(
            "the console failed; the engine goes on",
            "Open it again, and please report this.",
        )
        .with_code(101)),
        Err(ConsoleError::Terminal(TerminalError::Gone)) => Ok(ExitCode::from(129)),
        Err(ConsoleError::Terminal(TerminalError::Unusable(why))) => Err(unusable(why)),
        Err(error) => {
            let of_plan = matches!(error, ConsoleError::Link(LinkError::Spawn(SpawnError::Plan(_))));
            let failure = Failure::new(error, "");
            Err(if of_plan { failure.with_code(EXIT_USAGE) } else { failure })
        }
    }
}

fn unusable(why: Unusable) -> Failure {
    Failure::new(why, "").with_code(Unusable::EXIT_CODE)
}

/// Reaches the engine of a state folder; `arguments` start one.
pub(super) fn connector(folder: StateFolder, arguments: Vec<OsString>) -> Connect {
    let folder = Arc::new(folder);
    let arguments: Arc<[OsString]> = arguments.into();
    Box::new(move |how| {
        let (folder, arguments) = (folder.clone(), arguments.clone());
        Box::pin(async move {
            match how {
                How::Attach => Client::connect(&folder.socket()).await.map_err(SpawnError::from),
                How::Start => spawn::connect_or_start(&folder, &arguments).await,
            }
        })
    })
}
