//! The general tab: pieces, transfer, and what the .torrent says.

use eframe::egui::{self, Ui};

use crate::api::{Detail, TorrentRow};
use crate::gui::details::group;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::field::fact;
use crate::gui::widgets::{bar, field, format};

pub(super) fn ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
    egui::ScrollArea::vertical().id_salt("general").auto_shrink([false, false]).show(ui, |ui| {
        if detail.piece_count > 0 {
            bar::pieces(ui, &detail.pieces, &detail.availability, detail.piece_count);
            field::note(
                ui,
                "Above: pieces on this computer. Below: how many connected peers have each part.",
            );
        }
        let wide = ui.available_width() > 720.0;
        if wide {
            ui.columns_const(|[left, right]| {
                transfer(left, row, detail);
                about(right, scene, row, detail);
            });
        } else {
            transfer(ui, row, detail);
            ui.add_space(theme::GAP);
            about(ui, scene, row, detail);
        }
    });
}

fn transfer(ui: &mut Ui, row: &TorrentRow, detail: &Detail) {
    group(ui, "Transfer", |ui| {
        field::said(ui, "Status", &row.reason);
        fact(ui, "There", format!("{} of {}", format::size(row.done), format::size(row.wanted)));
        fact(ui, "Received", amount(row.downloaded, row.down_rate));
        fact(ui, "Sent", amount(row.uploaded, row.up_rate));
        fact(ui, "Ratio", format::ratio(row.ratio));
        let peers = format::counted(u64::from(row.peers), "connected", "connected");
        let known = row.swarm.map_or_else(String::new, |(incomplete, complete)| {
            format!("; trackers know {incomplete} downloading, {complete} with everything")
        });
        fact(ui, "Peers", format!("{peers}, {} with everything{known}", row.seeds));
        fact(ui, "Copies among peers", format!("{:.2}", row.availability))
            .on_hover_text("How often the rarest piece is there, and how many pieces are there once more");
        if detail.wasted > 0 {
            fact(ui, "Thrown away", format::size(detail.wasted))
                .on_hover_text("Received twice, or found to be damaged and fetched again");
        }
    });
}

fn about(ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
    group(ui, "Torrent", |ui| {
        fact(ui, "Folder", row.folder.to_string_lossy());
        let pieces = format!(
            "{} of {}",
            format::grouped(u64::from(detail.piece_count)),
            format::size(u64::from(detail.piece_length))
        );
        fact(ui, "Pieces", if detail.piece_count == 0 { "not known yet".to_owned() } else { pieces });
        fact(ui, "Added", format::date(i64::try_from(row.added_unix).unwrap_or_default()));
        if let Some(then) = row.completed_unix {
            fact(ui, "Completed", format::date(i64::try_from(then).unwrap_or_default()));
        }
        if let Some(made) = detail.creation_unix {
            fact(ui, "Made", format::date(made));
        }
        if let Some(program) = &detail.created_by {
            fact(ui, "Made with", program);
        }
        if let Some(comment) = &detail.comment {
            fact(ui, "Comment", comment);
        }
        if row.private {
            fact(ui, "Private", "Peers come from its trackers only");
        }
        let hash = row.info_hash.to_hex();
        if fact(ui, "Info-hash", &hash).on_hover_text("Click to copy").clicked() {
            scene.ask(Action::Copy(hash, "Info-hash"));
        }
    });
}

fn amount(bytes: u64, rate: u64) -> String {
    if rate == 0 {
        format::size(bytes)
    } else {
        format!("{}, now {}", format::size(bytes), format::rate(rate))
    }
}
