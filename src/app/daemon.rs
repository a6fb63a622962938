//! A session without a window, until the program is asked to end.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::api::{AddOptions, Command, Event, Source};
use crate::app::cli::{DaemonArgs, SessionArgs, WebArgs};
#[cfg(feature = "web")]
use crate::app::page::Page;
use crate::app::running::{News, Running, app_settings};
use crate::app::{instance, log, paths, say};
use crate::net::Config;
use crate::net::network::Begin;
use crate::store::Lock;

/// Runs the user's session unattended.
pub(super) fn run(args: &DaemonArgs) -> Result<()> {
    let state = match &args.session.state {
        Some(state) => state.clone(),
        None => paths::state()?,
    };
    let lock = Lock::take(&state)?;
    headless(&state, &lock, &args.session, &args.web, Vec::new())
}

/// Runs a session on a state folder that is ours, and opens what it is given.
pub(super) fn headless(
    state: &Path,
    lock: &Lock,
    args: &SessionArgs,
    web: &WebArgs,
    open: Vec<Source>,
) -> Result<()> {
    log::start("info");
    let running = start(state, args, web)?;
    running.listen()?;
    add(&running.handle, open);
    let handle = running.handle.clone();
    let open = move |sources| add(&handle, sources);
    let text = instance::listen(running.handle.clone(), open).context("no loopback")?;
    lock.write(&text).with_context(|| state.display().to_string())?;
    #[cfg(feature = "web")]
    let page = Page::start(running.handle.clone(), state, true).context("there is no web page")?;
    let outcome = attend(&running);
    #[cfg(feature = "web")]
    drop(page);
    let orderly = running.end();
    outcome?;
    if !orderly {
        bail!("the session did not end in time");
    }
    Ok(())
}

/// Starts the session of a state folder, with all that it had.
pub(super) fn start(state: &Path, args: &SessionArgs, web: &WebArgs) -> Result<Running> {
    let mut settings = app_settings(state, args)?;
    web.apply(&mut settings);
    #[cfg(not(feature = "web"))]
    if settings.web.page == crate::api::WebPage::Always {
        say::note("built without the web page");
    }
    let state = Some(state.to_path_buf());
    Running::start(Config { state, settings, keep_settings: true, restore: true, network: Begin::Settings })
}

/// Where the tracker in this program shows how it stands: on this machine, where it answers there.
fn tracker_page(urls: &[String]) -> Option<String> {
    let pages =
        || urls.iter().filter_map(|url| url.strip_suffix("announce")).filter(|url| url.starts_with("http"));
    let here = pages().find(|url| url.contains("//127.") || url.contains("//[::1]"));
    here.or_else(|| pages().next()).map(str::to_owned)
}

fn attend(running: &Running) -> Result<()> {
    let (mut listening, mut page) = (Vec::new(), None);
    loop {
        let view = running.handle.view();
        let shown = tracker_page(&view.tracker.urls);
        if shown != page {
            shown.iter().for_each(|shown| say::out(format_args!("the tracker's page: {shown}")));
            page = shown;
        }
        if view.listening != listening {
            listening.clone_from(&view.listening);
            tracing::info!("peers reach this session at {listening:?}");
        }
        match running.next() {
            News::Event(Event::Seeding { name, .. }) => say::out(format_args!("seeding {name}")),
            News::Event(Event::Completed { name, secs, .. }) => {
                say::out(format_args!("complete {name} {secs:.2}"));
            }
            News::Event(Event::Failed { name, reason, .. }) => say::note(format_args!("{name}: {reason}")),
            News::Event(Event::Refused { reason, .. }) => say::note(reason),
            News::Event(_) | News::Nothing => {}
            News::Signal => return Ok(()),
            News::Ended => bail!("the session has ended"),
        }
    }
}

fn add(handle: &crate::api::Handle, sources: Vec<Source>) {
    for source in sources {
        let request = handle.next_request();
        // Refused only by a session that ends.
        _ = handle.send_patiently(Command::Add { request, source, options: AddOptions::default() });
    }
}
