//! Opens the window on a session that is played, so that every state of it can be looked at.
//!
//! window [empty|busy|failing] [light|dark] [STATE-FOLDER]

use std::path::PathBuf;

use fyris::api::Theme;
use fyris::gui::demo::{self, Mood};
use fyris::gui::{Start, run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mood = match arguments.next().as_deref() {
        Some("empty") => Mood::Empty,
        Some("failing") => Mood::Failing,
        Some("busy") | None => Mood::Busy,
        Some(other) => return Err(format!("{other} is none of empty, busy, failing").into()),
    };
    let theme = match arguments.next().as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        None => Theme::System,
        Some(other) => return Err(format!("{other} is neither light nor dark").into()),
    };
    let start = Start {
        state_dir: arguments.next().map(PathBuf::from),
        #[cfg(feature = "sim")]
        lab: Some(std::sync::Arc::new(fyris::lab::run)),
        ..Start::default()
    };
    Ok(run(demo::start(mood, theme), start)?)
}
