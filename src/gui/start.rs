//! Opening the window: with the usual renderer, with the other one where that fails, or not at all, and then said.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::{IconData, ViewportBuilder};

use crate::api::{Handle, LabRunner, Source};
use crate::gui::app::{App, Parts};
use crate::gui::notify;
use crate::gui::state::WindowState;
use crate::gui::theme;

/// The program's name to the desktop; the .desktop file has the same.
const APP_ID: &str = "fyris";
/// Torrents that other starts may hand over before the window takes them.
const HANDED: usize = 1_024;

/// What draws the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renderer {
    /// OpenGL.
    Glow,
    /// Vulkan, Metal, Direct3D, or OpenGL again.
    Wgpu,
}

/// How the window begins.
#[derive(Default)]
pub struct Start {
    /// Torrents and magnet links to be opened at once.
    pub open: Vec<Source>,
    /// The folder in which the window keeps how it stood.
    pub state_dir: Option<PathBuf>,
    /// Torrents and links that come while it is open.
    pub inbox: Inbox,
    /// The renderer to try first; the one that suits the system where it is absent.
    pub renderer: Option<Renderer>,
    /// What runs the experiments of the lab; the lab says so where there is nothing.
    pub lab: Option<LabRunner>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no display to open it on.
    #[error("there is no display: {0}")]
    NoDisplay(String),
    /// Neither renderer starts here.
    #[error(
        "no window can be drawn here. OpenGL: {glow}. Vulkan and others: {wgpu}. Install or update the graphics driver, or use the program without a window"
    )]
    NoRenderer {
        /// Why not with OpenGL.
        glow: String,
        /// Why not with the other.
        wgpu: String,
    },
    /// The window was open and then failed.
    #[error("the window failed: {0}")]
    Window(String),
}

type Waker = Arc<dyn Fn() + Send + Sync>;

/// Where the window leaves what wakes it.
type Bell = Arc<Mutex<Option<Waker>>>;

/// Hands torrents to a window that is open; cheap to clone.
#[derive(Clone)]
pub struct Opener {
    sources: Sender<Option<Source>>,
    bell: Bell,
}

/// Where a window finds what was handed to it.
#[derive(Clone, Default)]
pub struct Inbox(Option<Handed>);

#[derive(Clone)]
struct Handed {
    sources: Receiver<Option<Source>>,
    bell: Bell,
}

/// A way to hand torrents to a window, and the window's end of it.
pub fn inbox() -> (Opener, Inbox) {
    let (sender, sources) = bounded(HANDED);
    let bell = Bell::default();
    (Opener { sources: sender, bell: Arc::clone(&bell) }, Inbox(Some(Handed { sources, bell })))
}

impl Opener {
    /// Opens a torrent or link in the window, or only brings the window to the front. False where too many wait.
    pub fn open(&self, source: Option<Source>) -> bool {
        let taken = self.sources.try_send(source).is_ok();
        let waker = self.bell.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker();
        }
        taken
    }
}

impl Inbox {
    pub(crate) fn on_news(&self, waker: Waker) {
        if let Some(handed) = &self.0 {
            *handed.bell.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
        }
    }

    pub(crate) fn next(&self) -> Option<Option<Source>> {
        self.0.as_ref()?.sources.try_recv().ok()
    }
}

/// Opens the window of a session and returns when it is closed. The session goes on; ending it is the caller's part.
///
/// # Errors
/// Where there is no display, or nothing can draw on it.
pub fn run(handle: Handle, start: Start) -> Result<(), Error> {
    let Start { open, state_dir, inbox, renderer, lab } = start;
    let first = renderer.unwrap_or(if cfg!(windows) { Renderer::Wgpu } else { Renderer::Glow });
    let second = if first == Renderer::Glow { Renderer::Wgpu } else { Renderer::Glow };
    let attempt = |renderer: Renderer| -> Result<(), Failure> {
        let made = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let parts = Parts {
            folder: state_dir.clone(),
            open: open.clone(),
            inbox: inbox.clone(),
            lab: lab.clone(),
            script: None,
            notifier: Some(notify::desktop()),
            state: WindowState::read(state_dir.as_deref()),
            follow_desktop: true,
        };
        let options = options(renderer, &parts.state);
        let (handle, flag) = (handle.clone(), Arc::clone(&made));
        let creator: eframe::AppCreator<'_> = Box::new(move |context| {
            flag.store(true, std::sync::atomic::Ordering::Release);
            Ok(Box::new(App::new(&context.egui_ctx, handle, parts)))
        });
        eframe::run_native("Fyris", options, creator).map_err(|error| match error {
            eframe::Error::WinitEventLoop(error) => Failure::NoDisplay(plain(&error.to_string()).to_owned()),
            error if made.load(std::sync::atomic::Ordering::Acquire) => Failure::Later(error.to_string()),
            error => Failure::Renderer(error.to_string()),
        })
    };
    let outcome = match attempt(first) {
        Err(Failure::Renderer(one)) => match attempt(second) {
            Err(Failure::Renderer(other)) => {
                let (glow, wgpu) = if first == Renderer::Glow { (one, other) } else { (other, one) };
                Err(Error::NoRenderer { glow, wgpu })
            }
            other => other.map_err(Failure::into_error),
        },
        other => other.map_err(Failure::into_error),
    };
    if let Err(error @ (Error::NoRenderer { .. } | Error::Window(_))) = &outcome {
        tell(error);
    }
    outcome
}

/// Why one attempt ended.
enum Failure {
    NoDisplay(String),
    Renderer(String),
    Later(String),
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::NoDisplay(why) => Error::NoDisplay(why),
            Self::Renderer(why) | Self::Later(why) => Error::Window(why),
        }
    }
}

/// What a system said, without the place in a source file that some put before it.
fn plain(error: &str) -> &str {
    error
        .split_once(".rs:")
        .and_then(|(_, rest)| rest.split_once(": "))
        .map_or(error, |(_, text)| text)
        .trim_end_matches('.')
}

/// Says on the terminal and in a dialog of the desktop, which needs no renderer, that there is no window.
#[expect(clippy::print_stderr, reason = "the only place left to say it")]
fn tell(error: &Error) {
    eprintln!("fyris: {error}");
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title("Fyris cannot open its window")
        .set_description(error.to_string())
        .show();
}

fn options(renderer: Renderer, state: &WindowState) -> eframe::NativeOptions {
    let size = state.size.map_or(theme::FIRST_SIZE, |(width, height)| {
        eframe::egui::vec2(width, height).clamp(theme::SMALLEST, eframe::egui::vec2(16_384.0, 16_384.0))
    });
    let viewport = ViewportBuilder::default()
        .with_title("Fyris")
        .with_app_id(APP_ID)
        .with_inner_size(size)
        .with_min_inner_size(theme::SMALLEST)
        .with_maximized(state.maximized)
        .with_icon(icon());
    eframe::NativeOptions {
        viewport,
        renderer: match renderer {
            Renderer::Glow => eframe::Renderer::Glow,
            Renderer::Wgpu => eframe::Renderer::Wgpu,
        },
        ..eframe::NativeOptions::default()
    }
}

/// The program's picture; an empty one where it cannot be read, which would be our own fault and no reason to stop.
fn icon() -> IconData {
    let bytes = include_bytes!("../../assets/icon-128.png");
    image::load_from_memory(bytes).map_or_else(
        |_| IconData::default(),
        |image| {
            let image = image.into_rgba8();
            let (width, height) = image.dimensions();
            IconData { rgba: image.into_raw(), width, height }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_arrives_with_a_wake() {
        let (opener, inbox) = inbox();
        let (woken, wakes) = bounded(4);
        inbox.on_news(Arc::new(move || {
            let _ = woken.try_send(());
        }));
        let magnet = Source::Magnet("magnet:?xt=urn:btih:0".to_owned());
        assert!(opener.open(Some(magnet.clone())) && opener.open(None));
        assert_eq!(inbox.next(), Some(Some(magnet)));
        assert_eq!((inbox.next(), inbox.next()), (Some(None), None));
        assert_eq!(wakes.len(), 2);
        assert!(Inbox::default().next().is_none());
    }

    #[test]
    fn what_a_system_said_is_told_without_its_source() {
        assert_eq!(plain("os error at /a/b/mod.rs:765: no DISPLAY is set."), "no DISPLAY is set");
        assert_eq!(plain("no display"), "no display");
    }

    #[test]
    fn the_icon_can_be_read() {
        let icon = icon();
        assert_eq!((icon.width, icon.height), (128, 128));
    }
}
