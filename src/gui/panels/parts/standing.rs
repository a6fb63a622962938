//! How a part of this machine stands to the network, and the buttons that change it.

use eframe::egui::{self, Ui};

use super::screen::ask;
use crate::api::{NetworkCommand, NetworkView};
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{field, format};

/// How this machine stands to the network: whether that is well, whether it is a fault, and a sentence.
pub(in crate::gui::panels) fn standing(network: &NetworkView) -> (Mood, String) {
    let users = network.registers.users.len() as u64;
    let users = format::counted(users, "user is connected", "users are connected");
    if let Some(fault) = &network.fault {
        return (Mood::Fault, fault.clone());
    }
    match (network.hosted, network.connected) {
        (true, true) => (Mood::Well, format!("The coordinator runs on this computer; {users}.")),
        (true, false) => {
            (Mood::Idle, format!("The coordinator runs on this computer; {users}, you are not."))
        }
        (false, true) => (Mood::Well, format!("Connected to a coordinator on another machine; {users}.")),
        (false, false) => (Mood::Idle, "Not connected to the network.".to_owned()),
    }
}

/// Says why what the coordinator knows cannot be read, where that is so.
pub(in crate::gui::panels) fn unread(ui: &mut Ui, network: &NetworkView) {
    if let Some(fault) = &network.fault {
        row(ui, Mood::Fault, fault, |_| {});
        ui.add_space(4.0);
    }
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui::panels) enum Mood {
    /// As it should.
    Well,
    /// Switched off.
    Idle,
    /// As it should not.
    Fault,
}

impl Mood {
    /// Its colour.
    pub(in crate::gui::panels) fn color(self, look: &theme::Look) -> egui::Color32 {
        match self {
            Self::Well => look.good,
            Self::Idle => look.warn,
            Self::Fault => look.bad,
        }
    }

    /// Its icon.
    pub(in crate::gui::panels) const fn icon(self) -> Icon {
        match self {
            Self::Well => Icon::Check,
            Self::Idle => Icon::Info,
            Self::Fault => Icon::Warning,
        }
    }
}

/// A row with a sentence at the left, as long as it fits, and buttons at the right, drawn from the right.
pub(in crate::gui::panels) fn row(ui: &mut Ui, mood: Mood, text: &str, buttons: impl FnOnce(&mut Ui)) {
    let look = theme::look(ui);
    ui.horizontal(|ui| {
        ui.set_height(theme::CONTROL);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            buttons(ui);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let (rect, _) = ui.allocate_exact_size(egui::vec2(17.0, 17.0), egui::Sense::hover());
                mood.icon().paint(ui.painter(), rect, mood.color(look));
                let text = egui::RichText::new(text).color(mood.color(look));
                ui.add(egui::Label::new(text).truncate());
            });
        });
    });
}

/// The buttons Connect and Disconnect, drawn from the right; each can be pressed where it would change something.
pub(in crate::gui::panels) fn connecting(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    connected: bool,
    trying: bool,
    [connect, disconnect]: [(NetworkCommand, &str); 2],
) {
    let push = Push::new("Disconnect").tip(disconnect.1).enabled(connected || trying);
    if push.show(ui).clicked() {
        ask(scene, disconnect.0);
    }
    if Push::new("Connect").tip(connect.1).enabled(!connected).show(ui).clicked() {
        ask(scene, connect.0);
    }
}

/// A text that can be copied, behind what it is.
pub(in crate::gui::panels) fn copied(ui: &mut Ui, scene: &mut Scene<'_>, what: &'static str, text: &str) {
    field::row(ui, what, |ui| {
        let label = format!("Copy {text}");
        if Push::icon(Icon::Link, &label).tip("Copy").show(ui).clicked() {
            scene.ask(Action::Copy(text.to_owned(), what));
        }
        ui.add(egui::Label::new(text).selectable(true).truncate());
    });
}

/// The room below a panel's middle, for a screen; nothing where there is too little room for both.
pub(in crate::gui::panels) fn below(ui: &mut Ui, name: &'static str, content: impl FnOnce(&mut Ui)) {
    const MIDDLE: f32 = 190.0;
    const LEAST: f32 = 140.0;
    let look = theme::look(ui);
    let room = ui.available_height();
    let most = (room - MIDDLE).max(LEAST);
    egui::Panel::bottom(name)
        .resizable(true)
        .default_size((room * 0.34).clamp(LEAST, 420.0).min(most))
        .size_range(LEAST..=most)
        .show_separator_line(false)
        .frame(
            theme::card(look)
                .inner_margin(egui::Margin::same(10))
                .outer_margin(egui::Margin { top: 8, ..egui::Margin::ZERO }),
        )
        .show(ui, |ui| {
            content(ui);
            ui.take_available_space();
        });
}

/// Tabs in a row; the chosen one changes by a click.
pub(in crate::gui::panels) fn tabs<T: Copy + PartialEq>(ui: &mut Ui, chosen: &mut T, tabs: &[(T, String)]) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (tab, label) in tabs {
            if Push::new(label).tab(*chosen == *tab).show(ui).clicked() {
                *chosen = *tab;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_said_before_everything_else() {
        let fault = Some("The coordinator does not answer.".to_owned());
        let network = NetworkView { hosted: true, connected: true, fault, ..NetworkView::default() };
        assert_eq!(standing(&network), (Mood::Fault, "The coordinator does not answer.".to_owned()));
        let network = NetworkView { fault: None, connected: false, ..network };
        assert_eq!(standing(&network).0, Mood::Idle);
    }
}
