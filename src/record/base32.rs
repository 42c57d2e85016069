//! Base32 (RFC 4648) without padding, for what people type and read out.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Upper case in and out; lower case and the digits that people take for letters are understood.
pub(crate) static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    specification.translate.from.push_str("abcdefghijklmnopqrstuvwxyz018");
    specification.translate.to.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZOIB");
    specification.encoding().expect("32 different symbols")
});
