//! The user's part in the network, below the list: one line that says how it stands, and, opened, the controls of the
//! thesis: Upload and Download by name, Connect, Disconnect, and the screen.

use eframe::egui::{self, Key, Margin, RichText, Role, Sense, Ui, UiBuilder, vec2};

use crate::api::{AddOptions, Command, NetworkCommand, NetworkView, Part, Share};
use crate::gui::download;
use crate::gui::panels::Panel;
use crate::gui::panels::parts::{self, ScreenPane};
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::field;
use crate::gui::widgets::icon::Icon;

/// The controls.
#[derive(Default)]
pub(super) struct Controls {
    upload: String,
    download: String,
    fault: Option<&'static str>,
    screen: ScreenPane,
}

impl Controls {
    /// Draws them at the bottom of the room; `own` is whether the panel has a window for itself.
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, own: bool) {
        const OPEN: f32 = 420.0;
        let look = theme::look(ui);
        let room = ui.available_height();
        let open = scene.state.controls || own;
        let frame = theme::card(look).inner_margin(Margin::symmetric(10, 4));
        let frame = frame.outer_margin(Margin { top: 8, ..Margin::ZERO });
        if !open {
            egui::Panel::bottom("network line")
                .resizable(false)
                .show_separator_line(false)
                .frame(frame)
                .show(ui, |ui| self.line(ui, scene, network, own));
            return;
        }
        let most = (room * if room > OPEN { 0.6 } else { 0.7 }).max(190.0);
        egui::Panel::bottom("network")
            .resizable(true)
            .default_size((room * 0.4).clamp(230.0, 300.0).min(most))
            .size_range(190.0..=most)
            .show_separator_line(false)
            .frame(frame)
            .show(ui, |ui| {
                self.line(ui, scene, network, own);
                let builder = UiBuilder::new()
                    .accessibility_role(Role::Region)
                    .accessibility_label("Controls of the network");
                ui.scope_builder(builder, |ui| {
                    self.fields(ui, scene);
                    self.screen.ui(ui, scene, Part::Peer, &network.peer_screen, &[]);
                    ui.take_available_space();
                });
            });
    }

    /// How the user stands, and what can be done about it.
    fn line(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, own: bool) {
        let look = theme::look(ui);
        let (color, text) = standing(network, look);
        ui.horizontal(|ui| {
            ui.set_height(theme::CONTROL);
            let (dot, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
            ui.painter().circle_filled(dot.center(), 4.0, color);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let label = if own { "Back into the main window" } else { "In a window of its own" };
                if Push::icon(Icon::Window, label).show(ui).clicked() {
                    scene.ask(Action::OwnWindow(Panel::Peer, !own));
                }
                let open = scene.state.controls;
                if !own {
                    let tip = "Upload and download by name, and what happens in the network";
                    let push = Push::new("Controls").kind(Kind::Quiet).chosen(open).tip(tip);
                    if push.show(ui).clicked() {
                        scene.state.controls = !open;
                    }
                }
                // Calm where all is well: then they stand with the other controls.
                if open || own || !network.connected {
                    let commands = [
                        (NetworkCommand::Connect, "Registers with the coordinator and goes on"),
                        (NetworkCommand::Disconnect, "Stops transfers and announces until you connect again"),
                    ];
                    let trying = !network.disconnected;
                    parts::connecting(ui, scene, network.connected, trying, commands);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let text = RichText::new(text).color(if network.connected { look.weak } else { color });
                    ui.add(egui::Label::new(text).truncate());
                });
            });
        });
    }

    fn fields(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        const BUTTON: f32 = 126.0;
        let look = theme::look(ui);
        let unavailable = scene.unavailable();
        let field = |ui: &mut Ui, text: &mut String, [label, hint, button, tip]: [&str; 4], icon, width| {
            let edit = ui.add_enabled_ui(unavailable.is_none(), |ui| {
                let edit = field::line(ui, text, label, hint, width);
                edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
            });
            let push = Push::new(button).with(icon).tip(unavailable.unwrap_or(tip));
            push.enabled(unavailable.is_none()).show(ui).clicked() || edit.inner
        };
        let up = ["What to upload", "Name in the shared folder, or a path", "Upload", "Shares it"];
        let down = ["What to download", "Name in the index, or a magnet link", "Download", "Fetches it"];
        let (upload, download);
        let whole = ui.available_width();
        if whole > 640.0 {
            let width = (whole - 3.0 * theme::GAP) / 2.0 - BUTTON;
            (upload, download) = ui
                .horizontal(|ui| {
                    let upload = field(ui, &mut self.upload, up, Icon::Upload, width);
                    (upload, field(ui, &mut self.download, down, Icon::Download, width))
                })
                .inner;
        } else {
            let width = (whole - theme::GAP - BUTTON).max(80.0);
            upload = ui.horizontal(|ui| field(ui, &mut self.upload, up, Icon::Upload, width)).inner;
            download = ui.horizontal(|ui| field(ui, &mut self.download, down, Icon::Download, width)).inner;
        }
        if upload {
            self.upload(scene);
        }
        if download {
            self.download(scene);
        }
        if let Some(why) = unavailable.or(self.fault) {
            field::remark(ui, Icon::Info, look.warn, why);
        }
    }

    fn upload(&mut self, scene: &mut Scene<'_>) {
        let text = std::mem::take(&mut self.upload);
        if text.trim().is_empty() {
            scene.ask(Action::Upload(None));
            return;
        }
        // A path of its own stays as it is.
        let share = Share::of(scene.view.settings.download_folder.join(field::path(&text)));
        let request = scene.handle.next_request();
        scene.send(Command::Share { request, share: Box::new(share) });
    }

    fn download(&mut self, scene: &mut Scene<'_>) {
        let text = std::mem::take(&mut self.download);
        let name = text.trim();
        self.fault = None;
        if name.is_empty() {
            scene.ask(Action::Download(None));
        } else if let Ok(source) = download::read_source(name) {
            scene.ask(Action::Download(Some(source)));
        } else if name.contains("://") || name.contains('\n') {
            self.fault = Some("That is neither a name in the index nor a magnet link.");
        } else {
            let (request, name) = (scene.handle.next_request(), name.to_owned());
            parts::ask(scene, NetworkCommand::Fetch { request, name, options: AddOptions::default() });
        }
    }
}

/// How the user stands to the network: a colour and a sentence.
fn standing(network: &NetworkView, look: &theme::Look) -> (egui::Color32, String) {
    if network.disconnected {
        return (look.warn, "Disconnected: nothing is sent, received or announced.".to_owned());
    }
    if let Some(fault) = &network.fault {
        return (look.bad, fault.clone());
    }
    if !network.connected {
        return (look.weak, "Not connected to a network.".to_owned());
    }
    let others = network.registers.users.len().saturating_sub(1) as u64;
    let others = match others {
        0 => "nobody else is there".to_owned(),
        1 => "1 other user is there".to_owned(),
        many => format!("{many} other users are there"),
    };
    match network.user.as_str() {
        "" => (look.good, format!("Connected to the network; {others}.")),
        user => (look.good, format!("Connected to the network as {user}; {others}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_whether_it_is_a_choice_or_a_fault() {
        let look = theme::of(true);
        let fault = Some("The coordinator does not answer.".to_owned());
        let lost = NetworkView { fault, ..NetworkView::default() };
        assert_eq!(standing(&lost, look), (look.bad, "The coordinator does not answer.".to_owned()));
        let chosen = NetworkView { disconnected: true, ..lost };
        assert!(standing(&chosen, look).1.starts_with("Disconnected"));
        let alone = NetworkView { connected: true, user: "anna".to_owned(), ..NetworkView::default() };
        assert_eq!(standing(&alone, look).1, "Connected to the network as anna; nobody else is there.");
    }
}
