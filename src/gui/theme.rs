//! Every colour and measure of the window, light and dark; nothing else names one.

use eframe::egui::{self, Color32, CornerRadius, FontId, Margin, Stroke, TextStyle, Vec2, vec2};

/// The colours of one theme, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Behind everything.
    pub ground: Color32,
    /// Navigation and bars.
    pub side: Color32,
    /// Cards, tables and dialogs.
    pub card: Color32,
    /// Fields to type in.
    pub field: Color32,
    /// Buttons at rest.
    pub button: Color32,
    /// Buttons under the pointer.
    pub button_hover: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Outlines of fields and buttons.
    pub outline: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second.
    pub weak: Color32,
    /// The program's own colour: the chosen, the main button, progress.
    pub accent: Color32,
    /// The same under the pointer.
    pub accent_hover: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// A chosen row.
    pub chosen: Color32,
    /// A row under the pointer.
    pub hover: Color32,
    /// Every second row.
    pub stripe: Color32,
    /// What went well: seeding, complete.
    pub good: Color32,
    /// What wants attention.
    pub warn: Color32,
    /// What failed, and buttons that destroy.
    pub bad: Color32,
    /// Text on `bad`.
    pub on_bad: Color32,
    /// Received.
    pub down: Color32,
    /// Sent.
    pub up: Color32,
    /// The empty part of a bar.
    pub trough: Color32,
    /// Over what a dialog covers.
    pub veil: Color32,
}

/// Dark text on light ground.
const LIGHT: Look = Look {
    ground: Color32::from_rgb(0xf4, 0xf6, 0xf8),
    side: Color32::from_rgb(0xe9, 0xed, 0xf1),
    card: Color32::from_rgb(0xff, 0xff, 0xff),
    field: Color32::from_rgb(0xff, 0xff, 0xff),
    button: Color32::from_rgb(0xff, 0xff, 0xff),
    button_hover: Color32::from_rgb(0xef, 0xf3, 0xf7),
    line: Color32::from_rgb(0xdd, 0xe2, 0xe8),
    outline: Color32::from_rgb(0xc3, 0xcb, 0xd4),
    text: Color32::from_rgb(0x1b, 0x23, 0x2c),
    weak: Color32::from_rgb(0x57, 0x63, 0x70),
    accent: Color32::from_rgb(0x0b, 0x6e, 0xa8),
    accent_hover: Color32::from_rgb(0x09, 0x5c, 0x8d),
    on_accent: Color32::WHITE,
    chosen: Color32::from_rgb(0xd3, 0xe7, 0xf4),
    hover: Color32::from_rgb(0xec, 0xf2, 0xf7),
    stripe: Color32::from_rgb(0xf8, 0xfa, 0xfb),
    good: Color32::from_rgb(0x1c, 0x7c, 0x45),
    warn: Color32::from_rgb(0x9a, 0x5b, 0x00),
    bad: Color32::from_rgb(0xc0, 0x2b, 0x2b),
    on_bad: Color32::WHITE,
    down: Color32::from_rgb(0x0b, 0x6e, 0xa8),
    up: Color32::from_rgb(0x1c, 0x7c, 0x45),
    trough: Color32::from_rgb(0xe1, 0xe6, 0xeb),
    veil: Color32::from_black_alpha(90),
};

/// Light text on dark ground.
const DARK: Look = Look {
    ground: Color32::from_rgb(0x16, 0x1a, 0x1f),
    side: Color32::from_rgb(0x11, 0x15, 0x19),
    card: Color32::from_rgb(0x1e, 0x23, 0x2a),
    field: Color32::from_rgb(0x12, 0x16, 0x1b),
    button: Color32::from_rgb(0x2a, 0x31, 0x3a),
    button_hover: Color32::from_rgb(0x36, 0x3f, 0x4a),
    line: Color32::from_rgb(0x2c, 0x33, 0x3c),
    outline: Color32::from_rgb(0x42, 0x4c, 0x58),
    text: Color32::from_rgb(0xe6, 0xea, 0xef),
    weak: Color32::from_rgb(0x9d, 0xa9, 0xb6),
    accent: Color32::from_rgb(0x4d, 0xb1, 0xe4),
    accent_hover: Color32::from_rgb(0x74, 0xc4, 0xee),
    on_accent: Color32::from_rgb(0x06, 0x1a, 0x26),
    chosen: Color32::from_rgb(0x1b, 0x3d, 0x52),
    hover: Color32::from_rgb(0x27, 0x2e, 0x37),
    stripe: Color32::from_rgb(0x21, 0x27, 0x2e),
    good: Color32::from_rgb(0x5f, 0xcb, 0x8d),
    warn: Color32::from_rgb(0xe8, 0xb0, 0x54),
    bad: Color32::from_rgb(0xf0, 0x7a, 0x74),
    on_bad: Color32::from_rgb(0x2a, 0x08, 0x06),
    down: Color32::from_rgb(0x4d, 0xb1, 0xe4),
    up: Color32::from_rgb(0x5f, 0xcb, 0x8d),
    trough: Color32::from_rgb(0x2f, 0x37, 0x41),
    veil: Color32::from_black_alpha(150),
};

/// Height of a table's row.
pub(crate) const ROW: f32 = 30.0;
/// Height of a table's header.
pub(crate) const HEADER: f32 = 30.0;
/// Height of buttons and fields.
pub(crate) const CONTROL: f32 = 32.0;
/// Between a panel's edge and its content.
pub(crate) const EDGE: f32 = 16.0;
/// Between related things.
pub(crate) const GAP: f32 = 8.0;
/// Roundness of cards and dialogs.
pub(crate) const CARD_RADIUS: u8 = 10;
/// Roundness of buttons, fields and rows.
pub(crate) const RADIUS: u8 = 6;
/// Width of a dialog.
pub(crate) const DIALOG: f32 = 560.0;
/// Narrower than this, the navigation shows icons alone.
pub(crate) const NARROW: f32 = 900.0;

/// The colours in force.
pub(crate) fn look(ui: &egui::Ui) -> &'static Look {
    of(ui.visuals().dark_mode)
}

/// The colours of one theme.
pub(crate) const fn of(dark: bool) -> &'static Look {
    if dark { &DARK } else { &LIGHT }
}

/// Teaches a context both themes.
pub(crate) fn install(ctx: &egui::Context) {
    for theme in [egui::Theme::Light, egui::Theme::Dark] {
        ctx.style_mut_of(theme, |style| dress(style, of(theme == egui::Theme::Dark)));
    }
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = false;
        options.quit_shortcuts.clear();
    });
}

fn dress(style: &mut egui::Style, look: &Look) {
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(12.5)),
        (TextStyle::Body, FontId::proportional(14.0)),
        (TextStyle::Button, FontId::proportional(14.0)),
        (TextStyle::Heading, FontId::proportional(21.0)),
        (TextStyle::Monospace, FontId::monospace(13.0)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(GAP, GAP);
    spacing.button_padding = vec2(12.0, 6.0);
    spacing.interact_size = vec2(36.0, CONTROL);
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 10.0;
    spacing.combo_width = 120.0;
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(20);
    spacing.scroll = egui::style::ScrollStyle { bar_width: 10.0, ..egui::style::ScrollStyle::solid() };
    spacing.scroll.content_margin = Margin::ZERO;
    style.animation_time = 0.08;
    style.interaction.selectable_labels = false;
    style.visuals = visuals(look);
}

fn visuals(look: &Look) -> egui::Visuals {
    let dark = *look == DARK;
    let mut visuals = if dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    let radius = CornerRadius::same(RADIUS);
    visuals.panel_fill = look.ground;
    visuals.window_fill = look.card;
    visuals.window_stroke = Stroke::new(1.0, look.line);
    visuals.window_corner_radius = CornerRadius::same(CARD_RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    // What a scroll bar runs in; its handle is as light as a button.
    visuals.extreme_bg_color = if dark { look.field } else { look.trough };
    visuals.text_edit_bg_color = Some(look.field);
    visuals.faint_bg_color = look.stripe;
    visuals.code_bg_color = look.trough;
    visuals.hyperlink_color = look.accent;
    visuals.warn_fg_color = look.warn;
    visuals.error_fg_color = look.bad;
    visuals.weak_text_color = Some(look.weak);
    visuals.selection.bg_fill = look.chosen;
    visuals.selection.stroke = Stroke::new(1.0, look.text);
    visuals.slider_trailing_fill = true;
    visuals.button_frame = true;
    visuals.interact_cursor = Some(egui::CursorIcon::Default);
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_fill = look.card;
    widgets.noninteractive.weak_bg_fill = look.card;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, look.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, look.text);
    for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active, &mut widgets.open] {
        state.bg_fill = look.button;
        state.weak_bg_fill = look.button;
        state.bg_stroke = Stroke::new(1.0, look.outline);
        state.fg_stroke = Stroke::new(1.5, look.text);
        state.expansion = 0.0;
    }
    for state in [&mut widgets.hovered, &mut widgets.active, &mut widgets.open] {
        state.bg_fill = look.button_hover;
        state.weak_bg_fill = look.button_hover;
    }
    widgets.active.bg_stroke = Stroke::new(1.5, look.accent);
    widgets.hovered.bg_stroke = Stroke::new(1.0, look.weak);
    for state in [
        &mut widgets.noninteractive,
        &mut widgets.inactive,
        &mut widgets.hovered,
        &mut widgets.active,
        &mut widgets.open,
    ] {
        state.corner_radius = radius;
    }
    visuals
}

/// A frame for something that stands by itself on the ground.
pub(crate) fn card(look: &Look) -> egui::Frame {
    egui::Frame::new()
        .fill(look.card)
        .stroke(Stroke::new(1.0, look.line))
        .corner_radius(CornerRadius::same(CARD_RADIUS))
        .inner_margin(Margin::same(14))
}

/// A frame for a panel's whole content.
pub(crate) fn ground(look: &Look) -> egui::Frame {
    egui::Frame::new().fill(look.ground).inner_margin(Margin::symmetric(EDGE as i8, 14))
}

/// The smallest useful window.
pub(crate) const SMALLEST: Vec2 = Vec2::new(640.0, 480.0);
/// The window of a first start.
pub(crate) const FIRST_SIZE: Vec2 = Vec2::new(1180.0, 760.0);

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(color: Color32) -> f32 {
        let channel = |byte: u8| {
            let value = f32::from(byte) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(one: Color32, other: Color32) -> f32 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_what_it_stands_on() {
        for look in [LIGHT, DARK] {
            for ground in [look.ground, look.side, look.card, look.chosen, look.hover, look.stripe] {
                for text in [look.text, look.weak, look.good, look.warn, look.bad, look.accent] {
                    assert!(
                        contrast(text, ground) >= 4.0,
                        "{text:?} on {ground:?}: {}",
                        contrast(text, ground)
                    );
                }
            }
            assert!(contrast(look.on_accent, look.accent) >= 4.5);
            assert!(contrast(look.on_accent, look.accent_hover) >= 4.5);
            assert!(contrast(look.on_bad, look.bad) >= 4.5);
        }
    }
}
