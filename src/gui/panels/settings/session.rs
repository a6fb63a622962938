//! Settings of the session: turns, goals, other limits, and what happens when a download is complete.

use std::path::PathBuf;

use eframe::egui::Ui;

use crate::api::{Alternative, Day, Goals, Queue, Settings};
use crate::gui::widgets::{amount, field};

pub(super) fn queue(ui: &mut Ui, queue: &mut Queue) -> bool {
    let mut settled = amount::count(ui, "Downloads at once", &mut queue.downloads, 5);
    settled &= amount::count(ui, "Seeds at once", &mut queue.seeds, 50);
    field::note(ui, "The others wait for their turn, in the order of the queue.");
    settled
}

/// Goals, with what is said of one that is absent.
pub(crate) fn goals(ui: &mut Ui, goals: &mut Goals, none: &str) -> bool {
    let mut settled = amount::ratio(ui, "Pause at a ratio of", none, &mut goals.ratio);
    settled &= amount::span(ui, "Pause after seeding for", none, &mut goals.seed_secs, 7 * 86_400);
    settled & amount::span(ui, "Pause after idling for", none, &mut goals.idle_secs, 86_400)
}

pub(super) fn other_limits(ui: &mut Ui, other: &mut Alternative) -> bool {
    ui.checkbox(&mut other.on, "Keep to these limits now, in place of those above");
    let mut settled = amount::limit(ui, "Other limit down", &mut other.down);
    settled &= amount::limit(ui, "Other limit up", &mut other.up);
    let mut scheduled = other.is_scheduled();
    if ui.checkbox(&mut scheduled, "Keep to them between two hours").changed() {
        (other.from, other.until) = (scheduled.then_some(8 * 60), scheduled.then_some(22 * 60));
        other.days.clear();
    }
    if let (Some(from), Some(until)) = (&mut other.from, &mut other.until) {
        settled &= amount::minute(ui, "From", from);
        settled &= amount::minute(ui, "Until", until);
        days(ui, &mut other.days);
    }
    settled
}

/// The days on which they begin, of which none means all.
fn days(ui: &mut Ui, days: &mut Vec<Day>) {
    field::row(ui, "On", |ui| {
        let is_on = |day: &Day| days.is_empty() || days.contains(day);
        let mut on = Day::ALL.map(|day| is_on(&day));
        for (day, on) in Day::ALL.into_iter().zip(&mut on) {
            let name = format!("{day:?}");
            ui.checkbox(on, &name[..3]).on_hover_text(&name);
        }
        // No day at all would be none of these limits, which is what the choice above is for.
        if on.contains(&true) {
            let chosen = Day::ALL.into_iter().zip(on).filter_map(|(day, on)| on.then_some(day));
            *days = if on.contains(&false) { chosen.collect() } else { Vec::new() };
        }
    });
}

pub(super) fn when_complete(ui: &mut Ui, draft: &mut Settings) -> bool {
    ui.checkbox(&mut draft.notify, "Say so on the desktop");
    let mut settled = folder(ui, "Move files to", "They stay where they are", &mut draft.done_folder);
    let mut text = draft.run_when_done.join("\n");
    field::row(ui, "Run a program", |ui| {
        let tip = "The program, and below it its arguments, one a line. It is run as it stands, without a shell. {name}, \
                   {path}, {folder}, {label} and {hash} on lines of their own stand for those of the torrent.";
        let edit =
            field::lines(ui, &mut text, "Run a program", "Program\nOne argument a line").on_hover_text(tip);
        if edit.changed() {
            draft.run_when_done = text.split('\n').map(str::to_owned).collect();
        }
        if !edit.has_focus() {
            // Empty lines at the end are no arguments, only the way of whoever types.
            while draft.run_when_done.last().is_some_and(String::is_empty) {
                draft.run_when_done.pop();
            }
        }
        settled &= !edit.has_focus();
    });
    settled
}

/// A folder that may be left out, with what is said then.
pub(super) fn folder(ui: &mut Ui, label: &str, none: &str, folder: &mut Option<PathBuf>) -> bool {
    let mut text = folder.as_ref().map_or_else(String::new, |folder| folder.to_string_lossy().into_owned());
    field::row(ui, label, |ui| {
        let width = (ui.available_width() - 8.0).clamp(120.0, 420.0);
        let edit = field::line(ui, &mut text, label, none, width);
        if edit.changed() {
            *folder = (!text.is_empty()).then(|| PathBuf::from(&text));
        }
        if edit.lost_focus() {
            *folder = (!text.trim().is_empty()).then(|| field::path(&text));
        }
        !edit.has_focus()
    })
}
