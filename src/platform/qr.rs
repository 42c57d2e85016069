//! QR codes (ISO/IEC 18004): drawn with characters on a console, or as an SVG picture for paper.

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// Four modules of quiet zone stand around both forms, as the standard asks. `None` for a text that no
/// QR code can take.
fn code(text: &str) -> Option<QrCode> {
    // The lowest level of correction: these codes are read from a screen or fresh paper, and smaller
    // ones are read from farther away.
    QrCode::with_error_correction_level(text, EcLevel::L).ok()
}

/// Two rows of modules in one line of text, dark on light, for a console with a dark ground.
pub fn on_console(text: &str) -> Option<String> {
    let drawn = code(text)?
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    Some(drawn)
}

/// A picture, each module at least four pixels wide.
pub fn as_svg(text: &str) -> Option<String> {
    Some(code(text)?.render::<svg::Color<'_>>().module_dimensions(4, 4).build())
}
