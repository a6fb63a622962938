//! The app: the session of a state folder and its window, or no window where there is no display.

use anyhow::{Context as _, Result};

use crate::api::Source;
use crate::app::cli::DesktopArgs;
use crate::app::{daemon, instance, paths};
use crate::store::Lock;

/// Opens the app, or hands what it was given to the one that is open on this state folder.
pub(super) fn run(args: &DesktopArgs) -> Result<()> {
    let open: Vec<Source> = args.open.iter().map(|text| instance::source(text)).collect::<Result<_>>()?;
    let state = match &args.session.state {
        Some(state) => state.clone(),
        None => paths::state()?,
    };
    let lock = match Lock::take(&state) {
        Ok(lock) => lock,
        Err(held) if held.fault.is_some() || held.text.is_empty() => return Err(held.into()),
        Err(held) => return instance::hand_over(&held.text, &open).with_context(|| held.to_string()),
    };
    #[cfg(feature = "gui")]
    return window::run(args, &state, lock, open);
    #[cfg(not(feature = "gui"))]
    crate::app::say::note("built without a window, and running without one");
    #[cfg(not(feature = "gui"))]
    return daemon::headless(&state, &lock, &args.session, &args.web, open);
}

#[cfg(feature = "gui")]
mod window {
    use std::path::Path;

    use anyhow::{Context as _, Result, bail};

    use super::{DesktopArgs, Lock, Source, daemon, instance};
    #[cfg(feature = "web")]
    use crate::app::page::Page;
    use crate::app::{log, say};
    use crate::gui;

    pub(super) fn run(args: &DesktopArgs, state: &Path, lock: Lock, open: Vec<Source>) -> Result<()> {
        if let Some(why) = no_display() {
            say::note(format_args!("{why}; running without a window"));
            return daemon::headless(state, &lock, &args.session, &args.web, open);
        }
        log::start("warn");
        let running = daemon::start(state, &args.session, &args.web)?;
        running.pass_signals_on()?;
        let (opener, inbox) = gui::inbox();
        let handed = opener.clone();
        let take = move |sources: Vec<Source>| match sources.is_empty() {
            true => _ = handed.open(None),
            false => sources.into_iter().for_each(|source| _ = handed.open(Some(source))),
        };
        let text = instance::listen(running.handle.clone(), take).context("no loopback")?;
        lock.write(&text).with_context(|| state.display().to_string())?;
        let start = gui::Start {
            open,
            state_dir: Some(state.to_path_buf()),
            inbox,
            #[cfg(feature = "sim")]
            lab: Some(std::sync::Arc::new(crate::lab::run)),
            ..gui::Start::default()
        };
        #[cfg(feature = "web")]
        let page = Page::start(running.handle.clone(), state, false).context("there is no web page")?;
        let shown = gui::run(running.handle.clone(), start);
        #[cfg(feature = "web")]
        drop(page);
        let orderly = running.end();
        shown?;
        if !orderly {
            bail!("the session did not end in time");
        }
        Ok(())
    }

    /// Why there can be no window, as far as that is known before one is tried.
    fn no_display() -> Option<&'static str> {
        let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
        let none = cfg!(all(unix, not(target_os = "macos")))
            && ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].into_iter().all(unset);
        none.then_some("there is no display")
    }
}
