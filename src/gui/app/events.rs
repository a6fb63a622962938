//! Taking in what happened: events, views, answers of dialogs and of the disk.

use std::sync::Arc;

use eframe::egui::{self, ViewportCommand};

use super::{App, DRAIN, Download, Found, Picked, Upload, Wanted};
use crate::api::{Command, Event, Level, NetworkCommand};
use crate::base::InfoHash;
use crate::gui::clock;
use crate::gui::download;
use crate::gui::errand::Errand;
use crate::gui::widgets::format;

impl App {
    /// Takes in all that waits, for as long as a frame can bear.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let begun = clock::now();
        while let Some(event) = self.handle.try_event() {
            self.event(ctx, event);
            if begun.elapsed() > DRAIN {
                ctx.request_repaint();
                break;
            }
        }
        let view = self.handle.view();
        if !Arc::ptr_eq(&view, &self.view) {
            self.view = view;
            self.rates.sample(&self.view);
        }
        while let Ok(scheme) = self.schemes.try_recv() {
            self.scheme = Some(scheme);
        }
        while let Some(found) = self.errands.next() {
            self.found(found);
        }
        while let Some(picked) = self.picker.next() {
            self.picked(picked);
        }
        let mut opened = false;
        while let Some(source) = self.inbox.next() {
            opened = true;
            if let Some(source) = source {
                self.download.get_or_insert_default().take(source);
            }
        }
        if opened {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(ViewportCommand::Focus);
        }
    }

    fn event(&mut self, ctx: &egui::Context, event: Event) {
        match event {
            Event::Inspected { request, preview } => {
                if let Some(download) = &mut self.download {
                    download.inspected(request, &preview);
                }
            }
            // Only asked for by those who have no view of it.
            Event::Described { .. } | Event::Settled { .. } => {}
            Event::Added { torrent, known, .. } => {
                if known {
                    self.say(Level::Info, "That torrent is on your list already.");
                }
                self.panels.list().choose(torrent);
            }
            Event::Shared { request, torrent, .. } => {
                self.panels.list().choose(torrent);
                let shown = self.upload.as_mut().is_some_and(|upload| upload.shared(request, torrent));
                if !shown {
                    self.say(Level::Info, "Your upload is ready. Its link is under Link and QR code.");
                }
            }
            Event::TorrentSaved { path, .. } => {
                self.say(Level::Info, format!("Saved {}.", path.display()));
            }
            Event::Refused { request, reason } => {
                let upload = self.upload.as_mut().is_some_and(|upload| upload.refused(request, &reason));
                let download =
                    self.download.as_mut().is_some_and(|download| download.refused(request, &reason));
                if upload || download || self.panels.joined(request, Some(&reason)) {
                    self.log.note(clock::unix_millis(), Level::Warning, &reason);
                } else {
                    self.say(Level::Error, reason);
                }
            }
            Event::Moved { folder, .. } => {
                self.say(Level::Info, format!("The files are in {} now.", folder.display()));
            }
            Event::Serialized { torrents, .. } => {
                let what = if torrents.len() == 1 { "torrent is" } else { "torrents are" };
                self.say(
                    Level::Info,
                    format!("{} {what} paused, and everything is written.", torrents.len()),
                );
            }
            Event::Joined { request } => {
                self.panels.joined(request, None);
                self.say(Level::Info, "You have joined the network.");
            }
            Event::Unlisted { name, .. } => self.say(Level::Info, format!("{name} is out of the index.")),
            Event::Completed { name, secs, .. } => {
                let text = format!("{name} is complete, after {}.", format::span(secs.round() as u64));
                if self.view.settings.notify {
                    if let Some(notifier) = &self.notifier {
                        notifier("Download complete", &text);
                    }
                    let attention = egui::UserAttentionType::Informational;
                    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
                }
                self.say(Level::Info, text);
            }
            Event::Failed { name, reason, .. } => self.say(Level::Error, format!("{name} stopped. {reason}")),
            Event::Log(line) => self.log.push(line),
            Event::Named { .. } | Event::Seeding { .. } | Event::Removed(_) => {}
            Event::Stopped => {
                self.closing = true;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::Measured(path, result) => {
                if let Some(upload) = &mut self.upload {
                    upload.measured(&path, result);
                }
            }
            Found::Free(folder, bytes) => {
                if let Some(download) = &mut self.download {
                    download.free(&folder, bytes);
                }
            }
            Found::NotOpened(why) => self.say(Level::Error, why),
            Found::Written(path, Ok(())) => self.say(Level::Info, format!("Saved {}.", path.display())),
            Found::Written(path, Err(why)) => {
                self.say(Level::Error, format!("{} cannot be written: {why}.", path.display()));
            }
        }
    }

    pub(in crate::gui) fn picked(&mut self, picked: Picked) {
        let (wanted, paths) = match picked {
            Picked::Paths(wanted, paths) => (wanted, paths),
            Picked::Nothing => return,
            Picked::NoDialogs(wanted) => {
                if let Wanted::SaveEntry(torrent, name) = &wanted {
                    let path = self.view.settings.download_folder.join(name);
                    self.save_entry(*torrent, &path);
                    return;
                }
                if let Wanted::SaveTorrent(torrent, name) = &wanted {
                    let card = self.upload.take().filter(|upload| upload.torrent() == Some(*torrent));
                    let mut card = card.unwrap_or_else(|| Upload::link(*torrent));
                    card.save_by_path(&self.view.settings.download_folder, name);
                    self.upload = Some(card);
                }
                if let Wanted::SaveTable(..) = wanted {
                    self.panels.lab_by_path(&self.view.settings.download_folder);
                }
                self.say(
                    Level::Warning,
                    "This desktop shows no file dialog. Type or paste the path instead.",
                );
                return;
            }
        };
        let Some(first) = paths.first() else { return };
        match wanted {
            Wanted::ShareFile | Wanted::ShareFolder => match &mut self.upload {
                Some(upload) => upload.take(first),
                None => self.upload = Some(Upload::new(Some(first))),
            },
            Wanted::Torrent => {
                let download = self.download.get_or_insert_with(Download::default);
                for path in paths {
                    download.take(crate::api::Source::File(path));
                }
            }
            Wanted::SaveFolder(_) => {
                if let Some(download) = &mut self.download {
                    download.save_into(first);
                }
            }
            Wanted::DownloadFolder(_) => self.panels.download_folder(first),
            Wanted::WatchFolder => self.panels.watch_folder(first),
            Wanted::SaveTable(_, text) => {
                let bare = first.extension().is_none();
                let path = if bare { first.with_extension("csv") } else { first.clone() };
                self.errand(Errand::Write(path, text));
            }
            Wanted::SaveEntry(torrent, _) => self.save_entry(torrent, first),
            Wanted::SaveTorrent(torrent, _) => {
                let request = self.handle.next_request();
                let path = download::with_extension(first);
                self.send(Command::SaveTorrent { request, torrent, path });
            }
        }
    }

    /// Has the .torrent file of an entry of the index written.
    fn save_entry(&mut self, torrent: InfoHash, path: &std::path::Path) {
        let request = self.handle.next_request();
        let (name, path) = (torrent.to_hex(), download::with_extension(path));
        self.send(Command::Network(NetworkCommand::Save { request, name, path }));
    }

    /// Sends a command; says so where nobody listens any more.
    pub(super) fn send(&mut self, command: Command) {
        if self.handle.send(command).is_err() {
            self.say(Level::Error, "The session has ended. Close the window and start Fyris again.");
        }
    }
}
