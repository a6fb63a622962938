//! The row of titles: click to sort, drag to move, drag an edge to widen, right click to choose columns.

use eframe::egui::{
    self, Align, CursorIcon, Id, Key, Popup, PopupCloseBehavior, Rect, Role, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::gui::theme;
use crate::gui::widgets::table::layout::{Column, Layout, PADDING, Place};

/// Points left and right of an edge where it can be caught.
const GRIP: f32 = 5.0;

pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    scrolled: f32,
    columns: &'static [Column],
    layout: &mut Layout,
    places: &[Place],
    id: Id,
) {
    let look = theme::look(ui);
    let clip = rect.intersect(ui.clip_rect());
    let painter = ui.painter().with_clip_rect(clip);
    painter.rect_filled(rect, 0.0, look.card);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, look.line));
    let title = |place: &Place| {
        Rect::from_min_size(
            pos2(rect.left() + place.left - scrolled, rect.top()),
            vec2(place.width, rect.height()),
        )
    };
    let mut child = ui.new_child(egui::UiBuilder::new().id_salt("titles").max_rect(rect));
    child.shrink_clip_rect(clip);
    let mut moved = None;
    for place in places {
        let column = &columns[place.column];
        let area = title(place);
        let response = child.interact(
            area.shrink2(vec2(GRIP, 0.0)).intersect(clip),
            id.with(("title", column.key)),
            Sense::click_and_drag(),
        );
        let sorted = (layout.sort.key == column.key).then_some(layout.sort.descending);
        response.widget_info(|| {
            let label = match sorted {
                Some(true) => format!("{}, sorted, greatest first", column.title),
                Some(false) => format!("{}, sorted, least first", column.title),
                None => column.title.to_owned(),
            };
            WidgetInfo::labeled(Role::ColumnHeader, true, label)
        });
        if column.sorts && (response.clicked() || response.has_focus() && enter(&child)) {
            layout.sort_by(column);
        }
        if response.dragged() {
            child.set_cursor_icon(CursorIcon::Grabbing);
            painter.rect_filled(area, 0.0, look.hover);
        } else if response.hovered() {
            painter.rect_filled(area.shrink2(vec2(0.0, 1.0)), 0.0, look.hover);
        }
        if response.has_focus() {
            painter.rect_stroke(
                area.shrink(1.0),
                3.0,
                Stroke::new(2.0, look.accent),
                egui::StrokeKind::Inside,
            );
        }
        if let Some(pointer) = response.interact_pointer_pos()
            && let Some(target) = places.iter().find(|other| title(other).x_range().contains(pointer.x))
            && target.column != place.column
        {
            let edge = title(target);
            let x = if target.left > place.left { edge.right() } else { edge.left() };
            painter.vline(x, rect.y_range(), Stroke::new(2.0, look.accent));
            if response.drag_stopped() {
                moved = Some((column.key, columns[target.column].key));
            }
        }
        draw_title(&child, &painter, area.shrink2(vec2(PADDING, 0.0)), column, sorted);
        let response = if column.tip.is_empty() { response } else { response.on_hover_text(column.tip) };
        Popup::context_menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| choose(ui, columns, layout));
        grip(&child, &painter, area, column, layout, place, id);
    }
    if let Some((key, target)) = moved {
        layout.move_to(key, target);
    }
}

fn enter(ui: &Ui) -> bool {
    ui.input(|input| input.key_pressed(Key::Enter))
}

fn draw_title(ui: &Ui, painter: &egui::Painter, area: Rect, column: &Column, sorted: Option<bool>) {
    const MARK: f32 = 12.0;
    let look = theme::look(ui);
    let color = if sorted.is_some() { look.text } else { look.weak };
    let mut job = egui::text::LayoutJob::simple_singleline(
        column.title.to_owned(),
        egui::TextStyle::Small.resolve(ui.style()),
        color,
    );
    let mark = if sorted.is_some() { MARK } else { 0.0 };
    job.wrap = egui::text::TextWrapping::truncate_at_width((area.width() - mark).max(1.0));
    let galley = painter.layout_job(job);
    let width = galley.size().x;
    let left = if column.right { area.right() - width - mark } else { area.left() };
    painter.galley(pos2(left, area.center().y - galley.size().y / 2.0), galley, color);
    if let Some(descending) = sorted {
        let center = pos2(left + width + MARK / 2.0 + 1.0, area.center().y);
        let (tip, base) = if descending { (2.5, -2.0) } else { (-2.5, 2.0) };
        let points = vec![center + vec2(-3.5, base), center + vec2(0.0, tip), center + vec2(3.5, base)];
        painter.line(points, Stroke::new(1.5, color));
    }
}

fn grip(
    ui: &Ui,
    painter: &egui::Painter,
    area: Rect,
    column: &Column,
    layout: &mut Layout,
    place: &Place,
    id: Id,
) {
    let look = theme::look(ui);
    let grip = Rect::from_center_size(pos2(area.right(), area.center().y), vec2(2.0 * GRIP, area.height()));
    let response = ui.interact(
        grip.intersect(ui.clip_rect()),
        id.with(("grip", column.key)),
        Sense::DRAG | Sense::CLICK,
    );
    let caught = response.hovered() || response.dragged();
    if caught {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    let stroke = if caught { Stroke::new(2.0, look.accent) } else { Stroke::new(1.0, look.line) };
    painter.vline(area.right(), area.y_range().shrink(if caught { 0.0 } else { 7.0 }), stroke);
    if response.dragged() && !column.grows {
        layout.widen(column.key, (place.width + response.drag_delta().x).max(column.least()));
    }
    if response.double_clicked() {
        layout.widen(column.key, column.width);
    }
}

/// The list of columns to be shown.
pub(crate) fn choose(ui: &mut Ui, columns: &'static [Column], layout: &mut Layout) {
    ui.set_min_width(170.0);
    for column in columns {
        let mut shown = layout.shows(column.key);
        if ui.checkbox(&mut shown, column.title).changed() {
            layout.show(column.key, shown);
        }
    }
    ui.separator();
    ui.with_layout(egui::Layout::top_down_justified(Align::LEFT), |ui| {
        if ui.button("Reset columns").clicked() {
            layout.reset(columns);
            ui.close();
        }
    });
}
