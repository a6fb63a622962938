//! Letting others in, and joining others: the address that is listened on, the join link as text and QR code, and the
//! field for a link from elsewhere.

use std::net::{IpAddr, SocketAddr};

use eframe::egui::{self, Key, Ui};

use super::registers::host;
use super::screen::ask;
use crate::api::{COORDINATOR_PORT as PORT, NetworkCommand, NetworkView, RequestId, View};
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::field;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::qr::Qr;

/// What is being typed about hosting and joining.
#[derive(Default)]
pub(in crate::gui::panels) struct Hosting {
    /// The address to listen on, once the user has changed it.
    address: Option<String>,
    address_fault: Option<String>,
    link: String,
    joining: Option<RequestId>,
    join_fault: Option<String>,
    qr: Qr,
}

impl Hosting {
    /// Takes the answer to a join, with the reason of a refusal; whether it was this one.
    pub(in crate::gui::panels) fn joined(&mut self, request: RequestId, refused: Option<&str>) -> bool {
        let ours = self.joining == Some(request);
        if ours {
            self.joining = None;
            self.join_fault = refused.map(str::to_owned);
            if refused.is_none() {
                self.link.clear();
            }
        }
        ours
    }

    /// Draws both cards.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        network: Option<&NetworkView>,
    ) {
        let look = theme::look(ui);
        let view = std::sync::Arc::clone(scene.view);
        egui::ScrollArea::vertical().id_salt("hosting").auto_shrink([false, false]).show(ui, |ui| {
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                field::heading(ui, "Host for others");
                match network {
                    Some(network) if network.hosted => self.host(ui, scene, &view, network),
                    _ => start(ui, scene, network.is_some_and(|network| network.connected)),
                }
            });
            ui.add_space(4.0);
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                field::heading(ui, "Join a network");
                self.join(ui, scene, network.is_some_and(|network| network.hosted));
            });
        });
    }

    fn host(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View, network: &NetworkView) {
        let look = theme::look(ui);
        let text = if network.open {
            "Others can join with the link below. Whoever has it can read and change this network."
        } else {
            "Only this computer can reach the coordinator. Choose an address to let others in."
        };
        field::note(ui, text);
        let places = addresses(view);
        let proposed = || places.first().map_or_else(|| SocketAddr::from(([0; 4], PORT)), |place| *place);
        let address = self.address.get_or_insert_with(|| proposed().to_string());
        let mut go = false;
        field::row(ui, "Address", |ui| {
            let width = (ui.available_width() - 150.0).clamp(110.0, 230.0);
            let edit = field::line(ui, address, "Address to host on", "Address and port", width);
            go = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            go |= Push::new("Host for others").kind(Kind::Main).show(ui).clicked();
        });
        if places.len() > 1 {
            field::row(ui, "", |ui| {
                for place in &places {
                    let text = place.to_string();
                    if Push::new(&text).kind(Kind::Quiet).chosen(*address == text).show(ui).clicked() {
                        *address = text;
                    }
                }
            });
        }
        if go {
            match read_address(address) {
                Ok(listen) => {
                    self.address_fault = None;
                    ask(scene, NetworkCommand::Host { listen: Some(listen) });
                }
                Err(why) => self.address_fault = Some(why),
            }
        }
        if let Some(fault) = &self.address_fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
        }
        if !network.open {
            return;
        }
        if let Some(link) = &network.link {
            self.link(ui, scene, link);
        }
        if Push::new("Only this computer")
            .tip("Others cannot reach the coordinator any more")
            .show(ui)
            .clicked()
        {
            ask(scene, NetworkCommand::Host { listen: None });
        }
    }

    fn link(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, link: &str) {
        const CODE: f32 = 148.0;
        ui.horizontal_top(|ui| {
            self.qr.show(ui, "join link", link, CODE);
            ui.vertical(|ui| {
                let mut text = link;
                let edit = egui::TextEdit::singleline(&mut text)
                    .font(egui::TextStyle::Monospace)
                    .desired_width(f32::INFINITY)
                    .margin(egui::Margin::symmetric(8, 7));
                ui.add(edit).accessible_name("Join link");
                if Push::new("Copy").with(Icon::Link).kind(Kind::Main).show(ui).clicked() {
                    scene.ask(Action::Copy(link.to_owned(), "Join link"));
                }
                field::note(ui, "Send it to people you trust; they paste it under Join a network.");
            });
        });
    }

    fn join(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, hosted: bool) {
        let look = theme::look(ui);
        let text = if hosted {
            "Paste the link that you were sent. The coordinator on this computer ends once that has worked."
        } else {
            "Paste the link that you were sent."
        };
        field::note(ui, text);
        let mut go = false;
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 84.0).clamp(120.0, 560.0);
            let edit = field::line(ui, &mut self.link, "Link to join", "fyris://…", width);
            go = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if edit.changed() {
                self.join_fault = None;
            }
            let ready = self.joining.is_none() && !self.link.trim().is_empty();
            go |= Push::new("Join").kind(Kind::Main).enabled(ready).show(ui).clicked();
            go &= ready;
        });
        if go {
            let (request, link) = (scene.handle.next_request(), self.link.trim().to_owned());
            (self.joining, self.join_fault) = (Some(request), None);
            ask(scene, NetworkCommand::Join { request, link });
        }
        if let Some(fault) = &self.join_fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
        } else if self.joining.is_some() {
            field::note(ui, "Joining…");
        }
    }
}

/// A way to begin where no coordinator runs on this computer.
fn start(ui: &mut Ui, scene: &mut Scene<'_>, joined: bool) {
    let text = if joined {
        "The coordinator runs on another machine. Starting one here leaves that network."
    } else {
        "No coordinator runs on this computer. Start one here, or join a network below."
    };
    field::note(ui, text);
    if start_button(ui) {
        ask(scene, NetworkCommand::Host { listen: None });
    }
}

/// The button that starts a coordinator.
pub(in crate::gui::panels) fn start_button(ui: &mut Ui) -> bool {
    Push::new("Start a coordinator here").with(Icon::Coordinator).show(ui).clicked()
}

/// Addresses of this computer that others may reach, as far as the tracker's own URLs tell, with the proposed port.
fn addresses(view: &View) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for url in &view.tracker.urls {
        let ip = host(url).parse::<SocketAddr>().map(|addr| addr.ip());
        if let Ok(ip) = ip
            && !ip.is_loopback()
            && !found.iter().any(|addr| addr.ip() == ip)
        {
            found.push((ip, PORT).into());
        }
    }
    found.truncate(4);
    found
}

/// An address to listen on, with the proposed port where none was typed.
fn read_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let alone = || text.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| (ip, PORT).into());
    text.parse::<SocketAddr>().or_else(|_| alone()).map_err(|_| {
        format!("“{text}” is not an address of this computer. Write one like 192.168.1.20:{PORT}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        assert_eq!(read_address(" 10.0.0.1:7000 "), Ok(([10, 0, 0, 1], 7_000).into()));
        assert_eq!(read_address("10.0.0.1"), Ok(([10, 0, 0, 1], PORT).into()));
        assert_eq!(read_address("[::1]").map(|addr| addr.port()), Ok(PORT));
        assert!(read_address("kitchen").is_err_and(|why| why.contains("“kitchen”")));
    }

    #[test]
    fn addresses_are_proposed_from_where_the_tracker_answers() {
        let urls = ["http://127.0.0.1:6969/announce", "http://10.0.0.2:6969/announce", "udp://10.0.0.2:6969"];
        let tracker = crate::api::HostedTracker {
            urls: urls.map(str::to_owned).to_vec(),
            ..crate::api::HostedTracker::default()
        };
        let view = View { tracker: std::sync::Arc::new(tracker), ..View::default() };
        assert_eq!(addresses(&view), [SocketAddr::from(([10, 0, 0, 2], PORT))]);
    }
}
