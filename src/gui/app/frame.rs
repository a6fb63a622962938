//! Drawing one frame, and carrying out what was asked for in it.

use super::*;
use crate::api::Level;
use crate::gui::scene::unavailable;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::format;
use crate::gui::widgets::icon::Icon;
use egui::{Rect, Role, Sense, Stroke, UiBuilder, Vec2, WidgetInfo, vec2};

/// The smallest useful window of one panel.
const OWN_SMALLEST: Vec2 = Vec2::new(420.0, 360.0);

impl App {
    /// Gives the context the chosen colours and size.
    pub(super) fn dress(&mut self, ctx: &egui::Context) {
        let settings = &self.view.settings;
        let wanted = (settings.theme, self.scheme, settings.zoom.to_bits());
        if self.dressed == Some(wanted) {
            return;
        }
        self.dressed = Some(wanted);
        ctx.set_theme(match (settings.theme, self.scheme) {
            (Theme::Light, _) | (Theme::System, Some(Scheme::Light)) => egui::ThemePreference::Light,
            (Theme::Dark, _) | (Theme::System, Some(Scheme::Dark)) => egui::ThemePreference::Dark,
            (Theme::System, None) => egui::ThemePreference::System,
        });
        ctx.set_zoom_factor(settings.zoom.clamp(0.5, 3.0));
    }

    pub(super) fn shortcuts(&mut self, ctx: &egui::Context) {
        for shortcut in keys::pressed(ctx) {
            match shortcut {
                Shortcut::Upload => self.actions.push(Action::Upload(None)),
                Shortcut::Download => self.actions.push(Action::Download(None)),
                Shortcut::Details => self.state.details = !self.state.details,
                Shortcut::Help => self.help = !self.help,
                Shortcut::Gauge => {
                    if let Some(last) = self.gauge.toggle(self.panels.list().laid_out()) {
                        let last = last.replace('\n', ", ");
                        tracing::info!("{last}");
                        self.log.note(clock::unix_millis(), Level::Info, &last);
                    }
                }
                Shortcut::ZoomIn => self.zoom(1),
                Shortcut::ZoomOut => self.zoom(-1),
                Shortcut::ZoomReset => self.zoom(0),
                Shortcut::Quit => ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::Close),
                Shortcut::Show(panel) => self.actions.push(Action::Show(panel)),
            }
        }
    }

    fn zoom(&mut self, steps: i32) {
        let settings = &self.view.settings;
        let zoom = if steps == 0 { 1.0 } else { ((settings.zoom * 10.0).round() + steps as f32) / 10.0 };
        let changed = Settings { zoom: zoom.clamp(0.5, 3.0), ..Settings::clone(settings) };
        self.actions.push(Action::Settings(Box::new(changed)));
    }

    pub(super) fn dropped_and_pasted(&mut self, ctx: &egui::Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect());
        self.actions.extend(dropped.into_iter().map(download::dropped));
        if ctx.text_edit_focused() {
            return;
        }
        let pasted: Vec<String> = ctx.input(|input| {
            let text = |event: &egui::Event| match event {
                egui::Event::Paste(text) => Some(text.clone()),
                _ => None,
            };
            input.events.iter().filter_map(text).collect()
        });
        for line in
            pasted.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()).take(100)
        {
            match download::read_source(line) {
                Ok(Source::File(path)) => self.actions.push(download::dropped(path)),
                Ok(source) => self.actions.push(Action::Download(Some(source))),
                Err(_) => {
                    self.say(
                        Level::Warning,
                        "What was pasted is neither a magnet link nor the path of a file.",
                    );
                    break;
                }
            }
        }
    }

    /// Draws navigation, status and the chosen panel.
    pub(super) fn draw(&mut self, ui: &mut Ui) {
        let look = theme::look(ui);
        let narrow = ui.available_width() < theme::NARROW;
        egui::Panel::left("navigation")
            .resizable(false)
            .exact_size(if narrow { 56.0 } else { 168.0 })
            .show_separator_line(false)
            .frame(egui::Frame::new().fill(look.side).inner_margin(Margin::symmetric(8, 12)))
            .show(ui, |ui| {
                let builder =
                    UiBuilder::new().accessibility_role(Role::Navigation).accessibility_label("Panels");
                ui.scope_builder(builder, |ui| self.navigation(ui, narrow));
                ui.with_layout(egui::Layout::bottom_up(egui::Align::Center), |ui| self.gather(ui, narrow));
            });
        egui::Panel::bottom("status")
            .resizable(false)
            .exact_size(28.0)
            .show_separator_line(false)
            .frame(egui::Frame::new().fill(look.side).inner_margin(Margin::symmetric(12, 2)))
            .show(ui, |ui| self.status(ui));
        egui::CentralPanel::no_frame().frame(theme::ground(look)).show(ui, |ui| {
            let panel = self.state.panel;
            if self.state.own_windows.contains(&panel) {
                self.elsewhere(ui, panel);
                return;
            }
            let (panels, mut scene) = self.scene_parts();
            panels.ui(panel, ui, &mut scene, false);
        });
        self.hovering(ui);
    }

    fn navigation(&mut self, ui: &mut Ui, narrow: bool) {
        let look = theme::look(ui);
        ui.spacing_mut().item_spacing.y = 4.0;
        for panel in Panel::ALL {
            let chosen = self.state.panel == panel;
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 38.0), Sense::click());
            response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, panel.title()));
            let fill = match (chosen, response.hovered()) {
                (true, _) => look.chosen,
                (false, true) => look.hover,
                _ => egui::Color32::TRANSPARENT,
            };
            ui.painter().rect_filled(rect, f32::from(theme::RADIUS), fill);
            if response.has_focus() {
                let stroke = Stroke::new(2.0, look.accent);
                ui.painter().rect_stroke(rect, f32::from(theme::RADIUS), stroke, egui::StrokeKind::Inside);
            }
            let color = if chosen { look.text } else { look.weak };
            let side = 19.0;
            let left = if narrow { rect.center().x - side / 2.0 } else { rect.left() + 12.0 };
            let place = Rect::from_min_size(egui::pos2(left, rect.center().y - side / 2.0), vec2(side, side));
            panel.icon().paint(ui.painter(), place, if chosen { look.accent } else { color });
            if !narrow {
                let font = egui::TextStyle::Body.resolve(ui.style());
                let at = egui::pos2(place.right() + 11.0, rect.center().y);
                ui.painter().text(at, egui::Align2::LEFT_CENTER, panel.title(), font, color);
            }
            if response.clicked() {
                self.state.panel = panel;
            }
            let _ = response.on_hover_text(if narrow {
                format!("{}: {}", panel.title(), panel.tip())
            } else {
                panel.tip().to_owned()
            });
        }
    }

    /// The button that gives the five parts of the network a window each, or brings all panels back.
    fn gather(&mut self, ui: &mut Ui, narrow: bool) {
        let apart = !self.state.own_windows.is_empty();
        let (label, tip) = if apart {
            ("One window", "Brings every panel back into this window")
        } else {
            ("Five windows", "Gives peer, coordinator, trackers, index and statistics a window each")
        };
        let push = if narrow { Push::icon(Icon::Window, label) } else { Push::new(label).with(Icon::Window) };
        if push.kind(Kind::Quiet).tip(tip).show(ui).clicked() {
            let panels = if apart { self.state.own_windows.clone() } else { Panel::NETWORK.to_vec() };
            self.actions.extend(panels.into_iter().map(|panel| Action::OwnWindow(panel, !apart)));
        }
    }

    fn status(&mut self, ui: &mut Ui) {
        let look = theme::look(ui);
        let view = Arc::clone(&self.view);
        ui.horizontal_centered(|ui| {
            let (color, text) = standing(&view, look);
            let (dot, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
            ui.painter().circle_filled(dot.center(), 4.0, color);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 14.0;
                let small = |text: String, color| RichText::new(text).small().color(color);
                let peers = format::counted(u64::from(view.totals.peers), "peer", "peers");
                ui.label(small(peers, look.weak));
                ui.label(small(format!("Up {}", format::rate_or_zero(view.totals.up_rate)), look.weak));
                ui.label(small(format!("Down {}", format::rate_or_zero(view.totals.down_rate)), look.weak));
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(small(text, look.weak)).truncate());
                });
            });
        });
    }

    fn elsewhere(&mut self, ui: &mut Ui, panel: Panel) {
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.35);
            ui.label(format!("{} has a window of its own.", panel.title()));
            ui.add_space(theme::GAP);
            if Push::new("Bring it back here").with(Icon::Window).show(ui).clicked() {
                self.actions.push(Action::OwnWindow(panel, false));
            }
        });
    }

    /// Says what a drop would do while files hang over the window.
    fn hovering(&self, ui: &Ui) {
        let hovered = ui
            .input(|input| input.raw.hovered_files.iter().map(|file| file.path.clone()).collect::<Vec<_>>());
        let Some(first) = hovered.first() else { return };
        let torrent = first.as_deref().is_some_and(crate::gui::widgets::field::is_torrent);
        let name = first.as_deref().map_or_else(|| "it".to_owned(), format::file_name);
        let text = if torrent { format!("Drop to download {name}") } else { format!("Drop to share {name}") };
        let look = theme::look(ui);
        let room = ui.ctx().content_rect();
        let area =
            egui::Area::new(egui::Id::unique("drop")).order(egui::Order::Foreground).fixed_pos(room.min);
        area.interactable(false).show(ui.ctx(), |ui| {
            let painter = ui.painter();
            painter.rect_filled(room, 0.0, look.veil);
            let inner = room.shrink(24.0);
            painter.rect_stroke(inner, 12.0, Stroke::new(2.0, look.accent), egui::StrokeKind::Inside);
            let text = RichText::new(text).size(22.0).color(egui::Color32::WHITE);
            let _ = ui.put(inner.shrink(16.0), egui::Label::new(text).wrap());
        });
    }

    /// Draws the dialogs that are open.
    pub(super) fn dialogs(&mut self, ctx: &egui::Context) {
        if let Some(mut upload) = self.upload.take() {
            let (_, mut scene) = self.scene_parts();
            if upload.ui(ctx, &mut scene) {
                self.upload = Some(upload);
            }
        }
        if let Some(mut download) = self.download.take() {
            let (_, mut scene) = self.scene_parts();
            if download.ui(ctx, &mut scene) {
                self.download = Some(download);
            }
        }
        if let Some(question) = self.question.take() {
            self.ask(ctx, question);
        }
        if self.help {
            self.help = keys::help(ctx);
        }
    }

    /// Whether dialogs are drawn in a panel's own window: where that window asked for them and is still open.
    pub(super) fn dialogs_elsewhere(&self) -> bool {
        self.stage.is_some_and(|panel| self.state.own_windows.contains(&panel))
    }

    /// Draws the panels that have a window of their own.
    pub(super) fn own_windows(&mut self, ctx: &egui::Context) {
        for panel in self.state.own_windows.clone() {
            // As it was at the start: what the user does to the window since is not undone.
            let (width, height) = self.saved.own_sizes.get(&panel).copied().unwrap_or((820.0, 560.0));
            let builder = ViewportBuilder::default()
                .with_title(format!("{} – Fyris", panel.title()))
                .with_inner_size(vec2(width, height).clamp(OWN_SMALLEST, vec2(16_384.0, 16_384.0)))
                .with_min_inner_size(OWN_SMALLEST);
            let id = ViewportId::from_hash_of(("panel", panel));
            ctx.show_viewport_immediate(id, builder, |ui, class| {
                self.own_window(ui, panel, class == egui::ViewportClass::EmbeddedWindow);
            });
        }
    }

    /// Draws one of them; `embedded` is whether it is drawn within the main window, for want of windows.
    fn own_window(&mut self, ui: &mut Ui, panel: Panel, embedded: bool) {
        let asked = self.actions.len();
        if !embedded {
            self.shortcuts(ui.ctx());
            self.dropped_and_pasted(ui.ctx());
        }
        let look = theme::look(ui);
        egui::CentralPanel::no_frame().frame(theme::ground(look)).show(ui, |ui| {
            let (panels, mut scene) = self.scene_parts();
            panels.ui(panel, ui, &mut scene, true);
        });
        if self.actions[asked..].iter().any(Action::opens_dialog) {
            self.stage = Some(panel);
        }
        if self.stage == Some(panel) {
            self.dialogs(ui.ctx());
        }
        if embedded {
            return;
        }
        let (closing, focused, size) = ui.input(|input| {
            let viewport = input.viewport();
            let size = viewport.inner_rect.map(|rect| (rect.width().round(), rect.height().round()));
            (viewport.close_requested(), viewport.focused == Some(true), size)
        });
        if focused {
            self.toasts.show(ui.ctx(), self.begun.elapsed().as_secs_f64());
        }
        if let Some(size) = size {
            self.state.own_sizes.insert(panel, size);
        }
        if closing {
            self.actions.push(Action::OwnWindow(panel, false));
        }
    }

    /// Carries out what was asked for in this frame.
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        for action in std::mem::take(&mut self.actions) {
            // Cards and panels answer in the next frame.
            ctx.request_repaint();
            if matches!(action, Action::Upload(_) | Action::Download(_))
                && let Some(why) = unavailable(&self.view)
            {
                self.say(Level::Warning, why);
                continue;
            }
            match action {
                Action::Send(command) => self.send(command),
                Action::Upload(path) => {
                    if path.is_none() {
                        self.picker.pick(Wanted::ShareFile, frame, ctx);
                    }
                    self.upload = Some(Upload::new(path.as_deref()));
                }
                Action::Download(source) => {
                    if source.is_none() {
                        self.picker.pick(Wanted::Torrent, frame, ctx);
                    }
                    let download = self.download.get_or_insert_with(Download::default);
                    source.into_iter().for_each(|source| download.take(source));
                }
                Action::Link(torrent) => {
                    self.panels.list().choose(torrent);
                    self.upload = Some(Upload::link(torrent));
                }
                Action::AskRemove(torrents) => self.question = Some(questions::Question::Remove(torrents)),
                Action::AskUnlist(torrent, name) => {
                    self.question = Some(questions::Question::Unlist(torrent, name));
                }
                Action::Pick(wanted) => self.picker.pick(wanted, frame, ctx),
                Action::Copy(text, what) => {
                    ctx.copy_text(text);
                    self.say(Level::Info, format!("{what} copied."));
                }
                Action::Open(path) => self.errand(crate::gui::errand::Errand::Open(path)),
                Action::Errand(errand) => self.errand(errand),
                Action::Show(panel) => self.state.panel = panel,
                Action::OwnWindow(panel, own) => {
                    self.state.own_windows.retain(|other| *other != panel);
                    if own {
                        self.state.own_windows.push(panel);
                    }
                }
                Action::Choose(torrent) => {
                    self.state.panel = Panel::Peer;
                    self.panels.list().choose(torrent);
                }
                Action::Settings(settings) => self.send(Command::Settings(settings)),
            }
        }
    }

    pub(super) fn errand(&mut self, errand: crate::gui::errand::Errand) {
        if let Err(why) = self.errands.run(errand) {
            self.say(Level::Error, why);
        }
    }

    /// Asks for the details of what is looked at.
    pub(super) fn watch(&mut self) {
        let shown = self.upload.as_ref().and_then(Upload::torrent);
        let listed = self.panels.list().current().filter(|_| self.state.details);
        let wanted = shown.or(listed);
        if wanted == self.watched {
            return;
        }
        self.watched = wanted;
        if let Some(torrent) = wanted {
            self.rates.follow(torrent);
        }
        self.send(Command::Watch(wanted));
    }

    /// Notes size and position for the next start.
    pub(super) fn note_window(&mut self, ctx: &egui::Context) {
        let (size, maximized) = ctx.input(|input| {
            let viewport = input.viewport();
            (viewport.inner_rect.map(|rect| rect.size()), viewport.maximized.unwrap_or(false))
        });
        self.state.maximized = maximized;
        if let Some(size) = size
            && !maximized
        {
            let zoom = ctx.zoom_factor();
            self.state.size = Some(((size.x * zoom).round(), (size.y * zoom).round()));
        }
    }
}

/// How others can reach this computer: a colour and a sentence.
fn standing(view: &View, look: &theme::Look) -> (egui::Color32, String) {
    if let Some(fault) = &view.listen_fault {
        return (look.bad, fault.clone());
    }
    let Some(address) = view.listening.first() else {
        return (look.weak, "Starting…".to_owned());
    };
    let tracker = match (&view.tracker.fault, view.tracker.running) {
        (Some(fault), _) => return (look.warn, format!("Tracker: {fault}")),
        (None, true) => "tracker running",
        (None, false) => "tracker off",
    };
    (look.good, format!("Reachable on port {}, {tracker}", address.port()))
}
