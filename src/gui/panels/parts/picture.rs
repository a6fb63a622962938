//! The picture of the swarm: users in a circle, and an arrow for each flow, as thick as it is fast.

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::net::SocketAddr;

use eframe::egui::{
    Align2, Painter, Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::api::{RegisteredUser, Registers};
use crate::gui::details::empty;
use crate::gui::theme::{self, Look};
use crate::gui::widgets::format;

/// Users drawn; a picture of more says nothing any more.
const DRAWN: usize = 40;
/// Rates written on arrows.
const RATES: usize = 14;
const NODE: f32 = 9.0;

/// Draws it into all the room there is.
pub(in crate::gui::panels) fn picture(ui: &mut Ui, registers: &Registers) {
    if registers.users.is_empty() {
        empty(ui, "No user is connected.");
        return;
    }
    let look = theme::look(ui);
    let (rect, response) =
        ui.allocate_exact_size(ui.available_size().max(vec2(120.0, 120.0)), Sense::hover());
    let names: BTreeMap<SocketAddr, &str> =
        registers.users.iter().map(|user| (user.addr, user.name.as_str())).collect();
    let name =
        |addr: SocketAddr| names.get(&addr).map_or_else(|| addr.to_string(), |name| (*name).to_owned());
    response.widget_info(|| {
        let flow = |flow: &crate::api::Flow| {
            format!("{} sends {} to {}", name(flow.from), format::rate_or_zero(flow.rate), name(flow.to))
        };
        let told: Vec<_> = registers.flows.iter().take(DRAWN).map(flow).collect();
        let users = format::counted(registers.users.len() as u64, "user", "users");
        let told = if told.is_empty() { "nothing flows now".to_owned() } else { told.join(", ") };
        WidgetInfo::labeled(Role::Image, true, format!("Picture of the swarm, {users}: {told}"))
    });
    let drawn = &registers.users[..registers.users.len().min(DRAWN)];
    let places: BTreeMap<SocketAddr, Pos2> =
        drawn.iter().enumerate().map(|(at, user)| (user.addr, place(rect, at, drawn.len()))).collect();
    let most = registers.flows.iter().map(|flow| flow.rate).max().unwrap_or(1).max(1);
    let painter = ui.painter().with_clip_rect(rect);
    let mut rates = Vec::new();
    for flow in &registers.flows {
        if let (Some(&from), Some(&to)) = (places.get(&flow.from), places.get(&flow.to)) {
            let middle = arrow(&painter, from, to, flow.rate as f32 / most as f32, look);
            rates.push((middle, flow.rate));
        }
    }
    // The largest first: where there are many, the others would hide each other.
    rates.sort_by_key(|&(_, rate)| std::cmp::Reverse(rate));
    for (middle, rate) in rates.iter().filter_map(|&(middle, rate)| Some((middle?, rate))).take(RATES) {
        written(ui, &painter, middle, &format::rate_or_zero(rate), look);
    }
    legend(ui, &painter, rect, look);
    for user in drawn {
        node(ui, &painter, rect, places[&user.addr], user, look);
    }
    let left_out = registers.users.len() - drawn.len();
    if left_out > 0 {
        let text = format!("and {left_out} more");
        painter.text(
            rect.left_bottom(),
            Align2::LEFT_BOTTOM,
            text,
            TextStyle::Small.resolve(ui.style()),
            look.weak,
        );
    }
    let Some(pointer) = response.hover_pos() else { return };
    let near = drawn.iter().find(|user| places[&user.addr].distance(pointer) < 2.0 * NODE);
    if let Some(user) = near {
        let sum = |own: fn(&crate::api::Flow) -> SocketAddr| -> u64 {
            registers.flows.iter().filter(|flow| own(flow) == user.addr).map(|flow| flow.rate).sum()
        };
        response.on_hover_text_at_pointer(format!(
            "{} at {}\nsends {}, receives {}",
            user.name,
            user.addr,
            format::rate_or_zero(sum(|flow| flow.from)),
            format::rate_or_zero(sum(|flow| flow.to))
        ));
    }
}

fn place(rect: Rect, at: usize, count: usize) -> Pos2 {
    let radius = (rect.size() / 2.0 - vec2(90.0, 34.0)).max(Vec2::splat(24.0));
    // The first stands at the top.
    let turn = TAU * (at as f32 / count.max(1) as f32 - 0.25);
    let center = rect.center();
    if count == 1 { center } else { pos2(center.x + radius.x * turn.cos(), center.y + radius.y * turn.sin()) }
}

fn node(ui: &Ui, painter: &Painter, rect: Rect, at: Pos2, user: &RegisteredUser, look: &Look) {
    let color = match (user.seeding, user.downloading) {
        (_, 1..) => look.down,
        (1.., 0) => look.up,
        (0, 0) => look.weak,
    };
    painter.circle(at, NODE, color, Stroke::new(2.0, look.card));
    let above = at.y < rect.center().y;
    let (anchor, shift) = if above { (Align2::CENTER_BOTTOM, -1.0) } else { (Align2::CENTER_TOP, 1.0) };
    let font = TextStyle::Small.resolve(ui.style());
    painter.text(at + vec2(0.0, shift * (NODE + 4.0)), anchor, &user.name, font, look.text);
}

/// A rate on an arrow.
fn written(ui: &Ui, painter: &Painter, at: Pos2, text: &str, look: &Look) {
    let galley = painter.layout_no_wrap(text.to_owned(), TextStyle::Small.resolve(ui.style()), look.text);
    let place = Rect::from_center_size(at, galley.size());
    painter.rect_filled(place.expand2(vec2(4.0, 1.0)), 4.0, look.card);
    painter.galley(place.min, galley, look.text);
}

/// What the colours of the nodes mean.
fn legend(ui: &Ui, painter: &Painter, rect: Rect, look: &Look) {
    let font = TextStyle::Small.resolve(ui.style());
    let mut right = rect.right();
    for (text, color) in [("neither", look.weak), ("seeds", look.up), ("downloads", look.down)] {
        let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), look.weak);
        let at = pos2(right - galley.size().x, rect.bottom() - galley.size().y);
        painter.circle_filled(pos2(at.x - 9.0, at.y + galley.size().y / 2.0), 4.0, color);
        right = at.x - 28.0;
        painter.galley(at, galley, look.weak);
    }
}

/// A bent arrow, so that two that run against each other stay apart; its middle, where there is room for a rate.
fn arrow(painter: &Painter, from: Pos2, to: Pos2, part: f32, look: &Look) -> Option<Pos2> {
    let way = to - from;
    if way.length() < 4.0 * NODE {
        return None;
    }
    let along = way.normalized();
    let bend = (from + way / 2.0) + along.rot90() * (way.length() * 0.09);
    let (begin, end) = (from + along * (NODE + 3.0), to - along * (NODE + 7.0));
    let points: Vec<Pos2> = (0..=16)
        .map(|step| {
            let t = step as f32 / 16.0;
            let (one, other) = (begin.lerp(bend, t), bend.lerp(end, t));
            one.lerp(other, t)
        })
        .collect();
    let color = look.card.lerp_to_gamma(look.accent, 0.35 + 0.65 * part.clamp(0.0, 1.0));
    let stroke = Stroke::new(1.2 + 3.3 * part.clamp(0.0, 1.0), color);
    let tip = (end - points[14]).normalized();
    let side = tip.rot90() * (3.5 + stroke.width);
    let head = vec![end + tip * 5.0, end - tip * 5.0 + side, end - tip * 5.0 - side];
    let middle = (way.length() > 110.0).then_some(points[7]);
    painter.line(points, stroke);
    painter.add(eframe::egui::Shape::convex_polygon(head, color, Stroke::NONE));
    middle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_stands_within_the_picture() {
        let rect = Rect::from_min_size(pos2(10.0, 10.0), vec2(300.0, 200.0));
        for count in [1, 2, 7, DRAWN] {
            assert!((0..count).all(|at| rect.shrink(NODE).contains(place(rect, at, count))), "{count}");
        }
        let narrow = Rect::from_min_size(Pos2::ZERO, vec2(120.0, 120.0));
        assert!((0..5).all(|at| narrow.contains(place(narrow, at, 5))));
    }
}
