//! One frame of the window: take in what happened, draw, then carry out what was asked for.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use eframe::egui::{self, Margin, RichText, Ui, ViewportBuilder, ViewportCommand, ViewportId};

use crate::api::{Command, Handle, LabRunner, Settings, Source, State, Theme, View};
use crate::base::InfoHash;
use crate::gui::clock;
use crate::gui::desktop::{self, Scheme};
use crate::gui::download::{self, Download};
use crate::gui::errand::{Errands, Found};
use crate::gui::gauge::Gauge;
use crate::gui::keys::{self, Shortcut};
use crate::gui::news::{LogBook, Rates};
use crate::gui::notify::Notifier;
use crate::gui::panels::{Panel, Panels};
use crate::gui::pick::{Picked, Picker, Script, Wanted};
use crate::gui::scene::{Action, Scene};
use crate::gui::start::Inbox;
use crate::gui::state::WindowState;
use crate::gui::theme;
use crate::gui::trial::Bench;
use crate::gui::upload::Upload;
use crate::gui::widgets::toast::Toasts;

mod events;
mod frame;
mod questions;

/// Time that taking in events may take of one frame.
const DRAIN: Duration = Duration::from_millis(10);
/// News that comes faster than this is drawn together.
const COALESCE: Duration = Duration::from_millis(40);

/// The window.
pub(crate) struct App {
    handle: Handle,
    view: Arc<View>,
    /// Whether a wake is on its way already.
    woken: Arc<AtomicBool>,
    folder: Option<PathBuf>,
    state: WindowState,
    saved: WindowState,
    panels: Panels,
    upload: Option<Upload>,
    download: Option<Download>,
    question: Option<questions::Question>,
    help: bool,
    toasts: Toasts,
    log: LogBook,
    rates: Rates,
    picker: Picker,
    notifier: Option<Notifier>,
    errands: Errands,
    inbox: Inbox,
    schemes: Receiver<Scheme>,
    scheme: Option<Scheme>,
    /// The look that the context was last given.
    dressed: Option<(Theme, Option<Scheme>, u32)>,
    watched: Option<InfoHash>,
    /// The panel whose own window asked for the dialogs that are open; the main window where it is absent.
    stage: Option<Panel>,
    actions: Vec<Action>,
    gauge: Gauge,
    drops: bool,
    /// Whether the user has agreed to close.
    closing: bool,
    begun: Instant,
}

/// What an app is made with besides its session.
#[derive(Default)]
pub(crate) struct Parts {
    /// Where the window's state is kept.
    pub folder: Option<PathBuf>,
    /// What to open at once.
    pub open: Vec<Source>,
    /// What others want opened later.
    pub inbox: Inbox,
    /// What runs experiments.
    pub lab: Option<LabRunner>,
    /// Chooses in place of the desktop's dialogs.
    pub script: Option<Script>,
    /// Says things on the desktop.
    pub notifier: Option<Notifier>,
    /// How the window stood.
    pub state: WindowState,
    /// Whether the desktop is to be asked for its colours.
    pub follow_desktop: bool,
}

impl App {
    /// The window of a session.
    pub(crate) fn new(ctx: &egui::Context, handle: Handle, parts: Parts) -> Self {
        theme::install(ctx);
        let woken = Arc::new(AtomicBool::new(false));
        let wake: Arc<dyn Fn() + Send + Sync> = {
            let (woken, ctx) = (Arc::clone(&woken), ctx.clone());
            Arc::new(move || {
                if !woken.swap(true, Ordering::AcqRel) {
                    ctx.request_repaint_after(COALESCE);
                }
            })
        };
        handle.on_news(Arc::clone(&wake));
        parts.inbox.on_news(Arc::clone(&wake));
        let (told, schemes) = bounded(8);
        if parts.follow_desktop {
            let wake = Arc::clone(&wake);
            desktop::watch(move |scheme| {
                let _ = told.try_send(scheme);
                wake();
            });
        }
        let download = (!parts.open.is_empty()).then(|| {
            let mut download = Download::default();
            parts.open.into_iter().for_each(|source| download.take(source));
            download
        });
        let mut panels = Panels::default();
        let bench = |runner| Bench { runner, wake: Arc::clone(&wake) };
        panels.set_bench(parts.lab.map(bench));
        Self {
            view: handle.view(),
            handle,
            woken,
            folder: parts.folder,
            saved: parts.state.clone(),
            state: parts.state,
            panels,
            upload: None,
            download,
            question: None,
            help: false,
            toasts: Toasts::default(),
            log: LogBook::default(),
            rates: Rates::default(),
            picker: Picker::new(parts.script),
            notifier: parts.notifier,
            errands: Errands::new(wake),
            inbox: parts.inbox,
            schemes,
            scheme: None,
            dressed: None,
            watched: None,
            stage: None,
            actions: Vec::new(),
            gauge: Gauge::default(),
            // Winit hears of no drops there.
            drops: std::env::var_os("WAYLAND_DISPLAY").is_none_or(|name| name.is_empty()),
            closing: false,
            begun: clock::now(),
        }
    }

    /// Rows of the list laid out in the last frame.
    #[cfg(all(test, feature = "window-tests"))]
    pub(crate) fn laid_out(&mut self) -> usize {
        self.panels.list().laid_out()
    }

    fn scene_parts(&mut self) -> (&mut Panels, Scene<'_>) {
        let scene = Scene {
            handle: &self.handle,
            view: &self.view,
            state: &mut self.state,
            log: &mut self.log,
            rates: &self.rates,
            picking: self.picker.is_open(),
            drops: self.drops,
            actions: &mut self.actions,
        };
        (&mut self.panels, scene)
    }

    /// The torrent whose link is shown.
    #[cfg(test)]
    pub(in crate::gui) fn shown_link(&self) -> Option<crate::base::InfoHash> {
        self.upload.as_ref().and_then(Upload::torrent)
    }

    fn say(&mut self, level: crate::api::Level, text: impl Into<String>) {
        let text = text.into();
        self.log.note(clock::unix_millis(), level, &text);
        self.toasts.say(level, text, self.begun.elapsed().as_secs_f64());
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let begun = clock::now();
        self.woken.store(false, Ordering::Release);
        self.take_in(ctx);
        self.close(ctx);
        self.gauge.ahead(begun.elapsed());
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let begun = clock::now();
        self.dress(ui.ctx());
        self.shortcuts(ui.ctx());
        self.dropped_and_pasted(ui.ctx());
        self.draw(ui);
        if self.actions.iter().any(Action::opens_dialog) {
            self.stage = None;
        }
        if !self.dialogs_elsewhere() {
            self.dialogs(ui.ctx());
        }
        self.own_windows(ui.ctx());
        self.toasts.show(ui.ctx(), self.begun.elapsed().as_secs_f64());
        self.carry_out(ui.ctx(), frame);
        self.watch();
        self.note_window(ui.ctx());
        self.gauge.push(begun.elapsed());
        let rows = self.panels.list().laid_out();
        self.gauge.show(ui.ctx(), rows, frame.info().cpu_usage);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if let Some(folder) = &self.folder
            && self.state != self.saved
        {
            // The window is gone; there is nobody to tell.
            let _ = self.state.write(folder);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
