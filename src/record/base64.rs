//! Base64 in its only form (RFC 4648, section 4, with padding at the end and nowhere else). The
//! library's decoder takes several padded pieces one after the other as well, so that one signature
//! could be written in many ways.

use data_encoding::BASE64;

/// The bytes; `None` for another form, or none at all.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // Whatever follows the padding would begin a second piece.
    let padding = text.find('=').map_or(0, |at| text.len() - at);
    if padding > 2 { None } else { BASE64.decode(text.as_bytes()).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_form() {
        assert_eq!(decode("aGFuZA=="), Some(b"hand".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        for wrong in ["aGFuZA", "aGFuZA=", "aGFuZB==", "aA==bmQ=", "aGFu\nZA==", "=", "aGFuZA==="] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
