//! Keyed hashes: HMAC-SHA-256 (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The keyed hash of `parts`, one behind the other. Whoever takes parts of varying length must see to
/// it that no two lists of them give the same bytes.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_vector_of_rfc_4231_comes_out() {
        let text: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(data_encoding::HEXLOWER.encode(&hmac(b"Jefe", &text)), wanted);
    }
}
