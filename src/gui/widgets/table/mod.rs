//! Tables of any length: only rows in sight are laid out, columns can be sorted, widened, moved and hidden, and every
//! row is one sentence to a screen reader.
//!
//! - `layout`: which columns stand where, how wide, and what is sorted by
//! - `header`: the row of titles
//! - `cell`: drawing into one cell

mod cell;
mod header;
mod layout;

use eframe::egui::{
    self, EventFilter, Id, Key, Modifiers, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::gui::theme;

pub(crate) use cell::Cell;
pub(crate) use header::choose;
pub(crate) use layout::{Column, Layout, Sort};

/// What a table shows. Rows are counted from 0 in the order in which they are shown.
pub(crate) trait Rows {
    /// How many there are.
    fn len(&self) -> usize;
    /// What stays the same about a row when the order changes.
    fn key(&self, row: usize) -> u64;
    /// The row in a sentence, for those who do not see it.
    fn sentence(&self, row: usize) -> String;
    /// Whether it is chosen.
    fn chosen(&self, _row: usize) -> bool {
        false
    }
    /// Draws one cell.
    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>);
    /// Whether rows have a menu.
    fn has_menu(&self) -> bool {
        false
    }
    /// The menu of a row.
    fn menu(&mut self, _row: usize, _ui: &mut Ui) {}
}

/// What the user did to a table in this frame.
#[derive(Default)]
pub(crate) struct Done {
    /// A row that was clicked, with the modifiers held.
    pub clicked: Option<(usize, Modifiers)>,
    /// A row that was clicked twice.
    pub opened: Option<usize>,
    /// A row whose menu was asked for.
    pub menu: Option<usize>,
    /// Rows that were laid out.
    pub laid_out: usize,
    /// Rows that fit into sight.
    pub page: usize,
    /// Whether keys go to the table.
    pub focused: bool,
}

/// A table about to be drawn.
pub(crate) struct Table<'a> {
    name: &'static str,
    label: &'a str,
    columns: &'static [Column],
    layout: &'a mut Layout,
    scroll_to: Option<usize>,
    stick_to_end: bool,
}

impl<'a> Table<'a> {
    /// A table by its name, which its place in the window goes by, and the label that it is read out by.
    pub(crate) fn new(
        name: &'static str,
        label: &'a str,
        columns: &'static [Column],
        layout: &'a mut Layout,
    ) -> Self {
        layout.fit(columns);
        Self { name, label, columns, layout, scroll_to: None, stick_to_end: false }
    }

    /// Scrolls so that a row is in sight.
    pub(crate) fn scroll_to(mut self, row: Option<usize>) -> Self {
        self.scroll_to = row;
        self
    }

    /// Stays at the end while it is there.
    pub(crate) fn stick_to_end(mut self) -> Self {
        self.stick_to_end = true;
        self
    }

    /// Draws it into all the room there is.
    pub(crate) fn show(mut self, ui: &mut Ui, rows: &mut dyn Rows) -> Done {
        let builder = UiBuilder::new()
            .id_salt(self.name)
            .accessibility_role(Role::Table)
            .accessibility_label(self.label);
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            self.draw(ui, rows)
        })
        .inner
    }

    fn draw(&mut self, ui: &mut Ui, rows: &mut dyn Rows) -> Done {
        let room = ui.available_rect_before_wrap();
        let id = ui.scope_id().with("table");
        let bar = ui.spacing().scroll.allocated_width();
        let places = self.layout.places(self.columns, room.width() - bar);
        let width = places.last().map_or(0.0, |place| place.left + place.width);
        let (header, _) = ui.allocate_exact_size(vec2(room.width(), theme::HEADER), Sense::hover());

        let focus = ui.interact(room, id, Sense::focusable_noninteractive());
        let mut done = Done { focused: focus.has_focus(), ..Done::default() };
        if done.focused {
            let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        }

        let mut area = egui::ScrollArea::both()
            .id_salt("rows")
            .auto_shrink([false, false])
            .stick_to_bottom(self.stick_to_end)
            .scroll_source(egui::scroll_area::ScrollSource {
                drag: egui::scroll_area::DragScroll::Never,
                ..Default::default()
            });
        let seen = room.height() - theme::HEADER;
        done.page = (seen / theme::ROW).floor().max(1.0) as usize;
        if let Some(row) = self.scroll_to {
            area = keep_in_sight(ui, area, "rows", row, seen);
        }
        let output = area.show_viewport(ui, |ui, viewport| {
            ui.set_width(width.max(1.0));
            ui.set_height(theme::ROW * rows.len() as f32);
            let origin = ui.max_rect().left_top();
            let first = (viewport.top() / theme::ROW).floor().max(0.0) as usize;
            let last = ((viewport.bottom() / theme::ROW).ceil().max(0.0) as usize).min(rows.len());
            for row in first..last {
                let top = origin.y + row as f32 * theme::ROW;
                let line =
                    Rect::from_min_size(pos2(origin.x, top), vec2(width.max(viewport.width()), theme::ROW));
                self.row(ui, rows, row, line, &places, id, &mut done);
                done.laid_out += 1;
            }
        });
        let scrolled = output.state.clamped_offset().x;
        if self.stick_to_end {
            // It moves by the length that it had; where that has changed, it is at the end in the next frame.
            let last = ui.data_mut(|data| {
                std::mem::replace(data.get_temp_mut_or_default::<usize>(id.with("rows")), rows.len())
            });
            if last != rows.len() {
                ui.request_repaint();
            }
        }
        header::show(ui, header, scrolled, self.columns, self.layout, &places, id);
        if done.clicked.is_some() || done.menu.is_some() {
            focus.request_focus();
        }
        if done.focused && ui.input(|input| input.key_pressed(Key::Tab)) {
            ui.painter().rect_stroke(
                room.shrink(0.5),
                theme::RADIUS,
                Stroke::new(1.0, theme::look(ui).accent),
                StrokeKind::Inside,
            );
        }
        done
    }

    #[expect(clippy::too_many_arguments, reason = "one row of one table, called from one place")]
    fn row(
        &self,
        ui: &mut Ui,
        rows: &mut dyn Rows,
        row: usize,
        line: Rect,
        places: &[layout::Place],
        id: Id,
        done: &mut Done,
    ) {
        let look = theme::look(ui);
        let response = ui.interact(line, id.with(rows.key(row)), Sense::CLICK);
        let chosen = rows.chosen(row);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Row, true, rows.sentence(row));
            info.selected = Some(chosen);
            info
        });
        let fill = if chosen {
            Some(look.chosen)
        } else if response.hovered() {
            Some(look.hover)
        } else {
            (row % 2 == 1).then_some(look.stripe)
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(line, 0.0, fill);
        }
        self.react(ui, &response, row, done);
        let mut elided = None;
        for place in places {
            let column = &self.columns[place.column];
            let rect = Rect::from_min_size(
                pos2(line.left() + place.left, line.top()),
                vec2(place.width, line.height()),
            );
            if !ui.is_rect_visible(rect) {
                continue;
            }
            let mut cell = Cell::new(
                ui,
                rect.shrink2(vec2(layout::PADDING, 0.0)),
                column.right,
                (id, rows.key(row), place.column),
            );
            rows.cell(row, column.key, &mut cell);
            if let Some(text) = cell.into_elided()
                && response.hover_pos().is_some_and(|pointer| rect.contains(pointer))
            {
                elided = Some(text);
            }
        }
        if rows.has_menu() {
            response.context_menu(|ui| rows.menu(row, ui));
        }
        if let Some(text) = elided {
            let _ = response.on_hover_text_at_pointer(text);
        }
    }

    fn react(&self, ui: &Ui, response: &Response, row: usize, done: &mut Done) {
        if response.clicked() {
            done.clicked = Some((row, ui.input(|input| input.modifiers)));
        }
        if response.double_clicked() {
            done.opened = Some(row);
        }
        if response.secondary_clicked() {
            done.menu = Some(row);
        }
    }
}

/// Moves the scroll area by as little as brings a row into sight.
fn keep_in_sight(ui: &Ui, area: egui::ScrollArea, salt: &str, row: usize, seen: f32) -> egui::ScrollArea {
    let id = ui.make_persistent_id(egui::IdSalt::new(salt));
    let offset = egui::scroll_area::State::load(ui.ctx(), id).map_or(0.0, |state| state.clamped_offset().y);
    let (top, bottom) = (row as f32 * theme::ROW, (row + 1) as f32 * theme::ROW);
    if top < offset {
        area.vertical_scroll_offset(top)
    } else if bottom > offset + seen {
        area.vertical_scroll_offset(bottom - seen)
    } else {
        area
    }
}
