//! The way from a .torrent file or a magnet link to a download: one card to say where to, and which files.
//!
//! - `card`: one torrent that was read
//! - `source`: what a user typed, pasted or dropped

mod card;
mod source;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use eframe::egui::{self, Key, Ui};

use crate::api::{AddOptions, Command, Preview, RequestId, Source};
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{dialog, field};

use card::Card;
pub(crate) use source::read as read_source;

/// Sources that may wait for their turn.
const MOST: usize = 1_000;

/// The downloads to be added.
#[derive(Default)]
pub(crate) struct Download {
    /// What is typed.
    text: String,
    fault: Option<String>,
    card: Option<Card>,
    waiting: VecDeque<Source>,
    focused: bool,
}

impl Download {
    /// Takes something to download; it is asked about once those before it are.
    pub(crate) fn take(&mut self, source: Source) {
        if self.waiting.len() < MOST && !self.waiting.contains(&source) {
            self.waiting.push_back(source);
        }
    }

    /// Takes what was read; whether it was asked for here.
    pub(crate) fn inspected(&mut self, request: RequestId, preview: &Preview) -> bool {
        self.card.as_mut().is_some_and(|card| card.inspected(request, preview))
    }

    /// Takes a refusal; whether it was of something asked for here.
    pub(crate) fn refused(&mut self, request: RequestId, reason: &str) -> bool {
        let ours = self.card.as_ref().is_some_and(|card| card.request() == request);
        if ours {
            self.fault = Some(reason.to_owned());
            if let Some(card) = self.card.take() {
                self.text = card.text();
            }
        }
        ours
    }

    /// Takes a folder from a dialog.
    pub(crate) fn save_into(&mut self, folder: &Path) {
        if let Some(card) = &mut self.card {
            card.save_into(folder);
        }
    }

    /// Takes how much is free in a folder.
    pub(crate) fn free(&mut self, folder: &Path, bytes: Option<u64>) {
        if let Some(card) = &mut self.card {
            card.free(folder, bytes);
        }
    }

    /// Draws it; false once it is done with.
    pub(crate) fn ui(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>) -> bool {
        if self.card.is_none()
            && self.fault.is_none()
            && let Some(source) = self.waiting.pop_front()
        {
            self.inspect(source, scene);
        }
        let more = self.waiting.len();
        let Some(card) = &mut self.card else { return self.ask(ctx, scene) };
        match card.ui(ctx, scene, more) {
            card::Answer::Open => return true,
            card::Answer::Skip => {}
            card::Answer::Add(source, options) => add(scene, source, options),
            card::Answer::AddAll(source, options) => {
                let rest = AddOptions { priorities: Vec::new(), ..options.clone() };
                add(scene, source, options);
                for source in std::mem::take(&mut self.waiting) {
                    add(scene, source, rest.clone());
                }
            }
        }
        self.card = None;
        !self.waiting.is_empty()
    }

    fn inspect(&mut self, source: Source, scene: &mut Scene<'_>) {
        let request = scene.handle.next_request();
        scene.send(Command::Inspect { request, source: source.clone() });
        self.card = Some(Card::new(request, source));
    }

    /// The card that asks for a source.
    fn ask(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>) -> bool {
        let mut entered = false;
        let ready = !self.text.trim().is_empty();
        let shown = dialog::show(
            ctx,
            "Download",
            theme::DIALOG,
            |ui| entered = self.source(ui, scene),
            |ui| {
                let open = Push::new("Continue").kind(Kind::Main).enabled(ready).show(ui).clicked();
                let cancel = Push::new("Cancel").show(ui).clicked();
                (open, cancel)
            },
        );
        let (open, cancel) = shown.inner;
        if (open || entered) && ready {
            match source::read(&self.text) {
                Ok(source) => {
                    self.fault = None;
                    self.inspect(source, scene);
                }
                Err(why) => self.fault = Some(why.to_owned()),
            }
        }
        if cancel || shown.closed {
            // The next of several goes on.
            self.fault = None;
            self.text.clear();
            return !self.waiting.is_empty();
        }
        true
    }

    fn source(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) -> bool {
        let look = theme::look(ui);
        let mut entered = false;
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 92.0 - theme::GAP).max(120.0);
            let hint = "Magnet link, or path of a .torrent file";
            let edit = field::line(ui, &mut self.text, "Magnet link or path", hint, width);
            if !std::mem::replace(&mut self.focused, true) {
                edit.request_focus();
            }
            if edit.changed() {
                self.fault = None;
            }
            entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if Push::new("File…").with(Icon::File).enabled(!scene.picking).show(ui).clicked() {
                scene.ask(Action::Pick(Wanted::Torrent));
            }
        });
        match &self.fault {
            Some(fault) => field::remark(ui, Icon::Warning, look.bad, fault),
            None => {
                field::note(ui, "Choose the .torrent file that somebody sent you, or paste a magnet link.");
            }
        }
        entered
    }
}

fn add(scene: &mut Scene<'_>, source: Source, options: AddOptions) {
    if let Some(folder) = &options.folder {
        scene.state.saved_into(folder);
    }
    let request = scene.handle.next_request();
    scene.send(Command::Add { request, source, options });
}

/// What becomes of a file that is dropped or pasted: .torrent files are downloaded, others are shared.
pub(crate) fn dropped(path: PathBuf) -> Action {
    if field::is_torrent(&path) {
        Action::Download(Some(Source::File(path)))
    } else {
        Action::Upload(Some(path))
    }
}

/// A path that ends in `.torrent`, for dialogs that leave the ending to the user.
pub(crate) fn with_extension(path: &Path) -> PathBuf {
    if field::is_torrent(path) {
        return path.to_path_buf();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".torrent");
    PathBuf::from(name)
}
