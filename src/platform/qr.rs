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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a scanner reads from dark and light modules.
    fn scanned(dark: &[Vec<bool>]) -> String {
        let grid = rqrr::SimpleGrid::from_func(dark.len(), |x, y| dark[y][x]);
        rqrr::Grid::new(grid).decode().unwrap().1
    }

    /// Without the quiet zone.
    fn inner(rows: Vec<Vec<bool>>) -> Vec<Vec<bool>> {
        let size = rows[0].len() - 8;
        rows[4..4 + size].iter().map(|row| row[4..4 + size].to_vec()).collect()
    }

    #[test]
    fn a_scanner_reads_what_was_drawn_on_a_console() {
        let text = format!("ROLLCALL-SLIP:{}", "ABC234".repeat(60));
        let drawn = on_console(&text).unwrap();
        // Light modules are drawn, dark ones are the console's ground.
        let rows = drawn.lines().flat_map(|line| {
            [['▀', '█'], ['▄', '█']].map(|lit| line.chars().map(|c| !lit.contains(&c)).collect())
        });
        assert_eq!(scanned(&inner(rows.collect())), text);
    }

    #[test]
    fn a_scanner_reads_the_largest_proof_from_its_picture() {
        let text = format!("ROLLCALL-PROOF:{}", "A2".repeat(1_252));
        let svg = as_svg(&text).unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap() / 4;
        // Each dark module is one piece of the path: M x y h4 v4 …
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let width = number(svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap());
        let mut rows = vec![vec![false; width]; width];
        for piece in path.split('M').skip(1) {
            let (x, rest) = piece.split_once([' ', ',']).unwrap();
            let y: String = rest.chars().take_while(char::is_ascii_digit).collect();
            rows[number(&y)][number(x)] = true;
        }
        assert_eq!(scanned(&inner(rows)), text);
    }

    #[test]
    fn what_no_code_can_take_is_not_drawn() {
        assert_eq!(as_svg(&"a".repeat(10_000)), None);
    }
}
