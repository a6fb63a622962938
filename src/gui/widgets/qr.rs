//! A QR code as a picture.

use eframe::egui::{Color32, ColorImage, Image, Role, TextureHandle, TextureOptions, Ui, WidgetInfo, vec2};

/// The QR code of one text, made once and kept as a texture.
#[derive(Default)]
pub(crate) struct Qr {
    text: String,
    texture: Option<TextureHandle>,
}

impl Qr {
    /// Shows the code of a link in a square, by what the link is called; says so where it is too long for any code.
    pub(crate) fn show(&mut self, ui: &mut Ui, what: &str, text: &str, side: f32) {
        if self.text != text {
            self.text = text.to_owned();
            self.texture =
                image(text).map(|image| ui.ctx().load_texture("qr", image, TextureOptions::NEAREST));
        }
        let Some(texture) = &self.texture else {
            ui.label("This link is too long for a QR code.");
            return;
        };
        let response = ui.add(Image::new(texture).fit_to_exact_size(vec2(side, side)).corner_radius(4.0));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("QR code of the {what}")));
        let _ = response.on_hover_text("Scan with a phone or another computer to get the link");
    }
}

/// Dark on white in both themes, because many readers know nothing else, with the quiet zone of four modules.
fn image(text: &str) -> Option<ColorImage> {
    const QUIET: usize = 4;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut pixels = vec![Color32::WHITE; side * side];
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == qrcode::Color::Dark {
            pixels[(at / width + QUIET) * side + at % width + QUIET] = Color32::BLACK;
        }
    }
    Some(ColorImage::new([side, side], pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finders_and_a_quiet_zone() {
        let image =
            image("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567").expect("short enough");
        let [side, _] = image.size;
        let at = |x: usize, y: usize| image.pixels[y * side + x];
        assert!((0..side).all(|x| (0..4).all(|y| at(x, y) == Color32::WHITE)));
        for (x, y) in [(4, 4), (side - 11, 4), (4, side - 11)] {
            assert!((0..7).all(|step| at(x + step, y) == Color32::BLACK));
        }
        assert!(super::image(&"x".repeat(5_000)).is_none());
    }
}
