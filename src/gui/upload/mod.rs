//! The way from a file to people: one card to say what and to whom, hashing, and the link to send.
//!
//! - `form`: the card
//! - `ready`: the link, who is downloading, and when the window may be closed

mod form;
mod ready;

use std::path::{Path, PathBuf};

use eframe::egui;

use crate::api::{Command, JobRow, RequestId};
use crate::base::InfoHash;
use crate::gui::errand::Measure;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::{bar, dialog, field, format};

use form::{Answer, Form};
use ready::Ready;

/// The share in hand.
pub(crate) enum Upload {
    /// Being filled in.
    Form(Box<Form>),
    /// Being hashed; the form comes back where that fails.
    Hashing(RequestId, Box<Form>),
    /// Done, or the link of any torrent.
    Ready(Box<Ready>),
}

impl Upload {
    /// An empty card, or one for a path.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self::Form(Box::new(Form::new(path)))
    }

    /// The link of a torrent that is on the list.
    pub(crate) fn link(torrent: InfoHash) -> Self {
        Self::Ready(Box::new(Ready::new(torrent, false)))
    }

    /// Lets the user type where the .torrent file goes, where no dialog can ask.
    pub(crate) fn save_by_path(&mut self, folder: &Path, name: &str) {
        if let Self::Ready(ready) = self {
            ready.save_by_path(folder, name);
        }
    }

    /// Takes a path from a dialog or a drop.
    pub(crate) fn take(&mut self, path: &Path) {
        match self {
            Self::Form(form) => form.set_path(path),
            _ => *self = Self::new(Some(path)),
        }
    }

    /// Takes what was found at a path.
    pub(crate) fn measured(&mut self, path: &Path, result: Result<Measure, String>) {
        if let Self::Form(form) = self {
            form.measured(path, result);
        }
    }

    /// Takes the answer to a share; whether it was this one.
    pub(crate) fn shared(&mut self, request: RequestId, torrent: InfoHash) -> bool {
        let ours = matches!(self, Self::Hashing(waiting, _) if *waiting == request);
        if ours {
            *self = Self::Ready(Box::new(Ready::new(torrent, true)));
        }
        ours
    }

    /// Takes a refusal; whether it was of this one.
    pub(crate) fn refused(&mut self, request: RequestId, reason: &str) -> bool {
        match self {
            Self::Hashing(waiting, form) if *waiting == request => {
                let mut form = std::mem::replace(form, Box::new(Form::new(None)));
                form.fail(reason);
                *self = Self::Form(form);
                true
            }
            _ => false,
        }
    }

    /// The torrent whose link is shown.
    pub(crate) fn torrent(&self) -> Option<InfoHash> {
        match self {
            Self::Ready(ready) => Some(ready.torrent()),
            _ => None,
        }
    }

    /// Draws it; false once it is done with.
    pub(crate) fn ui(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>) -> bool {
        match self {
            Self::Form(form) => match form.ui(ctx, scene) {
                Answer::Open => true,
                Answer::Closed => false,
                Answer::Share(share) => {
                    let request = scene.handle.next_request();
                    scene.send(Command::Share { request, share: Box::new(share) });
                    let form = std::mem::replace(form, Box::new(Form::new(None)));
                    *self = Self::Hashing(request, form);
                    true
                }
            },
            Self::Hashing(request, form) => hashing(ctx, scene, *request, &form.name()),
            Self::Ready(ready) => ready.ui(ctx, scene),
        }
    }
}

/// Progress of hashing; false once the card is put away, or the work with it.
fn hashing(ctx: &egui::Context, scene: &mut Scene<'_>, request: RequestId, name: &str) -> bool {
    let view = std::sync::Arc::clone(scene.view);
    let job = view.jobs.iter().find(|job| job.request == request);
    let title = format!("Preparing {name}");
    let shown = dialog::show(
        ctx,
        "Upload",
        theme::DIALOG,
        |ui| {
            ui.add(egui::Label::new(&title).truncate());
            ui.add_space(theme::GAP / 2.0);
            let part = job.map_or(0.0, |job| (job.done as f64 / job.total.max(1) as f64) as f32);
            bar::progress(ui, part, &title);
            field::note(ui, &job.map_or_else(|| "Reading…".to_owned(), standing));
        },
        |ui| {
            let cancel = Push::new("Cancel").show(ui).clicked();
            let tip = "The work goes on; its progress stands above the list";
            let hide = Push::new("Hide").kind(Kind::Quiet).tip(tip).show(ui).clicked();
            (cancel, hide)
        },
    );
    let (cancel, hide) = shown.inner;
    if cancel {
        scene.send(Command::Cancel(request));
    }
    !(cancel || hide || shown.closed)
}

/// How far hashing is: `1.20 GiB of 4.00 GiB, 812 MiB/s, 3 s left`.
pub(crate) fn standing(job: &JobRow) -> String {
    let mut text = format!("{} of {}", format::size(job.done), format::size(job.total));
    if job.rate > 0 {
        let left = job.total.saturating_sub(job.done).div_ceil(job.rate);
        text += &format!(", {}, {} left", format::rate(job.rate), format::span(left));
    }
    text
}

/// A path without what a shell or a browser puts around it; nothing where nothing was typed.
fn typed(text: &str) -> Option<PathBuf> {
    (!text.trim().is_empty()).then(|| field::path(text))
}
