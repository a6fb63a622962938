//! Labels, with the limits, goals and folder of all that have one.

use eframe::egui::Ui;

use crate::api::Label;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{amount, field};

pub(super) fn ui(ui: &mut Ui, labels: &mut Vec<Label>) -> bool {
    field::note(ui, "A torrent gets its label among its options. Its limits are shared by all that have it.");
    let (mut settled, mut gone) = (true, None);
    for (number, label) in labels.iter_mut().enumerate() {
        ui.push_id(number, |ui| {
            let title = if label.name.is_empty() { "the new label".to_owned() } else { label.name.clone() };
            ui.separator();
            field::row(ui, "Label", |ui| {
                let edit = field::line(ui, &mut label.name, &format!("Name of {title}"), "Name", 220.0);
                settled &= !edit.has_focus();
                if Push::icon(Icon::Remove, &format!("Remove {title}")).show(ui).clicked() {
                    gone = Some(number);
                }
            });
            settled &= amount::limit(ui, &format!("{title}: down"), &mut label.down);
            settled &= amount::limit(ui, &format!("{title}: up"), &mut label.up);
            settled &= amount::ratio(ui, &format!("{title}: ratio"), "As for all", &mut label.goals.ratio);
            let moved = format!("{title}: move to");
            settled &=
                super::session::folder(ui, &moved, "As for all, when complete", &mut label.done_folder);
        });
    }
    if let Some(gone) = gone {
        labels.remove(gone);
    }
    if Push::new("Add a label").show(ui).clicked() {
        labels.push(Label::default());
    }
    settled
}
